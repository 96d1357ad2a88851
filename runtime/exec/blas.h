/* BLAS inside tasks uses one thread: the pool's threads are what fills the cores. */
#ifndef WF_EXEC_BLAS_H
#define WF_EXEC_BLAS_H

/* Sets the number of threads of this process's BLAS and returns what it was. A setting of the process, since that is all BLAS has. */
int wf_blas_set_threads(int thread_count);

/* Name, version and processor type, such as "OpenBLAS 0.3.21 ... SkylakeX". Never NULL. */
const char *wf_blas_description(void);

#endif
