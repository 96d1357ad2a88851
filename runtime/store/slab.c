/* The slab's depot and the threads' caches. Owns the pages.
 *
 * Invariant: a block is in one place: taken, in one cache, or in the depot, whose lists and whose count of those that are not in it change
 * under its lock. A list that goes through the depot is a magazine of exactly magazine_blocks; the depot's own `loose` list, which those
 * without a cache use, is less than one.
 * Threads: see slab.h. The lock orders everything that two threads do to one block.
 */
#include "store/slab.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
    SMALLEST_BYTES = 64,
    MOST_BLOCKS = 64,            /* of a magazine, */
    MAGAZINE_BYTES = 16 << 10,   /* and the most that lies in one */
    PAGE_HEADER_BYTES = 64,
    MALLOC_HEADER_BYTES = 64     /* left free at a page's end, so that malloc's own header of the next one fits in before it */
};

typedef struct page {
    struct page *next;
    uint32_t cut_count;  /* blocks that were made of it */
    uint32_t free_count; /* of them, in the depot: only while trimming */
} page;

typedef struct depot_class {
    wf_slab_block *magazines; /* full ones, by next_magazine */
    wf_slab_block *loose;
    uint32_t loose_count;
    page *fresh;              /* still being cut; NULL: none */
} depot_class;

struct wf_slab {
    wf_budget *budget;
    bool passes_through;
    _Alignas(WF_ALIGNMENT_BYTES) pthread_mutex_t lock; /* of all below, on lines that the fast path does not read */
    page *pages;
    uint64_t away_count;      /* blocks that are not in the depot */
    bool has_ended;
    depot_class classes[WF_SLAB_CLASS_COUNT];
};

static uint32_t class_of(size_t bytes)
{
    assert(bytes <= WF_SLAB_LARGEST_BYTES);
    return bytes <= SMALLEST_BYTES ? 0 : 32 - (uint32_t)__builtin_clz((uint32_t)(bytes - 1) / SMALLEST_BYTES);
}

static size_t block_bytes(uint32_t class)
{
    return (size_t)SMALLEST_BYTES << class;
}

static uint32_t magazine_blocks(uint32_t class)
{
    uint32_t fit = (MAGAZINE_BYTES / SMALLEST_BYTES) >> class;
    return fit < MOST_BLOCKS ? fit : MOST_BLOCKS;
}

/* ---- pages, with the lock held ---- */

static page *page_of(const wf_slab_block *block)
{
    return (page *)((uintptr_t)block & ~(uintptr_t)(WF_SLAB_PAGE_BYTES - 1));
}

static weft_status add_page(wf_slab *slab, uint32_t class, weft_error *err)
{
    if (slab->budget && wf_budget_charge(slab->budget, WF_SLAB_PAGE_BYTES, err) != WEFT_OK) return WEFT_ENOMEM;
    void *memory;
    if (posix_memalign(&memory, WF_SLAB_PAGE_BYTES, WF_SLAB_PAGE_BYTES - MALLOC_HEADER_BYTES) != 0) {
        if (slab->budget) wf_budget_refund(slab->budget, WF_SLAB_PAGE_BYTES);
        return weft_fail(err, WEFT_ENOMEM, "no memory for small chunks; use less data per rank or more ranks");
    }
    page *made = memory;
    *made = (page){.next = slab->pages};
    slab->pages = made;
    slab->classes[class].fresh = made;
    return WEFT_OK;
}

static void free_page(wf_slab *slab, page *p)
{
    free(p);
    if (slab->budget) wf_budget_refund(slab->budget, WF_SLAB_PAGE_BYTES);
}

/* Up to a magazine of new blocks. A page is cut bit by bit, so that what is not needed is not touched. */
static wf_slab_block *cut_blocks(wf_slab *slab, uint32_t class, uint32_t *count)
{
    depot_class *depot = &slab->classes[class];
    page *from = depot->fresh;
    size_t bytes = block_bytes(class), room = (WF_SLAB_PAGE_BYTES - PAGE_HEADER_BYTES - MALLOC_HEADER_BYTES) / bytes;
    char *first = (char *)from + PAGE_HEADER_BYTES;
    wf_slab_block *list = NULL;
    for (*count = 0; *count < magazine_blocks(class) && from->cut_count < room; ++*count) {
        wf_slab_block *block = (wf_slab_block *)(first + bytes * from->cut_count++);
        block->next = list;
        list = block;
    }
    if (from->cut_count == room) depot->fresh = NULL;
    return list;
}

