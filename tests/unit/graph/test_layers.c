/* Adding layers and trees: what is refused, with which text, and that the graph stays as it was. */
#include "graph/layers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "weft_test.h"

static const weft_kernel step_kernel = {"step", NULL};

/* ---- what a graph is like ---- */

typedef struct snapshot {
    void *bytes;
    size_t size_bytes, kernel_count;
} snapshot;

static snapshot take_snapshot(const weft_graph *graph)
{
    snapshot s = {NULL, wf_layers_bytes(&graph->layers.all), graph->kernel_count};
    s.bytes = malloc(s.size_bytes);
    wf_layers_write(&graph->layers.all, s.bytes);
    return s;
}

/* Frees the snapshot. */
static bool is_unchanged(const weft_graph *graph, snapshot *before)
{
    snapshot now = take_snapshot(graph);
    bool is_same = now.size_bytes == before->size_bytes && now.kernel_count == before->kernel_count &&
                   memcmp(now.bytes, before->bytes, now.size_bytes) == 0;
    free(now.bytes);
    free(before->bytes);
    return is_same;
}

static weft_layer_spec make_spec(int64_t extent)
{
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &step_kernel;
    spec.dim_count = 1;
    spec.extents[0] = extent;
    return spec;
}

typedef struct fixture {
    weft_graph *graph, *other;
    weft_layer layer, layer_of_other;
} fixture;

static fixture make_fixture(void)
{
    fixture f = {0};
    weft_layer_spec spec = make_spec(10);
    spec.output_count = 2;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f.graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f.other, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f.graph, &spec, &f.layer, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f.other, &spec, &f.layer_of_other, NULL), WEFT_OK);
    return f;
}

static void end_fixture(fixture *f)
{
    weft_graph_destroy(f->graph);
    weft_graph_destroy(f->other);
}

static void check_refused(fixture *f, const weft_layer_spec *spec, const char *text)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_layer layer = {7, 7};
    snapshot before = take_snapshot(f->graph);
    CU_ASSERT_EQUAL(weft_graph_add_layer(f->graph, spec, &layer, &err), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_graph_add_layer(f->graph, spec, &layer, NULL), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, text);
    CU_ASSERT(layer.graph == 7 && layer.index == 7);
    CU_ASSERT(is_unchanged(f->graph, &before));
}

/* ---- refused ---- */

static void wrong_specs_are_refused(void)
{
    fixture f = make_fixture();
    weft_layer_spec spec = make_spec(10);
    spec.size_bytes = 8;
    char text[200];
    snprintf(text, sizeof text, "a layer spec of 8 bytes, this library has %zu; start from WEFT_LAYER_SPEC_INIT", sizeof spec);
    check_refused(&f, &spec, text);
    spec = make_spec(10);
    spec.kernel = NULL;
    check_refused(&f, &spec, "a layer without a kernel; set spec.kernel to a WEFT_KERNEL's descriptor");
    spec = make_spec(10);
    spec.output_count = 17;
    check_refused(&f, &spec, "a task has at most 16 outputs, not 17");
    spec = make_spec(10);
    spec.param_bytes = (size_t)1 << 31;
    check_refused(&f, &spec, "2147483648 bytes of parameters; give large data as an input");
    static const double costs[] = {-1, (double)NAN, (double)INFINITY, 1e300};
    static const char *const texts[] = {"-1", "nan", "inf", "1e+300"};
    for (size_t i = 0; i < WEFT_COUNT_OF(costs); i++) {
        spec = make_spec(10);
        spec.cost = costs[i];
        snprintf(text, sizeof text, "the cost of a task is %s; it must be a number from 0 to %g", texts[i], (double)FLT_MAX);
        check_refused(&f, &spec, text);
    }
    end_fixture(&f);
}

