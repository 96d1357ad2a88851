/* Measures and prints. Owns nothing. One thread. */
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <jansson.h>

#include "cli/table.h"
#include "cli/text.h"

enum { CELL_LENGTH = 32 };

static int cores_of(const bench_system *system)
{
    return system->workers * system->threads;
}

static double granularity_of(const bench_report *report)
{
    return report->times.least_s * cores_of(report->system) / (double)report->line->job.task_count;
}

static double efficiency_of(const bench_report *report)
{
    return report->kernel_seconds / (report->times.least_s * cores_of(report->system));
}

/* ---- JSON ---- */

static json_t *graph_json(const bench_graph *graph, const bench_expected *expected)
{
    const bench_pattern *pattern = &graph->pattern;
    const bench_kernel *kernel = &graph->kernel;
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:I, s:s, s:I, s:f, s:I, s:I, s:I}",
                     "pattern", bench_pattern_names[pattern->kind],
                     "width", (json_int_t)pattern->width,
                     "steps", (json_int_t)pattern->steps,
                     "radix", (json_int_t)pattern->radix,
                     "period", (json_int_t)pattern->period,
                     "fraction", pattern->fraction,
                     "output_bytes", (json_int_t)graph->output_bytes,
                     "kernel", bench_kernel_names[kernel->kind],
                     "iterations", (json_int_t)kernel->iterations,
                     "imbalance", kernel->imbalance,
                     "scratch_bytes", (json_int_t)kernel->scratch_bytes,
                     "tasks", (json_int_t)expected->task_count,
                     "edges", (json_int_t)expected->edge_count);
}

static json_t *points_json(const bench_sweep *sweep)
{
    json_t *points = json_array();
    for (size_t i = 0; i < sweep->count; i++) {
        const bench_sweep_point *point = &sweep->points[i];
        json_array_append_new(points, json_pack("{s:I, s:f, s:f, s:f, s:f}",
                                                "iterations", (json_int_t)point->iterations,
                                                "elapsed_seconds", point->seconds,
                                                "task_granularity_us", point->granularity_s * 1e6,
                                                "rate_per_second", point->rate,
                                                "efficiency", point->rate / bench_sweep_peak(sweep)));
    }
    return points;
}

static void add_times(json_t *json, const bench_report *report)
{
    const bench_times *times = &report->times;
    bench_work work = bench_job_work(&report->line->job);
    json_object_set_new(json, "elapsed_seconds", json_real(times->least_s));
    json_object_set_new(json, "elapsed_median_seconds", json_real(times->median_s));
    json_object_set_new(json, "elapsed_most_seconds", json_real(times->most_s));
    json_object_set_new(json, "wall_us_per_task", json_real(times->least_s * 1e6 / (double)report->line->job.task_count));
    json_object_set_new(json, "task_granularity_us", json_real(granularity_of(report) * 1e6));
    json_object_set_new(json, "flops", json_real(work.flops));
    json_object_set_new(json, "bytes", json_real(work.bytes));
    json_object_set_new(json, "flops_per_second", json_real(work.flops / times->least_s));
    json_object_set_new(json, "bytes_per_second", json_real(work.bytes / times->least_s));
    json_object_set_new(json, "efficiency", report->kernel_seconds > 0.0 ? json_real(efficiency_of(report)) : json_null());
}

static void add_sweep(json_t *json, const bench_report *report)
{
    bool is_bound;
    double metg = bench_sweep_metg(&report->sweep, &is_bound);
    json_object_set_new(json, "metg_us", json_real(metg * 1e6));
    json_object_set_new(json, "metg_is_bound", json_boolean(is_bound));
    json_object_set_new(json, "peak_rate_per_second", json_real(bench_sweep_peak(&report->sweep)));
    json_object_set_new(json, "points", points_json(&report->sweep));
}

static json_t *make_json(const bench_report *report)
{
    const bench_job *job = &report->line->job;
    json_t *graphs = json_array();
    for (size_t i = 0; i < job->graph_count; i++) json_array_append_new(graphs, graph_json(&job->graphs[i], &job->expected[i]));
    json_t *json = json_pack("{s:s, s:s, s:i, s:i, s:o, s:I, s:I, s:I}",
                             "system", report->system->name,
                             "transport", report->system->transport,
                             "workers", report->system->workers,
                             "threads_per_worker", report->system->threads,
                             "graphs", graphs,
                             "tasks", (json_int_t)job->task_count,
                             "edges", (json_int_t)job->edge_count,
                             "repeats", (json_int_t)report->line->repeats);
    if (!json) return NULL;
    if (report->line->wants_metg)
        add_sweep(json, report);
    else
        add_times(json, report);
    return json;
}

weft_status bench_report_print_json(const bench_report *report, weft_error *err)
{
    json_t *json = make_json(report);
    bool is_complete = json && (json_dumpf(json, stdout, JSON_INDENT(2)) == 0 || ferror(stdout));
    json_decref(json);
    if (!is_complete) return weft_fail(err, WEFT_ENOMEM, "no memory for the results as JSON; leave --json out");
    putchar('\n');
    return WEFT_OK;
}

/* ---- the summary ---- */

static const char *rate_unit(const bench_job *job)
{
    return bench_job_work(job).flops > 0.0 ? "GFLOP/s" : "GB/s";
}

