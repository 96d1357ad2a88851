/* The cut: which worker, and which of its partitions, gets each task.
 *
 * Greedy:  tasks joined by the graph's heaviest edges stay together; the clusters, in static order, are cut into pieces of equal cost.
 * METIS:   tasks are strung into paths, and the paths are shared out to workers by METIS's bisections: few bytes between workers, cost by
 *          threads.
 *
 * After either, tasks that are due at the same time are spread over the workers (spread.h). Then each worker's share is divided by static
 * order, since edges between partitions of one rank cost next to nothing.
 *
 * All are pure functions over the graph's arrays: the same graph, order and options give the same cut. Any thread.
 */
#ifndef WF_GRAPH_CUT_H
#define WF_GRAPH_CUT_H

#include <stdbool.h>

#include "graph/plan.h"

/* "auto", "metis" or "greedy": the choices of partition.method. */
wf_cut_method wf_cut_method_of(const char *name);
/* The reverse; static text. */
const char *wf_cut_method_name(wf_cut_method method);

/* Whether this build has METIS, and its version; "" without. */
const char *wf_metis_version(void);

/* Fills plan->partition, plan->rank and plan->method. Needs plan->order. Errors: as wf_plan_init. */
weft_status wf_cut(wf_plan *plan, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options, weft_error *err);

/* ---- the parts of it ---- */

/* The index of the worker with this rank; worker_count when there is none. */
size_t wf_plan_worker_of_rank(const wf_plan_options *options, int rank);

/* Fills plan->partition of the needed tasks. Every bound task's rank is a worker's. */
weft_status wf_cut_greedy(wf_plan *plan, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options,
                          weft_error *err);

/* Fills worker[t] of the needed tasks. *is_cut: false when there are more paths than max_paths, and nothing was done.
 * Errors: WEFT_ENOMEM; WEFT_EINVAL too large for METIS. */
weft_status wf_cut_metis(const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options, size_t max_paths,
                         uint32_t *worker, bool *is_cut, weft_error *err);

#endif
