/* Sets keys from WEFT_SECTION__KEY variables. Owns nothing. Invariant: reads only the list passed in, so that a test needs no environment.
 * The caller's thread. */
#include "config/environment.h"

#include <ctype.h>
#include <string.h>

#include "config/keys.h"

static const char prefix[] = "WEFT_";

/* The key of "WEFT_POOL__THREADS" is "pool.threads"; key has room for name. False without a double underscore. */
static bool key_of(const char *name, char *key)
{
    const char *separator = strstr(name + strlen(prefix) - 1, "__");
    if (!separator) return false;
    for (name += strlen(prefix); *name; name++) {
        if (name >= separator && name < separator + 2) {
            if (name == separator) *key++ = '.';
        } else {
            *key++ = (char)tolower((unsigned char)*name);
        }
    }
    *key = '\0';
    return true;
}

static weft_status fail_unknown(const char *name, const char *key, weft_error *err)
{
    char meant[WF_KEY_TEXT_LENGTH];
    const char *nearest = wf_key_nearest(key);
    if (!nearest) return weft_fail(err, WEFT_ENOENT, "environment %s: no such key; unset it; `weft config` lists the keys", name);
    wf_key_environment_name(wf_key_at(wf_key_find(nearest)), meant);
    return weft_fail(err, WEFT_ENOENT, "environment %s: no such key; did you mean %s?", name, meant);
}

static weft_status check_single_underscore(const char *name, weft_error *err)
{
    char right[WF_KEY_TEXT_LENGTH];
    for (size_t i = 0; i < wf_key_count(); i++) {
        const char *gap = strstr(wf_key_environment_name(wf_key_at(i), right), "__");
        size_t before = (size_t)(gap - right);
        if (strncmp(name, right, before) == 0 && strcmp(name + before, gap + 1) == 0)
            return weft_fail(err, WEFT_ENOENT, "environment %s: section and key are joined by two underscores; write %s", name, right);
    }
    return WEFT_OK;
}

static weft_status read_variable(weft_config *config, const char *name, const char *value, weft_error *err)
{
    static const char words[] = "environment ";
    char key[WF_KEY_TEXT_LENGTH], right[WF_KEY_TEXT_LENGTH], origin[sizeof words + WF_KEY_TEXT_LENGTH];
    if (!key_of(name, key)) return check_single_underscore(name, err);
    size_t index = wf_key_find(key);
    /* The way back must give the same name: it may have lower-case letters. */
    if (index == wf_key_count() || strcmp(wf_key_environment_name(wf_key_at(index), right), name) != 0) return fail_unknown(name, key, err);
    snprintf(origin, sizeof origin, "%s%s", words, name);
    return weft_config_set(config, key, value, origin, err);
}

weft_status wf_config_read_environment(weft_config *config, char *const *variables, weft_error *err)
{
    for (; *variables; variables++) {
        const char *equals = strchr(*variables, '=');
        char name[WF_KEY_TEXT_LENGTH];
        if (!equals || strncmp(*variables, prefix, strlen(prefix)) != 0) continue;
        /* Cut to what a message can show; no key's name is as long as that. */
        snprintf(name, sizeof name, "%.*s", (int)(equals - *variables), *variables);
        weft_status status = read_variable(config, name, equals + 1, err);
        if (status) return status;
    }
    return WEFT_OK;
}
