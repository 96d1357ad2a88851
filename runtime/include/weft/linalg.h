/* Linear algebra on tall matrices, as tasks added to a graph. Nothing runs while a graph is built.
 *
 * Same bits: the results depend on the data, the chunks and the options alone, not on ranks, threads or where a task ran. (Machines whose
 * BLAS picks other kernels may differ in the last digits; the random numbers are the same everywhere.)
 */
#ifndef WEFT_LINALG_H
#define WEFT_LINALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/array.h>
#include <weft/graph.h>
#include <weft/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A matrix of random numbers, uniform in [0, 1) in steps of 2^-53.
 *
 * Shapes:   tall (rows, cols), cut as by weft_tall_init. An element depends on seed, row and column, not on the cut.
 * Owns:     *tall holds new arrays, weft_tall_fini frees them.
 * Errors:   as weft_tall_init and weft_graph_add.
 * Cost:     one task per chunk; about 1.2 ns per element on a machine with AVX-512.
 * Source:   Threefry-2x64: Salmon, Moraes, Dror, Shaw, SC11.
 */
WEFT_API weft_status weft_random_uniform(weft_graph *graph, int64_t rows, int64_t cols, int64_t chunk_rows, uint64_t seed,
                                         weft_tall *tall, weft_error *err);

/* Takes every column's mean off the column, in place where nobody else needs x.
 *
 * Shapes:   x (m, n), any chunks; centered has x's chunks.
 * Owns:     *centered holds new arrays, weft_tall_fini frees them.
 * Errors:   WEFT_EINVAL or WEFT_ESHAPE x is not a valid cut; else as weft_graph_add.
 * Cost:     two passes over the data, and a tree of vectors with a fan-in of 8.
 */
WEFT_API weft_status weft_center_columns(weft_graph *graph, const weft_tall *x, weft_tall *centered, weft_error *err);

typedef struct weft_svd_options {
    size_t size_bytes;   /* sizeof(weft_svd_options): set by WEFT_SVD_OPTIONS_INIT */
    int64_t components;  /* singular triplets wanted, the largest; 0: all */
    bool values_only;    /* singular values without vectors */
    int64_t leaf_rows;   /* rows that are factored at a time, see weft_svd_leaf_rows; 0: what suits an L2 cache of 1 MiB */
    int fan_in;          /* triangles merged at a time, 2 to WEFT_MAX_OUTPUTS; 0: 4 */
} weft_svd_options;

#define WEFT_SVD_OPTIONS_INIT {.size_bytes = sizeof(weft_svd_options)}

/* The leaf_rows that suits a core with an L2 cache of so many bytes. The results' bits depend on leaf_rows: choose it once per run. */
WEFT_API int64_t weft_svd_leaf_rows(size_t l2_bytes, int64_t cols);

/* x = u diag(s) v^T; u, s, v are f64, row-major. */
typedef struct weft_svd_refs {
    weft_tall u; /* (m, k), cut like x; empty when values_only */
    weft_ref s;  /* (k), descending */
    weft_ref v;  /* (n, k); zero when values_only */
} weft_svd_refs;

/* The thin singular value decomposition of a tall matrix, by a tree of QR factorizations.
 *
 * Shapes:   x (m, n), every chunk at least n rows; k = components, or n. Each triplet's sign is such that the elements of v's column do
 *           not add up to a negative number. U is orthonormal to rounding for any data, dependent and zero columns too.
 * Owns:     out->u holds new arrays, weft_tall_fini(&out->u) frees them. x is borrowed during the call; its chunks are overwritten in
 *           place where nobody else needs them. options may be NULL.
 * Errors:   WEFT_EINVAL an option out of range; WEFT_ESHAPE a chunk with fewer rows than columns; else as weft_graph_add. When run:
 *           WEFT_EDATA NaN or infinity in the data; WEFT_ESHAPE a chunk of another shape than x says; WEFT_EKERNEL no convergence.
 * Cost:     2 m n^2 flops for s and v, 3 m n^2 more for u; memory traffic of about six passes over x; per chunk a few messages of n^2 * 8
 *           bytes; one task of order n^3.
 * Source:   Demmel, Grigori, Hoemmen, Langou, SIAM J. Sci. Comput. 34(1), 2012.
 */
WEFT_API weft_status weft_svd_tall(weft_graph *graph, const weft_tall *x, const weft_svd_options *options, weft_svd_refs *out,
                                   weft_error *err);

/* How well u, s, v stand for x.
 *
 * Shapes:   x (m, n), a copy that the decomposition did not overwrite; u (m, k) cut like x; s (k); v (n, k). *residual and *orthogonality
 *           are f64, (1): ||x - u diag(s) v^T|| / ||x|| in the Frobenius norm (not divided when x is zero), and max |u^T u - I|.
 * Errors:   WEFT_ESHAPE u is not cut like x; else as weft_graph_add.
 * Cost:     3 m n k flops; a tree of (k, k) matrices with a fan-in of 8.
 */
WEFT_API weft_status weft_svd_check(weft_graph *graph, const weft_tall *x, const weft_tall *u, weft_ref s, weft_ref v,
                                    weft_ref *residual, weft_ref *orthogonality, weft_error *err);

#ifdef __cplusplus
}
#endif

#endif
