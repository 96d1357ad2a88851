/* The tasks of layers by rule that wait: some of their inputs have come, others have not. A hash table by layer and index, in shards.
 *
 * Threads: a shard is used by whoever holds its lock, which is held for tens of nanoseconds; different shards by different threads.
 */
#ifndef WF_EXEC_FRONTIER_H
#define WF_EXEC_FRONTIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

/* First member of what waits. */
typedef struct wf_waiting {
    struct wf_waiting *next;
    uint64_t index;
    uint32_t layer;
} wf_waiting;

typedef struct wf_frontier wf_frontier;
typedef struct wf_frontier_shard wf_frontier_shard;

weft_status wf_frontier_create(wf_frontier **frontier, weft_error *err);
/* Calls free_waiting for each entry that is left. NULL is allowed. */
void wf_frontier_destroy(wf_frontier *frontier, void (*free_waiting)(void *context, wf_waiting *waiting), void *context);

/* Locks the shard that has, or would have, the entry. */
wf_frontier_shard *wf_frontier_lock(wf_frontier *frontier, uint32_t layer, uint64_t index);
void wf_frontier_unlock(wf_frontier_shard *shard);

/* With the shard locked. find returns NULL when there is none; add needs that there is none. Errors: WEFT_ENOMEM. */
wf_waiting *wf_frontier_find(const wf_frontier_shard *shard, uint32_t layer, uint64_t index);
weft_status wf_frontier_add(wf_frontier_shard *shard, wf_waiting *waiting, weft_error *err);
void wf_frontier_remove(wf_frontier_shard *shard, wf_waiting *waiting);

/* The waiting entry that comes first by layer, then index; NULL: none. Locks every shard in turn: the answer holds only while nothing runs. */
const wf_waiting *wf_frontier_first(wf_frontier *frontier);

#endif
