/* A graph whose layers by rule have become explicit tasks: for pictures, and for tests. Any thread; the graph is only read. */
#ifndef WF_GRAPH_EXPAND_H
#define WF_GRAPH_EXPAND_H

#include "graph/graph.h"

/* Tasks of all layers and explicit ones. */
uint64_t wf_graph_all_task_count(const weft_graph *graph);

/* Layers come first, in their sequence and that of their indices, then the explicit tasks. Task i of a layer gets the key "NAME i".
 *
 * Owns:     *expanded is new, caller destroys.
 * Errors:   WEFT_EGRAPH a rule gives inputs that cannot be; WEFT_EINVAL more tasks than an explicit graph holds; WEFT_ENOMEM.
 */
weft_status wf_graph_expand(const weft_graph *graph, weft_graph **expanded, weft_error *err);

#endif
