/* Layers as bytes: what is written is read back, and damaged bytes are refused or harmless. WEFT_SEED repeats a run. */
#include <stdlib.h>
#include <string.h>

#include "exec/rule_layers.h"
#include "graph/layers_ship.h"
#include "random_graph.h"

enum { KERNELS = 2, WORKERS = 3, PER_WORKER = 2 };

static const weft_kernel step_kernel = {"step", NULL}, join_kernel = {"join", NULL};

/* Four layers and a tree, with everything in them that a layer can have. */
static weft_graph *make_graph(weft_layer *layers, weft_ref *root)
{
    static const int32_t ranks[] = {2, 0, 1, 1, 5};
    static const size_t bytes[] = {16, 0, 800};
    int64_t radius = 1;
    weft_graph *graph;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &step_kernel;
    spec.name = "begin";
    spec.dim_count = 1, spec.extents[0] = 5;
    spec.params = "abcdefg", spec.param_bytes = 7;
    spec.owners = (weft_owner_map){.kind = WEFT_OWNER_GIVEN, .ranks = ranks};
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layers[0], NULL), WEFT_OK);
    weft_dependency first = {.rule = &weft_first_row_rule, .source = layers[0]};
    weft_dependency before = {.rule = &weft_stencil_rule, .on_itself = true, .output = 2, .params = &radius, .param_bytes = sizeof radius};
    spec.name = NULL;
    spec.dim_count = 2, spec.extents[0] = 6, spec.extents[1] = 5;
    spec.dependencies = (weft_dependency[]){first, before}, spec.dependency_count = 2;
    spec.output_count = 3, spec.output_bytes = bytes;
    spec.cost = 2.5;
    spec.owners = (weft_owner_map){.kind = WEFT_OWNER_CYCLIC, .dim = 1, .block = 2};
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layers[1], NULL), WEFT_OK);
    weft_dependency all = {.rule = &weft_all_to_all_rule, .source = layers[1], .output = 1};
    spec.dependencies = &all, spec.dependency_count = 1;
    spec.dim_count = 3, spec.extents[2] = 2;
    spec.owners = (weft_owner_map){0};
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layers[2], NULL), WEFT_OK);
    spec.dependency_count = 0;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layers[3], NULL), WEFT_OK);
    spec.kernel = &join_kernel;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_tree(graph, &spec, layers[2], 0, 3, root, NULL), WEFT_OK);
    return graph;
}

static void *ship(const weft_graph *graph, const weft_ref *roots, size_t count, size_t *size_bytes)
{
    wf_layers_shipment s;
    CU_ASSERT_EQUAL_FATAL(wf_layers_shipment_init(&s, graph, &(wf_plan){0}, roots, count, 1, NULL), WEFT_OK);
    *size_bytes = s.size_bytes;
    free(s.partition_tasks);
    return s.bytes;
}

/* ---- reading back ---- */

static bool is_same_array(const void *a, const void *b, size_t count, size_t bytes)
{
    return count == 0 || memcmp(a, b, count * bytes) == 0;
}

