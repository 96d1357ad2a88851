/* weft-svd: the singular value decomposition of a tall matrix, from the command line to the files. Runs on rank 0 alone. */
#include <stdio.h>

#include "check.h"
#include "cli/main.h"
#include "command_line.h"
#include "decompose.h"
#include "output.h"
#include "report.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

/* Everything that has to be released at the end. */
typedef struct run {
    svd_matrix matrix;
    svd_output output;
    svd_decomposition made;
    svd_check check;
    double read_seconds;
} run;

static weft_status prepare(run *r, const svd_command_line *line, const weft_session *session, weft_error *err)
{
    double start = svd_clock_seconds();
    weft_status status = svd_matrix_open(&r->matrix, line, err);
    if (status != WEFT_OK) return status;
    r->read_seconds = line->input ? svd_clock_seconds() - start : 0.0;
    status = svd_matrix_check_memory(&r->matrix, session, err);
    return status == WEFT_OK ? svd_output_open(&r->matrix, &r->output, err) : status;
}

static weft_status compute(run *r, const svd_command_line *line, weft_session *session, weft_error *err)
{
    weft_status status = svd_decompose(&r->matrix, session, &r->made, err);
    if (status == WEFT_OK && line->check) status = svd_check_run(&r->matrix, &r->made, session, &r->check, err);
    if (status == WEFT_OK) status = svd_output_write(&r->output, &r->made, session, err);
    return status == WEFT_OK ? svd_output_commit(&r->output, err) : status;
}

static weft_status report(const run *r, const svd_command_line *line, weft_session *session, weft_error *err)
{
    weft_session_stats stats = {0};
    weft_status status = weft_session_get_stats(session, &stats, err);
    if (status != WEFT_OK) return status;
    const svd_report results = {&r->matrix, &r->made, &r->check, &r->output, weft_session_get_info(session), r->read_seconds,
                               stats.rss_peak_bytes};
    if (line->json) return svd_report_print_json(&results, err);
    if (!line->quiet) svd_report_print_summary(&results);
    return WEFT_OK;
}

/* Of data and files the text names the place itself; of anything else the task helps. */
static void print_error(const weft_error *err)
{
    bool names_place = err->status == WEFT_EDATA || err->status == WEFT_EIO || !err->task[0];
    if (names_place)
        fprintf(stderr, "weft-svd: %s\n", err->text);
    else
        weft_error_print(stderr, "weft-svd", err);
}

static int client(weft_session *session, int argc, char **argv)
{
    svd_command_line line;
    run r = {.read_seconds = 0.0};
    weft_error err = WEFT_ERROR_INIT;
    int code;
    if (!svd_command_line_read(&line, argc, argv, &code)) return cli_exit_code("weft-svd", code); /* session is NULL then */
    weft_status status = prepare(&r, &line, session, &err);
    if (status == WEFT_OK) status = compute(&r, &line, session, &err);
    if (status == WEFT_OK) status = report(&r, &line, session, &err);
    code = status == WEFT_EINVAL ? EXIT_USAGE : EXIT_FAILED; /* EINVAL: an option or a configuration key does not suit the matrix */
    if (status != WEFT_OK) print_error(&err);
    svd_decomposition_fini(&r.made);
    svd_output_close(&r.output);
    svd_matrix_close(&r.matrix);
    return status == WEFT_OK ? cli_exit_code("weft-svd", EXIT_DONE) : code;
}

int main(int argc, char **argv) { return cli_main(argc, argv, client); }
