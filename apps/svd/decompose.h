/* The decomposition: its graph, run once; U stays on the ranks, S and V come to the client. */
#ifndef SVD_DECOMPOSE_H
#define SVD_DECOMPOSE_H

#include "matrix.h"

typedef struct svd_decomposition {
    size_t task_count;
    weft_tall cut;        /* of X, and so of U; its refs mean nothing any more */
    weft_future **u;      /* one per chunk; NULL with --values-only */
    weft_future *s, *v;   /* v NULL with --values-only */
    weft_chunk *s_values; /* (k) */
    weft_chunk *v_values; /* (n, k); NULL with --values-only */
    double build_seconds, compute_seconds;
} svd_decomposition;

/* Builds the graph, draws it if asked for, and computes.
 *
 * Owns:     *made is new, svd_decomposition_fini releases it and what it keeps on the ranks.
 * Errors:   those of the graph's functions and of its tasks.
 */
weft_status svd_decompose(const svd_matrix *matrix, weft_session *session, svd_decomposition *made, weft_error *err);
void svd_decomposition_fini(svd_decomposition *made);

/* Makes the kept U an input of another graph. Owns: *u holds new arrays, weft_tall_fini frees them. */
weft_status svd_decomposition_add_u(const svd_decomposition *made, weft_graph *graph, weft_tall *u, weft_error *err);

/* Seconds of a clock that never goes back. */
double svd_clock_seconds(void);

#endif
