/* One task graph: a pattern, what each task does and puts out, and what a right run of it must come to. */
#ifndef TASKBENCH_GRAPH_H
#define TASKBENCH_GRAPH_H

#include "kernels.h"
#include "pattern.h"

/* As shipped between ranks: fixed width, no padding. */
typedef struct bench_graph {
    bench_pattern pattern;
    bench_kernel kernel;
    uint64_t number;       /* among the graphs of a run */
    uint64_t output_bytes; /* of each task; a multiple of sizeof(bench_cell) */
} bench_graph;

/* What outputs consist of: who made it, and a digest of that and of the digests of all inputs in their sequence. So a right digest in the
 * last row proves that all that led there has run, on the right inputs. */
typedef struct bench_cell {
    uint32_t step, column;
    uint64_t digest;
} bench_cell;

uint64_t bench_digest_begin(const bench_graph *graph, int64_t step, int64_t column);

static inline uint64_t bench_digest_add(uint64_t digest, uint64_t input)
{
    digest = (digest ^ input) * 0x9E3779B97F4A7C15u;
    return digest ^ digest >> 32;
}

/* The graph evaluated serially, without its kernel. */
typedef struct bench_expected {
    int64_t task_count, edge_count;
    uint64_t digest_sum;      /* of all tasks */
    uint64_t sink_digest_sum; /* of the tasks before the last step that have no consumer */
    bench_interval last_columns;
    uint64_t *last_digests;   /* of the last row, by column */
} bench_expected;

/* Owns: *expected is new, bench_expected_fini frees it. Returns false without memory. Cost: about 10 ns a task and 2 an edge. */
bool bench_expected_init(bench_expected *expected, const bench_graph *graph);
void bench_expected_fini(bench_expected *expected);

/* Floating-point operations, and bytes of memory traffic, that the kernels of all tasks add up to. */
typedef struct bench_work {
    double flops, bytes;
} bench_work;

bench_work bench_graph_work(const bench_graph *graph, int64_t task_count);

#endif
