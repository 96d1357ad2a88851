/* Inputs of layers by rule that come as chunks, as failures, twice or never; the test is the owner, and plays the other rank. */
#include "exec/rule_graph.h"

#include <string.h>

#include "graph/layers_ship.h"
#include "weft_test.h"

/* Two givers on the other rank; two takers here, which take both. The pool has no threads. */
typedef struct fixture {
    weft_graph *graph;
    weft_layer giver, taker;
    wf_registry registry;
    wf_budget *budget;
    wf_pool *pool;
    wf_rule_graph *rules;
    weft_error error;
    uint64_t failed_ref;
    int failure_count, quiet_count, root_count;
    bool ended_graph, root_failed;
    int export_count;
    uint64_t exported_ref;
    weft_chunk *exported;
} fixture;

static weft_status run_step(weft_task *task, weft_error *err)
{
    return weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err) ? WEFT_OK : err->status;
}

static const weft_kernel step_kernel = {"step", run_step};

static void on_export(void *owner, uint64_t ref, weft_chunk *chunk, const uint32_t *partitions, uint32_t count, wf_thread *self)
{
    fixture *f = owner;
    (void)self;
    CU_ASSERT_FATAL(count == 1 && partitions[0] == 1 && f->export_count++ == 0);
    f->exported_ref = ref;
    f->exported = chunk;
    weft_chunk_retain(chunk);
}

static void on_import(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t partition, wf_thread *self)
{
    (void)owner, (void)ref, (void)chunk, (void)partition, (void)self;
    CU_FAIL("there is no explicit task");
}

static void on_root(void *owner, uint64_t ref, weft_chunk *chunk, uint32_t flags)
{
    fixture *f = owner;
    (void)ref, (void)flags;
    f->root_count++;
    f->root_failed = chunk == NULL;
}

static void on_task_failed(void *owner, uint64_t ref, const weft_error *error, bool ends_graph)
{
    fixture *f = owner;
    f->failure_count++;
    f->failed_ref = ref;
    f->error = *error;
    f->ended_graph = ends_graph;
}

static void on_quiet(void *keeper, uint64_t graph, wf_thread *self)
{
    (void)graph, (void)self;
    ((fixture *)keeper)->quiet_count++;
}

static const int32_t here[] = {0, 0}, elsewhere[] = {1, 1}; /* owners */

static weft_layer add_layer_taking(fixture *f, const char *name, const int32_t *ranks, const weft_dependency *dependencies, size_t count)
{
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer = {0};
    spec.name = name;
    spec.kernel = &step_kernel;
    spec.dim_count = 1, spec.extents[0] = 2;
    spec.dependencies = dependencies, spec.dependency_count = count;
    spec.owners = (weft_owner_map){.kind = WEFT_OWNER_GIVEN, .ranks = ranks};
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f->graph, &spec, &layer, NULL), WEFT_OK);
    return layer;
}

static weft_layer add_layer(fixture *f, const char *name, const int32_t *ranks, const weft_dependency *dependency)
{
    return add_layer_taking(f, name, ranks, dependency, dependency ? 1 : 0);
}

static void create_rules(fixture *f)
{
    static const wf_rule_graph_ops ops = {on_export, on_import, on_root, on_task_failed, on_quiet};
    static const weft_kernel *const kernels[] = {&step_kernel};
    weft_ref roots[] = {weft_layer_output(f->taker, 0, 0), weft_layer_output(f->taker, 1, 0)};
    wf_layers_shipment shipment;
    CU_ASSERT_EQUAL_FATAL(wf_layers_shipment_init(&shipment, f->graph, &(wf_plan){0}, roots, 2, 0, NULL), WEFT_OK);
    wf_rule_graph_options options = {.graph = 7, .rank = 3, .workers = 2, .per_worker = 1, .kernels = kernels, .kernel_count = 1,
                                     .registry = &f->registry, .pool = f->pool, .budget = f->budget, .ops = &ops, .owner = f, .keeper = f};
    CU_ASSERT_EQUAL_FATAL(wf_rule_graph_create(&options, shipment.bytes, shipment.size_bytes, &f->rules, NULL), WEFT_OK);
    shipment.bytes = NULL;
    wf_layers_shipment_fini(&shipment);
    CU_ASSERT_EQUAL_FATAL(wf_rule_graph_prepare(f->rules, false, 0, 1, &(uint64_t){0}, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_rule_graph_open(f->rules, 0, NULL), WEFT_OK);
}

static bool has_source(void *context)
{
    const fixture *f = context;
    return f->rules && wf_rule_graph_has_more(f->rules);
}

static wf_pool_item *find_source(void *context, wf_thread *self, bool before_stealing)
{
    wf_rule_batch batch;
    fixture *f = context;
    (void)before_stealing;
    while (has_source(f)) {
        if (wf_rule_graph_take(f->rules, 1, &batch)) return wf_rule_graph_start(f->rules, &batch, self);
    }
    return NULL;
}

static void init_parts(fixture *f)
{
    *f = (fixture){.error = WEFT_ERROR_INIT};
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f->graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&f->registry, WEFT_SECTIONS, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &f->budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_pool_create(&(wf_pool_options){.find_more = find_source, .has_more = has_source, .context = f}, &f->pool, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_pool_start(f->pool, NULL), WEFT_OK);
}

static void init(fixture *f)
{
    init_parts(f);
    f->giver = add_layer(f, "giver", elsewhere, NULL);
    f->taker = add_layer(f, "taker", here, &(weft_dependency){.rule = &weft_all_to_all_rule, .source = f->giver});
    create_rules(f);
}

/* Every chunk has been released, and once: a second time would be found by the sanitizer or take the budget below nothing. */
static void fini(fixture *f)
{
    wf_rule_graph_destroy(f->rules);
    wf_pool_destroy(f->pool);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f->budget), 0);
    wf_budget_release(f->budget);
    wf_registry_fini(&f->registry);
    weft_graph_destroy(f->graph);
}

