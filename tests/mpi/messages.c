/* Messages of many sizes between all ranks, from two threads each that poll as well: each arrives once and whole, those without a chunk in
 * the order their thread sent them. WEFT_TEST_SEED repeats a run. */
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "transport/mpi.h"
#include "weft_test.h"

enum { THREADS = 2, MESSAGES = 600, MAX_RANKS = 16 };
#define TIMEOUT_NS INT64_C(20000000000)

static wf_mpi *mpi; /* MPI starts once in a process, and cases take no arguments */
static uint64_t seed;

typedef struct head { /* of each body */
    uint32_t thread, number; /* of the thread's messages to this rank */
    uint32_t key;            /* what the other bytes follow from */
    uint32_t body_bytes;
    uint64_t chunk_bytes;    /* UINT64_MAX: no chunk */
} head;

typedef struct peer {
    bool is_seen[THREADS][MESSAGES];
    uint32_t next[THREADS]; /* the least number that one without a chunk may have */
} peer;

typedef struct rank_state {
    wf_transport *transport;
    wf_budget *budget;
    peer peers[MAX_RANKS];
    atomic_int arrived;
    atomic_int wrong;
} rank_state;

typedef struct sender {
    rank_state *s;
    uint32_t thread;
    uint64_t random;
} sender;

static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % below;
}

static void fill(unsigned char *bytes, size_t count, uint32_t key)
{
    for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)((key + i) * 2654435761u >> 24);
}

static bool is_filled(const unsigned char *bytes, size_t count, uint32_t key)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != (unsigned char)((key + i) * 2654435761u >> 24)) return false;
    }
    return true;
}

static bool is_right(rank_state *s, const wf_message *message)
{
    const head *h = message->body;
    size_t head_bytes = sizeof *h;
    if (message->body_bytes < head_bytes || message->body_bytes != h->body_bytes || message->type != h->key) return false;
    if (h->thread >= THREADS || h->number >= MESSAGES || s->peers[message->from].is_seen[h->thread][h->number]) return false;
    peer *p = &s->peers[message->from];
    p->is_seen[h->thread][h->number] = true;
    if (!is_filled((const unsigned char *)(h + 1), h->body_bytes - head_bytes, h->key)) return false;
    if (h->chunk_bytes != UINT64_MAX)
        return message->chunk && weft_chunk_bytes(message->chunk) == h->chunk_bytes &&
               is_filled(weft_chunk_data(message->chunk), h->chunk_bytes, h->key + 1);
    if (message->chunk || h->number < p->next[h->thread]) return false;
    p->next[h->thread] = h->number + 1;
    return true;
}

static void handle(void *context, wf_message *message, void *poller)
{
    rank_state *s = context;
    (void)poller;
    if (!is_right(s, message)) atomic_fetch_add(&s->wrong, 1);
    atomic_fetch_add(&s->arrived, 1);
}

static void send_one(sender *self, int to, uint32_t number)
{
    static const uint32_t sizes[] = {0, 1, 16, 40, 41, 100, 200, 1000, 3900, 4000, 9000, 70000, 600000};
    uint32_t body_bytes = (uint32_t)sizeof(head) + sizes[draw(&self->random, draw(&self->random, 8) ? 8 : 12)];
    wf_message message = {.type = draw(&self->random, 1u << 30)};
    head *h = wf_message_create_body(&message, body_bytes, NULL);
    if (!h) abort();
    *h = (head){self->thread, number, message.type, body_bytes, UINT64_MAX};
    fill((unsigned char *)(h + 1), body_bytes - sizeof *h, h->key);
    if (draw(&self->random, 3) == 0) {
        h->chunk_bytes = sizes[draw(&self->random, draw(&self->random, 8) ? 8 : 13)];
        if (wf_chunk_create(self->s->budget, WEFT_U8, 1, (int64_t[]){(int64_t)h->chunk_bytes}, &message.chunk, NULL) != WEFT_OK) abort();
        fill(wf_chunk_elements(message.chunk), h->chunk_bytes, h->key + 1);
    }
    if (wf_transport_send(self->s->transport, to, &message, NULL) != WEFT_OK) atomic_fetch_add(&self->s->wrong, 1);
}

static void *send_all(void *argument)
{
    sender *self = argument;
    for (uint32_t number = 0; number < MESSAGES; number++) {
        for (int to = 0; to < self->s->transport->size; to++) send_one(self, to, number);
        if (draw(&self->random, 4) == 0) wf_transport_poll(self->s->transport, NULL);
    }
    return NULL;
}

static void exchange(size_t eager_bytes)
{
    rank_state *s = calloc(1, sizeof *s);
    sender senders[THREADS];
    pthread_t thread;
    if (!s || wf_mpi_size(mpi) > MAX_RANKS) abort();
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &s->budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_mpi_transport_open(mpi, s->budget, eager_bytes, &s->transport, NULL), WEFT_OK);
    wf_transport_set_handler(s->transport, handle, s);
    for (uint32_t i = 0; i < THREADS; i++) senders[i] = (sender){s, i, seed + 1000 * (uint64_t)wf_mpi_rank(mpi) + i};
    pthread_create(&thread, NULL, send_all, &senders[1]);
    send_all(&senders[0]);
    pthread_join(thread, NULL);
    int64_t until_ns = wf_clock_now_ns() + TIMEOUT_NS;
    while (atomic_load(&s->arrived) < THREADS * MESSAGES * s->transport->size && wf_clock_now_ns() < until_ns) {
        if (!wf_transport_poll(s->transport, NULL)) sched_yield();
    }
    CU_ASSERT(wf_transport_flush(s->transport, TIMEOUT_NS));
    CU_ASSERT_PTR_NULL(wf_transport_broken(s->transport));
    CU_ASSERT_EQUAL(atomic_load(&s->arrived), THREADS * MESSAGES * s->transport->size);
    CU_ASSERT_EQUAL(atomic_load(&s->wrong), 0);
    MPI_Barrier(MPI_COMM_WORLD); /* nobody cancels its receives while another still sends */
    wf_transport_destroy(s->transport);
    MPI_Barrier(MPI_COMM_WORLD); /* nor does the next transport send to receives of this one */
    CU_ASSERT_EQUAL(wf_budget_used_bytes(s->budget), 0);
    wf_budget_release(s->budget);
    free(s);
}

static void messages_arrive_with_the_least_buffers(void)
{
    exchange(256);
}

static void messages_arrive_with_the_default_buffers(void)
{
    exchange(4000);
}

static void messages_arrive_with_the_largest_buffers(void)
{
    exchange(1 << 20);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(messages_arrive_with_the_least_buffers),
        WEFT_TEST(messages_arrive_with_the_default_buffers),
        WEFT_TEST(messages_arrive_with_the_largest_buffers),
    };
    weft_error err = WEFT_ERROR_INIT;
    const char *given = getenv("WEFT_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    if (wf_mpi_open(NULL, &mpi, &err) != WEFT_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    if (!freopen(wf_mpi_rank(mpi) ? "/dev/null" : "/dev/stdout", "w", stdout)) return 1;
    printf("seed %llu\n", (unsigned long long)seed);
    int failed = weft_test_run("mpi/messages", cases, WEFT_COUNT_OF(cases)), failed_anywhere = 0;
    MPI_Allreduce(&failed, &failed_anywhere, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    wf_mpi_close(mpi);
    return failed_anywhere;
}
