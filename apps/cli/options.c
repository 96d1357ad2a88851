/* Reads command lines by a table of options. Owns nothing. Invariant: a variable is only ever set to a value that its option allows.
 * The main thread. */
#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/quantity.h"
#include "cli/main.h"

enum { ALLOWED_LENGTH = 96, CODE_HELP = 256, CODE_VERSION, CODE_FIRST, EXIT_USAGE = 2 };

/* What getopt_long is given, and how its answers lead back to the table. */
typedef struct getopt_table {
    char letters[2 * CLI_OPTION_MAX + 8];
    struct option longs[CLI_OPTION_MAX + 3];
} getopt_table;

static void table_fill(getopt_table *table, const cli_program *program)
{
    size_t count = 0;
    char *letter = table->letters;
    assert(program->option_count <= CLI_OPTION_MAX);
    letter += sprintf(letter, ":"); /* the colon: a missing value is told apart from an unknown option */
    table->longs[count++] = (struct option){"help", no_argument, NULL, CODE_HELP};
    table->longs[count++] = (struct option){"version", no_argument, NULL, CODE_VERSION};
    for (size_t i = 0; i < program->option_count; i++) {
        const cli_option *option = &program->options[i];
        bool has_value = option->kind != CLI_KIND_FLAG;
        table->longs[count++] = (struct option){option->name, has_value ? required_argument : no_argument, NULL, CODE_FIRST + (int)i};
        if (option->letter) letter += sprintf(letter, "%c%s", option->letter, has_value ? ":" : "");
    }
    table->longs[count] = (struct option){NULL, 0, NULL, 0};
}

static const cli_option *option_of_code(const cli_program *program, int code)
{
    if (code >= CODE_FIRST) return &program->options[code - CODE_FIRST];
    for (size_t i = 0; i < program->option_count; i++) {
        if (program->options[i].letter == code) return &program->options[i];
    }
    return NULL;
}

static const char *format_whole(cli_kind kind, int64_t number, char text[static WF_QUANTITY_LENGTH])
{
    if (kind == CLI_KIND_BYTES) return wf_bytes_format((uint64_t)number, text);
    snprintf(text, WF_QUANTITY_LENGTH, "%" PRId64, number);
    return text;
}

static void describe_whole_range(const cli_option *option, char text[static ALLOWED_LENGTH])
{
    char min[WF_QUANTITY_LENGTH], max[WF_QUANTITY_LENGTH];
    bool has_min = option->min != INT64_MIN, has_max = option->max != INT64_MAX;
    format_whole(option->kind, option->min, min);
    format_whole(option->kind, option->max, max);
    const char *unit = option->kind == CLI_KIND_BYTES ? "a size such as 64KiB, " : "";
    if (has_min && has_max) snprintf(text, ALLOWED_LENGTH, "%s%s to %s", unit, min, max);
    if (has_min && !has_max) snprintf(text, ALLOWED_LENGTH, "%s%s or more", unit, min);
    if (!has_min && has_max) snprintf(text, ALLOWED_LENGTH, "%s or less", max);
    if (!has_min && !has_max) snprintf(text, ALLOWED_LENGTH, "any whole number");
}

static void describe_real_range(const cli_option *option, char text[static ALLOWED_LENGTH])
{
    bool has_min = isfinite(option->real_min), has_max = isfinite(option->real_max);
    if (has_min && has_max) snprintf(text, ALLOWED_LENGTH, "%g to %g", option->real_min, option->real_max);
    if (has_min && !has_max) snprintf(text, ALLOWED_LENGTH, "%g or more", option->real_min);
    if (!has_min && has_max) snprintf(text, ALLOWED_LENGTH, "%g or less", option->real_max);
    if (!has_min && !has_max) snprintf(text, ALLOWED_LENGTH, "any number");
}

static weft_status real_parse(const char *text, double *number, weft_error *err)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    /* strtod also takes blanks, "nan", "inf" and hexadecimal. */
    if (end == text || *end || text[strspn(text, "0123456789+-.eE")])
        return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is not a number", text);
    if (errno == ERANGE) return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is beyond what a double holds", text);
    *number = value;
    return WEFT_OK;
}

static weft_status real_set(const cli_option *option, const char *text, weft_error *err)
{
    double value = 0;
    weft_status status = real_parse(text, &value, err);
    if (status) return status;
    if (value < option->real_min || value > option->real_max) return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is out of range", text);
    *option->variable.real = value;
    return WEFT_OK;
}

static weft_status whole_set(const cli_option *option, const char *text, weft_error *err)
{
    int64_t value = 0;
    uint64_t bytes = 0;
    bool is_bytes = option->kind == CLI_KIND_BYTES;
    weft_status status = is_bytes ? wf_bytes_parse(text, &bytes, err) : wf_integer_parse(text, &value, err);
    if (status) return status;
    if (is_bytes) value = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
    if (value < option->min || value > option->max || bytes > INT64_MAX)
        return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is out of range", text);
    if (is_bytes)
        *option->variable.bytes = bytes;
    else
        *option->variable.number = value;
    return WEFT_OK;
}

static weft_status option_set(const cli_option *option, const char *text, weft_error *err)
{
    weft_error cause = WEFT_ERROR_INIT;
    char allowed[ALLOWED_LENGTH];
    weft_status status = WEFT_OK;
    switch (option->kind) {
    case CLI_KIND_FLAG: *option->variable.flag = true; return WEFT_OK;
    case CLI_KIND_TEXT:
        if (!text[0]) return weft_fail(err, WEFT_EINVAL, "--%s: \"\" is empty; write a %s", option->name, option->argument);
        *option->variable.text = text;
        return WEFT_OK;
    case CLI_KIND_DOUBLE:
        status = real_set(option, text, &cause);
        describe_real_range(option, allowed);
        break;
    case CLI_KIND_INT:
    case CLI_KIND_BYTES:
        status = whole_set(option, text, &cause);
        describe_whole_range(option, allowed);
        break;
    }
    return status ? weft_fail(err, status, "--%s: %s; allowed: %s", option->name, cause.text, allowed) : WEFT_OK;
}

