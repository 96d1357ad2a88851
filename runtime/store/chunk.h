/* Making chunks (weft/chunk.h has what everybody may do with them). */
#ifndef WF_STORE_CHUNK_H
#define WF_STORE_CHUNK_H

#include <stdbool.h>

#include "store/budget.h"
#include "store/slab.h"
#include <weft/chunk.h>

enum { WF_CHUNK_HEADER_BYTES = 64, WF_SMALL_CHUNK_BYTES = WF_SLAB_LARGEST_BYTES - WF_CHUNK_HEADER_BYTES };

/* A new chunk, charged to budget, elements not initialised and, where large, not touched: its pages go to the NUMA node of the thread
 * that first writes them.
 *
 * Owns:     *chunk is new, with one reference.
 * Errors:   WEFT_EINVAL a bad type, dim_count or extent; WEFT_ENOMEM the budget or the machine does not suffice.
 */
weft_status wf_chunk_create(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, weft_chunk **chunk,
                            weft_error *err);

/* The same for a chunk that another rank has sent: refusing it would only stop the ranks, so it may exceed the budget, and the next
 * chunk that a task creates here meets the limit. */
weft_status wf_chunk_create_arrived(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, weft_chunk **chunk,
                                    weft_error *err);

/* As wf_chunk_create, by a thread with a slab cache (NULL, or all zero: without): a chunk of up to WF_SMALL_CHUNK_BYTES lies in the slab,
 * and is charged with the slab's page instead of alone. When the budget has no page more it is charged alone, and a large chunk that does
 * not fit is tried again without the slab's empty pages. */
weft_status wf_chunk_create_by(wf_slab_cache *cache, wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents,
                               weft_chunk **chunk, weft_error *err);

/* A new chunk of the same type, shape and elements; cache as in wf_chunk_create_by. */
weft_status wf_chunk_dup(wf_slab_cache *cache, wf_budget *budget, const weft_chunk *chunk, weft_chunk **copy, weft_error *err);

/* weft_chunk_retain `count` times. */
void wf_chunk_retain_many(weft_chunk *chunk, int count);

/* weft_chunk_release by a thread with a slab cache (NULL allowed), which keeps the memory of a small chunk for its next one. */
void wf_chunk_release_by(wf_slab_cache *cache, weft_chunk *chunk);

/* For the one who made the chunk, until it is handed on. */
void *wf_chunk_elements(weft_chunk *chunk);

/* True when the caller's reference is the only one, so that nobody can see the elements change. */
bool wf_chunk_is_sole(const weft_chunk *chunk);

#endif
