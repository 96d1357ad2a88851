/* Arrays cut into chunks, and files of numbers that they are read from and written to.
 *
 * A file is looked at once, by the client; the tasks that read or write its rows run on any rank, which must reach the file under the same
 * name. Numbers come in as f64 whatever the file holds.
 */
#ifndef WEFT_ARRAY_H
#define WEFT_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include <weft/chunk.h>
#include <weft/graph.h>
#include <weft/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A matrix cut by rows: chunk i is f64, (chunk_rows[i], cols). The refs belong to one graph. */
typedef struct weft_tall {
    int64_t rows;
    int64_t cols;
    size_t chunk_count;
    int64_t *chunk_rows; /* sums to rows */
    weft_ref *chunks;
} weft_tall;

/* Cuts a matrix into chunks of chunk_rows rows; a rest with fewer rows than columns goes to the chunk before it. The refs are zero, for
 * the caller to fill.
 *
 * Owns:     *tall holds new arrays, weft_tall_fini frees them.
 * Errors:   WEFT_EINVAL rows, cols or chunk_rows below 1, or cols above 30,000; WEFT_ESHAPE fewer rows than columns, in the matrix or in
 *           a chunk; WEFT_ENOMEM.
 */
WEFT_API weft_status weft_tall_init(weft_tall *tall, int64_t rows, int64_t cols, int64_t chunk_rows, weft_error *err);
/* The same cut as x's, for a matrix of other columns.
 * Owns: *tall holds new arrays, weft_tall_fini frees them. Errors: WEFT_EINVAL cols below 1 or above 30,000; WEFT_ENOMEM. */
WEFT_API weft_status weft_tall_init_like(weft_tall *tall, const weft_tall *x, int64_t cols, weft_error *err);
/* Frees the arrays; what the refs stand for stays. A zeroed or finished tall is allowed. */
WEFT_API void weft_tall_fini(weft_tall *tall);

/* Rows of a chunk of about 8 MiB, and at least twice the columns: a good cut where nothing better is known. */
WEFT_API int64_t weft_tall_default_chunk_rows(int64_t cols);

/* ---- reading ---- */

/* A matrix in a file: .csv, or .npy with float32 or float64 of one or two dimensions in either order. */
typedef struct weft_matrix_source weft_matrix_source;

typedef struct weft_matrix_source_options {
    size_t size_bytes;  /* sizeof(weft_matrix_source_options): set by WEFT_MATRIX_SOURCE_OPTIONS_INIT */
    int64_t skip_lines; /* of a .csv file, at its beginning, whatever they hold */
    char delimiter;     /* of a .csv file; 0: a comma */
} weft_matrix_source_options;

#define WEFT_MATRIX_SOURCE_OPTIONS_INIT {.size_bytes = sizeof(weft_matrix_source_options)}

/* Looks at a file. A name that ends in .csv, in any case, is text; anything else must be .npy.
 *
 * Owns:     *source is new, caller destroys. options may be NULL.
 * Errors:   WEFT_EINVAL an option out of range, or one of .csv given with .npy; WEFT_EIO missing or unreadable; WEFT_EDATA malformed,
 *           truncated or empty, with file and line; WEFT_EUNSUPPORTED another type; WEFT_ESHAPE other dimensions; WEFT_ENOMEM.
 * Cost:     of .csv one pass over the file, which counts rows and columns; of .npy its header.
 */
WEFT_API weft_status weft_matrix_source_open(const char *path, const weft_matrix_source_options *options, weft_matrix_source **source,
                                             weft_error *err);
/* NULL is allowed. What reads from the file goes on. */
WEFT_API void weft_matrix_source_destroy(weft_matrix_source *source);

WEFT_API int64_t weft_matrix_source_rows(const weft_matrix_source *source);
WEFT_API int64_t weft_matrix_source_cols(const weft_matrix_source *source);

/* Adds one task per chunk, which reads its own rows where it runs.
 *
 * Shapes:   tall (rows, cols), cut as by weft_tall_init.
 * Owns:     *tall holds new arrays, weft_tall_fini frees them; source may be destroyed at once.
 * Errors:   as weft_tall_init and weft_graph_add. When run: WEFT_EDATA text, NaN or infinity in the data, with file, row and column, or a
 *           file that changed; WEFT_EIO; WEFT_ENOMEM.
 */
WEFT_API weft_status weft_tall_read(weft_graph *graph, const weft_matrix_source *source, int64_t chunk_rows, weft_tall *tall,
                                    weft_error *err);

/* ---- writing ---- */

/* An .npy file of f64 that is being written. It grows under a temporary name beside its own, which it gets when it is committed; until
 * then a file that bore the name stays as it was. */
typedef struct weft_matrix_sink weft_matrix_sink;

/* Creates the temporary file with all of its bytes reserved, so that a full disk is found before any work.
 *
 * Shapes:   (extents[0], ..., extents[dim_count - 1]), C order.
 * Owns:     *sink is new, caller destroys.
 * Errors:   WEFT_EIO no such folder, no permission, no space, or path is a folder: then nothing is left behind; WEFT_EINVAL dimensions;
 *           WEFT_ENOMEM.
 */
WEFT_API weft_status weft_matrix_sink_create(const char *path, int dim_count, const int64_t *extents, weft_matrix_sink **sink,
                                             weft_error *err);
/* Removes the temporary file unless it was committed. NULL is allowed. */
WEFT_API void weft_matrix_sink_destroy(weft_matrix_sink *sink);

/* Adds one task per chunk, which writes its rows where it runs: where the chunk is.
 *
 * Owns:     written[0..tall->chunk_count) are set: one empty chunk each, as roots to compute.
 * Errors:   WEFT_EINVAL a committed sink; WEFT_ESHAPE the file has another shape; WEFT_ENOMEM; else as weft_graph_add. When run:
 *           WEFT_EIO; WEFT_ESHAPE a chunk of another shape than tall says.
 * The sink must outlive the computing.
 */
WEFT_API weft_status weft_tall_write(weft_graph *graph, const weft_tall *tall, const weft_matrix_sink *sink, weft_ref *written,
                                     weft_error *err);
/* Writes the whole of the file from a chunk that the client has.
 * Errors: WEFT_EINVAL a committed sink; WEFT_ESHAPE another shape or type; WEFT_EIO. */
WEFT_API weft_status weft_matrix_sink_write(weft_matrix_sink *sink, const weft_chunk *chunk, weft_error *err);

/* Gives a complete file its name, replacing what bore it: once, the sink is committed then, and only to be destroyed. On failure the
 * temporary file is removed, and the sink counts as committed too. Errors: WEFT_EINVAL a committed sink; WEFT_EIO. */
WEFT_API weft_status weft_matrix_sink_commit(weft_matrix_sink *sink, weft_error *err);

#ifdef __cplusplus
}
#endif

#endif
