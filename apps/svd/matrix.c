/* Owns the source. Sizes are computed as double: they may be beyond 64 bits when the request is absurd. The client's thread. */
#include "matrix.h"

#include "cli/text.h"

static weft_status open_source(svd_matrix *matrix, weft_error *err)
{
    weft_matrix_source_options options = WEFT_MATRIX_SOURCE_OPTIONS_INIT;
    options.skip_lines = matrix->line->skip_lines;
    options.delimiter = matrix->line->delimiter;
    weft_status status = weft_matrix_source_open(matrix->line->input, &options, &matrix->source, err);
    if (status != WEFT_OK) return status;
    matrix->rows = weft_matrix_source_rows(matrix->source);
    matrix->cols = weft_matrix_source_cols(matrix->source);
    if (matrix->rows >= matrix->cols) return WEFT_OK;
    return weft_fail(err, WEFT_ESHAPE, "%.200s: has %lld rows and %lld columns, a tall matrix has at least as many rows as columns; "
                     "transpose it or leave columns out", matrix->line->input, (long long)matrix->rows, (long long)matrix->cols);
}

static weft_status check_line(const svd_matrix *matrix, weft_error *err)
{
    const svd_command_line *line = matrix->line;
    if (line->chunk_rows && line->chunk_rows < matrix->cols)
        return weft_fail(err, WEFT_EINVAL, "--chunk %lld is below the %lld columns of the matrix; use at least %lld rows",
                         (long long)line->chunk_rows, (long long)matrix->cols, (long long)matrix->cols);
    if (line->components > matrix->cols)
        return weft_fail(err, WEFT_EINVAL, "--components %lld: the matrix has %lld columns; ask for 1 to %lld", (long long)line->components,
                         (long long)matrix->cols, (long long)matrix->cols);
    return WEFT_OK;
}

weft_status svd_matrix_open(svd_matrix *matrix, const svd_command_line *line, weft_error *err)
{
    svd_matrix made = {.line = line, .rows = line->rows, .cols = line->cols};
    weft_status status = line->input ? open_source(&made, err) : WEFT_OK;
    if (status == WEFT_OK) status = check_line(&made, err);
    if (status != WEFT_OK) {
        svd_matrix_close(&made);
        return status;
    }
    made.chunk_rows = line->chunk_rows ? line->chunk_rows : weft_tall_default_chunk_rows(made.cols);
    made.components = line->components ? line->components : made.cols;
    *matrix = made;
    return WEFT_OK;
}

void svd_matrix_close(svd_matrix *matrix)
{
    weft_matrix_source_destroy(matrix->source);
    matrix->source = NULL;
}

weft_status svd_matrix_add(const svd_matrix *matrix, weft_graph *graph, weft_tall *x, weft_error *err)
{
    weft_tall raw = {0};
    weft_status status;
    if (matrix->source)
        status = weft_tall_read(graph, matrix->source, matrix->chunk_rows, &raw, err);
    else
        status = weft_random_uniform(graph, matrix->rows, matrix->cols, matrix->chunk_rows, (uint64_t)matrix->line->seed, &raw, err);
    if (status != WEFT_OK) return status;
    if (!matrix->line->center) {
        *x = raw;
        return WEFT_OK;
    }
    status = weft_center_columns(graph, &raw, x, err);
    weft_tall_fini(&raw);
    return status;
}

int64_t svd_matrix_leaf_rows(const svd_matrix *matrix, const weft_session *session)
{
    int64_t configured = weft_config_int(weft_session_config(session), "linalg.leaf_rows");
    return configured ? configured : weft_svd_leaf_rows(weft_session_get_machine_info(session).l2_bytes, matrix->cols);
}

/* ---- memory ---- */

enum { TASK_BYTES = 1024, TASKS_PER_CHUNK = 4 }; /* a task in the graph, the plan and its partition; roughly */

typedef struct memory_need {
    double bytes;
    double task_bytes; /* part of it */
} memory_need;

/* What threads keep for themselves: a block of a chunk, for U a matrix (n, n) and two (n, k) more, and once what the SVD of the root's
 * triangle takes: three matrices (n, n), and three more for LAPACK. */
static double find_scratch(const svd_matrix *matrix, int64_t leaf_rows, double threads)
{
    double n = (double)matrix->cols, k = (double)matrix->components, rows = (double)matrix->chunk_rows;
    if (rows > (double)leaf_rows) rows = (double)leaf_rows;
    if (rows > (double)matrix->rows) rows = (double)matrix->rows;
    double merge = n * n, u = matrix->line->values_only ? 0 : n * n + 2 * n * k;
    double block = rows * n + u;
    return 8.0 * (threads * (block > merge ? block : merge) + 6 * n * n);
}

static memory_need find_need(const svd_matrix *matrix, const weft_session_info *info, int64_t leaf_rows)
{
    const svd_command_line *line = matrix->line;
    double n = (double)matrix->cols, row_bytes = 8.0 * n, x = (double)matrix->rows * row_bytes;
    double chunk_rows = (double)(matrix->chunk_rows < matrix->rows ? matrix->chunk_rows : matrix->rows);
    double chunks = (double)matrix->rows / chunk_rows + 1.0, u = (double)matrix->rows * 8.0 * (double)matrix->components;
    double threads = (double)info->worker_count * (double)info->threads_per_worker;
    double stream = chunk_rows * row_bytes * (threads < chunks ? threads : chunks); /* chunks that are being worked on */
    double whole = line->center || !line->values_only ? x : 0;                     /* in the decomposition */
    double check = line->check ? u + (line->center ? x : stream) : 0;
    memory_need need = {.task_bytes = chunks * TASKS_PER_CHUNK * TASK_BYTES};
    need.bytes = whole > stream ? whole : stream;
    if (!line->values_only) need.bytes += chunks * row_bytes * n / 2.0; /* the orthogonal factors of the tree */
    if (check > need.bytes) need.bytes = check;
    need.bytes += need.task_bytes + find_scratch(matrix, leaf_rows, threads);
    return need;
}

static const char *format_bytes(double bytes, char text[static CLI_BYTES_LENGTH])
{
    return cli_bytes_format(bytes < 1.8e19 ? (uint64_t)bytes : UINT64_MAX, text);
}

weft_status svd_matrix_check_memory(const svd_matrix *matrix, const weft_session *session, weft_error *err)
{
    weft_session_info info = weft_session_get_info(session);
    memory_need need = find_need(matrix, &info, svd_matrix_leaf_rows(matrix, session));
    double there = info.memory_limit_bytes ? (double)info.memory_limit_bytes : 9e18;
    if (need.bytes <= there) return WEFT_OK;
    char wanted[CLI_BYTES_LENGTH], have[CLI_BYTES_LENGTH];
    const char *advice = matrix->line->values_only || matrix->line->center ? "" : "--values-only, ";
    if (need.task_bytes > need.bytes / 2) advice = "a larger --chunk, ";
    return weft_fail(err, WEFT_ENOMEM, "%lld x %lld needs about %s of memory, the ranks have %s; use %sfewer rows, or more ranks on more "
                     "machines", (long long)matrix->rows, (long long)matrix->cols, format_bytes(need.bytes, wanted),
                     format_bytes(there, have), advice);
}
