/* Messages are taken in the order put, each once, also when several threads put; what nobody took is freed. */
#include "transport/message_queue.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

enum { THREADS = 3, MESSAGES = 2000 };

static void put(wf_message_queue *queue, uint32_t type, size_t number)
{
    wf_message message = {.type = type, .body_bytes = number}; /* a number alone; there is no body */
    if (wf_message_queue_put(queue, &message, NULL) != WEFT_OK) abort();
}

/* Destroys the messages; false when those of a type do not go on from next[type]. */
static bool count_messages(wf_message *message, size_t next[THREADS])
{
    bool in_order = true;
    for (wf_message *after; message; message = after) {
        after = message->next;
        in_order &= message->body_bytes == next[message->type]++;
        wf_message_destroy(message);
    }
    return in_order;
}

static void messages_are_taken_in_the_order_put(void)
{
    wf_message_queue queue;
    size_t next[THREADS] = {0};
    wf_message_queue_init(&queue);
    CU_ASSERT(wf_message_queue_is_empty(&queue));
    CU_ASSERT_PTR_NULL(wf_message_queue_take_all(&queue));
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 3; i++) put(&queue, 0, 3 * round + i);
        CU_ASSERT_FALSE(wf_message_queue_is_empty(&queue));
        CU_ASSERT(count_messages(wf_message_queue_take_all(&queue), next));
        CU_ASSERT_EQUAL(next[0], 3 * round + 3);
        CU_ASSERT(wf_message_queue_is_empty(&queue));
    }
    wf_message_queue_fini(&queue);
}

typedef struct putter {
    wf_message_queue *queue;
    uint32_t type;
} putter;

static void *put_all(void *argument)
{
    putter *p = argument;
    for (size_t i = 0; i < MESSAGES; i++) put(p->queue, p->type, i);
    return NULL;
}

static void threads_that_put_at_once_lose_nothing(void)
{
    wf_message_queue queue;
    putter putters[THREADS];
    pthread_t threads[THREADS];
    size_t next[THREADS] = {0};
    bool in_order = true;
    wf_message_queue_init(&queue);
    for (uint32_t i = 0; i < THREADS; i++) {
        putters[i] = (putter){&queue, i};
        pthread_create(&threads[i], NULL, put_all, &putters[i]);
    }
    while (in_order && next[0] + next[1] + next[2] < THREADS * MESSAGES) {
        in_order = count_messages(wf_message_queue_take_all(&queue), next);
        sched_yield();
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CU_ASSERT(in_order);
    CU_ASSERT(wf_message_queue_is_empty(&queue));
    wf_message_queue_fini(&queue);
}

static void what_nobody_took_is_freed(void)
{
    wf_message_queue queue;
    wf_message_queue_init(&queue);
    for (size_t i = 0; i < 3; i++) put(&queue, 0, i);
    wf_message_queue_fini(&queue); /* LeakSanitizer sees the rest */
}

/* Sizes on both sides of what fits into the message itself. */
static void a_message_moves_with_its_body(void)
{
    for (size_t bytes = 1; bytes < 2 * WF_INLINE_BODY_BYTES; bytes++) {
        wf_message from = {.type = 5}, to;
        unsigned char *body = wf_message_create_body(&from, bytes, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(body);
        CU_ASSERT_EQUAL((uintptr_t)body % 16, 0);
        for (size_t i = 0; i < bytes; i++) body[i] = (unsigned char)(i + bytes);
        wf_message_move(&to, &from);
        CU_ASSERT_PTR_NULL(from.body);
        CU_ASSERT_EQUAL(to.type, 5);
        CU_ASSERT_EQUAL_FATAL(to.body_bytes, bytes);
        CU_ASSERT_EQUAL(to.body == to.inline_body, bytes <= WF_INLINE_BODY_BYTES);
        memset(&from, 0xff, sizeof from);
        body = to.body;
        for (size_t i = 0; i < bytes; i++) CU_ASSERT_EQUAL(body[i], (unsigned char)(i + bytes));
        wf_message_fini(&to);
        CU_ASSERT_PTR_NULL(to.body);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(messages_are_taken_in_the_order_put),
        WEFT_TEST(threads_that_put_at_once_lose_nothing),
        WEFT_TEST(what_nobody_took_is_freed),
        WEFT_TEST(a_message_moves_with_its_body),
    };
    return weft_test_run("transport/message_queue", cases, WEFT_COUNT_OF(cases));
}
