/* Running layers by rule: the frontier, and what a finished task sets off.
 *
 * Invariants: a task is made once, by its first input or by the sources; an input's reference is its task's; a task leaves the frontier with
 * its last input, under the shard's lock, so nobody finds it afterwards.
 *
 * Who is active: `active` counts tasks that can run, run, or are about to be pushed, and batches of sources. A task that ends hands its count on to
 * one that it made ready, so a chain never touches the counter. Whoever brings it to zero tells the owner, and touches the graph no more, since
 * the owner may destroy it; a graph with something active is alive. Each thread counts its ended tasks on a line of its own, before it gives
 * a count up, so that their sum is exact at zero.
 */
#include "exec/rule_graph.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exec/frontier.h"
#include "exec/task.h"

typedef struct input_run { /* inputs that are neighbours in the source */
    uint64_t begin;
    uint32_t count;
    uint32_t position;     /* of the first among the task's inputs */
} input_run;

typedef struct rule_task {
    wf_pool_item item;     /* first: an item is its task */
    wf_waiting waiting;
    wf_rule_graph *graph;
    const wf_rule_layer *layer;
    uint32_t input_count, missing;
    bool input_failed;
    uint16_t run_end[WEFT_MAX_DEPENDENCIES]; /* into runs, by dependency */
    weft_chunk *inputs[];  /* input_count, NULL until it comes, failed_input() when it failed; then input_run runs[] */
} rule_task;

typedef struct thread_state {
    _Alignas(WF_ALIGNMENT_BYTES) _Atomic uint64_t ended; /* written by one thread */
    uint64_t *is_marked;   /* a bit for each partition that gets the output, and their numbers */
    uint32_t *marked;
} thread_state;

/* Tasks that became ready together, the last one in front: pushed in this sequence, the first one is what the thread goes on with. */
typedef struct ready_list {
    wf_pool_item *last;
    size_t count;
    wf_slab_cache *cache; /* of the thread that makes them; NULL: it has none */
    weft_error *error;    /* in its first state; clearing one for each input would take longer than giving it */
} ready_list;

struct wf_rule_graph {
    wf_rule_graph_options options;
    wf_rule_layers layers;
    wf_rule_sources sources;
    wf_frontier *frontier;
    wf_slab *slab;             /* the pool's */
    bool is_alone;             /* one partition: nothing goes elsewhere */
    atomic_bool *is_open;      /* by partition; stays so once it is */
    thread_state *threads;     /* of the pool, thread_count */
    size_t thread_count;
    uint32_t partition_count;
    const weft_kernel **kernels;
    uint64_t given;            /* under the owner's lock */
    atomic_bool cancelled;
    _Alignas(WF_ALIGNMENT_BYTES) _Atomic int64_t active;
};

static rule_task *task_of(wf_waiting *waiting)
{
    return (rule_task *)((char *)waiting - offsetof(rule_task, waiting));
}

static input_run *runs_of(rule_task *task)
{
    return (input_run *)(task->inputs + task->input_count);
}

/* Stands for an input that came without a chunk; no chunk has a task's address. */
static weft_chunk *failed_input(rule_task *task)
{
    return (weft_chunk *)(void *)task;
}

static uint64_t ref_of(const wf_rule_layer *layer, uint64_t index, uint64_t output)
{
    return wf_ref_of_layer(layer->number, index, output);
}

static void report(wf_rule_graph *graph, const wf_rule_layer *layer, uint64_t index, weft_error *error, bool ends_graph)
{
    wf_rule_layer_task_text(layer, index, error->task);
    error->rank = graph->options.rank;
    graph->options.ops->task_failed(graph->options.owner, ref_of(layer, index, 0), error, ends_graph);
}

static void report_and_clear(wf_rule_graph *graph, const wf_rule_layer *layer, uint64_t index, weft_error *error, bool ends_graph)
{
    report(graph, layer, index, error, ends_graph);
    *error = (weft_error)WEFT_ERROR_INIT;
}

/* ---- making tasks ---- */

static void run_task(void *context, wf_pool_item *item, wf_thread *self);

/* What the rules say that a task takes. */
typedef struct input_plan {
    weft_interval intervals[WEFT_MAX_DEPENDENCIES * WEFT_MAX_INTERVALS];
    uint16_t end[WEFT_MAX_DEPENDENCIES];
    size_t interval_count, input_count;
} input_plan;

