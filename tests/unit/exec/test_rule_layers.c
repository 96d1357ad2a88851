/* Asking rules, good ones and wrong ones, and comparing them with their inverses. */
#include "exec/rule_layers.h"

#include "rule_fixture.h"

enum { TASKS = 12, AT = 5 };

typedef enum wrong_way {
    ALL_WELL, INPUT_OUTSIDE, INPUT_EMPTY, INPUT_BACKWARD, INPUT_MANY, INPUT_ITSELF, INPUT_EXTRA, INPUT_MISSING, CONSUMER_OUTSIDE, CONSUMER_EMPTY,
    CONSUMER_MANY, CONSUMER_ITSELF, CONSUMER_EXTRA, CONSUMER_MISSING, CONSUMER_TWICE, CONSUMER_OVERLAPS
} wrong_way;

/* Task i takes i of another source, i - 1 of its own layer; but for AT. */
static wrong_way begin(const weft_rule_call *call, uint64_t index, int64_t step, weft_interval *interval, size_t *count)
{
    wrong_way way;
    int64_t at = (int64_t)index + (call->on_itself ? step : 0);
    memcpy(&way, call->params, sizeof way);
    *count = at >= 0 && at < TASKS;
    *interval = (weft_interval){(uint64_t)at, (uint64_t)at + 1};
    return index == AT ? way : ALL_WELL;
}

static size_t wrong_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    size_t count;
    switch (begin(call, index, -1, intervals, &count)) {
    case INPUT_OUTSIDE: intervals[0] = (weft_interval){TASKS, TASKS + 1}; return 1;
    case INPUT_EMPTY: intervals[0].end = intervals[0].begin; return 1;
    case INPUT_BACKWARD: intervals[0] = (weft_interval){4, 2}; return 1;
    case INPUT_MANY: return WEFT_MAX_INTERVALS + 1;
    case INPUT_ITSELF: intervals[0] = (weft_interval){index, index + 1}; return 1;
    case INPUT_EXTRA: intervals[1] = (weft_interval){2, 3}; return 2;
    case INPUT_MISSING: return 0;
    default: return count;
    }
}

static size_t wrong_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    size_t count;
    switch (begin(call, index, 1, intervals, &count)) {
    case CONSUMER_OUTSIDE: intervals[0].end = TASKS + 1; return 1;
    case CONSUMER_EMPTY: intervals[0].end = intervals[0].begin; return 1;
    case CONSUMER_MANY: return SIZE_MAX;
    case CONSUMER_ITSELF: intervals[0] = (weft_interval){index, index + 1}; return 1;
    case CONSUMER_EXTRA: intervals[1] = (weft_interval){10, 11}; return 2;
    case CONSUMER_MISSING: return 0;
    case CONSUMER_TWICE: intervals[1] = intervals[0]; return 2;
    case CONSUMER_OVERLAPS: intervals[0].end++; intervals[1] = (weft_interval){index + 1, index + 3}; return 2;
    default: return count;
    }
}

static const weft_rule wrong_rule = {"wrong", wrong_inputs, wrong_consumers, NULL};

static void init(rule_fixture *f, wrong_way way, bool on_itself)
{
    weft_graph *graph;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_layer giver = fixture_add(graph, "giver", TASKS, 0, NULL, 0);
    weft_dependency d = {.rule = &wrong_rule, .on_itself = on_itself, .source = giver, .params = &way, .param_bytes = sizeof way};
    fixture_init(f, graph, fixture_add(graph, "taker", TASKS, 0, &d, 1), 1, 1);
}

static weft_status ask_all(const rule_fixture *f, bool inputs, weft_error *err)
{
    const wf_rule_edge *edge = &f->layers.edges[0];
    weft_status status = WEFT_OK;
    for (uint64_t i = 0; i < TASKS && status == WEFT_OK; i++) {
        weft_interval intervals[WEFT_MAX_INTERVALS];
        size_t count;
        status = inputs ? wf_rule_edge_inputs(edge, i, intervals, &count, err) : wf_rule_edge_consumers(edge, i, intervals, &count, err);
        if (status != WEFT_OK) CU_ASSERT_EQUAL(i, AT);
    }
    return status;
}

