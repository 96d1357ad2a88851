/* The list of requests. Owns its arrays, neither the requests nor their owners. Invariant: each request below count has an owner at the
 * same index, and there is room to test all. One thread at a time. */
#include "transport/mpi_requests.h"

#include <stdlib.h>

#include "base/memory.h"

MPI_Request *wf_mpi_requests_add(wf_mpi_requests *list, void *owner)
{
    size_t need = list->count + 1;
    if (wf_grow(&list->requests, &list->capacity, need, sizeof *list->requests, NULL) != WEFT_OK ||
        wf_grow(&list->owners, &list->owner_capacity, need, sizeof(void *), NULL) != WEFT_OK ||
        wf_grow(&list->done, &list->done_capacity, need, sizeof *list->done, NULL) != WEFT_OK ||
        wf_grow(&list->statuses, &list->status_capacity, need, sizeof *list->statuses, NULL) != WEFT_OK)
        return NULL;
    list->requests[list->count] = MPI_REQUEST_NULL;
    list->owners[list->count] = owner;
    return &list->requests[list->count++];
}

void wf_mpi_requests_drop_last(wf_mpi_requests *list)
{
    list->count--;
}

int wf_mpi_requests_test(wf_mpi_requests *list, int *done_count)
{
    int code, count = 0;
    if (list->count == 1) { /* unlike Testsome, this looks again after MPI has looked around */
        code = MPI_Test(&list->requests[0], &count, &list->statuses[0]);
        list->done[0] = 0;
    } else {
        code = MPI_Testsome((int)list->count, list->requests, &count, list->done, list->statuses);
    }
    *done_count = code != MPI_SUCCESS || count == MPI_UNDEFINED ? 0 : count;
    return code;
}

void wf_mpi_requests_compact(wf_mpi_requests *list)
{
    size_t kept = 1;
    for (size_t i = 1; i < list->count; i++) {
        if (list->requests[i] == MPI_REQUEST_NULL) continue;
        list->requests[kept] = list->requests[i];
        list->owners[kept++] = list->owners[i];
    }
    list->count = kept;
}

void wf_mpi_requests_fini(wf_mpi_requests *list)
{
    free(list->requests);
    free(list->owners);
    free(list->done);
    free(list->statuses);
    *list = (wf_mpi_requests){0};
}
