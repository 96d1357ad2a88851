/* Random graphs under MPI against a serial evaluation. Only rank 0 runs the cases. WEFT_TEST_SEED repeats a run. */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

#include "random_graph.h"
#include "weft_test.h"

static weft_session *session; /* cases take no arguments */
static uint64_t seed;

/* Elements of 8 bytes: none, one, around the size that still travels inside a frame (8 KiB less what stands before), beyond. */
static const size_t small_counts[] = {0, 1, 1, 20, 100, 1000, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1023, 1024, 1025, 3000};
static const size_t large_counts[] = {0, 1, 131072, 131072, 2621440};

static void check(const char *wrong, uint64_t graph_seed, const weft_error *err)
{
    if (wrong)
        printf("seed %llu, graph %llu: %s (%s: %s)\n", (unsigned long long)seed, (unsigned long long)graph_seed, wrong, err->task,
               err->text);
    CU_ASSERT_PTR_NULL(wrong);
}

static random_graph_options options_of(uint64_t graph_seed, unsigned fail_percent)
{
    uint64_t state = graph_seed;
    return (random_graph_options){graph_seed, (random_shape)random_below(&state, RANDOM_SHAPE_COUNT), 1 + random_below(&state, 200),
                                  small_counts, WEFT_COUNT_OF(small_counts), fail_percent};
}

static void check_graph(const random_graph_options *options, size_t root_count, bool with_failed)
{
    size_t roots[16];
    weft_error err = WEFT_ERROR_INIT;
    random_graph *graph = random_graph_create(options, NULL, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    root_count = random_graph_pick_roots(graph, roots, root_count, with_failed);
    check(random_graph_check(session, graph, roots, root_count, &err), options->seed, &err);
    random_graph_destroy(graph);
}

static void small_chunks_in_random_graphs(void)
{
    for (uint64_t round = 0; round < 20; round++) {
        random_graph_options options = options_of(seed + round, 0);
        check_graph(&options, 12, true);
    }
}

static void large_chunks_in_random_graphs(void)
{
    for (uint64_t round = 0; round < 4; round++) {
        random_graph_options options = {seed + round, round % 2 ? RANDOM_DAG : RANDOM_LAYERS, 16, large_counts,
                                        WEFT_COUNT_OF(large_counts), 0};
        check_graph(&options, 3, true);
    }
}

static void failing_tasks_in_random_graphs(void)
{
    for (uint64_t round = 0; round < 20; round++) {
        random_graph_options options = options_of(seed + 100 + round, 4);
        check_graph(&options, 12, round % 2 == 0);
    }
}

static void kept_results_in_random_graphs(void)
{
    for (uint64_t round = 0; round < 10; round++) {
        random_graph_options options = options_of(seed + 200 + round, round % 4 == 3 ? 4 : 0);
        weft_error err = WEFT_ERROR_INIT;
        check(random_graph_check_futures(session, &options, &err), options.seed, &err);
    }
}

static void many_graphs_in_a_row(void)
{
    for (uint64_t round = 0; round < 200; round++) {
        random_graph_options options = options_of(seed + 300 + round, 0);
        options.task_count = 1 + round % 7;
        check_graph(&options, 2, true);
    }
}

static int client(weft_session *own_session, int argc, char **argv)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(small_chunks_in_random_graphs), WEFT_TEST(large_chunks_in_random_graphs), WEFT_TEST(failing_tasks_in_random_graphs),
        WEFT_TEST(kept_results_in_random_graphs), WEFT_TEST(many_graphs_in_a_row),
    };
    (void)argc;
    (void)argv;
    session = own_session;
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("mpi/random_graphs", cases, WEFT_COUNT_OF(cases));
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
