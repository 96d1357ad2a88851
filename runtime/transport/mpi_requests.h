/* A list of MPI requests that are asked about in one call, because each call that finds nothing lets MPI look around, and may give the
 * core away. One thread at a time. */
#ifndef WF_TRANSPORT_MPI_REQUESTS_H
#define WF_TRANSPORT_MPI_REQUESTS_H

#include <mpi.h>
#include <stddef.h>

#include <weft/status.h>

typedef struct wf_mpi_requests {
    MPI_Request *requests;
    void **owners;          /* by request: what is to hear of its end */
    int *done;              /* what test found: indices, in ascending order, */
    MPI_Status *statuses;   /* and how each ended */
    size_t count, capacity, owner_capacity, done_capacity, status_capacity;
} wf_mpi_requests;

/* Adds a request, MPI_REQUEST_NULL for now; NULL: no memory. Valid until the next call. */
MPI_Request *wf_mpi_requests_add(wf_mpi_requests *list, void *owner);

/* Forgets the one added last, which MPI did not take up. */
void wf_mpi_requests_drop_last(wf_mpi_requests *list);

/* Fills done and statuses; *done_count is how many are done. Returns MPI's error code. */
int wf_mpi_requests_test(wf_mpi_requests *list, int *done_count);

/* Forgets those that are done, but for the first request, which is persistent. */
void wf_mpi_requests_compact(wf_mpi_requests *list);

void wf_mpi_requests_fini(wf_mpi_requests *list);

#endif
