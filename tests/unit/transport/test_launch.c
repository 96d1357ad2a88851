#include "transport/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft_test.h"

/* An environment is lists of "NAME=value", each ended by NULL; of a name that comes twice the last counts, as a later program set it. */
typedef const char *const variables[];
enum { LISTS_MAX = 4 };
typedef struct environment {
    const char *const *lists[LISTS_MAX];
} environment;

static const char *variable(void *context, const char *name)
{
    const environment *all = context;
    const char *found = NULL;
    for (size_t i = 0; i < LISTS_MAX && all->lists[i]; i++) {
        for (const char *const *entry = all->lists[i]; *entry; entry++) {
            size_t length = strlen(name);
            if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') found = *entry + length + 1;
        }
    }
    return found;
}

static wf_launch detect(environment all)
{
    wf_launch launch;
    wf_launch_sources sources = {variable, &all, "/nonexistent/slurm.conf"};
    wf_launch_detect(&sources, &launch);
    return launch;
}

#define DETECT(...) detect((environment){{__VA_ARGS__}})

static void expect_ranks(const wf_launch *launch, wf_launch_kind kind, int rank, int size, int local_rank, int local_size)
{
    CU_ASSERT_STRING_EQUAL(wf_launch_kind_name(launch->kind), wf_launch_kind_name(kind));
    CU_ASSERT_EQUAL(launch->rank, rank);
    CU_ASSERT_EQUAL(launch->size, size);
    CU_ASSERT_EQUAL(launch->local_rank, local_rank);
    CU_ASSERT_EQUAL(launch->local_size, local_size);
}

static void expect_job(const wf_launch *launch, wf_batch_system batch, const char *id, int nodes, int tasks)
{
    CU_ASSERT_STRING_EQUAL(wf_batch_system_name(launch->batch), wf_batch_system_name(batch));
    CU_ASSERT_STRING_EQUAL(launch->job_id, id);
    CU_ASSERT_EQUAL(launch->job_node_count, nodes);
    CU_ASSERT_EQUAL(launch->job_task_count, tasks);
}

/* Variables as Slurm 22.05 and Open MPI 4.1.4 set them. */
static variables batch_13 = {"SLURM_JOB_ID=13", "SLURM_JOB_NUM_NODES=3", "SLURM_NNODES=3", "SLURM_NTASKS=3", "SLURM_PROCID=0",
                             "SLURM_LOCALID=0", "SLURM_NODEID=0", "SLURM_JOB_NODELIST=n[1-3]", "SLURMD_NODENAME=n1", NULL};
/* Rank 2 of `srun -N2 -n3`, on the second node. */
static variables step_13 = {"SLURM_JOB_ID=13", "SLURM_JOB_NUM_NODES=2", "SLURM_NNODES=2", "SLURM_JOB_NODELIST=n[1-2]", "SLURMD_NODENAME=n2",
                            "SLURM_STEP_ID=0", "SLURM_STEPID=0", "SLURM_STEP_NUM_TASKS=3", "SLURM_NTASKS=3", "SLURM_STEP_NUM_NODES=2",
                            "SLURM_STEP_TASKS_PER_NODE=2,1", "SLURM_PROCID=2", "SLURM_LOCALID=0", "SLURM_NODEID=1", NULL};
static variables single_step = {"SLURM_JOB_ID=13", "SLURM_JOB_NUM_NODES=1", "SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=1", "SLURM_NTASKS=1",
                                "SLURM_STEP_NUM_NODES=1", "SLURM_STEP_TASKS_PER_NODE=1", "SLURM_PROCID=0", "SLURM_LOCALID=0",
                                "SLURM_NODEID=0", NULL};
static variables pmix = {"SLURM_MPI_TYPE=pmix", "PMIX_NAMESPACE=slurm.pmix.13.0", "PMIX_RANK=2", NULL};
static variables pmi2 = {"SLURM_MPI_TYPE=pmi2", "PMI_FD=11", "PMI_JOBID=13.0", "PMI_RANK=2", "PMI_SIZE=3", NULL};
static variables mpirun = {"OMPI_COMM_WORLD_RANK=3", "OMPI_COMM_WORLD_SIZE=5", "OMPI_COMM_WORLD_LOCAL_RANK=1",
                           "OMPI_COMM_WORLD_LOCAL_SIZE=2", "PMIX_NAMESPACE=432078849", "PMIX_RANK=3", NULL};
