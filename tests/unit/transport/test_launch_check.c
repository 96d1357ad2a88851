#include <stdio.h>
#include <string.h>

#include "transport/launch.h"
#include "weft_test.h"

/* Counts that a case does not give are 0, which must mean as little as -1. */
#define LAUNCH(...) ((wf_launch){__VA_ARGS__})
#define KIND(name) .kind = WF_LAUNCH_##name
#define SLURM_JOB .batch = WF_BATCH_SLURM, .job_id = "7"
#define PBS_JOB .batch = WF_BATCH_PBS, .job_id = "55.server"

static void expect_text(const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0) printf("    %s\n", text);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void before_is(wf_launch launch, const char *expected)
{
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_launch_check_before_mpi(&launch, &err), *expected ? WEFT_ELAUNCH : WEFT_OK);
    expect_text(err.text, expected);
}

static void after_is(wf_launch launch, int mpi_size, const char *expected)
{
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_launch_check_after_mpi(&launch, mpi_size, &err), *expected ? WEFT_ELAUNCH : WEFT_OK);
    expect_text(err.text, expected);
}

static void alone_is(wf_launch launch, const char *expected)
{
    char text[WF_LAUNCH_TEXT_LENGTH] = "untouched";
    CU_ASSERT_EQUAL(wf_launch_check_alone(&launch, text), *expected != '\0');
    expect_text(text, expected);
}

static void hosts_is(wf_launch launch, int host_count, const char *expected)
{
    char text[WF_LAUNCH_TEXT_LENGTH] = "untouched";
    CU_ASSERT_EQUAL(wf_launch_check_hosts(&launch, host_count, text), *expected != '\0');
    expect_text(text, expected);
}

static void srun_without_pmix_is_refused_before_mpi(void)
{
    before_is(LAUNCH(KIND(SRUN_PMI2), .rank = 0, .size = 4, .step_node_count = 2),
              "srun --mpi=pmi2 started 4 ranks on 2 nodes, but this Open MPI speaks PMIx only; use srun --mpi=pmix or mpirun");
    before_is(LAUNCH(KIND(SRUN_PMI2), .rank = 3, .size = 4),
              "srun --mpi=pmi2 started 4 ranks, but this Open MPI speaks PMIx only; use srun --mpi=pmix or mpirun");
    before_is(LAUNCH(KIND(SRUN_PLAIN), .rank = 1, .size = 2, .step_node_count = 1),
              "srun started 2 ranks on 1 node without PMIx (no PMIX_NAMESPACE), so they cannot find one another; "
              "use srun --mpi=pmix or mpirun");
}

static void launches_that_work_pass_before_mpi(void)
{
    before_is(LAUNCH(KIND(NONE), .rank = -1, .size = -1), "");
    before_is(LAUNCH(KIND(NONE), SLURM_JOB, .job_node_count = 4, .job_task_count = 4), "");
    before_is(LAUNCH(KIND(MPIRUN), .rank = 0, .size = 4), "");
    before_is(LAUNCH(KIND(SRUN_PMIX), .rank = 0, .size = 4), "");
    before_is(LAUNCH(KIND(SRUN_PMI2), .rank = 0, .size = 1), "");
    before_is(LAUNCH(KIND(SRUN_PLAIN), .rank = 0, .size = 1), "");
    before_is(LAUNCH(KIND(SRUN_PLAIN), .rank = -1, .size = -1), "");
    before_is(LAUNCH(KIND(OTHER_PMI), .rank = 0, .size = 4), ""); /* MPI itself may know it */
}

