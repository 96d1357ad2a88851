/* Layers by rule through whole ranks over loopback, against a serial evaluation. WEFT_TEST_SEED repeats a run, WEFT_TEST_ROUNDS lengthens it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

#include "loopback_session.h"
#include "random_graph.h"
#include "random_layers.h"
#include "weft_test.h"

static uint64_t seed;
static const size_t small_counts[] = {0, 1, 1, 3, 20};
static const size_t large_counts[] = {1, 1000, 1024, 3000, 40000};

typedef struct rank_case {
    int ranks, threads;
    bool rank0_only_schedules;
    const char *setting;
} rank_case;

static const rank_case rank_cases[] = {
    {1, 0, false, NULL}, {1, 1, false, NULL}, {1, 3, false, NULL}, {2, 1, false, "partition.per_rank=1"}, {2, 2, true, NULL},
    {3, 2, true, "partition.per_rank=7"}, {3, 3, false, NULL}, {5, 1, false, "partition.per_rank=3"}, {5, 2, true, "partition.per_rank=100"},
};

static int round_count(void)
{
    const char *text = getenv("WEFT_TEST_ROUNDS");
    return text ? atoi(text) : 3;
}

static loopback_session *open_case(size_t i)
{
    const rank_case *c = &rank_cases[i];
    loopback_options options = {.rank_count = c->ranks, .threads = c->threads, .rank0_only_schedules = c->rank0_only_schedules,
                                .settings = {c->setting}};
    return loopback_session_create(&options);
}

static void report(const char *wrong, uint64_t graph_seed, size_t rank_case_index, const weft_error *err)
{
    const rank_case *c = &rank_cases[rank_case_index];
    if (wrong)
        printf("seed %llu, graph %llu, %d ranks, %d threads: %s (%s: %s)\n", (unsigned long long)seed, (unsigned long long)graph_seed,
               c->ranks, c->threads, wrong, err->task, err->text);
    CU_ASSERT_PTR_NULL(wrong);
}

static random_layers_options layers_options(uint64_t graph_seed, unsigned fail_permille)
{
    static const size_t task_counts[] = {1, 5, 40, 150, 300};
    uint64_t state = graph_seed;
    return (random_layers_options){.seed = graph_seed,
                                   .layer_count = 1 + random_below(&state, RANDOM_LAYERS_MAX),
                                   .most_tasks = task_counts[random_below(&state, WEFT_COUNT_OF(task_counts))],
                                   .counts = small_counts,
                                   .count_count = WEFT_COUNT_OF(small_counts),
                                   .fail_permille = fail_permille,
                                   .scans = random_below(&state, 2)};
}

/* Also that all memory comes back: FORGET and RELEASE are on their way when a compute returns. */
static bool all_is_freed(loopback_session *s)
{
    for (int i = 0; i < 20000 && loopback_session_used_bytes(s) > 0; i++) {
        if (!wf_rank_step(s->session.rank)) nanosleep(&(struct timespec){0, 100000}, NULL);
    }
    return loopback_session_used_bytes(s) == 0;
}

static void close_case(loopback_session *s)
{
    CU_ASSERT(all_is_freed(s));
    CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
}

/* ---- random graphs ---- */

static void check_one(loopback_session *s, const random_layers_options *options, size_t rank_case_index, bool persists)
{
    layered_root roots[16];
    weft_error err = WEFT_ERROR_INIT;
    random_layers *graph = random_layers_create(options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    random_layers_pick(graph, roots, WEFT_COUNT_OF(roots));
    const char *wrong = persists ? random_layers_check_futures(&s->session, graph, roots, WEFT_COUNT_OF(roots), &err)
                                 : random_layers_check(&s->session, graph, roots, WEFT_COUNT_OF(roots), &err);
    report(wrong, options->seed, rank_case_index, &err);
    random_layers_destroy(graph);
}

static void random_layers_give_what_a_serial_evaluation_gives(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (int round = 0; round < 10 * round_count(); round++) {
            random_layers_options options = layers_options(seed + (uint64_t)round, 0); /* the same graphs on every number of ranks */
            check_one(s, &options, c, false);
        }
        close_case(s);
    }
}

static void large_chunks_go_between_ranks(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (int round = 0; round < round_count(); round++) {
            random_layers_options options = layers_options(seed + 500 + (uint64_t)round, 0);
            options.counts = large_counts;
            options.count_count = WEFT_COUNT_OF(large_counts);
            options.most_tasks = 30;
            check_one(s, &options, c, false);
        }
        close_case(s);
    }
}

static void failing_tasks_give_the_same_error_on_every_number_of_ranks(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (int round = 0; round < 6 * round_count(); round++) {
            random_layers_options options = layers_options(seed + 1000 + (uint64_t)round, round % 2 ? 5 : 50);
            check_one(s, &options, c, false);
        }
        close_case(s);
    }
}

static void kept_outputs_are_inputs_of_other_graphs(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (int round = 0; round < 2 * round_count(); round++) {
            random_layers_options options = layers_options(seed + 2000 + (uint64_t)round, round % 4 == 3 ? 10 : 0);
            check_one(s, &options, c, true);
        }
        close_case(s);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(random_layers_give_what_a_serial_evaluation_gives),
        WEFT_TEST(large_chunks_go_between_ranks),
        WEFT_TEST(failing_tasks_give_the_same_error_on_every_number_of_ranks),
        WEFT_TEST(kept_outputs_are_inputs_of_other_graphs),
    };
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("client/layers", cases, WEFT_COUNT_OF(cases));
}