static const char *nearest_name(const cli_program *program, const char *name)
{
    wf_nearest nearest = WF_NEAREST_INIT(name);
    for (size_t i = 0; i < program->option_count; i++) wf_nearest_offer(&nearest, program->options[i].name);
    wf_nearest_offer(&nearest, "help");
    wf_nearest_offer(&nearest, "version");
    for (size_t i = 0; i < cli_session_option_count && !program->has_no_session; i++)
        wf_nearest_offer(&nearest, cli_session_options[i].name);
    return nearest.found;
}

/* A shortened name gets the whole one as its answer, however much was left out. */
static const char *completed_name(const cli_program *program, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < program->option_count; i++) {
        if (strncmp(program->options[i].name, name, strlen(name)) != 0) continue;
        if (found) return NULL;
        found = program->options[i].name;
    }
    return found;
}

static weft_status fail_unknown(const cli_program *program, const char *text, weft_error *err)
{
    char name[64];
    size_t length = strcspn(text + 2, "=");
    snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : (int)sizeof name, text + 2);
    const char *meant = nearest_name(program, name);
    if (!meant) meant = completed_name(program, name);
    if (meant) return weft_fail(err, WEFT_ENOENT, "unknown option --%s; did you mean --%s?", name, meant);
    return weft_fail(err, WEFT_ENOENT, "unknown option --%s", name);
}

/* The argument that getopt_long has just read a long option from; a value of its own may stand behind it. */
static const char *option_text(char **argv)
{
    bool is_separate = optarg && optarg == argv[optind - 1] && optind >= 2;
    return argv[optind - (is_separate ? 2 : 1)];
}

static weft_status fail_to_read(const cli_program *program, const getopt_table *table, int answer, const char *text, weft_error *err)
{
    const cli_option *option = option_of_code(program, optopt);
    if (answer == ':' && option) return weft_fail(err, WEFT_EINVAL, "--%s needs a value: %s", option->name, option->argument);
    if (optopt == 0) return fail_unknown(program, text, err);
    if (optopt >= CODE_HELP) return weft_fail(err, WEFT_EINVAL, "%.80s: --%s takes no value", text, table->longs[optopt - CODE_HELP].name);
    return weft_fail(err, WEFT_ENOENT, "unknown option -%c", optopt);
}

/* getopt_long also takes the beginning of a name, which would change its meaning whenever an option is added. */
static bool is_shortened(const getopt_table *table, int answer, const char *text)
{
    if (answer < CODE_HELP) return false;
    return strcspn(text + 2, "=") != strlen(table->longs[answer - CODE_HELP].name);
}

static cli_arguments find_help(int argc, char **argv)
{
    cli_arguments found = {0};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) found.wants_help = true;
        if (strcmp(argv[i], "--version") == 0) found.wants_version = true;
    }
    if (found.wants_help) found.wants_version = false;
    return found;
}

bool cli_options_want_help(int argc, char **argv)
{
    cli_arguments found = find_help(argc, argv);
    return found.wants_help || found.wants_version;
}

weft_status cli_options_parse(const cli_program *program, int argc, char **argv, cli_arguments *arguments, weft_error *err)
{
    getopt_table table;
    cli_arguments found = find_help(argc, argv);
    int answer;
    table_fill(&table, program);
    optind = 0; /* glibc: from the beginning, also of a second command line */
    opterr = 0;
    while (!found.wants_help && !found.wants_version && (answer = getopt_long(argc, argv, table.letters, table.longs, NULL)) != -1) {
        const char *text = option_text(argv);
        if (answer == '?' || answer == ':') return fail_to_read(program, &table, answer, text, err);
        if (is_shortened(&table, answer, text)) return fail_unknown(program, text, err);
        const cli_option *option = option_of_code(program, answer);
        weft_status status = option ? option_set(option, optarg, err) : WEFT_OK;
        if (status) return status;
    }
    if (optind > 0) { /* something was read */
        found.count = argc - optind;
        found.values = argv + optind;
    }
    if (found.count > program->positional_max)
        return weft_fail(err, WEFT_EINVAL, "unexpected argument \"%.80s\"", found.values[program->positional_max]);
    *arguments = found;
    return WEFT_OK;
}

int cli_usage_error(const cli_program *program, const char *format, ...)
{
    weft_error error = WEFT_ERROR_INIT;
    va_list args;
    va_start(args, format);
    vsnprintf(error.text, sizeof error.text, format, args);
    va_end(args);
    size_t length = strlen(error.text);
    const char *separator = length && error.text[length - 1] == '?' ? "" : ";";
    fprintf(stderr, "%s: %s%s try %s --help\n", program->name, error.text, separator, program->name);
    return EXIT_USAGE;
}

bool cli_options_read(const cli_program *program, int argc, char **argv, cli_arguments *arguments, int *code)
{
    weft_error error = WEFT_ERROR_INIT;
    *code = EXIT_SUCCESS;
    if (cli_options_parse(program, argc, argv, arguments, &error)) {
        *code = cli_usage_error(program, "%s", error.text);
        return false;
    }
    if (arguments->wants_help) cli_help_print(program, stdout);
    if (arguments->wants_version) printf("%s (weft) %s\n", program->name, WEFT_VERSION);
    if (!arguments->wants_help && !arguments->wants_version) return true;
    *code = cli_exit_code(program->name, EXIT_SUCCESS);
    return false;
}