/* ---- the depot, with the lock held ---- */

static void add_magazine(depot_class *depot, wf_slab_block *magazine)
{
    magazine->next_magazine = depot->magazines;
    depot->magazines = magazine;
}

static void add_loose(depot_class *depot, uint32_t class, wf_slab_block *block)
{
    block->next = depot->loose;
    depot->loose = block;
    if (++depot->loose_count < magazine_blocks(class)) return;
    add_magazine(depot, depot->loose);
    depot->loose = NULL;
    depot->loose_count = 0;
}

static void trim(wf_slab *slab);

/* A list of *count blocks, at most a magazine; NULL when there is no memory for more. */
static wf_slab_block *leave_depot(wf_slab *slab, uint32_t class, uint32_t *count, weft_error *err)
{
    depot_class *depot = &slab->classes[class];
    wf_slab_block *list = depot->magazines;
    if (list) {
        depot->magazines = list->next_magazine;
        *count = magazine_blocks(class);
    } else if (depot->loose) {
        list = depot->loose;
        *count = depot->loose_count;
        depot->loose = NULL;
        depot->loose_count = 0;
    } else {
        if (!depot->fresh && add_page(slab, class, NULL) != WEFT_OK) {
            trim(slab);
            *count = 0;
            if (add_page(slab, class, err) != WEFT_OK) return NULL;
        }
        list = cut_blocks(slab, class, count);
    }
    slab->away_count += *count;
    return list;
}

/* ---- trimming, with the lock held ---- */

static wf_slab_block *take_all(depot_class *depot)
{
    wf_slab_block *all = depot->loose;
    while (depot->magazines) {
        wf_slab_block *magazine = depot->magazines, *last = magazine;
        depot->magazines = magazine->next_magazine;
        while (last->next) last = last->next;
        last->next = all;
        all = magazine;
    }
    depot->loose = NULL;
    depot->loose_count = 0;
    return all;
}

static void trim(wf_slab *slab)
{
    wf_slab_block *all[WF_SLAB_CLASS_COUNT];
    for (page *p = slab->pages; p; p = p->next) p->free_count = 0;
    for (uint32_t c = 0; c < WF_SLAB_CLASS_COUNT; c++) {
        all[c] = take_all(&slab->classes[c]);
        for (wf_slab_block *block = all[c]; block; block = block->next) page_of(block)->free_count++;
    }
    for (uint32_t c = 0; c < WF_SLAB_CLASS_COUNT; c++) {
        depot_class *depot = &slab->classes[c];
        for (wf_slab_block *block = all[c], *next; block; block = next) {
            next = block->next;
            if (page_of(block)->free_count < page_of(block)->cut_count) add_loose(depot, c, block);
        }
        if (depot->fresh && depot->fresh->free_count == depot->fresh->cut_count) depot->fresh = NULL;
    }
    for (page **link = &slab->pages, *p; (p = *link);) {
        if (p->free_count < p->cut_count) {
            link = &p->next;
            continue;
        }
        *link = p->next;
        free_page(slab, p);
    }
}

void wf_slab_trim(wf_slab *slab)
{
    pthread_mutex_lock(&slab->lock);
    trim(slab);
    pthread_mutex_unlock(&slab->lock);
}

/* ---- without a cache ---- */

static void *take_alone(wf_slab *slab, size_t bytes, weft_error *err)
{
    void *block = NULL;
    if (!slab->budget || wf_budget_charge(slab->budget, bytes, err) == WEFT_OK) {
        block = wf_aligned_alloc(1, bytes, err);
        if (!block && slab->budget) wf_budget_refund(slab->budget, bytes);
    }
    pthread_mutex_lock(&slab->lock);
    slab->away_count += block != NULL;
    pthread_mutex_unlock(&slab->lock);
    return block;
}

static void *take_from_depot(wf_slab *slab, uint32_t class, weft_error *err)
{
    uint32_t count;
    depot_class *depot = &slab->classes[class];
    pthread_mutex_lock(&slab->lock);
    if (!depot->loose && (depot->loose = leave_depot(slab, class, &count, err))) {
        depot->loose_count = count;
        slab->away_count -= count;
    }
    wf_slab_block *block = depot->loose;
    if (block) {
        depot->loose = block->next;
        depot->loose_count--;
        slab->away_count++;
    }
    pthread_mutex_unlock(&slab->lock);
    return block;
}

