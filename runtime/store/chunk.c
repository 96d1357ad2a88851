/* Chunks. Small ones lie in a slab, the others behind their header in an allocation of their own; large ones have pages from the budget's
 * page cache, huge pages where the kernel gives them (a chunk of 8 MB then costs 4 page faults instead of 2,000).
 * Invariant: a live chunk's memory is charged: with the slab's page, which counts as long as any block of it is in use, or alone, and then
 * the chunk holds a reference on its budget.
 */
#include "store/chunk.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

/* In sanitizer builds no chunk has pages of its own, so that overruns are seen. */
#define OWN_PAGES_FROM (WF_UNDER_SANITIZER ? SIZE_MAX : (size_t)512 << 10)

typedef enum place { IN_SLAB, BEHIND_HEADER, ON_OWN_PAGES } place;

struct weft_chunk {
    atomic_int references;
    uint8_t dtype;
    uint8_t dim_count;
    uint8_t place;
    void *elements;
    union {
        wf_slab *slab;     /* IN_SLAB */
        wf_budget *budget;
    } owner;
    size_t bytes;
    int64_t extents[WEFT_MAX_DIMS];
};

_Static_assert(sizeof(weft_chunk) == WF_CHUNK_HEADER_BYTES, "a header is a cache line, and elements begin on one");

size_t weft_dtype_bytes(weft_dtype dtype)
{
    switch (dtype) {
    case WEFT_U8: return 1;
    case WEFT_I32:
    case WEFT_F32: return 4;
    case WEFT_I64:
    case WEFT_F64: return 8;
    }
    return 0;
}

const char *weft_dtype_name(weft_dtype dtype)
{
    switch (dtype) {
    case WEFT_U8: return "u8";
    case WEFT_I32: return "i32";
    case WEFT_I64: return "i64";
    case WEFT_F32: return "f32";
    case WEFT_F64: return "f64";
    }
    return "?";
}

static weft_status shape_bytes(weft_dtype dtype, int dim_count, const int64_t *extents, size_t *bytes, weft_error *err)
{
    size_t total = weft_dtype_bytes(dtype);
    if (total == 0) return weft_fail(err, WEFT_EINVAL, "unknown chunk type %d; use one of weft_dtype", (int)dtype);
    if (dim_count < 0 || dim_count > WEFT_MAX_DIMS)
        return weft_fail(err, WEFT_EINVAL, "a chunk has 0 to %d dimensions, not %d", WEFT_MAX_DIMS, dim_count);
    for (int d = 0; d < dim_count; d++) {
        long long extent = extents[d];
        if (extent < 0) return weft_fail(err, WEFT_EINVAL, "extent %d of a chunk is %lld; it must not be negative", d, extent);
        if (!wf_size_mul(total, (size_t)extent, &total) || total > PTRDIFF_MAX / 2)
            return weft_fail(err, WEFT_ENOMEM, "a chunk of extent %lld is beyond the address space; use smaller chunks", extent);
    }
    *bytes = total;
    return WEFT_OK;
}

/* A chunk ON_OWN_PAGES: they are returned as they were taken. */
typedef struct paged_chunk {
    weft_chunk chunk;
    wf_pages pages;
} paged_chunk;

static weft_chunk *allocate(wf_budget *budget, size_t bytes, weft_error *err)
{
    bool is_large = bytes >= OWN_PAGES_FROM;
    weft_chunk *chunk = wf_aligned_alloc(1, is_large ? sizeof(paged_chunk) : WF_CHUNK_HEADER_BYTES + bytes, err);
    if (!chunk) return NULL;
    chunk->place = is_large ? ON_OWN_PAGES : BEHIND_HEADER;
    chunk->elements = chunk + 1;
    if (is_large) {
        wf_pages *pages = &((paged_chunk *)chunk)->pages;
        *pages = wf_page_cache_take(wf_budget_page_cache(budget), bytes, wf_budget_room_bytes(budget));
        chunk->elements = pages->start;
    }
    if (chunk->elements) return chunk;
    free(chunk);
    weft_fail(err, WEFT_ENOMEM, "the machine has no %zu bytes for a chunk; use smaller chunks or more ranks", bytes);
    return NULL;
}

static void describe(weft_chunk *chunk, weft_dtype dtype, int dim_count, const int64_t *extents, size_t bytes)
{
    atomic_init(&chunk->references, 1);
    chunk->dtype = (uint8_t)dtype;
    chunk->dim_count = (uint8_t)dim_count;
    chunk->bytes = bytes;
    for (int d = 0; d < dim_count; d++) chunk->extents[d] = extents[d];
}

/* bytes are charged already, and refunded on failure. */
static weft_status make_charged(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, size_t bytes,
                                weft_chunk **chunk, weft_error *err)
{
    weft_chunk *made = allocate(budget, bytes, err);
    if (!made) {
        wf_budget_refund(budget, bytes);
        return WEFT_ENOMEM;
    }
    describe(made, dtype, dim_count, extents, bytes);
    made->owner.budget = budget;
    wf_budget_retain(budget);
    *chunk = made;
    return WEFT_OK;
}