/* The step in which mpirun runs its daemons. */
static variables daemons = {"SLURM_STEP_ID=1", "SLURM_STEPID=1", "SLURM_STEP_NUM_TASKS=2", "SLURM_NTASKS=2", "SLURM_NNODES=2",
                            "SLURM_STEP_NUM_NODES=2", "SLURM_STEP_TASKS_PER_NODE=1(x2)", NULL};

static void without_variables_nothing_is_known(void)
{
    wf_launch launch = DETECT(NULL);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
    expect_job(&launch, WF_BATCH_NONE, "", -1, -1);
    CU_ASSERT_EQUAL(launch.step_node_count, -1);
    CU_ASSERT_FALSE(launch.is_off_node);
    CU_ASSERT_FALSE(launch.has_slurm_configuration);
}

static void srun_with_pmix_is_told(void)
{
    wf_launch launch = DETECT(step_13, pmix);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMIX, 2, 3, 0, 1);
    expect_job(&launch, WF_BATCH_SLURM, "13", 2, -1);
    CU_ASSERT_EQUAL(launch.step_node_count, 2);
}

static void srun_with_pmi2_is_told(void)
{
    wf_launch launch = DETECT(step_13, pmi2);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMI2, 2, 3, 0, 1);
    expect_job(&launch, WF_BATCH_SLURM, "13", 2, -1);
}

static void srun_without_pmi_is_told(void)
{
    wf_launch launch = DETECT(step_13);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, 2, 3, 0, 1);
    CU_ASSERT_EQUAL(launch.step_node_count, 2);
}

static void a_step_shows_without_its_number(void)
{
    static variables unset = {"SLURM_STEP_ID=", "SLURM_STEPID=", NULL};
    wf_launch launch = DETECT(step_13, unset);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, 2, 3, 0, 1);
    launch = DETECT(step_13, pmi2, unset);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMI2, 2, 3, 0, 1);
    launch = DETECT(step_13, pmix, unset);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMIX, 2, 3, 0, 1);
}

static void an_old_step_without_its_count_uses_the_job_s(void)
{
    static variables old = {"SLURM_JOB_ID=13", "SLURM_STEPID=0", "SLURM_NTASKS=4", "SLURM_PROCID=1", NULL};
    wf_launch launch = DETECT(old);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, 1, 4, -1, -1);
}

static void a_batch_script_is_no_launcher(void)
{
    wf_launch launch = DETECT(batch_13);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
    expect_job(&launch, WF_BATCH_SLURM, "13", 3, 3);
    CU_ASSERT_FALSE(launch.is_off_node);
}

static void mpirun_by_hand_is_told(void)
{
    wf_launch launch = DETECT(mpirun);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 3, 5, 1, 2);
    expect_job(&launch, WF_BATCH_NONE, "", -1, -1);
}

static void under_mpirun_slurm_describes_the_daemons(void)
{
    wf_launch launch = DETECT(batch_13, daemons, mpirun);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 3, 5, 1, 2);
    expect_job(&launch, WF_BATCH_SLURM, "13", 3, -1);
    CU_ASSERT_EQUAL(launch.step_node_count, -1);
}

static void mpirun_in_a_batch_script_or_in_a_task_is_mpirun(void)
{
    wf_launch launch = DETECT(batch_13, mpirun);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 3, 5, 1, 2);
    launch = DETECT(single_step, pmi2, mpirun);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 3, 5, 1, 2);
    launch = DETECT(step_13, pmix, mpirun);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 3, 5, 1, 2);
}

static void another_launcher_with_pmix_counts_as_mpirun(void)
{
    static variables other = {"PMIX_NAMESPACE=prte-1@1", "PMIX_RANK=4", NULL};
    wf_launch launch = DETECT(other);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 4, -1, -1, -1);
}

static void the_mpirun_of_another_mpi_is_told(void)
{
    static variables hydra = {"PMI_FD=7", "PMI_RANK=1", "PMI_SIZE=4", NULL};
    wf_launch launch = DETECT(hydra);
    expect_ranks(&launch, WF_LAUNCH_OTHER_PMI, 1, 4, -1, -1);
}

