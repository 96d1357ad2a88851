/* Random graphs for the tests of this folder: DAGs, chains, fans and trees, with several outputs, repeated inputs, parameters and keys.
 * The seed is printed; WEFT_SEED in the environment gives it. */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "graph/graph.h"
#include "weft_test.h"

typedef struct random_source {
    uint64_t state;
} random_source;

static inline random_source random_begin(void)
{
    const char *given = getenv("WEFT_SEED");
    random_source r = {given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL)};
    printf("    seed=%llu\n", (unsigned long long)r.state);
    return r;
}

static inline size_t random_below(random_source *r, size_t end)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = r->state ^ r->state >> 29;
    return (size_t)((x * 0x9E3779B97F4A7C15u >> 20) % end);
}

enum { RANDOM_MAX_INPUTS = 64, RANDOM_KERNELS = 3 };

static const weft_kernel random_kernels[RANDOM_KERNELS] = {{"a", NULL}, {"b", NULL}, {"c", NULL}};

static inline weft_ref random_output_of(random_source *r, const weft_graph *graph, size_t task)
{
    return (weft_ref){graph->serial, wf_ref_value(task, random_below(r, wf_graph_output_count(graph, task)))};
}

/* Inputs of the next task, by the shape of the graph. */
static inline size_t random_inputs(random_source *r, const weft_graph *graph, size_t shape, size_t width, weft_ref *inputs)
{
    size_t count = 0, tasks = graph->task_count;
    if (tasks == 0) return 0;
    switch (shape) {
    case 0: /* any earlier task, some of them twice */
        for (size_t wanted = random_below(r, 5); count < wanted; count++) {
            inputs[count] = random_output_of(r, graph, random_below(r, tasks));
            if (count > 0 && random_below(r, 4) == 0) inputs[count] = inputs[count - 1];
        }
        return count;
    case 1: /* `width` long chains, rarely joined */
        if (tasks >= width) inputs[count++] = random_output_of(r, graph, tasks - width);
        if (random_below(r, 20) == 0) inputs[count++] = random_output_of(r, graph, random_below(r, tasks));
        return count;
    case 2: /* fans: all of the last `width` tasks, or the last wide one */
        if (tasks % width) {
            inputs[count++] = random_output_of(r, graph, tasks - tasks % width);
            return count;
        }
        for (; count < width && count < tasks; count++) inputs[count] = random_output_of(r, graph, tasks - 1 - count);
        return count;
    default: /* a heap upside down: leaves, then pairs */
        if (tasks < width) return 0;
        for (; count < 2 && 2 * (tasks - width) + count < tasks; count++)
            inputs[count] = random_output_of(r, graph, 2 * (tasks - width) + count);
        return count;
    }
}

/* held_ranks > 0: some tasks without inputs are kept results on ranks 1 to held_ranks. */
static inline weft_graph *random_graph(random_source *r, size_t task_count, int held_ranks)
{
    weft_graph *graph = NULL;
    size_t shape = random_below(r, 4), width = 1 + random_below(r, RANDOM_MAX_INPUTS);
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    while (graph->task_count < task_count) {
        weft_ref inputs[RANDOM_MAX_INPUTS], output;
        size_t bytes[WEFT_MAX_OUTPUTS];
        char key[32];
        unsigned char params[100];
        weft_task_spec spec = WEFT_TASK_SPEC_INIT;
        spec.input_count = random_inputs(r, graph, shape, width, inputs);
        if (spec.input_count == 0 && held_ranks > 0 && random_below(r, 3) == 0) {
            wf_held_source source = {7, graph->task_count, 1 + (int)random_below(r, (size_t)held_ranks), 0};
            CU_ASSERT_EQUAL_FATAL(wf_graph_add_held(graph, &source, 1 << 20, &output, NULL), WEFT_OK);
            continue;
        }
        spec.inputs = inputs;
        spec.kernel = &random_kernels[random_below(r, RANDOM_KERNELS)];
        spec.output_count = 1 + random_below(r, random_below(r, 4) ? 2 : WEFT_MAX_OUTPUTS);
        for (size_t i = 0; i < WEFT_MAX_OUTPUTS; i++) bytes[i] = (size_t)1 << random_below(r, 24);
        spec.output_bytes = random_below(r, 2) ? bytes : NULL;
        spec.param_bytes = random_below(r, 2) ? random_below(r, sizeof params) : 0;
        for (size_t i = 0; i < spec.param_bytes; i++) params[i] = (unsigned char)random_below(r, 256);
        spec.params = params;
        spec.cost = (double)random_below(r, 10);
        snprintf(key, sizeof key, "key-%zu", graph->task_count);
        if (random_below(r, 3) == 0) spec.key = key;
        CU_ASSERT_EQUAL_FATAL(weft_graph_add(graph, &spec, &output, NULL), WEFT_OK);
    }
    return graph;
}

/* One to max_roots outputs, perhaps one of them twice. */
static inline size_t random_roots(random_source *r, const weft_graph *graph, weft_ref *roots, size_t max_roots)
{
    size_t count = 1 + random_below(r, max_roots);
    for (size_t i = 0; i < count; i++) {
        size_t back = random_below(r, random_below(r, 2) ? graph->task_count : 1 + graph->task_count / 8);
        roots[i] = random_output_of(r, graph, graph->task_count - 1 - back);
    }
    return count;
}

#endif
