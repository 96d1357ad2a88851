/* Time: the monotonic clock in ns, and waiting by it. Any thread. */
#ifndef WF_BASE_CLOCK_H
#define WF_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t wf_clock_now_ns(void);

/* The point on the monotonic clock timeout_ns from now, for pthread_cond_timedwait on a condition from wf_condition_init. */
struct timespec wf_clock_deadline(int64_t timeout_ns);

/* A condition whose timed waits go by the monotonic clock, so that setting the wall clock disturbs none. */
void wf_condition_init(pthread_cond_t *condition);

#endif
