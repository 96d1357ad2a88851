/* A flat tree: the first block by itself, then each block stacked under the triangle so far (sequential TSQR: Demmel, Grigori, Hoemmen,
 * Langou, SIAM J. Sci. Comput. 34(1), 2012). Invariant: only one block is in work at a time, in scratch that stays in the L2 cache.
 *
 * LAPACK's routines for row-major data, the LQ ones, reach 40 % of the column-major ones' speed, so a block is transposed on its way
 * into scratch. Its V is left column-major, and the way back needs no transposition: one matrix product writes u by rows. Any thread. */
#include "linalg/chunk_qr.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "linalg/block_qr.h"

static int64_t leaf_rows(const wf_chunk_shape *shape)
{
    return shape->leaf_rows > shape->cols ? shape->leaf_rows : shape->cols;
}

int64_t wf_chunk_qr_block_count(const wf_chunk_shape *shape)
{
    assert(shape->cols > 0 && shape->rows >= shape->cols);
    int64_t leaf = leaf_rows(shape);
    int64_t wanted = shape->rows / leaf + (shape->rows % leaf != 0);
    int64_t most = shape->rows / shape->cols;
    return wanted < most ? wanted : most;
}

/* Blocks [0, rows % count) have one row more than the others. */
static int64_t block_begin(const wf_chunk_shape *shape, int64_t count, int64_t index)
{
    int64_t rest = shape->rows % count;
    return index * (shape->rows / count) + (index < rest ? index : rest);
}

static int64_t largest_block(const wf_chunk_shape *shape)
{
    int64_t count = wf_chunk_qr_block_count(shape);
    return shape->rows / count + (shape->rows % count != 0);
}

/* An odd number of cache lines, so that the columns of a block fall into different cache sets. */
static int64_t leading_dimension(int64_t rows)
{
    return ((rows + 7) / 8 | 1) * 8;
}

size_t wf_chunk_qr_scratch_bytes(const wf_chunk_shape *shape)
{
    size_t block = (size_t)leading_dimension(largest_block(shape)) * (size_t)shape->cols;
    return (block + wf_block_qr_scratch_count((int)shape->cols) + (size_t)shape->cols) * sizeof(double);
}

typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));

/* 8 rows at a time: one cache line of every column is written whole. */
static void transpose_in(const double *restrict rows, int64_t row_count, int64_t cols, double *restrict columns, int64_t ld)
{
    int64_t i = 0;
    for (; i + 8 <= row_count; i += 8) {
        const double *from = rows + i * cols;
        double *to = columns + i;
        int64_t j = 0;
        for (; j + 2 <= cols; j += 2) {
            for (int64_t l = 0; l < 8; l += 2) {
                pair upper = *(const pair *)(from + l * cols + j), lower = *(const pair *)(from + (l + 1) * cols + j);
                *(pair *)(to + j * ld + l) = __builtin_shufflevector(upper, lower, 0, 2);
                *(pair *)(to + (j + 1) * ld + l) = __builtin_shufflevector(upper, lower, 1, 3);
            }
        }
        for (; j < cols; j++) {
            for (int64_t l = 0; l < 8; l++) to[j * ld + l] = from[l * cols + j];
        }
    }
    for (; i < row_count; i++) {
        for (int64_t j = 0; j < cols; j++) columns[j * ld + i] = rows[i * cols + j];
    }
}

static void copy_columns(const double *from, int64_t ld, int64_t rows, int64_t cols, double *to)
{
    for (int64_t j = 0; j < cols; j++) memcpy(to + j * rows, from + j * ld, (size_t)rows * sizeof *to);
}

void wf_chunk_qr(const wf_chunk_shape *shape, const double *chunk, double *v, double *tau, double *r, void *scratch)
{
    int64_t cols = shape->cols, count = wf_chunk_qr_block_count(shape), ld = leading_dimension(largest_block(shape));
    double *block = scratch, *work = block + ld * cols, *unwanted_tau = work + wf_block_qr_scratch_count((int)cols);
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = block_begin(shape, count, i), rows = block_begin(shape, count, i + 1) - begin;
        double *block_tau = v ? tau + i * cols : unwanted_tau;
        transpose_in(chunk + begin * cols, rows, cols, block, ld);
        if (i == 0)
            wf_block_qr_first((int)rows, (int)cols, block, (int)ld, r, block_tau, work);
        else
            wf_block_qr_stacked((int)rows, (int)cols, false, block, (int)ld, r, block_tau, work);
        if (v) copy_columns(block, ld, rows, cols, v + begin * cols);
    }
}

size_t wf_chunk_q_scratch_bytes(const wf_chunk_shape *shape, int64_t k)
{
    size_t block = (size_t)largest_block(shape) * (size_t)shape->cols, c = (size_t)shape->cols * (size_t)k;
    return (block + c + wf_block_q_scratch_count((int)shape->cols, (int)k)) * sizeof(double);
}

void wf_chunk_q_apply(const wf_chunk_shape *shape, const double *v, const double *tau, const double *c, int64_t k, double *u, void *scratch)
{
    assert(k > 0 && k <= shape->cols && (u != v || k == shape->cols));
    int64_t cols = shape->cols, count = wf_chunk_qr_block_count(shape);
    double *block = scratch, *rest = block + largest_block(shape) * cols, *work = rest + cols * k;
    memcpy(rest, c, (size_t)(cols * k) * sizeof *rest);
    for (int64_t i = count; i-- > 0;) {
        int64_t begin = block_begin(shape, count, i), rows = block_begin(shape, count, i + 1) - begin;
        wf_block_q q = {.rows = (int)rows, .cols = (int)cols, .ld = (int)rows, .v = v + begin * cols, .tau = tau + i * cols};
        if (u == v) { /* what is read must not be overwritten: the product reads a copy */
            memcpy(block, q.v, (size_t)(rows * cols) * sizeof *block);
            q.v = block;
        }
        if (i > 0)
            wf_block_q_apply_stacked(&q, (int)k, rest, u + begin * k, work);
        else
            wf_block_q_apply_first(&q, (int)k, rest, u + begin * k, work);
    }
}
