/* Credit, on a worker driven by hand as rank 1: the test plays rank 0, and the consumers on rank 2, who never answer by themselves. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cluster/worker.h"
#include "graph/layers_ship.h"
#include "graph/partition.h"
#include "transport/loopback.h"
#include "weft_test.h"
#include <weft/weft.h>

enum { RANKS = 3, TASKS = 20000, PARTITIONS = 2, GRAPH = 7 };

/* Layer `first` is all on rank 1, its consumers are all on rank 2. */
typedef struct fixture {
    wf_loopback *loopback;
    wf_budget *budget;
    wf_transport *transports[RANKS];
    wf_registry registry;
    wf_worker *worker;
    weft_graph *graph;
    weft_ref root;
    wf_plan plan;
    wf_partition_set set;
    wf_layers_shipment layers;
    int data_count;           /* that rank 2 has seen */
    int broken_count;
    wf_answer_message answer; /* the last one */
} fixture;

WEFT_KERNEL(one)
{
    int64_t *out = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!out) return err->status;
    *out = 1;
    return WEFT_OK;
}

static void on_rank0(void *context, wf_message *message, void *poller)
{
    fixture *f = context;
    (void)poller;
    if (message->type == WF_MSG_ANSWER) memcpy(&f->answer, message->body, sizeof f->answer);
    f->broken_count += message->type == WF_MSG_BROKEN;
}

static void on_rank1(void *context, wf_message *message, void *poller)
{
    wf_worker_handle(((fixture *)context)->worker, message, poller);
}

static void on_rank2(void *context, wf_message *message, void *poller)
{
    fixture *f = context;
    (void)poller;
    f->data_count += message->type == WF_MSG_DATA;
}

static void build(fixture *f)
{
    static int32_t ranks[TASKS];
    const wf_plan_worker workers[] = {{1, 1}, {2, 1}};
    const wf_plan_options plan = {workers, 2, 1, WF_CUT_GREEDY};
    weft_layer first, second;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    for (int i = 0; i < TASKS; i++) ranks[i] = 0;
    spec.kernel = &one_kernel;
    spec.dim_count = 1, spec.extents[0] = TASKS;
    spec.owners = (weft_owner_map){.kind = WEFT_OWNER_GIVEN, .ranks = ranks};
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f->graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f->graph, &spec, &first, NULL), WEFT_OK);
    for (int i = 0; i < TASKS; i++) ranks[i] = 1;
    weft_dependency dependency = {.rule = &weft_blockwise_rule, .source = first};
    spec.dependencies = &dependency, spec.dependency_count = 1;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(f->graph, &spec, &second, NULL), WEFT_OK);
    f->root = weft_layer_output(second, 0, 0);
    CU_ASSERT_EQUAL_FATAL(wf_plan_init(&f->plan, f->graph, &f->root, 1, &plan, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_partition_set_init(&f->set, f->graph, &f->plan, GRAPH, &f->root, 1, WF_OUTPUT_GATHER, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_layers_shipment_init(&f->layers, f->graph, &f->plan, &f->root, 1, WF_OUTPUT_GATHER, NULL), WEFT_OK);
}

static void deliver_all(fixture *f)
{
    for (int i = 0; i < 2; i++) {
        for (int r = 0; r < RANKS; r++) wf_transport_poll(f->transports[r], NULL);
    }
}

static void tell(fixture *f, int from, uint32_t type, const void *body, size_t bytes)
{
    wf_message message = {.type = type, .body_bytes = bytes, .body = wf_aligned_alloc(1, bytes, NULL)};
    memcpy(message.body, body, bytes);
    CU_ASSERT_EQUAL(wf_transport_send(f->transports[from], 1, &message, NULL), WEFT_OK);
    deliver_all(f);
}

static void tell_graph(fixture *f, bool may_move)
{
    static const char name[] = "one";
    size_t at = wf_graph_message_layers_at(sizeof name), bytes = at + f->layers.size_bytes;
    wf_graph_message *body = calloc(1, bytes);
    *body = (wf_graph_message){GRAPH, PARTITIONS, 1, 1, 1, may_move, 1, sizeof name, f->layers.size_bytes};
    memcpy(body + 1, name, sizeof name);
    memcpy((char *)body + at, f->layers.bytes, f->layers.size_bytes);
    tell(f, 0, WF_MSG_GRAPH, body, bytes);
    free(body);
    tell(f, 0, WF_MSG_PARTITION, f->set.bytes[0], f->set.size_bytes[0]);
}

static void open_fixture(fixture *f)
{
    static wf_message_handler *const handlers[RANKS] = {on_rank0, on_rank1, on_rank2};
    memset(f, 0, sizeof *f);
    CU_ASSERT_EQUAL_FATAL(wf_loopback_create(RANKS, &f->loopback, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &f->budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&f->registry, WEFT_SECTIONS, NULL), WEFT_OK);
    for (int r = 0; r < RANKS; r++) CU_ASSERT_EQUAL_FATAL(wf_loopback_open(f->loopback, r, f->budget, &f->transports[r], NULL), WEFT_OK);
    wf_worker_options options = {.transport = f->transports[1], .budget = f->budget, .registry = &f->registry};
    CU_ASSERT_EQUAL_FATAL(wf_worker_create(&options, &f->worker, NULL), WEFT_OK);
    for (int r = 0; r < RANKS; r++) wf_transport_set_handler(f->transports[r], handlers[r], f);
    build(f);
}

static void close_fixture(fixture *f)
{
    CU_ASSERT_EQUAL(f->broken_count, 0);
    wf_worker_destroy(f->worker);
    for (int r = 0; r < RANKS; r++) wf_transport_destroy(f->transports[r]);
    wf_loopback_destroy(f->loopback);
    wf_layers_shipment_fini(&f->layers);
    wf_partition_set_fini(&f->set);
    wf_plan_fini(&f->plan);
    weft_graph_destroy(f->graph);
    wf_registry_fini(&f->registry);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f->budget), 0);
    wf_budget_release(f->budget);
}

