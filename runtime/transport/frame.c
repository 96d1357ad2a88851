/* Frames. Owns nothing. Invariant: a frame that was read describes sizes that fit into memory, and lies within the bytes given. */
#include "transport/frame.h"

#include <string.h>

#include "base/memory.h"

static size_t round_up(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static size_t head_bytes(const wf_frame *frame)
{
    return offsetof(wf_frame, extents) + frame->dim_count * sizeof frame->extents[0];
}

wf_frame wf_frame_of(const wf_message *message, size_t buffer_bytes)
{
    wf_frame f;
    f.type = message->type;
    f.flags = f.dtype = f.dim_count = f.reserved = 0;
    f.body_bytes = message->body_bytes;
    f.chunk_bytes = 0;
    if (message->chunk) {
        f.flags = WF_FRAME_HAS_CHUNK;
        f.chunk_bytes = weft_chunk_bytes(message->chunk);
        f.dtype = (uint8_t)weft_chunk_dtype(message->chunk);
        f.dim_count = (uint8_t)weft_chunk_dim_count(message->chunk);
        for (int d = 0; d < f.dim_count; d++) f.extents[d] = weft_chunk_extent(message->chunk, d);
    }
    size_t left = buffer_bytes - head_bytes(&f);
    if (f.body_bytes > left || round_up(f.body_bytes) > left)
        f.flags |= WF_FRAME_BODY_FOLLOWS;
    else
        left -= round_up(f.body_bytes);
    if (f.chunk_bytes > left || round_up(f.chunk_bytes) > left) f.flags |= WF_FRAME_CHUNK_FOLLOWS;
    return f;
}

static size_t body_bytes_inside(const wf_frame *frame)
{
    return frame->flags & WF_FRAME_BODY_FOLLOWS ? 0 : round_up(frame->body_bytes);
}

static size_t chunk_bytes_inside(const wf_frame *frame)
{
    return frame->flags & WF_FRAME_CHUNK_FOLLOWS ? 0 : round_up(frame->chunk_bytes);
}

size_t wf_frame_bytes(const wf_frame *frame)
{
    return head_bytes(frame) + body_bytes_inside(frame) + chunk_bytes_inside(frame);
}

const char *wf_frame_body(const wf_frame *frame, const char *at)
{
    return at + head_bytes(frame);
}

const char *wf_frame_chunk(const wf_frame *frame, const char *at)
{
    return at + head_bytes(frame) + body_bytes_inside(frame);
}

void wf_frame_write(const wf_frame *frame, const wf_message *message, char *to)
{
    size_t head = head_bytes(frame), body = body_bytes_inside(frame);
    memcpy(to, frame, head);
    if (body) memcpy(to + head, message->body, frame->body_bytes);
    if (chunk_bytes_inside(frame)) memcpy(to + head + body, weft_chunk_data(message->chunk), frame->chunk_bytes);
}

bool wf_frame_read(const char *from, size_t bytes, wf_frame *frame)
{
    const size_t least = offsetof(wf_frame, extents);
    if (bytes < least) return false;
    memcpy(frame, from, least);
    frame->chunk_bytes = 0;
    if (frame->dim_count > WEFT_MAX_DIMS || bytes < head_bytes(frame) || frame->body_bytes > PTRDIFF_MAX) return false;
    memcpy(frame->extents, from + least, head_bytes(frame) - least);
    if (frame->flags & WF_FRAME_HAS_CHUNK) {
        size_t chunk_bytes = weft_dtype_bytes((weft_dtype)frame->dtype);
        if (chunk_bytes == 0) return false;
        for (int d = 0; d < frame->dim_count; d++) {
            if (frame->extents[d] < 0 || !wf_size_mul(chunk_bytes, (size_t)frame->extents[d], &chunk_bytes)) return false;
        }
        if (chunk_bytes > PTRDIFF_MAX) return false;
        frame->chunk_bytes = chunk_bytes;
    } else if (frame->flags & WF_FRAME_CHUNK_FOLLOWS) {
        return false;
    }
    size_t left = bytes - head_bytes(frame);
    if (body_bytes_inside(frame) > left) return false;
    return chunk_bytes_inside(frame) <= left - body_bytes_inside(frame);
}
