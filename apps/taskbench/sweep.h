/* METG(50%), the minimum effective task granularity of Task Bench: how short tasks may be before half of the machine's rate is lost.
 *
 * A sweep runs one graph with ever more iterations a task until they are all that counts, then looks closer where the efficiency, the rate
 * (FLOP/s or B/s) over the best one seen, passes a half. Granularity is wall time times cores over tasks.
 * Pure functions over plain structs: no clock, no weft.
 */
#ifndef TASKBENCH_SWEEP_H
#define TASKBENCH_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_sweep_point {
    int64_t iterations;
    double seconds;
    double granularity_s;
    double rate;
} bench_sweep_point;

enum { BENCH_MAX_POINTS = 64 };

/* Points are in the order of their iterations. Zero is an empty sweep. */
typedef struct bench_sweep {
    bench_sweep_point points[BENCH_MAX_POINTS];
    size_t count;
    bool is_at_top; /* the ladder has come to its end */
} bench_sweep;

/* How many iterations to measure next; 0: the sweep is complete. */
int64_t bench_sweep_next(bench_sweep *sweep);

/* A point of as many iterations as bench_sweep_next said. */
void bench_sweep_add(bench_sweep *sweep, bench_sweep_point point);

double bench_sweep_peak(const bench_sweep *sweep);

/* The smallest granularity whose efficiency is a half or more, interpolated between it and the next shorter one as in the paper's scripts:
 * along a straight line. *is_bound: even the shortest tasks were efficient, so that METG may be smaller. Returns seconds; 0 without
 * points. */
double bench_sweep_metg(const bench_sweep *sweep, bool *is_bound);

#endif
