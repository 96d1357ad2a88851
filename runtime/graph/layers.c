/* Adding layers by rule to a graph. One thread at a time. On failure the graph is as it was: arrays may have grown, counts have not. */
#include "graph/layers.h"

#include <float.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/graph.h"

enum { PARAM_ALIGNMENT = 16 };

void wf_layer_list_fini(wf_layer_list *list)
{
    free(list->all.layers);
    free(list->all.dependencies);
    free(list->all.output_bytes);
    free(list->all.owner_ranks);
    free(list->all.rule_names);
    free(list->all.params);
    free(list->all.texts);
    free(list->rules);
    *list = (wf_layer_list){0};
}

static size_t align_params(size_t bytes)
{
    return (bytes + PARAM_ALIGNMENT - 1) & ~(size_t)(PARAM_ALIGNMENT - 1);
}

/* ---- checks ---- */

static weft_status check_shape(const weft_layer_spec *spec, uint64_t *task_count, weft_error *err)
{
    uint64_t count = 1;
    if (spec->dim_count < 1 || spec->dim_count > WEFT_MAX_DIMS)
        return weft_fail(err, WEFT_EINVAL, "a layer has 1 to %d dimensions, not %d", WEFT_MAX_DIMS, spec->dim_count);
    for (int d = 0; d < spec->dim_count; d++) {
        long long extent = spec->extents[d];
        if (extent <= 0) return weft_fail(err, WEFT_EINVAL, "extent %d of a layer is %lld; it must be positive", d, extent);
        if ((uint64_t)extent > WF_MAX_LAYER_TASKS / count)
            return weft_fail(err, WEFT_EINVAL, "extent %d, %lld, makes a layer of more than 2^46 tasks; use several layers", d, extent);
        count *= (uint64_t)extent;
    }
    *task_count = count;
    return WEFT_OK;
}

static weft_status check_owners(const weft_layer_spec *spec, weft_error *err)
{
    const weft_owner_map *o = &spec->owners;
    if (o->dim < 0 || o->dim > spec->dim_count)
        return weft_fail(err, WEFT_EINVAL, "owners by dimension %d of a layer with %d; 1 is the first, 0 the last", o->dim, spec->dim_count);
    if (o->kind != WEFT_OWNER_BLOCK && o->kind != WEFT_OWNER_CYCLIC && o->kind != WEFT_OWNER_GIVEN)
        return weft_fail(err, WEFT_EINVAL, "unknown kind of owners %d; use one of weft_owner_kind", (int)o->kind);
    if (o->block < 0) return weft_fail(err, WEFT_EINVAL, "owners in blocks of %lld coordinates; at least 1", (long long)o->block);
    if (o->kind == WEFT_OWNER_GIVEN && !o->ranks)
        return weft_fail(err, WEFT_EINVAL, "owners are to be given, but owners.ranks is NULL; give one for each coordinate");
    int64_t extent = spec->extents[(o->dim ? o->dim : spec->dim_count) - 1];
    for (int64_t c = 0; o->kind == WEFT_OWNER_GIVEN && c < extent; c++) {
        if (o->ranks[c] < 0)
            return weft_fail(err, WEFT_EINVAL, "the owner of coordinate %lld is %d; count from 0", (long long)c, (int)o->ranks[c]);
    }
    return WEFT_OK;
}

/* What the rule says to its use; it is shown a copy of the parameters that is aligned as promised. */
static weft_status ask_rule(const weft_graph *graph, const weft_layer_spec *spec, size_t i, weft_error *err)
{
    const weft_dependency *d = &spec->dependencies[i];
    weft_error why = WEFT_ERROR_INIT;
    weft_rule_call call = {.on_itself = d->on_itself, .dim_count = spec->dim_count, .source_dim_count = spec->dim_count,
                           .param_bytes = d->param_bytes};
    if (!d->rule->check) return WEFT_OK;
    for (int k = 0; k < WEFT_MAX_DIMS; k++) call.extents[k] = k < spec->dim_count ? spec->extents[k] : 1;
    const wf_layer *source = d->on_itself ? NULL : &graph->layers.all.layers[d->source.index - 1];
    if (source) call.source_dim_count = (int)source->dim_count;
    memcpy(call.source_extents, source ? source->extents : call.extents, sizeof call.extents);
    void *params = wf_aligned_alloc(1, align_params(d->param_bytes + 1), err);
    if (!params) return WEFT_ENOMEM;
    if (d->param_bytes) memcpy(params, d->params, d->param_bytes);
    call.params = params;
    weft_status status = d->rule->check(&call, &why);
    free(params);
    if (status == WEFT_OK) return WEFT_OK;
    return weft_fail(err, status, "dependency %zu by rule \"%.64s\": %s", i, d->rule->name, why.text);
}

