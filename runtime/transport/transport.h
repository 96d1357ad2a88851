/* Transport: messages between the ranks of a session. One small function table per way, one file each.
 *
 * A message is a type, a body of bytes, and at most one chunk, which goes straight into its place on the other side. Messages without a
 * chunk from one rank to another arrive in the order they were sent, whatever their size; one with a chunk may overtake and be overtaken.
 *
 * Nothing here blocks: a send queues, a poll moves what can move and hands arrived messages to the handler. Messages to the own rank
 * pass through a queue, too, so a handler never runs inside a send.
 *
 * Threads: send and poll from any thread. At most one thread is inside a poll; another one returns at once, having left its messages
 * with the first.
 */
#ifndef WF_TRANSPORT_TRANSPORT_H
#define WF_TRANSPORT_TRANSPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/budget.h"
#include "transport/message_queue.h"
#include <weft/status.h>

typedef struct wf_transport wf_transport;

/* An arrived message: the handler takes the chunk out, or a body of more than WF_INLINE_BODY_BYTES (sets them NULL), or leaves them to be
 * freed after. `poller` is what the polling thread passed in. */
typedef void wf_message_handler(void *context, wf_message *message, void *poller);

typedef struct wf_transport_ops {
    /* Queues a message to another rank, message->to, and leaves *message empty; or fails with WEFT_ENOMEM, and leaves it as it was. Any
     * thread. */
    weft_status (*send)(wf_transport *transport, wf_message *message, weft_error *err);
    /* Moves messages and calls wf_transport_deliver for each that arrived. One thread at a time. True when something moved. */
    bool (*progress)(wf_transport *transport);
    /* True when a message that was sent waits for the next progress, and that would move it. Any thread. */
    bool (*has_queued)(const wf_transport *transport);
    /* True when nothing sent is still on its way out of this rank, and nothing that began to arrive is incomplete. One thread at a time. */
    bool (*is_flushed)(wf_transport *transport);
    void (*destroy)(wf_transport *transport);
} wf_transport_ops;

/* The part that all transports share; each embeds it as its first member. */
struct wf_transport {
    const wf_transport_ops *ops;
    int rank;
    int size;
    wf_budget *budget;           /* arriving chunks are charged to it */
    wf_message_handler *handler;
    void *context;
    void *poller;                /* of the thread inside poll */
    atomic_bool polling;
    wf_message_queue own;        /* messages to the own rank */
    _Atomic uint64_t bytes_sent; /* bodies and chunks to other ranks */
    atomic_int break_state;      /* publishes the first failure of the transport itself; transport.c says how */
    weft_error break_error;
};

/* Sends; takes the message's body and chunk in every case (and leaves *message empty).
 * Errors: WEFT_ENOMEM; WEFT_EINVAL no such rank; WEFT_ELOST the transport broke. */
weft_status wf_transport_send(wf_transport *transport, int to, wf_message *message, weft_error *err);

/* True when something happened. */
bool wf_transport_poll(wf_transport *transport, void *poller);

/* Where arrived messages go; set before the first poll. */
void wf_transport_set_handler(wf_transport *transport, wf_message_handler *handler, void *context);

/* Polls until all that was sent has left this rank, and all that began to arrive is here, at most timeout_ns. False on timeout. */
bool wf_transport_flush(wf_transport *transport, int64_t timeout_ns);

/* NULL is allowed. Nobody may be inside a call. */
void wf_transport_destroy(wf_transport *transport);

uint64_t wf_transport_bytes_sent(const wf_transport *transport);

/* The first failure of the transport itself, which stays as it is from then on; NULL: it is not broken. Any thread. */
const weft_error *wf_transport_broken(const wf_transport *transport);

/* For the transports themselves. */
void wf_transport_init(wf_transport *transport, const wf_transport_ops *ops, int rank, int size, wf_budget *budget);
void wf_transport_fini(wf_transport *transport);
void wf_transport_deliver(wf_transport *transport, wf_message *message); /* leaves it empty */
void wf_transport_break(wf_transport *transport, const weft_error *error); /* needs no memory; the first of several counts */

#endif
