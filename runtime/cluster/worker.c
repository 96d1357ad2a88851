/* A worker: its graphs, the chunks that came early, and the results that it keeps.
 *
 * The lock guards the tables of graphs and kept results, and adding and delivering to local graphs. Tasks run without it.
 */
#include "cluster/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1 /* an element that could not be added has no table: hh.tbl is NULL */
#include <uthash.h>

#include "base/clock.h"
#include "base/memory.h"
#include "exec/local_graph.h"
#include "exec/rule_graph.h"
#include "topology/memory.h"

enum { RSS_INTERVAL_NS = 10000000 };

typedef struct early_chunk { /* for a partition that is not here yet */
    struct early_chunk *next;
    uint32_t partition;
    uint64_t ref;
    weft_chunk *chunk; /* NULL: failed */
} early_chunk;

typedef struct worker_graph {
    uint64_t id;
    wf_worker *worker;
    wf_local_graph *local;   /* NULL until GRAPH came */
    wf_rule_graph *rules;    /* NULL: no layers by rule */
    wf_graph_message rule;   /* who has which partition; fixed once local is there */
    early_chunk *early;
    _Atomic uint64_t lowest_failed; /* ref of the failed task told to rank 0: only one that comes before it is told after it */
    weft_kernel *missing;    /* stand-ins for kernels that this rank does not have; NULL: none */
    char *names;             /* theirs */
    UT_hash_handle hh;
} worker_graph;

typedef struct held_key {
    uint64_t graph, ref;
} held_key;

typedef struct held_result {
    held_key key;
    weft_chunk *chunk;
    UT_hash_handle hh;
} held_result;

struct wf_worker {
    wf_worker_options options;
    pthread_mutex_t lock;
    worker_graph *graphs;
    held_result *held;
    uint64_t forgotten_tasks;        /* that ended in graphs that are gone */
    atomic_int source_count;         /* graphs whose layers by rule may have tasks that nobody has had */
    atomic_bool has_untold_failure; /* the next tick tells it, before the progress that could end the graph */
    _Atomic uint64_t rss_peak_bytes; /* as last read */
    _Atomic int64_t rss_read_ns;
    wf_pool *pool;
};

/* ---- sending ---- */

static void *make_body(wf_message *message, uint32_t type, size_t bytes, weft_error *err)
{
    *message = (wf_message){.type = type, .body_bytes = bytes};
    message->body = wf_aligned_alloc(1, bytes, err);
    if (message->body) memset(message->body, 0, bytes);
    return message->body;
}

/* What cannot be sent for want of memory is not forgotten: rank 0 would take the graph for a success. */
static void send_failed(wf_worker *worker, uint32_t type, uint64_t graph, uint64_t ref, const weft_error *error, bool ends_graph)
{
    wf_message message;
    wf_failed_message *body = make_body(&message, type, sizeof *body, NULL);
    if (body) {
        *body = (wf_failed_message){graph, ref, ends_graph, *error};
        body->error.rank = worker->options.transport->rank;
    }
    if (!body || wf_transport_send(worker->options.transport, 0, &message, NULL) != WEFT_OK)
        atomic_store(&worker->has_untold_failure, true);
}

/* Something that cannot be told from task to task: the session is told that this rank cannot go on. */
static void report_broken(wf_worker *worker, const weft_error *error)
{
    send_failed(worker, WF_MSG_BROKEN, 0, 0, error, true);
}

/* Reading it costs some 20 us, too much for every graph that ends. */
static void read_rss(wf_worker *worker)
{
    int64_t ns = wf_clock_now_ns();
    if (ns - atomic_load(&worker->rss_read_ns) < RSS_INTERVAL_NS) return;
    wf_memory_usage usage;
    atomic_store(&worker->rss_read_ns, ns);
    if (wf_memory_get_usage(&usage, NULL) == WEFT_OK) atomic_store(&worker->rss_peak_bytes, usage.peak_rss_bytes);
}

static uint64_t ended_count(const worker_graph *graph)
{
    uint64_t ended = graph->local ? wf_local_graph_ended_count(graph->local) : 0;
    return graph->rules ? ended + wf_rule_graph_ended_count(graph->rules) : ended;
}

