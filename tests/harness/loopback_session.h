/* Whole ranks as threads of one process over loopback, with a session on rank 0: what weft_main puts together, without MPI. */
#ifndef WEFT_LOOPBACK_SESSION_H
#define WEFT_LOOPBACK_SESSION_H

#include <pthread.h>

#include "client/session.h"
#include "transport/loopback.h"

enum { LOOPBACK_MAX_RANKS = 8 };

typedef struct loopback_options {
    int rank_count;
    int threads;               /* of each rank; 0, for one rank only: on the client's thread */
    bool has_comm_thread;      /* on each rank that runs tasks */
    bool rank0_only_schedules; /* with two ranks or more */
    uint64_t memory_limit_bytes; /* of each rank; 0: none */
    const char *settings[4];   /* KEY=VALUE, up to the first NULL */
    const wf_registry *registry[LOOPBACK_MAX_RANKS]; /* of a rank that has others than this program's */
} loopback_options;

typedef struct loopback_session {
    weft_session session;
    weft_config *config;
    wf_registry registry;
    wf_loopback *loopback;
    int rank_count;
    wf_budget *budgets[LOOPBACK_MAX_RANKS];
    wf_transport *transports[LOOPBACK_MAX_RANKS];
    wf_rank *ranks[LOOPBACK_MAX_RANKS];
    pthread_t servers[LOOPBACK_MAX_RANKS]; /* from 1 */
    weft_status served[LOOPBACK_MAX_RANKS];
    struct loopback_server { struct loopback_session *owner; int rank; } arguments[LOOPBACK_MAX_RANKS];
} loopback_session;

/* Aborts the test program when anything fails. */
loopback_session *loopback_session_create(const loopback_options *options);
/* Shuts down and frees all. Returns the first status other than WEFT_OK with which a rank ended. */
weft_status loopback_session_destroy(loopback_session *session);

/* Bytes of chunks alive on all ranks, without the pages of slabs, which stay as long as the session. Sanitizer builds have no such pages,
 * and there small chunks count too. */
uint64_t loopback_session_used_bytes(const loopback_session *session);

#endif
