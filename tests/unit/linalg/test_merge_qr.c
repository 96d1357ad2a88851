#include "linalg/merge_qr.h"

#include <weft_test.h>

#include "oracle.h"

enum { MOST = 9 };

static void check(oracle_kind kind, int64_t cols, int64_t count)
{
    int64_t square = cols * cols;
    double *stack = oracle_matrix(kind, count * cols, cols, 31), *triangles[MOST], *parts[MOST];
    double *q = oracle_buffer(count * square), *r = oracle_buffer(square), *r_alone = oracle_buffer(square), *c = oracle_identity(cols);
    double *v = oracle_buffer(count * square), *tau = oracle_buffer(count * cols);
    for (int64_t i = 0; i < count; i++) {
        triangles[i] = oracle_buffer(square);
        parts[i] = q + i * square;
        for (int64_t j = 0; j < square; j++) {
            double *x = stack + i * square + j;
            if (j / cols > j % cols) *x = 0.0;
            triangles[i][j % cols * cols + j / cols] = *x;
        }
    }
    void *scratch = oracle_scratch(wf_merge_qr_scratch_bytes(cols)), *q_scratch = oracle_scratch(wf_merge_q_scratch_bytes(cols, cols));
    wf_merge_qr(cols, count, (const double *const *)triangles, v, tau, r, scratch);
    wf_merge_qr(cols, count, (const double *const *)triangles, NULL, NULL, r_alone, scratch);
    wf_merge_q_apply(cols, count, v, tau, c, cols, parts, q_scratch);
    double orthogonality = oracle_orthogonality(q, count * cols, cols), error = oracle_product_error(stack, q, r, count * cols, cols, cols);
    if (!(orthogonality < 1e-13 && error < 1e-13))
        printf("%s %d of %d: %g %g\n", oracle_kind_name(kind), (int)count, (int)cols, orthogonality, error);
    CU_ASSERT(oracle_is_upper(r, cols));
    CU_ASSERT(orthogonality < 1e-13);
    CU_ASSERT(error < 1e-13);
    CU_ASSERT_EQUAL(memcmp(r, r_alone, (size_t)square * sizeof *r), 0);
    for (int64_t i = 0; i < count; i++) free(triangles[i]);
    free(stack), free(q), free(r), free(r_alone), free(c), free(v), free(tau), free(scratch), free(q_scratch);
}

static void triangles_merge_whatever_the_data(void)
{
    for (int kind = 0; kind < ORACLE_KINDS; kind++) {
        for (int64_t count = 1; count <= MOST; count += 2) {
            check((oracle_kind)kind, 1, count);
            check((oracle_kind)kind, 7, count);
            check((oracle_kind)kind, 26, count);
        }
    }
}

int main(void)
{
    static const weft_test_case cases[] = {WEFT_TEST(triangles_merge_whatever_the_data)};
    return weft_test_run("linalg/merge_qr", cases, WEFT_COUNT_OF(cases));
}
