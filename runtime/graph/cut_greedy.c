/* The greedy cut. Tasks joined by the graph's heaviest edges become one cluster (a chunk and all that is done with it stay on one rank);
 * clusters, in the order of their first task, fill partitions up to each one's share of the cost. In a tree, neighbours in that order are
 * neighbours in the tree, so few edges are cut. Any thread. */
#include <stdlib.h>

#include "base/memory.h"
#include "graph/cut.h"

enum { HEAVY_FRACTION = 4 }; /* an edge is heavy from a quarter of the largest edge's bytes */

typedef struct cluster {
    double cost;
    int rank;        /* -1: anywhere */
    uint32_t first;  /* the smallest position in the order among its tasks */
    uint32_t root;   /* the task that stands for it */
    bool is_used;
} cluster;

typedef struct clustering {
    const weft_graph *graph;
    const unsigned char *needed;
    uint32_t *parent;   /* union-find over tasks */
    cluster *clusters;  /* by task, valid at roots */
} clustering;

static uint32_t find(clustering *c, uint32_t task)
{
    while (c->parent[task] != task) {
        c->parent[task] = c->parent[c->parent[task]];
        task = c->parent[task];
    }
    return task;
}

static void join(clustering *c, uint32_t a, uint32_t b, double cost_limit)
{
    a = find(c, a);
    b = find(c, b);
    if (a == b) return;
    cluster *into = &c->clusters[a], *from = &c->clusters[b];
    if (into->cost + from->cost > cost_limit) return;
    if (into->rank >= 0 && from->rank >= 0 && into->rank != from->rank) return;
    into->cost += from->cost;
    if (into->rank < 0) into->rank = from->rank;
    if (from->first < into->first) into->first = from->first;
    c->parent[b] = a;
}

static uint64_t largest_edge_bytes(const clustering *c)
{
    uint64_t largest = 0;
    for (size_t t = 0; t < c->graph->task_count; t++) {
        if (!c->needed[t]) continue;
        for (uint64_t e = c->graph->tasks[t].input_begin; e < c->graph->tasks[t + 1].input_begin; e++) {
            uint64_t bytes = wf_graph_ref_bytes(c->graph, c->graph->inputs[e]);
            if (bytes > largest) largest = bytes;
        }
    }
    return largest;
}

static void join_heavy_edges(clustering *c, double cost_limit)
{
    uint64_t heavy = largest_edge_bytes(c) / HEAVY_FRACTION;
    if (heavy < 4096) return; /* nothing here is worth more than an even balance */
    for (size_t t = 0; t < c->graph->task_count; t++) {
        if (!c->needed[t]) continue;
        for (uint64_t e = c->graph->tasks[t].input_begin; e < c->graph->tasks[t + 1].input_begin; e++) {
            uint64_t ref = c->graph->inputs[e];
            if (wf_graph_ref_bytes(c->graph, ref) >= heavy) join(c, (uint32_t)wf_ref_task(ref), (uint32_t)t, cost_limit);
        }
    }
}

/* Clusters bound to a rank go where most room is among its partitions, and lower what those may still take. */
static void place_bound(wf_plan *plan, const cluster *clusters, size_t count, const wf_plan_options *options, double *room)
{
    for (size_t i = 0; i < count; i++) {
        if (clusters[i].rank < 0) continue;
        size_t first = wf_plan_worker_of_rank(options, clusters[i].rank) * options->per_worker, p = first;
        for (size_t other = first + 1; other < first + options->per_worker; other++) {
            if (room[other] > room[p]) p = other;
        }
        plan->partition[clusters[i].root] = (uint32_t)p;
        room[p] -= clusters[i].cost;
    }
}

/* The others fill the partitions in order: a cluster goes where its middle falls. */
static void place_free(wf_plan *plan, const cluster *clusters, size_t count, const double *room)
{
    double total_room = 0, total_cost = 0, room_end = 0, cost_end = 0;
    for (uint32_t p = 0; p < plan->partition_count; p++) total_room += room[p] > 0 ? room[p] : 0;
    for (size_t i = 0; i < count; i++) total_cost += clusters[i].rank < 0 ? clusters[i].cost : 0;
    double scale = total_room > 0 ? total_cost / total_room : 0;
    uint32_t p = 0;
    room_end = room[0] > 0 ? room[0] * scale : 0;
    for (size_t i = 0; i < count; i++) {
        if (clusters[i].rank >= 0) continue;
        double middle = cost_end + clusters[i].cost / 2;
        cost_end += clusters[i].cost;
        while (middle > room_end && p + 1 < plan->partition_count) {
            p++;
            room_end += room[p] > 0 ? room[p] * scale : 0;
        }
        plan->partition[clusters[i].root] = p;
    }
}

static weft_status place(wf_plan *plan, clustering *c, const wf_plan_options *options, double total_cost, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    size_t count = 0;
    double threads = 0;
    cluster *sorted = wf_calloc(plan->needed_count, sizeof *sorted, err);
    double *room = wf_calloc(plan->partition_count, sizeof *room, err);
    if (!sorted || !room) goto out;
    for (size_t w = 0; w < options->worker_count; w++) threads += options->workers[w].threads;
    for (size_t p = 0; p < plan->partition_count; p++)
        room[p] = total_cost * options->workers[p / options->per_worker].threads / threads / (double)options->per_worker;
    for (uint32_t t = 0; t < c->graph->task_count; t++) { /* each begins at a place of its own */
        if (c->needed[t] && c->parent[t] == t) sorted[c->clusters[t].first] = c->clusters[t];
    }
    for (size_t i = 0; i < plan->needed_count; i++) {
        if (sorted[i].is_used) sorted[count++] = sorted[i];
    }
    place_bound(plan, sorted, count, options, room);
    place_free(plan, sorted, count, room);
    status = WEFT_OK;
out:
    free(sorted);
    free(room);
    return status;
}

weft_status wf_cut_greedy(wf_plan *plan, const weft_graph *graph, const unsigned char *needed, const wf_plan_options *options,
                          weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    double total_cost = 0;
    clustering c = {.graph = graph, .needed = needed};
    c.parent = wf_calloc(graph->task_count, sizeof *c.parent, err);
    c.clusters = wf_calloc(graph->task_count, sizeof *c.clusters, err);
    if (!c.parent || !c.clusters) goto out;
    for (uint32_t t = 0; t < graph->task_count; t++) {
        c.parent[t] = t;
        c.clusters[t] = (cluster){(double)graph->tasks[t].cost, wf_graph_task_rank(graph, t), plan->order[t], t, true};
        if (needed[t]) total_cost += (double)graph->tasks[t].cost;
    }
    /* A cluster may be as much as a rank's share: more would leave another rank idle. */
    join_heavy_edges(&c, total_cost / (double)options->worker_count);
    status = place(plan, &c, options, total_cost, err);
    for (uint32_t t = 0; status == WEFT_OK && t < graph->task_count; t++) {
        if (needed[t]) plan->partition[t] = plan->partition[find(&c, t)];
    }
out:
    free(c.parent);
    free(c.clusters);
    return status;
}
