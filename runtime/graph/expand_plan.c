/* The plan of an expansion. Owns the arrays of the plan. Invariant: every task of the expansion's graph has a place in it. Any thread. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/expand.h"

static void place_layers(const wf_expansion *x, wf_plan *plan)
{
    const wf_layers *layers = &x->from->layers.all;
    for (size_t number = 1; number <= layers->layer_count; number++) {
        const wf_layer *layer = &layers->layers[number - 1];
        uint64_t begin = x->layer_begin[number];
        if (begin == WF_NOT_EXPANDED) continue;
        wf_owners owners = wf_plan_owners(plan, layers, layer);
        for (uint64_t i = 0, end; i < layer->task_count;) {
            uint32_t partition = wf_owners_partition(&owners, i, &end);
            for (; i < end; i++) plan->partition[begin + i] = partition;
        }
    }
}

/* The roots, then whatever nothing takes: from these, every task is reached. */
static weft_status make_order(const weft_graph *graph, const weft_ref *roots, size_t root_count, uint32_t *order, weft_error *err)
{
    size_t count = root_count;
    weft_status status = WEFT_ENOMEM;
    weft_ref *ends = wf_calloc(root_count + graph->task_count, sizeof *ends, err);
    unsigned char *is_taken = wf_calloc(graph->task_count, 1, err), *needed = wf_calloc(graph->task_count, 1, err);
    if (!ends || !is_taken || !needed) goto out;
    memcpy(ends, roots, root_count * sizeof *ends);
    for (size_t e = 0; e < graph->input_count; e++) is_taken[wf_graph_input_task(graph, e)] = 1;
    for (size_t t = 0; t < graph->task_count; t++) {
        needed[t] = 1;
        if (!is_taken[t]) ends[count++] = (weft_ref){graph->serial, wf_ref_value(t, 0)};
    }
    status = wf_order(graph, ends, count, needed, order, err);
out:
    free(ends);
    free(is_taken);
    free(needed);
    return status;
}

weft_status wf_expansion_plan(const wf_expansion *expansion, const wf_plan *plan, const weft_ref *roots, size_t root_count,
                              wf_plan *expanded, weft_error *err)
{
    const weft_graph *graph = expansion->graph;
    wf_plan made = *plan;
    weft_status status = WEFT_ENOMEM;
    made.task_count = made.needed_count = graph->task_count;
    made.order = wf_calloc(graph->task_count, sizeof *made.order, err);
    made.partition = wf_calloc(graph->task_count, sizeof *made.partition, err);
    made.rank = wf_calloc(plan->partition_count, sizeof *made.rank, err);
    if (!made.order || !made.partition || !made.rank) goto out;
    memcpy(made.rank, plan->rank, plan->partition_count * sizeof *made.rank);
    for (size_t t = 0; t < plan->task_count; t++) {
        if (expansion->place[t] != WF_NOT_EXPANDED) made.partition[expansion->place[t]] = plan->partition[t];
    }
    place_layers(expansion, &made);
    status = make_order(graph, roots, root_count, made.order, err);
out:
    if (status == WEFT_OK)
        *expanded = made;
    else
        wf_plan_fini(&made);
    return status;
}