static weft_status check_dependency(const weft_graph *graph, const weft_layer_spec *spec, size_t i, weft_error *err)
{
    const weft_dependency *d = &spec->dependencies[i];
    size_t outputs = spec->output_count ? spec->output_count : 1;
    if (!d->rule || !d->rule->name || !d->rule->inputs)
        return weft_fail(err, WEFT_EINVAL, "dependency %zu has no rule; set rule to a WEFT_RULE's descriptor", i);
    if (d->param_bytes > UINT32_MAX / 2) return weft_fail(err, WEFT_EINVAL, "dependency %zu has %zu bytes of parameters", i, d->param_bytes);
    if (d->param_bytes && !d->params)
        return weft_fail(err, WEFT_EINVAL, "dependency %zu has %zu bytes of parameters at NULL", i, d->param_bytes);
    if (!d->on_itself) {
        if (d->source.graph != graph->serial || d->source.index == 0 || d->source.index > graph->layers.all.layer_count)
            return weft_fail(err, WEFT_EINVAL, "the source of dependency %zu is no layer of this graph; use what weft_graph_add_layer gave", i);
        outputs = graph->layers.all.layers[d->source.index - 1].output_count;
    }
    if (d->output >= outputs)
        return weft_fail(err, WEFT_EINVAL, "dependency %zu takes output %zu of a layer with %zu", i, d->output, outputs);
    return ask_rule(graph, spec, i, err);
}

static weft_status check_spec(const weft_graph *graph, const weft_layer_spec *spec, uint64_t *task_count, weft_error *err)
{
    if (spec->size_bytes != sizeof *spec)
        return weft_fail(err, WEFT_EINVAL, "a layer spec of %zu bytes, this library has %zu; start from WEFT_LAYER_SPEC_INIT",
                         spec->size_bytes, sizeof *spec);
    if (!spec->kernel) return weft_fail(err, WEFT_EINVAL, "a layer without a kernel; set spec.kernel to a WEFT_KERNEL's descriptor");
    if (graph->layers.all.layer_count >= WF_MAX_LAYERS)
        return weft_fail(err, WEFT_EINVAL, "the graph has %zu layers already, the most that it can", graph->layers.all.layer_count);
    if (spec->output_count > WEFT_MAX_OUTPUTS)
        return weft_fail(err, WEFT_EINVAL, "a task has at most %d outputs, not %zu", WEFT_MAX_OUTPUTS, spec->output_count);
    if (spec->dependency_count > WEFT_MAX_DEPENDENCIES)
        return weft_fail(err, WEFT_EINVAL, "a layer has at most %d dependencies, not %zu", WEFT_MAX_DEPENDENCIES, spec->dependency_count);
    if (spec->param_bytes > UINT32_MAX / 2)
        return weft_fail(err, WEFT_EINVAL, "%zu bytes of parameters; give large data as an input", spec->param_bytes);
    if (spec->param_bytes && !spec->params) return weft_fail(err, WEFT_EINVAL, "%zu bytes of parameters at NULL", spec->param_bytes);
    if (!(spec->cost >= 0 && spec->cost <= (double)FLT_MAX))
        return weft_fail(err, WEFT_EINVAL, "the cost of a task is %g; it must be a number from 0 to %g", spec->cost, (double)FLT_MAX);
    weft_status status = check_shape(spec, task_count, err);
    if (status == WEFT_OK) status = check_owners(spec, err);
    for (size_t i = 0; status == WEFT_OK && i < spec->dependency_count; i++) status = check_dependency(graph, spec, i, err);
    return status;
}

/* ---- adding ---- */

