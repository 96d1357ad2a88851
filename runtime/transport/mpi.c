/* The MPI transport. Senders only queue; the thread that polls makes all MPI calls, none of which waits.
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
#include "transport/mpi_world.h"

enum {
    FRAME_TAG = 1,
    FIRST_PIECE_TAG = 2,
    PIECE_TAGS = 30000,          /* below the 32767 that every MPI allows */
    POSTED_RECEIVES = 16,
    RECEIVES_PER_POLL = 64       /* then others get their turn */
};
#define PIECE_BYTES ((size_t)1 << 30) /* MPI counts in int */

enum { HAS_CHUNK = 1, BODY_FOLLOWS = 2, CHUNK_FOLLOWS = 4 };

typedef struct frame {
    uint32_t type;
    uint32_t flags;
    uint64_t body_bytes;
    uint64_t chunk_bytes;
    int32_t dtype;
    int32_t dim_count;
    int64_t extents[WEFT_MAX_DIMS];
} frame;

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
    wf_message *message;  /* NULL for a buffer of frames alone */
    void *buffer;
    arrival *arrival;     /* its place in the sequence; NULL: none to keep */
    int pending;          /* requests */
    bool is_dropped;      /* not all of it could be received: nobody is to see it */
} operation;

typedef struct request_list {
    MPI_Request *requests;
    operation **operations;
    int *done;            /* room for what MPI_Testsome finds */
    size_t count, capacity, operation_capacity, done_capacity;
} request_list;

typedef struct mpi_transport {
    wf_transport base;
    MPI_Comm communicator;
    size_t eager_bytes;
    wf_message_queue outgoing;     /* not yet given to MPI */
    /* The rest is the polling thread's. */
    request_list sends, receives;
    uint32_t *pieces_sent, *pieces_received; /* by rank */
    arrival_queue *arrivals;                 /* by rank */
    MPI_Request posted[POSTED_RECEIVES];
    char *posted_buffers;
    int next_posted;               /* the oldest */
} mpi_transport;

static size_t round_up(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static bool failed(mpi_transport *t, int code, const char *call)
{
    weft_error error = WEFT_ERROR_INIT;
    if (wf_mpi_check(code, call, &error) == WEFT_OK) return false;
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

static MPI_Request *add_request(mpi_transport *t, request_list *list, operation *op)
{
    size_t need = list->count + 1;
    if (wf_grow(&list->requests, &list->capacity, need, sizeof *list->requests, NULL) != WEFT_OK ||
        wf_grow(&list->operations, &list->operation_capacity, need, sizeof(operation *), NULL) != WEFT_OK ||
        wf_grow(&list->done, &list->done_capacity, need, sizeof *list->done, NULL) != WEFT_OK) {
        out_of_memory(t);
        return NULL;
    }
    list->requests[list->count] = MPI_REQUEST_NULL;
    list->operations[list->count] = op;
    op->pending++;
    return &list->requests[list->count++];
}

/* Forgets the request added last, which MPI did not take up. */
static void drop_request(request_list *list)
{
    list->operations[--list->count]->pending--;
}

static void free_operation(operation *op)
{
    if (op->message) {
        wf_message_destroy(op->message);
    }
    free(op->buffer);
    free(op);
}

static void compact(request_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->requests[i] == MPI_REQUEST_NULL) continue;
        list->requests[kept] = list->requests[i];
        list->operations[kept++] = list->operations[i];
    }
    list->count = kept;
}

/* Calls `finish` for each operation whose last request is done. */
static bool test_requests(mpi_transport *t, request_list *list, void (*finish)(mpi_transport *, operation *))
{
    int done_count = 0;
    if (list->count == 0) return false;
    int code = MPI_Testsome((int)list->count, list->requests, &done_count, list->done, MPI_STATUSES_IGNORE);
    if (failed(t, code, "MPI_Testsome") || done_count == MPI_UNDEFINED || done_count == 0) return false;
    for (int i = 0; i < done_count; i++) {
        operation *op = list->operations[list->done[i]];
        if (--op->pending == 0) finish(t, op);
    }
    compact(list);
    return true;
}

/* ---- sending ---- */

static void mpi_send(wf_transport *transport, wf_message *message)
{
    wf_message_queue_put(&((mpi_transport *)transport)->outgoing, message);
}

