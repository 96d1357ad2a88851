/* The queue of messages to the own rank, polled by whoever comes; and a transport that breaks. */
#include "transport/transport.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "transport/loopback.h"
#include "weft_test.h"

enum { THREADS = 4, MESSAGES = 1500 };

typedef struct own_queue {
    wf_loopback *loopback;
    wf_budget *budget;
    wf_transport *transport;
    int inside;              /* handlers; not atomic on purpose: polls exclude one another */
    int count;
    int next[THREADS];
    bool is_wrong;
} own_queue;

static void handle(void *context, wf_message *message, void *poller)
{
    own_queue *q = context;
    (void)poller;
    if (q->inside++ != 0) q->is_wrong = true;
    uint32_t number;
    memcpy(&number, message->body, sizeof number);
    if (message->from != 0 || (int)number != q->next[message->type]++) q->is_wrong = true;
    q->count++;
    q->inside--;
}

static void open_queue(own_queue *q)
{
    *q = (own_queue){0};
    CU_ASSERT_EQUAL_FATAL(wf_loopback_create(1, &q->loopback, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &q->budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_loopback_open(q->loopback, 0, q->budget, &q->transport, NULL), WEFT_OK);
    wf_transport_set_handler(q->transport, handle, q);
}

static void close_queue(own_queue *q)
{
    wf_transport_destroy(q->transport);
    wf_loopback_destroy(q->loopback);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(q->budget), 0);
    wf_budget_release(q->budget);
}

typedef struct sender {
    own_queue *q;
    uint32_t index;
} sender;

static void send_number(own_queue *q, uint32_t type, uint32_t number)
{
    wf_message message = {.type = type};
    if (!wf_message_create_body(&message, sizeof number, NULL)) abort();
    memcpy(message.body, &number, sizeof number);
    if (wf_transport_send(q->transport, 0, &message, NULL) != WEFT_OK) abort();
}

static void *send_and_poll(void *argument)
{
    sender *s = argument;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        send_number(s->q, s->index, i);
        wf_transport_poll(s->q->transport, NULL);
    }
    return NULL;
}

/* Each message is followed by its sender's poll, and nobody polls after: one left behind would stay so. */
static void no_message_to_the_own_rank_is_left_behind(void)
{
    for (int round = 0; round < 5; round++) {
        own_queue q;
        sender senders[THREADS];
        pthread_t threads[THREADS];
        open_queue(&q);
        for (uint32_t i = 0; i < THREADS; i++) {
            senders[i] = (sender){&q, i};
            pthread_create(&threads[i], NULL, send_and_poll, &senders[i]);
        }
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(q.count, THREADS * MESSAGES);
        CU_ASSERT_FALSE(q.is_wrong);
        close_queue(&q);
    }
}

static own_queue *late; /* for the transport's table, which has no room for it */

/* As another thread would just after the poller looked at the queue for the last time: it sends, and is turned away when it polls. */
static bool send_late(wf_transport *transport)
{
    if (!late) return false;
    send_number(late, 0, 0);
    late = NULL;
    CU_ASSERT_FALSE(wf_transport_poll(transport, NULL));
    return false;
}

static void the_poller_takes_what_came_while_it_was_leaving(void)
{
    own_queue q;
    open_queue(&q);
    const wf_transport_ops *ops = q.transport->ops;
    wf_transport_ops changed = *ops;
    changed.progress = send_late;
    q.transport->ops = &changed;
    late = &q;
    CU_ASSERT(wf_transport_poll(q.transport, NULL));
    CU_ASSERT_EQUAL(q.count, 1);
    q.transport->ops = ops;
    close_queue(&q);
}

/* A transport to another rank, whose table is that of loopback but for the functions below. */
typedef struct other_rank {
    wf_message_queue queue;
    bool is_late_in_progress, is_late_in_flush;
    int moved_count;
} other_rank;

static other_rank other; /* for the transport's table, which has no room for it */

static weft_status queue_to_other(wf_transport *transport, wf_message *message, weft_error *err)
{
    (void)transport;
    return wf_message_queue_put(&other.queue, message, err);
}

static bool other_has_queued(const wf_transport *transport)
{
    (void)transport;
    return !wf_message_queue_is_empty(&other.queue);
}

static void send_late_to_other(wf_transport *transport, bool *is_late)
{
    wf_message message = {.type = 1};
    if (!*is_late) return;
    *is_late = false;
    CU_ASSERT_EQUAL(wf_transport_send(transport, 1, &message, NULL), WEFT_OK);
    CU_ASSERT_FALSE(wf_transport_poll(transport, NULL));
}

