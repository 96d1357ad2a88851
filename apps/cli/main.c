/* What main functions have in common. Owns nothing. The main thread. */
#include "cli/main.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int cli_help_run(int argc, char **argv, weft_client *client)
{
    return weft_is_speaker() ? client(NULL, argc, argv) : 0;
}

int cli_exit_code(const char *program_name, int code)
{
    bool had_failed = ferror(stdout) != 0;
    errno = 0;
    if (fflush(stdout) == 0 && !had_failed) return code;
    fprintf(stderr, "%s: cannot write to stdout: %s\n", program_name, errno ? strerror(errno) : "an earlier write failed");
    return 1;
}
