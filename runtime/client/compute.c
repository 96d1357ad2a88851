/* Computing a graph: plan it, cut it into partitions, hand them to the scheduler, wait. And futures, the results that stay. Any thread of
 * the client's process. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/session.h"
#include "graph/cut.h"
#include "graph/layers_ship.h"
#include "graph/partition.h"
#include "graph/stats.h"

struct weft_future {
    weft_session *session;
    uint64_t graph;    /* the scheduler's number of the compute that made it */
    uint64_t ref;
    uint64_t bytes;    /* as announced */
    int rank;          /* that keeps it */
    atomic_int references; /* a root asked for twice is one future */
};

/* How this session plans. Owns: options->workers is new, free() it, after a failure too. */
static weft_status make_options(weft_session *session, wf_plan_options *options, weft_error *err)
{
    wf_plan_worker *workers = NULL;
    size_t worker_count = 0;
    weft_status status = wf_scheduler_workers(session->scheduler, &workers, &worker_count, err);
    /* Partitions are what moves between ranks: a single worker needs only one. */
    size_t per_worker = worker_count == 1 ? 1 : (size_t)weft_config_int(session->config, "partition.per_rank");
    wf_cut_method method = wf_cut_method_of(weft_config_text(session->config, "partition.method"));
    *options = (wf_plan_options){.workers = workers, .worker_count = worker_count, .per_worker = per_worker, .method = method};
    return status;
}

static weft_status make_plan(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count, wf_plan *plan,
                             weft_error *err)
{
    wf_plan_options options;
    weft_status status = make_options(session, &options, err);
    if (status == WEFT_OK) status = wf_plan_init(plan, graph, roots, root_count, &options, err);
    free((void *)(uintptr_t)options.workers);
    return status;
}

weft_status weft_session_get_graph_stats(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                                         weft_graph_stats *stats, weft_error *err)
{
    wf_plan_options options;
    weft_status status = make_options(session, &options, err);
    if (status == WEFT_OK) status = wf_graph_measure(graph, roots, root_count, &options, stats, err);
    free((void *)(uintptr_t)options.workers);
    return status;
}

/* Said once in a session: such a rule costs every rank as much as all tasks of its layer. */
static void warn_of_scans(weft_session *session, const weft_graph *graph)
{
    const wf_layer_list *list = &graph->layers;
    for (size_t r = 0; r < list->all.rule_count; r++) {
        if (list->rules[r]->consumers || atomic_exchange(&session->has_warned_of_scans, true)) continue;
        wf_log_write(session->log, WF_LOG_WARNING, "rule \"%s\" has no inverse, so every rank asks it for every task of its layers; give "
                     "WEFT_RULE a function for the consumers", list->rules[r]->name);
    }
}

static uint32_t partition_of(const weft_graph *graph, const wf_plan *plan, uint64_t ref)
{
    uint32_t number = wf_ref_layer(ref);
    if (number == 0) return plan->partition[wf_ref_task(ref)];
    const wf_layer *layer = &graph->layers.all.layers[number - 1];
    wf_owners owners = wf_plan_owners(plan, &graph->layers.all, layer);
    return wf_owners_partition(&owners, wf_ref_task(ref), NULL);
}

/* Runs what the roots need. rank_of_root (NULL allowed) gets where each was computed. */
static weft_status run(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count, uint32_t root_flags,
                       uint64_t *graph_id, weft_chunk **chunks, int *rank_of_root, weft_error *err)
{
    wf_plan plan = {0};
    wf_partition_set set = {0};
    wf_layers_shipment layers = {0};
    *graph_id = wf_scheduler_next_graph(session->scheduler);
    weft_status status = wf_graph_check_roots(graph, roots, root_count, err);
    if (status == WEFT_OK) status = make_plan(session, graph, roots, root_count, &plan, err);
    if (status == WEFT_OK) status = wf_partition_set_init(&set, graph, &plan, *graph_id, roots, root_count, root_flags, err);
    if (status == WEFT_OK)
        status = wf_layers_shipment_init(&layers, graph, &plan, roots, root_count, root_flags, err);
    if (layers.bytes) warn_of_scans(session, graph);
    if (status == WEFT_OK)
        status = wf_scheduler_begin(session->scheduler, *graph_id, graph, &plan, &set, &layers, roots, root_count, chunks != NULL, err);
    if (status == WEFT_OK) {
        wf_session_wait(session, *graph_id);
        for (size_t i = 0; rank_of_root && i < root_count; i++) {
            uint32_t partition = partition_of(graph, &plan, roots[i].value);
            int moved_to = wf_scheduler_partition_rank(session->scheduler, *graph_id, partition);
            rank_of_root[i] = moved_to >= 0 ? moved_to : plan.rank[partition];
        }
        status = wf_scheduler_end(session->scheduler, *graph_id, chunks, err);
    }
    wf_layers_shipment_fini(&layers);
    wf_partition_set_fini(&set);
    wf_plan_fini(&plan);
    return status;
}

