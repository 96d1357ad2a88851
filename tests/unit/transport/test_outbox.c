/* The outbox: per rank nothing is lost or overtakes, also when threads send at once; buffers are shared and used again. */
#include "transport/outbox.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "transport/frame.h"
#include "weft_test.h"

enum { BUFFER_BYTES = 256, RANKS = 3, THREADS = 3, MESSAGES = 3000 };

static void put(wf_outbox *outbox, int to, uint32_t type, uint32_t number, size_t bytes)
{
    wf_message message = {.type = type, .to = to};
    if (!wf_message_create_body(&message, bytes, NULL)) abort();
    memset(message.body, 0, bytes);
    memcpy(message.body, &number, sizeof number);
    if (wf_outbox_put(outbox, &message, NULL) != WEFT_OK) abort();
    if (message.body) abort();
}

/* Looks at all frames of a buffer: numbers of a type to a rank go on from next[rank][type]. Returns how many there were, -1: wrong. */
static int check_buffer(const wf_outbox_buffer *buffer, uint32_t next[RANKS][THREADS])
{
    int count = 0;
    for (size_t at = 0; at < buffer->bytes; count++) {
        wf_frame f;
        uint32_t number;
        if (!wf_frame_read(buffer->frames + at, buffer->bytes - at, &f)) return -1;
        bool follows = f.flags & WF_FRAME_FOLLOWS;
        at += wf_frame_bytes(&f);
        if (follows && (at != buffer->bytes || !buffer->rest || buffer->rest_flags != f.flags)) return -1;
        memcpy(&number, follows ? buffer->rest->body : wf_frame_body(&f, buffer->frames + at - wf_frame_bytes(&f)), sizeof number);
        if (number != next[buffer->to][f.type]++) return -1;
    }
    return count;
}

/* As the poller does. Returns the number of messages, -1: wrong. */
static int take_and_check(wf_outbox *outbox, uint32_t next[RANKS][THREADS], int *buffer_count)
{
    int count = 0;
    for (wf_outbox_buffer *buffer = wf_outbox_take_all(outbox), *after; buffer; buffer = after) {
        int found = check_buffer(buffer, next);
        after = buffer->next;
        count = found < 0 || count < 0 ? -1 : count + found;
        if (buffer->rest) wf_message_destroy(buffer->rest);
        wf_outbox_return(outbox, buffer);
        if (buffer_count) ++*buffer_count;
    }
    return count;
}

static void messages_to_one_rank_share_a_buffer(void)
{
    wf_outbox outbox;
    uint32_t next[RANKS][THREADS] = {{0}};
    int buffers = 0;
    CU_ASSERT_EQUAL_FATAL(wf_outbox_init(&outbox, RANKS, BUFFER_BYTES, NULL), WEFT_OK);
    CU_ASSERT(wf_outbox_is_empty(&outbox));
    CU_ASSERT_PTR_NULL(wf_outbox_take_all(&outbox));
    for (uint32_t i = 0; i < 4; i++) {
        put(&outbox, 1, 0, i, 24);
        put(&outbox, 2, 0, i, 24);
    }
    CU_ASSERT_FALSE(wf_outbox_is_empty(&outbox));
    CU_ASSERT_EQUAL(take_and_check(&outbox, next, &buffers), 8);
    CU_ASSERT_EQUAL(buffers, 2);
    CU_ASSERT(wf_outbox_is_empty(&outbox));
    wf_outbox_fini(&outbox);
}

/* What follows a frame must leave before what comes after it. */
static void nothing_is_written_behind_what_is_followed(void)
{
    wf_outbox outbox;
    uint32_t next[RANKS][THREADS] = {{0}};
    int buffers = 0;
    CU_ASSERT_EQUAL_FATAL(wf_outbox_init(&outbox, RANKS, BUFFER_BYTES, NULL), WEFT_OK);
    put(&outbox, 1, 0, 0, 8);
    put(&outbox, 1, 0, 1, 5000);
    put(&outbox, 1, 0, 2, 8);
    put(&outbox, 1, 0, 3, 5000);
    CU_ASSERT_EQUAL(take_and_check(&outbox, next, &buffers), 4);
    CU_ASSERT_EQUAL(buffers, 2);
    wf_outbox_fini(&outbox);
}

