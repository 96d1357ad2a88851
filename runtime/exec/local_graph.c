/* Counters and slots of the partitions on this rank.
 *
 * Invariants: a slot's chunk is set once, before the counters of its consumers go down, and released by whoever lowers `uses` to zero; a
 * task enters the pool exactly once, by whoever lowers its counter to zero. The owner may destroy the graph when
 * `unfinished` has come to zero, which is never before all runs have returned.
 *
 * A counter that has come down to one is this thread's alone: nobody else will lower it, and the last step needs no atomic addition.
 */
#include "exec/local_graph.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "exec/task.h"

typedef struct local_partition local_partition;

typedef struct slot {
    weft_chunk *chunk;         /* NULL before, and when it failed */
    atomic_uint uses;          /* local inputs that have not been given back */
    uint32_t consumer_begin;   /* into consumers; the next slot's is the end */
    bool has_come;             /* of an import; under the owner's lock */
} slot;

typedef struct local_task {
    wf_pool_item item;         /* first: an item is its task */
    local_partition *partition;
    atomic_uint waiting;       /* inputs that have not come */
    atomic_bool input_failed;
} local_task;

/* A task that stands for an output of a layer by rule, and waits for it. */
typedef struct layer_input {
    uint64_t ref;
    uint32_t task;
    bool has_come;
    weft_chunk *chunk;       /* from when it came until the task runs; NULL: failed */
} layer_input;

struct local_partition {
    wf_local_graph *graph;
    local_partition *next;
    void *bytes;
    wf_partition view;
    local_task *tasks;
    slot *slots;               /* outputs, imports, and one that ends the last range */
    layer_input *layer_inputs; /* by ref */
    size_t layer_input_count;
    uint32_t *consumers;       /* tasks by slot, first in order last, so that it is on top of a deque */
};

struct wf_local_graph {
    wf_local_graph_options options;
    const weft_kernel **kernels;
    local_partition *partitions; /* few per rank: a list */
    atomic_bool cancelled;
    uint64_t added;              /* tasks; under the owner's lock */
    wf_countdown unfinished;
};

weft_status wf_local_graph_create(const wf_local_graph_options *options, wf_local_graph **graph, weft_error *err)
{
    wf_local_graph *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->options = *options;
    made->unfinished = (wf_countdown){.at_zero = options->ops->all_ended, .context = options->keeper, .id = options->graph};
    made->kernels = wf_calloc(options->kernel_count, sizeof *made->kernels, err);
    if (!made->kernels) {
        free(made);
        return WEFT_ENOMEM;
    }
    if (options->kernel_count) memcpy(made->kernels, options->kernels, options->kernel_count * sizeof *made->kernels);
    *graph = made;
    return WEFT_OK;
}

static void destroy_partition(local_partition *partition)
{
    if (!partition) return;
    size_t slots = partition->slots ? (size_t)partition->view.header->output_count + partition->view.header->import_count : 0;
    for (size_t s = 0; s < slots; s++) weft_chunk_release(partition->slots[s].chunk);
    free(partition->tasks);
    free(partition->slots);
    for (size_t i = 0; i < partition->layer_input_count; i++) weft_chunk_release(partition->layer_inputs[i].chunk);
    free(partition->layer_inputs);
    free(partition->consumers);
    free(partition->bytes);
    free(partition);
}

void wf_local_graph_destroy(wf_local_graph *graph)
{
    if (!graph) return;
    while (graph->partitions) {
        local_partition *next = graph->partitions->next;
        destroy_partition(graph->partitions);
        graph->partitions = next;
    }
    free(graph->kernels);
    free(graph);
}

static local_partition *find_partition(const wf_local_graph *graph, uint32_t partition)
{
    local_partition *p = graph->partitions;
    while (p && p->view.header->partition != partition) p = p->next;
    return p;
}

