/* Graphs of known shape for the tests of cuts and of their statistics. */
#ifndef CUT_GRAPHS_H
#define CUT_GRAPHS_H

#include "graph/plan.h"
#include "random_graph.h"

static inline weft_graph *create_graph(void)
{
    weft_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    return graph;
}

static inline weft_ref add_task(weft_graph *graph, const weft_ref *inputs, size_t count, size_t bytes, double cost)
{
    weft_ref output = {0, 0};
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &random_kernels[0];
    spec.inputs = inputs;
    spec.input_count = count;
    spec.output_bytes = &bytes;
    spec.cost = cost;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add(graph, &spec, &output, NULL), WEFT_OK);
    return output;
}

static inline weft_ref add_held(weft_graph *graph, int rank, uint64_t bytes)
{
    wf_held_source source = {7, graph->task_count, rank, 0};
    weft_ref output = {0, 0};
    CU_ASSERT_EQUAL_FATAL(wf_graph_add_held(graph, &source, bytes, &output, NULL), WEFT_OK);
    return output;
}

/* `steps` rows of `width` tasks, each of itself and its neighbours a row before. row[0..width) are the roots. */
static inline void add_stencil(weft_graph *graph, size_t width, size_t steps, size_t bytes, weft_ref *row)
{
    weft_ref before[RANDOM_MAX_INPUTS];
    for (size_t step = 0; step < steps; step++) {
        for (size_t x = 0; x < width; x++) before[x] = row[x];
        for (size_t x = 0; x < width; x++) {
            size_t first = x ? x - 1 : 0, end = x + 2 < width ? x + 2 : width;
            row[x] = add_task(graph, before + first, step ? end - first : 0, bytes, 1);
        }
    }
}

static inline wf_plan make_plan(const weft_graph *graph, const weft_ref *roots, size_t root_count, const wf_plan_options *options)
{
    wf_plan plan = {0};
    weft_error err = WEFT_ERROR_INIT;
    if (wf_plan_init(&plan, graph, roots, root_count, options, &err)) CU_FAIL_FATAL(err.text);
    return plan;
}

/* One to `most` workers on ranks from 1, of one to eight threads. */
static inline size_t random_workers(random_source *r, wf_plan_worker *workers, size_t most)
{
    size_t count = 1 + random_below(r, most);
    for (size_t w = 0; w < count; w++) workers[w] = (wf_plan_worker){1 + (int)w, 1 + (int)random_below(r, 8)};
    return count;
}

#endif
