/* The decomposition, centering and random matrices as graphs, run by whatever scheduler the program is given. */
#include <weft/weft.h>

#include <lapacke.h>
#include <weft_test.h>

#include "oracle.h"

static weft_session *session; /* CUnit's cases take no argument */

/* Data that a factorization without care trips over: every third column zero, the next one its double, a NaN on request. */
typedef struct odd_params {
    int64_t first_row, rows, cols;
    int64_t nan_row; /* -1: none */
} odd_params;

WEFT_KERNEL(test_odd_data)
{
    const odd_params *p = weft_task_params(task, NULL);
    double *out = weft_task_create_output(task, 0, WEFT_F64, 2, (int64_t[]){p->rows, p->cols}, err);
    if (!out) return err->status;
    for (int64_t i = 0; i < p->rows; i++) {
        uint64_t state = (uint64_t)(p->first_row + i);
        for (int64_t j = 0; j < p->cols; j++) {
            double x = oracle_next(&state), *at = out + i * p->cols + j;
            *at = j % 3 == 0 ? 0.0 : j % 3 == 1 ? x : 2.0 * at[-1];
            if (p->first_row + i == p->nan_row) *at = (double)NAN;
        }
    }
    return WEFT_OK;
}

static weft_tall add_odd_data(weft_graph *graph, int64_t rows, int64_t cols, int64_t chunk_rows, int64_t nan_row)
{
    weft_tall tall;
    CU_ASSERT_EQUAL_FATAL(weft_tall_init(&tall, rows, cols, chunk_rows, NULL), WEFT_OK);
    odd_params params = {.cols = cols, .nan_row = nan_row};
    for (size_t i = 0; i < tall.chunk_count; i++, params.first_row += params.rows) {
        params.rows = tall.chunk_rows[i];
        weft_status status = weft_graph_add_task(graph, &test_odd_data_kernel, NULL, 0, &params, sizeof params, &tall.chunks[i], NULL);
        CU_ASSERT_EQUAL_FATAL(status, WEFT_OK);
    }
    return tall;
}

static weft_tall add_random(weft_graph *graph, int64_t rows, int64_t cols, int64_t chunk_rows)
{
    weft_tall tall;
    CU_ASSERT_EQUAL_FATAL(weft_random_uniform(graph, rows, cols, chunk_rows, 5, &tall, NULL), WEFT_OK);
    return tall;
}

static weft_graph *new_graph(void)
{
    weft_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    return graph;
}

/* The elements of one result, for the caller to free. */
static double *compute(const weft_graph *graph, weft_ref root)
{
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    weft_status status = weft_compute(session, graph, &root, 1, &chunk, &err);
    if (status != WEFT_OK) printf("%s\n", err.text);
    CU_ASSERT_EQUAL_FATAL(status, WEFT_OK);
    double *copy = oracle_dup(weft_chunk_data(chunk), (int64_t)(weft_chunk_bytes(chunk) / sizeof(double)));
    weft_chunk_release(chunk);
    return copy;
}

/* A whole matrix, computed in one go. */
static double *compute_tall(const weft_graph *graph, const weft_tall *tall)
{
    weft_chunk **chunks = calloc(tall->chunk_count, sizeof *chunks);
    double *all = oracle_buffer(tall->rows * tall->cols), *at = all;
    CU_ASSERT_PTR_NOT_NULL_FATAL(chunks);
    CU_ASSERT_EQUAL_FATAL(weft_compute(session, graph, tall->chunks, tall->chunk_count, chunks, NULL), WEFT_OK);
    for (size_t i = 0; i < tall->chunk_count; i++) {
        CU_ASSERT_EQUAL(weft_chunk_extent(chunks[i], 0), tall->chunk_rows[i]);
        CU_ASSERT_EQUAL(weft_chunk_extent(chunks[i], 1), tall->cols);
        memcpy(at, weft_chunk_data(chunks[i]), weft_chunk_bytes(chunks[i]));
        at += tall->chunk_rows[i] * tall->cols;
        weft_chunk_release(chunks[i]);
    }
    free(chunks);
    return all;
}

