/* Layers by rule that go wrong, through whole ranks over loopback: what the error says, that nothing hangs or leaks, that the session goes on. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

#include "loopback_session.h"
#include "weft_test.h"

enum { TASKS = 60, AT = 17, ROUNDS = 8 };

/* ---- a kernel and a rule that go wrong at one index ---- */

typedef struct count_params {
    int64_t fails_at[2]; /* -1: nowhere */
    int64_t large_at;    /* an output of 1000 elements instead of one */
} count_params;

static const count_params all_well = {{-1, -1}, -1};

/* 1 + the sum of the inputs. */
WEFT_KERNEL(count_up)
{
    const count_params *p = weft_task_params(task, NULL);
    int64_t index = (int64_t)weft_task_index(task), sum = 1;
    if (index == p->fails_at[0] || index == p->fails_at[1]) return weft_fail(err, WEFT_EKERNEL, "told to fail");
    int64_t *to = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){index == p->large_at ? 1000 : 1}, err);
    if (!to) return err->status;
    for (size_t i = 0; i < weft_task_input_count(task); i++) sum += *(const int64_t *)weft_task_input_data(task, i);
    *to = sum;
    return WEFT_OK;
}

typedef enum wrong_way {
    ALL_WELL, INPUT_OUTSIDE, INPUT_EMPTY, INPUT_MANY, INPUT_ITSELF, CONSUMER_OUTSIDE, CONSUMER_EMPTY, CONSUMER_MANY, CONSUMER_OTHER,
    CONSUMER_TWICE, CONSUMER_DESCENDING, WRONG_WAY_COUNT
} wrong_way;

static wrong_way way_of(const weft_rule_call *call, uint64_t index)
{
    int64_t way;
    memcpy(&way, call->params, sizeof way);
    return index == AT ? (wrong_way)way : ALL_WELL;
}

static size_t wrong_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    intervals[0] = (weft_interval){index, index + 1};
    if (call->on_itself) intervals[0] = (weft_interval){index - 1, index};
    size_t count = call->on_itself ? index > 0 : 1;
    switch (way_of(call, index)) {
    case INPUT_OUTSIDE: intervals[0] = (weft_interval){TASKS - 1, TASKS + 1}; return 1;
    case INPUT_EMPTY: intervals[0] = (weft_interval){5, 5}; return 1;
    case INPUT_MANY: return WEFT_MAX_INTERVALS + 1;
    case INPUT_ITSELF: intervals[0] = (weft_interval){index - 1, index + 1}; return 1;
    default: return count;
    }
}

static size_t wrong_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    intervals[0] = (weft_interval){index, index + 1};
    if (call->on_itself) intervals[0] = (weft_interval){index + 1, index + 2};
    size_t count = call->on_itself ? index + 1 < (uint64_t)call->extents[0] : 1;
    switch (way_of(call, index)) {
    case CONSUMER_OUTSIDE: intervals[0].end = TASKS + 3; return 1;
    case CONSUMER_EMPTY: intervals[0] = (weft_interval){8, 7}; return 1;
    case CONSUMER_MANY: return 1000;
    case CONSUMER_OTHER: intervals[0].end++; return 1;
    case CONSUMER_TWICE: intervals[1] = intervals[0]; return 2;
    case CONSUMER_DESCENDING: intervals[1] = (weft_interval){index - 1, index}; return 2;
    default: return count;
    }
}

WEFT_RULE(test_wrong, wrong_inputs, wrong_consumers);
WEFT_RULE(test_wrong_scanned, wrong_inputs, NULL);

/* ---- ranks ---- */

typedef struct rank_case {
    int ranks, threads;
    bool rank0_only_schedules;
} rank_case;

static const rank_case rank_cases[] = {{1, 0, false}, {1, 3, false}, {3, 1, true}, {5, 2, false}};

static loopback_session *open_case(size_t i)
{
    const rank_case *c = &rank_cases[i];
    /* Where a task fails is known while partitions stay where they are sent. */
    loopback_options options = {.rank_count = c->ranks, .threads = c->threads, .rank0_only_schedules = c->rank0_only_schedules,
                                .settings = {"partition.move=off"}};
    return loopback_session_create(&options);
}

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

/* The rank that runs task `index` of TASKS in blocks. */
static int rank_of(const loopback_session *s, size_t case_index, int64_t index)
{
    int first = rank_cases[case_index].rank0_only_schedules ? 1 : 0, workers = s->rank_count - first, worker = 0;
    for (int64_t end = 0; worker < workers; worker++) {
        end += TASKS / workers + (worker < TASKS % workers ? 1 : 0);
        if (index < end) break;
    }
    return first + worker;
}

/* ---- graphs ---- */

