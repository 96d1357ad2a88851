#include "exec/deque.h"

#include <pthread.h>
#include <stdlib.h>

#include "weft_test.h"

/* Items are addresses in an array, so that each tells its number. */
enum { ITEMS = 200000 };

static char places[ITEMS];

static void *item(size_t number)
{
    return &places[number];
}

static size_t number_of(void *taken)
{
    return (size_t)((char *)taken - places);
}

static void create(wf_deque *deque)
{
    CU_ASSERT_EQUAL_FATAL(wf_deque_init(deque, NULL), WEFT_OK);
}

static void an_empty_deque_gives_nothing(void)
{
    wf_deque deque;
    create(&deque);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_PTR_NULL(wf_deque_pop(&deque));
        CU_ASSERT_PTR_NULL(wf_deque_steal(&deque));
        CU_ASSERT_TRUE(wf_deque_is_empty(&deque));
    }
    CU_ASSERT_TRUE(wf_deque_push(&deque, item(1)));
    CU_ASSERT_FALSE(wf_deque_is_empty(&deque));
    CU_ASSERT_PTR_EQUAL(wf_deque_pop(&deque), item(1));
    CU_ASSERT_TRUE(wf_deque_is_empty(&deque));
    wf_deque_fini(&deque);
}

static void the_owner_takes_the_newest_and_a_thief_the_oldest(void)
{
    wf_deque deque;
    create(&deque);
    for (size_t i = 0; i < 5; i++) CU_ASSERT_TRUE(wf_deque_push(&deque, item(i)));
    CU_ASSERT_PTR_EQUAL(wf_deque_pop(&deque), item(4));
    CU_ASSERT_PTR_EQUAL(wf_deque_steal(&deque), item(0));
    CU_ASSERT_PTR_EQUAL(wf_deque_steal(&deque), item(1));
    CU_ASSERT_PTR_EQUAL(wf_deque_pop(&deque), item(3));
    CU_ASSERT_PTR_EQUAL(wf_deque_steal(&deque), item(2));
    CU_ASSERT_PTR_NULL(wf_deque_pop(&deque));
    wf_deque_fini(&deque);
}

static void items_pushed_together_lie_as_if_pushed_in_turn(void)
{
    static void *all[1000];
    for (size_t i = 0; i < 1000; i++) all[i] = item(i);
    for (int before = 0; before < 300; before += 50) {
        for (int count = 0; count <= 700; count += 100) { /* some make it grow, and grow twice */
            wf_deque deque;
            create(&deque);
            for (int i = 0; i < before; i++) CU_ASSERT_TRUE(wf_deque_push(&deque, all[i]));
            CU_ASSERT_TRUE(wf_deque_push_all(&deque, &all[before], count));
            size_t first = 0, end = (size_t)(before + count);
            for (size_t turn = 0; first < end; turn++)
                CU_ASSERT_PTR_EQUAL(turn % 3 ? wf_deque_pop(&deque) : wf_deque_steal(&deque), turn % 3 ? item(--end) : item(first++));
            CU_ASSERT_PTR_NULL(wf_deque_pop(&deque));
            wf_deque_fini(&deque);
        }
    }
}

static void growing_keeps_all_items_in_order(void)
{
    wf_deque deque;
    size_t wrong = 0;
    create(&deque);
    for (size_t i = 0; i < ITEMS; i++) wrong += !wf_deque_push(&deque, item(i));
    for (size_t i = 0; i < ITEMS / 2; i++) wrong += wf_deque_steal(&deque) != item(i);
    for (size_t i = ITEMS; i-- > ITEMS / 2;) wrong += wf_deque_pop(&deque) != item(i);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(wf_deque_is_empty(&deque));
    wf_deque_fini(&deque);
}

