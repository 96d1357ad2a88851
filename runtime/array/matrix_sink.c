/* Matrices written to .npy files: a sink owns the temporary file until it is committed. Rows are written by tasks on any rank, each with
 * the path and header in its parameters. Invariant: the final name shows a complete file or what it showed before. Client thread, and
 * any pool thread for the tasks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <weft/array.h>

#include "array/file.h"
#include "array/npy.h"
#include "array/tall.h"
#include "base/memory.h"
#include "graph/graph.h"

struct weft_matrix_sink {
    char *path;
    char *temporary; /* NULL when there is no such file (any more) */
    wf_npy_header header;
};

/* Renaming onto a folder fails only after all the work. */
static weft_status check_path(const char *path, weft_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) return WEFT_OK;
    return weft_fail(err, WEFT_EIO, "%s: is a folder; choose another name for the output", wf_file_shown_path(path));
}

/* What went wrong with the temporary file is told of the file that the user asked for. */
static weft_status create_file(weft_matrix_sink *sink, int dim_count, const int64_t *extents, weft_error *err)
{
    char *temporary = wf_file_temporary_name(sink->path, err);
    if (!temporary) return WEFT_ENOMEM;
    weft_error cause = WEFT_ERROR_INIT;
    weft_status status = wf_npy_create(temporary, WEFT_F64, dim_count, extents, &sink->header, &cause);
    if (status == WEFT_OK) {
        sink->temporary = temporary;
        return WEFT_OK;
    }
    const char *shown = wf_file_shown_path(temporary), *rest = cause.text;
    if (strncmp(rest, shown, strlen(shown)) == 0 && strncmp(rest + strlen(shown), ": ", 2) == 0) rest += strlen(shown) + 2;
    weft_fail(err, status, "%s: %s", wf_file_shown_path(sink->path), rest);
    free(temporary);
    return status;
}

weft_status weft_matrix_sink_create(const char *path, int dim_count, const int64_t *extents, weft_matrix_sink **sink, weft_error *err)
{
    weft_status status = check_path(path, err);
    if (status != WEFT_OK) return status;
    weft_matrix_sink *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->path = wf_calloc(strlen(path) + 1, 1, err);
    if (made->path) memcpy(made->path, path, strlen(path));
    status = made->path ? create_file(made, dim_count, extents, err) : WEFT_ENOMEM;
    if (status == WEFT_OK)
        *sink = made;
    else
        weft_matrix_sink_destroy(made);
    return status;
}

void weft_matrix_sink_destroy(weft_matrix_sink *sink)
{
    if (!sink) return;
    wf_file_discard(sink->temporary);
    free(sink->temporary);
    free(sink->path);
    free(sink);
}

static weft_status check_open(const weft_matrix_sink *sink, weft_error *err)
{
    if (sink->temporary) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "%s: its sink was committed already; create another one to write again",
                     wf_file_shown_path(sink->path));
}

weft_status weft_matrix_sink_write(weft_matrix_sink *sink, const weft_chunk *chunk, weft_error *err)
{
    weft_status status = check_open(sink, err);
    if (status != WEFT_OK) return status;
    const wf_npy_header *header = &sink->header;
    bool fits = weft_chunk_dtype(chunk) == header->dtype && weft_chunk_dim_count(chunk) == header->dim_count;
    for (int d = 0; d < WEFT_MAX_DIMS && fits; d++) fits = d >= header->dim_count || weft_chunk_extent(chunk, d) == header->extents[d];
    if (!fits)
        return weft_fail(err, WEFT_ESHAPE, "%s: the chunk has another type or shape than the file; create the file with the chunk's",
                         wf_file_shown_path(sink->path));
    return wf_npy_write_rows(sink->temporary, header, 0, wf_npy_row_count(header), weft_chunk_data(chunk), err);
}

weft_status weft_matrix_sink_commit(weft_matrix_sink *sink, weft_error *err)
{
    weft_status status = check_open(sink, err);
    if (status != WEFT_OK) return status;
    status = wf_file_commit(sink->temporary, sink->path, err);
    free(sink->temporary);
    sink->temporary = NULL;
    return status;
}

/* ---- the tasks ---- */

/* The temporary file's path stands behind it, with its zero byte. */
typedef struct write_params {
    wf_npy_header header;
    int64_t first_row, rows, cols;
} write_params;

WEFT_KERNEL(wf_write_rows)
{
    const write_params *p = weft_task_params(task, NULL);
    const double *rows = wf_task_matrix(task, 0, p->rows, p->cols, err);
    const int64_t nothing = 0;
    if (!rows || !weft_task_create_output(task, 0, WEFT_U8, 1, &nothing, err)) return err->status;
    return wf_npy_write_rows((const char *)(p + 1), &p->header, p->first_row, p->rows, rows, err);
}

static weft_status add_chunks(weft_graph *graph, const weft_tall *tall, write_params *params, size_t param_bytes, weft_ref *written,
                              weft_error *err)
{
    for (size_t i = 0; i < tall->chunk_count; i++, params->first_row += params->rows) {
        char key[48];
        snprintf(key, sizeof key, "write-%zu", i);
        params->rows = tall->chunk_rows[i];
        weft_task_spec spec = wf_task_spec_make(&wf_write_rows_kernel, &tall->chunks[i], 1, params, param_bytes);
        spec.cost = (double)params->rows * (double)params->cols;
        spec.key = key;
        weft_status status = weft_graph_add(graph, &spec, &written[i], err);
        if (status != WEFT_OK) return status;
    }
    return WEFT_OK;
}

weft_status weft_tall_write(weft_graph *graph, const weft_tall *tall, const weft_matrix_sink *sink, weft_ref *written, weft_error *err)
{
    weft_status status = check_open(sink, err);
    if (status != WEFT_OK) return status;
    const wf_npy_header *header = &sink->header;
    if (header->dim_count != 2 || header->extents[0] != tall->rows || header->extents[1] != tall->cols)
        return weft_fail(err, WEFT_ESHAPE, "%s: has another shape than the matrix, (%" PRId64 ", %" PRId64 "); create the file with that",
                         wf_file_shown_path(sink->path), tall->rows, tall->cols);
    size_t path_bytes = strlen(sink->temporary) + 1;
    write_params *params = wf_calloc(1, sizeof *params + path_bytes, err);
    if (!params) return WEFT_ENOMEM;
    *params = (write_params){.header = *header, .cols = tall->cols};
    memcpy(params + 1, sink->temporary, path_bytes);
    status = add_chunks(graph, tall, params, sizeof *params + path_bytes, written, err);
    free(params);
    return status;
}