static void the_shell_of_salloc_is_no_launcher(void)
{
    /* salloc with use_interactive_step and MpiDefault=pmix: on the first node, below srun. */
    static variables interactive = {"SLURM_STEP_ID=4294967290", "SLURM_STEPID=4294967290", "SLURM_STEP_NUM_TASKS=1",
                                    "SLURM_STEP_NUM_NODES=1", "SLURM_MPI_TYPE=pmix", "PMIX_NAMESPACE=slurm.pmix.13.4294967290",
                                    "PMIX_RANK=0", NULL};
    static variables one_task = {"SLURM_NTASKS=1", NULL};
    wf_launch launch = DETECT(batch_13, interactive);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
    expect_job(&launch, WF_BATCH_SLURM, "13", 3, 3);
    CU_ASSERT_FALSE(launch.is_off_node);
    launch = DETECT(batch_13, one_task, interactive);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
}

static void the_shell_of_salloc_on_a_login_node_is_off_the_nodes(void)
{
    static variables salloc = {"SLURM_JOB_ID=14", "SLURM_JOB_NUM_NODES=2", "SLURM_NTASKS=2", "SLURM_JOB_NODELIST=n[1-2]", NULL};
    wf_launch launch = DETECT(salloc);
    expect_job(&launch, WF_BATCH_SLURM, "14", 2, 2);
    CU_ASSERT_TRUE(launch.is_off_node);
}

static void salloc_on_the_node_itself_is_on_it(void)
{
    char host[256] = "", list[300];
    gethostname(host, sizeof host - 1);
    host[strcspn(host, ".")] = '\0';
    snprintf(list, sizeof list, "SLURM_JOB_NODELIST=%s", host);
    const char *const salloc[] = {"SLURM_JOB_ID=14", "SLURM_JOB_NUM_NODES=1", list, NULL};
    wf_launch launch = DETECT(salloc);
    CU_ASSERT_FALSE(launch.is_off_node);
}

/* sbatch hands the variables of the step it was called in to the new job, and sets only the job's own. */
static variables batch_17 = {"SLURM_JOB_ID=17", "SLURM_JOB_NUM_NODES=3", "SLURM_NTASKS=3", "SLURM_PROCID=0", "SLURM_NODEID=0",
                             "SLURM_JOB_NODELIST=n[4-6]", "SLURMD_NODENAME=n4", NULL};

static void a_batch_script_submitted_from_a_step_is_no_launcher(void)
{
    wf_launch launch = DETECT(step_13, pmix, batch_17);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
    expect_job(&launch, WF_BATCH_SLURM, "17", 3, 3);
    launch = DETECT(step_13, pmi2, batch_17);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
    launch = DETECT(single_step, batch_17); /* from `srun --pty bash`: known by the number of tasks */
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
}

static void a_step_s_nodes_belong_to_its_job(void)
{
    static variables fewer = {"SLURM_JOB_ID=17", "SLURM_JOB_NUM_NODES=1", "SLURM_NTASKS=3", NULL};
    wf_launch launch = DETECT(step_13, fewer);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
}

static void an_inherited_pmi_does_not_hide_a_plain_step(void)
{
    /* srun --mpi=none in a job submitted from a step with PMI, and in a step of the same job. */
    static variables plain = {"SLURM_STEP_ID=1", "SLURM_STEPID=1", "SLURM_STEP_NUM_TASKS=3", "SLURM_STEP_NUM_NODES=3", "SLURM_NTASKS=3",
                              "SLURM_STEP_TASKS_PER_NODE=1(x3)", "SLURM_PROCID=1", "SLURM_LOCALID=0", "SLURM_NODEID=1", "SLURM_MPI_TYPE=",
                              NULL};
    wf_launch launch = DETECT(pmix, batch_17, plain);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, 1, 3, 0, 1);
    launch = DETECT(pmi2, batch_17, plain);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, 1, 3, 0, 1);
    launch = DETECT(pmix, batch_13, plain);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, 1, 3, 0, 1);
    launch = DETECT(pmi2, batch_13, plain);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, 1, 3, 0, 1);
}