bool wf_local_graph_has_partition(const wf_local_graph *graph, uint32_t partition)
{
    return find_partition(graph, partition) != NULL;
}

uint64_t wf_local_graph_ended_count(const wf_local_graph *graph)
{
    return graph->added - atomic_load(&graph->unfinished.left);
}

/* ---- adding a partition ---- */

static void give_up_imports(local_partition *p, wf_thread *self);

static void run_task(void *context, wf_pool_item *item, wf_thread *self);

static const char *kernel_name(const wf_local_graph *graph, uint32_t kernel)
{
    if (kernel == WF_LAYER_KERNEL) return "layer output";
    return kernel == WF_HELD_KERNEL ? "kept result" : graph->kernels[kernel]->name;
}

static weft_status check_kernels(const wf_local_graph *graph, const wf_partition *view, weft_error *err)
{
    for (uint32_t t = 0; t < view->header->task_count; t++) {
        uint32_t kernel = view->tasks[t].kernel;
        if (kernel != WF_HELD_KERNEL && kernel != WF_LAYER_KERNEL && kernel >= graph->options.kernel_count)
            return weft_fail(err, WEFT_EDATA, "partition %u names kernel %u of %zu; the message was damaged", view->header->partition,
                             kernel, graph->options.kernel_count);
    }
    return WEFT_OK;
}

static void fill_consumers(local_partition *p)
{
    const wf_partition *v = &p->view;
    uint32_t slots = v->header->output_count + v->header->import_count;
    for (uint32_t i = 0; i < v->header->input_count; i++) p->slots[v->inputs[i]].consumer_begin++;
    uint32_t end = 0;
    for (uint32_t s = 0; s <= slots; s++) { /* for now each range's end; filling moves it to the begin */
        atomic_init(&p->slots[s].uses, p->slots[s].consumer_begin);
        end += p->slots[s].consumer_begin;
        p->slots[s].consumer_begin = end;
    }
    for (uint32_t t = 0; t < v->header->task_count; t++) {
        for (uint32_t e = v->tasks[t].input_begin; e < v->tasks[t + 1].input_begin; e++)
            p->consumers[--p->slots[v->inputs[e]].consumer_begin] = t;
    }
}

static uint64_t layer_ref(const wf_partition *view, uint32_t task)
{
    return *(const uint64_t *)(const void *)(view->params + view->tasks[task].param_begin);
}

