/* The way to a program's help past weft_main. The main thread. */
#include "cli/main.h"

int cli_help_run(int argc, char **argv, weft_client *client)
{
    return weft_is_speaker() ? client(NULL, argc, argv) : 0;
}