static void job_numbers_are_compared_whole(void)
{
    static variables job_1 = {"SLURM_JOB_ID=1", NULL}, job_130 = {"SLURM_JOB_ID=130", NULL};
    static variables unset = {"SLURM_STEP_ID=", "SLURM_STEPID=", NULL};
    wf_launch launch = DETECT(step_13, pmix, job_1);
    CU_ASSERT_EQUAL(launch.kind, WF_LAUNCH_NONE);
    launch = DETECT(step_13, pmix, job_130);
    CU_ASSERT_EQUAL(launch.kind, WF_LAUNCH_NONE);
    launch = DETECT(step_13, pmix, job_1, unset);
    CU_ASSERT_EQUAL(launch.kind, WF_LAUNCH_NONE);
}

static void a_heterogeneous_job_counts_its_components(void)
{
    static variables batch = {"SLURM_JOB_ID=2", "SLURM_JOB_NUM_NODES=1", "SLURM_NTASKS=1", "SLURM_HET_SIZE=2",
                              "SLURM_JOB_NUM_NODES_HET_GROUP_0=1", "SLURM_JOB_NUM_NODES_HET_GROUP_1=4", "SLURM_NTASKS_HET_GROUP_0=1",
                              "SLURM_NTASKS_HET_GROUP_1=8", NULL};
    static variables step = {"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=9", "SLURM_NTASKS=9", "SLURM_STEP_NUM_NODES=5",
                             "SLURM_JOB_NUM_NODES=5", "SLURM_PROCID=8", "PMIX_NAMESPACE=slurm.pmix.2.0", "PMIX_RANK=8", NULL};
    static variables unset = {"SLURM_NTASKS=", NULL};
    wf_launch launch = DETECT(batch);
    expect_job(&launch, WF_BATCH_SLURM, "2", 5, 9);
    launch = DETECT(batch, unset);
    expect_job(&launch, WF_BATCH_SLURM, "2", 5, -1);
    launch = DETECT(batch, step);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMIX, 8, 9, -1, -1);
    expect_job(&launch, WF_BATCH_SLURM, "2", 5, -1);
}

static void tasks_per_node_are_read_run_by_run(void)
{
    static const struct {
        const char *list, *node;
        int expected;
    } cases[] = {{"4(x2),3", "0", 4}, {"4(x2),3", "1", 4}, {"4(x2),3", "2", 3},  {"4(x2),3", "3", -1}, {"1,2,3", "1", 2}, {"7", "0", 7},
                 {"x", "0", -1},      {"4(x", "0", -1},    {"4(x0)", "0", -1},   {"-4", "0", -1},      {"4(x2", "1", -1}, {"", "0", -1},
                 {"4,", "1", -1},     {"4(x0),5", "0", -1},     {"4", "-1", -1},     {"99999999999", "0", -1},
                 {"4(x99999999999),5", "7", 4}};
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        char list[80], node[80];
        snprintf(list, sizeof list, "SLURM_STEP_TASKS_PER_NODE=%s", cases[i].list);
        snprintf(node, sizeof node, "SLURM_NODEID=%s", cases[i].node);
        const char *const extra[] = {list, node, NULL};
        wf_launch launch = DETECT(step_13, extra);
        if (launch.local_size != cases[i].expected) printf("    %s %s: %d\n", cases[i].list, cases[i].node, launch.local_size);
        CU_ASSERT_EQUAL(launch.local_size, cases[i].expected);
    }
}

static void malformed_numbers_are_unknown(void)
{
    static const char *const bad[] = {"", "x", "-1", "-5", "3x", " 3", "99999999999", "99999999999999999999999", "0x3", "1e3"};
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        char size[80], rank[80];
        snprintf(size, sizeof size, "SLURM_STEP_NUM_TASKS=%s", bad[i]);
        snprintf(rank, sizeof rank, "SLURM_PROCID=%s", bad[i]);
        const char *const step[] = {"SLURM_JOB_ID=1", "SLURM_STEP_ID=0", size, rank, NULL};
        wf_launch launch = DETECT(step);
        expect_ranks(&launch, WF_LAUNCH_SRUN_PLAIN, -1, -1, -1, -1);
    }
    static variables outside = {"OMPI_COMM_WORLD_RANK=5", "OMPI_COMM_WORLD_LOCAL_RANK=2", NULL}, none = {"OMPI_COMM_WORLD_SIZE=0", NULL};
    wf_launch launch = DETECT(mpirun, outside);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, -1, 5, -1, 2);
    launch = DETECT(mpirun, none);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 3, -1, 1, 2);
}

