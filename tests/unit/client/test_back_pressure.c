/* Ranks that make outputs faster than others consume them: what is on its way stays bounded. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "loopback_session.h"
#include "weft_test.h"
#include <weft/weft.h>

enum { TASKS = 200000, CONSUMER_NS = 2000 };

static weft_status put_index(weft_task *task, int64_t value, weft_error *err)
{
    int64_t *out = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err);
    if (!out) return err->status;
    *out = value;
    return WEFT_OK;
}

WEFT_KERNEL(make_fast)
{
    return put_index(task, (int64_t)weft_task_index(task), err);
}

WEFT_KERNEL(take_slowly)
{
    int64_t until_ns = wf_clock_now_ns() + CONSUMER_NS;
    while (wf_clock_now_ns() < until_ns) continue;
    return put_index(task, *(const int64_t *)weft_task_input_data(task, 0), err);
}

WEFT_KERNEL(sum_up)
{
    int64_t sum = 0;
    for (size_t i = 0; i < weft_task_input_count(task); i++) sum += *(const int64_t *)weft_task_input_data(task, i);
    return put_index(task, sum, err);
}

/* All of `first` is on one rank, all of `second` on another; then a tree, which is where its leaves are. */
static weft_ref build(weft_graph *graph)
{
    int32_t *ranks = calloc(TASKS, sizeof *ranks);
    weft_layer first, second;
    weft_ref root;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT, join = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &make_fast_kernel;
    spec.dim_count = 1, spec.extents[0] = TASKS;
    spec.owners = (weft_owner_map){.kind = WEFT_OWNER_GIVEN, .ranks = ranks};
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &first, NULL), WEFT_OK);
    for (int i = 0; i < TASKS; i++) ranks[i] = 1;
    weft_dependency dependency = {.rule = &weft_blockwise_rule, .source = first};
    spec.kernel = &take_slowly_kernel;
    spec.dependencies = &dependency, spec.dependency_count = 1;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &second, NULL), WEFT_OK);
    join.kernel = &sum_up_kernel;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_tree(graph, &join, second, 0, 16, &root, NULL), WEFT_OK);
    free(ranks);
    return root;
}

static void run_ahead(bool has_comm_thread)
{
    loopback_options options = {.rank_count = 3, .threads = 1, .has_comm_thread = has_comm_thread, .rank0_only_schedules = true,
                                .settings = {"partition.move=off"}};
    loopback_session *s = loopback_session_create(&options);
    weft_graph *graph;
    weft_chunk *chunk;
    weft_session_stats stats;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_ref root = build(graph);
    CU_ASSERT_EQUAL_FATAL(weft_compute(&s->session, graph, &root, 1, &chunk, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(*(const int64_t *)weft_chunk_data(chunk), (int64_t)TASKS * (TASKS - 1) / 2);
    weft_chunk_release(chunk);
    CU_ASSERT_EQUAL_FATAL(weft_session_get_stats(&s->session, &stats, NULL), WEFT_OK);
    CU_ASSERT(stats.memory_peak_bytes < (uint64_t)TASKS * 128 / 3); /* a chunk of 8 bytes takes 128 */
    weft_graph_destroy(graph);
    loopback_session_destroy(s);
}

static void sources_do_not_run_ahead_of_consumers_on_other_ranks(void)
{
    run_ahead(false);
    run_ahead(true);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(sources_do_not_run_ahead_of_consumers_on_other_ranks),
    };
    return weft_test_run("client/back_pressure", cases, WEFT_COUNT_OF(cases));
}
