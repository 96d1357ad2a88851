/* weft-taskbench as StarPU tasks over registered data: a yardstick, built where StarPU is installed (Debian: libstarpu-dev).
 *
 * usage: STARPU_NCPU=2 build/bin/bench.taskbench_starpu [weft-taskbench's options]
 *
 * Outputs lie in a few rows that take turns; StarPU finds the dependencies by the order in which tasks are submitted that use the same
 * data.
 */
#include <stdio.h>
#include <stdlib.h>

#include <starpu.h>

#include "cli/main.h"
#include "taskbench/point.h"
#include "taskbench/report.h"

enum { ROWS = 16, CACHE_LINE = 64 };

/* What one worker has seen, on cache lines of its own. */
typedef struct witness {
    _Alignas(CACHE_LINE) uint64_t digest_sums[BENCH_MAX_GRAPHS];
} witness;

typedef struct machine {
    int worker_count;
    witness *witnesses;         /* by worker */
    char *scratch;              /* scratch_bytes of each worker */
    size_t scratch_bytes;
    struct starpu_codelet codelet;
} machine;

/* One graph. */
typedef struct lane {
    machine *machine;
    const bench_graph *graph;
    char *rows;
    starpu_data_handle_t *handles; /* of each output, row by row */
} lane;

/* A task's argument, freed by StarPU. */
typedef struct place {
    const lane *lane;
    int64_t step, column;
} place;

static void fail(const char *text)
{
    fprintf(stderr, "bench.taskbench_starpu: %s\n", text);
    exit(1);
}

static void run_task(void *buffers[], void *argument)
{
    const place *at = argument;
    const machine *m = at->lane->machine;
    char text[BENCH_FAULT_LENGTH];
    int worker = starpu_worker_get_id();
    bench_point point;
    bench_point_begin(&point, at->lane->graph, at->step, at->column);
    for (int input = 1; !bench_point_is_complete(&point); input++) {
        const void *data = (const void *)STARPU_VARIABLE_GET_PTR(buffers[input]);
        if (!bench_point_take(&point, data)) fail(bench_point_fault(&point, data, text));
    }
    bench_point_finish(&point, m->scratch + (size_t)worker * m->scratch_bytes, (void *)STARPU_VARIABLE_GET_PTR(buffers[0]));
    m->witnesses[worker].digest_sums[at->lane->graph->number] += point.digest;
}

static starpu_data_handle_t handle_of(const lane *l, int64_t step, int64_t column)
{
    return l->handles[step % ROWS * l->graph->pattern.width + column];
}

static void submit(lane *l, int64_t step, int64_t column)
{
    bench_interval inputs[BENCH_MAX_INTERVALS];
    size_t interval_count = bench_pattern_inputs(&l->graph->pattern, step, column, inputs), count = 1;
    for (size_t i = 0; i < interval_count; i++) count += (size_t)(inputs[i].end - inputs[i].begin);
    struct starpu_task *task = starpu_task_create();
    place *at = malloc(sizeof *at);
    starpu_data_handle_t *handles = malloc(count * sizeof *handles);
    enum starpu_data_access_mode *modes = malloc(count * sizeof *modes);
    if (!task || !at || !handles || !modes) fail("no memory");
    *at = (place){l, step, column};
    handles[0] = handle_of(l, step, column);
    modes[0] = STARPU_W;
    count = 1;
    for (size_t i = 0; i < interval_count; i++) {
        for (int64_t from = inputs[i].begin; from < inputs[i].end; from++, count++) {
            handles[count] = handle_of(l, step - 1, from);
            modes[count] = STARPU_R;
        }
    }
    task->cl = &l->machine->codelet;
    task->cl_arg = at;
    task->cl_arg_size = sizeof *at;
    task->cl_arg_free = 1;
    task->nbuffers = (int)count;
    task->dyn_handles = handles;
    task->dyn_modes = modes;
    if (starpu_task_submit(task) != 0) fail("starpu_task_submit failed");
}

/* ---- one run ---- */

