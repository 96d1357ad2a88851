/* One triangle after the other is stacked under what the ones before it came to, in the order given: the bits depend on that order and
 * on nothing else. Any thread. */
#include "linalg/merge_qr.h"

#include <stdbool.h>
#include <string.h>

#include "linalg/block_qr.h"

size_t wf_merge_qr_scratch_bytes(int64_t cols)
{
    return ((size_t)(cols * cols) + wf_block_qr_scratch_count((int)cols) + (size_t)cols) * sizeof(double);
}

void wf_merge_qr(int64_t cols, int64_t count, const double *const *triangles, double *v, double *tau, double *r, void *scratch)
{
    int64_t square = cols * cols;
    double *unwanted_v = scratch, *work = unwanted_v + square, *unwanted_tau = work + wf_block_qr_scratch_count((int)cols);
    memcpy(r, triangles[0], (size_t)square * sizeof *r);
    for (int64_t i = 1; i < count; i++) {
        double *node_v = v ? v + (i - 1) * square : unwanted_v;
        memcpy(node_v, triangles[i], (size_t)square * sizeof *node_v);
        wf_block_qr_stacked((int)cols, (int)cols, true, node_v, (int)cols, r, v ? tau + (i - 1) * cols : unwanted_tau, work);
    }
}

size_t wf_merge_q_scratch_bytes(int64_t cols, int64_t k)
{
    return wf_block_q_scratch_count((int)cols, (int)k) * sizeof(double);
}

void wf_merge_q_apply(int64_t cols, int64_t count, const double *v, const double *tau, const double *c, int64_t k, double *const *parts,
                      void *scratch)
{
    memcpy(parts[0], c, (size_t)(cols * k) * sizeof *c);
    for (int64_t i = count - 1; i > 0; i--) {
        wf_block_q q = {.rows = (int)cols,
                        .cols = (int)cols,
                        .ld = (int)cols,
                        .v = v + (i - 1) * cols * cols,
                        .tau = tau + (i - 1) * cols};
        wf_block_q_apply_stacked(&q, (int)k, parts[0], parts[i], scratch);
    }
}
