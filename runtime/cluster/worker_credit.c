/* Back-pressure between ranks: who runs ahead of the ranks that consume its outputs begins no more sources of layers by rule.
 *
 * Each DATA that a rank sends counts as ahead until its receiver credits it. A receiver credits in batches, and only while few of its own
 * tasks can run: it is behind when they pile up. What waits for further inputs does not count, so a rank never waits for credit from one
 * that waits for it; what is left over is credited when a rank goes quiet, and at every tick.
 *
 * With the worker's lock held, but for pay_when_due: credited is changed under it, so it never passes what was sent before. */
#include <stdlib.h>

#include "base/memory.h"
#include "cluster/worker_state.h"

enum { ALL_AHEAD = 65536, MOST_AHEAD = 16384, LEAST_AHEAD = 256, LEAST_BATCHES = 8, MOST_ACTIVE = 4096 };

/* DATA that one rank may be ahead by: the ranks together make no more for one of them than it can hold. */
static uint64_t window(const wf_worker_graph *graph)
{
    uint64_t share = ALL_AHEAD / (uint64_t)graph->worker->options.transport->size;
    return share > MOST_AHEAD ? MOST_AHEAD : share < LEAST_AHEAD ? LEAST_AHEAD : share;
}

/* DATA from one rank that are credited together: so few that all receivers in sum hold back at most half of its window. */
static uint64_t batch(const wf_worker_graph *graph)
{
    uint64_t batches = 2 * (uint64_t)graph->worker->options.transport->size;
    uint64_t count = window(graph) / (batches > LEAST_BATCHES ? batches : LEAST_BATCHES);
    return count > 0 ? count : 1;
}

bool wf_worker_is_ahead(const wf_worker_graph *graph)
{
    return atomic_load(&graph->sent) - atomic_load(&graph->credited) > window(graph);
}

static bool is_behind(const wf_worker_graph *graph)
{
    return wf_rule_graph_active_count(graph->rules) > MOST_ACTIVE;
}

static void pay(wf_worker_graph *graph, int rank)
{
    wf_message message;
    wf_ref_message *body = wf_worker_make_body(&message, WF_MSG_CREDIT, sizeof *body, NULL);
    if (!body) return; /* the next tick tries again */
    *body = (wf_ref_message){graph->id, graph->owed[rank]};
    if (wf_transport_send(graph->worker->options.transport, rank, &message, NULL) != WEFT_OK) return;
    graph->owed_count -= graph->owed[rank];
    graph->owed[rank] = 0;
}

void wf_worker_pay_all(wf_worker_graph *graph)
{
    if (graph->owed_count == 0 || is_behind(graph)) return; /* without layers by rule nothing is owed */
    for (int rank = 0; rank < graph->worker->options.transport->size; rank++) {
        if (graph->owed[rank]) pay(graph, rank);
    }
}

weft_status wf_worker_note_received(wf_worker_graph *graph, int from, weft_error *err)
{
    if (!graph->rules) return WEFT_OK;
    if (!graph->owed) graph->owed = wf_calloc((size_t)graph->worker->options.transport->size, sizeof *graph->owed, err);
    if (!graph->owed) return WEFT_ENOMEM;
    graph->owed[from]++;
    graph->owed_count++;
    if (graph->owed[from] < batch(graph)) return WEFT_OK;
    if (is_behind(graph))
        atomic_store(&graph->worker->owes, true);
    else
        pay(graph, from);
    return WEFT_OK;
}

void wf_worker_pay_when_due(wf_worker *worker)
{
    if (!atomic_load_explicit(&worker->owes, memory_order_relaxed) || pthread_mutex_trylock(&worker->lock) != 0) return;
    bool owes = false;
    for (wf_worker_graph *graph = worker->graphs; graph; graph = graph->hh.next) {
        if (graph->owed_count == 0) continue;
        wf_worker_pay_all(graph);
        owes |= graph->owed_count > 0;
    }
    atomic_store(&worker->owes, owes);
    pthread_mutex_unlock(&worker->lock);
}

void wf_worker_note_credit(wf_worker_graph *graph, uint64_t count)
{
    bool was_ahead = wf_worker_is_ahead(graph);
    atomic_fetch_add(&graph->credited, count);
    if (was_ahead) wf_worker_count_sources(graph->worker);
}
