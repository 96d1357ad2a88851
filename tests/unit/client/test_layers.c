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
    {3, 2, false, "partition.move=random"}, {5, 1, true, "partition.move=random"},
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

/* NULL, or what is wrong. */
static const char *compute_one(loopback_session *s, const random_layers_options *options, bool persists, weft_error *err)
{
    layered_root roots[16];
    random_layers *graph = random_layers_create(options);
    if (!graph) return "no graph";
    random_layers_pick(graph, roots, WEFT_COUNT_OF(roots));
    const char *wrong = persists ? random_layers_check_futures(&s->session, graph, roots, WEFT_COUNT_OF(roots), err)
                                 : random_layers_check(&s->session, graph, roots, WEFT_COUNT_OF(roots), err);
    random_layers_destroy(graph);
    return wrong;
}

static void check_one(loopback_session *s, const random_layers_options *options, size_t rank_case_index, bool persists)
{
    weft_error err = WEFT_ERROR_INIT;
    report(compute_one(s, options, persists, &err), options->seed, rank_case_index, &err);
}

/* Where moves are forced, some must have happened. */
static void check_moves(loopback_session *s, size_t rank_case_index)
{
    const char *setting = rank_cases[rank_case_index].setting;
    if (setting && strcmp(setting, "partition.move=random") == 0) CU_ASSERT(wf_scheduler_moved_count(s->session.scheduler) > 0);
}

static void random_layers_give_what_a_serial_evaluation_gives(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (int round = 0; round < 10 * round_count(); round++) {
            random_layers_options options = layers_options(seed + (uint64_t)round, 0); /* the same graphs on every number of ranks */
            check_one(s, &options, c, false);
        }
        check_moves(s, c);
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

typedef struct client_thread {
    loopback_session *s;
    uint64_t seed;
    const char *wrong;
    weft_error err;
} client_thread;

static void *compute_some(void *argument)
{
    client_thread *t = argument;
    for (int round = 0; round < 2 * round_count() && !t->wrong; round++) {
        random_layers_options options = layers_options(t->seed + (uint64_t)round, round % 4 == 3 ? 5 : 0);
        t->wrong = compute_one(t->s, &options, round % 3 == 2, &t->err);
    }
    return NULL;
}

static void several_client_threads_compute_at_once(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        client_thread threads[3];
        pthread_t handles[3];
        loopback_session *s = open_case(c);
        for (int i = 0; i < 3; i++) threads[i] = (client_thread){s, seed + 3000 + 100 * (uint64_t)i, NULL, WEFT_ERROR_INIT};
        for (int i = 0; i < 3; i++) pthread_create(&handles[i], NULL, compute_some, &threads[i]);
        for (int i = 0; i < 3; i++) pthread_join(handles[i], NULL);
        for (int i = 0; i < 3; i++) report(threads[i].wrong, threads[i].seed, c, &threads[i].err);
        close_case(s);
    }
}

/* ---- trees ---- */

/* One number that sums to other bits in another sequence; or the sum of the inputs, from the first on. */
static double leaf_value(uint64_t index)
{
    return 1.0 / (double)(index % 1000 + 1) - 0.003;
}

WEFT_KERNEL(harmonic)
{
    double *to = weft_task_create_output(task, 0, WEFT_F64, 1, (int64_t[]){1}, err);
    if (!to) return err->status;
    *to = leaf_value(weft_task_index(task));
    return WEFT_OK;
}

WEFT_KERNEL(sum_up)
{
    double sum = 0;
    for (size_t i = 0; i < weft_task_input_count(task); i++) sum += *(const double *)weft_task_input_data(task, i);
    double *to = weft_task_create_output(task, 0, WEFT_F64, 1, (int64_t[]){1}, err);
    if (!to) return err->status;
    *to = sum;
    return WEFT_OK;
}

static double sum_in_shape(int64_t leaves, int64_t fan_in)
{
    double *level = malloc((size_t)leaves * sizeof *level);
    for (int64_t i = 0; i < leaves; i++) level[i] = leaf_value((uint64_t)i);
    do {
        int64_t joins = 0;
        for (int64_t i = 0; i < leaves; i += fan_in, joins++) {
            double sum = 0;
            for (int64_t k = i; k < i + fan_in && k < leaves; k++) sum += level[k];
            level[joins] = sum;
        }
        leaves = joins;
    } while (leaves > 1);
    double sum = level[0];
    free(level);
    return sum;
}

