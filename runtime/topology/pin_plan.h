/* The pin plan: which core each thread of each rank on this node runs on. README.md beside this file has the rules.
 *
 * A pure function: the same inputs give every rank of the node the same plan, so ranks need not agree on it.
 */
#ifndef WF_TOPOLOGY_PIN_PLAN_H
#define WF_TOPOLOGY_PIN_PLAN_H

#include "topology/topology.h"

/* What a rank tells the others on its node; plain bytes. */
typedef struct wf_pin_rank {
    wf_cpuset cpuset;  /* what its launcher gave it */
    wf_cpuset allowed; /* what it could have been given; for the launch trap */
    bool runs_tasks;
} wf_pin_rank;

/* This process, as its topology saw it when created. */
wf_pin_rank wf_pin_rank_of_process(const wf_topology *topology, bool runs_tasks);

/* The cores that the ranks of a node could use, all together. */
int wf_pin_count_node_cores(const wf_topology *topology, const wf_pin_rank *ranks, int rank_count);

typedef struct wf_pin_request {
    const wf_topology *topology;
    const wf_pin_rank *ranks;  /* all ranks on this node, in rank order */
    int rank_count;
    int rank_index;            /* of the rank whose plan is asked for */
    int thread_count;          /* wanted per rank; 0: one per core */
    bool pin;
} wf_pin_request;

typedef struct wf_pin_plan {
    int thread_count;          /* 0 for a rank that runs no tasks */
    int *thread_pus;           /* of each thread, or -1: not pinned */
    int spare_core_count;      /* of this rank's cores: those without a thread */
    int spare_pu;              /* on one of them; -1: there is none, or nothing is pinned */
    bool is_oversubscribed;    /* this rank's cores serve other ranks too, or more threads than cores */
    bool is_bound_too_tightly; /* the launcher gave every rank fewer cores than an equal share of the node: a launch trap */
    char advice[256];          /* what to launch differently; "" unless the trap is there. The same on all ranks */
} wf_pin_plan;

/* Owns:    plan is filled, wf_pin_plan_fini releases what it holds.
 * Errors:  WEFT_EINVAL a negative number, or a rank that runs tasks with no PU of this machine; WEFT_ENOMEM.
 * Cost:    ranks^2 + ranks * cores; a millisecond for hundreds of both.
 */
weft_status wf_pin_plan_init(wf_pin_plan *plan, const wf_pin_request *request, weft_error *err);
/* A zeroed plan is allowed. */
void wf_pin_plan_fini(wf_pin_plan *plan);

typedef enum wf_compute_mode { WF_COMPUTE_AUTO, WF_COMPUTE_ON, WF_COMPUTE_OFF } wf_compute_mode;

/* Whether rank 0 runs tasks besides scheduling. Auto: unless the other ranks on its node suffice to take every core, one each. So
 * `mpirun -n 2` on two cores computes on both ranks, `-n 3` on ranks 1 and 2. A sole rank in the whole run must compute whatever the
 * mode; that is for the caller, who knows the other nodes. */
bool wf_rank0_computes(wf_compute_mode mode, int node_rank_count, int node_core_count);

#endif
