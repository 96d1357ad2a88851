/* The tasks of the tall-skinny SVD: their parameters and the order of their inputs and outputs. n columns, k components.
 *
 *     kernel        inputs                       outputs
 *     qr_leaf       chunk                        R, V in the chunk's place, tau
 *     qr_leaf_r     chunk                        R
 *     qr_merge      R of every child             R, V, tau
 *     qr_merge_r    R of every child             R
 *     svd_root      R                            s, v, C
 *     svd_root_s    R                            s
 *     qr_split      V, tau of a merge, C         C of every child
 *     qr_apply      V, tau of a leaf, C          rows of U, in V's place when k == n
 *
 * R is a triangle (n, n), column-major; C (n, k) is what a node's Q is applied to, row-major.
 */
#ifndef WF_LINALG_SVD_KERNELS_H
#define WF_LINALG_SVD_KERNELS_H

#include <stdint.h>

#include <weft/kernel.h>

enum { WF_LEAF_R, WF_LEAF_V, WF_LEAF_TAU, WF_LEAF_OUTPUTS };  /* also of a merge */
enum { WF_ROOT_S, WF_ROOT_V, WF_ROOT_C, WF_ROOT_OUTPUTS };

typedef struct wf_svd_params {
    int64_t rows;      /* of the chunk; unused above the leaves */
    int64_t cols;
    int64_t leaf_rows; /* of the leaves' blocks */
    int64_t k;
    int64_t children;  /* of a split */
} wf_svd_params;

extern const weft_kernel wf_qr_leaf_kernel, wf_qr_leaf_r_kernel, wf_qr_merge_kernel, wf_qr_merge_r_kernel;
extern const weft_kernel wf_svd_root_kernel, wf_svd_root_s_kernel, wf_qr_split_kernel, wf_qr_apply_kernel;

#endif
