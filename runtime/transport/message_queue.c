/* Owns the messages that are put until they are taken. Invariant: outside the lock, count is the length of the list, so an empty queue is
 * seen without the lock. Any thread. */
#include "transport/message_queue.h"

#include <stdlib.h>
#include <string.h>

void *wf_message_create_body(wf_message *message, size_t bytes, weft_error *err)
{
    message->body = bytes <= WF_INLINE_BODY_BYTES ? message->inline_body : wf_aligned_alloc(1, bytes, err);
    message->body_bytes = bytes;
    return message->body;
}

static bool has_inline_body(const wf_message *message)
{
    return message->body == message->inline_body;
}

/* Bytes of an inline body that are not in use are not worth the time to move or clear them. */
static void clear(wf_message *message)
{
    message->type = 0;
    message->from = message->to = 0;
    message->body = NULL;
    message->body_bytes = 0;
    message->chunk = NULL;
    message->next = NULL;
}

void wf_message_move(wf_message *to, wf_message *from)
{
    to->type = from->type;
    to->from = from->from;
    to->to = from->to;
    to->body = from->body;
    to->body_bytes = from->body_bytes;
    to->chunk = from->chunk;
    to->next = NULL;
    if (has_inline_body(from)) {
        memcpy(to->inline_body, from->inline_body, from->body_bytes);
        to->body = to->inline_body;
    }
    clear(from);
}

void wf_message_fini(wf_message *message)
{
    if (!has_inline_body(message)) free(message->body);
    weft_chunk_release(message->chunk);
    clear(message);
}

void wf_message_destroy(wf_message *message)
{
    wf_message_fini(message);
    free(message);
}

void wf_message_queue_init(wf_message_queue *queue)
{
    pthread_mutex_init(&queue->lock, NULL);
    queue->first = queue->last = NULL;
    atomic_init(&queue->count, 0);
}

void wf_message_queue_fini(wf_message_queue *queue)
{
    for (wf_message *message = queue->first, *next; message; message = next) {
        next = message->next;
        wf_message_destroy(message);
    }
    pthread_mutex_destroy(&queue->lock);
}

weft_status wf_message_queue_put(wf_message_queue *queue, wf_message *message, weft_error *err)
{
    wf_message *queued = malloc(sizeof *queued);
    if (!queued) return weft_fail(err, WEFT_ENOMEM, "no memory for a message");
    wf_message_move(queued, message);
    pthread_mutex_lock(&queue->lock);
    if (queue->last)
        queue->last->next = queued;
    else
        queue->first = queued;
    queue->last = queued;
    atomic_fetch_add(&queue->count, 1);
    pthread_mutex_unlock(&queue->lock);
    return WEFT_OK;
}

wf_message *wf_message_queue_take_all(wf_message_queue *queue)
{
    if (wf_message_queue_is_empty(queue)) return NULL;
    pthread_mutex_lock(&queue->lock);
    wf_message *first = queue->first;
    queue->first = queue->last = NULL;
    atomic_store(&queue->count, 0);
    pthread_mutex_unlock(&queue->lock);
    return first;
}

bool wf_message_queue_is_empty(const wf_message_queue *queue)
{
    return atomic_load(&queue->count) == 0;
}
