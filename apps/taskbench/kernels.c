/* The kernels. Compiled with -ffp-contract=fast, so that a multiply-add is one instruction where the processor has it; nothing else in this
 * file depends on how a product is rounded. Owns nothing; any thread. */
#include "kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

const char *const bench_kernel_names[BENCH_KERNEL_COUNT] = {"empty", "compute_bound", "memory_bound", "load_imbalance"};

/* ---- compute_bound ---- */

enum { LANES = 4, VECTORS = 16 };
_Static_assert(2 * LANES * VECTORS == BENCH_ITERATION_FLOPS, "an iteration is a multiply-add on every element");

typedef double vector __attribute__((vector_size(LANES * sizeof(double))));

/* x + x * x leads from -1/2 towards 0 like -1 / (iteration + 2): for ever neither zero, nor tiny, nor infinite, so that every iteration
 * takes the same time. The sixteen vectors are independent of each other and fill the registers. */
static inline __attribute__((always_inline)) double multiply_add(int64_t iterations)
{
    vector x[VECTORS];
    for (int v = 0; v < VECTORS; v++) x[v] = (vector){-0.5, -0.25, -0.125, -0.0625};
    for (int64_t i = 0; i < iterations; i++) {
#pragma GCC unroll 16
        for (int v = 0; v < VECTORS; v++) x[v] = x[v] * x[v] + x[v];
    }
    double sum = 0.0;
    for (int v = 0; v < VECTORS; v++) sum += x[v][0] + x[v][1] + x[v][2] + x[v][3];
    return sum;
}

static __attribute__((noinline)) double multiply_add_anywhere(int64_t iterations)
{
    return multiply_add(iterations);
}

#if defined(__x86_64__)
static __attribute__((noinline, target("avx2,fma"))) double multiply_add_avx2(int64_t iterations)
{
    return multiply_add(iterations);
}

static double compute(int64_t iterations)
{
    bool has_both = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return has_both ? multiply_add_avx2(iterations) : multiply_add_anywhere(iterations);
}
#else
static double compute(int64_t iterations)
{
    return multiply_add_anywhere(iterations);
}
#endif

/* ---- memory_bound ---- */

/* Where a task begins depends on its place, so that a row of short tasks goes through all of the memory too. */
static void copy_parts(const bench_kernel *kernel, int64_t step, int64_t column, char *scratch)
{
    size_t part_bytes = (size_t)kernel->scratch_bytes / BENCH_SCRATCH_PARTS;
    uint64_t part = ((uint64_t)step + (uint64_t)column) * (uint64_t)kernel->iterations;
    for (int64_t i = 0; i < kernel->iterations; i++, part++) {
        char *from = scratch + (size_t)(part % BENCH_SCRATCH_PARTS) * part_bytes;
        memcpy(from + part_bytes / 2, from, part_bytes / 2);
        __asm__ volatile("" : : "r"(from) : "memory"); /* the copy must be made although nobody looks at it */
    }
}

/* ---- all of them ---- */

/* Evenly in [0, 1): counter-based, so that it is the same on every rank and in every system. */
static double draw(const bench_kernel *kernel, int64_t step, int64_t column)
{
    uint64_t x = ((uint64_t)kernel->seed + 1) * 0xD6E8FEB86659FD93u + ((uint64_t)step << 32 | (uint64_t)column) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (double)((x ^ (x >> 31)) >> 11) * 0x1p-53;
}

int64_t bench_kernel_iterations(const bench_kernel *kernel, int64_t step, int64_t column)
{
    if (kernel->kind == BENCH_EMPTY) return 0;
    if (kernel->kind != BENCH_LOAD_IMBALANCE) return kernel->iterations;
    return llround((1.0 + (draw(kernel, step, column) - 0.5) * kernel->imbalance) * (double)kernel->iterations);
}

double bench_kernel_flops(const bench_kernel *kernel, int64_t iterations)
{
    return kernel->kind == BENCH_MEMORY_BOUND ? 0.0 : (double)iterations * BENCH_ITERATION_FLOPS;
}

double bench_kernel_bytes(const bench_kernel *kernel, int64_t iterations)
{
    return kernel->kind == BENCH_MEMORY_BOUND ? (double)iterations * (double)(kernel->scratch_bytes / BENCH_SCRATCH_PARTS) : 0.0;
}

void bench_kernel_run(const bench_kernel *kernel, int64_t step, int64_t column, void *scratch)
{
    if (kernel->kind == BENCH_EMPTY) return;
    if (kernel->kind == BENCH_MEMORY_BOUND) {
        copy_parts(kernel, step, column, scratch);
        return;
    }
    double result = compute(bench_kernel_iterations(kernel, step, column));
    __asm__ volatile("" : : "g"(&result) : "memory");
}
