/* The tasks of the tall-skinny SVD: inputs checked, outputs created, scratch taken, and one call of the numerics. Any pool thread. */
#include "linalg/svd_kernels.h"

#include "array/tall.h"
#include "linalg/chunk_qr.h"
#include "linalg/merge_qr.h"
#include "linalg/small_svd.h"

static wf_chunk_shape shape_of(const wf_svd_params *p)
{
    return (wf_chunk_shape){.rows = p->rows, .cols = p->cols, .leaf_rows = p->leaf_rows};
}

WEFT_KERNEL(wf_qr_leaf)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    wf_chunk_shape shape = shape_of(p);
    if (!wf_task_matrix(task, 0, p->rows, p->cols, err)) return err->status;
    double *v = weft_task_reuse_input(task, WF_LEAF_V, 0, err);
    double *r = v ? wf_task_create_matrix(task, WF_LEAF_R, p->cols, p->cols, err) : NULL;
    double *tau = r ? wf_task_create_matrix(task, WF_LEAF_TAU, wf_chunk_qr_block_count(&shape), p->cols, err) : NULL;
    void *scratch = tau ? weft_task_scratch(task, wf_chunk_qr_scratch_bytes(&shape), err) : NULL;
    if (!scratch) return err->status;
    wf_chunk_qr(&shape, v, v, tau, r, scratch);
    return WEFT_OK;
}

WEFT_KERNEL(wf_qr_leaf_r)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    wf_chunk_shape shape = shape_of(p);
    const double *chunk = wf_task_matrix(task, 0, p->rows, p->cols, err);
    double *r = chunk ? wf_task_create_matrix(task, WF_LEAF_R, p->cols, p->cols, err) : NULL;
    void *scratch = r ? weft_task_scratch(task, wf_chunk_qr_scratch_bytes(&shape), err) : NULL;
    if (!scratch) return err->status;
    wf_chunk_qr(&shape, chunk, NULL, NULL, r, scratch);
    return WEFT_OK;
}

/* v and tau are NULL where only the triangle is wanted. */
static weft_status merge(weft_task *task, int64_t cols, double *v, double *tau, weft_error *err)
{
    const double *triangles[WEFT_MAX_OUTPUTS];
    size_t count = weft_task_input_count(task);
    for (size_t i = 0; i < count; i++) {
        triangles[i] = wf_task_matrix(task, i, cols, cols, err);
        if (!triangles[i]) return err->status;
    }
    double *r = wf_task_create_matrix(task, WF_LEAF_R, cols, cols, err);
    void *scratch = r ? weft_task_scratch(task, wf_merge_qr_scratch_bytes(cols), err) : NULL;
    if (!scratch) return err->status;
    wf_merge_qr(cols, (int64_t)count, triangles, v, tau, r, scratch);
    return WEFT_OK;
}

WEFT_KERNEL(wf_qr_merge)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    int64_t stacked = (int64_t)weft_task_input_count(task) - 1;
    double *v = wf_task_create_matrix(task, WF_LEAF_V, stacked * p->cols, p->cols, err);
    double *tau = v ? wf_task_create_matrix(task, WF_LEAF_TAU, stacked, p->cols, err) : NULL;
    return tau ? merge(task, p->cols, v, tau, err) : err->status;
}

WEFT_KERNEL(wf_qr_merge_r)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    return merge(task, p->cols, NULL, NULL, err);
}

WEFT_KERNEL(wf_svd_root)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    const double *r = wf_task_matrix(task, 0, p->cols, p->cols, err);
    double *s = r ? wf_task_create_vector(task, WF_ROOT_S, p->k, err) : NULL;
    double *v = s ? wf_task_create_matrix(task, WF_ROOT_V, p->cols, p->k, err) : NULL;
    double *c = v ? wf_task_create_matrix(task, WF_ROOT_C, p->cols, p->k, err) : NULL;
    void *scratch = c ? weft_task_scratch(task, wf_small_svd_scratch_bytes(p->cols), err) : NULL;
    return scratch ? wf_small_svd(p->cols, p->k, r, s, c, v, scratch, err) : err->status;
}

WEFT_KERNEL(wf_svd_root_s)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    const double *r = wf_task_matrix(task, 0, p->cols, p->cols, err);
    double *s = r ? wf_task_create_vector(task, WF_ROOT_S, p->k, err) : NULL;
    void *scratch = s ? weft_task_scratch(task, wf_small_svd_scratch_bytes(p->cols), err) : NULL;
    return scratch ? wf_small_svd(p->cols, p->k, r, s, NULL, NULL, scratch, err) : err->status;
}

WEFT_KERNEL(wf_qr_split)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    double *parts[WEFT_MAX_OUTPUTS];
    const double *v = wf_task_matrix(task, 0, (p->children - 1) * p->cols, p->cols, err);
    const double *tau = v ? wf_task_matrix(task, 1, p->children - 1, p->cols, err) : NULL;
    const double *c = tau ? wf_task_matrix(task, 2, p->cols, p->k, err) : NULL;
    if (!c) return err->status;
    for (int64_t i = 0; i < p->children; i++) {
        parts[i] = wf_task_create_matrix(task, (size_t)i, p->cols, p->k, err);
        if (!parts[i]) return err->status;
    }
    void *scratch = weft_task_scratch(task, wf_merge_q_scratch_bytes(p->cols, p->k), err);
    if (!scratch) return err->status;
    wf_merge_q_apply(p->cols, p->children, v, tau, c, p->k, parts, scratch);
    return WEFT_OK;
}

WEFT_KERNEL(wf_qr_apply)
{
    const wf_svd_params *p = weft_task_params(task, NULL);
    wf_chunk_shape shape = shape_of(p);
    const double *v = wf_task_matrix(task, 0, p->rows, p->cols, err);
    const double *tau = v ? wf_task_matrix(task, 1, wf_chunk_qr_block_count(&shape), p->cols, err) : NULL;
    const double *c = tau ? wf_task_matrix(task, 2, p->cols, p->k, err) : NULL;
    if (!c) return err->status;
    double *u = p->k == p->cols ? weft_task_reuse_input(task, 0, 0, err) : wf_task_create_matrix(task, 0, p->rows, p->k, err);
    void *scratch = u ? weft_task_scratch(task, wf_chunk_q_scratch_bytes(&shape, p->k), err) : NULL;
    if (!scratch) return err->status;
    wf_chunk_q_apply(&shape, p->k == p->cols ? u : v, tau, c, p->k, u, scratch);
    return WEFT_OK;
}
