/* Finds out how this process was started. Owns nothing. Invariant: reads variables only through the sources, so that a test needs no
 * launcher; the one file read is PBS's node file. The caller's thread. */
#include "transport/launch.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/quantity.h"

/* Where Slurm started this process. */
typedef enum step_state {
    STEP_NONE,  /* nowhere */
    STEP_SHELL, /* the batch script, or the shell of salloc: one process that is to start the others */
    STEP_TASK   /* a task of an srun */
} step_state;

/* Slurm gives the highest 32-bit numbers to steps that are not a program's: the batch script, the shell of salloc. */
enum { SLURM_SPECIAL_STEP_COUNT = 16, SLURM_COMPONENT_MAX = 128 };

static const char *get(const wf_launch_sources *sources, const char *name)
{
    const char *value = sources->get_variable(sources->context, name);
    return value && *value ? value : NULL;
}

/* The first of the names that is set, as a number; -1 when none is, or when that one is no number from 0 on. */
static int number_of(const wf_launch_sources *sources, const char *name, const char *other_name)
{
    int64_t number;
    const char *value = get(sources, name);
    if (!value && other_name) value = get(sources, other_name);
    if (!value || wf_integer_parse(value, &number, NULL) || number < 0 || number > INT32_MAX) return -1;
    return (int)number;
}

static const char *step_id_of(const wf_launch_sources *sources)
{
    const char *id = get(sources, "SLURM_STEP_ID");
    return id ? id : get(sources, "SLURM_STEPID");
}

/* Whether a PMI variable, which has "job.step" after its prefix, came down from another step than Slurm says this is: a job submitted from
 * within a step inherits the step's variables, and so does a step started in a step. */
static bool is_of_other_step(const wf_launch_sources *sources, const char *name, const char *prefix)
{
    const char *value = get(sources, name), *job = get(sources, "SLURM_JOB_ID"), *step = step_id_of(sources);
    if (!value || !job || strncmp(value, prefix, strlen(prefix)) != 0) return false;
    value += strlen(prefix);
    if (strncmp(value, job, strlen(job)) != 0 || value[strlen(job)] != '.') return true;
    return step && strcmp(value + strlen(job) + 1, step) != 0;
}

static bool has_pmix(const wf_launch_sources *sources)
{
    if (is_of_other_step(sources, "PMIX_NAMESPACE", "slurm.pmix.")) return false;
    return get(sources, "PMIX_NAMESPACE") || get(sources, "PMIX_RANK");
}

static bool has_pmi(const wf_launch_sources *sources)
{
    if (is_of_other_step(sources, "PMI_JOBID", "")) return false;
    return get(sources, "PMI_RANK") && get(sources, "PMI_SIZE");
}

/* Whether the step's variables came into a batch script with the environment that it was submitted from. In a step, SLURM_NTASKS is the
 * step's, its nodes are of the job, and its PMI names the job. */
static bool step_is_inherited(const wf_launch_sources *sources)
{
    const char *pmi = get(sources, "SLURM_MPI_TYPE");
    int tasks = number_of(sources, "SLURM_NTASKS", NULL), step_tasks = number_of(sources, "SLURM_STEP_NUM_TASKS", NULL);
    int nodes = number_of(sources, "SLURM_JOB_NUM_NODES", NULL), step_nodes = number_of(sources, "SLURM_STEP_NUM_NODES", NULL);
    if (tasks >= 0 && step_tasks >= 0 && tasks != step_tasks) return true;
    if (nodes >= 0 && step_nodes > nodes) return true;
    if (!pmi) return false;
    return (strncmp(pmi, "pmix", 4) == 0 && is_of_other_step(sources, "PMIX_NAMESPACE", "slurm.pmix.")) ||
           (strcmp(pmi, "pmi2") == 0 && is_of_other_step(sources, "PMI_JOBID", ""));
}

static step_state step_of(const wf_launch_sources *sources)
{
    int64_t number;
    const char *id = step_id_of(sources);
    if (id && wf_integer_parse(id, &number, NULL) == WEFT_OK && number > UINT32_MAX - SLURM_SPECIAL_STEP_COUNT) return STEP_SHELL;
    /* A script may have unset the step's number to get past MPI_Init; the count of tasks is srun's, too. */
    if (!id && !get(sources, "SLURM_STEP_NUM_TASKS")) return STEP_NONE;
    return step_is_inherited(sources) ? STEP_SHELL : STEP_TASK;
}

static wf_launch_kind kind_of(const wf_launch_sources *sources, step_state step)
{
    if (get(sources, "OMPI_COMM_WORLD_SIZE")) return WF_LAUNCH_MPIRUN;
    if (step == STEP_SHELL) return WF_LAUNCH_NONE;
    if (step == STEP_TASK) return has_pmix(sources) ? WF_LAUNCH_SRUN_PMIX : has_pmi(sources) ? WF_LAUNCH_SRUN_PMI2 : WF_LAUNCH_SRUN_PLAIN;
    return has_pmix(sources) ? WF_LAUNCH_MPIRUN : has_pmi(sources) ? WF_LAUNCH_OTHER_PMI : WF_LAUNCH_NONE;
}

