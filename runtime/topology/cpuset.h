/* Sets of PUs (hardware threads) by the number that the operating system gives them.
 *
 * A plain value of fixed width without pointers: copied by assignment, sent to another rank as bytes. Zeroed means empty.
 * Threads: pure functions.
 */
#ifndef WF_TOPOLOGY_CPUSET_H
#define WF_TOPOLOGY_CPUSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WF_CPUSET_MAX_PUS = 8192,       /* what Linux can be built for at most */
    WF_CPUSET_TEXT_BYTES = 5 * 8192 /* holds the text of any set */
};

typedef struct wf_cpuset {
    uint64_t words[WF_CPUSET_MAX_PUS / 64];
} wf_cpuset;

/* pu must be in 0..WF_CPUSET_MAX_PUS-1. */
void wf_cpuset_add(wf_cpuset *set, int pu);
/* False for any pu out of range. */
bool wf_cpuset_has(const wf_cpuset *set, int pu);
int wf_cpuset_count(const wf_cpuset *set);
bool wf_cpuset_is_empty(const wf_cpuset *set);
bool wf_cpuset_is_equal(const wf_cpuset *a, const wf_cpuset *b);
bool wf_cpuset_has_overlap(const wf_cpuset *a, const wf_cpuset *b);
/* The smallest member above pu; pu = -1 gives the first, and -1 comes back after the last. */
int wf_cpuset_next(const wf_cpuset *set, int pu);
/* *set becomes the union, or the intersection, of itself and other. */
void wf_cpuset_unite(wf_cpuset *set, const wf_cpuset *other);
void wf_cpuset_intersect(wf_cpuset *set, const wf_cpuset *other);

/* Writes the list form, such as "0-3,8"; "" for the empty set.
 * Returns: the characters that the whole text has, like snprintf; text is cut short, and ended, when size_bytes is not above it. */
size_t wf_cpuset_format(const wf_cpuset *set, char *text, size_t size_bytes);

#endif
