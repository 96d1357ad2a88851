/* Whether a compute whose tasks have stopped ending can go on at all: rules that are wrong leave tasks waiting for what nobody sends.
 *
 * When no task has ended for a while every worker is asked, twice. If each was idle both times, nothing ended or was sent or came in
 * between, and all that was sent had come, then there was a moment at which nothing ran anywhere and nothing was on its way, and nothing
 * will ever change. A round of questions costs a message to and from each worker; the pause before the next one doubles.
 *
 * Pure: told of time and answers. One thread at a time.
 * Source: the double-round argument is Mattern's "four counter method", Distributed Computing 2(3), 1987.
 */
#ifndef WF_CLUSTER_STALL_H
#define WF_CLUSTER_STALL_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/status.h>

/* Of one worker and graph. */
typedef struct wf_stall_answer {
    uint64_t ended, sent, received; /* tasks; DATA and TAKE to and from other workers */
    bool is_idle;
} wf_stall_answer;

typedef enum wf_stall_step {
    WF_STALL_WAIT,
    WF_STALL_ASK,   /* every worker, with this round's number */
    WF_STALL_FOUND  /* nothing will ever change */
} wf_stall_step;

typedef struct wf_stall {
    uint32_t worker_count;
    uint32_t round;              /* of the questions that are out, or were last */
    uint32_t missing_count;      /* answers of that round */
    bool is_second;
    bool was_idle;               /* all that have answered in this round */
    uint64_t ended;              /* as last told */
    int64_t since_ns;            /* when it changed, or the last question failed */
    int64_t pause_ns;
    wf_stall_answer sum[2];      /* over workers, of the first and the second round */
} wf_stall;

void wf_stall_init(wf_stall *stall, uint32_t worker_count, int64_t now_ns);

/* Time passes; ended_count is of the whole compute. */
wf_stall_step wf_stall_tick(wf_stall *stall, uint64_t ended_count, int64_t now_ns);

/* A worker answers the question of `round`. */
wf_stall_step wf_stall_hear(wf_stall *stall, uint32_t round, const wf_stall_answer *answer, int64_t now_ns);

#endif
