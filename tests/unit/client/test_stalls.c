/* Rules that leave tasks waiting for ever, through whole ranks over loopback: the compute ends, says which task and rule, and the session goes
 * on; and what looks like it but is only slow. Finding a stall takes a second of silence, so the sessions run side by side. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

#include "loopback_session.h"
#include "weft_test.h"

enum { TASKS = 60, AT = 17, EXTRA = 2, SLEEP_S = 3 };

/* ---- a kernel, and a rule that goes wrong at one index ---- */

WEFT_KERNEL(stall_count_up)
{
    uint64_t sum = 1; /* it may wrap */
    int64_t *to = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!to) return err->status;
    for (size_t i = 0; i < weft_task_input_count(task); i++) sum += *(const uint64_t *)weft_task_input_data(task, i);
    *to = (int64_t)sum;
    return WEFT_OK;
}

WEFT_KERNEL(stall_sleep)
{
    if (weft_task_index(task) % 7 == 3) nanosleep(&(struct timespec){SLEEP_S, 0}, NULL);
    return weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err) ? WEFT_OK : err->status;
}

typedef enum wrong_way { ALL_WELL, CONSUMER_MISSING, INPUT_EXTRA } wrong_way;

static wrong_way way_of(const weft_rule_call *call, uint64_t index)
{
    return index == AT ? *(const wrong_way *)call->params : ALL_WELL;
}

/* Task i takes i of another source, or i - 1 of its own layer. */
static size_t stall_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    bool is_extra = way_of(call, index) == INPUT_EXTRA;
    intervals[0] = (weft_interval){index - call->on_itself, index - call->on_itself + 1};
    intervals[1] = (weft_interval){EXTRA, EXTRA + 1};
    return call->on_itself && index == 0 ? 0 : 1 + is_extra;
}

static size_t stall_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    intervals[0] = (weft_interval){index + call->on_itself, index + call->on_itself + 1};
    return intervals[0].end <= TASKS && way_of(call, index) != CONSUMER_MISSING;
}

WEFT_RULE(test_stall, stall_inputs, stall_consumers);

/* ---- graphs ---- */

typedef enum taken_by { BY_NOBODY, BY_LAYER, BY_LAYER_THAT_WAITS, BY_EXPLICIT } taken_by;

typedef struct stall_case {
    wrong_way way;
    bool on_itself;
    taken_by by;
    const char *task, *text;
} stall_case;

#define NOT_NAMED(task, source) "rule \"test_stall\" disagrees with its inverse: task " task " takes task " source ", which does not name it among its consumers"

static const stall_case stall_cases[] = {
    {CONSUMER_MISSING, false, BY_NOBODY, "taker 17", NOT_NAMED("taker 17", "giver 17")}, /* it waits for one thing, so it was never begun */
    {CONSUMER_MISSING, false, BY_LAYER_THAT_WAITS, "taker 17", NOT_NAMED("taker 17", "giver 17")},
    {CONSUMER_MISSING, true, BY_LAYER, "taker 18", NOT_NAMED("taker 18", "taker 17")},
    {INPUT_EXTRA, false, BY_LAYER, "taker 17", NOT_NAMED("taker 17", "giver 2")}, /* it waits */
    {INPUT_EXTRA, true, BY_LAYER_THAT_WAITS, "taker 17", NOT_NAMED("taker 17", "taker 2")},
    {CONSUMER_MISSING, false, BY_EXPLICIT, "taker 17", NOT_NAMED("taker 17", "giver 17")},
    {INPUT_EXTRA, true, BY_EXPLICIT, "taker 17", NOT_NAMED("taker 17", "taker 2")},
};

static weft_layer add_layer(weft_graph *graph, const weft_kernel *kernel, const char *name, const weft_dependency *dependencies, size_t count)
{
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer = {0};
    spec.name = name;
    spec.kernel = kernel;
    spec.dim_count = 1, spec.extents[0] = TASKS;
    spec.dependencies = dependencies, spec.dependency_count = count;
    if (weft_graph_add_layer(graph, &spec, &layer, NULL) != WEFT_OK) abort();
    return layer;
}

