/* A graph as it lies in memory: flat arrays, no allocation per task.
 *
 * Invariant: a task's inputs are outputs of tasks with smaller index. So index order is a topological order, and a graph of explicit
 * tasks cannot hold a cycle.
 * Memory:    48 bytes a task, 8 an output, 8 an edge, plus parameters and keys.
 */
#ifndef WF_GRAPH_GRAPH_H
#define WF_GRAPH_GRAPH_H

#include "graph/layers.h"
#include <weft/graph.h>

typedef struct wf_graph_task {
    uint64_t input_begin;  /* into inputs; the next task's is the end */
    uint64_t output_begin; /* into output_bytes */
    uint64_t param_begin;  /* into params, a multiple of 16 */
    uint32_t param_bytes;
    uint32_t kernel;       /* into kernels, or WF_HELD_KERNEL */
    uint32_t key;          /* into keys; 0: none */
    float cost;
} wf_graph_task;

/* Order, partition and scheduler count tasks in 32 bits, with the topmost number for "none". */
#define WF_MAX_TASKS ((size_t)UINT32_MAX - 1)

/* A task without a kernel: its output is a result that a rank keeps. */
#define WF_HELD_KERNEL UINT32_MAX

/* A task without a kernel, too: its output is one of a layer by rule, which its one parameter names by ref. */
#define WF_LAYER_KERNEL (UINT32_MAX - 1)

/* WF_HELD_KERNEL's parameters: which result of which graph, and where it lies. */
typedef struct wf_held_source {
    uint64_t graph;
    uint64_t ref;
    int32_t rank;
    int32_t reserved;
} wf_held_source;

typedef struct wf_layer_input wf_layer_input;

struct weft_graph {
    uint64_t serial; /* tells graphs apart; also in every weft_ref */
    wf_graph_task *tasks; /* task_count + 1: the last one only ends the ranges */
    uint64_t *inputs;     /* ref values */
    uint64_t *output_bytes;
    char *params;
    char *keys;           /* zero-terminated; starts with an empty one */
    const weft_kernel **kernels;
    size_t task_count, input_count, output_count, param_bytes, key_bytes, kernel_count;
    size_t task_capacity, input_capacity, output_capacity, param_capacity, key_capacity, kernel_capacity;
    wf_layer_list layers; /* by rule */
    wf_layer_input *layer_inputs; /* hash table by ref: the tasks that stand for outputs of layers */
};

/* A ref's value: the layer's number (0: explicit tasks) in the topmost 14 bits, the task's index in it, and one of its outputs. */
enum { WF_REF_OUTPUT_BITS = 4, WF_REF_LAYER_SHIFT = 50 };
static inline uint64_t wf_ref_value(uint64_t task, uint64_t output)
{
    return task << WF_REF_OUTPUT_BITS | output;
}
static inline uint64_t wf_ref_of_layer(uint64_t layer, uint64_t task, uint64_t output)
{
    return layer << WF_REF_LAYER_SHIFT | wf_ref_value(task, output);
}
static inline uint32_t wf_ref_layer(uint64_t value)
{
    return (uint32_t)(value >> WF_REF_LAYER_SHIFT);
}
static inline uint64_t wf_ref_task(uint64_t value)
{
    return (value & (((uint64_t)1 << WF_REF_LAYER_SHIFT) - 1)) >> WF_REF_OUTPUT_BITS;
}
static inline uint64_t wf_ref_output(uint64_t value)
{
    return value & ((1u << WF_REF_OUTPUT_BITS) - 1);
}

static inline size_t wf_graph_input_count(const weft_graph *graph, size_t task)
{
    return graph->tasks[task + 1].input_begin - graph->tasks[task].input_begin;
}
static inline size_t wf_graph_output_count(const weft_graph *graph, size_t task)
{
    return graph->tasks[task + 1].output_begin - graph->tasks[task].output_begin;
}
/* Which of all outputs of the graph a ref names. */
static inline uint64_t wf_graph_ref_index(const weft_graph *graph, uint64_t ref)
{
    return graph->tasks[wf_ref_task(ref)].output_begin + wf_ref_output(ref);
}

/* What an output is expected to have when nothing was said: small. */
enum { WF_SMALL_OUTPUT_BYTES = 64 };

/* The expected bytes of the output that a ref names. */
static inline uint64_t wf_graph_ref_bytes(const weft_graph *graph, uint64_t ref)
{
    const wf_layers *layers = &graph->layers.all;
    if (wf_ref_layer(ref)) {
        uint64_t announced = layers->output_bytes[layers->layers[wf_ref_layer(ref) - 1].output_begin + wf_ref_output(ref)];
        return announced == UINT64_MAX ? WF_SMALL_OUTPUT_BYTES : announced;
    }
    return graph->output_bytes[wf_graph_ref_index(graph, ref)];
}

/* The layer's output that a WF_LAYER_KERNEL task stands for. */
static inline uint64_t wf_graph_layer_ref(const weft_graph *graph, size_t task)
{
    return *(const uint64_t *)(const void *)(graph->params + graph->tasks[task].param_begin);
}

/* Of an edge, as in tasks[t].input_begin: the task that makes the input. */
static inline size_t wf_graph_input_task(const weft_graph *graph, uint64_t edge)
{
    return wf_ref_task(graph->inputs[edge]);
}

/* The rank that a task is bound to: where its kept result lies; -1 when it may run anywhere. */
int wf_graph_task_rank(const weft_graph *graph, size_t task);

/* WEFT_OK when ref is an output of this graph. `what` and index name it in the error, as in "input 2". */
weft_status wf_graph_check_ref(const weft_graph *graph, weft_ref ref, const char *what, size_t index, weft_error *err);

weft_status wf_graph_check_roots(const weft_graph *graph, const weft_ref *roots, size_t root_count, weft_error *err);

/* A spec with these in it, and the defaults for the rest. */
weft_task_spec wf_task_spec_make(const weft_kernel *kernel, const weft_ref *inputs, size_t input_count, const void *params,
                                 size_t param_bytes);

/* The number of `kernel` in the graph, which gets it when it is new. */
weft_status wf_graph_find_kernel(weft_graph *graph, const weft_kernel *kernel, uint32_t *index, weft_error *err);

/* Adds a task that stands for a kept result of output_bytes. */
weft_status wf_graph_add_held(weft_graph *graph, const wf_held_source *source, uint64_t output_bytes, weft_ref *output, weft_error *err);

#endif
