/* Counters, slots, failures and reuse of the partitions on one rank; the test is the owner, and plays the other ranks. */
#include "exec/local_graph.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/plan.h"
#include "weft_test.h"

enum { MAX_TASKS = 64, MAX_EVENTS = 256 };

typedef struct event {
    uint64_t ref;
    int64_t value; /* of the chunk's first element; -1: it failed */
    uint32_t partition;
} event;

typedef struct fixture {
    weft_graph *graph;
    wf_plan plan;
    uint32_t order[MAX_TASKS], partition[MAX_TASKS];
    wf_partition_set set;
    wf_budget *budget;
    wf_pool *pool;
    wf_local_graph *local;
    event roots[MAX_EVENTS], exports[MAX_EVENTS], failures[MAX_EVENTS];
    int root_count, export_count, failure_count;
    weft_error error; /* of the last failure */
    atomic_int ended_calls;
    weft_chunk *held; /* what find_held finds */
    bool delivers;    /* exports to partitions here; those that come early are kept in early */
    event early[MAX_EVENTS];
    weft_chunk *early_chunks[MAX_EVENTS];
    int early_count;
} fixture;

/* What a task found and did; its parameters point to it. */
typedef struct seen {
    const void *input, *output;
    int64_t runs;
} seen;

typedef struct sum_params {
    int64_t add;
    seen *seen;
    int64_t reuses;
} sum_params;

static weft_status run_sum(weft_task *task, weft_error *err)
{
    const sum_params *p = weft_task_params(task, NULL);
    int64_t sum = p->add;
    for (size_t i = 0; i < weft_task_input_count(task); i++) sum += *(const int64_t *)weft_task_input_data(task, i);
    const void *input = weft_task_input_data(task, 0);
    int64_t *out = p->reuses ? weft_task_reuse_input(task, 0, 0, err) : weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err);
    if (!out) return err->status;
    if (p->seen) *p->seen = (seen){input, out, p->seen->runs + 1};
    *out = sum;
    return WEFT_OK;
}

static weft_status run_fail(weft_task *task, weft_error *err)
{
    if (!weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err)) return err->status;
    return weft_fail(err, WEFT_EKERNEL, "no luck");
}

static weft_status run_wrong(weft_task *task, weft_error *err)
{
    (void)task;
    (void)err;
    return WEFT_OK; /* without its output */
}

static const weft_kernel sum_kernel = {"sum", run_sum}, fail_kernel = {"fail", run_fail}, wrong_kernel = {"wrong", run_wrong};

static int64_t value_of(const weft_chunk *chunk)
{
    return chunk ? *(const int64_t *)weft_chunk_data(chunk) : -1;
}

static void on_export(void *owner, uint64_t graph, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count,
                      wf_thread *self)
{
    fixture *f = owner;
    CU_ASSERT_EQUAL(graph, 7);
    for (uint32_t i = 0; i < count; i++) {
        f->exports[f->export_count++] = (event){ref, value_of(chunk), partitions[i]};
        if (!f->delivers) continue;
        if (chunk) weft_chunk_retain(chunk);
        if (wf_local_graph_has_partition(f->local, partitions[i])) {
            CU_ASSERT_EQUAL(wf_local_graph_deliver(f->local, partitions[i], ref, chunk, self, NULL), WEFT_OK);
        } else {
            f->early[f->early_count] = (event){ref, 0, partitions[i]};
            f->early_chunks[f->early_count++] = chunk;
        }
    }
}

static void on_root(void *owner, uint64_t graph, uint64_t ref, weft_chunk *chunk, uint32_t flags)
{
    fixture *f = owner;
    CU_ASSERT_EQUAL(graph, 7);
    CU_ASSERT_EQUAL(flags, WF_OUTPUT_GATHER);
    f->roots[f->root_count++] = (event){ref, value_of(chunk), 0};
}

static void on_failed(void *owner, uint64_t graph, uint64_t ref, const weft_error *error)
{
    fixture *f = owner;
    CU_ASSERT_EQUAL(graph, 7);
    f->failures[f->failure_count++] = (event){ref, 0, 0};
    f->error = *error;
}

