/* The MPI transport. Senders only write into the outbox; the thread that polls makes all MPI calls, none of which waits.
 *
 * Invariants: frames from one rank arrive in the order sent, because MPI does not let messages of one pair and tag overtake each other
 * and receives are taken up in the order they were posted. Pieces that follow frames are numbered per pair of ranks, the same on both
 * sides, and their number is their tag. A message without a chunk whose body follows holds back those without a chunk that come after it.
 */
#include "transport/mpi.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "transport/frame.h"
#include "transport/mpi_requests.h"
#include "transport/mpi_world.h"
#include "transport/outbox.h"

enum {
    FRAME_TAG = 1,
    FIRST_PIECE_TAG = 2,
    PIECE_TAGS = 30000,          /* below the 32767 that every MPI allows */
    POSTED_RECEIVES = 16,
    MOST_TAKEN = 64,             /* in one poll; then others get their turn */
    LOOKS_FOR_BULK = 32          /* in one poll, that find nothing done */
};
#define PIECE_BYTES ((size_t)1 << 30) /* MPI counts in int */

/* A message without a chunk that is on its way, or is here and waits for one before it. */
typedef struct arrival {
    struct arrival *next;
    wf_message *message;  /* the operation's until it is here */
    bool is_here;
} arrival;

typedef struct arrival_queue {
    arrival *first, *last;
} arrival_queue;

/* What must live until one or more requests are done. */
typedef struct operation {
    wf_message *message;       /* NULL for a buffer of frames alone */
    wf_outbox_buffer *buffer;  /* NULL for what follows one */
    arrival *arrival;          /* its place in the sequence; NULL: none to keep */
    int pending;               /* requests */
    bool is_receive;
    bool is_dropped;           /* not all of it could be received: nobody is to see it */
} operation;

typedef struct mpi_transport {
    wf_transport base;
    MPI_Comm communicator;
    size_t eager_bytes;
    wf_outbox outbox;              /* not yet given to MPI */
    /* The rest is the polling thread's. */
    wf_mpi_requests requests;      /* the first is the oldest posted receive of frames; the others are owned by operations */
    uint32_t *pieces_sent, *pieces_received; /* by rank */
    arrival_queue *arrivals;                 /* by rank */
    MPI_Request posted[POSTED_RECEIVES];
    char *posted_buffers;
    int next_posted;               /* the oldest */
    int take_limit;                /* of times that a poll takes what is done */
} mpi_transport;

static bool failed(mpi_transport *t, int code, const char *call)
{
    weft_error error = WEFT_ERROR_INIT;
    if (code == MPI_SUCCESS) return false;
    wf_mpi_check(code, call, &error);
    error.rank = t->base.rank;
    wf_transport_break(&t->base, &error);
    return true;
}

static void out_of_memory(mpi_transport *t)
{
    weft_error error = WEFT_ERROR_INIT;
    weft_fail(&error, WEFT_ENOMEM, "no memory for a message between ranks; use smaller chunks or more ranks");
    error.rank = t->base.rank;
    wf_transport_break(&t->base, &error);
}

/* ---- requests ---- */

static MPI_Request *add_request(mpi_transport *t, operation *op)
{
    MPI_Request *request = wf_mpi_requests_add(&t->requests, op);
    if (request)
        op->pending++;
    else
        out_of_memory(t);
    return request;
}

/* Forgets the request added last, which MPI did not take up. */
static void drop_request(mpi_transport *t, operation *op)
{
    wf_mpi_requests_drop_last(&t->requests);
    op->pending--;
}

static void free_operation(operation *op)
{
    if (op->message) wf_message_destroy(op->message);
    free(op);
}

/* ---- sending ---- */

static weft_status mpi_send(wf_transport *transport, wf_message *message, weft_error *err)
{
    return wf_outbox_put(&((mpi_transport *)transport)->outbox, message, err);
}

static void finish_send(mpi_transport *t, operation *op)
{
    if (op->buffer) wf_outbox_return(&t->outbox, op->buffer);
    free_operation(op);
}

static int piece_tag(uint32_t *counter)
{
    return FIRST_PIECE_TAG + (int)((*counter)++ % PIECE_TAGS);
}

