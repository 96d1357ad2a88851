/* A subcommand of weft: one file with its run function, and one row in the table of commands.c. */
#ifndef WEFT_COMMAND_H
#define WEFT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

typedef struct command {
    const char *name;
    const char *summary;                /* one line, without a full stop */
    bool has_session;                   /* runs through weft_main, on every rank; the others run on one process only */
    int (*run)(int argc, char **argv);  /* argv[0] is "weft NAME". Returns the exit code. Answers --help */
} command;

size_t command_count(void);
/* In the order of the help. */
const command *command_at(size_t index);
/* NULL: no such command. */
const command *command_find(const char *name);
/* The command that a mistyped name most likely meant, or NULL. */
const char *command_nearest(const char *name);
/* Runs it with argv[0] as described; argv[0] of the caller stands for the command's name. */
int command_run(const command *chosen, int argc, char **argv);

/* One per file. */
int command_info(int argc, char **argv);
int command_config(int argc, char **argv);
int command_help(int argc, char **argv);
int command_version(int argc, char **argv);

/* What `weft --help` shows. */
void command_help_print(void);

#endif