static void answers_that_cannot_be_name_rule_layer_and_index(void)
{
    static const struct { wrong_way way; bool on_itself, inputs; const char *text; } cases[] = {
        {INPUT_OUTSIDE, false, true, "rule \"wrong\" gives tasks 12 to 12 of layer giver as inputs of task taker 5; the layer has 12 tasks"},
        {INPUT_OUTSIDE, true, true, "rule \"wrong\" gives tasks 12 to 12 of layer taker as inputs of task taker 5; the layer has 12 tasks"},
        {INPUT_EMPTY, false, true, "rule \"wrong\" gives the empty interval [5, 5) as inputs of task taker 5; leave it out"},
        {INPUT_BACKWARD, false, true, "rule \"wrong\" gives the empty interval [4, 2) as inputs of task taker 5; leave it out"},
        {INPUT_MANY, false, true, "rule \"wrong\" gives 65 intervals for task taker 5; at most 64"},
        {INPUT_ITSELF, true, true, "a cycle: rule \"wrong\" gives task 5 as inputs of task taker 5 of the same layer; a layer may take from itself "
                                   "only what has a smaller index"},
        {CONSUMER_OUTSIDE, false, false, "rule \"wrong\" gives tasks 5 to 12 of layer taker as consumers of task giver 5; the layer has 12 tasks"},
        {CONSUMER_EMPTY, true, false, "rule \"wrong\" gives the empty interval [6, 6) as consumers of task taker 5; leave it out"},
        {CONSUMER_MANY, false, false, "rule \"wrong\" gives 18446744073709551615 intervals for task giver 5; at most 64"},
        {CONSUMER_ITSELF, true, false, "a cycle: rule \"wrong\" gives task 5 as consumers of task taker 5 of the same layer; a layer may take from "
                                       "itself only what has a smaller index"},
        {CONSUMER_TWICE, false, false, "rule \"wrong\" gives consumers of task giver 5 out of sequence: 5 after 5; name each once, ascending"},
        {CONSUMER_OVERLAPS, false, false, "rule \"wrong\" gives consumers of task giver 5 out of sequence: 6 after 6; name each once, ascending"},
    };
    for (size_t k = 0; k < WEFT_COUNT_OF(cases); k++) {
        rule_fixture f;
        weft_error err = WEFT_ERROR_INIT;
        init(&f, cases[k].way, cases[k].on_itself);
        CU_ASSERT_EQUAL(ask_all(&f, cases[k].inputs, &err), WEFT_EGRAPH);
        CU_ASSERT_STRING_EQUAL(err.text, cases[k].text);
        CU_ASSERT_EQUAL(ask_all(&f, !cases[k].inputs, &err), WEFT_OK);
        fixture_fini(&f);
    }
}

static void check_finds(wrong_way way, bool on_itself, const char *text)
{
    rule_fixture f;
    weft_error err = WEFT_ERROR_INIT;
    init(&f, way, on_itself);
    uint64_t ref;
    weft_status status = wf_rule_layers_check(&f.layers, 0, &(uint64_t){UINT64_MAX}, &ref, &err);
    CU_ASSERT_EQUAL(status, text ? WEFT_EGRAPH : WEFT_OK);
    if (text) CU_ASSERT_STRING_EQUAL(err.text, text);
    fixture_fini(&f);
}

static void the_check_finds_rules_that_disagree_either_way(void)
{
    check_finds(ALL_WELL, false, NULL);
    check_finds(ALL_WELL, true, NULL);
    check_finds(INPUT_EXTRA, false, "rule \"wrong\" disagrees with its inverse: task taker 5 takes task giver 2, which does not name it among its consumers");
    check_finds(INPUT_EXTRA, true, "rule \"wrong\" disagrees with its inverse: task taker 5 takes task taker 2, which does not name it among its consumers");
    check_finds(INPUT_MISSING, false, "rule \"wrong\" disagrees with its inverse: task giver 5 names task taker 5 as a consumer, which does not take it");
    check_finds(CONSUMER_EXTRA, false, "rule \"wrong\" disagrees with its inverse: task giver 5 names task taker 10 as a consumer, which does not take it");
    check_finds(CONSUMER_MISSING, false, "rule \"wrong\" disagrees with its inverse: task taker 5 takes task giver 5, which does not name it among its consumers");
    check_finds(CONSUMER_TWICE, false, "rule \"wrong\" gives consumers of task giver 5 out of sequence: 5 after 5; name each once, ascending");
    check_finds(INPUT_ITSELF, true, "a cycle: rule \"wrong\" gives task 5 as inputs of task taker 5 of the same layer; a layer may take from itself only "
                                    "what has a smaller index");
}

/* The partitions together look at every task: one of them finds what is wrong. */
static void the_check_of_all_partitions_sees_every_task(void)
{
    for (uint32_t workers = 1; workers < 5; workers++) {
        rule_fixture f;
        weft_graph *graph;
        wrong_way way = CONSUMER_EXTRA;
        int found = 0;
        CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
        weft_layer giver = fixture_add(graph, "giver", TASKS, 0, NULL, 0);
        weft_dependency d = {.rule = &wrong_rule, .source = giver, .params = &way, .param_bytes = sizeof way};
        fixture_init(&f, graph, fixture_add(graph, "taker", TASKS, 0, &d, 1), workers, 2);
        for (uint32_t p = 0; p < workers * 2; p++) found += wf_rule_layers_check(&f.layers, p, &(uint64_t){UINT64_MAX}, &(uint64_t){0}, NULL) != WEFT_OK;
        CU_ASSERT_EQUAL(found, 1);
        fixture_fini(&f);
    }
}

