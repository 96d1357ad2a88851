/* The static order: a depth-first walk from the roots that finishes what it began before it opens something new. Any thread. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/plan.h"

/* In place of a position: topmost numbers, which no position has (WF_MAX_TASKS). */
#define UNSEEN UINT32_MAX
#define WAITING (UINT32_MAX - 1) /* for its inputs to have theirs */

typedef struct visited {
    uint64_t next; /* the edge to look at next */
    uint32_t task;
} visited;

typedef struct walk {
    const weft_graph *graph;
    double *chain;     /* by task: cost of the longest chain that ends with it */
    uint32_t *sorted;  /* by edge: the inputs as task indices, longest chain first within each task */
    visited *stack;
    uint32_t *order;
    uint32_t position;
} walk;

/* Longest chain first, then smaller index, so that the order depends on the graph alone. */
static bool is_before(const walk *w, uint32_t x, uint32_t y)
{
    return w->chain[x] > w->chain[y] || (w->chain[x] == w->chain[y] && x < y);
}

static int compare_inputs(const void *a, const void *b, void *context)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x == y ? 0 : is_before(context, x, y) ? -1 : 1;
}

/* Most tasks have few inputs, and inputs that were made one after the other are often in order already. */
static void sort_inputs(walk *w, uint32_t *inputs, size_t count)
{
    bool is_sorted = true;
    for (size_t i = 1; i < count && is_sorted; i++) is_sorted = !is_before(w, inputs[i], inputs[i - 1]);
    if (is_sorted) return;
    if (count > 2) {
        qsort_r(inputs, count, sizeof *inputs, compare_inputs, w);
        return;
    }
    uint32_t first = inputs[1];
    inputs[1] = inputs[0];
    inputs[0] = first;
}

/* Inputs have smaller indices than the task, so one pass sees each chain before it is asked for. */
static void measure_chains(walk *w, const unsigned char *needed)
{
    const weft_graph *graph = w->graph;
    for (size_t t = 0; t < graph->task_count; t++) {
        uint64_t begin = graph->tasks[t].input_begin, end = graph->tasks[t + 1].input_begin;
        if (!needed[t]) continue;
        for (uint64_t e = begin; e < end; e++) w->sorted[e] = (uint32_t)wf_ref_task(graph->inputs[e]);
        sort_inputs(w, w->sorted + begin, end - begin);
        w->chain[t] = (double)graph->tasks[t].cost + (begin < end ? w->chain[w->sorted[begin]] : 0);
    }
}

/* A task enters the stack once, when it is first seen; it gets its position when all of its inputs have theirs. */
static void visit(walk *w, uint32_t root)
{
    const wf_graph_task *tasks = w->graph->tasks;
    visited *top = w->stack;
    if (w->order[root] != UNSEEN) return;
    w->order[root] = WAITING;
    *top = (visited){tasks[root].input_begin, root};
    while (top >= w->stack) {
        if (top->next == tasks[top->task + 1].input_begin) {
            w->order[top->task] = w->position++;
            top--;
            continue;
        }
        uint32_t input = w->sorted[top->next++];
        if (w->order[input] != UNSEEN) continue;
        w->order[input] = WAITING;
        *++top = (visited){tasks[input].input_begin, input};
    }
}

weft_status wf_order(const weft_graph *graph, const weft_ref *roots, size_t root_count, const unsigned char *needed, uint32_t *order,
                     weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    walk w = {.graph = graph, .order = order};
    w.chain = wf_calloc(graph->task_count, sizeof *w.chain, err);
    w.sorted = wf_calloc(graph->input_count, sizeof *w.sorted, err);
    w.stack = wf_calloc(graph->task_count, sizeof *w.stack, err);
    if (!w.chain || !w.sorted || !w.stack) goto out;
    memset(order, 0xff, graph->task_count * sizeof *order); /* UNSEEN */
    measure_chains(&w, needed);
    for (size_t i = 0; i < root_count; i++) {
        if (wf_ref_layer(roots[i].value) == 0) visit(&w, (uint32_t)wf_ref_task(roots[i].value));
    }
    status = WEFT_OK;
out:
    free(w.chain);
    free(w.sorted);
    free(w.stack);
    return status;
}