static void wrong_shapes_are_refused(void)
{
    fixture f = make_fixture();
    weft_layer_spec spec = make_spec(10);
    spec.dim_count = 0;
    check_refused(&f, &spec, "a layer has 1 to 4 dimensions, not 0");
    spec.dim_count = 5;
    check_refused(&f, &spec, "a layer has 1 to 4 dimensions, not 5");
    spec = make_spec(0);
    check_refused(&f, &spec, "extent 0 of a layer is 0; it must be positive");
    spec = make_spec(10);
    spec.dim_count = 3;
    spec.extents[1] = 2;
    spec.extents[2] = -3;
    check_refused(&f, &spec, "extent 2 of a layer is -3; it must be positive");
    spec = make_spec(((int64_t)1 << 46) + 1);
    check_refused(&f, &spec, "extent 0, 70368744177665, makes a layer of more than 2^46 tasks; use several layers");
    spec = make_spec(INT64_MAX);
    spec.dim_count = 2;
    spec.extents[0] = 3;
    spec.extents[1] = INT64_MAX;
    check_refused(&f, &spec, "extent 1, 9223372036854775807, makes a layer of more than 2^46 tasks; use several layers");
    spec = make_spec((int64_t)1 << 46);
    CU_ASSERT_EQUAL(weft_graph_add_layer(f.graph, &spec, NULL, NULL), WEFT_OK);
    end_fixture(&f);
}

static void wrong_owners_are_refused(void)
{
    fixture f = make_fixture();
    static const int32_t ranks[10] = {0, 1, 2, 3, 4, 5, -6, 7, 8, 9};
    weft_layer_spec spec = make_spec(10);
    spec.owners.dim = 2;
    check_refused(&f, &spec, "owners by dimension 2 of a layer with 1; 1 is the first, 0 the last");
    spec.owners.dim = -1;
    check_refused(&f, &spec, "owners by dimension -1 of a layer with 1; 1 is the first, 0 the last");
    spec.owners = (weft_owner_map){.kind = (weft_owner_kind)3};
    check_refused(&f, &spec, "unknown kind of owners 3; use one of weft_owner_kind");
    spec.owners = (weft_owner_map){.kind = WEFT_OWNER_CYCLIC, .block = -4};
    check_refused(&f, &spec, "owners in blocks of -4 coordinates; at least 1");
    spec.owners = (weft_owner_map){.kind = WEFT_OWNER_GIVEN};
    check_refused(&f, &spec, "owners are to be given, but owners.ranks is NULL; give one for each coordinate");
    spec.owners.ranks = ranks;
    check_refused(&f, &spec, "the owner of coordinate 6 is -6; count from 0");
    spec.extents[0] = 6;
    CU_ASSERT_EQUAL(weft_graph_add_layer(f.graph, &spec, NULL, NULL), WEFT_OK);
    end_fixture(&f);
}

static size_t no_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call, (void)index, (void)intervals;
    return 0;
}

static void wrong_dependencies_are_refused(void)
{
    static const weft_rule no_function = {"none", NULL, NULL, NULL}, no_name = {NULL, no_inputs, no_inputs, NULL};
    fixture f = make_fixture();
    weft_dependency d[9] = {{.rule = &weft_blockwise_rule, .source = f.layer}, {.rule = &weft_blockwise_rule, .source = f.layer}};
    weft_layer_spec spec = make_spec(10);
    spec.dependencies = d;
    spec.dependency_count = 9;
    check_refused(&f, &spec, "a layer has at most 8 dependencies, not 9");
    spec.dependency_count = 2;
    static const weft_rule *const none[] = {NULL, &no_function, &no_name};
    for (size_t i = 0; i < WEFT_COUNT_OF(none); i++) {
        d[1].rule = none[i];
        check_refused(&f, &spec, "dependency 1 has no rule; set rule to a WEFT_RULE's descriptor");
    }
    d[1] = (weft_dependency){.rule = &weft_blockwise_rule, .source = f.layer, .param_bytes = (size_t)1 << 31};
    check_refused(&f, &spec, "dependency 1 has 2147483648 bytes of parameters");
    const weft_layer wrong[] = {f.layer_of_other, {f.layer.graph, 0}, {f.layer.graph, 2}, {f.layer.graph, UINT32_MAX}, {0, 0}};
    for (size_t i = 0; i < WEFT_COUNT_OF(wrong); i++) {
        d[1] = (weft_dependency){.rule = &weft_blockwise_rule, .source = wrong[i]};
        check_refused(&f, &spec, "the source of dependency 1 is no layer of this graph; use what weft_graph_add_layer gave");
    }
    d[1] = (weft_dependency){.rule = &weft_blockwise_rule, .source = f.layer, .output = 2};
    check_refused(&f, &spec, "dependency 1 takes output 2 of a layer with 2");
    d[1] = (weft_dependency){.rule = &weft_stencil_rule, .on_itself = true, .source = wrong[4], .output = 1};
    check_refused(&f, &spec, "dependency 1 takes output 1 of a layer with 1");
    spec.output_count = 2;
    CU_ASSERT_EQUAL(weft_graph_add_layer(f.graph, &spec, NULL, NULL), WEFT_OK);
    end_fixture(&f);
}

