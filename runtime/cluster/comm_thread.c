/* The communication thread. Owns the thread. Invariant: it polls as anybody may, one thread at a time inside MPI, so nothing depends on it;
 * it only makes sure that somebody polls soon. */
#include "cluster/comm_thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"

enum { SPIN_NS = 100000, POLLS_PER_LOOK = 16, TIMER_SLACK_NS = 1000 };

struct wf_comm_thread {
    wf_comm_thread_options options;
    pthread_t handle;
    atomic_bool is_stopping;
};

/* Several polls for one look at the clock. */
static bool poll_some(wf_transport *transport)
{
    bool happened = false;
    for (int i = 0; i < POLLS_PER_LOOK; i++) happened |= wf_transport_poll(transport, NULL);
    return happened;
}

static void *poll_until_stopped(void *argument)
{
    wf_comm_thread *self = argument;
    int64_t since_ns = wf_clock_now_ns();
    prctl(PR_SET_TIMERSLACK, (unsigned long)TIMER_SLACK_NS, 0ul, 0ul, 0ul);
    if (self->options.start) self->options.start(self->options.context);
    while (!atomic_load_explicit(&self->is_stopping, memory_order_relaxed)) {
        if (self->options.also) self->options.also(self->options.context);
        bool happened = poll_some(self->options.transport);
        int64_t now_ns = wf_clock_now_ns();
        if (happened) since_ns = now_ns;
        if (now_ns - since_ns < SPIN_NS) {
            sched_yield();
            continue;
        }
        const struct timespec pause = {0, wf_backoff_sleep_ns(now_ns - since_ns, self->options.idle_sleep_ns)};
        nanosleep(&pause, NULL);
    }
    return NULL;
}

weft_status wf_comm_thread_create(const wf_comm_thread_options *options, wf_comm_thread **thread, weft_error *err)
{
    wf_comm_thread *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->options = *options;
    int code = pthread_create(&made->handle, NULL, poll_until_stopped, made);
    if (code != 0) {
        free(made);
        return weft_fail(err, WEFT_ENOMEM, "the communication thread cannot be started (code %d); set transport.thread=off or raise the "
                         "limit on processes", code);
    }
    *thread = made;
    return WEFT_OK;
}

void wf_comm_thread_destroy(wf_comm_thread *thread)
{
    if (!thread) return;
    atomic_store(&thread->is_stopping, true);
    pthread_join(thread->handle, NULL);
    free(thread);
}
