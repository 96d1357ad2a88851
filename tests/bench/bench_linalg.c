/* The pieces of the tall-skinny SVD on one thread: time, rate, and what the whole comes to.
 *
 *     bench.linalg [rows cols chunk_rows leaf_rows]      default 200000 100 10000 1000
 *
 * Every piece runs over the whole matrix, chunk by chunk as tasks would; the best of three passes counts. */
#include <cblas.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "linalg/chunk_qr.h"
#include "linalg/columns.h"
#include "linalg/merge_qr.h"
#include "linalg/small_svd.h"
#include "linalg/svd_residual.h"
#include "linalg/uniform.h"

enum { FAN_IN = 4, PASSES = 3 };

typedef enum piece { RANDOM, QR_VALUES, QR, MERGE, SVD, SPLIT, APPLY, COLUMN_SUMS, CHECK, PIECES } piece;

static const char *const piece_names[] = {"random numbers", "QR of chunks, R only", "QR of chunks", "merges (fan-in 4)", "SVD of R",
                                          "Q through merges", "U of chunks", "column sums", "check"};

typedef struct bench {
    int64_t rows, cols, chunk_rows, leaf_rows, chunk_count;
    double *x, *tau, *triangles, *merge_v, *merge_tau, *c, *s, *v;
    void *scratch;
    double best_ns[PIECES];
    double residual, orthogonality;
} bench;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void note(bench *b, piece p, double begin_ns)
{
    double spent_ns = now_ns() - begin_ns;
    if (b->best_ns[p] == 0.0 || spent_ns < b->best_ns[p]) b->best_ns[p] = spent_ns;
}

