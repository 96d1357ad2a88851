/* Pages for large chunks, and a few that were given back lately: to clear new pages takes longer than to send them.
 *
 * What is kept is bounded by the caller's room and by the cache's own limit, and goes back to the system when nobody wanted it for a
 * while. Pages are found again by size and by NUMA node. Any thread.
 */
#ifndef WF_STORE_PAGE_CACHE_H
#define WF_STORE_PAGE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

typedef struct wf_page_cache wf_page_cache;

typedef struct wf_pages {
    void *start;
    size_t bytes;  /* wf_page_cache_round of what was asked for */
    int numa_node; /* of the thread that asked, which most likely was the first to write them */
} wf_pages;

/* Owns: *cache is new. most_bytes is the most that it keeps. Errors: WEFT_ENOMEM. */
weft_status wf_page_cache_create(uint64_t most_bytes, wf_page_cache **cache, weft_error *err);
/* Pages that are out stay the caller's to unmap. NULL is allowed. */
void wf_page_cache_destroy(wf_page_cache *cache);

/* At least bytes bytes, not initialised, huge pages where they are large and the kernel has some; start is NULL when the machine has none.
 * room_bytes is what the cache may keep beside them; when it has to ask the system it gives back what is more.
 * Owns: they go back by wf_page_cache_give. */
wf_pages wf_page_cache_take(wf_page_cache *cache, size_t bytes, uint64_t room_bytes);

/* room_bytes is what the cache may keep now, these included. */
void wf_page_cache_give(wf_page_cache *cache, wf_pages pages, uint64_t room_bytes, int64_t now_ns);

/* Unmaps what has lain here for longer than keep_ns, and what is more than room_bytes. */
void wf_page_cache_trim(wf_page_cache *cache, uint64_t room_bytes, int64_t now_ns, int64_t keep_ns);

uint64_t wf_page_cache_kept_bytes(wf_page_cache *cache);

/* The size of the pages for so many bytes: few sizes, so that pages are found again; at most an eighth larger, or by a page of 64 KiB, from
 * 2 MiB on 2 MiB. */
size_t wf_page_cache_round(size_t bytes);

#endif