static void a_job_s_name_is_cut_and_printable(void)
{
    char id[300] = "SLURM_JOB_ID=a\nb\x1b c";
    const char *const job[] = {id, NULL};
    wf_launch launch = DETECT(job);
    CU_ASSERT_STRING_EQUAL(launch.job_id, "a?b??c");
    memset(id + 13, '7', sizeof id - 14);
    launch = DETECT(job);
    CU_ASSERT_EQUAL(strlen(launch.job_id), WF_JOB_ID_LENGTH - 1);
}

/* A PBS job of which the node file says `text`; NULL: there is no file. */
static wf_launch detect_pbs(const char *text, const char *const *more, const char *const *yet_more)
{
    char path[] = "/tmp/weft_nodes_XXXXXX", variable_text[64];
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    if (text) CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    if (!text) unlink(path);
    close(fd);
    snprintf(variable_text, sizeof variable_text, "PBS_NODEFILE=%s", path);
    const char *const pbs[] = {"PBS_JOBID=55.server", variable_text, NULL};
    wf_launch launch = DETECT(pbs, more, more ? yet_more : NULL);
    if (text) unlink(path);
    return launch;
}

static void a_pbs_node_file_gives_hosts_and_tasks(void)
{
    wf_launch launch = detect_pbs("h1\nh2\nh1\n\nh3.site.org\nh2", NULL, NULL);
    expect_ranks(&launch, WF_LAUNCH_NONE, -1, -1, -1, -1);
    expect_job(&launch, WF_BATCH_PBS, "55.server", 3, 5);
    launch = detect_pbs("h1\r\nh1 \r\n", NULL, NULL);
    expect_job(&launch, WF_BATCH_PBS, "55.server", 1, 2);
}

static void a_missing_or_empty_node_file_leaves_the_job_unknown(void)
{
    static variables directory = {"PBS_NODEFILE=/", NULL}, unset = {"PBS_NODEFILE=", NULL};
    wf_launch launch = detect_pbs(NULL, NULL, NULL);
    expect_job(&launch, WF_BATCH_PBS, "55.server", -1, -1);
    launch = detect_pbs("\n\n", NULL, NULL);
    expect_job(&launch, WF_BATCH_PBS, "55.server", -1, -1);
    launch = detect_pbs("h1\n", directory, NULL);
    expect_job(&launch, WF_BATCH_PBS, "55.server", -1, -1);
    launch = detect_pbs("h1\n", unset, NULL);
    expect_job(&launch, WF_BATCH_PBS, "55.server", -1, -1);
}

static void mpirun_in_a_pbs_job_keeps_both(void)
{
    wf_launch launch = detect_pbs("h1\nh2\n", mpirun, NULL);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 3, 5, 1, 2);
    expect_job(&launch, WF_BATCH_PBS, "55.server", 2, -1);
}

static void of_two_batch_systems_the_inner_one_counts(void)
{
    wf_launch launch = detect_pbs("h1\nh2\n", batch_13, NULL); /* qsub -V from a Slurm job */
    expect_job(&launch, WF_BATCH_PBS, "55.server", 2, 2);
    launch = detect_pbs(NULL, batch_13, NULL); /* sbatch from a PBS job, elsewhere */
    expect_job(&launch, WF_BATCH_SLURM, "13", 3, 3);
    launch = detect_pbs("h1\nh2\n", step_13, pmix);
    expect_job(&launch, WF_BATCH_SLURM, "13", 2, -1);
}

static void a_slurm_configuration_shows_by_file_or_variable(void)
{
    static variables by_variable = {"SLURM_CONF=/etc/slurm.conf", NULL};
    environment empty = {{NULL}};
    wf_launch launch = DETECT(by_variable);
    CU_ASSERT_TRUE(launch.has_slurm_configuration);
    wf_launch_sources sources = {variable, &empty, "/"};
    wf_launch_detect(&sources, &launch);
    CU_ASSERT_TRUE(launch.has_slurm_configuration);
    sources.slurm_configuration_path = NULL;
    wf_launch_detect(&sources, &launch);
    CU_ASSERT_FALSE(launch.has_slurm_configuration);
}

