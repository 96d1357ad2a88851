/* Paths out of tasks. One pass strings the tasks, one counts, one fills, one merges parallel edges. Any thread; the graph is only read. */
#include "graph/path_graph.h"

#include <stdlib.h>

#include "base/memory.h"
#include "graph/cut.h"

typedef struct builder {
    const weft_graph *graph;
    const unsigned char *needed;
    const wf_plan_options *options;
    uint32_t *consumers;      /* by output of the graph: edges that take it */
    unsigned char *continued; /* by task: its path goes on */
    double cost_limit;        /* of a path */
    wf_path_graph made;
} builder;

static void count_consumers(builder *b)
{
    const weft_graph *graph = b->graph;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (!b->needed[t]) continue;
        b->made.total_cost += (double)graph->tasks[t].cost;
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++)
            b->consumers[wf_graph_ref_index(graph, graph->inputs[e])]++;
    }
}

/* What cutting an edge costs. An output goes to a rank once, however many take it there: among more consumers than there are other
 * workers its bytes are shared out. */
static double edge_bytes(const builder *b, uint64_t ref)
{
    double bytes = (double)wf_graph_ref_bytes(b->graph, ref), others = (double)b->options->worker_count - 1;
    double consumers = b->consumers[wf_graph_ref_index(b->graph, ref)];
    if (bytes < 1) bytes = 1;
    return consumers > others ? bytes * others / consumers : bytes;
}

/* The task whose path t goes on with; t itself when it begins one. The heaviest input that no other path goes on from, if it carries at least
 * half of what the heaviest of all does: a light one is no reason to part from a heavy one. Among equals the middle one: in a stencil, that
 * is the same place a step before. */
static size_t choose_input(const builder *b, size_t t)
{
    const wf_graph_task *task = &b->graph->tasks[t];
    uint64_t begin = task->input_begin, count = task[1].input_begin - begin, best_distance = 0;
    double heaviest = 0, best_bytes = 0;
    size_t best = t;
    for (uint64_t i = 0; i < count; i++) {
        double bytes = edge_bytes(b, b->graph->inputs[begin + i]);
        if (bytes > heaviest) heaviest = bytes;
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t ref = b->graph->inputs[begin + i], distance = 2 * i > count - 1 ? 2 * i - (count - 1) : count - 1 - 2 * i;
        size_t from = wf_graph_input_task(b->graph, begin + i);
        double bytes = edge_bytes(b, ref);
        if (b->continued[from] || 2 * bytes < heaviest || bytes < best_bytes) continue;
        if (bytes == best_bytes && distance >= best_distance) continue;
        if (b->made.cost[b->made.vertex[from]] + (double)task->cost > b->cost_limit) continue;
        best = from;
        best_bytes = bytes;
        best_distance = distance;
    }
    return best;
}

static uint32_t add_vertex(builder *b, uint32_t worker)
{
    uint32_t v = (uint32_t)b->made.vertex_count++;
    b->made.worker[v] = worker;
    return v;
}

/* Kept results never go on: what takes them is drawn by their bytes, but free to go where there is room. `anchors` is by worker. */
static void string_tasks(builder *b, uint32_t *anchors)
{
    const weft_graph *graph = b->graph;
    for (size_t w = 0; w < b->options->worker_count; w++) anchors[w] = UINT32_MAX;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (!b->needed[t]) continue;
        int rank = wf_graph_task_rank(graph, t);
        size_t from = t;
        uint32_t v;
        if (rank >= 0) {
            size_t w = wf_plan_worker_of_rank(b->options, rank);
            if (anchors[w] == UINT32_MAX) anchors[w] = add_vertex(b, (uint32_t)w);
            v = anchors[w];
            b->continued[t] = 1;
        } else {
            from = choose_input(b, t);
            v = from == t ? add_vertex(b, WF_ANY_WORKER) : b->made.vertex[from];
            if (from != t) b->continued[from] = 1;
        }
        b->made.vertex[t] = v;
        b->made.cost[v] += (double)graph->tasks[t].cost;
    }
}

