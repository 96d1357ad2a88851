/* A worker: its graphs, the results that it keeps, and how it acts on messages.
 *
 * The lock guards the tables of graphs and kept results, the graphs' partitions, and adding and delivering to local graphs. Tasks run
 * without it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cluster/worker_state.h"

enum { IDLE_NS = 1000000, HUNGRY_AFTER_NS = 100000 };

/* ---- graphs ---- */

static wf_worker_graph *find_graph(wf_worker *worker, uint64_t id)
{
    wf_worker_graph *graph;
    HASH_FIND(hh, worker->graphs, &id, sizeof id, graph);
    return graph;
}

static wf_worker_graph *find_or_add_graph(wf_worker *worker, uint64_t id, weft_error *err)
{
    wf_worker_graph *graph = find_graph(worker, id);
    if (graph) return graph;
    graph = wf_calloc(1, sizeof *graph, err);
    if (!graph) return NULL;
    graph->id = id;
    graph->worker = worker;
    wf_message_queue_init(&graph->early);
    atomic_init(&graph->lowest_failed, UINT64_MAX);
    HASH_ADD(hh, worker->graphs, id, sizeof graph->id, graph);
    if (graph->hh.tbl) return graph;
    wf_message_queue_fini(&graph->early);
    free(graph);
    weft_fail(err, WEFT_ENOMEM, "no memory for another graph");
    return NULL;
}

/* Of a graph that is forgotten after a cancel something may be on its way here still. */
static void abandon(wf_worker *worker, uint64_t id)
{
    if (wf_grow(&worker->abandoned, &worker->abandoned_capacity, worker->abandoned_count + 1, sizeof id, NULL) == WEFT_OK)
        worker->abandoned[worker->abandoned_count++] = id;
}

static bool is_abandoned(const wf_worker *worker, uint64_t id)
{
    for (size_t i = 0; i < worker->abandoned_count; i++) {
        if (worker->abandoned[i] == id) return true;
    }
    return false;
}

static void free_graph(wf_worker *worker, wf_worker_graph *graph)
{
    HASH_DEL(worker->graphs, graph);
    if (graph->local) worker->forgotten_tasks += wf_worker_ended_count(graph);
    if (graph->is_cancelled) abandon(worker, graph->id);
    if (graph->may_move) atomic_fetch_sub(&worker->moving_count, 1);
    wf_worker_partitions_destroy(graph->partitions);
    wf_local_graph_destroy(graph->local);
    wf_rule_graph_destroy(graph->rules);
    wf_message_queue_fini(&graph->early);
    free(graph->owed);
    free(graph->missing);
    free(graph->names);
    free(graph);
}

/* ---- what a local graph tells ---- */

/* What comes next after the last task is idleness: one message tells both. */
static void on_all_ended(void *keeper, uint64_t id, wf_thread *self)
{
    wf_worker *worker = keeper;
    pthread_mutex_lock(&worker->lock);
    wf_worker_graph *graph = find_graph(worker, id);
    bool is_last = graph && graph->local && !wf_worker_partitions_has_unopened(graph->partitions);
    if (is_last && wf_worker_ended_count(graph) > 0) wf_worker_send_progress(graph, wf_worker_is_hungry(worker));
    pthread_mutex_unlock(&worker->lock);
    wf_transport_poll(worker->options.transport, self); /* so that it leaves now, not when this thread is idle */
}

/* ---- what partitions are made of ---- */

static weft_status open_partition(void *owner, wf_partition_content *content, wf_pool_item **next, weft_error *err)
{
    wf_worker_graph *graph = owner;
    weft_status status = wf_local_graph_add(graph->local, content->bytes, content->size_bytes, next, err);
    if (status != WEFT_OK) return status;
    content->bytes = NULL;
    if (!graph->rules) return WEFT_OK;
    status = wf_rule_graph_open(graph->rules, content->partition, err);
    wf_worker_count_sources(graph->worker);
    return status;
}

/* What consumers by rule take, and what explicit tasks import: an output of a layer may be both. */
static weft_status deliver_chunk(void *owner, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self, weft_error *err)
{
    wf_worker_graph *graph = owner;
    weft_status status = WEFT_OK;
    if (wf_ref_layer(ref) && graph->rules) {
        if (chunk) weft_chunk_retain(chunk);
        status = wf_rule_graph_deliver(graph->rules, partition, ref, chunk, self, err);
    }
    weft_status imported = wf_local_graph_deliver(graph->local, partition, ref, chunk, self, err);
    return status == WEFT_OK ? imported : status;
}

