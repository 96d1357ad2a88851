/* The part of a graph that this rank runs: its partitions, with a counter for each task and a slot for each chunk.
 *
 * A task's life here: its partition is added; each input that arrives lowers its counter; at zero it goes to the pool; a thread runs its
 * kernel; its outputs go into their slots, to local consumers by counter, and to the owner by the callbacks below. A slot lets go of its
 * chunk when the last local consumer has run.
 *
 * A failed task's outputs are failed ones: whoever consumes one is not run, and fails its own outputs in turn. So every task of a graph
 * ends, whatever happens, and the graph can be forgotten when all have.
 *
 * Threads: adding and delivering are called by one thread at a time (the owner holds its lock); running by all pool threads.
 */
#ifndef WF_EXEC_LOCAL_GRAPH_H
#define WF_EXEC_LOCAL_GRAPH_H

#include <stdbool.h>

#include "exec/pool.h"
#include "graph/partition.h"
#include "store/chunk.h"
#include <weft/kernel.h>

typedef struct wf_local_graph wf_local_graph;

/* What the graph tells its owner, and asks of it. Called from pool threads without a lock held, or from inside wf_local_graph_add.
 * chunk NULL: the output failed. Chunks are lent: who keeps one retains it. */
typedef struct wf_local_graph_ops {
    /* An output that `count` other partitions import. */
    void (*export_output)(void *owner, uint64_t graph, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count,
                          wf_thread *self);
    /* An output that was asked for: flags are WF_OUTPUT_*. */
    void (*root_output)(void *owner, uint64_t graph, uint64_t ref, weft_chunk *chunk, uint32_t flags);
    /* A task failed (not one that was cancelled for it). */
    void (*task_failed)(void *owner, uint64_t graph, uint64_t ref, const weft_error *error);
    /* The last task here has ended; more partitions may come. The graph, and what is called its owner, may be gone already: this goes to
     * the keeper, which outlives them. */
    void (*all_ended)(void *keeper, uint64_t graph, wf_thread *self);
    /* The kept result, with a reference for the caller; NULL when there is none. */
    weft_chunk *(*find_held)(void *owner, uint64_t graph, uint64_t ref);
} wf_local_graph_ops;

typedef struct wf_local_graph_options {
    uint64_t graph;
    int rank;
    const weft_kernel *const *kernels; /* by index in the partitions; copied */
    size_t kernel_count;
    wf_pool *pool;
    wf_budget *budget;
    const wf_local_graph_ops *ops;
    void *owner;
    void *keeper;
} wf_local_graph_options;

/* Owns: *graph is new, the owner destroys it when every task has ended. */
weft_status wf_local_graph_create(const wf_local_graph_options *options, wf_local_graph **graph, weft_error *err);
void wf_local_graph_destroy(wf_local_graph *graph);

/* Adds a partition and starts what is ready in it; next (NULL allowed) gets the first of that instead of the pool, or NULL.
 * Owns: takes bytes (allocated by malloc's family) on success. Errors: WEFT_EDATA. */
weft_status wf_local_graph_add(wf_local_graph *graph, void *bytes, size_t size_bytes, wf_pool_item **next, weft_error *err);

bool wf_local_graph_has_partition(const wf_local_graph *graph, uint32_t partition);

/* An import has come, or failed (chunk NULL). Owns: takes the reference on chunk in every case. Errors: WEFT_EDATA there is no such
 * partition here, or it does not import ref (which is no error for an output of a layer by rule: it may have come for other consumers). */
weft_status wf_local_graph_deliver(wf_local_graph *graph, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self,
                                   weft_error *err);

/* From now on tasks that have not begun end without running, and imports that have not come are not waited for. By the owner's thread. */
void wf_local_graph_cancel(wf_local_graph *graph, wf_thread *self);

uint64_t wf_local_graph_ended_count(const wf_local_graph *graph);

#endif
