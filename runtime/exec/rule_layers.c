/* Resolving layers and asking their rules. What user code gives is checked here, so that nobody above can be led out of an array. */
#include "exec/rule_layers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "exec/inverse.h"

/* ---- making ---- */

static void resolve_layer(wf_rule_layers *all, uint32_t number, const weft_kernel *const *kernels, wf_rule_edge *edges)
{
    const wf_layers *v = &all->view;
    const wf_layer *spec = &v->layers[number - 1];
    wf_rule_layer *layer = &all->layers[number - 1];
    *layer = (wf_rule_layer){.spec = spec, .number = number, .name = v->texts + spec->name, .kernel = kernels[spec->kernel],
                             .params = v->params + spec->param_begin, .output_bytes = v->output_bytes + spec->output_begin,
                             .owners = wf_owners_make(&spec->owners, v->owner_ranks, spec->task_count, all->workers, all->per_worker),
                             .inputs = edges};
}

static void resolve_edges(wf_rule_layers *all, wf_rule_layer *layer, const wf_registry *registry)
{
    for (uint32_t d = 0; d < layer->spec->dependency_count; d++) {
        const wf_layer_dependency *dependency = &all->view.dependencies[layer->spec->dependency_begin + d];
        wf_rule_layer *source = &all->layers[dependency->source - 1];
        wf_rule_edge *edge = &layer->inputs[d];
        const char *rule = all->view.texts + all->view.rule_names[dependency->rule];
        *edge = (wf_rule_edge){.rule = wf_registry_find_rule(registry, rule), .call = wf_layers_call(&all->view, layer->number, dependency),
                               .source = source, .layer = layer, .output = dependency->output, .number = d,
                               .next_of_source = source->consumers};
        if (layer->spec->is_needed) source->consumers = edge;
    }
}

static weft_status find_wanted(wf_rule_layers *all, weft_error *err)
{
    uint64_t partition_count = (uint64_t)all->workers * all->per_worker;
    for (size_t i = 0; i < all->view.wanted_count; i++) {
        const wf_wanted *wanted = &all->view.wanted[i];
        wf_rule_layer *layer = &all->layers[wf_ref_layer(wanted->ref) - 1];
        bool is_root = wanted->partition == UINT32_MAX;
        if (!is_root && wanted->partition >= partition_count)
            return weft_fail(err, WEFT_EDATA, "partition %u of %llu imports an output of layer %.24s; the message was damaged",
                             wanted->partition, (unsigned long long)partition_count, layer->name);
        const wf_wanted **first = is_root ? &layer->roots : &layer->imports;
        if (!*first) *first = wanted;
        *(is_root ? &layer->root_count : &layer->import_count) += 1;
    }
    return WEFT_OK;
}

/* Where there is one worker with one partition nobody asks. */
static weft_status make_owner_tables(wf_rule_layers *all, weft_error *err)
{
    size_t length = 0;
    if (all->workers * all->per_worker == 1) return WEFT_OK;
    for (size_t l = 0; l < all->view.layer_count; l++) length += wf_owners_table_length(&all->layers[l].owners);
    all->owner_tables = wf_calloc(length, sizeof *all->owner_tables, err);
    if (!all->owner_tables) return WEFT_ENOMEM;
    wf_owner_entry *table = all->owner_tables;
    for (size_t l = 0; l < all->view.layer_count; l++) {
        wf_owners *owners = &all->layers[l].owners;
        length = wf_owners_table_length(owners);
        if (length == 0) continue;
        wf_owners_fill_table(owners, table);
        owners->table = table;
        table += length;
    }
    return WEFT_OK;
}

weft_status wf_rule_layers_init(wf_rule_layers *layers, void *bytes, size_t size_bytes, const weft_kernel *const *kernels,
                                size_t kernel_count, const wf_registry *registry, uint32_t workers, uint32_t per_worker, weft_error *err)
{
    wf_rule_layers made = {.workers = workers, .per_worker = per_worker};
    weft_status status = wf_layers_view(bytes, size_bytes, kernel_count, &made.view, err);
    if (status != WEFT_OK) return status;
    made.layers = wf_calloc(made.view.layer_count, sizeof *made.layers, err);
    made.edges = wf_calloc(made.view.dependency_count, sizeof *made.edges, err);
    status = made.layers && made.edges ? WEFT_OK : WEFT_ENOMEM;
    for (uint32_t n = 1; status == WEFT_OK && n <= made.view.layer_count; n++)
        resolve_layer(&made, n, kernels, made.edges + made.view.layers[n - 1].dependency_begin);
    for (size_t l = 0; status == WEFT_OK && l < made.view.layer_count; l++) resolve_edges(&made, &made.layers[l], registry);
    if (status == WEFT_OK) status = make_owner_tables(&made, err);
    if (status == WEFT_OK) status = find_wanted(&made, err);
    if (status == WEFT_OK) {
        made.bytes = bytes;
        *layers = made;
    } else {
        wf_rule_layers_fini(&made);
    }
    return status;
}

weft_status wf_rule_layers_find_inverses(wf_rule_layers *layers, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (size_t l = 0; l < layers->view.layer_count; l++) {
        wf_rule_layer *layer = &layers->layers[l];
        for (uint32_t d = 0; layer->spec->is_needed && d < layer->spec->dependency_count && status == WEFT_OK; d++) {
            wf_rule_edge *edge = &layer->inputs[d];
            if (edge->rule && !edge->rule->consumers) status = wf_inverse_create(edge, &edge->inverse, err);
        }
    }
    return status;
}

