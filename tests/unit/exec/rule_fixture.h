/* Layers that are ready to be asked, of a graph that the test built, with rules that need not be in the program's section. */
#ifndef RULE_FIXTURE_H
#define RULE_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "exec/rule_layers.h"
#include "graph/layers_ship.h"
#include "weft_test.h"

typedef struct rule_fixture {
    weft_graph *graph;
    wf_rule_layers layers;
    wf_registry registry;
    const weft_rule *rules[8];
} rule_fixture;

static const weft_kernel fixture_kernel = {"step", NULL};

static inline weft_layer fixture_add(weft_graph *graph, const char *name, int64_t rows, int64_t columns, const weft_dependency *dependencies,
                                     size_t dependency_count)
{
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer = {0};
    weft_error err = WEFT_ERROR_INIT;
    spec.kernel = &fixture_kernel;
    spec.name = name;
    spec.dim_count = columns ? 2 : 1;
    spec.extents[0] = rows;
    spec.extents[1] = columns;
    spec.dependencies = dependencies;
    spec.dependency_count = dependency_count;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, &err), WEFT_OK);
    return layer;
}

static inline int fixture_compare_rules(const void *a, const void *b)
{
    return strcmp((*(const weft_rule *const *)a)->name, (*(const weft_rule *const *)b)->name);
}

/* Everything that the last task of `last` needs, as `workers` ranks would get it. Takes the graph. */
static inline void fixture_init(rule_fixture *f, weft_graph *graph, weft_layer last, uint32_t workers, uint32_t per_worker)
{
    static const weft_kernel *const kernels[] = {&fixture_kernel};
    const wf_layer_list *list = &graph->layers;
    weft_ref root = weft_layer_output(last, weft_layer_task_count(graph, last) - 1, 0);
    wf_layers_shipment shipment;
    CU_ASSERT_FATAL(list->all.rule_count <= WEFT_COUNT_OF(f->rules));
    f->graph = graph;
    for (size_t r = 0; r < list->all.rule_count; r++) f->rules[r] = list->rules[r];
    qsort(f->rules, list->all.rule_count, sizeof(void *), fixture_compare_rules);
    f->registry = (wf_registry){.rules = f->rules, .rule_count = list->all.rule_count};
    CU_ASSERT_EQUAL_FATAL(wf_layers_shipment_init(&shipment, graph, &(wf_plan){0}, &root, 1, 0, NULL), WEFT_OK);
    free(shipment.partition_tasks);
    CU_ASSERT_EQUAL_FATAL(wf_rule_layers_init(&f->layers, shipment.bytes, shipment.size_bytes, kernels, 1, &f->registry, workers, per_worker, NULL), WEFT_OK);
}

static inline void fixture_fini(rule_fixture *f)
{
    wf_rule_layers_fini(&f->layers);
    weft_graph_destroy(f->graph);
}

#endif
