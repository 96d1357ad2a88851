/* What a plan promises: sizes, critical path, cut, balance, memory, time. Pure functions; any thread. */
#ifndef WF_GRAPH_STATS_H
#define WF_GRAPH_STATS_H

#include "graph/plan.h"

/* Plans and measures. stats->ranks and stats->rank_capacity are the caller's; all else is filled. Errors: as weft_graph_get_stats. */
weft_status wf_graph_measure(const weft_graph *graph, const weft_ref *roots, size_t root_count, const wf_plan_options *options,
                             weft_graph_stats *stats, weft_error *err);

/* The same of a plan that was made with these options. `ranks` has room for all workers. */
weft_status wf_plan_measure(const wf_plan *plan, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                            const wf_plan_options *options, weft_graph_stats *stats, weft_graph_rank_stats *ranks, weft_error *err);

/* When the last task ends, if every worker runs its ready tasks in static order on its threads, and messages take no time. by_order: the
 * needed tasks in static order. */
weft_status wf_plan_simulate(const wf_plan *plan, const weft_graph *graph, const uint32_t *by_order, const wf_plan_options *options,
                             double *finish_cost, weft_error *err);

#endif
