/* The budget's counters. Owns nothing but them: whoever charges bytes refunds the same number.
 *
 * Invariant: used_bytes is the sum of what was charged and not refunded. Charging never takes it above the limit, not for a moment either;
 * only wf_budget_charge_anyway does. Any thread: the counters are atomic and order nothing else, but for the last release, which frees.
 */
#include "store/budget.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/quantity.h"

#define MOST_KEPT_BYTES ((uint64_t)1 << 30) /* of pages for large chunks */

struct wf_budget {
    atomic_uint_fast64_t references;
    atomic_uint_fast64_t used_bytes;
    atomic_uint_fast64_t peak_bytes;
    uint64_t limit_bytes;
    wf_page_cache *page_cache;
};

weft_status wf_budget_create(uint64_t limit_bytes, wf_budget **budget, weft_error *err)
{
    wf_budget *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    atomic_init(&made->references, 1);
    made->limit_bytes = limit_bytes;
    uint64_t most_kept = limit_bytes && limit_bytes / 8 < MOST_KEPT_BYTES ? limit_bytes / 8 : MOST_KEPT_BYTES;
    weft_status status = wf_page_cache_create(most_kept, &made->page_cache, err);
    if (status == WEFT_OK)
        *budget = made;
    else
        free(made);
    return status;
}

void wf_budget_retain(wf_budget *budget)
{
    atomic_fetch_add_explicit(&budget->references, 1, memory_order_relaxed);
}

void wf_budget_release(wf_budget *budget)
{
    if (!budget || atomic_fetch_sub_explicit(&budget->references, 1, memory_order_acq_rel) != 1) return;
    wf_page_cache_destroy(budget->page_cache);
    free(budget);
}

static void raise_peak(wf_budget *budget, uint64_t used)
{
    uint_fast64_t peak = atomic_load_explicit(&budget->peak_bytes, memory_order_relaxed);
    while (used > peak &&
           !atomic_compare_exchange_weak_explicit(&budget->peak_bytes, &peak, used, memory_order_relaxed, memory_order_relaxed)) {
    }
}

static bool fits(const wf_budget *budget, uint64_t used, size_t bytes)
{
    return budget->limit_bytes == 0 || (bytes <= budget->limit_bytes && used <= budget->limit_bytes - bytes);
}

/* Bytes that do not fit are never added, not for a moment either: that would refuse another thread what does fit. */
static weft_status refuse(const wf_budget *budget, size_t bytes, uint64_t used_bytes, weft_error *err)
{
    char wanted[WF_QUANTITY_LENGTH], used[WF_QUANTITY_LENGTH], limit[WF_QUANTITY_LENGTH];
    return weft_fail(err, WEFT_ENOMEM, "a chunk or scratch memory of %s does not fit: %s of %s are in use; use smaller chunks, more ranks, or "
                     "raise memory.limit", wf_bytes_format_rounded(bytes, wanted), wf_bytes_format_rounded(used_bytes, used),
                     wf_bytes_format_rounded(budget->limit_bytes, limit));
}

weft_status wf_budget_charge(wf_budget *budget, size_t bytes, weft_error *err)
{
    uint_fast64_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    do {
        if (!fits(budget, used, bytes)) return refuse(budget, bytes, used, err);
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used, used + bytes, memory_order_relaxed, memory_order_relaxed));
    raise_peak(budget, used + bytes);
    return WEFT_OK;
}

void wf_budget_charge_anyway(wf_budget *budget, size_t bytes)
{
    raise_peak(budget, atomic_fetch_add_explicit(&budget->used_bytes, bytes, memory_order_relaxed) + bytes);
}

void wf_budget_refund(wf_budget *budget, size_t bytes)
{
    atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
}

uint64_t wf_budget_limit_bytes(const wf_budget *budget)
{
    return budget->limit_bytes;
}

uint64_t wf_budget_used_bytes(const wf_budget *budget)
{
    return atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
}

uint64_t wf_budget_peak_bytes(const wf_budget *budget)
{
    return atomic_load_explicit(&budget->peak_bytes, memory_order_relaxed);
}

uint64_t wf_budget_room_bytes(const wf_budget *budget)
{
    uint64_t used = wf_budget_used_bytes(budget);
    if (budget->limit_bytes == 0) return UINT64_MAX;
    return used < budget->limit_bytes ? budget->limit_bytes - used : 0;
}

wf_page_cache *wf_budget_page_cache(wf_budget *budget)
{
    return budget->page_cache;
}
