/* Tall matrices inside the library: checking a caller's, and what the kernels on their chunks share. */
#ifndef WF_ARRAY_TALL_H
#define WF_ARRAY_TALL_H

#include <weft/array.h>
#include <weft/kernel.h>

/* Columns at most: squares of it must fit the 32-bit integers of BLAS and LAPACK, twice. */
enum { WF_MAX_COLS = 30000 };

/* Errors: WEFT_EINVAL no columns, no chunks, or too many columns; WEFT_ESHAPE a chunk with fewer than min_rows rows, or rows that do not
 * add up. */
weft_status wf_tall_check(const weft_tall *x, int64_t min_rows, weft_error *err);

/* A kernel's input as f64 of that shape (cols 1: a vector). NULL when it is something else, with err filled (WEFT_ESHAPE). */
const double *wf_task_matrix(const weft_task *task, size_t index, int64_t rows, int64_t cols, weft_error *err);

/* Output `index` as f64; NULL on failure, as weft_task_create_output. */
double *wf_task_create_vector(weft_task *task, size_t index, int64_t count, weft_error *err);
double *wf_task_create_matrix(weft_task *task, size_t index, int64_t rows, int64_t cols, weft_error *err);

#endif
