/* Prints results. Owns nothing. The client's thread. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

enum { SHOWN_VALUES = 6, NUMBER_LENGTH = 32 };

static const double *singular_values(const svd_report *report, size_t *count)
{
    *count = (size_t)weft_chunk_extent(report->made->s_values, 0);
    return weft_chunk_data(report->made->s_values);
}

static json_t *make_json(const svd_report *report)
{
    size_t count;
    const double *s = singular_values(report, &count);
    const svd_check *check = report->check;
    json_t *values = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(values, json_real(s[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:i, s:i, s:f, s:f, s:f, s:o, s:o, s:o, s:I}",
                     "rows", (json_int_t)report->matrix->rows,
                     "cols", (json_int_t)report->matrix->cols,
                     "chunks", (json_int_t)report->made->cut.chunk_count,
                     "tasks", (json_int_t)report->made->task_count,
                     "ranks", report->session.rank_count,
                     "threads_per_rank", report->session.threads_per_worker,
                     "build_seconds", report->made->build_seconds,
                     "compute_seconds", report->made->compute_seconds,
                     "read_seconds", report->read_seconds,
                     "singular_values", values,
                     "residual", check->is_done ? json_real(check->residual) : json_null(),
                     "orthogonality", check->is_done ? json_real(check->orthogonality) : json_null(),
                     "peak_rss_bytes", (json_int_t)report->peak_rss_bytes);
}

weft_status svd_report_print_json(const svd_report *report, weft_error *err)
{
    json_t *json = make_json(report);
    bool is_complete = json && (json_dumpf(json, stdout, JSON_INDENT(2)) == 0 || ferror(stdout));
    json_decref(json);
    if (!is_complete) return weft_fail(err, WEFT_ENOMEM, "no memory for the results as JSON; use --output");
    putchar('\n');
    return WEFT_OK;
}

/* ---- the summary ---- */

/* "1,234,567" */
static const char *format_count(int64_t number, char text[static NUMBER_LENGTH])
{
    char digits[NUMBER_LENGTH];
    int length = snprintf(digits, sizeof digits, "%" PRId64, number), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static void print_matrix(const svd_report *report)
{
    const svd_matrix *matrix = report->matrix;
    char rows[NUMBER_LENGTH], cols[NUMBER_LENGTH];
    double mib = (double)matrix->rows * (double)matrix->cols * 8.0 / 1048576.0;
    printf("matrix           %s x %s, ", format_count(matrix->rows, rows), format_count(matrix->cols, cols));
    if (matrix->line->input)
        printf("%s", matrix->line->input);
    else
        printf("uniform random numbers, seed %" PRId64, matrix->line->seed);
    printf(", %.1f MiB%s\n", mib, matrix->line->center ? ", centered" : "");
}

static void print_run(const svd_report *report)
{
    const svd_decomposition *made = report->made;
    const weft_session_info *session = &report->session;
    char chunks[NUMBER_LENGTH], rows[NUMBER_LENGTH], tasks[NUMBER_LENGTH];
    printf("chunks           %s of %s rows, %s tasks\n", format_count((int64_t)made->cut.chunk_count, chunks),
           format_count(made->cut.chunk_rows[0], rows), format_count((int64_t)made->task_count, tasks));
    printf("ran on           %d rank%s x %d thread%s (%s", session->worker_count, session->worker_count == 1 ? "" : "s",
           session->threads_per_worker, session->threads_per_worker == 1 ? "" : "s", session->scheduler);
    printf(session->worker_count < session->rank_count ? "; rank 0 only schedules)\n" : ")\n");
    if (report->matrix->source) printf("look at the file %.3f s\n", report->read_seconds);
    printf("build the graph  %.3f s\n", made->build_seconds);
    printf("compute          %.3f s\n", made->compute_seconds);
    printf("peak memory      %.1f MiB, all ranks together\n", (double)report->peak_rss_bytes / 1048576.0);
}

static void print_values(const svd_report *report)
{
    size_t count;
    const double *s = singular_values(report, &count);
    printf("singular values ");
    for (size_t i = 0; i < count && i < SHOWN_VALUES; i++) printf(" %.6g", s[i]);
    if (count > SHOWN_VALUES) printf(" ... %.6g (%zu)", s[count - 1], count);
    printf("\n");
    if (!report->check->is_done) return;
    printf("residual         %.2e  ||X - U S V^T|| / ||X||\n", report->check->residual);
    printf("orthogonality    %.2e  max |U^T U - I|\n", report->check->orthogonality);
}

void svd_report_print_summary(const svd_report *report)
{
    print_matrix(report);
    print_run(report);
    print_values(report);
    for (int i = 0; i < SVD_OUTPUT_COUNT; i++) {
        if (report->output->paths[i]) printf("wrote            %s\n", report->output->paths[i]);
    }
    if (report->matrix->line->picture) printf("drew             %s\n", report->matrix->line->picture);
}