/* ---- rules that refuse their use ---- */

static weft_layer add_source(fixture *f, int dim_count, int64_t rows, int64_t columns)
{
    weft_layer layer;
    weft_layer_spec spec = make_spec(rows);
    spec.dim_count = dim_count, spec.extents[1] = columns;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f->graph, &spec, &layer, NULL), WEFT_OK);
    return layer;
}

static void ready_made_rules_refuse_what_makes_no_sense(void)
{
    static const int64_t numbers[] = {-1, 0, 5, 12, INT64_MIN, INT64_MAX};
    enum { MINUS_ONE, ZERO, FIVE, TWELVE, LEAST, MOST };
    static const struct {
        const weft_rule *rule;
        bool on_itself;
        int rows, columns, number; /* columns 0: one dimension */
        size_t param_bytes;
        const char *text;
    } cases[] = { /* the source has 3 x 4 tasks */
        {&weft_blockwise_rule, false, 3, 5, 0, 0, "weft_blockwise\": a layer of 3 x 5 tasks on a source of 3 x 4; their extents must be the same"},
        {&weft_blockwise_rule, false, 12, 0, 0, 0, "weft_blockwise\": a layer of 12 tasks on a source of 3 x 4; their extents must be the same"},
        {&weft_blockwise_rule, true, 3, 4, 0, 0,
         "weft_blockwise\": tasks would take themselves or later ones; give it another layer as source, not on_itself"},
        {&weft_blockwise_rule, false, 3, 4, 0, 8, "weft_blockwise\": 8 bytes of parameters, but it has none; leave them out"},
        {&weft_stencil_rule, false, 4, 4, ZERO, 8, "weft_stencil\": a layer of 4 x 4 tasks on a source of 3 x 4; their extents must be the same"},
        {&weft_stencil_rule, true, 4, 4, MINUS_ONE, 8, "weft_stencil\": radius -1; at least 0"},
        {&weft_stencil_rule, true, 4, 4, LEAST, 8, "weft_stencil\": radius -9223372036854775808; at least 0"},
        {&weft_stencil_rule, true, 4, 4, ZERO, 4, "weft_stencil\": 4 bytes of parameters; its one parameter, the radius, has 8"},
        {&weft_butterfly_rule, false, 3, 4, 0, 0, "weft_butterfly\": another layer as source; its steps are rows of one layer, so set on_itself"},
        {&weft_butterfly_rule, true, 3, 4, 0, 8, "weft_butterfly\": 8 bytes of parameters, but it has none; leave them out"},
        {&weft_all_to_all_rule, true, 3, 0, 0, 0,
         "weft_all_to_all\": a layer of one dimension on itself, whose rows are single tasks; use two, rows first"},
        {&weft_all_to_all_rule, false, 3, 0, 0, 1, "weft_all_to_all\": 1 bytes of parameters, but it has none; leave them out"},
        {&weft_one_to_all_rule, false, 3, 0, TWELVE, 8, "weft_one_to_all\": an index of 12 in a source of 12 tasks"},
        {&weft_one_to_all_rule, false, 3, 0, MINUS_ONE, 8, "weft_one_to_all\": index -1; at least 0"},
        {&weft_one_to_all_rule, true, 3, 0, 0, 0,
         "weft_one_to_all\": tasks would take themselves or later ones; give it another layer as source, not on_itself"},
        {&weft_tree_rule, false, 3, 0, ZERO, 8, "weft_tree\": fan-in 0; at least 1"},
        {&weft_tree_rule, false, 3, 0, MINUS_ONE, 8, "weft_tree\": fan-in -1; at least 1"},
        {&weft_tree_rule, false, 3, 0, FIVE, 16, "weft_tree\": 16 bytes of parameters; its one parameter, the fan-in, has 8"},
        {&weft_tree_rule, true, 3, 0, FIVE, 8,
         "weft_tree\": tasks would take themselves or later ones; give it another layer as source, not on_itself"},
        {&weft_first_row_rule, false, 9, 4, 0, 0, "weft_first_row\": a source of 12 tasks for rows of 4; there must be as many"},
        {&weft_first_row_rule, true, 1, 4, 0, 0,
         "weft_first_row\": tasks would take themselves or later ones; give it another layer as source, not on_itself"},
    };
    fixture f = make_fixture();
    weft_layer source = add_source(&f, 2, 3, 4);
    for (size_t k = 0; k < WEFT_COUNT_OF(cases); k++) {
        char text[200];
        int64_t params[2] = {numbers[cases[k].number], 0};
        weft_dependency d[] = {{.rule = &weft_all_to_all_rule, .source = source},
                               {.rule = cases[k].rule, .on_itself = cases[k].on_itself, .source = source, .params = params,
                                .param_bytes = cases[k].param_bytes}};
        weft_layer_spec spec = make_spec(cases[k].rows);
        spec.dim_count = cases[k].columns ? 2 : 1, spec.extents[1] = cases[k].columns;
        spec.dependencies = d, spec.dependency_count = 2;
        snprintf(text, sizeof text, "dependency 1 by rule \"%s", cases[k].text);
        check_refused(&f, &spec, text);
    }
    end_fixture(&f);
}

