#include "topology/pin_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machines.h"
#include "weft_test.h"

enum { MAX_RANKS = 400 };

/* A node under test: a machine and its ranks, all given the whole machine and running tasks until told otherwise. */
typedef struct node {
    wf_topology *topology;
    wf_pin_rank *ranks;
    wf_pin_request request;
} node;

static node node_create(const char *machine_name, int rank_count)
{
    node n = {.topology = load_machine(machine_name), .ranks = calloc(MAX_RANKS, sizeof(wf_pin_rank))};
    CU_ASSERT_FATAL(n.topology && n.ranks && rank_count <= MAX_RANKS);
    for (int i = 0; i < rank_count; i++)
        n.ranks[i] = wf_pin_rank_of_process(n.topology, true);
    n.request = (wf_pin_request){.topology = n.topology, .ranks = n.ranks, .rank_count = rank_count, .pin = true};
    return n;
}

static void node_destroy(node *n)
{
    free(n->ranks);
    wf_topology_destroy(n->topology);
}

static wf_pin_plan plan_of(const node *n, int rank)
{
    wf_pin_plan plan = {0};
    weft_error err = WEFT_ERROR_INIT;
    wf_pin_request request = n->request;
    request.rank_index = rank;
    CU_ASSERT_EQUAL(wf_pin_plan_init(&plan, &request, &err), WEFT_OK);
    return plan;
}