/* Residual and orthogonality of a full decomposition, by the library's own check. */
static void check(weft_tall (*add)(weft_graph *, int64_t, int64_t, int64_t), int64_t rows, int64_t cols, int64_t chunk_rows, int fan_in)
{
    weft_graph *graph = new_graph();
    weft_tall x = add(graph, rows, cols, chunk_rows), fresh = add(graph, rows, cols, chunk_rows);
    weft_svd_options options = WEFT_SVD_OPTIONS_INIT;
    options.leaf_rows = 40;
    options.fan_in = fan_in;
    weft_svd_refs svd;
    weft_ref figures[2];
    CU_ASSERT_EQUAL_FATAL(weft_svd_tall(graph, &x, &options, &svd, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_svd_check(graph, &fresh, &svd.u, svd.s, svd.v, &figures[0], &figures[1], NULL), WEFT_OK);
    weft_chunk *chunks[2];
    CU_ASSERT_EQUAL_FATAL(weft_compute(session, graph, figures, 2, chunks, NULL), WEFT_OK);
    double residual = *(const double *)weft_chunk_data(chunks[0]), orthogonality = *(const double *)weft_chunk_data(chunks[1]);
    if (!(residual < 1e-13 && orthogonality < 1e-13))
        printf("%lld x %lld by %lld, fan-in %d: %g %g\n", (long long)rows, (long long)cols, (long long)chunk_rows, fan_in, residual,
               orthogonality);
    CU_ASSERT(residual < 1e-13);
    CU_ASSERT(orthogonality < 1e-13);
    weft_chunk_release(chunks[0]);
    weft_chunk_release(chunks[1]);
    weft_tall_fini(&x), weft_tall_fini(&fresh), weft_tall_fini(&svd.u);
    weft_graph_destroy(graph);
}

static weft_tall add_odd(weft_graph *graph, int64_t rows, int64_t cols, int64_t chunk_rows)
{
    return add_odd_data(graph, rows, cols, chunk_rows, -1);
}

static void trees_of_every_shape_decompose(void)
{
    for (int fan_in = 0; fan_in <= WEFT_MAX_OUTPUTS; fan_in += fan_in ? 3 : 2) {
        for (int64_t chunk_count = 1; chunk_count <= 18; chunk_count++) check(add_random, 50 * chunk_count + 7, 6, 50, fan_in);
    }
    check(add_random, 9, 9, 9, 0);
    check(add_random, 30, 1, 4, 2);
}

static void dependent_and_zero_columns_decompose(void)
{
    check(add_odd, 500, 12, 60, 3);
    check(add_odd, 100, 12, 1000, 0);
    check(add_odd, 24, 12, 12, 2);
}

static void factors_agree_with_lapack(void)
{
    enum { ROWS = 700, COLS = 20 };
    weft_graph *graph = new_graph();
    weft_tall x = add_random(graph, ROWS, COLS, 100), fresh = add_random(graph, ROWS, COLS, 333);
    weft_svd_refs svd;
    CU_ASSERT_EQUAL_FATAL(weft_svd_tall(graph, &x, NULL, &svd, NULL), WEFT_OK);
    double *u = compute_tall(graph, &svd.u), *s = compute(graph, svd.s), *v = compute(graph, svd.v), *a = compute_tall(graph, &fresh);
    double *copy = oracle_dup(a, ROWS * COLS), expected[COLS], work[COLS];
    LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'N', 'N', ROWS, COLS, copy, COLS, expected, NULL, 1, NULL, COLS, work);
    for (int64_t j = 0; j < COLS; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < COLS; i++) sum += v[i * COLS + j];
        CU_ASSERT(sum >= 0.0);
        CU_ASSERT_DOUBLE_EQUAL(s[j] / expected[j], 1.0, 1e-12);
    }
    double *sv = oracle_buffer(COLS * COLS); /* column-major diag(s) v^T */
    for (int64_t i = 0; i < COLS * COLS; i++) sv[i] = s[i % COLS] * v[i];
    CU_ASSERT(oracle_product_error(a, u, sv, ROWS, COLS, COLS) < 1e-13);
    CU_ASSERT(oracle_orthogonality(u, ROWS, COLS) < 1e-13);
    CU_ASSERT(oracle_orthogonality(v, COLS, COLS) < 1e-13);
    free(u), free(s), free(v), free(a), free(copy), free(sv);
    weft_tall_fini(&x), weft_tall_fini(&fresh), weft_tall_fini(&svd.u);
    weft_graph_destroy(graph);
}