static void a_stencil_of_too_many_lines_is_refused(void)
{
    fixture f = make_fixture();
    for (int64_t radius = 0; radius < 6; radius++) {
        weft_dependency d = {.rule = &weft_stencil_rule, .on_itself = true, .params = &radius, .param_bytes = 8};
        weft_layer_spec spec = make_spec(100);
        spec.dim_count = 4, spec.extents[1] = 9, spec.extents[2] = 100, spec.extents[3] = 1000;
        spec.dependencies = &d, spec.dependency_count = 1;
        char text[200];
        snprintf(text, sizeof text, "dependency 0 by rule \"weft_stencil\": a radius of %d in 4 dimensions takes more than 64 lines of neighbours; "
                 "use a smaller one", (int)radius);
        if (radius <= 3) /* 7 x 7 lines */
            CU_ASSERT_EQUAL(weft_graph_add_layer(f.graph, &spec, NULL, NULL), WEFT_OK)
        else
            check_refused(&f, &spec, text);
        spec.extents[1] = 3, spec.extents[2] = 5; /* there are no more */
        CU_ASSERT_EQUAL(weft_graph_add_layer(f.graph, &spec, NULL, NULL), WEFT_OK);
    }
    end_fixture(&f);
}

static void parameters_at_null_are_refused(void)
{
    fixture f = make_fixture();
    weft_dependency d = {.rule = &weft_one_to_all_rule, .source = f.layer, .param_bytes = 8};
    weft_layer_spec spec = make_spec(10);
    spec.dependencies = &d, spec.dependency_count = 1;
    check_refused(&f, &spec, "dependency 0 has 8 bytes of parameters at NULL");
    spec = make_spec(10);
    spec.param_bytes = 3;
    check_refused(&f, &spec, "3 bytes of parameters at NULL");
    end_fixture(&f);
}

/* Twice as long as its source, and told so by an aligned parameter. */
static weft_status check_twice(const weft_rule_call *call, weft_error *err)
{
    CU_ASSERT((uintptr_t)call->params % 16 == 0 && call->extents[1] == 1 && call->source_extents[WEFT_MAX_DIMS - 1] == 1);
    if (call->extents[0] == *(const int64_t *)call->params * call->source_extents[0]) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "%lld tasks on %lld", (long long)call->extents[0], (long long)call->source_extents[0]);
}

