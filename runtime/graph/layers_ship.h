/* What the ranks get to know of a graph's layers by rule. Any thread; the graph is only read. */
#ifndef WF_GRAPH_LAYERS_SHIP_H
#define WF_GRAPH_LAYERS_SHIP_H

#include "graph/plan.h"

typedef struct wf_layers_shipment {
    void *bytes;               /* graph/layers.h; NULL: no layer is needed */
    size_t size_bytes;
    uint64_t task_count;       /* of the needed layers */
    uint64_t *partition_tasks; /* of these, by partition of the plan; NULL: none */
} wf_layers_shipment;

/* The layers that the roots, or needed explicit tasks, take something of; with what is wanted of them (flags of roots: WF_OUTPUT_*).
 *
 * Owns:     *shipment is filled; fini frees what it holds.
 * Errors:   WEFT_ENOMEM.
 * Cost:     the same for any number of tasks; some operations for each layer and partition.
 */
weft_status wf_layers_shipment_init(wf_layers_shipment *shipment, const weft_graph *graph, const wf_plan *plan, const weft_ref *roots,
                                    size_t root_count, uint32_t root_flags, weft_error *err);
void wf_layers_shipment_fini(wf_layers_shipment *shipment);

#endif
