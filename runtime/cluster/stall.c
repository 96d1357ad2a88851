/* Two rounds of questions. Invariant: the questions of a second round go out after all answers of the first have come, so sums that are
 * equal were true at one moment: every count only grows. */
#include "cluster/stall.h"

static const int64_t FIRST_PAUSE_NS = 1000000000, LONGEST_PAUSE_NS = 8000000000;

void wf_stall_init(wf_stall *stall, uint32_t worker_count, int64_t now_ns)
{
    *stall = (wf_stall){.worker_count = worker_count, .since_ns = now_ns, .pause_ns = FIRST_PAUSE_NS};
}

static wf_stall_step ask(wf_stall *stall, bool is_second)
{
    stall->round++;
    stall->missing_count = stall->worker_count;
    stall->is_second = is_second;
    stall->was_idle = true;
    stall->sum[is_second] = (wf_stall_answer){0};
    return WF_STALL_ASK;
}

static wf_stall_step ask_later(wf_stall *stall, int64_t now_ns)
{
    stall->since_ns = now_ns;
    stall->pause_ns = stall->pause_ns > LONGEST_PAUSE_NS / 2 ? LONGEST_PAUSE_NS : 2 * stall->pause_ns;
    return WF_STALL_WAIT;
}

wf_stall_step wf_stall_tick(wf_stall *stall, uint64_t ended_count, int64_t now_ns)
{
    if (ended_count != stall->ended) {
        stall->ended = ended_count;
        stall->since_ns = now_ns;
        stall->pause_ns = FIRST_PAUSE_NS;
    }
    if (stall->missing_count > 0 || now_ns - stall->since_ns < stall->pause_ns) return WF_STALL_WAIT;
    return ask(stall, false);
}

static bool are_equal(const wf_stall_answer *a, const wf_stall_answer *b)
{
    return a->ended == b->ended && a->sent == b->sent && a->received == b->received;
}

wf_stall_step wf_stall_hear(wf_stall *stall, uint32_t round, const wf_stall_answer *answer, int64_t now_ns)
{
    if (round != stall->round || stall->missing_count == 0) return WF_STALL_WAIT;
    wf_stall_answer *sum = &stall->sum[stall->is_second];
    sum->ended += answer->ended;
    sum->sent += answer->sent;
    sum->received += answer->received;
    stall->was_idle &= answer->is_idle;
    if (--stall->missing_count > 0) return WF_STALL_WAIT;
    if (!stall->was_idle || sum->sent != sum->received) return ask_later(stall, now_ns);
    if (!stall->is_second) return ask(stall, true);
    return are_equal(&stall->sum[0], sum) ? WF_STALL_FOUND : ask_later(stall, now_ns);
}