weft_status weft_compute(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count, weft_chunk **chunks,
                         weft_error *err)
{
    uint64_t graph_id;
    if (root_count == 0) return WEFT_OK;
    return run(session, graph, roots, root_count, WF_OUTPUT_GATHER, &graph_id, chunks, NULL, err);
}

/* ---- futures ---- */

typedef struct root_position {
    uint64_t ref;
    size_t index; /* in what the caller gave */
} root_position;

static int compare_refs(const void *a, const void *b)
{
    const root_position *x = a, *y = b;
    return x->ref < y->ref ? -1 : x->ref > y->ref;
}

/* Sorted, so that a root asked for twice lies beside itself. `sorted` is scratch for root_count positions. */
static weft_status make_futures(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                                root_position *sorted, weft_future **futures, weft_error *err)
{
    for (size_t i = 0; i < root_count; i++) sorted[i] = (root_position){roots[i].value, i};
    qsort(sorted, root_count, sizeof *sorted, compare_refs);
    weft_future *last = NULL;
    for (size_t i = 0; i < root_count; i++) {
        uint64_t ref = sorted[i].ref;
        if (last && last->ref == ref) {
            atomic_fetch_add(&last->references, 1);
        } else {
            if (!(last = wf_calloc(1, sizeof *last, err))) return WEFT_ENOMEM;
            *last = (weft_future){.session = session, .ref = ref, .bytes = wf_graph_ref_bytes(graph, ref), .rank = -1};
            atomic_init(&last->references, 1);
        }
        futures[sorted[i].index] = last;
    }
    return WEFT_OK;
}

weft_status weft_persist(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count, weft_future **futures,
                         weft_error *err)
{
    uint64_t graph_id = 0;
    if (root_count == 0) return WEFT_OK;
    weft_status status = wf_graph_check_roots(graph, roots, root_count, err);
    if (status != WEFT_OK) return status;
    weft_future **made = wf_calloc(root_count, sizeof *made, err);
    int *ranks = wf_calloc(root_count, sizeof *ranks, err);
    root_position *sorted = wf_calloc(root_count, sizeof *sorted, err);
    status = made && ranks && sorted ? make_futures(session, graph, roots, root_count, sorted, made, err) : WEFT_ENOMEM;
    if (status == WEFT_OK) {
        for (size_t i = 0; i < root_count; i++) ranks[i] = -1;
        status = run(session, graph, roots, root_count, WF_OUTPUT_KEEP, &graph_id, NULL, ranks, err);
        for (size_t i = 0; i < root_count; i++) {
            made[i]->graph = graph_id;
            made[i]->rank = ranks[i];
        }
    }
    if (status == WEFT_OK) memcpy(futures, made, root_count * sizeof *futures);
    for (size_t i = 0; status != WEFT_OK && made && i < root_count; i++) weft_future_release(made[i]);
    free(made);
    free(ranks);
    free(sorted);
    return status;
}

weft_status weft_graph_add_future(weft_graph *graph, const weft_future *future, weft_ref *output, weft_error *err)
{
    wf_held_source source = {future->graph, future->ref, future->rank, 0};
    return wf_graph_add_held(graph, &source, future->bytes, output, err);
}

void weft_future_release(weft_future *future)
{
    if (!future || atomic_fetch_sub(&future->references, 1) != 1) return;
    if (future->rank >= 0) wf_scheduler_release(future->session->scheduler, future->rank, future->graph, future->ref);
    free(future);
}