static weft_layer add_layer(weft_graph *graph, const char *name, const weft_dependency *dependency, const count_params *params)
{
    static const size_t one_element = 8;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer = {0};
    weft_error err = WEFT_ERROR_INIT;
    spec.name = name;
    spec.kernel = &count_up_kernel;
    spec.dim_count = 1;
    spec.extents[0] = TASKS;
    spec.dependencies = dependency;
    spec.dependency_count = dependency ? 1 : 0;
    spec.params = params;
    spec.param_bytes = sizeof *params;
    spec.output_bytes = &one_element;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, &err), WEFT_OK);
    return layer;
}

/* givers, takers that take one giver each (or the taker before), and those that take one taker each. */
typedef struct chain {
    weft_graph *graph;
    weft_layer giver, taker, last;
} chain;

static chain make_chain(const weft_rule *rule, wrong_way way, bool on_itself, const count_params *taker_params)
{
    chain c = {0};
    int64_t param = way;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&c.graph, NULL), WEFT_OK);
    c.giver = add_layer(c.graph, "giver", NULL, &all_well);
    c.taker = add_layer(c.graph, "taker", &(weft_dependency){.rule = rule, .on_itself = on_itself, .source = c.giver, .params = &param,
                                                           .param_bytes = sizeof param}, taker_params);
    c.last = add_layer(c.graph, "last", &(weft_dependency){.rule = &weft_blockwise_rule, .source = c.taker}, &all_well);
    return c;
}

static weft_status compute(loopback_session *s, const chain *c, weft_layer layer, int64_t *first, weft_error *err)
{
    weft_ref roots[TASKS];
    weft_chunk *chunks[TASKS] = {NULL};
    *err = (weft_error)WEFT_ERROR_INIT;
    for (size_t i = 0; i < TASKS; i++) roots[i] = weft_layer_output(layer, TASKS - 1 - i, 0);
    weft_status status = weft_compute(&s->session, c->graph, roots, TASKS, chunks, err);
    CU_ASSERT_EQUAL(status, err->status);
    for (size_t i = 0; i < TASKS; i++) {
        CU_ASSERT((status == WEFT_OK) == (chunks[i] != NULL));
        if (chunks[i]) *first = *(const int64_t *)weft_chunk_data(chunks[i]);
        weft_chunk_release(chunks[i]);
    }
    return status;
}

static void check_that_session_works(loopback_session *s)
{
    weft_error err;
    int64_t first = 0;
    chain c = make_chain(&test_wrong_rule, ALL_WELL, false, &all_well);
    CU_ASSERT_EQUAL(compute(s, &c, c.last, &first, &err), WEFT_OK);
    CU_ASSERT_EQUAL(first, 3);
    weft_graph_destroy(c.graph);
}

/* ---- rules ---- */

typedef struct expectation {
    wrong_way way;
    bool on_itself;
    const char *text;
} expectation;

static const expectation expectations[] = {
    {INPUT_OUTSIDE, false, "gives tasks 59 to 60 of layer giver as inputs of task taker 17; the layer has 60 tasks"},
    {INPUT_EMPTY, false, "gives the empty interval [5, 5) as inputs of task taker 17; leave it out"},
    {INPUT_MANY, false, "gives 65 intervals for task taker 17; at most 64"},
    {INPUT_ITSELF, true, "a cycle: rule \"test_wrong\" gives task 17 as inputs of task taker 17 of the same layer"},
    {CONSUMER_OUTSIDE, false, "gives tasks 17 to 62 of layer taker as consumers of task giver 17; the layer has 60 tasks"},
    {CONSUMER_EMPTY, false, "gives the empty interval [8, 7) as consumers of task giver 17; leave it out"},
    {CONSUMER_MANY, false, "gives 1000 intervals for task giver 17; at most 64"},
    {CONSUMER_OTHER, false, "disagrees with its inverse: task giver 17 names task taker 18 as a consumer, which does not take it"},
    {CONSUMER_TWICE, false, "gives consumers of task giver 17 out of sequence: 17 after 17"},
    {CONSUMER_DESCENDING, false, "gives consumers of task giver 17 out of sequence: 16 after 17"},
};

static void check_wrong(loopback_session *s, const weft_rule *rule, const expectation *e)
{
    weft_error err;
    int64_t first;
    chain c = make_chain(rule, e->way, e->on_itself, &all_well);
    weft_status status = compute(s, &c, c.last, &first, &err);
    bool is_right = status == WEFT_EGRAPH && strstr(err.text, e->text) && strstr(err.text, rule->name) && err.rank >= 0;
    if (!is_right) printf("way %d on %d ranks: %s (rank %d, %s: %s)\n", (int)e->way, s->rank_count, weft_status_name(status), err.rank, err.task, err.text);
    CU_ASSERT(is_right);
    weft_graph_destroy(c.graph);
}

