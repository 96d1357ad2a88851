/* Layers by rule on this rank: beginning them, and what they tell. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cluster/worker_state.h"

enum { QUESTIONS_AFTER_STALL = 1 << 22 }; /* some 0.3 s with the lock held */

/* ---- what they tell ---- */

static void on_export(void *owner, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count, wf_thread *self)
{
    wf_worker_on_export(owner, ((wf_worker_graph *)owner)->id, ref, chunk, partitions, count, self);
}

static void on_import(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t partition, wf_thread *self)
{
    wf_worker_graph *graph = owner;
    weft_error error = WEFT_ERROR_INIT;
    if (chunk) weft_chunk_retain(chunk);
    pthread_mutex_lock(&graph->worker->lock);
    wf_local_graph_deliver(graph->local, partition, ref, chunk, self, &error);
    pthread_mutex_unlock(&graph->worker->lock);
    if (error.status != WEFT_OK) wf_worker_report_broken(graph->worker, &error);
}

static void on_root(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t flags)
{
    wf_worker_on_root(owner, ((wf_worker_graph *)owner)->id, ref, chunk, flags);
}

static void on_task_failed(void *owner, uint64_t ref, const weft_error *error, bool ends_graph)
{
    wf_worker_graph *graph = owner;
    if (ends_graph)
        wf_worker_send_failed(graph->worker, WF_MSG_FAILED, graph->id, ref, error, true);
    else
        wf_worker_on_task_failed(owner, graph->id, ref, error);
}

/* A rank goes quiet whenever it waits for others; rank 0 wants to know when it has nothing left to do. */
static void on_went_quiet(void *keeper, uint64_t id, wf_thread *self)
{
    wf_worker *worker = keeper;
    wf_worker_graph *graph;
    pthread_mutex_lock(&worker->lock);
    HASH_FIND(hh, worker->graphs, &id, sizeof id, graph);
    if (graph && !graph->rules) graph = NULL; /* it is gone; something came for it that nobody should have sent */
    if (graph) wf_worker_pay_all(graph);
    bool is_done = graph && wf_rule_graph_is_quiet(graph->rules) && !wf_worker_partitions_has_unopened(graph->partitions) &&
                   wf_rule_graph_ended_count(graph->rules) == wf_rule_graph_given_count(graph->rules);
    if (is_done) wf_worker_send_progress(graph, wf_worker_is_hungry(worker));
    pthread_mutex_unlock(&worker->lock);
    if (is_done) wf_transport_poll(worker->options.transport, self); /* so that it leaves now, not when this thread is idle */
}

/* A task that some rule's inverse misses may not even have begun to wait, and what waits may be far behind it. So the rules are compared first,
 * of tasks that began here, wherever they are now, and for less than a rank is silent before it is taken for lost. */
void wf_worker_tell_waiting(wf_worker_graph *graph)
{
    weft_error error = WEFT_ERROR_INIT;
    uint64_t ref;
    if (wf_rule_graph_check(graph->rules, graph->first_partition, graph->home_count, QUESTIONS_AFTER_STALL, &ref, &error) != WEFT_OK ||
        wf_rule_graph_describe_waiting(graph->rules, &ref, &error))
        on_task_failed(graph, ref, &error, true);
}

/* ---- beginning ---- */

static weft_status create(wf_worker_graph *graph, const wf_graph_message *body, const weft_kernel *const *kernels, weft_error *err)
{
    static const wf_rule_graph_ops ops = {on_export, on_import, on_root, on_task_failed, on_went_quiet};
    wf_worker *worker = graph->worker;
    wf_rule_graph_options options = {body->graph, worker->options.transport->rank, body->partition_count / body->per_rank, body->per_rank,
                                     kernels, body->kernel_count, worker->options.registry, worker->pool, worker->options.budget, &ops,
                                     graph, worker};
    void *bytes = wf_aligned_alloc(1, body->layers_bytes, err);
    if (!bytes) return WEFT_ENOMEM;
    memcpy(bytes, (const char *)body + wf_graph_message_layers_at(body->names_bytes), body->layers_bytes);
    weft_status status = wf_rule_graph_create(&options, bytes, body->layers_bytes, &graph->rules, err);
    if (status != WEFT_OK) free(bytes);
    return status;
}

weft_status wf_worker_begin_rules(wf_worker_graph *graph, const wf_graph_message *body, const weft_kernel *const *kernels, weft_error *err)
{
    wf_worker *worker = graph->worker;
    uint32_t first = (uint32_t)(worker->options.transport->rank - body->first_rank) * body->per_rank;
    graph->first_partition = first;
    graph->home_count = body->per_rank;
    weft_error error = WEFT_ERROR_INIT;
    uint64_t ref = wf_ref_of_layer(1, 0, 0);
    weft_status status = create(graph, body, kernels, err);
    if (status != WEFT_OK) return status;
    if (wf_rule_graph_prepare(graph->rules, worker->options.check_rules, first, body->per_rank, &ref, &error) == WEFT_OK) return WEFT_OK;
    wf_rule_graph_cancel(graph->rules);
    error.rank = worker->options.transport->rank;
    on_task_failed(graph, ref, &error, true);
    return WEFT_OK;
}

/* ---- sources ---- */

void wf_worker_count_sources(wf_worker *worker)
{
    size_t count = 0;
    for (wf_worker_graph *graph = worker->graphs; graph; graph = graph->hh.next)
        count += graph->rules && wf_rule_graph_has_more(graph->rules) && !wf_worker_is_ahead(graph);
    size_t before = atomic_exchange(&worker->source_count, count);
    if (count > before) wf_pool_wake(worker->pool, (size_t)wf_pool_thread_count(worker->pool));
}

/* They are taken under the lock, so that their graph is there, and made into tasks without it. */
wf_pool_item *wf_worker_start_source(wf_worker *worker, wf_thread *self)
{
    wf_rule_batch batch;
    wf_rule_graph *from = NULL;
    if (atomic_load(&worker->source_count) == 0) return NULL;
    pthread_mutex_lock(&worker->lock);
    for (wf_worker_graph *graph = worker->graphs; graph && !from; graph = graph->hh.next) {
        bool may_start = graph->rules && !wf_worker_is_ahead(graph);
        if (may_start && wf_rule_graph_take(graph->rules, wf_pool_thread_count(worker->pool), &batch)) from = graph->rules;
    }
    if (!from) wf_worker_count_sources(worker);
    pthread_mutex_unlock(&worker->lock);
    return from ? wf_rule_graph_start(from, &batch, self) : NULL;
}
