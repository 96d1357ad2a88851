/* weft-taskbench as OpenMP tasks with depend clauses: a yardstick.
 *
 * usage: OMP_NUM_THREADS=2 build/bin/bench.taskbench_openmp [weft-taskbench's options]
 *
 * One thread creates the tasks step by step; an output has a place of its own, as long as that fits into memory: then rows take turns, and
 * the depend clauses keep a row until it has been read.
 */
#include <stdio.h>
#include <stdlib.h>

#include <omp.h>

#include "cli/main.h"
#include "taskbench/point.h"
#include "taskbench/report.h"

enum { CACHE_LINE = 64 };
static const size_t max_row_bytes = (size_t)1 << 30; /* of all rows of a graph */

/* What one thread has seen; on cache lines of its own. */
typedef struct witness {
    _Alignas(CACHE_LINE) uint64_t digest_sums[BENCH_MAX_GRAPHS];
} witness;

/* One graph. */
typedef struct lane {
    const bench_graph *graph;
    char *rows;
    int64_t row_count;
    size_t row_bytes;
} lane;

typedef struct threads {
    int count;
    witness *witnesses; /* by thread */
    char *scratch;      /* scratch_bytes of each thread */
    size_t scratch_bytes;
} threads;

static void fail(const char *text)
{
    fprintf(stderr, "bench.taskbench_openmp: %s\n", text);
    exit(1);
}

static char *output_of(const lane *l, int64_t step, int64_t column)
{
    return l->rows + (size_t)(step % l->row_count) * l->row_bytes + (size_t)column * (size_t)l->graph->output_bytes;
}

static void run_task(const threads *t, const lane *l, int64_t step, int64_t column)
{
    char text[BENCH_FAULT_LENGTH];
    int thread = omp_get_thread_num();
    bench_point point;
    bench_point_begin(&point, l->graph, step, column);
    while (!bench_point_is_complete(&point)) {
        const char *data = output_of(l, step - 1, point.next);
        if (!bench_point_take(&point, data)) fail(bench_point_fault(&point, data, text));
    }
    bench_point_finish(&point, t->scratch + (size_t)thread * t->scratch_bytes, output_of(l, step, column));
    t->witnesses[thread].digest_sums[l->graph->number] += point.digest;
}

/* The addresses that a task depends on; returns how many. */
static size_t list_inputs(const lane *l, int64_t step, int64_t column, char **addresses)
{
    bench_interval inputs[BENCH_MAX_INTERVALS];
    size_t count = bench_pattern_inputs(&l->graph->pattern, step, column, inputs), found = 0;
    for (size_t i = 0; i < count; i++) {
        for (int64_t input = inputs[i].begin; input < inputs[i].end; input++) addresses[found++] = output_of(l, step - 1, input);
    }
    return found;
}

static void create_task(const threads *t, const lane *l, int64_t step, int64_t column, char **addresses)
{
    char *output = output_of(l, step, column);
    size_t count = list_inputs(l, step, column, addresses);
    /* Clauses of a fixed length are cheaper than an iterator. */
    switch (count) {
    case 0:
#pragma omp task depend(out : *output)
        run_task(t, l, step, column);
        break;
    case 1:
#pragma omp task depend(out : *output) depend(in : *addresses[0])
        run_task(t, l, step, column);
        break;
    case 2:
#pragma omp task depend(out : *output) depend(in : *addresses[0], *addresses[1])
        run_task(t, l, step, column);
        break;
    case 3:
#pragma omp task depend(out : *output) depend(in : *addresses[0], *addresses[1], *addresses[2])
        run_task(t, l, step, column);
        break;
    default:
#pragma omp task depend(out : *output) depend(iterator(size_t i = 0 : count), in : *addresses[i])
        run_task(t, l, step, column);
        break;
    }
}

/* ---- one run ---- */

