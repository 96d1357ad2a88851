/* The communication thread: it moves messages while nobody else polls, and ends when told. */
#include "cluster/comm_thread.h"

#include <sched.h>
#include <stdlib.h>

#include "transport/loopback.h"
#include "weft_test.h"

enum { MESSAGES = 500 };

typedef struct ring {
    wf_loopback *loopback;
    wf_budget *budget;
    wf_transport *transports[2];
    atomic_int arrived[2];
    atomic_int started;
    atomic_int also;
    pthread_t main_thread;
    atomic_bool is_wrong;
} ring;

typedef struct place {
    ring *r;
    int rank;
} place;

/* Rank 1 answers, from the thread that polls. */
static void handle(void *context, wf_message *message, void *poller)
{
    place *p = context;
    if (poller || pthread_equal(pthread_self(), p->r->main_thread)) atomic_store(&p->r->is_wrong, true);
    if (p->rank == 1) {
        wf_message answer = {.type = message->type};
        wf_transport_send(p->r->transports[1], 0, &answer, NULL);
    }
    atomic_fetch_add(&p->r->arrived[p->rank], 1);
}

static void note_start(void *context)
{
    atomic_fetch_add(&((ring *)context)->started, 1);
}

static void note_also(void *context)
{
    atomic_fetch_add(&((ring *)context)->also, 1);
}

static void messages_move_while_nobody_else_polls(void)
{
    ring r = {.main_thread = pthread_self()};
    place places[2] = {{&r, 0}, {&r, 1}};
    wf_comm_thread *threads[2] = {NULL};
    CU_ASSERT_EQUAL_FATAL(wf_loopback_create(2, &r.loopback, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &r.budget, NULL), WEFT_OK);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(wf_loopback_open(r.loopback, i, r.budget, &r.transports[i], NULL), WEFT_OK);
        wf_transport_set_handler(r.transports[i], handle, &places[i]);
    }
    for (int i = 0; i < 2; i++) {
        wf_comm_thread_options options = {r.transports[i], 200000, note_start, note_also, &r};
        CU_ASSERT_EQUAL_FATAL(wf_comm_thread_create(&options, &threads[i], NULL), WEFT_OK);
    }
    for (uint32_t i = 0; i < MESSAGES; i++) {
        wf_message message = {.type = i};
        CU_ASSERT_EQUAL(wf_transport_send(r.transports[0], 1, &message, NULL), WEFT_OK);
        if (i % 50) continue;
        while (atomic_load(&r.arrived[0]) < (int)i + 1) sched_yield(); /* hangs when nobody polls */
    }
    while (atomic_load(&r.arrived[0]) < MESSAGES) sched_yield();
    for (int i = 0; i < 2; i++) wf_comm_thread_destroy(threads[i]);
    CU_ASSERT_EQUAL(atomic_load(&r.arrived[1]), MESSAGES);
    CU_ASSERT_EQUAL(atomic_load(&r.started), 2);
    CU_ASSERT(atomic_load(&r.also) > 0);
    CU_ASSERT_FALSE(atomic_load(&r.is_wrong));
    for (int i = 0; i < 2; i++) wf_transport_destroy(r.transports[i]);
    wf_loopback_destroy(r.loopback);
    wf_budget_release(r.budget);
}

static void one_that_never_was_can_be_destroyed(void)
{
    wf_comm_thread_destroy(NULL);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(messages_move_while_nobody_else_polls),
        WEFT_TEST(one_that_never_was_can_be_destroyed),
    };
    return weft_test_run("cluster/comm_thread", cases, WEFT_COUNT_OF(cases));
}
