/* What the files of the scheduler share. All of it with the scheduler's lock held. */
#ifndef WF_CLUSTER_SCHEDULER_STATE_H
#define WF_CLUSTER_SCHEDULER_STATE_H

#include <pthread.h>
#define HASH_NONFATAL_OOM 1 /* an element that could not be added has no table: hh.tbl is NULL */
#include <uthash.h>

#include "cluster/scheduler.h"
#include "cluster/stall.h"

typedef struct wf_rank_entry {
    bool has_said_hello;
    uint32_t threads;
    uint64_t memory_limit_bytes;
    int64_t heard_ns;
    wf_rank_stats stats;
    char host[64];
    char *texts; /* its cpuset, then its pinning */
} wf_rank_entry;

/* A result that the client asked for; perhaps more than once. */
typedef struct wf_wanted_root {
    uint64_t ref;
    size_t index;
} wf_wanted_root;

typedef struct wf_compute {
    uint64_t id;
    uint64_t task_count;
    uint64_t ended_count;     /* the sum of ended */
    uint64_t *ended;          /* by rank */
    int64_t *given;           /* by rank: tasks it has to end; below 0 between two moves that are told in the wrong order */
    wf_balance_graph *moves;  /* NULL: nothing moves */
    size_t root_count;        /* roots to gather */
    size_t missing_count;     /* of them, not here yet */
    wf_wanted_root *roots;    /* by ref */
    weft_chunk **chunks;      /* as asked for */
    wf_stall stall;
    bool is_cancelled;        /* the workers have been told */
    bool has_failed;
    uint64_t failed_ref;      /* the first in the graph that failed, so that the error does not depend on who was faster */
    weft_error error;
    UT_hash_handle hh;
} wf_compute;

struct wf_scheduler {
    wf_scheduler_options options;
    pthread_mutex_t lock;
    pthread_cond_t change;
    wf_rank_entry *ranks;
    int hello_count;
    uint64_t next_graph;
    wf_compute *computes;
    wf_balance *balance;
    weft_error broken;        /* status WEFT_OK: it is not */
};

/* NULL: there is none, perhaps no more. */
wf_compute *wf_scheduler_find_compute(wf_scheduler *scheduler, uint64_t id);

/* Sends a copy of body. */
weft_status wf_scheduler_send(wf_scheduler *scheduler, int rank, uint32_t type, const void *body, size_t bytes, weft_error *err);

/* No compute can go on; the first error counts. */
void wf_scheduler_break(wf_scheduler *scheduler, const weft_error *error);

/* To every rank that runs tasks. */
void wf_scheduler_send_ref_to_workers(wf_scheduler *scheduler, uint32_t type, uint64_t graph, uint64_t ref);

/* ---- scheduler_stall.c ---- */

/* Tells the workers to end the compute; once. why: WF_CANCEL_*. */
void wf_scheduler_cancel(wf_scheduler *scheduler, wf_compute *c, uint64_t why);

/* ANSWER. */
void wf_scheduler_note_answer(wf_scheduler *scheduler, const wf_message *message, int64_t now_ns);

/* Asks about computes in which nothing has ended for long. */
void wf_scheduler_look_for_stalls(wf_scheduler *scheduler, int64_t now_ns);

/* ---- scheduler_moves.c ---- */

/* MOVED, of at least its fixed size. */
void wf_scheduler_note_moved(wf_scheduler *scheduler, const wf_message *message);

/* Asks for partitions on behalf of those who idle. */
void wf_scheduler_send_requests(wf_scheduler *scheduler);

/* Tells the workers what has moved, so that chunks take the direct way. */
void wf_scheduler_spread_news(wf_scheduler *scheduler);

#endif
