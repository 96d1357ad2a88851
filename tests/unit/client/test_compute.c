#include <string.h>

#include "graph/cut.h"
#include "loopback_session.h"
#include "weft_test.h"

enum { PLACES = 8, STEPS = 30, BYTES = 800 };

/* As many bytes as announced, whatever the inputs. */
WEFT_KERNEL(place)
{
    const int64_t extent = BYTES / 8;
    int64_t *to = weft_task_create_output(task, 0, WEFT_I64, 1, &extent, err);
    if (!to) return err->status;
    memset(to, 0, BYTES);
    return WEFT_OK;
}

/* A stencil; the roots are its last row. */
static weft_graph *build(weft_ref *row)
{
    weft_graph *graph = NULL;
    weft_ref before[PLACES];
    const size_t bytes = BYTES;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    for (size_t step = 0; step < STEPS; step++) {
        memcpy(before, row, sizeof before);
        for (size_t x = 0; x < PLACES; x++) {
            size_t first = x ? x - 1 : 0, end = x + 2 < PLACES ? x + 2 : PLACES;
            weft_task_spec spec = WEFT_TASK_SPEC_INIT;
            spec.kernel = &place_kernel;
            spec.inputs = before + first;
            spec.input_count = step ? end - first : 0;
            spec.output_bytes = &bytes;
            CU_ASSERT_EQUAL_FATAL(weft_graph_add(graph, &spec, &row[x], NULL), WEFT_OK);
        }
    }
    return graph;
}

