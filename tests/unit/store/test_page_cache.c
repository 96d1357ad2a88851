/* Pages are found again, and what is kept stays within its bounds. That pages went back to the system is seen from mincore. */
#include "store/page_cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weft_test.h"

enum { MIB = 1 << 20, THREADS = 3, ROUNDS = 400 };

static wf_page_cache *create(uint64_t most_bytes)
{
    wf_page_cache *cache = NULL;
    CU_ASSERT_EQUAL_FATAL(wf_page_cache_create(most_bytes, &cache, NULL), WEFT_OK);
    return cache;
}

static wf_pages take(wf_page_cache *cache, size_t bytes)
{
    wf_pages pages = wf_page_cache_take(cache, bytes, UINT64_MAX);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pages.start);
    CU_ASSERT(pages.bytes >= bytes);
    memset(pages.start, 7, bytes);
    return pages;
}

static void give(wf_page_cache *cache, wf_pages pages, int64_t now_ns)
{
    wf_page_cache_give(cache, pages, UINT64_MAX, now_ns);
}

static bool is_mapped(wf_pages pages)
{
    unsigned char resident;
    return mincore(pages.start, 1, &resident) == 0;
}

/* From the promise alone: every size fits, and wastes no more than it says. */
static void sizes_are_rounded_up_a_little(void)
{
    for (size_t bytes = 1; bytes < ((size_t)1 << 40); bytes += 1 + bytes / 7) {
        size_t rounded = wf_page_cache_round(bytes);
        size_t most = bytes / 8 > 64 << 10 ? bytes / 8 : 64 << 10;
        if (bytes >= 2 * MIB && most < 2 * MIB) most = 2 * MIB;
        CU_ASSERT(rounded >= bytes);
        CU_ASSERT(rounded - bytes < most || rounded - bytes == 0);
        CU_ASSERT_EQUAL(rounded % (bytes >= 2 * MIB ? 2 * MIB : 64 << 10), 0);
        CU_ASSERT_EQUAL(wf_page_cache_round(rounded), rounded);
    }
    CU_ASSERT_EQUAL(wf_page_cache_round(64 * MIB), 64 * MIB);
}

static void large_pages_begin_on_a_huge_page(void)
{
    wf_page_cache *cache = create(0);
    for (size_t bytes = 2 * MIB; bytes < 20 * MIB; bytes += 3 * MIB + 5) {
        wf_pages pages = take(cache, bytes);
        CU_ASSERT_EQUAL((uintptr_t)pages.start % (2 * MIB), 0);
        give(cache, pages, 0);
    }
    wf_page_cache_destroy(cache);
}

static void pages_given_back_are_found_again_by_size_the_last_first(void)
{
    wf_page_cache *cache = create(64 * MIB);
    wf_pages a = take(cache, 4 * MIB), b = take(cache, 4 * MIB), other = take(cache, MIB);
    give(cache, a, 1);
    give(cache, b, 2);
    give(cache, other, 3);
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), 9 * MIB);
    wf_pages first = take(cache, 4 * MIB - 100), second = take(cache, 4 * MIB), third = take(cache, 4 * MIB);
    CU_ASSERT_PTR_EQUAL(first.start, b.start);
    CU_ASSERT_PTR_EQUAL(second.start, a.start);
    CU_ASSERT(third.start != a.start && third.start != b.start && third.start != other.start);
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), MIB);
    give(cache, first, 4);
    give(cache, second, 5);
    give(cache, third, 6);
    wf_page_cache_destroy(cache);
}

static void pages_of_another_numa_node_are_not_taken(void)
{
    wf_page_cache *cache = create(64 * MIB);
    wf_pages far = take(cache, MIB);
    far.numa_node += 1;
    give(cache, far, 1);
    wf_pages near = take(cache, MIB);
    CU_ASSERT(near.start != far.start);
    CU_ASSERT_EQUAL(near.numa_node + 1, far.numa_node);
    give(cache, near, 2);
    wf_page_cache_destroy(cache);
}