static void free_slab(wf_slab *slab)
{
    for (page *p = slab->pages, *next; p; p = next) {
        next = p->next;
        free_page(slab, p);
    }
    wf_budget_release(slab->budget);
    pthread_mutex_destroy(&slab->lock);
    free(slab);
}

static void give_to_depot(wf_slab *slab, void *block, size_t bytes)
{
    if (slab->passes_through) {
        free(block);
        if (slab->budget) wf_budget_refund(slab->budget, bytes);
    }
    pthread_mutex_lock(&slab->lock);
    if (!slab->passes_through) add_loose(&slab->classes[class_of(bytes)], class_of(bytes), block);
    bool is_last = --slab->away_count == 0 && slab->has_ended;
    pthread_mutex_unlock(&slab->lock);
    if (is_last) free_slab(slab);
}

/* ---- with a cache ---- */

void *wf_slab_take(wf_slab *slab, wf_slab_cache *cache, size_t bytes, weft_error *err)
{
    uint32_t class = class_of(bytes);
    if (slab->passes_through) return take_alone(slab, bytes, err);
    if (!cache) return take_from_depot(slab, class, err);
    wf_slab_magazines *own = &cache->classes[class];
    if (!own->loaded && own->previous) {
        own->loaded = own->previous;
        own->loaded_count = magazine_blocks(class);
        own->previous = NULL;
    }
    if (!own->loaded) {
        pthread_mutex_lock(&slab->lock);
        own->loaded = leave_depot(slab, class, &own->loaded_count, err);
        pthread_mutex_unlock(&slab->lock);
        if (!own->loaded) return NULL;
    }
    wf_slab_block *block = own->loaded;
    own->loaded = block->next;
    own->loaded_count--;
    return block;
}

static void give_magazine(wf_slab *slab, uint32_t class, wf_slab_block *magazine)
{
    pthread_mutex_lock(&slab->lock);
    add_magazine(&slab->classes[class], magazine);
    slab->away_count -= magazine_blocks(class);
    pthread_mutex_unlock(&slab->lock);
}

void wf_slab_give(wf_slab *slab, wf_slab_cache *cache, void *block, size_t bytes)
{
    uint32_t class = class_of(bytes);
    if (slab->passes_through || !cache || cache->slab != slab) {
        give_to_depot(slab, block, bytes);
        return;
    }
    wf_slab_magazines *own = &cache->classes[class];
    if (own->loaded_count == magazine_blocks(class)) {
        if (own->previous) give_magazine(slab, class, own->previous);
        own->previous = own->loaded;
        own->loaded = NULL;
        own->loaded_count = 0;
    }
    wf_slab_block *released = block;
    released->next = own->loaded;
    own->loaded = released;
    own->loaded_count++;
}

void wf_slab_cache_init(wf_slab_cache *cache, wf_slab *slab)
{
    *cache = (wf_slab_cache){.slab = slab};
}

void wf_slab_cache_fini(wf_slab_cache *cache)
{
    for (uint32_t c = 0; cache->slab && c < WF_SLAB_CLASS_COUNT; c++) {
        if (cache->classes[c].previous) give_magazine(cache->slab, c, cache->classes[c].previous);
        for (wf_slab_block *block = cache->classes[c].loaded, *next; block; block = next) {
            next = block->next;
            give_to_depot(cache->slab, block, block_bytes(c));
        }
    }
    *cache = (wf_slab_cache){0};
}

/* ---- life ---- */

weft_status wf_slab_create(wf_budget *budget, bool pass_through, wf_slab **slab, weft_error *err)
{
    wf_slab *made = wf_aligned_alloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    *made = (wf_slab){.budget = budget, .passes_through = pass_through};
    if (budget) wf_budget_retain(budget);
    pthread_mutex_init(&made->lock, NULL);
    *slab = made;
    return WEFT_OK;
}

void wf_slab_destroy(wf_slab *slab)
{
    if (!slab) return;
    pthread_mutex_lock(&slab->lock);
    slab->has_ended = true;
    bool is_last = slab->away_count == 0;
    if (!is_last) trim(slab); /* what nobody needs does not wait for the last block */
    pthread_mutex_unlock(&slab->lock);
    if (is_last) free_slab(slab);
}
