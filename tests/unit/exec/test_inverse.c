/* Inverses found by a scan against those that rules have, and against trying every task. WEFT_TEST_SEED repeats a run. */
#include "exec/inverse.h"

#include "random_graph.h"
#include "rule_fixture.h"

static uint64_t seed;

static size_t tree_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return weft_tree_rule.inputs(call, index, intervals);
}

static size_t stencil_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return weft_stencil_rule.inputs(call, index, intervals);
}

/* Five sources by hash, some more than once. */
static size_t hashed_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    uint64_t state = index;
    for (size_t k = 0; k < 5; k++) {
        uint64_t source = random_below(&state, (size_t)call->source_extents[0]);
        intervals[k] = (weft_interval){source, source + 1};
    }
    return 5;
}

static size_t far_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    intervals[0] = (weft_interval){0, 1};
    return index % 2;
}

static size_t outside_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    intervals[0] = (weft_interval){(uint64_t)call->source_extents[0] - 1, (uint64_t)call->source_extents[0] + (index == 7)};
    return 1;
}

static const weft_rule scanned_tree = {"scanned_tree", tree_inputs, NULL, NULL}, scanned_stencil = {"scanned_stencil", stencil_inputs, NULL, NULL},
                       hashed = {"hashed", hashed_inputs, NULL, NULL}, far = {"far", far_inputs, NULL, NULL}, outside = {"outside", outside_inputs, NULL, NULL};

/* A layer of `tasks` on a source of `sources`; sources 0: two dimensions, on itself. */
static void init(rule_fixture *f, const weft_rule *rule, int64_t sources, int64_t tasks, int64_t param)
{
    weft_graph *graph;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_dependency d = {.rule = rule, .on_itself = sources == 0, .params = &param, .param_bytes = sizeof param};
    if (sources) d.source = fixture_add(graph, "giver", sources, 0, NULL, 0);
    fixture_init(f, graph, fixture_add(graph, "taker", tasks, sources ? 0 : 9, &d, 1), 2, 2);
}

static void check_same(const weft_rule *scanned, const weft_rule *with_inverse, int64_t sources, int64_t tasks, int64_t param)
{
    rule_fixture f;
    init(&f, scanned, sources, tasks, param);
    CU_ASSERT_EQUAL_FATAL(wf_rule_layers_find_inverses(&f.layers, NULL), WEFT_OK);
    const wf_rule_edge *edge = &f.layers.edges[0];
    for (uint64_t j = 0; j < edge->source->spec->task_count; j++) {
        weft_interval got[WEFT_MAX_INTERVALS], expected[WEFT_MAX_INTERVALS];
        size_t count, expected_count = with_inverse->consumers(&edge->call, j, expected);
        CU_ASSERT_EQUAL(wf_rule_edge_consumers(edge, j, got, &count, NULL), WEFT_OK);
        CU_ASSERT_FATAL(count == expected_count);
        CU_ASSERT(memcmp(got, expected, count * sizeof *got) == 0);
    }
    fixture_fini(&f);
}

static void a_scan_finds_what_the_ready_made_inverse_gives(void)
{
    check_same(&scanned_tree, &weft_tree_rule, 100, 25, 4);
    check_same(&scanned_tree, &weft_tree_rule, 101, 12, 9);
    check_same(&scanned_stencil, &weft_stencil_rule, 0, 8, 2);
}

static void a_scan_finds_every_consumer_once(void)
{
    for (uint64_t round = 0; round < 20; round++) {
        rule_fixture f;
        uint64_t state = seed + round;
        int64_t sources = 1 + (int64_t)random_below(&state, 60), tasks = 1 + (int64_t)random_below(&state, 100);
        init(&f, &hashed, sources, tasks, 0);
        CU_ASSERT_EQUAL_FATAL(wf_rule_layers_find_inverses(&f.layers, NULL), WEFT_OK);
        const wf_rule_edge *edge = &f.layers.edges[0];
        for (uint64_t j = 0; j < (uint64_t)sources; j++) {
            weft_interval got[WEFT_MAX_INTERVALS], own[WEFT_MAX_INTERVALS];
            size_t count, k = 0;
            CU_ASSERT_EQUAL_FATAL(wf_rule_edge_consumers(edge, j, got, &count, NULL), WEFT_OK);
            for (uint64_t i = 0; i < (uint64_t)tasks; i++) {
                bool takes = false;
                hashed_inputs(&edge->call, i, own);
                for (size_t n = 0; n < 5; n++) takes |= own[n].begin == j;
                if (k < count && i == got[k].end) k++;
                CU_ASSERT_EQUAL(takes, k < count && i >= got[k].begin && i < got[k].end);
            }
        }
        fixture_fini(&f);
    }
}

static void consumers_of_too_many_intervals_are_refused_when_asked_for(void)
{
    rule_fixture f;
    weft_error err = WEFT_ERROR_INIT;
    weft_interval intervals[WEFT_MAX_INTERVALS];
    size_t count;
    init(&f, &far, 3, 2 * WEFT_MAX_INTERVALS, 0);
    CU_ASSERT_EQUAL(wf_rule_layers_find_inverses(&f.layers, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_rule_edge_consumers(&f.layers.edges[0], 0, intervals, &count, &err), WEFT_OK);
    CU_ASSERT_EQUAL(count, WEFT_MAX_INTERVALS);
    fixture_fini(&f);
    init(&f, &far, 3, 2 * WEFT_MAX_INTERVALS + 2, 0);
    CU_ASSERT_EQUAL(wf_rule_layers_find_inverses(&f.layers, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_rule_edge_consumers(&f.layers.edges[0], 0, intervals, &count, &err), WEFT_EGRAPH);
    CU_ASSERT_STRING_EQUAL(err.text, "rule \"far\" gives 65 intervals for task giver 0; at most 64");
    CU_ASSERT_EQUAL(wf_rule_edge_consumers(&f.layers.edges[0], 1, intervals, &count, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(count, 0);
    fixture_fini(&f);
}

static void a_rule_that_gives_what_cannot_be_is_refused_by_the_scan(void)
{
    rule_fixture f;
    weft_error err = WEFT_ERROR_INIT;
    init(&f, &outside, 5, 20, 0);
    CU_ASSERT_EQUAL(wf_rule_layers_find_inverses(&f.layers, &err), WEFT_EGRAPH);
    CU_ASSERT_STRING_EQUAL(err.text, "rule \"outside\" gives tasks 4 to 5 of layer giver as inputs of task taker 7; the layer has 5 tasks");
    fixture_fini(&f);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_scan_finds_what_the_ready_made_inverse_gives),
        WEFT_TEST(a_scan_finds_every_consumer_once),
        WEFT_TEST(consumers_of_too_many_intervals_are_refused_when_asked_for),
        WEFT_TEST(a_rule_that_gives_what_cannot_be_is_refused_by_the_scan),
    };
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("exec/inverse", cases, WEFT_COUNT_OF(cases));
}
