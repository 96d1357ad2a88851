/* Matrices in files: looked at once by the client, read in rows by tasks on any rank. A source owns its path and what was found; a task's
 * parameters carry all that it needs, so a source may go before its tasks run. Client thread and any pool thread. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <weft/array.h>

#include "array/csv.h"
#include "array/file.h"
#include "array/npy.h"
#include "array/tall.h"
#include "base/memory.h"
#include "graph/graph.h"

/* The scan notes where every so many rows begin, since the cut into chunks is not known yet; a task skips fewer lines than this. */
enum { NOTED_ROWS = 256 };

/* What a random element costs is 50; text takes about 60 times as long, binary data a fraction. */
static const double COST_PER_CSV_ELEMENT = 3000.0, COST_PER_NPY_ELEMENT = 30.0;

struct weft_matrix_source {
    char *path;
    bool is_csv;
    wf_csv csv;
    wf_npy_header npy;
    int64_t rows, cols;
};

static bool is_csv_name(const char *path)
{
    size_t length = strlen(path);
    return length >= 4 && strcasecmp(path + length - 4, ".csv") == 0;
}

static weft_status take_options(const weft_matrix_source_options *given, weft_matrix_source_options *taken, weft_error *err)
{
    *taken = (weft_matrix_source_options)WEFT_MATRIX_SOURCE_OPTIONS_INIT;
    if (given && (given->size_bytes < sizeof given->size_bytes || given->size_bytes > sizeof *taken))
        return weft_fail(err, WEFT_EINVAL, "options of %zu bytes are not ones of this version; start from WEFT_MATRIX_SOURCE_OPTIONS_INIT",
                         given->size_bytes);
    if (given) memcpy(taken, given, given->size_bytes);
    return WEFT_OK;
}

static weft_status look_at_csv(weft_matrix_source *source, const weft_matrix_source_options *options, weft_error *err)
{
    wf_csv_options csv_options = WF_CSV_OPTIONS_INIT;
    csv_options.skip_lines = options->skip_lines;
    if (options->delimiter) csv_options.delimiter = options->delimiter;
    weft_status status = wf_csv_scan(source->path, &csv_options, NOTED_ROWS, &source->csv, err);
    source->rows = source->csv.row_count;
    source->cols = source->csv.layout.col_count;
    return status;
}

static weft_status look_at_npy(weft_matrix_source *source, const weft_matrix_source_options *options, weft_error *err)
{
    weft_status status = wf_npy_open(source->path, &source->npy, err);
    if (status == WEFT_OK) status = wf_npy_check_table(source->path, &source->npy, err);
    if (status != WEFT_OK) return status;
    const char *shown = wf_file_shown_path(source->path);
    if (options->skip_lines != 0 || options->delimiter)
        return weft_fail(err, WEFT_EINVAL, "%s: is a .npy file, which has neither lines to skip nor a delimiter; leave them out", shown);
    source->rows = wf_npy_row_count(&source->npy);
    source->cols = wf_npy_col_count(&source->npy);
    if (source->rows == 0 || source->cols == 0)
        return weft_fail(err, WEFT_EDATA, "%s: holds %" PRId64 " rows of %" PRId64 " columns, no number at all; give at least one of each",
                         shown, source->rows, source->cols);
    return WEFT_OK;
}

weft_status weft_matrix_source_open(const char *path, const weft_matrix_source_options *options, weft_matrix_source **source,
                                    weft_error *err)
{
    weft_matrix_source_options taken;
    weft_status status = take_options(options, &taken, err);
    if (status != WEFT_OK) return status;
    weft_matrix_source *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->path = wf_calloc(strlen(path) + 1, 1, err);
    if (made->path) {
        memcpy(made->path, path, strlen(path));
        made->is_csv = is_csv_name(path);
        status = made->is_csv ? look_at_csv(made, &taken, err) : look_at_npy(made, &taken, err);
    } else {
        status = WEFT_ENOMEM;
    }
    if (status == WEFT_OK)
        *source = made;
    else
        weft_matrix_source_destroy(made);
    return status;
}

void weft_matrix_source_destroy(weft_matrix_source *source)
{
    if (!source) return;
    wf_csv_fini(&source->csv);
    free(source->path);
    free(source);
}

int64_t weft_matrix_source_rows(const weft_matrix_source *source)
{
    return source->rows;
}

int64_t weft_matrix_source_cols(const weft_matrix_source *source)
{
    return source->cols;
}

/* ---- the tasks ---- */

/* The file's path stands behind it, with its zero byte. */
typedef struct read_params {
    bool is_csv;
    wf_csv_layout csv;
    wf_csv_range csv_range;
    wf_npy_header npy;
    int64_t first_row, rows, cols;
} read_params;

WEFT_KERNEL(wf_read_rows)
{
    const read_params *p = weft_task_params(task, NULL);
    const char *path = (const char *)(p + 1);
    double *out = wf_task_create_matrix(task, 0, p->rows, p->cols, err);
    if (!out) return err->status;
    if (p->is_csv) return wf_csv_read_rows(path, &p->csv, p->csv_range, out, err);
    return wf_npy_read_rows(path, &p->npy, p->first_row, p->rows, out, err);
}

static weft_status add_chunks(weft_graph *graph, const weft_matrix_source *source, weft_tall *tall, read_params *params,
                              size_t param_bytes, weft_error *err)
{
    for (size_t i = 0; i < tall->chunk_count; i++, params->first_row += params->rows) {
        char key[48];
        snprintf(key, sizeof key, "read-%zu", i);
        params->rows = tall->chunk_rows[i];
        if (source->is_csv) params->csv_range = wf_csv_rows(&source->csv, params->first_row, params->rows);
        double elements = (double)params->rows * (double)params->cols;
        size_t bytes = (size_t)params->rows * (size_t)params->cols * sizeof(double);
        weft_task_spec spec = wf_task_spec_make(&wf_read_rows_kernel, NULL, 0, params, param_bytes);
        spec.output_bytes = &bytes;
        spec.cost = (source->is_csv ? COST_PER_CSV_ELEMENT : COST_PER_NPY_ELEMENT) * elements;
        spec.key = key;
        weft_status status = weft_graph_add(graph, &spec, &tall->chunks[i], err);
        if (status != WEFT_OK) return status;
    }
    return WEFT_OK;
}

weft_status weft_tall_read(weft_graph *graph, const weft_matrix_source *source, int64_t chunk_rows, weft_tall *tall, weft_error *err)
{
    weft_tall made = {0};
    size_t path_bytes = strlen(source->path) + 1;
    weft_error cause = WEFT_ERROR_INIT;
    weft_status status = weft_tall_init(&made, source->rows, source->cols, chunk_rows, &cause);
    if (status != WEFT_OK) return weft_fail(err, status, "%s: %.280s", wf_file_shown_path(source->path), cause.text);
    read_params *params = wf_calloc(1, sizeof *params + path_bytes, err);
    if (!params) {
        weft_tall_fini(&made);
        return WEFT_ENOMEM;
    }
    *params = (read_params){.is_csv = source->is_csv, .csv = source->csv.layout, .npy = source->npy, .cols = source->cols};
    memcpy(params + 1, source->path, path_bytes);
    status = add_chunks(graph, source, &made, params, sizeof *params + path_bytes, err);
    free(params);
    if (status == WEFT_OK)
        *tall = made;
    else
        weft_tall_fini(&made);
    return status;
}
