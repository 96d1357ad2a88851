/* Which method cuts, and how a worker's share becomes partitions. Owns nothing. Any thread. */
#include "graph/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/spread.h"

static const char *const method_names[] = {[WF_CUT_AUTO] = "auto", [WF_CUT_METIS] = "metis", [WF_CUT_GREEDY] = "greedy"};

wf_cut_method wf_cut_method_of(const char *name)
{
    wf_cut_method method = WF_CUT_GREEDY;
    while (method > WF_CUT_AUTO && strcmp(method_names[method], name) != 0) method--;
    return method;
}

const char *wf_cut_method_name(wf_cut_method method)
{
    return method_names[method];
}

size_t wf_plan_worker_of_rank(const wf_plan_options *options, int rank)
{
    size_t w = 0;
    while (w < options->worker_count && options->workers[w].rank != rank) w++;
    return w;
}

static weft_status check_bound(const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options, weft_error *err)
{
    for (size_t t = 0; t < graph->task_count; t++) {
        int rank = needed[t] ? wf_graph_task_rank(graph, t) : -1;
        if (rank >= 0 && wf_plan_worker_of_rank(options, rank) == options->worker_count)
            return weft_fail(err, WEFT_EINVAL, "a kept result lies on rank %d, which runs no tasks now", rank);
    }
    return WEFT_OK;
}

/* From workers to partitions: each worker's tasks in static order, in pieces of equal cost. worker[t] is t's; NULL: there is one. */
static weft_status divide(wf_plan *plan, const weft_graph *graph, const unsigned char *needed, const uint32_t *worker, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    size_t worker_count = plan->partition_count / plan->per_worker;
    uint32_t *by_order = wf_calloc(plan->needed_count, sizeof *by_order, err);
    double *cost = wf_calloc(worker_count, sizeof *cost, err), *before = wf_calloc(worker_count, sizeof *before, err);
    if (!by_order || !cost || !before) goto out;
    for (uint32_t t = 0; t < graph->task_count; t++) {
        if (!needed[t]) continue;
        by_order[plan->order[t]] = t;
        cost[worker ? worker[t] : 0] += (double)graph->tasks[t].cost;
    }
    for (size_t i = 0; i < plan->needed_count; i++) {
        uint32_t t = by_order[i], w = worker ? worker[t] : 0;
        double middle = before[w] + (double)graph->tasks[t].cost / 2;
        before[w] += (double)graph->tasks[t].cost;
        uint32_t piece = (uint32_t)(middle / cost[w] * plan->per_worker);
        plan->partition[t] = w * plan->per_worker + (piece < plan->per_worker ? piece : plan->per_worker - 1);
    }
    status = WEFT_OK;
out:
    free(by_order);
    free(cost);
    free(before);
    return status;
}

/* ---- which method ---- */

/* What "auto" looks at. Measured with tests/bench/bench_cut.c: 40,000 tasks, 2 to 16 workers, 30 to 150 ns a task of planning with greedy.
 *   - No output taken twice, as in trees and independent tasks: greedy cuts as few outputs, and METIS takes 60 to 350 ns a task more.
 *   - Stencils and grids, whose paths are long: METIS sees a small graph, takes about as long as greedy, and cuts as few bytes or half of them.
 *   - Random graphs, whose paths are short: METIS takes 180 to 770 ns a task more and cuts hardly fewer bytes.
 *   - Where edges carry more than a few KiB, a saved one is worth more than METIS's time, and METIS cuts down to half the bytes in trees. */
enum { HEAVY_BYTES = 4096, LONG_PATH_TASKS = 16, AUTO_MAX_EDGES = 1 << 28 };

typedef struct edge_facts {
    size_t count;
    bool is_heavy;  /* on the mean */
    bool is_forest; /* no task has two consumers */
} edge_facts;