/* An explicit task that takes all of a layer, and one of its own. */
static weft_ref add_explicit(weft_graph *graph, weft_layer layer)
{
    weft_ref refs[TASKS + 1], root;
    for (uint64_t i = 0; i < TASKS; i++) refs[i] = weft_layer_output(layer, i, 0);
    if (weft_graph_add_task(graph, &stall_count_up_kernel, NULL, 0, NULL, 0, &refs[TASKS], NULL) != WEFT_OK) abort();
    if (weft_graph_add_task(graph, &stall_count_up_kernel, refs, TASKS + 1, NULL, 0, &root, NULL) != WEFT_OK) abort();
    return root;
}

static weft_graph *make_graph(const stall_case *c, weft_ref *root)
{
    weft_graph *graph;
    if (weft_graph_create(&graph, NULL) != WEFT_OK) abort();
    weft_layer giver = add_layer(graph, &stall_count_up_kernel, "giver", NULL, 0), last = giver;
    weft_dependency wrong = {.rule = &test_stall_rule, .on_itself = c->on_itself, .source = giver, .params = &c->way, .param_bytes = sizeof c->way};
    weft_layer taker = last = add_layer(graph, &stall_count_up_kernel, "taker", &wrong, 1);
    weft_dependency both[] = {{.rule = &weft_blockwise_rule, .source = taker}, {.rule = &weft_blockwise_rule, .source = giver}};
    if (c->by == BY_LAYER || c->by == BY_LAYER_THAT_WAITS)
        last = add_layer(graph, &stall_count_up_kernel, "last", both, c->by == BY_LAYER ? 1 : 2);
    *root = c->by == BY_EXPLICIT ? add_explicit(graph, last) : weft_layer_output(last, TASKS - 1, 0);
    return graph;
}

/* ---- sessions side by side ---- */

typedef struct rank_case {
    int ranks, threads;
    bool rank0_only_schedules;
    const char *setting;
} rank_case;

static const rank_case rank_cases[] = {
    {1, 0, false, "partition.move=off"}, {1, 1, false, "partition.move=off"}, {1, 3, false, "partition.move=off"},
    {2, 1, false, "partition.move=off"}, {2, 2, true, NULL}, {3, 1, true, "partition.move=off"}, {3, 2, false, "partition.move=random"},
    {3, 3, false, "partition.move=off"}, {3, 3, true, NULL},
};

typedef struct side {
    const rank_case *ranks;
    const char *setting;
    bool may_move;
    loopback_session *session;
    char wrong[1024]; /* empty: all was well */
} side;

static int rank_of(const side *s, int64_t index)
{
    int first = s->ranks->rank0_only_schedules ? 1 : 0, workers = s->ranks->ranks - first, worker = 0;
    for (int64_t end = 0; worker < workers; worker++) {
        end += TASKS / workers + (worker < TASKS % workers ? 1 : 0);
        if (index < end) break;
    }
    return first + worker;
}

static weft_status compute(side *s, const stall_case *c, weft_error *err)
{
    weft_ref root;
    weft_chunk *chunk = NULL;
    *err = (weft_error)WEFT_ERROR_INIT;
    weft_graph *graph = make_graph(c, &root);
    weft_status status = weft_compute(&s->session->session, graph, &root, 1, &chunk, err);
    weft_chunk_release(chunk);
    weft_graph_destroy(graph);
    return status;
}

static void compute_stalls(side *s)
{
    for (size_t k = 0; k < WEFT_COUNT_OF(stall_cases) && !*s->wrong; k++) {
        const stall_case *c = &stall_cases[k];
        stall_case well = *c;
        weft_error err;
        well.way = ALL_WELL;
        weft_status status = compute(s, c, &err);
        int rank = rank_of(s, atoi(strchr(c->task, ' ')));
        bool is_right = status == WEFT_EGRAPH && strcmp(err.task, c->task) == 0;
        if (s->may_move) /* also where the task is now, which has it waiting */
            is_right &= err.rank >= 0 && (strstr(err.text, c->text) || strstr(err.text, "waits for ever for task "));
        else
            is_right &= err.rank == rank && strstr(err.text, c->text);
        if (!is_right)
            snprintf(s->wrong, sizeof s->wrong, "case %zu: %s (rank %d for %d, task %s: %s)", k, weft_status_name(status), err.rank, rank, err.task, err.text);
        else if (compute(s, &well, &err) != WEFT_OK)
            snprintf(s->wrong, sizeof s->wrong, "the session does not go on after case %zu: %s", k, err.text);
    }
}

