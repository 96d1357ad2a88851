/* The slab: blocks that do not overlap, whoever takes and gives them, and memory that comes back. WEFT_TEST_SEED repeats a run. */
#include "store/slab.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weft_test.h"

static uint64_t seed;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

typedef struct fixture {
    wf_budget *budget;
    wf_slab *slab;
    wf_slab_cache cache;
} fixture;

static void open_fixture(fixture *f, uint64_t limit_bytes, bool pass_through)
{
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(limit_bytes, &f->budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_slab_create(f->budget, pass_through, &f->slab, NULL), WEFT_OK);
    wf_slab_cache_init(&f->cache, f->slab);
}

static void close_fixture(fixture *f)
{
    wf_slab_cache_fini(&f->cache);
    wf_slab_destroy(f->slab);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f->budget), 0);
    wf_budget_release(f->budget);
}

static void *take(fixture *f, wf_slab_cache *cache, size_t bytes)
{
    void *block = wf_slab_take(f->slab, cache, bytes, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    CU_ASSERT_EQUAL((uintptr_t)block % 64, 0);
    return block;
}

static void a_block_of_every_size_is_aligned_and_all_its_own(void)
{
    static unsigned char *blocks[WF_SLAB_LARGEST_BYTES + 1];
    for (int kind = 0; kind < 4; kind++) {
        fixture f;
        open_fixture(&f, 0, kind / 2);
        wf_slab_cache *cache = kind % 2 ? NULL : &f.cache;
        for (size_t bytes = 0; bytes <= WF_SLAB_LARGEST_BYTES; bytes++) {
            blocks[bytes] = take(&f, cache, bytes);
            memset(blocks[bytes], (int)(bytes % 251), bytes);
        }
        size_t wrong = 0;
        for (size_t bytes = 0; bytes <= WF_SLAB_LARGEST_BYTES; bytes++) {
            for (size_t i = 0; i < bytes; i++) wrong += blocks[bytes][i] != bytes % 251;
            wf_slab_give(f.slab, cache, blocks[bytes], bytes);
        }
        CU_ASSERT_EQUAL(wrong, 0);
        close_fixture(&f);
    }
}

/* A model keeps what is taken; blocks carry their own pattern from when they are taken until they are given back. */
typedef struct taken {
    unsigned char *block;
    size_t bytes;
    unsigned char pattern;
} taken;

enum { MOST_TAKEN = 1000, STEPS = 60000 };

static size_t count_wrong(const taken *t)
{
    size_t wrong = 0;
    for (size_t i = 0; i < t->bytes; i++) wrong += t->block[i] != t->pattern;
    return wrong;
}

static void random_sizes_and_sequences_keep_every_block_intact(void)
{
    static taken all[MOST_TAKEN];
    for (int kind = 0; kind < 2; kind++) {
        fixture f;
        uint64_t state = seed;
        size_t count = 0, wrong = 0, wanted = 0;
        open_fixture(&f, 0, kind == 1);
        for (int step = 0; step < STEPS; step++) {
            uint64_t r = next_random(&state);
            wf_slab_cache *cache = r % 5 ? &f.cache : NULL;
            if (step % 2000 == 0) wanted = next_random(&state) % MOST_TAKEN; /* it grows and shrinks by turns */
            if (r % 1000 == 0) wf_slab_trim(f.slab);
            if (count < MOST_TAKEN && (count == 0 || (count < wanted) != (r / 8 % 4 == 0))) {
                size_t bytes = next_random(&state) % (WF_SLAB_LARGEST_BYTES >> r / 32 % 6) + 1;
                all[count] = (taken){take(&f, cache, bytes), bytes, (unsigned char)next_random(&state)};
                memset(all[count].block, all[count].pattern, bytes);
                count++;
            } else {
                size_t i = next_random(&state) % count;
                wrong += count_wrong(&all[i]);
                wf_slab_give(f.slab, cache, all[i].block, all[i].bytes);
                all[i] = all[--count];
            }
        }
        for (size_t i = 0; i < count; i++) {
            wrong += count_wrong(&all[i]);
            wf_slab_give(f.slab, NULL, all[i].block, all[i].bytes);
        }
        CU_ASSERT_EQUAL(wrong, 0);
        close_fixture(&f);
    }
}

static void pages_are_charged_and_not_blocks(void)
{
    fixture f;
    open_fixture(&f, 0, false);
    void *blocks[400];
    for (int i = 0; i < 400; i++) {
        blocks[i] = take(&f, &f.cache, 100);
        CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), WF_SLAB_PAGE_BYTES);
    }
    void *other = take(&f, &f.cache, 1000);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 2 * WF_SLAB_PAGE_BYTES);
    for (int i = 0; i < 400; i++) wf_slab_give(f.slab, &f.cache, blocks[i], 100);
    wf_slab_give(f.slab, &f.cache, other, 1000);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 2 * WF_SLAB_PAGE_BYTES);
    close_fixture(&f);
}

