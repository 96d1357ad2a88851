/* The inverse of a rule that comes without one: found by asking it for every task of the layer. Takes 16 bytes for each input of each task,
 * on every rank; a rule of one's own wants its inverse written down. Any thread may look up. */
#ifndef WF_EXEC_INVERSE_H
#define WF_EXEC_INVERSE_H

#include "exec/rule_layers.h"

/* Owns: *inverse is new. Errors: WEFT_EGRAPH as wf_rule_edge_inputs, or consumers that do not fit into WEFT_MAX_INTERVALS; WEFT_ENOMEM. */
weft_status wf_inverse_create(const wf_rule_edge *edge, wf_inverse **inverse, weft_error *err);
void wf_inverse_destroy(wf_inverse *inverse); /* NULL is allowed */

/* The consumers of task `index` of the source, as intervals; how many. */
size_t wf_inverse_find(const wf_inverse *inverse, uint64_t index, weft_interval *intervals);

#endif