static void ranks_that_mpi_does_not_see_are_refused_after(void)
{
    after_is(LAUNCH(KIND(MPIRUN), .rank = 0, .size = 4), 1,
             "mpirun started 4 ranks, but MPI sees one rank only; use the mpirun of the Open MPI that weft was built with");
    after_is(LAUNCH(KIND(SRUN_PMIX), .rank = 0, .size = 3, .step_node_count = 2), 1,
             "srun --mpi=pmix started 3 ranks on 2 nodes, but MPI sees one rank only: its PMIx and Open MPI's do not fit; use mpirun");
    after_is(LAUNCH(KIND(OTHER_PMI), .rank = 0, .size = 4), 1,
             "another MPI's launcher started 4 ranks (PMI_SIZE), but MPI sees one rank only; use Open MPI's mpirun");
    after_is(LAUNCH(KIND(SRUN_PLAIN), .rank = 0, .size = 4), 1,
             "srun without PMI started 4 ranks, but MPI sees one rank only; use srun --mpi=pmix or mpirun");
    after_is(LAUNCH(KIND(SRUN_PMI2), .rank = 0, .size = 4), 1,
             "srun --mpi=pmi2 started 4 ranks, but MPI sees one rank only; use srun --mpi=pmix or mpirun");
}

static void the_size_that_mpi_sees_passes_after(void)
{
    after_is(LAUNCH(KIND(MPIRUN), .rank = 0, .size = 4), 4, "");
    after_is(LAUNCH(KIND(MPIRUN), .rank = 0, .size = 1), 1, "");
    after_is(LAUNCH(KIND(MPIRUN), .rank = 0, .size = -1), 1, "");
    after_is(LAUNCH(KIND(SRUN_PMIX), .rank = 0, .size = 1), 1, "");
    after_is(LAUNCH(KIND(NONE), SLURM_JOB, .job_node_count = 4, .job_task_count = 4), 1, "");
}

static void one_process_in_a_larger_allocation_is_warned_of(void)
{
    alone_is(LAUNCH(KIND(NONE), SLURM_JOB, .job_node_count = 3, .job_task_count = 6),
             "runs on one node of 3 of Slurm job 7; start it with mpirun or srun --mpi=pmix");
    alone_is(LAUNCH(KIND(NONE), SLURM_JOB, .job_node_count = 1, .job_task_count = 6),
             "runs as one task of 6 of Slurm job 7; start it with mpirun or srun --mpi=pmix");
    alone_is(LAUNCH(KIND(NONE), SLURM_JOB, .job_node_count = 1, .is_off_node = true),
             "runs outside the nodes of Slurm job 7; start it with mpirun or srun --mpi=pmix");
    alone_is(LAUNCH(KIND(NONE), PBS_JOB, .job_node_count = 2, .job_task_count = 2),
             "runs on one node of 2 of PBS job 55.server; start it with mpirun --hostfile $PBS_NODEFILE");
}

static void one_process_that_fills_its_allocation_is_not_warned_of(void)
{
    alone_is(LAUNCH(KIND(NONE)), "");
    alone_is(LAUNCH(KIND(NONE), .has_slurm_configuration = true), "");
    alone_is(LAUNCH(KIND(NONE), SLURM_JOB, .job_node_count = 1, .job_task_count = 1), "");
    alone_is(LAUNCH(KIND(NONE), SLURM_JOB, .job_node_count = -1, .job_task_count = -1), "");
    alone_is(LAUNCH(KIND(NONE), PBS_JOB, .job_node_count = 1, .job_task_count = 16), "");
}

static void launched_ranks_are_not_alone(void)
{
    alone_is(LAUNCH(KIND(MPIRUN), SLURM_JOB, .size = 1, .job_node_count = 3), "");
    alone_is(LAUNCH(KIND(SRUN_PLAIN), SLURM_JOB, .size = 1, .job_node_count = 3), "");
    alone_is(LAUNCH(KIND(SRUN_PMIX), SLURM_JOB, .size = 3, .job_node_count = 3), "");
}

static void ranks_on_one_host_of_a_pbs_job_are_warned_of(void)
{
    hosts_is(LAUNCH(KIND(MPIRUN), PBS_JOB, .size = 8, .job_node_count = 2), 1,
             "all 8 ranks run on one host of the 2 of PBS job 55.server; start it with mpirun --hostfile $PBS_NODEFILE");
    hosts_is(LAUNCH(KIND(MPIRUN), PBS_JOB, .size = 8, .job_node_count = 2), 2, "");
    hosts_is(LAUNCH(KIND(MPIRUN), PBS_JOB, .size = 8, .job_node_count = 1), 1, "");
    hosts_is(LAUNCH(KIND(MPIRUN), PBS_JOB, .size = 8, .job_node_count = -1), 1, "");
    hosts_is(LAUNCH(KIND(MPIRUN), PBS_JOB, .size = 1, .job_node_count = 2), 1, "");
    hosts_is(LAUNCH(KIND(MPIRUN), SLURM_JOB, .size = 8, .job_node_count = 2), 1, "");
    hosts_is(LAUNCH(KIND(MPIRUN), .size = 8), 1, "");
    hosts_is(LAUNCH(KIND(NONE), PBS_JOB, .job_node_count = 2), 1, "");
}

