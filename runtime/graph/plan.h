/* From a graph to a plan: which tasks are needed, in what order they should run, and in which partition each lies.
 *
 * All pure functions over the graph's arrays: no threads, no clock, no messages. Same graph, roots and workers: same plan.
 */
#ifndef WF_GRAPH_PLAN_H
#define WF_GRAPH_PLAN_H

#include "graph/graph.h"

#define WF_NO_PARTITION UINT32_MAX

/* A rank that runs tasks, and how much of the work it should get. */
typedef struct wf_plan_worker {
    int rank;
    int threads;
} wf_plan_worker;

/* How tasks are dealt to workers. */
typedef enum wf_cut_method { WF_CUT_AUTO, WF_CUT_METIS, WF_CUT_GREEDY } wf_cut_method;

typedef struct wf_plan_options {
    const wf_plan_worker *workers;
    size_t worker_count;
    size_t per_worker;    /* partitions of each */
    wf_cut_method method;
} wf_plan_options;

typedef struct wf_plan {
    size_t task_count;       /* of the graph */
    size_t needed_count;     /* of them needed by the roots */
    uint32_t *order;         /* by task: position in the static order; meaningless for culled tasks */
    uint32_t *partition;     /* by task; WF_NO_PARTITION: culled */
    uint32_t partition_count;
    uint32_t per_worker;     /* partitions of each */
    int32_t *rank;           /* by partition: per_worker for each worker in turn */
    wf_cut_method method;    /* that made the cut; WF_CUT_AUTO: there is one worker, and nothing was to be decided */
} wf_plan;

/* Culls, orders and cuts.
 *
 * Owns:     *plan is filled; wf_plan_fini frees what it holds.
 * Errors:   WEFT_EINVAL no worker, a kept result on a rank that is none, or METIS asked for in a build without; WEFT_ENOMEM.
 * Cost:     a few passes over tasks and edges, and what the cut's method takes: cut.h.
 */
weft_status wf_plan_init(wf_plan *plan, const weft_graph *graph, const weft_ref *roots, size_t root_count, const wf_plan_options *options,
                         weft_error *err);
void wf_plan_fini(wf_plan *plan);

/* Owners of a layer's tasks among the plan's partitions, which it must have. */
wf_owners wf_plan_owners(const wf_plan *plan, const wf_layers *layers, const wf_layer *layer);

/* The steps, for tests and for people who look at them. */

/* needed[t] = 1 where a root depends on task t, else 0; returns how many. */
size_t wf_cull(const weft_graph *graph, const weft_ref *roots, size_t root_count, unsigned char *needed);

/* Depth-first from the roots, the input with the longest chain of work behind it first, so that few chunks live at a time. */
weft_status wf_order(const weft_graph *graph, const weft_ref *roots, size_t root_count, const unsigned char *needed, uint32_t *order,
                     weft_error *err);

#endif
