/* A worker driven by hand, as rank 1: the test plays rank 0, and the other worker on rank 2. Its pool has no threads, so that a partition
 * stays unopened until the test lets it work. */
#include "cluster/worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/partition.h"
#include "graph/plan.h"
#include "transport/loopback.h"
#include "weft_test.h"

enum { RANKS = 3, TASKS = 4, MAX_SEEN = 64 };

typedef struct seen {
    uint32_t type;
    union {
        uint64_t graph; /* the first member of all but partitions */
        wf_ref_message ref;
        wf_data_message data;
        wf_progress_message progress;
        wf_moved_message moved;
    } body;
    wf_moved_partition partition; /* the first, of MOVED and TAKE */
    uint32_t number;              /* of the partition in PARTITION, or the first in DATA */
    int64_t value;                /* of the chunk; -1: none */
} seen;

/* Four tasks, each in a partition of its own, the first two on rank 1, the others on rank 2; the last one needs the third and the first. */
typedef struct fixture {
    wf_loopback *loopback;
    wf_budget *budget;
    wf_transport *transports[RANKS];
    wf_registry registry;
    wf_worker *worker;
    seen seen[RANKS][MAX_SEEN];
    int seen_count[RANKS];
    weft_graph *graph;
    weft_ref refs[TASKS];
    wf_plan plan;
    wf_partition_set set;
} fixture;

WEFT_KERNEL(plus_ten)
{
    int64_t *sum = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!sum) return err->status;
    *sum = 10;
    for (size_t i = 0; i < weft_task_input_count(task); i++) *sum += *(const int64_t *)weft_task_input_data(task, i);
    return WEFT_OK;
}

static void note_seen(fixture *f, int rank, const wf_message *message)
{
    CU_ASSERT_FATAL(f->seen_count[rank] < MAX_SEEN);
    seen *s = &f->seen[rank][f->seen_count[rank]++];
    size_t bytes = message->body_bytes < sizeof s->body ? message->body_bytes : sizeof s->body;
    s->type = message->type;
    s->value = message->chunk ? *(const int64_t *)weft_chunk_data(message->chunk) : -1;
    memcpy(&s->body, message->body, bytes);
    if (message->type == WF_MSG_PARTITION) s->number = ((const wf_partition_header *)message->body)->partition;
    if (message->type == WF_MSG_DATA) memcpy(&s->number, (const char *)message->body + sizeof(wf_data_message), sizeof s->number);
    if (message->body_bytes > sizeof(wf_moved_message) && (message->type == WF_MSG_MOVED || message->type == WF_MSG_TAKE))
        memcpy(&s->partition, (const char *)message->body + sizeof(wf_moved_message), sizeof s->partition);
}

static void on_rank0(void *context, wf_message *message, void *poller)
{
    (void)poller;
    note_seen(context, 0, message);
}

static void on_rank1(void *context, wf_message *message, void *poller)
{
    wf_worker_handle(((fixture *)context)->worker, message, poller);
}

static void on_rank2(void *context, wf_message *message, void *poller)
{
    (void)poller;
    note_seen(context, 2, message);
}

static void open_fixture(fixture *f)
{
    static wf_message_handler *const handlers[RANKS] = {on_rank0, on_rank1, on_rank2};
    const wf_plan_worker workers[] = {{1, 1}, {2, 1}};
    const wf_plan_options plan = {workers, 2, 2, WF_CUT_GREEDY};
    memset(f, 0, sizeof *f);
    CU_ASSERT_EQUAL_FATAL(wf_loopback_create(RANKS, &f->loopback, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &f->budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&f->registry, WEFT_SECTIONS, NULL), WEFT_OK);
    for (int r = 0; r < RANKS; r++) CU_ASSERT_EQUAL_FATAL(wf_loopback_open(f->loopback, r, f->budget, &f->transports[r], NULL), WEFT_OK);
    wf_worker_options options = {.transport = f->transports[1], .budget = f->budget, .registry = &f->registry};
    CU_ASSERT_EQUAL_FATAL(wf_worker_create(&options, &f->worker, NULL), WEFT_OK);
    for (int r = 0; r < RANKS; r++) wf_transport_set_handler(f->transports[r], handlers[r], f);

    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f->graph, NULL), WEFT_OK);
    for (int t = 0; t < TASKS; t++) {
        weft_ref inputs[2] = {f->refs[2], f->refs[0]};
        weft_graph_add_task(f->graph, &plus_ten_kernel, inputs, t == 3 ? 2 : 0, NULL, 0, &f->refs[t], NULL);
    }
    CU_ASSERT_EQUAL_FATAL(wf_plan_init(&f->plan, f->graph, f->refs, TASKS, &plan, NULL), WEFT_OK);
    for (uint32_t t = 0; t < TASKS; t++) CU_ASSERT_EQUAL_FATAL(f->plan.partition[t], t);
    CU_ASSERT_EQUAL_FATAL(wf_partition_set_init(&f->set, f->graph, &f->plan, 7, f->refs, TASKS, WF_OUTPUT_GATHER, NULL), WEFT_OK);
}

