#include "graph/stats.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "cut_graphs.h"
#include "graph/cut.h"
#include "weft_test.h"

enum { ROUNDS = 150, MAX_ROOTS = 4, MAX_WORKERS = 5, MAX_TASKS = 120 };

/* ---- counted again, in the simplest way there is: everything looks at everything ---- */

typedef struct recount {
    const weft_graph *graph;
    const wf_plan *plan;
    const weft_ref *roots;
    size_t root_count;
} recount;

static bool is_needed(const recount *c, size_t t)
{
    return c->plan->partition[t] != WF_NO_PARTITION;
}

static size_t worker_of(const recount *c, size_t t)
{
    return c->plan->partition[t] / c->plan->per_worker;
}

static bool takes(const recount *c, size_t t, size_t from, size_t output)
{
    for (uint64_t e = c->graph->tasks[t].input_begin; e < c->graph->tasks[t + 1].input_begin; e++) {
        if (c->graph->inputs[e] == wf_ref_value(from, output)) return true;
    }
    return false;
}

/* Whether an output is on worker w just after the task at `position` of the static order has made its outputs, before anything is freed. */
static bool is_alive(const recount *c, size_t from, size_t output, size_t w, size_t position)
{
    bool is_root = false, is_taken = false, is_held = c->graph->tasks[from].kernel == WF_HELD_KERNEL, is_own = worker_of(c, from) == w;
    size_t last = c->plan->order[from];
    for (size_t i = 0; i < c->root_count; i++) is_root |= c->roots[i].value == wf_ref_value(from, output);
    for (size_t t = 0; t < c->graph->task_count; t++) {
        if (!is_needed(c, t) || worker_of(c, t) != w || !takes(c, t, from, output)) continue;
        is_taken = true;
        if (c->plan->order[t] > last) last = c->plan->order[t];
    }
    if (is_own && is_held) return true;
    if (c->plan->order[from] > position || (!is_own && !is_taken)) return false;
    return (is_own && is_root) || position <= last;
}

static uint64_t recount_peak(const recount *c, size_t w)
{
    uint64_t peak = 0;
    for (size_t position = 0; position < c->plan->needed_count; position++) {
        uint64_t live = 0;
        for (size_t t = 0; t < c->graph->task_count; t++) {
            for (size_t o = 0; is_needed(c, t) && o < wf_graph_output_count(c->graph, t); o++)
                live += is_alive(c, t, o, w, position) ? wf_graph_ref_bytes(c->graph, wf_ref_value(t, o)) : 0;
        }
        if (live > peak) peak = live;
    }
    return peak;
}

static double longest(const recount *c, size_t t, size_t *length)
{
    double most = 0;
    *length = 0;
    for (size_t from = 0; from < t; from++) {
        size_t tasks = 0;
        bool is_input = false;
        for (size_t o = 0; o < WEFT_MAX_OUTPUTS; o++) is_input |= takes(c, t, from, o);
        if (!is_input) continue;
        double cost = longest(c, from, &tasks);
        if (cost < most || (cost == most && tasks <= *length)) continue;
        most = cost;
        *length = tasks;
    }
    ++*length;
    return most + (double)c->graph->tasks[t].cost;
}

