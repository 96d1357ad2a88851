/* Random layers by rule under MPI against a serial evaluation. Only rank 0 runs the cases. WEFT_TEST_SEED repeats a run. */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

#include "random_graph.h"
#include "random_layers.h"
#include "weft_test.h"

static weft_session *session; /* cases take no arguments */
static uint64_t seed;

/* Elements of 8 bytes: none, one, around the size that still travels inside a frame (8 KiB less what stands before), beyond. */
static const size_t small_counts[] = {0, 1, 1, 20, 1012, 1014};
static const size_t medium_counts[] = {1, 1011, 1013, 1015, 1024, 3000};
static const size_t large_counts[] = {0, 1, 131072, 1310720};

static random_layers_options options_of(uint64_t graph_seed, unsigned fail_permille)
{
    uint64_t state = graph_seed;
    return (random_layers_options){.seed = graph_seed,
                                   .layer_count = 1 + random_below(&state, RANDOM_LAYERS_MAX),
                                   .most_tasks = 1 + random_below(&state, 150),
                                   .counts = random_below(&state, 3) ? small_counts : medium_counts,
                                   .count_count = WEFT_COUNT_OF(small_counts),
                                   .fail_permille = fail_permille,
                                   .scans = random_below(&state, 2)};
}

static void check_layers(const random_layers_options *options, size_t root_count, bool persists)
{
    layered_root roots[16];
    weft_error err = WEFT_ERROR_INIT;
    random_layers *graph = random_layers_create(options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(graph);
    random_layers_pick(graph, roots, root_count);
    const char *wrong = persists ? random_layers_check_futures(session, graph, roots, root_count, &err)
                                 : random_layers_check(session, graph, roots, root_count, &err);
    if (wrong)
        printf("seed %llu, graph %llu: %s (%s: %s)\n", (unsigned long long)seed, (unsigned long long)options->seed, wrong, err.task, err.text);
    CU_ASSERT_PTR_NULL(wrong);
    random_layers_destroy(graph);
}

static void small_chunks_in_random_layers(void)
{
    for (uint64_t round = 0; round < 30; round++) {
        random_layers_options options = options_of(seed + round, 0);
        check_layers(&options, 16, false);
    }
}

static void large_chunks_in_random_layers(void)
{
    for (uint64_t round = 0; round < 4; round++) {
        random_layers_options options = options_of(seed + 100 + round, 0);
        options.layer_count = 4;
        options.most_tasks = 5;
        options.counts = large_counts;
        options.count_count = WEFT_COUNT_OF(large_counts);
        check_layers(&options, 3, false);
    }
}

static void failing_tasks_in_random_layers(void)
{
    for (uint64_t round = 0; round < 20; round++) {
        random_layers_options options = options_of(seed + 200 + round, round % 2 ? 3 : 50);
        check_layers(&options, 8, false);
    }
}

static void kept_outputs_of_random_layers(void)
{
    for (uint64_t round = 0; round < 10; round++) {
        random_layers_options options = options_of(seed + 300 + round, round % 4 == 3 ? 10 : 0);
        check_layers(&options, 8, true);
    }
}

static void many_small_layers_in_a_row(void)
{
    for (uint64_t round = 0; round < 200; round++) {
        random_layers_options options = options_of(seed + 400 + round, 0);
        options.layer_count = 1 + round % 4;
        options.most_tasks = 1 + round % 9;
        options.counts = small_counts;
        options.count_count = 4;
        check_layers(&options, 2, false);
    }
}

/* ---- a rule that names a consumer which does not take it: the graph is cancelled while chunks are on their way ---- */

static size_t too_few(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    intervals[0] = (weft_interval){index, index + 1};
    return 1;
}

static size_t too_many(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    intervals[0] = (weft_interval){index, index + 1 + (index == 7 && call->extents[0] > 8)};
    return 1;
}

WEFT_RULE(test_too_many, too_few, too_many);

WEFT_KERNEL(large_output)
{
    return weft_task_create_output(task, 0, WEFT_U8, 1, (int64_t[]){1 << 20}, err) ? WEFT_OK : err->status;
}

static void a_wrong_rule_ends_the_graph_and_not_the_session(void)
{
    for (int round = 0; round < 10; round++) {
        weft_graph *graph;
        weft_layer giver, taker;
        weft_chunk *chunk = NULL;
        weft_error err = WEFT_ERROR_INIT;
        weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
        spec.kernel = &large_output_kernel;
        spec.dim_count = 1, spec.extents[0] = 24;
        CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
        CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &giver, NULL), WEFT_OK);
        weft_dependency dependency = {.rule = &test_too_many_rule, .source = giver};
        spec.name = "taker";
        spec.dependencies = &dependency, spec.dependency_count = 1;
        spec.owners = (weft_owner_map){.kind = WEFT_OWNER_CYCLIC};
        CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &taker, NULL), WEFT_OK);
        weft_ref root = weft_layer_output(taker, 23, 0);
        /* Nobody waits for what a task gets too much: when it comes after the last task has ended, all was computed and nothing is wrong. */
        weft_status status = weft_compute(session, graph, &root, 1, &chunk, &err);
        CU_ASSERT(status == WEFT_EGRAPH || status == WEFT_OK);
        if (status != WEFT_OK) CU_ASSERT_STRING_EQUAL(err.task, "taker 8");
        CU_ASSERT_EQUAL(chunk != NULL, status == WEFT_OK);
        weft_chunk_release(chunk);
        weft_graph_destroy(graph);
        random_layers_options options = options_of(seed + 600 + (uint64_t)round, 0);
        check_layers(&options, 8, false);
    }
}

static int client(weft_session *own_session, int argc, char **argv)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(small_chunks_in_random_layers),  WEFT_TEST(large_chunks_in_random_layers), WEFT_TEST(failing_tasks_in_random_layers),
        WEFT_TEST(kept_outputs_of_random_layers), WEFT_TEST(many_small_layers_in_a_row),    WEFT_TEST(a_wrong_rule_ends_the_graph_and_not_the_session),
    };
    (void)argc;
    (void)argv;
    session = own_session;
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("mpi/layers", cases, WEFT_COUNT_OF(cases));
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