static void on_all_ended(void *keeper, uint64_t graph, wf_thread *self)
{
    (void)self;
    CU_ASSERT_EQUAL(graph, 7);
    atomic_fetch_add(&((fixture *)keeper)->ended_calls, 1);
}

static weft_chunk *on_find_held(void *owner, uint64_t graph, uint64_t ref)
{
    fixture *f = owner;
    if (!f->held || graph != 3 || ref != 48) return NULL;
    weft_chunk_retain(f->held);
    return f->held;
}

static void open_fixture(fixture *f)
{
    memset(f, 0, sizeof *f);
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f->graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &f->budget, NULL), WEFT_OK);
    wf_pool_options pool = {.thread_count = 0};
    CU_ASSERT_EQUAL_FATAL(wf_pool_create(&pool, &f->pool, NULL), WEFT_OK);
}

static weft_ref add(fixture *f, const weft_kernel *kernel, const sum_params *params, size_t input_count, const weft_ref *inputs)
{
    weft_ref ref = {0, 0};
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_task(f->graph, kernel, inputs, input_count, params, sizeof *params, &ref, NULL), WEFT_OK);
    return ref;
}

static weft_ref add_sum(fixture *f, int64_t value, size_t input_count, const weft_ref *inputs)
{
    return add(f, &sum_kernel, &(sum_params){value, NULL, 0}, input_count, inputs);
}

static weft_ref add_watched(fixture *f, seen *watch, bool reuses, size_t input_count, const weft_ref *inputs)
{
    return add(f, &sum_kernel, &(sum_params){1, watch, reuses}, input_count, inputs);
}

/* Everything in partition 0 but what f->partition says; all tasks are needed. */
static void build(fixture *f, uint32_t partition_count, const weft_ref *roots, size_t root_count)
{
    static int32_t ranks[MAX_TASKS];
    size_t count = weft_graph_task_count(f->graph);
    for (uint32_t t = 0; t < count; t++) f->order[t] = t;
    f->plan = (wf_plan){count, count, f->order, f->partition, partition_count, 1, ranks, WF_CUT_GREEDY};
    CU_ASSERT_EQUAL_FATAL(wf_partition_set_init(&f->set, f->graph, &f->plan, 7, roots, root_count, WF_OUTPUT_GATHER, NULL), WEFT_OK);
    static const wf_local_graph_ops ops = {on_export, on_root, on_failed, on_all_ended, on_find_held};
    wf_local_graph_options options = {7, 5, f->graph->kernels, f->graph->kernel_count, f->pool, f->budget, &ops, f, f};
    CU_ASSERT_EQUAL_FATAL(wf_local_graph_create(&options, &f->local, NULL), WEFT_OK);
}

static void add_partition(fixture *f, uint32_t p)
{
    CU_ASSERT_EQUAL_FATAL(wf_local_graph_add(f->local, f->set.bytes[p], f->set.size_bytes[p], NULL, NULL), WEFT_OK);
    f->set.bytes[p] = NULL;
    for (int i = 0; i < f->early_count; i++) {
        if (f->early[i].partition != p || f->early[i].value) continue;
        f->early[i].value = 1;
        CU_ASSERT_EQUAL(wf_local_graph_deliver(f->local, p, f->early[i].ref, f->early_chunks[i], NULL, NULL), WEFT_OK);
    }
}

static void run_all(fixture *f, const weft_ref *roots, size_t root_count)
{
    build(f, 1, roots, root_count);
    add_partition(f, 0);
    wf_pool_drain(f->pool);
}

static void close_fixture(fixture *f, bool all_ended)
{
    if (all_ended) CU_ASSERT_EQUAL(wf_local_graph_ended_count(f->local), weft_graph_task_count(f->graph));
    wf_pool_destroy(f->pool);
    wf_local_graph_destroy(f->local);
    wf_partition_set_fini(&f->set);
    weft_graph_destroy(f->graph);
    weft_chunk_release(f->held);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f->budget), 0);
    wf_budget_release(f->budget);
}

