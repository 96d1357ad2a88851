/* What the command line asks for: of weft-taskbench, and of the yardsticks in tests/bench, which take the same options. */
#ifndef TASKBENCH_COMMAND_LINE_H
#define TASKBENCH_COMMAND_LINE_H

#include "measure.h"

typedef struct bench_command_line {
    bench_job job;      /* the graphs; what is expected of them is not filled in */
    int64_t repeats;
    bool wants_metg;
    bool has_no_warm_up;
    bool json, quiet;
} bench_command_line;

/* Who asks. */
typedef struct bench_program {
    const char *name;         /* as users type it */
    const char *description;  /* its first sentence */
    bool has_no_session;      /* no weft_main */
} bench_program;

/* True when the program is to run; otherwise help, version or an error has been printed, and *code is the exit code. */
bool bench_command_line_read(const bench_program *asking, bench_command_line *line, int argc, char **argv, int *code);

#endif
