/* Uniform random doubles, each a pure function of (seed, row, column). Any thread; no state. */
#ifndef WF_LINALG_UNIFORM_H
#define WF_LINALG_UNIFORM_H

#include <stdint.h>

/* Fills out (rows, cols), row-major, with the elements of rows [first_row, first_row + rows) of the random matrix that seed names:
 * multiples of 2^-53 in [0, 1), the same bits on every machine, however a matrix is cut into calls and however wide it is. */
void wf_uniform_fill(double *out, int64_t first_row, int64_t rows, int64_t cols, uint64_t seed);

#endif
