/* The cut by METIS: paths to workers by recursive bisection, then moves of single paths where that helps. Owns the numbering of paths
 * within each bisection. Invariant: a path that is bound to a worker goes there. Any thread. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/cut.h"
#include "graph/metis.h"
#include "graph/path_graph.h"
#include "graph/refine.h"

typedef struct division {
    const wf_path_graph *paths;
    const wf_plan_options *options;
    uint32_t *part;          /* by path: its worker */
    uint32_t *local;         /* by path: its number in the bisection that is going on */
    uint32_t *sorted;        /* scratch, one for each path */
} division;

static double thread_count(const division *d, size_t begin, size_t end)
{
    double threads = 0;
    for (size_t w = begin; w < end; w++) threads += d->options->workers[w].threads;
    return threads;
}

/* The graph of `count` paths alone. Its arrays are new, and the caller's even after a failure. */
static weft_status extract(division *d, const uint32_t *members, size_t count, wf_metis_graph *graph, weft_error *err)
{
    const wf_path_graph *paths = d->paths;
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) end += paths->edge_begin[members[i] + 1] - paths->edge_begin[members[i]];
    uint64_t *edge_begin = wf_calloc(count + 1, sizeof *edge_begin, err);
    uint32_t *neighbour = wf_calloc(end, sizeof *neighbour, err);
    double *edge_weight = wf_calloc(end, sizeof *edge_weight, err), *vertex_weight = wf_calloc(count, sizeof *vertex_weight, err);
    *graph = (wf_metis_graph){count, edge_begin, neighbour, edge_weight, vertex_weight};
    if (!edge_begin || !neighbour || !edge_weight || !vertex_weight) return WEFT_ENOMEM;
    end = 0;
    for (size_t i = 0; i < count; i++) d->local[members[i]] = (uint32_t)i;
    for (size_t i = 0; i < count; i++) {
        uint32_t v = members[i];
        vertex_weight[i] = paths->cost[v];
        for (uint64_t e = paths->edge_begin[v]; e < paths->edge_begin[v + 1]; e++) {
            uint32_t to = d->local[paths->neighbour[e]];
            if (to >= count || members[to] != paths->neighbour[e]) continue; /* left behind by another bisection */
            neighbour[end] = to;
            edge_weight[end++] = paths->bytes[e];
        }
        edge_begin[i + 1] = end;
    }
    return WEFT_OK;
}

static void free_extracted(wf_metis_graph *graph)
{
    free((void *)(uintptr_t)graph->edge_begin);
    free((void *)(uintptr_t)graph->neighbour);
    free((void *)(uintptr_t)graph->edge_weight);
    free((void *)(uintptr_t)graph->vertex_weight);
}

/* METIS does not know which side is whose. Bound paths go to their own side; the sides change names first when more bytes hang on bound
 * paths of the wrong side than of the right one, and both sides may be of one size. */
static void settle_bound(const division *d, const uint32_t *members, const wf_metis_graph *graph, size_t middle, bool may_swap,
                         unsigned char *side)
{
    double right = 0, wrong = 0;
    for (size_t i = 0; i < graph->vertex_count; i++) {
        uint32_t worker = d->paths->worker[members[i]];
        if (worker == WF_ANY_WORKER) continue;
        for (uint64_t e = graph->edge_begin[i]; e < graph->edge_begin[i + 1]; e++)
            *(side[i] == (worker >= middle) ? &right : &wrong) += graph->edge_weight[e];
    }
    bool swap = may_swap && wrong > right;
    for (size_t i = 0; i < graph->vertex_count; i++) {
        uint32_t worker = d->paths->worker[members[i]];
        side[i] = worker == WF_ANY_WORKER ? side[i] ^ swap : worker >= middle;
    }
}

static weft_status bisect(division *d, const uint32_t *members, size_t count, size_t begin, size_t middle, size_t end, unsigned char *side,
                          weft_error *err)
{
    wf_metis_graph graph = {0};
    double threads = thread_count(d, begin, end), left = thread_count(d, begin, middle);
    weft_status status = extract(d, members, count, &graph, err);
    if (status == WEFT_OK && count > 1) status = wf_metis_bisect(&graph, left / threads, side, err);
    if (status == WEFT_OK) settle_bound(d, members, &graph, middle, 2 * left == threads, side);
    free_extracted(&graph);
    return status;
}

/* Shares `count` paths out to the workers from begin to end. members is reordered. */
static weft_status share_out(division *d, uint32_t *members, size_t count, size_t begin, size_t end, weft_error *err)
{
    size_t middle = begin + (end - begin) / 2, left = 0, right = 0;
    if (end - begin == 1 || count == 0) {
        for (size_t i = 0; i < count; i++) d->part[members[i]] = (uint32_t)begin;
        return WEFT_OK;
    }
    unsigned char *side = wf_calloc(count, 1, err);
    weft_status status = side ? bisect(d, members, count, begin, middle, end, side, err) : WEFT_ENOMEM;
    for (size_t i = 0; status == WEFT_OK && i < count; i++) {
        if (side[i])
            d->sorted[right++] = members[i];
        else
            members[left++] = members[i];
    }
    free(side);
    if (status != WEFT_OK) return status;
    memcpy(members + left, d->sorted, right * sizeof *members);
    status = share_out(d, members, left, begin, middle, err);
    return status == WEFT_OK ? share_out(d, members + left, right, middle, end, err) : status;
}

weft_status wf_cut_metis(const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options, size_t max_paths,
                         uint32_t *worker, bool *is_cut, weft_error *err)
{
    wf_path_graph paths = {0};
    weft_status status = wf_path_graph_init(&paths, graph, needed, options, err);
    if (status != WEFT_OK) return status;
    *is_cut = paths.vertex_count <= max_paths;
    if (!*is_cut) {
        wf_path_graph_fini(&paths);
        return WEFT_OK;
    }
    division d = {.paths = &paths, .options = options};
    uint32_t *members = wf_calloc(paths.vertex_count, sizeof *members, err);
    d.part = wf_calloc(paths.vertex_count, sizeof *d.part, err);
    d.local = wf_calloc(paths.vertex_count, sizeof *d.local, err);
    d.sorted = wf_calloc(paths.vertex_count, sizeof *d.sorted, err);
    status = WEFT_ENOMEM;
    if (!members || !d.part || !d.local || !d.sorted) goto out;
    for (uint32_t v = 0; v < paths.vertex_count; v++) members[v] = v;
    status = share_out(&d, members, paths.vertex_count, 0, options->worker_count, err);
    if (status == WEFT_OK) status = wf_refine(&paths, options, d.part, err);
    for (size_t t = 0; status == WEFT_OK && t < graph->task_count; t++) {
        if (needed[t]) worker[t] = d.part[paths.vertex[t]];
    }
out:
    free(members);
    free(d.part);
    free(d.local);
    free(d.sorted);
    wf_path_graph_fini(&paths);
    return status;
}
