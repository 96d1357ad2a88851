/* Sorted pairs of source and consumer. Invariant: each pair once. Constant after creation. */
#include "exec/inverse.h"

#include <stdlib.h>

#include "base/memory.h"

typedef struct pair {
    uint64_t source, consumer;
} pair;

struct wf_inverse {
    pair *pairs;
    size_t count;
};

static int compare_pairs(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return x->consumer < y->consumer ? -1 : x->consumer > y->consumer;
}

static weft_status collect(const wf_rule_edge *edge, wf_inverse *inverse, weft_error *err)
{
    weft_interval intervals[WEFT_MAX_INTERVALS];
    size_t capacity = 0, count;
    for (uint64_t i = 0; i < edge->layer->spec->task_count; i++) {
        weft_status status = wf_rule_edge_inputs(edge, i, intervals, &count, err);
        if (status != WEFT_OK) return status;
        for (size_t k = 0; k < count; k++) {
            for (uint64_t j = intervals[k].begin; j < intervals[k].end; j++) {
                status = wf_grow(&inverse->pairs, &capacity, inverse->count + 1, sizeof *inverse->pairs, err);
                if (status != WEFT_OK) return status;
                inverse->pairs[inverse->count++] = (pair){j, i};
            }
        }
    }
    return WEFT_OK;
}

static void sort_once(wf_inverse *inverse)
{
    size_t kept = 0;
    if (inverse->count) qsort(inverse->pairs, inverse->count, sizeof *inverse->pairs, compare_pairs);
    for (size_t i = 0; i < inverse->count; i++) {
        if (kept && compare_pairs(&inverse->pairs[kept - 1], &inverse->pairs[i]) == 0) continue;
        inverse->pairs[kept++] = inverse->pairs[i];
    }
    inverse->count = kept;
}

weft_status wf_inverse_create(const wf_rule_edge *edge, wf_inverse **inverse, weft_error *err)
{
    wf_inverse *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    weft_status status = collect(edge, made, err);
    if (status == WEFT_OK) {
        sort_once(made);
        *inverse = made;
    } else {
        wf_inverse_destroy(made);
    }
    return status;
}

void wf_inverse_destroy(wf_inverse *inverse)
{
    if (!inverse) return;
    free(inverse->pairs);
    free(inverse);
}

size_t wf_inverse_find(const wf_inverse *inverse, uint64_t index, weft_interval *intervals)
{
    size_t at = 0, left = inverse->count, count = 0;
    while (left > 0) { /* the first that is not below */
        size_t half = left / 2;
        bool is_below = inverse->pairs[at + half].source < index;
        at += is_below ? half + 1 : 0;
        left = is_below ? left - half - 1 : half;
    }
    for (; at < inverse->count && inverse->pairs[at].source == index; at++) {
        uint64_t consumer = inverse->pairs[at].consumer;
        if (count && count <= WEFT_MAX_INTERVALS && intervals[count - 1].end == consumer) {
            intervals[count - 1].end++;
            continue;
        }
        if (count < WEFT_MAX_INTERVALS) intervals[count] = (weft_interval){consumer, consumer + 1};
        count++;
    }
    return count;
}
