/* Command lines of the programs: one table of options, strictly read, and the help that follows from the same table.
 *
 *     int64_t rows = 1000;
 *     const cli_option options[] = {CLI_INT("rows", 'm', "M", "rows of the matrix (1000)", &rows, 1, INT64_MAX)};
 *     const cli_program program = {.name = "weft-x", .description = "Does x.", .options = options, .option_count = 1};
 *     cli_arguments arguments;
 *     int code;
 *     if (!cli_options_read(&program, argc, argv, &arguments, &code)) return code;
 *
 * weft's own options (--scheduler, --threads, --set) are in the help; weft_main has taken them out of argv before.
 * Threads: one at a time, since getopt keeps its place in globals.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weft/status.h>

typedef enum cli_kind { CLI_KIND_FLAG, CLI_KIND_INT, CLI_KIND_BYTES, CLI_KIND_DOUBLE, CLI_KIND_TEXT } cli_kind;

/* Made by the macros below, which let the compiler check the variable's type. A variable keeps its value when its option is not given;
 * of an option given twice the last counts. */
typedef struct cli_option {
    const char *name;     /* without dashes */
    char letter;          /* 0: none; h is taken */
    cli_kind kind;
    const char *argument; /* what the help calls its value; NULL for a flag */
    const char *help;     /* one line, without a full stop; with the default where there is one */
    union {
        bool *flag;
        int64_t *number;
        uint64_t *bytes;
        double *real;
        const char **text; /* borrowed from argv; never empty */
    } variable;
    int64_t min, max;          /* of a number or of bytes, both allowed; the maximum of the type stands for "no limit" */
    double real_min, real_max; /* of a double, both allowed; -HUGE_VAL, HUGE_VAL: no limit */
} cli_option;

#define CLI_FLAG(name, letter, help, variable) {name, letter, CLI_KIND_FLAG, NULL, help, {.flag = (variable)}, 0, 0, 0, 0}
#define CLI_INT(name, letter, argument, help, variable, min, max) \
    {name, letter, CLI_KIND_INT, argument, help, {.number = (variable)}, min, max, 0, 0}
#define CLI_BYTES(name, letter, argument, help, variable, min, max) \
    {name, letter, CLI_KIND_BYTES, argument, help, {.bytes = (variable)}, min, max, 0, 0}
#define CLI_DOUBLE(name, letter, argument, help, variable, min, max) \
    {name, letter, CLI_KIND_DOUBLE, argument, help, {.real = (variable)}, 0, 0, min, max}
#define CLI_TEXT(name, letter, argument, help, variable) {name, letter, CLI_KIND_TEXT, argument, help, {.text = (variable)}, 0, 0, 0, 0}

typedef struct cli_program {
    const char *name;            /* as users type it: "weft-svd", "weft info" */
    const char *usage;           /* what follows the name; NULL: "[OPTION]..." */
    const char *description;     /* a paragraph; the help breaks its lines */
    const cli_option *options;   /* --help, -h and --version come by themselves */
    size_t option_count;         /* at most CLI_OPTION_MAX */
    const char *const *examples; /* command lines, then NULL; or no list at all */
    const char *exit_codes;      /* lines beyond 0, 1 and 2, as "  3  ...\n"; or NULL */
    int positional_max;          /* arguments that are no options; one more is an error */
    bool has_no_session;         /* weft_main does not run: no --scheduler, --threads, --set */
} cli_program;

enum { CLI_OPTION_MAX = 64 };

/* What is left of a command line. */
typedef struct cli_arguments {
    bool wants_help, wants_version;
    int count;     /* positional ones, also those after "--" */
    char **values; /* borrowed from argv, which is reordered */
} cli_arguments;

/* Whether --help, -h or --version stands among the options, which then wins over everything else. */
bool cli_options_want_help(int argc, char **argv);

/* Reads argv[1..argc) into the variables of the options; with --help or --version nothing is read.
 *
 * Errors:   WEFT_EINVAL a value that is junk, too large or out of range, a missing or superfluous value, too many positional arguments;
 *           WEFT_ENOENT an unknown option: the nearest is named. Variables of options before the wrong one have been set.
 */
weft_status cli_options_parse(const cli_program *program, int argc, char **argv, cli_arguments *arguments, weft_error *err);

/* The same for a main or a client: true when the program is to run. Otherwise help or version has been printed on stdout (*code 0; 1 when
 * stdout is full), or one line "PROGRAM: ...; try PROGRAM --help" on stderr (*code 2). */
bool cli_options_read(const cli_program *program, int argc, char **argv, cli_arguments *arguments, int *code);

/* Prints that one line, for what only the program can check, and returns 2: return cli_usage_error(&program, "--a and --b: choose one"); */
int cli_usage_error(const cli_program *program, const char *format, ...) WEFT_PRINTF(2, 3);

void cli_help_print(const cli_program *program, FILE *stream);

/* The options of weft_main, for the help and for guesses. */
extern const cli_option cli_session_options[];
extern const size_t cli_session_option_count;

#endif
