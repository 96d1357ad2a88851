/* What a message costs: the MPI transport beside MPI itself, in turns in one run.
 *
 * usage: scripts/mpirun.sh -n 2 build-ci/bin/bench.transfer [rounds]     -n 3 and more: the other ranks idle as workers do
 * Prints, for chunks of several sizes, the time one way of a ping-pong, best and median of the rounds, and the ratio to MPI_Send and MPI_Recv
 * on memory that stays the same; the receiver of a weft message gets new memory for each chunk, as in a real run. Then what a small message
 * costs each side, in bursts; and a poll that finds nothing.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/chunk.h"
#include "transport/mpi.h"
#include "transport/mpi_world.h"

enum { PING, BURST, LAST_OF_BURST, EXCHANGE, QUIT };
enum { BODY_BYTES = 24, EAGER_BYTES = 4000, MOST_ROUNDS = 200, BURST_MESSAGES = 64, IDLE_NS = 1000000 };

typedef struct bench {
    wf_mpi *mpi;
    wf_budget *budget;
    wf_transport *transport;
    char *raw;             /* a buffer that MPI knows well */
    weft_chunk *arrived;   /* of the last PING */
    int arrived_count;
    int64_t first_ns, last_ns; /* a burst's first and last message */
    int burst_count;
    bool is_over;
} bench;

static void give_up(const weft_error *err)
{
    fprintf(stderr, "bench.transfer: %s\n", err->text);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
}

static void send(bench *b, int to, uint32_t type, weft_chunk *chunk)
{
    weft_error err = WEFT_ERROR_INIT;
    wf_message message = {.type = type, .chunk = chunk};
    if (wf_message_create_body(&message, BODY_BYTES, &err)) memset(message.body, 1, BODY_BYTES);
    if (!message.body || wf_transport_send(b->transport, to, &message, &err) != WEFT_OK) give_up(&err);
}

static weft_chunk *make_chunk(bench *b, size_t bytes)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_chunk *chunk = NULL;
    if (wf_chunk_create(b->budget, WEFT_U8, 1, (int64_t[]){(int64_t)bytes}, &chunk, &err) != WEFT_OK) give_up(&err);
    memset(wf_chunk_elements(chunk), 1, bytes);
    return chunk;
}

static void handle(void *context, wf_message *message, void *poller)
{
    bench *b = context;
    (void)poller;
    switch (message->type) {
    case PING:
        b->arrived = message->chunk;
        message->chunk = NULL;
        b->arrived_count++;
        break;
    case EXCHANGE: b->arrived_count++; break; /* the other may be a step ahead */
    case BURST:
        if (b->burst_count++ == 0) b->first_ns = wf_clock_now_ns();
        break;
    case LAST_OF_BURST:
        b->burst_count++;
        b->last_ns = wf_clock_now_ns();
        b->arrived_count++;
        break;
    default: b->is_over = true;
    }
}

static void wait_for_arrival(bench *b)
{
    do wf_transport_poll(b->transport, NULL);
    while (b->arrived_count == 0);
    b->arrived_count--;
}

/* One way, in ns: half of the mean round trip. Both ranks call. */
static double ping_pong_weft(bench *b, size_t bytes, int count)
{
    int rank = b->transport->rank;
    weft_chunk *chunk = rank == 0 ? make_chunk(b, bytes) : NULL;
    int64_t start = wf_clock_now_ns();
    for (int i = 0; i < count; i++) {
        if (rank == 0) send(b, 1, PING, chunk);
        wait_for_arrival(b);
        chunk = b->arrived;
        if (rank == 1) send(b, 0, PING, chunk);
    }
    int64_t ns = wf_clock_now_ns() - start;
    wf_transport_flush(b->transport, 1000000000);
    if (rank == 0) weft_chunk_release(chunk);
    return (double)ns / (2.0 * count);
}

static double ping_pong_raw(bench *b, size_t bytes, int count)
{
    int rank = b->transport->rank, other = 1 - rank;
    int64_t start = wf_clock_now_ns();
    for (int i = 0; i < count; i++) {
        if (rank == 0) MPI_Send(b->raw, (int)bytes, MPI_BYTE, other, 0, MPI_COMM_WORLD);
        MPI_Recv(b->raw, (int)bytes, MPI_BYTE, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1) MPI_Send(b->raw, (int)bytes, MPI_BYTE, other, 0, MPI_COMM_WORLD);
    }
    return (double)(wf_clock_now_ns() - start) / (2.0 * count);
}

/* Each sends a small chunk and waits for the other's, as two neighbours of a stencil do. ns a step. */
static double exchange_weft(bench *b, size_t bytes, int count)
{
    int64_t start = wf_clock_now_ns();
    for (int i = 0; i < count; i++) {
        send(b, 1 - b->transport->rank, EXCHANGE, make_chunk(b, bytes));
        wait_for_arrival(b);
    }
    return (double)(wf_clock_now_ns() - start) / count;
}

