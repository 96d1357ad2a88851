/* The matrix X: where it comes from, how it is cut, and whether the machine can hold what is asked for. */
#ifndef SVD_MATRIX_H
#define SVD_MATRIX_H

#include <weft/weft.h>

#include "command_line.h"

typedef struct svd_matrix {
    const svd_command_line *line; /* borrowed */
    weft_matrix_source *source;   /* NULL: random */
    int64_t rows, cols;
    int64_t chunk_rows;
    int64_t components;           /* never 0 */
} svd_matrix;

/* Looks at the file, if there is one, and fits the command line to what it holds.
 *
 * Owns:     *matrix is new, svd_matrix_close releases it; line must outlive it.
 * Errors:   those of weft_matrix_source_open; WEFT_EINVAL an option does not fit the matrix; WEFT_ESHAPE fewer rows than columns.
 */
weft_status svd_matrix_open(svd_matrix *matrix, const svd_command_line *line, weft_error *err);
void svd_matrix_close(svd_matrix *matrix);

/* Adds the tasks that make X, centered if asked for. Owns: *x holds new arrays, weft_tall_fini frees them. */
weft_status svd_matrix_add(const svd_matrix *matrix, weft_graph *graph, weft_tall *x, weft_error *err);

/* The rows that are factored at a time: as configured, or what suits the first core's L2 cache. */
int64_t svd_matrix_leaf_rows(const svd_matrix *matrix, const weft_session *session);

/* Whether what will be in memory at the same time fits the ranks. Errors: WEFT_ENOMEM, with both numbers. */
weft_status svd_matrix_check_memory(const svd_matrix *matrix, const weft_session *session, weft_error *err);

#endif
