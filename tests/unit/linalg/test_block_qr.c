#include "linalg/block_qr.h"

#include <weft_test.h>

#include "oracle.h"

static double *to_columns(const double *a, int64_t rows, int64_t cols, int64_t ld)
{
    double *columns = oracle_buffer(ld * cols);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++) columns[j * ld + i] = a[i * cols + j];
    }
    return columns;
}

/* Q's first columns and R of a plain block. */
static void check_first(oracle_kind kind, int rows, int cols)
{
    int ld = rows + 3;
    double *a = oracle_matrix(kind, rows, cols, 11), *v = to_columns(a, rows, cols, ld), *r = oracle_buffer(cols * cols);
    double *tau = oracle_buffer(cols), *scratch = oracle_buffer((int64_t)wf_block_qr_scratch_count(cols));
    double *q = oracle_buffer(rows * cols), *c = oracle_identity(cols);
    double *q_scratch = oracle_buffer((int64_t)wf_block_q_scratch_count(cols, cols));
    wf_block_qr_first(rows, cols, v, ld, r, tau, scratch);
    wf_block_q_apply_first(&(wf_block_q){.rows = rows, .cols = cols, .ld = ld, .v = v, .tau = tau}, cols, c, q, q_scratch);
    CU_ASSERT(oracle_is_upper(r, cols));
    double orthogonality = oracle_orthogonality(q, rows, cols), error = oracle_product_error(a, q, r, rows, cols, cols);
    if (!(orthogonality < 1e-13 && error < 1e-13))
        printf("first %s %d x %d: %g %g\n", oracle_kind_name(kind), rows, cols, orthogonality, error);
    CU_ASSERT(orthogonality < 1e-13);
    CU_ASSERT(error < 1e-13);
    free(a), free(v), free(r), free(tau), free(scratch), free(q), free(c), free(q_scratch);
}

/* The upper triangle of a matrix, column-major. */
static double *triangle(oracle_kind kind, int64_t n, uint64_t seed)
{
    double *a = oracle_matrix(kind, n, n, seed), *r = oracle_buffer(n * n);
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < n; i++) r[j * n + i] = i <= j ? a[i * n + j] : 0.0;
    }
    free(a);
    return r;
}

/* Q's first columns and R of a block under a triangle: [top; bottom] q r. */
static void check_stacked(oracle_kind kind, int rows, int cols, int is_triangle)
{
    double *r = triangle(kind, cols, 3), *v = is_triangle ? triangle(kind, cols, 4) : NULL, *a = oracle_buffer((cols + rows) * cols);
    if (!is_triangle) {
        double *block = oracle_matrix(kind, rows, cols, 4);
        v = to_columns(block, rows, cols, rows);
        free(block);
    }
    for (int j = 0; j < cols; j++) {
        for (int i = 0; i < cols; i++) a[i * cols + j] = r[j * cols + i];
        for (int i = 0; i < rows; i++) a[(cols + i) * cols + j] = v[j * rows + i];
    }
    double *tau = oracle_buffer(cols), *scratch = oracle_buffer((int64_t)wf_block_qr_scratch_count(cols));
    double *q = oracle_buffer((cols + rows) * cols), *c = oracle_identity(cols);
    double *q_scratch = oracle_buffer((int64_t)wf_block_q_scratch_count(cols, cols));
    wf_block_qr_stacked(rows, cols, is_triangle, v, rows, r, tau, scratch);
    const wf_block_q block = {.rows = rows, .cols = cols, .ld = rows, .v = v, .tau = tau};
    wf_block_q_apply_stacked(&block, cols, c, q + cols * cols, q_scratch);
    memcpy(q, c, (size_t)(cols * cols) * sizeof *q);
    CU_ASSERT(oracle_is_upper(r, cols));
    double orthogonality = oracle_orthogonality(q, cols + rows, cols), error = oracle_product_error(a, q, r, cols + rows, cols, cols);
    if (!(orthogonality < 1e-13 && error < 1e-13))
        printf("stacked %s %d x %d: %g %g\n", oracle_kind_name(kind), rows, cols, orthogonality, error);
    CU_ASSERT(orthogonality < 1e-13);
    CU_ASSERT(error < 1e-13);
    free(a), free(v), free(r), free(tau), free(scratch), free(q), free(c), free(q_scratch);
}

static void first_block_is_orthogonal_whatever_the_data(void)
{
    for (int kind = 0; kind < ORACLE_KINDS; kind++) {
        check_first((oracle_kind)kind, 60, 20);
        check_first((oracle_kind)kind, 17, 17);
        check_first((oracle_kind)kind, 5, 1);
        check_first((oracle_kind)kind, 1, 1);
    }
}

static void stacked_block_is_orthogonal_whatever_the_data(void)
{
    for (int kind = 0; kind < ORACLE_KINDS; kind++) {
        check_stacked((oracle_kind)kind, 40, 20, 0);
        check_stacked((oracle_kind)kind, 3, 7, 0);
        check_stacked((oracle_kind)kind, 1, 1, 0);
        check_stacked((oracle_kind)kind, 19, 19, 1);
        check_stacked((oracle_kind)kind, 1, 1, 1);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(first_block_is_orthogonal_whatever_the_data),
        WEFT_TEST(stacked_block_is_orthogonal_whatever_the_data),
    };
    return weft_test_run("linalg/block_qr", cases, WEFT_COUNT_OF(cases));
}