static double exchange_raw(bench *b, size_t bytes, int count)
{
    int other = 1 - b->transport->rank;
    int64_t start = wf_clock_now_ns();
    for (int i = 0; i < count; i++)
        MPI_Sendrecv(b->raw, (int)bytes, MPI_BYTE, other, 0, b->raw + bytes, (int)bytes, MPI_BYTE, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return (double)(wf_clock_now_ns() - start) / count;
}

/* ns a message: what the sender spends on it, polls included, and the receiver from the first of a burst to the last. */
static void burst(bench *b, int count, double *send_ns, double *receive_ns)
{
    int64_t sending = 0, receiving = 0;
    for (int i = 0; i < count; i++) {
        if (b->transport->rank == 0) {
            int64_t start = wf_clock_now_ns();
            for (int m = 1; m < BURST_MESSAGES; m++) send(b, 1, BURST, make_chunk(b, 16));
            send(b, 1, LAST_OF_BURST, NULL);
            wf_transport_poll(b->transport, NULL);
            sending += wf_clock_now_ns() - start;
            wait_for_arrival(b);
        } else {
            b->burst_count = 0;
            wait_for_arrival(b);
            receiving += b->last_ns - b->first_ns;
            send(b, 0, LAST_OF_BURST, NULL);
            wf_transport_poll(b->transport, NULL);
        }
    }
    if (b->transport->rank == 0)
        MPI_Recv(&receiving, 1, MPI_INT64_T, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    else
        MPI_Send(&receiving, 1, MPI_INT64_T, 0, 0, MPI_COMM_WORLD);
    *send_ns = (double)sending / (count * (double)BURST_MESSAGES);
    *receive_ns = (double)receiving / (count * (double)(BURST_MESSAGES - 1));
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_row(const char *what, double *weft, double *raw, int rounds)
{
    qsort(weft, (size_t)rounds, sizeof *weft, compare_doubles);
    qsort(raw, (size_t)rounds, sizeof *raw, compare_doubles);
    double weft_median = weft[rounds / 2] * 1e-3, raw_median = raw[rounds / 2] * 1e-3;
    printf("%-14s %10.2f %10.2f %10.2f %10.2f %8.2f\n", what, raw[0] * 1e-3, raw_median, weft[0] * 1e-3, weft_median,
           raw_median / weft_median);
}

static void measure_sizes(bench *b, int rounds)
{
    static const struct { size_t bytes; int count; const char *name; } sizes[] = {
        {16, 1000, "16 B"}, {1024, 1000, "1 KiB"}, {65536, 100, "64 KiB"},
        {1 << 20, 20, "1 MiB"}, {8 << 20, 4, "8 MiB"}, {64 << 20, 4, "64 MiB"}};
    double weft[MOST_ROUNDS], raw[MOST_ROUNDS];
    if (b->transport->rank == 0) printf("one way, us     MPI best     median  weft best     median    ratio\n");
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int r = -1; r < rounds; r++) { /* the first does not count */
            double raw_ns = ping_pong_raw(b, sizes[s].bytes, sizes[s].count), weft_ns = ping_pong_weft(b, sizes[s].bytes, sizes[s].count);
            if (r < 0) continue;
            raw[r] = raw_ns;
            weft[r] = weft_ns;
        }
        if (b->transport->rank == 0) print_row(sizes[s].name, weft, raw, rounds);
    }
    for (int r = 0; r < rounds; r++) {
        raw[r] = exchange_raw(b, 16, 1000);
        weft[r] = exchange_weft(b, 16, 1000);
    }
    if (b->transport->rank == 0) print_row("exchange 16 B", weft, raw, rounds);
}

static void measure_bursts(bench *b, int rounds)
{
    double sending[MOST_ROUNDS], receiving[MOST_ROUNDS];
    for (int r = 0; r < rounds; r++) burst(b, 100, &sending[r], &receiving[r]);
    int64_t start = wf_clock_now_ns();
    for (int i = 0; i < 100000; i++) wf_transport_poll(b->transport, NULL);
    double poll_ns = (double)(wf_clock_now_ns() - start) / 100000;
    if (b->transport->rank != 0) return;
    qsort(sending, (size_t)rounds, sizeof *sending, compare_doubles);
    qsort(receiving, (size_t)rounds, sizeof *receiving, compare_doubles);
    printf("bursts of %d messages of 16 B, ns a message: sender least %.0f, median %.0f; receiver least %.0f, median %.0f\n", BURST_MESSAGES,
           sending[0], sending[rounds / 2], receiving[0], receiving[rounds / 2]);
    printf("a poll that finds nothing: %.0f ns\n", poll_ns);
}

/* A rank with nothing to do. */
static void idle(bench *b)
{
    const struct timespec pause = {0, IDLE_NS};
    while (!b->is_over) {
        if (!wf_transport_poll(b->transport, NULL)) nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    bench b = {0};
    weft_error err = WEFT_ERROR_INIT;
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 15;
    if (wf_mpi_open(NULL, &b.mpi, &err) != WEFT_OK || wf_budget_create(0, &b.budget, &err) != WEFT_OK ||
        wf_mpi_transport_open(b.mpi, b.budget, EAGER_BYTES, &b.transport, &err) != WEFT_OK)
        give_up(&err);
    wf_transport_set_handler(b.transport, handle, &b);
    if (b.transport->size < 2 || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "bench.transfer: needs 2 ranks, and 1 to %d rounds\n", MOST_ROUNDS);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    if (b.transport->rank < 2) {
        b.raw = wf_aligned_alloc(1, (size_t)64 << 20, &err);
        if (!b.raw) give_up(&err);
        memset(b.raw, 0, (size_t)64 << 20);
        measure_sizes(&b, rounds);
        measure_bursts(&b, rounds);
        for (int other = 2; b.transport->rank == 0 && other < b.transport->size; other++) send(&b, other, QUIT, NULL);
        free(b.raw);
    } else {
        idle(&b);
    }
    wf_transport_flush(b.transport, 1000000000);
    wf_transport_destroy(b.transport);
    wf_budget_release(b.budget);
    wf_mpi_close(b.mpi);
    return 0;
}
