/* Owns the messages that are in an inbox. Invariant: a message to another rank is put into that rank's inbox within the send, by the
 * sender's thread, so nothing is ever on its way; the receiver's polling thread takes the inbox as a whole and delivers in its order. */
#include "transport/loopback.h"

#include <stdlib.h>

#include "base/memory.h"

struct wf_loopback {
    int size;
    wf_message_queue *inboxes; /* by rank */
};

typedef struct loopback_transport {
    wf_transport base;
    wf_loopback *shared;
} loopback_transport;

weft_status wf_loopback_create(int size, wf_loopback **loopback, weft_error *err)
{
    wf_loopback *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->size = size;
    made->inboxes = wf_calloc((size_t)size, sizeof *made->inboxes, err);
    if (!made->inboxes) {
        free(made);
        return WEFT_ENOMEM;
    }
    for (int i = 0; i < size; i++) wf_message_queue_init(&made->inboxes[i]);
    *loopback = made;
    return WEFT_OK;
}

void wf_loopback_destroy(wf_loopback *loopback)
{
    if (!loopback) return;
    for (int i = 0; i < loopback->size; i++) wf_message_queue_fini(&loopback->inboxes[i]);
    free(loopback->inboxes);
    free(loopback);
}

static weft_status loopback_send(wf_transport *transport, wf_message *message, weft_error *err)
{
    return wf_message_queue_put(&((loopback_transport *)transport)->shared->inboxes[message->to], message, err);
}

static bool loopback_progress(wf_transport *transport)
{
    wf_message *message = wf_message_queue_take_all(&((loopback_transport *)transport)->shared->inboxes[transport->rank]);
    bool any = message != NULL;
    for (wf_message *next; message; message = next) {
        next = message->next;
        wf_transport_deliver(transport, message);
        free(message);
    }
    return any;
}

static bool loopback_has_queued(const wf_transport *transport)
{
    (void)transport;
    return false;
}

static bool loopback_is_flushed(wf_transport *transport)
{
    (void)transport;
    return true; /* a sent message is in the other's inbox at once */
}

static void loopback_close(wf_transport *transport)
{
    wf_transport_fini(transport);
    free(transport);
}

weft_status wf_loopback_open(wf_loopback *loopback, int rank, wf_budget *budget, wf_transport **transport, weft_error *err)
{
    static const wf_transport_ops ops = {loopback_send, loopback_progress, loopback_has_queued, loopback_is_flushed, loopback_close};
    loopback_transport *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    wf_transport_init(&made->base, &ops, rank, loopback->size, budget);
    made->shared = loopback;
    *transport = &made->base;
    return WEFT_OK;
}
