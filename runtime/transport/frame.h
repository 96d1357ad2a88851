/* A frame: how a message lies in a buffer that travels between ranks. Pure functions; any thread.
 *
 * A head (the first wf_frame_head_bytes of wf_frame), the body, the chunk's elements; each begins on a multiple of 8 bytes, in native byte
 * order. A body or chunk that does not fit into a buffer follows the frame on its own.
 */
#ifndef WF_TRANSPORT_FRAME_H
#define WF_TRANSPORT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/message_queue.h"

enum { WF_FRAME_HAS_CHUNK = 1, WF_FRAME_BODY_FOLLOWS = 2, WF_FRAME_CHUNK_FOLLOWS = 4 };
enum { WF_FRAME_FOLLOWS = WF_FRAME_BODY_FOLLOWS | WF_FRAME_CHUNK_FOLLOWS };

typedef struct wf_frame {
    uint32_t type;
    uint8_t flags;
    uint8_t dtype;
    uint8_t dim_count;
    uint8_t reserved;
    uint64_t body_bytes;
    int64_t extents[WEFT_MAX_DIMS]; /* dim_count of them travel */
    size_t chunk_bytes;             /* does not travel: it follows from dtype and extents */
} wf_frame;

/* For a buffer of buffer_bytes, at least sizeof(wf_frame). */
wf_frame wf_frame_of(const wf_message *message, size_t buffer_bytes);

/* What it takes of a buffer; a multiple of 8. */
size_t wf_frame_bytes(const wf_frame *frame);

/* The message's frame to where wf_frame_bytes are free. */
void wf_frame_write(const wf_frame *frame, const wf_message *message, char *to);

/* False when `bytes` bytes at `from` do not begin with a sound frame. */
bool wf_frame_read(const char *from, size_t bytes, wf_frame *frame);

/* Where body and chunk lie in a frame at `at`, when they do not follow. */
const char *wf_frame_body(const wf_frame *frame, const char *at);
const char *wf_frame_chunk(const wf_frame *frame, const char *at);

#endif
