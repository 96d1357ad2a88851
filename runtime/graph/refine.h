/* Making a cut better by moving one path at a time. Any thread. */
#ifndef WF_GRAPH_REFINE_H
#define WF_GRAPH_REFINE_H

#include "graph/path_graph.h"

/* Moves paths that are not bound: out of workers that have too much, and where fewer bytes are cut, as long as no worker gets too much.
 * part is by path, an index of a worker. Deterministic. Errors: WEFT_ENOMEM. */
weft_status wf_refine(const wf_path_graph *paths, const wf_plan_options *options, uint32_t *part, weft_error *err);

#endif
