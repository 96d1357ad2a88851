/* QR of a chunk of rows as a flat tree of blocks that fit the L2 cache, and its orthogonal factor applied. Any thread; nothing is
 * allocated: scratch, 64-byte aligned, comes from the caller.
 *
 * A chunk is (rows, cols), row-major, rows >= cols. It is cut into blocks of at most leaf_rows rows, nearly equal and none with fewer
 * rows than columns; the cut, and so every bit, depends on the shape alone.
 */
#ifndef WF_LINALG_CHUNK_QR_H
#define WF_LINALG_CHUNK_QR_H

#include <stddef.h>
#include <stdint.h>

typedef struct wf_chunk_shape {
    int64_t rows;
    int64_t cols;
    int64_t leaf_rows; /* a block's rows at most, as long as that is at least cols */
} wf_chunk_shape;

int64_t wf_chunk_qr_block_count(const wf_chunk_shape *shape);

size_t wf_chunk_qr_scratch_bytes(const wf_chunk_shape *shape);

/* r (cols, cols), column-major, gets the triangle with zeros below. v (rows, cols) and tau (block count, cols) get the orthogonal factor,
 * each block's V column-major where the block was; v may be the chunk itself. v == NULL: only r is computed; tau is then unused. */
void wf_chunk_qr(const wf_chunk_shape *shape, const double *chunk, double *v, double *tau, double *r, void *scratch);

size_t wf_chunk_q_scratch_bytes(const wf_chunk_shape *shape, int64_t k);

/* u (rows, k) = Q c, c (cols, k), k <= cols; both row-major. u may be v itself when k == cols. */
void wf_chunk_q_apply(const wf_chunk_shape *shape, const double *v, const double *tau, const double *c, int64_t k, double *u,
                      void *scratch);

#endif