/* Both directions of every edge between two paths, several times where several edges join them. Edges between the same two stand in the same
 * order on both sides, so that their sums are the same to the last bit: METIS crashes on a graph that is not symmetric. */
static void fill_edges(builder *b)
{
    const weft_graph *graph = b->graph;
    wf_path_graph *m = &b->made;
    for (int pass = 0; pass < 2; pass++) { /* counts, then fills */
        for (size_t t = 0; t < graph->task_count; t++) {
            if (!b->needed[t]) continue;
            for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
                uint32_t from = m->vertex[wf_graph_input_task(graph, e)], to = m->vertex[t];
                if (from == to) continue;
                if (pass == 0) {
                    m->edge_begin[from + 2]++;
                    m->edge_begin[to + 2]++;
                    continue;
                }
                uint64_t there = m->edge_begin[from + 1]++, back = m->edge_begin[to + 1]++;
                m->neighbour[there] = to;
                m->neighbour[back] = from;
                m->bytes[there] = m->bytes[back] = edge_bytes(b, graph->inputs[e]);
            }
        }
        for (size_t v = 0; pass == 0 && v < m->vertex_count; v++) m->edge_begin[v + 2] += m->edge_begin[v + 1];
    }
}

/* `place` is by vertex. */
static void merge_edges(wf_path_graph *m, uint64_t *place)
{
    uint64_t end = 0;
    for (size_t v = 0; v < m->vertex_count; v++) place[v] = UINT64_MAX;
    for (size_t v = 0; v < m->vertex_count; v++) {
        uint64_t first = end, from = m->edge_begin[v], until = m->edge_begin[v + 1];
        m->edge_begin[v] = first;
        for (uint64_t e = from; e < until; e++) {
            uint32_t to = m->neighbour[e];
            if (place[to] != UINT64_MAX && place[to] >= first) {
                m->bytes[place[to]] += m->bytes[e];
                continue;
            }
            place[to] = end;
            m->neighbour[end] = to;
            m->bytes[end++] = m->bytes[e];
        }
    }
    m->edge_begin[m->vertex_count] = end;
}

static weft_status join(builder *b, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    wf_path_graph *m = &b->made;
    size_t edges = 2 * b->graph->input_count;
    uint64_t *place = wf_calloc(m->vertex_count, sizeof *place, err);
    m->edge_begin = wf_calloc(m->vertex_count + 2, sizeof *m->edge_begin, err);
    m->neighbour = wf_calloc(edges, sizeof *m->neighbour, err);
    m->bytes = wf_calloc(edges, sizeof *m->bytes, err);
    if (place && m->edge_begin && m->neighbour && m->bytes) {
        fill_edges(b);
        merge_edges(m, place);
        status = WEFT_OK;
    }
    free(place);
    return status;
}

weft_status wf_path_graph_init(wf_path_graph *paths, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options,
                               weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    builder b = {.graph = graph, .needed = needed, .options = options};
    uint32_t *anchors = wf_calloc(options->worker_count, sizeof *anchors, err);
    b.consumers = wf_calloc(graph->output_count, sizeof *b.consumers, err);
    b.continued = wf_calloc(graph->task_count, 1, err);
    b.made.vertex = wf_calloc(graph->task_count, sizeof *b.made.vertex, err);
    b.made.cost = wf_calloc(graph->task_count, sizeof *b.made.cost, err);
    b.made.worker = wf_calloc(graph->task_count, sizeof *b.made.worker, err);
    if (!anchors || !b.consumers || !b.continued || !b.made.vertex || !b.made.cost || !b.made.worker) goto out;
    count_consumers(&b);
    b.cost_limit = b.made.total_cost / (double)options->worker_count;
    string_tasks(&b, anchors);
    status = join(&b, err);
out:
    free(anchors);
    free(b.consumers);
    free(b.continued);
    if (status == WEFT_OK)
        *paths = b.made;
    else
        wf_path_graph_fini(&b.made);
    return status;
}

void wf_path_graph_fini(wf_path_graph *paths)
{
    free(paths->vertex);
    free(paths->cost);
    free(paths->worker);
    free(paths->edge_begin);
    free(paths->neighbour);
    free(paths->bytes);
    *paths = (wf_path_graph){0};
}
