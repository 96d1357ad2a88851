#include "graph/plan.h"

#include <math.h>
#include <string.h>

#include "random_graph.h"
#include "weft_test.h"

enum { ROUNDS = 300, MAX_ROOTS = 4, MAX_WORKERS = 7 };

static weft_ref add(weft_graph *graph, const weft_ref *inputs, size_t count, size_t bytes)
{
    weft_ref output = {0, 0};
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &random_kernels[0];
    spec.inputs = inputs;
    spec.input_count = count;
    spec.output_bytes = &bytes;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add(graph, &spec, &output, NULL), WEFT_OK);
    return output;
}

static weft_graph *create_graph(void)
{
    weft_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    return graph;
}

static void plan_succeeds(wf_plan *plan, const weft_graph *graph, const weft_ref *roots, size_t root_count, const wf_plan_worker *workers,
                          size_t worker_count, size_t per_worker)
{
    weft_error err = WEFT_ERROR_INIT;
    wf_plan_options options = {.workers = workers, .worker_count = worker_count, .per_worker = per_worker, .method = WF_CUT_GREEDY};
    if (wf_plan_init(plan, graph, roots, root_count, &options, &err)) CU_FAIL_FATAL(err.text);
}

/* ---- cull and order ---- */

static void mark_needed(const weft_graph *graph, size_t task, unsigned char *needed)
{
    if (needed[task]) return;
    needed[task] = 1;
    for (uint64_t e = graph->tasks[task].input_begin; e < graph->tasks[task + 1].input_begin; e++)
        mark_needed(graph, wf_ref_task(graph->inputs[e]), needed);
}

static void culling_keeps_what_a_recursive_walk_reaches(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, 400), 0);
        weft_ref roots[MAX_ROOTS];
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS), count = 0;
        unsigned char *found = malloc(graph->task_count), *expected = calloc(graph->task_count, 1);
        CU_ASSERT_FATAL(found && expected);
        for (size_t i = 0; i < root_count; i++) mark_needed(graph, wf_ref_task(roots[i].value), expected);
        for (size_t t = 0; t < graph->task_count; t++) count += expected[t];
        memset(found, 9, graph->task_count);
        CU_ASSERT_EQUAL(wf_cull(graph, roots, root_count, found), count);
        CU_ASSERT_EQUAL(memcmp(found, expected, graph->task_count), 0);
        free(found);
        free(expected);
        weft_graph_destroy(graph);
    }
}

static void the_order_is_topological_and_counts_the_needed_tasks(void)
{
    static const wf_plan_worker worker = {0, 1};
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, 400), 0);
        weft_ref roots[MAX_ROOTS];
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS), wrong = 0;
        wf_plan plan, again;
        plan_succeeds(&plan, graph, roots, root_count, &worker, 1, 1);
        plan_succeeds(&again, graph, roots, root_count, &worker, 1, 1);
        unsigned char *taken = calloc(plan.needed_count, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(taken);
        for (size_t t = 0; t < graph->task_count; t++) {
            if (plan.partition[t] == WF_NO_PARTITION) continue;
            wrong += plan.order[t] >= plan.needed_count || taken[plan.order[t]]++;
            wrong += plan.order[t] != again.order[t];
            for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++)
                wrong += plan.order[wf_ref_task(graph->inputs[e])] >= plan.order[t];
        }
        CU_ASSERT_EQUAL(wrong, 0);
        free(taken);
        wf_plan_fini(&plan);
        wf_plan_fini(&again);
        weft_graph_destroy(graph);
    }
}