static weft_status make_room(wf_layer_list *list, const weft_layer_spec *spec, size_t outputs, size_t ranks, size_t text_bytes,
                             weft_error *err)
{
    wf_layers *all = &list->all;
    size_t params = align_params(spec->param_bytes);
    for (size_t i = 0; i < spec->dependency_count; i++) params += align_params(spec->dependencies[i].param_bytes);
    weft_status status = wf_grow(&all->layers, &list->layer_capacity, all->layer_count + 1, sizeof *all->layers, err);
    if (status == WEFT_OK)
        status = wf_grow(&all->dependencies, &list->dependency_capacity, all->dependency_count + spec->dependency_count,
                         sizeof *all->dependencies, err);
    if (status == WEFT_OK)
        status = wf_grow(&all->output_bytes, &list->output_capacity, all->output_count + outputs, sizeof *all->output_bytes, err);
    if (status == WEFT_OK)
        status = wf_grow(&all->owner_ranks, &list->rank_capacity, all->rank_count + ranks, sizeof *all->owner_ranks, err);
    if (status == WEFT_OK) status = wf_grow(&all->params, &list->param_capacity, all->param_bytes + params, 1, err);
    if (status == WEFT_OK) status = wf_grow(&all->texts, &list->text_capacity, all->text_bytes + text_bytes, 1, err);
    if (status == WEFT_OK && (all->param_bytes + params > UINT32_MAX || all->text_bytes + text_bytes > UINT32_MAX))
        status = weft_fail(err, WEFT_ENOMEM, "the parameters of this graph's layers take more than 4 GiB");
    return status;
}

static uint32_t add_text(wf_layers *all, const char *text)
{
    size_t at = all->text_bytes, bytes = strlen(text) + 1;
    memcpy(all->texts + at, text, bytes);
    all->text_bytes += bytes;
    return (uint32_t)at;
}

static uint32_t add_params(wf_layers *all, const void *params, size_t bytes)
{
    size_t at = all->param_bytes, aligned = align_params(bytes);
    if (aligned) memset(all->params + at, 0, aligned);
    if (bytes) memcpy(all->params + at, params, bytes);
    all->param_bytes += aligned;
    return (uint32_t)at;
}

/* Few rules serve a graph. */
static weft_status find_rule(wf_layer_list *list, const weft_rule *rule, uint32_t *number, weft_error *err)
{
    wf_layers *all = &list->all;
    for (*number = 0; *number < all->rule_count; ++*number) {
        if (list->rules[*number] == rule) return WEFT_OK;
    }
    weft_status status = wf_grow(&list->rules, &list->rule_capacity, all->rule_count + 1, sizeof(void *), err);
    if (status == WEFT_OK)
        status = wf_grow(&all->rule_names, &list->rule_name_capacity, all->rule_count + 1, sizeof *all->rule_names, err);
    if (status == WEFT_OK)
        status = wf_grow(&all->texts, &list->text_capacity, all->text_bytes + strlen(rule->name) + 1, 1, err);
    if (status != WEFT_OK) return status;
    list->rules[all->rule_count] = rule;
    all->rule_names[all->rule_count++] = add_text(all, rule->name);
    return WEFT_OK;
}

static wf_owner_rule make_owners(const weft_layer_spec *spec, uint64_t ranks_begin)
{
    int dim = (spec->owners.dim ? spec->owners.dim : spec->dim_count) - 1;
    wf_owner_rule rule = {.kind = spec->owners.kind, .scale = 1, .stride = 1, .extent = spec->extents[dim],
                          .block = spec->owners.block ? spec->owners.block : 1, .ranks_begin = ranks_begin};
    for (int d = dim + 1; d < spec->dim_count; d++) rule.stride *= spec->extents[d];
    return rule;
}

/* Everything has room. */
static void append(weft_graph *graph, const weft_layer_spec *spec, const wf_owner_rule *owners, uint64_t task_count, uint32_t kernel,
                   const uint32_t *rules)
{
    wf_layers *all = &graph->layers.all;
    size_t outputs = spec->output_count ? spec->output_count : 1;
    uint32_t number = (uint32_t)all->layer_count + 1;
    wf_layer *layer = &all->layers[all->layer_count++];
    *layer = (wf_layer){.kernel = kernel, .dim_count = (uint32_t)spec->dim_count, .task_count = task_count,
                        .dependency_begin = (uint32_t)all->dependency_count, .dependency_count = (uint32_t)spec->dependency_count,
                        .param_bytes = (uint32_t)spec->param_bytes, .output_begin = (uint32_t)all->output_count,
                        .output_count = (uint32_t)outputs, .cost = spec->cost > 0 ? spec->cost : 1,
                        .owners = owners ? *owners : make_owners(spec, all->rank_count)};
    for (int d = 0; d < WEFT_MAX_DIMS; d++) layer->extents[d] = d < spec->dim_count ? spec->extents[d] : 1;
    layer->name = add_text(all, spec->name ? spec->name : spec->kernel->name);
    layer->param_begin = add_params(all, spec->params, spec->param_bytes);
    for (size_t i = 0; i < outputs; i++) all->output_bytes[all->output_count++] = spec->output_bytes ? spec->output_bytes[i] : UINT64_MAX;
    for (int64_t c = 0; !owners && spec->owners.kind == WEFT_OWNER_GIVEN && c < layer->owners.extent; c++)
        all->owner_ranks[all->rank_count++] = spec->owners.ranks[c];
    for (size_t i = 0; i < spec->dependency_count; i++) {
        const weft_dependency *d = &spec->dependencies[i];
        all->dependencies[all->dependency_count++] = (wf_layer_dependency){
            rules[i], d->on_itself ? number : d->source.index, (uint32_t)d->output, add_params(all, d->params, d->param_bytes),
            (uint32_t)d->param_bytes, 0};
    }
}