static void let_it_work(fixture *f)
{
    wf_pool_drain(wf_worker_pool(f->worker));
    deliver_all(f);
}

/* That it is not it says only after some ticks. */
static bool says_it_is_idle(fixture *f)
{
    f->answer.graph = 0;
    tell(f, 0, WF_MSG_PROBE, &(wf_ref_message){GRAPH, 1}, sizeof(wf_ref_message));
    for (int i = 0; i < 20 && f->answer.graph != GRAPH; i++) {
        wf_worker_tick(f->worker);
        deliver_all(f);
    }
    CU_ASSERT_EQUAL(f->answer.graph, GRAPH);
    return f->answer.is_idle;
}

static void give_credit(fixture *f, int count)
{
    tell(f, 2, WF_MSG_CREDIT, &(wf_ref_message){GRAPH, (uint64_t)count}, sizeof(wf_ref_message));
    let_it_work(f);
}

/* A compute in which ranks wait for credit is not stalled, though nobody has anything to run. */
static void who_waits_for_credit_does_not_say_it_is_idle(void)
{
    fixture f;
    open_fixture(&f);
    tell_graph(&f, false);
    let_it_work(&f);
    int sent = f.data_count;
    CU_ASSERT(sent > 0 && sent < TASKS);
    CU_ASSERT_FALSE(says_it_is_idle(&f));
    while (f.data_count < TASKS && sent > 0) {
        int before = f.data_count;
        give_credit(&f, sent);
        sent = f.data_count - before;
    }
    CU_ASSERT_EQUAL(f.data_count, TASKS);
    let_it_work(&f);
    CU_ASSERT(says_it_is_idle(&f));
    close_fixture(&f);
}

/* TAKE is counted as sent, but credited by nobody. */
static void a_partition_given_away_takes_no_credit(void)
{
    fixture f;
    int data_counts[2];
    for (int moves = 0; moves < 2; moves++) {
        open_fixture(&f);
        tell_graph(&f, true);
        for (uint32_t m = 1; moves && m < 200; m += 2) { /* it goes, and comes back */
            struct {
                wf_moved_message body;
                wf_moved_partition partition;
            } back = {{GRAPH, 1, 0}, {0, m + 1, 1, 0, TASKS}};
            tell(&f, 0, WF_MSG_GIVE, &(wf_give_message){.graph = GRAPH, .to = 2, .most = 1}, sizeof(wf_give_message));
            tell(&f, 2, WF_MSG_TAKE, &back, sizeof back);
            tell(&f, 2, WF_MSG_PARTITION, f.set.bytes[0], f.set.size_bytes[0]);
        }
        let_it_work(&f);
        data_counts[moves] = f.data_count;
        close_fixture(&f);
    }
    CU_ASSERT_EQUAL(data_counts[0], data_counts[1]);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(who_waits_for_credit_does_not_say_it_is_idle),
        WEFT_TEST(a_partition_given_away_takes_no_credit),
    };
    return weft_test_run("cluster/worker_credit", cases, WEFT_COUNT_OF(cases));
}
