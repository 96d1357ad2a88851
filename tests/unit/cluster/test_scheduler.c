/* The scheduler driven by hand: the test plays the workers on ranks 1 and 2, and the clock. */
#include "cluster/scheduler.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/plan.h"
#include "transport/loopback.h"
#include "weft_test.h"

enum { RANKS = 3, TASKS = 6, MAX_SEEN = 64 };
#define SECONDS INT64_C(1000000000)
#define LOST_AFTER (10 * SECONDS)

typedef struct fixture {
    wf_loopback *loopback;
    wf_budget *budget;
    wf_transport *transports[RANKS];
    wf_scheduler *scheduler;
    int64_t now_ns;
    uint32_t seen[RANKS][MAX_SEEN]; /* types of the messages that a worker got */
    int seen_count[RANKS];
    weft_graph *graph;
    weft_ref refs[TASKS];
    wf_plan plan;
    wf_partition_set set;
    uint64_t id;
} fixture;

static weft_status run_nothing(weft_task *task, weft_error *err)
{
    (void)task;
    (void)err;
    return WEFT_OK;
}

static const weft_kernel nothing_kernel = {"nothing", run_nothing};

static void on_rank0(void *context, wf_message *message, void *poller)
{
    fixture *f = context;
    (void)poller;
    wf_scheduler_handle(f->scheduler, message, f->now_ns);
}

static void on_worker1(void *context, wf_message *message, void *poller)
{
    fixture *f = context;
    (void)poller;
    f->seen[1][f->seen_count[1]++] = message->type;
}

static void on_worker2(void *context, wf_message *message, void *poller)
{
    fixture *f = context;
    (void)poller;
    f->seen[2][f->seen_count[2]++] = message->type;
}

static void open_fixture(fixture *f)
{
    static wf_message_handler *const handlers[RANKS] = {on_rank0, on_worker1, on_worker2};
    memset(f, 0, sizeof *f);
    CU_ASSERT_EQUAL_FATAL(wf_loopback_create(RANKS, &f->loopback, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &f->budget, NULL), WEFT_OK);
    for (int r = 0; r < RANKS; r++) {
        CU_ASSERT_EQUAL_FATAL(wf_loopback_open(f->loopback, r, f->budget, &f->transports[r], NULL), WEFT_OK);
        wf_transport_set_handler(f->transports[r], handlers[r], f);
    }
    wf_scheduler_options options = {.transport = f->transports[0], .lost_after_ns = LOST_AFTER, .move = WF_MOVE_ON};
    CU_ASSERT_EQUAL_FATAL(wf_scheduler_create(&options, &f->scheduler, NULL), WEFT_OK);
}

static void close_fixture(fixture *f)
{
    wf_scheduler_destroy(f->scheduler);
    for (int r = 0; r < RANKS; r++) wf_transport_destroy(f->transports[r]);
    wf_loopback_destroy(f->loopback);
    wf_partition_set_fini(&f->set);
    wf_plan_fini(&f->plan);
    weft_graph_destroy(f->graph);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f->budget), 0);
    wf_budget_release(f->budget);
}

static void deliver_all(fixture *f)
{
    for (int r = 0; r < RANKS; r++) wf_transport_poll(f->transports[r], NULL);
}

static void tell(fixture *f, int from, uint32_t type, const void *body, size_t bytes, weft_chunk *chunk)
{
    wf_message message = {.type = type, .body_bytes = bytes, .chunk = chunk, .body = wf_aligned_alloc(1, bytes, NULL)};
    if (bytes) memcpy(message.body, body, bytes);
    CU_ASSERT_EQUAL(wf_transport_send(f->transports[from], 0, &message, NULL), WEFT_OK);
    deliver_all(f);
}