/* With the lock held. */
static wf_rank_stats make_stats(wf_worker *worker)
{
    uint64_t tasks = worker->forgotten_tasks;
    for (worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) tasks += ended_count(graph);
    read_rss(worker);
    return (wf_rank_stats){
        .tasks_ended = tasks,
        .bytes_sent = wf_transport_bytes_sent(worker->options.transport),
        .memory_peak_bytes = wf_budget_peak_bytes(worker->options.budget),
        .rss_peak_bytes = atomic_load(&worker->rss_peak_bytes),
    };
}

/* False while a failure is still to be told. */
static bool tell_untold_failure(wf_worker *worker)
{
    if (!atomic_exchange(&worker->has_untold_failure, false)) return true;
    weft_error error = WEFT_ERROR_INIT;
    weft_fail(&error, WEFT_ENOMEM, "no memory to report a failure; use smaller chunks or more ranks");
    report_broken(worker, &error);
    return !atomic_load(&worker->has_untold_failure);
}

/* With the lock held. */
static void send_progress(wf_worker *worker, uint64_t graph, uint64_t ended)
{
    wf_message message;
    if (!tell_untold_failure(worker)) return;
    wf_progress_message *body = make_body(&message, WF_MSG_PROGRESS, sizeof *body, NULL);
    if (!body) return;
    *body = (wf_progress_message){graph, ended, make_stats(worker)};
    wf_transport_send(worker->options.transport, 0, &message, NULL);
}

/* ---- graphs ---- */

static worker_graph *find_graph(wf_worker *worker, uint64_t id)
{
    worker_graph *graph;
    HASH_FIND(hh, worker->graphs, &id, sizeof id, graph);
    return graph;
}

static worker_graph *find_or_add_graph(wf_worker *worker, uint64_t id, weft_error *err)
{
    worker_graph *graph = find_graph(worker, id);
    if (graph) return graph;
    graph = wf_calloc(1, sizeof *graph, err);
    if (!graph) return NULL;
    graph->id = id;
    graph->worker = worker;
    atomic_init(&graph->lowest_failed, UINT64_MAX);
    HASH_ADD(hh, worker->graphs, id, sizeof graph->id, graph);
    if (graph->hh.tbl) return graph;
    free(graph);
    weft_fail(err, WEFT_ENOMEM, "no memory for another graph");
    return NULL;
}

static void free_graph(wf_worker *worker, worker_graph *graph)
{
    HASH_DEL(worker->graphs, graph);
    worker->forgotten_tasks += ended_count(graph);
    wf_local_graph_destroy(graph->local);
    wf_rule_graph_destroy(graph->rules);
    while (graph->early) {
        early_chunk *next = graph->early->next;
        weft_chunk_release(graph->early->chunk);
        free(graph->early);
        graph->early = next;
    }
    free(graph->missing);
    free(graph->names);
    free(graph);
}

/* What consumers by rule take, and what explicit tasks import: either may be both. Takes the reference on chunk. */
static weft_status deliver_here(worker_graph *graph, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self, weft_error *err)
{
    weft_status status = WEFT_OK;
    if (wf_ref_layer(ref) && graph->rules) {
        if (chunk) weft_chunk_retain(chunk);
        status = wf_rule_graph_deliver(graph->rules, partition, ref, chunk, self, err);
    }
    weft_status imported = wf_local_graph_deliver(graph->local, partition, ref, chunk, self, err);
    return status == WEFT_OK ? imported : status;
}

/* With the lock held: to the partition if it is here, else kept for it. Takes the reference on chunk. */
static weft_status deliver(worker_graph *graph, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self, weft_error *err)
{
    if (graph->local && wf_local_graph_has_partition(graph->local, partition))
        return deliver_here(graph, partition, ref, chunk, self, err);
    early_chunk *early = wf_calloc(1, sizeof *early, err);
    if (!early) {
        weft_chunk_release(chunk);
        return WEFT_ENOMEM;
    }
    *early = (early_chunk){graph->early, partition, ref, chunk};
    graph->early = early;
    return WEFT_OK;
}

static weft_status deliver_early(worker_graph *graph, uint32_t partition, wf_thread *self, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (early_chunk **link = &graph->early; *link && status == WEFT_OK;) {
        early_chunk *early = *link;
        if (early->partition != partition) {
            link = &early->next;
            continue;
        }
        *link = early->next;
        status = deliver_here(graph, partition, early->ref, early->chunk, self, err);
        free(early);
    }
    return status;
}

/* ---- what a local graph tells ---- */