static void forward_chunk(void *owner, uint32_t partition, wf_place to, uint64_t ref, weft_chunk *chunk)
{
    wf_worker_send_data(owner, to, ref, chunk, &partition, 1);
    weft_chunk_release(chunk);
}

static void send_partition(void *owner, int rank, wf_partition_content *content)
{
    wf_worker_graph *graph = owner;
    weft_error error = WEFT_ERROR_INIT;
    wf_message message = {.type = WF_MSG_PARTITION, .body = content->bytes, .body_bytes = content->size_bytes};
    content->bytes = NULL;
    wf_transport_send(graph->worker->options.transport, rank, &message, &error);
    if (error.status != WEFT_OK) wf_worker_report_broken(graph->worker, &error);
}

static void wake_thread(void *owner)
{
    wf_pool_wake(((wf_worker_graph *)owner)->worker->pool, 1);
}

/* ---- messages ---- */

static weft_status run_missing(weft_task *task, weft_error *err)
{
    (void)task;
    return weft_fail(err, WEFT_ENOENT, "this rank has no kernel of that name; run the same program, built from the same sources, on "
                     "every rank");
}

/* Resolves the names; one that is unknown gets a kernel that fails and says so, so that the graph ends in the usual way. */
static weft_status resolve_kernels(wf_worker *worker, wf_worker_graph *graph, uint32_t count, const char *names, size_t names_bytes,
                                   const weft_kernel **kernels, weft_error *err)
{
    graph->missing = wf_calloc(count, sizeof *graph->missing, err);
    graph->names = wf_calloc(names_bytes + 1, 1, err);
    if (!graph->missing || !graph->names) return WEFT_ENOMEM;
    memcpy(graph->names, names, names_bytes);
    const char *name = graph->names, *end = graph->names + names_bytes;
    for (uint32_t k = 0; k < count; k++) {
        if (name >= end) return weft_fail(err, WEFT_EDATA, "a graph with %u kernels names only %u; the message was damaged", count, k);
        kernels[k] = wf_registry_find_kernel(worker->options.registry, name);
        if (!kernels[k]) {
            graph->missing[k] = (weft_kernel){name, run_missing};
            kernels[k] = &graph->missing[k];
        }
        name += strlen(name) + 1;
    }
    return WEFT_OK;
}

static weft_status act_on_early(wf_worker *worker, wf_worker_graph *graph, wf_thread *self, weft_error *err);

static weft_status make_graph_parts(wf_worker_graph *graph, const wf_graph_message *body, const weft_kernel *const *kernels,
                                    weft_error *err)
{
    static const wf_local_graph_ops ops = {wf_worker_on_export, wf_worker_on_root, wf_worker_on_task_failed, on_all_ended,
                                           wf_worker_on_find_held};
    static const wf_partition_ops partition_ops = {open_partition, deliver_chunk, forward_chunk, send_partition, wake_thread};
    wf_worker *worker = graph->worker;
    int rank = worker->options.transport->rank;
    wf_worker_partitions_options partitions = {rank, body->partition_count, body->first_rank, body->per_rank, body->coming_count,
                                               &partition_ops, graph, &worker->startable_count};
    wf_local_graph_options local = {body->graph, rank, kernels, body->kernel_count, worker->pool, worker->options.budget, &ops, graph,
                                    worker};
    weft_status status = wf_worker_partitions_create(&partitions, &graph->partitions, err);
    return status == WEFT_OK ? wf_local_graph_create(&local, &graph->local, err) : status;
}