static void check_sums(const recount *c, const weft_graph_stats *stats, const weft_graph_rank_stats *ranks, size_t workers)
{
    size_t tasks = 0, edges = 0, outputs = 0, cut_edges = 0, messages = 0, wrong = 0;
    uint64_t bytes = 0, cut_bytes = 0, largest = 0, all = 0;
    double cost = 0;
    for (size_t w = 0; w < workers; w++) {
        size_t own = 0;
        uint64_t sent = 0, received = 0, peak = recount_peak(c, w);
        double own_cost = 0;
        for (size_t t = 0; t < c->graph->task_count; t++) {
            if (!is_needed(c, t)) continue;
            own += worker_of(c, t) == w;
            own_cost += worker_of(c, t) == w ? (double)c->graph->tasks[t].cost : 0;
            for (size_t o = 0; o < wf_graph_output_count(c->graph, t); o++) {
                bool goes_to[MAX_WORKERS] = {0};
                for (size_t u = 0; u < c->graph->task_count; u++) {
                    if (is_needed(c, u) && worker_of(c, u) != worker_of(c, t) && takes(c, u, t, o)) goes_to[worker_of(c, u)] = true;
                }
                for (size_t to = 0; to < workers; to++) {
                    uint64_t size = goes_to[to] ? wf_graph_ref_bytes(c->graph, wf_ref_value(t, o)) : 0;
                    sent += worker_of(c, t) == w ? size : 0;
                    received += to == w ? size : 0;
                    messages += worker_of(c, t) == w && goes_to[to];
                }
            }
        }
        wrong += ranks[w].task_count != own || ranks[w].sent_bytes != sent || ranks[w].received_bytes != received;
        wrong += ranks[w].memory_peak_bytes != peak || fabs(ranks[w].cost - own_cost) > 1e-9;
        cut_bytes += sent;
        all += peak;
        largest = peak > largest ? peak : largest;
    }
    for (size_t t = 0; t < c->graph->task_count; t++) {
        if (!is_needed(c, t)) continue;
        tasks++;
        cost += (double)c->graph->tasks[t].cost;
        outputs += wf_graph_output_count(c->graph, t);
        for (size_t o = 0; o < wf_graph_output_count(c->graph, t); o++) bytes += wf_graph_ref_bytes(c->graph, wf_ref_value(t, o));
        for (uint64_t e = c->graph->tasks[t].input_begin; e < c->graph->tasks[t + 1].input_begin; e++) {
            edges++;
            cut_edges += worker_of(c, t) != worker_of(c, wf_ref_task(c->graph->inputs[e]));
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(stats->task_count == tasks && stats->edge_count == edges && stats->output_count == outputs && stats->output_bytes == bytes);
    CU_ASSERT(stats->cut_edge_count == cut_edges && stats->message_count == messages && stats->cut_bytes == cut_bytes);
    CU_ASSERT(stats->memory_peak_bytes == largest && stats->memory_total_bytes == all);
    CU_ASSERT_DOUBLE_EQUAL(stats->total_cost, cost, 1e-9);
}

static void statistics_of_random_graphs_equal_a_plain_recount(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        wf_plan_worker workers[MAX_WORKERS];
        weft_graph_rank_stats ranks[MAX_WORKERS];
        weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
        weft_ref roots[MAX_ROOTS];
        size_t worker_count = random_workers(&r, workers, MAX_WORKERS);
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, MAX_TASKS), (int)worker_count);
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS);
        wf_plan_options options = {workers, worker_count, 1 + random_below(&r, 3), WF_CUT_AUTO};
        wf_plan plan = make_plan(graph, roots, root_count, &options);
        stats.ranks = ranks;
        stats.rank_capacity = MAX_WORKERS;
        CU_ASSERT_EQUAL_FATAL(wf_graph_measure(graph, roots, root_count, &options, &stats, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(stats.rank_count, worker_count);
        check_sums(&(recount){graph, &plan, roots, root_count}, &stats, ranks, worker_count);
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

static void the_critical_path_is_the_dearest_chain(void)
{
    static const wf_plan_worker worker = {0, 1};
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, 14), 0);
        weft_ref roots[MAX_ROOTS];
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS), length = 0;
        double most = 0;
        weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
        wf_plan_options options = {&worker, 1, 1, WF_CUT_AUTO};
        wf_plan plan = make_plan(graph, roots, root_count, &options);
        recount c = {graph, &plan, roots, root_count};
        for (size_t t = 0; t < graph->task_count; t++) {
            size_t tasks = 0;
            double cost = is_needed(&c, t) ? longest(&c, t, &tasks) : 0;
            if (cost < most || (cost == most && tasks <= length)) continue;
            most = cost;
            length = tasks;
        }
        CU_ASSERT_EQUAL_FATAL(wf_graph_measure(graph, roots, root_count, &options, &stats, NULL), WEFT_OK);
        CU_ASSERT_DOUBLE_EQUAL(stats.critical_cost, most, 1e-9);
        CU_ASSERT_EQUAL(stats.critical_task_count, length);
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

