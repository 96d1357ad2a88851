/* Invariant: which vectors are added together, and in which order, follows from their number. */
#include "linalg/sum_tree.h"

#include <stdio.h>
#include <string.h>

#include "array/tall.h"
#include "graph/graph.h"

enum { FAN_IN = 8 };

typedef struct sum_params {
    int64_t length;
} sum_params;

weft_status wf_task_sum_inputs(const weft_task *task, int64_t length, double *total, weft_error *err)
{
    for (size_t i = 0; i < weft_task_input_count(task); i++) {
        const double *input = wf_task_matrix(task, i, length, 1, err);
        if (!input) return err->status;
        if (i == 0) memcpy(total, input, (size_t)length * sizeof *total);
        for (int64_t j = 0; i > 0 && j < length; j++) total[j] += input[j];
    }
    return WEFT_OK;
}

WEFT_KERNEL(wf_sum_vectors)
{
    const sum_params *p = weft_task_params(task, NULL);
    double *total = wf_task_create_vector(task, 0, p->length, err);
    if (!total) return err->status;
    return wf_task_sum_inputs(task, p->length, total, err);
}

static weft_status add_sum(weft_graph *graph, const weft_ref *inputs, size_t count, int64_t length, const char *key, weft_ref *sum,
                           weft_error *err)
{
    const sum_params params = {.length = length};
    size_t bytes = (size_t)length * sizeof(double);
    weft_task_spec spec = wf_task_spec_make(&wf_sum_vectors_kernel, inputs, count, &params, sizeof params);
    spec.output_bytes = &bytes;
    spec.cost = (double)length * (double)count;
    spec.key = key;
    return weft_graph_add(graph, &spec, sum, err);
}

weft_status wf_sum_tree_add(weft_graph *graph, weft_ref *refs, size_t *count, int64_t length, const char *name, weft_error *err)
{
    for (size_t level = 1; *count > FAN_IN; level++) {
        size_t sums = 0;
        for (size_t first = 0; first < *count; first += FAN_IN, sums++) {
            size_t group = *count - first < FAN_IN ? *count - first : FAN_IN;
            char key[48];
            snprintf(key, sizeof key, "%s-%zu-%zu", name, level, sums);
            weft_ref sum = refs[first];
            weft_status status = group > 1 ? add_sum(graph, refs + first, group, length, key, &sum, err) : WEFT_OK;
            if (status != WEFT_OK) return status;
            refs[sums] = sum;
        }
        *count = sums;
    }
    return WEFT_OK;
}
