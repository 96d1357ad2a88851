/* What a task does beside passing data on. No weft, no memory of its own, any thread.
 *
 *     empty           nothing
 *     compute_bound   `iterations` times 64 multiply-adds in registers: 128 FLOP each
 *     memory_bound    `iterations` times a copy within the scratch memory: an iteration reads and writes a 32nd of it, in turn
 *     load_imbalance  compute_bound whose iterations are drawn for every task, evenly between 1 - imbalance / 2 and 1 + imbalance / 2 times
 */
#ifndef TASKBENCH_KERNELS_H
#define TASKBENCH_KERNELS_H

#include <stdint.h>

typedef enum bench_kernel_kind {
    BENCH_EMPTY,
    BENCH_COMPUTE_BOUND,
    BENCH_MEMORY_BOUND,
    BENCH_LOAD_IMBALANCE,
    BENCH_KERNEL_COUNT
} bench_kernel_kind;

/* As shipped between ranks: fixed width, no padding. */
typedef struct bench_kernel {
    uint32_t kind;          /* a bench_kernel_kind */
    uint32_t seed;          /* of load_imbalance */
    int64_t iterations;
    double imbalance;       /* 0 to 2 */
    uint64_t scratch_bytes; /* of memory_bound; a multiple of BENCH_SCRATCH_STEP */
} bench_kernel;

enum { BENCH_ITERATION_FLOPS = 128, BENCH_SCRATCH_PARTS = 16, BENCH_SCRATCH_STEP = 2048 };

extern const char *const bench_kernel_names[BENCH_KERNEL_COUNT];

/* The iterations of one task; 0 for empty. */
int64_t bench_kernel_iterations(const bench_kernel *kernel, int64_t step, int64_t column);

/* What that many iterations do: floating-point operations, or bytes read and written. */
double bench_kernel_flops(const bench_kernel *kernel, int64_t iterations);
double bench_kernel_bytes(const bench_kernel *kernel, int64_t iterations);

/* Runs it. scratch: scratch_bytes of memory that nobody else uses meanwhile, 64-byte aligned; only memory_bound looks at it. */
void bench_kernel_run(const bench_kernel *kernel, int64_t step, int64_t column, void *scratch);

#endif