static void a_wrong_rule_is_named_with_layer_and_index(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (size_t k = 0; k < ROUNDS * WEFT_COUNT_OF(expectations); k++) check_wrong(s, &test_wrong_rule, &expectations[k / ROUNDS]);
        check_that_session_works(s);
        close_case(s);
    }
}

static void a_wrong_rule_without_an_inverse_is_named(void)
{
    for (size_t c = 0; c < WEFT_COUNT_OF(rank_cases); c++) {
        loopback_session *s = open_case(c);
        for (size_t k = 0; k < ROUNDS * 3; k++) check_wrong(s, &test_wrong_scanned_rule, &expectations[k / ROUNDS]);
        check_that_session_works(s);
        close_case(s);
    }
}

/* ---- tasks ---- */

static void the_first_task_that_fails_is_named_with_its_rank(void)
{
    for (size_t k = 0; k < WEFT_COUNT_OF(rank_cases); k++) {
        loopback_session *s = open_case(k);
        count_params params = {{41, 17}, -1};
        for (int round = 0; round < ROUNDS; round++) {
            weft_error err;
            int64_t first = 0;
            chain c = make_chain(&test_wrong_rule, ALL_WELL, round % 2, &params); /* odd rounds: 41 waits for 17, and does not fail itself */
            CU_ASSERT_EQUAL(compute(s, &c, c.last, &first, &err), WEFT_EKERNEL);
            CU_ASSERT_STRING_EQUAL(err.text, "told to fail");
            CU_ASSERT_STRING_EQUAL(err.task, "taker 17");
            CU_ASSERT_EQUAL(err.rank, rank_of(s, k, 17));
            CU_ASSERT_EQUAL(compute(s, &c, c.giver, &first, &err), WEFT_OK); /* what does not need it */
            CU_ASSERT_EQUAL(first, 1);
            weft_graph_destroy(c.graph);
        }
        close_case(s);
    }
}

static void an_output_beyond_its_announced_size_fails_its_task(void)
{
    for (size_t k = 0; k < WEFT_COUNT_OF(rank_cases); k++) {
        loopback_session *s = open_case(k);
        count_params params = {{-1, -1}, 33};
        weft_error err;
        int64_t first;
        chain c = make_chain(&test_wrong_rule, ALL_WELL, false, &params);
        CU_ASSERT_EQUAL(compute(s, &c, c.last, &first, &err), WEFT_EKERNEL);
        CU_ASSERT_STRING_EQUAL(err.text, "output 0 has 8000 bytes, but at most 8 were announced; raise output_bytes");
        CU_ASSERT_STRING_EQUAL(err.task, "taker 33");
        CU_ASSERT_EQUAL(err.rank, rank_of(s, k, 33));
        weft_graph_destroy(c.graph);
        close_case(s);
    }
}

/* ---- programs that differ ---- */

static void check_registry(wf_registry *other, weft_error *err)
{
    loopback_options options = {.rank_count = 3, .threads = 2, .rank0_only_schedules = true, .registry = {NULL, NULL, other}};
    loopback_session *s = loopback_session_create(&options);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t first;
        chain c = make_chain(&test_wrong_rule, ALL_WELL, false, &all_well);
        CU_ASSERT_EQUAL(compute(s, &c, c.last, &first, err), WEFT_ENOENT);
        CU_ASSERT_EQUAL(err->rank, 2);
        weft_graph_destroy(c.graph);
    }
    close_case(s);
}

static void a_kernel_that_one_rank_lacks_fails_its_tasks_there(void)
{
    wf_registry all, other;
    weft_error err;
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&all, WEFT_SECTIONS, NULL), WEFT_OK);
    other = all;
    other.kernel_count = 0;
    check_registry(&other, &err);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "this rank has no kernel of that name"));
    CU_ASSERT_EQUAL(strncmp(err.task, "giver ", strlen("giver ")), 0); /* the first to fail on either of two threads */
    wf_registry_fini(&all);
}

static void a_rule_that_one_rank_lacks_is_named(void)
{
    wf_registry all, other;
    weft_error err;
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&all, WEFT_SECTIONS, NULL), WEFT_OK);
    other = all;
    other.rule_count = 0;
    check_registry(&other, &err);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "rule \"test_wrong\" is not registered in this rank's program"));
    wf_registry_fini(&all);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_wrong_rule_is_named_with_layer_and_index),
        WEFT_TEST(a_wrong_rule_without_an_inverse_is_named),
        WEFT_TEST(the_first_task_that_fails_is_named_with_its_rank),
        WEFT_TEST(an_output_beyond_its_announced_size_fails_its_task),
        WEFT_TEST(a_kernel_that_one_rank_lacks_fails_its_tasks_there),
        WEFT_TEST(a_rule_that_one_rank_lacks_is_named),
    };
    return weft_test_run("client/layer_errors", cases, WEFT_COUNT_OF(cases));
}