static void a_diamond_runs_each_task_once_its_inputs_are_there(void)
{
    fixture f;
    open_fixture(&f);
    weft_ref a = add_sum(&f, 1, 0, NULL), b = add_sum(&f, 10, 1, &a), c = add_sum(&f, 100, 1, &a);
    weft_ref d = add_sum(&f, 1000, 4, (weft_ref[]){b, c, c, a});
    run_all(&f, &d, 1);
    CU_ASSERT_EQUAL_FATAL(f.root_count, 1);
    CU_ASSERT_EQUAL(f.roots[0].ref, d.value);
    CU_ASSERT_EQUAL(f.roots[0].value, 1000 + 11 + 101 + 101 + 1);
    CU_ASSERT_EQUAL(atomic_load(&f.ended_calls), 1);
    CU_ASSERT_EQUAL(f.failure_count + f.export_count, 0);
    close_fixture(&f, true);
}

static void a_failed_task_cancels_its_dependants_only(void)
{
    fixture f;
    seen dependant = {0}, other = {0};
    sum_params none = {0};
    open_fixture(&f);
    weft_ref a = add_sum(&f, 1, 0, NULL), bad = add(&f, &fail_kernel, &none, 1, &a);
    weft_ref c = add_watched(&f, &dependant, false, 2, (weft_ref[]){a, bad}), d = add_sum(&f, 1, 1, &c);
    weft_ref e = add_watched(&f, &other, false, 1, &a);
    run_all(&f, (weft_ref[]){d, e}, 2);
    CU_ASSERT_EQUAL(dependant.runs, 0);
    CU_ASSERT_EQUAL(other.runs, 1);
    CU_ASSERT_EQUAL_FATAL(f.failure_count, 1); /* the dependants' failures are not told */
    CU_ASSERT_EQUAL(f.failures[0].ref, bad.value);
    CU_ASSERT_EQUAL(f.error.status, WEFT_EKERNEL);
    CU_ASSERT_EQUAL(f.error.rank, 5);
    CU_ASSERT_STRING_EQUAL(f.error.task, "fail #1");
    CU_ASSERT_STRING_EQUAL(f.error.text, "no luck");
    CU_ASSERT_EQUAL(f.root_count, 2);
    for (int i = 0; i < 2; i++) CU_ASSERT_EQUAL(f.roots[i].value, f.roots[i].ref == e.value ? 2 : -1);
    close_fixture(&f, true);
}

static void a_failed_task_is_named_by_its_key_on_one_line(void)
{
    fixture f;
    weft_ref bad;
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = &fail_kernel;
    spec.key = "b\xc3\xa4" "d\n\x1b[31m(3)\x7f";
    open_fixture(&f);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add(f.graph, &spec, &bad, NULL), WEFT_OK);
    run_all(&f, &bad, 1);
    CU_ASSERT_EQUAL(f.failure_count, 1);
    CU_ASSERT_STRING_EQUAL(f.error.task, "fail b\xc3\xa4" "d  [31m(3) ");
    close_fixture(&f, true);
}

static void a_kernel_without_its_output_has_failed(void)
{
    fixture f;
    sum_params none = {0};
    open_fixture(&f);
    weft_ref a = add(&f, &wrong_kernel, &none, 0, NULL);
    run_all(&f, &a, 1);
    CU_ASSERT_EQUAL(f.failure_count, 1);
    CU_ASSERT_EQUAL(f.error.status, WEFT_EKERNEL);
    CU_ASSERT_EQUAL(f.roots[0].value, -1);
    close_fixture(&f, true);
}

static void an_input_is_reused_in_place_by_its_sole_consumer(void)
{
    fixture f;
    seen sole = {0}, next = {0};
    open_fixture(&f);
    weft_ref a = add_sum(&f, 1, 0, NULL), b = add_watched(&f, &sole, true, 1, &a), c = add_watched(&f, &next, true, 1, &b);
    run_all(&f, &c, 1);
    CU_ASSERT_PTR_EQUAL(sole.input, sole.output);
    CU_ASSERT_PTR_EQUAL(next.input, next.output);
    CU_ASSERT_EQUAL(f.roots[0].value, 3);
    close_fixture(&f, true);
}