static void close_fixture(fixture *f)
{
    wf_worker_destroy(f->worker);
    for (int r = 0; r < RANKS; r++) wf_transport_destroy(f->transports[r]);
    wf_loopback_destroy(f->loopback);
    wf_partition_set_fini(&f->set);
    wf_plan_fini(&f->plan);
    weft_graph_destroy(f->graph);
    wf_registry_fini(&f->registry);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f->budget), 0);
    wf_budget_release(f->budget);
}

static void deliver_all(fixture *f)
{
    for (int i = 0; i < 2; i++) {
        for (int r = 0; r < RANKS; r++) wf_transport_poll(f->transports[r], NULL);
    }
}

static void let_it_work(fixture *f)
{
    wf_pool_drain(wf_worker_pool(f->worker));
    deliver_all(f);
}

static void tell(fixture *f, int from, uint32_t type, const void *body, size_t bytes, weft_chunk *chunk)
{
    wf_message message = {.type = type, .body_bytes = bytes, .chunk = chunk, .body = wf_aligned_alloc(1, bytes, NULL)};
    memcpy(message.body, body, bytes);
    CU_ASSERT_EQUAL(wf_transport_send(f->transports[from], 1, &message, NULL), WEFT_OK);
    deliver_all(f);
}

static void tell_graph(fixture *f)
{
    static const char name[] = "plus_ten";
    struct {
        wf_graph_message body;
        char name[16]; /* up to the boundary that layers by rule would begin on */
    } message = {{7, TASKS, 1, 1, 2, 1, 2, sizeof name, 0}, "plus_ten"};
    tell(f, 0, WF_MSG_GRAPH, &message, wf_graph_message_layers_at(sizeof name), NULL);
}

static void tell_partition(fixture *f, int from, uint32_t partition)
{
    tell(f, from, WF_MSG_PARTITION, f->set.bytes[partition], f->set.size_bytes[partition], NULL);
}

static void tell_moved(fixture *f, int from, uint32_t type, uint32_t partition, uint32_t moves, int rank)
{
    struct {
        wf_moved_message body;
        wf_moved_partition partition;
    } message = {{7, 1, 0}, {partition, moves, rank, 0, 1}};
    tell(f, from, type, &message, sizeof message, NULL);
}

static void tell_data(fixture *f, int task, uint32_t partition, uint32_t moves, int64_t value)
{
    struct {
        wf_data_message body;
        uint32_t partition;
    } message = {{7, f->refs[task].value, 1, moves}, partition};
    weft_chunk *chunk;
    CU_ASSERT_EQUAL_FATAL(wf_chunk_create(f->budget, WEFT_I64, 0, NULL, &chunk, NULL), WEFT_OK);
    *(int64_t *)wf_chunk_elements(chunk) = value;
    tell(f, 2, WF_MSG_DATA, &message, sizeof message.body + sizeof message.partition, chunk);
}

static void tell_give(fixture *f, uint32_t most)
{
    tell(f, 0, WF_MSG_GIVE, &(wf_give_message){.graph = 7, .to = 2, .most = most}, sizeof(wf_give_message), NULL);
}