static weft_status look_at_edges(const weft_graph *graph, const unsigned char *needed, edge_facts *facts, weft_error *err)
{
    double bytes = 0;
    unsigned char *is_taken = wf_calloc(graph->task_count, 1, err);
    if (!is_taken) return WEFT_ENOMEM;
    *facts = (edge_facts){.is_forest = true};
    for (size_t t = 0; t < graph->task_count; t++) {
        if (!needed[t]) continue;
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
            size_t from = wf_graph_input_task(graph, e);
            bytes += (double)wf_graph_ref_bytes(graph, graph->inputs[e]);
            facts->count++;
            facts->is_forest &= !is_taken[from];
            is_taken[from] = 1;
        }
    }
    facts->is_heavy = bytes >= (double)HEAVY_BYTES * (double)facts->count;
    free(is_taken);
    return WEFT_OK;
}

/* plan->partition[t] becomes t's worker; plan->method says whose cut it is, and METIS may decline. */
static weft_status cut_by_metis(wf_plan *plan, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options,
                                weft_error *err)
{
    size_t max_paths = SIZE_MAX;
    bool is_cut = true;
    if (options->method == WF_CUT_AUTO) {
        edge_facts facts;
        weft_status status = look_at_edges(graph, needed, &facts, err);
        if (status != WEFT_OK) return status;
        if (!facts.is_heavy) max_paths = facts.is_forest ? 0 : plan->needed_count / LONG_PATH_TASKS;
        if (facts.count == 0 || facts.count > AUTO_MAX_EDGES) max_paths = 0;
    }
    weft_status status = WEFT_OK;
    if (max_paths == 0)
        is_cut = false;
    else
        status = wf_cut_metis(graph, needed, options, max_paths, plan->partition, &is_cut, err);
    plan->method = is_cut ? WF_CUT_METIS : WF_CUT_GREEDY;
    return status;
}

/* ---- the cut ---- */

/* A greedy cut stays as it is, unless tasks had to be spread. */
static weft_status cut_between_workers(wf_plan *plan, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options,
                                       weft_error *err)
{
    bool has_metis = *wf_metis_version() != '\0', has_moved = false;
    weft_status status = WEFT_OK;
    plan->method = WF_CUT_GREEDY;
    if (has_metis && options->method != WF_CUT_GREEDY) status = cut_by_metis(plan, graph, needed, options, err);
    if (status == WEFT_OK && plan->method == WF_CUT_GREEDY) status = wf_cut_greedy(plan, graph, needed, options, err);
    if (status != WEFT_OK) return status;
    uint32_t *worker = wf_calloc(graph->task_count, sizeof *worker, err);
    if (!worker) return WEFT_ENOMEM;
    uint32_t divisor = plan->method == WF_CUT_GREEDY ? plan->per_worker : 1;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (needed[t]) worker[t] = plan->partition[t] / divisor;
    }
    status = wf_spread(graph, needed, options, worker, &has_moved, err);
    if (status == WEFT_OK && (has_moved || plan->method == WF_CUT_METIS)) status = divide(plan, graph, needed, worker, err);
    free(worker);
    return status;
}

weft_status wf_cut(wf_plan *plan, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options, weft_error *err)
{
    if (options->worker_count == 0 || options->per_worker == 0)
        return weft_fail(err, WEFT_EINVAL, "no rank runs tasks; start more ranks");
    if (options->method == WF_CUT_METIS && !*wf_metis_version())
        return weft_fail(err, WEFT_EINVAL, "partition.method is metis, but this weft was built without METIS; set it to auto or greedy");
    weft_status status = check_bound(graph, needed, options, err);
    if (status != WEFT_OK) return status;
    plan->partition_count = (uint32_t)(options->worker_count * options->per_worker);
    plan->per_worker = (uint32_t)options->per_worker;
    plan->method = WF_CUT_AUTO;
    plan->rank = wf_calloc(plan->partition_count, sizeof *plan->rank, err);
    if (!plan->rank) return WEFT_ENOMEM;
    for (uint32_t p = 0; p < plan->partition_count; p++) plan->rank[p] = options->workers[p / options->per_worker].rank;
    for (size_t t = 0; t < graph->task_count; t++) plan->partition[t] = needed[t] ? 0 : WF_NO_PARTITION;
    if (plan->needed_count == 0) return WEFT_OK; /* all that is needed is in layers by rule */
    if (options->worker_count > 1) return cut_between_workers(plan, graph, needed, options, err);
    return plan->per_worker > 1 ? divide(plan, graph, needed, NULL, err) : WEFT_OK;
}
