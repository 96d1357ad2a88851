/* Graphs whose layers by rule have become explicit tasks: for pictures and statistics, which look at single tasks. Any thread; the graph is
 * only read. */
#ifndef WF_GRAPH_EXPAND_H
#define WF_GRAPH_EXPAND_H

#include "graph/plan.h"

typedef struct wf_expansion {
    const weft_graph *from;   /* borrowed */
    weft_graph *graph;
    uint64_t *layer_begin;    /* by layer number: its first task in graph, or WF_NOT_EXPANDED: nothing needs it */
    uint64_t *place;          /* by explicit task: in graph; WF_NOT_EXPANDED also when it stands for an output of a layer */
} wf_expansion;

#define WF_NOT_EXPANDED UINT64_MAX

/* Tasks of all layers and explicit ones. */
uint64_t wf_graph_all_task_count(const weft_graph *graph);

/* Expands what the roots, which were checked, need; all of the graph when roots is NULL. A layer is needed whole or not at all, as when it
 * runs. Layers come first, in their sequence and that of their indices, then explicit tasks. Task i of a layer gets the key "NAME i".
 *
 * Owns:     *expansion is filled; wf_expansion_fini frees what it holds.
 * Errors:   WEFT_EGRAPH a rule gives inputs that cannot be; WEFT_EINVAL more than 4 million tasks by rule, or 20 million inputs of theirs;
 *           WEFT_ENOMEM.
 * Cost:     a fraction of a microsecond a task.
 */
weft_status wf_expansion_init(wf_expansion *expansion, const weft_graph *graph, const weft_ref *roots, size_t root_count, weft_error *err);
void wf_expansion_fini(wf_expansion *expansion);

/* The same output in the expansion's graph. The ref was checked, and its task was expanded. */
weft_ref wf_expansion_ref(const wf_expansion *expansion, weft_ref ref);

/* The plan of an expansion: its explicit tasks lie where `plan`, that of the graph it is from, has them; those of layers where their owners
 * have them. The static order is that of the expansion's graph, to which the roots belong, too; what they do not need comes last.
 *
 * Owns, errors: as wf_plan_init. */
weft_status wf_expansion_plan(const wf_expansion *expansion, const wf_plan *plan, const weft_ref *roots, size_t root_count,
                              wf_plan *expanded, weft_error *err);

#endif