static frame make_frame(const mpi_transport *t, const wf_message *message)
{
    frame f = {.type = message->type, .body_bytes = message->body_bytes};
    size_t bytes = sizeof f + round_up(message->body_bytes);
    if (message->body_bytes > t->eager_bytes || bytes > t->eager_bytes) {
        f.flags |= BODY_FOLLOWS;
        bytes = sizeof f;
    }
    if (!message->chunk) return f;
    f.flags |= HAS_CHUNK;
    f.chunk_bytes = weft_chunk_bytes(message->chunk);
    f.dtype = (int32_t)weft_chunk_dtype(message->chunk);
    f.dim_count = weft_chunk_dim_count(message->chunk);
    for (int d = 0; d < f.dim_count; d++) f.extents[d] = weft_chunk_extent(message->chunk, d);
    if (f.chunk_bytes > t->eager_bytes || bytes + round_up(f.chunk_bytes) > t->eager_bytes) f.flags |= CHUNK_FOLLOWS;
    return f;
}

static size_t frame_bytes(const frame *f)
{
    size_t bytes = sizeof *f;
    if (!(f->flags & BODY_FOLLOWS)) bytes += round_up(f->body_bytes);
    if ((f->flags & HAS_CHUNK) && !(f->flags & CHUNK_FOLLOWS)) bytes += round_up(f->chunk_bytes);
    return bytes;
}

static size_t write_frame(const frame *f, const wf_message *message, char *to)
{
    memcpy(to, f, sizeof *f);
    size_t at = sizeof *f;
    if (!(f->flags & BODY_FOLLOWS) && f->body_bytes) {
        memcpy(to + at, message->body, f->body_bytes);
        at += round_up(f->body_bytes);
    }
    if ((f->flags & HAS_CHUNK) && !(f->flags & CHUNK_FOLLOWS) && f->chunk_bytes)
        memcpy(to + at, weft_chunk_data(message->chunk), f->chunk_bytes);
    return frame_bytes(f);
}

static void finish_send(mpi_transport *t, operation *op)
{
    (void)t;
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
        MPI_Request *request = add_request(t, &t->sends, op);
        if (!request) return;
        int tag = piece_tag(&t->pieces_sent[to]);
        int code = MPI_Isend((const char *)bytes + at, (int)piece, MPI_BYTE, to, tag, t->communicator, request);
        if (failed(t, code, "MPI_Isend")) {
            drop_request(&t->sends);
            return;
        }
    }
}

/* Sends a buffer of frames; it is freed when MPI is done with it. */
static void send_buffer(mpi_transport *t, int to, char *buffer, size_t bytes)
{
    operation *op = calloc(1, sizeof *op);
    MPI_Request *request = op ? add_request(t, &t->sends, op) : NULL;
    if (!request) {
        free(op);
        free(buffer);
        out_of_memory(t);
        return;
    }
    op->buffer = buffer;
    if (!failed(t, MPI_Isend(buffer, (int)bytes, MPI_BYTE, to, FRAME_TAG, t->communicator, request), "MPI_Isend")) return;
    drop_request(&t->sends);
    free_operation(op);
}

/* What follows a frame; its message lives until that has left. */
static void send_rest(mpi_transport *t, const frame *f, wf_message *message)
{
    operation *op = f->flags & (BODY_FOLLOWS | CHUNK_FOLLOWS) ? calloc(1, sizeof *op) : NULL;
    if (op) {
        op->message = message;
        op->pending = 1; /* held here until all pieces are posted */
        if (f->flags & BODY_FOLLOWS) send_pieces(t, op, message->to, message->body, message->body_bytes);
        if (f->flags & CHUNK_FOLLOWS) send_pieces(t, op, message->to, weft_chunk_data(message->chunk), f->chunk_bytes);
        if (--op->pending == 0) free_operation(op);
    } else {
        if (f->flags & (BODY_FOLLOWS | CHUNK_FOLLOWS)) out_of_memory(t);
        wf_message_destroy(message);
    }
}

/* Neighbours in the queue that go to one rank share a buffer. What follows a frame is posted after the buffer with the frame, because the
 * receiver posts its side when it has seen the frame. */
static bool send_queued(mpi_transport *t)
{
    wf_message *next, *first = wf_message_queue_take_all(&t->outgoing);
    bool any = first != NULL;
    while (first) {
        int to = first->to;
        char *buffer = malloc(t->eager_bytes);
        size_t bytes = 0;
        bool has_rest = false;
        if (!buffer) out_of_memory(t);
        for (wf_message *message = first; message && !has_rest; message = next) {
            frame f = make_frame(t, message);
            if (message->to != to || bytes + frame_bytes(&f) > t->eager_bytes) break;
            if (buffer) bytes += write_frame(&f, message, buffer + bytes);
            has_rest = (f.flags & (BODY_FOLLOWS | CHUNK_FOLLOWS)) != 0;
            next = first = message->next;
            if (has_rest && buffer) {
                send_buffer(t, to, buffer, bytes);
                buffer = NULL;
            }
            send_rest(t, &f, message);
        }
        if (buffer) send_buffer(t, to, buffer, bytes);
    }
    return any;
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

static void deliver_arrivals(mpi_transport *t, arrival_queue *queue)
{
    while (queue->first && queue->first->is_here) {
        arrival *first = queue->first;
        queue->first = first->next;
        if (!queue->first) queue->last = NULL;
        wf_transport_deliver(&t->base, first->message);
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
        wf_transport_deliver(&t->base, message);
    }
}

/* False when not all are under way, and the transport is broken. */
static bool receive_pieces(mpi_transport *t, operation *op, int from, void *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += PIECE_BYTES) {
        size_t piece = size - at < PIECE_BYTES ? size - at : PIECE_BYTES;
        MPI_Request *request = add_request(t, &t->receives, op);
        if (!request) return false;
        int tag = piece_tag(&t->pieces_received[from]);
        int code = MPI_Irecv((char *)bytes + at, (int)piece, MPI_BYTE, from, tag, t->communicator, request);
        if (failed(t, code, "MPI_Irecv")) {
            drop_request(&t->receives);
            return false;
        }
    }
    return true;
}

