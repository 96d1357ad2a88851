/* weft config: every key of the configuration. Owns nothing between calls. The main thread, without a session. */
#include <weft/config.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/main.h"
#include "weft/command.h"

enum { EXIT_USAGE = 2 };

static json_t *value_of(const weft_config_entry *entry)
{
    if (strcmp(entry->type, "boolean") == 0) return json_boolean(entry->number != 0);
    if (strcmp(entry->type, "duration") == 0) return json_real((double)entry->number * 1e-9);
    if (strcmp(entry->type, "integer") == 0 || strcmp(entry->type, "bytes") == 0) return json_integer(entry->number);
    return json_string(entry->text);
}

static const char *unit_of(const weft_config_entry *entry)
{
    if (strcmp(entry->type, "duration") == 0) return "s";
    return strcmp(entry->type, "bytes") == 0 ? "bytes" : entry->unit;
}

static int print_json(const weft_config *config, const char *program_name)
{
    json_t *keys = json_object();
    weft_config_entry entry;
    bool is_whole = keys != NULL;
    for (size_t i = 0; is_whole && weft_config_get_entry(config, i, &entry); i++) {
        json_t *row = json_pack("{s:s, s:o, s:s?, s:s, s:s, s:s}", "type", entry.type, "value", value_of(&entry), "unit", unit_of(&entry),
                                "origin", entry.origin, "allowed", entry.allowed, "doc", entry.doc);
        is_whole = row && json_object_set_new(keys, entry.key, row) == 0;
    }
    if (is_whole) is_whole = json_dumpf(keys, stdout, JSON_INDENT(2)) == 0 && printf("\n") > 0;
    json_decref(keys);
    if (is_whole || ferror(stdout)) return cli_exit_code(program_name, EXIT_SUCCESS);
    fprintf(stderr, "%s: a value is not UTF-8, which JSON needs; run it without --json to see which\n", program_name);
    return EXIT_FAILURE;
}

static int print(const weft_config *config, bool as_json, const char *program_name)
{
    if (as_json) return print_json(config, program_name);
    weft_config_print(config, stdout);
    return cli_exit_code(program_name, EXIT_SUCCESS);
}

int command_config(int argc, char **argv)
{
    bool as_json = false;
    const cli_option options[] = {CLI_FLAG("json", 0, "print JSON: an object by keys, sizes in bytes, durations in seconds", &as_json)};
    const char *const examples[] = {"weft config", "weft config --set pool.pin=false | grep pool.pin",
                                    "WEFT_POOL__THREADS=4 weft config --json", NULL};
    const cli_program program = {
        .name = "weft config",
        .description = "Lists every configuration key with its value, its unit, where the value comes from and what the key is for. Later "
                       "sources override earlier ones: the default, the site file ($WEFT_SITE_CONFIG or /etc/weft.ini), the user file "
                       "($WEFT_CONFIG or ~/.config/weft.ini), the environment (WEFT_SECTION__KEY), and the command line.",
        .options = options, .option_count = 1, .examples = examples,
    };
    cli_arguments arguments;
    weft_error error = WEFT_ERROR_INIT;
    weft_config *config = NULL;
    int code;
    weft_status status = WEFT_OK;
    if (!cli_options_want_help(argc, argv)) status = weft_config_create(&config, &error);
    if (config) status = weft_config_take_options(config, &argc, argv, &error);
    if (status) {
        fprintf(stderr, "%s: %s\n", program.name, error.text);
        code = status == WEFT_ENOMEM ? EXIT_FAILURE : EXIT_USAGE;
    } else if (cli_options_read(&program, argc, argv, &arguments, &code)) {
        code = print(config, as_json, program.name);
    }
    weft_config_destroy(config);
    return code;
}
