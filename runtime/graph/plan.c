/* What is needed, in which order, and in which partition on which rank. Owns the arrays of the plan. Invariant: a task that no root needs
 * has no place in it. Any thread; the graph is only read. */
#include "graph/plan.h"

#include <stdlib.h>

#include "base/memory.h"
#include "graph/cut.h"

weft_status wf_plan_init(wf_plan *plan, const weft_graph *graph, const weft_ref *roots, size_t root_count, const wf_plan_options *options,
                         weft_error *err)
{
    wf_plan made = {.task_count = graph->task_count};
    weft_status status = WEFT_ENOMEM;
    unsigned char *needed = wf_calloc(graph->task_count, 1, err);
    made.order = wf_calloc(graph->task_count, sizeof *made.order, err);
    made.partition = wf_calloc(graph->task_count, sizeof *made.partition, err);
    if (!needed || !made.order || !made.partition) goto out;
    made.needed_count = wf_cull(graph, roots, root_count, needed);
    status = wf_order(graph, roots, root_count, needed, made.order, err);
    if (status == WEFT_OK) status = wf_cut(&made, graph, needed, options, err);
out:
    free(needed);
    if (status == WEFT_OK)
        *plan = made;
    else
        wf_plan_fini(&made);
    return status;
}

void wf_plan_fini(wf_plan *plan)
{
    free(plan->order);
    free(plan->partition);
    free(plan->rank);
    *plan = (wf_plan){0};
}

wf_owners wf_plan_owners(const wf_plan *plan, const wf_layers *layers, const wf_layer *layer)
{
    return wf_owners_make(&layer->owners, layers->owner_ranks, layer->task_count, plan->partition_count / plan->per_worker, plan->per_worker);
}

size_t wf_cull(const weft_graph *graph, const weft_ref *roots, size_t root_count, unsigned char *needed)
{
    for (size_t t = 0; t < graph->task_count; t++) needed[t] = 0;
    for (size_t i = 0; i < root_count; i++) {
        if (wf_ref_layer(roots[i].value) == 0) needed[wf_ref_task(roots[i].value)] = 1;
    }
    size_t count = 0;
    for (size_t t = graph->task_count; t-- > 0;) { /* inputs have smaller indices: one backward sweep sees everything */
        if (!needed[t]) continue;
        count++;
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) needed[wf_ref_task(graph->inputs[e])] = 1;
    }
    return count;
}