static void an_input_that_somebody_else_needs_is_copied(void)
{
    fixture f;
    seen first = {0}, second = {0}, twice = {0};
    open_fixture(&f);
    f.held = NULL;
    weft_ref a = add_sum(&f, 5, 0, NULL), b = add_watched(&f, &first, true, 1, &a), c = add_watched(&f, &second, true, 1, &a);
    weft_ref d = add_watched(&f, &twice, true, 2, (weft_ref[]){b, b});
    run_all(&f, (weft_ref[]){c, d}, 2);
    CU_ASSERT_NOT_EQUAL(first.input == first.output, second.input == second.output); /* whoever comes last may have it */
    CU_ASSERT_PTR_NOT_EQUAL(twice.input, twice.output);
    for (int i = 0; i < f.root_count; i++) CU_ASSERT_EQUAL(f.roots[i].value, f.roots[i].ref == c.value ? 6 : 13);
    close_fixture(&f, true);
}

static void a_kept_result_is_an_output_and_never_reused_in_place(void)
{
    fixture f;
    seen consumer = {0};
    weft_ref held;
    open_fixture(&f);
    CU_ASSERT_EQUAL_FATAL(wf_chunk_create(f.budget, WEFT_I64, 1, (int64_t[]){1}, &f.held, NULL), WEFT_OK);
    *(int64_t *)wf_chunk_elements(f.held) = 40;
    CU_ASSERT_EQUAL_FATAL(wf_graph_add_held(f.graph, &(wf_held_source){3, 48, 5, 0}, 8, &held, NULL), WEFT_OK);
    weft_ref b = add_watched(&f, &consumer, true, 1, &held);
    run_all(&f, (weft_ref[]){held, b}, 2);
    CU_ASSERT_PTR_EQUAL(consumer.input, weft_chunk_data(f.held));
    CU_ASSERT_PTR_NOT_EQUAL(consumer.output, consumer.input);
    CU_ASSERT_EQUAL(value_of(f.held), 40);
    for (int i = 0; i < f.root_count; i++) CU_ASSERT_EQUAL(f.roots[i].value, f.roots[i].ref == b.value ? 41 : 40);
    close_fixture(&f, true);
}

static void a_kept_result_that_is_gone_fails(void)
{
    fixture f;
    weft_ref held;
    open_fixture(&f);
    CU_ASSERT_EQUAL_FATAL(wf_graph_add_held(f.graph, &(wf_held_source){3, 64, 5, 0}, 8, &held, NULL), WEFT_OK);
    weft_ref b = add_sum(&f, 1, 1, &held);
    run_all(&f, &b, 1);
    CU_ASSERT_EQUAL(f.failure_count, 1);
    CU_ASSERT_EQUAL(f.error.status, WEFT_EINVAL);
    CU_ASSERT_EQUAL(f.roots[0].value, -1);
    close_fixture(&f, true);
}

static void cancelled_tasks_end_without_running(void)
{
    fixture f;
    seen watched = {0};
    open_fixture(&f);
    weft_ref a = add_watched(&f, &watched, false, 0, NULL), b = add_watched(&f, &watched, false, 1, &a);
    build(&f, 1, &b, 1);
    add_partition(&f, 0);
    wf_local_graph_cancel(f.local, NULL);
    CU_ASSERT_EQUAL(wf_local_graph_ended_count(f.local), 0);
    wf_pool_drain(f.pool);
    CU_ASSERT_EQUAL(watched.runs, 0);
    CU_ASSERT_EQUAL(f.failure_count, 0);
    CU_ASSERT_EQUAL(f.roots[0].value, -1);
    CU_ASSERT_EQUAL(atomic_load(&f.ended_calls), 1);
    close_fixture(&f, true);
}

