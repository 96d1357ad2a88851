/* Expanding layers by rule. Invariant: a ref is translated after the task that it names was added. */
#include "graph/expand.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* What is looked at task by task: some seconds, and some GB of inputs at the most. */
enum { MAX_LAYER_TASKS = 4000000, MAX_INPUTS = 20000000 };

typedef struct builder {
    const wf_expansion *x;
    uint64_t layer_input_count; /* of all layers so far */
    weft_ref *inputs;  /* of the task being added */
    size_t input_count, input_capacity;
} builder;

uint64_t wf_graph_all_task_count(const weft_graph *graph)
{
    uint64_t tasks = graph->task_count;
    for (size_t l = 0; l < graph->layers.all.layer_count; l++) tasks += graph->layers.all.layers[l].task_count;
    return tasks;
}

weft_ref wf_expansion_ref(const wf_expansion *x, weft_ref ref)
{
    uint64_t value = ref.value;
    if (wf_ref_layer(value) == 0 && x->from->tasks[wf_ref_task(value)].kernel == WF_LAYER_KERNEL)
        value = wf_graph_layer_ref(x->from, wf_ref_task(value));
    uint32_t layer = wf_ref_layer(value);
    uint64_t task = layer ? x->layer_begin[layer] + wf_ref_task(value) : x->place[wf_ref_task(value)];
    return (weft_ref){x->graph->serial, wf_ref_value(task, wf_ref_output(value))};
}

/* ---- adding tasks ---- */

static weft_status add_input(builder *b, uint64_t ref, weft_error *err)
{
    weft_status status = wf_grow(&b->inputs, &b->input_capacity, b->input_count + 1, sizeof *b->inputs, err);
    if (status == WEFT_OK) b->inputs[b->input_count++] = wf_expansion_ref(b->x, (weft_ref){b->x->from->serial, ref});
    return status;
}

/* What a task by rule may take ends at limit: its source's tasks, or those of its own layer before it. */
static weft_status refuse_inputs(const weft_rule *rule, const char *layer, uint64_t index, weft_interval got, uint64_t limit,
                                 bool on_itself, weft_error *err)
{
    char what[64] = "a layer takes from itself only what has a smaller index";
    if (got.begin >= got.end)
        snprintf(what, sizeof what, "leave out intervals that are empty");
    else if (!on_itself)
        snprintf(what, sizeof what, "its source has %" PRIu64 " tasks", limit);
    return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" gives tasks [%" PRIu64 ", %" PRIu64 ") as inputs of task %" PRIu64 " of layer "
                     "%.64s; %s", rule->name, got.begin, got.end, index, layer, what);
}

static weft_status add_layer_inputs(builder *b, uint32_t number, uint64_t index, const wf_layer_dependency *d, weft_error *err)
{
    const wf_layers *layers = &b->x->from->layers.all;
    const weft_rule *rule = b->x->from->layers.rules[d->rule];
    weft_rule_call call = wf_layers_call(layers, number, d);
    weft_interval intervals[WEFT_MAX_INTERVALS];
    uint64_t limit = d->source == number ? index : layers->layers[d->source - 1].task_count;
    const char *name = layers->texts + layers->layers[number - 1].name;
    size_t count = rule->inputs(&call, index, intervals);
    weft_status status = WEFT_OK;
    if (count > WEFT_MAX_INTERVALS)
        return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" gives %zu intervals for task %" PRIu64 " of layer %.64s; at most %d", rule->name,
                         count, index, name, WEFT_MAX_INTERVALS);
    for (size_t i = 0; i < count && status == WEFT_OK; i++) {
        if (intervals[i].begin >= intervals[i].end || intervals[i].end > limit)
            return refuse_inputs(rule, name, index, intervals[i], limit, d->source == number, err);
        if (intervals[i].end - intervals[i].begin > MAX_INPUTS - b->layer_input_count)
            return weft_fail(err, WEFT_EINVAL, "layers with more than %d inputs are too large to be looked at task by task; give them "
                             "smaller extents: the shape stays the same", MAX_INPUTS);
        b->layer_input_count += intervals[i].end - intervals[i].begin;
        for (uint64_t j = intervals[i].begin; j < intervals[i].end && status == WEFT_OK; j++)
            status = add_input(b, wf_ref_of_layer(d->source, j, d->output), err);
    }
    return status;
}

static weft_status add_layer_task(builder *b, uint32_t number, uint64_t index, weft_error *err)
{
    const wf_layers *layers = &b->x->from->layers.all;
    const wf_layer *layer = &layers->layers[number - 1];
    size_t output_bytes[WEFT_MAX_OUTPUTS];
    char key[128];
    bool is_announced = layers->output_bytes[layer->output_begin] != UINT64_MAX;
    weft_status status = WEFT_OK;
    b->input_count = 0;
    for (uint32_t d = 0; d < layer->dependency_count && status == WEFT_OK; d++)
        status = add_layer_inputs(b, number, index, &layers->dependencies[layer->dependency_begin + d], err);
    if (status != WEFT_OK) return status;
    for (uint32_t o = 0; o < layer->output_count; o++) output_bytes[o] = (size_t)layers->output_bytes[layer->output_begin + o];
    snprintf(key, sizeof key, "%.100s %" PRIu64, layers->texts + layer->name, index);
    weft_task_spec spec = wf_task_spec_make(b->x->from->kernels[layer->kernel], b->inputs, b->input_count,
                                            layers->params + layer->param_begin, layer->param_bytes);
    spec.output_count = layer->output_count;
    spec.output_bytes = is_announced ? output_bytes : NULL;
    spec.cost = layer->cost;
    spec.key = key;
    return weft_graph_add(b->x->graph, &spec, NULL, err);
}

