/* The overlay: an array that comes into being with the first move. Invariant: the moves of an entry only grow. Any thread reads it. */
#include "cluster/places.h"

#include <stdlib.h>

#include "base/memory.h"

void wf_places_init(wf_places *places, uint32_t count, int32_t first_rank, uint32_t per_rank)
{
    places->count = count;
    places->per_rank = per_rank;
    places->first_rank = first_rank;
    atomic_init(&places->moved, NULL);
}

void wf_places_fini(wf_places *places)
{
    free(atomic_load(&places->moved));
    atomic_store(&places->moved, NULL);
}

wf_place wf_places_get(const wf_places *places, uint32_t partition)
{
    _Atomic uint64_t *moved = atomic_load_explicit(&places->moved, memory_order_acquire);
    uint64_t entry = moved ? atomic_load_explicit(&moved[partition], memory_order_relaxed) : 0;
    if (entry == 0) return (wf_place){places->first_rank + (int32_t)(partition / places->per_rank), 0};
    return (wf_place){(int32_t)(uint32_t)entry, (uint32_t)(entry >> 32)};
}

weft_status wf_places_note(wf_places *places, uint32_t partition, wf_place place, weft_error *err)
{
    if (place.moves <= wf_places_get(places, partition).moves) return WEFT_OK;
    _Atomic uint64_t *moved = atomic_load_explicit(&places->moved, memory_order_relaxed);
    if (!moved) {
        moved = wf_calloc(places->count, sizeof *moved, err);
        if (!moved) return WEFT_ENOMEM;
        atomic_store_explicit(&places->moved, moved, memory_order_release);
    }
    atomic_store_explicit(&moved[partition], (uint64_t)place.moves << 32 | (uint32_t)place.rank, memory_order_relaxed);
    return WEFT_OK;
}