static void what_a_session_foresees_of_a_graph_is_what_happens(void)
{
    static const char *const settings[] = {"partition.method=greedy", "partition.method=auto", "partition.method=metis"};
    size_t methods = *wf_metis_version() ? 3 : 2;
    for (size_t i = 0; i < methods; i++) {
        loopback_options options = {.rank_count = 4, .threads = 1, .rank0_only_schedules = true, .settings = {settings[i], "partition.move=off"}};
        loopback_session *s = loopback_session_create(&options);
        weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
        weft_graph_rank_stats ranks[4];
        weft_session_stats after;
        weft_ref row[PLACES];
        weft_chunk *chunks[PLACES];
        weft_graph *graph = build(row);
        stats.ranks = ranks;
        stats.rank_capacity = 4;
        CU_ASSERT_EQUAL_FATAL(weft_session_get_graph_stats(&s->session, graph, row, PLACES, &stats, NULL), WEFT_OK);
        CU_ASSERT(stats.rank_count == 3 && ranks[0].rank == 1 && ranks[2].rank == 3);
        CU_ASSERT_STRING_EQUAL(stats.method, i == 0 || methods == 2 ? "greedy" : i == 2 ? "metis" : stats.method);
        CU_ASSERT(stats.balance >= 1 && stats.balance < 1.2);
        CU_ASSERT_EQUAL(stats.cut_bytes, stats.message_count * BYTES);
        CU_ASSERT_EQUAL_FATAL(weft_compute(&s->session, graph, row, PLACES, chunks, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(weft_session_get_stats(&s->session, &after, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(after.tasks_ended, stats.task_count);
        uint64_t foreseen = stats.cut_bytes + PLACES * BYTES; /* the roots go to the client; graph and headers add a little */
        CU_ASSERT(after.bytes_sent >= foreseen && after.bytes_sent < foreseen * 3 / 2);
        for (size_t x = 0; x < PLACES; x++) weft_chunk_release(chunks[x]);
        weft_graph_destroy(graph);
        CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
    }
}

/* A stencil by rule, and an explicit task for each place of its last row. */
static weft_graph *build_by_rule(weft_owner_kind kind, weft_ref *row)
{
    static const int64_t radius = 1;
    static const size_t bytes = BYTES;
    weft_graph *graph = NULL;
    weft_layer layer = {0, 0};
    weft_dependency before = {.rule = &weft_stencil_rule, .on_itself = true, .params = &radius, .param_bytes = sizeof radius};
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    spec.kernel = &place_kernel;
    spec.dim_count = 2;
    spec.extents[0] = STEPS, spec.extents[1] = PLACES;
    spec.dependencies = &before, spec.dependency_count = 1;
    spec.output_bytes = &bytes;
    spec.owners.kind = kind;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
    for (size_t x = 0; x < PLACES; x++) {
        weft_ref last = weft_layer_output(layer, (STEPS - 1) * PLACES + x, 0);
        weft_task_spec task = WEFT_TASK_SPEC_INIT;
        task.kernel = &place_kernel;
        task.inputs = &last, task.input_count = 1;
        task.output_bytes = &bytes;
        CU_ASSERT_EQUAL_FATAL(weft_graph_add(graph, &task, &row[x], NULL), WEFT_OK);
    }
    return graph;
}

static void what_a_session_foresees_of_layers_is_what_happens(void)
{
    static const weft_owner_kind kinds[] = {WEFT_OWNER_BLOCK, WEFT_OWNER_CYCLIC};
    for (size_t i = 0; i < WEFT_COUNT_OF(kinds); i++) {
        loopback_session *s = loopback_session_create(&(loopback_options){.rank_count = 4, .threads = 1, .rank0_only_schedules = true,
                                                                             .settings = {"partition.move=off"}});
        weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
        weft_session_stats after;
        weft_ref row[PLACES];
        weft_chunk *chunks[PLACES];
        weft_graph *graph = build_by_rule(kinds[i], row);
        CU_ASSERT_EQUAL_FATAL(weft_session_get_graph_stats(&s->session, graph, row, PLACES, &stats, NULL), WEFT_OK);
        size_t in_layer = (STEPS - 1) * (kinds[i] == WEFT_OWNER_BLOCK ? 2 * 2 : 2 * (PLACES - 1));
        CU_ASSERT_EQUAL(stats.task_count, (STEPS + 1) * PLACES);
        CU_ASSERT(stats.message_count >= in_layer && stats.message_count <= in_layer + PLACES);
        CU_ASSERT_STRING_NOT_EQUAL(stats.method, "owners");
        CU_ASSERT_EQUAL_FATAL(weft_compute(&s->session, graph, row, PLACES, chunks, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(weft_session_get_stats(&s->session, &after, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(after.tasks_ended, stats.task_count + PLACES); /* outputs of a layer that come in count as tasks there */
        uint64_t foreseen = stats.cut_bytes + PLACES * BYTES;
        CU_ASSERT(after.bytes_sent >= foreseen && after.bytes_sent < foreseen * 3 / 2);
        for (size_t x = 0; x < PLACES; x++) weft_chunk_release(chunks[x]);
        weft_graph_destroy(graph);
        CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
    }
}

static void statistics_of_a_foreign_root_are_refused(void)
{
    loopback_session *s = loopback_session_create(&(loopback_options){.rank_count = 1, .threads = 1});
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_ref row[PLACES], other_row[PLACES];
    weft_graph *graph = build(row), *other = build(other_row);
    CU_ASSERT_EQUAL(weft_session_get_graph_stats(&s->session, graph, other_row, 1, &stats, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_session_get_graph_stats(&s->session, graph, row, 1, &stats, NULL), WEFT_OK);
    CU_ASSERT_STRING_EQUAL(stats.method, "none");
    CU_ASSERT_EQUAL(stats.cut_edge_count, 0);
    weft_graph_destroy(graph);
    weft_graph_destroy(other);
    CU_ASSERT_EQUAL(loopback_session_destroy(s), WEFT_OK);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(what_a_session_foresees_of_a_graph_is_what_happens),
        WEFT_TEST(what_a_session_foresees_of_layers_is_what_happens),
        WEFT_TEST(statistics_of_a_foreign_root_are_refused),
    };
    return weft_test_run("client/compute", cases, WEFT_COUNT_OF(cases));
}
