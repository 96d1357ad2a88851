/* The scheduler, on rank 0: which computes run, who works on them, who is alive.
 *
 * It is passive: it acts when a compute is begun, a message comes or time passes, on the thread that brings it. It decides nothing by
 * itself about when; so tests drive it by hand.
 *
 * Threads: every call is safe from any.
 */
#ifndef WF_CLUSTER_SCHEDULER_H
#define WF_CLUSTER_SCHEDULER_H

#include "base/log.h"
#include "cluster/balance.h"
#include "cluster/protocol.h"
#include "graph/layers_ship.h"
#include "graph/partition.h"
#include "transport/transport.h"

typedef struct wf_scheduler wf_scheduler;

typedef struct wf_scheduler_options {
    wf_transport *transport;
    int64_t lost_after_ns; /* a rank with work that is silent for this long is lost */
    const wf_log *log;     /* NULL: silent */
    wf_move_mode move;     /* whether partitions move */
} wf_scheduler_options;

/* Owns: *scheduler is new. */
weft_status wf_scheduler_create(const wf_scheduler_options *options, wf_scheduler **scheduler, weft_error *err);
void wf_scheduler_destroy(wf_scheduler *scheduler);

/* Acts on a message for rank 0. */
void wf_scheduler_handle(wf_scheduler *scheduler, wf_message *message, int64_t now_ns);

/* Notices who is silent. */
void wf_scheduler_tick(wf_scheduler *scheduler, int64_t now_ns);

/* Ranks that have said HELLO. */
int wf_scheduler_hello_count(wf_scheduler *scheduler);

/* The ranks that run tasks, ascending. Owns: *workers is new, free() it. */
weft_status wf_scheduler_workers(wf_scheduler *scheduler, wf_plan_worker **workers, size_t *worker_count, weft_error *err);

uint64_t wf_scheduler_memory_limit_bytes(wf_scheduler *scheduler); /* of all workers together; 0: one has none */

/* What a rank said of itself. Texts are borrowed, and stay as long as the scheduler. */
typedef struct wf_rank_description {
    const char *host, *cpuset, *pinning;
    int threads; /* 0: runs no tasks */
    uint64_t memory_limit_bytes;
} wf_rank_description;

/* False for a rank that there is not, or that has not said HELLO. */
bool wf_scheduler_describe_rank(wf_scheduler *scheduler, int rank, wf_rank_description *description);

/* A number for the next graph. */
uint64_t wf_scheduler_next_graph(wf_scheduler *scheduler);

/* Sends a planned graph out.
 *
 * roots are those whose chunks come back when gather is set; the compute ends without them otherwise.
 * Owns:    takes the partitions out of set.
 * Errors:  WEFT_ELOST the session is broken; WEFT_ENOMEM.
 */
weft_status wf_scheduler_begin(wf_scheduler *scheduler, uint64_t graph_id, const weft_graph *graph, const wf_plan *plan,
                               wf_partition_set *set, const wf_layers_shipment *layers, const weft_ref *roots, size_t root_count, bool gather,
                               weft_error *err);

/* True when the compute is over, or can never be. Sleeps up to timeout_ns until it is (0: does not). */
bool wf_scheduler_wait(wf_scheduler *scheduler, uint64_t graph_id, int64_t timeout_ns);

/* Where a partition of a compute lies: for good once the compute is over. -1: where the plan says, nothing moves. */
int wf_scheduler_partition_rank(wf_scheduler *scheduler, uint64_t graph_id, uint32_t partition);

uint64_t wf_scheduler_moved_count(wf_scheduler *scheduler); /* partitions that have moved */

/* WEFT_OK, or why the session is broken. */
weft_status wf_scheduler_check(wf_scheduler *scheduler, weft_error *err);

/* Ends a compute that is over; the workers forget the graph.
 *
 * Owns:    chunks[i] (NULL allowed when nothing was gathered) gets a reference for each root; unset on failure.
 * Errors:  of the failed task that comes first in the graph; WEFT_ELOST; WEFT_ECANCELLED.
 */
weft_status wf_scheduler_end(wf_scheduler *scheduler, uint64_t graph_id, weft_chunk **chunks, weft_error *err);

/* All computes that run or begin from now on end with WEFT_ECANCELLED, without waiting for tasks that run. */
void wf_scheduler_interrupt(wf_scheduler *scheduler, const char *why);

/* Frees a kept result on the rank that has it. */
void wf_scheduler_release(wf_scheduler *scheduler, int rank, uint64_t graph_id, uint64_t ref);

/* Tells every other rank to end. */
void wf_scheduler_shut_down(wf_scheduler *scheduler);

/* Sums over ranks, as of each one's last message. */
wf_rank_stats wf_scheduler_stats(wf_scheduler *scheduler);

#endif