/* Leaves in rows of `columns`, under a tree. */
static weft_graph *make_tree(int64_t rows, int64_t columns, int64_t fan_in, weft_owner_map owners, weft_ref *root)
{
    weft_graph *graph;
    weft_layer leaves;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &harmonic_kernel;
    spec.dim_count = 2, spec.extents[0] = rows, spec.extents[1] = columns;
    spec.owners = owners;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &leaves, NULL), WEFT_OK);
    spec.kernel = &sum_up_kernel;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_tree(graph, &spec, leaves, 0, fan_in, root, NULL), WEFT_OK);
    return graph;
}

static double compute_number(loopback_session *s, const weft_graph *graph, weft_ref root)
{
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(weft_compute(&s->session, graph, &root, 1, &chunk, &err), WEFT_OK);
    double number = *(const double *)weft_chunk_data(chunk);
    weft_chunk_release(chunk);
    return number;
}

static void a_tree_sums_in_its_own_shape_on_any_number_of_ranks(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        uint64_t state = seed;
        for (int round = 0; round < 5 * round_count(); round++) {
            static const int32_t ranks[64] = {4, 1, 2, 0, 0, 3};
            int64_t rows = 1 + (int64_t)random_below(&state, 60), columns = 1 + (int64_t)random_below(&state, 60);
            int64_t fan_in = 2 + (int64_t)random_below(&state, random_below(&state, 2) ? 5 : 300);
            weft_owner_map owners = {.kind = (weft_owner_kind)random_below(&state, 3), .dim = (int)random_below(&state, 3), .block = 3, .ranks = ranks};
            weft_ref root;
            weft_graph *graph = make_tree(rows, columns, fan_in, owners, &root);
            double sum = compute_number(s, graph, root), expected = sum_in_shape(rows * columns, fan_in);
            CU_ASSERT(memcmp(&sum, &expected, sizeof sum) == 0);
            weft_graph_destroy(graph);
        }
        close_case(s);
    }
}

/* ---- a load that one rank has more of ---- */

enum { SKEWED_TASKS = 240 };

/* The first quarter takes a while, which no cost says. */
WEFT_KERNEL(skewed)
{
    uint64_t index = weft_task_index(task);
    if (index < SKEWED_TASKS / 4) nanosleep(&(struct timespec){0, 1000000}, NULL);
    double *to = weft_task_create_output(task, 0, WEFT_F64, 1, (int64_t[]){1}, err);
    if (!to) return err->status;
    *to = leaf_value(index);
    return WEFT_OK;
}

static void partitions_of_a_skewed_layer_move_and_its_results_stay(void)
{
    static const char *const modes[] = {"partition.move=on", "partition.move=random"};
    for (int k = 0; k < 8; k++) {
        loopback_options options = {.rank_count = k & 1 ? 5 : 3, .threads = 1 + (k >> 1 & 1), .rank0_only_schedules = true,
                                    .settings = {modes[k >> 2], "partition.per_rank=20"}};
        loopback_session *s = loopback_session_create(&options);
        weft_graph *graph;
        weft_layer layer;
        weft_ref roots[SKEWED_TASKS];
        weft_chunk *chunks[SKEWED_TASKS] = {NULL};
        weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
        spec.kernel = &skewed_kernel;
        spec.dim_count = 1, spec.extents[0] = SKEWED_TASKS;
        CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
        CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
        for (uint64_t i = 0; i < SKEWED_TASKS; i++) roots[i] = weft_layer_output(layer, i, 0);
        CU_ASSERT_EQUAL_FATAL(weft_compute(&s->session, graph, roots, SKEWED_TASKS, chunks, NULL), WEFT_OK);
        for (uint64_t i = 0; i < SKEWED_TASKS; i++) {
            CU_ASSERT_EQUAL(*(const double *)weft_chunk_data(chunks[i]), leaf_value(i));
            weft_chunk_release(chunks[i]);
        }
        CU_ASSERT(wf_scheduler_moved_count(s->session.scheduler) > 0);
        weft_graph_destroy(graph);
        close_case(s);
    }
}

/* ---- explicit tasks beside layers ---- */

