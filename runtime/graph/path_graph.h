/* A graph of tasks, strung into paths, as a partitioner wants it: undirected, few vertices, weights.
 *
 * A partitioner that sees tasks knows nothing of time: of a long stencil it gives the first half of the steps to one rank and the second
 * half to another, which cuts few edges and lets only one of them work at a time. Tasks of one path depend on each other, so keeping them
 * together costs no parallelism; and what is left to cut are edges between paths, which do run at the same time. Paths also make the
 * partitioner's graph many times smaller. This is linear clustering (Kim and Browne, ICPP 1988), by bytes instead of critical path. */
#ifndef WF_GRAPH_PATH_GRAPH_H
#define WF_GRAPH_PATH_GRAPH_H

#include "graph/plan.h"

typedef struct wf_path_graph {
    size_t vertex_count;
    uint32_t *vertex;     /* by task; undefined for those not needed */
    double *cost;         /* by vertex */
    uint32_t *worker;     /* by vertex: the index of the worker that it is bound to, or WF_ANY_WORKER */
    uint64_t *edge_begin; /* by vertex + 1: into neighbour and bytes */
    uint32_t *neighbour;  /* each at most once */
    double *bytes;        /* that would cross */
    double total_cost;
} wf_path_graph;

#define WF_ANY_WORKER UINT32_MAX

/* All kept results of one worker become one vertex, that is bound to it.
 *
 * Owns:     *paths is filled; wf_path_graph_fini frees what it holds.
 * Errors:   WEFT_ENOMEM.
 * Cost:     a few passes over tasks and edges.
 */
weft_status wf_path_graph_init(wf_path_graph *paths, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options,
                               weft_error *err);
void wf_path_graph_fini(wf_path_graph *paths);

#endif