static void send_pieces(mpi_transport *t, operation *op, int to, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += PIECE_BYTES) {
        size_t piece = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
        MPI_Request *request = add_request(t, op);
        if (!request) return;
        int tag = piece_tag(&t->pieces_sent[to]);
        int code = MPI_Isend((const char *)bytes + at, (int)piece, MPI_BYTE, to, tag, t->communicator, request);
        if (failed(t, code, "MPI_Isend")) {
            drop_request(t, op);
            return;
        }
    }
}

/* Sends a buffer of frames, but not what follows them. */
static void send_frames(mpi_transport *t, wf_outbox_buffer *buffer)
{
    MPI_Request request;
    int is_done = 0;
    if (failed(t, MPI_Isend(buffer->frames, (int)buffer->bytes, MPI_BYTE, buffer->to, FRAME_TAG, t->communicator, &request), "MPI_Isend") ||
        failed(t, MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "MPI_Test") || is_done) {
        wf_outbox_return(&t->outbox, buffer);
        return;
    }
    operation *op = calloc(1, sizeof *op);
    MPI_Request *place = op ? add_request(t, op) : NULL;
    if (place) {
        op->buffer = buffer;
        *place = request;
        return;
    }
    /* MPI goes on reading the buffer, so it is left to it. */
    free(op);
    out_of_memory(t);
}

/* What follows a frame; its message lives until that has left. */
static void send_rest(mpi_transport *t, unsigned flags, wf_message *message)
{
    operation *op = calloc(1, sizeof *op);
    if (!op) {
        wf_message_destroy(message);
        out_of_memory(t);
        return;
    }
    op->message = message;
    op->pending = 1; /* held here until all pieces are posted */
    if (flags & WF_FRAME_BODY_FOLLOWS) send_pieces(t, op, message->to, message->body, message->body_bytes);
    if (flags & WF_FRAME_CHUNK_FOLLOWS)
        send_pieces(t, op, message->to, weft_chunk_data(message->chunk), weft_chunk_bytes(message->chunk));
    if (--op->pending == 0) free_operation(op);
}

/* What follows a frame is posted after the buffer with the frame, because the receiver posts its side when it has seen the frame. */
static bool send_queued(mpi_transport *t)
{
    wf_outbox_buffer *first = wf_outbox_take_all(&t->outbox);
    for (wf_outbox_buffer *buffer = first, *next; buffer; buffer = next) {
        wf_message *rest = buffer->rest;
        unsigned flags = buffer->rest_flags;
        next = buffer->next;
        send_frames(t, buffer);
        if (rest) send_rest(t, flags, rest);
    }
    return first != NULL;
}

/* ---- receiving ---- */

static void add_arrival(arrival_queue *queue, arrival *place)
{
    if (queue->last)
        queue->last->next = place;
    else
        queue->first = place;
    queue->last = place;
}

static void deliver_and_free(mpi_transport *t, wf_message *message)
{
    wf_transport_deliver(&t->base, message);
    free(message);
}

static void deliver_arrivals(mpi_transport *t, arrival_queue *queue)
{
    while (queue->first && queue->first->is_here) {
        arrival *first = queue->first;
        queue->first = first->next;
        if (!queue->first) queue->last = NULL;
        deliver_and_free(t, first->message);
        free(first);
    }
}

static void finish_receive(mpi_transport *t, operation *op)
{
    if (op->is_dropped) {
        free_operation(op);
        return;
    }
    wf_message *message = op->message;
    arrival *place = op->arrival;
    op->message = NULL;
    free_operation(op);
    if (place) {
        place->is_here = true;
        deliver_arrivals(t, &t->arrivals[message->from]);
    } else {
        deliver_and_free(t, message);
    }
}

/* False when not all are under way, and the transport is broken. */
static bool receive_pieces(mpi_transport *t, operation *op, int from, void *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += PIECE_BYTES) {
        size_t piece = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
        MPI_Request *request = add_request(t, op);
        if (!request) return false;
        int tag = piece_tag(&t->pieces_received[from]);
        int code = MPI_Irecv((char *)bytes + at, (int)piece, MPI_BYTE, from, tag, t->communicator, request);
        if (failed(t, code, "MPI_Irecv")) {
            drop_request(t, op);
            return false;
        }
    }
    return true;
}

