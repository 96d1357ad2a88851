/* Ranks that are threads of one process: for one-process runs, and for tests of everything above under sanitizers. Chunks are handed over
 * by reference. */
#ifndef WF_TRANSPORT_LOOPBACK_H
#define WF_TRANSPORT_LOOPBACK_H

#include "transport/transport.h"

typedef struct wf_loopback wf_loopback; /* what the ranks of one test or process share */

/* Owns: *loopback is new; destroyed by the caller after the transports of all ranks. */
weft_status wf_loopback_create(int size, wf_loopback **loopback, weft_error *err);
void wf_loopback_destroy(wf_loopback *loopback);

/* The transport of one rank. Owns: *transport is new. */
weft_status wf_loopback_open(wf_loopback *loopback, int rank, wf_budget *budget, wf_transport **transport, weft_error *err);

#endif