static weft_status plan_inputs(const wf_rule_layer *layer, uint64_t index, input_plan *plan, weft_error *err)
{
    plan->interval_count = plan->input_count = 0;
    for (uint32_t d = 0; d < layer->spec->dependency_count; d++) {
        weft_interval *intervals = plan->intervals + plan->interval_count;
        size_t count;
        weft_status status = wf_rule_edge_inputs(&layer->inputs[d], index, intervals, &count, err);
        if (status != WEFT_OK) return status;
        for (size_t i = 0; i < count; i++) plan->input_count += (size_t)(intervals[i].end - intervals[i].begin);
        if (plan->input_count > UINT32_MAX / 2)
            return weft_fail(err, WEFT_EGRAPH, "a task with %zu inputs; join them in a tree", plan->input_count);
        plan->interval_count += count;
        plan->end[d] = (uint16_t)plan->interval_count;
    }
    return WEFT_OK;
}

/* Most records lie in the slab; one with hundreds of inputs is malloc's. */
static rule_task *take_record(wf_rule_graph *graph, wf_slab_cache *cache, size_t bytes, weft_error *err)
{
    return bytes <= WF_SLAB_LARGEST_BYTES ? wf_slab_take(graph->slab, cache, bytes, err) : wf_aligned_alloc(1, bytes, err);
}

static void give_record(rule_task *task, wf_slab_cache *cache, size_t bytes)
{
    if (bytes <= WF_SLAB_LARGEST_BYTES)
        wf_slab_give(task->graph->slab, cache, task, bytes);
    else
        free(task);
}

static size_t record_bytes(size_t input_count, size_t run_count)
{
    return sizeof(rule_task) + input_count * sizeof(weft_chunk *) + run_count * sizeof(input_run);
}

static rule_task *make_task(wf_rule_graph *graph, const wf_rule_layer *layer, uint64_t index, wf_slab_cache *cache, weft_error *err)
{
    input_plan plan;
    if (plan_inputs(layer, index, &plan, err) != WEFT_OK) return NULL;
    rule_task *task = take_record(graph, cache, record_bytes(plan.input_count, plan.interval_count), err);
    if (!task) return NULL;
    task->item.run = run_task;
    task->waiting = (wf_waiting){NULL, index, layer->number};
    task->graph = graph;
    task->layer = layer;
    task->input_count = task->missing = (uint32_t)plan.input_count;
    task->input_failed = false;
    memcpy(task->run_end, plan.end, layer->spec->dependency_count * sizeof *plan.end);
    memset(task->inputs, 0, plan.input_count * sizeof(weft_chunk *));
    input_run *runs = runs_of(task);
    uint32_t position = 0;
    for (size_t i = 0; i < plan.interval_count; i++) {
        runs[i] = (input_run){plan.intervals[i].begin, (uint32_t)(plan.intervals[i].end - plan.intervals[i].begin), position};
        position += runs[i].count;
    }
    return task;
}

static void free_task(rule_task *task, wf_slab_cache *cache)
{
    uint32_t dependencies = task->layer->spec->dependency_count;
    for (uint32_t i = 0; i < task->input_count; i++) {
        if (task->inputs[i] != failed_input(task)) wf_chunk_release_by(cache, task->inputs[i]);
    }
    give_record(task, cache, record_bytes(task->input_count, dependencies ? task->run_end[dependencies - 1] : 0));
}

static void free_waiting(void *context, wf_waiting *waiting)
{
    (void)context;
    free_task(task_of(waiting), NULL);
}

/* ---- inputs that come ---- */

/* Puts the chunk wherever the task takes this source; returns in how many places, UINT32_MAX when it is there already. Takes one reference
 * for each. */
static uint32_t place_input(rule_task *task, const wf_rule_edge *edge, uint64_t source, weft_chunk *chunk)
{
    const input_run *runs = runs_of(task);
    uint32_t places = 0;
    for (uint32_t r = edge->number ? task->run_end[edge->number - 1] : 0; r < task->run_end[edge->number]; r++) {
        if (source - runs[r].begin >= runs[r].count) continue;
        weft_chunk **input = &task->inputs[runs[r].position + (source - runs[r].begin)];
        if (*input) return UINT32_MAX;
        if (places && chunk) weft_chunk_retain(chunk);
        *input = chunk ? chunk : failed_input(task);
        places++;
    }
    task->input_failed |= chunk == NULL;
    return places;
}