/* All but one thread of one rank waits; tasks by rule and explicit ones wait for it. */
static void compute_long_tasks(side *s)
{
    weft_graph *graph;
    weft_ref root;
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    if (weft_graph_create(&graph, NULL) != WEFT_OK) abort();
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer;
    spec.kernel = &stall_sleep_kernel;
    spec.dim_count = 1, spec.extents[0] = 9; /* one of them sleeps */
    if (weft_graph_add_layer(graph, &spec, &layer, NULL) != WEFT_OK) abort();
    weft_dependency all = {.rule = &weft_all_to_all_rule, .source = layer};
    root = add_explicit(graph, add_layer(graph, &stall_count_up_kernel, "after", &all, 1));
    if (weft_compute(&s->session->session, graph, &root, 1, &chunk, &err) != WEFT_OK) snprintf(s->wrong, sizeof s->wrong, "%s: %s", err.task, err.text);
    weft_chunk_release(chunk);
    weft_graph_destroy(graph);
}

static bool all_is_freed(loopback_session *s)
{
    for (int i = 0; i < 20000 && loopback_session_used_bytes(s) > 0; i++) {
        if (!wf_rank_step(s->session.rank)) nanosleep(&(struct timespec){0, 100000}, NULL);
    }
    return loopback_session_used_bytes(s) == 0;
}

static void run_side(side *s, void (*run)(side *s))
{
    loopback_options options = {.rank_count = s->ranks->ranks, .threads = s->ranks->threads, .rank0_only_schedules = s->ranks->rank0_only_schedules};
    options.settings[0] = s->setting ? s->setting : s->ranks->setting;
    s->session = loopback_session_create(&options);
    run(s);
    if (!all_is_freed(s->session) && !*s->wrong) snprintf(s->wrong, sizeof s->wrong, "chunks are left");
    if (loopback_session_destroy(s->session) != WEFT_OK && !*s->wrong) snprintf(s->wrong, sizeof s->wrong, "the session is broken");
}

static void *run_stalls(void *argument)
{
    run_side(argument, compute_stalls);
    return NULL;
}

static void *run_long_tasks(void *argument)
{
    run_side(argument, compute_long_tasks);
    return NULL;
}

static void run_side_by_side(void *(*run)(void *), const char *setting)
{
    static side sides[WEFT_COUNT_OF(rank_cases)];
    pthread_t threads[WEFT_COUNT_OF(rank_cases)];
    for (size_t i = 0; i < WEFT_COUNT_OF(rank_cases); i++) {
        const char *own = rank_cases[i].setting;
        sides[i] = (side){.ranks = &rank_cases[i], .setting = setting, .may_move = !setting && (!own || strcmp(own, "partition.move=off") != 0)};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, run, &sides[i]), 0);
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(rank_cases); i++) {
        pthread_join(threads[i], NULL);
        if (*sides[i].wrong) printf("%d ranks, %d threads: %s\n", rank_cases[i].ranks, rank_cases[i].threads, sides[i].wrong);
        CU_ASSERT_STRING_EQUAL(sides[i].wrong, "");
    }
}

/* ---- cases ---- */

static void rules_that_leave_tasks_waiting_end_the_compute_and_are_named(void)
{
    run_side_by_side(run_stalls, NULL);
}

static void checked_rules_are_named_before_anything_runs(void)
{
    run_side_by_side(run_stalls, "debug.check_rules=on");
}

static void long_tasks_are_not_taken_for_a_stall(void)
{
    run_side_by_side(run_long_tasks, NULL);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(rules_that_leave_tasks_waiting_end_the_compute_and_are_named),
        WEFT_TEST(checked_rules_are_named_before_anything_runs),
        WEFT_TEST(long_tasks_are_not_taken_for_a_stall),
    };
    return weft_test_run("client/stalls", cases, WEFT_COUNT_OF(cases));
}
