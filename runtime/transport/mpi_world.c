/* Starting and ending MPI, and the exchange among the ranks of a node. The main thread. */
#include "transport/mpi_world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct wf_mpi {
    MPI_Comm communicator;
    int rank, size;
    bool is_ours_to_finalize;
};

weft_status wf_mpi_check(int code, const char *call, weft_error *err)
{
    if (code == MPI_SUCCESS) return WEFT_OK;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    MPI_Error_string(code, text, &length);
    return weft_fail(err, WEFT_ELOST, "%s failed: %s", call, text);
}

static weft_status initialise(wf_mpi *mpi, weft_error *err)
{
    int is_initialised = 0, provided = MPI_THREAD_SINGLE;
    MPI_Initialized(&is_initialised);
    if (is_initialised) {
        MPI_Query_thread(&provided);
    } else {
        weft_status status = wf_mpi_check(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread", err);
        if (status != WEFT_OK) return status;
        mpi->is_ours_to_finalize = true;
    }
    if (provided >= MPI_THREAD_SERIALIZED) return WEFT_OK;
    return weft_fail(err, WEFT_ELAUNCH, "MPI was initialised for one thread only; initialise it with MPI_Init_thread(..., "
                     "MPI_THREAD_SERIALIZED, ...), or leave it to weft");
}

weft_status wf_mpi_open(const void *communicator, wf_mpi **mpi, weft_error *err)
{
    wf_mpi *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->communicator = MPI_COMM_NULL;
    weft_status status = initialise(made, err);
    if (status == WEFT_OK) {
        MPI_Comm parent = communicator ? *(const MPI_Comm *)communicator : MPI_COMM_WORLD;
        status = wf_mpi_check(MPI_Comm_dup(parent, &made->communicator), "MPI_Comm_dup", err);
    }
    if (status == WEFT_OK) {
        MPI_Comm_set_errhandler(made->communicator, MPI_ERRORS_RETURN);
        MPI_Comm_rank(made->communicator, &made->rank);
        MPI_Comm_size(made->communicator, &made->size);
        *mpi = made;
    } else {
        wf_mpi_close(made);
    }
    return status;
}

void wf_mpi_close(wf_mpi *mpi)
{
    if (!mpi) return;
    if (mpi->communicator != MPI_COMM_NULL) MPI_Comm_free(&mpi->communicator);
    if (mpi->is_ours_to_finalize) MPI_Finalize();
    free(mpi);
}

int wf_mpi_rank(const wf_mpi *mpi)
{
    return mpi->rank;
}

int wf_mpi_size(const wf_mpi *mpi)
{
    return mpi->size;
}

MPI_Comm wf_mpi_communicator(const wf_mpi *mpi)
{
    return mpi->communicator;
}

weft_status wf_mpi_gather_node(wf_mpi *mpi, const void *own, size_t bytes, void **all, int *count, int *index, weft_error *err)
{
    MPI_Comm node = MPI_COMM_NULL;
    void *made = NULL;
    int size = 0;
    weft_status status = wf_mpi_check(
        MPI_Comm_split_type(mpi->communicator, MPI_COMM_TYPE_SHARED, mpi->rank, MPI_INFO_NULL, &node), "MPI_Comm_split_type", err);
    if (status != WEFT_OK) return status;
    MPI_Comm_size(node, &size);
    MPI_Comm_rank(node, index);
    made = bytes <= INT_MAX ? wf_calloc((size_t)size, bytes, err) : NULL;
    status = made ? WEFT_OK : WEFT_ENOMEM;
    if (status == WEFT_OK)
        status = wf_mpi_check(MPI_Allgather(own, (int)bytes, MPI_BYTE, made, (int)bytes, MPI_BYTE, node), "MPI_Allgather", err);
    MPI_Comm_free(&node);
    if (status == WEFT_OK) {
        *all = made;
        *count = size;
    } else {
        free(made);
    }
    return status;
}

weft_status wf_mpi_agree(const wf_mpi *mpi, weft_status status, weft_error *err)
{
    if (!mpi) return status;
    /* Smallest: a rank with a failure of its own; then one that was told of another's; largest: one that is well. */
    int own = status == WEFT_OK ? 2 * mpi->size : status == WEFT_ECANCELLED ? mpi->size + mpi->rank : mpi->rank, first = own;
    weft_status reached = wf_mpi_check(MPI_Allreduce(&own, &first, 1, MPI_INT, MPI_MIN, mpi->communicator), "MPI_Allreduce", err);
    if (reached != WEFT_OK) return status == WEFT_OK ? reached : status;
    if (first == own || status == WEFT_ECANCELLED) return status;
    return weft_fail(err, WEFT_ECANCELLED, "rank %d could not start", first);
}

void wf_mpi_describe(char *text, size_t text_bytes)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(version, &length);
    version[strcspn(version, ",\n")] = '\0'; /* Open MPI adds where and by whom it was built */
    snprintf(text, text_bytes, "%s", version);
}
