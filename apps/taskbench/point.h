/* One task's body, the same in every system: check each input as it is handed in, run the kernel, write the output.
 *
 *     bench_point point;
 *     bench_point_begin(&point, graph, step, column);
 *     for (each input, in its sequence) if (!bench_point_take(&point, data)) fail(bench_point_fault(&point, data, text));
 *     if (!bench_point_is_complete(&point)) fail(bench_point_fault(&point, NULL, text));
 *     bench_point_finish(&point, scratch, output);
 *
 * Inline where it is called for every input: the check is part of what is timed, a few ns of it.
 */
#ifndef TASKBENCH_POINT_H
#define TASKBENCH_POINT_H

#include "graph.h"

typedef struct bench_point {
    const bench_graph *graph;
    int64_t step, column;
    uint64_t digest;
    size_t interval_count, interval; /* the one that `next` is in */
    int64_t next;                    /* the column of the input that is due */
    bench_interval inputs[BENCH_MAX_INTERVALS];
} bench_point;

static inline void bench_point_begin(bench_point *point, const bench_graph *graph, int64_t step, int64_t column)
{
    point->graph = graph;
    point->step = step;
    point->column = column;
    point->digest = bench_digest_begin(graph, step, column);
    point->interval_count = bench_pattern_inputs(&graph->pattern, step, column, point->inputs);
    point->interval = 0;
    point->next = point->interval_count ? point->inputs[0].begin : 0;
}

static inline bool bench_point_is_complete(const bench_point *point)
{
    return point->interval == point->interval_count;
}

/* Whether the output's later cells are like the first. */
bool bench_cells_are_equal(const bench_cell *cells, uint64_t bytes);

/* data: output_bytes of another task. False when it is none that is due, or damaged; the point is as before then. */
static inline bool bench_point_take(bench_point *point, const void *data)
{
    const bench_cell *cell = data;
    if (bench_point_is_complete(point)) return false;
    if ((int64_t)cell->step != point->step - 1 || (int64_t)cell->column != point->next) return false;
    if (point->graph->output_bytes > sizeof *cell && !bench_cells_are_equal(cell, point->graph->output_bytes)) return false;
    point->digest = bench_digest_add(point->digest, cell->digest);
    if (++point->next == point->inputs[point->interval].end && ++point->interval < point->interval_count)
        point->next = point->inputs[point->interval].begin;
    return true;
}

/* Runs the kernel and fills output_bytes at `output`. scratch: as of bench_kernel_run. */
void bench_point_finish(const bench_point *point, void *scratch, void *output);

enum { BENCH_FAULT_LENGTH = 160 };

/* What is wrong with the input that was refused, or NULL: that one is missing. Fills text and returns it. */
const char *bench_point_fault(const bench_point *point, const void *refused, char text[static BENCH_FAULT_LENGTH]);

/* Whether the outputs of a last row are right; else text says what is not. */
bool bench_last_is_right(const bench_graph *graph, const bench_expected *expected, int64_t column, const void *output,
                         char text[static BENCH_FAULT_LENGTH]);

#endif
