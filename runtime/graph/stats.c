/* Statistics of a plan. Owns scratch arrays for one call; the graph and the plan are only read. Any thread. */
#include "graph/stats.h"

#include <stdlib.h>

#include "base/memory.h"
#include "graph/cut.h"
#include "graph/expand.h"

enum { DEFAULT_PER_WORKER = 16 }; /* partition.per_rank's */

/* An output on a worker: on its own, and on those that it is sent to. */
typedef struct copy {
    uint64_t output; /* which of the graph's */
    uint32_t worker;
    uint32_t last;   /* position of the last task there that needs it; NEVER: stays to the end */
} copy;

#define NEVER UINT32_MAX

typedef struct measurement {
    const wf_plan *plan;
    const weft_graph *graph;
    const wf_plan_options *options;
    weft_graph_stats *stats;
    weft_graph_rank_stats *ranks; /* by worker */
    uint32_t *by_order;
    copy *copies;                 /* by output, then worker */
    size_t copy_count;
} measurement;

static uint32_t worker_of(const measurement *m, size_t task)
{
    return m->plan->partition[task] / m->plan->per_worker;
}

static void count_tasks(measurement *m)
{
    weft_graph_stats *s = m->stats;
    const weft_graph *graph = m->graph;
    for (uint32_t t = 0; t < graph->task_count; t++) {
        if (m->plan->partition[t] == WF_NO_PARTITION) continue;
        const wf_graph_task *task = &graph->tasks[t];
        m->by_order[m->plan->order[t]] = t;
        s->task_count++;
        s->edge_count += task[1].input_begin - task->input_begin;
        s->output_count += task[1].output_begin - task->output_begin;
        for (uint64_t o = task->output_begin; o < task[1].output_begin; o++) s->output_bytes += graph->output_bytes[o];
        s->total_cost += (double)task->cost;
        m->ranks[worker_of(m, t)].task_count++;
        m->ranks[worker_of(m, t)].cost += (double)task->cost;
    }
}

static void measure_balance(measurement *m)
{
    double threads = 0, largest = 0;
    for (size_t w = 0; w < m->options->worker_count; w++) {
        double load = m->ranks[w].cost / m->options->workers[w].threads;
        threads += m->options->workers[w].threads;
        if (load > largest) largest = load;
    }
    m->stats->balance = largest / (m->stats->total_cost / threads);
}

static weft_status measure_critical_path(measurement *m, weft_error *err)
{
    const weft_graph *graph = m->graph;
    weft_graph_stats *s = m->stats;
    double *cost = wf_calloc(graph->task_count, sizeof *cost, err);
    uint32_t *length = wf_calloc(graph->task_count, sizeof *length, err);
    for (size_t t = 0; cost && length && t < graph->task_count; t++) {
        if (m->plan->partition[t] == WF_NO_PARTITION) continue;
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
            size_t from = wf_graph_input_task(graph, e);
            if (cost[from] < cost[t] || (cost[from] == cost[t] && length[from] <= length[t])) continue;
            cost[t] = cost[from];
            length[t] = length[from];
        }
        cost[t] += (double)graph->tasks[t].cost;
        length[t]++;
        if (cost[t] < s->critical_cost || (cost[t] == s->critical_cost && length[t] <= s->critical_task_count)) continue;
        s->critical_cost = cost[t];
        s->critical_task_count = length[t];
    }
    weft_status status = cost && length ? WEFT_OK : WEFT_ENOMEM;
    free(cost);
    free(length);
    return status;
}

static int compare_copies(const void *a, const void *b)
{
    const copy *x = a, *y = b;
    if (x->output != y->output) return x->output < y->output ? -1 : 1;
    if (x->worker != y->worker) return x->worker < y->worker ? -1 : 1;
    return x->last < y->last ? -1 : x->last > y->last;
}

/* One for each output where it is made, one for each root there, one for each edge; then one for each output and worker. */
static weft_status collect_copies(measurement *m, const weft_ref *roots, size_t root_count, weft_error *err)
{
    const weft_graph *graph = m->graph;
    size_t count = 0;
    copy *c = m->copies = wf_calloc(m->stats->output_count + m->stats->edge_count + root_count, sizeof *c, err);
    if (!c) return WEFT_ENOMEM;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (m->plan->partition[t] == WF_NO_PARTITION) continue;
        bool is_held = graph->tasks[t].kernel == WF_HELD_KERNEL;
        for (uint64_t o = graph->tasks[t].output_begin; o < graph->tasks[t + 1].output_begin; o++)
            c[count++] = (copy){o, worker_of(m, t), is_held ? NEVER : m->plan->order[t]};
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
            uint64_t ref = graph->inputs[e];
            c[count++] = (copy){wf_graph_ref_index(graph, ref), worker_of(m, t), m->plan->order[t]};
            m->stats->cut_edge_count += worker_of(m, wf_graph_input_task(graph, e)) != worker_of(m, t);
        }
    }
    for (size_t i = 0; i < root_count; i++)
        c[count++] = (copy){wf_graph_ref_index(graph, roots[i].value), worker_of(m, wf_ref_task(roots[i].value)), NEVER};
    qsort(c, count, sizeof *c, compare_copies);
    for (size_t i = 0; i < count; i++) {
        bool is_last = i + 1 == count || c[i + 1].output != c[i].output || c[i + 1].worker != c[i].worker;
        if (is_last) c[m->copy_count++] = c[i];
    }
    return WEFT_OK;
}

