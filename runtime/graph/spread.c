/* Windows of time, and who has too much in one. Owns scratch arrays for one call. Any thread. */
#include "graph/spread.h"

#include <stdlib.h>

#include "base/memory.h"

static const double tolerance = 1.1; /* a window is let alone while nobody has more than this of the limit and half a task */

typedef struct spreading {
    const weft_graph *graph;
    const unsigned char *needed;
    const wf_plan_options *options;
    uint32_t *worker;       /* by task */
    uint64_t *window_begin; /* by window + 1: into tasks */
    uint32_t *tasks;        /* by window, in index order within each */
    size_t window_count;
    double window_cost;     /* its length */
    double threads;         /* of all workers */
    double *load;           /* by worker: in the window in question */
    double *bytes;          /* by worker: of the task in question; all 0 in between */
    bool has_moved;
} spreading;

/* Tasks by the window in which they could begin at the earliest. */
static weft_status sort_by_start(spreading *s, weft_error *err)
{
    const weft_graph *graph = s->graph;
    double *start = wf_calloc(graph->task_count, sizeof *start, err), total = 0, finish = 0;
    size_t count = 0;
    if (!start) return WEFT_ENOMEM;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (!s->needed[t]) continue;
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
            size_t from = wf_graph_input_task(graph, e);
            double end = start[from] + (double)graph->tasks[from].cost;
            if (end > start[t]) start[t] = end;
        }
        count++;
        total += (double)graph->tasks[t].cost;
        if (start[t] + (double)graph->tasks[t].cost > finish) finish = start[t] + (double)graph->tasks[t].cost;
    }
    double windows = finish / (total / (double)count);
    s->window_count = windows < 1 ? 1 : windows > (double)count ? count : (size_t)windows;
    s->window_cost = finish / (double)s->window_count;
    s->window_begin = wf_calloc(s->window_count + 2, sizeof *s->window_begin, err);
    s->tasks = wf_calloc(count, sizeof *s->tasks, err);
    if (s->window_begin && s->tasks) {
        for (int pass = 0; pass < 2; pass++) { /* counts, then fills */
            for (uint32_t t = 0; t < graph->task_count; t++) {
                if (!s->needed[t]) continue;
                size_t window = (size_t)(start[t] / s->window_cost);
                if (window >= s->window_count) window = s->window_count - 1;
                if (pass == 0)
                    s->window_begin[window + 2]++;
                else
                    s->tasks[s->window_begin[window + 1]++] = t;
            }
            for (size_t w = 0; pass == 0 && w < s->window_count; w++) s->window_begin[w + 2] += s->window_begin[w + 1];
        }
    }
    free(start);
    return s->window_begin && s->tasks ? WEFT_OK : WEFT_ENOMEM;
}

/* What worker w may have of a window that costs `cost`: its share, or as much as it gets done in that time anyway. */
static double limit(const spreading *s, double cost, size_t w)
{
    double share = cost * s->options->workers[w].threads / s->threads, time = s->window_cost * s->options->workers[w].threads;
    return share > time ? share : time;
}

/* Where most of t's inputs are among the workers with room for half of it; where it was counts as much as its outputs. Among equals the
 * first, so that neighbours in the graph that must move stay neighbours. Without room anywhere, the least loaded. */
static uint32_t best_worker(spreading *s, uint32_t t, double window_cost)
{
    const weft_graph *graph = s->graph;
    const wf_graph_task *task = &graph->tasks[t];
    uint32_t own = s->worker[t], best = UINT32_MAX, least = own;
    double best_bytes = -1, least_load = 1e300;
    for (uint64_t o = task->output_begin; o < task[1].output_begin; o++) s->bytes[own] += (double)graph->output_bytes[o];
    for (uint64_t e = task->input_begin; e < task[1].input_begin; e++)
        s->bytes[s->worker[wf_graph_input_task(graph, e)]] += (double)wf_graph_ref_bytes(graph, graph->inputs[e]);
    for (uint32_t w = 0; w < s->options->worker_count; w++) {
        double load = (s->load[w] + (double)task->cost / 2) / limit(s, window_cost, w);
        if (load < least_load) {
            least = w;
            least_load = load;
        }
        if (s->bytes[w] <= best_bytes || load > 1) continue;
        best = w;
        best_bytes = s->bytes[w];
    }
    s->bytes[own] = 0;
    for (uint64_t e = task->input_begin; e < task[1].input_begin; e++) s->bytes[s->worker[wf_graph_input_task(graph, e)]] = 0;
    return best == UINT32_MAX ? least : best;
}

static void spread_window(spreading *s, const uint32_t *tasks, size_t count)
{
    const weft_graph *graph = s->graph;
    double cost = 0, largest = 0;
    bool is_even = true;
    for (size_t w = 0; w < s->options->worker_count; w++) s->load[w] = 0;
    for (size_t i = 0; i < count; i++) {
        s->load[s->worker[tasks[i]]] += (double)graph->tasks[tasks[i]].cost;
        cost += (double)graph->tasks[tasks[i]].cost;
        if ((double)graph->tasks[tasks[i]].cost > largest) largest = (double)graph->tasks[tasks[i]].cost;
    }
    for (size_t w = 0; w < s->options->worker_count; w++) is_even &= s->load[w] <= tolerance * limit(s, cost, w) + largest / 2;
    if (is_even) return;
    for (size_t w = 0; w < s->options->worker_count; w++) s->load[w] = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t t = tasks[i], to = wf_graph_task_rank(graph, t) >= 0 ? s->worker[t] : best_worker(s, t, cost);
        s->has_moved |= to != s->worker[t];
        s->worker[t] = to;
        s->load[to] += (double)graph->tasks[t].cost;
    }
}

weft_status wf_spread(const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options, uint32_t *worker,
                      bool *has_moved, weft_error *err)
{
    spreading s = {.graph = graph, .needed = needed, .options = options, .worker = worker};
    for (size_t w = 0; w < options->worker_count; w++) s.threads += options->workers[w].threads;
    s.load = wf_calloc(options->worker_count, sizeof *s.load, err);
    s.bytes = wf_calloc(options->worker_count, sizeof *s.bytes, err);
    weft_status status = s.load && s.bytes ? sort_by_start(&s, err) : WEFT_ENOMEM;
    for (size_t w = 0; status == WEFT_OK && w < s.window_count; w++)
        spread_window(&s, s.tasks + s.window_begin[w], (size_t)(s.window_begin[w + 1] - s.window_begin[w]));
    *has_moved = s.has_moved;
    free(s.window_begin);
    free(s.tasks);
    free(s.load);
    free(s.bytes);
    return status;
}
