#include "graph/graph.h"

#include <math.h>
#include <string.h>

#include "weft_test.h"

static const weft_kernel one = {"one", NULL}, two = {"two", NULL};

static weft_graph *create_graph(void)
{
    weft_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    return graph;
}

/* Adds a task that must be refused with that message, and looks whether anything changed. */
static void add_fails_with(weft_graph *graph, const weft_task_spec *spec, const char *message)
{
    weft_graph before = *graph;
    weft_ref first = {5, 6};
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(weft_graph_add(graph, spec, &first, &err), WEFT_EINVAL);
    if (!strstr(err.text, message)) printf("    \"%s\" has no \"%s\"\n", err.text, message);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, message));
    CU_ASSERT(first.graph == 5 && first.value == 6);
    CU_ASSERT_EQUAL(graph->task_count, before.task_count);
    CU_ASSERT_EQUAL(graph->input_count, before.input_count);
    CU_ASSERT_EQUAL(graph->output_count, before.output_count);
    CU_ASSERT_EQUAL(graph->param_bytes, before.param_bytes);
    CU_ASSERT_EQUAL(graph->key_bytes, before.key_bytes);
    CU_ASSERT_EQUAL(weft_graph_add(graph, spec, NULL, NULL), WEFT_EINVAL);
}

static void a_new_graph_has_no_tasks_and_a_number_of_its_own(void)
{
    weft_graph *a = create_graph(), *b = create_graph();
    CU_ASSERT_EQUAL(weft_graph_task_count(a), 0);
    CU_ASSERT_NOT_EQUAL(a->serial, b->serial);
    weft_graph_destroy(a);
    weft_graph_destroy(b);
    weft_graph_destroy(NULL);
}

