/* Which rank should give partitions to which: rank 0's picture of who idles and who has partitions to spare, and the decision.
 *
 * It sends nothing: the scheduler tells it what it hears, and asks it whom to ask. The picture may be out of date; then a rank that is
 * asked has nothing to give, says so, and is not asked again until it tells of more.
 *
 * Threads: one at a time (the scheduler holds its lock).
 */
#ifndef WF_CLUSTER_BALANCE_H
#define WF_CLUSTER_BALANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/places.h"
#include "cluster/protocol.h"

/* When partitions move. */
typedef enum wf_move_mode {
    WF_MOVE_OFF,
    WF_MOVE_ON,
    WF_MOVE_AT_RANDOM /* to test: from rank to rank for no reason */
} wf_move_mode;

typedef struct wf_balance wf_balance;
typedef struct wf_balance_graph wf_balance_graph; /* one compute's partitions */

/* Owns: *balance is new; the graphs that are left go with it. */
weft_status wf_balance_create(int rank_count, wf_move_mode mode, wf_balance **balance, weft_error *err);
void wf_balance_destroy(wf_balance *balance);

/* Whether partitions move at all. If not, or where there is one worker, a graph has no part here. */
bool wf_balance_is_on(const wf_balance *balance);

/* A graph goes out: `counts` says how many partitions each rank gets. Owns: *graph is new. */
weft_status wf_balance_begin(wf_balance *balance, uint64_t id, const wf_places *places, const uint32_t *counts, wf_balance_graph **graph,
                             weft_error *err);
/* NULL is allowed. */
void wf_balance_end(wf_balance *balance, wf_balance_graph *graph);

/* A rank has told. graph NULL: its compute is over, or has no part here. */
void wf_balance_note_progress(wf_balance *balance, wf_balance_graph *graph, int rank, const wf_progress_message *progress);

/* A rank has answered. graph NULL: its compute is over. Errors: WEFT_EDATA there is no such partition or rank; WEFT_ENOMEM. */
weft_status wf_balance_note_moved(wf_balance *balance, wf_balance_graph *graph, int rank, const wf_moved_partition *moved, uint32_t count,
                                  weft_error *err);

/* The next request that is due; it counts as sent. False: none. */
bool wf_balance_next(wf_balance *balance, int *rank, wf_give_message *give);

/* Whether this rank has given any partition of the graph away. */
bool wf_balance_has_given(const wf_balance_graph *graph, int rank);

/* Where a partition is. */
wf_place wf_balance_place(const wf_balance_graph *graph, uint32_t partition);

/* Partitions that have moved, in all graphs. */
uint64_t wf_balance_moved_count(const wf_balance *balance);

/* What moved since the last call: up to *count entries, borrowed until the next call about this graph. */
const wf_moved_partition *wf_balance_take_news(wf_balance_graph *graph, uint32_t *count);

#endif
