/* Rows go through the residual in strips that stay in the cache. The sums of squares are plain: data beyond 1e150 overflow them, and the
 * residual then reads as NaN or infinity, never as small. Any thread. */
#include "linalg/svd_residual.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { STRIP_ROWS = 256 };

size_t wf_svd_measure_count(int64_t k)
{
    return WF_GRAM + (size_t)(k * k);
}

size_t wf_svd_residual_scratch_bytes(int64_t cols, int64_t k)
{
    return (size_t)(STRIP_ROWS * cols + cols * k) * sizeof(double);
}

static double squares(const double *x, int64_t count)
{
    return cblas_ddot((int)count, x, 1, x, 1);
}

void wf_svd_measure(int64_t rows, int64_t cols, int64_t k, const double *x, const double *u, const double *s, const double *v,
                    double *measure, void *scratch)
{
    double *strip = scratch, *scaled_v = strip + STRIP_ROWS * cols;
    memset(measure, 0, wf_svd_measure_count(k) * sizeof *measure);
    for (int64_t i = 0; i < cols * k; i++) scaled_v[i] = v[i] * s[i % k];
    for (int64_t begin = 0; begin < rows; begin += STRIP_ROWS) {
        int64_t strip_rows = rows - begin < STRIP_ROWS ? rows - begin : STRIP_ROWS;
        const double *strip_u = u + begin * k;
        memcpy(strip, x + begin * cols, (size_t)(strip_rows * cols) * sizeof *strip);
        measure[WF_NORM_SQUARES] += squares(strip, strip_rows * cols);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)strip_rows, (int)cols, (int)k, -1.0, strip_u, (int)k, scaled_v, (int)k,
                    1.0, strip, (int)cols);
        measure[WF_RESIDUAL_SQUARES] += squares(strip, strip_rows * cols);
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)k, (int)strip_rows, 1.0, strip_u, (int)k, 1.0, measure + WF_GRAM, (int)k);
    }
}

void wf_svd_judge(int64_t k, const double *measure, double *residual, double *orthogonality)
{
    double norm = sqrt(measure[WF_NORM_SQUARES]), left = sqrt(measure[WF_RESIDUAL_SQUARES]), largest = 0.0;
    *residual = norm != 0.0 ? left / norm : left;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = i; j < k; j++) {
            double off = fabs(measure[WF_GRAM + i * k + j] - (i == j ? 1.0 : 0.0));
            if (isnan(off) || off > largest) largest = off; /* nothing compares above NaN: it stays */
        }
    }
    *orthogonality = largest;
}
