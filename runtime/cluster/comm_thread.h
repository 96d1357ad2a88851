/* A thread that does nothing but move messages, where a core is free for it: the pool's threads then poll only when they have sent
 * something, and messages move while all of them are inside long tasks.
 *
 * Threads: create and destroy on the rank's main thread.
 */
#ifndef WF_CLUSTER_COMM_THREAD_H
#define WF_CLUSTER_COMM_THREAD_H

#include "transport/transport.h"

typedef struct wf_comm_thread wf_comm_thread;

typedef struct wf_comm_thread_options {
    wf_transport *transport;
    int64_t idle_sleep_ns;        /* longest sleep between polls */
    void (*start)(void *context); /* first thing on the thread, such as binding it; NULL allowed */
    void (*also)(void *context);  /* what else is due every few polls; NULL: nothing */
    void *context;
} wf_comm_thread_options;

/* Owns: *thread is new, and polls from now on. Errors: WEFT_ENOMEM it cannot be started. */
weft_status wf_comm_thread_create(const wf_comm_thread_options *options, wf_comm_thread **thread, weft_error *err);
/* Ends it, which takes idle_sleep_ns at most. NULL is allowed. */
void wf_comm_thread_destroy(wf_comm_thread *thread);

#endif
