/* The static order: a depth-first walk from the roots that finishes what it began before it opens something new. Any thread. */
#include <stdlib.h>

#include "base/memory.h"
#include "graph/plan.h"

typedef struct walk {
    const weft_graph *graph;
    double *chain;     /* by task: cost of the longest chain that ends with it */
    uint64_t *sorted;  /* by edge: the inputs as task indices, longest chain first within each task */
    uint64_t *stack;
    uint64_t *next;    /* by task: the edge to look at next */
    unsigned char *seen;
    uint32_t position;
} walk;

static void measure_chains(walk *w, const unsigned char *needed)
{
    const weft_graph *graph = w->graph;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (!needed[t]) continue;
        double longest = 0;
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
            double chain = w->chain[wf_ref_task(graph->inputs[e])];
            if (chain > longest) longest = chain;
        }
        w->chain[t] = longest + (double)graph->tasks[t].cost;
    }
}

/* Longest chain first, then smaller index, so that the order depends on the graph alone. */
static int compare_inputs(const void *a, const void *b, void *context)
{
    const walk *w = context;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    if (w->chain[x] != w->chain[y]) return w->chain[x] > w->chain[y] ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void sort_inputs(walk *w, const unsigned char *needed)
{
    const weft_graph *graph = w->graph;
    for (size_t t = 0; t < graph->task_count; t++) {
        uint64_t begin = graph->tasks[t].input_begin, end = graph->tasks[t + 1].input_begin;
        w->next[t] = begin;
        if (!needed[t]) continue;
        for (uint64_t e = begin; e < end; e++) w->sorted[e] = wf_ref_task(graph->inputs[e]);
        if (end - begin > 1) qsort_r(w->sorted + begin, end - begin, sizeof *w->sorted, compare_inputs, w);
    }
}

/* A task enters the stack once, when it is first seen; it gets its position when all of its inputs have theirs. */
static void visit(walk *w, size_t root, uint32_t *order)
{
    size_t depth = 0;
    if (w->seen[root]) return;
    w->seen[root] = 1;
    w->stack[depth++] = root;
    while (depth) {
        size_t task = w->stack[depth - 1];
        if (w->next[task] == w->graph->tasks[task + 1].input_begin) {
            order[task] = w->position++;
            depth--;
            continue;
        }
        size_t input = w->sorted[w->next[task]++];
        if (w->seen[input]) continue;
        w->seen[input] = 1;
        w->stack[depth++] = input;
    }
}

weft_status wf_order(const weft_graph *graph, const weft_ref *roots, size_t root_count, const unsigned char *needed, uint32_t *order,
                     weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    walk w = {.graph = graph};
    w.chain = wf_calloc(graph->task_count, sizeof *w.chain, err);
    w.sorted = wf_calloc(graph->input_count, sizeof *w.sorted, err);
    w.stack = wf_calloc(graph->task_count, sizeof *w.stack, err);
    w.next = wf_calloc(graph->task_count, sizeof *w.next, err);
    w.seen = wf_calloc(graph->task_count, 1, err);
    if (!w.chain || !w.sorted || !w.stack || !w.next || !w.seen) goto out;
    measure_chains(&w, needed);
    sort_inputs(&w, needed);
    for (size_t i = 0; i < root_count; i++) {
        if (wf_ref_layer(roots[i].value) == 0) visit(&w, wf_ref_task(roots[i].value), order);
    }
    status = WEFT_OK;
out:
    free(w.chain);
    free(w.sorted);
    free(w.stack);
    free(w.next);
    free(w.seen);
    return status;
}
