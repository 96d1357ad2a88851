/* What all transports share: the queue of messages to the own rank, and the rule that one thread polls at a time.
 *
 * Invariant (no message is left behind): whoever queues a message, to its own rank or another, counts it before it tries to become the
 * poller; the poller looks at those counts once more after it ceased to be, and polls again when there is one. Both are sequentially
 * consistent: either the sender becomes the poller, or whoever turned it away sees its message.
 */
#include "transport/transport.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

/* Of the break error: whoever moves it from WHOLE to BREAKING writes the error, which nobody reads before it is BROKEN. */
enum { WHOLE, BREAKING, BROKEN };

void wf_transport_init(wf_transport *transport, const wf_transport_ops *ops, int rank, int size, wf_budget *budget)
{
    transport->ops = ops;
    transport->rank = rank;
    transport->size = size;
    transport->budget = budget;
    wf_budget_retain(budget);
    wf_message_queue_init(&transport->own);
}

void wf_transport_fini(wf_transport *transport)
{
    wf_message_queue_fini(&transport->own);
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

weft_status wf_transport_send(wf_transport *transport, int to, wf_message *message, weft_error *err)
{
    weft_status status = WEFT_OK;
    const weft_error *broken = wf_transport_broken(transport);
    message->from = transport->rank;
    message->to = to;
    if (broken && to != transport->rank) {
        if (err) *err = *broken;
        status = broken->status;
    } else if (to < 0 || to >= transport->size) {
        status = weft_fail(err, WEFT_EINVAL, "a message to rank %d of %d", to, transport->size);
    } else if (to == transport->rank) {
        status = wf_message_queue_put(&transport->own, message, err);
    } else {
        size_t bytes = message->body_bytes + (message->chunk ? weft_chunk_bytes(message->chunk) : 0);
        atomic_fetch_add_explicit(&transport->bytes_sent, bytes, memory_order_relaxed);
        status = transport->ops->send(transport, message, err);
    }
    if (status != WEFT_OK) wf_message_fini(message);
    return status;
}

void wf_transport_deliver(wf_transport *transport, wf_message *message)
{
    transport->handler(transport->context, message, transport->poller);
    wf_message_fini(message);
}

static bool deliver_own(wf_transport *transport)
{
    bool any = false;
    for (wf_message *message, *next; (message = wf_message_queue_take_all(&transport->own)); any = true) {
        for (; message; message = next) {
            next = message->next;
            wf_transport_deliver(transport, message);
            free(message);
        }
    }
    return any;
}

static bool has_queued(const wf_transport *transport)
{
    return !wf_message_queue_is_empty(&transport->own) || transport->ops->has_queued(transport);
}

bool wf_transport_poll(wf_transport *transport, void *poller)
{
    bool happened = false;
    do {
        if (atomic_exchange(&transport->polling, true)) return happened;
        transport->poller = poller;
        if (deliver_own(transport)) happened = true;
        if (transport->ops->progress(transport)) happened = true;
        atomic_store(&transport->polling, false);
    } while (has_queued(transport));
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
            if (has_queued(transport)) { /* its sender may just have been turned away */
                flushed = false;
                wf_transport_poll(transport, NULL);
            }
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
