/* What the ranks get of a graph's layers: those that are needed, and the roots as runs. WEFT_SEED repeats a run. */
#include <stdlib.h>
#include <string.h>

#include "graph/layers_ship.h"
#include "random_graph.h"

enum { LAYERS = 8, TASKS = 40, OUTPUTS = 3, FLAGS = 5 };

static const weft_kernel step_kernel = {"step", NULL};

typedef struct shipped {
    void *bytes;
    size_t size_bytes;
    uint64_t task_count;
    wf_layers view;
} shipped;

static shipped ship(const weft_graph *graph, const weft_ref *roots, size_t count)
{
    shipped s = {0};
    wf_layers_shipment made;
    CU_ASSERT_EQUAL_FATAL(wf_layers_shipment_init(&made, graph, &(wf_plan){0}, roots, count, FLAGS, NULL), WEFT_OK);
    free(made.partition_tasks);
    s.bytes = made.bytes, s.size_bytes = made.size_bytes, s.task_count = made.task_count;
    if (s.bytes) CU_ASSERT_EQUAL_FATAL(wf_layers_view(s.bytes, s.size_bytes, graph->kernel_count, &s.view, NULL), WEFT_OK);
    return s;
}

/* Layer l takes what sources[l] has a bit for, of smaller number. */
static weft_graph *make_graph(const uint32_t sources[LAYERS], weft_layer layers[LAYERS])
{
    weft_graph *graph;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    for (uint32_t l = 0; l < LAYERS; l++) {
        weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
        weft_dependency dependencies[LAYERS];
        for (uint32_t k = 0; k < l; k++) {
            if (sources[l] >> k & 1) dependencies[spec.dependency_count++] = (weft_dependency){.rule = &weft_all_to_all_rule, .source = layers[k]};
        }
        spec.kernel = &step_kernel;
        spec.dim_count = 1, spec.extents[0] = TASKS + l;
        spec.dependencies = dependencies;
        spec.output_count = OUTPUTS;
        CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layers[l], NULL), WEFT_OK);
    }
    return graph;
}

static void nothing_is_shipped_without_a_root_in_a_layer(void)
{
    static const uint32_t none[LAYERS];
    weft_layer layers[LAYERS];
    weft_ref task;
    weft_graph *graph = make_graph(none, layers);
    CU_ASSERT_EQUAL(weft_graph_add_task(graph, &step_kernel, NULL, 0, NULL, 0, &task, NULL), WEFT_OK);
    shipped s = ship(graph, &task, 1);
    CU_ASSERT(s.bytes == NULL && s.size_bytes == 0 && s.task_count == 0);
    weft_graph_destroy(graph);
}

static void layers_that_no_root_needs_are_marked(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 300; round++) {
        uint32_t sources[LAYERS], needed = 0;
        weft_layer layers[LAYERS];
        weft_ref roots[2];
        uint64_t tasks = 0;
        for (uint32_t l = 0; l < LAYERS; l++) sources[l] = (uint32_t)random_below(&r, 256) & (uint32_t)random_below(&r, 256) & ((1u << l) - 1);
        weft_graph *graph = make_graph(sources, layers);
        for (int k = 0; k < 2; k++) {
            size_t l = random_below(&r, LAYERS);
            roots[k] = weft_layer_output(layers[l], 1, 0);
            needed |= 1u << l;
        }
        for (int k = 0; k < LAYERS; k++) { /* until nothing is added any more */
            for (uint32_t l = 0; l < LAYERS; l++) needed |= needed >> l & 1 ? sources[l] : 0;
        }
        shipped s = ship(graph, roots, 2);
        for (uint32_t l = 0; l < LAYERS; l++) {
            CU_ASSERT_EQUAL(s.view.layers[l].is_needed, needed >> l & 1);
            CU_ASSERT_EQUAL(graph->layers.all.layers[l].is_needed, 0);
            if (needed >> l & 1) tasks += TASKS + l;
        }
        CU_ASSERT_EQUAL(s.task_count, tasks);
        free(s.bytes);
        weft_graph_destroy(graph);
    }
}