static int compare_layer_inputs(const void *a, const void *b)
{
    const layer_input *x = a, *y = b;
    return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static layer_input *find_layer_input(const local_partition *p, uint64_t ref)
{
    layer_input key = {.ref = ref};
    return p->layer_input_count ? bsearch(&key, p->layer_inputs, p->layer_input_count, sizeof key, compare_layer_inputs) : NULL;
}

/* Tasks that stand for outputs of layers wait for one chunk each. */
static weft_status find_layer_inputs(local_partition *p, weft_error *err)
{
    size_t capacity = 0;
    for (uint32_t t = 0; t < p->view.header->task_count; t++) {
        if (p->view.tasks[t].kernel != WF_LAYER_KERNEL) continue;
        weft_status status = wf_grow(&p->layer_inputs, &capacity, p->layer_input_count + 1, sizeof *p->layer_inputs, err);
        if (status != WEFT_OK) return status;
        p->layer_inputs[p->layer_input_count++] = (layer_input){.ref = layer_ref(&p->view, t), .task = t};
        atomic_init(&p->tasks[t].waiting, 1);
    }
    if (p->layer_input_count) qsort(p->layer_inputs, p->layer_input_count, sizeof *p->layer_inputs, compare_layer_inputs);
    return WEFT_OK;
}

static weft_status make_partition(wf_local_graph *graph, void *bytes, size_t size_bytes, local_partition **out, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    local_partition *p = wf_calloc(1, sizeof *p, err);
    if (!p) return WEFT_ENOMEM;
    status = wf_partition_view(bytes, size_bytes, &p->view, err);
    if (status == WEFT_OK) status = check_kernels(graph, &p->view, err);
    if (status != WEFT_OK) goto out;
    const wf_partition_header *h = p->view.header;
    p->graph = graph;
    p->tasks = wf_aligned_alloc(h->task_count, sizeof *p->tasks, err);
    p->slots = wf_calloc((size_t)h->output_count + h->import_count + 1, sizeof *p->slots, err);
    p->consumers = wf_aligned_alloc(h->input_count, sizeof *p->consumers, err);
    status = p->tasks && p->slots && p->consumers ? WEFT_OK : WEFT_ENOMEM;
    if (status != WEFT_OK) goto out;
    for (uint32_t t = 0; t < h->task_count; t++) {
        p->tasks[t] = (local_task){.item.run = run_task, .partition = p};
        atomic_init(&p->tasks[t].waiting, p->view.tasks[t + 1].input_begin - p->view.tasks[t].input_begin);
    }
    fill_consumers(p);
    status = find_layer_inputs(p, err);
out:
    if (status == WEFT_OK)
        *out = p;
    else
        destroy_partition(p); /* bytes is not in it yet: the caller keeps it */
    return status;
}

weft_status wf_local_graph_add(wf_local_graph *graph, void *bytes, size_t size_bytes, wf_pool_item **next, weft_error *err)
{
    local_partition *p;
    weft_status status = make_partition(graph, bytes, size_bytes, &p, err);
    if (status != WEFT_OK) return status;
    uint32_t count = p->view.header->task_count;
    wf_pool_item *first = NULL, *last = NULL;
    size_t ready_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        local_task *task = &p->tasks[i];
        if (atomic_load(&task->waiting) > 0) continue;
        if (last)
            last->next = &task->item;
        else
            first = &task->item;
        last = &task->item;
        ready_count++;
    }
    p->bytes = bytes;
    p->next = graph->partitions;
    graph->partitions = p;
    graph->added += count;
    atomic_fetch_add(&graph->unfinished.left, count);
    if (next) {
        *next = first;
        first = ready_count > 1 ? first->next : NULL;
        ready_count -= ready_count > 0;
    }
    wf_pool_inject(graph->options.pool, first, last, ready_count);
    if (atomic_load(&graph->cancelled)) give_up_imports(p, NULL);
    return WEFT_OK;
}

/* ---- chunks that come, from a local task or from elsewhere ---- */

/* True for whoever lowers it to zero. */
static bool lower(atomic_uint *counter)
{
    if (atomic_load_explicit(counter, memory_order_acquire) != 1) return atomic_fetch_sub_explicit(counter, 1, memory_order_acq_rel) == 1;
    atomic_store_explicit(counter, 0, memory_order_relaxed);
    return true;
}

/* Takes the caller's reference: were it dropped later, a consumer could find the chunk shared and copy what it may overwrite. */
static void fill_slot(local_partition *p, uint32_t index, weft_chunk *chunk, wf_thread *self)
{
    slot *s = &p->slots[index];
    uint32_t begin = s->consumer_begin, end = s[1].consumer_begin;
    if (begin < end)
        s->chunk = chunk;
    else
        wf_chunk_release_by(self ? wf_thread_slab_cache(self) : NULL, chunk);
    for (uint32_t c = begin; c < end; c++) {
        local_task *task = &p->tasks[p->consumers[c]];
        if (!chunk) atomic_store_explicit(&task->input_failed, true, memory_order_relaxed);
        if (lower(&task->waiting)) wf_pool_push(p->graph->options.pool, self, &task->item);
    }
}

static int compare_refs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void take_layer_output(local_partition *p, layer_input *input, weft_chunk *chunk, wf_thread *self)
{
    input->has_come = true;
    input->chunk = chunk;
    atomic_store(&p->tasks[input->task].waiting, 0);
    wf_pool_push(p->graph->options.pool, self, &p->tasks[input->task].item);
}

