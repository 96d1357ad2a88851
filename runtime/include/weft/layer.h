/* Layers by rule: many tasks of one kernel whose inputs a function tells, so that the graph never has them in a list.
 *
 * A layer's tasks are the points of an index space of up to four dimensions, numbered row by row (the last dimension runs fastest). What
 * task i takes as inputs is said by dependencies: a source (another layer of the graph, or the layer itself at smaller indices) and a rule,
 * two pure functions over indices that are each other's inverse. Building and shipping a layer costs the same for 10^3 and for 10^9 tasks:
 * ranks get the rule and instantiate their own tasks when the first input comes. A million steps of a stencil are one layer:
 *
 *     weft_dependency previous = {.rule = &weft_stencil_rule, .on_itself = true, .params = &(int64_t){1}, .param_bytes = 8};
 *     weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
 *     spec.kernel = &relax_kernel;
 *     spec.dim_count = 2, spec.extents[0] = 1000000, spec.extents[1] = columns;
 *     spec.dependencies = &previous, spec.dependency_count = 1;
 *     weft_graph_add_layer(graph, &spec, &layer, err);
 *
 * A task's inputs are those of dependency 0 in the sequence of its rule, then those of dependency 1, and so on.
 */
#ifndef WEFT_LAYER_H
#define WEFT_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/chunk.h>
#include <weft/graph.h>
#include <weft/kernel.h>
#include <weft/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One layer of one graph; a plain value. */
typedef struct weft_layer {
    uint64_t graph;
    uint32_t index;
} weft_layer;

/* ---- rules ---- */

typedef struct weft_interval {
    uint64_t begin, end; /* [begin, end) */
} weft_interval;

enum { WEFT_MAX_INTERVALS = 64 };

/* What a rule is asked about. */
typedef struct weft_rule_call {
    bool on_itself;                          /* the source is the layer itself */
    int dim_count, source_dim_count;
    int64_t extents[WEFT_MAX_DIMS];          /* of the layer that takes the inputs; 1 beyond dim_count */
    int64_t source_extents[WEFT_MAX_DIMS];
    const void *params;                      /* of the dependency, 16-byte aligned */
    size_t param_bytes;
} weft_rule_call;

/* Fills intervals for `index` and returns how many, at most WEFT_MAX_INTERVALS. Pure: the same on every rank, thread and call; it is
 * called for every task, inside the runtime, and must neither block nor call weft. */
typedef size_t weft_rule_function(const weft_rule_call *call, uint64_t index, weft_interval *intervals);

/* Whether a dependency may use the rule in this way; called once, when its layer is added. Fails by weft_fail with WEFT_EINVAL and what is
 * wrong with which value, without the rule's name, which is added. */
typedef weft_status weft_rule_check(const weft_rule_call *call, weft_error *err);

typedef struct weft_rule {
    const char *name;              /* unique in the program */
    weft_rule_function *inputs;    /* of a task of the layer: tasks of the source, in the sequence of the inputs */
    weft_rule_function *consumers; /* of a task of the source: tasks of the layer, ascending, each once. NULL: found by trying every task
                                      of the layer on every rank, which takes time and memory for each of them */
    weft_rule_check *check;        /* NULL: any use is allowed */
} weft_rule;

/* Defines and registers the rule `rule_name`_rule, as WEFT_KERNEL does with kernels. */
#define WEFT_RULE(rule_name, inputs_function, consumers_function) WEFT_CHECKED_RULE(rule_name, inputs_function, consumers_function, NULL)
#define WEFT_CHECKED_RULE(rule_name, inputs_function, consumers_function, check_function)                            \
    extern const weft_rule rule_name##_rule;                                                                         \
    const weft_rule rule_name##_rule = {#rule_name, inputs_function, consumers_function, check_function};            \
    static const weft_rule *const rule_name##_rule_entry __attribute__((used, section("weft_rules"))) = &rule_name##_rule

/* The bounds of this program's section; absent (NULL) when it defines no rule. */
extern const weft_rule *const __start_weft_rules[] __attribute__((weak, visibility("hidden")));
extern const weft_rule *const __stop_weft_rules[] __attribute__((weak, visibility("hidden")));

/* Where a program's kernels and rules stand: each pair both NULL when there are none. */
typedef struct weft_sections {
    const weft_kernel *const *kernels_begin, *const *kernels_end;
    const weft_rule *const *rules_begin, *const *rules_end;
} weft_sections;

#define WEFT_SECTIONS (&(const weft_sections){__start_weft_kernels, __stop_weft_kernels, __start_weft_rules, __stop_weft_rules})

/* Those of the library refuse, in weft_graph_add_layer, extents and parameters for which what they say below makes no sense. */

/* Task i takes task i of a source of the same extents. */
extern WEFT_API const weft_rule weft_blockwise_rule;
/* Rows are the first dimension. Task (t, x, ...) takes the tasks at most `radius` (params: int64_t; none: 1) away from x, ... in every
 * other dimension, in the sequence of their indices: on itself those of row t - 1, of a source of the same extents those of row t. Beyond
 * the border there is none. */
