/* The outbox. Owns what waits, and buffers for reuse. Invariant: outside the lock, count is the number of buffers in the list, so an empty
 * outbox is seen without the lock; a buffer in `open` is in the list, and nothing follows its last frame. Senders on any thread, one
 * thread at a time that takes and returns. */
#include "transport/outbox.h"

#include <stdlib.h>

#include "base/memory.h"
#include "transport/frame.h"

enum { MOST_SPARE_BYTES = 1 << 20, LEAST_SPARE_COUNT = 4 };

weft_status wf_outbox_init(wf_outbox *outbox, int rank_count, size_t buffer_bytes, weft_error *err)
{
    *outbox = (wf_outbox){.buffer_bytes = buffer_bytes};
    outbox->open = wf_calloc((size_t)rank_count, sizeof(wf_outbox_buffer *), err);
    if (!outbox->open) return WEFT_ENOMEM;
    pthread_mutex_init(&outbox->lock, NULL);
    return WEFT_OK;
}

static void free_buffers(wf_outbox_buffer *buffer)
{
    for (wf_outbox_buffer *next; buffer; buffer = next) {
        next = buffer->next;
        if (buffer->rest) wf_message_destroy(buffer->rest);
        free(buffer);
    }
}

void wf_outbox_fini(wf_outbox *outbox)
{
    if (!outbox->open) return;
    free_buffers(outbox->first);
    free_buffers(outbox->spare);
    free_buffers(outbox->returned);
    free(outbox->open);
    pthread_mutex_destroy(&outbox->lock);
    *outbox = (wf_outbox){0};
}

/* With the lock held. */
static wf_outbox_buffer *add_buffer(wf_outbox *outbox, int to, weft_error *err)
{
    wf_outbox_buffer *buffer = outbox->spare;
    if (buffer) {
        outbox->spare = buffer->next;
    } else {
        buffer = wf_aligned_alloc(1, sizeof *buffer + outbox->buffer_bytes, err);
        if (!buffer) return NULL;
        outbox->made_count++;
    }
    buffer->next = NULL;
    buffer->to = to;
    buffer->bytes = 0;
    buffer->rest_flags = 0;
    buffer->rest = NULL;
    if (outbox->first)
        outbox->last->next = buffer;
    else
        outbox->first = buffer;
    outbox->last = buffer;
    outbox->open[to] = buffer;
    atomic_fetch_add(&outbox->count, 1);
    return buffer;
}

weft_status wf_outbox_put(wf_outbox *outbox, wf_message *message, weft_error *err)
{
    wf_frame frame = wf_frame_of(message, outbox->buffer_bytes);
    size_t bytes = wf_frame_bytes(&frame);
    bool follows = frame.flags & WF_FRAME_FOLLOWS;
    wf_message *rest = follows ? malloc(sizeof *rest) : NULL;
    if (follows && !rest) return weft_fail(err, WEFT_ENOMEM, "no memory for a message");
    pthread_mutex_lock(&outbox->lock);
    wf_outbox_buffer *buffer = outbox->open[message->to];
    if (!buffer || buffer->bytes + bytes > outbox->buffer_bytes) buffer = add_buffer(outbox, message->to, err);
    if (buffer) {
        wf_frame_write(&frame, message, buffer->frames + buffer->bytes);
        buffer->bytes += bytes;
        if (follows) {
            wf_message_move(rest, message);
            buffer->rest = rest;
            buffer->rest_flags = frame.flags;
            outbox->open[buffer->to] = NULL;
        }
    }
    pthread_mutex_unlock(&outbox->lock);
    if (!buffer)
        free(rest);
    else if (!follows)
        wf_message_fini(message);
    return buffer ? WEFT_OK : WEFT_ENOMEM;
}

bool wf_outbox_is_empty(const wf_outbox *outbox)
{
    return atomic_load(&outbox->count) == 0;
}

/* With the lock held: what has left is there for new messages, as far as it is worth its memory. */
static wf_outbox_buffer *sort_returned(wf_outbox *outbox)
{
    size_t most = MOST_SPARE_BYTES / outbox->buffer_bytes;
    wf_outbox_buffer *surplus = NULL;
    if (most < LEAST_SPARE_COUNT) most = LEAST_SPARE_COUNT;
    for (wf_outbox_buffer *buffer = outbox->returned, *next; buffer; buffer = next) {
        bool is_surplus = outbox->made_count > most;
        wf_outbox_buffer **list = is_surplus ? &surplus : &outbox->spare;
        next = buffer->next;
        buffer->next = *list;
        *list = buffer;
        outbox->made_count -= is_surplus;
    }
    outbox->returned = NULL;
    return surplus;
}

wf_outbox_buffer *wf_outbox_take_all(wf_outbox *outbox)
{
    if (wf_outbox_is_empty(outbox)) return NULL;
    pthread_mutex_lock(&outbox->lock);
    wf_outbox_buffer *first = outbox->first, *surplus = sort_returned(outbox);
    for (wf_outbox_buffer *buffer = first; buffer; buffer = buffer->next) outbox->open[buffer->to] = NULL;
    outbox->first = outbox->last = NULL;
    atomic_store(&outbox->count, 0);
    pthread_mutex_unlock(&outbox->lock);
    free_buffers(surplus);
    return first;
}

void wf_outbox_return(wf_outbox *outbox, wf_outbox_buffer *buffer)
{
    buffer->rest = NULL;
    buffer->next = outbox->returned;
    outbox->returned = buffer;
}
