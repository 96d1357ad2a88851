/* Where the partitions of a graph are: a rule that tells where each began, and an overlay of those that have moved.
 *
 * What is said of a partition carries how often it has moved, and what tells of a later move wins; so it may be noted in any order.
 *
 * Threads: get by any; note by one at a time.
 */
#ifndef WF_CLUSTER_PLACES_H
#define WF_CLUSTER_PLACES_H

#include <stdatomic.h>
#include <stdint.h>

#include <weft/status.h>

typedef struct wf_place {
    int32_t rank;
    uint32_t moves; /* until it was there */
} wf_place;

typedef struct wf_places {
    uint32_t count; /* of partitions */
    uint32_t per_rank;
    int32_t first_rank;
    _Atomic(_Atomic uint64_t *) moved; /* by partition: moves and rank; NULL until the first moves */
} wf_places;

/* Partition p of count begins at rank first_rank + p / per_rank. Allocates nothing. */
void wf_places_init(wf_places *places, uint32_t count, int32_t first_rank, uint32_t per_rank);
void wf_places_fini(wf_places *places);

/* partition < count. */
wf_place wf_places_get(const wf_places *places, uint32_t partition);

/* Does nothing when a move as late as that is known. Errors: WEFT_ENOMEM. */
weft_status wf_places_note(wf_places *places, uint32_t partition, wf_place place, weft_error *err);

#endif