static weft_status begin_graph(wf_worker *worker, const wf_message *message, wf_thread *self, weft_error *err)
{
    const wf_graph_message *body = message->body;
    if (message->body_bytes < sizeof *body || body->per_rank == 0 || body->partition_count < body->per_rank ||
        body->names_bytes > message->body_bytes || wf_graph_message_layers_at(body->names_bytes) > message->body_bytes ||
        body->layers_bytes != message->body_bytes - wf_graph_message_layers_at(body->names_bytes))
        return weft_fail(err, WEFT_EDATA, "a graph message of %zu bytes; it was cut", message->body_bytes);
    const char *names = (const char *)(body + 1);
    wf_worker_graph *graph = find_or_add_graph(worker, body->graph, err);
    const weft_kernel **kernels = wf_calloc(body->kernel_count, sizeof *kernels, err);
    weft_status status = graph && kernels ? WEFT_OK : WEFT_ENOMEM;
    if (status == WEFT_OK)
        status = resolve_kernels(worker, graph, body->kernel_count, names, body->names_bytes, kernels, err);
    if (status == WEFT_OK) status = make_graph_parts(graph, body, kernels, err);
    if (status == WEFT_OK && body->layers_bytes) status = wf_worker_begin_rules(graph, body, kernels, err);
    free(kernels);
    if (status != WEFT_OK) return status;
    graph->partition_count = body->partition_count;
    graph->may_move = body->may_move;
    if (body->may_move) atomic_fetch_add(&worker->moving_count, 1);
    if (body->graph > worker->newest_graph) worker->newest_graph = body->graph;
    atomic_store(&worker->hungry_from_ns, wf_clock_now_ns() + HUNGRY_AFTER_NS);
    atomic_store(&worker->has_told_hunger, false); /* rank 0 begins anew, too */
    return act_on_early(worker, graph, self, err);
}

/* What is to be known of a partition before it is opened. */
static weft_status describe_partition(const wf_worker_graph *graph, const wf_partition *view, wf_partition_content *content,
                                      weft_error *err)
{
    const wf_partition_header *h = view->header;
    content->partition = h->partition;
    content->task_count = h->task_count;
    for (uint32_t i = 0; i < h->export_count; i++) {
        if (view->exports[i] >= graph->partition_count)
            return weft_fail(err, WEFT_EDATA, "partition %u exports to partition %u of %u", h->partition, view->exports[i],
                             graph->partition_count);
    }
    const wf_partition_task *end = view->tasks + (graph->may_move ? h->task_count : 0); /* else it is opened at once */
    for (const wf_partition_task *task = view->tasks; task < end; task++) {
        content->is_bound |= task->kernel == WF_HELD_KERNEL;
        content->has_ready |= task->input_begin == task[1].input_begin && task->kernel != WF_LAYER_KERNEL;
    }
    if (graph->rules) {
        uint64_t tasks = wf_rule_graph_count(graph->rules, h->partition);
        content->task_count += tasks;
        content->has_ready |= tasks > 0; /* perhaps: only its rules tell */
    }
    return WEFT_OK;
}

/* The body of a PARTITION is kept, so it must not lie inside the message. */
_Static_assert(sizeof(wf_partition_header) + sizeof(wf_partition_task) + sizeof(wf_partition_output) > WF_INLINE_BODY_BYTES,
               "a partition's block, even without a task, is larger than a body that lies in its message");

/* One without tasks is opened at once: nobody waits for its end, so if it could move it could be on its way when FORGET comes; and unopened it
 * would stay, so that this rank is never through. */
static weft_status add_partition(wf_worker *worker, wf_message *message, wf_thread *self, weft_error *err)
{
    wf_partition view;
    weft_status status = wf_partition_view(message->body, message->body_bytes, &view, err);
    if (status != WEFT_OK) return status;
    wf_worker_graph *graph = find_graph(worker, view.header->graph);
    wf_partition_content content = {.bytes = message->body, .size_bytes = message->body_bytes};
    status = describe_partition(graph, &view, &content, err);
    if (status != WEFT_OK) return status;
    if (graph->may_move && !graph->is_cancelled && content.task_count > 0) {
        status = wf_worker_partitions_add(graph->partitions, &content, err);
        if (status == WEFT_OK) message->body = NULL;
    } else {
        status = wf_worker_partitions_add_open(graph->partitions, &content, self, err);
        message->body = content.bytes; /* NULL once it is open, whatever came after */
    }
    return status;
}

/* The last partition gets the message's own reference, so that a sole consumer finds the chunk its own. */
static weft_status take_data(wf_worker_graph *graph, wf_message *message, wf_thread *self, weft_error *err)
{
    const wf_data_message *body = message->body;
    if (message->body_bytes < sizeof *body || message->body_bytes < sizeof *body + body->partition_count * sizeof(uint32_t))
        return weft_fail(err, WEFT_EDATA, "a data message of %zu bytes; it was cut", message->body_bytes);
    const uint32_t *partitions = (const uint32_t *)(body + 1);
    weft_status status = WEFT_OK;
    for (uint32_t i = 0; i < body->partition_count && status == WEFT_OK; i++) {
        weft_chunk *chunk = message->chunk;
        if (i + 1 == body->partition_count)
            message->chunk = NULL;
        else if (chunk)
            weft_chunk_retain(chunk);
        status = wf_worker_partitions_deliver(graph->partitions, partitions[i], body->moves, body->ref, chunk, self, err);
    }
    return status;
}

