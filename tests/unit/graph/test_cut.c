#include "graph/cut.h"

#include <string.h>

#include "cut_graphs.h"
#include "weft_test.h"

enum { ROUNDS = 300, MAX_ROOTS = 4, MAX_WORKERS = 7 };

static const wf_plan_worker two[] = {{1, 1}, {2, 1}}, three[] = {{1, 1}, {2, 1}, {3, 1}};
static const wf_plan_worker six[] = {{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}};

static bool has_metis(void)
{
    return *wf_metis_version() != '\0';
}

static wf_cut_method metis_or_greedy(void)
{
    return has_metis() ? WF_CUT_METIS : WF_CUT_GREEDY;
}

static size_t worker_of(const wf_plan *plan, size_t task)
{
    return plan->partition[task] / plan->per_worker;
}

static size_t count_cut_edges(const weft_graph *graph, const wf_plan *plan)
{
    size_t cut = 0;
    for (size_t t = 0; t < graph->task_count; t++) {
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++)
            cut += worker_of(plan, wf_ref_task(graph->inputs[e])) != worker_of(plan, t);
    }
    return cut;
}

static void random_graphs_are_cut_the_same_twice_and_bound_tasks_stay_on_their_rank(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        wf_plan_worker workers[MAX_WORKERS];
        weft_ref roots[MAX_ROOTS];
        size_t worker_count = random_workers(&r, workers, MAX_WORKERS), wrong = 0;
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, 400), (int)worker_count);
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS);
        wf_plan_options options = {workers, worker_count, 1 + random_below(&r, 4), (wf_cut_method)random_below(&r, 3)};
        if (options.method == WF_CUT_METIS) options.method = metis_or_greedy();
        wf_plan plan = make_plan(graph, roots, root_count, &options), again = make_plan(graph, roots, root_count, &options);
        CU_ASSERT_EQUAL_FATAL(plan.partition_count, worker_count * options.per_worker);
        CU_ASSERT_EQUAL(plan.method == WF_CUT_AUTO, worker_count == 1);
        for (size_t p = 0; p < plan.partition_count; p++) wrong += plan.rank[p] != workers[p / options.per_worker].rank;
        for (size_t t = 0; t < graph->task_count; t++) {
            int rank = wf_graph_task_rank(graph, t);
            wrong += plan.partition[t] != again.partition[t];
            if (plan.partition[t] == WF_NO_PARTITION) continue;
            wrong += plan.partition[t] >= plan.partition_count;
            wrong += plan.partition[t] < plan.partition_count && rank >= 0 && plan.rank[plan.partition[t]] != rank;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        wf_plan_fini(&plan);
        wf_plan_fini(&again);
        weft_graph_destroy(graph);
    }
}

/* `groups` chains of `length`, their tasks added in turn and in another order each time; every task also takes the one that another chain of
 * its group had before. Between groups only the last tasks meet. */
static weft_ref add_groups(random_source *r, weft_graph *graph, size_t groups, size_t length)
{
    enum { CHAINS = 4, MAX_GROUPS = 6 };
    weft_ref ends[MAX_GROUPS * CHAINS], before[MAX_GROUPS * CHAINS];
    for (size_t step = 0; step < length; step++) {
        size_t from = random_below(r, groups);
        memcpy(before, ends, sizeof before);
        for (size_t i = 0; i < groups * CHAINS; i++) {
            size_t group = (i + from) % groups, chain = i / groups, own = group * CHAINS + chain;
            weft_ref inputs[2] = {before[own], before[group * CHAINS + (chain + 1 + random_below(r, 3)) % CHAINS]};
            ends[own] = add_task(graph, inputs, step ? 2 : 0, 1000, 1);
        }
    }
    return add_task(graph, ends, groups * CHAINS, 8, 1);
}