static void buffers_are_used_again(void)
{
    wf_outbox outbox;
    CU_ASSERT_EQUAL_FATAL(wf_outbox_init(&outbox, RANKS, BUFFER_BYTES, NULL), WEFT_OK);
    put(&outbox, 1, 0, 0, 8);
    wf_outbox_buffer *first = wf_outbox_take_all(&outbox);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    wf_outbox_return(&outbox, first);
    put(&outbox, 1, 0, 1, 8); /* the taker returns them when it takes */
    wf_outbox_buffer *second = wf_outbox_take_all(&outbox);
    put(&outbox, 2, 0, 2, 8);
    wf_outbox_buffer *third = wf_outbox_take_all(&outbox);
    CU_ASSERT_PTR_EQUAL(third, first);
    CU_ASSERT(second != first);
    wf_outbox_return(&outbox, second);
    wf_outbox_return(&outbox, third);
    wf_outbox_fini(&outbox);
}

/* More than it keeps: the surplus is freed, LeakSanitizer sees whether all is. */
static void a_flood_is_not_kept_for_ever(void)
{
    wf_outbox outbox;
    uint32_t next[RANKS][THREADS] = {{0}};
    const size_t large = 128 << 10;
    CU_ASSERT_EQUAL_FATAL(wf_outbox_init(&outbox, RANKS, large, NULL), WEFT_OK);
    for (uint32_t i = 0; i < 40; i++) put(&outbox, 1, 0, i, large - 64);
    CU_ASSERT_EQUAL(outbox.made_count, 40);
    CU_ASSERT_EQUAL(take_and_check(&outbox, next, NULL), 40);
    put(&outbox, 1, 0, 40, 8);
    CU_ASSERT_EQUAL(take_and_check(&outbox, next, NULL), 1);
    CU_ASSERT(outbox.made_count <= 8);
    wf_outbox_fini(&outbox);
}

typedef struct sender {
    wf_outbox *outbox;
    uint32_t type;
} sender;

static void *send_all(void *argument)
{
    sender *s = argument;
    for (uint32_t i = 0; i < MESSAGES; i++) put(s->outbox, (int)(i % RANKS), s->type, i / RANKS, i % 97 == 0 ? 1000 : 4 + i % 60);
    return NULL;
}

static void threads_that_send_at_once_lose_nothing(void)
{
    wf_outbox outbox;
    sender senders[THREADS];
    pthread_t threads[THREADS];
    uint32_t next[RANKS][THREADS] = {{0}};
    int count = 0;
    CU_ASSERT_EQUAL_FATAL(wf_outbox_init(&outbox, RANKS, BUFFER_BYTES, NULL), WEFT_OK);
    for (uint32_t i = 0; i < THREADS; i++) {
        senders[i] = (sender){&outbox, i};
        pthread_create(&threads[i], NULL, send_all, &senders[i]);
    }
    while (count >= 0 && count < THREADS * MESSAGES) {
        int found = take_and_check(&outbox, next, NULL);
        count = found < 0 ? -1 : count + found;
        sched_yield();
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(count, THREADS * MESSAGES);
    CU_ASSERT(wf_outbox_is_empty(&outbox));
    wf_outbox_fini(&outbox);
}

static void what_nobody_took_is_freed(void)
{
    wf_outbox outbox, zeroed = {0};
    CU_ASSERT_EQUAL_FATAL(wf_outbox_init(&outbox, RANKS, BUFFER_BYTES, NULL), WEFT_OK);
    put(&outbox, 1, 0, 0, 8);
    put(&outbox, 1, 0, 1, 9000);
    wf_outbox_fini(&outbox);
    wf_outbox_fini(&zeroed);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(messages_to_one_rank_share_a_buffer),
        WEFT_TEST(nothing_is_written_behind_what_is_followed),
        WEFT_TEST(buffers_are_used_again),
        WEFT_TEST(a_flood_is_not_kept_for_ever),
        WEFT_TEST(threads_that_send_at_once_lose_nothing),
        WEFT_TEST(what_nobody_took_is_freed),
    };
    return weft_test_run("transport/outbox", cases, WEFT_COUNT_OF(cases));
}