/* What has not come counts as failed: its sender may have been cancelled before it could say so. */
static void give_up_imports(local_partition *p, wf_thread *self)
{
    for (uint32_t i = 0; i < p->view.header->import_count; i++) {
        slot *s = &p->slots[p->view.header->output_count + i];
        if (s->has_come) continue;
        s->has_come = true;
        fill_slot(p, p->view.header->output_count + i, NULL, self);
    }
    for (size_t i = 0; i < p->layer_input_count; i++) {
        if (!p->layer_inputs[i].has_come) take_layer_output(p, &p->layer_inputs[i], NULL, self);
    }
}

void wf_local_graph_cancel(wf_local_graph *graph, wf_thread *self)
{
    atomic_store(&graph->cancelled, true);
    for (local_partition *p = graph->partitions; p; p = p->next) give_up_imports(p, self);
}

weft_status wf_local_graph_deliver(wf_local_graph *graph, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self,
                                   weft_error *err)
{
    local_partition *p = find_partition(graph, partition);
    const uint64_t *hit = NULL;
    layer_input *input = p && wf_ref_layer(ref) ? find_layer_input(p, ref) : NULL;
    if (input && !input->has_come) {
        take_layer_output(p, input, chunk, self);
        return WEFT_OK;
    }
    if (p) hit = bsearch(&ref, p->view.imports, p->view.header->import_count, sizeof ref, compare_refs);
    slot *s = hit ? &p->slots[p->view.header->output_count + (hit - p->view.imports)] : NULL;
    if ((s && s->has_come) || (input && input->has_come)) { /* given up */
        weft_chunk_release(chunk);
        return WEFT_OK;
    }
    if (!s) {
        weft_chunk_release(chunk);
        if (p && wf_ref_layer(ref)) return WEFT_OK;
        return weft_fail(err, WEFT_EDATA, "a chunk of task %llu came for partition %u, which does not need it; run the same weft on every "
                         "rank", (unsigned long long)wf_ref_task(ref), partition);
    }
    s->has_come = true;
    fill_slot(p, (uint32_t)(s - p->slots), chunk, self);
    return WEFT_OK;
}

/* ---- running a task ---- */

static void give_inputs_back(local_partition *p, const wf_partition_task *task, wf_slab_cache *cache)
{
    for (uint32_t e = task->input_begin; e < task[1].input_begin; e++) {
        slot *s = &p->slots[p->view.inputs[e]];
        if (!lower(&s->uses)) continue;
        wf_chunk_release_by(cache, s->chunk);
        s->chunk = NULL;
    }
}

/* Takes the reference on chunk. */
static void publish_output(local_partition *p, uint32_t task, uint32_t output, weft_chunk *chunk, wf_thread *self)
{
    const wf_local_graph_options *o = &p->graph->options;
    const wf_partition *v = &p->view;
    uint32_t index = v->tasks[task].output_begin + output;
    const wf_partition_output *out = &v->outputs[index];
    uint64_t ref = v->task_refs[task] + output;
    if (out->flags) o->ops->root_output(o->owner, o->graph, ref, chunk, out->flags);
    if (out->export_begin < out[1].export_begin)
        o->ops->export_output(o->owner, o->graph, ref, chunk, v->exports + out->export_begin, out[1].export_begin - out->export_begin,
                              self);
    fill_slot(p, index, chunk, self);
}

static void report_failure(const local_partition *p, uint32_t index, weft_error *error)
{
    const wf_local_graph_options *o = &p->graph->options;
    const wf_partition_task *entry = &p->view.tasks[index];
    const char *name = kernel_name(p->graph, entry->kernel);
    uint64_t ref = p->view.task_refs[index];
    if (entry->key)
        snprintf(error->task, sizeof error->task, "%s %s", name, p->view.keys + entry->key);
    else
        snprintf(error->task, sizeof error->task, "%s #%llu", name, (unsigned long long)wf_ref_task(ref));
    wf_text_keep_on_line(error->task); /* a key may hold anything */
    error->rank = o->rank;
    o->ops->task_failed(o->owner, o->graph, ref, error);
}

