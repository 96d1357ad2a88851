/* Centering: sums of the columns per chunk, a tree, the mean, and the mean off every chunk. */
#include <stdio.h>

#include <weft/linalg.h>

#include "array/tall.h"
#include "graph/graph.h"
#include "linalg/columns.h"
#include "linalg/sum_tree.h"

typedef struct center_params {
    int64_t rows; /* of the chunk; of the whole matrix for the mean */
    int64_t cols;
} center_params;

WEFT_KERNEL(wf_column_sums)
{
    const center_params *p = weft_task_params(task, NULL);
    const double *chunk = wf_task_matrix(task, 0, p->rows, p->cols, err);
    double *sums = chunk ? wf_task_create_vector(task, 0, p->cols, err) : NULL;
    double *scratch = sums ? weft_task_scratch(task, (size_t)p->cols * sizeof *scratch, err) : NULL;
    if (!scratch) return err->status;
    wf_columns_sum(chunk, p->rows, p->cols, sums, scratch);
    return WEFT_OK;
}

WEFT_KERNEL(wf_column_means)
{
    const center_params *p = weft_task_params(task, NULL);
    double *means = wf_task_create_vector(task, 0, p->cols, err);
    if (!means) return err->status;
    weft_status status = wf_task_sum_inputs(task, p->cols, means, err);
    for (int64_t j = 0; status == WEFT_OK && j < p->cols; j++) means[j] /= (double)p->rows;
    return status;
}

WEFT_KERNEL(wf_subtract_row)
{
    const center_params *p = weft_task_params(task, NULL);
    if (!wf_task_matrix(task, 0, p->rows, p->cols, err)) return err->status;
    const double *means = wf_task_matrix(task, 1, p->cols, 1, err);
    double *chunk = means ? weft_task_reuse_input(task, 0, 0, err) : NULL;
    if (!chunk) return err->status;
    wf_columns_subtract(chunk, p->rows, p->cols, means);
    return WEFT_OK;
}

/* A pass over memory, as operations of a matrix product. */
static double pass_cost(const center_params *params)
{
    return 30.0 * (double)params->rows * (double)params->cols;
}

static weft_status add_means(weft_graph *graph, const weft_tall *x, weft_ref *refs, weft_ref *means, weft_error *err)
{
    size_t bytes = (size_t)x->cols * sizeof(double), count = x->chunk_count;
    for (size_t i = 0; i < x->chunk_count; i++) {
        const center_params params = {.rows = x->chunk_rows[i], .cols = x->cols};
        char key[48];
        snprintf(key, sizeof key, "column-sums-%zu", i);
        weft_task_spec spec = wf_task_spec_make(&wf_column_sums_kernel, &x->chunks[i], 1, &params, sizeof params);
        spec.output_bytes = &bytes;
        spec.cost = pass_cost(&params);
        spec.key = key;
        weft_status status = weft_graph_add(graph, &spec, &refs[i], err);
        if (status != WEFT_OK) return status;
    }
    weft_status status = wf_sum_tree_add(graph, refs, &count, x->cols, "sum-columns", err);
    if (status != WEFT_OK) return status;
    const center_params params = {.rows = x->rows, .cols = x->cols};
    weft_task_spec spec = wf_task_spec_make(&wf_column_means_kernel, refs, count, &params, sizeof params);
    spec.output_bytes = &bytes;
    spec.cost = (double)x->cols * (double)count;
    spec.key = "column-means";
    return weft_graph_add(graph, &spec, means, err);
}

static weft_status add_differences(weft_graph *graph, const weft_tall *x, weft_ref means, weft_ref *chunks, weft_error *err)
{
    for (size_t i = 0; i < x->chunk_count; i++) {
        const center_params params = {.rows = x->chunk_rows[i], .cols = x->cols};
        const weft_ref inputs[2] = {x->chunks[i], means};
        size_t bytes = (size_t)params.rows * (size_t)params.cols * sizeof(double);
        char key[48];
        snprintf(key, sizeof key, "center-%zu", i);
        weft_task_spec spec = wf_task_spec_make(&wf_subtract_row_kernel, inputs, 2, &params, sizeof params);
        spec.output_bytes = &bytes;
        spec.cost = pass_cost(&params);
        spec.key = key;
        weft_status status = weft_graph_add(graph, &spec, &chunks[i], err);
        if (status != WEFT_OK) return status;
    }
    return WEFT_OK;
}

weft_status weft_center_columns(weft_graph *graph, const weft_tall *x, weft_tall *centered, weft_error *err)
{
    weft_tall new_tall = {0};
    weft_ref means;
    weft_status status = wf_tall_check(x, 1, err);
    if (status != WEFT_OK) return status;
    status = weft_tall_init_like(&new_tall, x, x->cols, err);
    if (status != WEFT_OK) return status;
    status = add_means(graph, x, new_tall.chunks, &means, err); /* the new refs' place serves for the sums first */
    if (status == WEFT_OK) status = add_differences(graph, x, means, new_tall.chunks, err);
    if (status == WEFT_OK)
        *centered = new_tall;
    else
        weft_tall_fini(&new_tall);
    return status;
}
