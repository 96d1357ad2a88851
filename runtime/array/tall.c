/* A matrix cut by rows: its arrays, and whether a caller's cut is one that can be worked with. Client thread and any pool thread. */
#include "array/tall.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { DEFAULT_CHUNK_BYTES = 8 << 20 };

static weft_status check_extents(int64_t rows, int64_t cols, weft_error *err)
{
    if (rows < 1 || cols < 1)
        return weft_fail(err, WEFT_EINVAL, "a matrix of %lld rows and %lld columns is empty; give at least one of each", (long long)rows,
                         (long long)cols);
    if (cols > WF_MAX_COLS)
        return weft_fail(err, WEFT_EINVAL, "%lld columns are too many; a tall matrix has at most %d", (long long)cols, WF_MAX_COLS);
    return WEFT_OK;
}

static weft_status allocate(weft_tall *tall, int64_t rows, int64_t cols, size_t chunk_count, weft_error *err)
{
    weft_tall new_tall = {.rows = rows, .cols = cols, .chunk_count = chunk_count};
    new_tall.chunk_rows = wf_calloc(chunk_count, sizeof *new_tall.chunk_rows, err);
    if (!new_tall.chunk_rows) return WEFT_ENOMEM;
    new_tall.chunks = wf_calloc(chunk_count, sizeof *new_tall.chunks, err);
    if (!new_tall.chunks) {
        free(new_tall.chunk_rows);
        return WEFT_ENOMEM;
    }
    *tall = new_tall;
    return WEFT_OK;
}

weft_status weft_tall_init(weft_tall *tall, int64_t rows, int64_t cols, int64_t chunk_rows, weft_error *err)
{
    weft_status status = check_extents(rows, cols, err);
    if (status != WEFT_OK) return status;
    if (rows < cols)
        return weft_fail(err, WEFT_ESHAPE, "%lld rows are fewer than the %lld columns; transpose the matrix, or give more rows",
                         (long long)rows, (long long)cols);
    if (chunk_rows < 1)
        return weft_fail(err, WEFT_EINVAL, "chunks of %lld rows cannot be made; use at least %lld", (long long)chunk_rows, (long long)cols);
    if (chunk_rows < cols)
        return weft_fail(err, WEFT_ESHAPE, "chunks of %lld rows are shorter than the %lld columns; use at least %lld rows",
                         (long long)chunk_rows, (long long)cols, (long long)cols);
    int64_t whole = rows / chunk_rows, rest = rows % chunk_rows, count = whole + (rest >= cols || whole == 0);
    status = allocate(tall, rows, cols, (size_t)count, err);
    if (status != WEFT_OK) return status;
    for (int64_t i = 0; i < count; i++) tall->chunk_rows[i] = i < count - 1 ? chunk_rows : rows - (count - 1) * chunk_rows;
    return WEFT_OK;
}

int64_t weft_tall_default_chunk_rows(int64_t cols)
{
    if (cols < 1) cols = 1;
    if (cols > WF_MAX_COLS) cols = WF_MAX_COLS; /* refused anyway */
    int64_t rows = DEFAULT_CHUNK_BYTES / (int64_t)sizeof(double) / cols;
    return rows > 2 * cols ? rows : 2 * cols; /* nearly square chunks cost twice the flops */
}

void weft_tall_fini(weft_tall *tall)
{
    free(tall->chunk_rows);
    free(tall->chunks);
    *tall = (weft_tall){0};
}

weft_status weft_tall_init_like(weft_tall *tall, const weft_tall *x, int64_t cols, weft_error *err)
{
    weft_status status = check_extents(x->rows, cols, err);
    if (status == WEFT_OK) status = allocate(tall, x->rows, cols, x->chunk_count, err);
    if (status == WEFT_OK) memcpy(tall->chunk_rows, x->chunk_rows, x->chunk_count * sizeof *x->chunk_rows);
    return status;
}

weft_status wf_tall_check(const weft_tall *x, int64_t min_rows, weft_error *err)
{
    weft_status status = check_extents(x->rows, x->cols, err);
    if (status != WEFT_OK) return status;
    int64_t rows = 0;
    for (size_t i = 0; i < x->chunk_count; i++) {
        if (x->chunk_rows[i] < min_rows)
            return weft_fail(err, WEFT_ESHAPE, "chunk %zu has %lld rows, needs at least %lld; use longer chunks", i,
                             (long long)x->chunk_rows[i], (long long)min_rows);
        if (x->chunk_rows[i] > x->rows - rows) break;
        rows += x->chunk_rows[i];
    }
    if (rows != x->rows)
        return weft_fail(err, WEFT_ESHAPE, "the %zu chunks do not add up to the %lld rows; correct chunk_rows", x->chunk_count,
                         (long long)x->rows);
    return WEFT_OK;
}

const double *wf_task_matrix(const weft_task *task, size_t index, int64_t rows, int64_t cols, weft_error *err)
{
    const weft_chunk *chunk = weft_task_input(task, index);
    if (weft_chunk_dtype(chunk) == WEFT_F64 && weft_chunk_extent(chunk, 0) == rows && weft_chunk_extent(chunk, 1) == cols &&
        weft_chunk_dim_count(chunk) <= 2)
        return weft_chunk_data(chunk);
    weft_fail(err, WEFT_ESHAPE, "input %zu is %s, (%lld, %lld); the graph was built for f64, (%lld, %lld)", index,
              weft_dtype_name(weft_chunk_dtype(chunk)), (long long)weft_chunk_extent(chunk, 0), (long long)weft_chunk_extent(chunk, 1),
              (long long)rows, (long long)cols);
    return NULL;
}

double *wf_task_create_vector(weft_task *task, size_t index, int64_t count, weft_error *err)
{
    return weft_task_create_output(task, index, WEFT_F64, 1, &count, err);
}

double *wf_task_create_matrix(weft_task *task, size_t index, int64_t rows, int64_t cols, weft_error *err)
{
    const int64_t extents[2] = {rows, cols};
    return weft_task_create_output(task, index, WEFT_F64, 2, extents, err);
}