static void a_rule_of_ones_own_may_refuse_its_use(void)
{
    static const weft_rule twice = {"twice", no_inputs, no_inputs, check_twice};
    fixture f = make_fixture();
    char bytes[24];
    memcpy(bytes + 3, &(int64_t){2}, 8);
    weft_dependency d = {.rule = &twice, .source = f.layer, .params = bytes + 3, .param_bytes = 8};
    weft_layer_spec spec = make_spec(21);
    spec.dependencies = &d, spec.dependency_count = 1;
    check_refused(&f, &spec, "dependency 0 by rule \"twice\": 21 tasks on 10");
    spec.extents[0] = 20;
    CU_ASSERT_EQUAL(weft_graph_add_layer(f.graph, &spec, NULL, NULL), WEFT_OK);
    end_fixture(&f);
}

/* ---- trees ---- */

static void check_tree_refused(fixture *f, const weft_layer_spec *spec, weft_layer leaves, size_t output, int64_t fan_in, const char *text)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_ref root = {7, 7};
    snapshot before = take_snapshot(f->graph);
    CU_ASSERT_EQUAL(weft_graph_add_tree(f->graph, spec, leaves, output, fan_in, &root, &err), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, text);
    CU_ASSERT(root.graph == 7 && root.value == 7);
    CU_ASSERT(is_unchanged(f->graph, &before));
}

static void wrong_trees_are_refused(void)
{
    fixture f = make_fixture();
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &step_kernel;
    check_tree_refused(&f, &spec, f.layer, 0, 1, "a tree with a fan-in of 1; at least 2");
    check_tree_refused(&f, &spec, f.layer, 0, INT64_MIN, "a tree with a fan-in of -9223372036854775808; at least 2");
    check_tree_refused(&f, &spec, f.layer_of_other, 0, 2, "the leaves are no layer of this graph; use what weft_graph_add_layer gave");
    check_tree_refused(&f, &spec, (weft_layer){f.layer.graph, 2}, 0, 2, "the leaves are no layer of this graph; use what weft_graph_add_layer gave");
    check_tree_refused(&f, &spec, f.layer, 2, 2, "dependency 0 takes output 2 of a layer with 2");
    spec.kernel = NULL;
    check_tree_refused(&f, &spec, f.layer, 0, 2, "a layer without a kernel; set spec.kernel to a WEFT_KERNEL's descriptor");
    end_fixture(&f);
}

static void a_tree_has_a_layer_for_each_level(void)
{
    static const struct { int64_t leaves, fan_in; size_t levels; } trees[] = {
        {1, 2, 1}, {2, 2, 1}, {3, 2, 2}, {8, 2, 3}, {9, 2, 4}, {9, 3, 2}, {10, 3, 3}, {1000, 1000, 1}, {1001, 1000, 2},
        {(int64_t)1 << 46, 2, 46}, {5, INT64_MAX, 1}, {(int64_t)1 << 46, (int64_t)1 << 45, 2}};
    for (size_t i = 0; i < WEFT_COUNT_OF(trees); i++) {
        fixture f = make_fixture();
        weft_layer leaves;
        weft_ref root;
        weft_layer_spec spec = make_spec(trees[i].leaves);
        CU_ASSERT_EQUAL(weft_graph_add_layer(f.graph, &spec, &leaves, NULL), WEFT_OK);
        spec.dim_count = 99; /* not looked at */
        spec.output_count = 99;
        spec.dependency_count = 99;
        CU_ASSERT_EQUAL(weft_graph_add_tree(f.graph, &spec, leaves, 0, trees[i].fan_in, &root, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(f.graph->layers.all.layer_count, 2 + trees[i].levels);
        CU_ASSERT(root.value == weft_layer_output((weft_layer){f.graph->serial, 2 + (uint32_t)trees[i].levels}, 0, 0).value);
        CU_ASSERT_EQUAL(weft_layer_task_count(f.graph, (weft_layer){f.graph->serial, 2 + (uint32_t)trees[i].levels}), 1);
        end_fixture(&f);
    }
}

static void a_tree_that_does_not_fit_leaves_no_level_behind(void)
{
    fixture f = make_fixture();
    weft_layer_spec spec = make_spec(100);
    weft_layer last = f.layer;
    static const weft_kernel join_kernel = {"join", NULL};
    for (size_t i = 1; i < WF_MAX_LAYERS - 3; i++) CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f.graph, &spec, &last, NULL), WEFT_OK);
    spec.kernel = &join_kernel;
    check_tree_refused(&f, &spec, last, 0, 2, "the graph has 16383 layers already, the most that it can");
    CU_ASSERT_EQUAL(weft_graph_add_tree(f.graph, &spec, last, 0, 5, NULL, NULL), WEFT_OK); /* three levels */
    check_refused(&f, &spec, "the graph has 16383 layers already, the most that it can");
    end_fixture(&f);
}