static void lane_init(lane *l, const bench_graph *graph)
{
    l->graph = graph;
    l->row_bytes = (size_t)graph->pattern.width * (size_t)graph->output_bytes;
    l->row_count = (int64_t)(max_row_bytes / l->row_bytes);
    if (l->row_count > graph->pattern.steps) l->row_count = graph->pattern.steps;
    if (l->row_count < 2) l->row_count = 2;
    l->rows = malloc((size_t)l->row_count * l->row_bytes);
    if (!l->rows) fail("no memory for the outputs; use a smaller --width or --output-bytes");
}

static void create_tasks(const threads *t, const bench_job *job, const lane *lanes, char **addresses)
{
    int64_t steps = bench_job_steps(job);
    for (int64_t step = 0; step < steps; step++) {
        for (size_t g = 0; g < job->graph_count; g++) {
            bench_interval columns = bench_pattern_columns(&job->graphs[g].pattern, step);
            for (int64_t column = columns.begin; column < columns.end; column++) create_task(t, &lanes[g], step, column, addresses);
        }
    }
}

static void check(const threads *t, const lane *l, const bench_expected *expected)
{
    char text[BENCH_FAULT_LENGTH];
    int64_t step = l->graph->pattern.steps - 1;
    uint64_t sum = 0;
    for (int i = 0; i < t->count; i++) sum += t->witnesses[i].digest_sums[l->graph->number];
    if (sum != expected->digest_sum) fail("not every task ran once");
    for (int64_t column = expected->last_columns.begin; column < expected->last_columns.end; column++) {
        if (!bench_last_is_right(l->graph, expected, column, output_of(l, step, column), text)) fail(text);
    }
}

static weft_status run(void *context, const bench_job *job, bool is_watched, double *seconds, weft_error *err)
{
    threads *t = context;
    lane lanes[BENCH_MAX_GRAPHS];
    int64_t width = 0;
    (void)is_watched, (void)err;
    for (int i = 0; i < t->count; i++) t->witnesses[i] = (witness){{0}};
    for (size_t g = 0; g < job->graph_count; g++) width = job->graphs[g].pattern.width > width ? job->graphs[g].pattern.width : width;
    char **addresses = malloc((size_t)width * sizeof *addresses);
    if (!addresses) fail("no memory; use a smaller --width");
    double start = bench_clock_seconds();
    for (size_t g = 0; g < job->graph_count; g++) lane_init(&lanes[g], &job->graphs[g]);
#pragma omp parallel
#pragma omp single
    create_tasks(t, job, lanes, addresses);
    *seconds = bench_clock_seconds() - start;
    for (size_t g = 0; g < job->graph_count; g++) {
        check(t, &lanes[g], &job->expected[g]);
        free(lanes[g].rows);
    }
    free(addresses);
    return WEFT_OK;
}

static void prepare(threads *t, const bench_job *job)
{
    t->scratch_bytes = bench_job_scratch_bytes(job);
    t->witnesses = aligned_alloc(CACHE_LINE, (size_t)t->count * sizeof *t->witnesses);
    t->scratch = calloc((size_t)t->count, t->scratch_bytes + 1);
    if (!t->witnesses || !t->scratch) fail("no memory for --scratch-bytes");
}

int main(int argc, char **argv)
{
    static const bench_program program = {"bench.taskbench_openmp", "Runs task graphs as OpenMP tasks.", true};
    bench_command_line line;
    threads t = {.count = omp_get_max_threads()};
    weft_error err = WEFT_ERROR_INIT;
    int code;
    if (!bench_command_line_read(&program, &line, argc, argv, &code)) return code;
    const bench_system system = {"openmp", "threads", 1, t.count, &t, run};
    prepare(&t, &line.job);
    if (bench_report_run(&line, &system, true, &err) != WEFT_OK) fail(err.text);
    free(t.witnesses);
    free(t.scratch);
    return cli_exit_code(program.name, 0);
}
