/* The MPI transport of a single rank that sends to itself through MPI, with an MPI that can be told to fail. */
#include "transport/mpi.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "transport/mpi_world.h"
#include "weft_test.h"

enum { EAGER_BYTES = 256, LARGE_BYTES = 100000, MOST_POLLS = 1000 };

static bool receives_fail; /* what stands before MPI's own function has no context */

int MPI_Irecv(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm communicator, MPI_Request *request)
{
    if (receives_fail) return MPI_ERR_OTHER;
    return PMPI_Irecv(buffer, count, type, source, tag, communicator, request);
}

typedef struct inbox_log {
    int count;
    uint32_t types[8];
    bool is_wrong;
} inbox_log;

static void log_message(void *context, wf_message *message, void *poller)
{
    inbox_log *log = context;
    (void)poller;
    const unsigned char *bytes = message->chunk ? weft_chunk_data(message->chunk) : message->body;
    size_t size = message->chunk ? weft_chunk_bytes(message->chunk) : message->body_bytes;
    for (size_t i = 0; i < size; i++) log->is_wrong |= bytes[i] != message->type;
    if (log->count < 8) log->types[log->count] = message->type;
    log->count++;
}

/* Past wf_transport_send, which keeps messages to the own rank away from MPI. */
static void send_to_self(wf_transport *transport, wf_message *message)
{
    if (transport->ops->send(transport, message, NULL) != WEFT_OK) abort();
    CU_ASSERT_PTR_NULL(message->body);
    CU_ASSERT_PTR_NULL(message->chunk);
}

/* Every byte of a message is its type. */
static void send_body(wf_transport *transport, uint32_t type, size_t bytes)
{
    wf_message message = {.type = type};
    if (!wf_message_create_body(&message, bytes, NULL)) abort();
    memset(message.body, (int)type, bytes);
    send_to_self(transport, &message);
}

static void send_chunk(wf_transport *transport, wf_budget *budget, uint32_t type)
{
    weft_chunk *chunk;
    CU_ASSERT_EQUAL_FATAL(wf_chunk_create(budget, WEFT_U8, 1, (int64_t[]){LARGE_BYTES}, &chunk, NULL), WEFT_OK);
    memset(wf_chunk_elements(chunk), (int)type, LARGE_BYTES);
    send_to_self(transport, &(wf_message){.type = type, .chunk = chunk});
}

static void poll_until(wf_transport *transport, const inbox_log *log, int count)
{
    for (int i = 0; i < MOST_POLLS && log->count < count && !wf_transport_broken(transport); i++) wf_transport_poll(transport, NULL);
}

static wf_mpi *mpi; /* MPI starts once in a process */

/* Takes up the piece that the transport refused, as MPI keeps hold of what nobody receives. */
static void receive_large(void)
{
    static char piece[LARGE_BYTES];
    CU_ASSERT_EQUAL(MPI_Recv(piece, LARGE_BYTES, MPI_BYTE, 0, MPI_ANY_TAG, wf_mpi_communicator(mpi), MPI_STATUS_IGNORE), MPI_SUCCESS);
}

static wf_transport *open_transport(inbox_log *log, wf_budget **budget)
{
    wf_transport *transport;
    *log = (inbox_log){0};
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_mpi_transport_open(mpi, *budget, EAGER_BYTES, &transport, NULL), WEFT_OK);
    wf_transport_set_handler(transport, log_message, log);
    return transport;
}

static void close_transport(wf_transport *transport, wf_budget *budget)
{
    wf_transport_destroy(transport);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    wf_budget_release(budget);
}

static void small_and_large_messages_arrive_whole_and_in_order(void)
{
    inbox_log log;
    wf_budget *budget;
    wf_transport *transport = open_transport(&log, &budget);
    send_body(transport, 1, 8);
    send_body(transport, 2, LARGE_BYTES);
    send_body(transport, 3, 8);
    poll_until(transport, &log, 3);
    CU_ASSERT_EQUAL(log.count, 3);
    for (uint32_t i = 0; i < 3; i++) CU_ASSERT_EQUAL(log.types[i], i + 1);
    send_chunk(transport, budget, 4);
    poll_until(transport, &log, 4);
    CU_ASSERT_EQUAL(log.count, 4);
    CU_ASSERT_FALSE(log.is_wrong);
    CU_ASSERT(wf_transport_flush(transport, 1000000000));
    close_transport(transport, budget);
}

/* What lies before it in the same buffer arrives. */
static void a_body_that_cannot_be_received_is_dropped(void)
{
    inbox_log log;
    wf_budget *budget;
    wf_transport *transport = open_transport(&log, &budget);
    receives_fail = true;
    send_body(transport, 2, 8);
    send_body(transport, 1, LARGE_BYTES);
    poll_until(transport, &log, 2);
    receives_fail = false;
    receive_large();
    const weft_error *broken = wf_transport_broken(transport);
    CU_ASSERT_PTR_NOT_NULL_FATAL(broken);
    CU_ASSERT_EQUAL(broken->status, WEFT_ELOST);
    CU_ASSERT_EQUAL(log.count, 1);
    CU_ASSERT_EQUAL(log.types[0], 2);
    CU_ASSERT_FALSE(log.is_wrong);
    close_transport(transport, budget);
}

static void a_chunk_that_cannot_be_received_is_dropped(void)
{
    inbox_log log;
    wf_budget *budget;
    wf_transport *transport = open_transport(&log, &budget);
    receives_fail = true;
    send_chunk(transport, budget, 1);
    poll_until(transport, &log, 1);
    receives_fail = false;
    receive_large();
    CU_ASSERT_PTR_NOT_NULL(wf_transport_broken(transport));
    CU_ASSERT_EQUAL(log.count, 0);
    close_transport(transport, budget);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(small_and_large_messages_arrive_whole_and_in_order),
        WEFT_TEST(a_body_that_cannot_be_received_is_dropped),
        WEFT_TEST(a_chunk_that_cannot_be_received_is_dropped),
    };
    weft_error err = WEFT_ERROR_INIT;
    if (wf_mpi_open(NULL, &mpi, &err) != WEFT_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int failed = weft_test_run("transport/mpi", cases, WEFT_COUNT_OF(cases));
    wf_mpi_close(mpi);
    return failed;
}
