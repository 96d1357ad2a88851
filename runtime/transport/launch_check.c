/* Judges a launch: traps, and what is told about them. Pure functions of a wf_launch. Invariant: whatever would leave ranks that cannot
 * find one another is an error, whatever only wastes part of an allocation is a warning. Any thread. */
#include <stdarg.h>
#include <stdio.h>

#include "transport/launch.h"

const char *wf_launch_kind_name(wf_launch_kind kind)
{
    switch (kind) {
    case WF_LAUNCH_NONE: return "none";
    case WF_LAUNCH_MPIRUN: return "mpirun";
    case WF_LAUNCH_SRUN_PMIX: return "srun --mpi=pmix";
    case WF_LAUNCH_SRUN_PMI2: return "srun --mpi=pmi2";
    case WF_LAUNCH_SRUN_PLAIN: return "srun without PMI";
    case WF_LAUNCH_OTHER_PMI: return "a launcher with PMI";
    }
    return "?";
}

const char *wf_batch_system_name(wf_batch_system batch)
{
    switch (batch) {
    case WF_BATCH_NONE: return "none";
    case WF_BATCH_SLURM: return "Slurm";
    case WF_BATCH_PBS: return "PBS";
    }
    return "?";
}

bool wf_launch_wants_mpi(const wf_launch *launch)
{
    switch (launch->kind) {
    case WF_LAUNCH_MPIRUN: return true;
    case WF_LAUNCH_SRUN_PMIX: return launch->size != 1;
    case WF_LAUNCH_OTHER_PMI: return launch->size > 1;
    case WF_LAUNCH_NONE:
    case WF_LAUNCH_SRUN_PMI2:
    case WF_LAUNCH_SRUN_PLAIN: return false;
    }
    return false;
}

bool wf_launch_is_speaker(const wf_launch *launch)
{
    return launch->rank <= 0;
}

/* "4 ranks on 2 nodes", as far as it is known. */
static const char *ranks_text(const wf_launch *launch, char text[static 64])
{
    if (launch->step_node_count > 0)
        snprintf(text, 64, "%d ranks on %d node%s", launch->size, launch->step_node_count, launch->step_node_count == 1 ? "" : "s");
    else
        snprintf(text, 64, "%d ranks", launch->size);
    return text;
}

weft_status wf_launch_check_before_mpi(const wf_launch *launch, weft_error *err)
{
    char ranks[64];
    if (launch->size <= 1) return WEFT_OK;
    if (launch->kind == WF_LAUNCH_SRUN_PMI2)
        return weft_fail(err, WEFT_ELAUNCH, "srun --mpi=pmi2 started %s, but this Open MPI speaks PMIx only; use srun --mpi=pmix or mpirun",
                         ranks_text(launch, ranks));
    if (launch->kind == WF_LAUNCH_SRUN_PLAIN)
        return weft_fail(err, WEFT_ELAUNCH,
                         "srun started %s without PMIx (no PMIX_NAMESPACE), so they cannot find one another; use srun --mpi=pmix or mpirun",
                         ranks_text(launch, ranks));
    return WEFT_OK;
}

weft_status wf_launch_check_after_mpi(const wf_launch *launch, int mpi_size, weft_error *err)
{
    static const char seen[] = "but MPI sees one rank only";
    char ranks[64];
    if (mpi_size != 1 || launch->size <= 1) return WEFT_OK;
    ranks_text(launch, ranks);
    switch (launch->kind) {
    case WF_LAUNCH_MPIRUN:
        return weft_fail(err, WEFT_ELAUNCH, "mpirun started %s, %s; use the mpirun of the Open MPI that weft was built with", ranks, seen);
    case WF_LAUNCH_OTHER_PMI:
        return weft_fail(err, WEFT_ELAUNCH, "another MPI's launcher started %s (PMI_SIZE), %s; use Open MPI's mpirun", ranks, seen);
    case WF_LAUNCH_SRUN_PMIX:
        return weft_fail(err, WEFT_ELAUNCH, "srun --mpi=pmix started %s, %s: its PMIx and Open MPI's do not fit; use mpirun", ranks, seen);
    case WF_LAUNCH_SRUN_PMI2:
    case WF_LAUNCH_SRUN_PLAIN:
    case WF_LAUNCH_NONE: break;
    }
    return weft_fail(err, WEFT_ELAUNCH, "%s started %s, %s; use srun --mpi=pmix or mpirun", wf_launch_kind_name(launch->kind), ranks, seen);
}

static bool tell(char text[static WF_LAUNCH_TEXT_LENGTH], const char *format, ...) WEFT_PRINTF(2, 3);

static bool tell(char text[static WF_LAUNCH_TEXT_LENGTH], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(text, WF_LAUNCH_TEXT_LENGTH, format, args);
    va_end(args);
    return true;
}

bool wf_launch_check_alone(const wf_launch *launch, char text[static WF_LAUNCH_TEXT_LENGTH])
{
    text[0] = '\0';
    if (launch->kind != WF_LAUNCH_NONE || launch->batch == WF_BATCH_NONE) return false;
    const char *system = wf_batch_system_name(launch->batch), *job = launch->job_id;
    const char *launcher = launch->batch == WF_BATCH_SLURM ? "mpirun or srun --mpi=pmix" : "mpirun --hostfile $PBS_NODEFILE";
    if (launch->is_off_node) return tell(text, "runs outside the nodes of %s job %s; start it with %s", system, job, launcher);
    if (launch->job_node_count > 1)
        return tell(text, "runs on one node of %d of %s job %s; start it with %s", launch->job_node_count, system, job, launcher);
    /* Lines of a PBS node file are cores as often as tasks, and those of one host serve one process just as well. */
    if (launch->batch == WF_BATCH_SLURM && launch->job_task_count > 1)
        return tell(text, "runs as one task of %d of %s job %s; start it with %s", launch->job_task_count, system, job, launcher);
    return false;
}

bool wf_launch_check_hosts(const wf_launch *launch, int host_count, char text[static WF_LAUNCH_TEXT_LENGTH])
{
    text[0] = '\0';
    if (launch->kind != WF_LAUNCH_MPIRUN || launch->batch != WF_BATCH_PBS) return false;
    if (host_count != 1 || launch->size <= 1 || launch->job_node_count <= 1) return false;
    return tell(text, "all %d ranks run on one host of the %d of PBS job %s; start it with mpirun --hostfile $PBS_NODEFILE", launch->size,
                launch->job_node_count, launch->job_id);
}

bool wf_launch_check_login_node(const wf_launch *launch, char text[static WF_LAUNCH_TEXT_LENGTH])
{
    text[0] = '\0';
    if (launch->kind != WF_LAUNCH_NONE || launch->batch != WF_BATCH_NONE || !launch->has_slurm_configuration) return false;
    return tell(text, "this machine belongs to a Slurm cluster, and this is no job of it; "
                      "on a login node use weft submit, or salloc first");
}
