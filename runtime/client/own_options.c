#include "client/own_options.h"

#include <stdio.h>
#include <string.h>

typedef struct own_option {
    const char *name;
    const char *key; /* NULL: the value is KEY=VALUE */
} own_option;

static const own_option options[] = {
    {"--scheduler", "scheduler.kind"},
    {"--threads", "pool.threads"},
    {"--set", NULL},
};

/* The option that arg is, and its value: behind '=', or in the next argument (*value NULL). */
static const own_option *match(const char *arg, const char **value)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        size_t length = strlen(options[i].name);
        if (strncmp(arg, options[i].name, length) != 0 || (arg[length] != '\0' && arg[length] != '=')) continue;
        *value = arg[length] == '=' ? arg + length + 1 : NULL;
        return &options[i];
    }
    return NULL;
}

static weft_status apply(weft_config *config, const own_option *option, const char *value, weft_error *err)
{
    if (!option->key) return weft_config_set_assignment(config, value, "--set", err);
    weft_error cause = WEFT_ERROR_INIT;
    weft_status status = weft_config_set(config, option->key, value, option->name, &cause);
    return status == WEFT_OK ? WEFT_OK : weft_fail(err, status, "%s", cause.text);
}

weft_status wf_own_options_take(int *argc, char **argv, weft_config *config, weft_error *err)
{
    int kept = 0, end = *argc;
    for (int i = 1; i < *argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--") == 0) {
            end = i;
            break;
        }
        const own_option *option = match(argv[i], &value);
        if (!option) continue;
        if (!value && ++i == *argc) return weft_fail(err, WEFT_EINVAL, "%s needs a value, as in %s", option->name,
                                                     option->key ? option->key[0] == 'p' ? "--threads 4" : "--scheduler threads"
                                                                 : "--set pool.pin=false");
        weft_status status = apply(config, option, value ? value : argv[i], err);
        if (status != WEFT_OK) return status;
    }
    for (int i = 0; i < *argc; i++) {
        const char *value;
        const own_option *option = i > 0 && i < end ? match(argv[i], &value) : NULL;
        if (option)
            i += value ? 0 : 1;
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    *argc = kept;
    return WEFT_OK;
}

weft_status weft_config_take_options(weft_config *config, int *argc, char **argv, weft_error *err)
{
    return wf_own_options_take(argc, argv, config, err);
}
