/* The weft command: finds the subcommand and runs it. Owns nothing. The main thread. */
#include <stdio.h>
#include <string.h>

#include <weft/session.h>

#include "cli/text.h"
#include "weft/command.h"

enum { EXIT_USAGE = 2 };

static int fail_unknown(const char *name)
{
    static const char *const options[] = {"--help", "--version"};
    bool is_option = name[0] == '-';
    const char *meant = is_option ? cli_nearest(name, options, 2) : command_nearest(name), *kind = is_option ? "option" : "command";
    char text[81];
    snprintf(text, sizeof text, "%s", name);
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' '; /* one line, whatever was typed */
    }
    if (meant)
        fprintf(stderr, "weft: unknown %s \"%s\"; did you mean \"%s\"? try weft --help\n", kind, text, meant);
    else
        fprintf(stderr, "weft: unknown %s \"%s\"; try weft --help\n", kind, text);
    return EXIT_USAGE;
}

static const command *choose(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return command_find("help");
    if (strcmp(word, "--version") == 0) return command_find("version");
    return command_find(word);
}

int main(int argc, char **argv)
{
    const command *chosen = argc > 1 ? choose(argv[1]) : NULL;
    if (chosen && chosen->has_session) return command_run(chosen, argc - 1, argv + 1);
    if (!weft_is_speaker()) return 0;
    if (chosen) return command_run(chosen, argc - 1, argv + 1);
    if (argc > 1) return fail_unknown(argv[1]);
    fprintf(stderr, "weft: no command; try weft --help\n");
    return EXIT_USAGE;
}
