/* A message, and messages that wait in the order they were put. */
#ifndef WF_TRANSPORT_MESSAGE_QUEUE_H
#define WF_TRANSPORT_MESSAGE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "store/chunk.h"

enum { WF_INLINE_BODY_BYTES = 64 };

typedef struct wf_message {
    uint32_t type;
    int32_t from, to;        /* ranks; filled by the transport */
    void *body;              /* 16-byte aligned: inline_body, or from wf_aligned_alloc; NULL when empty */
    size_t body_bytes;
    weft_chunk *chunk;       /* one reference; NULL: none */
    struct wf_message *next; /* the queue's */
    _Alignas(16) char inline_body[WF_INLINE_BODY_BYTES]; /* a body up to this size needs no allocation */
} wf_message;

/* Room for a body of `bytes` bytes, not initialised: inline where it fits, so the message must not be copied as a struct.
 * Owns: the message has it. NULL with err filled: no memory. */
void *wf_message_create_body(wf_message *message, size_t bytes, weft_error *err);

/* *from becomes *to, and is empty afterwards. */
void wf_message_move(wf_message *to, wf_message *from);

/* Frees a message's body and drops its chunk. */
void wf_message_fini(wf_message *message);

/* Frees a message from malloc, and what it holds. */
void wf_message_destroy(wf_message *message);

typedef struct wf_message_queue {
    pthread_mutex_t lock;
    wf_message *first, *last; /* under lock */
    atomic_size_t count;      /* changes under lock; looked at without */
} wf_message_queue;

void wf_message_queue_init(wf_message_queue *queue);
/* Destroys what nobody took. Nobody may be inside a call. */
void wf_message_queue_fini(wf_message_queue *queue);

/* Takes the message, and leaves *message empty. Errors: WEFT_ENOMEM, the message is as it was. Threads: any, all of these. */
weft_status wf_message_queue_put(wf_message_queue *queue, wf_message *message, weft_error *err);

/* Owns: all that is in the queue is the caller's, each from malloc, joined by `next` in the order it was put; NULL when there was nothing. */
wf_message *wf_message_queue_take_all(wf_message_queue *queue);

/* Sequentially consistent with put and take_all, so that it can be part of an argument about who takes a message. */
bool wf_message_queue_is_empty(const wf_message_queue *queue);

#endif
