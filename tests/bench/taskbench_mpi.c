/* weft-taskbench by hand, in plain MPI: the limit that weft is measured against.
 *
 * usage: scripts/mpirun.sh -n RANKS build/bin/bench.taskbench_mpi [weft-taskbench's options]
 *
 * Each rank, one process per core, has a block of columns. A step is a message for every edge that leaves the block (Irecv, Isend,
 * Waitall), then the tasks of the step. Outputs lie in two rows that take turns, so that tasks of one rank hand them on without copying.
 */
#include <stdio.h>
#include <stdlib.h>

#include <mpi.h>

#include "cli/main.h"
#include "taskbench/point.h"
#include "taskbench/report.h"

/* One graph on one rank. */
typedef struct lane {
    const bench_graph *graph;
    MPI_Comm comm;             /* of its own, so that tags need not tell graphs apart */
    int64_t width_per_rank;    /* of all ranks but the last ones */
    int64_t begin, end;        /* its columns */
    bench_point *points;       /* the tasks of a step, by column */
    char *rows[2];             /* outputs of its columns at even and odd steps */
    char *received;            /* what came for this step, in the order of tasks and their inputs */
    size_t received_room;
    uint64_t digest_sum;       /* of all tasks it has run */
} lane;

typedef struct ranks {
    int rank, count;
    MPI_Request *requests;
    size_t request_count, request_room;
    char *scratch;
    MPI_Comm comms[BENCH_MAX_GRAPHS];
} ranks;

