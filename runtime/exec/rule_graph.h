/* The tasks of layers by rule that this rank runs.
 *
 * A task's life here: its first input makes it (or nothing, when it takes none: exec/rule_sources.h); it waits in the frontier until the last
 * one has come; then it goes to the pool; a thread runs its kernel; by the inverse of the rules each output goes to the consumers in
 * partitions that are open here, and once to each other partition that has some; then nothing is left of it. So memory follows the frontier.
 *
 * A failed task's outputs are failed ones, as in exec/local_graph.h, and every task of the graph ends, unless it is cancelled.
 *
 * Threads: adding partitions, delivering and cancelling by one thread at a time (the owner holds its lock); the rest by any.
 */
#ifndef WF_EXEC_RULE_GRAPH_H
#define WF_EXEC_RULE_GRAPH_H

#include "exec/pool.h"
#include "exec/registry.h"
#include "exec/rule_layers.h"
#include "exec/rule_sources.h"
#include "store/chunk.h"

typedef struct wf_rule_graph wf_rule_graph;

/* What the graph tells its owner. From pool threads without a lock held, or from inside a call. chunk NULL: the output failed. Chunks are
 * lent: who keeps one retains it. */
typedef struct wf_rule_graph_ops {
    /* An output with consumers in `count` partitions, ascending, that are not open here: who has them finds them by the same rules. Among
     * them are partitions whose explicit tasks import it. */
    void (*export_output)(void *owner, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count, wf_thread *self);
    /* An output that explicit tasks of a partition import which is open here. */
    void (*import_output)(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t partition, wf_thread *self);
    /* An output that was asked for; by flags. */
    void (*root_output)(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t flags);
    /* A task failed (not one that was cancelled for it). ends_graph: others may wait for it for ever, so the graph has to be cancelled. */
    void (*task_failed)(void *owner, uint64_t ref, const weft_error *error, bool ends_graph);
    /* No task of the graph runs here or is in the pool: all have ended, or the others wait for inputs. The graph may be gone already. */
    void (*went_quiet)(void *keeper, uint64_t graph, wf_thread *self);
} wf_rule_graph_ops;

typedef struct wf_rule_graph_options {
    uint64_t graph;
    int rank;
    uint32_t workers, per_worker;        /* there are workers * per_worker partitions */
    const weft_kernel *const *kernels;   /* by number; what they point to must outlive the graph */
    size_t kernel_count;
    const wf_registry *registry;         /* which has the rules */
    wf_pool *pool;
    wf_budget *budget;
    const wf_rule_graph_ops *ops;
    void *owner;
    void *keeper;
} wf_rule_graph_options;

/* Owns: takes bytes (graph/layers.h), of malloc's family, on success; *graph is new, the owner destroys it when all has ended.
 * Errors: as wf_rule_layers_init. */
weft_status wf_rule_graph_create(const wf_rule_graph_options *options, void *bytes, size_t size_bytes, wf_rule_graph **graph, weft_error *err);
void wf_rule_graph_destroy(wf_rule_graph *graph);

/* Gets the rules ready: finds the inverses that are missing and, with check, compares all rules with theirs for the tasks of `count`
 * partitions from `first` on. To be called once, before the first partition is opened. Errors: WEFT_EGRAPH the rules are wrong: the graph
 * has to be cancelled, *ref is the task that shows it; WEFT_ENOENT one of them is not registered here; WEFT_ENOMEM. */
weft_status wf_rule_graph_prepare(wf_rule_graph *graph, bool check, uint32_t first, uint32_t count, uint64_t *ref, weft_error *err);

/* After prepare: compares rules with their inverses, asking them `questions` times at most. Errors: as prepare. */
weft_status wf_rule_graph_check(const wf_rule_graph *graph, uint32_t first, uint32_t count, uint64_t questions, uint64_t *ref, weft_error *err);

/* Tasks in a partition. */
uint64_t wf_rule_graph_count(const wf_rule_graph *graph, uint32_t partition);

/* The tasks of a partition run here from now on. Once for each. */
weft_status wf_rule_graph_open(wf_rule_graph *graph, uint32_t partition, weft_error *err);

/* An output of another rank's task, or its failure (chunk NULL), for its consumers in an open partition. Takes the reference on chunk.
 * Errors: WEFT_EDATA no such task. */
weft_status wf_rule_graph_deliver(wf_rule_graph *graph, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self,
                                  weft_error *err);

/* From now on no task begins. */
void wf_rule_graph_cancel(wf_rule_graph *graph);

/* Tasks here are counted as active from when they can run until they have ended. */
bool wf_rule_graph_is_quiet(const wf_rule_graph *graph);
int64_t wf_rule_graph_active_count(const wf_rule_graph *graph);
uint64_t wf_rule_graph_given_count(const wf_rule_graph *graph);
/* Exact while the graph is quiet. After a cancel, all that were given once it is quiet. */
uint64_t wf_rule_graph_ended_count(const wf_rule_graph *graph);

/* Tasks that take no input and that nobody has had. They count as active: whoever took them has to start them. */
typedef struct wf_rule_batch {
    const wf_rule_layer *layer;
    size_t count;
    uint64_t indices[WF_SOURCE_BATCH];
} wf_rule_batch;

bool wf_rule_graph_has_more(const wf_rule_graph *graph);
/* By the owner's thread; false when there is none, for now or for ever. */
bool wf_rule_graph_take(wf_rule_graph *graph, int sharers, wf_rule_batch *batch);
/* Any thread: returns one of them, and pushes the others. */
wf_pool_item *wf_rule_graph_start(wf_rule_graph *graph, const wf_rule_batch *batch, wf_thread *self);

/* While nothing of the graph runs: the first task that waits for inputs, and one of them; false when none waits. */
bool wf_rule_graph_describe_waiting(wf_rule_graph *graph, uint64_t *ref, weft_error *error);

#endif
