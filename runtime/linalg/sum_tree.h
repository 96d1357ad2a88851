/* Sums of many equally long vectors, as a tree of tasks whose shape depends on their number alone. */
#ifndef WF_LINALG_SUM_TREE_H
#define WF_LINALG_SUM_TREE_H

#include <weft/graph.h>
#include <weft/kernel.h>

/* Adds tasks that sum groups of vectors of `length` doubles until at most a fan-in's worth is left, for the caller's last task to sum.
 * refs[0..*count) and *count are overwritten. name begins the tasks' keys. */
weft_status wf_sum_tree_add(weft_graph *graph, weft_ref *refs, size_t *count, int64_t length, const char *name, weft_error *err);

/* In a kernel: total = the sum of the inputs, each of `length` doubles, in their order. Errors: WEFT_ESHAPE another shape. */
weft_status wf_task_sum_inputs(const weft_task *task, int64_t length, double *total, weft_error *err);

#endif