static void of_equally_dear_chains_the_longest_is_told(void)
{
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_graph *graph = create_graph();
    weft_ref ends[3] = {add_task(graph, NULL, 0, 8, 3), add_task(graph, NULL, 0, 8, 1), add_task(graph, NULL, 0, 8, 3)}, root;
    ends[1] = add_task(graph, &ends[1], 1, 8, 1);
    ends[1] = add_task(graph, &ends[1], 1, 8, 1);
    root = add_task(graph, ends, 3, 8, 2);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 1, 1, 1, &stats, NULL), WEFT_OK);
    CU_ASSERT_DOUBLE_EQUAL(stats.critical_cost, 5, 1e-12);
    CU_ASSERT_EQUAL(stats.critical_task_count, 4);
    weft_graph_destroy(graph);
}

static void kept_results_count_for_memory_from_the_start(void)
{
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_graph *graph = create_graph();
    weft_ref kept[2] = {add_held(graph, 0, 1000), add_held(graph, 0, 500)}, first, root;
    first = add_task(graph, kept, 1, 10, 1);
    root = add_task(graph, (weft_ref[]){first, kept[1]}, 2, 1, 1);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 1, 1, 1, &stats, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(stats.memory_peak_bytes, 1511);
    CU_ASSERT_STRING_EQUAL(stats.method, "none");
    weft_graph_destroy(graph);
}

/* ---- the time of the last task ---- */

/* Time goes by in units of cost, which are whole numbers here: at each, what ends ends, then every worker starts what is ready, by order. */
static double tick_by_tick(const recount *c, const wf_plan_options *options)
{
    size_t count = c->graph->task_count, ended = 0;
    double *until = calloc(count, sizeof *until);
    char *state = calloc(count, 1); /* 0 waits, 1 runs, 2 has ended */
    int busy[MAX_WORKERS] = {0};
    double now = 0;
    CU_ASSERT_FATAL(until && state);
    for (;; now++) {
        for (size_t t = 0; t < count; t++) {
            if (state[t] != 1 || until[t] > now) continue;
            state[t] = 2;
            ended++;
            busy[worker_of(c, t)]--;
        }
        if (ended == c->plan->needed_count) break;
        for (size_t w = 0; w < options->worker_count; w++) {
            while (busy[w] < options->workers[w].threads) {
                size_t best = count;
                for (size_t t = 0; t < count; t++) {
                    bool is_ready = is_needed(c, t) && state[t] == 0 && worker_of(c, t) == w;
                    for (uint64_t e = c->graph->tasks[t].input_begin; is_ready && e < c->graph->tasks[t + 1].input_begin; e++)
                        is_ready = state[wf_ref_task(c->graph->inputs[e])] == 2;
                    if (is_ready && (best == count || c->plan->order[t] < c->plan->order[best])) best = t;
                }
                if (best == count) break;
                state[best] = 1;
                until[best] = now + (double)c->graph->tasks[best].cost;
                busy[w]++;
            }
        }
    }
    free(until);
    free(state);
    return now;
}

static void the_last_task_ends_when_a_clock_says_so(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        wf_plan_worker workers[MAX_WORKERS];
        weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
        weft_ref roots[MAX_ROOTS];
        size_t worker_count = random_workers(&r, workers, MAX_WORKERS);
        weft_graph *graph = random_graph(&r, 1 + random_below(&r, MAX_TASKS), (int)worker_count);
        size_t root_count = random_roots(&r, graph, roots, MAX_ROOTS);
        wf_plan_options options = {workers, worker_count, 2, WF_CUT_AUTO};
        wf_plan plan = make_plan(graph, roots, root_count, &options);
        CU_ASSERT_EQUAL_FATAL(wf_graph_measure(graph, roots, root_count, &options, &stats, NULL), WEFT_OK);
        CU_ASSERT_DOUBLE_EQUAL(stats.finish_cost, tick_by_tick(&(recount){graph, &plan, roots, root_count}, &options), 1e-9);
        CU_ASSERT(stats.finish_cost >= stats.critical_cost - 1e-9);
        wf_plan_fini(&plan);
        weft_graph_destroy(graph);
    }
}

