/* One rank, put together: transport, pool and worker where it runs tasks, scheduler where it is rank 0. */
#ifndef WF_CLUSTER_RANK_H
#define WF_CLUSTER_RANK_H

#include "base/log.h"
#include "cluster/scheduler.h"
#include "cluster/worker.h"
#include "topology/topology.h"

typedef struct wf_rank wf_rank;

typedef struct wf_rank_options {
    wf_transport *transport;
    wf_budget *budget;
    const wf_registry *registry;
    const wf_topology *topology;   /* for binding; NULL: none */
    bool runs_tasks;
    int thread_count;              /* with runs_tasks: 0 runs them on the client's thread */
    const int *thread_pus;         /* by thread, or -1; NULL: not pinned */
    bool check_rules;              /* see wf_worker_options */
    bool spin;                     /* see wf_pool_options */
    bool has_comm_thread;          /* with runs_tasks: messages have a thread of their own, */
    int comm_pu;                   /* bound to this PU; -1: not pinned */
    int64_t idle_sleep_ns;
    int64_t progress_interval_ns;
    int64_t lost_after_ns;
    wf_move_mode move;             /* on rank 0: whether partitions move */
    const char *cpuset_text;       /* for people: what this rank may use, */
    const char *pinning_text;      /* and where its threads run, a line each */
    const wf_log *log;             /* NULL: silent */
} wf_rank_options;

/* Creates the parts and begins to handle messages. What options point to must outlive the rank. Owns: *rank is new. */
weft_status wf_rank_create(const wf_rank_options *options, wf_rank **rank, weft_error *err);

/* Starts the threads and says HELLO to rank 0. */
weft_status wf_rank_start(wf_rank *rank, weft_error *err);

/* On other ranks than 0: works until rank 0 says SHUTDOWN. Errors: WEFT_ELOST rank 0 is gone; WEFT_ECANCELLED it says that the session
 * is broken, or wf_rank_interrupt was called: others may be gone. */
weft_status wf_rank_serve(wf_rank *rank, weft_error *err);

/* Ends the threads. NULL is allowed. The transport is still the caller's. */
void wf_rank_destroy(wf_rank *rank);

/* On rank 0: sums over all ranks, of itself as of now, of the others as of each one's last message. */
wf_rank_stats wf_rank_sum_stats(wf_rank *rank);

/* NULL on other ranks than 0. */
wf_scheduler *wf_rank_scheduler(wf_rank *rank);

/* Polls the transport, and in a pool without threads runs what is ready. True when something happened. */
bool wf_rank_step(wf_rank *rank);

/* Wakes wf_rank_serve up and lets it fail with WEFT_ECANCELLED: this process was told to end. */
void wf_rank_interrupt(wf_rank *rank, int signal);

#endif