static void what_is_written_is_read_back(void)
{
    weft_layer layers[4];
    weft_ref root;
    weft_graph *graph = make_graph(layers, &root);
    const wf_layers *all = &graph->layers.all;
    size_t size_bytes = wf_layers_bytes(all);
    void *bytes = aligned_alloc(16, size_bytes);
    wf_layers view;
    CU_ASSERT_EQUAL(size_bytes % 16, 0);
    wf_layers_write(all, bytes);
    CU_ASSERT_EQUAL_FATAL(wf_layers_view(bytes, size_bytes, KERNELS, &view, NULL), WEFT_OK);
    CU_ASSERT(view.layer_count == all->layer_count && view.dependency_count == all->dependency_count && view.wanted_count == 0);
    CU_ASSERT(view.output_count == all->output_count && view.rank_count == 5 && view.rule_count == 4);
    CU_ASSERT(is_same_array(view.layers, all->layers, all->layer_count, sizeof *all->layers));
    CU_ASSERT(is_same_array(view.dependencies, all->dependencies, all->dependency_count, sizeof *all->dependencies));
    CU_ASSERT(is_same_array(view.output_bytes, all->output_bytes, all->output_count, sizeof *all->output_bytes));
    CU_ASSERT(is_same_array(view.owner_ranks, all->owner_ranks, all->rank_count, sizeof *all->owner_ranks));
    CU_ASSERT(is_same_array(view.rule_names, all->rule_names, all->rule_count, sizeof *all->rule_names));
    CU_ASSERT(view.param_bytes == all->param_bytes && is_same_array(view.params, all->params, all->param_bytes, 1));
    CU_ASSERT(view.text_bytes == all->text_bytes && is_same_array(view.texts, all->texts, all->text_bytes, 1));
    CU_ASSERT_STRING_EQUAL(view.texts + view.layers[0].name, "begin");
    CU_ASSERT_STRING_EQUAL(view.texts + view.layers[1].name, "step");
    CU_ASSERT_STRING_EQUAL(view.texts + view.rule_names[view.dependencies[1].rule], "weft_stencil");
    CU_ASSERT(memcmp(view.params + view.layers[0].param_begin, "abcdefg", 7) == 0 && view.layers[0].param_begin % 16 == 0);
    CU_ASSERT(view.output_bytes[view.layers[0].output_begin] == UINT64_MAX && view.output_bytes[view.layers[1].output_begin + 2] == 800);
    free(bytes);
    weft_graph_destroy(graph);
}

