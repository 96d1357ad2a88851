/* What a task does once, and what is said when its inputs are not as they must be. Owns nothing; any thread. */
#include "point.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool bench_cells_are_equal(const bench_cell *cells, uint64_t bytes)
{
    /* Each cell is like the one before it. */
    return memcmp(cells, cells + 1, (size_t)bytes - sizeof *cells) == 0;
}

void bench_point_finish(const bench_point *point, void *scratch, void *output)
{
    const bench_cell cell = {(uint32_t)point->step, (uint32_t)point->column, point->digest};
    bench_cell *cells = output;
    bench_kernel_run(&point->graph->kernel, point->step, point->column, scratch);
    for (uint64_t i = 0; i < point->graph->output_bytes / sizeof cell; i++) cells[i] = cell;
}

const char *bench_point_fault(const bench_point *point, const void *refused, char text[static BENCH_FAULT_LENGTH])
{
    const bench_cell *cell = refused;
    char place[64];
    snprintf(place, sizeof place, "graph %" PRIu64 ", task (%" PRId64 ", %" PRId64 ")", point->graph->number, point->step, point->column);
    if (!cell)
        snprintf(text, BENCH_FAULT_LENGTH, "%s lacks its input from column %" PRId64, place, point->next);
    else if (bench_point_is_complete(point))
        snprintf(text, BENCH_FAULT_LENGTH, "%s has an input too many, from (%" PRIu32 ", %" PRIu32 ")", place, cell->step, cell->column);
    else if ((int64_t)cell->step != point->step - 1 || (int64_t)cell->column != point->next)
        snprintf(text, BENCH_FAULT_LENGTH, "%s has an input from (%" PRIu32 ", %" PRIu32 ") where that from column %" PRId64 " is due",
                 place, cell->step, cell->column, point->next);
    else
        snprintf(text, BENCH_FAULT_LENGTH, "%s has a damaged input from column %" PRId64, place, point->next);
    return text;
}

bool bench_last_is_right(const bench_graph *graph, const bench_expected *expected, int64_t column, const void *output,
                         char text[static BENCH_FAULT_LENGTH])
{
    const bench_cell *cell = output;
    int64_t step = graph->pattern.steps - 1;
    bool is_equal = (int64_t)cell->step == step && (int64_t)cell->column == column && cell->digest == expected->last_digests[column];
    if (is_equal && (graph->output_bytes == sizeof *cell || bench_cells_are_equal(cell, graph->output_bytes))) return true;
    snprintf(text, BENCH_FAULT_LENGTH,
             "graph %" PRIu64 ": the output of task (%" PRId64 ", %" PRId64 ") is wrong: (%" PRIu32 ", %" PRIu32 "), digest %016" PRIx64,
             graph->number, step, column, cell->step, cell->column, cell->digest);
    return false;
}