static void send_data(worker_graph *graph, int rank, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count)
{
    wf_message message;
    weft_error error = WEFT_ERROR_INIT;
    wf_data_message *body = make_body(&message, WF_MSG_DATA, sizeof *body + count * sizeof *partitions, &error);
    if (body) {
        *body = (wf_data_message){graph->id, ref, count, 0};
        memcpy(body + 1, partitions, count * sizeof *partitions);
        if (chunk) weft_chunk_retain(chunk);
        message.chunk = chunk;
        wf_transport_send(graph->worker->options.transport, rank, &message, &error);
    }
    if (error.status != WEFT_OK) report_broken(graph->worker, &error);
}

static int32_t owner_of(const worker_graph *graph, uint32_t partition)
{
    return graph->rule.first_rank + (int32_t)(partition / graph->rule.per_rank);
}

/* Partitions come in ascending order, and neighbours mostly lie on one rank: each run of them costs one message. */
static void on_export(void *owner, uint64_t id, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count,
                      wf_thread *self)
{
    worker_graph *graph = owner;
    wf_worker *worker = graph->worker;
    (void)id;
    for (uint32_t begin = 0, end; begin < count; begin = end) {
        int32_t rank = owner_of(graph, partitions[begin]);
        for (end = begin + 1; end < count && owner_of(graph, partitions[end]) == rank; end++) continue;
        if (rank != worker->options.transport->rank) {
            send_data(graph, rank, ref, chunk, partitions + begin, end - begin);
            wf_transport_poll(worker->options.transport, self); /* the other rank may be waiting for it */
            continue;
        }
        weft_error error = WEFT_ERROR_INIT;
        pthread_mutex_lock(&worker->lock);
        for (uint32_t i = begin; i < end; i++) {
            if (chunk) weft_chunk_retain(chunk);
            deliver(graph, partitions[i], ref, chunk, self, &error);
        }
        pthread_mutex_unlock(&worker->lock);
        if (error.status != WEFT_OK) report_broken(worker, &error);
    }
}

static weft_status hold(wf_worker *worker, uint64_t graph, uint64_t ref, weft_chunk *chunk, weft_error *err)
{
    held_result *held = wf_calloc(1, sizeof *held, err);
    if (!held) return WEFT_ENOMEM;
    held->key = (held_key){graph, ref};
    held->chunk = chunk;
    weft_chunk_retain(chunk);
    pthread_mutex_lock(&worker->lock);
    HASH_ADD(hh, worker->held, key, sizeof held->key, held);
    bool is_added = held->hh.tbl != NULL;
    pthread_mutex_unlock(&worker->lock);
    if (is_added) return WEFT_OK;
    weft_chunk_release(chunk);
    free(held);
    return weft_fail(err, WEFT_ENOMEM, "no memory to keep another result");
}

static void on_root(void *owner, uint64_t id, uint64_t ref, weft_chunk *chunk, uint32_t flags)
{
    wf_worker *worker = ((worker_graph *)owner)->worker;
    weft_error error = WEFT_ERROR_INIT;
    if (!chunk) return; /* the failure was told as such */
    if (flags & WF_OUTPUT_KEEP) hold(worker, id, ref, chunk, &error);
    if (flags & WF_OUTPUT_GATHER) {
        wf_message message;
        wf_ref_message *body = make_body(&message, WF_MSG_ROOT, sizeof *body, &error);
        if (body) {
            *body = (wf_ref_message){id, ref};
            weft_chunk_retain(chunk);
            message.chunk = chunk;
            wf_transport_send(worker->options.transport, 0, &message, &error);
        }
    }
    if (error.status != WEFT_OK) report_broken(worker, &error);
}

/* Rank 0 reports the failed task that comes first in the graph; to tell it of each of a million would drown it. */
static void on_task_failed(void *owner, uint64_t id, uint64_t ref, const weft_error *error)
{
    worker_graph *graph = owner;
    uint64_t lowest = atomic_load(&graph->lowest_failed);
    while (ref < lowest) {
        if (!atomic_compare_exchange_weak(&graph->lowest_failed, &lowest, ref)) continue;
        send_failed(graph->worker, WF_MSG_FAILED, id, ref, error, false);
        return;
    }
}

static void on_all_ended(void *keeper, uint64_t id, wf_thread *self)
{
    wf_worker *worker = keeper;
    uint64_t ended = 0;
    pthread_mutex_lock(&worker->lock);
    worker_graph *graph = find_graph(worker, id);
    if (graph) ended = ended_count(graph);
    if (ended) send_progress(worker, id, ended);
    pthread_mutex_unlock(&worker->lock);
    wf_transport_poll(worker->options.transport, self); /* so that it leaves now, not when this thread is idle */
}