/* Every root lies in one run, and every run holds roots only. */
static void check_runs(const shipped *s, bool wanted[LAYERS][OUTPUTS][TASKS + LAYERS])
{
    size_t runs = 0;
    for (size_t i = 0; i < s->view.wanted_count; i++) {
        const wf_wanted *w = &s->view.wanted[i];
        CU_ASSERT(w->partition == UINT32_MAX && w->flags == FLAGS && w->count > 0);
        bool *own = wanted[wf_ref_layer(w->ref) - 1][wf_ref_output(w->ref)];
        uint64_t begin = wf_ref_task(w->ref), end = begin + w->count;
        CU_ASSERT(begin == 0 || !own[begin - 1]); /* it could not be longer */
        for (uint64_t t = begin; t < end; t++) {
            CU_ASSERT(own[t]);
            own[t] = false;
        }
        CU_ASSERT(end >= TASKS + LAYERS || !own[end]);
        runs++;
    }
    for (size_t l = 0; l < LAYERS; l++) {
        for (size_t o = 0; o < OUTPUTS; o++) {
            for (size_t t = 0; t < TASKS + LAYERS; t++) CU_ASSERT(!wanted[l][o][t]);
        }
    }
    CU_ASSERT(runs > 0);
}

static void roots_become_runs(void)
{
    static const uint32_t none[LAYERS];
    static bool wanted[LAYERS][OUTPUTS][TASKS + LAYERS];
    random_source r = random_begin();
    weft_layer layers[LAYERS];
    weft_graph *graph = make_graph(none, layers);
    weft_ref roots[401], task;
    CU_ASSERT_EQUAL(weft_graph_add_task(graph, &step_kernel, NULL, 0, NULL, 0, &task, NULL), WEFT_OK);
    for (int round = 0; round < 200; round++) {
        size_t count = 1 + random_below(&r, 400), own = 1 + random_below(&r, LAYERS);
        memset(wanted, 0, sizeof wanted);
        for (size_t i = 0; i < count; i++) { /* some twice, in any sequence */
            size_t l = random_below(&r, own), o = random_below(&r, OUTPUTS), t = random_below(&r, TASKS + l);
            roots[i] = weft_layer_output(layers[l], t, o);
            wanted[l][o][t] = true;
        }
        roots[count] = task; /* an explicit one is none of the layers' */
        shipped s = ship(graph, roots, count + 1);
        check_runs(&s, wanted);
        free(s.bytes);
    }
    weft_graph_destroy(graph);
}

static void a_million_neighbours_are_one_run(void)
{
    enum { COUNT = 1000000 };
    weft_graph *graph;
    weft_layer layer;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_ref *roots = malloc(COUNT * sizeof *roots);
    spec.kernel = &step_kernel;
    spec.dim_count = 1, spec.extents[0] = COUNT;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
    for (uint64_t i = 0; i < COUNT; i++) roots[i] = weft_layer_output(layer, i * 7919 % COUNT, 0);
    shipped s = ship(graph, roots, COUNT);
    CU_ASSERT_EQUAL(s.view.wanted_count, 1);
    CU_ASSERT(s.size_bytes < 1000);
    free(s.bytes);
    free(roots);
    weft_graph_destroy(graph);
}

static void the_ends_of_two_outputs_are_no_neighbours(void)
{
    weft_graph *graph;
    weft_layer layer;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &step_kernel;
    spec.dim_count = 1, spec.extents[0] = (int64_t)1 << 46;
    spec.output_count = 2;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
    const weft_ref roots[] = {weft_layer_output(layer, 0, 1), weft_layer_output(layer, ((uint64_t)1 << 46) - 1, 0)};
    shipped s = ship(graph, roots, 2);
    CU_ASSERT_EQUAL(s.view.wanted_count, 2);
    free(s.bytes);
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(nothing_is_shipped_without_a_root_in_a_layer),
        WEFT_TEST(layers_that_no_root_needs_are_marked),
        WEFT_TEST(roots_become_runs),
        WEFT_TEST(a_million_neighbours_are_one_run),
        WEFT_TEST(the_ends_of_two_outputs_are_no_neighbours),
    };
    return weft_test_run("graph/layers_ship", cases, WEFT_COUNT_OF(cases));
}
