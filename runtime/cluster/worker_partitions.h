/* The partitions of one graph on one rank. Each is elsewhere, here but unopened, or open.
 *
 * An unopened one is a promise: nothing of it has run, and what comes for it is stored; so it can go to another rank as it came, with what
 * has arrived. Opening is final. What a partition is made of is the owner's affair: here it is a block of bytes (NULL allowed), a count of
 * tasks, and the functions below.
 *
 * Threads: one at a time (the worker holds its lock), but for get_place.
 */
#ifndef WF_CLUSTER_WORKER_PARTITIONS_H
#define WF_CLUSTER_WORKER_PARTITIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "cluster/places.h"
#include "cluster/protocol.h"
#include "exec/pool.h"
#include "store/chunk.h"

typedef struct wf_worker_partitions wf_worker_partitions;

/* What a partition is made of. */
typedef struct wf_partition_content {
    uint32_t partition;
    uint64_t task_count;
    bool is_bound;  /* may not move */
    bool has_ready; /* some task needs nothing from elsewhere: it could start at once */
    void *bytes;    /* from wf_aligned_alloc */
    size_t size_bytes;
} wf_partition_content;

typedef struct wf_partition_ops {
    /* From now on the partition runs here: what is ready goes to the pool, but the first of it into *next unless that is NULL.
     * Owns: takes content->bytes when it succeeds, and sets it NULL. */
    weft_status (*open)(void *owner, wf_partition_content *content, wf_pool_item **next, weft_error *err);
    /* A chunk (NULL: it failed) for an open partition. Owns: takes the reference in every case. */
    weft_status (*deliver)(void *owner, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self, weft_error *err);
    /* A chunk for a partition that is elsewhere. Owns: takes the reference. */
    void (*forward)(void *owner, uint32_t partition, wf_place to, uint64_t ref, weft_chunk *chunk);
    /* Sends what a partition is made of to the rank that gets it. Owns: takes content->bytes. */
    void (*send)(void *owner, int rank, wf_partition_content *content);
    /* There is one more that could start. */
    void (*wake)(void *owner);
} wf_partition_ops;

typedef struct wf_worker_partitions_options {
    int rank; /* this one */
    uint32_t partition_count;
    int32_t first_rank;
    uint32_t per_rank;
    uint32_t coming_count; /* that rank 0 sends */
    const wf_partition_ops *ops;
    void *owner;
    atomic_size_t *startable_count; /* of several graphs: these are added; read without a lock */
} wf_worker_partitions_options;

/* Owns: *partitions is new. */
weft_status wf_worker_partitions_create(const wf_worker_partitions_options *options, wf_worker_partitions **partitions, weft_error *err);
void wf_worker_partitions_destroy(wf_worker_partitions *partitions);

/* Any thread; may be out of date at once. partition < partition_count. */
wf_place wf_worker_partitions_get_place(const wf_worker_partitions *partitions, uint32_t partition);

/* A partition has arrived. Owns: takes content->bytes on success. Errors: WEFT_EDATA it was here before, or there is no such number. */
weft_status wf_worker_partitions_add(wf_worker_partitions *partitions, const wf_partition_content *content, weft_error *err);

/* The same for one that is opened as it comes, where nothing moves. Owns: takes content->bytes once it is open, and sets it NULL. */
weft_status wf_worker_partitions_add_open(wf_worker_partitions *partitions, wf_partition_content *content, wf_thread *self,
                                          weft_error *err);

/* Opens all that are here. */
weft_status wf_worker_partitions_open_all(wf_worker_partitions *partitions, wf_thread *self, weft_error *err);

/* Opens the one with the lowest number that could start. Does nothing when there is none. *next: what the caller runs next, or NULL; what
 * became ready by what had arrived is pushed on self. */
weft_status wf_worker_partitions_open_next(wf_worker_partitions *partitions, wf_thread *self, wf_pool_item **next, weft_error *err);

/* A chunk has come for a partition, from somebody who knows of `moves` moves of it: it is delivered, stored or forwarded.
 * Owns: takes the reference in every case. Errors: WEFT_EDATA there is no such partition. */
weft_status wf_worker_partitions_deliver(wf_worker_partitions *partitions, uint32_t partition, uint32_t moves, uint64_t ref,
                                         weft_chunk *chunk, wf_thread *self, weft_error *err);

/* Somebody tells where a partition is. When it is on its way here it is awaited. Errors: WEFT_EDATA there is no such partition. */
weft_status wf_worker_partitions_note(wf_worker_partitions *partitions, const wf_moved_partition *moved, bool is_coming, weft_error *err);

/* Chooses up to `most` to be given to a rank, from the end of the sequence in which they would be opened; unless may_be_stuck, of those
 * that could start. moved has room for `most`; returns how many. They are still here: hand_over follows for each. */
uint32_t wf_worker_partitions_choose(const wf_worker_partitions *partitions, int to, uint32_t most, bool may_be_stuck,
                                     wf_moved_partition *moved);
/* It goes, with what has arrived. */
weft_status wf_worker_partitions_hand_over(wf_worker_partitions *partitions, const wf_moved_partition *moved, weft_error *err);

/* Unopened ones that could start and may move. */
uint32_t wf_worker_partitions_movable_count(const wf_worker_partitions *partitions);
bool wf_worker_partitions_has_startable(const wf_worker_partitions *partitions);
/* Unopened ones, or some that are on their way here: tasks are still to come. */
bool wf_worker_partitions_has_unopened(const wf_worker_partitions *partitions);
bool wf_worker_partitions_has_coming(const wf_worker_partitions *partitions);

#endif
