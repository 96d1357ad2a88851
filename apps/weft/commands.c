/* The table of subcommands. Constant. The main thread. */
#include <stdio.h>
#include <string.h>

#include "cli/text.h"
#include "weft/command.h"

static const command commands[] = {
    {"info", "show the machine, the ranks, their cores and memory, MPI, BLAS and the build", true, command_info},
    {"config", "list every configuration key, its value and where that comes from", false, command_config},
    {"help", "explain a command", false, command_help},
    {"version", "print the version", false, command_version},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

size_t command_count(void)
{
    return COMMAND_COUNT;
}

const command *command_at(size_t index)
{
    return &commands[index];
}

const command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

const char *command_nearest(const char *name)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++) names[i] = commands[i].name;
    return cli_nearest(name, names, COMMAND_COUNT);
}

int command_run(const command *chosen, int argc, char **argv)
{
    char name[64];
    snprintf(name, sizeof name, "weft %s", chosen->name);
    argv[0] = name;
    return chosen->run(argc, argv);
}