static void tell_ref(fixture *f, uint32_t type)
{
    tell(f, 0, type, &(wf_ref_message){7, 0}, sizeof(wf_ref_message), NULL);
}

static const seen *find_seen(const fixture *f, int rank, uint32_t type)
{
    for (int i = 0; i < f->seen_count[rank]; i++) {
        if (f->seen[rank][i].type == type) return &f->seen[rank][i];
    }
    return NULL;
}

static uint64_t ended(const fixture *f)
{
    uint64_t count = 0;
    for (int i = 0; i < f->seen_count[0]; i++) {
        if (f->seen[0][i].type == WF_MSG_PROGRESS) count = f->seen[0][i].body.progress.ended;
    }
    return count;
}

static int64_t root_value(const fixture *f, int task)
{
    for (int i = 0; i < f->seen_count[0]; i++) {
        if (f->seen[0][i].type == WF_MSG_ROOT && f->seen[0][i].body.ref.ref == f->refs[task].value) return f->seen[0][i].value;
    }
    return -1;
}

static void begin(fixture *f)
{
    open_fixture(f);
    tell_graph(f);
    tell_partition(f, 0, 0);
    tell_partition(f, 0, 1);
}

static void own_partitions_run_and_outputs_go_where_they_are_needed(void)
{
    fixture f;
    begin(&f);
    CU_ASSERT(f.seen_count[0] == 0 && f.seen_count[2] == 0);
    let_it_work(&f);
    CU_ASSERT(root_value(&f, 0) == 10 && root_value(&f, 1) == 10);
    CU_ASSERT_EQUAL(ended(&f), 2);
    const seen *data = find_seen(&f, 2, WF_MSG_DATA);
    CU_ASSERT(data && data->number == 3 && data->value == 10 && data->body.data.moves == 0);
    tell_ref(&f, WF_MSG_FORGET);
    CU_ASSERT_PTR_NULL(find_seen(&f, 0, WF_MSG_BROKEN));
    close_fixture(&f);
}

static void progress_is_told_when_all_partitions_are_through(void)
{
    fixture f;
    begin(&f);
    let_it_work(&f);
    for (int i = 0; i < f.seen_count[0]; i++) CU_ASSERT(f.seen[0][i].type != WF_MSG_PROGRESS || f.seen[0][i].body.progress.ended == 2);
    close_fixture(&f);
}

static void what_other_workers_send_before_graph_waits_for_it(void)
{
    fixture f;
    open_fixture(&f);
    tell_data(&f, 2, 3, 1, 100);
    tell_moved(&f, 2, WF_MSG_TAKE, 3, 1, 1);
    tell_partition(&f, 2, 3);
    let_it_work(&f);
    CU_ASSERT_EQUAL(f.seen_count[0], 0);
    tell_graph(&f);
    tell_partition(&f, 0, 0);
    tell_partition(&f, 0, 1);
    let_it_work(&f);
    CU_ASSERT_EQUAL(ended(&f), 3);
    CU_ASSERT_EQUAL(root_value(&f, 3), 120);
    CU_ASSERT_PTR_NULL(find_seen(&f, 2, WF_MSG_DATA)); /* the third partition's input stays here */
    close_fixture(&f);
}

