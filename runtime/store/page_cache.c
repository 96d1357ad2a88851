/* The page cache. Owns the pages that are in it; those given last are at the end of the table and are taken first, for they may still be in
 * a processor's cache. Invariant: under the lock, kept_bytes is the sum of the table, at most most_bytes. Any thread; nothing is mapped or
 * unmapped under the lock. */
#include "store/page_cache.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

enum { MOST_ENTRIES = 32, SMALL_STEP_BYTES = 64 << 10, HUGE_PAGE_BYTES = 2 << 20 };

typedef struct entry {
    wf_pages pages;
    int64_t given_ns;
} entry;

struct wf_page_cache {
    pthread_mutex_t lock;
    uint64_t most_bytes;
    uint64_t kept_bytes;
    int count;
    entry entries[MOST_ENTRIES]; /* the oldest first */
};

weft_status wf_page_cache_create(uint64_t most_bytes, wf_page_cache **cache, weft_error *err)
{
    wf_page_cache *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    pthread_mutex_init(&made->lock, NULL);
    made->most_bytes = most_bytes;
    *cache = made;
    return WEFT_OK;
}

/* With the lock held. */
static wf_pages remove_entry(wf_page_cache *cache, int index)
{
    wf_pages pages = cache->entries[index].pages;
    cache->count--;
    cache->kept_bytes -= pages.bytes;
    memmove(&cache->entries[index], &cache->entries[index + 1], (size_t)(cache->count - index) * sizeof cache->entries[0]);
    return pages;
}

/* With the lock held: takes the oldest out while more is kept than most_bytes in most_count entries, or they are as old as before_ns. */
static int remove_oldest(wf_page_cache *cache, uint64_t most_bytes, int most_count, int64_t before_ns, wf_pages *removed)
{
    int count = 0;
    while (cache->count > 0 &&
           (cache->kept_bytes > most_bytes || cache->count > most_count || cache->entries[0].given_ns < before_ns))
        removed[count++] = remove_entry(cache, 0);
    return count;
}

static void unmap(const wf_pages *pages, int count)
{
    for (int i = 0; i < count; i++) munmap(pages[i].start, pages[i].bytes);
}

static void empty(wf_page_cache *cache)
{
    wf_pages removed[MOST_ENTRIES];
    pthread_mutex_lock(&cache->lock);
    int count = remove_oldest(cache, 0, 0, 0, removed);
    pthread_mutex_unlock(&cache->lock);
    unmap(removed, count);
}

void wf_page_cache_destroy(wf_page_cache *cache)
{
    if (!cache) return;
    empty(cache);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

size_t wf_page_cache_round(size_t bytes)
{
    size_t power = SMALL_STEP_BYTES;
    while (power <= bytes / 2) power *= 2;
    size_t step = power / 8 > SMALL_STEP_BYTES ? power / 8 : SMALL_STEP_BYTES;
    if (bytes >= HUGE_PAGE_BYTES && step < HUGE_PAGE_BYTES) step = HUGE_PAGE_BYTES;
    return (bytes + step - 1) / step * step;
}

/* Large pages are aligned to a huge page: one more is asked for, and what is too much on both sides is given back. */
static void *map_pages(size_t bytes)
{
    size_t padding = bytes >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : 0;
    char *start = mmap(NULL, bytes + padding, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    if (padding == 0) return start;
    size_t before = (HUGE_PAGE_BYTES - (uintptr_t)start % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
    if (before) munmap(start, before);
    if (HUGE_PAGE_BYTES - before) munmap(start + before + bytes, HUGE_PAGE_BYTES - before);
    madvise(start + before, bytes, MADV_HUGEPAGE); /* a wish: without it the pages are small */
    return start + before;
}

static int own_numa_node(void)
{
    unsigned cpu, node;
    return getcpu(&cpu, &node) == 0 ? (int)node : 0;
}

wf_pages wf_page_cache_take(wf_page_cache *cache, size_t bytes, uint64_t room_bytes)
{
    wf_pages removed[MOST_ENTRIES], pages = {NULL, wf_page_cache_round(bytes), own_numa_node()};
    int count = 0;
    pthread_mutex_lock(&cache->lock);
    for (int i = cache->count - 1; i >= 0 && !pages.start; i--) {
        const wf_pages *kept = &cache->entries[i].pages;
        if (kept->bytes == pages.bytes && kept->numa_node == pages.numa_node) pages = remove_entry(cache, i);
    }
    if (!pages.start) count = remove_oldest(cache, room_bytes, MOST_ENTRIES, INT64_MIN, removed);
    pthread_mutex_unlock(&cache->lock);
    unmap(removed, count);
    if (!pages.start) pages.start = map_pages(pages.bytes);
    if (!pages.start) {
        empty(cache);
        pages.start = map_pages(pages.bytes);
    }
    return pages;
}

void wf_page_cache_give(wf_page_cache *cache, wf_pages pages, uint64_t room_bytes, int64_t now_ns)
{
    wf_pages removed[MOST_ENTRIES];
    uint64_t most_bytes = room_bytes < cache->most_bytes ? room_bytes : cache->most_bytes;
    if (pages.bytes > most_bytes) {
        unmap(&pages, 1);
        return;
    }
    pthread_mutex_lock(&cache->lock);
    int count = remove_oldest(cache, most_bytes - pages.bytes, MOST_ENTRIES - 1, INT64_MIN, removed);
    cache->entries[cache->count++] = (entry){pages, now_ns};
    cache->kept_bytes += pages.bytes;
    pthread_mutex_unlock(&cache->lock);
    unmap(removed, count);
}

void wf_page_cache_trim(wf_page_cache *cache, uint64_t room_bytes, int64_t now_ns, int64_t keep_ns)
{
    wf_pages removed[MOST_ENTRIES];
    pthread_mutex_lock(&cache->lock);
    int count = remove_oldest(cache, room_bytes, MOST_ENTRIES, now_ns - keep_ns, removed);
    pthread_mutex_unlock(&cache->lock);
    unmap(removed, count);
}

uint64_t wf_page_cache_kept_bytes(wf_page_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    uint64_t bytes = cache->kept_bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}