void wf_rule_layers_fini(wf_rule_layers *layers)
{
    for (size_t d = 0; layers->edges && d < layers->view.dependency_count; d++) wf_inverse_destroy(layers->edges[d].inverse);
    free(layers->layers);
    free(layers->edges);
    free(layers->owner_tables);
    free(layers->bytes);
    *layers = (wf_rule_layers){0};
}

/* ---- asking ---- */

const char *wf_rule_layer_task_text(const wf_rule_layer *layer, uint64_t index, char text[static 64])
{
    int length = snprintf(text, 64, "%.24s %" PRIu64, layer->name, index);
    uint64_t stride = layer->spec->task_count;
    for (uint32_t d = 0; layer->spec->dim_count > 1 && d < layer->spec->dim_count && length < 63; d++) {
        stride /= (uint64_t)layer->spec->extents[d];
        length += snprintf(text + length, 64 - (size_t)length, "%s%" PRIu64 "%s", d ? ", " : " (",
                           index / stride % (uint64_t)layer->spec->extents[d], d + 1 == layer->spec->dim_count ? ")" : "");
    }
    wf_text_keep_on_line(text);
    return text;
}

static weft_status too_many(const wf_rule_edge *edge, const wf_rule_layer *layer, uint64_t index, size_t count, weft_error *err)
{
    char task[64];
    return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" gives %zu intervals for task %s; at most %d", edge->rule->name, count,
                     wf_rule_layer_task_text(layer, index, task), WEFT_MAX_INTERVALS);
}

static weft_status bad_interval(const wf_rule_edge *edge, const wf_rule_layer *layer, uint64_t index, weft_interval got,
                                const wf_rule_layer *other, const char *what, weft_error *err)
{
    char task[64];
    wf_rule_layer_task_text(layer, index, task);
    if (got.begin >= got.end)
        return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" gives the empty interval [%" PRIu64 ", %" PRIu64 ") as %s of task %s; leave it out",
                         edge->rule->name, got.begin, got.end, what, task);
    if (got.end > other->spec->task_count)
        return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" gives tasks %" PRIu64 " to %" PRIu64 " of layer %.24s as %s of task %s; the layer has %"
                         PRIu64 " tasks", edge->rule->name, got.begin, got.end - 1, other->name, what, task, other->spec->task_count);
    return weft_fail(err, WEFT_EGRAPH, "a cycle: rule \"%.64s\" gives task %" PRIu64 " as %s of task %s of the same layer; a layer may take from "
                     "itself only what has a smaller index", edge->rule->name, *what == 'i' ? got.end - 1 : got.begin, what, task);
}

/* The error of a task names it. */
static weft_status blame(weft_status status, const wf_rule_layer *layer, uint64_t index, weft_error *err)
{
    if (err) wf_rule_layer_task_text(layer, index, err->task);
    return status;
}

/* A consumer that is named twice could run twice. */
static weft_status out_of_sequence(const wf_rule_edge *edge, uint64_t index, const weft_interval *second, weft_error *err)
{
    char task[64];
    return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" gives consumers of task %s out of sequence: %" PRIu64 " after %" PRIu64 "; name each once, "
                     "ascending", edge->rule->name, wf_rule_layer_task_text(edge->source, index, task), second->begin, second[-1].end - 1);
}

weft_status wf_rule_edge_inputs(const wf_rule_edge *edge, uint64_t index, weft_interval *intervals, size_t *count, weft_error *err)
{
    uint64_t limit = edge->call.on_itself ? index : edge->source->spec->task_count;
    *count = edge->rule->inputs(&edge->call, index, intervals);
    if (*count > WEFT_MAX_INTERVALS) return blame(too_many(edge, edge->layer, index, *count, err), edge->layer, index, err);
    for (size_t i = 0; i < *count; i++) {
        if (intervals[i].begin >= intervals[i].end || intervals[i].end > limit)
            return blame(bad_interval(edge, edge->layer, index, intervals[i], edge->source, "inputs", err), edge->layer, index, err);
    }
    return WEFT_OK;
}

weft_status wf_rule_edge_consumers(const wf_rule_edge *edge, uint64_t index, weft_interval *intervals, size_t *count, weft_error *err)
{
    uint64_t limit = edge->layer->spec->task_count, least = edge->call.on_itself ? index + 1 : 0;
    *count = edge->inverse ? wf_inverse_find(edge->inverse, index, intervals) : edge->rule->consumers(&edge->call, index, intervals);
    if (*count > WEFT_MAX_INTERVALS) return blame(too_many(edge, edge->source, index, *count, err), edge->source, index, err);
    for (size_t i = 0; i < *count; i++) {
        if (intervals[i].begin >= intervals[i].end || intervals[i].end > limit || intervals[i].begin < least)
            return blame(bad_interval(edge, edge->source, index, intervals[i], edge->layer, "consumers", err), edge->source, index, err);
        if (i > 0 && intervals[i].begin < intervals[i - 1].end)
            return blame(out_of_sequence(edge, index, &intervals[i], err), edge->source, index, err);
    }
    return WEFT_OK;
}

uint64_t wf_rule_layers_count(const wf_rule_layers *layers, uint32_t partition)
{
    uint64_t tasks = 0;
    for (size_t l = 0; l < layers->view.layer_count; l++) {
        if (layers->view.layers[l].is_needed) tasks += wf_owners_count(&layers->layers[l].owners, partition);
    }
    return tasks;
}
