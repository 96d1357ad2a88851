/* How well u diag(s) v^T stands for x, chunk by chunk. Any thread; nothing is allocated. */
#ifndef WF_LINALG_SVD_RESIDUAL_H
#define WF_LINALG_SVD_RESIDUAL_H

#include <stddef.h>
#include <stdint.h>

/* The measures of chunks add up, element by element: two sums of squares, then the Gram matrix of u. */
enum { WF_RESIDUAL_SQUARES, WF_NORM_SQUARES, WF_GRAM };

/* Doubles of one measure. */
size_t wf_svd_measure_count(int64_t k);

size_t wf_svd_residual_scratch_bytes(int64_t cols, int64_t k);

/* measure: the squares of x - u diag(s) v^T and of x, and u^T u (k, k). x (rows, cols), u (rows, k), s (k), v (cols, k); row-major. */
void wf_svd_measure(int64_t rows, int64_t cols, int64_t k, const double *x, const double *u, const double *s, const double *v,
                    double *measure, void *scratch);

/* Of the sum of all measures: the Frobenius norm of the residual relative to x's (absolute when x is zero), and max |u^T u - I|. */
void wf_svd_judge(int64_t k, const double *measure, double *residual, double *orthogonality);

#endif
