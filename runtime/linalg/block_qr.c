/* Factoring is LAPACK's dgeqrt and dtpqrt with narrow panels, which measured fastest on blocks that fit the L2 cache.
 *
 * Applying does not use the small triangular factors that these leave: with the whole n x n factor T one product with V does, because
 * what Q is applied to is zero below its first n rows. T itself is never formed: its inverse is the strictly upper part of W^T W plus
 * diag(1 / tau), so T x is a triangular solve (Puglisi, SIAM J. Sci. Stat. Comput. 13, 1992; Joffrain, Low, Quintana-Orti, van de Geijn,
 * Van Zee, ACM TOMS 32, 2006). The identity on top of a stacked block's W adds nothing to the strictly upper part.
 * Where they leave tau = 0 undefined: such a reflection is the identity, so its row of the system is given zero.
 * Any thread. */
#include "linalg/block_qr.h"

#include <assert.h>
#include <cblas.h>
#include <lapacke.h>
#include <string.h>

enum { PANEL_COLS = 8 };

static int panel_cols(int cols)
{
    return cols < PANEL_COLS ? cols : PANEL_COLS;
}

size_t wf_block_qr_scratch_count(int cols)
{
    return 2 * (size_t)PANEL_COLS * (size_t)cols;
}

/* The Householder factors are the diagonals of the panels' triangular factors. */
static void take_tau(int cols, const double *panels, double *tau)
{
    size_t height = (size_t)panel_cols(cols);
    for (size_t j = 0; j < (size_t)cols; j++) tau[j] = panels[j * height + j % height];
}

void wf_block_qr_first(int rows, int cols, double *a, int ld, double *r, double *tau, double *scratch)
{
    size_t n = (size_t)cols, stride = (size_t)ld;
    int panel = panel_cols(cols);
    double *panels = scratch, *work = scratch + PANEL_COLS * n;
    int info = LAPACKE_dgeqrt_work(LAPACK_COL_MAJOR, rows, cols, panel, a, ld, panels, panel, work);
    assert(info == 0);
    (void)info;
    take_tau(cols, panels, tau);
    for (size_t j = 0; j < n; j++) {
        memcpy(r + j * n, a + j * stride, (j + 1) * sizeof *r);
        memset(r + j * n + j + 1, 0, (n - j - 1) * sizeof *r);
        memset(a + j * stride, 0, j * sizeof *a);
        a[j * stride + j] = 1.0;
    }
}

void wf_block_qr_stacked(int rows, int cols, int is_triangle, double *a, int ld, double *r, double *tau, double *scratch)
{
    int panel = panel_cols(cols);
    double *panels = scratch, *work = scratch + PANEL_COLS * (size_t)cols;
    int info = LAPACKE_dtpqrt_work(LAPACK_COL_MAJOR, rows, cols, is_triangle ? rows : 0, panel, r, cols, a, ld, panels, panel, work);
    assert(info == 0);
    (void)info;
    take_tau(cols, panels, tau);
}

size_t wf_block_q_scratch_count(int cols, int k)
{
    return (size_t)cols * (size_t)cols + (size_t)cols * (size_t)k;
}

/* The inverse of T into the upper triangle of `inverse` (column-major). A reflection with tau = 0 has a unit vector for its column of W,
 * or no entry in V: the products right of the diagonal are zero, and 1 on it makes its row of the system give zero for zero. */
static void invert_t(const wf_block_q *q, double *inverse)
{
    size_t n = (size_t)q->cols;
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, q->cols, q->rows, 1.0, q->v, q->ld, 0.0, inverse, q->cols);
    for (size_t j = 0; j < n; j++) inverse[j * n + j] = q->tau[j] != 0.0 ? 1.0 / q->tau[j] : 1.0;
}

/* y (cols, k) becomes T y. */
static void multiply_t(const wf_block_q *q, int k, double *y, double *inverse)
{
    invert_t(q, inverse);
    for (size_t j = 0; j < (size_t)q->cols; j++) {
        if (q->tau[j] == 0.0) memset(y + j * (size_t)k, 0, (size_t)k * sizeof *y);
    }
    /* Read by rows, the upper triangle of the inverse is the lower one of its transpose. */
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, q->cols, k, 1.0, inverse, q->cols, y, k);
}

/* out = -V y */
static void multiply_v(const wf_block_q *q, int k, const double *y, double *out)
{
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, q->rows, k, q->cols, -1.0, q->v, q->ld, y, k, 0.0, out, k);
}

void wf_block_q_apply_first(const wf_block_q *q, int k, const double *c, double *out, double *scratch)
{
    size_t count = (size_t)q->cols * (size_t)k;
    double *inverse = scratch, *y = scratch + (size_t)q->cols * (size_t)q->cols;
    memcpy(y, c, count * sizeof *y);
    cblas_dtrmm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasUnit, q->cols, k, 1.0, q->v, q->ld, y, k);
    multiply_t(q, k, y, inverse);
    multiply_v(q, k, y, out);
    for (size_t i = 0; i < count; i++) out[i] += c[i];
}

void wf_block_q_apply_stacked(const wf_block_q *q, int k, double *c, double *out, double *scratch)
{
    size_t count = (size_t)q->cols * (size_t)k;
    double *inverse = scratch, *y = scratch + (size_t)q->cols * (size_t)q->cols;
    memcpy(y, c, count * sizeof *y);
    multiply_t(q, k, y, inverse);
    multiply_v(q, k, y, out);
    for (size_t i = 0; i < count; i++) c[i] -= y[i];
}
