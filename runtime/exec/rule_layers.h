/* The layers by rule of one graph, ready to be asked on this rank: kernels and rules resolved, edges known from either end.
 *
 * Threads: nothing changes after creation; any thread may ask.
 */
#ifndef WF_EXEC_RULE_LAYERS_H
#define WF_EXEC_RULE_LAYERS_H

#include "exec/registry.h"
#include "graph/graph.h"
#include "graph/owners.h"
#include <weft/layer.h>

typedef struct wf_rule_layer wf_rule_layer;
typedef struct wf_inverse wf_inverse;

/* A dependency between two layers. */
typedef struct wf_rule_edge {
    const weft_rule *rule;
    weft_rule_call call;
    const wf_rule_layer *source, *layer; /* layer takes outputs of source as inputs */
    uint32_t output;                     /* of source's tasks */
    uint32_t number;                     /* among the layer's dependencies */
    wf_inverse *inverse;                 /* of a rule that has none */
    struct wf_rule_edge *next_of_source;
} wf_rule_edge;

struct wf_rule_layer {
    const wf_layer *spec;
    uint32_t number;                     /* from 1 on */
    const char *name;
    const weft_kernel *kernel;
    const void *params;
    const uint64_t *output_bytes;
    wf_owners owners;
    wf_rule_edge *inputs;                /* spec->dependency_count */
    wf_rule_edge *consumers;             /* list by next_of_source; only edges to layers that are needed */
    const wf_wanted *roots, *imports;
    size_t root_count, import_count;
};

typedef struct wf_rule_layers {
    wf_layers view;
    void *bytes;                         /* that the view looks at */
    wf_rule_layer *layers;               /* view.layer_count */
    wf_rule_edge *edges;
    wf_owner_entry *owner_tables;        /* of all layers */
    uint32_t workers, per_worker;
} wf_rule_layers;

/* A rule that the registry does not have is NULL: nothing may be asked then.
 * Owns:    takes bytes, from malloc's family, on success. What kernels point to must outlive it.
 * Errors:  WEFT_EDATA as wf_layers_view, or a partition that there is not imports something; WEFT_ENOMEM. */
weft_status wf_rule_layers_init(wf_rule_layers *layers, void *bytes, size_t size_bytes, const weft_kernel *const *kernels,
                                size_t kernel_count, const wf_registry *registry, uint32_t workers, uint32_t per_worker, weft_error *err);
void wf_rule_layers_fini(wf_rule_layers *layers);

/* Finds the inverses of rules that have none; to be called before anything is asked. Errors: WEFT_EGRAPH such a rule gives indices that
 * cannot be; WEFT_ENOMEM. */
weft_status wf_rule_layers_find_inverses(wf_rule_layers *layers, weft_error *err);

/* The inputs of task index of edge->layer, or the consumers of task index of edge->source, as the rule gives them: at most
 * WEFT_MAX_INTERVALS, none empty. Errors: WEFT_EGRAPH what the rule gives is not possible; naming layer and index. */
weft_status wf_rule_edge_inputs(const wf_rule_edge *edge, uint64_t index, weft_interval *intervals, size_t *count, weft_error *err);
weft_status wf_rule_edge_consumers(const wf_rule_edge *edge, uint64_t index, weft_interval *intervals, size_t *count, weft_error *err);

/* Tasks of the needed layers that lie in `partition`. */
uint64_t wf_rule_layers_count(const wf_rule_layers *layers, uint32_t partition);

/* Compares every rule with its inverse for all tasks of `partition`, or until *questions, which is lowered by those asked, is 0. Errors:
 * WEFT_EGRAPH the first that disagrees, and *ref is its task. */
weft_status wf_rule_layers_check(const wf_rule_layers *layers, uint32_t partition, uint64_t *questions, uint64_t *ref, weft_error *err);

/* "relax 17 (3, 2)": a task as messages name it. */
const char *wf_rule_layer_task_text(const wf_rule_layer *layer, uint64_t index, char text[static 64]);

#endif
