/* From the layers of a graph and what is asked for to what the ranks get. One thread, usually the client's. */
#include <stdlib.h>

#include "base/memory.h"
#include "graph/layers_ship.h"

static int compare_wanted(const void *a, const void *b)
{
    const wf_wanted *x = a, *y = b;
    uint32_t x_layer = wf_ref_layer(x->ref), y_layer = wf_ref_layer(y->ref);
    bool x_imports = x->partition != WF_NO_PARTITION, y_imports = y->partition != WF_NO_PARTITION;
    if (x_layer != y_layer) return x_layer < y_layer ? -1 : 1;
    if (x_imports != y_imports) return x_imports ? 1 : -1;
    if (x->ref != y->ref) return wf_wanted_key(x->ref) < wf_wanted_key(y->ref) ? -1 : 1;
    return x->partition < y->partition ? -1 : x->partition > y->partition;
}

static bool continues(const wf_wanted *run, const wf_wanted *next)
{
    return wf_ref_layer(run->ref) == wf_ref_layer(next->ref) && wf_ref_output(run->ref) == wf_ref_output(next->ref) &&
           run->partition == WF_NO_PARTITION && next->partition == WF_NO_PARTITION &&
           wf_wanted_key(next->ref) <= wf_wanted_key(run->ref) + run->count;
}

/* Sorts, and joins roots that are neighbours, or the same one asked for twice. */
static void compact(wf_wanted *wanted, size_t *count)
{
    size_t kept = 0;
    if (*count) qsort(wanted, *count, sizeof *wanted, compare_wanted);
    for (size_t i = 0; i < *count; i++) {
        if (kept && continues(&wanted[kept - 1], &wanted[i])) {
            wf_wanted *run = &wanted[kept - 1];
            if (wf_wanted_key(wanted[i].ref) == wf_wanted_key(run->ref) + run->count) run->count++;
        } else {
            wanted[kept++] = wanted[i];
        }
    }
    *count = kept;
}

static weft_status add_wanted(wf_layers *layers, size_t *capacity, wf_wanted wanted, weft_error *err)
{
    weft_status status = wf_grow(&layers->wanted, capacity, layers->wanted_count + 1, sizeof *layers->wanted, err);
    if (status == WEFT_OK) layers->wanted[layers->wanted_count++] = wanted;
    return status;
}

static weft_status collect_wanted(const weft_graph *graph, const wf_plan *plan, const weft_ref *roots, size_t root_count, uint32_t flags,
                                  wf_layers *layers, weft_error *err)
{
    size_t capacity = 0;
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < root_count && status == WEFT_OK; i++) {
        if (wf_ref_layer(roots[i].value) > 0)
            status = add_wanted(layers, &capacity, (wf_wanted){roots[i].value, 1, flags, WF_NO_PARTITION}, err);
    }
    for (size_t t = 0; graph->layer_inputs && t < graph->task_count && status == WEFT_OK; t++) {
        if (graph->tasks[t].kernel == WF_LAYER_KERNEL && plan->partition[t] != WF_NO_PARTITION)
            status = add_wanted(layers, &capacity, (wf_wanted){wf_graph_layer_ref(graph, t), 1, 0, plan->partition[t]}, err);
    }
    if (status != WEFT_OK) return status;
    compact(layers->wanted, &layers->wanted_count);
    return WEFT_OK;
}

static weft_status write(const wf_layers *layers, const unsigned char *needed, wf_layers_shipment *shipment, weft_error *err)
{
    wf_layers view;
    shipment->size_bytes = wf_layers_bytes(layers);
    shipment->bytes = wf_aligned_alloc(1, shipment->size_bytes, err);
    if (!shipment->bytes) return WEFT_ENOMEM;
    wf_layers_write(layers, shipment->bytes);
    weft_status status = wf_layers_view(shipment->bytes, shipment->size_bytes, WF_LAYER_KERNEL, &view, err);
    for (size_t l = 0; status == WEFT_OK && l < view.layer_count; l++) view.layers[l].is_needed = needed[l];
    return status;
}

static weft_status count_tasks(const wf_layers *layers, const unsigned char *needed, const wf_plan *plan, wf_layers_shipment *shipment,
                               weft_error *err)
{
    shipment->partition_tasks = wf_calloc(plan->partition_count, sizeof *shipment->partition_tasks, err);
    if (!shipment->partition_tasks) return WEFT_ENOMEM;
    for (size_t l = 0; l < layers->layer_count && plan->partition_count > 0; l++) {
        const wf_layer *layer = &layers->layers[l];
        if (!needed[l]) continue;
        wf_owners owners = wf_plan_owners(plan, layers, layer);
        for (uint32_t p = 0; p < plan->partition_count; p++) shipment->partition_tasks[p] += wf_owners_count(&owners, p);
    }
    return WEFT_OK;
}

weft_status wf_layers_shipment_init(wf_layers_shipment *shipment, const weft_graph *graph, const wf_plan *plan, const weft_ref *roots,
                                    size_t root_count, uint32_t root_flags, weft_error *err)
{
    wf_layers layers = graph->layers.all;
    wf_layers_shipment made = {0};
    layers.wanted = NULL;
    layers.wanted_count = 0;
    unsigned char *needed = wf_calloc(layers.layer_count, 1, err);
    weft_status status = needed ? collect_wanted(graph, plan, roots, root_count, root_flags, &layers, err) : WEFT_ENOMEM;
    for (size_t i = 0; status == WEFT_OK && i < layers.wanted_count; i++) needed[wf_ref_layer(layers.wanted[i].ref) - 1] = 1;
    if (status == WEFT_OK) made.task_count = wf_layers_cull(&layers, needed);
    if (status == WEFT_OK && made.task_count) status = write(&layers, needed, &made, err);
    if (status == WEFT_OK && made.task_count) status = count_tasks(&layers, needed, plan, &made, err);
    free(layers.wanted);
    free(needed);
    if (status == WEFT_OK)
        *shipment = made;
    else
        wf_layers_shipment_fini(&made);
    return status;
}

void wf_layers_shipment_fini(wf_layers_shipment *shipment)
{
    free(shipment->bytes);
    free(shipment->partition_tasks);
    *shipment = (wf_layers_shipment){0};
}