/* The tasks on a node, of Slurm's run-length list "2(x3),1"; -1 when it does not say. */
static int tasks_on_node(const char *list, int node_index)
{
    while (list && node_index >= 0) {
        char *end;
        long tasks = strtol(list, &end, 10), repeat = 1;
        if (end == list || tasks < 0 || tasks > INT32_MAX) return -1;
        if (strncmp(end, "(x", 2) == 0) {
            repeat = strtol(end + 2, &end, 10);
            if (*end++ != ')' || repeat < 1) return -1;
        }
        if (node_index < repeat) return (int)tasks;
        node_index -= (int)repeat;
        list = *end == ',' ? end + 1 : NULL;
    }
    return -1;
}

static void read_step(const wf_launch_sources *sources, wf_launch *launch)
{
    launch->size = number_of(sources, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS");
    launch->rank = number_of(sources, "SLURM_PROCID", NULL);
    if (launch->kind == WF_LAUNCH_SRUN_PMIX && get(sources, "PMIX_RANK")) launch->rank = number_of(sources, "PMIX_RANK", NULL);
    if (launch->kind == WF_LAUNCH_SRUN_PMI2) {
        launch->size = number_of(sources, "PMI_SIZE", NULL);
        launch->rank = number_of(sources, "PMI_RANK", NULL);
    }
    launch->local_rank = number_of(sources, "SLURM_LOCALID", NULL);
    launch->local_size = tasks_on_node(get(sources, "SLURM_STEP_TASKS_PER_NODE"), number_of(sources, "SLURM_NODEID", NULL));
    launch->step_node_count = number_of(sources, "SLURM_STEP_NUM_NODES", NULL);
}

static void read_ranks(const wf_launch_sources *sources, wf_launch *launch)
{
    switch (launch->kind) {
    case WF_LAUNCH_MPIRUN:
        launch->rank = number_of(sources, "OMPI_COMM_WORLD_RANK", "PMIX_RANK");
        launch->size = number_of(sources, "OMPI_COMM_WORLD_SIZE", NULL);
        launch->local_rank = number_of(sources, "OMPI_COMM_WORLD_LOCAL_RANK", NULL);
        launch->local_size = number_of(sources, "OMPI_COMM_WORLD_LOCAL_SIZE", NULL);
        break;
    case WF_LAUNCH_OTHER_PMI:
        launch->rank = number_of(sources, "PMI_RANK", NULL);
        launch->size = number_of(sources, "PMI_SIZE", NULL);
        break;
    case WF_LAUNCH_SRUN_PMIX:
    case WF_LAUNCH_SRUN_PMI2:
    case WF_LAUNCH_SRUN_PLAIN: read_step(sources, launch); break;
    case WF_LAUNCH_NONE: break;
    }
    if (launch->size == 0) launch->size = -1;
    if (launch->size > 0 && launch->rank >= launch->size) launch->rank = -1;
    if (launch->local_size == 0) launch->local_size = -1;
    if (launch->local_size > 0 && launch->local_rank >= launch->local_size) launch->local_rank = -1;
}

static void read_job_id(const char *text, char job_id[static WF_JOB_ID_LENGTH])
{
    snprintf(job_id, WF_JOB_ID_LENGTH, "%s", text);
    for (char *c = job_id; *c; c++) {
        if (!isgraph((unsigned char)*c)) *c = '?';
    }
}

/* Salloc's shell stays where salloc ran. A machine that is a node of its own Slurm is on it all the same. */
static bool is_off_node(const wf_launch_sources *sources)
{
    char host[256] = "";
    const char *nodes = get(sources, "SLURM_JOB_NODELIST");
    if (!nodes || get(sources, "SLURMD_NODENAME")) return false;
    gethostname(host, sizeof host - 1);
    host[strcspn(host, ".")] = '\0';
    return strcmp(nodes, host) != 0;
}

/* The sum of a count over the components of a heterogeneous job, where the plain variable is the first component's alone. */
static int sum_of_components(const wf_launch_sources *sources, const char *name, int first)
{
    char numbered[64];
    int count = number_of(sources, "SLURM_HET_SIZE", NULL);
    int64_t sum = first;
    if (first < 0) return first;
    for (int i = 1; i < count && i < SLURM_COMPONENT_MAX; i++) {
        snprintf(numbered, sizeof numbered, "%s_HET_GROUP_%d", name, i);
        int more = number_of(sources, numbered, NULL);
        sum += more > 0 ? more : 0;
    }
    return sum > INT32_MAX ? INT32_MAX : (int)sum;
}

static void read_slurm_job(const wf_launch_sources *sources, wf_launch *launch)
{
    launch->batch = WF_BATCH_SLURM;
    read_job_id(get(sources, "SLURM_JOB_ID"), launch->job_id);
    launch->job_node_count = number_of(sources, "SLURM_JOB_NUM_NODES", "SLURM_NNODES");
    if (launch->kind != WF_LAUNCH_NONE) return;
    launch->job_node_count = sum_of_components(sources, "SLURM_JOB_NUM_NODES", launch->job_node_count);
    launch->job_task_count = sum_of_components(sources, "SLURM_NTASKS", number_of(sources, "SLURM_NTASKS", "SLURM_NPROCS"));
    launch->is_off_node = is_off_node(sources);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int count_different(char **names, size_t count)
{
    int different = 0;
    if (count == 0) return 0;
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++) different += i == 0 || strcmp(names[i], names[i - 1]) != 0;
    return different;
}

/* A host name per line and per task. Both counts stay unknown when there is no such file or it is empty. */
static void read_node_file(const char *path, wf_launch *launch)
{
    char **hosts = NULL, *line = NULL;
    size_t count = 0, capacity = 0, line_bytes = 0;
    FILE *file = fopen(path, "re");
    if (!file) return;
    while (count < INT32_MAX && getline(&line, &line_bytes, file) > 0) {
        line[strcspn(line, " \t\r\n")] = '\0';
        if (!*line) continue;
        if (wf_grow(&hosts, &capacity, count + 1, sizeof *hosts, NULL)) goto out;
        hosts[count++] = line;
        line = NULL;
        line_bytes = 0;
    }
    if (count == 0) goto out;
    launch->job_node_count = count_different(hosts, count);
    if (launch->kind == WF_LAUNCH_NONE) launch->job_task_count = (int)count;
out:
    for (size_t i = 0; i < count; i++) free(hosts[i]);
    free(hosts);
    free(line);
    fclose(file);
}

static void read_pbs_job(const wf_launch_sources *sources, wf_launch *launch)
{
    const char *node_file = get(sources, "PBS_NODEFILE");
    launch->batch = WF_BATCH_PBS;
    read_job_id(get(sources, "PBS_JOBID"), launch->job_id);
    if (node_file) read_node_file(node_file, launch);
}

/* With the variables of both systems, one job was submitted from within the other and inherited them. A PBS node file lies on its job's
 * first host, and goes with the job. */
static wf_batch_system batch_of(const wf_launch_sources *sources, step_state step)
{
    bool has_slurm = get(sources, "SLURM_JOB_ID") != NULL, has_pbs = get(sources, "PBS_JOBID") != NULL;
    if (!has_slurm) return has_pbs ? WF_BATCH_PBS : WF_BATCH_NONE;
    if (!has_pbs || step == STEP_TASK) return WF_BATCH_SLURM;
    const char *node_file = get(sources, "PBS_NODEFILE");
    return node_file && access(node_file, R_OK) == 0 ? WF_BATCH_PBS : WF_BATCH_SLURM;
}

void wf_launch_detect(const wf_launch_sources *sources, wf_launch *launch)
{
    step_state step = step_of(sources);
    *launch = (wf_launch){.kind = kind_of(sources, step), .rank = -1, .size = -1, .local_rank = -1, .local_size = -1,
                          .step_node_count = -1, .batch = WF_BATCH_NONE, .job_node_count = -1, .job_task_count = -1};
    read_ranks(sources, launch);
    wf_batch_system batch = batch_of(sources, step);
    if (batch == WF_BATCH_SLURM) read_slurm_job(sources, launch);
    if (batch == WF_BATCH_PBS) read_pbs_job(sources, launch);
    const char *path = sources->slurm_configuration_path;
    launch->has_slurm_configuration = get(sources, "SLURM_CONF") || (path && access(path, F_OK) == 0);
}

static const char *own_variable(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

wf_launch_sources wf_launch_sources_own(void)
{
    return (wf_launch_sources){own_variable, NULL, "/etc/slurm/slurm.conf"};
}

void wf_launch_add_pmi2(wf_launch *launch, const wf_pmi2 *pmi2)
{
    if (pmi2->size < 1 || pmi2->rank < 0 || pmi2->rank >= pmi2->size) return;
    launch->size = pmi2->size;
    launch->rank = pmi2->rank;
    if (pmi2->node_count > 0) launch->step_node_count = pmi2->node_count;
}

void wf_launch_detect_own(wf_launch *launch)
{
    wf_launch_sources sources = wf_launch_sources_own();
    wf_pmi2 pmi2;
    wf_launch_detect(&sources, launch);
    /* A single task may go on to use the server itself. */
    if (launch->kind != WF_LAUNCH_SRUN_PMI2 || launch->size == 1) return;
    if (wf_pmi2_probe(&pmi2, NULL) == WEFT_OK) wf_launch_add_pmi2(launch, &pmi2);
}
