/* The files PREFIX_u.npy, PREFIX_s.npy and PREFIX_v.npy: all of them, or none. */
#ifndef SVD_OUTPUT_H
#define SVD_OUTPUT_H

#include "decompose.h"

enum { SVD_OUTPUT_U, SVD_OUTPUT_S, SVD_OUTPUT_V, SVD_OUTPUT_COUNT };

typedef struct svd_output {
    weft_matrix_sink *sinks[SVD_OUTPUT_COUNT]; /* NULL: not written */
    char *paths[SVD_OUTPUT_COUNT];
} svd_output;

/* Creates the files under temporary names, with their space reserved: before the computing, so that a wrong place costs nothing. With
 * --values-only there is S alone; without --output nothing.
 *
 * Owns:     *output is new; svd_output_close releases it, and removes what was not committed.
 * Errors:   those of weft_matrix_sink_create.
 */
weft_status svd_output_open(const svd_matrix *matrix, svd_output *output, weft_error *err);
/* Writes U where it lies, S and V from the client. Errors: WEFT_EIO; those of computing. */
weft_status svd_output_write(svd_output *output, const svd_decomposition *made, weft_session *session, weft_error *err);
/* Gives the files their names, U first; when one fails, those before it are removed. Errors: WEFT_EIO. */
weft_status svd_output_commit(svd_output *output, weft_error *err);
void svd_output_close(svd_output *output);

#endif