static void planted_groups_are_found_whatever_the_order_of_their_tasks(void)
{
    random_source r = random_begin();
    for (size_t workers = 2; workers <= 6 && has_metis(); workers++) {
        weft_graph *graph = create_graph();
        weft_ref root = add_groups(&r, graph, workers, 200);
        wf_plan plan = make_plan(graph, &root, 1, &(wf_plan_options){six, workers, 2, WF_CUT_METIS});
        size_t most = 4 * (workers - 1); /* the ends that the last task takes from other groups */
        CU_ASSERT(count_cut_edges(graph, &plan) <= most);
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

/* The greatest cost that one worker has among the tasks of one step, for a stencil. */
static size_t most_of_a_step(const wf_plan *plan, size_t width, size_t steps, size_t workers)
{
    size_t most = 0;
    for (size_t step = 0; step < steps; step++) {
        size_t count[MAX_WORKERS] = {0};
        for (size_t x = 0; x < width; x++) count[worker_of(plan, step * width + x)]++;
        for (size_t w = 0; w < workers; w++) most = count[w] > most ? count[w] : most;
    }
    return most;
}

static void a_long_stencil_is_cut_by_place_not_by_time(void)
{
    enum { WIDTH = 16, STEPS = 200 };
    static const wf_plan_worker workers[] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}};
    for (wf_cut_method method = WF_CUT_AUTO; method <= WF_CUT_GREEDY; method++) {
        if (method == WF_CUT_METIS && !has_metis()) continue;
        weft_graph *graph = create_graph();
        weft_ref row[WIDTH];
        add_stencil(graph, WIDTH, STEPS, 1000, row);
        wf_plan plan = make_plan(graph, row, WIDTH, &(wf_plan_options){workers, 4, 2, method});
        CU_ASSERT(most_of_a_step(&plan, WIDTH, STEPS, 4) <= WIDTH / 4 + 1);
        if (method != WF_CUT_GREEDY && has_metis()) {
            CU_ASSERT_EQUAL(plan.method, WF_CUT_METIS);
            CU_ASSERT_EQUAL(count_cut_edges(graph, &plan), 3 * 2 * (STEPS - 1)); /* three borders, both ways, every step */
        }
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

static void work_follows_the_threads_under_metis(void)
{
    enum { CHAINS = 60, LENGTH = 20 };
    static const wf_plan_worker workers[] = {{1, 1}, {2, 2}, {3, 3}};
    weft_graph *graph = create_graph();
    weft_ref ends[CHAINS], root;
    size_t count[3] = {0};
    for (size_t c = 0; c < CHAINS; c++) {
        ends[c] = add_task(graph, NULL, 0, 1 << 20, 1);
        for (size_t i = 1; i < LENGTH; i++) ends[c] = add_task(graph, &ends[c], 1, 1 << 20, 1);
    }
    root = add_task(graph, ends, CHAINS, 8, 1);
    wf_plan plan = make_plan(graph, &root, 1, &(wf_plan_options){workers, 3, 2, metis_or_greedy()});
    for (size_t t = 0; t < graph->task_count; t++) count[worker_of(&plan, t)]++;
    for (size_t w = 0; w < 3; w++) {
        double share = (double)(CHAINS * LENGTH) * (double)(w + 1) / 6;
        CU_ASSERT((double)count[w] > 0.9 * share && (double)count[w] < 1.1 * share);
    }
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

/* Whichever side of a bisection METIS takes for the first. */
static void check_kept_results(wf_cut_method method, size_t workers, bool backwards)
{
    enum { KEPT = 48 };
    weft_graph *graph = create_graph();
    weft_ref users[KEPT], root;
    size_t own[KEPT], apart = 0;
    for (size_t i = 0; i < KEPT; i++) {
        own[i] = backwards ? workers - 1 - i * workers / KEPT : i * workers / KEPT;
        weft_ref kept = add_held(graph, 1 + (int)own[i], 1 << 20);
        users[i] = add_task(graph, &kept, 1, 8, 1);
    }
    root = add_task(graph, users, KEPT, 8, 1);
    wf_plan plan = make_plan(graph, &root, 1, &(wf_plan_options){three, workers, 2, method});
    for (size_t i = 0; i < KEPT; i++) {
        CU_ASSERT_EQUAL(worker_of(&plan, 2 * i), own[i]);
        apart += worker_of(&plan, 2 * i + 1) != own[i];
    }
    CU_ASSERT(apart <= 2);
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

static void kept_results_draw_what_takes_them(void)
{
    for (size_t workers = 2; workers <= 3; workers++) {
        for (int backwards = 0; backwards < 2; backwards++) {
            check_kept_results(WF_CUT_GREEDY, workers, backwards);
            check_kept_results(metis_or_greedy(), workers, backwards);
        }
    }
}

/* Everything lies on one rank, and work hangs on it: the other rank gets half of that work all the same. */
static void kept_results_on_one_rank_leave_no_other_idle(void)
{
    enum { KEPT = 16, LENGTH = 50 };
    weft_graph *graph = create_graph();
    weft_ref ends[KEPT], root;
    size_t count[2] = {0};
    for (size_t i = 0; i < KEPT; i++) {
        weft_ref kept = add_held(graph, 1, 1 << 20);
        ends[i] = add_task(graph, &kept, 1, 1 << 20, 1);
        for (size_t k = 1; k < LENGTH; k++) ends[i] = add_task(graph, &ends[i], 1, 1 << 20, 1);
    }
    root = add_task(graph, ends, KEPT, 8, 1);
    wf_plan plan = make_plan(graph, &root, 1, &(wf_plan_options){two, 2, 1, metis_or_greedy()});
    for (size_t t = 0; t < graph->task_count; t++) count[worker_of(&plan, t)]++;
    CU_ASSERT(count[1] > graph->task_count * 2 / 5 && count[1] < graph->task_count * 3 / 5);
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

static void a_workers_partitions_follow_the_static_order_in_equal_pieces(void)
{
    enum { LENGTH = 120, PIECES = 4 };
    static const wf_plan_worker one = {5, 3};
    weft_graph *graph = create_graph();
    weft_ref last = add_task(graph, NULL, 0, 8, 1);
    size_t wrong = 0;
    for (size_t i = 1; i < LENGTH; i++) last = add_task(graph, &last, 1, 8, 1);
    wf_plan plan = make_plan(graph, &last, 1, &(wf_plan_options){&one, 1, PIECES, WF_CUT_AUTO});
    for (size_t t = 0; t < LENGTH; t++) wrong += plan.partition[t] != t * PIECES / LENGTH;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(plan.method, WF_CUT_AUTO);
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

static wf_cut_method chosen(const weft_graph *graph, const weft_ref *roots, size_t root_count, wf_cut_method method)
{
    wf_plan plan = make_plan(graph, roots, root_count, &(wf_plan_options){two, 2, 1, method});
    wf_cut_method used = plan.method;
    wf_plan_fini(&plan);
    return used;
}

static void auto_takes_metis_for_heavy_edges_and_long_paths_only(void)
{
    enum { LEAVES = 64, WIDTH = 16 };
    weft_ref row[LEAVES];
    for (int heavy = 0; heavy < 2; heavy++) { /* a tree: no output taken twice */
        weft_graph *graph = create_graph();
        for (size_t i = 0; i < LEAVES; i++) row[i] = add_task(graph, NULL, 0, heavy ? 1 << 16 : 8, 1);
        for (size_t width = LEAVES; width > 1; width /= 2) {
            for (size_t i = 0; i < width / 2; i++)
                row[i] = add_task(graph, (weft_ref[]){row[2 * i], row[2 * i + 1]}, 2, heavy ? 1 << 16 : 8, 1);
        }
        CU_ASSERT_EQUAL(chosen(graph, row, 1, WF_CUT_AUTO), heavy ? metis_or_greedy() : WF_CUT_GREEDY);
        CU_ASSERT_EQUAL(chosen(graph, row, 1, WF_CUT_GREEDY), WF_CUT_GREEDY);
        CU_ASSERT_EQUAL(chosen(graph, row, 1, metis_or_greedy()), metis_or_greedy());
        weft_graph_destroy(graph);
    }
    weft_graph *chains = create_graph(); /* light, and no output taken twice, however long the paths */
    for (size_t i = 0; i < WIDTH; i++) {
        row[i] = add_task(chains, NULL, 0, 8, 1);
        for (size_t k = 0; k < 100; k++) row[i] = add_task(chains, &row[i], 1, 8, 1);
    }
    CU_ASSERT_EQUAL(chosen(chains, row, WIDTH, WF_CUT_AUTO), WF_CUT_GREEDY);
    weft_graph_destroy(chains);
    for (size_t steps = 4; steps <= 64; steps *= 16) { /* light stencils: short paths, long ones */
        weft_graph *graph = create_graph();
        add_stencil(graph, WIDTH, steps, 8, row);
        CU_ASSERT_EQUAL(chosen(graph, row, WIDTH, WF_CUT_AUTO), steps > 4 ? metis_or_greedy() : WF_CUT_GREEDY);
        weft_graph_destroy(graph);
    }
}

static void names_and_methods_belong_together(void)
{
    for (wf_cut_method method = WF_CUT_AUTO; method <= WF_CUT_GREEDY; method++)
        CU_ASSERT_EQUAL(wf_cut_method_of(wf_cut_method_name(method)), method);
    CU_ASSERT_STRING_EQUAL(wf_cut_method_name(WF_CUT_METIS), "metis");
}

/* As in a graph whose tasks are all by rule. */
static void a_graph_without_tasks_needs_no_cut(void)
{
    static const wf_plan_worker workers[] = {{1, 1}, {2, 1}};
    static const wf_cut_method methods[] = {WF_CUT_AUTO, WF_CUT_GREEDY};
    weft_graph *graph = create_graph();
    for (size_t i = 0; i < WEFT_COUNT_OF(methods); i++) {
        wf_plan plan = make_plan(graph, NULL, 0, &(wf_plan_options){workers, 2, 3, methods[i]});
        CU_ASSERT(plan.needed_count == 0 && plan.partition_count == 6 && plan.method == WF_CUT_AUTO);
        CU_ASSERT(plan.rank[2] == 1 && plan.rank[3] == 2);
        wf_plan_fini(&plan);
    }
    weft_graph_destroy(graph);
}

static void metis_is_refused_where_there_is_none(void)
{
    weft_graph *graph = create_graph();
    weft_ref ref = add_task(graph, NULL, 0, 8, 1);
    weft_error err = WEFT_ERROR_INIT;
    wf_plan plan = {0};
    weft_status status = wf_plan_init(&plan, graph, &ref, 1, &(wf_plan_options){two, 2, 1, WF_CUT_METIS}, &err);
    CU_ASSERT_EQUAL(status, has_metis() ? WEFT_OK : WEFT_EINVAL);
    if (!has_metis()) CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "built without METIS"));
    wf_plan_fini(&plan);
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(random_graphs_are_cut_the_same_twice_and_bound_tasks_stay_on_their_rank),
        WEFT_TEST(planted_groups_are_found_whatever_the_order_of_their_tasks),
        WEFT_TEST(a_long_stencil_is_cut_by_place_not_by_time),
        WEFT_TEST(work_follows_the_threads_under_metis),
        WEFT_TEST(kept_results_draw_what_takes_them),
        WEFT_TEST(kept_results_on_one_rank_leave_no_other_idle),
        WEFT_TEST(a_workers_partitions_follow_the_static_order_in_equal_pieces),
        WEFT_TEST(auto_takes_metis_for_heavy_edges_and_long_paths_only),
        WEFT_TEST(names_and_methods_belong_together),
        WEFT_TEST(a_graph_without_tasks_needs_no_cut),
        WEFT_TEST(metis_is_refused_where_there_is_none),
    };
    return weft_test_run("graph/cut", cases, WEFT_COUNT_OF(cases));
}