static bool move_to_other(wf_transport *transport)
{
    for (wf_message *message = wf_message_queue_take_all(&other.queue), *next; message; message = next) {
        next = message->next;
        wf_message_destroy(message);
        other.moved_count++;
    }
    send_late_to_other(transport, &other.is_late_in_progress);
    return false;
}

static bool other_is_flushed(wf_transport *transport)
{
    send_late_to_other(transport, &other.is_late_in_flush);
    return true;
}

static void a_message_to_another_rank_is_not_left_behind_either(void)
{
    own_queue q;
    open_queue(&q);
    const wf_transport_ops *ops = q.transport->ops;
    const wf_transport_ops changed = {queue_to_other, move_to_other, other_has_queued, other_is_flushed, ops->destroy};
    other = (other_rank){.is_late_in_progress = true};
    wf_message_queue_init(&other.queue);
    q.transport->ops = &changed;
    q.transport->size = 2;
    wf_transport_poll(q.transport, NULL);
    CU_ASSERT_EQUAL(other.moved_count, 1);
    other.is_late_in_flush = true;
    CU_ASSERT(wf_transport_flush(q.transport, 1000000000));
    CU_ASSERT_EQUAL(other.moved_count, 2);
    other.is_late_in_flush = true;
    wf_transport_flush(q.transport, -1);
    CU_ASSERT_EQUAL(other.moved_count, 3);
    q.transport->ops = ops;
    close_queue(&q);
    wf_message_queue_fini(&other.queue);
}

static void a_handler_never_runs_inside_a_send(void)
{
    own_queue q;
    open_queue(&q);
    send_number(&q, 0, 0);
    send_number(&q, 0, 1);
    CU_ASSERT_EQUAL(q.count, 0);
    CU_ASSERT(wf_transport_poll(q.transport, NULL));
    CU_ASSERT_EQUAL(q.count, 2);
    CU_ASSERT_FALSE(wf_transport_poll(q.transport, NULL));
    close_queue(&q);
}

static void undelivered_messages_are_freed(void)
{
    own_queue q;
    open_queue(&q);
    for (int i = 0; i < 3; i++) {
        wf_message message = {.type = 1};
        CU_ASSERT_EQUAL_FATAL(wf_chunk_create(q.budget, WEFT_U8, 1, (int64_t[]){100}, &message.chunk, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(wf_transport_send(q.transport, 0, &message, NULL), WEFT_OK);
    }
    CU_ASSERT_EQUAL(wf_budget_used_bytes(q.budget), 300);
    close_queue(&q); /* LeakSanitizer sees the rest */
}

static void a_broken_transport_says_why_and_still_reaches_itself(void)
{
    own_queue q;
    weft_error first = WEFT_ERROR_INIT, second = WEFT_ERROR_INIT, err = WEFT_ERROR_INIT;
    open_queue(&q);
    weft_fail(&first, WEFT_ELOST, "first");
    weft_fail(&second, WEFT_ENOMEM, "second");
    CU_ASSERT_PTR_NULL(wf_transport_broken(q.transport));
    wf_transport_break(q.transport, &first);
    const weft_error *broken = wf_transport_broken(q.transport);
    CU_ASSERT_PTR_NOT_NULL_FATAL(broken);
    wf_transport_break(q.transport, &second);
    CU_ASSERT_PTR_EQUAL(wf_transport_broken(q.transport), broken);
    CU_ASSERT_STRING_EQUAL(broken->text, "first");
    wf_message message = {.type = 1};
    CU_ASSERT_EQUAL(wf_transport_send(q.transport, 1, &message, &err), WEFT_ELOST);
    CU_ASSERT_STRING_EQUAL(err.text, "first");
    send_number(&q, 0, 0);
    CU_ASSERT(wf_transport_poll(q.transport, NULL));
    CU_ASSERT_EQUAL(q.count, 1);
    close_queue(&q);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(no_message_to_the_own_rank_is_left_behind),
        WEFT_TEST(the_poller_takes_what_came_while_it_was_leaving),
        WEFT_TEST(a_message_to_another_rank_is_not_left_behind_either),
        WEFT_TEST(a_handler_never_runs_inside_a_send),
        WEFT_TEST(undelivered_messages_are_freed),
        WEFT_TEST(a_broken_transport_says_why_and_still_reaches_itself),
    };
    return weft_test_run("transport/transport", cases, WEFT_COUNT_OF(cases));
}
