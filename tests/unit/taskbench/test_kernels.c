#include "taskbench/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

static void iterations_are_drawn_evenly_within_the_imbalance(void)
{
    const bench_kernel kernel = {.kind = BENCH_LOAD_IMBALANCE, .iterations = 1000, .imbalance = 1.0};
    int64_t least = INT64_MAX, most = 0, halves[2] = {0, 0};
    double sum = 0.0;
    for (int64_t step = 0; step < 100; step++) {
        for (int64_t column = 0; column < 100; column++) {
            int64_t iterations = bench_kernel_iterations(&kernel, step, column);
            least = iterations < least ? iterations : least;
            most = iterations > most ? iterations : most;
            halves[iterations < 1000]++;
            sum += (double)iterations;
        }
    }
    CU_ASSERT(least >= 500 && least < 505);
    CU_ASSERT(most <= 1500 && most > 1495);
    CU_ASSERT_DOUBLE_EQUAL(sum / 1e4, 1000.0, 15.0); /* five deviations of the mean */
    CU_ASSERT(labs((long)(halves[0] - halves[1])) < 500);
}

static void the_draw_depends_on_step_column_and_seed_alone(void)
{
    bench_kernel kernel = {.kind = BENCH_LOAD_IMBALANCE, .iterations = 1000000, .imbalance = 2.0};
    int64_t drawn = bench_kernel_iterations(&kernel, 3, 4);
    CU_ASSERT_EQUAL(bench_kernel_iterations(&kernel, 3, 4), drawn);
    CU_ASSERT_NOT_EQUAL(bench_kernel_iterations(&kernel, 4, 3), drawn);
    CU_ASSERT_NOT_EQUAL(bench_kernel_iterations(&kernel, 3, 5), drawn);
    kernel.seed = 1;
    CU_ASSERT_NOT_EQUAL(bench_kernel_iterations(&kernel, 3, 4), drawn);
    kernel.imbalance = 0.0;
    CU_ASSERT_EQUAL(bench_kernel_iterations(&kernel, 3, 4), 1000000);
}

static void other_kernels_do_as_many_iterations_as_told(void)
{
    bench_kernel kernel = {.kind = BENCH_COMPUTE_BOUND, .iterations = 7, .imbalance = 2.0, .scratch_bytes = 65536};
    CU_ASSERT_EQUAL(bench_kernel_iterations(&kernel, 1, 1), 7);
    CU_ASSERT_EQUAL(bench_kernel_flops(&kernel, 7), 7 * 128);
    CU_ASSERT_EQUAL(bench_kernel_bytes(&kernel, 7), 0);
    kernel.kind = BENCH_MEMORY_BOUND;
    CU_ASSERT_EQUAL(bench_kernel_iterations(&kernel, 1, 1), 7);
    CU_ASSERT_EQUAL(bench_kernel_flops(&kernel, 7), 0);
    CU_ASSERT_EQUAL(bench_kernel_bytes(&kernel, 7), 7 * 4096);
    kernel.kind = BENCH_EMPTY;
    CU_ASSERT_EQUAL(bench_kernel_iterations(&kernel, 1, 1), 0);
}

/* Each iteration must copy one half of one part, and touch nothing else. */
static void memory_bound_copies_what_it_counts(void)
{
    enum { BYTES = 4 * BENCH_SCRATCH_STEP, PART = BYTES / BENCH_SCRATCH_PARTS };
    bench_kernel kernel = {.kind = BENCH_MEMORY_BOUND, .scratch_bytes = BYTES};
    static unsigned char scratch[BYTES];
    for (int64_t iterations = 0; iterations <= BENCH_SCRATCH_PARTS + 2; iterations++) {
        int copied = 0;
        kernel.iterations = iterations;
        for (size_t i = 0; i < BYTES; i++) scratch[i] = (unsigned char)(i % PART < PART / 2);
        bench_kernel_run(&kernel, 0, 0, scratch);
        for (size_t part = 0; part < BENCH_SCRATCH_PARTS; part++) {
            const unsigned char *half = scratch + part * PART + PART / 2;
            CU_ASSERT_EQUAL(half[0], half[PART / 2 - 1]);
            copied += half[0];
        }
        CU_ASSERT_EQUAL(copied, iterations < BENCH_SCRATCH_PARTS ? iterations : BENCH_SCRATCH_PARTS);
    }
}

static void short_tasks_of_memory_bound_go_through_all_parts_together(void)
{
    enum { BYTES = BENCH_SCRATCH_STEP, PART = BYTES / BENCH_SCRATCH_PARTS };
    const bench_kernel kernel = {.kind = BENCH_MEMORY_BOUND, .scratch_bytes = BYTES, .iterations = 1};
    static unsigned char scratch[BYTES];
    for (size_t i = 0; i < BYTES; i++) scratch[i] = (unsigned char)(i % PART < PART / 2);
    for (int64_t step = 0; step < BENCH_SCRATCH_PARTS; step++) bench_kernel_run(&kernel, step, 5, scratch);
    for (size_t i = 0; i < BYTES; i++) CU_ASSERT_EQUAL(scratch[i], 1);
}

static void computing_kernels_need_no_memory(void)
{
    bench_kernel kernel = {.kind = BENCH_EMPTY, .iterations = 3, .imbalance = 2.0};
    bench_kernel_run(&kernel, 0, 0, NULL);
    kernel.kind = BENCH_COMPUTE_BOUND;
    bench_kernel_run(&kernel, 0, 0, NULL);
    kernel.kind = BENCH_LOAD_IMBALANCE;
    bench_kernel_run(&kernel, 0, 0, NULL);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(iterations_are_drawn_evenly_within_the_imbalance),
        WEFT_TEST(the_draw_depends_on_step_column_and_seed_alone),
        WEFT_TEST(other_kernels_do_as_many_iterations_as_told),
        WEFT_TEST(memory_bound_copies_what_it_counts),
        WEFT_TEST(short_tasks_of_memory_bound_go_through_all_parts_together),
        WEFT_TEST(computing_kernels_need_no_memory),
    };
    return weft_test_run("taskbench/kernels", cases, WEFT_COUNT_OF(cases));
}
