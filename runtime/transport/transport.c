/* What all transports share: the queue of messages to the own rank, and the rule that one thread polls at a time.
 *
 * Invariant (no message is left behind): whoever queues a message to its own rank counts it before it tries to become the poller; the
 * poller looks at that count once more after it ceased to be. Both are sequentially consistent.
 */
#include "transport/transport.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

/* Of the break error: whoever moves it from WHOLE to BREAKING writes the error, which nobody reads before it is BROKEN. */
enum { WHOLE, BREAKING, BROKEN };

void wf_message_fini(wf_message *message)
{
    free(message->body);
    weft_chunk_release(message->chunk);
    *message = (wf_message){0};
}

wf_message *wf_message_move(wf_message *message)
{
    wf_message *moved = malloc(sizeof *moved);
    if (!moved) return NULL;
    *moved = *message;
    moved->next = NULL;
    *message = (wf_message){0};
    return moved;
}

void wf_transport_init(wf_transport *transport, const wf_transport_ops *ops, int rank, int size, wf_budget *budget)
{
    transport->ops = ops;
    transport->rank = rank;
    transport->size = size;
    transport->budget = budget;
    wf_budget_retain(budget);
    pthread_mutex_init(&transport->own_lock, NULL);
}

void wf_transport_fini(wf_transport *transport)
{
    while (transport->own_first) {
        wf_message *next = transport->own_first->next;
        wf_message_fini(transport->own_first);
        free(transport->own_first);
        transport->own_first = next;
    }
    pthread_mutex_destroy(&transport->own_lock);
    wf_budget_release(transport->budget);
}

void wf_transport_set_handler(wf_transport *transport, wf_message_handler *handler, void *context)
{
    transport->handler = handler;
    transport->context = context;
}

void wf_transport_break(wf_transport *transport, const weft_error *error)
{
    int whole = WHOLE;
    if (!atomic_compare_exchange_strong(&transport->break_state, &whole, BREAKING)) return;
    transport->break_error = *error;
    atomic_store(&transport->break_state, BROKEN);
}

const weft_error *wf_transport_broken(const wf_transport *transport)
{
    return atomic_load(&transport->break_state) == BROKEN ? &transport->break_error : NULL;
}

static weft_status send_own(wf_transport *transport, wf_message *message, weft_error *err)
{
    message->from = transport->rank;
    wf_message *queued = wf_message_move(message);
    if (!queued) return weft_fail(err, WEFT_ENOMEM, "no memory for a message");
    pthread_mutex_lock(&transport->own_lock);
    if (transport->own_last)
        transport->own_last->next = queued;
    else
        transport->own_first = queued;
    transport->own_last = queued;
    atomic_fetch_add(&transport->own_count, 1);
    pthread_mutex_unlock(&transport->own_lock);
    return WEFT_OK;
}

weft_status wf_transport_send(wf_transport *transport, int to, wf_message *message, weft_error *err)
{
    weft_status status;
    const weft_error *broken = wf_transport_broken(transport);
    if (to == transport->rank) {
        status = send_own(transport, message, err);
    } else if (broken) {
        if (err) *err = *broken;
        status = broken->status;
    } else if (to < 0 || to >= transport->size) {
        status = weft_fail(err, WEFT_EINVAL, "a message to rank %d of %d", to, transport->size);
    } else {
        size_t bytes = message->body_bytes + (message->chunk ? weft_chunk_bytes(message->chunk) : 0);
        atomic_fetch_add_explicit(&transport->bytes_sent, bytes, memory_order_relaxed);
        status = transport->ops->send(transport, to, message, err);
    }
    wf_message_fini(message);
    return status;
}

void wf_transport_deliver(wf_transport *transport, wf_message *message)
{
    transport->handler(transport->context, message, transport->poller);
    wf_message_fini(message);
    free(message);
}

static wf_message *take_own(wf_transport *transport)
{
    if (atomic_load(&transport->own_count) == 0) return NULL;
    pthread_mutex_lock(&transport->own_lock);
    wf_message *first = transport->own_first;
    if (first) {
        transport->own_first = first->next;
        if (!transport->own_first) transport->own_last = NULL;
        atomic_fetch_sub(&transport->own_count, 1);
    }
    pthread_mutex_unlock(&transport->own_lock);
    return first;
}

bool wf_transport_poll(wf_transport *transport, void *poller)
{
    bool happened = false;
    do {
        if (atomic_exchange(&transport->polling, true)) return happened;
        transport->poller = poller;
        for (wf_message *message; (message = take_own(transport));) {
            wf_transport_deliver(transport, message);
            happened = true;
        }
        if (transport->ops->progress(transport)) happened = true;
        atomic_store(&transport->polling, false);
    } while (atomic_load(&transport->own_count) > 0);
    return happened;
}

bool wf_transport_flush(wf_transport *transport, int64_t timeout_ns)
{
    int64_t until_ns = wf_clock_now_ns() + timeout_ns;
    const struct timespec pause = {0, 50000};
    for (;;) {
        wf_transport_poll(transport, NULL);
        if (!atomic_exchange(&transport->polling, true)) {
            bool flushed = transport->ops->is_flushed(transport);
            atomic_store(&transport->polling, false);
            if (flushed) return true;
        }
        if (wf_clock_now_ns() > until_ns || wf_transport_broken(transport)) return false;
        nanosleep(&pause, NULL);
    }
}

void wf_transport_destroy(wf_transport *transport)
{
    if (transport) transport->ops->destroy(transport);
}

uint64_t wf_transport_bytes_sent(const wf_transport *transport)
{
    return atomic_load_explicit(&transport->bytes_sent, memory_order_relaxed);
}
