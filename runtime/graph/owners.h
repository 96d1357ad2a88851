/* Which partition, and so which rank, a task of a layer by rule belongs to: arithmetic on its index, the same on every rank.
 *
 * A layer's task has a coordinate. Coordinates are dealt out to workers (in blocks, in turn, or as given), and each worker's share is
 * cut into per_worker runs of neighbours, its partitions: number worker * per_worker and on.
 */
#ifndef WF_GRAPH_OWNERS_H
#define WF_GRAPH_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/layer.h>

/* As it is stored and sent. Task i lies where the point i * scale of a space lies whose coordinate is point / stride % extent: a layer's own
 * space (scale 1), or that of a tree's leaves, of which a join covers `scale`: then it is one of
 * one row, and not CYCLIC (graph/tree.c). */
typedef struct wf_owner_rule {
    uint32_t kind; /* weft_owner_kind */
    uint32_t reserved;
    int64_t scale, stride, extent;
    int64_t block;        /* CYCLIC */
    uint64_t ranks_begin; /* GIVEN: into the graph's owner_ranks, extent of them */
} wf_owner_rule;

/* What is known of one coordinate. */
typedef struct wf_owner_entry {
    uint32_t partition;
    uint32_t end; /* of the run of coordinates from this one on that lie in it */
} wf_owner_entry;

/* Ready to be asked. */
typedef struct wf_owners {
    wf_owner_rule rule;
    const int32_t *ranks; /* borrowed */
    uint64_t task_count;
    int64_t workers, per_worker;
    const wf_owner_entry *table; /* by coordinate, borrowed; NULL: each is computed, which takes three times as long */
} wf_owners;

wf_owners wf_owners_make(const wf_owner_rule *rule, const int32_t *owner_ranks, uint64_t task_count, uint32_t workers, uint32_t per_worker);

/* Coordinates that a table is worth its memory for; owners of a tree's joins have none. */
enum { WF_OWNERS_MOST_ENTRIES = 1 << 14 };
/* Entries of a table for these owners; 0: none. */
size_t wf_owners_table_length(const wf_owners *owners);
void wf_owners_fill_table(const wf_owners *owners, wf_owner_entry *table);

/* The partition of task index. *end (NULL allowed) gets the end of a run of tasks from index on that lie in it, too. */
uint32_t wf_owners_partition(const wf_owners *owners, uint64_t index, uint64_t *end);

/* The first run of tasks of `partition` at or after `from`; false when there is none. Cost: GIVEN looks at each coordinate on the way. */
bool wf_owners_next(const wf_owners *owners, uint32_t partition, uint64_t from, weft_interval *run);

/* Tasks of that partition. Cost: a few operations but for GIVEN. */
uint64_t wf_owners_count(const wf_owners *owners, uint32_t partition);

#endif
