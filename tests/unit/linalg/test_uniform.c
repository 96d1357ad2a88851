/* The source itself, so that the code for every instruction set of this machine is in reach, not only for the best. */
#include "linalg/uniform.c"

#include <weft_test.h>

#include "oracle.h"

/* Threefry-2x64-20 written out from its paper, one counter at a time. */
static void threefry(uint64_t key, uint64_t *x0, uint64_t *x1)
{
    static const unsigned rotations[8] = {16, 42, 12, 31, 16, 32, 24, 21};
    uint64_t keys[3] = {key, 0, UINT64_C(0x1BD11BDAA9FC1A22) ^ key};
    *x0 += keys[0];
    *x1 += keys[1];
    for (unsigned round = 0; round < 20; round++) {
        unsigned by = rotations[round % 8];
        *x0 += *x1;
        *x1 = (*x1 << by | *x1 >> (64 - by)) ^ *x0;
        if (round % 4 == 3) {
            uint64_t step = round / 4 + 1;
            *x0 += keys[step % 3];
            *x1 += keys[(step + 1) % 3] + step;
        }
    }
}

static double expected(int64_t row, int64_t col, uint64_t seed)
{
    uint64_t x0 = (uint64_t)row, x1 = (uint64_t)col / 2;
    threefry(seed, &x0, &x1);
    return (double)((col % 2 ? x1 : x0) >> 11) * 0x1p-53;
}

typedef void fill_function(double *out, uint64_t first_row, uint64_t rows, uint64_t cols, uint64_t seed);

static void check_every_width(fill_function *fill)
{
    for (int64_t cols = 1; cols <= 37; cols++) {
        for (int64_t rows = 1; rows <= 19; rows += 3) {
            int64_t first = rows * 1000;
            double *a = oracle_buffer(rows * cols + 1);
            fill(a, (uint64_t)first, (uint64_t)rows, (uint64_t)cols, 42);
            int wrong = 0;
            for (int64_t i = 0; i < rows * cols; i++) wrong += a[i] != expected(first + i / cols, i % cols, 42);
            CU_ASSERT_EQUAL(wrong, 0);
            CU_ASSERT(isnan(a[rows * cols]));
            free(a);
        }
    }
}

static void every_instruction_set_gives_the_formula(void)
{
    check_every_width(fill_baseline);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) check_every_width(fill_avx2);
    if (__builtin_cpu_supports("avx512f")) check_every_width(fill_avx512);
#endif
}

static void published_vector_is_reproduced(void)
{
    double a[2];
    wf_uniform_fill(a, 0, 1, 2, 0);
    CU_ASSERT_EQUAL(a[0], (double)(UINT64_C(0xc2b6e3a8c2c69865) >> 11) * 0x1p-53);
    CU_ASSERT_EQUAL(a[1], (double)(UINT64_C(0x6f81ed42f350084d) >> 11) * 0x1p-53);
}

static void rows_do_not_depend_on_the_cut(void)
{
    enum { ROWS = 200, COLS = 30 };
    double *whole = oracle_buffer(ROWS * COLS), *pieces = oracle_buffer(ROWS * COLS);
    wf_uniform_fill(whole, 5, ROWS, COLS, 7);
    for (int64_t begin = 0, step = 1; begin < ROWS; begin += step, step = step * 2 + 1) {
        int64_t rows = step < ROWS - begin ? step : ROWS - begin;
        wf_uniform_fill(pieces + begin * COLS, 5 + begin, rows, COLS, 7);
    }
    CU_ASSERT_EQUAL(memcmp(whole, pieces, ROWS * COLS * sizeof *whole), 0);
    free(whole);
    free(pieces);
}

static void values_fill_the_unit_interval_evenly(void)
{
    enum { ROWS = 2000, COLS = 100, BINS = 20 };
    double *a = oracle_buffer(ROWS * COLS), sum = 0.0, odd_bits = 0.0;
    int bins[BINS] = {0};
    wf_uniform_fill(a, 0, ROWS, COLS, 1);
    for (int64_t i = 0; i < ROWS * COLS; i++) {
        CU_ASSERT_FATAL(a[i] >= 0.0 && a[i] < 1.0);
        sum += a[i];
        bins[(int)(a[i] * BINS)]++;
        odd_bits += fmod(a[i] * 0x1p53, 2.0);
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / (ROWS * COLS), 0.5, 0.003);
    CU_ASSERT_DOUBLE_EQUAL(odd_bits / (ROWS * COLS), 0.5, 0.006);
    for (int i = 0; i < BINS; i++) CU_ASSERT_DOUBLE_EQUAL(bins[i], ROWS * COLS / BINS, 500);
    free(a);
}

static void seeds_give_different_numbers(void)
{
    double a[64], b[64];
    wf_uniform_fill(a, 0, 8, 8, 1);
    wf_uniform_fill(b, 0, 8, 8, UINT64_C(1) << 63);
    for (int i = 0; i < 64; i++) CU_ASSERT_NOT_EQUAL(a[i], b[i]);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(every_instruction_set_gives_the_formula),
        WEFT_TEST(published_vector_is_reproduced),
        WEFT_TEST(rows_do_not_depend_on_the_cut),
        WEFT_TEST(values_fill_the_unit_interval_evenly),
        WEFT_TEST(seeds_give_different_numbers),
    };
    return weft_test_run("linalg/uniform", cases, WEFT_COUNT_OF(cases));
}
