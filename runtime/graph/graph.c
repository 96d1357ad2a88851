/* Building graphs. One thread at a time. On failure the graph is as it was: arrays may have grown, counts have not, but for tasks that stand
 * for outputs of layers, which nothing takes. */
#include "graph/graph.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1 /* an element that could not be added has no table: hh.tbl is NULL */
#include <uthash.h>

#include "base/clock.h"
#include "base/memory.h"

enum { PARAM_ALIGNMENT = 16 };

struct wf_layer_input {
    uint64_t ref;  /* of a layer */
    uint64_t task; /* that stands for it here */
    UT_hash_handle hh;
};

/* Serials only have to differ between the graphs of one client: the address does while both live, the time afterwards. */
static uint64_t make_serial(const weft_graph *graph)
{
    uint64_t ns = (uint64_t)wf_clock_now_ns();
    return (uint64_t)(uintptr_t)graph * 0x9E3779B97F4A7C15u ^ ns;
}

weft_status weft_graph_create(weft_graph **graph, weft_error *err)
{
    weft_graph *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->serial = make_serial(made);
    if (wf_grow(&made->tasks, &made->task_capacity, 1, sizeof *made->tasks, err) != WEFT_OK ||
        wf_grow(&made->keys, &made->key_capacity, 1, 1, err) != WEFT_OK) {
        weft_graph_destroy(made);
        return WEFT_ENOMEM;
    }
    made->tasks[0] = (wf_graph_task){0};
    made->keys[made->key_bytes++] = '\0';
    *graph = made;
    return WEFT_OK;
}

void weft_graph_destroy(weft_graph *graph)
{
    if (!graph) return;
    free(graph->tasks);
    free(graph->inputs);
    free(graph->output_bytes);
    free(graph->params);
    free(graph->keys);
    free(graph->kernels);
    wf_layer_list_fini(&graph->layers);
    for (wf_layer_input *next, *input = graph->layer_inputs; input; input = next) {
        next = input->hh.next;
        HASH_DEL(graph->layer_inputs, input);
        free(input);
    }
    free(graph);
}

size_t weft_graph_task_count(const weft_graph *graph)
{
    return graph->task_count;
}

/* An index beyond every task's outputs must not carry into the task's bits and name one of the next task's. */
weft_ref weft_output(weft_ref first, size_t index)
{
    bool is_possible = index < WEFT_MAX_OUTPUTS && wf_ref_output(first.value) + index < WEFT_MAX_OUTPUTS;
    first.value = is_possible ? first.value + index : UINT64_MAX;
    return first;
}

static weft_status check_layer_ref(const weft_graph *graph, uint32_t number, weft_ref ref, const char *what, size_t index, weft_error *err)
{
    const wf_layers *layers = &graph->layers.all;
    if (number > layers->layer_count)
        return weft_fail(err, WEFT_EINVAL, "%s %zu names a layer that does not exist; use what weft_layer_output returned", what, index);
    const wf_layer *layer = &layers->layers[number - 1];
    if (wf_ref_task(ref.value) < layer->task_count && wf_ref_output(ref.value) < layer->output_count) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "%s %zu names output %u of task %llu of layer \"%s\", which has %llu tasks of %u outputs", what, index,
                     (unsigned)wf_ref_output(ref.value), (unsigned long long)wf_ref_task(ref.value), layers->texts + layer->name,
                     (unsigned long long)layer->task_count, layer->output_count);
}

weft_status wf_graph_check_ref(const weft_graph *graph, weft_ref ref, const char *what, size_t index, weft_error *err)
{
    if (ref.graph != graph->serial)
        return weft_fail(err, WEFT_EINVAL, "%s %zu belongs to another graph; add its task to this one, or persist it and use "
                         "weft_graph_add_future", what, index);
    size_t task = wf_ref_task(ref.value);
    uint32_t layer = wf_ref_layer(ref.value);
    if (layer > 0) return check_layer_ref(graph, layer, ref, what, index, err);
    if (task >= graph->task_count || wf_ref_output(ref.value) >= wf_graph_output_count(graph, task))
        return weft_fail(err, WEFT_EINVAL, "%s %zu names output %u of task %zu, which does not exist; use what weft_graph_add returned", what,
                         index, (unsigned)wf_ref_output(ref.value), task);
    return WEFT_OK;
}

weft_status wf_graph_check_roots(const weft_graph *graph, const weft_ref *roots, size_t root_count, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < root_count && status == WEFT_OK; i++) status = wf_graph_check_ref(graph, roots[i], "root", i, err);
    return status;
}