extern WEFT_API const weft_rule weft_stencil_rule;
/* On itself: task (t, x) takes (t - 1, x) and (t - 1, x with bit (t - 1) mod log2(width) flipped), the smaller first, where it exists. */
extern WEFT_API const weft_rule weft_butterfly_rule;
/* Task (t, x, ...) takes all of row t - 1 on itself; a task takes all of another source. */
extern WEFT_API const weft_rule weft_all_to_all_rule;
/* Every task takes task `index` (params: uint64_t; none: 0) of another source. */
extern WEFT_API const weft_rule weft_one_to_all_rule;
/* Task i takes tasks fan_in * i and on, fan_in (params: int64_t; none: 2) of them or as many as are left: one level of a tree. */
extern WEFT_API const weft_rule weft_tree_rule;
/* The tasks of the first row take the task of the same position in a source that has a row's extents: how a time loop starts. */
extern WEFT_API const weft_rule weft_first_row_rule;

/* ---- layers ---- */

typedef struct weft_dependency {
    const weft_rule *rule;
    bool on_itself;     /* inputs are tasks of the layer itself, all of smaller index; source is not looked at */
    weft_layer source;
    size_t output;      /* of the source's tasks: which one is taken */
    const void *params; /* of the rule; copied */
    size_t param_bytes;
} weft_dependency;

/* Which rank has which task, by its coordinate in one dimension. Ranks are counted over those that run tasks. Whatever is chosen, a rank's
 * share is cut into partitions that may move to idle ranks. */
typedef enum weft_owner_kind {
    WEFT_OWNER_BLOCK = 0, /* neighbouring coordinates together, as many for each rank */
    WEFT_OWNER_CYCLIC,    /* blocks of `block` coordinates in turn */
    WEFT_OWNER_GIVEN      /* ranks[coordinate], modulo the ranks that run tasks */
} weft_owner_kind;

typedef struct weft_owner_map {
    weft_owner_kind kind;
    int dim;                /* 0 stands for the last dimension, 1 for the first, 2 for the second and so on */
    int64_t block;          /* CYCLIC; 0 stands for 1 */
    const int32_t *ranks;   /* GIVEN: one for each coordinate; copied */
} weft_owner_map;

enum { WEFT_MAX_DEPENDENCIES = 8 };

/* What is known of a layer. Zero is a good default everywhere but for kernel and extents. */
typedef struct weft_layer_spec {
    size_t size_bytes;                 /* sizeof(weft_layer_spec): set by WEFT_LAYER_SPEC_INIT */
    const char *name;                  /* for messages and pictures; NULL: the kernel's */
    const weft_kernel *kernel;
    int dim_count;                     /* 1 to WEFT_MAX_DIMS */
    int64_t extents[WEFT_MAX_DIMS];
    const weft_dependency *dependencies;
    size_t dependency_count;           /* at most WEFT_MAX_DEPENDENCIES */
    const void *params;                /* the same for every task, which knows its index (weft_task_index); copied */
    size_t param_bytes;
    size_t output_count;               /* 0 stands for 1; at most WEFT_MAX_OUTPUTS */
    const size_t *output_bytes;        /* the most bytes that each output has: more fails the task; NULL: not known, any size */
    double cost;                       /* expected work of one task in any unit that the graph's tasks share; 0 stands for 1 */
    weft_owner_map owners;
} weft_layer_spec;

#define WEFT_LAYER_SPEC_INIT {.size_bytes = sizeof(weft_layer_spec)}

/* Adds a layer.
 *
 * Errors:   WEFT_EINVAL no kernel or rule, extents that are not positive or more than 2^46 tasks, a source of another graph or without that
 *           output, too many dependencies or layers (2^14 - 1), a wrong size_bytes or owner map, a dependency that its rule's check refuses;
 *           WEFT_ENOMEM. That a rule gives indices outside of its source, or disagrees with its inverse, is found when tasks run:
 *           weft_compute fails with WEFT_EGRAPH, naming layer, index and rank. A consumer too many may go unnoticed when it is named after all
 *           tasks have ended. With `debug.check_rules` every rank looks for all of it beforehand.
 * Cost:     the same for any number of tasks, but for GIVEN owners, 4 bytes a coordinate.
 */
WEFT_API weft_status weft_graph_add_layer(weft_graph *graph, const weft_layer_spec *spec, weft_layer *layer, weft_error *err);

/* Adds the levels of a tree over all tasks of `leaves`: each of its tasks joins fan_in of the level below, in their sequence, until one is
 * left, *root. The shape depends on the number of leaves and fan_in alone, so a result has the same bits on any number of ranks. A join
 * lies where its first leaf does, or, where that could heap them up (leaves by another dimension than the first, or in turns that fan_in does
 * not divide), in blocks.
 *
 * spec gives kernel, params, output_bytes, cost and name; the rest is not looked at. `output` of the leaves is taken, and 0 of the joins.
 * Errors:   as weft_graph_add_layer; WEFT_EINVAL a fan_in below 2.
 */
WEFT_API weft_status weft_graph_add_tree(weft_graph *graph, const weft_layer_spec *spec, weft_layer leaves, size_t output, int64_t fan_in,
                                         weft_ref *root, weft_error *err);

/* Output `output` of task `index`: a root to compute or to persist, or an input of an explicit task. One that does not exist is refused
 * where it is used. */
WEFT_API weft_ref weft_layer_output(weft_layer layer, uint64_t index, size_t output);

WEFT_API uint64_t weft_layer_task_count(const weft_graph *graph, weft_layer layer);

#ifdef __cplusplus
}
#endif

#endif
