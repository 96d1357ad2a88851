/* A session, as the client layer sees it. */
#ifndef WF_CLIENT_SESSION_H
#define WF_CLIENT_SESSION_H

#include <stdatomic.h>

#include "cluster/rank.h"
#include <weft/session.h>

struct weft_session {
    wf_rank *rank;              /* rank 0 */
    wf_scheduler *scheduler;    /* its */
    const weft_config *config;
    const char *scheduler_name; /* "sync", "threads" or "mpi" */
    int rank_count;
    weft_machine_info machine;
    bool spin;                  /* a waiting client may keep a core busy for a moment */
    const wf_log *log;          /* NULL: silent */
    atomic_bool has_warned_of_scans;
};

/* partition.move */
wf_move_mode wf_session_move_mode(const weft_config *config);

/* Polls and sleeps in turn until the compute is over, or can never be. */
void wf_session_wait(weft_session *session, uint64_t graph_id);

/* Waits until every rank has said HELLO. Errors: WEFT_ELAUNCH some have not within timeout_ns. */
weft_status wf_session_wait_for_ranks(weft_session *session, int64_t timeout_ns, weft_error *err);

#endif
