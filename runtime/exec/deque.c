/* The deque's ring of items and its two ends. Owns the rings, never the items.
 *
 * Invariant: the items that wait are those from top up to bottom, and each is in the current ring. Top only grows, by a compare-and-swap
 * that decides who has the item there; only the owner moves bottom and replaces the ring. A thief that still holds a smaller ring reads the
 * same item in it, since growing copies and the owner writes to the new ring only.
 * Threads: the owner at the bottom, any at the top.
 */
#include "exec/deque.h"

#include <stdlib.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 256 };

struct wf_deque_ring {
    wf_deque_ring *smaller;
    int64_t capacity; /* a power of two */
    _Atomic(void *) items[];
};

static wf_deque_ring *ring_create(int64_t capacity, wf_deque_ring *smaller)
{
    wf_deque_ring *ring = malloc(sizeof *ring + (size_t)capacity * sizeof ring->items[0]);
    if (!ring) return NULL;
    ring->smaller = smaller;
    ring->capacity = capacity;
    return ring;
}

static _Atomic(void *) *item_at(wf_deque_ring *ring, int64_t index)
{
    return &ring->items[index & (ring->capacity - 1)];
}

weft_status wf_deque_init(wf_deque *deque, weft_error *err)
{
    wf_deque_ring *ring = ring_create(FIRST_CAPACITY, NULL);
    if (!ring) return weft_fail(err, WEFT_ENOMEM, "no memory for a deque of %d tasks", FIRST_CAPACITY);
    atomic_init(&deque->top, 0);
    atomic_init(&deque->bottom, 0);
    atomic_init(&deque->ring, ring);
    return WEFT_OK;
}

void wf_deque_fini(wf_deque *deque)
{
    wf_deque_ring *ring = atomic_load_explicit(&deque->ring, memory_order_relaxed);
    while (ring) {
        wf_deque_ring *smaller = ring->smaller;
        free(ring);
        ring = smaller;
    }
}

static wf_deque_ring *grow(wf_deque *deque, wf_deque_ring *ring, int64_t top, int64_t bottom)
{
    wf_deque_ring *larger = ring_create(2 * ring->capacity, ring);
    if (!larger) return NULL;
    for (int64_t i = top; i < bottom; i++) {
        void *item = atomic_load_explicit(item_at(ring, i), memory_order_relaxed);
        atomic_store_explicit(item_at(larger, i), item, memory_order_relaxed);
    }
    atomic_store_explicit(&deque->ring, larger, memory_order_release);
    return larger;
}

bool wf_deque_push(wf_deque *deque, void *item)
{
    return wf_deque_push_all(deque, &item, 1);
}

bool wf_deque_push_all(wf_deque *deque, void *const *items, int count)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    wf_deque_ring *ring = atomic_load_explicit(&deque->ring, memory_order_relaxed);
    while (bottom - top + count > ring->capacity) {
        if (!(ring = grow(deque, ring, top, bottom))) return false;
    }
    for (int i = 0; i < count; i++) atomic_store_explicit(item_at(ring, bottom + i), items[i], memory_order_relaxed);
    /* Sequentially consistent, not only released: the pusher looks for sleepers next, and must not miss one that found this deque empty. */
    atomic_store(&deque->bottom, bottom + count);
    return true;
}

void *wf_deque_pop(wf_deque *deque)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed) - 1;
    /* Nobody else adds and top only grows, so what looks empty is. */
    if (atomic_load_explicit(&deque->top, memory_order_relaxed) > bottom) return NULL;
    wf_deque_ring *ring = atomic_load_explicit(&deque->ring, memory_order_relaxed);
    atomic_store(&deque->bottom, bottom);
    int64_t top = atomic_load(&deque->top);
    if (top > bottom) { /* empty */
        atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_relaxed);
        return NULL;
    }
    void *item = atomic_load_explicit(item_at(ring, bottom), memory_order_relaxed);
    if (top == bottom) { /* the last one: a thief may be after it too */
        if (!atomic_compare_exchange_strong(&deque->top, &top, top + 1)) item = NULL;
        atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_relaxed);
    }
    return item;
}

void *wf_deque_steal(wf_deque *deque)
{
    int64_t top = atomic_load(&deque->top);
    int64_t bottom = atomic_load(&deque->bottom);
    if (top >= bottom) return NULL;
    wf_deque_ring *ring = atomic_load_explicit(&deque->ring, memory_order_acquire);
    void *item = atomic_load_explicit(item_at(ring, top), memory_order_relaxed);
    return atomic_compare_exchange_strong(&deque->top, &top, top + 1) ? item : NULL;
}

bool wf_deque_is_empty(wf_deque *deque)
{
    int64_t top = atomic_load(&deque->top);
    return top >= atomic_load(&deque->bottom);
}
