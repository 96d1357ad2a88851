/* Builds the check of a decomposition: a measure per chunk, their sum, and what it says. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/linalg.h>

#include "array/tall.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "linalg/sum_tree.h"
#include "linalg/svd_residual.h"

typedef struct check_params {
    int64_t rows, cols, k;
} check_params;

WEFT_KERNEL(wf_svd_measure)
{
    const check_params *p = weft_task_params(task, NULL);
    const double *x = wf_task_matrix(task, 0, p->rows, p->cols, err);
    const double *u = x ? wf_task_matrix(task, 1, p->rows, p->k, err) : NULL;
    const double *s = u ? wf_task_matrix(task, 2, p->k, 1, err) : NULL;
    const double *v = s ? wf_task_matrix(task, 3, p->cols, p->k, err) : NULL;
    double *measure = v ? wf_task_create_vector(task, 0, (int64_t)wf_svd_measure_count(p->k), err) : NULL;
    void *scratch = measure ? weft_task_scratch(task, wf_svd_residual_scratch_bytes(p->cols, p->k), err) : NULL;
    if (!scratch) return err->status;
    wf_svd_measure(p->rows, p->cols, p->k, x, u, s, v, measure, scratch);
    return WEFT_OK;
}

WEFT_KERNEL(wf_svd_judge)
{
    const check_params *p = weft_task_params(task, NULL);
    int64_t count = (int64_t)wf_svd_measure_count(p->k);
    double *residual = wf_task_create_vector(task, 0, 1, err);
    double *orthogonality = residual ? wf_task_create_vector(task, 1, 1, err) : NULL;
    double *total = orthogonality ? weft_task_scratch(task, (size_t)count * sizeof *total, err) : NULL;
    if (!total) return err->status;
    weft_status status = wf_task_sum_inputs(task, count, total, err);
    if (status == WEFT_OK) wf_svd_judge(p->k, total, residual, orthogonality);
    return status;
}

static weft_status check_cuts(const weft_tall *x, const weft_tall *u, weft_error *err)
{
    weft_status status = wf_tall_check(x, 1, err);
    if (status == WEFT_OK) status = wf_tall_check(u, 1, err);
    if (status != WEFT_OK) return status;
    if (u->chunk_count != x->chunk_count || u->cols > x->cols)
        return weft_fail(err, WEFT_ESHAPE, "u, %lld columns in %zu chunks, does not fit x, %lld columns in %zu chunks; cut u like x",
                         (long long)u->cols, u->chunk_count, (long long)x->cols, x->chunk_count);
    for (size_t i = 0; i < x->chunk_count; i++) {
        if (u->chunk_rows[i] != x->chunk_rows[i])
            return weft_fail(err, WEFT_ESHAPE, "chunk %zu has %lld rows in u and %lld in x; cut u like x", i, (long long)u->chunk_rows[i],
                             (long long)x->chunk_rows[i]);
    }
    return WEFT_OK;
}

static weft_status add_measures(weft_graph *graph, const weft_tall *x, const weft_tall *u, const weft_ref sv[2], weft_ref *measures,
                                weft_error *err)
{
    const size_t bytes = wf_svd_measure_count(u->cols) * sizeof(double);
    for (size_t i = 0; i < x->chunk_count; i++) {
        const check_params params = {.rows = x->chunk_rows[i], .cols = x->cols, .k = u->cols};
        const weft_ref inputs[4] = {x->chunks[i], u->chunks[i], sv[0], sv[1]};
        char key[48];
        snprintf(key, sizeof key, "check-%zu", i);
        weft_task_spec spec = wf_task_spec_make(&wf_svd_measure_kernel, inputs, 4, &params, sizeof params);
        spec.output_bytes = &bytes;
        spec.cost = 3.0 * (double)params.rows * (double)params.cols * (double)params.k;
        spec.key = key;
        weft_status status = weft_graph_add(graph, &spec, &measures[i], err);
        if (status != WEFT_OK) return status;
    }
    return WEFT_OK;
}

weft_status weft_svd_check(weft_graph *graph, const weft_tall *x, const weft_tall *u, weft_ref s, weft_ref v, weft_ref *residual,
                           weft_ref *orthogonality, weft_error *err)
{
    weft_status status = check_cuts(x, u, err);
    if (status != WEFT_OK) return status;
    size_t count = x->chunk_count;
    weft_ref *measures = wf_calloc(count, sizeof *measures, err), judged;
    if (!measures) return WEFT_ENOMEM;
    status = add_measures(graph, x, u, (const weft_ref[2]){s, v}, measures, err);
    if (status != WEFT_OK) goto out;
    status = wf_sum_tree_add(graph, measures, &count, (int64_t)wf_svd_measure_count(u->cols), "sum-check", err);
    if (status != WEFT_OK) goto out;
    const check_params params = {.rows = x->rows, .cols = x->cols, .k = u->cols};
    weft_task_spec spec = wf_task_spec_make(&wf_svd_judge_kernel, measures, count, &params, sizeof params);
    spec.output_count = 2;
    spec.key = "check";
    status = weft_graph_add(graph, &spec, &judged, err);
    if (status != WEFT_OK) goto out;
    *residual = judged;
    *orthogonality = weft_output(judged, 1);
out:
    free(measures);
    return status;
}
