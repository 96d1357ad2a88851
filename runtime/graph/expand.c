/* Expanding layers by rule. Invariant: a ref is translated after the task that it names was added. */
#include "graph/expand.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

typedef struct expansion {
    const weft_graph *from;
    weft_graph *to;
    uint64_t *begin;   /* by layer number: its first task in `to`; 0: 0 */
    uint64_t *place;   /* by explicit task: in `to` */
    weft_ref *inputs;  /* of the task being added */
    size_t input_count, input_capacity;
} expansion;

uint64_t wf_graph_all_task_count(const weft_graph *graph)
{
    uint64_t tasks = graph->task_count;
    for (size_t l = 0; l < graph->layers.all.layer_count; l++) tasks += graph->layers.all.layers[l].task_count;
    return tasks;
}

static weft_status add_input(expansion *x, uint32_t layer, uint64_t task, uint64_t output, weft_error *err)
{
    weft_status status = wf_grow(&x->inputs, &x->input_capacity, x->input_count + 1, sizeof *x->inputs, err);
    if (status == WEFT_OK) x->inputs[x->input_count++] = (weft_ref){x->to->serial, wf_ref_value(x->begin[layer] + task, output)};
    return status;
}

static weft_status add_layer_inputs(expansion *x, uint32_t number, uint64_t index, const wf_layer_dependency *d, weft_error *err)
{
    const wf_layers *layers = &x->from->layers.all;
    const weft_rule *rule = x->from->layers.rules[d->rule];
    weft_rule_call call = wf_layers_call(layers, number, d);
    weft_interval intervals[WEFT_MAX_INTERVALS];
    uint64_t limit = d->source == number ? index : layers->layers[d->source - 1].task_count;
    size_t count = rule->inputs(&call, index, intervals);
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < count && status == WEFT_OK; i++) {
        if (count > WEFT_MAX_INTERVALS || intervals[i].begin >= intervals[i].end || intervals[i].end > limit)
            return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" gives inputs that task %" PRIu64 " of layer %.64s cannot have", rule->name, index,
                             layers->texts + layers->layers[number - 1].name);
        for (uint64_t j = intervals[i].begin; j < intervals[i].end && status == WEFT_OK; j++)
            status = add_input(x, d->source, j, d->output, err);
    }
    return status;
}

static weft_status add_layer_task(expansion *x, uint32_t number, uint64_t index, weft_error *err)
{
    const wf_layers *layers = &x->from->layers.all;
    const wf_layer *layer = &layers->layers[number - 1];
    size_t output_bytes[WEFT_MAX_OUTPUTS];
    char key[128];
    bool is_announced = layers->output_bytes[layer->output_begin] != UINT64_MAX;
    weft_status status = WEFT_OK;
    x->input_count = 0;
    for (uint32_t d = 0; d < layer->dependency_count && status == WEFT_OK; d++)
        status = add_layer_inputs(x, number, index, &layers->dependencies[layer->dependency_begin + d], err);
    if (status != WEFT_OK) return status;
    for (uint32_t o = 0; o < layer->output_count; o++) output_bytes[o] = (size_t)layers->output_bytes[layer->output_begin + o];
    snprintf(key, sizeof key, "%.100s %" PRIu64, layers->texts + layer->name, index);
    weft_task_spec spec = wf_task_spec_make(x->from->kernels[layer->kernel], x->inputs, x->input_count,
                                            layers->params + layer->param_begin, layer->param_bytes);
    spec.output_count = layer->output_count;
    spec.output_bytes = is_announced ? output_bytes : NULL;
    spec.cost = layer->cost;
    spec.key = key;
    return weft_graph_add(x->to, &spec, NULL, err);
}

static weft_status add_explicit_task(expansion *x, size_t t, weft_error *err)
{
    const weft_graph *from = x->from;
    const wf_graph_task *task = &from->tasks[t];
    size_t output_bytes[WEFT_MAX_OUTPUTS];
    weft_status status = WEFT_OK;
    x->place[t] = x->to->task_count;
    if (task->kernel == WF_LAYER_KERNEL) return WEFT_OK; /* what it stands for is there */
    if (task->kernel == WF_HELD_KERNEL)
        return wf_graph_add_held(x->to, (const wf_held_source *)(const void *)(from->params + task->param_begin),
                                 from->output_bytes[task->output_begin], NULL, err);
    x->input_count = 0;
    for (uint64_t e = task->input_begin; e < task[1].input_begin && status == WEFT_OK; e++) {
        uint64_t ref = from->inputs[e], source = wf_ref_task(ref);
        if (from->tasks[source].kernel == WF_LAYER_KERNEL) ref = wf_graph_layer_ref(from, source);
        status = add_input(x, wf_ref_layer(ref), wf_ref_layer(ref) ? wf_ref_task(ref) : x->place[source], wf_ref_output(ref), err);
    }
    if (status != WEFT_OK) return status;
    weft_task_spec spec = wf_task_spec_make(from->kernels[task->kernel], x->inputs, x->input_count, from->params + task->param_begin,
                                            task->param_bytes);
    spec.output_count = wf_graph_output_count(from, t);
    for (size_t o = 0; o < spec.output_count; o++) output_bytes[o] = (size_t)from->output_bytes[task->output_begin + o];
    spec.output_bytes = output_bytes;
    spec.cost = (double)task->cost;
    spec.key = from->keys + task->key;
    return weft_graph_add(x->to, &spec, NULL, err);
}

weft_status wf_graph_expand(const weft_graph *graph, weft_graph **expanded, weft_error *err)
{
    expansion x = {.from = graph};
    uint64_t tasks = 0;
    size_t layer_count = graph->layers.all.layer_count;
    weft_status status = weft_graph_create(&x.to, err);
    x.begin = wf_calloc(layer_count + 1, sizeof *x.begin, err);
    x.place = wf_calloc(graph->task_count, sizeof *x.place, err);
    if (status == WEFT_OK && (!x.begin || !x.place)) status = WEFT_ENOMEM;
    for (uint32_t number = 1; number <= layer_count && status == WEFT_OK; number++) {
        x.begin[number] = tasks;
        tasks += graph->layers.all.layers[number - 1].task_count;
        for (uint64_t i = 0; i < graph->layers.all.layers[number - 1].task_count && status == WEFT_OK; i++)
            status = add_layer_task(&x, number, i, err);
    }
    for (size_t t = 0; t < graph->task_count && status == WEFT_OK; t++) status = add_explicit_task(&x, t, err);
    free(x.inputs);
    free(x.begin);
    free(x.place);
    if (status == WEFT_OK)
        *expanded = x.to;
    else
        weft_graph_destroy(x.to);
    return status;
}