static void print_graph(const bench_graph *graph, bool with_iterations)
{
    const bench_pattern *p = &graph->pattern;
    char bytes[CLI_BYTES_LENGTH];
    printf("graph            %s, %" PRId64 " columns x %" PRId64 " steps", bench_pattern_names[p->kind], p->width, p->steps);
    if (p->kind == BENCH_NEAREST || p->kind == BENCH_RANDOM_NEAREST || p->kind == BENCH_SPREAD) printf(", radix %" PRId64, p->radix);
    if (p->kind == BENCH_RANDOM_NEAREST || p->kind == BENCH_SPREAD) printf(", period %" PRId64, p->period);
    if (p->kind == BENCH_RANDOM_NEAREST) printf(", fraction %g", p->fraction);
    printf(", outputs of %s, %s", cli_bytes_format(graph->output_bytes, bytes), bench_kernel_names[graph->kernel.kind]);
    if (graph->kernel.kind == BENCH_LOAD_IMBALANCE) printf(" %g", graph->kernel.imbalance);
    if (graph->kernel.kind == BENCH_MEMORY_BOUND) printf(" on %s", cli_bytes_format(graph->kernel.scratch_bytes, bytes));
    if (graph->kernel.kind != BENCH_EMPTY && with_iterations) printf(" x %" PRId64, graph->kernel.iterations);
    printf("\n");
}

static void print_job(const bench_report *report)
{
    const bench_job *job = &report->line->job;
    const bench_system *system = report->system;
    for (size_t i = 0; i < job->graph_count; i++) print_graph(&job->graphs[i], !report->line->wants_metg);
    printf("tasks, edges     %" PRId64 ", %" PRId64 "\n", job->task_count, job->edge_count);
    printf("ran on           %d worker%s x %d thread%s (%s)\n", system->workers, system->workers == 1 ? "" : "s", system->threads,
           system->threads == 1 ? "" : "s", system->transport);
}

static void print_times(const bench_report *report)
{
    const bench_times *times = &report->times;
    bench_work work = bench_job_work(&report->line->job);
    double amount = work.flops > 0.0 ? work.flops : work.bytes;
    printf("elapsed          %.6f s, the least of %" PRId64 " (median %.6f, most %.6f)\n", times->least_s, report->line->repeats,
           times->median_s, times->most_s);
    printf("wall time        %.3f us a task\n", times->least_s * 1e6 / (double)report->line->job.task_count);
    printf("granularity      %.3f us of a core a task\n", granularity_of(report) * 1e6);
    if (amount <= 0.0) return;
    printf("rate             %.3g %s\n", amount * 1e-9 / times->least_s, rate_unit(&report->line->job));
    printf("efficiency       %.1f %% of what the kernels alone would reach\n", 100.0 * efficiency_of(report));
}

static weft_status print_sweep(const bench_report *report, weft_error *err)
{
    static const cli_column columns[] = {
        {"ITERATIONS", CLI_RIGHT}, {"ELAPSED [s]", CLI_RIGHT}, {"GRANULARITY [us]", CLI_RIGHT}, {"RATE [G/s]", CLI_RIGHT},
        {"EFFICIENCY [%]", CLI_RIGHT},
    };
    enum { COLUMNS = sizeof columns / sizeof columns[0] };
    cli_table *table = NULL;
    weft_status status = cli_table_create(columns, COLUMNS, &table, err);
    for (size_t i = 0; i < report->sweep.count && status == WEFT_OK; i++) {
        const bench_sweep_point *point = &report->sweep.points[i];
        char cells[COLUMNS][CELL_LENGTH];
        snprintf(cells[0], CELL_LENGTH, "%" PRId64, point->iterations);
        snprintf(cells[1], CELL_LENGTH, "%.6f", point->seconds);
        snprintf(cells[2], CELL_LENGTH, "%.3f", point->granularity_s * 1e6);
        snprintf(cells[3], CELL_LENGTH, "%.3f", point->rate * 1e-9);
        snprintf(cells[4], CELL_LENGTH, "%.1f", 100.0 * point->rate / bench_sweep_peak(&report->sweep));
        status = cli_table_add(table, (const char *const[]){cells[0], cells[1], cells[2], cells[3], cells[4]}, err);
    }
    if (status == WEFT_OK) cli_table_print(table, 2, stdout);
    cli_table_destroy(table);
    return status;
}

weft_status bench_report_print_summary(const bench_report *report, weft_error *err)
{
    bool is_bound;
    print_job(report);
    if (!report->line->wants_metg) {
        print_times(report);
        return WEFT_OK;
    }
    weft_status status = print_sweep(report, err);
    double metg = bench_sweep_metg(&report->sweep, &is_bound);
    printf("best rate        %.3g %s\n", bench_sweep_peak(&report->sweep) * 1e-9, rate_unit(&report->line->job));
    printf("METG(50%%)        %s%.3f us\n", is_bound ? "at most " : "", metg * 1e6);
    return status;
}

/* ---- from the command line to the print ---- */

static weft_status measure(bench_report *report, bench_command_line *line, bool is_speaker, weft_error *err)
{
    bool is_watched = !line->has_no_warm_up;
    if (line->wants_metg) return bench_measure_sweep(report->system, &line->job, line->repeats, is_watched, &report->sweep, err);
    weft_status status = bench_measure(report->system, &line->job, line->repeats, is_watched, &report->times, err);
    return status == WEFT_OK && is_speaker ? bench_job_kernel_seconds(&line->job, &report->kernel_seconds, err) : status;
}

weft_status bench_report_run(bench_command_line *line, const bench_system *system, bool is_speaker, weft_error *err)
{
    bench_report report = {.line = line, .system = system};
    weft_status status = bench_job_prepare(&line->job, err);
    if (status != WEFT_OK) return status;
    status = measure(&report, line, is_speaker, err);
    if (status == WEFT_OK && is_speaker && !line->quiet)
        status = line->json ? bench_report_print_json(&report, err) : bench_report_print_summary(&report, err);
    bench_job_fini(&line->job);
    return status;
}