/* Body and chunk in their final place; copied now or received later. `at` is where the frame lies. On failure the message is empty. */
static weft_status fill_message(mpi_transport *t, const wf_frame *f, int from, const char *at, wf_message *message, weft_error *err)
{
    weft_status status = WEFT_OK;
    message->type = f->type;
    message->from = from;
    message->to = t->base.rank;
    message->body = NULL;
    message->body_bytes = 0;
    message->chunk = NULL;
    message->next = NULL;
    if (f->body_bytes && !wf_message_create_body(message, f->body_bytes, err)) status = WEFT_ENOMEM;
    if (status == WEFT_OK && (f->flags & WF_FRAME_HAS_CHUNK))
        status = wf_chunk_create_arrived(t->base.budget, (weft_dtype)f->dtype, f->dim_count, f->extents, &message->chunk, err);
    if (status != WEFT_OK) {
        wf_message_fini(message);
        return status;
    }
    if (f->body_bytes && !(f->flags & WF_FRAME_BODY_FOLLOWS)) memcpy(message->body, wf_frame_body(f, at), f->body_bytes);
    if (f->chunk_bytes && !(f->flags & WF_FRAME_CHUNK_FOLLOWS))
        memcpy(wf_chunk_elements(message->chunk), wf_frame_chunk(f, at), f->chunk_bytes);
    return WEFT_OK;
}

/* Posts receives for what follows the frame. Only a message that will be whole gets its place among those that wait; pieces of another may
 * still come, so it is kept until they have. */
static void receive_rest(mpi_transport *t, const wf_frame *f, operation *op)
{
    wf_message *message = op->message;
    arrival *place = op->arrival;
    bool is_whole = !(f->flags & WF_FRAME_BODY_FOLLOWS) || receive_pieces(t, op, message->from, message->body, f->body_bytes);
    if (is_whole && (f->flags & WF_FRAME_CHUNK_FOLLOWS))
        is_whole = receive_pieces(t, op, message->from, wf_chunk_elements(message->chunk), f->chunk_bytes);
    if (is_whole && place) {
        place->message = message;
        add_arrival(&t->arrivals[message->from], place);
    } else if (!is_whole) {
        free(place);
        op->arrival = NULL;
        op->is_dropped = true;
    }
}

/* A message that must wait, for what follows it or for one before it: takes what *message has. */
static void keep_message(mpi_transport *t, const wf_frame *f, wf_message *message, bool has_place)
{
    operation *op = calloc(1, sizeof *op);
    wf_message *kept = malloc(sizeof *kept);
    arrival *place = has_place ? calloc(1, sizeof *place) : NULL;
    if (!op || !kept || (has_place && !place)) {
        free(op);
        free(kept);
        free(place);
        wf_message_fini(message);
        out_of_memory(t);
        return;
    }
    wf_message_move(kept, message);
    *op = (operation){.message = kept, .arrival = place, .is_receive = true, .pending = 1 /* held here until all pieces are posted */};
    receive_rest(t, f, op);
    if (--op->pending == 0) finish_receive(t, op);
}

static void take_frame(mpi_transport *t, const wf_frame *f, int from, const char *at)
{
    weft_error error = WEFT_ERROR_INIT;
    wf_message message;
    if (fill_message(t, f, from, at, &message, &error) != WEFT_OK) {
        error.rank = t->base.rank;
        wf_transport_break(&t->base, &error);
        return;
    }
    bool follows = (f->flags & WF_FRAME_FOLLOWS) != 0;
    bool has_place = !(f->flags & WF_FRAME_HAS_CHUNK) && (follows || t->arrivals[from].first);
    if (follows || has_place)
        keep_message(t, f, &message, has_place);
    else
        wf_transport_deliver(&t->base, &message);
}

