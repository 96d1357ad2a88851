/* Whole ranks over loopback against a serial evaluation of random graphs. WEFT_TEST_SEED repeats a run, WEFT_TEST_ROUNDS lengthens it. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

#include "loopback_session.h"
#include "random_graph.h"
#include "weft_test.h"

static uint64_t seed;
static const size_t counts[] = {0, 1, 1, 1, 7, 100, 2000};

typedef struct rank_case {
    int ranks, threads;
    bool rank0_only_schedules;
    const char *move;
    bool has_comm_thread;
} rank_case;

static const rank_case rank_cases[] = {
    {1, 0, false, "partition.move=on", false},    {1, 2, false, "partition.move=random", false}, {2, 1, false, "partition.move=off", false},
    {3, 2, true, "partition.move=off", false},    {5, 1, false, "partition.move=on", false},     {3, 4, false, "partition.move=on", false},
    {3, 1, true, "partition.move=on", false},     {3, 1, true, "partition.move=random", false},  {5, 2, false, "partition.move=random", false},
    {1, 2, false, "partition.move=on", true},     {3, 2, true, "partition.move=on", true},       {3, 2, true, "partition.move=random", true},
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
                                .has_comm_thread = c->has_comm_thread, .settings = {c->move}};
    return loopback_session_create(&options);
}

static void report(const char *wrong, uint64_t graph_seed, size_t rank_case_index, const weft_error *err)
{
    const rank_case *c = &rank_cases[rank_case_index];
    if (wrong)
        printf("seed %llu, graph %llu, %d ranks, %d threads, %s: %s (%s: %s)\n", (unsigned long long)seed, (unsigned long long)graph_seed,
               c->ranks, c->threads, c->move, wrong, err->task, err->text);
    CU_ASSERT_PTR_NULL(wrong);
}

static random_graph_options graph_options(uint64_t graph_seed, unsigned fail_percent)
{
    static const size_t task_counts[] = {1, 5, 40, 150, 400};
    uint64_t state = graph_seed;
    return (random_graph_options){.seed = graph_seed,
                                  .shape = (random_shape)random_below(&state, RANDOM_SHAPE_COUNT),
                                  .task_count = task_counts[random_below(&state, 5)],
                                  .counts = counts,
                                  .count_count = WEFT_COUNT_OF(counts),
                                  .fail_percent = fail_percent};
}

/* With forced moves, some must have happened; how many depends on who was faster. */
static void check_moves(loopback_session *s, size_t rank_case_index)
{
    const rank_case *c = &rank_cases[rank_case_index];
    uint64_t moved = wf_scheduler_moved_count(s->session.scheduler);
    if (strcmp(c->move, "partition.move=off") == 0 || c->ranks == 1) CU_ASSERT_EQUAL(moved, 0);
    if (strcmp(c->move, "partition.move=random") == 0 && c->ranks > 1) CU_ASSERT(moved > 0);
}

/* Also that all memory comes back: FORGET and RELEASE are on their way when a compute returns. */
static bool all_is_freed(loopback_session *s)
{
    for (int i = 0; i < 100000 && loopback_session_used_bytes(s) > 0; i++) {
        if (!wf_rank_step(s->session.rank)) nanosleep(&(struct timespec){0, 100000}, NULL);
    }
    return loopback_session_used_bytes(s) == 0;
}

static void check_graphs(unsigned fail_percent, bool with_failed_roots)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (int round = 0; round < 4 * round_count(); round++) {
            uint64_t graph_seed = seed + (uint64_t)round; /* the same graphs on every number of ranks */
            random_graph_options options = graph_options(graph_seed, fail_percent);
            random_graph *graph = random_graph_create(&options, NULL, NULL, 0);
            size_t roots[12];
            weft_error err = WEFT_ERROR_INIT;
            CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
            size_t count = random_graph_pick_roots(graph, roots, 12, with_failed_roots);
            report(random_graph_check(&s->session, graph, roots, count, &err), graph_seed, c, &err);
            random_graph_destroy(graph);
        }
        CU_ASSERT(all_is_freed(s));
        check_moves(s, c);
        CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
    }
}

static void random_graphs_give_what_a_serial_evaluation_gives(void)
{
    check_graphs(0, true);
}

static void failing_tasks_give_the_same_error_on_every_number_of_ranks(void)
{
    check_graphs(5, true);
}

