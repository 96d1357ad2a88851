/* Prints what --help shows. Owns nothing; plain text without colours, whatever it is printed to. The main thread. */
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

enum { LINE_WIDTH = 96, NAME_LENGTH = 64 };

/* These rows only describe; weft_main has read them. */
const cli_option cli_session_options[] = {
    CLI_TEXT("scheduler", 0, "KIND", "what runs the tasks: auto, sync, threads or mpi", NULL),
    CLI_TEXT("threads", 0, "COUNT", "pool threads of each rank (one per core)", NULL),
    CLI_TEXT("set", 0, "KEY=VALUE", "a configuration key, which `weft config` lists; may be repeated", NULL),
};
const size_t cli_session_option_count = sizeof cli_session_options / sizeof cli_session_options[0];

static const cli_option common_options[] = {
    CLI_FLAG("help", 'h', "print this and end", NULL),
    CLI_FLAG("version", 0, "print the version and end", NULL),
};

/* Breaks lines at blanks; the first begins at column `at`, the others at `indent`. */
static void print_wrapped(FILE *stream, const char *text, size_t at, size_t indent)
{
    size_t column = at;
    bool is_first = true;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (!is_first && column + 1 + length > LINE_WIDTH) {
            fprintf(stream, "\n%*s", (int)indent, "");
            column = indent;
            is_first = true;
        }
        fprintf(stream, "%s%.*s", is_first ? "" : " ", (int)length, text);
        column += length + (is_first ? 0 : 1);
        is_first = false;
        text += length;
        text += strspn(text, " ");
    }
    fprintf(stream, "\n");
}

static size_t format_name(const cli_option *option, char text[static NAME_LENGTH])
{
    char letter[8] = "    ";
    if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
    int length = snprintf(text, NAME_LENGTH, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
                          option->argument ? option->argument : "");
    return (size_t)length;
}

static size_t widest_name(const cli_option *options, size_t count, size_t width)
{
    char name[NAME_LENGTH];
    for (size_t i = 0; i < count; i++) {
        size_t length = format_name(&options[i], name);
        if (length > width) width = length;
    }
    return width;
}

static void print_options(FILE *stream, const cli_option *options, size_t count, size_t width)
{
    char name[NAME_LENGTH];
    for (size_t i = 0; i < count; i++) {
        format_name(&options[i], name);
        fprintf(stream, "%-*s  ", (int)width, name);
        print_wrapped(stream, options[i].help, width + 2, width + 2);
    }
}

void cli_help_print(const cli_program *program, FILE *stream)
{
    size_t common_count = sizeof common_options / sizeof common_options[0];
    size_t session_count = program->has_no_session ? 0 : cli_session_option_count;
    size_t width = widest_name(program->options, program->option_count, widest_name(common_options, common_count, 0));
    width = widest_name(cli_session_options, session_count, width);
    fprintf(stream, "usage: %s %s\n\n", program->name, program->usage ? program->usage : "[OPTION]...");
    print_wrapped(stream, program->description, 0, 0);
    fprintf(stream, "\nOPTIONS\n");
    print_options(stream, program->options, program->option_count, width);
    print_options(stream, common_options, common_count, width);
    if (session_count) fprintf(stream, "\nOPTIONS OF EVERY WEFT PROGRAM\n");
    print_options(stream, cli_session_options, session_count, width);
    if (program->examples) fprintf(stream, "\nEXAMPLES\n");
    for (const char *const *example = program->examples; example && *example; example++) fprintf(stream, "  %s\n", *example);
    fprintf(stream, "\nEXIT CODES\n  0  success\n  1  failure, told in one line on stderr\n  2  wrong usage or configuration\n");
    if (program->exit_codes) fprintf(stream, "%s", program->exit_codes);
}
