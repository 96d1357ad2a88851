/* Launch: how this process was started, what its launcher and the batch system say about it, and the ways of starting that cannot work.
 *
 * Everything comes from variables, so that all of it is known before MPI starts. Under mpirun the SLURM_* variables describe mpirun's own
 * step, not the ranks, so OMPI_COMM_WORLD_* is trusted first, then PMIX_*, then PMI_*, then SLURM_* where srun started the process.
 * Threads: any; nothing is kept.
 */
#ifndef WF_TRANSPORT_LAUNCH_H
#define WF_TRANSPORT_LAUNCH_H

#include <stdbool.h>

#include <weft/status.h>

#include "transport/pmi2_probe.h"

typedef enum wf_launch_kind {
    WF_LAUNCH_NONE,       /* by hand, or by a batch script without a launcher */
    WF_LAUNCH_MPIRUN,     /* Open MPI's mpirun, or another launcher that speaks PMIx */
    WF_LAUNCH_SRUN_PMIX,  /* srun --mpi=pmix */
    WF_LAUNCH_SRUN_PMI2,  /* srun --mpi=pmi2, which Open MPI does not speak */
    WF_LAUNCH_SRUN_PLAIN, /* srun --mpi=none: no PMI at all */
    WF_LAUNCH_OTHER_PMI   /* PMI_RANK and PMI_SIZE outside Slurm: most likely the mpirun of another MPI */
} wf_launch_kind;

typedef enum wf_batch_system { WF_BATCH_NONE, WF_BATCH_SLURM, WF_BATCH_PBS } wf_batch_system;

enum { WF_LAUNCH_TEXT_LENGTH = 320, WF_JOB_ID_LENGTH = 64 };

/* Counts and ranks are -1 where unknown. */
typedef struct wf_launch {
    wf_launch_kind kind;
    int rank, size;             /* as the launcher says; rank is -1 unless 0 <= rank < size or size is unknown */
    int local_rank, local_size; /* among the ranks of this node */
    int step_node_count;        /* nodes that the launcher used; srun only */

    wf_batch_system batch;
    char job_id[WF_JOB_ID_LENGTH]; /* printable; "" outside a batch job */
    int job_node_count;            /* nodes of the allocation */
    int job_task_count;            /* tasks asked for; known only without a launcher (WF_LAUNCH_NONE) */
    bool is_off_node;              /* inside a Slurm allocation's shell, but not on one of its nodes (salloc on a login node) */
    bool has_slurm_configuration;  /* of the machine */
} wf_launch;

/* Where facts come from; tests make them up. get_variable returns NULL for a variable that is not set. */
typedef struct wf_launch_sources {
    const char *(*get_variable)(void *context, const char *name);
    void *context;
    const char *slurm_configuration_path; /* its existence marks a machine with Slurm, as does SLURM_CONF */
} wf_launch_sources;

/* This process's environment, and /etc/slurm/slurm.conf. */
wf_launch_sources wf_launch_sources_own(void);

/* Reads the variables, and for PBS the node file. Cannot fail: what is missing or malformed is unknown. */
void wf_launch_detect(const wf_launch_sources *sources, wf_launch *launch);

/* Takes over what a PMI-2 server said, where it knows more. wf_launch_detect_own does it when srun --mpi=pmi2 started several ranks. */
void wf_launch_add_pmi2(wf_launch *launch, const wf_pmi2 *pmi2);

/* wf_launch_detect for this process, with the PMI-2 server's word. */
void wf_launch_detect_own(wf_launch *launch);

/* Whether `scheduler = auto` means MPI. */
bool wf_launch_wants_mpi(const wf_launch *launch);

/* Whether this process speaks for all that were launched with it. On a failed check every rank ends, and the one that speaks prints. */
bool wf_launch_is_speaker(const wf_launch *launch);

/* Before MPI_Init. Errors: WEFT_ELAUNCH several ranks that cannot find one another: MPI_Init would abort, or every rank be 0 of 1. */
weft_status wf_launch_check_before_mpi(const wf_launch *launch, weft_error *err);

/* After MPI_Init, with the size of MPI_COMM_WORLD. Errors: WEFT_ELAUNCH the launcher started more ranks than the one MPI sees. */
weft_status wf_launch_check_after_mpi(const wf_launch *launch, int mpi_size, weft_error *err);

/* The following return true and write one line when there is something to tell; otherwise text is "". */

/* A warning: one process without a launcher leaves nodes or tasks of its allocation idle, or runs beside them. */
bool wf_launch_check_alone(const wf_launch *launch, char text[static WF_LAUNCH_TEXT_LENGTH]);
/* A warning: mpirun put every rank on one host of several; host_count is the number of hosts that the ranks found themselves on. */
bool wf_launch_check_hosts(const wf_launch *launch, int host_count, char text[static WF_LAUNCH_TEXT_LENGTH]);
/* For `weft info`: this looks like a login node. Too weak a sign to be told on every run. */
bool wf_launch_check_login_node(const wf_launch *launch, char text[static WF_LAUNCH_TEXT_LENGTH]);

/* "none", "mpirun", "srun --mpi=pmix", ...; "none", "Slurm", "PBS". */
const char *wf_launch_kind_name(wf_launch_kind kind);
const char *wf_batch_system_name(wf_batch_system batch);

#endif