static void explicit_tasks_and_layers_share_a_graph(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        weft_ref roots[3], leaves[20];
        weft_chunk *chunks[3] = {NULL};
        weft_graph *graph = make_tree(7, 9, 4, (weft_owner_map){0}, &roots[1]);
        double expected = 0;
        for (size_t i = 0; i < 20; i++) {
            CU_ASSERT_EQUAL(weft_graph_add_task(graph, &harmonic_kernel, NULL, 0, NULL, 0, &leaves[i], NULL), WEFT_OK);
            expected += leaf_value(i);
        }
        CU_ASSERT_EQUAL(weft_graph_add_task(graph, &sum_up_kernel, leaves, 20, NULL, 0, &roots[0], NULL), WEFT_OK);
        roots[2] = roots[1];
        CU_ASSERT_EQUAL_FATAL(weft_compute(&s->session, graph, roots, 3, chunks, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(*(const double *)weft_chunk_data(chunks[0]), expected);
        CU_ASSERT_EQUAL(*(const double *)weft_chunk_data(chunks[1]), sum_in_shape(63, 4));
        CU_ASSERT_EQUAL(*(const double *)weft_chunk_data(chunks[2]), sum_in_shape(63, 4));
        for (int i = 0; i < 3; i++) weft_chunk_release(chunks[i]);
        CU_ASSERT_EQUAL(compute_number(s, graph, roots[0]), expected); /* the layers are not needed */
        weft_graph_destroy(graph);
        close_case(s);
    }
}

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_INSTRUMENTED = 1, MANY_TASKS = 200000 };
#else
enum { IS_INSTRUMENTED = 0, MANY_TASKS = 10000000 };
#endif

/* So that the peak begins anew. */
static void reset_peak_rss(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file) fputs("5", file);
    if (file) fclose(file);
}

static uint64_t peak_rss_bytes(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status) && sscanf(line, "VmHWM: %llu", &kib) != 1) continue;
    if (status) fclose(status);
    return kib * 1024;
}

static void check_memory(size_t rank_case_index)
{
    loopback_session *s = open_case(rank_case_index);
    weft_ref root;
    weft_session_stats stats;
    weft_graph *graph = make_tree(1, 10000, 10, (weft_owner_map){0}, &root);
    compute_number(s, graph, root); /* so that everything there is has been there */
    weft_graph_destroy(graph);
    reset_peak_rss();
    uint64_t before = peak_rss_bytes();
    graph = make_tree(1, MANY_TASKS, 10, (weft_owner_map){0}, &root);
    double sum = compute_number(s, graph, root);
    uint64_t grown = peak_rss_bytes() - before;
    CU_ASSERT_EQUAL(sum, sum_in_shape(MANY_TASKS, 10));
    weft_graph_destroy(graph);
    CU_ASSERT_EQUAL(weft_session_get_stats(&s->session, &stats, NULL), WEFT_OK);
    const rank_case *c = &rank_cases[rank_case_index];
    printf("    %d ranks, %d threads, %d tasks and a tree: resident memory grew by %llu KiB, chunks took %llu KiB at most\n", c->ranks, c->threads,
           MANY_TASKS, (unsigned long long)grown / 1024, (unsigned long long)stats.memory_peak_bytes / 1024);
    CU_ASSERT(IS_INSTRUMENTED || grown < MANY_TASKS);
    CU_ASSERT(IS_INSTRUMENTED || stats.memory_peak_bytes < MANY_TASKS);
    close_case(s);
}

static void many_tasks_take_less_than_a_byte_each(void)
{
    check_memory(1);
    check_memory(2);
    check_memory(5);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(random_layers_give_what_a_serial_evaluation_gives),
        WEFT_TEST(large_chunks_go_between_ranks),
        WEFT_TEST(failing_tasks_give_the_same_error_on_every_number_of_ranks),
        WEFT_TEST(kept_outputs_are_inputs_of_other_graphs),
        WEFT_TEST(several_client_threads_compute_at_once),
        WEFT_TEST(a_tree_sums_in_its_own_shape_on_any_number_of_ranks),
        WEFT_TEST(partitions_of_a_skewed_layer_move_and_its_results_stay),
        WEFT_TEST(explicit_tasks_and_layers_share_a_graph),
        WEFT_TEST(many_tasks_take_less_than_a_byte_each),
    };
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("client/layers", cases, WEFT_COUNT_OF(cases));
}