static void hello(fixture *f, int from, uint32_t threads, uint32_t version)
{
    struct {
        wf_hello_message body;
        char texts[9];
    } message = {{version, WF_BYTE_ORDER_MARK, threads, 0, 1000, ""}, "0-3\0core"};
    memcpy(message.body.host, "node", 4);
    message.body.host[4] = (char)('0' + from);
    tell(f, from, WF_MSG_HELLO, &message, sizeof message.body + sizeof message.texts, NULL);
}

static void all_hello(fixture *f)
{
    hello(f, 0, 0, WF_PROTOCOL_VERSION); /* only schedules */
    hello(f, 1, 2, WF_PROTOCOL_VERSION);
    hello(f, 2, 2, WF_PROTOCOL_VERSION);
}

static void progress(fixture *f, int from, uint64_t ended)
{
    wf_progress_message body = {.graph = f->id, .ended = ended, .stats = {ended, 10, 100, 1000}};
    tell(f, from, WF_MSG_PROGRESS, &body, sizeof body, NULL);
}

static void hungry(fixture *f, int from, uint64_t ended)
{
    wf_progress_message body = {.graph = f->id, .ended = ended, .hungry_at = f->id, .stats = {ended, 10, 100, 1000}};
    tell(f, from, WF_MSG_PROGRESS, &body, sizeof body, NULL);
}

/* The one partition of a rank goes to the other one; none when there are no tasks. */
static void moved(fixture *f, int from, int to, uint64_t tasks)
{
    struct {
        wf_moved_message body;
        wf_moved_partition partition;
    } message = {{f->id, tasks > 0, 0}, {(uint32_t)from - 1, 1, to, 0, tasks}};
    tell(f, from, WF_MSG_MOVED, &message, sizeof message.body + (tasks ? sizeof message.partition : 0), NULL);
}

static void root(fixture *f, int from, weft_ref ref, int64_t value)
{
    weft_chunk *chunk;
    CU_ASSERT_EQUAL_FATAL(wf_chunk_create(f->budget, WEFT_I64, 1, (int64_t[]){1}, &chunk, NULL), WEFT_OK);
    *(int64_t *)wf_chunk_elements(chunk) = value;
    tell(f, from, WF_MSG_ROOT, &(wf_ref_message){f->id, ref.value}, sizeof(wf_ref_message), chunk);
}

static void failed(fixture *f, int from, uint32_t type, weft_ref ref, const char *text)
{
    wf_failed_message body = {f->id, ref.value, 0, WEFT_ERROR_INIT};
    weft_fail(&body.error, WEFT_EKERNEL, "%s", text);
    tell(f, from, type, &body, sizeof body, NULL);
}

/* Six tasks without edges, all roots, three on each worker. */
static weft_status begin(fixture *f, size_t root_count, bool gather, weft_error *err)
{
    wf_plan_worker *workers;
    size_t worker_count;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f->graph, NULL), WEFT_OK);
    for (int t = 0; t < TASKS; t++) weft_graph_add_task(f->graph, &nothing_kernel, NULL, 0, NULL, 0, &f->refs[t], NULL);
    CU_ASSERT_EQUAL_FATAL(wf_scheduler_workers(f->scheduler, &workers, &worker_count, NULL), WEFT_OK);
    wf_plan_options options = {.workers = workers, .worker_count = worker_count, .per_worker = 1, .method = WF_CUT_GREEDY};
    CU_ASSERT_EQUAL_FATAL(wf_plan_init(&f->plan, f->graph, f->refs, TASKS, &options, NULL), WEFT_OK);
    free(workers);
    f->id = wf_scheduler_next_graph(f->scheduler);
    CU_ASSERT_EQUAL_FATAL(wf_partition_set_init(&f->set, f->graph, &f->plan, f->id, f->refs, TASKS, WF_OUTPUT_GATHER, NULL), WEFT_OK);
    weft_status status = wf_scheduler_begin(f->scheduler, f->id, f->graph, &f->plan, &f->set, &(wf_layers_shipment){0}, f->refs, root_count, gather, err);
    deliver_all(f);
    return status;
}

