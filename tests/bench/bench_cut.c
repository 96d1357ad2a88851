/* What planning costs and what the cut is worth, greedy against METIS, on graphs whose shape is typical of programs.
 *
 * usage: build-ci/bin/bench.cut [tasks] [repeats]
 * Prints for each graph, number of workers and method: the least time of planning in ns per task; bytes between ranks; balance; the time
 * until the last task ends, over the best that any cut could do, if messages took no time; the largest rank's memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/cut.h"
#include "graph/stats.h"

enum { MAX_INPUTS = 8, MAX_WORKERS = 16 };

static const weft_kernel kernel = {"bench", NULL};

typedef struct building {
    weft_graph *graph;
    weft_ref *refs;   /* by task */
    size_t count;
    size_t bytes;     /* of each output */
    uint64_t state;
} building;

static size_t random_below(building *b, size_t end)
{
    b->state = b->state * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = b->state ^ b->state >> 29;
    return (size_t)((x * 0x9E3779B97F4A7C15u >> 20) % end);
}

/* A task of the first outputs of those in `from`. */
static void add(building *b, const size_t *from, size_t input_count, size_t bytes, double cost)
{
    weft_ref inputs[MAX_INPUTS];
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    for (size_t i = 0; i < input_count; i++) inputs[i] = b->refs[from[i]];
    spec.kernel = &kernel;
    spec.inputs = inputs;
    spec.input_count = input_count;
    spec.output_bytes = &bytes;
    spec.cost = cost;
    if (weft_graph_add(b->graph, &spec, &b->refs[b->count++], NULL) != WEFT_OK) abort();
}

/* Any two earlier tasks among the last thousand. */
static void build_random(building *b, size_t tasks)
{
    while (b->count < tasks) {
        size_t reach = b->count < 1000 ? b->count : 1000, from[2];
        if (b->count < 100) {
            add(b, NULL, 0, b->bytes, 1);
            continue;
        }
        for (size_t i = 0; i < 2; i++) from[i] = b->count - 1 - random_below(b, reach);
        add(b, from, 2, b->bytes, 1 + (double)random_below(b, 4));
    }
}

static void build_line(building *b, size_t tasks, size_t width)
{
    while (b->count < tasks) {
        size_t x = b->count % width, from[3], count = 0;
        for (size_t n = x ? x - 1 : 0; b->count >= width && n <= x + 1 && n < width; n++) from[count++] = b->count - width - x + n;
        add(b, from, count, b->bytes, 1);
    }
}

/* A 1-D stencil, few places and many steps. */
static void build_stencil(building *b, size_t tasks)
{
    build_line(b, tasks, 64);
}

/* A square of places, each with its four neighbours, step by step. */
static void build_grid(building *b, size_t tasks)
{
    enum { SIDE = 32 };
    while (b->count < tasks) {
        size_t place = b->count % (SIDE * SIDE), x = place % SIDE, y = place / SIDE, before = b->count - SIDE * SIDE, from[5], count = 0;
        if (b->count >= SIDE * SIDE) {
            if (y > 0) from[count++] = before - SIDE;
            if (x > 0) from[count++] = before - 1;
            from[count++] = before;
            if (x + 1 < SIDE) from[count++] = before + 1;
            if (y + 1 < SIDE) from[count++] = before + SIDE;
        }
        add(b, from, count, b->bytes, 1);
    }
}

/* Leaves, then pairs of what there is. */
static void build_tree(building *b, size_t tasks)
{
    size_t leaves = (tasks + 1) / 2;
    while (b->count < 2 * leaves - 1) {
        size_t i = b->count < leaves ? 0 : 2 * (b->count - leaves), from[2] = {i, i + 1};
        add(b, from, b->count < leaves ? 0 : 2, b->bytes, 1);
    }
}

/* A tall matrix: chunks are read, factorized, the small triangles joined four by four, and each chunk's Q made from its own large one. */
static void build_tsqr(building *b, size_t tasks)
{
    size_t chunks = tasks / 4, level = chunks, width = chunks;
    for (size_t i = 0; i < chunks; i++) add(b, NULL, 0, b->bytes, 1);
    for (size_t i = 0; i < chunks; i++) add(b, (size_t[]){i}, 1, b->bytes / 64, 4);
    for (size_t first = level; width > 1; first += width, width = (width + 3) / 4) {
        for (size_t i = 0; i < width; i += 4) {
            size_t from[4], count = 0;
            for (; count < 4 && i + count < width; count++) from[count] = first + i + count;
            add(b, from, count, b->bytes / 64, 1);
        }
    }
    size_t top = b->count - 1;
    for (size_t i = 0; i < chunks; i++) add(b, (size_t[]){i, top}, 2, b->bytes, 4);
}

