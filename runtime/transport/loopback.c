#include "transport/loopback.h"

#include <stdlib.h>

#include "base/memory.h"

typedef struct inbox {
    pthread_mutex_t lock;
    wf_message *first, *last;
    atomic_size_t count;
} inbox;

struct wf_loopback {
    int size;
    inbox *inboxes;
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
    for (int i = 0; i < size; i++) pthread_mutex_init(&made->inboxes[i].lock, NULL);
    *loopback = made;
    return WEFT_OK;
}

void wf_loopback_destroy(wf_loopback *loopback)
{
    if (!loopback) return;
    for (int i = 0; i < loopback->size; i++) {
        inbox *box = &loopback->inboxes[i];
        while (box->first) {
            wf_message *next = box->first->next;
            wf_message_fini(box->first);
            free(box->first);
            box->first = next;
        }
        pthread_mutex_destroy(&box->lock);
    }
    free(loopback->inboxes);
    free(loopback);
}

static weft_status loopback_send(wf_transport *transport, int to, wf_message *message, weft_error *err)
{
    inbox *box = &((loopback_transport *)transport)->shared->inboxes[to];
    message->from = transport->rank;
    wf_message *queued = wf_message_move(message);
    if (!queued) return weft_fail(err, WEFT_ENOMEM, "no memory for a message");
    pthread_mutex_lock(&box->lock);
    if (box->last)
        box->last->next = queued;
    else
        box->first = queued;
    box->last = queued;
    atomic_fetch_add(&box->count, 1);
    pthread_mutex_unlock(&box->lock);
    return WEFT_OK;
}

static bool loopback_progress(wf_transport *transport)
{
    inbox *box = &((loopback_transport *)transport)->shared->inboxes[transport->rank];
    if (atomic_load(&box->count) == 0) return false;
    pthread_mutex_lock(&box->lock);
    wf_message *message = box->first;
    box->first = box->last = NULL;
    atomic_store(&box->count, 0);
    pthread_mutex_unlock(&box->lock);
    bool any = message != NULL;
    while (message) {
        wf_message *next = message->next;
        wf_transport_deliver(transport, message);
        message = next;
    }
    return any;
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
    static const wf_transport_ops ops = {loopback_send, loopback_progress, loopback_is_flushed, loopback_close};
    loopback_transport *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    wf_transport_init(&made->base, &ops, rank, loopback->size, budget);
    made->shared = loopback;
    *transport = &made->base;
    return WEFT_OK;
}