/* Body and chunk in their final place; copied now or received later. */
static wf_message *make_message(mpi_transport *t, const frame *f, int from, const char *rest, weft_error *err)
{
    wf_message *message = calloc(1, sizeof *message);
    if (!message) return NULL;
    *message = (wf_message){.type = f->type, .from = from, .to = t->base.rank, .body_bytes = f->body_bytes};
    if (f->body_bytes && !(message->body = wf_aligned_alloc(1, f->body_bytes, err))) goto fail;
    if ((f->flags & HAS_CHUNK) &&
        wf_chunk_create_arrived(t->base.budget, (weft_dtype)f->dtype, f->dim_count, f->extents, &message->chunk, err) != WEFT_OK)
        goto fail;
    if (!(f->flags & BODY_FOLLOWS) && f->body_bytes) {
        memcpy(message->body, rest, f->body_bytes);
        rest += round_up(f->body_bytes);
    }
    if ((f->flags & HAS_CHUNK) && !(f->flags & CHUNK_FOLLOWS)) memcpy(wf_chunk_elements(message->chunk), rest, f->chunk_bytes);
    return message;
fail:
    wf_message_destroy(message);
    return NULL;
}

/* Posts receives for what follows the frame. Only a message that will be whole gets its place among those that wait; pieces of another may
 * still come, so it is kept until they have. */
static void receive_rest(mpi_transport *t, const frame *f, operation *op)
{
    wf_message *message = op->message;
    arrival *place = op->arrival;
    bool is_whole = !(f->flags & BODY_FOLLOWS) || receive_pieces(t, op, message->from, message->body, f->body_bytes);
    if (is_whole && (f->flags & CHUNK_FOLLOWS))
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

static void take_frame(mpi_transport *t, const frame *f, int from, const char *rest)
{
    weft_error error = WEFT_ERROR_INIT;
    wf_message *message = make_message(t, f, from, rest, &error);
    if (!message) {
        error.rank = t->base.rank;
        if (error.status != WEFT_OK) wf_transport_break(&t->base, &error);
        out_of_memory(t);
        return;
    }
    bool follows = (f->flags & (BODY_FOLLOWS | CHUNK_FOLLOWS)) != 0;
    bool has_place = !(f->flags & HAS_CHUNK) && (follows || t->arrivals[from].first);
    if (!follows && !has_place) {
        wf_transport_deliver(&t->base, message);
        return;
    }
    operation *op = calloc(1, sizeof *op);
    arrival *place = op && has_place ? calloc(1, sizeof *place) : NULL;
    if (!op || (has_place && !place)) {
        free(op);
        wf_message_destroy(message);
        out_of_memory(t);
        return;
    }
    *op = (operation){.message = message, .arrival = place, .pending = 1 /* held here until all pieces are posted */};
    receive_rest(t, f, op);
    if (--op->pending == 0) finish_receive(t, op);
}

static bool frame_is_sound(const frame *f, size_t bytes_left)
{
    if (f->body_bytes > PTRDIFF_MAX || f->chunk_bytes > PTRDIFF_MAX || f->dim_count < 0 || f->dim_count > WEFT_MAX_DIMS) return false;
    size_t bytes = weft_dtype_bytes((weft_dtype)f->dtype);
    for (int d = 0; d < f->dim_count; d++) {
        if (f->extents[d] < 0 || !wf_size_mul(bytes, (size_t)f->extents[d], &bytes)) return false;
    }
    return (!(f->flags & HAS_CHUNK) || bytes == f->chunk_bytes) && frame_bytes(f) <= bytes_left;
}

static void take_buffer(mpi_transport *t, int from, const char *buffer, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        frame f;
        if (bytes - at < sizeof f) break;
        memcpy(&f, buffer + at, sizeof f);
        if (!frame_is_sound(&f, bytes - at)) {
            weft_error error = WEFT_ERROR_INIT;
            weft_fail(&error, WEFT_EDATA, "a damaged message came from rank %d; run the same weft on every rank", from);
            wf_transport_break(&t->base, &error);
            return;
        }
        take_frame(t, &f, from, buffer + at + sizeof f);
        at += frame_bytes(&f);
    }
}