static weft_status disagree(const wf_rule_edge *edge, uint64_t index, uint64_t source, uint32_t places, weft_error *err)
{
    char task[64], from[64];
    return weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" disagrees with its inverse: task %s names task %s as a consumer%s; --set "
                     "debug.check_rules=on tests all tasks", edge->rule->name, wf_rule_layer_task_text(edge->source, source, from),
                     wf_rule_layer_task_text(edge->layer, index, task), places ? " twice" : ", which does not take it");
}

static void add_ready(ready_list *ready, rule_task *task)
{
    task->item.next = ready->last;
    ready->last = &task->item;
    ready->count++;
}

/* With the shard locked. The task when this was its last input. */
static rule_task *add_input(wf_rule_graph *graph, wf_frontier_shard *shard, const wf_rule_edge *edge, uint64_t index, uint64_t source,
                            weft_chunk *chunk, wf_slab_cache *cache, weft_error *err)
{
    wf_waiting *waiting = wf_frontier_find(shard, edge->layer->number, index);
    rule_task *task = waiting ? task_of(waiting) : make_task(graph, edge->layer, index, cache, err);
    if (!task) {
        weft_chunk_release(chunk);
        return NULL;
    }
    uint32_t places = place_input(task, edge, source, chunk);
    if (places == 0 || places == UINT32_MAX) {
        weft_chunk_release(chunk);
        disagree(edge, index, source, places, err);
        if (!waiting) free_task(task, cache);
        return NULL;
    }
    task->missing -= places;
    if (task->missing == 0) {
        if (waiting) wf_frontier_remove(shard, waiting);
        return task;
    }
    if (!waiting && wf_frontier_add(shard, &task->waiting, err) != WEFT_OK) free_task(task, cache);
    return NULL;
}

/* Takes the reference on chunk. */
static void give_input(wf_rule_graph *graph, const wf_rule_edge *edge, uint64_t index, uint64_t source, weft_chunk *chunk, ready_list *ready)
{
    wf_frontier_shard *shard = wf_frontier_lock(graph->frontier, edge->layer->number, index);
    rule_task *task = add_input(graph, shard, edge, index, source, chunk, ready->cache, ready->error);
    wf_frontier_unlock(shard);
    if (task) add_ready(ready, task);
    if (ready->error->status != WEFT_OK) report_and_clear(graph, edge->layer, index, ready->error, true);
}

/* ---- who has which task ---- */

/* The partition of task index, and the end of the run of tasks up to `end` that lie in it. */
static uint32_t partition_of(const wf_rule_graph *graph, const wf_rule_layer *layer, uint64_t index, uint64_t end, uint64_t *run_end)
{
    *run_end = end;
    if (graph->is_alone) return 0;
    uint32_t partition = wf_owners_partition(&layer->owners, index, run_end);
    if (*run_end > end) *run_end = end;
    return partition;
}

enum { RETAINED_AT_ONCE = 1 << 20 }; /* references are counted in an int */

/* Gives the output to a run of consumers here. Takes no reference. */
static void give_to_run(wf_rule_graph *graph, const wf_rule_edge *edge, uint64_t source, uint64_t begin, uint64_t end, weft_chunk *chunk,
                        ready_list *ready)
{
    for (uint64_t i = begin, stop; i < end;) {
        stop = end - i > RETAINED_AT_ONCE ? i + RETAINED_AT_ONCE : end;
        if (chunk) wf_chunk_retain_many(chunk, (int)(stop - i));
        for (; i < stop; i++) give_input(graph, edge, i, source, chunk, ready);
    }
}

/* Whether the output goes to this partition from here. Once it is marked it stays so, since then it is given as a whole, although it may be
 * opened meanwhile. */
static bool goes_directly(const wf_rule_graph *graph, thread_state *thread, uint32_t partition, uint32_t *marked)
{
    uint64_t bit = (uint64_t)1 << partition % 64;
    if (graph->is_alone) return true;
    if (*marked && thread->is_marked[partition / 64] & bit) return false;
    if (atomic_load_explicit(&graph->is_open[partition], memory_order_acquire)) return true;
    thread->is_marked[partition / 64] |= bit;
    thread->marked[(*marked)++] = partition;
    return false;
}

