/* Rows are summed in groups, groups into the total: rounding grows with the longer of the two, not with the number of rows. Any thread. */
#include "linalg/columns.h"

#include <string.h>

enum { GROUP_ROWS = 128 };

void wf_columns_sum(const double *chunk, int64_t rows, int64_t cols, double *sums, double *scratch)
{
    double *restrict total = sums, *restrict group = scratch;
    memset(total, 0, (size_t)cols * sizeof *total);
    for (int64_t begin = 0; begin < rows; begin += GROUP_ROWS) {
        int64_t end = rows - begin < GROUP_ROWS ? rows : begin + GROUP_ROWS;
        memcpy(group, chunk + begin * cols, (size_t)cols * sizeof *group);
        for (int64_t i = begin + 1; i < end; i++) {
            const double *restrict row = chunk + i * cols;
            for (int64_t j = 0; j < cols; j++) group[j] += row[j];
        }
        for (int64_t j = 0; j < cols; j++) total[j] += group[j];
    }
}

void wf_columns_subtract(double *chunk, int64_t rows, int64_t cols, const double *mean)
{
    for (int64_t i = 0; i < rows; i++) {
        double *restrict row = chunk + i * cols;
        const double *restrict minus = mean;
        for (int64_t j = 0; j < cols; j++) row[j] -= minus[j];
    }
}