static void roots_beside_failing_tasks_are_right(void)
{
    check_graphs(5, false);
}

static void kept_results_are_inputs_of_later_graphs(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (int round = 0; round < 2 * round_count(); round++) {
            uint64_t graph_seed = seed + 1000 + (uint64_t)round;
            random_graph_options options = graph_options(graph_seed, round % 3 == 2 ? 3 : 0);
            weft_error err = WEFT_ERROR_INIT;
            report(random_graph_check_futures(&s->session, &options, &err), graph_seed, c, &err);
        }
        CU_ASSERT(all_is_freed(s));
        check_moves(s, c);
        CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
    }
}

typedef struct client_thread {
    loopback_session *s;
    uint64_t seed;
    const char *wrong;
    weft_error err;
} client_thread;

static void *compute_some(void *argument)
{
    client_thread *t = argument;
    for (int round = 0; round < round_count() && !t->wrong; round++) {
        size_t roots[5];
        random_graph_options options = graph_options(t->seed + (uint64_t)round, 2);
        random_graph *graph = random_graph_create(&options, NULL, NULL, 0);
        size_t count = random_graph_pick_roots(graph, roots, 5, true);
        t->wrong = random_graph_check(t->s ? &t->s->session : NULL, graph, roots, count, &t->err);
        random_graph_destroy(graph);
    }
    return NULL;
}

static void several_client_threads_compute_at_once(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        client_thread threads[3];
        pthread_t handles[3];
        loopback_session *s = open_case(c);
        for (int i = 0; i < 3; i++) threads[i] = (client_thread){s, seed + 2000 + 100 * (uint64_t)i, NULL, WEFT_ERROR_INIT};
        for (int i = 0; i < 3; i++) pthread_create(&handles[i], NULL, compute_some, &threads[i]);
        for (int i = 0; i < 3; i++) pthread_join(handles[i], NULL);
        for (int i = 0; i < 3; i++) report(threads[i].wrong, threads[i].seed, c, &threads[i].err);
        CU_ASSERT(all_is_freed(s));
        check_moves(s, c);
        CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
    }
}

/* Sleeps as long as it is told to, and adds its inputs up. */
WEFT_KERNEL(slow_sum)
{
    const int64_t *params = weft_task_params(task, NULL); /* ns, value */
    int64_t *sum = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!sum) return err->status;
    if (params[0]) nanosleep(&(struct timespec){0, params[0]}, NULL);
    *sum = params[1];
    for (size_t i = 0; i < weft_task_input_count(task); i++) *sum = *sum * 3 + *(const int64_t *)weft_task_input_data(task, i);
    return WEFT_OK;
}

enum { SLOW = 48, FAST = SLOW };

/* The first half of the tasks is slow, so that one of two workers has all of those; every fourth needs the one before it, so that chunks
 * cross between partitions. */
static void idle_ranks_get_partitions_of_a_busy_one(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        for (int rank_count = 2; rank_count <= 4; rank_count++) {
            loopback_options options = {.rank_count = rank_count, .threads = threads, .rank0_only_schedules = rank_count == 3,
                                        .settings = {"partition.per_rank=8"}};
            loopback_session *s = loopback_session_create(&options);
            weft_graph *graph = NULL;
            weft_ref refs[SLOW + FAST];
            weft_chunk *chunks[SLOW + FAST] = {NULL};
            int64_t expected[SLOW + FAST];
            weft_error err = WEFT_ERROR_INIT;
            CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
            for (int i = 0; i < SLOW + FAST; i++) {
                int64_t params[2] = {i < SLOW ? 2000000 : 0, i};
                bool needs = i % 4 == 0 && i > 0;
                expected[i] = needs ? i * 3 + expected[i - 1] : i;
                weft_graph_add_task(graph, &slow_sum_kernel, needs ? &refs[i - 1] : NULL, needs, params, sizeof params, &refs[i], NULL);
            }
            CU_ASSERT_EQUAL(weft_compute(&s->session, graph, refs, SLOW + FAST, chunks, &err), WEFT_OK);
            for (int i = 0; i < SLOW + FAST; i++) {
                CU_ASSERT(chunks[i] && *(const int64_t *)weft_chunk_data(chunks[i]) == expected[i]);
                weft_chunk_release(chunks[i]);
            }
            CU_ASSERT(wf_scheduler_moved_count(s->session.scheduler) > 0);
            weft_graph_destroy(graph);
            CU_ASSERT(all_is_freed(s));
            CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
        }
    }
}

