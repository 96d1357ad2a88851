/* Shards of chained buckets. Invariant: an entry is in the bucket that its hash names, once; a shard has at least half as many buckets as
 * entries. A shard's memory is kept when it empties: a frontier that was wide once will be again. */
#include "exec/frontier.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"

enum { SHARD_BITS = 8, SHARD_COUNT = 1 << SHARD_BITS, FIRST_BUCKETS = 4, SPINS = 100 };

struct wf_frontier_shard {
    _Alignas(WF_ALIGNMENT_BYTES) atomic_bool is_locked;
    size_t count, bucket_count; /* a power of two */
    wf_waiting **buckets;
    wf_waiting *first_buckets[FIRST_BUCKETS];
};

struct wf_frontier {
    wf_frontier_shard shards[SHARD_COUNT];
};

/* Multiplication moves every bit of the key to the topmost ones, which are used. */
static uint64_t hash(uint32_t layer, uint64_t index)
{
    return (index ^ (uint64_t)layer << 40) * 0x9E3779B97F4A7C15u;
}

static size_t bucket_of(const wf_frontier_shard *shard, uint32_t layer, uint64_t index)
{
    return (size_t)(hash(layer, index) >> (32 - SHARD_BITS)) & (shard->bucket_count - 1);
}

weft_status wf_frontier_create(wf_frontier **frontier, weft_error *err)
{
    wf_frontier *made = wf_aligned_alloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        made->shards[i] = (wf_frontier_shard){.bucket_count = FIRST_BUCKETS};
        made->shards[i].buckets = made->shards[i].first_buckets;
    }
    *frontier = made;
    return WEFT_OK;
}

void wf_frontier_destroy(wf_frontier *frontier, void (*free_waiting)(void *context, wf_waiting *waiting), void *context)
{
    for (size_t i = 0; frontier && i < SHARD_COUNT; i++) {
        wf_frontier_shard *shard = &frontier->shards[i];
        for (size_t b = 0; b < shard->bucket_count; b++) {
            for (wf_waiting *next, *w = shard->buckets[b]; w; w = next) {
                next = w->next;
                free_waiting(context, w);
            }
        }
        if (shard->buckets != shard->first_buckets) free(shard->buckets);
    }
    free(frontier);
}

wf_frontier_shard *wf_frontier_lock(wf_frontier *frontier, uint32_t layer, uint64_t index)
{
    wf_frontier_shard *shard = &frontier->shards[hash(layer, index) >> (64 - SHARD_BITS)];
    for (int spins = 0; atomic_exchange_explicit(&shard->is_locked, true, memory_order_acquire);) {
        while (atomic_load_explicit(&shard->is_locked, memory_order_relaxed)) {
            if (++spins % SPINS == 0) sched_yield(); /* the holder may have lost its core */
        }
    }
    return shard;
}

void wf_frontier_unlock(wf_frontier_shard *shard)
{
    atomic_store_explicit(&shard->is_locked, false, memory_order_release);
}

wf_waiting *wf_frontier_find(const wf_frontier_shard *shard, uint32_t layer, uint64_t index)
{
    wf_waiting *w = shard->buckets[bucket_of(shard, layer, index)];
    while (w && (w->index != index || w->layer != layer)) w = w->next;
    return w;
}

static void put(wf_frontier_shard *shard, wf_waiting *waiting)
{
    wf_waiting **bucket = &shard->buckets[bucket_of(shard, waiting->layer, waiting->index)];
    waiting->next = *bucket;
    *bucket = waiting;
}

static weft_status grow(wf_frontier_shard *shard, weft_error *err)
{
    wf_waiting **old = shard->buckets;
    size_t old_count = shard->bucket_count;
    wf_waiting **made = wf_calloc(old_count, 4 * sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    shard->buckets = made;
    shard->bucket_count = 4 * old_count;
    for (size_t b = 0; b < old_count; b++) {
        for (wf_waiting *next, *w = old[b]; w; w = next) {
            next = w->next;
            put(shard, w);
        }
    }
    if (old != shard->first_buckets) free(old);
    return WEFT_OK;
}

weft_status wf_frontier_add(wf_frontier_shard *shard, wf_waiting *waiting, weft_error *err)
{
    if (shard->count >= 2 * shard->bucket_count && grow(shard, err) != WEFT_OK) return WEFT_ENOMEM;
    put(shard, waiting);
    shard->count++;
    return WEFT_OK;
}

void wf_frontier_remove(wf_frontier_shard *shard, wf_waiting *waiting)
{
    wf_waiting **link = &shard->buckets[bucket_of(shard, waiting->layer, waiting->index)];
    while (*link != waiting) link = &(*link)->next;
    *link = waiting->next;
    shard->count--;
}

static bool is_before(const wf_waiting *a, const wf_waiting *b)
{
    return !b || (a->layer != b->layer ? a->layer < b->layer : a->index < b->index);
}

const wf_waiting *wf_frontier_first(wf_frontier *frontier)
{
    const wf_waiting *first = NULL;
    for (size_t i = 0; i < SHARD_COUNT; i++) {
        wf_frontier_shard *shard = &frontier->shards[i];
        while (atomic_exchange_explicit(&shard->is_locked, true, memory_order_acquire)) sched_yield();
        for (size_t b = 0; b < shard->bucket_count; b++) {
            for (const wf_waiting *w = shard->buckets[b]; w; w = w->next) {
                if (is_before(w, first)) first = w;
            }
        }
        wf_frontier_unlock(shard);
    }
    return first;
}
