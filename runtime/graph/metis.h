/* METIS, as far as weft uses it: cutting a graph in two. Any thread; one call at a time, others wait. */
#ifndef WF_GRAPH_METIS_H
#define WF_GRAPH_METIS_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

/* An undirected graph: every edge stands at both of its ends, with the same weight, and no two edges join the same vertices. */
typedef struct wf_metis_graph {
    size_t vertex_count; /* at least 2 */
    const uint64_t *edge_begin; /* by vertex + 1 */
    const uint32_t *neighbour;
    const double *edge_weight;  /* not negative */
    const double *vertex_weight;
} wf_metis_graph;

/* side[v] is 0 or 1: few edges, by weight, between the two, and about `share` of the vertices' weight on side 0. The same graph gives the
 * same sides.
 *
 * Errors:  WEFT_ENOMEM; WEFT_EINVAL too large for METIS, or a build without it.
 */
weft_status wf_metis_bisect(const wf_metis_graph *graph, double share, unsigned char *side, weft_error *err);

#endif
