/* Arrays in .npy files, numpy's format: a header and raw bytes. Rank 0 looks at a file once with wf_npy_open; the header is flat, goes to
 * every rank, and each rank reads or writes its own rows with it.
 *
 * A file that is written grows under a temporary name (array/file.h):
 *
 *     char *part = wf_file_temporary_name("out/u.npy", err);
 *     wf_npy_create(part, WEFT_F64, 2, extents, &header, err);      one rank
 *     wf_npy_write_rows(part, &header, first, count, data, err);    every rank, any order, each row once
 *     wf_file_commit(part, "out/u.npy", err);                       one rank; or wf_file_discard(part) after a failure
 *
 * Rows run along the first dimension; a 1-d array has one column. Rows and columns count from 0 in arguments and from 1 in messages.
 * Threads: safe from any thread and any process.
 */
#ifndef WF_ARRAY_NPY_H
#define WF_ARRAY_NPY_H

#include "array/npy_header.h"

/* Reads and checks a file's header.
 *
 * Errors: WEFT_EIO missing or unreadable; WEFT_EDATA no .npy file, malformed, or shorter than its header says; WEFT_EUNSUPPORTED
 *         big-endian numbers, a type other than u8 i32 i64 f32 f64, more than WEFT_MAX_DIMS dimensions, an unknown format version.
 * Bytes behind the array are ignored, as numpy does.
 */
weft_status wf_npy_open(const char *path, wf_npy_header *header, weft_error *err);

/* 1 for an array without dimensions. */
int64_t wf_npy_row_count(const wf_npy_header *header);
/* Elements of one row. */
int64_t wf_npy_col_count(const wf_npy_header *header);

/* Whether wf_npy_read_rows reads this array: f32 or f64, one or two dimensions.
 * Errors: WEFT_EUNSUPPORTED another type; WEFT_ESHAPE another number of dimensions. */
weft_status wf_npy_check_table(const char *path, const wf_npy_header *header, weft_error *err);

/* Reads rows [first_row, first_row + row_count) as f64.
 *
 * Shapes: out (row_count, col_count), row-major; what it holds after a failure is undefined.
 * Errors: those of wf_npy_check_table; WEFT_EINVAL rows outside the array; WEFT_EIO unreadable; WEFT_EDATA shorter than at wf_npy_open,
 *         or NaN or Inf in it, with row and column.
 * Cost:   f64 rows are read straight into out; f32 and Fortran order go through a buffer of 256 KiB.
 */
weft_status wf_npy_read_rows(const char *path, const wf_npy_header *header, int64_t first_row, int64_t row_count, double *out,
                             weft_error *err);

/* Creates a file of the whole size, in C order, its header written and its elements zero; the name must be free. Fills *header.
 * Errors: WEFT_EINVAL dimensions; WEFT_EIO as wf_file_create; then nothing is left behind. */
weft_status wf_npy_create(const char *path, weft_dtype dtype, int dim_count, const int64_t *extents, wf_npy_header *header,
                          weft_error *err);

/* Writes rows [first_row, first_row + row_count) of a file made by wf_npy_create. data: row-major, of the header's type.
 * Errors: WEFT_EINVAL rows outside the array; WEFT_EIO. */
weft_status wf_npy_write_rows(const char *path, const wf_npy_header *header, int64_t first_row, int64_t row_count, const void *data,
                              weft_error *err);

#endif