weft_status wf_chunk_create(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, weft_chunk **chunk,
                            weft_error *err)
{
    return wf_chunk_create_by(NULL, budget, dtype, dim_count, extents, chunk, err);
}

static weft_chunk *make_in_slab(wf_slab_cache *cache, weft_dtype dtype, int dim_count, const int64_t *extents, size_t bytes)
{
    weft_chunk *made = wf_slab_take(cache->slab, cache, WF_CHUNK_HEADER_BYTES + bytes, NULL);
    if (!made) return NULL;
    describe(made, dtype, dim_count, extents, bytes);
    made->place = IN_SLAB;
    made->elements = made + 1;
    made->owner.slab = cache->slab;
    return made;
}

weft_status wf_chunk_create_by(wf_slab_cache *cache, wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents,
                               weft_chunk **chunk, weft_error *err)
{
    size_t bytes = 0;
    bool has_slab = cache && cache->slab;
    weft_status status = shape_bytes(dtype, dim_count, extents, &bytes, err);
    if (status != WEFT_OK) return status;
    if (has_slab && bytes <= WF_SMALL_CHUNK_BYTES) {
        weft_chunk *made = make_in_slab(cache, dtype, dim_count, extents, bytes);
        if (made) {
            *chunk = made;
            return WEFT_OK;
        }
    }
    status = wf_budget_charge(budget, bytes, has_slab ? NULL : err);
    if (status != WEFT_OK && has_slab) {
        wf_slab_trim(cache->slab);
        status = wf_budget_charge(budget, bytes, err);
    }
    return status == WEFT_OK ? make_charged(budget, dtype, dim_count, extents, bytes, chunk, err) : status;
}

weft_status wf_chunk_create_arrived(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, weft_chunk **chunk,
                                    weft_error *err)
{
    size_t bytes = 0;
    weft_status status = shape_bytes(dtype, dim_count, extents, &bytes, err);
    if (status != WEFT_OK) return status;
    wf_budget_charge_anyway(budget, bytes);
    return make_charged(budget, dtype, dim_count, extents, bytes, chunk, err);
}

weft_status wf_chunk_dup(wf_slab_cache *cache, wf_budget *budget, const weft_chunk *chunk, weft_chunk **copy, weft_error *err)
{
    weft_status status = wf_chunk_create_by(cache, budget, (weft_dtype)chunk->dtype, chunk->dim_count, chunk->extents, copy, err);
    if (status == WEFT_OK) memcpy((*copy)->elements, chunk->elements, chunk->bytes);
    return status;
}

void *wf_chunk_elements(weft_chunk *chunk)
{
    return chunk->elements;
}

bool wf_chunk_is_sole(const weft_chunk *chunk)
{
    return atomic_load_explicit(&chunk->references, memory_order_acquire) == 1;
}

void weft_chunk_retain(weft_chunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
}

void wf_chunk_retain_many(weft_chunk *chunk, int count)
{
    atomic_fetch_add_explicit(&chunk->references, count, memory_order_relaxed);
}

/* Who finds a single reference has it, and nobody can add another: the count need not go down. */
void wf_chunk_release_by(wf_slab_cache *cache, weft_chunk *chunk)
{
    if (!chunk || (!wf_chunk_is_sole(chunk) && atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) != 1)) return;
    if (chunk->place == IN_SLAB) {
        wf_slab_give(chunk->owner.slab, cache, chunk, WF_CHUNK_HEADER_BYTES + chunk->bytes);
        return;
    }
    wf_budget *budget = chunk->owner.budget;
    wf_budget_refund(budget, chunk->bytes);
    if (chunk->place == ON_OWN_PAGES)
        wf_page_cache_give(wf_budget_page_cache(budget), ((paged_chunk *)chunk)->pages, wf_budget_room_bytes(budget), wf_clock_now_ns());
    wf_budget_release(budget);
    free(chunk);
}

void weft_chunk_release(weft_chunk *chunk)
{
    wf_chunk_release_by(NULL, chunk);
}

weft_dtype weft_chunk_dtype(const weft_chunk *chunk)
{
    return (weft_dtype)chunk->dtype;
}

int weft_chunk_dim_count(const weft_chunk *chunk)
{
    return chunk->dim_count;
}

int64_t weft_chunk_extent(const weft_chunk *chunk, int dim)
{
    return dim >= 0 && dim < chunk->dim_count ? chunk->extents[dim] : 1;
}

size_t weft_chunk_bytes(const weft_chunk *chunk)
{
    return chunk->bytes;
}

const void *weft_chunk_data(const weft_chunk *chunk)
{
    return chunk->elements;
}
