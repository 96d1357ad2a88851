/* Matrices of random numbers: one task per chunk, without inputs. */
#include <stdio.h>

#include <weft/linalg.h>

#include "array/tall.h"
#include "graph/graph.h"
#include "linalg/uniform.h"

/* What a random element costs in the unit of the other tasks' costs, floating-point operations of a matrix product. */
static const double COST_PER_ELEMENT = 50.0;

typedef struct random_params {
    uint64_t seed;
    int64_t first_row, rows, cols;
} random_params;

WEFT_KERNEL(wf_random_uniform)
{
    const random_params *p = weft_task_params(task, NULL);
    double *out = wf_task_create_matrix(task, 0, p->rows, p->cols, err);
    if (!out) return err->status;
    wf_uniform_fill(out, p->first_row, p->rows, p->cols, p->seed);
    return WEFT_OK;
}

static weft_status add_chunks(weft_graph *graph, uint64_t seed, weft_tall *tall, weft_error *err)
{
    random_params params = {.seed = seed, .cols = tall->cols};
    for (size_t i = 0; i < tall->chunk_count; i++) {
        char key[48];
        snprintf(key, sizeof key, "random-%zu", i);
        params.rows = tall->chunk_rows[i];
        size_t bytes = (size_t)params.rows * (size_t)params.cols * sizeof(double);
        weft_task_spec spec = wf_task_spec_make(&wf_random_uniform_kernel, NULL, 0, &params, sizeof params);
        spec.output_bytes = &bytes;
        spec.cost = COST_PER_ELEMENT * (double)params.rows * (double)params.cols;
        spec.key = key;
        weft_status status = weft_graph_add(graph, &spec, &tall->chunks[i], err);
        if (status != WEFT_OK) return status;
        params.first_row += params.rows;
    }
    return WEFT_OK;
}

weft_status weft_random_uniform(weft_graph *graph, int64_t rows, int64_t cols, int64_t chunk_rows, uint64_t seed, weft_tall *tall,
                                weft_error *err)
{
    weft_tall new_tall;
    weft_status status = weft_tall_init(&new_tall, rows, cols, chunk_rows, err);
    if (status != WEFT_OK) return status;
    status = add_chunks(graph, seed, &new_tall, err);
    if (status == WEFT_OK)
        *tall = new_tall;
    else
        weft_tall_fini(&new_tall);
    return status;
}