/* Along one edge: to consumers in open partitions; the other partitions are marked. */
static void give_along(wf_rule_graph *graph, const wf_rule_edge *edge, uint64_t source, weft_chunk *chunk, ready_list *ready,
                       thread_state *thread, uint32_t *marked)
{
    weft_interval intervals[WEFT_MAX_INTERVALS];
    size_t count;
    if (wf_rule_edge_consumers(edge, source, intervals, &count, ready->error) != WEFT_OK) {
        report_and_clear(graph, edge->source, source, ready->error, true);
        return;
    }
    for (size_t k = 0; k < count; k++) {
        for (uint64_t i = intervals[k].begin, end; i < intervals[k].end; i = end) {
            uint32_t partition = partition_of(graph, edge->layer, i, intervals[k].end, &end);
            if (goes_directly(graph, thread, partition, marked)) give_to_run(graph, edge, source, i, end, chunk, ready);
        }
    }
}

/* ---- what is wanted outside of the layers ---- */

/* The first of the sorted entries whose key is above `key`. */
static size_t above(const wf_wanted *entries, size_t count, uint64_t key)
{
    size_t at = 0;
    while (count > 0) {
        size_t half = count / 2;
        bool is_above = wf_wanted_key(entries[at + half].ref) > key;
        at += is_above ? 0 : half + 1;
        count = is_above ? half : count - half - 1;
    }
    return at;
}

static void give_to_root(const wf_rule_graph *graph, const wf_rule_layer *layer, uint64_t ref, weft_chunk *chunk)
{
    uint64_t key = wf_wanted_key(ref);
    size_t at = above(layer->roots, layer->root_count, key);
    if (at == 0 || key - wf_wanted_key(layer->roots[at - 1].ref) >= layer->roots[at - 1].count) return;
    graph->options.ops->root_output(graph->options.owner, ref, chunk, layer->roots[at - 1].flags);
}

