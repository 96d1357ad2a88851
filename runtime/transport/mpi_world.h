/* What the MPI transport needs of wf_mpi. */
#ifndef WF_TRANSPORT_MPI_WORLD_H
#define WF_TRANSPORT_MPI_WORLD_H

#include <mpi.h>

#include "transport/mpi.h"

MPI_Comm wf_mpi_communicator(const wf_mpi *mpi);

/* WEFT_OK for MPI_SUCCESS, else WEFT_ELOST with MPI's own words. `call` names what failed. */
weft_status wf_mpi_check(int code, const char *call, weft_error *err);

#endif