static weft_status check_spec(const weft_graph *graph, const weft_task_spec *spec, weft_error *err)
{
    if (spec->size_bytes != sizeof *spec)
        return weft_fail(err, WEFT_EINVAL, "a task spec of %zu bytes, this library has %zu; start from WEFT_TASK_SPEC_INIT",
                         spec->size_bytes, sizeof *spec);
    if (spec->output_count > WEFT_MAX_OUTPUTS)
        return weft_fail(err, WEFT_EINVAL, "a task has at most %d outputs, not %zu", WEFT_MAX_OUTPUTS, spec->output_count);
    if (spec->param_bytes > UINT32_MAX / 2)
        return weft_fail(err, WEFT_EINVAL, "%zu bytes of parameters; give large data as an input", spec->param_bytes);
    if (!(spec->cost >= 0 && spec->cost <= (double)FLT_MAX))
        return weft_fail(err, WEFT_EINVAL, "the cost of a task is %g; it must be a number from 0 to %g", spec->cost, (double)FLT_MAX);
    for (size_t i = 0; i < spec->input_count; i++) {
        weft_status status = wf_graph_check_ref(graph, spec->inputs[i], "input", i, err);
        if (status != WEFT_OK) return status;
    }
    return WEFT_OK;
}

/* Few kernels serve a graph, and the last one added is the likeliest. */
weft_status wf_graph_find_kernel(weft_graph *graph, const weft_kernel *kernel, uint32_t *index, weft_error *err)
{
    for (size_t i = graph->kernel_count; i-- > 0;) {
        if (graph->kernels[i] == kernel) {
            *index = (uint32_t)i;
            return WEFT_OK;
        }
    }
    weft_status status = wf_grow(&graph->kernels, &graph->kernel_capacity, graph->kernel_count + 1, sizeof(void *), err);
    if (status != WEFT_OK) return status;
    *index = (uint32_t)graph->kernel_count;
    graph->kernels[graph->kernel_count++] = kernel;
    return WEFT_OK;
}

static size_t align_params(size_t bytes)
{
    return (bytes + PARAM_ALIGNMENT - 1) & ~(size_t)(PARAM_ALIGNMENT - 1);
}

static weft_status make_room(weft_graph *graph, const weft_task_spec *spec, size_t outputs, size_t key_bytes, weft_error *err)
{
    weft_status status = wf_grow(&graph->tasks, &graph->task_capacity, graph->task_count + 2, sizeof *graph->tasks, err);
    if (status == WEFT_OK)
        status = wf_grow(&graph->inputs, &graph->input_capacity, graph->input_count + spec->input_count, sizeof *graph->inputs, err);
    if (status == WEFT_OK)
        status = wf_grow(&graph->output_bytes, &graph->output_capacity, graph->output_count + outputs, sizeof *graph->output_bytes, err);
    if (status == WEFT_OK)
        status = wf_grow(&graph->params, &graph->param_capacity, graph->param_bytes + align_params(spec->param_bytes), 1, err);
    if (status == WEFT_OK) status = wf_grow(&graph->keys, &graph->key_capacity, graph->key_bytes + key_bytes, 1, err);
    if (status == WEFT_OK && graph->key_bytes + key_bytes > UINT32_MAX)
        status = weft_fail(err, WEFT_ENOMEM, "the keys of this graph take more than 4 GiB; give shorter ones, or none");
    return status;
}

/* Where an input of a new task comes from: a task, which for an output of a layer is the one that was added to stand for it. */
static uint64_t local_ref(const weft_graph *graph, uint64_t ref)
{
    wf_layer_input *input;
    if (wf_ref_layer(ref) == 0) return ref;
    HASH_FIND(hh, graph->layer_inputs, &ref, sizeof ref, input);
    return wf_ref_value(input ? input->task : graph->task_count, 0);
}