static void what_exceeds_the_limit_or_the_room_goes_the_oldest_first(void)
{
    wf_page_cache *cache = create(10 * MIB);
    wf_pages a = take(cache, 4 * MIB), b = take(cache, 4 * MIB), c = take(cache, 4 * MIB), large = take(cache, 12 * MIB);
    give(cache, a, 1);
    give(cache, b, 2);
    give(cache, c, 3);
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), 8 * MIB);
    CU_ASSERT_FALSE(is_mapped(a));
    CU_ASSERT(is_mapped(b));
    give(cache, large, 4); /* alone more than the limit */
    CU_ASSERT_FALSE(is_mapped(large));
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), 8 * MIB);
    wf_pages d = wf_page_cache_take(cache, MIB, 5 * MIB); /* not here, so the budget is the tighter by it */
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), 4 * MIB);
    CU_ASSERT_FALSE(is_mapped(b));
    CU_ASSERT(is_mapped(c));
    wf_page_cache_give(cache, d, 0, 5);
    CU_ASSERT_FALSE(is_mapped(d));
    wf_page_cache_trim(cache, 3 * MIB, 5, 100);
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), 0);
    CU_ASSERT_FALSE(is_mapped(c));
    wf_page_cache_destroy(cache);
}

static void what_nobody_wanted_for_a_while_goes(void)
{
    wf_page_cache *cache = create(64 * MIB);
    wf_pages a = take(cache, 4 * MIB), b = take(cache, 4 * MIB);
    give(cache, a, 100);
    give(cache, b, 200);
    wf_page_cache_trim(cache, UINT64_MAX, 250, 160);
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), 8 * MIB);
    wf_page_cache_trim(cache, UINT64_MAX, 270, 160);
    CU_ASSERT_EQUAL(wf_page_cache_kept_bytes(cache), 4 * MIB);
    CU_ASSERT_FALSE(is_mapped(a));
    wf_page_cache_destroy(cache);
    CU_ASSERT_FALSE(is_mapped(b));
}

static void more_than_the_table_holds_is_no_harm(void)
{
    enum { MANY = 100 };
    wf_page_cache *cache = create(UINT64_MAX);
    wf_pages pages[MANY];
    for (int i = 0; i < MANY; i++) pages[i] = take(cache, 64 << 10);
    for (int i = 0; i < MANY; i++) give(cache, pages[i], i);
    CU_ASSERT(wf_page_cache_kept_bytes(cache) >= 64 << 10);
    CU_ASSERT(is_mapped(pages[MANY - 1]));
    wf_page_cache_destroy(cache);
}

/* Each writes its own number all over what it has, and finds it unchanged. */
static void *take_and_give(void *argument)
{
    wf_page_cache *cache = argument;
    uintptr_t wrong = 0;
    unsigned seed = (unsigned)(uintptr_t)&wrong;
    for (int i = 0; i < ROUNDS; i++) {
        size_t bytes = (size_t)(1 + rand_r(&seed) % 3) * (64 << 10);
        wf_pages pages = wf_page_cache_take(cache, bytes, UINT64_MAX);
        if (!pages.start) abort();
        unsigned char *at = pages.start, mark = (unsigned char)rand_r(&seed);
        memset(at, mark, bytes);
        for (size_t b = 0; b < bytes; b += 511) wrong += at[b] != mark;
        if (i % 50 == 0) wf_page_cache_trim(cache, 128 << 10, i, 1000);
        wf_page_cache_give(cache, pages, UINT64_MAX, i);
    }
    return (void *)wrong;
}

static void threads_never_get_the_same_pages(void)
{
    wf_page_cache *cache = create(MIB);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, take_and_give, cache);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        CU_ASSERT_PTR_NULL(wrong);
    }
    CU_ASSERT(wf_page_cache_kept_bytes(cache) <= MIB);
    wf_page_cache_destroy(cache);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(sizes_are_rounded_up_a_little),
        WEFT_TEST(large_pages_begin_on_a_huge_page),
        WEFT_TEST(pages_given_back_are_found_again_by_size_the_last_first),
        WEFT_TEST(pages_of_another_numa_node_are_not_taken),
        WEFT_TEST(what_exceeds_the_limit_or_the_room_goes_the_oldest_first),
        WEFT_TEST(what_nobody_wanted_for_a_while_goes),
        WEFT_TEST(more_than_the_table_holds_is_no_harm),
        WEFT_TEST(threads_never_get_the_same_pages),
    };
    return weft_test_run("store/page_cache", cases, WEFT_COUNT_OF(cases));
}
