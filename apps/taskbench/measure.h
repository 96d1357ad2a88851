/* Measuring a system that can run graphs: weft itself, or a yardstick of tests/bench. One thread; where a system has several processes,
 * each makes the same calls and gets the same times from its system, so that all decide alike. */
#ifndef TASKBENCH_MEASURE_H
#define TASKBENCH_MEASURE_H

#include <weft/status.h>

#include "graph.h"
#include "sweep.h"

enum { BENCH_MAX_GRAPHS = 16, BENCH_MAX_REPEATS = 1000 };

/* Graphs that run at the same time, without edges between them. */
typedef struct bench_job {
    bench_graph graphs[BENCH_MAX_GRAPHS];
    size_t graph_count;
    bench_expected expected[BENCH_MAX_GRAPHS];
    int64_t task_count, edge_count; /* of all graphs */
} bench_job;

/* Fills in what is expected of the graphs. Errors: WEFT_ENOMEM, nothing to release then. */
weft_status bench_job_prepare(bench_job *job, weft_error *err);
void bench_job_fini(bench_job *job);

typedef struct bench_system {
    const char *name;
    const char *transport;        /* such as "threads" or "mpi" */
    int workers, threads;         /* that run tasks; threads of each */
    void *context;
    /* Runs all graphs of the job once, from nothing to all outputs of their last rows, and checks it. is_watched: an untimed run, which may
     * take longer to look at every task more closely. *seconds: wall time without the checks that come after. */
    weft_status (*run)(void *context, const bench_job *job, bool is_watched, double *seconds, weft_error *err);
} bench_system;

typedef struct bench_times {
    double least_s, median_s, most_s;
} bench_times;

/* Errors: those of the system. */
weft_status bench_measure(const bench_system *system, const bench_job *job, int64_t repeats, bool is_watched_first, bench_times *times,
                          weft_error *err);

/* A METG sweep; each point is the least of `repeats` runs. The iterations of the job's graphs are changed. */
weft_status bench_measure_sweep(const bench_system *system, bench_job *job, int64_t repeats, bool is_watched_first, bench_sweep *sweep,
                                weft_error *err);

bench_work bench_job_work(const bench_job *job);
int64_t bench_job_steps(const bench_job *job);         /* of the longest graph */
size_t bench_job_scratch_bytes(const bench_job *job);  /* that a thread needs for any task */

/* How long one core would be busy with nothing but the kernels of all tasks; by running each for a moment. Errors: WEFT_ENOMEM. */
weft_status bench_job_kernel_seconds(const bench_job *job, double *seconds, weft_error *err);

/* Seconds of a clock that never goes back. */
double bench_clock_seconds(void);

#endif