static void fewer_components_are_the_first_of_all(void)
{
    enum { ROWS = 400, COLS = 15, K = 4 };
    weft_graph *graph = new_graph();
    weft_tall x = add_random(graph, ROWS, COLS, 90), again = add_random(graph, ROWS, COLS, 90);
    weft_svd_options options = WEFT_SVD_OPTIONS_INIT;
    options.components = K;
    weft_svd_refs all, few;
    CU_ASSERT_EQUAL_FATAL(weft_svd_tall(graph, &x, NULL, &all, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_svd_tall(graph, &again, &options, &few, NULL), WEFT_OK);
    double *u_all = compute_tall(graph, &all.u), *u_few = compute_tall(graph, &few.u), worst = 0.0;
    for (int64_t i = 0; i < ROWS * K; i++) worst = fmax(worst, fabs(u_few[i] - u_all[i / K * COLS + i % K]));
    CU_ASSERT(worst < 1e-14);
    free(u_all), free(u_few);
    weft_tall_fini(&x), weft_tall_fini(&again), weft_tall_fini(&all.u), weft_tall_fini(&few.u);
    weft_graph_destroy(graph);
}

static void values_alone_agree_and_leave_out_the_way_down(void)
{
    weft_graph *graph = new_graph();
    weft_tall x = add_random(graph, 900, 10, 100);
    weft_svd_options options = WEFT_SVD_OPTIONS_INIT;
    options.values_only = true;
    weft_svd_refs values, all;
    size_t before = weft_graph_task_count(graph);
    CU_ASSERT_EQUAL_FATAL(weft_svd_tall(graph, &x, &options, &values, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_graph_task_count(graph) - before, 9 + 2 + 1 + 1); /* 9 leaves; 4 + 4 merged, 1 passed on; 3 merged; the root */
    CU_ASSERT_EQUAL(values.u.chunk_count, 0);
    CU_ASSERT_EQUAL_FATAL(weft_svd_tall(graph, &x, NULL, &all, NULL), WEFT_OK);
    double *few = compute(graph, values.s), *s = compute(graph, all.s);
    for (int j = 0; j < 10; j++) CU_ASSERT_DOUBLE_EQUAL(few[j] / s[j], 1.0, 1e-13);
    free(few), free(s);
    weft_tall_fini(&x), weft_tall_fini(&all.u);
    weft_graph_destroy(graph);
}

static void random_matrix_does_not_depend_on_the_cut(void)
{
    weft_graph *graph = new_graph();
    weft_tall one = add_random(graph, 1003, 11, 5000), many = add_random(graph, 1003, 11, 100);
    CU_ASSERT_EQUAL(one.chunk_count, 1);
    CU_ASSERT_EQUAL(many.chunk_count, 10);
    CU_ASSERT_EQUAL(many.chunk_rows[9], 103);
    double *a = compute_tall(graph, &one), *b = compute_tall(graph, &many);
    CU_ASSERT_EQUAL(memcmp(a, b, 1003 * 11 * sizeof *a), 0);
    free(a), free(b);
    weft_tall_fini(&one), weft_tall_fini(&many);
    weft_graph_destroy(graph);
}

static void centering_takes_the_mean_off_every_column(void)
{
    enum { ROWS = 2000, COLS = 5 };
    for (int64_t chunk_rows = 20; chunk_rows <= ROWS; chunk_rows *= 10) {
        weft_graph *graph = new_graph();
        weft_tall x = add_random(graph, ROWS, COLS, chunk_rows), fresh = add_random(graph, ROWS, COLS, 500), centered;
        CU_ASSERT_EQUAL_FATAL(weft_center_columns(graph, &x, &centered, NULL), WEFT_OK);
        double *a = compute_tall(graph, &fresh), *b = compute_tall(graph, &centered), worst = 0.0;
        for (int64_t j = 0; j < COLS; j++) {
            long double mean = 0.0L;
            for (int64_t i = 0; i < ROWS; i++) mean += (long double)a[i * COLS + j] / ROWS;
            for (int64_t i = 0; i < ROWS; i++) worst = fmax(worst, fabs((double)((long double)a[i * COLS + j] - mean) - b[i * COLS + j]));
        }
        CU_ASSERT(worst < 1e-14);
        free(a), free(b);
        weft_tall_fini(&x), weft_tall_fini(&fresh), weft_tall_fini(&centered);
        weft_graph_destroy(graph);
    }
}

static void nan_in_the_data_fails_and_says_so(void)
{
    weft_graph *graph = new_graph();
    weft_tall x = add_odd_data(graph, 500, 12, 100, 333);
    weft_svd_refs svd;
    weft_error err = WEFT_ERROR_INIT;
    weft_chunk *chunk = NULL;
    CU_ASSERT_EQUAL_FATAL(weft_svd_tall(graph, &x, NULL, &svd, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_compute(session, graph, &svd.s, 1, &chunk, &err), WEFT_EDATA);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "NaN"));
    weft_tall_fini(&x), weft_tall_fini(&svd.u);
    weft_graph_destroy(graph);
}

static void bad_calls_are_refused_where_they_are_made(void)
{
    static const struct {
        int64_t rows, cols, chunk_rows;
        weft_status status;
    } cuts[] = {{0, 5, 10, WEFT_EINVAL},  {10, 0, 10, WEFT_EINVAL}, {4, 5, 10, WEFT_ESHAPE},      {100, 5, 0, WEFT_EINVAL},
                {100, 5, 4, WEFT_ESHAPE}, {-3, 5, 4, WEFT_EINVAL},  {40000, 31000, 40000, WEFT_EINVAL}};
    weft_graph *graph = new_graph();
    for (size_t i = 0; i < WEFT_COUNT_OF(cuts); i++) {
        weft_tall tall = {.rows = 77};
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(weft_random_uniform(graph, cuts[i].rows, cuts[i].cols, cuts[i].chunk_rows, 1, &tall, &err), cuts[i].status);
        CU_ASSERT_EQUAL(err.status, cuts[i].status);
        CU_ASSERT_EQUAL(tall.rows, 77);
    }
    CU_ASSERT_EQUAL(weft_graph_task_count(graph), 0);
    weft_tall x = add_random(graph, 100, 5, 20);
    enum { SIZE = sizeof(weft_svd_options) };
    static const weft_svd_options options[] = {{SIZE, .components = 6}, {SIZE, .components = -1}, {SIZE, .fan_in = 1},
                                               {SIZE, .fan_in = WEFT_MAX_OUTPUTS + 1}, {SIZE, .leaf_rows = -1},
                                               {SIZE, .leaf_rows = INT32_MAX}, {.size_bytes = 0}, {.size_bytes = SIZE + 8}};
    weft_svd_refs svd;
    for (size_t i = 0; i < WEFT_COUNT_OF(options); i++) CU_ASSERT_EQUAL(weft_svd_tall(graph, &x, &options[i], &svd, NULL), WEFT_EINVAL);
    x.chunk_rows[2] = 4, x.chunk_rows[3] = 36;
    CU_ASSERT_EQUAL(weft_svd_tall(graph, &x, NULL, &svd, NULL), WEFT_ESHAPE);
    x.chunk_rows[2] = 21, x.chunk_rows[3] = 20;
    CU_ASSERT_EQUAL(weft_svd_tall(graph, &x, NULL, &svd, NULL), WEFT_ESHAPE);
    CU_ASSERT_EQUAL(weft_graph_task_count(graph), 5);
    weft_tall_fini(&x);
    weft_graph_destroy(graph);
}

static void leaves_fill_two_fifths_of_the_cache(void)
{
    CU_ASSERT_EQUAL(weft_svd_leaf_rows(2 << 20, 100), 1048);
    CU_ASSERT_EQUAL(weft_svd_leaf_rows(1 << 20, 1000), 4000);
    CU_ASSERT_EQUAL(weft_svd_leaf_rows(0, 10), 40);
}

static int client(weft_session *given, int argc, char **argv)
{
    (void)argc, (void)argv;
    static const weft_test_case cases[] = {
        WEFT_TEST(trees_of_every_shape_decompose),
        WEFT_TEST(dependent_and_zero_columns_decompose),
        WEFT_TEST(factors_agree_with_lapack),
        WEFT_TEST(fewer_components_are_the_first_of_all),
        WEFT_TEST(values_alone_agree_and_leave_out_the_way_down),
        WEFT_TEST(random_matrix_does_not_depend_on_the_cut),
        WEFT_TEST(centering_takes_the_mean_off_every_column),
        WEFT_TEST(nan_in_the_data_fails_and_says_so),
        WEFT_TEST(bad_calls_are_refused_where_they_are_made),
        WEFT_TEST(leaves_fill_two_fifths_of_the_cache),
    };
    session = given;
    return weft_test_run("linalg/svd_tall", cases, WEFT_COUNT_OF(cases));
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
