/* weft help and weft version. Owns nothing. The main thread. */
#include <stdio.h>

#include "cli/main.h"
#include "weft/command.h"

static int print_overview(void)
{
    printf("usage: weft COMMAND [OPTION]...\n\n"
           "Runs task graphs from a laptop's cores to a cluster's nodes.\n\nCOMMANDS\n");
    for (size_t i = 0; i < command_count(); i++) printf("  %-8s  %s\n", command_at(i)->name, command_at(i)->summary);
    printf("\n`weft help COMMAND` explains one.\n\n"
           "EXAMPLES\n"
           "  weft info                 what this machine offers to a program\n"
           "  mpirun -n 4 weft info     the same for four ranks, and which cores each was given\n"
           "  weft config               every setting and where it comes from\n\n"
           "EXIT CODES\n  0  success\n  1  failure, told in one line on stderr\n  2  wrong usage or configuration\n");
    return cli_exit_code("weft", 0);
}

int command_help(int argc, char **argv)
{
    const cli_program program = {.name = "weft help", .usage = "[COMMAND]", .description = "Lists the commands, or explains one.",
                                 .positional_max = 1, .has_no_session = true};
    cli_arguments arguments;
    int code;
    if (!cli_options_read(&program, argc, argv, &arguments, &code)) return code;
    if (arguments.count == 0) return print_overview();
    const command *about = command_find(arguments.values[0]);
    if (!about) {
        const char *meant = command_nearest(arguments.values[0]);
        if (meant) return cli_usage_error(&program, "unknown command \"%.60s\"; did you mean \"%s\"?", arguments.values[0], meant);
        return cli_usage_error(&program, "unknown command \"%.60s\"", arguments.values[0]);
    }
    char option[] = "--help", name[] = "weft", *words[] = {name, option, NULL};
    return command_run(about, 2, words);
}

int command_version(int argc, char **argv)
{
    const cli_program program = {.name = "weft version", .usage = "", .description = "Prints the version.", .has_no_session = true};
    cli_arguments arguments;
    int code;
    if (!cli_options_read(&program, argc, argv, &arguments, &code)) return code;
    printf("weft %s\n", WEFT_VERSION);
    return cli_exit_code(program.name, 0);
}
