/* Ctrl-C and SIGTERM: a thread of its own waits for them, so nothing runs inside a signal handler and no state is global. */
#ifndef WF_CLIENT_SIGNALS_H
#define WF_CLIENT_SIGNALS_H

#include <stdbool.h>

#include <weft/status.h>

typedef struct wf_signals wf_signals;

/* Blocks SIGINT and SIGTERM in the calling thread, and those that it starts from now on; signals that the program handles or ignores
 * itself are left alone. On the first signal calls `interrupted`; when the process is still there after grace_ns, or at a SIGINT after
 * the first signal, it ends with code 128 + signal.
 *
 * Owns: *signals is new. Errors: WEFT_ENOMEM.
 */
weft_status wf_signals_create(int64_t grace_ns, void (*interrupted)(void *context, int signal), void *context, wf_signals **signals,
                              weft_error *err);
/* Ends the thread and unblocks the signals. NULL is allowed. */
void wf_signals_destroy(wf_signals *signals);

/* The first signal that came; 0: none. */
int wf_signals_received(const wf_signals *signals);

#endif
