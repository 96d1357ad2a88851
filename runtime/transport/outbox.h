/* What waits to be sent: buffers of frames, each to one rank, in the order in which they are to leave. A message is written into the last
 * buffer to its rank while that has room, so a small one costs no allocation and small ones to one rank leave together.
 */
#ifndef WF_TRANSPORT_OUTBOX_H
#define WF_TRANSPORT_OUTBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "transport/message_queue.h"
#include <weft/status.h>

typedef struct wf_outbox_buffer {
    struct wf_outbox_buffer *next;
    int to;
    size_t bytes;        /* of frames */
    unsigned rest_flags; /* WF_FRAME_*: what of rest follows the last frame */
    wf_message *rest;    /* from malloc; NULL: nothing follows */
    _Alignas(WF_ALIGNMENT_BYTES) char frames[];
} wf_outbox_buffer;

typedef struct wf_outbox {
    pthread_mutex_t lock;
    size_t buffer_bytes;
    wf_outbox_buffer *first, *last; /* under lock */
    wf_outbox_buffer **open;        /* by rank: the last buffer to it, when it has room; under lock */
    wf_outbox_buffer *spare;        /* under lock */
    wf_outbox_buffer *returned;     /* the poller's */
    size_t made_count;              /* buffers that exist; under lock */
    atomic_size_t count;            /* buffers that wait; changes under lock, looked at without */
} wf_outbox;

/* buffer_bytes is the room for frames in a buffer. */
weft_status wf_outbox_init(wf_outbox *outbox, int rank_count, size_t buffer_bytes, weft_error *err);
/* Drops what waits. Buffers that were taken and not returned are the caller's to free(). A zeroed outbox is allowed. */
void wf_outbox_fini(wf_outbox *outbox);

/* Takes the message, and leaves *message empty, to rank message->to. Errors: WEFT_ENOMEM, the message is as it was. Any thread. */
weft_status wf_outbox_put(wf_outbox *outbox, wf_message *message, weft_error *err);

/* Sequentially consistent with put and take_all. Any thread. */
bool wf_outbox_is_empty(const wf_outbox *outbox);

/* All that waits, joined by `next`; NULL when nothing does. One thread at a time, as with wf_outbox_return. */
wf_outbox_buffer *wf_outbox_take_all(wf_outbox *outbox);

/* Gives back a buffer that has left; its rest is the caller's. */
void wf_outbox_return(wf_outbox *outbox, wf_outbox_buffer *buffer);

#endif