static void a_login_node_is_hinted_at_outside_jobs_only(void)
{
    char text[WF_LAUNCH_TEXT_LENGTH];
    wf_launch launch = LAUNCH(KIND(NONE), .has_slurm_configuration = true);
    CU_ASSERT_TRUE(wf_launch_check_login_node(&launch, text));
    expect_text(text, "this machine belongs to a Slurm cluster, and this is no job of it; "
                      "on a login node use weft submit, or salloc first");
    launch.has_slurm_configuration = false;
    CU_ASSERT_FALSE(wf_launch_check_login_node(&launch, text));
    expect_text(text, "");
    launch = LAUNCH(KIND(NONE), SLURM_JOB, .has_slurm_configuration = true);
    CU_ASSERT_FALSE(wf_launch_check_login_node(&launch, text));
    launch = LAUNCH(KIND(MPIRUN), .size = 2, .has_slurm_configuration = true);
    CU_ASSERT_FALSE(wf_launch_check_login_node(&launch, text));
}

static void the_launch_chooses_between_mpi_and_one_process(void)
{
    static const struct {
        wf_launch_kind kind;
        int size;
        bool wants_mpi;
    } cases[] = {
        {WF_LAUNCH_NONE, -1, false},      {WF_LAUNCH_MPIRUN, 4, true},      {WF_LAUNCH_MPIRUN, 1, true},     {WF_LAUNCH_MPIRUN, -1, true},
        {WF_LAUNCH_SRUN_PMIX, 4, true},   {WF_LAUNCH_SRUN_PMIX, 1, false},  {WF_LAUNCH_SRUN_PMIX, -1, true},
        {WF_LAUNCH_SRUN_PMI2, 1, false},  {WF_LAUNCH_SRUN_PLAIN, 1, false}, {WF_LAUNCH_OTHER_PMI, 1, false}, {WF_LAUNCH_OTHER_PMI, 2, true},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        wf_launch launch = LAUNCH(.kind = cases[i].kind, .size = cases[i].size);
        CU_ASSERT_EQUAL(wf_launch_wants_mpi(&launch), cases[i].wants_mpi);
    }
}

static void rank_0_speaks_and_so_does_who_knows_no_rank(void)
{
    wf_launch first = LAUNCH(.rank = 0, .size = 2), second = LAUNCH(.rank = 1, .size = 2), unknown = LAUNCH(.rank = -1);
    CU_ASSERT_TRUE(wf_launch_is_speaker(&first));
    CU_ASSERT_FALSE(wf_launch_is_speaker(&second));
    CU_ASSERT_TRUE(wf_launch_is_speaker(&unknown));
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(srun_without_pmix_is_refused_before_mpi),
        WEFT_TEST(launches_that_work_pass_before_mpi),
        WEFT_TEST(ranks_that_mpi_does_not_see_are_refused_after),
        WEFT_TEST(the_size_that_mpi_sees_passes_after),
        WEFT_TEST(one_process_in_a_larger_allocation_is_warned_of),
        WEFT_TEST(one_process_that_fills_its_allocation_is_not_warned_of),
        WEFT_TEST(launched_ranks_are_not_alone),
        WEFT_TEST(ranks_on_one_host_of_a_pbs_job_are_warned_of),
        WEFT_TEST(a_login_node_is_hinted_at_outside_jobs_only),
        WEFT_TEST(the_launch_chooses_between_mpi_and_one_process),
        WEFT_TEST(rank_0_speaks_and_so_does_who_knows_no_rank),
    };
    return weft_test_run("transport/launch_check", cases, WEFT_COUNT_OF(cases));
}