/* The output of giver `index` comes from the other rank. */
static void give(fixture *f, uint64_t index, bool is_failed)
{
    weft_chunk *chunk = NULL;
    if (!is_failed) CU_ASSERT_EQUAL_FATAL(wf_chunk_create(f->budget, WEFT_U8, 1, (int64_t[]){100000}, &chunk, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_rule_graph_deliver(f->rules, 0, weft_layer_output(f->giver, index, 0).value, chunk, NULL, NULL), WEFT_OK);
    wf_pool_drain(f->pool);
}

static void tasks_run_when_all_inputs_have_come_and_fail_with_any(void)
{
    for (int failed = 0; failed < 4; failed++) { /* a bit for each giver */
        fixture f;
        init(&f);
        give(&f, 1, failed & 2);
        CU_ASSERT(f.root_count == 0 && wf_rule_graph_ended_count(f.rules) == 0);
        give(&f, 0, failed & 1);
        CU_ASSERT(f.root_count == 2 && wf_rule_graph_ended_count(f.rules) == 2);
        CU_ASSERT_EQUAL(f.root_failed, failed != 0);
        CU_ASSERT(f.failure_count == 0 && wf_rule_graph_is_quiet(f.rules));
        fini(&f);
    }
}

static void an_input_that_comes_twice_is_found_whether_it_failed_or_not(void)
{
    for (int way = 0; way < 4; way++) { /* a bit for each time */
        fixture f;
        init(&f);
        give(&f, 0, way & 1);
        give(&f, 0, way & 2);
        CU_ASSERT_EQUAL(f.failure_count, 2); /* one for each taker */
        CU_ASSERT(f.ended_graph && f.error.status == WEFT_EGRAPH && f.error.rank == 3);
        CU_ASSERT_PTR_NOT_NULL(strstr(f.error.text, "task giver 0 names task taker 1 as a consumer twice"));
        CU_ASSERT_STRING_EQUAL(f.error.task, "taker 1");
        CU_ASSERT_EQUAL(wf_rule_graph_ended_count(f.rules), 0); /* the other input has not come */
        wf_rule_graph_cancel(f.rules);
        CU_ASSERT_EQUAL(wf_rule_graph_ended_count(f.rules), 2);
        fini(&f);
    }
}

static void what_a_task_waits_for_is_what_has_not_come(void)
{
    for (int way = 0; way < 4; way++) { /* which one comes; whether it failed */
        fixture f;
        uint64_t ref = 0;
        weft_error error = WEFT_ERROR_INIT;
        init(&f);
        CU_ASSERT_FALSE(wf_rule_graph_describe_waiting(f.rules, &ref, &error));
        give(&f, way & 1, way & 2);
        CU_ASSERT(wf_rule_graph_describe_waiting(f.rules, &ref, &error));
        CU_ASSERT_EQUAL(ref, weft_layer_output(f.taker, 0, 0).value);
        CU_ASSERT_STRING_EQUAL(error.task, "taker 0");
        CU_ASSERT_EQUAL(error.rank, 3);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, way & 1 ? "waits for ever for task giver 0:" : "waits for ever for task giver 1:"));
        wf_rule_graph_cancel(f.rules);
        fini(&f);
    }
}

/* ---- a partition that is opened while an output is on its way to its consumers ---- */

static fixture *opening; /* by the second question for the consumers of task 0 */
static int asked_count;

static size_t same_index(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    intervals[0] = (weft_interval){index, index + 1};
    return 1;
}

static size_t same_index_and_open(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    if (opening && index == 0 && asked_count++ == 1) CU_ASSERT_EQUAL(wf_rule_graph_open(opening->rules, 1, NULL), WEFT_OK);
    return same_index(call, index, intervals);
}

WEFT_RULE(test_opens, same_index, same_index_and_open);

/* The first of two takers finds the partition unopened, so the output is exported to it as a whole; the second must not get it here, too. */
static void an_output_reaches_a_partition_that_is_opened_meanwhile_once(void)
{
    fixture f;
    init_parts(&f);
    f.giver = add_layer(&f, "giver", here, NULL);
    weft_dependency dependency = {.rule = &test_opens_rule, .source = f.giver};
    weft_layer other = add_layer(&f, "other", elsewhere, &dependency);
    weft_dependency both[] = {{.rule = &test_opens_rule, .source = f.giver}, {.rule = &weft_blockwise_rule, .source = other}};
    f.taker = add_layer_taking(&f, "taker", elsewhere, both, 2);
    create_rules(&f);
    opening = &f, asked_count = 0;
    wf_pool_drain(f.pool);
    opening = NULL;
    CU_ASSERT_EQUAL_FATAL(f.export_count, 1);
    CU_ASSERT_EQUAL(wf_rule_graph_deliver(f.rules, 1, f.exported_ref, f.exported, NULL, NULL), WEFT_OK);
    wf_pool_drain(f.pool);
    CU_ASSERT_EQUAL(f.failure_count, 0);
    CU_ASSERT_EQUAL(f.root_count, 2);
    CU_ASSERT_EQUAL(wf_rule_graph_ended_count(f.rules), 6);
    fini(&f);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(tasks_run_when_all_inputs_have_come_and_fail_with_any),
        WEFT_TEST(an_input_that_comes_twice_is_found_whether_it_failed_or_not),
        WEFT_TEST(what_a_task_waits_for_is_what_has_not_come),
        WEFT_TEST(an_output_reaches_a_partition_that_is_opened_meanwhile_once),
    };
    return weft_test_run("exec/rule_graph", cases, WEFT_COUNT_OF(cases));
}
