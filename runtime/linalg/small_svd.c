/* LAPACK's divide and conquer (dgesdd); where that does not converge, its slower but sturdier QR iteration (dgesvd). Any thread. */
#include "linalg/small_svd.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Where the pieces of the scratch lie. */
typedef struct pieces {
    double *a, *u, *vt, *s, *work;
    lapack_int *iwork;
    lapack_int n, work_count;
    char job; /* 'S' with vectors, 'N' values only */
} pieces;

static lapack_int run_dgesdd(const pieces *p, double *work, lapack_int work_count)
{
    return LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, p->job, p->n, p->n, p->a, p->n, p->s, p->u, p->n, p->vt, p->n, work, work_count,
                               p->iwork);
}

static lapack_int run_dgesvd(const pieces *p, double *work, lapack_int work_count)
{
    return LAPACKE_dgesvd_work(LAPACK_COL_MAJOR, p->job, p->job, p->n, p->n, p->a, p->n, p->s, p->u, p->n, p->vt, p->n, work, work_count);
}

/* What LAPACK would like, which grows with n alone. */
static lapack_int query_work_count(pieces p)
{
    double dgesdd_count = 1.0, dgesvd_count = 1.0, unused;
    lapack_int unused_int;
    p.a = p.u = p.vt = p.s = &unused;
    p.iwork = &unused_int;
    run_dgesdd(&p, &dgesdd_count, -1);
    run_dgesvd(&p, &dgesvd_count, -1);
    return (lapack_int)fmax(dgesdd_count, dgesvd_count);
}

static size_t aligned_count(size_t count)
{
    return (count + 7) / 8 * 8;
}

size_t wf_small_svd_scratch_bytes(int64_t n)
{
    size_t square = aligned_count((size_t)(n * n)), work = 0;
    for (int with_vectors = 0; with_vectors < 2; with_vectors++) {
        pieces p = {.n = (lapack_int)n, .job = with_vectors ? 'S' : 'N'};
        size_t count = (size_t)query_work_count(p);
        work = count > work ? count : work;
    }
    return (3 * square + aligned_count((size_t)n) + aligned_count(work)) * sizeof(double) + 8 * (size_t)n * sizeof(lapack_int);
}

static pieces lay_out(int64_t n, int with_vectors, void *scratch)
{
    size_t square = aligned_count((size_t)(n * n));
    pieces p = {.n = (lapack_int)n, .job = with_vectors ? 'S' : 'N'};
    p.work_count = query_work_count(p);
    p.a = scratch;
    p.u = p.a + square;
    p.vt = p.u + square;
    p.s = p.vt + square;
    p.work = p.s + aligned_count((size_t)n);
    p.iwork = (lapack_int *)(void *)(p.work + aligned_count((size_t)p.work_count));
    return p;
}

static int is_finite(const double *a, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(a[i])) return 0;
    }
    return 1;
}

static weft_status decompose(const pieces *p, const double *a, weft_error *err)
{
    size_t count = (size_t)p->n * (size_t)p->n;
    if (!is_finite(a, count))
        return weft_fail(err, WEFT_EDATA, "the matrix holds NaN, infinity or values too large to be squared; clean or scale the data");
    memcpy(p->a, a, count * sizeof *a);
    lapack_int info = run_dgesdd(p, p->work, p->work_count);
    if (info == 0) return WEFT_OK;
    memcpy(p->a, a, count * sizeof *a);
    info = run_dgesvd(p, p->work, p->work_count);
    if (info == 0) return WEFT_OK;
    return weft_fail(err, WEFT_EKERNEL, "the singular values of a %d x %d matrix did not converge (dgesvd: %d); scale the data", (int)p->n,
                     (int)p->n, (int)info);
}

/* Column j of vt's transpose and of u, row-major and with the rule's sign. */
static void take_vectors(const pieces *p, size_t k, double *u, double *v)
{
    size_t n = (size_t)p->n;
    for (size_t j = 0; j < k; j++) {
        double sum = 0.0;
        for (size_t i = 0; i < n; i++) sum += p->vt[i * n + j];
        double sign = sum < 0.0 ? -1.0 : 1.0;
        for (size_t i = 0; i < n; i++) {
            u[i * k + j] = sign * p->u[j * n + i];
            v[i * k + j] = sign * p->vt[i * n + j];
        }
    }
}

weft_status wf_small_svd(int64_t n, int64_t k, const double *a, double *s, double *u, double *v, void *scratch, weft_error *err)
{
    pieces p = lay_out(n, u != NULL, scratch);
    weft_status status = decompose(&p, a, err);
    if (status != WEFT_OK) return status;
    memcpy(s, p.s, (size_t)k * sizeof *s);
    if (u) take_vectors(&p, (size_t)k, u, v);
    return WEFT_OK;
}
