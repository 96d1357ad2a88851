#include "linalg/chunk_qr.h"

#include <lapacke.h>
#include <weft_test.h>

#include "oracle.h"

typedef struct factored {
    wf_chunk_shape shape;
    double *v, *tau, *r;
} factored;

static factored factor(const double *a, wf_chunk_shape shape)
{
    factored f = {.shape = shape, .v = oracle_dup(a, shape.rows * shape.cols), .r = oracle_buffer(shape.cols * shape.cols)};
    f.tau = oracle_buffer(wf_chunk_qr_block_count(&shape) * shape.cols);
    void *scratch = oracle_scratch(wf_chunk_qr_scratch_bytes(&shape));
    wf_chunk_qr(&shape, f.v, f.v, f.tau, f.r, scratch);
    free(scratch);
    return f;
}

static double *apply(const factored *f, const double *c, int64_t k)
{
    double *u = oracle_buffer(f->shape.rows * k);
    void *scratch = oracle_scratch(wf_chunk_q_scratch_bytes(&f->shape, k));
    wf_chunk_q_apply(&f->shape, f->v, f->tau, c, k, u, scratch);
    free(scratch);
    return u;
}

static void release(factored *f)
{
    free(f->v), free(f->tau), free(f->r);
}

static void check(oracle_kind kind, int64_t rows, int64_t cols, int64_t leaf_rows)
{
    double *a = oracle_matrix(kind, rows, cols, 21), *c = oracle_identity(cols);
    factored f = factor(a, (wf_chunk_shape){rows, cols, leaf_rows});
    double *q = apply(&f, c, cols);
    CU_ASSERT(oracle_is_upper(f.r, cols));
    double orthogonality = oracle_orthogonality(q, rows, cols), error = oracle_product_error(a, q, f.r, rows, cols, cols);
    if (!(orthogonality < 1e-13 && error < 1e-13))
        printf("%s %d x %d by %d: %g %g\n", oracle_kind_name(kind), (int)rows, (int)cols, (int)leaf_rows, orthogonality, error);
    CU_ASSERT(orthogonality < 1e-13);
    CU_ASSERT(error < 1e-13);
    free(a), free(c), free(q);
    release(&f);
}

static void one_block_and_many_are_orthogonal_whatever_the_data(void)
{
    for (int kind = 0; kind < ORACLE_KINDS; kind++) {
        check((oracle_kind)kind, 150, 12, 1000);
        check((oracle_kind)kind, 150, 12, 37);
        check((oracle_kind)kind, 151, 13, 1);
        check((oracle_kind)kind, 13, 13, 1);
        check((oracle_kind)kind, 100, 1, 8);
        check((oracle_kind)kind, 1, 1, 1);
    }
}

static void random_shapes_are_orthogonal(void)
{
    uint64_t seed = 20240607;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 40; i++) {
        int64_t cols = 1 + (int64_t)((oracle_next(&seed) + 0.5) * 40), rows = cols + (int64_t)((oracle_next(&seed) + 0.5) * 400);
        int64_t leaf_rows = 1 + (int64_t)((oracle_next(&seed) + 0.5) * 120);
        check((oracle_kind)(i % ORACLE_KINDS), rows, cols, leaf_rows);
    }
}

static void blocks_are_never_shorter_than_wide_nor_longer_than_asked(void)
{
    for (int64_t rows = 10; rows < 400; rows++) {
        wf_chunk_shape shape = {rows, 10, 33};
        int64_t count = wf_chunk_qr_block_count(&shape);
        CU_ASSERT(rows / count >= 10);
        CU_ASSERT((rows + count - 1) / count <= 33);
    }
    CU_ASSERT_EQUAL(wf_chunk_qr_block_count(&(wf_chunk_shape){19, 10, 10}), 1);
    CU_ASSERT_EQUAL(wf_chunk_qr_block_count(&(wf_chunk_shape){10000, 100, 1000}), 10);
}

static void values_alone_give_the_same_triangle(void)
{
    wf_chunk_shape shape = {300, 20, 64};
    double *a = oracle_matrix(FULL_RANK, shape.rows, shape.cols, 5), *r = oracle_buffer(400), *before = oracle_dup(a, 6000);
    factored f = factor(a, shape);
    void *scratch = oracle_scratch(wf_chunk_qr_scratch_bytes(&shape));
    wf_chunk_qr(&shape, a, NULL, NULL, r, scratch);
    CU_ASSERT_EQUAL(memcmp(r, f.r, 400 * sizeof *r), 0);
    CU_ASSERT_EQUAL(memcmp(a, before, 6000 * sizeof *a), 0);
    free(a), free(r), free(before), free(scratch);
    release(&f);
}