static void an_unopened_partition_is_given_with_its_late_chunks(void)
{
    fixture f;
    open_fixture(&f);
    tell_graph(&f);
    tell_partition(&f, 0, 0);
    tell_partition(&f, 0, 1);
    tell_give(&f, 5); /* both, the last first */
    CU_ASSERT_EQUAL_FATAL(f.seen_count[2], 3);
    CU_ASSERT(f.seen[2][0].type == WF_MSG_TAKE && f.seen[2][0].body.moved.partition_count == 2);
    CU_ASSERT(f.seen[2][0].partition.partition == 1 && f.seen[2][0].partition.moves == 1 && f.seen[2][0].partition.rank == 2);
    CU_ASSERT(f.seen[2][1].type == WF_MSG_PARTITION && f.seen[2][1].number == 1);
    CU_ASSERT(f.seen[2][2].type == WF_MSG_PARTITION && f.seen[2][2].number == 0);
    const seen *moved = find_seen(&f, 0, WF_MSG_MOVED);
    CU_ASSERT(moved && moved->body.moved.partition_count == 2 && moved->partition.task_count == 1);
    tell_data(&f, 2, 1, 0, 5); /* no such import, but it is the new owner's to say so */
    CU_ASSERT_EQUAL_FATAL(f.seen_count[2], 4);
    CU_ASSERT(f.seen[2][3].type == WF_MSG_DATA && f.seen[2][3].value == 5 && f.seen[2][3].body.data.moves == 1);
    let_it_work(&f);
    CU_ASSERT_EQUAL(ended(&f), 0);
    tell_give(&f, 5);
    CU_ASSERT_EQUAL(f.seen[0][f.seen_count[0] - 1].type, WF_MSG_MOVED); /* answered, with nothing */
    CU_ASSERT_EQUAL(f.seen[0][f.seen_count[0] - 1].body.moved.partition_count, 0);
    close_fixture(&f);
}

static void giving_the_last_partition_away_tells_that_all_here_has_ended(void)
{
    fixture f;
    open_fixture(&f);
    tell_graph(&f);
    tell_partition(&f, 0, 0);
    let_it_work(&f);
    CU_ASSERT_EQUAL(ended(&f), 0); /* another one is coming */
    tell_partition(&f, 0, 1);
    tell_give(&f, 1);
    CU_ASSERT_EQUAL(ended(&f), 1);
    close_fixture(&f);
}

static void an_overlay_sends_outputs_straight_to_the_new_owner(void)
{
    fixture f;
    begin(&f);
    tell_moved(&f, 0, WF_MSG_OVERLAY, 3, 2, 0); /* as if rank 0 computed, too */
    let_it_work(&f);
    CU_ASSERT_PTR_NULL(find_seen(&f, 2, WF_MSG_DATA));
    const seen *data = find_seen(&f, 0, WF_MSG_DATA);
    CU_ASSERT(data && data->number == 3 && data->body.data.moves == 2);
    close_fixture(&f);
}

static void a_partition_that_comes_after_cancel_ends_without_running(void)
{
    fixture f;
    begin(&f);
    tell_ref(&f, WF_MSG_CANCEL);
    tell_moved(&f, 2, WF_MSG_TAKE, 3, 1, 1);
    tell_partition(&f, 2, 3);
    tell_data(&f, 2, 3, 1, 100);
    let_it_work(&f);
    CU_ASSERT_EQUAL(ended(&f), 3);
    CU_ASSERT_PTR_NULL(find_seen(&f, 0, WF_MSG_ROOT));
    close_fixture(&f);
}

static void what_comes_for_a_cancelled_graph_after_it_is_forgotten_is_dropped(void)
{
    fixture f;
    begin(&f);
    tell_ref(&f, WF_MSG_CANCEL);
    let_it_work(&f);
    tell_ref(&f, WF_MSG_FORGET);
    uint64_t used = wf_budget_used_bytes(f.budget);
    tell_data(&f, 2, 1, 0, 5);
    tell_moved(&f, 2, WF_MSG_TAKE, 3, 1, 1);
    tell_partition(&f, 2, 3);
    tell_data(&f, 2, 3, 1, 5);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), used);
    tell_ref(&f, WF_MSG_FORGET); /* harmless */
    tell_ref(&f, WF_MSG_CANCEL);
    let_it_work(&f);
    CU_ASSERT_PTR_NULL(find_seen(&f, 0, WF_MSG_BROKEN));
    close_fixture(&f);
}

/* Partition 0 has a task, partition 1 has none, as in graphs with layers by rule. */
static void begin_with_an_empty_partition(fixture *f)
{
    wf_partition_header header = {.magic = WF_PARTITION_MAGIC, .graph = 7, .partition = 1, .key_bytes = 1};
    size_t size_bytes = wf_partition_layout_of(&header).size_bytes;
    char bytes[256] = {0};
    CU_ASSERT_FATAL(size_bytes <= sizeof bytes);
    memcpy(bytes, &header, sizeof header);
    open_fixture(f);
    tell_graph(f);
    tell_partition(f, 0, 0);
    tell(f, 0, WF_MSG_PARTITION, bytes, size_bytes, NULL);
}

