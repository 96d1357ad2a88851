/* Unopened, open, elsewhere: by hand on one rank, then at random on several whose messages overtake one another as far as the transport
 * lets them. WEFT_TEST_SEED repeats a run. */
#include "cluster/worker_partitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_graph.h"
#include "weft_test.h"

enum { RANKS = 4, PER_RANK = 3, PARTITIONS = RANKS * PER_RANK, CHUNKS = 4, MAX_MESSAGES = 4096 };

static uint64_t seed;

/* What the owner of one rank's table was asked to do. Chunks are always failed ones (NULL): it is the ref that counts. */
typedef struct rank {
    int number;
    struct network *network;
    wf_worker_partitions *partitions;
    atomic_size_t startable_count;
    int wakes;
    uint32_t opened[PARTITIONS];
    int open_count;
    int delivered[PARTITIONS][CHUNKS + 1]; /* by partition and ref */
} rank;

typedef enum message_kind { DATA, PARTITION, TAKE, OVERLAY } message_kind;

typedef struct message {
    message_kind kind;
    int from, to;
    uint32_t partition, moves;
    uint64_t ref;
    wf_partition_content content;
    wf_moved_partition moved;
} message;

typedef struct network {
    rank ranks[RANKS];
    message messages[MAX_MESSAGES]; /* on their way, oldest first */
    int message_count;
} network;

static void send(network *n, const message *m)
{
    CU_ASSERT_FATAL(n->message_count < MAX_MESSAGES);
    n->messages[n->message_count++] = *m;
}

static weft_status on_open(void *owner, wf_partition_content *content, wf_pool_item **next, weft_error *err)
{
    rank *r = owner;
    (void)next;
    (void)err;
    free(content->bytes);
    content->bytes = NULL;
    r->opened[r->open_count++] = content->partition;
    return WEFT_OK;
}

static weft_status on_deliver(void *owner, uint32_t partition, uint64_t ref, weft_chunk *chunk, wf_thread *self, weft_error *err)
{
    rank *r = owner;
    (void)chunk;
    (void)self;
    (void)err;
    r->delivered[partition][ref]++;
    return WEFT_OK;
}

static void on_forward(void *owner, uint32_t partition, wf_place to, uint64_t ref, weft_chunk *chunk)
{
    rank *r = owner;
    (void)chunk;
    CU_ASSERT(to.rank != r->number);
    message m = {.kind = DATA, .from = r->number, .to = to.rank, .partition = partition, .moves = to.moves, .ref = ref};
    send(r->network, &m);
}

static void on_send(void *owner, int to, wf_partition_content *content)
{
    rank *r = owner;
    message m = {.kind = PARTITION, .from = r->number, .to = to, .partition = content->partition, .content = *content};
    content->bytes = NULL;
    send(r->network, &m);
}

static void on_wake(void *owner)
{
    ((rank *)owner)->wakes++;
}

static void open_network(network *n)
{
    static const wf_partition_ops ops = {on_open, on_deliver, on_forward, on_send, on_wake};
    memset(n, 0, sizeof *n);
    for (int i = 0; i < RANKS; i++) {
        rank *r = &n->ranks[i];
        r->number = i;
        r->network = n;
        wf_worker_partitions_options options = {i, PARTITIONS, 0, PER_RANK, PER_RANK, &ops, r, &r->startable_count};
        CU_ASSERT_EQUAL_FATAL(wf_worker_partitions_create(&options, &r->partitions, NULL), WEFT_OK);
    }
}

static void close_network(network *n)
{
    for (int i = 0; i < n->message_count; i++) free(n->messages[i].content.bytes);
    for (int i = 0; i < RANKS; i++) {
        wf_worker_partitions_destroy(n->ranks[i].partitions);
        CU_ASSERT_EQUAL(atomic_load(&n->ranks[i].startable_count), 0);
    }
}

static wf_partition_content make_content(uint32_t partition, bool has_ready, bool is_bound)
{
    return (wf_partition_content){partition, 5, is_bound, has_ready, calloc(1, 64), 64};
}

static void add(rank *r, uint32_t partition, bool has_ready, bool is_bound)
{
    wf_partition_content content = make_content(partition, has_ready, is_bound);
    CU_ASSERT_EQUAL(wf_worker_partitions_add(r->partitions, &content, NULL), WEFT_OK);
}