static weft_status add_explicit_task(builder *b, size_t t, weft_error *err)
{
    const weft_graph *from = b->x->from;
    const wf_graph_task *task = &from->tasks[t];
    size_t output_bytes[WEFT_MAX_OUTPUTS];
    weft_status status = WEFT_OK;
    if (task->kernel == WF_HELD_KERNEL)
        return wf_graph_add_held(b->x->graph, (const wf_held_source *)(const void *)(from->params + task->param_begin),
                                 from->output_bytes[task->output_begin], NULL, err);
    b->input_count = 0;
    for (uint64_t e = task->input_begin; e < task[1].input_begin && status == WEFT_OK; e++) status = add_input(b, from->inputs[e], err);
    if (status != WEFT_OK) return status;
    weft_task_spec spec = wf_task_spec_make(from->kernels[task->kernel], b->inputs, b->input_count, from->params + task->param_begin,
                                            task->param_bytes);
    spec.output_count = wf_graph_output_count(from, t);
    for (size_t o = 0; o < spec.output_count; o++) output_bytes[o] = (size_t)from->output_bytes[task->output_begin + o];
    spec.output_bytes = output_bytes;
    spec.cost = (double)task->cost;
    spec.key = from->keys + task->key;
    return weft_graph_add(b->x->graph, &spec, NULL, err);
}

static weft_status add_all(builder *b, const unsigned char *needed_layers, const unsigned char *needed_tasks, weft_error *err)
{
    const wf_layers *layers = &b->x->from->layers.all;
    weft_status status = WEFT_OK;
    for (uint32_t number = 1; number <= layers->layer_count && status == WEFT_OK; number++) {
        if (!needed_layers[number - 1]) continue;
        b->x->layer_begin[number] = b->x->graph->task_count;
        for (uint64_t i = 0; i < layers->layers[number - 1].task_count && status == WEFT_OK; i++)
            status = add_layer_task(b, number, i, err);
    }
    for (size_t t = 0; t < b->x->from->task_count && status == WEFT_OK; t++) {
        if (!needed_tasks[t] || b->x->from->tasks[t].kernel == WF_LAYER_KERNEL) continue; /* what that stands for is there */
        b->x->place[t] = b->x->graph->task_count;
        status = add_explicit_task(b, t, err);
    }
    return status;
}

/* ---- all of it ---- */

/* Returns the tasks by rule. */
static uint64_t mark_needed(const weft_graph *graph, const weft_ref *roots, size_t root_count, unsigned char *layers, unsigned char *tasks)
{
    if (roots) {
        wf_cull(graph, roots, root_count, tasks);
        for (size_t i = 0; i < root_count; i++) {
            if (wf_ref_layer(roots[i].value)) layers[wf_ref_layer(roots[i].value) - 1] = 1;
        }
    } else {
        memset(tasks, 1, graph->task_count);
        memset(layers, 1, graph->layers.all.layer_count);
    }
    for (size_t t = 0; graph->layer_inputs && t < graph->task_count; t++) {
        if (tasks[t] && graph->tasks[t].kernel == WF_LAYER_KERNEL) layers[wf_ref_layer(wf_graph_layer_ref(graph, t)) - 1] = 1;
    }
    return wf_layers_cull(&graph->layers.all, layers);
}

weft_status wf_expansion_init(wf_expansion *expansion, const weft_graph *graph, const weft_ref *roots, size_t root_count, weft_error *err)
{
    size_t layer_count = graph->layers.all.layer_count;
    wf_expansion x = {.from = graph};
    builder b = {.x = &x};
    unsigned char *needed_layers = wf_calloc(layer_count, 1, err), *needed_tasks = wf_calloc(graph->task_count, 1, err);
    x.layer_begin = wf_calloc(layer_count + 1, sizeof *x.layer_begin, err);
    x.place = wf_calloc(graph->task_count, sizeof *x.place, err);
    weft_status status = needed_layers && needed_tasks && x.layer_begin && x.place ? weft_graph_create(&x.graph, err) : WEFT_ENOMEM;
    if (status != WEFT_OK) goto out;
    memset(x.layer_begin, 0xff, (layer_count + 1) * sizeof *x.layer_begin); /* WF_NOT_EXPANDED */
    if (graph->task_count) memset(x.place, 0xff, graph->task_count * sizeof *x.place);
    uint64_t layer_tasks = mark_needed(graph, roots, root_count, needed_layers, needed_tasks);
    if (layer_tasks > MAX_LAYER_TASKS)
        status = weft_fail(err, WEFT_EINVAL, "layers of %" PRIu64 " tasks are too large to be looked at task by task, at most %d; give "
                           "them smaller extents: the shape stays the same", layer_tasks, MAX_LAYER_TASKS);
    if (status == WEFT_OK) status = add_all(&b, needed_layers, needed_tasks, err);
out:
    free(b.inputs);
    free(needed_layers);
    free(needed_tasks);
    if (status == WEFT_OK)
        *expansion = x;
    else
        wf_expansion_fini(&x);
    return status;
}

void wf_expansion_fini(wf_expansion *expansion)
{
    weft_graph_destroy(expansion->graph);
    free(expansion->layer_begin);
    free(expansion->place);
    *expansion = (wf_expansion){0};
}
