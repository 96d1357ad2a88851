/* Repeats, sweeps and calibration. Invariant: nothing is printed and nothing decided by a clock that the system does not give out, so that
 * the processes of a system stay in step. One thread. */
#include "measure.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

double bench_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

weft_status bench_job_prepare(bench_job *job, weft_error *err)
{
    job->task_count = job->edge_count = 0;
    for (size_t i = 0; i < job->graph_count; i++) {
        const bench_pattern *pattern = &job->graphs[i].pattern;
        if (!bench_expected_init(&job->expected[i], &job->graphs[i])) {
            while (i-- > 0) bench_expected_fini(&job->expected[i]);
            return weft_fail(err, WEFT_ENOMEM, "no memory to check %" PRId64 " columns; use a smaller --width", pattern->width);
        }
        job->task_count += job->expected[i].task_count;
        job->edge_count += job->expected[i].edge_count;
    }
    return WEFT_OK;
}

void bench_job_fini(bench_job *job)
{
    for (size_t i = 0; i < job->graph_count; i++) bench_expected_fini(&job->expected[i]);
}

bench_work bench_job_work(const bench_job *job)
{
    bench_work sum = {0.0, 0.0};
    for (size_t i = 0; i < job->graph_count; i++) {
        bench_work work = bench_graph_work(&job->graphs[i], job->expected[i].task_count);
        sum.flops += work.flops;
        sum.bytes += work.bytes;
    }
    return sum;
}

int64_t bench_job_steps(const bench_job *job)
{
    int64_t most = 0;
    for (size_t i = 0; i < job->graph_count; i++) {
        if (job->graphs[i].pattern.steps > most) most = job->graphs[i].pattern.steps;
    }
    return most;
}

size_t bench_job_scratch_bytes(const bench_job *job)
{
    uint64_t most = 0;
    for (size_t i = 0; i < job->graph_count; i++) {
        const bench_kernel *kernel = &job->graphs[i].kernel;
        if (kernel->kind == BENCH_MEMORY_BOUND && kernel->scratch_bytes > most) most = kernel->scratch_bytes;
    }
    return (size_t)most;
}

/* ---- repeated runs ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

weft_status bench_measure(const bench_system *system, const bench_job *job, int64_t repeats, bool is_watched_first, bench_times *times,
                          weft_error *err)
{
    double seconds[BENCH_MAX_REPEATS];
    weft_status status = WEFT_OK;
    if (is_watched_first) status = system->run(system->context, job, true, &seconds[0], err);
    for (int64_t i = 0; i < repeats && status == WEFT_OK; i++) status = system->run(system->context, job, false, &seconds[i], err);
    if (status != WEFT_OK) return status;
    qsort(seconds, (size_t)repeats, sizeof *seconds, compare_doubles);
    *times = (bench_times){seconds[0], 0.5 * (seconds[(repeats - 1) / 2] + seconds[repeats / 2]), seconds[repeats - 1]};
    return WEFT_OK;
}

static void set_iterations(bench_job *job, int64_t iterations)
{
    for (size_t i = 0; i < job->graph_count; i++) {
        if (job->graphs[i].kernel.kind != BENCH_EMPTY) job->graphs[i].kernel.iterations = iterations;
    }
}

weft_status bench_measure_sweep(const bench_system *system, bench_job *job, int64_t repeats, bool is_watched_first, bench_sweep *sweep,
                                weft_error *err)
{
    int64_t iterations;
    *sweep = (bench_sweep){.count = 0};
    while ((iterations = bench_sweep_next(sweep)) > 0) {
        bench_times times;
        set_iterations(job, iterations);
        weft_status status = bench_measure(system, job, repeats, is_watched_first && sweep->count == 0, &times, err);
        if (status != WEFT_OK) return status;
        bench_work work = bench_job_work(job);
        double granularity = times.least_s * system->workers * system->threads / (double)job->task_count;
        double rate = (work.flops > 0.0 ? work.flops : work.bytes) / times.least_s;
        bench_sweep_add(sweep, (bench_sweep_point){iterations, times.least_s, granularity, rate});
    }
    return WEFT_OK;
}

/* ---- what the kernel alone would take ---- */

enum { CALIBRATION_ROUNDS = 5 };

static double time_kernel(const bench_kernel *kernel, void *scratch)
{
    double start = bench_clock_seconds();
    bench_kernel_run(kernel, 0, 0, scratch);
    return bench_clock_seconds() - start;
}

static double iteration_seconds(const bench_kernel *kernel, void *scratch)
{
    bench_kernel probe = *kernel;
    double least = 0.0;
    if (probe.kind == BENCH_LOAD_IMBALANCE) probe.kind = BENCH_COMPUTE_BOUND;
    for (probe.iterations = 1; (least = time_kernel(&probe, scratch)) < 1e-3;) probe.iterations *= 4;
    for (int i = 0; i < CALIBRATION_ROUNDS; i++) least = fmin(least, time_kernel(&probe, scratch));
    return least / (double)probe.iterations;
}

weft_status bench_job_kernel_seconds(const bench_job *job, double *seconds, weft_error *err)
{
    double sum = 0.0;
    for (size_t i = 0; i < job->graph_count; i++) {
        const bench_kernel *kernel = &job->graphs[i].kernel;
        if (kernel->kind == BENCH_EMPTY || kernel->iterations == 0) continue;
        void *scratch = NULL;
        if (kernel->kind == BENCH_MEMORY_BOUND && !(scratch = calloc(1, (size_t)kernel->scratch_bytes)))
            return weft_fail(err, WEFT_ENOMEM, "no memory for --scratch-bytes %" PRIu64, kernel->scratch_bytes);
        bench_work work = bench_graph_work(&job->graphs[i], job->expected[i].task_count);
        double per_iteration = work.flops > 0.0 ? bench_kernel_flops(kernel, 1) : bench_kernel_bytes(kernel, 1);
        sum += (work.flops > 0.0 ? work.flops : work.bytes) / per_iteration * iteration_seconds(kernel, scratch);
        free(scratch);
    }
    *seconds = sum;
    return WEFT_OK;
}
