/* Sums over the rows of a chunk, and a row taken off every row. Row-major; any thread; nothing is allocated. */
#ifndef WF_LINALG_COLUMNS_H
#define WF_LINALG_COLUMNS_H

#include <stdint.h>

/* sums (cols) = the sum of every column of chunk (rows, cols). scratch: cols doubles. */
void wf_columns_sum(const double *chunk, int64_t rows, int64_t cols, double *sums, double *scratch);

/* chunk (rows, cols) minus mean (cols), in place. */
void wf_columns_subtract(double *chunk, int64_t rows, int64_t cols, const double *mean);

#endif
