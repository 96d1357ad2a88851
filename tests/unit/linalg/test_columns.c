#include "linalg/columns.h"

#include <weft_test.h>

#include "oracle.h"

static void sums_match_long_double(void)
{
    static const int64_t row_counts[] = {1, 127, 128, 129, 1000};
    for (size_t i = 0; i < WEFT_COUNT_OF(row_counts); i++) {
        int64_t rows = row_counts[i];
        double *a = oracle_random(rows, 7, 3), sums[7], scratch[7];
        wf_columns_sum(a, rows, 7, sums, scratch);
        for (int64_t j = 0; j < 7; j++) {
            long double sum = 0.0L;
            for (int64_t row = 0; row < rows; row++) sum += (long double)a[row * 7 + j];
            CU_ASSERT(fabsl((long double)sums[j] - sum) < 1e-15L * (long double)rows);
        }
        free(a);
    }
}

static void long_columns_keep_their_digits(void)
{
    enum { ROWS = 1 << 20 };
    double *a = oracle_buffer(ROWS), sum, scratch;
    for (int64_t i = 0; i < ROWS; i++) a[i] = 0.1;
    wf_columns_sum(a, ROWS, 1, &sum, &scratch);
    CU_ASSERT(fabs(sum / (0.1 * ROWS) - 1.0) < 1e-12); /* one running sum is off by more */
    free(a);
}

static void subtracting_takes_the_row_off_every_row(void)
{
    double a[6] = {1, 2, 3, 4, 5, 6};
    wf_columns_subtract(a, 2, 3, (const double[]){1, 1, 2});
    const double expected[6] = {0, 1, 1, 3, 4, 4};
    for (int i = 0; i < 6; i++) CU_ASSERT_EQUAL(a[i], expected[i]);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(sums_match_long_double),
        WEFT_TEST(long_columns_keep_their_digits),
        WEFT_TEST(subtracting_takes_the_row_off_every_row),
    };
    return weft_test_run("linalg/columns", cases, WEFT_COUNT_OF(cases));
}