/* MPI's own errors end the program by themselves; so does what is found here. */
static void fail(const char *text)
{
    fprintf(stderr, "bench.taskbench_mpi: %s\n", text);
    MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

static void *room_for(void *memory, size_t bytes)
{
    void *grown = realloc(memory, bytes);
    if (!grown) fail("no memory");
    return grown;
}

static int64_t first_column(const bench_graph *graph, int rank, int count)
{
    return graph->pattern.width * rank / count;
}

static int owner_of(const bench_graph *graph, int64_t column, int count)
{
    return (int)(((column + 1) * count - 1) / graph->pattern.width);
}

static MPI_Request *next_request(ranks *r)
{
    if (r->request_count == r->request_room) {
        r->request_room = 2 * r->request_room + 64;
        r->requests = room_for(r->requests, r->request_room * sizeof *r->requests);
    }
    return &r->requests[r->request_count++];
}

/* ---- one step ---- */

static char *output_of(const lane *l, int64_t step, int64_t column)
{
    return l->rows[step & 1] + (size_t)(column - l->begin) * (size_t)l->graph->output_bytes;
}

static bool is_foreign(const lane *l, int64_t column)
{
    return column < l->begin || column >= l->end;
}

static int tag_of(const lane *l, int64_t from, int64_t to)
{
    return (int)(from % l->width_per_rank * l->width_per_rank + to % l->width_per_rank);
}

static bench_interval own_columns(const lane *l, int64_t step)
{
    bench_interval columns = bench_pattern_columns(&l->graph->pattern, step);
    if (columns.begin < l->begin) columns.begin = l->begin;
    if (columns.end > l->end) columns.end = l->end;
    return columns;
}

/* Begins the tasks of a step; returns how many of their inputs come from other ranks. */
static size_t begin_tasks(lane *l, int64_t step, bench_interval columns)
{
    size_t foreign = 0;
    for (int64_t column = columns.begin; column < columns.end; column++) {
        bench_point *point = &l->points[column - l->begin];
        bench_point_begin(point, l->graph, step, column);
        for (size_t i = 0; i < point->interval_count; i++) {
            for (int64_t from = point->inputs[i].begin; from < point->inputs[i].end; from++) foreign += is_foreign(l, from);
        }
    }
    return foreign;
}

static void receive(ranks *r, lane *l, int64_t step)
{
    bench_interval columns = own_columns(l, step);
    size_t bytes = (size_t)l->graph->output_bytes, need = begin_tasks(l, step, columns) * bytes, at = 0;
    if (need > l->received_room) l->received = room_for(l->received, l->received_room = need);
    for (int64_t column = columns.begin; column < columns.end && at < need; column++) {
        const bench_point *point = &l->points[column - l->begin];
        for (size_t i = 0; i < point->interval_count; i++) {
            for (int64_t from = point->inputs[i].begin; from < point->inputs[i].end; from++) {
                if (!is_foreign(l, from)) continue;
                MPI_Irecv(l->received + at, (int)bytes, MPI_BYTE, owner_of(l->graph, from, r->count), tag_of(l, from, column), l->comm,
                          next_request(r));
                at += bytes;
            }
        }
    }
}

static void send(ranks *r, lane *l, int64_t step)
{
    bench_interval columns = own_columns(l, step - 1), consumers[BENCH_MAX_INTERVALS];
    for (int64_t column = columns.begin; column < columns.end; column++) {
        size_t count = bench_pattern_consumers(&l->graph->pattern, step - 1, column, consumers);
        for (size_t i = 0; i < count; i++) {
            for (int64_t to = consumers[i].begin; to < consumers[i].end; to++) {
                if (!is_foreign(l, to)) continue;
                MPI_Isend(output_of(l, step - 1, column), (int)l->graph->output_bytes, MPI_BYTE, owner_of(l->graph, to, r->count),
                          tag_of(l, column, to), l->comm, next_request(r));
            }
        }
    }
}

static void run_task(const ranks *r, lane *l, int64_t step, int64_t column, const char **received)
{
    char text[BENCH_FAULT_LENGTH];
    bench_point *point = &l->points[column - l->begin];
    while (!bench_point_is_complete(point)) {
        bool is_received = is_foreign(l, point->next);
        const char *data = is_received ? *received : output_of(l, step - 1, point->next);
        if (is_received) *received += l->graph->output_bytes;
        if (!bench_point_take(point, data)) fail(bench_point_fault(point, data, text));
    }
    bench_point_finish(point, r->scratch, output_of(l, step, column));
    l->digest_sum += point->digest;
}

static void run_step(const ranks *r, lane *l, int64_t step)
{
    bench_interval columns = own_columns(l, step);
    const char *received = l->received;
    for (int64_t column = columns.begin; column < columns.end; column++) run_task(r, l, step, column, &received);
}

/* ---- one run ---- */

static void lane_init(lane *l, const ranks *r, const bench_graph *graph, MPI_Comm comm)
{
    *l = (lane){.graph = graph, .comm = comm};
    l->width_per_rank = (graph->pattern.width + r->count - 1) / r->count;
    l->begin = first_column(graph, r->rank, r->count);
    l->end = first_column(graph, r->rank + 1, r->count);
    l->points = room_for(NULL, (size_t)(l->end - l->begin + 1) * sizeof *l->points);
    for (int i = 0; i < 2; i++) l->rows[i] = room_for(NULL, (size_t)(l->end - l->begin) * (size_t)graph->output_bytes + 1);
}

static void lane_fini(lane *l)
{
    free(l->points);
    free(l->rows[0]);
    free(l->rows[1]);
    free(l->received);
}

/* The last row, and by the sum of digests that every task ran once. */
static void check(const lane *l, const bench_expected *expected)
{
    char text[BENCH_FAULT_LENGTH];
    uint64_t sum = 0;
    bench_interval columns = own_columns(l, l->graph->pattern.steps - 1);
    MPI_Allreduce(&l->digest_sum, &sum, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    if (sum != expected->digest_sum) fail("not every task ran once");
    for (int64_t column = columns.begin; column < columns.end; column++) {
        const char *output = output_of(l, l->graph->pattern.steps - 1, column);
        if (!bench_last_is_right(l->graph, expected, column, output, text)) fail(text);
    }
}

static void run_steps(ranks *r, const bench_job *job, lane *lanes)
{
    int64_t steps = bench_job_steps(job);
    for (int64_t step = 0; step < steps; step++) {
        r->request_count = 0;
        for (size_t g = 0; g < job->graph_count; g++) receive(r, &lanes[g], step);
        for (size_t g = 0; g < job->graph_count; g++) send(r, &lanes[g], step);
        MPI_Waitall((int)r->request_count, r->requests, MPI_STATUSES_IGNORE);
        for (size_t g = 0; g < job->graph_count; g++) run_step(r, &lanes[g], step);
    }
}

static weft_status run(void *context, const bench_job *job, bool is_watched, double *seconds, weft_error *err)
{
    ranks *r = context;
    lane lanes[BENCH_MAX_GRAPHS];
    (void)is_watched, (void)err;
    MPI_Barrier(MPI_COMM_WORLD);
    double start = bench_clock_seconds();
    for (size_t g = 0; g < job->graph_count; g++) lane_init(&lanes[g], r, &job->graphs[g], r->comms[g]);
    run_steps(r, job, lanes);
    MPI_Barrier(MPI_COMM_WORLD);
    *seconds = bench_clock_seconds() - start;
    MPI_Bcast(seconds, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    for (size_t g = 0; g < job->graph_count; g++) {
        check(&lanes[g], &job->expected[g]);
        lane_fini(&lanes[g]);
    }
    return WEFT_OK;
}

static void prepare(ranks *r, const bench_job *job)
{
    int *largest_tag, has_largest;
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &largest_tag, &has_largest);
    for (size_t g = 0; g < job->graph_count; g++) {
        const bench_graph *graph = &job->graphs[g];
        int64_t width = (graph->pattern.width + r->count - 1) / r->count;
        if (width > INT16_MAX || !has_largest || width * width > *largest_tag) fail("--width is more than tags can tell apart");
        MPI_Comm_dup(MPI_COMM_WORLD, &r->comms[g]);
    }
    r->scratch = calloc(bench_job_scratch_bytes(job) + 1, 1);
    if (!r->scratch) fail("no memory for --scratch-bytes");
}

int main(int argc, char **argv)
{
    static const bench_program program = {"bench.taskbench_mpi", "Runs task graphs by hand-written MPI.", true};
    bench_command_line line;
    ranks r = {.rank = 0};
    weft_error err = WEFT_ERROR_INIT;
    int code;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &r.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &r.count);
    if (bench_command_line_read(&program, &line, argc, argv, &code)) {
        const bench_system system = {"mpi", "mpi", r.count, 1, &r, run};
        prepare(&r, &line.job);
        if (bench_report_run(&line, &system, r.rank == 0, &err) != WEFT_OK) fail(err.text);
        for (size_t g = 0; g < line.job.graph_count; g++) MPI_Comm_free(&r.comms[g]);
        code = r.rank == 0 ? cli_exit_code(program.name, 0) : 0;
    }
    free(r.requests);
    free(r.scratch);
    MPI_Finalize();
    return code;
}
