#include "taskbench/sweep.h"

#include <math.h>
#include <string.h>

#include "weft_test.h"

/* A machine that needs overhead_s for every task beside a nanosecond for every iteration, and is up to noise slower now and then. */
static bench_sweep_point simulate(double overhead_s, double noise, int64_t iterations)
{
    uint64_t x = (uint64_t)iterations * 0x9E3779B97F4A7C15u;
    double slower = 1.0 + noise * (double)(x >> 40) * 0x1p-24;
    double granularity = (overhead_s + 1e-9 * (double)iterations) * slower;
    return (bench_sweep_point){iterations, 1000.0 * granularity, granularity, (double)iterations / granularity};
}

static double sweep_through(double overhead_s, double noise, bench_sweep *sweep, bool *is_bound)
{
    int64_t iterations;
    *sweep = (bench_sweep){.count = 0};
    while ((iterations = bench_sweep_next(sweep)) > 0 && sweep->count < BENCH_MAX_POINTS) {
        for (size_t i = 0; i < sweep->count; i++) CU_ASSERT_NOT_EQUAL(sweep->points[i].iterations, iterations);
        bench_sweep_add(sweep, simulate(overhead_s, noise, iterations));
    }
    CU_ASSERT_EQUAL(iterations, 0);
    for (size_t i = 1; i < sweep->count; i++) CU_ASSERT(sweep->points[i - 1].iterations < sweep->points[i].iterations);
    return bench_sweep_metg(sweep, is_bound);
}

/* Half of the time is overhead where a task takes twice that; the ladder ends a little below the best rate. */
static void metg_is_twice_the_overhead(void)
{
    static const double overheads[] = {20e-9, 0.5e-6, 3e-6, 40e-6, 80e-6};
    for (size_t i = 0; i < WEFT_COUNT_OF(overheads); i++) {
        bench_sweep sweep;
        bool is_bound;
        double metg = sweep_through(overheads[i], 0.0, &sweep, &is_bound);
        CU_ASSERT_FALSE(is_bound);
        CU_ASSERT_DOUBLE_EQUAL(metg / overheads[i], 1.95, 0.1);
        CU_ASSERT(sweep.count < 40);
    }
}

static void noise_moves_metg_by_as_much_as_it_is(void)
{
    static const double overheads[] = {100e-9, 1e-6, 10e-6};
    for (size_t i = 0; i < WEFT_COUNT_OF(overheads); i++) {
        bench_sweep sweep;
        bool is_bound;
        double metg = sweep_through(overheads[i], 0.1, &sweep, &is_bound);
        CU_ASSERT_DOUBLE_EQUAL(metg / overheads[i], 1.95, 0.5);
    }
}

static void a_system_without_overhead_has_a_bound_alone(void)
{
    bench_sweep sweep;
    bool is_bound;
    double metg = sweep_through(0.0, 0.0, &sweep, &is_bound);
    CU_ASSERT(is_bound);
    CU_ASSERT_DOUBLE_EQUAL(metg, 1e-9, 1e-12);
}

static void a_machine_that_never_gets_faster_ends_the_sweep(void)
{
    bench_sweep sweep;
    bool is_bound;
    sweep_through(1.0, 0.0, &sweep, &is_bound); /* a second for each task, a thousand for each run */
    CU_ASSERT_EQUAL(sweep.count, 1);
}

static void interpolation_is_a_straight_line_between_the_points_around_one_half(void)
{
    bench_sweep sweep = {.count = 0};
    bool is_bound;
    bench_sweep_add(&sweep, (bench_sweep_point){8, 1, 5e-6, 10.0});
    bench_sweep_add(&sweep, (bench_sweep_point){2, 1, 2e-6, 4.0});
    bench_sweep_add(&sweep, (bench_sweep_point){4, 1, 3e-6, 8.0});
    bench_sweep_add(&sweep, (bench_sweep_point){1, 1, 1.5e-6, 1.0});
    CU_ASSERT_EQUAL(bench_sweep_peak(&sweep), 10.0);
    CU_ASSERT_DOUBLE_EQUAL(bench_sweep_metg(&sweep, &is_bound), 2.25e-6, 1e-12); /* 5 lies at a quarter between 4 and 8 */
    CU_ASSERT_FALSE(is_bound);
    sweep.points[1].granularity_s = 4e-6; /* shorter tasks that took longer are no help */
    CU_ASSERT_DOUBLE_EQUAL(bench_sweep_metg(&sweep, &is_bound), 3e-6, 1e-12);
}

static void an_empty_sweep_has_no_metg(void)
{
    const bench_sweep sweep = {.count = 0};
    bool is_bound;
    CU_ASSERT_EQUAL(bench_sweep_metg(&sweep, &is_bound), 0.0);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(metg_is_twice_the_overhead),
        WEFT_TEST(noise_moves_metg_by_as_much_as_it_is),
        WEFT_TEST(a_system_without_overhead_has_a_bound_alone),
        WEFT_TEST(a_machine_that_never_gets_faster_ends_the_sweep),
        WEFT_TEST(interpolation_is_a_straight_line_between_the_points_around_one_half),
        WEFT_TEST(an_empty_sweep_has_no_metg),
    };
    return weft_test_run("taskbench/sweep", cases, WEFT_COUNT_OF(cases));
}
