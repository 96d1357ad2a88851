/* Graphs: tasks and the outputs they take as inputs. Nothing runs while a graph is built.
 *
 * Threads: a graph is built by one thread at a time. Once computing has begun it may be read by any number.
 */
#ifndef WEFT_GRAPH_H
#define WEFT_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include <weft/kernel.h>
#include <weft/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weft_graph weft_graph;

/* One output of one task of one graph; a plain value, owned by nobody. */
typedef struct weft_ref {
    uint64_t graph;  /* the graph's serial number: a ref of another graph is refused */
    uint64_t value;  /* task and output, packed */
} weft_ref;

enum { WEFT_MAX_OUTPUTS = 16 };

/* What is known of a task. Zero is a good default everywhere but for kernel. */
typedef struct weft_task_spec {
    size_t size_bytes;          /* sizeof(weft_task_spec): set by WEFT_TASK_SPEC_INIT */
    const weft_kernel *kernel;
    const weft_ref *inputs;     /* outputs of tasks that are in the graph already */
    size_t input_count;
    const void *params;         /* copied */
    size_t param_bytes;
    size_t output_count;        /* 0 stands for 1; at most WEFT_MAX_OUTPUTS */
    const size_t *output_bytes; /* expected bytes of each output, for placement; NULL: small */
    double cost;                /* expected work in any unit that the graph's tasks share; 0 stands for 1 */
    const char *key;            /* a stable name for messages and pictures; NULL: made from kernel and position */
} weft_task_spec;

#define WEFT_TASK_SPEC_INIT {.size_bytes = sizeof(weft_task_spec)}

/* A new, empty graph. Owns: *graph is new, caller destroys. Errors: WEFT_ENOMEM. */
WEFT_API weft_status weft_graph_create(weft_graph **graph, weft_error *err);
/* NULL is allowed. Results that were computed from it stay. */
WEFT_API void weft_graph_destroy(weft_graph *graph);

/* Adds a task. *first (NULL allowed) names its output 0; weft_output(*first, i) names output i.
 *
 * Errors:   WEFT_EINVAL no kernel, an input of another graph or of an output that its task does not have, more than WEFT_MAX_OUTPUTS
 *           outputs, a size_bytes of another version, a cost that is negative, infinite or no number, 2 GiB of parameters or more, or a
 *           task more than the 2^32 - 2 that a graph holds; WEFT_ENOMEM.
 * Cost:     about 20 ns; no allocation per task.
 */
WEFT_API weft_status weft_graph_add(weft_graph *graph, const weft_task_spec *spec, weft_ref *first, weft_error *err);

/* The same for a task of one small output: kernel, inputs, parameters. Errors: as weft_graph_add. */
WEFT_API weft_status weft_graph_add_task(weft_graph *graph, const weft_kernel *kernel, const weft_ref *inputs, size_t input_count,
                                         const void *params, size_t param_bytes, weft_ref *output, weft_error *err);

/* Output `index` of the task whose output 0 is `first`. */
WEFT_API weft_ref weft_output(weft_ref first, size_t index);

WEFT_API size_t weft_graph_task_count(const weft_graph *graph);

/* Draws the graph: a .dot file, or .svg, .png and .pdf by Graphviz's dot program. The ending of path decides.
 * Layers by rule are drawn as the tasks that they stand for: a layer's in one line, or one line for each index of the first dimension.
 *
 * Errors:   WEFT_EINVAL another ending, or a graph of more than 2,000 tasks; WEFT_EGRAPH a rule gives inputs that cannot be; WEFT_EIO the
 *           file cannot be written, or dot is missing or failed; WEFT_ENOMEM. Nothing half-written is left.
 */
WEFT_API weft_status weft_graph_draw(const weft_graph *graph, const char *path, weft_error *err);

/* What is foreseen for one rank. */
typedef struct weft_graph_rank_stats {
    int rank;
    int threads;
    size_t task_count;
    double cost;
    uint64_t sent_bytes;        /* of outputs, to other ranks */
    uint64_t received_bytes;
    uint64_t memory_peak_bytes;
} weft_graph_rank_stats;

/* What is known of a graph before it runs, and how it would be shared out to ranks. */
typedef struct weft_graph_stats {
    size_t size_bytes;            /* sizeof(weft_graph_stats): set by WEFT_GRAPH_STATS_INIT */
    weft_graph_rank_stats *ranks; /* given by the caller: room for rank_capacity ranks; NULL: not asked for */
    size_t rank_capacity;
    size_t rank_count;            /* that run tasks, whether there is room for them or not */

    size_t task_count;            /* that the roots need, layers by rule whole; all that follows is of these */
    size_t edge_count;            /* inputs */
    size_t output_count;
    uint64_t output_bytes;        /* as announced; 64 where nothing was */
    double total_cost;
    double critical_cost;         /* of the dearest chain of tasks that wait for one another: no number of ranks is faster */
    size_t critical_task_count;   /* in that chain; in the longest of several */

    const char *method;           /* of the cut: "metis", "greedy"; "owners" when all tasks are by rule; "none" for one rank; static text */
    size_t cut_edge_count;        /* inputs that come from another rank */
    size_t message_count;         /* outputs that go to another rank, counted once for each rank that they go to */
    uint64_t cut_bytes;           /* of these */
    double balance;               /* the largest cost per thread of a rank, over the mean; 1 is even */
    double finish_cost;           /* when the last task ends, in units of cost from the start, if messages took no time */
    uint64_t memory_peak_bytes;   /* of the rank that needs most */
    uint64_t memory_total_bytes;  /* the peaks of all ranks together */
} weft_graph_stats;

#define WEFT_GRAPH_STATS_INIT {.size_bytes = sizeof(weft_graph_stats)}

/* What computing these roots on worker_count ranks of thread_count threads each would be like: before there is a job to run it in. A
 * session tells the same of its own ranks: weft_session_get_graph_stats.
 *
 * Explicit tasks lie where weft_compute would cut them to, tasks by rule where their layer's owner map says. Each is looked at, so layers
 * may be much larger than what can be asked about: with fewer steps, or smaller extents, they have the same shape.
 *
 * Memory is that of the chunks when each rank runs its tasks in the static order, one at a time: an output lives from its task to its last
 * consumer on that rank, at its announced size, on the ranks that it is sent to as well; roots stay to the end, kept results are there
 * throughout. Tasks by rule, which run as their inputs come, are taken to be in the static order, too. Each further thread of a rank may
 * add the inputs and outputs of one task.
 *
 * Units:    costs as in weft_task_spec; bytes.
 * Owns:     stats->ranks stays the caller's. Kept results are taken to lie on rank 0 to worker_count - 1, where their futures say.
 * Errors:   WEFT_EINVAL a size_bytes of another version, a root of another graph, no roots, no worker or no thread, a kept result on a
 *           rank that is none, or layers of more than 4 million tasks or 20 million inputs; WEFT_EGRAPH a rule gives inputs that cannot be;
 *           WEFT_ENOMEM. *stats is unchanged then.
 * Threads:  any, as long as nobody adds to the graph.
 * Cost:     plans the graph and simulates it: about a microsecond a task of a few inputs.
 */
WEFT_API weft_status weft_graph_get_stats(const weft_graph *graph, const weft_ref *roots, size_t root_count, size_t worker_count,
                                          int thread_count, weft_graph_stats *stats, weft_error *err);

#ifdef __cplusplus
}
#endif

#endif