static void take_buffer(mpi_transport *t, int from, const char *buffer, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        wf_frame f;
        if (!wf_frame_read(buffer + at, bytes - at, &f)) {
            weft_error error = WEFT_ERROR_INIT;
            weft_fail(&error, WEFT_EDATA, "a damaged message came from rank %d; run the same weft on every rank", from);
            wf_transport_break(&t->base, &error);
            return;
        }
        take_frame(t, &f, from, buffer + at);
        at += wf_frame_bytes(&f);
    }
}

/* Takes what came into the oldest posted receive, and posts it again as the newest. */
static void take_posted(mpi_transport *t, const MPI_Status *status)
{
    int bytes = 0, slot = t->next_posted;
    MPI_Get_count(status, MPI_BYTE, &bytes);
    take_buffer(t, status->MPI_SOURCE, t->posted_buffers + (size_t)slot * t->eager_bytes, (size_t)bytes);
    if (failed(t, MPI_Start(&t->posted[slot]), "MPI_Start")) return;
    t->next_posted = (slot + 1) % POSTED_RECEIVES;
    t->requests.requests[0] = t->posted[t->next_posted];
}

static void finish_one_request(mpi_transport *t, operation *op)
{
    if (--op->pending > 0) return;
    if (op->is_receive)
        finish_receive(t, op);
    else
        finish_send(t, op);
}

/* What a message sets off may add to the list, never take away from it. Frames come last: the memory of what has left can then take what
 * they announce. */
static bool take_done(mpi_transport *t)
{
    int count = 0;
    if (failed(t, wf_mpi_requests_test(&t->requests, &count), "MPI_Test")) return false;
    bool has_frames = false;
    MPI_Status posted;
    for (int i = 0; i < count; i++) {
        int index = t->requests.done[i];
        if (index) {
            finish_one_request(t, t->requests.owners[index]);
        } else {
            has_frames = true;
            posted = t->requests.statuses[i];
        }
    }
    if (count > has_frames) wf_mpi_requests_compact(&t->requests);
    if (has_frames) take_posted(t, &posted);
    return count > 0;
}

/* ---- the table, and life ---- */

/* Whether something is under way beside the receives of frames. */
static bool has_bulk(const mpi_transport *t)
{
    return t->requests.count > 1;
}

/* MPI moves bulk by a few pieces of 32 KiB each time it is asked, so it is asked often. What came is not followed by another look, which
 * would only delay the tasks that it sets off; but when each poll finds something, the next takes up more. */
static bool mpi_progress(wf_transport *transport)
{
    mpi_transport *t = (mpi_transport *)transport;
    if (wf_transport_broken(transport)) return false;
    bool any = send_queued(t);
    int taken = 0;
    for (int vain_looks = 0; taken < t->take_limit && vain_looks < (has_bulk(t) ? LOOKS_FOR_BULK : 1);) {
        if (!take_done(t)) {
            vain_looks++;
            continue;
        }
        taken++;
        vain_looks = 0;
        send_queued(t); /* what handlers answered */
    }
    if (taken < t->take_limit)
        t->take_limit = 1;
    else if (t->take_limit < MOST_TAKEN)
        t->take_limit *= 2;
    return any || taken > 0;
}

/* A broken transport moves nothing any more. */
static bool mpi_has_queued(const wf_transport *transport)
{
    return !wf_transport_broken(transport) && !wf_outbox_is_empty(&((const mpi_transport *)transport)->outbox);
}

static bool mpi_is_flushed(wf_transport *transport)
{
    mpi_transport *t = (mpi_transport *)transport;
    return wf_outbox_is_empty(&t->outbox) && !has_bulk(t);
}

/* MPI may go on reading or writing what it does not let go of at once: such memory is left to it. */
static void free_requests(wf_mpi_requests *list)
{
    for (size_t i = 1; i < list->count; i++) {
        operation *op = list->owners[i];
        int is_done = 0;
        MPI_Cancel(&list->requests[i]);
        if (MPI_Test(&list->requests[i], &is_done, MPI_STATUS_IGNORE) != MPI_SUCCESS || !is_done) {
            MPI_Request_free(&list->requests[i]);
            continue; /* pending stays above 0 */
        }
        if (--op->pending > 0) continue;
        free(op->buffer);
        free_operation(op);
    }
    wf_mpi_requests_fini(list);
}

