/* Messages between ranks that are threads: all arrive, once, in order; what nobody took is freed. */
#include "transport/loopback.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "weft_test.h"

enum { RANKS = 3, SENDERS = 2, MESSAGES = 500 };

typedef struct inbox_log {
    int count[RANKS][SENDERS]; /* by sending rank and thread: how many came, which must be their numbers */
    bool out_of_order;
    void *poller;
} inbox_log;

static weft_status send_number(wf_transport *transport, int to, uint32_t type, uint32_t number)
{
    wf_message message = {.type = type, .body_bytes = sizeof number, .body = wf_aligned_alloc(1, sizeof number, NULL)};
    if (!message.body) abort();
    memcpy(message.body, &number, sizeof number);
    weft_status status = wf_transport_send(transport, to, &message, NULL);
    CU_ASSERT_PTR_NULL(message.body); /* taken in every case */
    return status;
}

static void log_message(void *context, wf_message *message, void *poller)
{
    inbox_log *log = context;
    uint32_t number;
    memcpy(&number, message->body, sizeof number);
    int *count = &log->count[message->from][message->type];
    if ((int)number != (*count)++) log->out_of_order = true;
    log->poller = poller;
}

typedef struct rank_thread {
    wf_transport *transport;
    inbox_log *log;
    uint32_t sender;
} rank_thread;

static int received(const inbox_log *log)
{
    int sum = 0;
    for (int r = 0; r < RANKS; r++) {
        for (int s = 0; s < SENDERS; s++) sum += log->count[r][s];
    }
    return sum;
}

static void *send_all(void *argument)
{
    rank_thread *t = argument;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        for (int to = 0; to < RANKS; to++) send_number(t->transport, to, t->sender, i);
    }
    return NULL;
}

static void *receive_all(void *argument)
{
    rank_thread *t = argument;
    while (received(t->log) < RANKS * SENDERS * MESSAGES) { /* only this thread polls, so only it writes the log */
        if (!wf_transport_poll(t->transport, t)) sched_yield();
    }
    return NULL;
}

static void messages_of_each_sender_arrive_once_and_in_order(void)
{
    wf_loopback *loopback;
    wf_budget *budget;
    wf_transport *transports[RANKS];
    static inbox_log logs[RANKS];
    rank_thread arguments[RANKS][SENDERS + 1];
    pthread_t threads[RANKS][SENDERS + 1];
    CU_ASSERT_EQUAL_FATAL(wf_loopback_create(RANKS, &loopback, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &budget, NULL), WEFT_OK);
    for (int r = 0; r < RANKS; r++) {
        CU_ASSERT_EQUAL_FATAL(wf_loopback_open(loopback, r, budget, &transports[r], NULL), WEFT_OK);
        wf_transport_set_handler(transports[r], log_message, &logs[r]);
    }
    for (int r = 0; r < RANKS; r++) {
        for (uint32_t s = 0; s <= SENDERS; s++) {
            arguments[r][s] = (rank_thread){transports[r], &logs[r], s};
            pthread_create(&threads[r][s], NULL, s < SENDERS ? send_all : receive_all, &arguments[r][s]);
        }
    }
    for (int r = 0; r < RANKS; r++) {
        for (int s = 0; s <= SENDERS; s++) pthread_join(threads[r][s], NULL);
    }
    for (int r = 0; r < RANKS; r++) {
        CU_ASSERT_FALSE(logs[r].out_of_order);
        CU_ASSERT_EQUAL(received(&logs[r]), RANKS * SENDERS * MESSAGES);
        CU_ASSERT_PTR_EQUAL(logs[r].poller, &arguments[r][SENDERS]);
        CU_ASSERT_FALSE(wf_transport_poll(transports[r], NULL));
        CU_ASSERT_EQUAL(wf_transport_bytes_sent(transports[r]), (uint64_t)(RANKS - 1) * SENDERS * MESSAGES * 4); /* not to itself */
        CU_ASSERT(wf_transport_flush(transports[r], 0));
        wf_transport_destroy(transports[r]);
    }
    wf_loopback_destroy(loopback);
    wf_budget_release(budget);
}

static weft_chunk *taken;

static void take_chunk(void *context, wf_message *message, void *poller)
{
    (void)context;
    (void)poller;
    taken = message->chunk;
    message->chunk = NULL;
}

static void chunks_are_handed_over_and_undelivered_ones_freed(void)
{
    wf_loopback *loopback;
    wf_budget *budget;
    wf_transport *transports[2];
    weft_chunk *chunk;
    CU_ASSERT_EQUAL_FATAL(wf_loopback_create(2, &loopback, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &budget, NULL), WEFT_OK);
    for (int r = 0; r < 2; r++) CU_ASSERT_EQUAL_FATAL(wf_loopback_open(loopback, r, budget, &transports[r], NULL), WEFT_OK);
    wf_transport_set_handler(transports[1], take_chunk, NULL);
    for (int i = 0; i < 4; i++) { /* to the other, to the own, to nobody; the last two stay undelivered */
        CU_ASSERT_EQUAL_FATAL(wf_chunk_create(budget, WEFT_U8, 1, (int64_t[]){1000}, &chunk, NULL), WEFT_OK);
        wf_message message = {.type = 9, .chunk = chunk};
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(wf_transport_send(transports[0], i == 1 ? 2 : i == 3 ? 0 : 1, &message, &err), i == 1 ? WEFT_EINVAL : WEFT_OK);
        CU_ASSERT_PTR_NULL(message.chunk);
        if (i != 0) continue;
        CU_ASSERT(wf_transport_poll(transports[1], NULL));
        CU_ASSERT_PTR_EQUAL(taken, chunk);
        weft_chunk_release(taken);
        CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    }
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 2000);
    for (int r = 0; r < 2; r++) wf_transport_destroy(transports[r]);
    wf_transport_destroy(NULL);
    wf_loopback_destroy(loopback);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    wf_budget_release(budget);
    wf_loopback_destroy(NULL);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(messages_of_each_sender_arrive_once_and_in_order),
        WEFT_TEST(chunks_are_handed_over_and_undelivered_ones_freed),
    };
    return weft_test_run("transport/loopback", cases, WEFT_COUNT_OF(cases));
}