static void give_to_imports(wf_rule_graph *graph, const wf_rule_layer *layer, uint64_t ref, weft_chunk *chunk, thread_state *thread,
                            uint32_t *marked, wf_thread *self)
{
    for (size_t i = above(layer->imports, layer->import_count, wf_wanted_key(ref)); i > 0 && layer->imports[i - 1].ref == ref; i--) {
        uint32_t partition = layer->imports[i - 1].partition;
        if (goes_directly(graph, thread, partition, marked))
            graph->options.ops->import_output(graph->options.owner, ref, chunk, partition, self);
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void export_marked(wf_rule_graph *graph, uint64_t ref, weft_chunk *chunk, thread_state *thread, uint32_t count, wf_thread *self)
{
    if (count > 1) qsort(thread->marked, count, sizeof *thread->marked, compare_numbers);
    for (uint32_t i = 0; i < count; i++) thread->is_marked[thread->marked[i] / 64] = 0;
    graph->options.ops->export_output(graph->options.owner, ref, chunk, thread->marked, count, self);
}

/* ---- running ---- */

/* Takes the reference on chunk. */
static void publish_output(wf_rule_graph *graph, const wf_rule_layer *layer, uint64_t index, uint64_t output, weft_chunk *chunk,
                           ready_list *ready, wf_thread *self)
{
    thread_state *thread = &graph->threads[wf_thread_index(self)];
    uint64_t ref = ref_of(layer, index, output);
    uint32_t marked = 0;
    for (const wf_rule_edge *edge = layer->consumers; edge; edge = edge->next_of_source) {
        if (edge->output == output) give_along(graph, edge, index, chunk, ready, thread, &marked);
    }
    if (layer->import_count) give_to_imports(graph, layer, ref, chunk, thread, &marked, self);
    if (marked) export_marked(graph, ref, chunk, thread, marked, self);
    if (layer->root_count) give_to_root(graph, layer, ref, chunk);
    wf_chunk_release_by(ready->cache, chunk);
}

/* Scratch for the inputs of the rare task that has many. */
enum { INPUTS_ON_STACK = 32 };

static weft_status run_kernel(rule_task *task, weft_task *run, wf_thread *self, weft_error *err)
{
    wf_task_input few[INPUTS_ON_STACK], *inputs = few;
    const wf_rule_layer *layer = task->layer;
    if (task->input_count > INPUTS_ON_STACK && !(inputs = wf_calloc(task->input_count, sizeof *inputs, err))) return WEFT_ENOMEM;
    for (uint32_t i = 0; i < task->input_count; i++) inputs[i] = (wf_task_input){task->inputs[i], true};
    run->index = task->waiting.index;
    run->layer = layer->spec;
    run->output_limits = layer->output_bytes;
    run->inputs = inputs;
    run->input_count = task->input_count;
    run->params = layer->params;
    run->param_bytes = layer->spec->param_bytes;
    run->budget = task->graph->options.budget;
    run->thread = self;
    run->cache = wf_thread_slab_cache(self);
    weft_status status = wf_task_run(run, layer->kernel, err);
    if (inputs != few) free(inputs);
    return status;
}

/* `had` counts of active become ready->count of them; then they are pushed. */
static void hand_on(wf_rule_graph *graph, ready_list *ready, int64_t had, wf_thread *self)
{
    wf_pool *pool = graph->options.pool;
    uint64_t id = graph->options.graph;
    void *keeper = graph->options.keeper;
    const wf_rule_graph_ops *ops = graph->options.ops;
    int64_t change = (int64_t)ready->count - had;
    if (change != 0 && atomic_fetch_add_explicit(&graph->active, change, memory_order_acq_rel) + change == 0) {
        ops->went_quiet(keeper, id, self);
        return;
    }
    for (wf_pool_item *next, *item = ready->last; item; item = next) {
        next = item->next;
        wf_pool_push(pool, self, item);
    }
}

static void run_task(void *context, wf_pool_item *item, wf_thread *self)
{
    rule_task *task = (rule_task *)item;
    wf_rule_graph *graph = task->graph;
    const wf_rule_layer *layer = task->layer;
    uint64_t index = task->waiting.index;
    ready_list ready = {.cache = wf_thread_slab_cache(self), .error = wf_thread_error(self)};
    weft_task run; /* not cleared as a whole: most of it is room for outputs that few tasks have */
    (void)context;
    run.output_count = layer->spec->output_count;
    for (size_t i = 0; i < run.output_count; i++) run.outputs[i] = NULL;
    if (!task->input_failed && !atomic_load_explicit(&graph->cancelled, memory_order_relaxed)) {
        if (run_kernel(task, &run, self, ready.error) != WEFT_OK) report(graph, layer, index, ready.error, false);
        if (ready.error->status != WEFT_OK) *ready.error = (weft_error)WEFT_ERROR_INIT;
    }
    free_task(task, ready.cache);
    for (uint32_t o = 0; o < layer->spec->output_count; o++) {
        if (atomic_load_explicit(&graph->cancelled, memory_order_relaxed))
            wf_chunk_release_by(ready.cache, run.outputs[o]);
        else
            publish_output(graph, layer, index, o, run.outputs[o], &ready, self);
    }
    _Atomic uint64_t *ended = &graph->threads[wf_thread_index(self)].ended;
    atomic_store_explicit(ended, atomic_load_explicit(ended, memory_order_relaxed) + 1, memory_order_release);
    hand_on(graph, &ready, 1, self);
}

/* Along one edge, to the consumers in one partition. */
static void deliver_along(wf_rule_graph *graph, const wf_rule_edge *edge, uint64_t source, uint32_t partition, weft_chunk *chunk,
                          ready_list *ready)
{
    weft_interval intervals[WEFT_MAX_INTERVALS];
    size_t count;
    if (wf_rule_edge_consumers(edge, source, intervals, &count, NULL) != WEFT_OK) return; /* reported where it was made */
    for (size_t k = 0; k < count; k++) {
        for (uint64_t i = intervals[k].begin, end; i < intervals[k].end; i = end) {
            if (partition_of(graph, edge->layer, i, intervals[k].end, &end) == partition)
                give_to_run(graph, edge, source, i, end, chunk, ready);
        }
    }
}

weft_status wf_rule_graph_deliver(wf_rule_graph *graph, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self,
                                  weft_error *err)
{
    uint32_t number = wf_ref_layer(ref);
    uint64_t index = wf_ref_task(ref), output = wf_ref_output(ref);
    const wf_rule_layer *layer = number > 0 && number <= graph->layers.view.layer_count ? &graph->layers.layers[number - 1] : NULL;
    weft_error error = WEFT_ERROR_INIT;
    ready_list ready = {.cache = self ? wf_thread_slab_cache(self) : NULL, .error = &error};
    if (!layer || index >= layer->spec->task_count || output >= layer->spec->output_count) {
        weft_chunk_release(chunk);
        return weft_fail(err, WEFT_EDATA, "a chunk of task %llu of layer %u came, which does not exist; run the same weft on every rank",
                         (unsigned long long)index, number);
    }
    if (!atomic_load_explicit(&graph->cancelled, memory_order_relaxed)) {
        for (const wf_rule_edge *edge = layer->consumers; edge; edge = edge->next_of_source) {
            if (edge->output == output) deliver_along(graph, edge, index, partition, chunk, &ready);
        }
    }
    wf_chunk_release_by(ready.cache, chunk);
    if (ready.count) hand_on(graph, &ready, 0, self);
    return WEFT_OK;
}

/* ---- sources ---- */

bool wf_rule_graph_has_more(const wf_rule_graph *graph)
{
    return atomic_load_explicit(&graph->sources.has_more, memory_order_acquire);
}

bool wf_rule_graph_take(wf_rule_graph *graph, int sharers, wf_rule_batch *batch)
{
    batch->count = wf_rule_sources_take(&graph->sources, sharers, &batch->layer, batch->indices);
    if (batch->count) atomic_fetch_add_explicit(&graph->active, (int64_t)batch->count, memory_order_relaxed);
    return batch->count > 0;
}

wf_pool_item *wf_rule_graph_start(wf_rule_graph *graph, const wf_rule_batch *batch, wf_thread *self)
{
    wf_pool_item *first = NULL;
    weft_error *error = wf_thread_error(self);
    int64_t failed = 0;
    for (size_t i = batch->count; i-- > 0;) { /* the lowest index on top */
        rule_task *task = make_task(graph, batch->layer, batch->indices[i], wf_thread_slab_cache(self), error);
        if (!task) {
            report_and_clear(graph, batch->layer, batch->indices[i], error, true);
            failed++;
            continue;
        }
        if (first) wf_pool_push(graph->options.pool, self, first);
        first = &task->item;
    }
    if (failed) hand_on(graph, &(ready_list){0}, failed, self);
    return first;
}

/* ---- life ---- */

static weft_status init_threads(wf_rule_graph *graph, weft_error *err)
{
    size_t count = graph->thread_count = (size_t)wf_pool_thread_count(graph->options.pool);
    graph->threads = wf_aligned_alloc(count, sizeof *graph->threads, err);
    if (!graph->threads) return WEFT_ENOMEM;
    memset(graph->threads, 0, count * sizeof *graph->threads);
    for (size_t t = 0; t < count; t++) {
        graph->threads[t].is_marked = wf_calloc((graph->partition_count + 63) / 64, sizeof *graph->threads[t].is_marked, err);
        graph->threads[t].marked = wf_calloc(graph->partition_count, sizeof *graph->threads[t].marked, err);
        if (!graph->threads[t].is_marked || !graph->threads[t].marked) return WEFT_ENOMEM;
    }
    return WEFT_OK;
}

weft_status wf_rule_graph_create(const wf_rule_graph_options *options, void *bytes, size_t size_bytes, wf_rule_graph **graph, weft_error *err)
{
    wf_rule_graph *made = wf_aligned_alloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    memset(made, 0, sizeof *made);
    made->options = *options;
    made->slab = wf_pool_slab(options->pool);
    made->partition_count = options->workers * options->per_worker;
    made->is_alone = made->partition_count == 1;
    made->is_open = wf_calloc(made->partition_count, sizeof *made->is_open, err);
    made->kernels = wf_calloc(options->kernel_count, sizeof *made->kernels, err);
    weft_status status = made->kernels && made->is_open ? WEFT_OK : WEFT_ENOMEM;
    if (made->kernels && options->kernel_count) memcpy(made->kernels, options->kernels, options->kernel_count * sizeof *made->kernels);
    wf_rule_sources_init(&made->sources, &made->layers);
    if (status == WEFT_OK) status = init_threads(made, err);
    if (status == WEFT_OK) status = wf_frontier_create(&made->frontier, err);
    if (status == WEFT_OK)
        status = wf_rule_layers_init(&made->layers, bytes, size_bytes, made->kernels, options->kernel_count, options->registry, options->workers,
                                     options->per_worker, err);
    if (status == WEFT_OK)
        *graph = made;
    else
        wf_rule_graph_destroy(made);
    return status;
}

void wf_rule_graph_destroy(wf_rule_graph *graph)
{
    if (!graph) return;
    wf_frontier_destroy(graph->frontier, free_waiting, NULL);
    wf_rule_sources_fini(&graph->sources);
    wf_rule_layers_fini(&graph->layers);
    for (size_t t = 0; graph->threads && t < graph->thread_count; t++) {
        free(graph->threads[t].is_marked);
        free(graph->threads[t].marked);
    }
    free(graph->threads);
    free(graph->is_open);
    free(graph->kernels);
    free(graph);
}

weft_status wf_rule_graph_prepare(wf_rule_graph *graph, bool check, uint32_t first, uint32_t count, uint64_t *ref, weft_error *err)
{
    const wf_layers *view = &graph->layers.view;
    for (size_t r = 0; r < view->rule_count; r++) {
        const char *name = view->texts + view->rule_names[r];
        if (!wf_registry_find_rule(graph->options.registry, name))
            return weft_fail(err, WEFT_ENOENT, "rule \"%.80s\" is not registered in this rank's program; start the same program on every rank",
                             name);
    }
    weft_status status = wf_rule_layers_find_inverses(&graph->layers, err);
    return status == WEFT_OK && check ? wf_rule_graph_check(graph, first, count, UINT64_MAX, ref, err) : status;
}

weft_status wf_rule_graph_check(const wf_rule_graph *graph, uint32_t first, uint32_t count, uint64_t questions, uint64_t *ref, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (uint32_t p = first; status == WEFT_OK && p < first + count; p++)
        status = wf_rule_layers_check(&graph->layers, p, &questions, ref, err);
    return status;
}

uint64_t wf_rule_graph_count(const wf_rule_graph *graph, uint32_t partition)
{
    return wf_rule_layers_count(&graph->layers, partition);
}

weft_status wf_rule_graph_open(wf_rule_graph *graph, uint32_t partition, weft_error *err)
{
    uint64_t tasks = wf_rule_graph_count(graph, partition);
    bool is_cancelled = atomic_load(&graph->cancelled);
    weft_status status = tasks && !is_cancelled ? wf_rule_sources_add(&graph->sources, partition, err) : WEFT_OK;
    if (status != WEFT_OK) return status;
    graph->given += tasks;
    atomic_store(&graph->is_open[partition], true);
    return WEFT_OK;
}

void wf_rule_graph_cancel(wf_rule_graph *graph)
{
    atomic_store(&graph->cancelled, true);
    wf_rule_sources_stop(&graph->sources);
}

int64_t wf_rule_graph_active_count(const wf_rule_graph *graph)
{
    return atomic_load(&graph->active);
}

bool wf_rule_graph_is_quiet(const wf_rule_graph *graph)
{
    return atomic_load(&graph->active) == 0;
}

uint64_t wf_rule_graph_given_count(const wf_rule_graph *graph)
{
    return graph->given;
}

uint64_t wf_rule_graph_ended_count(const wf_rule_graph *graph)
{
    uint64_t ended = 0;
    for (size_t t = 0; t < graph->thread_count; t++)
        ended += atomic_load_explicit(&graph->threads[t].ended, memory_order_acquire);
    if (wf_rule_graph_is_quiet(graph)) return atomic_load(&graph->cancelled) ? graph->given : ended;
    return ended > 0 && ended == graph->given ? ended - 1 : ended; /* the thread of the last one still holds the graph */
}

bool wf_rule_graph_describe_waiting(wf_rule_graph *graph, uint64_t *ref, weft_error *error)
{
    char text[64];
    const wf_waiting *first = wf_frontier_first(graph->frontier);
    if (!first) return false;
    const wf_rule_layer *layer = &graph->layers.layers[first->layer - 1];
    rule_task *task = (rule_task *)((char *)(uintptr_t)first - offsetof(rule_task, waiting));
    const input_run *runs = runs_of(task);
    for (uint32_t d = 0, r = 0; d < layer->spec->dependency_count; d++) {
        for (; r < task->run_end[d]; r++) {
            uint32_t at = 0;
            while (at < runs[r].count && task->inputs[runs[r].position + at]) at++;
            if (at == runs[r].count) continue;
            weft_fail(error, WEFT_EGRAPH, "waits for ever for task %s: rule \"%.64s\" gives it as an input, but its inverse does not name this "
                      "one as a consumer, or that one never became ready; --set debug.check_rules=on tests all tasks",
                      wf_rule_layer_task_text(layer->inputs[d].source, runs[r].begin + at, text), layer->inputs[d].rule->name);
            wf_rule_layer_task_text(layer, first->index, error->task);
            error->rank = graph->options.rank;
            *ref = ref_of(layer, first->index, 0);
            return true;
        }
    }
    return false;
}
