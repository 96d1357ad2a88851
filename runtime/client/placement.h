/* Where this rank runs: its cores among those of the node, whether it runs tasks, and how much memory it may take. */
#ifndef WF_CLIENT_PLACEMENT_H
#define WF_CLIENT_PLACEMENT_H

#include "topology/pin_plan.h"
#include "topology/topology.h"
#include "transport/mpi.h"
#include <weft/config.h>

typedef struct wf_placement {
    wf_topology *topology;
    wf_pin_plan pins;
    bool runs_tasks;
    bool has_comm_thread;        /* on pins.spare_pu */
    int node_worker_count;       /* ranks of this node that run tasks */
    uint64_t memory_limit_bytes; /* of this rank's chunks */
    char memory_text[256];       /* where that comes from */
    char *cpuset_text;
    char *pinning_text;          /* a line per thread */
} wf_placement;

/* Looks at the machine and agrees with the other ranks of the node. Collective when mpi is not NULL.
 *
 * thread_count -1 asks for no pool threads: tasks run on the client's thread.
 * Owns:    *placement is filled; fini frees it.
 */
weft_status wf_placement_init(wf_placement *placement, const weft_config *config, wf_mpi *mpi, int thread_count, weft_error *err);
void wf_placement_fini(wf_placement *placement);

#endif
