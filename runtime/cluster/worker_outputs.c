/* Where outputs go: to partitions, here or elsewhere; to the client; among the results that are kept here. And failures, which go to rank 0.
 * From pool threads, without the worker's lock, which is taken for the tables. */
#include <stdlib.h>

#include "base/memory.h"
#include "cluster/worker_state.h"

/* Partitions come in ascending order, and neighbours mostly lie on one rank: each run of them costs one message. What has moved from here
 * since it was looked up is forwarded by deliver. */
void wf_worker_on_export(void *owner, uint64_t id, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count,
                         wf_thread *self)
{
    wf_worker_graph *graph = owner;
    wf_worker *worker = graph->worker;
    (void)id;
    for (uint32_t begin = 0, end; begin < count; begin = end) {
        wf_place place = wf_worker_partitions_get_place(graph->partitions, partitions[begin]);
        for (end = begin + 1; end < count; end++) {
            wf_place next = wf_worker_partitions_get_place(graph->partitions, partitions[end]);
            if (next.rank != place.rank || next.moves != place.moves) break;
        }
        if (place.rank != worker->options.transport->rank) {
            wf_worker_send_data(graph, place, ref, chunk, partitions + begin, end - begin);
            wf_transport_poll(worker->options.transport, self); /* the other rank may be waiting for it */
            continue;
        }
        weft_error error = WEFT_ERROR_INIT;
        pthread_mutex_lock(&worker->lock);
        for (uint32_t i = begin; i < end; i++) {
            if (chunk) weft_chunk_retain(chunk);
            wf_worker_partitions_deliver(graph->partitions, partitions[i], place.moves, ref, chunk, self, &error);
        }
        pthread_mutex_unlock(&worker->lock);
        if (error.status != WEFT_OK) wf_worker_report_broken(worker, &error);
    }
}

static weft_status hold(wf_worker *worker, uint64_t graph, uint64_t ref, weft_chunk *chunk, weft_error *err)
{
    wf_held_result *held = wf_calloc(1, sizeof *held, err);
    if (!held) return WEFT_ENOMEM;
    held->key = (wf_held_key){graph, ref};
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

void wf_worker_on_root(void *owner, uint64_t id, uint64_t ref, weft_chunk *chunk, uint32_t flags)
{
    wf_worker *worker = ((wf_worker_graph *)owner)->worker;
    weft_error error = WEFT_ERROR_INIT;
    if (!chunk) return; /* the failure was told as such */
    if (flags & WF_OUTPUT_KEEP) hold(worker, id, ref, chunk, &error);
    if (flags & WF_OUTPUT_GATHER) {
        wf_message message;
        wf_ref_message *body = wf_worker_make_body(&message, WF_MSG_ROOT, sizeof *body, &error);
        if (body) {
            *body = (wf_ref_message){id, ref};
            weft_chunk_retain(chunk);
            message.chunk = chunk;
            wf_transport_send(worker->options.transport, 0, &message, &error);
        }
    }
    if (error.status != WEFT_OK) wf_worker_report_broken(worker, &error);
}

/* Rank 0 reports the failed task that comes first in the graph; to tell it of each of a million would drown it. */
void wf_worker_on_task_failed(void *owner, uint64_t id, uint64_t ref, const weft_error *error)
{
    wf_worker_graph *graph = owner;
    uint64_t lowest = atomic_load(&graph->lowest_failed);
    while (ref < lowest) {
        if (!atomic_compare_exchange_weak(&graph->lowest_failed, &lowest, ref)) continue;
        wf_worker_send_failed(graph->worker, WF_MSG_FAILED, id, ref, error, false);
        return;
    }
}

weft_chunk *wf_worker_on_find_held(void *owner, uint64_t graph, uint64_t ref)
{
    wf_worker *worker = ((wf_worker_graph *)owner)->worker;
    wf_held_key key = {graph, ref};
    wf_held_result *held;
    pthread_mutex_lock(&worker->lock);
    HASH_FIND(hh, worker->held, &key, sizeof key, held);
    weft_chunk *chunk = held ? held->chunk : NULL;
    if (chunk) weft_chunk_retain(chunk);
    pthread_mutex_unlock(&worker->lock);
    return chunk;
}

void wf_worker_release_held(wf_worker *worker, const wf_ref_message *body)
{
    wf_held_key key = {body->graph, body->ref};
    wf_held_result *held;
    HASH_FIND(hh, worker->held, &key, sizeof key, held);
    if (!held) return;
    HASH_DEL(worker->held, held);
    weft_chunk_release(held->chunk);
    free(held);
}
