/* Allocation with checked sizes. Owns nothing, what it returns is the caller's. Invariant: a size that overflows is refused, never
 * wrapped. Any thread. */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool wf_size_mul(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

static weft_status out_of_memory(weft_error *err, size_t count, size_t bytes)
{
    return weft_fail(err, WEFT_ENOMEM, "no memory for %zu elements of %zu bytes; use less data per rank or more ranks", count, bytes);
}

void *wf_calloc(size_t count, size_t bytes, weft_error *err)
{
    void *memory = calloc(count ? count : 1, bytes);
    if (!memory) out_of_memory(err, count, bytes);
    return memory;
}

void *wf_aligned_alloc(size_t count, size_t bytes, weft_error *err)
{
    size_t total;
    void *memory = NULL;
    if (wf_size_mul(count, bytes, &total) && total <= SIZE_MAX - WF_ALIGNMENT_BYTES) {
        size_t rounded = (total + WF_ALIGNMENT_BYTES) & ~(size_t)(WF_ALIGNMENT_BYTES - 1);
        memory = aligned_alloc(WF_ALIGNMENT_BYTES, rounded);
    }
    if (!memory) out_of_memory(err, count, bytes);
    return memory;
}

weft_status wf_grow_now(void *array, size_t *capacity, size_t need, size_t element_bytes, weft_error *err)
{
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < need) {
        if (!wf_size_mul(wanted, 2, &wanted)) return out_of_memory(err, need, element_bytes);
    }
    void *old, *grown = NULL;
    size_t total;
    memcpy(&old, array, sizeof old); /* array points to a pointer of any type */
    if (wf_size_mul(wanted, element_bytes, &total)) grown = realloc(old, total);
    if (!grown) return out_of_memory(err, wanted, element_bytes);
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return WEFT_OK;
}
