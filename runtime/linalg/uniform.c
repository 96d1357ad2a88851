/* Counter-based random numbers: Threefry-2x64 with 20 rounds (Salmon, Moraes, Dror, Shaw, SC11), the counter being (row, column / 2), so
 * that one encryption gives the elements of an even column and of its right neighbour. Threefry is additions, rotations and exclusive ors
 * of 64-bit words, which vectorise on any machine; Philox, with its wide products, was measured at half the speed. The constants are
 * Random123's; its functions, which work on one counter at a time, are the tests' oracle.
 *
 * Invariant: the bits depend on seed, row and column alone; the instruction set decides only how many lanes are done at once.
 * Any thread. */
#include "linalg/uniform.h"

#include <Random123/threefry.h>
#include <string.h>

enum { LANES = 8, BATCH = 2 * LANES, ROUNDS = 20, ROTATIONS = 8 };

typedef uint64_t lanes __attribute__((vector_size(8 * LANES)));
typedef double doubles __attribute__((vector_size(8 * LANES)));

/* The upper 53 bits times 2^-53, by bit patterns: not every vector unit converts 64-bit integers. The upper 52 become the fraction of a
 * number in [1, 2), from which 1 is taken; the 53rd is added as 2^-53. Both steps are exact. A macro: see uniform_rows.h. */
#define TO_UNIT_INTERVAL(bits)                                          \
    (((doubles)(((bits) >> 12) | UINT64_C(0x3ff0000000000000)) - 1.0) + \
     (doubles)((0 - (((bits) >> 11) & 1)) & UINT64_C(0x3ca0000000000000)))

#define ROWS_NAME fill_baseline
#define ROWS_TARGET
#include "linalg/uniform_rows.h"

#if defined(__x86_64__)
#define ROWS_NAME fill_avx2
#define ROWS_TARGET __attribute__((target("avx2")))
#include "linalg/uniform_rows.h"

#define ROWS_NAME fill_avx512
#define ROWS_TARGET __attribute__((target("avx512f")))
#include "linalg/uniform_rows.h"
#endif

void wf_uniform_fill(double *out, int64_t first_row, int64_t rows, int64_t cols, uint64_t seed)
{
    if (rows <= 0 || cols <= 0) return;
    uint64_t first = (uint64_t)first_row, row_count = (uint64_t)rows, col_count = (uint64_t)cols;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        fill_avx512(out, first, row_count, col_count, seed);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        fill_avx2(out, first, row_count, col_count, seed);
        return;
    }
#endif
    fill_baseline(out, first, row_count, col_count, seed);
}