static weft_status take_held(const wf_local_graph *graph, const wf_partition *view, const wf_partition_task *entry, weft_task *run,
                             weft_error *err)
{
    wf_held_source source;
    memcpy(&source, view->params + entry->param_begin, sizeof source);
    run->outputs[0] = graph->options.ops->find_held(graph->options.owner, source.graph, source.ref);
    if (run->outputs[0]) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "the kept result is gone; release a future only after the graphs that use it");
}

/* A failed one was told where it failed. */
static void take_layer_input(local_partition *p, uint32_t task, weft_task *run)
{
    layer_input *input = find_layer_input(p, layer_ref(&p->view, task));
    if (!input) return;
    run->outputs[0] = input->chunk;
    input->chunk = NULL;
}

/* Scratch for the inputs of the rare task that has many. */
enum { INPUTS_ON_STACK = 32 };

static weft_status run_kernel(local_partition *p, uint32_t index, weft_task *run, weft_error *err)
{
    const wf_partition_task *entry = &p->view.tasks[index];
    const wf_local_graph *graph = p->graph;
    wf_task_input few[INPUTS_ON_STACK], *inputs = few;
    size_t count = entry[1].input_begin - entry->input_begin;
    if (entry->kernel == WF_LAYER_KERNEL) {
        take_layer_input(p, index, run);
        return WEFT_OK;
    }
    if (entry->kernel == WF_HELD_KERNEL) return take_held(graph, &p->view, entry, run, err);
    if (count > INPUTS_ON_STACK && !(inputs = wf_calloc(count, sizeof *inputs, err))) return WEFT_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        slot *s = &p->slots[p->view.inputs[entry->input_begin + i]];
        inputs[i] = (wf_task_input){s->chunk, atomic_load_explicit(&s->uses, memory_order_acquire) == 1};
    }
    run->layer = NULL;
    run->output_limits = NULL;
    run->index = wf_ref_task(p->view.task_refs[index]);
    run->inputs = inputs;
    run->input_count = count;
    run->params = p->view.params + entry->param_begin;
    run->param_bytes = entry->param_bytes;
    weft_status status = wf_task_run(run, graph->kernels[entry->kernel], err);
    if (inputs != few) free(inputs);
    return status;
}

static void run_task(void *context, wf_pool_item *item, wf_thread *self)
{
    (void)context;
    local_task *task = (local_task *)item;
    local_partition *p = task->partition;
    wf_local_graph *graph = p->graph;
    uint32_t index = (uint32_t)(task - p->tasks);
    const wf_partition_task *entry = &p->view.tasks[index];
    wf_thread_count_down(self, &graph->unfinished);
    weft_task run; /* not cleared as a whole: most of it is room for outputs that few tasks have */
    run.budget = graph->options.budget;
    run.thread = self;
    run.cache = wf_thread_slab_cache(self);
    run.output_count = entry[1].output_begin - entry->output_begin;
    for (size_t i = 0; i < run.output_count; i++) run.outputs[i] = NULL;
    bool skip = atomic_load_explicit(&task->input_failed, memory_order_relaxed) ||
                atomic_load_explicit(&graph->cancelled, memory_order_relaxed);
    if (!skip) {
        weft_error *error = wf_thread_error(self);
        if (run_kernel(p, index, &run, error) != WEFT_OK) report_failure(p, index, error);
        if (error->status != WEFT_OK) *error = (weft_error)WEFT_ERROR_INIT;
    }
    give_inputs_back(p, entry, run.cache);
    for (uint32_t i = 0; i < run.output_count; i++) publish_output(p, index, i, run.outputs[i], self);
}
