/* Bit sets of PUs and their list form. Owns nothing. Invariant: sets that differ have texts that differ. Any thread. */
#include "topology/cpuset.h"

#include <assert.h>
#include <stdio.h>

enum { WORD_COUNT = WF_CPUSET_MAX_PUS / 64 };

void wf_cpuset_add(wf_cpuset *set, int pu)
{
    assert(pu >= 0 && pu < WF_CPUSET_MAX_PUS);
    set->words[pu / 64] |= UINT64_C(1) << (pu % 64);
}

bool wf_cpuset_has(const wf_cpuset *set, int pu)
{
    return pu >= 0 && pu < WF_CPUSET_MAX_PUS && (set->words[pu / 64] >> (pu % 64) & 1);
}

int wf_cpuset_count(const wf_cpuset *set)
{
    int count = 0;
    for (int i = 0; i < WORD_COUNT; i++)
        count += __builtin_popcountll(set->words[i]);
    return count;
}

bool wf_cpuset_is_empty(const wf_cpuset *set)
{
    return wf_cpuset_next(set, -1) < 0;
}

bool wf_cpuset_is_equal(const wf_cpuset *a, const wf_cpuset *b)
{
    for (int i = 0; i < WORD_COUNT; i++) {
        if (a->words[i] != b->words[i]) return false;
    }
    return true;
}

bool wf_cpuset_has_overlap(const wf_cpuset *a, const wf_cpuset *b)
{
    for (int i = 0; i < WORD_COUNT; i++) {
        if (a->words[i] & b->words[i]) return true;
    }
    return false;
}

int wf_cpuset_next(const wf_cpuset *set, int pu)
{
    int first = pu + 1;
    if (first < 0 || first >= WF_CPUSET_MAX_PUS) return -1;
    uint64_t word = set->words[first / 64] & (~UINT64_C(0) << (first % 64));
    for (int i = first / 64;;) {
        if (word) return i * 64 + __builtin_ctzll(word);
        if (++i == WORD_COUNT) return -1;
        word = set->words[i];
    }
}

void wf_cpuset_unite(wf_cpuset *set, const wf_cpuset *other)
{
    for (int i = 0; i < WORD_COUNT; i++)
        set->words[i] |= other->words[i];
}

void wf_cpuset_intersect(wf_cpuset *set, const wf_cpuset *other)
{
    for (int i = 0; i < WORD_COUNT; i++)
        set->words[i] &= other->words[i];
}

size_t wf_cpuset_format(const wf_cpuset *set, char *text, size_t size_bytes)
{
    size_t length = 0;
    if (size_bytes > 0) text[0] = '\0';
    for (int pu = wf_cpuset_next(set, -1); pu >= 0; pu = wf_cpuset_next(set, pu)) {
        int first = pu;
        while (wf_cpuset_has(set, pu + 1))
            pu++;
        char item[32];
        const char *comma = length > 0 ? "," : "";
        int item_length = pu == first ? snprintf(item, sizeof item, "%s%d", comma, first)
                                      : snprintf(item, sizeof item, "%s%d-%d", comma, first, pu);
        if (length < size_bytes) snprintf(text + length, size_bytes - length, "%s", item);
        length += (size_t)item_length;
    }
    return length;
}
