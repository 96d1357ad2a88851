/* The one call of METIS. Only bisections are asked of it: METIS 5.1 prints to stdout when vertices are too few for the parts.
 *
 * METIS is not written for a library that shares its process. It takes its random numbers from rand(), and while it runs it owns the
 * handlers of SIGABRT (its way out when memory is short) and SIGTERM, which it puts back without their flags. So calls are serialised,
 * rand() runs on a state of its own meanwhile, the handlers are put back whole, and SIGTERM waits on this thread. */
#include "graph/metis.h"

#include "graph/cut.h"

#ifndef WEFT_HAVE_METIS

const char *wf_metis_version(void)
{
    return "";
}

weft_status wf_metis_bisect(const wf_metis_graph *graph, double share, unsigned char *side, weft_error *err)
{
    (void)graph;
    (void)share;
    (void)side;
    return weft_fail(err, WEFT_EINVAL, "this weft was built without METIS; set partition.method to auto or greedy");
}

#else

#include <assert.h>
#include <metis.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

/* All weights together stay below this, so that METIS's sums, over both ends of every edge, fit its 32 bits. */
#define WEIGHT_LIMIT ((double)(1 << 29))

enum { SEED = 1, RANDOM_STATE_BYTES = 128 };

#define TEXT_OF(x) #x
#define VERSION_TEXT(major, minor, sub) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(sub)

const char *wf_metis_version(void)
{
    return VERSION_TEXT(METIS_VER_MAJOR, METIS_VER_MINOR, METIS_VER_SUBMINOR);
}

/* Guards what METIS has one of in a process, however many sessions there are. */
static pthread_mutex_t metis_lock = PTHREAD_MUTEX_INITIALIZER;

typedef struct metis_input {
    idx_t *edge_begin, *neighbour, *edge_weight, *vertex_weight, *part;
} metis_input;

/* At least 1, so that nothing is free. */
static void scale(const double *weights, size_t count, idx_t *scaled)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += weights[i];
    double factor = sum > WEIGHT_LIMIT || sum < (double)count ? WEIGHT_LIMIT / (sum > 0 ? sum : 1) : 1;
    for (size_t i = 0; i < count; i++) scaled[i] = 1 + (idx_t)(weights[i] * factor);
}

/* METIS reads and writes beyond its arrays where this does not hold. Every edge counts against its reverse, with a factor that hardly any
 * two edges share: what is not 0 in the end is not symmetric. */
static bool is_symmetric(const metis_input *in, idx_t vertex_count)
{
    uint64_t sum = 0;
    for (idx_t v = 0; v < vertex_count; v++) {
        for (idx_t e = in->edge_begin[v]; e < in->edge_begin[v + 1]; e++) {
            uint64_t low = (uint64_t)(v < in->neighbour[e] ? v : in->neighbour[e]), high = (uint64_t)v + (uint64_t)in->neighbour[e] - low;
            uint64_t factor = (low * 0x9E3779B97F4A7C15u ^ high * 0xD6E8FEB86659FD93u) * (uint64_t)in->edge_weight[e];
            sum += low == (uint64_t)v ? factor : -factor;
        }
    }
    return sum == 0;
}

static int call_metis(const metis_input *in, idx_t vertex_count, double share)
{
    idx_t constraints = 1, parts = 2, cut, options[METIS_NOPTIONS];
    real_t shares[2] = {(real_t)share, (real_t)(1 - share)};
    char random_state[RANDOM_STATE_BYTES];
    struct sigaction on_abort, on_term;
    sigset_t term, before;
    assert(is_symmetric(in, vertex_count));
    (void)is_symmetric;
    METIS_SetDefaultOptions(options);
    options[METIS_OPTION_SEED] = SEED;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_mutex_lock(&metis_lock);
    pthread_sigmask(SIG_BLOCK, &term, &before);
    sigaction(SIGABRT, NULL, &on_abort);
    sigaction(SIGTERM, NULL, &on_term);
    char *random_before = initstate(SEED, random_state, sizeof random_state);
    int result = METIS_PartGraphRecursive(&vertex_count, &constraints, in->edge_begin, in->neighbour, in->vertex_weight, NULL,
                                          in->edge_weight, &parts, shares, NULL, options, &cut, in->part);
    setstate(random_before);
    sigaction(SIGTERM, &on_term, NULL);
    sigaction(SIGABRT, &on_abort, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_unlock(&metis_lock);
    return result;
}

weft_status wf_metis_bisect(const wf_metis_graph *graph, double share, unsigned char *side, weft_error *err)
{
    size_t vertices = graph->vertex_count, edges = graph->edge_begin[vertices];
    if ((double)vertices > WEIGHT_LIMIT || (double)edges > WEIGHT_LIMIT)
        return weft_fail(err, WEFT_EINVAL, "%zu tasks and %zu edges are too many for METIS; set partition.method to greedy", vertices, edges);
    weft_status status = WEFT_ENOMEM;
    metis_input in = {
        .edge_begin = wf_calloc(vertices + 1, sizeof(idx_t), err), .neighbour = wf_calloc(edges, sizeof(idx_t), err),
        .edge_weight = wf_calloc(edges, sizeof(idx_t), err), .vertex_weight = wf_calloc(vertices, sizeof(idx_t), err),
        .part = wf_calloc(vertices, sizeof(idx_t), err),
    };
    if (!in.edge_begin || !in.neighbour || !in.edge_weight || !in.vertex_weight || !in.part) goto out;
    for (size_t v = 0; v <= vertices; v++) in.edge_begin[v] = (idx_t)graph->edge_begin[v];
    for (size_t e = 0; e < edges; e++) in.neighbour[e] = (idx_t)graph->neighbour[e];
    scale(graph->edge_weight, edges, in.edge_weight);
    scale(graph->vertex_weight, vertices, in.vertex_weight);
    if (call_metis(&in, (idx_t)vertices, share) != METIS_OK) {
        weft_fail(err, WEFT_ENOMEM, "METIS could not cut a graph of %zu paths and %zu edges; set partition.method to greedy", vertices,
                  edges);
        goto out;
    }
    for (size_t v = 0; v < vertices; v++) side[v] = in.part[v] == 1;
    status = WEFT_OK;
out:
    free(in.edge_begin);
    free(in.neighbour);
    free(in.edge_weight);
    free(in.vertex_weight);
    free(in.part);
    return status;
}

#endif