/* Indices run on for ever while the ring turns; it also grows while its begin lies in the middle. */
static void the_ring_turns_and_grows_when_it_is_full(void)
{
    wf_deque deque;
    size_t pushed = 0, stolen = 0, wrong = 0;
    create(&deque);
    for (size_t held = 1; held <= 1100; held += 7) {
        while (pushed - stolen < held) wrong += !wf_deque_push(&deque, item(pushed++ % ITEMS));
        for (int i = 0; i < 100; i++) {
            wrong += !wf_deque_push(&deque, item(pushed++ % ITEMS));
            wrong += wf_deque_steal(&deque) != item(stolen++ % ITEMS);
        }
    }
    while (stolen < pushed) wrong += wf_deque_steal(&deque) != item(stolen++ % ITEMS);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_PTR_NULL(wf_deque_pop(&deque));
    wf_deque_fini(&deque);
}

/* ---- thieves ---- */

enum { THIEVES = 4 };

typedef struct heist {
    wf_deque deque;
    atomic_uchar *taken; /* by item: how often */
    int *payload;        /* by item: written before it is pushed, read by its taker; not atomic, so that ThreadSanitizer checks the order */
    atomic_size_t wrong;
    atomic_bool over;
} heist;

static void take(heist *h, void *taken)
{
    size_t number = number_of(taken);
    if (atomic_fetch_add_explicit(&h->taken[number], 1, memory_order_relaxed) != 0 || h->payload[number] != (int)number)
        atomic_fetch_add(&h->wrong, 1);
}

static void *steal_until_over(void *argument)
{
    heist *h = argument;
    for (;;) {
        bool is_last_round = atomic_load(&h->over);
        void *taken;
        while ((taken = wf_deque_steal(&h->deque))) take(h, taken);
        if (is_last_round) return NULL;
    }
}

/* The owner pushes bursts and pops some back, so that all fight over the last item again and again, and the ring grows meanwhile. */
static void run_heist(size_t burst, size_t popped)
{
    heist h = {.taken = calloc(ITEMS, sizeof *h.taken), .payload = calloc(ITEMS, sizeof *h.payload)};
    pthread_t thieves[THIEVES];
    CU_ASSERT_FATAL(h.taken && h.payload);
    create(&h.deque);
    for (int t = 0; t < THIEVES; t++) CU_ASSERT_EQUAL_FATAL(pthread_create(&thieves[t], NULL, steal_until_over, &h), 0);
    for (size_t next = 0; next < ITEMS;) {
        for (size_t i = 0; i < burst && next < ITEMS; i++, next++) {
            h.payload[next] = (int)next;
            if (!wf_deque_push(&h.deque, item(next))) atomic_fetch_add(&h.wrong, 1);
        }
        for (size_t i = 0; i < popped; i++) {
            void *taken = wf_deque_pop(&h.deque);
            if (taken) take(&h, taken);
        }
    }
    for (void *taken; (taken = wf_deque_pop(&h.deque));) take(&h, taken);
    atomic_store(&h.over, true);
    for (int t = 0; t < THIEVES; t++) pthread_join(thieves[t], NULL);
    size_t missing = 0;
    for (size_t i = 0; i < ITEMS; i++) missing += atomic_load(&h.taken[i]) != 1;
    CU_ASSERT_EQUAL(missing, 0);
    CU_ASSERT_EQUAL(atomic_load(&h.wrong), 0);
    CU_ASSERT_TRUE(wf_deque_is_empty(&h.deque));
    wf_deque_fini(&h.deque);
    free(h.taken);
    free(h.payload);
}

static void each_item_is_taken_once_when_all_fight_over_the_last(void)
{
    run_heist(1, 1);
    run_heist(2, 2);
}

static void each_item_is_taken_once_while_the_ring_grows(void)
{
    run_heist(ITEMS, ITEMS);
    run_heist(3000, 2000);
    run_heist(50, 20);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(an_empty_deque_gives_nothing),
        WEFT_TEST(the_owner_takes_the_newest_and_a_thief_the_oldest),
        WEFT_TEST(items_pushed_together_lie_as_if_pushed_in_turn),
        WEFT_TEST(growing_keeps_all_items_in_order),
        WEFT_TEST(the_ring_turns_and_grows_when_it_is_full),
        WEFT_TEST(each_item_is_taken_once_when_all_fight_over_the_last),
        WEFT_TEST(each_item_is_taken_once_while_the_ring_grows),
    };
    return weft_test_run("exec/deque", cases, WEFT_COUNT_OF(cases));
}
