/* Time by the monotonic clock. Owns nothing. Invariant: no wait goes by a clock that somebody can set. Any thread. */
#include "base/clock.h"

enum { NS_PER_S = 1000000000 };

int64_t wf_clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct timespec wf_clock_deadline(int64_t timeout_ns)
{
    int64_t ns = wf_clock_now_ns() + timeout_ns;
    return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

void wf_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}
