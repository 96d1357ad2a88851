/* Ranks that are MPI ranks. Only MPI-3.1 calls, on a private duplicate of the communicator that returns errors instead of aborting.
 *
 * Wire: small messages travel as frames (a header, the body and, where small, the chunk), several in one MPI message when they go to the
 * same rank; receives for those are posted ahead. A large body or chunk follows its frame as MPI messages of its own, at most 1 GiB each,
 * received straight into place.
 *
 * Receives of frames are taken up in the order posted, so one that is not complete holds up the frames of all ranks. A message within MPI's
 * eager limit is complete at once; a longer one waits until its sender polls again, which may be after a whole task. So eager_bytes is best
 * kept below that limit, MPI's own header included.
 */
#ifndef WF_TRANSPORT_MPI_H
#define WF_TRANSPORT_MPI_H

#include "transport/transport.h"

/* MPI as this process uses it. */
typedef struct wf_mpi wf_mpi;

/* Initialises MPI unless the program has, and duplicates the communicator. Collective.
 *
 * communicator points to an MPI_Comm; NULL stands for MPI_COMM_WORLD.
 * Owns:    *mpi is new.
 * Errors:  WEFT_ELAUNCH the MPI library, or the program's own MPI_Init, does not allow calls from several threads in turn.
 */
weft_status wf_mpi_open(const void *communicator, wf_mpi **mpi, weft_error *err);

/* Frees the communicator, and finalises MPI when wf_mpi_open initialised it. Collective. NULL is allowed. */
void wf_mpi_close(wf_mpi *mpi);

int wf_mpi_rank(const wf_mpi *mpi);
int wf_mpi_size(const wf_mpi *mpi);

/* Exchanges `bytes` bytes among the ranks of this node. Collective.
 * Owns: *all is new, count entries in rank order, *index the own one; free() it. Errors: WEFT_ENOMEM, WEFT_ELOST. */
weft_status wf_mpi_gather_node(wf_mpi *mpi, const void *own, size_t bytes, void **all, int *count, int *index, weft_error *err);

/* What the ranks of a start have in common: WEFT_OK when each says so. Else the first rank that failed gets its own status back, err
 * untouched, and the others WEFT_ECANCELLED; so all leave before a collective call that one would not come to, and one of them speaks.
 * Collective. mpi NULL: returns status. */
weft_status wf_mpi_agree(const wf_mpi *mpi, weft_status status, weft_error *err);

/* The library's name and version, one line. Needs no MPI_Init. */
void wf_mpi_describe(char *text, size_t text_bytes);

/* Owns: *transport is new; destroy it before wf_mpi_close. Collective. eager_bytes is the size of a message of frames; all ranks take
 * rank 0's. */
weft_status wf_mpi_transport_open(wf_mpi *mpi, wf_budget *budget, size_t eager_bytes, wf_transport **transport, weft_error *err);

#endif