static void deliver(rank *r, uint32_t partition, uint32_t moves, uint64_t ref)
{
    CU_ASSERT_EQUAL(wf_worker_partitions_deliver(r->partitions, partition, moves, ref, NULL, NULL, NULL), WEFT_OK);
}

static void open_next(rank *r)
{
    wf_pool_item *next;
    CU_ASSERT_EQUAL(wf_worker_partitions_open_next(r->partitions, NULL, &next, NULL), WEFT_OK);
    CU_ASSERT_PTR_NULL(next);
}

static void partitions_are_opened_lowest_number_first_when_they_could_start(void)
{
    network n;
    open_network(&n);
    rank *r = &n.ranks[0];
    add(r, 2, true, false);
    add(r, 0, false, false); /* waits for a chunk */
    add(r, 1, true, false);
    CU_ASSERT_EQUAL(atomic_load(&r->startable_count), 2);
    CU_ASSERT_EQUAL(r->wakes, 2);
    open_next(r);
    deliver(r, 0, 0, 1);
    CU_ASSERT_EQUAL(r->wakes, 3);
    deliver(r, 0, 0, 2);
    CU_ASSERT_EQUAL(r->wakes, 3);
    CU_ASSERT_EQUAL(r->delivered[0][1], 0);
    open_next(r);
    CU_ASSERT(r->delivered[0][1] == 1 && r->delivered[0][2] == 1);
    deliver(r, 0, 0, 3);
    CU_ASSERT_EQUAL(r->delivered[0][3], 1);
    CU_ASSERT(wf_worker_partitions_has_unopened(r->partitions));
    open_next(r);
    CU_ASSERT_FALSE(wf_worker_partitions_has_unopened(r->partitions));
    CU_ASSERT_EQUAL_FATAL(r->open_count, 3);
    CU_ASSERT(r->opened[0] == 1 && r->opened[1] == 0 && r->opened[2] == 2);
    open_next(r); /* nothing left */
    CU_ASSERT_EQUAL(r->open_count, 3);
    close_network(&n);
}

static void the_last_that_could_start_are_given_but_not_those_bound_or_open(void)
{
    network n;
    wf_moved_partition moved[PARTITIONS];
    open_network(&n);
    rank *r = &n.ranks[1]; /* partitions 3, 4, 5 */
    wf_moved_partition coming = {8, 1, 1, 0, 5};
    CU_ASSERT_EQUAL(wf_worker_partitions_note(r->partitions, &coming, true, NULL), WEFT_OK);
    CU_ASSERT(wf_worker_partitions_has_coming(r->partitions));
    for (uint32_t p = 3; p < 6; p++) add(r, p, p != 5, p == 4);
    add(r, 8, true, false);
    CU_ASSERT_FALSE(wf_worker_partitions_has_coming(r->partitions));
    CU_ASSERT_EQUAL(wf_worker_partitions_movable_count(r->partitions), 2);
    CU_ASSERT_EQUAL(wf_worker_partitions_choose(r->partitions, 3, 1, false, moved), 1);
    CU_ASSERT(moved[0].partition == 8 && moved[0].moves == 2 && moved[0].rank == 3 && moved[0].task_count == 5);
    CU_ASSERT_EQUAL(wf_worker_partitions_choose(r->partitions, 3, PARTITIONS, false, moved), 2);
    CU_ASSERT(moved[0].partition == 8 && moved[1].partition == 3);
    CU_ASSERT_EQUAL(wf_worker_partitions_choose(r->partitions, 3, PARTITIONS, true, moved), 3);
    CU_ASSERT(moved[0].partition == 8 && moved[1].partition == 5 && moved[2].partition == 3);
    open_next(r);
    CU_ASSERT_EQUAL(wf_worker_partitions_choose(r->partitions, 3, PARTITIONS, true, moved), 2);
    close_network(&n);
}