/* ---- outputs ---- */

static void outputs_that_cannot_be_are_refused_where_they_are_used(void)
{
    fixture f = make_fixture();
    uint64_t last = (uint64_t)1 << 46;
    const weft_ref wrong[] = {
        weft_layer_output(f.layer, 10, 0), weft_layer_output(f.layer, 0, 2), weft_layer_output(f.layer, last, 0), weft_layer_output(f.layer, last - 1, 0),
        weft_layer_output(f.layer, UINT64_MAX, 0), weft_layer_output(f.layer, 0, 16), weft_layer_output(f.layer, 0, SIZE_MAX),
        weft_layer_output((weft_layer){f.layer.graph, 0}, 0, 0), weft_layer_output((weft_layer){f.layer.graph, 2}, 0, 0),
        weft_layer_output((weft_layer){f.layer.graph, UINT32_MAX}, 0, 0), weft_layer_output(f.layer_of_other, 0, 0)};
    for (size_t i = 0; i < WEFT_COUNT_OF(wrong); i++) {
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(wf_graph_check_ref(f.graph, wrong[i], "root", 3, &err), WEFT_EINVAL);
        CU_ASSERT(strncmp(err.text, "root 3 ", 7) == 0);
    }
    CU_ASSERT_EQUAL(wf_graph_check_ref(f.graph, weft_layer_output(f.layer, 9, 1), "root", 0, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_layer_task_count(f.graph, f.layer), 10);
    CU_ASSERT_EQUAL(weft_layer_task_count(f.graph, f.layer_of_other), 0);
    end_fixture(&f);
}

static void an_output_that_is_not_announced_counts_as_small(void)
{
    static const size_t bytes[] = {5000, 0};
    fixture f = make_fixture();
    weft_layer layer;
    weft_layer_spec spec = make_spec(3);
    spec.output_count = 2;
    spec.output_bytes = bytes;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f.graph, &spec, &layer, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_graph_ref_bytes(f.graph, weft_layer_output(f.layer, 4, 1).value), WF_SMALL_OUTPUT_BYTES);
    CU_ASSERT_EQUAL(wf_graph_ref_bytes(f.graph, weft_layer_output(layer, 2, 0).value), 5000);
    CU_ASSERT_EQUAL(wf_graph_ref_bytes(f.graph, weft_layer_output(layer, 2, 1).value), 0);
    end_fixture(&f);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(wrong_specs_are_refused),
        WEFT_TEST(wrong_shapes_are_refused),
        WEFT_TEST(wrong_owners_are_refused),
        WEFT_TEST(wrong_dependencies_are_refused),
        WEFT_TEST(ready_made_rules_refuse_what_makes_no_sense),
        WEFT_TEST(a_stencil_of_too_many_lines_is_refused),
        WEFT_TEST(parameters_at_null_are_refused),
        WEFT_TEST(a_rule_of_ones_own_may_refuse_its_use),
        WEFT_TEST(wrong_trees_are_refused),
        WEFT_TEST(a_tree_has_a_layer_for_each_level),
        WEFT_TEST(a_tree_that_does_not_fit_leaves_no_level_behind),
        WEFT_TEST(outputs_that_cannot_be_are_refused_where_they_are_used),
        WEFT_TEST(an_output_that_is_not_announced_counts_as_small),
    };
    return weft_test_run("graph/layers", cases, WEFT_COUNT_OF(cases));
}