static void the_word_of_a_pmi2_server_is_taken_where_it_makes_sense(void)
{
    wf_launch launch = DETECT(step_13, pmi2);
    wf_pmi2 answer = {.rank = 1, .size = 4, .node_count = 3}, no_nodes = {.rank = 0, .size = 5, .node_count = -1};
    wf_pmi2 senseless[] = {{.rank = 4, .size = 4, .node_count = 9}, {.rank = -1, .size = 4, .node_count = 9},
                           {.rank = 0, .size = 0, .node_count = 9}};
    wf_launch_add_pmi2(&launch, &answer);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMI2, 1, 4, 0, 1);
    CU_ASSERT_EQUAL(launch.step_node_count, 3);
    wf_launch_add_pmi2(&launch, &no_nodes);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMI2, 0, 5, 0, 1);
    CU_ASSERT_EQUAL(launch.step_node_count, 3);
    for (size_t i = 0; i < WEFT_COUNT_OF(senseless); i++) wf_launch_add_pmi2(&launch, &senseless[i]);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMI2, 0, 5, 0, 1);
    CU_ASSERT_EQUAL(launch.step_node_count, 3);
}

static void the_own_environment_is_read(void)
{
    wf_launch launch;
    clearenv();
    setenv("OMPI_COMM_WORLD_SIZE", "7", 1);
    setenv("OMPI_COMM_WORLD_RANK", "6", 1);
    wf_launch_detect_own(&launch);
    expect_ranks(&launch, WF_LAUNCH_MPIRUN, 6, 7, -1, -1);
    clearenv();
    setenv("SLURM_STEP_ID", "0", 1);
    setenv("PMI_RANK", "1", 1);
    setenv("PMI_SIZE", "2", 1);
    setenv("PMI_FD", "999", 1); /* no server behind it */
    wf_launch_detect_own(&launch);
    expect_ranks(&launch, WF_LAUNCH_SRUN_PMI2, 1, 2, -1, -1);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(without_variables_nothing_is_known),
        WEFT_TEST(srun_with_pmix_is_told),
        WEFT_TEST(srun_with_pmi2_is_told),
        WEFT_TEST(srun_without_pmi_is_told),
        WEFT_TEST(a_step_shows_without_its_number),
        WEFT_TEST(an_old_step_without_its_count_uses_the_job_s),
        WEFT_TEST(a_batch_script_is_no_launcher),
        WEFT_TEST(mpirun_by_hand_is_told),
        WEFT_TEST(under_mpirun_slurm_describes_the_daemons),
        WEFT_TEST(mpirun_in_a_batch_script_or_in_a_task_is_mpirun),
        WEFT_TEST(another_launcher_with_pmix_counts_as_mpirun),
        WEFT_TEST(the_mpirun_of_another_mpi_is_told),
        WEFT_TEST(the_shell_of_salloc_is_no_launcher),
        WEFT_TEST(the_shell_of_salloc_on_a_login_node_is_off_the_nodes),
        WEFT_TEST(salloc_on_the_node_itself_is_on_it),
        WEFT_TEST(a_batch_script_submitted_from_a_step_is_no_launcher),
        WEFT_TEST(a_step_s_nodes_belong_to_its_job),
        WEFT_TEST(an_inherited_pmi_does_not_hide_a_plain_step),
        WEFT_TEST(job_numbers_are_compared_whole),
        WEFT_TEST(a_heterogeneous_job_counts_its_components),
        WEFT_TEST(tasks_per_node_are_read_run_by_run),
        WEFT_TEST(malformed_numbers_are_unknown),
        WEFT_TEST(a_job_s_name_is_cut_and_printable),
        WEFT_TEST(a_pbs_node_file_gives_hosts_and_tasks),
        WEFT_TEST(a_missing_or_empty_node_file_leaves_the_job_unknown),
        WEFT_TEST(mpirun_in_a_pbs_job_keeps_both),
        WEFT_TEST(of_two_batch_systems_the_inner_one_counts),
        WEFT_TEST(a_slurm_configuration_shows_by_file_or_variable),
        WEFT_TEST(the_word_of_a_pmi2_server_is_taken_where_it_makes_sense),
        WEFT_TEST(the_own_environment_is_read),
    };
    return weft_test_run("transport/launch", cases, WEFT_COUNT_OF(cases));
}
