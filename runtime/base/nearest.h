/* The known name that a mistyped one most likely meant: configuration keys, command-line options, kernels.
 * Distance: letters changed, missing, extra or swapped with their neighbour; case does not count. Any thread; nothing is allocated. */
#ifndef WF_BASE_NEAREST_H
#define WF_BASE_NEAREST_H

#include <stddef.h>

/* Offer known names one by one; `found` is the nearest so far (borrowed), or NULL while none is near. */
typedef struct wf_nearest {
    const char *name;
    const char *found;
    size_t distance; /* of found */
} wf_nearest;

#define WF_NEAREST_INIT(name_text) {(name_text), NULL, 0}

/* Near is up to a third of the longer name, and three letters at most. Of equally near names the first stays. */
void wf_nearest_offer(wf_nearest *nearest, const char *known);

/* The nearest of a list, or NULL. */
const char *wf_nearest_of(const char *name, const char *const *known, size_t count);

#endif