static double *doubles(int64_t count)
{
    double *array = wf_aligned_alloc((size_t)count, sizeof(double), NULL);
    if (!array) exit(EXIT_FAILURE);
    memset(array, 0, (size_t)count * sizeof *array); /* pages touched before the clock runs */
    return array;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static wf_chunk_shape chunk_shape(const bench *b)
{
    return (wf_chunk_shape){b->chunk_rows, b->cols, b->leaf_rows};
}

static void prepare(bench *b)
{
    int64_t n = b->cols, square = n * n;
    wf_chunk_shape shape = chunk_shape(b);
    b->x = doubles(b->rows * n);
    b->tau = doubles(b->chunk_count * wf_chunk_qr_block_count(&shape) * n);
    b->triangles = doubles(b->chunk_count * square);
    b->merge_v = doubles(b->chunk_count * square);
    b->merge_tau = doubles(b->chunk_count * n);
    b->c = doubles(b->chunk_count * square);
    b->s = doubles(n);
    b->v = doubles(square);
    size_t bytes = larger(wf_chunk_qr_scratch_bytes(&shape), wf_chunk_q_scratch_bytes(&shape, n));
    bytes = larger(bytes, larger(wf_merge_qr_scratch_bytes(n), wf_small_svd_scratch_bytes(n)));
    b->scratch = doubles((int64_t)(larger(bytes, wf_svd_residual_scratch_bytes(n, n)) / sizeof(double) + 1));
}

static double *chunk(const bench *b, int64_t i)
{
    return b->x + i * b->chunk_rows * b->cols;
}

static void fill(bench *b)
{
    double begin = now_ns();
    for (int64_t i = 0; i < b->chunk_count; i++) wf_uniform_fill(chunk(b, i), i * b->chunk_rows, b->chunk_rows, b->cols, 1);
    note(b, RANDOM, begin);
}

static void factor_chunks(bench *b, bool values_only)
{
    wf_chunk_shape shape = chunk_shape(b);
    int64_t square = b->cols * b->cols, tau_count = wf_chunk_qr_block_count(&shape) * b->cols;
    double begin = now_ns();
    for (int64_t i = 0; i < b->chunk_count; i++)
        wf_chunk_qr(&shape, chunk(b, i), values_only ? NULL : chunk(b, i), b->tau + i * tau_count, b->triangles + i * square, b->scratch);
    note(b, values_only ? QR_VALUES : QR, begin);
}

/* The tree as the tasks have it, flattened: node after node merges what is next in the queue of triangles. Returns the root. */
static double *merge_triangles(bench *b, double **roots, int64_t *group, int64_t *node_count)
{
    int64_t n = b->cols, square = n * n, live = b->chunk_count, used = 0;
    *node_count = 0;
    for (int64_t i = 0; i < live; i++) roots[i] = b->triangles + i * square;
    while (live > 1) {
        int64_t next = 0;
        for (int64_t first = 0; first < live; first += FAN_IN, next++) {
            int64_t count = live - first < FAN_IN ? live - first : FAN_IN;
            if (count > 1) {
                double *merged = b->c; /* not in use yet */
                wf_merge_qr(n, count, (const double *const *)(roots + first), b->merge_v + used * square, b->merge_tau + used * n, merged,
                            b->scratch);
                memcpy(roots[first], merged, (size_t)square * sizeof *merged);
                used += count - 1;
                group[(*node_count)++] = count;
            }
            roots[next] = roots[first];
        }
        live = next;
    }
    return roots[0];
}

static void finish(bench *b)
{
    int64_t n = b->cols, square = n * n, node_count;
    double **roots = calloc((size_t)b->chunk_count, sizeof *roots);
    int64_t *group = calloc((size_t)b->chunk_count, sizeof *group);
    if (!roots || !group) exit(EXIT_FAILURE);
    double begin = now_ns();
    double *root = merge_triangles(b, roots, group, &node_count);
    note(b, MERGE, begin);
    begin = now_ns();
    if (wf_small_svd(n, n, root, b->s, b->c, b->v, b->scratch, NULL) != WEFT_OK) exit(EXIT_FAILURE);
    note(b, SVD, begin);

    /* The way back from the last node to the first; queue[0..live) holds the factors of a level, as the way up left them. */
    begin = now_ns();
    double *factors = doubles(b->chunk_count * square), *parts[FAN_IN];
    int64_t levels[64], level_count = 0, used = 0;
    for (int64_t live = b->chunk_count; live > 1; live = (live + FAN_IN - 1) / FAN_IN) levels[level_count++] = live;
    for (int64_t i = 0; i < node_count; i++) used += group[i] - 1;
    for (int64_t level = level_count; level-- > 0;) {
        int64_t live = levels[level], parents = (live + FAN_IN - 1) / FAN_IN;
        for (int64_t p = parents; p-- > 0;) {
            int64_t first = p * FAN_IN, count = live - first < FAN_IN ? live - first : FAN_IN;
            for (int64_t i = 0; i < count; i++) parts[i] = factors + (first + i) * square;
            used -= count - 1;
            wf_merge_q_apply(n, count, b->merge_v + used * square, b->merge_tau + used * n, b->c + p * square, n, parts, b->scratch);
        }
        memcpy(b->c, factors, (size_t)(live * square) * sizeof *factors);
    }
    note(b, SPLIT, begin);
    free(factors);
    free(roots);
    free(group);
}

static void apply_chunks(bench *b)
{
    wf_chunk_shape shape = chunk_shape(b);
    int64_t square = b->cols * b->cols, tau_count = wf_chunk_qr_block_count(&shape) * b->cols;
    double begin = now_ns();
    for (int64_t i = 0; i < b->chunk_count; i++)
        wf_chunk_q_apply(&shape, chunk(b, i), b->tau + i * tau_count, b->c + i * square, b->cols, chunk(b, i), b->scratch);
    note(b, APPLY, begin);
}

static void measure_extras(bench *b)
{
    double *x = doubles(b->chunk_rows * b->cols), *sums = doubles(b->cols), *total = doubles((int64_t)wf_svd_measure_count(b->cols));
    double *measure = doubles((int64_t)wf_svd_measure_count(b->cols));
    double begin = now_ns();
    for (int64_t i = 0; i < b->chunk_count; i++) wf_columns_sum(chunk(b, i), b->chunk_rows, b->cols, sums, b->scratch);
    note(b, COLUMN_SUMS, begin);
    double check_ns = 0.0;
    for (int64_t i = 0; i < b->chunk_count; i++) {
        wf_uniform_fill(x, i * b->chunk_rows, b->chunk_rows, b->cols, 1);
        begin = now_ns();
        wf_svd_measure(b->chunk_rows, b->cols, b->cols, x, chunk(b, i), b->s, b->v, measure, b->scratch);
        check_ns += now_ns() - begin;
        for (size_t l = 0; l < wf_svd_measure_count(b->cols); l++) total[l] += measure[l];
    }
    note(b, CHECK, now_ns() - check_ns);
    wf_svd_judge(b->cols, total, &b->residual, &b->orthogonality);
    free(x);
    free(sums);
    free(total);
    free(measure);
}

static void report(const bench *b)
{
    double m = (double)b->rows, n = (double)b->cols, total_ns = 0.0;
    const double flops[PIECES] = {[QR_VALUES] = 2 * m * n * n, [QR] = 2 * m * n * n, [APPLY] = 3 * m * n * n, [CHECK] = 3 * m * n * n};
    printf("%lld x %lld, chunks of %lld rows, blocks of %lld; one thread\n", (long long)b->rows, (long long)b->cols,
           (long long)b->chunk_rows, (long long)b->leaf_rows);
    for (int p = 0; p < PIECES; p++) {
        printf("%-22s %8.2f ms", piece_names[p], b->best_ns[p] / 1e6);
        if (flops[p] > 0.0) printf("  %6.1f GFLOP/s", flops[p] / b->best_ns[p]);
        if (p == RANDOM || p == COLUMN_SUMS) printf("  %6.2f ns per element", b->best_ns[p] / (m * n));
        printf("\n");
        if (p != QR_VALUES && p != COLUMN_SUMS && p != CHECK) total_ns += b->best_ns[p];
    }
    printf("U, S, V with the random numbers: %.0f ms; residual %.1e, orthogonality %.1e\n", total_ns / 1e6, b->residual, b->orthogonality);
}

int main(int argc, char **argv)
{
    bench b = {.rows = 200000, .cols = 100, .chunk_rows = 10000, .leaf_rows = 1000};
    int64_t *const settings[] = {&b.rows, &b.cols, &b.chunk_rows, &b.leaf_rows};
    for (int i = 1; i < argc && i <= 4; i++) *settings[i - 1] = atoll(argv[i]);
    if (b.cols < 1 || b.leaf_rows < 1 || b.chunk_rows < b.cols || b.rows < b.chunk_rows) {
        fprintf(stderr, "usage: bench.linalg [rows cols chunk_rows leaf_rows], rows >= chunk_rows >= cols\n");
        return 2;
    }
    b.chunk_count = b.rows / b.chunk_rows;
    b.rows = b.chunk_count * b.chunk_rows;
    openblas_set_num_threads(1);
    prepare(&b);
    for (int pass = 0; pass < PASSES; pass++) {
        fill(&b);
        factor_chunks(&b, true);
        factor_chunks(&b, false);
        finish(&b);
        apply_chunks(&b);
        measure_extras(&b);
    }
    report(&b);
    return EXIT_SUCCESS;
}
