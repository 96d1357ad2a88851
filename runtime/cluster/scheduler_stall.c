/* Computes that cannot go on: asking the workers, and ending what is stalled. With the scheduler's lock held. */
#include "cluster/scheduler_state.h"

void wf_scheduler_cancel(wf_scheduler *s, wf_compute *c, uint64_t why)
{
    if (c->is_cancelled) return;
    c->is_cancelled = true;
    wf_scheduler_send_ref_to_workers(s, WF_MSG_CANCEL, c->id, why);
}

/* The workers that have a task that waits for ever say so; where none was even begun, nobody can. */
static void end_stalled(wf_scheduler *s, wf_compute *c)
{
    if (!c->has_failed) {
        c->has_failed = true;
        c->failed_ref = UINT64_MAX;
        weft_fail(&c->error, WEFT_EGRAPH, "%llu of %llu tasks never became ready: a rule of their layers names too few consumers; "
                  "--set debug.check_rules=on tells which", (unsigned long long)(c->task_count - c->ended_count),
                  (unsigned long long)c->task_count);
    }
    wf_scheduler_cancel(s, c, WF_CANCEL_STALLED);
}

static void act(wf_scheduler *s, wf_compute *c, wf_stall_step step)
{
    if (step == WF_STALL_ASK) wf_scheduler_send_ref_to_workers(s, WF_MSG_PROBE, c->id, c->stall.round);
    if (step == WF_STALL_FOUND) end_stalled(s, c);
}

void wf_scheduler_note_answer(wf_scheduler *s, const wf_message *message, int64_t now_ns)
{
    const wf_answer_message *body = message->body;
    wf_compute *c = wf_scheduler_find_compute(s, body->graph);
    wf_stall_answer answer = {body->ended, body->sent, body->received, body->is_idle != 0};
    if (c && !c->is_cancelled) act(s, c, wf_stall_hear(&c->stall, (uint32_t)body->round, &answer, now_ns));
}

void wf_scheduler_look_for_stalls(wf_scheduler *s, int64_t now_ns)
{
    for (wf_compute *c = s->computes; c; c = c->hh.next) {
        if (!c->is_cancelled && c->ended_count < c->task_count) act(s, c, wf_stall_tick(&c->stall, c->ended_count, now_ns));
    }
}
