/* A rank that runs tasks: takes partitions from rank 0 and chunks from its peers, and sends what others need.
 *
 * Threads: wf_worker_handle by the thread that polls the transport; the rest from any.
 */
#ifndef WF_CLUSTER_WORKER_H
#define WF_CLUSTER_WORKER_H

#include "cluster/protocol.h"
#include "exec/registry.h"
#include "exec/pool.h"
#include "transport/transport.h"

typedef struct wf_worker wf_worker;

typedef struct wf_worker_options {
    wf_transport *transport;
    wf_budget *budget;
    const wf_registry *registry;
    bool check_rules;     /* compare rules with their inverses before they run */
    bool has_comm_thread; /* somebody else polls, so the pool's threads need not */
    wf_pool_options pool; /* poll and context are the worker's to set */
} wf_worker_options;

/* Owns: *worker is new; what options point to must outlive it. */
weft_status wf_worker_create(const wf_worker_options *options, wf_worker **worker, weft_error *err);
/* Starts the pool, which then polls the transport, too, unless somebody else does. */
weft_status wf_worker_start(wf_worker *worker, weft_error *err);
/* Tasks that run end first; those that wait are dropped. NULL is allowed. */
void wf_worker_destroy(wf_worker *worker);

/* Acts on a message for workers. */
void wf_worker_handle(wf_worker *worker, wf_message *message, wf_thread *self);

/* Sends rank 0 the progress of every graph; to be called every progress interval. */
void wf_worker_tick(wf_worker *worker);

/* Credits other ranks for what they sent when this one was behind, and no longer is; to be called often by whoever polls in the pool's
 * stead. Any thread; cheap when there is nothing. */
void wf_worker_pay_when_due(wf_worker *worker);

wf_pool *wf_worker_pool(wf_worker *worker);

#endif
