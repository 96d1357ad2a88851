#include "linalg/svd_residual.h"

#include <weft_test.h>

#include "oracle.h"

enum { ROWS = 600, COLS = 9, K = 4 };

/* Both figures by their definitions, in long double. */
static void expected(const double *x, const double *u, const double *s, const double *v, double *residual, double *orthogonality)
{
    long double error = 0.0L, norm = 0.0L;
    for (int64_t i = 0; i < ROWS; i++) {
        for (int64_t j = 0; j < COLS; j++) {
            long double left = (long double)x[i * COLS + j];
            norm += left * left;
            for (int64_t l = 0; l < K; l++) left -= (long double)u[i * K + l] * (long double)s[l] * (long double)v[j * K + l];
            error += left * left;
        }
    }
    *residual = (double)sqrtl(error / norm);
    *orthogonality = oracle_orthogonality(u, ROWS, K);
}

/* The figures from measures of [0, cut) and [cut, ROWS). */
static void measured(const double *x, const double *u, const double *s, const double *v, int64_t cut, double *residual,
                     double *orthogonality)
{
    double first[WF_GRAM + K * K], second[WF_GRAM + K * K];
    void *scratch = oracle_scratch(wf_svd_residual_scratch_bytes(COLS, K));
    wf_svd_measure(cut, COLS, K, x, u, s, v, first, scratch);
    wf_svd_measure(ROWS - cut, COLS, K, x + cut * COLS, u + cut * K, s, v, second, scratch);
    for (size_t i = 0; i < wf_svd_measure_count(K); i++) first[i] += second[i];
    wf_svd_judge(K, first, residual, orthogonality);
    free(scratch);
}

static void figures_match_their_definitions(void)
{
    double *x = oracle_random(ROWS, COLS, 1), *u = oracle_random(ROWS, K, 2), *s = oracle_random(1, K, 3), *v = oracle_random(COLS, K, 4);
    double residual, orthogonality, residual_wanted, orthogonality_wanted;
    expected(x, u, s, v, &residual_wanted, &orthogonality_wanted);
    for (int64_t cut = 0; cut <= ROWS; cut += 100) {
        measured(x, u, s, v, cut, &residual, &orthogonality);
        CU_ASSERT_DOUBLE_EQUAL(residual, residual_wanted, 1e-13);
        CU_ASSERT_DOUBLE_EQUAL(orthogonality, orthogonality_wanted, 1e-12);
    }
    free(x), free(u), free(s), free(v);
}

static void zero_matrix_has_an_absolute_residual(void)
{
    double measure[WF_GRAM + 1] = {4.0, 0.0, 1.0}, residual, orthogonality;
    wf_svd_judge(1, measure, &residual, &orthogonality);
    CU_ASSERT_EQUAL(residual, 2.0);
    CU_ASSERT_EQUAL(orthogonality, 0.0);
}

static void nan_is_never_judged_small(void)
{
    double measure[WF_GRAM + 4] = {(double)NAN, 1.0, (double)NAN, 0.0, 0.0, 1.0}, residual, orthogonality;
    wf_svd_judge(2, measure, &residual, &orthogonality);
    CU_ASSERT(isnan(residual));
    CU_ASSERT(isnan(orthogonality));
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(figures_match_their_definitions),
        WEFT_TEST(zero_matrix_has_an_absolute_residual),
        WEFT_TEST(nan_is_never_judged_small),
    };
    return weft_test_run("linalg/svd_residual", cases, WEFT_COUNT_OF(cases));
}