static weft_status append(weft_graph *graph, const weft_task_spec *spec, uint32_t kernel, weft_ref *first, weft_error *err)
{
    size_t outputs = spec->output_count ? spec->output_count : 1;
    size_t key_bytes = spec->key && *spec->key ? strlen(spec->key) + 1 : 0;
    if (graph->task_count >= WF_MAX_TASKS)
        return weft_fail(err, WEFT_EINVAL, "the graph has %zu tasks already, the most that it can; use larger chunks, or several graphs",
                         graph->task_count);
    weft_status status = make_room(graph, spec, outputs, key_bytes, err);
    if (status != WEFT_OK) return status;
    wf_graph_task *task = &graph->tasks[graph->task_count];
    *task = (wf_graph_task){
        .input_begin = graph->input_count,
        .output_begin = graph->output_count,
        .param_begin = graph->param_bytes,
        .param_bytes = (uint32_t)spec->param_bytes,
        .kernel = kernel,
        .key = key_bytes ? (uint32_t)graph->key_bytes : 0,
        .cost = spec->cost > 0 ? (float)spec->cost : 1.0f,
    };
    for (size_t i = 0; i < spec->input_count; i++) graph->inputs[graph->input_count + i] = local_ref(graph, spec->inputs[i].value);
    for (size_t i = 0; i < outputs; i++)
        graph->output_bytes[graph->output_count + i] = spec->output_bytes ? spec->output_bytes[i] : WF_SMALL_OUTPUT_BYTES;
    if (spec->param_bytes) memcpy(graph->params + graph->param_bytes, spec->params, spec->param_bytes);
    if (key_bytes) memcpy(graph->keys + graph->key_bytes, spec->key, key_bytes);
    graph->input_count += spec->input_count;
    graph->output_count += outputs;
    graph->param_bytes += align_params(spec->param_bytes);
    graph->key_bytes += key_bytes;
    task[1] = (wf_graph_task){
        .input_begin = graph->input_count, .output_begin = graph->output_count, .param_begin = graph->param_bytes};
    if (first) *first = (weft_ref){graph->serial, wf_ref_value(graph->task_count, 0)};
    graph->task_count++;
    return WEFT_OK;
}

static weft_status add_layer_input(weft_graph *graph, uint64_t ref, weft_error *err)
{
    wf_layer_input *input;
    HASH_FIND(hh, graph->layer_inputs, &ref, sizeof ref, input);
    if (input) return WEFT_OK;
    size_t bytes = (size_t)wf_graph_ref_bytes(graph, ref);
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.params = &ref;
    spec.param_bytes = sizeof ref;
    spec.output_bytes = &bytes;
    if (!(input = wf_calloc(1, sizeof *input, err))) return WEFT_ENOMEM;
    *input = (wf_layer_input){.ref = ref, .task = graph->task_count};
    HASH_ADD(hh, graph->layer_inputs, ref, sizeof input->ref, input);
    weft_status status = input->hh.tbl ? append(graph, &spec, WF_LAYER_KERNEL, NULL, err) : weft_fail(err, WEFT_ENOMEM, "no memory for an input");
    if (status == WEFT_OK) return WEFT_OK;
    if (input->hh.tbl) HASH_DEL(graph->layer_inputs, input);
    free(input);
    return status;
}

weft_status weft_graph_add(weft_graph *graph, const weft_task_spec *spec, weft_ref *first, weft_error *err)
{
    uint32_t kernel;
    if (!spec->kernel) return weft_fail(err, WEFT_EINVAL, "a task without a kernel; set spec.kernel to a WEFT_KERNEL's descriptor");
    weft_status status = check_spec(graph, spec, err);
    for (size_t i = 0; status == WEFT_OK && i < spec->input_count; i++) {
        if (wf_ref_layer(spec->inputs[i].value)) status = add_layer_input(graph, spec->inputs[i].value, err);
    }
    if (status == WEFT_OK) status = wf_graph_find_kernel(graph, spec->kernel, &kernel, err);
    if (status != WEFT_OK) return status;
    return append(graph, spec, kernel, first, err);
}

weft_task_spec wf_task_spec_make(const weft_kernel *kernel, const weft_ref *inputs, size_t input_count, const void *params,
                                 size_t param_bytes)
{
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = kernel;
    spec.inputs = inputs;
    spec.input_count = input_count;
    spec.params = params;
    spec.param_bytes = param_bytes;
    return spec;
}

weft_status weft_graph_add_task(weft_graph *graph, const weft_kernel *kernel, const weft_ref *inputs, size_t input_count,
                                const void *params, size_t param_bytes, weft_ref *output, weft_error *err)
{
    weft_task_spec spec = wf_task_spec_make(kernel, inputs, input_count, params, param_bytes);
    return weft_graph_add(graph, &spec, output, err);
}

weft_status wf_graph_add_held(weft_graph *graph, const wf_held_source *source, uint64_t output_bytes, weft_ref *output, weft_error *err)
{
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    size_t bytes = (size_t)output_bytes;
    spec.params = source;
    spec.param_bytes = sizeof *source;
    spec.output_bytes = &bytes;
    return append(graph, &spec, WF_HELD_KERNEL, output, err);
}

int wf_graph_task_rank(const weft_graph *graph, size_t task)
{
    if (graph->tasks[task].kernel != WF_HELD_KERNEL) return -1;
    wf_held_source source;
    memcpy(&source, graph->params + graph->tasks[task].param_begin, sizeof source);
    return source.rank;
}