/* ---- handling ---- */

/* Nothing can begin any more, but a partition's tasks end only where it is open. */
static weft_status cancel_graph(wf_worker_graph *graph, bool is_stalled, wf_thread *self, weft_error *err)
{
    if (graph->is_cancelled) return WEFT_OK;
    if (is_stalled && graph->rules) wf_worker_tell_waiting(graph);
    graph->is_cancelled = true;
    wf_local_graph_cancel(graph->local, self);
    if (graph->rules) wf_rule_graph_cancel(graph->rules);
    weft_status status = wf_worker_partitions_open_all(graph->partitions, self, err);
    wf_worker_count_sources(graph->worker);
    /* Who ends the last explicit task tells, but there may be none, and what waits in layers by rule ends by being dropped. */
    if (graph->rules && wf_rule_graph_is_quiet(graph->rules)) wf_worker_send_progress(graph, false);
    return status;
}

static weft_status act_on_ref(wf_worker *worker, const wf_message *message, wf_thread *self, weft_error *err)
{
    const wf_ref_message *body = message->body;
    if (message->body_bytes < sizeof *body) return weft_fail(err, WEFT_EDATA, "a message of %zu bytes; it was cut", message->body_bytes);
    if (message->type == WF_MSG_RELEASE) {
        wf_worker_release_held(worker, body);
        return WEFT_OK;
    }
    wf_worker_graph *graph = find_graph(worker, body->graph);
    if (graph && message->type == WF_MSG_CANCEL && graph->local) return cancel_graph(graph, body->ref == WF_CANCEL_STALLED, self, err);
    if (graph && message->type == WF_MSG_FORGET) free_graph(worker, graph);
    return WEFT_OK;
}

static weft_status take_credit(wf_worker_graph *graph, const wf_message *message, weft_error *err)
{
    const wf_ref_message *body = message->body;
    if (message->body_bytes < sizeof *body) return weft_fail(err, WEFT_EDATA, "a credit of %zu bytes; it was cut", message->body_bytes);
    wf_worker_note_credit(graph, body->ref);
    return WEFT_OK;
}

static weft_status act_in_graph(wf_worker *worker, wf_worker_graph *graph, wf_message *message, wf_thread *self, weft_error *err)
{
    weft_status status = message->type == WF_MSG_DATA ? wf_worker_note_received(graph, message->from, err) : WEFT_OK;
    if (message->type == WF_MSG_DATA || message->type == WF_MSG_TAKE) atomic_fetch_add(&graph->received, 1);
    if (status != WEFT_OK) return status;
    switch (message->type) {
    case WF_MSG_PARTITION: return add_partition(worker, message, self, err);
    case WF_MSG_DATA: return take_data(graph, message, self, err);
    case WF_MSG_GIVE: return wf_worker_give_partitions(graph, message, err);
    case WF_MSG_CREDIT: return take_credit(graph, message, err);
    default: return wf_worker_note_moves(graph, message, err);
    }
}

static weft_status act_on_early(wf_worker *worker, wf_worker_graph *graph, wf_thread *self, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (wf_message *message = wf_message_queue_take_all(&graph->early), *next; message; message = next) {
        next = message->next;
        if (status == WEFT_OK) status = act_in_graph(worker, graph, message, self, err);
        wf_message_destroy(message);
    }
    return status;
}

/* GRAPH may be overtaken by what other workers send, and by chunks. */
static weft_status keep_for_graph(wf_worker *worker, uint64_t id, wf_message *message, weft_error *err)
{
    wf_worker_graph *graph = find_or_add_graph(worker, id, err);
    return graph ? wf_message_queue_put(&graph->early, message, err) : WEFT_ENOMEM;
}