static void lane_init(lane *l, machine *m, const bench_graph *graph)
{
    size_t count = (size_t)graph->pattern.width * ROWS, bytes = (size_t)graph->output_bytes;
    *l = (lane){m, graph, malloc(count * bytes), malloc(count * sizeof(starpu_data_handle_t))};
    if (!l->rows || !l->handles) fail("no memory for the outputs; use a smaller --width or --output-bytes");
    for (size_t i = 0; i < count; i++)
        starpu_variable_data_register(&l->handles[i], STARPU_MAIN_RAM, (uintptr_t)(l->rows + i * bytes), bytes);
}

static void lane_fini(lane *l)
{
    for (int64_t i = 0; i < l->graph->pattern.width * ROWS; i++) starpu_data_unregister(l->handles[i]);
    free(l->rows);
    free(l->handles);
}

static void check(const lane *l, const bench_expected *expected)
{
    char text[BENCH_FAULT_LENGTH];
    uint64_t sum = 0;
    int64_t step = l->graph->pattern.steps - 1, width = l->graph->pattern.width;
    for (int i = 0; i < l->machine->worker_count; i++) sum += l->machine->witnesses[i].digest_sums[l->graph->number];
    if (sum != expected->digest_sum) fail("not every task ran once");
    for (int64_t column = expected->last_columns.begin; column < expected->last_columns.end; column++) {
        const char *output = l->rows + (size_t)(step % ROWS * width + column) * (size_t)l->graph->output_bytes;
        if (!bench_last_is_right(l->graph, expected, column, output, text)) fail(text);
    }
}

static weft_status run(void *context, const bench_job *job, bool is_watched, double *seconds, weft_error *err)
{
    machine *m = context;
    lane lanes[BENCH_MAX_GRAPHS];
    int64_t steps = bench_job_steps(job);
    (void)is_watched, (void)err;
    for (int i = 0; i < m->worker_count; i++) m->witnesses[i] = (witness){{0}};
    for (size_t g = 0; g < job->graph_count; g++) lane_init(&lanes[g], m, &job->graphs[g]); /* registering is not timed */
    double start = bench_clock_seconds();
    for (int64_t step = 0; step < steps; step++) {
        for (size_t g = 0; g < job->graph_count; g++) {
            bench_interval columns = bench_pattern_columns(&job->graphs[g].pattern, step);
            for (int64_t column = columns.begin; column < columns.end; column++) submit(&lanes[g], step, column);
        }
    }
    starpu_task_wait_for_all();
    *seconds = bench_clock_seconds() - start;
    for (size_t g = 0; g < job->graph_count; g++) {
        check(&lanes[g], &job->expected[g]);
        lane_fini(&lanes[g]);
    }
    return WEFT_OK;
}

static void prepare(machine *m, const bench_job *job)
{
    struct starpu_conf conf;
    m->scratch_bytes = bench_job_scratch_bytes(job);
    starpu_conf_init(&conf);
    if (starpu_init(&conf) != 0) fail("starpu_init failed");
    m->worker_count = (int)starpu_cpu_worker_get_count();
    m->codelet = (struct starpu_codelet){.where = STARPU_CPU, .cpu_funcs = {run_task}, .nbuffers = STARPU_VARIABLE_NBUFFERS};
    m->witnesses = aligned_alloc(CACHE_LINE, (size_t)m->worker_count * sizeof *m->witnesses);
    m->scratch = calloc((size_t)m->worker_count, m->scratch_bytes + 1);
    if (!m->witnesses || !m->scratch) fail("no memory for --scratch-bytes");
}

int main(int argc, char **argv)
{
    static const bench_program program = {"bench.taskbench_starpu", "Runs task graphs as StarPU tasks.", true};
    bench_command_line line;
    machine m = {.worker_count = 0};
    weft_error err = WEFT_ERROR_INIT;
    int code;
    if (!bench_command_line_read(&program, &line, argc, argv, &code)) return code;
    prepare(&m, &line.job);
    const bench_system system = {"starpu", "threads", 1, m.worker_count, &m, run};
    if (bench_report_run(&line, &system, true, &err) != WEFT_OK) fail(err.text);
    starpu_shutdown();
    free(m.witnesses);
    free(m.scratch);
    return cli_exit_code(program.name, 0);
}