static void *interrupt_soon(void *argument)
{
    loopback_session *s = argument;
    nanosleep(&(struct timespec){0, 5000000}, NULL);
    wf_rank_interrupt(s->session.rank, SIGINT);
    return NULL;
}

/* Whatever is on its way is freed; nobody waits for it. */
static void an_interrupt_while_partitions_move_ends_the_session(void)
{
    for (int round = 0; round < round_count(); round++) {
        loopback_options options = {.rank_count = 5, .threads = 1, .settings = {"partition.move=random", "partition.per_rank=20"}};
        loopback_session *s = loopback_session_create(&options);
        pthread_t interrupter;
        weft_graph *graph = NULL;
        weft_ref refs[400];
        weft_chunk *chunks[400] = {NULL};
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
        for (int i = 0; i < 400; i++) {
            int64_t params[2] = {1000000, i};
            weft_graph_add_task(graph, &slow_sum_kernel, i % 7 ? &refs[i - 1] : NULL, i % 7 != 0, params, sizeof params, &refs[i], NULL);
        }
        CU_ASSERT_EQUAL_FATAL(pthread_create(&interrupter, NULL, interrupt_soon, s), 0);
        CU_ASSERT_EQUAL(weft_compute(&s->session, graph, refs, 400, chunks, &err), WEFT_ECANCELLED);
        pthread_join(interrupter, NULL);
        weft_graph_destroy(graph);
        CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_ECANCELLED);
    }
}

static void a_kernel_that_one_rank_lacks_fails_its_tasks_there(void)
{
    wf_registry none = {0};
    loopback_options options = {.rank_count = 3, .threads = 1, .rank0_only_schedules = true, .registry = {NULL, NULL, &none}};
    loopback_session *s = loopback_session_create(&options);
    random_graph_options graph = graph_options(seed, 0);
    graph.shape = RANDOM_FAN;
    graph.task_count = 100;
    for (int round = 0; round < 3; round++) {
        random_graph *g = random_graph_create(&graph, NULL, NULL, 0);
        weft_chunk *chunk = NULL;
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(weft_compute(&s->session, g->graph, &g->outputs[g->output_count - 1].ref, 1, &chunk, &err), WEFT_ENOENT);
        CU_ASSERT_EQUAL(err.rank, 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "this rank has no kernel"));
        CU_ASSERT_PTR_NULL(chunk);
        random_graph_destroy(g);
    }
    CU_ASSERT(all_is_freed(s));
    CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
}

static void a_memory_limit_fails_the_task_that_exceeds_it(void)
{
    static const size_t large[] = {100000};
    loopback_options options = {.rank_count = 2, .threads = 2, .memory_limit_bytes = 500000};
    loopback_session *s = loopback_session_create(&options);
    random_graph_options graph = {.seed = seed, .shape = RANDOM_DAG, .task_count = 20, .counts = large, .count_count = 1};
    random_graph *g = random_graph_create(&graph, NULL, NULL, 0);
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(weft_compute(&s->session, g->graph, &g->outputs[g->output_count - 1].ref, 1, &chunk, &err), WEFT_ENOMEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "memory.limit"));
    CU_ASSERT(strncmp(err.task, "mix ", 4) == 0);
    random_graph_destroy(g);
    CU_ASSERT(all_is_freed(s));
    CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(random_graphs_give_what_a_serial_evaluation_gives),
        WEFT_TEST(failing_tasks_give_the_same_error_on_every_number_of_ranks),
        WEFT_TEST(roots_beside_failing_tasks_are_right),
        WEFT_TEST(kept_results_are_inputs_of_later_graphs),
        WEFT_TEST(several_client_threads_compute_at_once),
        WEFT_TEST(idle_ranks_get_partitions_of_a_busy_one),
        WEFT_TEST(an_interrupt_while_partitions_move_ends_the_session),
        WEFT_TEST(a_kernel_that_one_rank_lacks_fails_its_tasks_there),
        WEFT_TEST(a_memory_limit_fails_the_task_that_exceeds_it),
    };
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("cluster/ranks", cases, WEFT_COUNT_OF(cases));
}