static weft_status find_graph_and_act(wf_worker *worker, wf_message *message, wf_thread *self, weft_error *err)
{
    const uint64_t *words = message->body;
    size_t at = message->type == WF_MSG_PARTITION ? offsetof(wf_partition_header, graph) / sizeof *words : 0;
    if (message->body_bytes < (at + 1) * sizeof *words)
        return weft_fail(err, WEFT_EDATA, "a message of type %u and %zu bytes; it was cut", message->type, message->body_bytes);
    wf_worker_graph *graph = find_graph(worker, words[at]);
    if (graph && graph->local) return act_in_graph(worker, graph, message, self, err);
    if (message->type == WF_MSG_OVERLAY || message->type == WF_MSG_CREDIT || is_abandoned(worker, words[at])) return WEFT_OK;
    if (message->from != 0 || message->chunk) return keep_for_graph(worker, words[at], message, err);
    return weft_fail(err, WEFT_EDATA, "a message of type %u came without graph %llu", message->type, (unsigned long long)words[at]);
}

static weft_status answer_probe(wf_worker *worker, const wf_message *message, weft_error *err)
{
    const wf_ref_message *body = message->body;
    if (message->body_bytes < sizeof *body) return weft_fail(err, WEFT_EDATA, "a question of %zu bytes; it was cut", message->body_bytes);
    wf_worker_graph *graph = find_graph(worker, body->graph);
    wf_worker_answer(worker, graph, body);
    return WEFT_OK;
}

void wf_worker_handle(wf_worker *worker, wf_message *message, wf_thread *self)
{
    weft_error error = WEFT_ERROR_INIT;
    weft_status status = WEFT_OK;
    pthread_mutex_lock(&worker->lock);
    switch (message->type) {
    case WF_MSG_GRAPH: status = begin_graph(worker, message, self, &error); break;
    case WF_MSG_PARTITION:
    case WF_MSG_DATA:
    case WF_MSG_GIVE:
    case WF_MSG_TAKE:
    case WF_MSG_CREDIT:
    case WF_MSG_OVERLAY: status = find_graph_and_act(worker, message, self, &error); break;
    case WF_MSG_CANCEL:
    case WF_MSG_FORGET:
    case WF_MSG_RELEASE: status = act_on_ref(worker, message, self, &error); break;
    case WF_MSG_PROBE: status = answer_probe(worker, message, &error); break;
    default: status = weft_fail(&error, WEFT_EDATA, "message type %u is none of a worker's", message->type); break;
    }
    pthread_mutex_unlock(&worker->lock);
    if (status != WEFT_OK) wf_worker_report_broken(worker, &error);
}

void wf_worker_tick(wf_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool is_hungry = wf_clock_now_ns() - atomic_load(&worker->idle_ns) < worker->idle_after_ns && wf_worker_is_hungry(worker);
    for (wf_worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) {
        if (graph->local) wf_worker_send_progress(graph, is_hungry);
        wf_worker_pay_all(graph);
        wf_worker_look_for_answer(graph);
    }
    pthread_mutex_unlock(&worker->lock);
}

wf_pool *wf_worker_pool(wf_worker *worker)
{
    return worker->pool;
}

/* ---- life ---- */

static bool poll_transport(void *context, wf_thread *self)
{
    wf_worker *worker = context;
    wf_worker_pay_when_due(worker);
    return wf_transport_poll(worker->options.transport, self);
}

weft_status wf_worker_create(const wf_worker_options *options, wf_worker **worker, weft_error *err)
{
    wf_worker *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->options = *options;
    made->idle_after_ns = 2 * (options->pool.idle_sleep_ns > IDLE_NS ? options->pool.idle_sleep_ns : IDLE_NS);
    pthread_mutex_init(&made->lock, NULL);
    wf_pool_options pool = options->pool;
    pool.poll = options->has_comm_thread ? NULL : poll_transport;
    pool.find_more = wf_worker_find_more;
    pool.has_more = wf_worker_has_more;
    pool.budget = options->budget;
    weft_status status = WEFT_OK;
    pool.context = made;
    status = wf_pool_create(&pool, &made->pool, err);
    if (status == WEFT_OK) {
        *worker = made;
    } else {
        pthread_mutex_destroy(&made->lock);
        free(made);
    }
    return status;
}

weft_status wf_worker_start(wf_worker *worker, weft_error *err)
{
    return wf_pool_start(worker->pool, err);
}

void wf_worker_destroy(wf_worker *worker)
{
    if (!worker) return;
    wf_pool_destroy(worker->pool);
    while (worker->graphs) free_graph(worker, worker->graphs);
    while (worker->held) {
        wf_held_result *held = worker->held;
        HASH_DEL(worker->held, held);
        weft_chunk_release(held->chunk);
        free(held);
    }
    pthread_mutex_destroy(&worker->lock);
    free(worker->abandoned);
    free(worker);
}
