/* The dependency patterns of Task Bench (Slaughter et al., SC20), as pure functions. No weft, no memory, any thread.
 *
 * A graph is `steps` rows of at most `width` columns. Task (step, column) takes tasks of the row before it:
 *
 *     trivial         none
 *     no_comm         its own column
 *     stencil_1d      its own and both neighbours
 *     nearest         `radix` columns around its own
 *     fft             its own and those 2^d away, where d runs through 0 .. log2(width) - 1, step by step
 *     tree            column / 2; the first row has one column, each row twice as many, until there are `width`
 *     random_nearest  its own and, each with probability `fraction`, the others of nearest; drawn anew in each of `period` steps
 *     spread          `radix` columns spread evenly, its own first; the others shift by one column in each of `period` steps
 *     all_to_all      all
 *     dom             its own and its left neighbour, on the diagonals of a grid of `width` columns and steps - width + 1 rows
 *
 * What would lie outside of the row before is left out.
 */
#ifndef TASKBENCH_PATTERN_H
#define TASKBENCH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum bench_pattern_kind {
    BENCH_TRIVIAL,
    BENCH_NO_COMM,
    BENCH_STENCIL_1D,
    BENCH_NEAREST,
    BENCH_FFT,
    BENCH_TREE,
    BENCH_RANDOM_NEAREST,
    BENCH_SPREAD,
    BENCH_ALL_TO_ALL,
    BENCH_DOM,
    BENCH_PATTERN_COUNT
} bench_pattern_kind;

/* As shipped between ranks: fixed width, no padding. */
typedef struct bench_pattern {
    uint32_t kind;       /* a bench_pattern_kind */
    uint32_t seed;       /* of random_nearest */
    int64_t width, steps;
    int64_t radix;       /* of nearest, random_nearest and spread */
    int64_t period;      /* of random_nearest and spread */
    double fraction;     /* of random_nearest */
} bench_pattern;

typedef struct bench_interval {
    int64_t begin, end; /* [begin, end) */
} bench_interval;

enum { BENCH_MAX_INTERVALS = 64, BENCH_MAX_EXTENT = 1 << 30 };

extern const char *const bench_pattern_names[BENCH_PATTERN_COUNT];

/* What is wrong with these numbers, as "--option must ...", or NULL. The functions below ask for a pattern without flaw. */
const char *bench_pattern_flaw(const bench_pattern *pattern);

/* The columns that have a task at this step; none when there is no such step. */
bench_interval bench_pattern_columns(const bench_pattern *pattern, int64_t step);

/* The columns of the step before (after) whose tasks task (step, column) takes (is taken by): ascending intervals that neither touch nor
 * are empty, at most BENCH_MAX_INTERVALS. Returns how many. */
size_t bench_pattern_inputs(const bench_pattern *pattern, int64_t step, int64_t column, bench_interval *intervals);
size_t bench_pattern_consumers(const bench_pattern *pattern, int64_t step, int64_t column, bench_interval *intervals);

/* The first step after this one whose columns are others, or `steps`. */
int64_t bench_pattern_rows_end(const bench_pattern *pattern, int64_t step);

/* The columns whose tasks at this step have no consumer although there is a next step. */
bench_interval bench_pattern_sinks(const bench_pattern *pattern, int64_t step);

/* Whether no task has an input. */
bool bench_pattern_has_no_edges(const bench_pattern *pattern);

#endif
