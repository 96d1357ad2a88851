#include "graph/path_graph.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "cut_graphs.h"
#include "weft_test.h"

enum { ROUNDS = 200, MAX_ROOTS = 4, MAX_WORKERS = 5 };

static unsigned char *list_needed(const weft_graph *graph, const weft_ref *roots, size_t root_count)
{
    unsigned char *needed = malloc(graph->task_count);
    CU_ASSERT_PTR_NOT_NULL_FATAL(needed);
    wf_cull(graph, roots, root_count, needed);
    return needed;
}

static bool takes(const weft_graph *graph, size_t t, size_t from)
{
    for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
        if (wf_ref_task(graph->inputs[e]) == from) return true;
    }
    return false;
}

/* Every task takes the one before it on its path; kept results of one worker share a vertex, which nothing else is in. */
static size_t count_broken_paths(const weft_graph *graph, const unsigned char *needed, const wf_path_graph *paths)
{
    size_t broken = 0, *last = calloc(paths->vertex_count + 1, sizeof *last); /* task + 1 */
    CU_ASSERT_PTR_NOT_NULL_FATAL(last);
    for (size_t t = 0; t < graph->task_count; t++) {
        if (!needed[t]) continue;
        uint32_t v = paths->vertex[t];
        int rank = wf_graph_task_rank(graph, t);
        broken += v >= paths->vertex_count || (paths->worker[v] != WF_ANY_WORKER) != (rank >= 0);
        broken += rank >= 0 && paths->worker[v] + 1 != (uint32_t)rank;
        broken += rank < 0 && last[v] && !takes(graph, t, last[v] - 1);
        last[v] = t + 1;
    }
    free(last);
    return broken;
}

/* The weight between two vertices, by looking at every edge of the graph. */
static double weight_between(const weft_graph *graph, const unsigned char *needed, const wf_path_graph *paths, uint32_t a, uint32_t b,
                             double others)
{
    double sum = 0;
    for (size_t t = 0; t < graph->task_count; t++) {
        for (uint64_t e = graph->tasks[t].input_begin; needed[t] && e < graph->tasks[t + 1].input_begin; e++) {
            uint32_t from = paths->vertex[wf_ref_task(graph->inputs[e])], to = paths->vertex[t];
            double consumers = 0, bytes = (double)wf_graph_ref_bytes(graph, graph->inputs[e]);
            if (!((from == a && to == b) || (from == b && to == a))) continue;
            for (size_t u = 0; u < graph->task_count; u++) {
                for (uint64_t i = graph->tasks[u].input_begin; needed[u] && i < graph->tasks[u + 1].input_begin; i++)
                    consumers += graph->inputs[i] == graph->inputs[e];
            }
            sum += consumers > others ? bytes * others / consumers : bytes;
        }
    }
    return sum;
}

static void paths_of_random_graphs_are_whole_and_their_edges_add_up(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        wf_plan_worker workers[MAX_WORKERS];
        weft_ref roots[MAX_ROOTS];
        size_t worker_count = random_workers(&r, workers, MAX_WORKERS), wrong = 0;
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, 50), (int)worker_count);
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS);
        unsigned char *needed = list_needed(graph, roots, root_count);
        wf_plan_options options = {workers, worker_count, 1, WF_CUT_METIS};
        wf_path_graph paths;
        double cost = 0, total = 0;
        CU_ASSERT_EQUAL_FATAL(wf_path_graph_init(&paths, graph, needed, &options, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(count_broken_paths(graph, needed, &paths), 0);
        for (uint32_t v = 0; v < paths.vertex_count; v++) {
            double found[64] = {0};
            cost += paths.cost[v];
            for (uint64_t e = paths.edge_begin[v]; e < paths.edge_begin[v + 1]; e++) {
                uint32_t to = paths.neighbour[e];
                wrong += to == v || to >= paths.vertex_count || found[to] > 0; /* none twice */
                found[to] += paths.bytes[e];
            }
            for (uint32_t to = 0; to < paths.vertex_count; to++) {
                double expected = to == v ? 0 : weight_between(graph, needed, &paths, v, to, (double)worker_count - 1);
                wrong += fabs(found[to] - expected) > 1e-9 * (1 + expected);
            }
        }
        for (size_t t = 0; t < graph->task_count; t++) total += needed[t] ? (double)graph->tasks[t].cost : 0;
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_DOUBLE_EQUAL(cost, total, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(paths.total_cost, total, 1e-9);
        free(needed);
        wf_path_graph_fini(&paths);
        weft_graph_destroy(graph);
    }
}

static void the_paths_of_a_stencil_run_through_all_of_its_steps(void)
{
    enum { WIDTH = 12, STEPS = 30 };
    static const wf_plan_worker workers[] = {{0, 1}, {1, 1}};
    weft_graph *graph = create_graph();
    weft_ref row[WIDTH];
    size_t wrong = 0;
    add_stencil(graph, WIDTH, STEPS, 100, row);
    unsigned char *needed = list_needed(graph, row, WIDTH);
    wf_path_graph paths;
    CU_ASSERT_EQUAL_FATAL(wf_path_graph_init(&paths, graph, needed, &(wf_plan_options){workers, 2, 1, WF_CUT_METIS}, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(paths.vertex_count, WIDTH);
    for (size_t step = 0; step < STEPS; step++) {
        size_t seen[WIDTH] = {0};
        for (size_t x = 0; x < WIDTH; x++) wrong += seen[paths.vertex[step * WIDTH + x]]++;
        for (size_t x = 2; x + 2 < WIDTH; x++) wrong += paths.vertex[step * WIDTH + x] != x; /* the ends may change places */
    }
    CU_ASSERT_EQUAL(wrong, 0);
    free(needed);
    wf_path_graph_fini(&paths);
    weft_graph_destroy(graph);
}

static void a_path_is_no_longer_than_a_workers_share(void)
{
    enum { LENGTH = 100 };
    static const wf_plan_worker workers[] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}};
    weft_graph *graph = create_graph();
    weft_ref last = add_task(graph, NULL, 0, 100, 1);
    for (size_t i = 1; i < LENGTH; i++) last = add_task(graph, &last, 1, 100, 1);
    unsigned char *needed = list_needed(graph, &last, 1);
    wf_path_graph paths;
    CU_ASSERT_EQUAL_FATAL(wf_path_graph_init(&paths, graph, needed, &(wf_plan_options){workers, 4, 1, WF_CUT_METIS}, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(paths.vertex_count, 4);
    for (size_t v = 0; v < paths.vertex_count; v++) CU_ASSERT_DOUBLE_EQUAL(paths.cost[v], LENGTH / 4, 1e-9);
    free(needed);
    wf_path_graph_fini(&paths);
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(paths_of_random_graphs_are_whole_and_their_edges_add_up),
        WEFT_TEST(the_paths_of_a_stencil_run_through_all_of_its_steps),
        WEFT_TEST(a_path_is_no_longer_than_a_workers_share),
    };
    return weft_test_run("graph/path_graph", cases, WEFT_COUNT_OF(cases));
}
