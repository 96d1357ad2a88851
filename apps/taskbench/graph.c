/* The serial evaluation of a graph: the oracle that every system's run is held against. Any thread. */
#include "graph.h"

#include <stdlib.h>

uint64_t bench_digest_begin(const bench_graph *graph, int64_t step, int64_t column)
{
    uint64_t digest = (graph->number + 1) * 0xD6E8FEB86659FD93u + ((uint64_t)step << 32 | (uint64_t)column);
    digest *= 0xBF58476D1CE4E5B9u;
    return digest ^ digest >> 29;
}

static uint64_t evaluate(const bench_graph *graph, int64_t step, int64_t column, const uint64_t *before, int64_t *edge_count)
{
    bench_interval inputs[BENCH_MAX_INTERVALS];
    uint64_t digest = bench_digest_begin(graph, step, column);
    size_t count = bench_pattern_inputs(&graph->pattern, step, column, inputs);
    for (size_t i = 0; i < count; i++) {
        for (int64_t input = inputs[i].begin; input < inputs[i].end; input++) digest = bench_digest_add(digest, before[input]);
        *edge_count += inputs[i].end - inputs[i].begin;
    }
    return digest;
}

bool bench_expected_init(bench_expected *expected, const bench_graph *graph)
{
    const bench_pattern *pattern = &graph->pattern;
    bench_expected e = {.task_count = 0};
    uint64_t *row = calloc((size_t)pattern->width, sizeof *row), *before = calloc((size_t)pattern->width, sizeof *before);
    if (!row || !before) {
        free(row);
        free(before);
        return false;
    }
    for (int64_t step = 0; step < pattern->steps; step++) {
        uint64_t *done = row;
        row = before, before = done;
        bench_interval sinks = bench_pattern_sinks(pattern, step);
        e.last_columns = bench_pattern_columns(pattern, step);
        e.task_count += e.last_columns.end - e.last_columns.begin;
        for (int64_t column = e.last_columns.begin; column < e.last_columns.end; column++) {
            row[column] = evaluate(graph, step, column, before, &e.edge_count);
            e.digest_sum += row[column];
            if (column >= sinks.begin && column < sinks.end) e.sink_digest_sum += row[column];
        }
    }
    free(before);
    e.last_digests = row;
    *expected = e;
    return true;
}

void bench_expected_fini(bench_expected *expected)
{
    free(expected->last_digests);
    expected->last_digests = NULL;
}

bench_work bench_graph_work(const bench_graph *graph, int64_t task_count)
{
    bench_work work = {bench_kernel_flops(&graph->kernel, graph->kernel.iterations) * (double)task_count,
                       bench_kernel_bytes(&graph->kernel, graph->kernel.iterations) * (double)task_count};
    if (graph->kernel.kind == BENCH_EMPTY) return (bench_work){0.0, 0.0};
    if (graph->kernel.kind != BENCH_LOAD_IMBALANCE) return work;
    work.flops = 0.0;
    for (int64_t step = 0; step < graph->pattern.steps; step++) {
        bench_interval columns = bench_pattern_columns(&graph->pattern, step);
        for (int64_t column = columns.begin; column < columns.end; column++)
            work.flops += bench_kernel_flops(&graph->kernel, bench_kernel_iterations(&graph->kernel, step, column));
    }
    return work;
}