static void free_arrivals(mpi_transport *t)
{
    for (int rank = 0; t->arrivals && rank < t->base.size; rank++) {
        for (arrival *a = t->arrivals[rank].first, *next; a; a = next) {
            next = a->next;
            if (a->is_here) wf_message_destroy(a->message);
            free(a);
        }
    }
    free(t->arrivals);
}

static void mpi_destroy(wf_transport *transport)
{
    mpi_transport *t = (mpi_transport *)transport;
    for (int i = 0; t->posted_buffers && i < POSTED_RECEIVES; i++) {
        if (t->posted[i] == MPI_REQUEST_NULL) continue;
        MPI_Cancel(&t->posted[i]);
        MPI_Wait(&t->posted[i], MPI_STATUS_IGNORE);
        MPI_Request_free(&t->posted[i]);
    }
    free_requests(&t->requests);
    free_arrivals(t);
    free(t->pieces_sent);
    free(t->pieces_received);
    free(t->posted_buffers);
    wf_outbox_fini(&t->outbox);
    wf_transport_fini(&t->base);
    free(t);
}

static weft_status post_receives(mpi_transport *t, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < POSTED_RECEIVES; i++) t->posted[i] = MPI_REQUEST_NULL;
    t->posted_buffers = wf_aligned_alloc(POSTED_RECEIVES, t->eager_bytes, err);
    if (!t->posted_buffers) return WEFT_ENOMEM;
    for (int i = 0; i < POSTED_RECEIVES && status == WEFT_OK; i++) {
        status = wf_mpi_check(MPI_Recv_init(t->posted_buffers + (size_t)i * t->eager_bytes, (int)t->eager_bytes, MPI_BYTE, MPI_ANY_SOURCE,
                                            FRAME_TAG, t->communicator, &t->posted[i]), "MPI_Recv_init", err);
        if (status == WEFT_OK) status = wf_mpi_check(MPI_Start(&t->posted[i]), "MPI_Start", err);
    }
    if (status != WEFT_OK) return status;
    MPI_Request *oldest = wf_mpi_requests_add(&t->requests, NULL);
    if (!oldest) return weft_fail(err, WEFT_ENOMEM, "no memory for messages between ranks");
    *oldest = t->posted[0];
    return WEFT_OK;
}

weft_status wf_mpi_transport_open(wf_mpi *mpi, wf_budget *budget, size_t eager_bytes, wf_transport **transport, weft_error *err)
{
    static const wf_transport_ops ops = {mpi_send, mpi_progress, mpi_has_queued, mpi_is_flushed, mpi_destroy};
    mpi_transport *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    wf_transport_init(&made->base, &ops, wf_mpi_rank(mpi), wf_mpi_size(mpi), budget);
    made->communicator = wf_mpi_communicator(mpi);
    uint64_t agreed = eager_bytes < 2 * sizeof(wf_frame) ? 2 * sizeof(wf_frame) : (eager_bytes + 7) & ~(size_t)7;
    weft_status status = wf_mpi_check(MPI_Bcast(&agreed, 1, MPI_UINT64_T, 0, made->communicator), "MPI_Bcast", err);
    made->eager_bytes = agreed;
    made->take_limit = 1;
    made->pieces_sent = wf_calloc((size_t)made->base.size, sizeof *made->pieces_sent, err);
    made->pieces_received = wf_calloc((size_t)made->base.size, sizeof *made->pieces_received, err);
    made->arrivals = wf_calloc((size_t)made->base.size, sizeof *made->arrivals, err);
    if (status == WEFT_OK) status = made->pieces_sent && made->pieces_received && made->arrivals ? WEFT_OK : WEFT_ENOMEM;
    if (status == WEFT_OK) status = wf_outbox_init(&made->outbox, made->base.size, made->eager_bytes, err);
    if (status == WEFT_OK) status = post_receives(made, err);
    if (status == WEFT_OK)
        *transport = &made->base;
    else
        mpi_destroy(&made->base);
    return status;
}
