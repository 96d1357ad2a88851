/* What the files of a worker share: its state, and what it tells. */
#ifndef WF_CLUSTER_WORKER_STATE_H
#define WF_CLUSTER_WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#define HASH_NONFATAL_OOM 1 /* an element that could not be added has no table: hh.tbl is NULL */
#include <uthash.h>

#include "cluster/worker.h"
#include "cluster/worker_partitions.h"
#include "exec/local_graph.h"
#include "exec/rule_graph.h"

typedef struct wf_worker_graph {
    uint64_t id;
    wf_worker *worker;
    wf_local_graph *local;   /* NULL until GRAPH came, as are partitions */
    wf_rule_graph *rules;    /* NULL: no layers by rule */
    wf_worker_partitions *partitions;
    uint32_t partition_count;
    uint32_t first_partition, home_count; /* with rules: the partitions that began here */
    bool may_move;           /* its partitions: they are opened late */
    bool is_cancelled;
    _Atomic uint64_t sent, received; /* DATA and TAKE */
    _Atomic uint64_t credited;       /* of what was sent: TAKE at once */
    uint64_t asked_round;            /* of PROBE, not answered yet; 0: none */
    int looks;                       /* for the answer */
    uint64_t *owed, owed_count;      /* by rank, and in all: received and not credited */
    wf_message_queue early;  /* what came before GRAPH */
    _Atomic uint64_t lowest_failed; /* ref of the failed task told to rank 0: only one that comes before it is told after it */
    weft_kernel *missing;    /* stand-ins for kernels that this rank does not have; NULL: none */
    char *names;             /* theirs */
    UT_hash_handle hh;
} wf_worker_graph;

typedef struct wf_held_key {
    uint64_t graph, ref;
} wf_held_key;

typedef struct wf_held_result {
    wf_held_key key;
    weft_chunk *chunk;
    UT_hash_handle hh;
} wf_held_result;

struct wf_worker {
    wf_worker_options options;
    pthread_mutex_t lock;
    wf_worker_graph *graphs;
    wf_held_result *held;
    uint64_t forgotten_tasks;        /* that ended in graphs that are gone */
    atomic_bool has_untold_failure; /* the next tick tells it, before the progress that could end the graph */
    atomic_size_t startable_count;   /* unopened partitions of all graphs that could start */
    atomic_bool owes;                /* credit that was held back because this rank was behind */
    atomic_size_t source_count;      /* graphs whose layers by rule may have tasks that nobody has had */
    uint64_t *abandoned;             /* graphs that were forgotten after a cancel: what comes for them late is dropped */
    size_t abandoned_count, abandoned_capacity;
    atomic_size_t moving_count;      /* graphs whose partitions may move */
    uint64_t newest_graph;           /* the highest number in a GRAPH */
    _Atomic int64_t hungry_from_ns;  /* no hunger before: the short while that follows GRAPH */
    atomic_bool is_opening;          /* some thread opens a partition */
    atomic_bool has_told_hunger;     /* rank 0 thinks this rank hungry */
    _Atomic int64_t idle_ns;         /* when a thread last found nothing to run */
    int64_t idle_after_ns;           /* an idle thread looks for work more often than this */
    _Atomic uint64_t rss_peak_bytes; /* as last read */
    _Atomic int64_t rss_read_ns;
    wf_pool *pool;
};

/* ---- worker_tell.c ---- */

/* A zeroed body; NULL with err filled when out of memory. */
void *wf_worker_make_body(wf_message *message, uint32_t type, size_t bytes, weft_error *err);

/* FAILED or BROKEN. What cannot be sent for want of memory is not forgotten: rank 0 would take the graph for a success. */
void wf_worker_send_failed(wf_worker *worker, uint32_t type, uint64_t graph, uint64_t ref, const weft_error *error, bool ends_graph);
/* Something that cannot be told from task to task: the session is told that this rank cannot go on. */
void wf_worker_report_broken(wf_worker *worker, const weft_error *error);

/* Tasks that have ended here; with the lock held. */
uint64_t wf_worker_ended_count(const wf_worker_graph *graph);

/* With the lock held, in a graph for which GRAPH has come. */
void wf_worker_send_progress(wf_worker_graph *graph, bool is_hungry);

/* With the lock held, to be asked when a thread idles: no graph has anything to open, nor has anything on its way here. */
bool wf_worker_is_hungry(const wf_worker *worker);

/* Sends an output to the partitions that have consumers of it, all in one place. Retains the chunk. */
void wf_worker_send_data(wf_worker_graph *graph, wf_place to, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count);
/* PROBE, of a graph that may not be here (NULL). */
void wf_worker_answer(wf_worker *worker, wf_worker_graph *graph, const wf_ref_message *body);
/* At every tick: answers a question that was put off. */
void wf_worker_look_for_answer(wf_worker_graph *graph);

/* ---- worker_outputs.c: where outputs go ---- */

void wf_worker_on_export(void *graph, uint64_t id, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count, wf_thread *self);
void wf_worker_on_root(void *graph, uint64_t id, uint64_t ref, weft_chunk *chunk, uint32_t flags);
void wf_worker_on_task_failed(void *graph, uint64_t id, uint64_t ref, const weft_error *error);
weft_chunk *wf_worker_on_find_held(void *graph, uint64_t id, uint64_t ref);
/* RELEASE, with the lock held. */
void wf_worker_release_held(wf_worker *worker, const wf_ref_message *body);

/* ---- worker_rules.c: layers by rule. With the lock held, but for start_source ---- */

/* GRAPH has come with layers. What is wrong with them ends the graph, not the session. Errors: WEFT_EDATA, WEFT_ENOMEM. */
weft_status wf_worker_begin_rules(wf_worker_graph *graph, const wf_graph_message *body, const weft_kernel *const *kernels, weft_error *err);
/* Counts the graphs that may have sources, and wakes threads when there are some. */
void wf_worker_count_sources(wf_worker *worker);
/* Tells rank 0 where rules disagree, or which task waits for what, if that shows here: nothing of the graph runs any more, anywhere. */
void wf_worker_tell_waiting(wf_worker_graph *graph);
/* For an idle thread: a task that takes no input. */
wf_pool_item *wf_worker_start_source(wf_worker *worker, wf_thread *self);

/* ---- worker_credit.c ---- */

/* DATA has come. Errors: WEFT_ENOMEM. */
weft_status wf_worker_note_received(wf_worker_graph *graph, int from, weft_error *err);
/* CREDIT has come. */
void wf_worker_note_credit(wf_worker_graph *graph, uint64_t count);
/* Credits all that was received, unless this rank is behind. */
void wf_worker_pay_all(wf_worker_graph *graph);
/* Whether this rank has run ahead of its consumers. */
bool wf_worker_is_ahead(const wf_worker_graph *graph);

/* ---- worker_moves.c ---- */

/* GIVE; TAKE and OVERLAY. With the lock held. Errors: WEFT_EDATA. */
weft_status wf_worker_give_partitions(wf_worker_graph *graph, const wf_message *message, weft_error *err);
weft_status wf_worker_note_moves(wf_worker_graph *graph, const wf_message *message, weft_error *err);

/* The pool's. */
wf_pool_item *wf_worker_find_more(void *worker, wf_thread *self, bool before_stealing);
bool wf_worker_has_more(void *worker);

#endif