static bool is_over(fixture *f)
{
    return wf_scheduler_wait(f->scheduler, f->id, 0);
}

static int count_seen(const fixture *f, int rank, uint32_t type)
{
    int count = 0;
    for (int i = 0; i < f->seen_count[rank]; i++) count += f->seen[rank][i] == type;
    return count;
}

static void ranks_are_known_by_their_hello(void)
{
    fixture f;
    wf_rank_description d;
    wf_plan_worker *workers;
    size_t count;
    open_fixture(&f);
    CU_ASSERT_FALSE(wf_scheduler_describe_rank(f.scheduler, 1, &d));
    all_hello(&f);
    hello(&f, 2, 64, WF_PROTOCOL_VERSION); /* a second one changes nothing */
    CU_ASSERT_EQUAL(wf_scheduler_hello_count(f.scheduler), 3);
    CU_ASSERT_EQUAL(wf_scheduler_memory_limit_bytes(f.scheduler), 2000);
    CU_ASSERT_EQUAL_FATAL(wf_scheduler_workers(f.scheduler, &workers, &count, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT(workers[0].rank == 1 && workers[1].rank == 2 && workers[1].threads == 2);
    free(workers);
    CU_ASSERT(wf_scheduler_describe_rank(f.scheduler, 2, &d));
    CU_ASSERT_STRING_EQUAL(d.host, "node2");
    CU_ASSERT_STRING_EQUAL(d.cpuset, "0-3");
    CU_ASSERT_STRING_EQUAL(d.pinning, "core");
    CU_ASSERT_FALSE(wf_scheduler_describe_rank(f.scheduler, 3, &d));
    CU_ASSERT_FALSE(wf_scheduler_describe_rank(f.scheduler, -1, &d));
    close_fixture(&f);
}

static void another_version_breaks_the_session(void)
{
    fixture f;
    weft_error err = WEFT_ERROR_INIT;
    open_fixture(&f);
    hello(&f, 1, 2, WF_PROTOCOL_VERSION + 1);
    CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, &err), WEFT_ELAUNCH);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "rank 1 "));
    CU_ASSERT_EQUAL(wf_scheduler_hello_count(f.scheduler), 0);
    close_fixture(&f);
}

static void a_compute_is_over_when_all_tasks_have_ended_and_all_roots_are_here(void)
{
    fixture f;
    weft_chunk *chunks[TASKS] = {NULL};
    open_fixture(&f);
    all_hello(&f);
    CU_ASSERT_EQUAL(begin(&f, TASKS, true, NULL), WEFT_OK);
    for (int r = 1; r < RANKS; r++) {
        CU_ASSERT_EQUAL(f.seen[r][0], WF_MSG_GRAPH); /* first */
        CU_ASSERT_EQUAL(count_seen(&f, r, WF_MSG_PARTITION), 1);
    }
    progress(&f, 1, 2);
    progress(&f, 1, 1); /* overtaken: it cannot go back */
    progress(&f, 1, 3);
    progress(&f, 1, 3); /* twice */
    for (int t = 0; t < TASKS - 1; t++) root(&f, 1 + t % 2, f.refs[t], t);
    progress(&f, 2, 3);
    CU_ASSERT_FALSE(is_over(&f)); /* a root is missing */
    root(&f, 2, f.refs[0], 77);   /* one that is here already */
    CU_ASSERT_FALSE(is_over(&f));
    root(&f, 2, f.refs[TASKS - 1], TASKS - 1);
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, chunks, NULL), WEFT_OK);
    for (int t = 0; t < TASKS; t++) {
        CU_ASSERT_EQUAL(*(const int64_t *)weft_chunk_data(chunks[t]), t);
        weft_chunk_release(chunks[t]);
    }
    deliver_all(&f);
    for (int r = 1; r < RANKS; r++) CU_ASSERT_EQUAL(count_seen(&f, r, WF_MSG_FORGET), 1);
    root(&f, 1, f.refs[0], 5); /* late ones are dropped */
    progress(&f, 1, 3);
    wf_rank_stats stats = wf_scheduler_stats(f.scheduler);
    CU_ASSERT(stats.tasks_ended == 6 && stats.bytes_sent == 20 && stats.memory_peak_bytes == 200 && stats.rss_peak_bytes == 2000);
    CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, NULL), WEFT_OK);
    close_fixture(&f);
}