static weft_chunk *on_find_held(void *owner, uint64_t graph, uint64_t ref)
{
    wf_worker *worker = ((worker_graph *)owner)->worker;
    held_key key = {graph, ref};
    held_result *held;
    pthread_mutex_lock(&worker->lock);
    HASH_FIND(hh, worker->held, &key, sizeof key, held);
    weft_chunk *chunk = held ? held->chunk : NULL;
    if (chunk) weft_chunk_retain(chunk);
    pthread_mutex_unlock(&worker->lock);
    return chunk;
}

/* ---- what layers by rule tell ---- */

static void on_rule_root(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t flags)
{
    on_root(owner, ((worker_graph *)owner)->id, ref, chunk, flags);
}

static void on_rule_export(void *owner, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count, wf_thread *self)
{
    on_export(owner, ((worker_graph *)owner)->id, ref, chunk, partitions, count, self);
}

static void on_rule_import(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t partition, wf_thread *self)
{
    worker_graph *graph = owner;
    weft_error error = WEFT_ERROR_INIT;
    if (chunk) weft_chunk_retain(chunk);
    pthread_mutex_lock(&graph->worker->lock);
    wf_local_graph_deliver(graph->local, partition, ref, chunk, self, &error);
    pthread_mutex_unlock(&graph->worker->lock);
    if (error.status != WEFT_OK) report_broken(graph->worker, &error);
}

static void on_rule_task_failed(void *owner, uint64_t ref, const weft_error *error, bool ends_graph)
{
    worker_graph *graph = owner;
    if (ends_graph)
        send_failed(graph->worker, WF_MSG_FAILED, graph->id, ref, error, true);
    else
        on_task_failed(owner, graph->id, ref, error);
}

/* A rank goes quiet whenever it waits for others; rank 0 wants to know when it has nothing left to do. */
static void on_went_quiet(void *keeper, uint64_t id, wf_thread *self)
{
    wf_worker *worker = keeper;
    pthread_mutex_lock(&worker->lock);
    worker_graph *graph = find_graph(worker, id);
    bool is_done = graph && wf_rule_graph_is_quiet(graph->rules) &&
                   wf_rule_graph_ended_count(graph->rules) == wf_rule_graph_given_count(graph->rules);
    if (is_done) send_progress(worker, id, ended_count(graph));
    pthread_mutex_unlock(&worker->lock);
    if (is_done) wf_transport_poll(worker->options.transport, self); /* so that it leaves now, not when this thread is idle */
}

/* ---- messages ---- */

static weft_status run_missing(weft_task *task, weft_error *err)
{
    (void)task;
    return weft_fail(err, WEFT_ENOENT, "this rank has no kernel of that name; run the same program, built from the same sources, on "
                     "every rank");
}

