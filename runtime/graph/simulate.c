/* A plan run in one's head: list scheduling on every worker, by static order, with costs for times. Any thread. */
#include <stdlib.h>

#include "base/memory.h"
#include "graph/stats.h"

/* Binary heaps, least key first; equal keys: least task first, so that nothing depends on chance. */
typedef struct entry {
    double key;
    uint32_t task;
} entry;

typedef struct heap {
    entry *entries;
    size_t count, capacity;
} heap;

static int is_before(entry a, entry b)
{
    return a.key != b.key ? a.key < b.key : a.task < b.task;
}

static weft_status push(heap *h, entry e, weft_error *err)
{
    weft_status status = wf_grow(&h->entries, &h->capacity, h->count + 1, sizeof *h->entries, err);
    if (status != WEFT_OK) return status;
    size_t i = h->count++;
    for (; i > 0 && is_before(e, h->entries[(i - 1) / 2]); i = (i - 1) / 2) h->entries[i] = h->entries[(i - 1) / 2];
    h->entries[i] = e;
    return WEFT_OK;
}

static entry pop(heap *h)
{
    entry top = h->entries[0], last = h->entries[--h->count];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < h->count) {
        if (child + 1 < h->count && is_before(h->entries[child + 1], h->entries[child])) child++;
        if (!is_before(h->entries[child], last)) break;
        h->entries[i] = h->entries[child];
        i = child;
    }
    if (h->count > 0) h->entries[i] = last;
    return top;
}

typedef struct simulation {
    const wf_plan *plan;
    const weft_graph *graph;
    uint64_t *consumer_begin; /* by task + 1: into consumers */
    uint32_t *consumers;
    uint32_t *waiting;        /* by task: inputs to come */
    heap *ready;              /* by worker, keyed by order */
    int *idle;                /* by worker: threads */
    heap running;             /* keyed by when they end */
} simulation;

static void list_consumers(simulation *s, const uint32_t *by_order)
{
    const weft_graph *graph = s->graph;
    for (int pass = 0; pass < 2; pass++) { /* counts, then fills */
        for (size_t i = 0; i < s->plan->needed_count; i++) {
            uint32_t t = by_order[i];
            s->waiting[t] = (uint32_t)wf_graph_input_count(graph, t);
            for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
                size_t from = wf_graph_input_task(graph, e);
                if (pass == 0)
                    s->consumer_begin[from + 2]++;
                else
                    s->consumers[s->consumer_begin[from + 1]++] = t;
            }
        }
        for (size_t t = 0; pass == 0 && t < graph->task_count; t++) s->consumer_begin[t + 2] += s->consumer_begin[t + 1];
    }
}

static weft_status make_ready(simulation *s, uint32_t task, weft_error *err)
{
    return push(&s->ready[s->plan->partition[task] / s->plan->per_worker], (entry){s->plan->order[task], task}, err);
}

static weft_status start(simulation *s, size_t worker, double now, weft_error *err)
{
    weft_status status = WEFT_OK;
    while (status == WEFT_OK && s->idle[worker] > 0 && s->ready[worker].count > 0) {
        entry next = pop(&s->ready[worker]);
        s->idle[worker]--;
        status = push(&s->running, (entry){now + (double)s->graph->tasks[next.task].cost, next.task}, err);
    }
    return status;
}

/* Ends all that ends at this moment, then starts what can: a task that is due earlier must not lose to one that was merely ready first. */
static weft_status step(simulation *s, size_t worker_count, double *now, weft_error *err)
{
    weft_status status = WEFT_OK;
    *now = s->running.entries[0].key;
    while (status == WEFT_OK && s->running.count > 0 && s->running.entries[0].key == *now) {
        uint32_t t = pop(&s->running).task;
        s->idle[s->plan->partition[t] / s->plan->per_worker]++;
        for (uint64_t c = s->consumer_begin[t]; status == WEFT_OK && c < s->consumer_begin[t + 1]; c++) {
            if (--s->waiting[s->consumers[c]] == 0) status = make_ready(s, s->consumers[c], err);
        }
    }
    for (size_t w = 0; status == WEFT_OK && w < worker_count; w++) status = start(s, w, *now, err);
    return status;
}

weft_status wf_plan_simulate(const wf_plan *plan, const weft_graph *graph, const uint32_t *by_order, const wf_plan_options *options,
                             double *finish_cost, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    size_t workers = options->worker_count;
    double now = 0;
    simulation s = {.plan = plan, .graph = graph};
    s.consumer_begin = wf_calloc(graph->task_count + 2, sizeof *s.consumer_begin, err);
    s.consumers = wf_calloc(graph->input_count, sizeof *s.consumers, err);
    s.waiting = wf_calloc(graph->task_count, sizeof *s.waiting, err);
    s.ready = wf_calloc(workers, sizeof *s.ready, err);
    s.idle = wf_calloc(workers, sizeof *s.idle, err);
    if (!s.consumer_begin || !s.consumers || !s.waiting || !s.ready || !s.idle) goto out;
    list_consumers(&s, by_order);
    status = WEFT_OK;
    for (size_t i = 0; status == WEFT_OK && i < plan->needed_count; i++) {
        if (s.waiting[by_order[i]] == 0) status = make_ready(&s, by_order[i], err);
    }
    for (size_t w = 0; status == WEFT_OK && w < workers; w++) {
        s.idle[w] = options->workers[w].threads;
        status = start(&s, w, 0, err);
    }
    while (status == WEFT_OK && s.running.count > 0) status = step(&s, workers, &now, err);
    if (status == WEFT_OK) *finish_cost = now;
out:
    for (size_t w = 0; s.ready && w < workers; w++) free(s.ready[w].entries);
    free(s.running.entries);
    free(s.consumer_begin);
    free(s.consumers);
    free(s.waiting);
    free(s.ready);
    free(s.idle);
    return status;
}