/* The copies of one task's outputs, which exist from when it runs. */
static void take_in(measurement *m, uint32_t task, const copy *begin, const copy *end, uint64_t *live)
{
    bool is_held = m->graph->tasks[task].kernel == WF_HELD_KERNEL;
    uint32_t own = worker_of(m, task);
    for (const copy *c = begin; c < end; c++) {
        uint64_t bytes = m->graph->output_bytes[c->output];
        if (!is_held || c->worker != own) live[c->worker] += bytes; /* a kept result counts from the start */
        if (live[c->worker] > m->ranks[c->worker].memory_peak_bytes) m->ranks[c->worker].memory_peak_bytes = live[c->worker];
        if (c->worker == own) continue;
        m->stats->message_count++;
        m->stats->cut_bytes += bytes;
        m->ranks[own].sent_bytes += bytes;
        m->ranks[c->worker].received_bytes += bytes;
    }
}

/* Kept results lie where they are; then tasks run in static order: outputs come, and go with the last that needs them. */
static void run_in_order(measurement *m, const uint64_t *first_copy, const uint64_t *end_begin, const uint32_t *ends, uint64_t *live)
{
    const weft_graph *graph = m->graph;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (m->plan->partition[t] == WF_NO_PARTITION || graph->tasks[t].kernel != WF_HELD_KERNEL) continue;
        live[worker_of(m, t)] += graph->output_bytes[graph->tasks[t].output_begin];
    }
    for (size_t w = 0; w < m->options->worker_count; w++) m->ranks[w].memory_peak_bytes = live[w];
    for (size_t i = 0; i < m->plan->needed_count; i++) {
        uint32_t t = m->by_order[i];
        take_in(m, t, m->copies + first_copy[t], m->copies + first_copy[t + 1], live);
        for (uint64_t x = end_begin[i]; x < end_begin[i + 1]; x++) {
            const copy *c = &m->copies[ends[x]];
            live[c->worker] -= graph->output_bytes[c->output];
        }
    }
}

static weft_status measure_memory(measurement *m, weft_error *err)
{
    const weft_graph *graph = m->graph;
    size_t tasks = graph->task_count, positions = m->plan->needed_count, at = 0;
    weft_status status = WEFT_ENOMEM;
    uint64_t *first_copy = wf_calloc(tasks + 1, sizeof *first_copy, err); /* by task + 1 */
    uint64_t *end_begin = wf_calloc(positions + 2, sizeof *end_begin, err); /* by position + 1 */
    uint32_t *ends = wf_calloc(m->copy_count, sizeof *ends, err);           /* copies, by the position that they end at */
    uint64_t *live = wf_calloc(m->options->worker_count, sizeof *live, err);
    if (!first_copy || !end_begin || !ends || !live) goto out;
    for (size_t t = 0; t < tasks; t++) {
        first_copy[t] = at;
        while (at < m->copy_count && m->copies[at].output < graph->tasks[t + 1].output_begin) at++;
    }
    first_copy[tasks] = at;
    for (size_t i = 0; i < m->copy_count; i++) end_begin[m->copies[i].last == NEVER ? 0 : m->copies[i].last + 2]++;
    end_begin[0] = 0; /* those that stay are nobody's */
    for (size_t i = 0; i < positions; i++) end_begin[i + 2] += end_begin[i + 1];
    for (size_t i = 0; i < m->copy_count; i++) {
        if (m->copies[i].last != NEVER) ends[end_begin[m->copies[i].last + 1]++] = (uint32_t)i;
    }
    run_in_order(m, first_copy, end_begin, ends, live);
    for (size_t w = 0; w < m->options->worker_count; w++) {
        uint64_t peak = m->ranks[w].memory_peak_bytes;
        m->stats->memory_total_bytes += peak;
        if (peak > m->stats->memory_peak_bytes) m->stats->memory_peak_bytes = peak;
    }
    status = WEFT_OK;
out:
    free(first_copy);
    free(end_begin);
    free(ends);
    free(live);
    return status;
}