/* Task t of 12 takes tasks t-1 and t-2, and lies in partition t % 3. */
static void partitions_may_come_in_any_order_and_chunks_before_them(void)
{
    static const uint32_t sequences[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int s = 0; s < 6; s++) {
        for (int fails = 0; fails < 2; fails++) {
            fixture f;
            weft_ref refs[12];
            int64_t expected[12] = {1, 2};
            sum_params none = {0};
            open_fixture(&f);
            f.delivers = true;
            for (int t = 0; t < 12; t++) {
                f.partition[t] = (uint32_t)t % 3;
                if (t < 2)
                    refs[t] = add_sum(&f, t + 1, 0, NULL);
                else
                    refs[t] = add(&f, fails && t == 4 ? &fail_kernel : &sum_kernel, &none, 2, &refs[t - 2]);
                if (t >= 2) expected[t] = expected[t - 1] + expected[t - 2];
            }
            build(&f, 3, &refs[11], 1);
            for (int i = 0; i < 3; i++) {
                CU_ASSERT_FALSE(wf_local_graph_has_partition(f.local, sequences[s][i]));
                add_partition(&f, sequences[s][i]);
                CU_ASSERT(wf_local_graph_has_partition(f.local, sequences[s][i]));
                wf_pool_drain(f.pool);
            }
            CU_ASSERT_EQUAL_FATAL(f.root_count, 1);
            CU_ASSERT_EQUAL(f.roots[0].value, fails ? -1 : expected[11]);
            CU_ASSERT_EQUAL(f.failure_count, fails);
            CU_ASSERT(atomic_load(&f.ended_calls) >= 1);
            close_fixture(&f, true);
        }
    }
}

static void what_is_damaged_or_not_awaited_is_refused(void)
{
    fixture f;
    weft_error err = WEFT_ERROR_INIT;
    open_fixture(&f);
    weft_ref a = add_sum(&f, 1, 0, NULL), b = add_sum(&f, 1, 1, &a);
    f.partition[1] = 1;
    build(&f, 2, &b, 1);
    CU_ASSERT_EQUAL(wf_local_graph_add(f.local, f.set.bytes[1], f.set.size_bytes[1] - 8, NULL, &err), WEFT_EDATA);
    wf_partition view;
    CU_ASSERT_EQUAL_FATAL(wf_partition_view(f.set.bytes[1], f.set.size_bytes[1], &view, NULL), WEFT_OK);
    size_t at = (size_t)((const char *)view.tasks - (const char *)f.set.bytes[1]);
    wf_partition_task *task = (wf_partition_task *)((char *)f.set.bytes[1] + at);
    task->kernel = 9;
    CU_ASSERT_EQUAL(wf_local_graph_add(f.local, f.set.bytes[1], f.set.size_bytes[1], NULL, &err), WEFT_EDATA);
    task->kernel = 0;
    CU_ASSERT_EQUAL(wf_local_graph_deliver(f.local, 1, a.value, NULL, NULL, &err), WEFT_EDATA); /* it is not here */
    add_partition(&f, 1);
    CU_ASSERT_EQUAL(wf_local_graph_deliver(f.local, 1, b.value, NULL, NULL, &err), WEFT_EDATA); /* it does not need that */
    CU_ASSERT_EQUAL(wf_local_graph_deliver(f.local, 1, a.value, NULL, NULL, &err), WEFT_OK);
    wf_pool_drain(f.pool);
    CU_ASSERT_EQUAL(f.roots[0].value, -1);
    close_fixture(&f, false);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_diamond_runs_each_task_once_its_inputs_are_there),
        WEFT_TEST(a_failed_task_cancels_its_dependants_only),
        WEFT_TEST(a_failed_task_is_named_by_its_key_on_one_line),
        WEFT_TEST(a_kernel_without_its_output_has_failed),
        WEFT_TEST(an_input_is_reused_in_place_by_its_sole_consumer),
        WEFT_TEST(an_input_that_somebody_else_needs_is_copied),
        WEFT_TEST(a_kept_result_is_an_output_and_never_reused_in_place),
        WEFT_TEST(a_kept_result_that_is_gone_fails),
        WEFT_TEST(cancelled_tasks_end_without_running),
        WEFT_TEST(partitions_may_come_in_any_order_and_chunks_before_them),
        WEFT_TEST(what_is_damaged_or_not_awaited_is_refused),
    };
    return weft_test_run("exec/local_graph", cases, WEFT_COUNT_OF(cases));
}
