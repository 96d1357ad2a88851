#include "exec/blas.h"

#include <cblas.h>

int wf_blas_set_threads(int thread_count)
{
    int before = openblas_get_num_threads();
    openblas_set_num_threads(thread_count);
    return before;
}

const char *wf_blas_description(void)
{
    return openblas_get_config();
}