static void what_the_budget_lacks_is_refused_until_something_comes_back(void)
{
    enum { FIT = 2 * 31, SMALL = 500 }; /* blocks of 2 KiB on two pages; of 64 bytes, on one */
    fixture f;
    weft_error err = WEFT_ERROR_INIT;
    void *blocks[FIT], *small[SMALL];
    open_fixture(&f, 2 * WF_SLAB_PAGE_BYTES, false);
    for (int i = 0; i < FIT; i++) blocks[i] = take(&f, NULL, WF_SLAB_LARGEST_BYTES);
    CU_ASSERT_PTR_NULL(wf_slab_take(f.slab, NULL, WF_SLAB_LARGEST_BYTES, &err));
    CU_ASSERT_EQUAL(err.status, WEFT_ENOMEM);
    CU_ASSERT_PTR_NULL(wf_slab_take(f.slab, &f.cache, WF_SLAB_LARGEST_BYTES, NULL));
    CU_ASSERT_PTR_NULL(wf_slab_take(f.slab, &f.cache, 64, NULL));
    wf_slab_give(f.slab, NULL, blocks[7], WF_SLAB_LARGEST_BYTES);
    CU_ASSERT_PTR_EQUAL(wf_slab_take(f.slab, &f.cache, WF_SLAB_LARGEST_BYTES, NULL), blocks[7]);
    for (int i = 0; i < FIT; i++) wf_slab_give(f.slab, NULL, blocks[i], WF_SLAB_LARGEST_BYTES);
    for (int i = 0; i < SMALL; i++) small[i] = take(&f, NULL, 64);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), WF_SLAB_PAGE_BYTES); /* the pages of 2 KiB blocks went when there was no other */
    for (int i = 0; i < SMALL; i++) wf_slab_give(f.slab, &f.cache, small[i], 64);
    close_fixture(&f);
}

static void trimming_frees_pages_without_a_block_in_use(void)
{
    enum { COUNT = 2000 }; /* of 128 bytes: 4 pages */
    fixture f;
    unsigned char *blocks[COUNT];
    open_fixture(&f, 0, false);
    for (int i = 0; i < COUNT; i++) memset(blocks[i] = take(&f, NULL, 128), i % 251, 128);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 4 * WF_SLAB_PAGE_BYTES);
    for (int i = 0; i < COUNT; i++) {
        if (i != 700) wf_slab_give(f.slab, NULL, blocks[i], 128);
    }
    wf_slab_trim(f.slab);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), WF_SLAB_PAGE_BYTES);
    for (int i = 0; i < 128; i++) CU_ASSERT_EQUAL(blocks[700][i], 700 % 251);
    unsigned char *kept = blocks[700];
    for (int i = 0; i < COUNT; i++) blocks[i] = take(&f, &f.cache, 128);
    for (int i = 0; i < COUNT; i++) CU_ASSERT_PTR_NOT_EQUAL(blocks[i], kept);
    for (int i = 0; i < COUNT; i++) wf_slab_give(f.slab, &f.cache, blocks[i], 128);
    wf_slab_give(f.slab, NULL, kept, 128);
    close_fixture(&f);
}

static void blocks_may_outlive_the_slab(void)
{
    for (int pass_through = 0; pass_through < 2; pass_through++) {
        fixture f, other;
        void *blocks[1000];
        open_fixture(&f, 0, pass_through);
        open_fixture(&other, 0, pass_through);
        for (int i = 0; i < 1000; i++) blocks[i] = take(&f, &f.cache, 256);
        for (int i = 10; i < 1000; i++) wf_slab_give(f.slab, i % 2 ? &f.cache : &other.cache, blocks[i], 256); /* other's is not used */
        wf_slab_cache_fini(&f.cache);
        wf_slab_destroy(f.slab);
        CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), pass_through ? 10 * 256 : WF_SLAB_PAGE_BYTES);
        for (int i = 0; i < 10; i++) {
            memset(blocks[i], 1, 256);
            CU_ASSERT(wf_budget_used_bytes(f.budget) > 0);
            wf_slab_give(f.slab, i % 2 ? NULL : &other.cache, blocks[i], 256);
        }
        CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 0);
        wf_budget_release(f.budget);
        close_fixture(&other);
    }
    wf_slab_destroy(NULL);
}

