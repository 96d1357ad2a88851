/* Making a cut parallel: tasks that are due at the same time go to different workers. Any thread. */
#ifndef WF_GRAPH_SPREAD_H
#define WF_GRAPH_SPREAD_H

#include <stdbool.h>

#include "graph/plan.h"

/* A cut may be even and still let one worker wait for the other all the time, when it parts early tasks from late ones. So time is looked at
 * in windows of about one task's length, by when each task could begin at the earliest: where one worker has clearly more than its share of
 * a window, what is too much goes to workers that have room, each task to where most of its inputs are.
 *
 * worker[t] of the needed tasks is changed; tasks bound to a rank stay. *has_moved: any was. Errors: WEFT_ENOMEM.
 * Cost: a few passes over tasks and edges. */
weft_status wf_spread(const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options, uint32_t *worker,
                      bool *has_moved, weft_error *err);

#endif