static bool receive_posted(mpi_transport *t)
{
    bool any = false;
    for (int i = 0; i < RECEIVES_PER_POLL; i++) {
        MPI_Status status;
        int is_done = 0, bytes = 0, slot = t->next_posted;
        if (failed(t, MPI_Test(&t->posted[slot], &is_done, &status), "MPI_Test") || !is_done) break;
        MPI_Get_count(&status, MPI_BYTE, &bytes);
        take_buffer(t, status.MPI_SOURCE, t->posted_buffers + (size_t)slot * t->eager_bytes, (size_t)bytes);
        if (failed(t, MPI_Start(&t->posted[slot]), "MPI_Start")) break;
        t->next_posted = (slot + 1) % POSTED_RECEIVES;
        any = true;
    }
    return any;
}

/* ---- the table, and life ---- */

static bool mpi_progress(wf_transport *transport)
{
    mpi_transport *t = (mpi_transport *)transport;
    if (wf_transport_broken(transport)) return false;
    bool any = send_queued(t);
    any |= receive_posted(t);
    any |= test_requests(t, &t->receives, finish_receive);
    any |= test_requests(t, &t->sends, finish_send);
    any |= send_queued(t); /* what handlers answered */
    return any;
}

/* A broken transport moves nothing any more. */
static bool mpi_has_queued(const wf_transport *transport)
{
    return !wf_transport_broken(transport) && !wf_message_queue_is_empty(&((const mpi_transport *)transport)->outgoing);
}

static bool mpi_is_flushed(wf_transport *transport)
{
    mpi_transport *t = (mpi_transport *)transport;
    return wf_message_queue_is_empty(&t->outgoing) && t->sends.count == 0 && t->receives.count == 0;
}

/* MPI may go on reading or writing what it does not let go of at once: such memory is left to it. */
static void free_list(request_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        int is_done = 0;
        MPI_Cancel(&list->requests[i]);
        if (MPI_Test(&list->requests[i], &is_done, MPI_STATUS_IGNORE) != MPI_SUCCESS || !is_done) {
            MPI_Request_free(&list->requests[i]);
            continue; /* pending stays above 0 */
        }
        if (--list->operations[i]->pending == 0) free_operation(list->operations[i]);
    }
    free(list->requests);
    free(list->operations);
    free(list->done);
}

static void free_arrivals(mpi_transport *t)
{
    for (int rank = 0; t->arrivals && rank < t->base.size; rank++) {
        for (arrival *a = t->arrivals[rank].first, *next; a; a = next) {
            next = a->next;
            if (a->is_here) {
                wf_message_destroy(a->message);
            }
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
    free_list(&t->sends);
    free_list(&t->receives);
    free_arrivals(t);
    free(t->pieces_sent);
    free(t->pieces_received);
    free(t->posted_buffers);
    wf_message_queue_fini(&t->outgoing);
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
    return status;
}

weft_status wf_mpi_transport_open(wf_mpi *mpi, wf_budget *budget, size_t eager_bytes, wf_transport **transport, weft_error *err)
{
    static const wf_transport_ops ops = {mpi_send, mpi_progress, mpi_has_queued, mpi_is_flushed, mpi_destroy};
    mpi_transport *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    wf_transport_init(&made->base, &ops, wf_mpi_rank(mpi), wf_mpi_size(mpi), budget);
    wf_message_queue_init(&made->outgoing);
    made->communicator = wf_mpi_communicator(mpi);
    uint64_t agreed = round_up(eager_bytes < 2 * sizeof(frame) ? 2 * sizeof(frame) : eager_bytes);
    weft_status status = wf_mpi_check(MPI_Bcast(&agreed, 1, MPI_UINT64_T, 0, made->communicator), "MPI_Bcast", err);
    made->eager_bytes = agreed;
    made->pieces_sent = wf_calloc((size_t)made->base.size, sizeof *made->pieces_sent, err);
    made->pieces_received = wf_calloc((size_t)made->base.size, sizeof *made->pieces_received, err);
    made->arrivals = wf_calloc((size_t)made->base.size, sizeof *made->arrivals, err);
    if (status == WEFT_OK)
        status = made->pieces_sent && made->pieces_received && made->arrivals ? post_receives(made, err) : WEFT_ENOMEM;
    if (status == WEFT_OK)
        *transport = &made->base;
    else
        mpi_destroy(&made->base);
    return status;
}