static void tasks_keep_their_inputs_in_order(void)
{
    weft_graph *graph = create_graph();
    weft_ref a, b, c;
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &one;
    spec.output_count = WEFT_MAX_OUTPUTS;
    CU_ASSERT_EQUAL(weft_graph_add(graph, &spec, &a, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_graph_add_task(graph, &two, NULL, 0, NULL, 0, &b, NULL), WEFT_OK);
    weft_ref inputs[] = {b, weft_output(a, 15), a, b};
    CU_ASSERT_EQUAL(weft_graph_add_task(graph, &one, inputs, 4, NULL, 0, &c, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_graph_task_count(graph), 3);
    CU_ASSERT_EQUAL(wf_graph_input_count(graph, 0), 0);
    CU_ASSERT_EQUAL_FATAL(wf_graph_input_count(graph, 2), 4);
    for (size_t i = 0; i < 4; i++) CU_ASSERT_EQUAL(graph->inputs[graph->tasks[2].input_begin + i], inputs[i].value);
    CU_ASSERT_EQUAL(wf_ref_task(inputs[1].value), 0);
    CU_ASSERT_EQUAL(wf_ref_output(inputs[1].value), 15);
    CU_ASSERT_EQUAL(wf_graph_output_count(graph, 0), 16);
    CU_ASSERT_EQUAL(wf_graph_output_count(graph, 2), 1);
    CU_ASSERT_EQUAL(graph->kernel_count, 2);
    CU_ASSERT_PTR_EQUAL(graph->kernels[graph->tasks[2].kernel], &one);
    CU_ASSERT_EQUAL(wf_graph_task_rank(graph, 2), -1);
    weft_graph_destroy(graph);
}

static void parameters_are_copied_to_aligned_places(void)
{
    weft_graph *graph = create_graph();
    char bytes[70];
    for (size_t t = 0; t < sizeof bytes; t++) {
        memset(bytes, (int)t, sizeof bytes);
        CU_ASSERT_EQUAL(weft_graph_add_task(graph, &one, NULL, 0, bytes, t, NULL, NULL), WEFT_OK);
    }
    memset(bytes, 99, sizeof bytes);
    for (size_t t = 0; t < sizeof bytes; t++) {
        const wf_graph_task *task = &graph->tasks[t];
        CU_ASSERT_EQUAL(task->param_begin % 16, 0);
        CU_ASSERT_EQUAL(task->param_bytes, t);
        CU_ASSERT(task->param_begin + t <= task[1].param_begin);
        for (size_t i = 0; i < t; i++) CU_ASSERT_EQUAL(graph->params[task->param_begin + i], (char)t);
    }
    weft_graph_destroy(graph);
}

static void sizes_and_costs_have_defaults(void)
{
    static const size_t bytes[] = {100, 0};
    weft_graph *graph = create_graph();
    weft_ref a, b;
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &one;
    CU_ASSERT_EQUAL(weft_graph_add(graph, &spec, &a, NULL), WEFT_OK);
    spec.output_count = 2;
    spec.output_bytes = bytes;
    spec.cost = 2.5;
    CU_ASSERT_EQUAL(weft_graph_add(graph, &spec, &b, NULL), WEFT_OK);
    CU_ASSERT(wf_graph_ref_bytes(graph, a.value) > 0 && wf_graph_ref_bytes(graph, a.value) <= 4096);
    CU_ASSERT_EQUAL(wf_graph_ref_bytes(graph, b.value), 100);
    CU_ASSERT_EQUAL(wf_graph_ref_bytes(graph, weft_output(b, 1).value), 0);
    CU_ASSERT_DOUBLE_EQUAL((double)graph->tasks[0].cost, 1.0, 0.0);
    CU_ASSERT_DOUBLE_EQUAL((double)graph->tasks[1].cost, 2.5, 0.0);
    weft_graph_destroy(graph);
}

static void a_key_is_copied_and_an_empty_one_is_none(void)
{
    static const char *const samples[] = {NULL, "x[1]", "", "a rather long key"};
    weft_graph *graph = create_graph();
    char key[32];
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &one;
    for (size_t i = 0; i < WEFT_COUNT_OF(samples); i++) {
        if (samples[i]) strcpy(key, samples[i]);
        spec.key = samples[i] ? key : NULL;
        CU_ASSERT_EQUAL(weft_graph_add(graph, &spec, NULL, NULL), WEFT_OK);
        strcpy(key, "overwritten");
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(samples); i++) {
        CU_ASSERT_STRING_EQUAL(graph->keys + graph->tasks[i].key, samples[i] ? samples[i] : "");
        CU_ASSERT_EQUAL(graph->tasks[i].key == 0, !samples[i] || !*samples[i]);
    }
    weft_graph_destroy(graph);
}

static void a_kept_result_is_a_task_bound_to_its_rank(void)
{
    wf_held_source source = {11, 22, 3, 0}, back;
    weft_graph *graph = create_graph();
    weft_ref ref;
    CU_ASSERT_EQUAL(wf_graph_add_held(graph, &source, 12345, &ref, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_graph_task_rank(graph, 0), 3);
    CU_ASSERT_EQUAL(wf_graph_ref_bytes(graph, ref.value), 12345);
    CU_ASSERT_EQUAL(graph->kernel_count, 0);
    memcpy(&back, graph->params + graph->tasks[0].param_begin, sizeof back);
    CU_ASSERT(back.graph == 11 && back.ref == 22 && back.rank == 3);
    CU_ASSERT_EQUAL(weft_graph_add_task(graph, &one, &ref, 1, NULL, 0, NULL, NULL), WEFT_OK);
    weft_graph_destroy(graph);
}

static void an_input_of_another_graph_is_refused(void)
{
    weft_graph *graph = create_graph(), *other = create_graph();
    weft_ref own, foreign;
    CU_ASSERT_EQUAL(weft_graph_add_task(graph, &one, NULL, 0, NULL, 0, &own, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_graph_add_task(other, &one, NULL, 0, NULL, 0, &foreign, NULL), WEFT_OK);
    weft_ref inputs[] = {own, foreign};
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &one;
    spec.inputs = inputs;
    spec.input_count = 2;
    add_fails_with(graph, &spec, "input 1 belongs to another graph");
    inputs[0] = (weft_ref){0, 0};
    add_fails_with(graph, &spec, "input 0 belongs to another graph");
    weft_graph_destroy(graph);
    weft_graph_destroy(other);
}

static void an_output_that_its_task_does_not_have_is_refused(void)
{
    weft_graph *graph = create_graph();
    weft_ref a, b, input;
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &one;
    spec.output_count = 3;
    CU_ASSERT_EQUAL(weft_graph_add(graph, &spec, &a, NULL), WEFT_OK);
    spec.output_count = 1;
    CU_ASSERT_EQUAL(weft_graph_add(graph, &spec, &b, NULL), WEFT_OK);
    spec.inputs = &input;
    spec.input_count = 1;
    input = weft_output(a, 3);
    add_fails_with(graph, &spec, "input 0 names output 3 of task 0, which does not exist");
    input = (weft_ref){graph->serial, wf_ref_value(2, 0)};
    add_fails_with(graph, &spec, "output 0 of task 2");
    /* Indices beyond the bits for an output must not become an output of the next task, which exists. */
    static const size_t beyond[] = {16, 17, 32, SIZE_MAX, SIZE_MAX - 15};
    for (size_t i = 0; i < WEFT_COUNT_OF(beyond); i++) {
        input = weft_output(a, beyond[i]);
        add_fails_with(graph, &spec, "does not exist");
        input = weft_output(b, beyond[i]);
        add_fails_with(graph, &spec, "does not exist");
    }
    input = weft_output(weft_output(a, 2), 14);
    add_fails_with(graph, &spec, "does not exist");
    weft_graph_destroy(graph);
}

/* The tasks before it are made up: nobody waits for four thousand million of them. */
static void a_task_beyond_the_numbers_for_tasks_is_refused(void)
{
    const wf_held_source source = {.graph = 1};
    weft_graph *graph = create_graph();
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    weft_ref ref = {5, 6};
    spec.kernel = &one;
    CU_ASSERT_EQUAL(weft_graph_add(graph, &spec, NULL, NULL), WEFT_OK);
    size_t there = graph->task_count;
    graph->task_count = UINT32_MAX - 1;
    add_fails_with(graph, &spec, "the graph has 4294967294 tasks already");
    CU_ASSERT_EQUAL(wf_graph_add_held(graph, &source, 8, &ref, NULL), WEFT_EINVAL);
    CU_ASSERT(ref.graph == 5 && ref.value == 6);
    graph->task_count = there;
    weft_graph_destroy(graph);
}

static void a_bad_spec_is_refused(void)
{
    static const double bad_costs[] = {-1.0, (double)NAN, (double)INFINITY, 1e300};
    weft_graph *graph = create_graph();
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    add_fails_with(graph, &spec, "without a kernel");
    spec.kernel = &one;
    spec.output_count = WEFT_MAX_OUTPUTS + 1;
    add_fails_with(graph, &spec, "at most 16 outputs, not 17");
    spec.output_count = 1;
    spec.param_bytes = (size_t)1 << 40;
    add_fails_with(graph, &spec, "give large data as an input");
    spec.param_bytes = 0;
    for (size_t i = 0; i < WEFT_COUNT_OF(bad_costs); i++) {
        spec.cost = bad_costs[i];
        add_fails_with(graph, &spec, "the cost of a task");
    }
    spec.cost = 1;
    spec.size_bytes--;
    add_fails_with(graph, &spec, "start from WEFT_TASK_SPEC_INIT");
    weft_graph_destroy(graph);
}

static void a_ref_is_checked_by_graph_task_and_output(void)
{
    weft_graph *graph = create_graph();
    weft_ref ref;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(weft_graph_add_task(graph, &one, NULL, 0, NULL, 0, &ref, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_graph_check_ref(graph, ref, "root", 3, &err), WEFT_OK);
    ref.graph++;
    CU_ASSERT_EQUAL(wf_graph_check_ref(graph, ref, "root", 3, &err), WEFT_EINVAL);
    CU_ASSERT_EQUAL(strncmp(err.text, "root 3 belongs", 14), 0);
    ref = (weft_ref){graph->serial, UINT64_MAX};
    CU_ASSERT_EQUAL(wf_graph_check_ref(graph, ref, "root", 3, &err), WEFT_EINVAL);
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_new_graph_has_no_tasks_and_a_number_of_its_own),
        WEFT_TEST(tasks_keep_their_inputs_in_order),
        WEFT_TEST(parameters_are_copied_to_aligned_places),
        WEFT_TEST(sizes_and_costs_have_defaults),
        WEFT_TEST(a_key_is_copied_and_an_empty_one_is_none),
        WEFT_TEST(a_kept_result_is_a_task_bound_to_its_rank),
        WEFT_TEST(an_input_of_another_graph_is_refused),
        WEFT_TEST(an_output_that_its_task_does_not_have_is_refused),
        WEFT_TEST(a_task_beyond_the_numbers_for_tasks_is_refused),
        WEFT_TEST(a_bad_spec_is_refused),
        WEFT_TEST(a_ref_is_checked_by_graph_task_and_output),
    };
    return weft_test_run("graph/graph", cases, WEFT_COUNT_OF(cases));
}
