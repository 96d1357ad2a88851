/* Bit sets of PUs and their list form. Owns nothing. Invariant: text and set determine each other. Any thread. */
#include "topology/cpuset.h"

#include <assert.h>
#include <ctype.h>
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

/* Reads one number at *at and moves behind it; -1 when there is none, or none in range. */
static int parse_pu(const char **at)
{
    const char *c = *at;
    if (!isdigit((unsigned char)*c)) return -1;
    int pu = 0;
    for (; isdigit((unsigned char)*c); c++) {
        pu = pu * 10 + (*c - '0');
        if (pu >= WF_CPUSET_MAX_PUS) return -1;
    }
    *at = c;
    return pu;
}

static void skip_blanks(const char **at)
{
    while (isspace((unsigned char)**at))
        (*at)++;
}

/* Reads items up to the first character that belongs to none; false when an item is malformed. */
static bool parse_items(const char **at, wf_cpuset *set)
{
    for (;; (*at)++) {
        int first = parse_pu(at), last = first;
        if (first >= 0 && **at == '-') {
            (*at)++;
            last = parse_pu(at);
        }
        if (first < 0 || last < first) return false;
        for (int pu = first; pu <= last; pu++)
            wf_cpuset_add(set, pu);
        if (**at != ',') return true;
    }
}

weft_status wf_cpuset_parse(const char *text, wf_cpuset *set, weft_error *err)
{
    wf_cpuset parsed = {{0}};
    const char *at = text;
    skip_blanks(&at);
    bool is_good = *at == '\0' || parse_items(&at, &parsed);
    skip_blanks(&at);
    if (!is_good || *at)
        return weft_fail(err, WEFT_EINVAL, "\"%.100s\" is no list of processing units (at character %d); write it like 0-3,8", text,
                         (int)(at - text) + 1);
    *set = parsed;
    return WEFT_OK;
}
