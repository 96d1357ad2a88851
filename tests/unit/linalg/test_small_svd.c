#include "linalg/small_svd.h"

#include <lapacke.h>
#include <weft_test.h>

#include "oracle.h"

typedef struct result {
    double *s, *u, *v;
    weft_status status;
    weft_error err;
} result;

static result decompose(const double *columns, int64_t n, int64_t k)
{
    result x = {.s = oracle_buffer(k), .u = oracle_buffer(n * k), .v = oracle_buffer(n * k), .err = WEFT_ERROR_INIT};
    void *scratch = oracle_scratch(wf_small_svd_scratch_bytes(n));
    x.status = wf_small_svd(n, k, columns, x.s, x.u, x.v, scratch, &x.err);
    free(scratch);
    return x;
}

static void release(result *x)
{
    free(x->s), free(x->u), free(x->v);
}

static double *transpose(const double *a, int64_t n)
{
    double *t = oracle_buffer(n * n);
    for (int64_t i = 0; i < n * n; i++) t[i] = a[i % n * n + i / n];
    return t;
}

static void factors_multiply_to_the_matrix_and_signs_follow_the_rule(void)
{
    static const int64_t sizes[] = {1, 2, 9, 30};
    for (int kind = 0; kind < ORACLE_KINDS; kind++) {
        for (size_t i = 0; i < WEFT_COUNT_OF(sizes); i++) {
            int64_t n = sizes[i];
            double *a = oracle_matrix((oracle_kind)kind, n, n, 13), *columns = transpose(a, n), *copy = oracle_dup(a, n * n);
            double expected[30], work[30], largest = oracle_largest(a, n * n);
            result x = decompose(columns, n, n);
            CU_ASSERT_EQUAL(x.status, WEFT_OK);
            LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', (int)n, (int)n, copy, (int)n, expected, NULL, (int)n, NULL, (int)n, work);
            for (int64_t j = 0; j < n; j++) {
                double sum = 0.0;
                for (int64_t l = 0; l < n; l++) sum += x.v[l * n + j];
                CU_ASSERT(sum >= 0.0);
                CU_ASSERT(fabs(x.s[j] - expected[j]) <= 1e-14 * expected[0] * (double)n);
            }
            for (int64_t l = 0; l < n * n; l++) {
                double product = 0.0;
                for (int64_t j = 0; j < n; j++) product += x.u[l / n * n + j] * x.s[j] * x.v[l % n * n + j];
                CU_ASSERT(fabs(product - a[l]) <= 1e-14 * (double)n * largest);
            }
            CU_ASSERT(oracle_orthogonality(x.u, n, n) < 1e-13);
            CU_ASSERT(oracle_orthogonality(x.v, n, n) < 1e-13);
            free(a), free(columns), free(copy);
            release(&x);
        }
    }
}

static void fewer_components_are_the_first_of_all(void)
{
    double *a = oracle_random(12, 12, 8);
    result all = decompose(a, 12, 12), few = decompose(a, 12, 5);
    for (int64_t i = 0; i < 12 * 5; i++) {
        CU_ASSERT_EQUAL(few.u[i], all.u[i / 5 * 12 + i % 5]);
        CU_ASSERT_EQUAL(few.v[i], all.v[i / 5 * 12 + i % 5]);
    }
    CU_ASSERT_EQUAL(memcmp(few.s, all.s, 5 * sizeof(double)), 0);
    free(a);
    release(&all);
    release(&few);
}

static void values_alone_agree(void)
{
    double *a = oracle_random(25, 25, 8), s[25];
    result all = decompose(a, 25, 25);
    void *scratch = oracle_scratch(wf_small_svd_scratch_bytes(25));
    CU_ASSERT_EQUAL(wf_small_svd(25, 25, a, s, NULL, NULL, scratch, NULL), WEFT_OK);
    for (int j = 0; j < 25; j++) CU_ASSERT(fabs(s[j] - all.s[j]) <= 1e-14 * all.s[0]);
    free(a), free(scratch);
    release(&all);
}

static void nan_and_infinity_are_refused(void)
{
    const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        double *a = oracle_random(6, 6, 8);
        a[20] = bad[i];
        result x = decompose(a, 6, 6);
        CU_ASSERT_EQUAL(x.status, WEFT_EDATA);
        CU_ASSERT_PTR_NOT_NULL(strstr(x.err.text, "NaN"));
        free(a);
        release(&x);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(factors_multiply_to_the_matrix_and_signs_follow_the_rule),
        WEFT_TEST(fewer_components_are_the_first_of_all),
        WEFT_TEST(values_alone_agree),
        WEFT_TEST(nan_and_infinity_are_refused),
    };
    return weft_test_run("linalg/small_svd", cases, WEFT_COUNT_OF(cases));
}
