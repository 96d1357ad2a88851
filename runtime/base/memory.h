/* Memory: checked size arithmetic, aligned buffers, and arrays that grow. Any thread; the caller owns what is returned. */
#ifndef WF_BASE_MEMORY_H
#define WF_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/status.h>

/* 1 in a build whose sanitizer watches malloc: allocators of our own then fall through to it, so that overruns, races and leaks show. */
#ifdef __has_feature /* clang's way to tell; gcc defines __SANITIZE_* */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WF_UNDER_SANITIZER 1
#endif
#endif
#if !defined(WF_UNDER_SANITIZER) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define WF_UNDER_SANITIZER 1
#endif
#ifndef WF_UNDER_SANITIZER
#define WF_UNDER_SANITIZER 0
#endif

enum { WF_ALIGNMENT_BYTES = 64 }; /* a cache line, and the widest vector register */

/* *product = a * b; false when it does not fit. */
bool wf_size_mul(size_t a, size_t b, size_t *product);

/* count elements of bytes each, zeroed; NULL when out of memory or too large, with err filled. */
void *wf_calloc(size_t count, size_t bytes, weft_error *err);
/* count elements of bytes each, 64-byte aligned, not initialised; free() releases it. */
void *wf_aligned_alloc(size_t count, size_t bytes, weft_error *err);

/* Makes room for `need` elements in *array, doubling; *capacity counts elements. On failure both stay as they were. */
weft_status wf_grow_now(void *array, size_t *capacity, size_t need, size_t element_bytes, weft_error *err);
static inline weft_status wf_grow(void *array, size_t *capacity, size_t need, size_t element_bytes, weft_error *err)
{
    return need <= *capacity ? WEFT_OK : wf_grow_now(array, capacity, need, element_bytes, err);
}

#endif
