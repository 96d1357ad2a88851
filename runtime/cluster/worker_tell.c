/* What a worker tells rank 0 of itself: failures, progress, hunger. Invariant: a failure that could not be told is told before any progress
 * that follows it. Any thread; progress with the worker's lock held. */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cluster/worker_state.h"
#include "topology/memory.h"

enum { RSS_INTERVAL_NS = 10000000 };

void *wf_worker_make_body(wf_message *message, uint32_t type, size_t bytes, weft_error *err)
{
    message->type = type;
    message->chunk = NULL;
    void *body = wf_message_create_body(message, bytes, err);
    if (body) memset(body, 0, bytes);
    return body;
}

void wf_worker_send_failed(wf_worker *worker, uint32_t type, uint64_t graph, uint64_t ref, const weft_error *error, bool ends_graph)
{
    wf_message message;
    wf_failed_message *body = wf_worker_make_body(&message, type, sizeof *body, NULL);
    if (body) {
        *body = (wf_failed_message){graph, ref, ends_graph, *error};
        body->error.rank = worker->options.transport->rank;
    }
    if (!body || wf_transport_send(worker->options.transport, 0, &message, NULL) != WEFT_OK)
        atomic_store(&worker->has_untold_failure, true);
}

void wf_worker_report_broken(wf_worker *worker, const weft_error *error)
{
    wf_worker_send_failed(worker, WF_MSG_BROKEN, 0, 0, error, true);
}

uint64_t wf_worker_ended_count(const wf_worker_graph *graph)
{
    uint64_t ended = graph->local ? wf_local_graph_ended_count(graph->local) : 0;
    return graph->rules ? ended + wf_rule_graph_ended_count(graph->rules) : ended;
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

/* With the lock held. */
static wf_rank_stats make_stats(wf_worker *worker)
{
    uint64_t tasks = worker->forgotten_tasks;
    for (wf_worker_graph *graph = worker->graphs; graph; graph = graph->hh.next)
        tasks += wf_worker_ended_count(graph);
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
    wf_worker_report_broken(worker, &error);
    return !atomic_load(&worker->has_untold_failure);
}

bool wf_worker_is_hungry(const wf_worker *worker)
{
    if (atomic_load(&worker->moving_count) == 0 || atomic_load(&worker->startable_count) > 0) return false;
    if (wf_clock_now_ns() < atomic_load(&worker->hungry_from_ns)) return false;
    for (const wf_worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) {
        if (graph->partitions && wf_worker_partitions_has_coming(graph->partitions)) return false;
    }
    return true;
}

void wf_worker_send_progress(wf_worker_graph *graph, bool is_hungry)
{
    wf_worker *worker = graph->worker;
    wf_message message;
    if (!tell_untold_failure(worker)) return;
    wf_progress_message *body = wf_worker_make_body(&message, WF_MSG_PROGRESS, sizeof *body, NULL);
    if (!body) return;
    *body = (wf_progress_message){
        .graph = graph->id,
        .ended = wf_worker_ended_count(graph),
        .hungry_at = is_hungry ? worker->newest_graph : 0,
        .startable_count = graph->may_move ? wf_worker_partitions_movable_count(graph->partitions) : 0,
        .stats = make_stats(worker),
    };
    atomic_store(&worker->has_told_hunger, is_hungry);
    wf_transport_send(worker->options.transport, 0, &message, NULL);
}

void wf_worker_send_data(wf_worker_graph *graph, wf_place to, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count)
{
    wf_message message;
    weft_error error = WEFT_ERROR_INIT;
    wf_data_message *body = wf_worker_make_body(&message, WF_MSG_DATA, sizeof *body + count * sizeof *partitions, &error);
    if (body) {
        *body = (wf_data_message){graph->id, ref, count, to.moves};
        memcpy(body + 1, partitions, count * sizeof *partitions);
        if (chunk) weft_chunk_retain(chunk);
        message.chunk = chunk;
        atomic_fetch_add(&graph->sent, 1);
        wf_transport_send(graph->worker->options.transport, to.rank, &message, &error);
    }
    if (error.status != WEFT_OK) wf_worker_report_broken(graph->worker, &error);
}

/* The answer that nothing can change here any more is put off for some ticks: a thread may only be looking around just now. */
enum { MOST_LOOKS = 10 };

static bool is_idle(const wf_worker_graph *graph)
{
    /* Sources that nobody has had, though nobody has anything to run, wait for credit, which is sure to come. */
    bool is_held_back = graph->owed_count > 0 || (graph->rules && wf_rule_graph_has_more(graph->rules));
    return wf_pool_is_idle(graph->worker->pool) && !wf_worker_partitions_has_coming(graph->partitions) && !is_held_back;
}

static void send_answer(wf_worker *worker, const wf_answer_message *answer)
{
    wf_message message;
    wf_answer_message *body = wf_worker_make_body(&message, WF_MSG_ANSWER, sizeof *body, NULL);
    if (!body) return; /* without it the question stays open */
    *body = *answer;
    wf_transport_send(worker->options.transport, 0, &message, NULL);
}

void wf_worker_look_for_answer(wf_worker_graph *graph)
{
    if (graph->asked_round == 0) return;
    wf_worker_pay_all(graph); /* the next tick may be far away */
    bool idle = is_idle(graph);
    if (!idle && ++graph->looks < MOST_LOOKS) return;
    wf_answer_message answer = {graph->id, graph->asked_round, wf_worker_ended_count(graph), atomic_load(&graph->sent),
                                atomic_load(&graph->received), idle};
    send_answer(graph->worker, &answer);
    graph->asked_round = 0;
}

void wf_worker_answer(wf_worker *worker, wf_worker_graph *graph, const wf_ref_message *body)
{
    if (!graph || !graph->local) {
        send_answer(worker, &(wf_answer_message){.graph = body->graph, .round = body->ref});
        return;
    }
    graph->asked_round = body->ref;
    graph->looks = 0;
    wf_worker_look_for_answer(graph);
}
