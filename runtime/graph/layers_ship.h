/* What the ranks get to know of a graph's layers by rule. Any thread; the graph is only read. */
#ifndef WF_GRAPH_LAYERS_SHIP_H
#define WF_GRAPH_LAYERS_SHIP_H

#include "graph/plan.h"

/* The layers that the roots, or needed explicit tasks, take something of; with what is wanted of them (flags of roots: WF_OUTPUT_*).
 *
 * Owns:     *bytes is new, NULL when no layer is needed. *task_count gets the tasks of the needed layers.
 * Errors:   WEFT_ENOMEM.
 */
weft_status wf_layers_ship(const weft_graph *graph, const wf_plan *plan, const weft_ref *roots, size_t root_count, uint32_t root_flags,
                           void **bytes, size_t *size_bytes, uint64_t *task_count, weft_error *err);

#endif