static void a_graph_of_the_most_layers_is_read_back(void)
{
    weft_graph *graph;
    wf_layers view;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &step_kernel;
    spec.dim_count = 1, spec.extents[0] = (int64_t)1 << 46;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    for (size_t i = 0; i < WF_MAX_LAYERS; i++) weft_graph_add_layer(graph, &spec, NULL, NULL);
    size_t size_bytes = wf_layers_bytes(&graph->layers.all);
    void *bytes = aligned_alloc(16, size_bytes);
    wf_layers_write(&graph->layers.all, bytes);
    CU_ASSERT_EQUAL(wf_layers_view(bytes, size_bytes, 1, &view, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_layers_view(bytes, size_bytes, 0, &view, NULL), WEFT_EDATA); /* its kernel does not exist */
    free(bytes);
    weft_graph_destroy(graph);
}

/* ---- damage ---- */

static void *copy(const void *bytes, size_t count)
{
    void *made = aligned_alloc(16, (count + 15) / 16 * 16 + 16);
    memcpy(made, bytes, count);
    return made;
}

static void every_shorter_or_longer_message_is_refused(void)
{
    weft_layer layers[4];
    weft_ref root;
    size_t size_bytes;
    weft_graph *graph = make_graph(layers, &root);
    char *bytes = ship(graph, &root, 1, &size_bytes);
    for (size_t length = 0; length <= size_bytes + 16; length++) {
        weft_error err = WEFT_ERROR_INIT;
        wf_layers view;
        void *cut = malloc(length + 1); /* of that length: reading beyond shows under AddressSanitizer */
        memcpy(cut, bytes, length < size_bytes ? length : size_bytes);
        if (length == size_bytes) CU_ASSERT_EQUAL(wf_layers_view(cut, length, KERNELS, &view, &err), WEFT_OK);
        if (length != size_bytes) CU_ASSERT_EQUAL(wf_layers_view(cut, length, KERNELS, &view, &err), WEFT_EDATA);
        free(cut);
    }
    free(bytes);
    weft_graph_destroy(graph);
}

/* Asks everything that a rank asks, of every task. */
static void ask_layer(const wf_rule_layer *layer)
{
    char text[64];
    for (uint64_t i = 0; i < layer->spec->task_count && i < 200; i++) {
        weft_interval intervals[WEFT_MAX_INTERVALS];
        uint64_t end;
        size_t count;
        CU_ASSERT_FATAL(wf_owners_partition(&layer->owners, i, &end) < WORKERS * PER_WORKER);
        CU_ASSERT_FATAL(end > i && end <= layer->spec->task_count);
        CU_ASSERT(strlen(wf_rule_layer_task_text(layer, i, text)) < 64);
        for (uint32_t d = 0; d < layer->spec->dependency_count; d++) wf_rule_edge_inputs(&layer->inputs[d], i, intervals, &count, NULL);
        for (const wf_rule_edge *e = layer->consumers; e; e = e->next_of_source) wf_rule_edge_consumers(e, i, intervals, &count, NULL);
    }
    for (uint32_t p = 0; p < WORKERS * PER_WORKER; p++) {
        weft_interval run = {0};
        for (int k = 0; k < 100 && wf_owners_next(&layer->owners, p, run.end, &run); k++)
            CU_ASSERT_FATAL(run.begin < run.end && run.end <= layer->spec->task_count);
        wf_owners_count(&layer->owners, p);
    }
}

/* False: refused. */
static bool use(void *bytes, size_t size_bytes, const wf_registry *registry)
{
    static const weft_kernel *const kernels[KERNELS] = {&step_kernel, &join_kernel};
    wf_rule_layers layers;
    weft_error err = WEFT_ERROR_INIT;
    if (wf_rule_layers_init(&layers, bytes, size_bytes, kernels, KERNELS, registry, WORKERS, PER_WORKER, &err) != WEFT_OK) {
        CU_ASSERT(err.status == WEFT_EDATA && err.text[0] != '\0');
        free(bytes);
        return false;
    }
    bool has_rules = true;
    for (size_t r = 0; r < layers.view.rule_count; r++)
        has_rules &= wf_registry_find_rule(registry, layers.view.texts + layers.view.rule_names[r]) != NULL;
    for (size_t l = 0; l < layers.view.layer_count && has_rules; l++) ask_layer(&layers.layers[l]);
    wf_rule_layers_fini(&layers);
    return true;
}

static void flip(random_source *r, char *bytes, size_t size_bytes)
{
    size_t at = random_below(r, size_bytes);
    switch (random_below(r, 4)) {
    case 0: bytes[at] = (char)(bytes[at] ^ (1 << random_below(r, 8))); break;
    case 1: bytes[at] = (char)random_below(r, 256); break;
    case 2: memset(bytes + at / 8 * 8, random_below(r, 2) ? 0xff : 0, 8); break;
    default: bytes[at / 4 * 4] = (char)(bytes[at / 4 * 4] + (random_below(r, 2) ? 1 : -1)); break;
    }
}

static void damaged_bytes_are_refused_or_harmless(void)
{
    random_source r = random_begin();
    weft_layer layers[4];
    weft_ref roots[4];
    size_t size_bytes, refused = 0, rounds = 20000;
    wf_registry registry;
    weft_graph *graph = make_graph(layers, &roots[0]);
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&registry, NULL, NULL), WEFT_OK);
    for (uint64_t i = 1; i < 4; i++) roots[i] = weft_layer_output(layers[1], 3 * i / 2, 1);
    char *bytes = ship(graph, roots, 4, &size_bytes);
    CU_ASSERT(use(copy(bytes, size_bytes), size_bytes, &registry));
    for (size_t round = 0; round < rounds; round++) {
        char *damaged = copy(bytes, size_bytes);
        for (size_t k = 1 + random_below(&r, 4); k > 0; k--) flip(&r, damaged, size_bytes);
        if (!use(damaged, size_bytes, &registry)) refused++;
    }
    CU_ASSERT(refused > rounds / 3 && refused < rounds);
    free(bytes);
    wf_registry_fini(&registry);
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(what_is_written_is_read_back),
        WEFT_TEST(a_graph_of_the_most_layers_is_read_back),
        WEFT_TEST(every_shorter_or_longer_message_is_refused),
        WEFT_TEST(damaged_bytes_are_refused_or_harmless),
    };
    return weft_test_run("graph/layers_wire", cases, WEFT_COUNT_OF(cases));
}
