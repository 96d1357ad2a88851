/* What a session tells about itself, and how the client's thread waits in it. */
#include "client/session.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <string.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"

enum { SPIN_NS = 20000, TIMER_SLACK_NS = 1000 };

/* Short sleeps end within 1 us of their time, not 50. The thread is the program's, so it gets its own setting back. */
static int sharpen_sleep(void)
{
    int slack_ns = prctl(PR_GET_TIMERSLACK, 0ul, 0ul, 0ul, 0ul);
    prctl(PR_SET_TIMERSLACK, (unsigned long)TIMER_SLACK_NS, 0ul, 0ul, 0ul);
    return slack_ns;
}

wf_move_mode wf_session_move_mode(const weft_config *config)
{
    const char *text = weft_config_text(config, "partition.move");
    return strcmp(text, "on") == 0 ? WF_MOVE_ON : strcmp(text, "off") == 0 ? WF_MOVE_OFF : WF_MOVE_AT_RANDOM;
}

/* Workers report often, and it is seldom the end: what a long compute has taken counts, too, so that each report does not cost a series of
 * short sleeps. */
void wf_session_wait(weft_session *session, uint64_t graph_id)
{
    int64_t longest_ns = weft_config_duration_ns(session->config, "transport.idle_sleep"), sleep_ns = 0;
    int64_t begin_ns = wf_clock_now_ns(), event_ns = begin_ns;
    int slack_ns = -1; /* not changed yet */
    while (!wf_scheduler_wait(session->scheduler, graph_id, sleep_ns)) {
        sleep_ns = 0;
        if (wf_rank_step(session->rank)) {
            event_ns = wf_clock_now_ns();
            continue;
        }
        int64_t waited_ns = wf_clock_now_ns() - event_ns;
        if (session->spin && waited_ns < SPIN_NS) {
            sched_yield();
            continue;
        }
        if (slack_ns < 0) slack_ns = sharpen_sleep();
        sleep_ns = wf_backoff_sleep_ns(waited_ns + (event_ns - begin_ns) / WF_BACKOFF_SHARE, longest_ns);
    }
    if (slack_ns >= 0) prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns, 0ul, 0ul, 0ul);
}

weft_status wf_session_wait_for_ranks(weft_session *session, int64_t timeout_ns, weft_error *err)
{
    int64_t until_ns = wf_clock_now_ns() + timeout_ns;
    const struct timespec pause = {0, 50000};
    int count;
    while ((count = wf_scheduler_hello_count(session->scheduler)) < session->rank_count) {
        weft_status status = wf_scheduler_check(session->scheduler, err);
        if (status != WEFT_OK) return status;
        if (wf_clock_now_ns() > until_ns)
            return weft_fail(err, WEFT_ELAUNCH, "%d of %d ranks have not answered for %.0f s; look at their output",
                             session->rank_count - count, session->rank_count, (double)timeout_ns * 1e-9);
        if (!wf_rank_step(session->rank)) nanosleep(&pause, NULL);
    }
    return wf_scheduler_check(session->scheduler, err);
}

const weft_config *weft_session_config(const weft_session *session)
{
    return session->config;
}

weft_session_info weft_session_get_info(const weft_session *session)
{
    weft_session_info info = {.scheduler = session->scheduler_name, .rank_count = session->rank_count};
    wf_plan_worker *workers = NULL;
    size_t count = 0;
    if (wf_scheduler_workers(session->scheduler, &workers, &count, NULL) == WEFT_OK && count > 0) {
        info.worker_count = (int)count;
        info.threads_per_worker = workers[0].threads;
    }
    free(workers);
    info.memory_limit_bytes = wf_scheduler_memory_limit_bytes(session->scheduler);
    return info;
}

weft_status weft_session_get_rank_info(const weft_session *session, int rank, weft_rank_info *info, weft_error *err)
{
    wf_rank_description d;
    if (!wf_scheduler_describe_rank(session->scheduler, rank, &d))
        return weft_fail(err, WEFT_EINVAL, "there is no rank %d; ranks go from 0 to %d", rank, session->rank_count - 1);
    *info = (weft_rank_info){d.host, d.cpuset, d.pinning, d.threads, d.memory_limit_bytes};
    return WEFT_OK;
}

weft_machine_info weft_session_get_machine_info(const weft_session *session)
{
    return session->machine;
}

weft_status weft_session_get_stats(weft_session *session, weft_session_stats *stats, weft_error *err)
{
    weft_status status = wf_scheduler_check(session->scheduler, err);
    if (status != WEFT_OK) return status;
    wf_rank_stats sum = wf_rank_sum_stats(session->rank);
    *stats = (weft_session_stats){sum.tasks_ended, sum.bytes_sent, sum.memory_peak_bytes, sum.rss_peak_bytes};
    return WEFT_OK;
}
