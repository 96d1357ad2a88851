/* Owns the messages that are put until they are taken. Invariant: outside the lock, count is the length of the list, so an empty queue is
 * seen without the lock. Any thread. */
#include "transport/message_queue.h"

#include <stdlib.h>

void wf_message_fini(wf_message *message)
{
    free(message->body);
    weft_chunk_release(message->chunk);
    *message = (wf_message){0};
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

void wf_message_queue_put(wf_message_queue *queue, wf_message *message)
{
    message->next = NULL;
    pthread_mutex_lock(&queue->lock);
    if (queue->last)
        queue->last->next = message;
    else
        queue->first = message;
    queue->last = message;
    atomic_fetch_add(&queue->count, 1);
    pthread_mutex_unlock(&queue->lock);
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