static void ready_made_rules_pass_the_check(void)
{
    rule_fixture f;
    weft_graph *graph;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_layer row = fixture_add(graph, "row", 13, 0, NULL, 0);
    weft_dependency grid[] = {{.rule = &weft_first_row_rule, .source = row}, {.rule = &weft_stencil_rule, .on_itself = true},
                              {.rule = &weft_butterfly_rule, .on_itself = true}, {.rule = &weft_all_to_all_rule, .on_itself = true}};
    weft_layer steps = fixture_add(graph, "steps", 7, 13, grid, 4);
    weft_dependency last[] = {{.rule = &weft_blockwise_rule, .source = steps}, {.rule = &weft_all_to_all_rule, .source = row},
                              {.rule = &weft_one_to_all_rule, .source = row}, {.rule = &weft_stencil_rule, .source = steps}};
    weft_layer beside = fixture_add(graph, "beside", 7, 13, last, 4);
    weft_dependency children = {.rule = &weft_tree_rule, .source = beside, .params = &(int64_t){5}, .param_bytes = 8};
    fixture_init(&f, graph, fixture_add(graph, "joins", 19, 0, &children, 1), 3, 2);
    CU_ASSERT_EQUAL(wf_rule_layers_find_inverses(&f.layers, NULL), WEFT_OK);
    for (uint32_t p = 0; p < 6; p++) CU_ASSERT_EQUAL(wf_rule_layers_check(&f.layers, p, &(uint64_t){UINT64_MAX}, &(uint64_t){0}, NULL), WEFT_OK);
    uint64_t tasks = 0;
    for (uint32_t p = 0; p < 6; p++) tasks += wf_rule_layers_count(&f.layers, p);
    CU_ASSERT_EQUAL(tasks, 13 + 91 + 91 + 19);
    fixture_fini(&f);
}

static void tasks_are_named_by_index_and_coordinates(void)
{
    rule_fixture f;
    weft_graph *graph;
    char text[64];
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer;
    spec.kernel = &fixture_kernel;
    spec.name = "a name of\nmany characters that is cut somewhere";
    spec.dim_count = 4;
    for (int d = 0; d < 4; d++) spec.extents[d] = 1000 + d;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
    fixture_init(&f, graph, layer, 1, 1);
    uint64_t index = ((uint64_t)(1 * 1001 + 2) * 1002 + 3) * 1003 + 4;
    CU_ASSERT_STRING_EQUAL(wf_rule_layer_task_text(&f.layers.layers[0], index, text), "a name of many character 1008024031 (1, 2, 3, 4)");
    wf_rule_layer_task_text(&f.layers.layers[0], f.layers.layers[0].spec->task_count - 1, text);
    CU_ASSERT(strlen(text) < 64 && !strchr(text, '\n'));
    fixture_fini(&f);
}

static void an_import_by_a_partition_that_there_is_not_is_refused(void)
{
    static const weft_kernel *const kernels[] = {&fixture_kernel};
    for (uint32_t partition = 0; partition < 8; partition++) {
        weft_graph *graph;
        wf_layers_shipment shipment;
        wf_layers view;
        wf_rule_layers layers = {0};
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
        weft_ref root = weft_layer_output(fixture_add(graph, "giver", TASKS, 0, NULL, 0), 0, 0);
        CU_ASSERT_EQUAL_FATAL(wf_layers_shipment_init(&shipment, graph, &(wf_plan){0}, &root, 1, 0, NULL), WEFT_OK);
        CU_ASSERT_EQUAL_FATAL(wf_layers_view(shipment.bytes, shipment.size_bytes, 1, &view, NULL), WEFT_OK);
        view.wanted[0].partition = partition;
        weft_status status = wf_rule_layers_init(&layers, shipment.bytes, shipment.size_bytes, kernels, 1, &(wf_registry){0}, 2, 3, &err);
        CU_ASSERT_EQUAL(status, partition < 6 ? WEFT_OK : WEFT_EDATA);
        if (partition == 6) CU_ASSERT_STRING_EQUAL(err.text, "partition 6 of 6 imports an output of layer giver; the message was damaged");
        if (status == WEFT_OK) shipment.bytes = NULL; /* taken */
        wf_rule_layers_fini(&layers);
        wf_layers_shipment_fini(&shipment);
        weft_graph_destroy(graph);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(answers_that_cannot_be_name_rule_layer_and_index),
        WEFT_TEST(the_check_finds_rules_that_disagree_either_way),
        WEFT_TEST(the_check_of_all_partitions_sees_every_task),
        WEFT_TEST(ready_made_rules_pass_the_check),
        WEFT_TEST(tasks_are_named_by_index_and_coordinates),
        WEFT_TEST(an_import_by_a_partition_that_there_is_not_is_refused),
    };
    return weft_test_run("exec/rule_layers", cases, WEFT_COUNT_OF(cases));
}
