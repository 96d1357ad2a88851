/* The number of threads that BLAS uses. Owns nothing: the setting is the process's, so whoever changes it puts the old one back. Called
 * while no task runs, by the thread that makes and ends the rank; the description by any. */
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
