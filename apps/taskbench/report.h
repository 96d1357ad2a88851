/* What the program prints on stdout: a summary for people, or JSON. */
#ifndef TASKBENCH_REPORT_H
#define TASKBENCH_REPORT_H

#include "command_line.h"

typedef struct bench_report {
    const bench_command_line *line;
    const bench_system *system;
    bench_times times;     /* without --metg */
    double kernel_seconds; /* of one core, for the kernels alone */
    bench_sweep sweep;     /* with --metg */
} bench_report;

/* Errors: WEFT_ENOMEM. What stdout could not take is found by whoever closes it. */
weft_status bench_report_print_json(const bench_report *report, weft_error *err);
weft_status bench_report_print_summary(const bench_report *report, weft_error *err);

/* Measures what the command line asks for and prints it; is_speaker: of a system's processes the one that prints.
 * Errors: those of the system; WEFT_ENOMEM. */
weft_status bench_report_run(bench_command_line *line, const bench_system *system, bool is_speaker, weft_error *err);

#endif
