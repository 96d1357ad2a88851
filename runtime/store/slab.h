/* A slab: memory for many small, short-lived blocks (chunks of a few bytes, records of tasks), without a lock and without a charge to the
 * budget for each.
 *
 * Blocks of one size class are cut from pages of 64 KiB; a page is what is charged. Each thread keeps a few free blocks of each class in a
 * cache of its own, in magazines: lists that go to and from the shared depot as a whole. So a block may be given back on another thread
 * than it was taken on, and neither leaks nor piles up there.
 *
 * Lifetime: blocks may outlive their slab's end (a chunk that the client keeps): what is left then is freed with the last of them.
 * Threads:  a cache belongs to one thread at a time; everything else is safe from any. Without a cache each call takes the depot's lock.
 * Cost:     some 3 ns to take or give with a cache; the depot's lock once in as many calls as a magazine has blocks.
 * Source:   Bonwick and Adams, "Magazines and Vmem", USENIX 2001. Unlike there, magazines are linked through the free blocks themselves,
 *           and their size is fixed.
 */
#ifndef WF_STORE_SLAB_H
#define WF_STORE_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/budget.h"
#include <weft/status.h>

typedef struct wf_slab wf_slab;

enum {
    WF_SLAB_PAGE_BYTES = 64 << 10,
    WF_SLAB_LARGEST_BYTES = 2048,
    WF_SLAB_CLASS_COUNT = 6 /* 64, 128, ... 2048 bytes */
};

typedef struct wf_slab_block { /* a free one */
    struct wf_slab_block *next; /* NULL ends the magazine */
    struct wf_slab_block *next_magazine; /* of the first block of one that lies in the depot */
} wf_slab_block;

/* Two magazines, so that a thread at the edge of one does not go to the depot at every turn. */
typedef struct wf_slab_magazines {
    wf_slab_block *loaded, *previous; /* previous is full or empty */
    uint32_t loaded_count;
} wf_slab_magazines;

/* One thread's free blocks. All zero: none, and every call goes to the depot. */
typedef struct wf_slab_cache {
    wf_slab *slab;
    wf_slab_magazines classes[WF_SLAB_CLASS_COUNT];
} wf_slab_cache;

/* budget NULL: nothing is charged. With pass_through every block is malloc's and charged alone, so that a sanitizer sees overruns and
 * leaks. Owns: *slab is new. Errors: WEFT_ENOMEM. */
weft_status wf_slab_create(wf_budget *budget, bool pass_through, wf_slab **slab, weft_error *err);
/* After every cache has ended. NULL is allowed. What is still taken may be given back later, without a cache. */
void wf_slab_destroy(wf_slab *slab);

void wf_slab_cache_init(wf_slab_cache *cache, wf_slab *slab);
/* Gives all it keeps to the depot. */
void wf_slab_cache_fini(wf_slab_cache *cache);

/* A block of at least bytes, at most WF_SLAB_LARGEST_BYTES: 64-byte aligned, not initialised. cache is one of this slab's, or NULL.
 *
 * Returns:  NULL when budget or machine have no page more, with err filled (WEFT_ENOMEM).
 */
void *wf_slab_take(wf_slab *slab, wf_slab_cache *cache, size_t bytes, weft_error *err);

/* Gives a block back that was taken from slab for as many bytes. cache may be NULL, or another slab's, which is then not used. */
void wf_slab_give(wf_slab *slab, wf_slab_cache *cache, void *block, size_t bytes);

/* Frees the pages all of whose blocks lie in the depot, for when the budget is short. Costs a walk over the depot. */
void wf_slab_trim(wf_slab *slab);

#endif
