/* The layers by rule of a graph: flat arrays of fixed-width entries, which are sent as they are.
 *
 * Layer number 0 stands for explicit tasks; layer number n is entry n - 1 here. A dependency's source is a smaller number, or its own.
 */
#ifndef WF_GRAPH_LAYERS_H
#define WF_GRAPH_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "graph/owners.h"
#include <weft/layer.h>

typedef struct wf_layer {
    uint32_t kernel;           /* into the graph's kernels */
    uint32_t dim_count;
    int64_t extents[WEFT_MAX_DIMS]; /* 1 beyond dim_count */
    uint64_t task_count;
    uint32_t dependency_begin, dependency_count;
    uint32_t param_begin, param_bytes;
    uint32_t output_begin, output_count; /* into output_bytes */
    uint32_t name;             /* into texts */
    uint32_t is_needed;        /* by what is asked for; set in what is sent */
    double cost;
    wf_owner_rule owners;
} wf_layer;

typedef struct wf_layer_dependency {
    uint32_t rule;             /* into rules */
    uint32_t source;           /* layer number */
    uint32_t output;
    uint32_t param_begin, param_bytes;
    uint32_t reserved;
} wf_layer_dependency;

/* Outputs that somebody outside of the layers wants: roots, a run of `count` tasks, the same output of each; or one that an explicit
 * task takes. Sorted by layer; within one, roots first, then imports; each by output, then task. Runs of roots do not overlap. */
typedef struct wf_wanted {
    uint64_t ref;
    uint64_t count;
    uint32_t flags;            /* of a root: WF_OUTPUT_*, of graph/partition.h */
    uint32_t partition;        /* that imports it; UINT32_MAX: a root */
} wf_wanted;

/* Where it stands among those of its layer and kind. */
static inline uint64_t wf_wanted_key(uint64_t ref)
{
    return (ref & 15) << 46 | (ref >> 4 & (((uint64_t)1 << 46) - 1));
}

/* Counts come first, in the sequence of the arrays. */
typedef struct wf_layers {
    size_t layer_count, dependency_count, output_count, rank_count, wanted_count, rule_count, param_bytes, text_bytes;
    wf_layer *layers;
    wf_layer_dependency *dependencies;
    uint64_t *output_bytes;    /* UINT64_MAX: not announced */
    int32_t *owner_ranks;
    wf_wanted *wanted;
    uint32_t *rule_names;      /* into texts */
    char *params;              /* entries on 16-byte boundaries */
    char *texts;               /* zero-terminated */
} wf_layers;

/* What a graph holds: the arrays, their capacities, and the rules themselves. */
typedef struct wf_layer_list {
    wf_layers all;
    const weft_rule **rules;   /* by number */
    size_t layer_capacity, dependency_capacity, output_capacity, rank_capacity, rule_name_capacity, rule_capacity, param_capacity,
        text_capacity;
} wf_layer_list;

#define WF_MAX_LAYERS ((size_t)(1 << 14) - 1)
#define WF_MAX_LAYER_TASKS ((uint64_t)1 << 46)

void wf_layer_list_fini(wf_layer_list *list);

/* Adds a layer with owners other than those of its spec (NULL: the spec's); what weft_graph_add_layer and weft_graph_add_tree do. */
weft_status wf_graph_add_layer(weft_graph *graph, const weft_layer_spec *spec, const wf_owner_rule *owners, weft_layer *layer,
                               weft_error *err);

/* needed[l] = 1 for the layers that the marked ones depend on; marked ones stay. Returns the tasks of all of them. */
uint64_t wf_layers_cull(const wf_layers *layers, unsigned char *needed);

/* What a rule of this dependency is asked about. The call borrows from layers. */
weft_rule_call wf_layers_call(const wf_layers *layers, uint32_t layer_number, const wf_layer_dependency *dependency);

/* ---- as bytes: layers_wire.c ---- */

/* Bytes that wf_layers_write fills; a multiple of 16. */
size_t wf_layers_bytes(const wf_layers *layers);
void wf_layers_write(const wf_layers *layers, void *bytes);

/* A view of bytes, which must be 16-byte aligned and stay, after every index in it was checked.
 * Errors: WEFT_EDATA truncated or inconsistent. */
weft_status wf_layers_view(void *bytes, size_t size_bytes, size_t kernel_count, wf_layers *view, weft_error *err);

#endif