/* The PUs of the rank's threads, in thread order, as text: "0 2 4"; "" for none. */
static void check_threads(const node *n, int rank, const char *expected)
{
    char text[256] = "";
    wf_pin_plan plan = plan_of(n, rank);
    for (int i = 0; i < plan.thread_count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", i ? " " : "", plan.thread_pus[i]);
    if (strcmp(text, expected) != 0) printf("    rank %d: got \"%s\", expected \"%s\"\n", rank, text, expected);
    CU_ASSERT_STRING_EQUAL(text, expected);
    wf_pin_plan_fini(&plan);
}

static bool is_oversubscribed(const node *n, int rank)
{
    wf_pin_plan plan = plan_of(n, rank);
    bool is = plan.is_oversubscribed;
    wf_pin_plan_fini(&plan);
    return is;
}

static void one_rank_gets_one_thread_per_core_of_every_machine(void)
{
    for (size_t i = 0; i < WEFT_COUNT_OF(machines); i++) {
        node n = node_create(machines[i].name, 1);
        wf_pin_plan plan = plan_of(&n, 0);
        CU_ASSERT_EQUAL(plan.thread_count, machines[i].core_count);
        CU_ASSERT_EQUAL(wf_pin_count_node_cores(n.topology, n.ranks, 1), machines[i].core_count);
        CU_ASSERT_FALSE(plan.is_oversubscribed || plan.is_bound_too_tightly);
        CU_ASSERT_STRING_EQUAL(plan.advice, "");
        for (int t = 0; t < plan.thread_count; t++)
            CU_ASSERT_EQUAL(wf_topology_core_of_pu(n.topology, plan.thread_pus[t]), t);
        wf_pin_plan_fini(&plan);
        node_destroy(&n);
    }
}

static void recorded_machines_get_the_plans_worked_out_by_hand(void)
{
    static const struct {
        const char *machine, *threads[3];
    } cases[] = {
        {"16em64t-4s2c2t-offlines.xml", {"0 4", "1 6", "3 15"}},
        {"power8gpudistances.xml", {"0 8", "16 24 80", "88 96 104"}},
        {"16amd64-8n2c-cpusets.xml", {"0 1 2", "3 5 6", "12 13 14 15"}},
        {"16em64t-4s2c2t.xml", {"0 4", "1 5 2", "6 3 7"}},
        {"fakecpukinds.xml", {"0", "1", "2"}}, /* three ranks on two cores: the third gets a hardware thread that is left */
        {"numa:2 core:4 pu:1", {"0 1", "2 3 4", "5 6 7"}},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        node n = node_create(cases[i].machine, 3);
        for (int rank = 0; rank < 3; rank++)
            check_threads(&n, rank, cases[i].threads[rank]);
        node_destroy(&n);
    }
}

static void ranks_that_share_get_blocks_within_one_and_without_overlap(void)
{
    for (size_t i = 0; i < WEFT_COUNT_OF(machines); i++) {
        int cores = machines[i].core_count;
        for (int rank_count = 1; rank_count <= cores; rank_count += cores > 32 ? 31 : 1) {
            node n = node_create(machines[i].name, rank_count);
            int next_core = 0;
            for (int rank = 0; rank < rank_count; rank++) {
                wf_pin_plan plan = plan_of(&n, rank);
                CU_ASSERT_TRUE(plan.thread_count == cores / rank_count || plan.thread_count == (cores + rank_count - 1) / rank_count);
                CU_ASSERT_FALSE(plan.is_oversubscribed);
                for (int t = 0; t < plan.thread_count; t++)
                    CU_ASSERT_EQUAL(wf_topology_core_of_pu(n.topology, plan.thread_pus[t]), next_core++);
                wf_pin_plan_fini(&plan);
            }
            CU_ASSERT_EQUAL(next_core, cores);
            node_destroy(&n);
        }
    }
}

static void as_many_ranks_as_numa_nodes_get_one_node_each(void)
{
    node n = node_create("192em64t-12gr2n8c2t.xml", 24);
    for (int rank = 0; rank < 24; rank++) {
        wf_pin_plan plan = plan_of(&n, rank);
        CU_ASSERT_EQUAL(plan.thread_count, 8);
        for (int t = 0; t < plan.thread_count; t++)
            CU_ASSERT_EQUAL(wf_topology_numa_of_pu(n.topology, plan.thread_pus[t]), rank);
        wf_pin_plan_fini(&plan);
    }
    node_destroy(&n);
}

static void disjoint_cpusets_are_kept(void)
{
    node n = node_create("16em64t-4s2c2t.xml", 3);
    n.ranks[0].cpuset = pus_of("6,7,14,15");
    n.ranks[1].cpuset = pus_of("0,8");
    n.ranks[2].cpuset = pus_of("9,10,13");
    check_threads(&n, 0, "6 7");
    check_threads(&n, 1, "0");
    check_threads(&n, 2, "9 13 10");
    CU_ASSERT_FALSE(is_oversubscribed(&n, 2));
    node_destroy(&n);
}

static void overlapping_cpusets_share_their_union_near_where_they_were(void)
{
    node n = node_create("numa:2 core:4 pu:1", 3);
    n.ranks[0].cpuset = pus_of("3-5");
    n.ranks[1].cpuset = pus_of("0-3");
    n.ranks[2].cpuset = pus_of("6-7");
    check_threads(&n, 0, "3 4 5");
    check_threads(&n, 1, "0 1 2");
    check_threads(&n, 2, "6 7");
    n.ranks[2].cpuset = pus_of("5-7"); /* now one group, by way of rank 0 */
    check_threads(&n, 0, "2 3 4");
    check_threads(&n, 1, "0 1");
    check_threads(&n, 2, "5 6 7");
    node_destroy(&n);
}

static void a_rank_that_joins_two_groups_makes_them_one(void)
{
    node n = node_create("numa:2 core:4 pu:1", 3);
    n.ranks[0].cpuset = pus_of("0-1");
    n.ranks[1].cpuset = pus_of("6-7");
    n.ranks[2].cpuset = pus_of("1-6");
    check_threads(&n, 0, "0 1");
    check_threads(&n, 2, "2 3 4");
    check_threads(&n, 1, "5 6 7");
    node_destroy(&n);
}

static void ranks_bound_to_hardware_threads_of_one_core_keep_them_and_are_told(void)
{
    node n = node_create("16em64t-4s2c2t.xml", 3);
    n.ranks[0].cpuset = pus_of("0");
    n.ranks[1].cpuset = pus_of("8");
    n.ranks[2].cpuset = pus_of("1");
    check_threads(&n, 0, "0");
    check_threads(&n, 1, "8");
    CU_ASSERT_TRUE(is_oversubscribed(&n, 0));
    CU_ASSERT_TRUE(is_oversubscribed(&n, 1));
    CU_ASSERT_FALSE(is_oversubscribed(&n, 2));
    node_destroy(&n);
}

static void more_ranks_than_cores_take_turns(void)
{
    node n = node_create("numa:1 core:2 pu:2", 5);
    static const char *const expected[] = {"0", "2", "1", "3", "0"};
    for (int rank = 0; rank < 5; rank++) {
        check_threads(&n, rank, expected[rank]);
        CU_ASSERT_TRUE(is_oversubscribed(&n, rank));
    }
    node_destroy(&n);
    n = node_create("numa:24 core:8 pu:2", 385);
    check_threads(&n, 0, "0");
    check_threads(&n, 192, "1");
    check_threads(&n, 383, "383");
    check_threads(&n, 384, "0");
    node_destroy(&n);
}

static void a_rank_that_only_schedules_takes_no_core(void)
{
    node n = node_create("numa:2 core:4 pu:1", 3);
    n.ranks[0].runs_tasks = false;
    check_threads(&n, 0, "");
    check_threads(&n, 1, "0 1 2 3");
    check_threads(&n, 2, "4 5 6 7");
    wf_pin_plan plan = plan_of(&n, 0);
    CU_ASSERT_EQUAL(plan.thread_count, 0);
    CU_ASSERT_EQUAL(wf_pin_count_node_cores(n.topology, n.ranks, 3), 8);
    CU_ASSERT_FALSE(plan.is_oversubscribed);
    wf_pin_plan_fini(&plan);
    n.ranks[0].cpuset = pus_of("2-5"); /* must not join the two workers' cpusets either */
    n.ranks[1].cpuset = pus_of("0-2");
    n.ranks[2].cpuset = pus_of("3-7");
    check_threads(&n, 1, "0 1 2");
    check_threads(&n, 2, "3 4 5 6 7");
    node_destroy(&n);
}

static void fewer_threads_than_cores_leave_cores_and_more_double_up(void)
{
    node n = node_create("numa:1 core:4 pu:2", 2);
    n.request.thread_count = 1;
    check_threads(&n, 0, "0");
    check_threads(&n, 1, "4");
    CU_ASSERT_FALSE(is_oversubscribed(&n, 0));
    n.request.thread_count = 5;
    check_threads(&n, 0, "0 2 1 3 0");
    CU_ASSERT_TRUE(is_oversubscribed(&n, 0));
    node_destroy(&n);
}

static void without_pinning_the_pool_has_the_same_size(void)
{
    node n = node_create("numa:1 core:4 pu:2", 2);
    n.request.pin = false;
    check_threads(&n, 0, "-1 -1");
    check_threads(&n, 1, "-1 -1");
    node_destroy(&n);
}

static void check_trap(const node *n, int rank, bool expected)
{
    wf_pin_plan plan = plan_of(n, rank);
    CU_ASSERT_EQUAL(plan.is_bound_too_tightly, expected);
    CU_ASSERT_EQUAL(plan.advice[0] != '\0', expected);
    wf_pin_plan_fini(&plan);
}

static void ranks_bound_to_one_core_each_are_told_what_to_pass(void)
{
    node n = node_create("numa:2 core:4 pu:2", 2);
    n.ranks[0].cpuset = pus_of("0-1");
    n.ranks[1].cpuset = pus_of("2-3");
    wf_pin_plan plan = plan_of(&n, 1);
    CU_ASSERT_TRUE(plan.is_bound_too_tightly);
    CU_ASSERT_EQUAL(wf_pin_count_node_cores(n.topology, n.ranks, 2), 8);
    CU_ASSERT_EQUAL(plan.thread_count, 1);
    CU_ASSERT_STRING_EQUAL(plan.advice, "the launcher bound each rank to 1 core, but an equal share of this node is 4; pass --bind-to "
                                        "none, or --map-by ppr:2:node:PE=4, to mpirun, or --cpu-bind=none to srun");
    wf_pin_plan_fini(&plan);
    n.ranks[0].runs_tasks = false; /* rank 0 prints it even if it only schedules */
    check_trap(&n, 0, true);
    n.ranks[0].runs_tasks = true;
    n.request.pin = false;
    check_trap(&n, 0, true);
    n.request.thread_count = 2;
    check_trap(&n, 0, true);
    n.request.thread_count = 1; /* one thread needs no more */
    check_trap(&n, 0, false);
    node_destroy(&n);
}

static void launches_that_follow_the_advice_are_not_warned_about(void)
{
    node n = node_create("numa:2 core:4 pu:1", 2);
    check_trap(&n, 0, false); /* --bind-to none */
    n.ranks[0].cpuset = pus_of("0-3"); /* PE=4 */
    n.ranks[1].cpuset = pus_of("4-7");
    check_trap(&n, 1, false);
    n.ranks[0].runs_tasks = false;
    check_trap(&n, 1, false);
    n.ranks[0].runs_tasks = true;
    n.ranks[0].cpuset = pus_of("0"); /* uneven by intent */
    n.ranks[1].cpuset = pus_of("1-7");
    check_trap(&n, 0, false);
    n.ranks[0].cpuset = pus_of("0-6");
    n.ranks[1].cpuset = pus_of("7");
    check_trap(&n, 0, false);
    node_destroy(&n);
}

static void an_allocation_of_part_of_the_node_is_no_trap(void)
{
    node n = node_create("numa:2 core:4 pu:1", 2);
    for (int i = 0; i < 2; i++)
        n.ranks[i].allowed = n.ranks[i].cpuset = pus_of("4-5");
    check_threads(&n, 0, "4");
    check_threads(&n, 1, "5");
    wf_pin_plan plan = plan_of(&n, 0);
    CU_ASSERT_EQUAL(wf_pin_count_node_cores(n.topology, n.ranks, 2), 2);
    CU_ASSERT_FALSE(plan.is_bound_too_tightly);
    wf_pin_plan_fini(&plan);
    n.ranks[0].cpuset = pus_of("4");
    n.ranks[1].cpuset = pus_of("5");
    check_trap(&n, 0, false);
    node_destroy(&n);
}

static void bad_requests_are_refused_on_every_rank(void)
{
    node n = node_create("numa:2 core:4 pu:1", 2);
    wf_pin_plan plan = {.thread_count = 42};
    weft_error err = WEFT_ERROR_INIT;
    n.ranks[1].cpuset = pus_of("8-9"); /* not of this machine */
    for (int rank = 0; rank < 2; rank++) {
        n.request.rank_index = rank;
        CU_ASSERT_EQUAL(wf_pin_plan_init(&plan, &n.request, &err), WEFT_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "rank 1"));
    }
    n.ranks[1].runs_tasks = false; /* then it needs none */
    check_threads(&n, 0, "0 1 2 3 4 5 6 7");
    wf_pin_request bad[] = {n.request, n.request, n.request};
    bad[0].rank_index = 2;
    bad[1].rank_index = -1;
    bad[2].thread_count = -1;
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++)
        CU_ASSERT_EQUAL(wf_pin_plan_init(&plan, &bad[i], NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(plan.thread_count, 42);
    node_destroy(&n);
}

static void rank_0_computes_unless_the_others_take_every_core(void)
{
    static const struct {
        int ranks, cores;
        bool computes;
    } cases[] = {{1, 1, true}, {1, 64, true}, {2, 2, true}, {3, 2, false}, {2, 1, false}, {8, 8, true}, {9, 8, false}, {20, 8, false}};
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        CU_ASSERT_EQUAL(wf_rank0_computes(WF_COMPUTE_AUTO, cases[i].ranks, cases[i].cores), cases[i].computes);
        CU_ASSERT_TRUE(wf_rank0_computes(WF_COMPUTE_ON, cases[i].ranks, cases[i].cores));
        CU_ASSERT_FALSE(wf_rank0_computes(WF_COMPUTE_OFF, cases[i].ranks, cases[i].cores));
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(one_rank_gets_one_thread_per_core_of_every_machine),
        WEFT_TEST(recorded_machines_get_the_plans_worked_out_by_hand),
        WEFT_TEST(ranks_that_share_get_blocks_within_one_and_without_overlap),
        WEFT_TEST(as_many_ranks_as_numa_nodes_get_one_node_each),
        WEFT_TEST(disjoint_cpusets_are_kept),
        WEFT_TEST(overlapping_cpusets_share_their_union_near_where_they_were),
        WEFT_TEST(a_rank_that_joins_two_groups_makes_them_one),
        WEFT_TEST(ranks_bound_to_hardware_threads_of_one_core_keep_them_and_are_told),
        WEFT_TEST(more_ranks_than_cores_take_turns),
        WEFT_TEST(a_rank_that_only_schedules_takes_no_core),
        WEFT_TEST(fewer_threads_than_cores_leave_cores_and_more_double_up),
        WEFT_TEST(without_pinning_the_pool_has_the_same_size),
        WEFT_TEST(ranks_bound_to_one_core_each_are_told_what_to_pass),
        WEFT_TEST(launches_that_follow_the_advice_are_not_warned_about),
        WEFT_TEST(an_allocation_of_part_of_the_node_is_no_trap),
        WEFT_TEST(bad_requests_are_refused_on_every_rank),
        WEFT_TEST(rank_0_computes_unless_the_others_take_every_core),
    };
    return weft_test_run("topology/pin_plan", cases, WEFT_COUNT_OF(cases));
}
