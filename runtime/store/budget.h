/* A rank's memory budget: what its chunks (small ones by the page, see slab.h), and its threads' scratch memory, may take together.
 * Reference-counted, because a chunk may outlive the session it came from.
 * Threads: every call is safe from any. */
#ifndef WF_STORE_BUDGET_H
#define WF_STORE_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "store/page_cache.h"
#include <weft/status.h>

typedef struct wf_budget wf_budget;

/* limit_bytes 0: no limit. Owns: *budget is new, with one reference. */
weft_status wf_budget_create(uint64_t limit_bytes, wf_budget **budget, weft_error *err);
void wf_budget_retain(wf_budget *budget);
void wf_budget_release(wf_budget *budget); /* NULL is allowed */

/* Takes bytes out of the budget, or fails with WEFT_ENOMEM and says what is in use. */
weft_status wf_budget_charge(wf_budget *budget, size_t bytes, weft_error *err);
/* The same for what is there already and cannot be refused. */
void wf_budget_charge_anyway(wf_budget *budget, size_t bytes);
void wf_budget_refund(wf_budget *budget, size_t bytes);

uint64_t wf_budget_limit_bytes(const wf_budget *budget);
uint64_t wf_budget_used_bytes(const wf_budget *budget);
uint64_t wf_budget_peak_bytes(const wf_budget *budget);
/* What is left of the limit now; UINT64_MAX without one. */
uint64_t wf_budget_room_bytes(const wf_budget *budget);

/* Pages for large chunks that are charged here. Beyond what is charged it keeps at most what is left of the limit, and an eighth of it. */
wf_page_cache *wf_budget_page_cache(wf_budget *budget);

#endif