weft_status wf_plan_measure(const wf_plan *plan, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                            const wf_plan_options *options, weft_graph_stats *stats, weft_graph_rank_stats *ranks, weft_error *err)
{
    measurement m = {.plan = plan, .graph = graph, .options = options, .stats = stats, .ranks = ranks};
    m.by_order = wf_calloc(plan->needed_count, sizeof *m.by_order, err);
    if (!m.by_order) return WEFT_ENOMEM;
    stats->rank_count = options->worker_count;
    stats->method = plan->method == WF_CUT_AUTO ? "none" : wf_cut_method_name(plan->method);
    for (size_t w = 0; w < options->worker_count; w++)
        ranks[w] = (weft_graph_rank_stats){.rank = options->workers[w].rank, .threads = options->workers[w].threads};
    count_tasks(&m);
    measure_balance(&m);
    weft_status status = measure_critical_path(&m, err);
    if (status == WEFT_OK) status = collect_copies(&m, roots, root_count, err);
    if (status == WEFT_OK) status = measure_memory(&m, err);
    if (status == WEFT_OK) status = wf_plan_simulate(plan, graph, m.by_order, options, &stats->finish_cost, err);
    free(m.by_order);
    free(m.copies);
    return status;
}

/* Layers by rule are measured as the tasks that they stand for. `plan` is that of the explicit tasks. */
static weft_status measure_expanded(const wf_plan *plan, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                                    const wf_plan_options *options, weft_graph_stats *stats, weft_graph_rank_stats *ranks, weft_error *err)
{
    wf_expansion x = {0};
    wf_plan expanded = {0};
    weft_ref *own_roots = wf_calloc(root_count, sizeof *own_roots, err);
    weft_status status = own_roots ? wf_expansion_init(&x, graph, roots, root_count, err) : WEFT_ENOMEM;
    for (size_t i = 0; status == WEFT_OK && i < root_count; i++) own_roots[i] = wf_expansion_ref(&x, roots[i]);
    if (status == WEFT_OK) status = wf_expansion_plan(&x, plan, own_roots, root_count, &expanded, err);
    if (status == WEFT_OK) status = wf_plan_measure(&expanded, x.graph, own_roots, root_count, options, stats, ranks, err);
    if (plan->method == WF_CUT_AUTO && options->worker_count > 1) stats->method = "owners";
    wf_plan_fini(&expanded);
    wf_expansion_fini(&x);
    free(own_roots);
    return status;
}

weft_status wf_graph_measure(const weft_graph *graph, const weft_ref *roots, size_t root_count, const wf_plan_options *options,
                             weft_graph_stats *stats, weft_error *err)
{
    wf_plan plan = {0};
    weft_graph_rank_stats *ranks = NULL;
    if (stats->size_bytes != sizeof *stats)
        return weft_fail(err, WEFT_EINVAL, "graph statistics of %zu bytes, this library has %zu; start from WEFT_GRAPH_STATS_INIT",
                         stats->size_bytes, sizeof *stats);
    if (root_count == 0) return weft_fail(err, WEFT_EINVAL, "no roots, so no tasks; name the outputs that the graph is for");
    weft_status status = wf_graph_check_roots(graph, roots, root_count, err);
    if (status == WEFT_OK) status = wf_plan_init(&plan, graph, roots, root_count, options, err);
    if (status != WEFT_OK) return status;
    weft_graph_stats made = {.size_bytes = sizeof made, .ranks = stats->ranks, .rank_capacity = stats->rank_capacity};
    ranks = wf_calloc(options->worker_count, sizeof *ranks, err);
    if (!ranks)
        status = WEFT_ENOMEM;
    else if (graph->layers.all.layer_count)
        status = measure_expanded(&plan, graph, roots, root_count, options, &made, ranks, err);
    else
        status = wf_plan_measure(&plan, graph, roots, root_count, options, &made, ranks, err);
    if (status == WEFT_OK) {
        for (size_t w = 0; stats->ranks && w < options->worker_count && w < stats->rank_capacity; w++) stats->ranks[w] = ranks[w];
        *stats = made;
    }
    free(ranks);
    wf_plan_fini(&plan);
    return status;
}

weft_status weft_graph_get_stats(const weft_graph *graph, const weft_ref *roots, size_t root_count, size_t worker_count, int thread_count,
                                 weft_graph_stats *stats, weft_error *err)
{
    if (worker_count == 0 || worker_count > INT32_MAX / DEFAULT_PER_WORKER || thread_count < 1)
        return weft_fail(err, WEFT_EINVAL, "%zu ranks of %d threads; ask for at least one of each", worker_count, thread_count);
    wf_plan_worker *workers = wf_calloc(worker_count, sizeof *workers, err);
    if (!workers) return WEFT_ENOMEM;
    for (size_t w = 0; w < worker_count; w++) workers[w] = (wf_plan_worker){(int)w, thread_count};
    wf_plan_options options = {.workers = workers, .worker_count = worker_count, .per_worker = DEFAULT_PER_WORKER, .method = WF_CUT_AUTO};
    weft_status status = wf_graph_measure(graph, roots, root_count, &options, stats, err);
    free(workers);
    return status;
}