static void a_very_long_chain_needs_no_deep_stack(void)
{
    enum { LENGTH = 500000 };
    static const wf_plan_worker worker = {0, 1};
    weft_graph *graph = create_graph();
    weft_ref last = add(graph, NULL, 0, 8);
    wf_plan plan;
    size_t wrong = 0;
    for (size_t i = 1; i < LENGTH; i++) last = add(graph, &last, 1, 8);
    plan_succeeds(&plan, graph, &last, 1, &worker, 1, 1);
    for (size_t t = 0; t < LENGTH; t++) wrong += plan.order[t] != t;
    CU_ASSERT_EQUAL(plan.needed_count, LENGTH);
    CU_ASSERT_EQUAL(wrong, 0);
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

/* The most chunks alive after any task, when tasks run one by one in static order and a chunk goes with its last consumer. */
static size_t serial_peak(const weft_graph *graph, const wf_plan *plan, uint64_t root_task)
{
    size_t live = 0, peak = 0, count = graph->task_count;
    size_t *uses = calloc(count, sizeof *uses), *at = calloc(count, sizeof *at);
    CU_ASSERT_FATAL(uses && at);
    for (size_t t = 0; t < count; t++) at[plan->order[t]] = t;
    for (size_t e = 0; e < graph->input_count; e++) uses[wf_ref_task(graph->inputs[e])]++;
    uses[root_task]++;
    for (size_t i = 0; i < count; i++) {
        const wf_graph_task *task = &graph->tasks[at[i]];
        for (uint64_t e = task->input_begin; e < task[1].input_begin; e++) live -= --uses[wf_ref_task(graph->inputs[e])] == 0;
        if (++live > peak) peak = live;
    }
    free(uses);
    free(at);
    return peak;
}

/* Level by level, the worst order to add them in. */
static void a_binary_tree_keeps_one_chunk_for_each_level_alive(void)
{
    static const wf_plan_worker worker = {0, 1};
    for (size_t levels = 0; levels <= 10; levels++) {
        weft_graph *graph = create_graph();
        weft_ref *row = malloc(sizeof *row << levels);
        CU_ASSERT_PTR_NOT_NULL_FATAL(row);
        wf_plan plan;
        for (size_t i = 0; i < (size_t)1 << levels; i++) row[i] = add(graph, NULL, 0, 8);
        for (size_t width = (size_t)1 << levels; width > 1; width /= 2) {
            for (size_t i = 0; i < width / 2; i++) row[i] = add(graph, (weft_ref[]){row[2 * i], row[2 * i + 1]}, 2, 8);
        }
        plan_succeeds(&plan, graph, row, 1, &worker, 1, 1);
        CU_ASSERT_EQUAL(serial_peak(graph, &plan, wf_ref_task(row[0].value)), levels + 1);
        wf_plan_fini(&plan);
        free(row);
        weft_graph_destroy(graph);
    }
}

/* A sum along a chain of 50, whose terms are all there from the start: they should be made when they are added, not before. */
static void the_longest_chain_is_followed_first(void)
{
    static const wf_plan_worker worker = {0, 1};
    weft_graph *graph = create_graph();
    weft_ref terms[50], sum;
    wf_plan plan;
    for (size_t i = 0; i < WEFT_COUNT_OF(terms); i++) terms[i] = add(graph, NULL, 0, 8);
    sum = terms[0];
    for (size_t i = 1; i < WEFT_COUNT_OF(terms); i++) sum = add(graph, (weft_ref[]){terms[i], sum}, 2, 8);
    plan_succeeds(&plan, graph, &sum, 1, &worker, 1, 1);
    CU_ASSERT_EQUAL(serial_peak(graph, &plan, wf_ref_task(sum.value)), 2);
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

/* ---- cut ---- */

static size_t random_workers(random_source *r, wf_plan_worker *workers)
{
    size_t count = 1 + random_below(r, MAX_WORKERS);
    for (size_t w = 0; w < count; w++) workers[w] = (wf_plan_worker){1 + (int)w, 1 + (int)random_below(r, 8)};
    return count;
}

static void every_needed_task_is_in_one_partition_and_kept_results_on_their_rank(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        wf_plan_worker workers[MAX_WORKERS];
        weft_ref roots[MAX_ROOTS];
        size_t worker_count = random_workers(&r, workers), per_worker = 1 + random_below(&r, 4), wrong = 0;
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, 400), (int)worker_count);
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS);
        wf_plan plan;
        plan_succeeds(&plan, graph, roots, root_count, workers, worker_count, per_worker);
        unsigned char *needed = calloc(graph->task_count, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(needed);
        for (size_t i = 0; i < root_count; i++) mark_needed(graph, wf_ref_task(roots[i].value), needed);
        CU_ASSERT_EQUAL(plan.task_count, graph->task_count);
        CU_ASSERT_EQUAL_FATAL(plan.partition_count, worker_count * per_worker);
        for (size_t p = 0; p < plan.partition_count; p++) wrong += plan.rank[p] != workers[p / per_worker].rank;
        for (size_t t = 0; t < graph->task_count; t++) {
            int rank = wf_graph_task_rank(graph, t);
            if (!needed[t]) {
                wrong += plan.partition[t] != WF_NO_PARTITION;
                continue;
            }
            wrong += plan.partition[t] >= plan.partition_count;
            wrong += rank >= 0 && plan.partition[t] < plan.partition_count && plan.rank[plan.partition[t]] != rank;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        free(needed);
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

/* `count` chains of `length` tasks whose edges carry that many bytes, and a task that takes all of them. */
static weft_ref add_chains(weft_graph *graph, size_t count, size_t length, size_t bytes)
{
    weft_ref ends[RANDOM_MAX_INPUTS];
    for (size_t c = 0; c < count; c++) {
        ends[c] = add(graph, NULL, 0, length > 1 ? bytes : 8);
        for (size_t i = 1; i < length; i++) ends[c] = add(graph, &ends[c], 1, i + 1 < length ? bytes : 8);
    }
    return add(graph, ends, count, 8);
}

static size_t count_cut_edges(const weft_graph *graph, const wf_plan *plan, uint64_t from_bytes)
{
    size_t cut = 0;
    for (size_t t = 0; t < graph->task_count; t++) {
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++)
            cut += wf_graph_ref_bytes(graph, graph->inputs[e]) >= from_bytes &&
                   plan->partition[wf_ref_task(graph->inputs[e])] != plan->partition[t];
    }
    return cut;
}

static void equal_chains_are_dealt_evenly_and_their_heavy_edges_stay_whole(void)
{
    enum { LENGTH = 5, PER_PARTITION = 3 };
    for (size_t workers = 1; workers <= MAX_WORKERS; workers++) {
        wf_plan_worker equal[MAX_WORKERS];
        size_t partitions = 2 * workers, tasks[2 * MAX_WORKERS] = {0};
        wf_plan plan;
        weft_graph *graph = create_graph();
        weft_ref root = add_chains(graph, PER_PARTITION * partitions, LENGTH, 1 << 20);
        for (size_t w = 0; w < workers; w++) equal[w] = (wf_plan_worker){(int)w, 2};
        plan_succeeds(&plan, graph, &root, 1, equal, workers, 2);
        for (size_t t = 0; t + 1 < graph->task_count; t++) tasks[plan.partition[t]]++; /* all but the one that ends them */
        for (size_t p = 0; p < partitions; p++) CU_ASSERT_EQUAL(tasks[p], PER_PARTITION * LENGTH);
        CU_ASSERT_EQUAL(count_cut_edges(graph, &plan, 1 << 20), 0);
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

/* With light edges every task stands for itself, so no worker is off its share by more than the costliest task. */
static void work_follows_the_threads(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        wf_plan_worker workers[MAX_WORKERS];
        double work[MAX_WORKERS] = {0}, total = 0, threads = 0, largest = 0;
        size_t worker_count = random_workers(&r, workers), per_worker = 1 + random_below(&r, 3), wrong = 0;
        weft_graph *graph = create_graph();
        weft_ref inputs[RANDOM_MAX_INPUTS], root;
        for (size_t i = 0; i < RANDOM_MAX_INPUTS; i++) {
            weft_task_spec spec = WEFT_TASK_SPEC_INIT;
            spec.kernel = &random_kernels[0];
            spec.cost = (double)(1 + random_below(&r, 9));
            CU_ASSERT_EQUAL_FATAL(weft_graph_add(graph, &spec, &inputs[i], NULL), WEFT_OK);
        }
        root = add(graph, inputs, RANDOM_MAX_INPUTS, 8);
        wf_plan plan;
        plan_succeeds(&plan, graph, &root, 1, workers, worker_count, per_worker);
        for (size_t w = 0; w < worker_count; w++) threads += workers[w].threads;
        for (size_t t = 0; t < graph->task_count; t++) {
            double cost = (double)graph->tasks[t].cost;
            work[plan.partition[t] / per_worker] += cost;
            total += cost;
            if (cost > largest) largest = cost;
        }
        for (size_t w = 0; w < worker_count; w++) wrong += fabs(work[w] - total * workers[w].threads / threads) > largest + 1e-9;
        CU_ASSERT_EQUAL(wrong, 0);
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

static void a_chain_of_heavy_edges_is_cut_rather_than_run_by_one_worker(void)
{
    static const wf_plan_worker workers[] = {{1, 1}, {2, 1}};
    weft_graph *graph = create_graph();
    weft_ref root = add_chains(graph, 1, 100, 1 << 20);
    size_t tasks[2] = {0};
    wf_plan plan;
    plan_succeeds(&plan, graph, &root, 1, workers, 2, 1);
    for (size_t t = 0; t < graph->task_count; t++) tasks[plan.partition[t]]++;
    CU_ASSERT(tasks[0] >= 50 && tasks[1] >= 50);
    CU_ASSERT_EQUAL(count_cut_edges(graph, &plan, 1 << 20), 1);
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

static void kept_results_fill_all_partitions_of_their_rank_and_draw_their_consumers(void)
{
    enum { RANKS = 2, PER_WORKER = 2, KEPT = 16 };
    static const wf_plan_worker workers[RANKS] = {{1, 1}, {2, 1}};
    weft_graph *graph = create_graph();
    weft_ref used[KEPT], root;
    size_t tasks[RANKS * PER_WORKER] = {0};
    wf_plan plan;
    for (size_t i = 0; i < KEPT; i++) { /* dealt in turn, as persisting would */
        wf_held_source source = {7, i, 1 + (int)(i % RANKS), 0};
        weft_ref kept;
        CU_ASSERT_EQUAL_FATAL(wf_graph_add_held(graph, &source, 1 << 20, &kept, NULL), WEFT_OK);
        used[i] = add(graph, &kept, 1, 8);
    }
    root = add(graph, used, KEPT, 8);
    plan_succeeds(&plan, graph, &root, 1, workers, RANKS, PER_WORKER);
    for (size_t i = 0; i < KEPT; i++) {
        CU_ASSERT_EQUAL(plan.rank[plan.partition[2 * i]], 1 + (int)(i % RANKS));
        CU_ASSERT_EQUAL(plan.partition[2 * i], plan.partition[2 * i + 1]);
        tasks[plan.partition[2 * i]]++;
    }
    for (size_t p = 0; p < RANKS * PER_WORKER; p++) CU_ASSERT_EQUAL(tasks[p], KEPT / (RANKS * PER_WORKER));
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

static void a_kept_result_on_a_rank_without_work_or_no_rank_at_all_is_refused(void)
{
    static const wf_plan_worker workers[] = {{1, 1}, {2, 1}};
    wf_held_source source = {7, 8, 3, 0};
    weft_graph *graph = create_graph();
    weft_error err = WEFT_ERROR_INIT;
    weft_ref ref;
    wf_plan plan = {.task_count = 77};
    CU_ASSERT_EQUAL(wf_graph_add_held(graph, &source, 8, &ref, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_plan_init(&plan, graph, &ref, 1, &(wf_plan_options){workers, 2, 2, WF_CUT_AUTO}, &err), WEFT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "rank 3, which runs no tasks"));
    CU_ASSERT_EQUAL(wf_plan_init(&plan, graph, &ref, 1, &(wf_plan_options){NULL, 0, 2, WF_CUT_AUTO}, &err), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_plan_init(&plan, graph, &ref, 1, &(wf_plan_options){workers, 2, 0, WF_CUT_AUTO}, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(plan.task_count, 77);
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(culling_keeps_what_a_recursive_walk_reaches),
        WEFT_TEST(the_order_is_topological_and_counts_the_needed_tasks),
        WEFT_TEST(a_very_long_chain_needs_no_deep_stack),
        WEFT_TEST(a_binary_tree_keeps_one_chunk_for_each_level_alive),
        WEFT_TEST(the_longest_chain_is_followed_first),
        WEFT_TEST(every_needed_task_is_in_one_partition_and_kept_results_on_their_rank),
        WEFT_TEST(equal_chains_are_dealt_evenly_and_their_heavy_edges_stay_whole),
        WEFT_TEST(work_follows_the_threads),
        WEFT_TEST(a_chain_of_heavy_edges_is_cut_rather_than_run_by_one_worker),
        WEFT_TEST(kept_results_fill_all_partitions_of_their_rank_and_draw_their_consumers),
        WEFT_TEST(a_kept_result_on_a_rank_without_work_or_no_rank_at_all_is_refused),
    };
    return weft_test_run("graph/plan", cases, WEFT_COUNT_OF(cases));
}
