/* Matrices for the linear algebra tests, and slow formulas in long double to judge results by. All matrices are row-major unless a name
 * says otherwise. */
#ifndef WF_TEST_LINALG_ORACLE_H
#define WF_TEST_LINALG_ORACLE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A generator of the tests' own (splitmix64), so that the library's is not judged by itself. */
static inline double oracle_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53 - 0.5;
}

/* 64-byte aligned, filled with a quiet NaN: what is read before it is written shows. free() releases it. */
static inline double *oracle_buffer(int64_t count)
{
    size_t bytes = ((size_t)count * sizeof(double) + 63) / 64 * 64;
    double *buffer = aligned_alloc(64, bytes ? bytes : 64);
    if (!buffer) exit(EXIT_FAILURE);
    for (int64_t i = 0; i < count; i++) buffer[i] = (double)NAN;
    return buffer;
}

static inline void *oracle_scratch(size_t bytes)
{
    return oracle_buffer((int64_t)((bytes + 7) / 8));
}

static inline double *oracle_dup(const double *a, int64_t count)
{
    double *copy = oracle_buffer(count);
    memcpy(copy, a, (size_t)count * sizeof *a);
    return copy;
}

static inline double *oracle_random(int64_t rows, int64_t cols, uint64_t seed)
{
    double *a = oracle_buffer(rows * cols);
    for (int64_t i = 0; i < rows * cols; i++) a[i] = oracle_next(&seed);
    return a;
}

/* Kinds of matrices that have broken QR codes before. */
typedef enum oracle_kind {
    FULL_RANK, ZERO, ZERO_COLUMNS, EQUAL_COLUMNS, GRADED, FIRST_ROWS_ZERO, TINY, HUGE_SCALE,
    ORACLE_KINDS
} oracle_kind;

static inline const char *oracle_kind_name(oracle_kind kind)
{
    static const char *const names[] = {"full rank", "zero", "zero columns", "equal columns",
                                        "graded", "first rows zero", "tiny", "huge"};
    return names[kind];
}

static inline double *oracle_matrix(oracle_kind kind, int64_t rows, int64_t cols, uint64_t seed)
{
    double *a = oracle_random(rows, cols, seed);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++) {
            double *x = a + i * cols + j;
            if (kind == ZERO || (kind == ZERO_COLUMNS && j % 3 == 0) || (kind == FIRST_ROWS_ZERO && i < rows / 2)) *x = 0.0;
            if (kind == EQUAL_COLUMNS) *x = a[i * cols];
            if (kind == GRADED) *x *= pow(10.0, -14.0 * (double)j / (double)cols);
            if (kind == TINY) *x *= 1e-150;
            if (kind == HUGE_SCALE) *x *= 1e140;
        }
    }
    return a;
}

static inline double oracle_largest(const double *a, int64_t count)
{
    double largest = 0.0;
    for (int64_t i = 0; i < count; i++) {
        if (!(fabs(a[i]) <= largest)) largest = fabs(a[i]);
    }
    return largest;
}

/* max |u^T u - I| */
static inline double oracle_orthogonality(const double *u, int64_t rows, int64_t k)
{
    long double largest = 0.0L;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = i; j < k; j++) {
            long double sum = i == j ? -1.0L : 0.0L;
            for (int64_t row = 0; row < rows; row++) sum += (long double)u[row * k + i] * (long double)u[row * k + j];
            if (!(fabsl(sum) <= largest)) largest = fabsl(sum);
        }
    }
    return (double)largest;
}

/* max over columns of |x - u b| / |x's column|, b (k, cols) given column-major (as triangles are) */
static inline double oracle_product_error(const double *x, const double *u, const double *b, int64_t rows, int64_t k, int64_t cols)
{
    long double worst = 0.0L;
    for (int64_t j = 0; j < cols; j++) {
        long double error = 0.0L, norm = 0.0L;
        for (int64_t i = 0; i < rows; i++) {
            long double sum = (long double)x[i * cols + j];
            norm += sum * sum;
            for (int64_t l = 0; l < k; l++) sum -= (long double)u[i * k + l] * (long double)b[j * k + l];
            error += sum * sum;
        }
        long double relative = norm > 0.0L ? sqrtl(error / norm) : sqrtl(error);
        if (!(relative <= worst)) worst = relative;
    }
    return (double)worst;
}

/* Entries below the diagonal of a column-major square. */
static inline int oracle_is_upper(const double *r, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = j + 1; i < n; i++) {
            if (r[j * n + i] != 0.0) return 0;
        }
    }
    return 1;
}

static inline double *oracle_identity(int64_t n)
{
    double *a = oracle_buffer(n * n);
    for (int64_t i = 0; i < n * n; i++) a[i] = i % (n + 1) == 0 ? 1.0 : 0.0;
    return a;
}

#endif