/* Its end is no part of the graph's, so nothing may be sent for its sake. */
static void a_partition_without_tasks_is_not_given(void)
{
    fixture f;
    begin_with_an_empty_partition(&f);
    tell(&f, 0, WF_MSG_GIVE, &(wf_give_message){.graph = 7, .to = 2, .most = 5, .may_be_stuck = 1}, sizeof(wf_give_message), NULL);
    const seen *moved = find_seen(&f, 0, WF_MSG_MOVED);
    CU_ASSERT(moved && moved->body.moved.partition_count == 1 && moved->partition.partition == 0);
    CU_ASSERT_EQUAL(f.seen_count[2], 2); /* TAKE and PARTITION */
    CU_ASSERT_PTR_NULL(find_seen(&f, 0, WF_MSG_BROKEN));
    close_fixture(&f);
}

static void a_partition_without_tasks_does_not_keep_progress_from_being_told(void)
{
    fixture f;
    begin_with_an_empty_partition(&f);
    let_it_work(&f);
    CU_ASSERT_EQUAL(ended(&f), 1); /* at once, without a tick */
    CU_ASSERT_PTR_NULL(find_seen(&f, 0, WF_MSG_BROKEN));
    close_fixture(&f);
}

static void damaged_messages_are_reported(void)
{
    const wf_graph_message graph = {8, TASKS, 1, 1, 2, 1, 2, sizeof graph, 0};
    for (int i = 0; i < 8; i++) {
        fixture f;
        begin(&f);
        switch (i) {
        case 0: tell(&f, 0, WF_MSG_GIVE, &(uint64_t){7}, sizeof(uint64_t), NULL); break;
        case 1: tell(&f, 0, WF_MSG_GIVE, &(wf_give_message){.graph = 7, .to = RANKS, .most = 1}, sizeof(wf_give_message), NULL); break;
        case 2: tell(&f, 2, WF_MSG_TAKE, &(wf_moved_message){7, 1000, 0}, sizeof(wf_moved_message), NULL); break;
        case 3: tell_moved(&f, 2, WF_MSG_TAKE, 3, 1, 2); break; /* for somebody else */
        case 4: tell_moved(&f, 0, WF_MSG_OVERLAY, TASKS, 1, 2); break;
        case 5: tell(&f, 0, WF_MSG_GRAPH, &graph, sizeof graph, NULL); break; /* names beyond its end, */
        case 6: tell(&f, 0, WF_MSG_GRAPH, &(wf_graph_message){8, 1, 0, 1, 2, 1, 2, 0, 0}, sizeof graph, NULL); break; /* less than a rank's share */
        default: tell(&f, 0, WF_MSG_TAKE, &(uint32_t){7}, sizeof(uint32_t), NULL); break;
        }
        CU_ASSERT_PTR_NOT_NULL(find_seen(&f, 0, WF_MSG_BROKEN));
        close_fixture(&f);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(own_partitions_run_and_outputs_go_where_they_are_needed),
        WEFT_TEST(progress_is_told_when_all_partitions_are_through),
        WEFT_TEST(what_other_workers_send_before_graph_waits_for_it),
        WEFT_TEST(an_unopened_partition_is_given_with_its_late_chunks),
        WEFT_TEST(giving_the_last_partition_away_tells_that_all_here_has_ended),
        WEFT_TEST(an_overlay_sends_outputs_straight_to_the_new_owner),
        WEFT_TEST(a_partition_that_comes_after_cancel_ends_without_running),
        WEFT_TEST(what_comes_for_a_cancelled_graph_after_it_is_forgotten_is_dropped),
        WEFT_TEST(a_partition_without_tasks_is_not_given),
        WEFT_TEST(a_partition_without_tasks_does_not_keep_progress_from_being_told),
        WEFT_TEST(damaged_messages_are_reported),
    };
    return weft_test_run("cluster/worker", cases, WEFT_COUNT_OF(cases));
}
