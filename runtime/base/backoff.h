/* How a thread that polls waits for what may come at any time. A pure function; any thread. */
#ifndef WF_BASE_BACKOFF_H
#define WF_BASE_BACKOFF_H

#include <stdint.h>

enum { WF_BACKOFF_SHARE = 16, WF_BACKOFF_LEAST_NS = 2000 };

/* The next sleep of somebody who has waited for waited_ns: a sixteenth of that, so what comes is seen late by a sixteenth of the wait at
 * most, and the polls of a wait are few: 16 for each time that it grows by a factor of e. At most longest_ns, which bounds what
 * comes late after a long wait, and sets what it costs: one poll in that time. */
static inline int64_t wf_backoff_sleep_ns(int64_t waited_ns, int64_t longest_ns)
{
    int64_t sleep_ns = waited_ns / WF_BACKOFF_SHARE;
    if (sleep_ns < WF_BACKOFF_LEAST_NS) sleep_ns = WF_BACKOFF_LEAST_NS;
    return sleep_ns < longest_ns ? sleep_ns : longest_ns;
}

#endif