static void applying_in_place_and_beside_give_the_same_bits(void)
{
    wf_chunk_shape shape = {301, 20, 64};
    double *a = oracle_matrix(FULL_RANK, shape.rows, shape.cols, 5), *c = oracle_random(20, 20, 6);
    factored f = factor(a, shape);
    double *u = apply(&f, c, 20);
    void *scratch = oracle_scratch(wf_chunk_q_scratch_bytes(&shape, 20));
    wf_chunk_q_apply(&shape, f.v, f.tau, c, 20, f.v, scratch);
    CU_ASSERT_EQUAL(memcmp(u, f.v, 301 * 20 * sizeof *u), 0);
    free(a), free(c), free(u), free(scratch);
    release(&f);
}

static void fewer_columns_are_the_first_of_all(void)
{
    wf_chunk_shape shape = {200, 16, 50};
    double *a = oracle_matrix(ZERO_COLUMNS, shape.rows, shape.cols, 5), *c = oracle_random(16, 16, 6), *few = oracle_buffer(16 * 5);
    for (int64_t i = 0; i < 16 * 5; i++) few[i] = c[i / 5 * 16 + i % 5];
    factored f = factor(a, shape);
    double *u = apply(&f, c, 16), *part = apply(&f, few, 5), worst = 0.0;
    for (int64_t i = 0; i < 200 * 5; i++) worst = fmax(worst, fabs(part[i] - u[i / 5 * 16 + i % 5]));
    CU_ASSERT(worst < 1e-14);
    free(a), free(c), free(few), free(u), free(part);
    release(&f);
}

static void triangle_has_the_singular_values_of_the_chunk(void)
{
    enum { ROWS = 400, COLS = 30 };
    for (int kind = 0; kind < ORACLE_KINDS; kind++) {
        double *a = oracle_matrix((oracle_kind)kind, ROWS, COLS, 77), *copy = oracle_dup(a, ROWS * COLS), work[COLS];
        double expected[COLS], got[COLS];
        factored f = factor(a, (wf_chunk_shape){ROWS, COLS, 90});
        LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', ROWS, COLS, copy, COLS, expected, NULL, 1, NULL, COLS, work);
        LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'N', COLS, COLS, f.r, COLS, got, NULL, 1, NULL, 1, work);
        for (int j = 0; j < COLS; j++) CU_ASSERT(fabs(got[j] - expected[j]) <= 2e-14 * expected[0]);
        free(a), free(copy);
        release(&f);
    }
}

static void bits_do_not_depend_on_where_the_scratch_lies(void)
{
    wf_chunk_shape shape = {500, 25, 100};
    double *a = oracle_matrix(FULL_RANK, shape.rows, shape.cols, 9), *c = oracle_random(25, 25, 6);
    factored f = factor(a, shape);
    double *u = apply(&f, c, 25), *v = oracle_dup(a, 500 * 25), *r = oracle_buffer(625), *tau = oracle_buffer(5 * 25);
    for (int64_t offset = 8; offset <= 520; offset += 64) { /* doubles: whole cache lines, other pages and cache sets */
        char *memory = oracle_scratch(wf_chunk_qr_scratch_bytes(&shape) + wf_chunk_q_scratch_bytes(&shape, 25) + 8 * 600);
        memcpy(v, a, 500 * 25 * sizeof *v);
        wf_chunk_qr(&shape, v, v, tau, r, memory + 8 * offset);
        wf_chunk_q_apply(&shape, v, tau, c, 25, v, memory + 8 * offset);
        CU_ASSERT_EQUAL(memcmp(r, f.r, 625 * sizeof *r), 0);
        CU_ASSERT_EQUAL(memcmp(v, u, 500 * 25 * sizeof *v), 0);
        free(memory);
    }
    free(a), free(c), free(u), free(v), free(r), free(tau);
    release(&f);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(one_block_and_many_are_orthogonal_whatever_the_data),
        WEFT_TEST(random_shapes_are_orthogonal),
        WEFT_TEST(blocks_are_never_shorter_than_wide_nor_longer_than_asked),
        WEFT_TEST(values_alone_give_the_same_triangle),
        WEFT_TEST(applying_in_place_and_beside_give_the_same_bits),
        WEFT_TEST(fewer_columns_are_the_first_of_all),
        WEFT_TEST(triangle_has_the_singular_values_of_the_chunk),
        WEFT_TEST(bits_do_not_depend_on_where_the_scratch_lies),
    };
    return weft_test_run("linalg/chunk_qr", cases, WEFT_COUNT_OF(cases));
}
