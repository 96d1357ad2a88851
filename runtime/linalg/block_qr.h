/* Householder QR of one block of rows, and its orthogonal factor applied, on plain arrays. Any thread; nothing is allocated.
 *
 * A block is column-major with leading dimension `ld`, small enough to stay in a core's L2 cache. Two kinds:
 *   first      A = Q R, the plain QR of a block with at least as many rows as columns
 *   stacked    [R; A] = Q R', a block under the triangle of the blocks before it
 * Q = I - W T W^T is kept as V (W without the identity on top that a stacked block's W has, and written out in full, ones and zeros too)
 * and the Householder factors tau. Columns that are zero or dependent are fine: Q is orthogonal whatever the data.
 */
#ifndef WF_LINALG_BLOCK_QR_H
#define WF_LINALG_BLOCK_QR_H

#include <stddef.h>

typedef struct wf_block_q {
    int rows, cols;
    int ld;            /* of v */
    const double *v;   /* (rows, cols), column-major */
    const double *tau; /* (cols) */
} wf_block_q;

/* Doubles of scratch that factoring needs. */
size_t wf_block_qr_scratch_count(int cols);

/* A (rows >= cols) becomes V; r (cols, cols), column-major, gets the triangle with zeros below; tau (cols). */
void wf_block_qr_first(int rows, int cols, double *a, int ld, double *r, double *tau, double *scratch);

/* A becomes V; r is the triangle above and becomes the new one. is_triangle: a is upper triangular and square, zeros below. */
void wf_block_qr_stacked(int rows, int cols, int is_triangle, double *a, int ld, double *r, double *tau, double *scratch);

/* Doubles of scratch that applying to k columns needs. */
size_t wf_block_q_scratch_count(int cols, int k);

/* out (rows, k) = Q [c; 0], with c (cols, k); both row-major. out must not overlap v. */
void wf_block_q_apply_first(const wf_block_q *q, int k, const double *c, double *out, double *scratch);

/* [c; out] = Q [c; 0]: c (cols, k) is overwritten with what belongs to the triangle above, out (rows, k) is the block's; row-major. */
void wf_block_q_apply_stacked(const wf_block_q *q, int k, double *c, double *out, double *scratch);

#endif