/* Two tasks end at once on two workers. What follows on the first goes by static order, not by who was told first. */
static void what_becomes_ready_at_one_moment_starts_in_static_order(void)
{
    static const wf_plan_worker workers[] = {{0, 1}, {1, 1}};
    uint32_t partition[] = {0, 1, 0, 0, 1}, order[] = {0, 1, 4, 2, 3}, by_order[] = {0, 1, 3, 4, 2};
    weft_graph *graph = create_graph();
    weft_ref a = add_task(graph, NULL, 0, 8, 1), b = add_task(graph, NULL, 0, 8, 1), late, early;
    wf_plan plan = {.task_count = 5, .needed_count = 5, .order = order, .partition = partition, .partition_count = 2, .per_worker = 1};
    double finish = 0;
    late = add_task(graph, &a, 1, 8, 5);
    early = add_task(graph, &b, 1, 8, 1);
    add_task(graph, &early, 1, 8, 10);
    (void)late;
    CU_ASSERT_EQUAL(wf_plan_simulate(&plan, graph, by_order, &(wf_plan_options){workers, 2, 1, WF_CUT_AUTO}, &finish, NULL), WEFT_OK);
    CU_ASSERT_DOUBLE_EQUAL(finish, 12, 1e-12);
    weft_graph_destroy(graph);
}

static void balance_is_the_largest_rank_over_the_mean(void)
{
    static const wf_plan_worker workers[] = {{0, 1}, {1, 3}};
    weft_graph *graph = create_graph();
    weft_ref kept = add_held(graph, 0, 8), roots[4];
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_graph_rank_stats ranks[2];
    (void)kept;
    for (size_t i = 0; i < 4; i++) roots[i] = add_task(graph, NULL, 0, 8, 3);
    stats.ranks = ranks;
    stats.rank_capacity = 2;
    CU_ASSERT_EQUAL(wf_graph_measure(graph, roots, 4, &(wf_plan_options){workers, 2, 1, WF_CUT_GREEDY}, &stats, NULL), WEFT_OK);
    double first = ranks[0].cost, second = ranks[1].cost / 3, mean = 12.0 / 4;
    CU_ASSERT_DOUBLE_EQUAL(stats.balance, (first > second ? first : second) / mean, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(ranks[0].cost + ranks[1].cost, 12, 1e-12);
    weft_graph_destroy(graph);
}

static void what_cannot_be_measured_is_refused_and_changes_nothing(void)
{
    weft_graph_rank_stats ranks[3] = {{.rank = 77}, {.rank = 77}, {.rank = 77}};
    weft_graph_stats stats = {.size_bytes = sizeof stats - 8, .task_count = 5};
    weft_graph *graph = create_graph(), *other = create_graph();
    weft_ref root = add_task(graph, NULL, 0, 8, 1), foreign = add_task(other, NULL, 0, 8, 1), kept = add_held(graph, 9, 8);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 1, 1, 1, &stats, NULL), WEFT_EINVAL);
    stats.size_bytes = sizeof stats;
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 0, 1, 1, &stats, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 1, 0, 1, &stats, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 1, 1, 0, &stats, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &foreign, 1, 1, 1, &stats, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &kept, 1, 2, 1, &stats, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(stats.task_count, 5);
    stats.ranks = ranks;
    stats.rank_capacity = 1;
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 1, 3, 1, &stats, NULL), WEFT_OK);
    CU_ASSERT(stats.rank_count == 3 && ranks[0].rank == 0 && ranks[1].rank == 77);
    weft_graph_destroy(graph);
    weft_graph_destroy(other);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(statistics_of_random_graphs_equal_a_plain_recount),
        WEFT_TEST(the_critical_path_is_the_dearest_chain),
        WEFT_TEST(of_equally_dear_chains_the_longest_is_told),
        WEFT_TEST(kept_results_count_for_memory_from_the_start),
        WEFT_TEST(the_last_task_ends_when_a_clock_says_so),
        WEFT_TEST(what_becomes_ready_at_one_moment_starts_in_static_order),
        WEFT_TEST(balance_is_the_largest_rank_over_the_mean),
        WEFT_TEST(what_cannot_be_measured_is_refused_and_changes_nothing),
    };
    return weft_test_run("graph/stats", cases, WEFT_COUNT_OF(cases));
}
