/* Opening partitions late, telling of hunger, and giving partitions away. Any thread: what a message asks for with the worker's lock held,
 * what idle threads do without. Invariant: rank 0 hears of hunger once, until it may have forgotten. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cluster/worker_state.h"

static void send_moves(wf_worker_graph *graph, int rank, uint32_t type, const wf_moved_partition *moved, uint32_t count)
{
    wf_message message;
    weft_error error = WEFT_ERROR_INIT;
    wf_moved_message *body = wf_worker_make_body(&message, type, sizeof *body + count * sizeof *moved, &error);
    if (body) {
        *body = (wf_moved_message){graph->id, count, 0};
        if (count) memcpy(body + 1, moved, count * sizeof *moved);
        if (type == WF_MSG_TAKE) {
            atomic_fetch_add(&graph->sent, 1);
            atomic_fetch_add(&graph->credited, 1); /* only DATA is credited by the receiver */
        }
        wf_transport_send(graph->worker->options.transport, rank, &message, &error);
    }
    if (error.status != WEFT_OK) wf_worker_report_broken(graph->worker, &error);
}

/* The answer goes out in any case. What the receiver gets first is which partitions are to come. */
weft_status wf_worker_give_partitions(wf_worker_graph *graph, const wf_message *message, weft_error *err)
{
    const wf_give_message *body = message->body;
    const wf_transport *transport = graph->worker->options.transport;
    if (message->body_bytes != sizeof *body || body->to < 0 || body->to >= transport->size)
        return weft_fail(err, WEFT_EDATA, "a request to give partitions of %zu bytes; it was damaged", message->body_bytes);
    uint32_t most = body->most < graph->partition_count ? body->most : graph->partition_count;
    if (!graph->may_move || body->to == transport->rank) most = 0;
    wf_moved_partition *moved = wf_calloc(most, sizeof *moved, err);
    if (!moved) return WEFT_ENOMEM;
    uint32_t count = wf_worker_partitions_choose(graph->partitions, body->to, most, body->may_be_stuck, moved);
    weft_status status = WEFT_OK;
    if (count) send_moves(graph, body->to, WF_MSG_TAKE, moved, count);
    for (uint32_t i = 0; i < count && status == WEFT_OK; i++) status = wf_worker_partitions_hand_over(graph->partitions, &moved[i], err);
    send_moves(graph, 0, WF_MSG_MOVED, moved, count);
    free(moved);
    /* These may have been all that was left here. */
    if (count) wf_worker_send_progress(graph, atomic_load(&graph->worker->has_told_hunger));
    return status;
}

/* TAKE and OVERLAY. */
weft_status wf_worker_note_moves(wf_worker_graph *graph, const wf_message *message, weft_error *err)
{
    const wf_moved_message *body = message->body;
    const wf_transport *transport = graph->worker->options.transport;
    bool is_coming = message->type == WF_MSG_TAKE;
    weft_status status = WEFT_OK;
    if (message->body_bytes < sizeof *body ||
        message->body_bytes != sizeof *body + body->partition_count * sizeof(wf_moved_partition))
        return weft_fail(err, WEFT_EDATA, "a message of %zu bytes about moved partitions; it was cut", message->body_bytes);
    const wf_moved_partition *moved = (const wf_moved_partition *)(body + 1);
    for (uint32_t i = 0; i < body->partition_count && status == WEFT_OK; i++) {
        if (moved[i].rank < 0 || moved[i].rank >= transport->size || (is_coming && moved[i].rank != transport->rank))
            return weft_fail(err, WEFT_EDATA, "partition %u moved to rank %d of %d; the message was damaged", moved[i].partition,
                             moved[i].rank, transport->size);
        status = wf_worker_partitions_note(graph->partitions, &moved[i], is_coming, err);
    }
    if (is_coming) atomic_store(&graph->worker->has_told_hunger, false); /* rank 0 forgets it with MOVED */
    return status;
}

/* ---- when a thread finds nothing to run ---- */

static wf_worker_graph *find_newest_moving(const wf_worker *worker)
{
    wf_worker_graph *newest = NULL;
    for (wf_worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) {
        if (graph->may_move && (!newest || graph->id > newest->id)) newest = graph;
    }
    return newest;
}

/* Idle threads come by here all the time; most of the time it has been told. */
static void note_idle(wf_worker *worker, wf_thread *self)
{
    if (atomic_load(&worker->moving_count) == 0) return;
    int64_t now_ns = wf_clock_now_ns();
    atomic_store(&worker->idle_ns, now_ns);
    if (atomic_load(&worker->has_told_hunger) || now_ns < atomic_load(&worker->hungry_from_ns)) return;
    pthread_mutex_lock(&worker->lock);
    bool is_news = !atomic_load(&worker->has_told_hunger) && wf_worker_is_hungry(worker);
    wf_worker_graph *graph = is_news ? find_newest_moving(worker) : NULL;
    if (graph) wf_worker_send_progress(graph, true);
    pthread_mutex_unlock(&worker->lock);
    if (graph) wf_transport_poll(worker->options.transport, self); /* so that it leaves before this thread sleeps */
}

static wf_worker_graph *find_lowest_startable(const wf_worker *worker)
{
    wf_worker_graph *lowest = NULL;
    for (wf_worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) {
        bool has = graph->partitions && wf_worker_partitions_has_startable(graph->partitions);
        if (has && (!lowest || graph->id < lowest->id)) lowest = graph;
    }
    return lowest;
}

/* One thread opens at a time, so that those that wait for what it opens do not open more: the later a partition is opened, the longer it
 * can move. */
wf_pool_item *wf_worker_find_more(void *context, wf_thread *self, bool before_stealing)
{
    wf_worker *worker = context;
    wf_pool_item *next = NULL;
    weft_error error = WEFT_ERROR_INIT;
    if (before_stealing) return wf_worker_start_source(worker, self);
    if (atomic_load(&worker->startable_count) == 0) {
        note_idle(worker, self);
        return NULL;
    }
    if (atomic_exchange(&worker->is_opening, true)) return NULL;
    pthread_mutex_lock(&worker->lock);
    wf_worker_graph *graph = find_lowest_startable(worker);
    if (graph) wf_worker_partitions_open_next(graph->partitions, self, &next, &error);
    pthread_mutex_unlock(&worker->lock);
    atomic_store(&worker->is_opening, false);
    if (error.status != WEFT_OK) wf_worker_report_broken(worker, &error);
    return next;
}

bool wf_worker_has_more(void *context)
{
    wf_worker *worker = context;
    return atomic_load(&worker->startable_count) > 0 || atomic_load(&worker->source_count) > 0;
}