static void what_has_arrived_goes_along_and_what_comes_late_follows(void)
{
    network n;
    wf_moved_partition moved;
    open_network(&n);
    rank *r = &n.ranks[0];
    add(r, 0, false, false);
    deliver(r, 0, 0, 1);
    CU_ASSERT_EQUAL_FATAL(wf_worker_partitions_choose(r->partitions, 2, 1, false, &moved), 1);
    CU_ASSERT_EQUAL(wf_worker_partitions_hand_over(r->partitions, &moved, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(atomic_load(&r->startable_count), 0);
    deliver(r, 0, 0, 2); /* by who does not know yet */
    CU_ASSERT_EQUAL_FATAL(n.message_count, 3);
    CU_ASSERT(n.messages[0].kind == PARTITION && n.messages[0].to == 2);
    CU_ASSERT(n.messages[1].kind == DATA && n.messages[1].to == 2 && n.messages[1].ref == 1 && n.messages[1].moves == 1);
    CU_ASSERT(n.messages[2].kind == DATA && n.messages[2].to == 2 && n.messages[2].ref == 2 && n.messages[2].moves == 1);
    wf_place place = wf_worker_partitions_get_place(r->partitions, 0);
    CU_ASSERT(place.rank == 2 && place.moves == 1);
    close_network(&n);
}

static void chunks_that_come_before_their_partition_wait_for_it(void)
{
    network n;
    open_network(&n);
    rank *r = &n.ranks[3];
    deliver(r, 0, 2, 1); /* who sends this knows of two moves of it: the second must lead here */
    deliver(r, 0, 2, 2);
    CU_ASSERT_EQUAL(n.message_count, 0);
    wf_moved_partition coming = {0, 2, 3, 0, 5};
    CU_ASSERT_EQUAL(wf_worker_partitions_note(r->partitions, &coming, true, NULL), WEFT_OK);
    add(r, 0, false, false);
    CU_ASSERT_EQUAL(r->wakes, 1);
    open_next(r);
    CU_ASSERT(r->delivered[0][1] == 1 && r->delivered[0][2] == 1);
    close_network(&n);
}

static void what_does_not_fit_is_refused(void)
{
    network n;
    weft_error err = WEFT_ERROR_INIT;
    open_network(&n);
    rank *r = &n.ranks[0];
    wf_moved_partition unknown = {PARTITIONS, 1, 0, 0, 5};
    CU_ASSERT_EQUAL(wf_worker_partitions_deliver(r->partitions, PARTITIONS, 0, 1, NULL, NULL, &err), WEFT_EDATA);
    CU_ASSERT_EQUAL(wf_worker_partitions_note(r->partitions, &unknown, false, NULL), WEFT_EDATA);
    wf_partition_content content = make_content(PARTITIONS, true, false);
    CU_ASSERT_EQUAL(wf_worker_partitions_add(r->partitions, &content, NULL), WEFT_EDATA);
    add(r, 1, true, false);
    content.partition = 1; /* twice */
    CU_ASSERT_EQUAL(wf_worker_partitions_add(r->partitions, &content, NULL), WEFT_EDATA);
    add(r, 0, true, false);
    add(r, 2, true, false);
    content.partition = 3; /* uncalled for */
    CU_ASSERT_EQUAL(wf_worker_partitions_add(r->partitions, &content, NULL), WEFT_EDATA);
    free(content.bytes);
    close_network(&n);
}

/* ---- at random ---- */

static void act(network *n, const message *m)
{
    rank *r = &n->ranks[m->to];
    switch (m->kind) {
    case DATA: deliver(r, m->partition, m->moves, m->ref); break;
    case PARTITION: CU_ASSERT_EQUAL(wf_worker_partitions_add(r->partitions, &m->content, NULL), WEFT_OK); break;
    default: CU_ASSERT_EQUAL(wf_worker_partitions_note(r->partitions, &m->moved, m->kind == TAKE, NULL), WEFT_OK); break;
    }
}

/* Any message that the transport may bring next: chunks overtake, the others keep their sequence from rank to rank. */
static void bring_some_message(network *n, uint64_t *state)
{
    int at = (int)random_below(state, (size_t)n->message_count);
    message m = n->messages[at];
    for (int i = 0; i < at && m.kind != DATA; i++) {
        if (n->messages[i].kind == DATA || n->messages[i].from != m.from || n->messages[i].to != m.to) continue;
        m = n->messages[at = i];
    }
    memmove(&n->messages[at], &n->messages[at + 1], (size_t)(n->message_count - at - 1) * sizeof m);
    n->message_count--;
    act(n, &m);
}

/* Sometimes the others are told; the sender stands for rank 0, whose messages keep their sequence, too. */
static void give_some(network *n, uint64_t *state)
{
    rank *r = &n->ranks[random_below(state, RANKS)];
    int to = (int)random_below(state, RANKS);
    wf_moved_partition moved[PARTITIONS];
    if (to == r->number) return;
    uint32_t count = wf_worker_partitions_choose(r->partitions, to, (uint32_t)random_below(state, 3), true, moved);
    for (uint32_t i = 0; i < count; i++) {
        message m = {.kind = TAKE, .from = r->number, .to = to, .moved = moved[i]};
        send(n, &m);
    }
    for (uint32_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(wf_worker_partitions_hand_over(r->partitions, &moved[i], NULL), WEFT_OK);
        for (int other = 0; other < RANKS; other++) {
            message m = {.kind = OVERLAY, .from = RANKS, .to = other, .moved = moved[i]};
            if (random_below(state, 2)) send(n, &m);
        }
    }
}

static void send_some_chunk(network *n, uint32_t number, uint64_t *state)
{
    rank *r = &n->ranks[random_below(state, RANKS)];
    uint32_t partition = number / CHUNKS;
    uint64_t ref = 1 + number % CHUNKS;
    wf_place place = wf_worker_partitions_get_place(r->partitions, partition);
    message m = {.kind = DATA, .from = r->number, .to = place.rank, .partition = partition, .moves = place.moves, .ref = ref};
    send(n, &m);
}

static void run_at_random(uint64_t graph_seed)
{
    static network n;
    uint64_t state = graph_seed;
    uint32_t chunks = 0;
    open_network(&n);
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        message m = {.kind = PARTITION, .from = RANKS, .to = (int)p / PER_RANK, .content = make_content(p, random_below(&state, 2), false)};
        send(&n, &m);
    }
    int moves = 0;
    while (n.message_count > 0 || chunks < PARTITIONS * CHUNKS) {
        size_t what = random_below(&state, 16);
        if (what < 3 && chunks < PARTITIONS * CHUNKS)
            send_some_chunk(&n, chunks++, &state);
        else if (what < 5 && moves++ < 200)
            give_some(&n, &state);
        else if (what < 6)
            open_next(&n.ranks[random_below(&state, RANKS)]);
        else if (n.message_count > 0)
            bring_some_message(&n, &state);
    }
    int opened[PARTITIONS] = {0};
    bool is_right = true;
    for (int i = 0; i < RANKS; i++) {
        rank *r = &n.ranks[i];
        while (atomic_load(&r->startable_count) > 0) open_next(r);
        is_right &= !wf_worker_partitions_has_unopened(r->partitions);
        for (int o = 0; o < r->open_count; o++) {
            uint32_t p = r->opened[o];
            opened[p]++;
            for (int ref = 1; ref <= CHUNKS; ref++) is_right &= r->delivered[p][ref] == 1;
        }
    }
    for (int p = 0; p < PARTITIONS; p++) is_right &= opened[p] == 1;
    if (!is_right) printf("seed %llu, round %llu\n", (unsigned long long)seed, (unsigned long long)graph_seed);
    CU_ASSERT(is_right);
    close_network(&n);
}

static void every_chunk_reaches_every_partition_once_wherever_it_moves(void)
{
    for (uint64_t round = 0; round < 3000; round++) run_at_random(seed + round);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(partitions_are_opened_lowest_number_first_when_they_could_start),
        WEFT_TEST(the_last_that_could_start_are_given_but_not_those_bound_or_open),
        WEFT_TEST(what_has_arrived_goes_along_and_what_comes_late_follows),
        WEFT_TEST(chunks_that_come_before_their_partition_wait_for_it),
        WEFT_TEST(what_does_not_fit_is_refused),
        WEFT_TEST(every_chunk_reaches_every_partition_once_wherever_it_moves),
    };
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("cluster/worker_partitions", cases, WEFT_COUNT_OF(cases));
}