/* Groups that talk much among themselves and little to others, their tasks added in turn. */
static void build_groups(building *b, size_t tasks)
{
    enum { GROUPS = 48 };
    while (b->count < tasks) {
        size_t from[3], count = 0;
        if (b->count >= 8 * GROUPS) {
            for (; count < 2; count++) from[count] = b->count - GROUPS * (1 + random_below(b, 7));
            if (random_below(b, 20) == 0) from[count++] = b->count - 1 - random_below(b, GROUPS);
        }
        add(b, from, count, b->bytes, 1);
    }
}

static void build_independent(building *b, size_t tasks)
{
    while (b->count < tasks) add(b, NULL, 0, b->bytes, 1);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* All tasks that nobody takes are roots. */
static size_t list_roots(const weft_graph *graph, const weft_ref *refs, weft_ref *roots)
{
    size_t count = 0;
    char *is_taken = calloc(graph->task_count, 1);
    if (!is_taken) abort();
    for (size_t e = 0; e < graph->input_count; e++) is_taken[wf_ref_task(graph->inputs[e])] = 1;
    for (size_t t = 0; t < graph->task_count; t++) {
        if (!is_taken[t]) roots[count++] = refs[t];
    }
    free(is_taken);
    return count;
}

/* The method is printed as chosen; "auto" is told by a star. */
static void measure(const char *name, const building *b, size_t worker_count, wf_cut_method method, size_t repeats)
{
    wf_plan_worker workers[MAX_WORKERS];
    weft_error err = WEFT_ERROR_INIT;
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_ref *roots = calloc(b->count, sizeof *roots);
    int64_t least = INT64_MAX;
    if (!roots) abort();
    size_t root_count = list_roots(b->graph, b->refs, roots);
    for (size_t w = 0; w < worker_count; w++) workers[w] = (wf_plan_worker){(int)w, 1};
    wf_plan_options options = {workers, worker_count, worker_count == 1 ? 1 : 4, method};
    for (size_t r = 0; r < repeats; r++) {
        wf_plan plan;
        int64_t start = now_ns();
        if (wf_plan_init(&plan, b->graph, roots, root_count, &options, &err) != WEFT_OK) {
            printf("%s: %s\n", name, err.text);
            exit(1);
        }
        if (now_ns() - start < least) least = now_ns() - start;
        wf_plan_fini(&plan);
    }
    if (wf_graph_measure(b->graph, roots, root_count, &options, &stats, &err) != WEFT_OK) abort();
    double best = stats.total_cost / (double)worker_count;
    if (best < stats.critical_cost) best = stats.critical_cost;
    printf("%-12s %2zu %-6s%c %7.0f %12.3f %8.3f %8.3f %10.1f\n", name, worker_count, stats.method, method == WF_CUT_AUTO ? '*' : ' ', (double)least / (double)b->count,
           (double)stats.cut_bytes / 1e6, stats.balance, stats.finish_cost / best, (double)stats.memory_peak_bytes / 1e6);
    free(roots);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*build)(building *b, size_t tasks);
        size_t bytes;
    } shapes[] = {
        {"random", build_random, 1000}, {"stencil", build_stencil, 1000},         {"stencil 64K", build_stencil, 65536},
        {"grid", build_grid, 1000},     {"grid 64K", build_grid, 65536},          {"tree", build_tree, 64},
        {"tree 64K", build_tree, 65536}, {"tsqr", build_tsqr, 1 << 20},           {"groups", build_groups, 1000},
        {"groups 64K", build_groups, 65536}, {"independent", build_independent, 64},
    };
    size_t tasks = argc > 1 ? (size_t)strtol(argv[1], NULL, 10) : 40000, repeats = argc > 2 ? (size_t)strtol(argv[2], NULL, 10) : 3;
    if (tasks < 100 || repeats < 1) {
        fprintf(stderr, "bench.cut: needs at least 100 tasks and one repeat\n");
        return 2;
    }
    printf("%-12s %2s %-7s %7s %12s %8s %8s %10s\n", "graph", "W", "method", "ns/task", "cut MB", "balance", "time/best", "memory MB");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        building b = {.bytes = shapes[i].bytes, .state = 7};
        b.refs = calloc(2 * tasks + 8, sizeof *b.refs);
        if (!b.refs || weft_graph_create(&b.graph, NULL) != WEFT_OK) abort();
        shapes[i].build(&b, tasks);
        measure(shapes[i].name, &b, 1, WF_CUT_AUTO, repeats);
        for (size_t w = 2; w <= MAX_WORKERS; w *= w == 2 ? 2 : 4) {
            measure(shapes[i].name, &b, w, WF_CUT_GREEDY, repeats);
            if (*wf_metis_version()) measure(shapes[i].name, &b, w, WF_CUT_METIS, repeats);
            measure(shapes[i].name, &b, w, WF_CUT_AUTO, repeats);
        }
        weft_graph_destroy(b.graph);
        free(b.refs);
    }
    return 0;
}