/* ---- several threads ---- */

enum { RING = 256, BLOCKS = 200000 };

/* Blocks go through a ring from the thread that takes them to the one that gives them back. */
typedef struct ring {
    fixture f;
    _Atomic(uint64_t *) blocks[RING];
    atomic_int wrong;
} ring;

static void *give_from_ring(void *argument)
{
    ring *r = argument;
    wf_slab_cache cache;
    wf_slab_cache_init(&cache, r->f.slab);
    for (uint64_t i = 0; i < BLOCKS; i++) {
        uint64_t *block;
        while (!(block = atomic_exchange(&r->blocks[i % RING], NULL))) sched_yield();
        if (block[0] != i || block[15] != i) atomic_fetch_add(&r->wrong, 1);
        wf_slab_give(r->f.slab, &cache, block, 128);
    }
    wf_slab_cache_fini(&cache);
    return NULL;
}

static void what_one_thread_takes_and_another_gives_back_does_not_pile_up(void)
{
    ring r = {.wrong = 0};
    pthread_t giver;
    open_fixture(&r.f, 0, false);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&giver, NULL, give_from_ring, &r), 0);
    for (uint64_t i = 0; i < BLOCKS; i++) {
        uint64_t *block = wf_slab_take(r.f.slab, &r.f.cache, 128, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(block);
        block[0] = block[15] = i;
        while (atomic_load(&r.blocks[i % RING])) sched_yield();
        atomic_store(&r.blocks[i % RING], block);
    }
    pthread_join(giver, NULL);
    CU_ASSERT_EQUAL(atomic_load(&r.wrong), 0);
    CU_ASSERT(wf_budget_peak_bytes(r.f.budget) <= 2 * WF_SLAB_PAGE_BYTES); /* the ring and four magazines are 64 KiB together */
    close_fixture(&r.f);
}

typedef struct user {
    fixture *f;
    uint64_t state;
    bool has_cache;
    size_t wrong;
} user;

static void *take_and_give(void *argument)
{
    enum { OWN = 150 };
    user *u = argument;
    taken own[OWN] = {{0}};
    wf_slab_cache cache;
    wf_slab_cache_init(&cache, u->f->slab);
    wf_slab_cache *used = u->has_cache ? &cache : NULL;
    for (int step = 0; step < 20000 + OWN; step++) {
        taken *t = &own[step < 20000 ? next_random(&u->state) % OWN : (uint64_t)(step - 20000)];
        if (t->block) {
            u->wrong += count_wrong(t);
            wf_slab_give(u->f->slab, used, t->block, t->bytes);
            t->block = NULL;
        } else if (step < 20000) {
            size_t bytes = next_random(&u->state) % 600 + 1;
            *t = (taken){wf_slab_take(u->f->slab, used, bytes, NULL), bytes, (unsigned char)next_random(&u->state)};
            if (t->block) memset(t->block, t->pattern, bytes);
        }
        if (step % 5000 == 0) wf_slab_trim(u->f->slab);
    }
    wf_slab_cache_fini(&cache);
    return NULL;
}

static void threads_with_and_without_caches_share_a_slab(void)
{
    enum { THREADS = 4 };
    for (int pass_through = 0; pass_through < 2; pass_through++) {
        fixture f;
        user users[THREADS];
        pthread_t threads[THREADS];
        open_fixture(&f, 8 * WF_SLAB_PAGE_BYTES, pass_through); /* some are refused now and then */
        for (int t = 0; t < THREADS; t++) {
            users[t] = (user){&f, seed + (uint64_t)t, t % 2 == 0, 0};
            CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[t], NULL, take_and_give, &users[t]), 0);
        }
        for (int t = 0; t < THREADS; t++) {
            pthread_join(threads[t], NULL);
            CU_ASSERT_EQUAL(users[t].wrong, 0);
        }
        close_fixture(&f);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_block_of_every_size_is_aligned_and_all_its_own),
        WEFT_TEST(random_sizes_and_sequences_keep_every_block_intact),
        WEFT_TEST(pages_are_charged_and_not_blocks),
        WEFT_TEST(what_the_budget_lacks_is_refused_until_something_comes_back),
        WEFT_TEST(trimming_frees_pages_without_a_block_in_use),
        WEFT_TEST(blocks_may_outlive_the_slab),
        WEFT_TEST(what_one_thread_takes_and_another_gives_back_does_not_pile_up),
        WEFT_TEST(threads_with_and_without_caches_share_a_slab),
    };
    const char *given = getenv("WEFT_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("store/slab", cases, WEFT_COUNT_OF(cases));
}
