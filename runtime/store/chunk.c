/* Chunks. Small ones lie behind their header in one allocation; large ones have pages of their own, huge pages where the kernel gives
 * them (a chunk of 8 MB then costs 4 page faults instead of 2,000) and go back to the system when freed.
 * Invariant: a live chunk's bytes are charged to its budget, and it holds a reference on that budget. */
#include "store/chunk.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#ifdef __has_feature /* clang's way to tell; gcc defines __SANITIZE_* */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER
#endif
#endif
#if defined(UNDER_SANITIZER) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_PAGES_FROM SIZE_MAX /* malloc, so that the sanitizer sees overruns and leaks */
#else
#define OWN_PAGES_FROM ((size_t)2 << 20)
#endif

enum { HUGE_PAGE_BYTES = 2 << 20 };

struct weft_chunk {
    atomic_int references;
    weft_dtype dtype;
    int dim_count;
    int64_t extents[WEFT_MAX_DIMS];
    size_t bytes;
    size_t mapped_bytes; /* 0: the elements lie behind this header */
    void *elements;
    wf_budget *budget;
};

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

/* Pages aligned to a huge page: one more is asked for, and what is too much on both sides is given back. */
static void *map_pages(size_t bytes)
{
    size_t padded = bytes + HUGE_PAGE_BYTES;
    char *start = mmap(NULL, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    size_t before = (HUGE_PAGE_BYTES - (uintptr_t)start % HUGE_PAGE_BYTES) % HUGE_PAGE_BYTES;
    if (before) munmap(start, before);
    if (HUGE_PAGE_BYTES - before) munmap(start + before + bytes, HUGE_PAGE_BYTES - before);
    madvise(start + before, bytes, MADV_HUGEPAGE); /* a wish: without it the pages are small */
    return start + before;
}

static weft_chunk *allocate(size_t bytes, weft_error *err)
{
    enum { HEADER_BYTES = 128 };
    _Static_assert(sizeof(weft_chunk) <= HEADER_BYTES, "elements begin on a cache line");
    if (bytes < OWN_PAGES_FROM) {
        char *memory = wf_aligned_alloc(1, HEADER_BYTES + bytes, err);
        if (!memory) return NULL;
        weft_chunk *chunk = (weft_chunk *)memory;
        *chunk = (weft_chunk){.elements = memory + HEADER_BYTES};
        return chunk;
    }
    weft_chunk *chunk = wf_calloc(1, sizeof *chunk, err);
    if (!chunk) return NULL;
    chunk->mapped_bytes = (bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
    chunk->elements = map_pages(chunk->mapped_bytes);
    if (chunk->elements) return chunk;
    free(chunk);
    weft_fail(err, WEFT_ENOMEM, "the machine has no %zu bytes for a chunk; use smaller chunks or more ranks", bytes);
    return NULL;
}

/* bytes are charged already, and refunded on failure. */
static weft_status make_charged(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, size_t bytes,
                                weft_chunk **chunk, weft_error *err)
{
    weft_chunk *made = allocate(bytes, err);
    if (!made) {
        wf_budget_refund(budget, bytes);
        return WEFT_ENOMEM;
    }
    atomic_init(&made->references, 1);
    made->dtype = dtype;
    made->dim_count = dim_count;
    for (int d = 0; d < dim_count; d++) made->extents[d] = extents[d];
    made->bytes = bytes;
    made->budget = budget;
    wf_budget_retain(budget);
    *chunk = made;
    return WEFT_OK;
}

weft_status wf_chunk_create(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, weft_chunk **chunk,
                            weft_error *err)
{
    size_t bytes = 0;
    weft_status status = shape_bytes(dtype, dim_count, extents, &bytes, err);
    if (status == WEFT_OK) status = wf_budget_charge(budget, bytes, err);
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

weft_status wf_chunk_dup(wf_budget *budget, const weft_chunk *chunk, weft_chunk **copy, weft_error *err)
{
    weft_status status = wf_chunk_create(budget, chunk->dtype, chunk->dim_count, chunk->extents, copy, err);
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

void weft_chunk_release(weft_chunk *chunk)
{
    if (!chunk || atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) != 1) return;
    wf_budget_refund(chunk->budget, chunk->bytes);
    wf_budget_release(chunk->budget);
    if (chunk->mapped_bytes) munmap(chunk->elements, chunk->mapped_bytes);
    free(chunk);
}

weft_dtype weft_chunk_dtype(const weft_chunk *chunk)
{
    return chunk->dtype;
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