/* Resolves the names; one that is unknown gets a kernel that fails and says so, so that the graph ends in the usual way. */
static weft_status resolve_kernels(wf_worker *worker, worker_graph *graph, uint32_t count, const char *names, size_t names_bytes,
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

/* Starts the layers by rule of a graph, which come with its message. What is wrong with them ends the graph, not the session. */
static weft_status begin_rules(worker_graph *graph, const wf_graph_message *body, const weft_kernel *const *kernels, weft_error *err)
{
    static const wf_rule_graph_ops ops = {on_rule_export, on_rule_import, on_rule_root, on_rule_task_failed, on_went_quiet};
    wf_worker *worker = graph->worker;
    int32_t rank = worker->options.transport->rank;
    uint32_t first = (uint32_t)(rank - body->first_rank) * body->per_rank;
    weft_error error = WEFT_ERROR_INIT;
    wf_rule_graph_options options = {body->graph, rank, body->partition_count / body->per_rank, body->per_rank, kernels,
                                     body->kernel_count, worker->options.registry, worker->pool, worker->options.budget, &ops, graph, worker};
    void *bytes = wf_aligned_alloc(1, body->layers_bytes, err);
    if (!bytes) return WEFT_ENOMEM;
    memcpy(bytes, (const char *)body + wf_graph_message_layers_at(body->names_bytes), body->layers_bytes);
    weft_status status = wf_rule_graph_create(&options, bytes, body->layers_bytes, &graph->rules, err);
    if (status != WEFT_OK) {
        free(bytes);
        return status;
    }
    wf_rule_graph_prepare(graph->rules, worker->options.check_rules, first, body->per_rank, &error);
    if (error.status != WEFT_OK) {
        wf_rule_graph_cancel(graph->rules);
        on_rule_task_failed(graph, wf_ref_of_layer(1, 0, 0), &error, true);
    }
    return status;
}

static weft_status begin_graph(wf_worker *worker, const wf_message *message, weft_error *err)
{
    static const wf_local_graph_ops ops = {on_export, on_root, on_task_failed, on_all_ended, on_find_held};
    const wf_graph_message *body = message->body;
    if (message->body_bytes < sizeof *body || body->per_rank == 0 || body->names_bytes > message->body_bytes ||
        message->body_bytes != wf_graph_message_layers_at(body->names_bytes) + body->layers_bytes)
        return weft_fail(err, WEFT_EDATA, "a graph message of %zu bytes; it was cut", message->body_bytes);
    const char *names = (const char *)(body + 1);
    worker_graph *graph = find_or_add_graph(worker, body->graph, err);
    const weft_kernel **kernels = wf_calloc(body->kernel_count, sizeof *kernels, err);
    weft_status status = graph && kernels ? WEFT_OK : WEFT_ENOMEM;
    if (status == WEFT_OK)
        status = resolve_kernels(worker, graph, body->kernel_count, names, body->names_bytes, kernels, err);
    if (status == WEFT_OK) {
        graph->rule = *body;
        wf_local_graph_options options = {body->graph, worker->options.transport->rank, kernels, body->kernel_count, worker->pool,
                                          worker->options.budget, &ops, graph, worker};
        status = wf_local_graph_create(&options, &graph->local, err);
    }
    if (status == WEFT_OK && body->layers_bytes) status = begin_rules(graph, body, kernels, err);
    free(kernels);
    return status;
}

static weft_status add_partition(wf_worker *worker, wf_message *message, wf_thread *self, weft_error *err)
{
    wf_partition view;
    weft_status status = wf_partition_view(message->body, message->body_bytes, &view, err);
    if (status != WEFT_OK) return status;
    uint64_t id = view.header->graph;
    uint32_t partition = view.header->partition;
    worker_graph *graph = find_graph(worker, id);
    if (!graph || !graph->local || partition >= graph->rule.partition_count)
        return weft_fail(err, WEFT_EDATA, "partition %u of graph %llu came without its graph", partition, (unsigned long long)id);
    for (uint32_t i = 0; i < view.header->export_count; i++) {
        if (view.exports[i] >= graph->rule.partition_count)
            return weft_fail(err, WEFT_EDATA, "partition %u exports to partition %u of %u", partition, view.exports[i],
                             graph->rule.partition_count);
    }
    status = wf_local_graph_add(graph->local, message->body, message->body_bytes, err);
    if (status != WEFT_OK) return status;
    message->body = NULL;
    if (graph->rules) status = wf_rule_graph_open(graph->rules, partition, err);
    return status == WEFT_OK ? deliver_early(graph, partition, self, err) : status;
}

/* The last partition gets the message's own reference, so that a sole consumer finds the chunk its own. */
static weft_status take_data(wf_worker *worker, wf_message *message, wf_thread *self, weft_error *err)
{
    const wf_data_message *body = message->body;
    if (message->body_bytes < sizeof *body || message->body_bytes < sizeof *body + body->partition_count * sizeof(uint32_t))
        return weft_fail(err, WEFT_EDATA, "a data message of %zu bytes; it was cut", message->body_bytes);
    const uint32_t *partitions = (const uint32_t *)(body + 1);
    worker_graph *graph = find_or_add_graph(worker, body->graph, err);
    weft_status status = graph ? WEFT_OK : WEFT_ENOMEM;
    for (uint32_t i = 0; i < body->partition_count && status == WEFT_OK; i++) {
        weft_chunk *chunk = message->chunk;
        if (i + 1 == body->partition_count)
            message->chunk = NULL;
        else if (chunk)
            weft_chunk_retain(chunk);
        status = deliver(graph, partitions[i], body->ref, chunk, self, err);
    }
    return status;
}

static void release_held(wf_worker *worker, const wf_ref_message *body)
{
    held_key key = {body->graph, body->ref};
    held_result *held;
    HASH_FIND(hh, worker->held, &key, sizeof key, held);
    if (!held) return;
    HASH_DEL(worker->held, held);
    weft_chunk_release(held->chunk);
    free(held);
}

static weft_status act_on_ref(wf_worker *worker, const wf_message *message, wf_thread *self, weft_error *err)
{
    const wf_ref_message *body = message->body;
    if (message->body_bytes < sizeof *body) return weft_fail(err, WEFT_EDATA, "a message of %zu bytes; it was cut", message->body_bytes);
    if (message->type == WF_MSG_RELEASE) {
        release_held(worker, body);
        return WEFT_OK;
    }
    worker_graph *graph = find_graph(worker, body->graph);
    if (graph && message->type == WF_MSG_CANCEL && graph->local) wf_local_graph_cancel(graph->local, self);
    if (graph && message->type == WF_MSG_CANCEL && graph->rules) {
        wf_rule_graph_cancel(graph->rules);
        if (wf_rule_graph_is_quiet(graph->rules)) send_progress(worker, graph->id, ended_count(graph));
    }
    if (graph && message->type == WF_MSG_FORGET) free_graph(worker, graph);
    return WEFT_OK;
}

static void count_sources(wf_worker *worker)
{
    int count = 0;
    for (worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) count += graph->rules && wf_rule_graph_has_more(graph->rules);
    atomic_store(&worker->source_count, count);
}

void wf_worker_handle(wf_worker *worker, wf_message *message, wf_thread *self)
{
    weft_error error = WEFT_ERROR_INIT;
    weft_status status = WEFT_OK;
    pthread_mutex_lock(&worker->lock);
    switch (message->type) {
    case WF_MSG_GRAPH: status = begin_graph(worker, message, &error); break;
    case WF_MSG_PARTITION: status = add_partition(worker, message, self, &error); break;
    case WF_MSG_DATA: status = take_data(worker, message, self, &error); break;
    case WF_MSG_CANCEL:
    case WF_MSG_FORGET:
    case WF_MSG_RELEASE: status = act_on_ref(worker, message, self, &error); break;
    default: status = weft_fail(&error, WEFT_EDATA, "message type %u is none of a worker's", message->type); break;
    }
    count_sources(worker);
    bool has_new_sources = message->type == WF_MSG_PARTITION && atomic_load(&worker->source_count) > 0;
    pthread_mutex_unlock(&worker->lock);
    if (has_new_sources) wf_pool_wake(worker->pool, (size_t)wf_pool_thread_count(worker->pool));
    if (status != WEFT_OK) report_broken(worker, &error);
}

void wf_worker_tick(wf_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    for (worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) {
        if (graph->local) send_progress(worker, graph->id, ended_count(graph));
    }
    pthread_mutex_unlock(&worker->lock);
}

wf_pool *wf_worker_pool(wf_worker *worker)
{
    return worker->pool;
}

/* ---- life ---- */

/* Sources are taken under the lock, so that their graph is there, and made into tasks without it. */
static wf_pool_item *find_more(void *context, wf_thread *self, bool before_stealing)
{
    wf_worker *worker = context;
    wf_rule_batch batch;
    wf_rule_graph *from = NULL;
    if (!before_stealing || atomic_load(&worker->source_count) == 0) return NULL;
    pthread_mutex_lock(&worker->lock);
    for (worker_graph *graph = worker->graphs; graph && !from; graph = graph->hh.next) {
        if (graph->rules && wf_rule_graph_take(graph->rules, wf_pool_thread_count(worker->pool), &batch)) from = graph->rules;
    }
    count_sources(worker);
    pthread_mutex_unlock(&worker->lock);
    return from ? wf_rule_graph_start(from, &batch, self) : NULL;
}

static bool has_more(void *context)
{
    return atomic_load(&((wf_worker *)context)->source_count) > 0;
}

static bool poll_transport(void *context, wf_thread *self)
{
    return wf_transport_poll(((wf_worker *)context)->options.transport, self);
}

weft_status wf_worker_create(const wf_worker_options *options, wf_worker **worker, weft_error *err)
{
    wf_worker *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->options = *options;
    pthread_mutex_init(&made->lock, NULL);
    wf_pool_options pool = options->pool;
    pool.poll = options->has_comm_thread ? NULL : poll_transport;
    pool.find_more = find_more;
    pool.has_more = has_more;
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
        held_result *held = worker->held;
        HASH_DEL(worker->held, held);
        weft_chunk_release(held->chunk);
        free(held);
    }
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