weft_status wf_graph_add_layer(weft_graph *graph, const weft_layer_spec *spec, const wf_owner_rule *owners, weft_layer *layer,
                               weft_error *err)
{
    uint64_t task_count = 0;
    uint32_t kernel, rules[WEFT_MAX_DEPENDENCIES];
    weft_status status = check_spec(graph, spec, &task_count, err);
    if (status != WEFT_OK) return status;
    size_t ranks = !owners && spec->owners.kind == WEFT_OWNER_GIVEN ? (size_t)make_owners(spec, 0).extent : 0;
    size_t text_bytes = strlen(spec->name ? spec->name : spec->kernel->name) + 1;
    status = wf_graph_find_kernel(graph, spec->kernel, &kernel, err);
    for (size_t i = 0; status == WEFT_OK && i < spec->dependency_count; i++)
        status = find_rule(&graph->layers, spec->dependencies[i].rule, &rules[i], err);
    if (status == WEFT_OK) status = make_room(&graph->layers, spec, spec->output_count ? spec->output_count : 1, ranks, text_bytes, err);
    if (status != WEFT_OK) return status;
    append(graph, spec, owners, task_count, kernel, rules);
    if (layer) *layer = (weft_layer){graph->serial, (uint32_t)graph->layers.all.layer_count};
    return WEFT_OK;
}

weft_status weft_graph_add_layer(weft_graph *graph, const weft_layer_spec *spec, weft_layer *layer, weft_error *err)
{
    return wf_graph_add_layer(graph, spec, NULL, layer, err);
}

/* ---- asking ---- */

/* A task beyond the layer's must not carry into another field; wf_graph_check_ref refuses what cannot be. */
weft_ref weft_layer_output(weft_layer layer, uint64_t index, size_t output)
{
    bool is_possible = index < WF_MAX_LAYER_TASKS && output < WEFT_MAX_OUTPUTS && layer.index > 0 && layer.index <= WF_MAX_LAYERS;
    return (weft_ref){layer.graph, is_possible ? wf_ref_of_layer(layer.index, index, output) : UINT64_MAX};
}

uint64_t weft_layer_task_count(const weft_graph *graph, weft_layer layer)
{
    bool exists = layer.graph == graph->serial && layer.index > 0 && layer.index <= graph->layers.all.layer_count;
    return exists ? graph->layers.all.layers[layer.index - 1].task_count : 0;
}

uint64_t wf_layers_cull(const wf_layers *layers, unsigned char *needed)
{
    uint64_t tasks = 0;
    for (size_t l = layers->layer_count; l-- > 0;) { /* sources have smaller numbers: one backward sweep sees everything */
        const wf_layer *layer = &layers->layers[l];
        if (!needed[l]) continue;
        tasks += layer->task_count;
        for (uint32_t d = 0; d < layer->dependency_count; d++) needed[layers->dependencies[layer->dependency_begin + d].source - 1] = 1;
    }
    return tasks;
}

weft_rule_call wf_layers_call(const wf_layers *layers, uint32_t layer_number, const wf_layer_dependency *dependency)
{
    const wf_layer *layer = &layers->layers[layer_number - 1], *source = &layers->layers[dependency->source - 1];
    weft_rule_call call = {.on_itself = dependency->source == layer_number, .dim_count = (int)layer->dim_count,
                           .source_dim_count = (int)source->dim_count, .params = layers->params + dependency->param_begin,
                           .param_bytes = dependency->param_bytes};
    memcpy(call.extents, layer->extents, sizeof call.extents);
    memcpy(call.source_extents, source->extents, sizeof call.source_extents);
    return call;
}