static void a_compute_that_gathers_nothing_waits_for_tasks_only(void)
{
    fixture f;
    open_fixture(&f);
    all_hello(&f);
    CU_ASSERT_EQUAL(begin(&f, TASKS, false, NULL), WEFT_OK);
    progress(&f, 1, 3);
    CU_ASSERT_FALSE(is_over(&f));
    progress(&f, 2, 3);
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, NULL, NULL), WEFT_OK);
    close_fixture(&f);
}

static void the_failure_that_comes_first_in_the_graph_is_the_error(void)
{
    fixture f;
    weft_error err = WEFT_ERROR_INIT;
    weft_chunk *chunks[TASKS] = {NULL};
    open_fixture(&f);
    all_hello(&f);
    CU_ASSERT_EQUAL(begin(&f, TASKS, true, NULL), WEFT_OK);
    failed(&f, 2, WF_MSG_FAILED, f.refs[4], "fourth");
    failed(&f, 1, WF_MSG_FAILED, f.refs[1], "first");
    failed(&f, 1, WF_MSG_FAILED, f.refs[2], "second");
    root(&f, 1, f.refs[0], 1); /* is freed, not handed out */
    progress(&f, 1, 3);
    CU_ASSERT_FALSE(is_over(&f)); /* an earlier one may still come */
    progress(&f, 2, 3);
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, chunks, &err), WEFT_EKERNEL);
    CU_ASSERT_STRING_EQUAL(err.text, "first");
    for (int t = 0; t < TASKS; t++) CU_ASSERT_PTR_NULL(chunks[t]);
    CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, NULL), WEFT_OK); /* the session goes on */
    close_fixture(&f);
}

static void a_rank_with_work_that_is_silent_is_lost(void)
{
    fixture f;
    weft_error err = WEFT_ERROR_INIT;
    open_fixture(&f);
    all_hello(&f);
    f.now_ns = 100 * SECONDS; /* silence without work does not count */
    wf_scheduler_tick(f.scheduler, f.now_ns);
    CU_ASSERT_EQUAL(begin(&f, TASKS, true, NULL), WEFT_OK);
    f.now_ns += LOST_AFTER - 1;
    wf_scheduler_tick(f.scheduler, f.now_ns);
    CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, NULL), WEFT_OK);
    progress(&f, 1, 3); /* done: it may be silent now */
    progress(&f, 2, 1);
    f.now_ns += LOST_AFTER - 1;
    wf_scheduler_tick(f.scheduler, f.now_ns);
    CU_ASSERT_FALSE(is_over(&f));
    f.now_ns += 1;
    wf_scheduler_tick(f.scheduler, f.now_ns);
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, NULL, &err), WEFT_ELOST);
    CU_ASSERT_EQUAL(err.rank, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "rank 2 on node2"));
    wf_scheduler_shut_down(f.scheduler);
    deliver_all(&f);
    CU_ASSERT_EQUAL(count_seen(&f, 1, WF_MSG_BROKEN), 1); /* not SHUTDOWN, on which it would wait for rank 2 */
    CU_ASSERT_EQUAL(count_seen(&f, 1, WF_MSG_SHUTDOWN), 0);
    close_fixture(&f);
}

