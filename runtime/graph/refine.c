/* Greedy k-way refinement: a few passes over all paths, each of which goes where most of its bytes are and where there is room. Any
 * thread. */
#include "graph/refine.h"

#include <float.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

enum { PASSES = 8 };
static const double tolerance = 1.03; /* of a worker's share, as METIS has it */

typedef struct refinement {
    const wf_path_graph *paths;
    size_t worker_count;
    uint32_t *part;
    double *share;  /* by worker: the cost that it should get */
    double *load;   /* that it has */
    double *bytes;  /* by worker: of the path in question; all 0 in between */
    double loss;    /* bytes that getting a path out of a worker with too much may cost: more with every pass */
} refinement;

static bool has_too_much(const refinement *r, size_t worker)
{
    return r->load[worker] > r->share[worker] * tolerance;
}

/* The worker that path v should be with. A worker that gets v must have room; one that has too much may also give v to any that is better
 * off than itself even then. */
static uint32_t best_worker(const refinement *r, uint32_t v)
{
    uint32_t own = r->part[v], best = own;
    double cost = r->paths->cost[v], best_gain = has_too_much(r, own) ? -r->loss : 0;
    for (uint32_t w = 0; w < r->worker_count; w++) {
        if (w == own) continue;
        double gain = r->bytes[w] - r->bytes[own], load = (r->load[w] + cost) / r->share[w];
        bool has_room = load <= tolerance, is_better_off = has_too_much(r, own) && load < r->load[own] / r->share[own];
        if ((has_room || is_better_off) && gain > best_gain) {
            best = w;
            best_gain = gain;
        }
    }
    return best;
}

static size_t pass(refinement *r)
{
    const wf_path_graph *paths = r->paths;
    size_t moves = 0;
    for (uint32_t v = 0; v < paths->vertex_count; v++) {
        if (paths->worker[v] != WF_ANY_WORKER) continue;
        bool is_inside = true;
        for (uint64_t e = paths->edge_begin[v]; e < paths->edge_begin[v + 1]; e++) {
            uint32_t w = r->part[paths->neighbour[e]];
            r->bytes[w] += paths->bytes[e];
            is_inside &= w == r->part[v];
        }
        uint32_t to = is_inside && !has_too_much(r, r->part[v]) ? r->part[v] : best_worker(r, v);
        for (uint64_t e = paths->edge_begin[v]; e < paths->edge_begin[v + 1]; e++) r->bytes[r->part[paths->neighbour[e]]] = 0;
        if (to == r->part[v]) continue;
        r->load[r->part[v]] -= paths->cost[v];
        r->load[to] += paths->cost[v];
        r->part[v] = to;
        moves++;
    }
    return moves;
}

static bool is_even(const refinement *r)
{
    bool even = true;
    for (size_t w = 0; w < r->worker_count; w++) even &= !has_too_much(r, w);
    return even;
}

static double mean_edge_bytes(const wf_path_graph *paths)
{
    uint64_t edges = paths->edge_begin[paths->vertex_count];
    double sum = 0;
    for (uint64_t e = 0; e < edges; e++) sum += paths->bytes[e];
    return edges ? sum / (double)edges : 1;
}

weft_status wf_refine(const wf_path_graph *paths, const wf_plan_options *options, uint32_t *part, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    double threads = 0;
    refinement r = {.paths = paths, .worker_count = options->worker_count, .part = part};
    r.share = wf_calloc(r.worker_count, sizeof *r.share, err);
    r.load = wf_calloc(r.worker_count, sizeof *r.load, err);
    r.bytes = wf_calloc(r.worker_count, sizeof *r.bytes, err);
    if (!r.share || !r.load || !r.bytes) goto out;
    for (size_t w = 0; w < r.worker_count; w++) threads += options->workers[w].threads;
    for (size_t w = 0; w < r.worker_count; w++) r.share[w] = paths->total_cost * options->workers[w].threads / threads;
    for (size_t v = 0; v < paths->vertex_count; v++) r.load[part[v]] += paths->cost[v];
    for (int i = 0; i < PASSES; i++) {
        if (pass(&r) == 0 && is_even(&r)) break;
        r.loss = i + 2 < PASSES ? 4 * r.loss + mean_edge_bytes(paths) : DBL_MAX;
    }
    status = WEFT_OK;
out:
    free(r.share);
    free(r.load);
    free(r.bytes);
    return status;
}
