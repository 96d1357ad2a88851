/* Singular value decomposition of a small square matrix, with signs fixed by rule. Any thread; nothing is allocated. */
#ifndef WF_LINALG_SMALL_SVD_H
#define WF_LINALG_SMALL_SVD_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

size_t wf_small_svd_scratch_bytes(int64_t n);

/* a = u diag(s) v^T, the k largest singular values and their vectors.
 *
 * Shapes:   a (n, n), column-major; s (k), descending; u (n, k) and v (n, k), row-major. u == v == NULL: values only.
 * Signs:    a pair of vectors is flipped when the sum of its right one's elements is negative (the svd_flip rule, decided by v).
 * Errors:   WEFT_EDATA a holds NaN or infinity; WEFT_EKERNEL LAPACK did not converge. s, u, v are then undefined.
 */
weft_status wf_small_svd(int64_t n, int64_t k, const double *a, double *s, double *u, double *v, void *scratch, weft_error *err);

#endif