static void a_partition_that_moves_counts_for_who_got_it(void)
{
    fixture f;
    open_fixture(&f);
    all_hello(&f);
    CU_ASSERT_EQUAL(begin(&f, TASKS, false, NULL), WEFT_OK);
    hungry(&f, 2, 3);
    CU_ASSERT_EQUAL(count_seen(&f, 1, WF_MSG_GIVE), 1);
    hungry(&f, 2, 3);
    CU_ASSERT_EQUAL(count_seen(&f, 1, WF_MSG_GIVE), 1); /* it has been asked */
    progress(&f, 2, 6); /* faster than the message that tells of the move */
    CU_ASSERT_FALSE(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_partition_rank(f.scheduler, f.id, 0), 1);
    moved(&f, 1, 2, 3);
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_partition_rank(f.scheduler, f.id, 0), 2);
    CU_ASSERT_EQUAL(wf_scheduler_partition_rank(f.scheduler, f.id, 1), 2);
    CU_ASSERT_EQUAL(wf_scheduler_moved_count(f.scheduler), 1);
    for (int i = 0; i < 2; i++) { /* the second tick has no news */
        wf_scheduler_tick(f.scheduler, f.now_ns);
        deliver_all(&f);
        for (int r = 1; r < RANKS; r++) CU_ASSERT_EQUAL(count_seen(&f, r, WF_MSG_OVERLAY), 1);
    }
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, NULL, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_scheduler_partition_rank(f.scheduler, f.id, 0), -1);
    CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, NULL), WEFT_OK);
    close_fixture(&f);
}

static void an_answer_with_nothing_holds_no_compute_up(void)
{
    fixture f;
    open_fixture(&f);
    all_hello(&f);
    CU_ASSERT_EQUAL(begin(&f, TASKS, false, NULL), WEFT_OK);
    hungry(&f, 2, 3);
    progress(&f, 1, 3);
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, NULL, NULL), WEFT_OK);
    moved(&f, 1, 2, 0);
    CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, NULL), WEFT_OK);
    close_fixture(&f);
}

static void silence_after_a_move_is_noticed_on_both_sides(void)
{
    for (int silent = 1; silent < RANKS; silent++) {
        fixture f;
        weft_error err = WEFT_ERROR_INIT;
        open_fixture(&f);
        all_hello(&f);
        CU_ASSERT_EQUAL(begin(&f, TASKS, false, NULL), WEFT_OK);
        wf_scheduler_tick(f.scheduler, f.now_ns);
        hungry(&f, 2, 3);
        moved(&f, 1, 2, 3); /* rank 1 has no task left, but perhaps not sent all of the partition */
        f.now_ns += LOST_AFTER;
        progress(&f, 3 - silent, silent == 1 ? 3 : 0);
        wf_scheduler_tick(f.scheduler, f.now_ns);
        CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, &err), WEFT_ELOST);
        CU_ASSERT_EQUAL(err.rank, silent);
        close_fixture(&f);
    }
}

static void damaged_news_of_moves_break_the_session(void)
{
    for (int i = 0; i < 3; i++) {
        fixture f;
        open_fixture(&f);
        all_hello(&f);
        CU_ASSERT_EQUAL(begin(&f, TASKS, false, NULL), WEFT_OK);
        if (i > 0) hungry(&f, 2, 3); /* else nobody was asked */
        if (i == 2)
            tell(&f, 1, WF_MSG_MOVED, &(wf_moved_message){f.id, 1000, 0}, sizeof(wf_moved_message), NULL);
        else
            moved(&f, 1, i == 0 ? 2 : RANKS, 3);
        CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, NULL), WEFT_EDATA);
        close_fixture(&f);
    }
}

static void a_broken_session_ends_every_compute_and_begins_none(void)
{
    fixture f;
    weft_error err = WEFT_ERROR_INIT;
    open_fixture(&f);
    all_hello(&f);
    CU_ASSERT_EQUAL(begin(&f, TASKS, true, NULL), WEFT_OK);
    failed(&f, 1, WF_MSG_BROKEN, f.refs[0], "cannot go on");
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, NULL, &err), WEFT_EKERNEL);
    CU_ASSERT_STRING_EQUAL(err.text, "cannot go on");
    wf_partition_set_fini(&f.set);
    wf_plan_fini(&f.plan);
    weft_graph_destroy(f.graph);
    CU_ASSERT_EQUAL(begin(&f, TASKS, true, &err), WEFT_EKERNEL);
    close_fixture(&f);
}

