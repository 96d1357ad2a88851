/* The main function of a program: its help must not start threads or MPI. */
#ifndef CLI_MAIN_H
#define CLI_MAIN_H

#include <weft/session.h>

#include "cli/options.h"

/* As weft_main; but with --help or --version the client is called without a session, on one of the launched processes only. The client
 * must call cli_options_read before anything else, which then prints what was asked for and sends it home. */
#define cli_main(argc, argv, client) \
    (cli_options_want_help((argc), (argv)) ? cli_help_run((argc), (argv), (client)) : weft_main((argc), (argv), (client)))
int cli_help_run(int argc, char **argv, weft_client *client);

/* What a program returns after its last output: `code`, or 1 with a line on stderr when stdout could not take everything (a full disk). */
int cli_exit_code(const char *program_name, int code);

#endif