static void messages_that_nobody_knows_break_the_session(void)
{
    static const struct { uint32_t type; size_t bytes; } bad[] = {
        {99, 0}, {WF_MSG_PROGRESS, sizeof(wf_progress_message) - 1}, {WF_MSG_HELLO, 10}, {WF_MSG_FAILED, 16},
        {WF_MSG_ROOT, sizeof(wf_ref_message)}, {WF_MSG_GRAPH, 64}, {WF_MSG_MOVED, 8},
    };
    static const char zeros[1000];
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        fixture f;
        weft_error err = WEFT_ERROR_INIT;
        open_fixture(&f);
        tell(&f, 2, bad[i].type, zeros, bad[i].bytes, NULL);
        CU_ASSERT_EQUAL(wf_scheduler_check(f.scheduler, &err), WEFT_EDATA);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "rank 2 sent"));
        close_fixture(&f);
    }
}

static void an_interrupt_ends_computes_and_cancels_tasks(void)
{
    fixture f;
    weft_error err = WEFT_ERROR_INIT;
    open_fixture(&f);
    all_hello(&f);
    CU_ASSERT_EQUAL(begin(&f, TASKS, true, NULL), WEFT_OK);
    wf_scheduler_interrupt(f.scheduler, "enough");
    CU_ASSERT(is_over(&f));
    CU_ASSERT_EQUAL(wf_scheduler_end(f.scheduler, f.id, NULL, &err), WEFT_ECANCELLED);
    CU_ASSERT_STRING_EQUAL(err.text, "enough");
    deliver_all(&f);
    for (int r = 1; r < RANKS; r++) CU_ASSERT_EQUAL(count_seen(&f, r, WF_MSG_CANCEL), 1);
    close_fixture(&f);
}

static void other_ranks_are_told_to_end_and_results_to_go(void)
{
    fixture f;
    open_fixture(&f);
    all_hello(&f);
    wf_scheduler_release(f.scheduler, 2, 1, 16);
    wf_scheduler_shut_down(f.scheduler);
    deliver_all(&f);
    CU_ASSERT_EQUAL(f.seen_count[1], 1);
    CU_ASSERT_EQUAL(f.seen[1][0], WF_MSG_SHUTDOWN);
    CU_ASSERT_EQUAL(f.seen_count[2], 2);
    CU_ASSERT_EQUAL(f.seen[2][0], WF_MSG_RELEASE);
    close_fixture(&f);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(ranks_are_known_by_their_hello),
        WEFT_TEST(another_version_breaks_the_session),
        WEFT_TEST(a_compute_is_over_when_all_tasks_have_ended_and_all_roots_are_here),
        WEFT_TEST(a_compute_that_gathers_nothing_waits_for_tasks_only),
        WEFT_TEST(the_failure_that_comes_first_in_the_graph_is_the_error),
        WEFT_TEST(a_rank_with_work_that_is_silent_is_lost),
        WEFT_TEST(a_partition_that_moves_counts_for_who_got_it),
        WEFT_TEST(an_answer_with_nothing_holds_no_compute_up),
        WEFT_TEST(silence_after_a_move_is_noticed_on_both_sides),
        WEFT_TEST(damaged_news_of_moves_break_the_session),
        WEFT_TEST(a_broken_session_ends_every_compute_and_begins_none),
        WEFT_TEST(messages_that_nobody_knows_break_the_session),
        WEFT_TEST(an_interrupt_ends_computes_and_cancels_tasks),
        WEFT_TEST(other_ranks_are_told_to_end_and_results_to_go),
    };
    return weft_test_run("cluster/scheduler", cases, WEFT_COUNT_OF(cases));
}
