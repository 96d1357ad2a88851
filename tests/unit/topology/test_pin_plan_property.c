/* Random cpusets and rank counts on every machine: the plan keeps its promises. Set WEFT_TEST_SEED to repeat a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "machines.h"
#include "topology/pin_plan.h"
#include "weft_test.h"

enum { ROUND_COUNT = 1000, MAX_RANKS = 40, MAX_CORES = 192 };

static uint64_t random_state;

/* splitmix64: Steele, Lea, Flood, OOPSLA 2014. */
static int draw(int below)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (int)((z ^ z >> 31) % (uint64_t)below);
}

typedef struct round_state {
    wf_topology *topology;
    wf_pin_request request;
    wf_pin_rank ranks[MAX_RANKS];
    wf_pin_plan plans[MAX_RANKS];
    int share[MAX_RANKS]; /* cores: the threads that the rank gets when it does not ask for a number */
    int group[MAX_RANKS]; /* the smallest rank of the group, -1 for ranks that only schedule; found by a search of its own */
} round_state;

static int nth_pu(const wf_cpuset *set, int index)
{
    int pu = wf_cpuset_next(set, -1);
    while (index-- > 0)
        pu = wf_cpuset_next(set, pu);
    return pu;
}

static void add_core(const wf_topology *topology, wf_cpuset *set, int core)
{
    for (int i = 0, pu; (pu = wf_topology_pu_of_core(topology, core, i, wf_topology_peek_pus(topology))) >= 0; i++)
        wf_cpuset_add(set, pu);
}

/* Cpusets as launchers make them, and as none would. */
static wf_cpuset random_cpuset(const wf_topology *topology, int style, int rank, int rank_count)
{
    const wf_cpuset *pus = wf_topology_peek_pus(topology);
    int cores = wf_topology_get_info(topology)->core_count, pu_count = wf_topology_get_info(topology)->pu_count;
    wf_cpuset set = {{0}};
    if (style == 0) return *pus;
    if (style == 1) { /* bound to blocks of cores */
        int first = rank * cores / rank_count, end = (rank + 1) * cores / rank_count;
        for (int core = first; core < (end > first ? end : first + 1); core++)
            add_core(topology, &set, core % cores);
    } else if (style == 2) { /* bound to hardware threads */
        wf_cpuset_add(&set, nth_pu(pus, rank % pu_count));
    } else if (style == 3) { /* intervals of cores, overlapping or not */
        int first = draw(cores), count = 1 + draw(cores < 12 ? cores : 12);
        for (int core = first; core < first + count && core < cores; core++)
            add_core(topology, &set, core);
    } else { /* any PUs */
        for (int i = 1 + draw(6); i > 0; i--)
            wf_cpuset_add(&set, nth_pu(pus, draw(pu_count)));
    }
    return set;
}

static void find_groups(round_state *r)
{
    for (int i = 0; i < r->request.rank_count; i++)
        r->group[i] = r->ranks[i].runs_tasks ? i : -1;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < r->request.rank_count; i++) {
            for (int j = 0; j < r->request.rank_count; j++) {
                if (r->group[i] < 0 || r->group[j] <= r->group[i]) continue;
                if (!wf_cpuset_has_overlap(&r->ranks[i].cpuset, &r->ranks[j].cpuset)) continue;
                r->group[j] = r->group[i];
                changed = true;
            }
        }
    }
}

static bool round_init(round_state *r, wf_topology *topology)
{
    *r = (round_state){.topology = topology};
    int cores = wf_topology_get_info(topology)->core_count;
    int style = draw(6), rank_count = 1 + draw(draw(2) ? MAX_RANKS : 4);
    bool has_schedulers = draw(3) == 0;
    for (int i = 0; i < rank_count; i++) {
        r->ranks[i].cpuset = random_cpuset(topology, style < 5 ? style : draw(5), i, rank_count);
        r->ranks[i].allowed = draw(2) ? *wf_topology_peek_pus(topology) : r->ranks[i].cpuset;
        r->ranks[i].runs_tasks = !has_schedulers || draw(3) > 0;
    }
    r->request = (wf_pin_request){
        .topology = topology,
        .ranks = r->ranks,
        .rank_count = rank_count,
        .thread_count = draw(2) ? 0 : 1 + draw(2 * cores < 20 ? 2 * cores : 20),
        .pin = draw(8) > 0,
    };
    find_groups(r);
    bool is_good = true;
    for (int i = 0; i < rank_count; i++) {
        wf_pin_request request = r->request;
        request.rank_index = i;
        is_good = wf_pin_plan_init(&r->plans[i], &request, NULL) == WEFT_OK && is_good;
        wf_pin_plan unasked = {0};
        request.thread_count = 0;
        is_good = wf_pin_plan_init(&unasked, &request, NULL) == WEFT_OK && is_good;
        r->share[i] = unasked.thread_count;
        wf_pin_plan_fini(&unasked);
    }
    return is_good;
}

static void round_fini(round_state *r)
{
    for (int i = 0; i < r->request.rank_count; i++)
        wf_pin_plan_fini(&r->plans[i]);
}

static wf_cpuset union_of_group(const round_state *r, int group)
{
    wf_cpuset set = {{0}};
    for (int i = 0; i < r->request.rank_count; i++) {
        if (r->group[i] == group) wf_cpuset_unite(&set, &r->ranks[i].cpuset);
    }
    return set;
}

static bool has_group_of(const round_state *r, int rank)
{
    return r->group[rank] == rank;
}

/* Sizes, and PUs that are allowed; at most one per core unless there are more threads than cores. */
static bool keeps_rank_promises(const round_state *r, int rank)
{
    const wf_pin_plan *plan = &r->plans[rank];
    if (r->group[rank] < 0) return plan->thread_count == 0 && r->share[rank] == 0;
    int wanted = r->request.thread_count ? r->request.thread_count : r->share[rank];
    if (r->share[rank] < 1 || plan->thread_count != wanted) return false;
    if (wanted > r->share[rank] && !plan->is_oversubscribed) return false;
    wf_cpuset set = union_of_group(r, r->group[rank]);
    int threads_on_core[MAX_CORES] = {0};
    for (int t = 0; t < plan->thread_count; t++) {
        int pu = plan->thread_pus[t];
        if (!r->request.pin && pu != -1) return false;
        if (!r->request.pin) continue;
        if (!wf_cpuset_has(&set, pu)) return false;
        int most_on_core = (wanted + r->share[rank] - 1) / r->share[rank];
        if (++threads_on_core[wf_topology_core_of_pu(r->topology, pu)] > most_on_core) return false;
    }
    return true;
}

/* No PU, nor core, of a rank that is not marked oversubscribed is another rank's. */
static bool keeps_ranks_apart(const round_state *r, int a, int b)
{
    if (!r->request.pin || (r->plans[a].is_oversubscribed && r->plans[b].is_oversubscribed)) return true;
    for (int i = 0; i < r->plans[a].thread_count; i++) {
        for (int j = 0; j < r->plans[b].thread_count; j++) {
            int pu_a = r->plans[a].thread_pus[i], pu_b = r->plans[b].thread_pus[j];
            if (wf_topology_core_of_pu(r->topology, pu_a) == wf_topology_core_of_pu(r->topology, pu_b)) return false;
        }
    }
    return true;
}

/* A core that is called spare has no thread of any rank, and is spare for one rank alone. */
static bool keeps_spare_cores_apart(const round_state *r, int a, int b)
{
    const wf_pin_plan *plan = &r->plans[a];
    bool has_spare = r->group[a] >= 0 && !plan->is_oversubscribed && plan->thread_count < r->share[a];
    if (plan->spare_core_count != (has_spare ? r->share[a] - plan->thread_count : 0)) return false;
    if ((plan->spare_pu >= 0) != (has_spare && r->request.pin)) return false;
    if (plan->spare_pu < 0) return true;
    int core = wf_topology_core_of_pu(r->topology, plan->spare_pu);
    for (int t = 0; t < r->plans[b].thread_count; t++) {
        if (wf_topology_core_of_pu(r->topology, r->plans[b].thread_pus[t]) == core) return false;
    }
    return a == b || r->plans[b].spare_pu < 0 || wf_topology_core_of_pu(r->topology, r->plans[b].spare_pu) != core;
}

/* Shares within one; together all of the group's cores; and each in one piece. */
static bool keeps_group_promises(const round_state *r, int group)
{
    wf_cpuset set = union_of_group(r, group);
    int core_count = wf_topology_count_cores(r->topology, &set), least = MAX_CORES, most = 0, sum = 0, rank_count = 0;
    for (int i = 0; i < r->request.rank_count; i++) {
        if (r->group[i] != group) continue;
        const wf_pin_plan *plan = &r->plans[i];
        least = r->share[i] < least ? r->share[i] : least;
        most = r->share[i] > most ? r->share[i] : most;
        sum += r->share[i];
        rank_count++;
        for (int t = 1; r->request.pin && t < plan->thread_count && t < r->share[i]; t++) {
            int from = wf_topology_core_of_pu(r->topology, plan->thread_pus[t - 1]);
            int to = wf_topology_core_of_pu(r->topology, plan->thread_pus[t]);
            if (to <= from) return false;
            for (int core = from + 1; core < to; core++) {
                if (wf_topology_pu_of_core(r->topology, core, 0, &set) >= 0) return false;
            }
        }
    }
    if (most - least > 1) return false;
    for (int i = 0; i < r->request.rank_count; i++) {
        if (r->group[i] == group && rank_count > core_count && !r->plans[i].is_oversubscribed) return false;
    }
    return rank_count > core_count ? most == 1 : sum == core_count;
}

static bool groups_have_cores_apart(const round_state *r)
{
    int owner[MAX_CORES] = {0};
    for (int i = 0; i < r->request.rank_count; i++) {
        if (!has_group_of(r, i)) continue;
        wf_cpuset set = union_of_group(r, i);
        for (int core = 0; core < wf_topology_get_info(r->topology)->core_count; core++) {
            if (wf_topology_pu_of_core(r->topology, core, 0, &set) < 0) continue;
            if (owner[core]) return false;
            owner[core] = 1;
        }
    }
    return true;
}

/* Nobody is marked oversubscribed without cause. */
static bool keeps_node_promises(const round_state *r)
{
    if (!groups_have_cores_apart(r)) return true;
    for (int i = 0; i < r->request.rank_count; i++) {
        if (!has_group_of(r, i)) continue;
        wf_cpuset set = union_of_group(r, i);
        int cores = wf_topology_count_cores(r->topology, &set), ranks = 0;
        for (int j = 0; j < r->request.rank_count; j++) ranks += r->group[j] == i;
        for (int j = 0; j < r->request.rank_count; j++) {
            bool has_cores = ranks <= cores && r->plans[j].thread_count <= r->share[j];
            bool is_marked_for_nothing = has_cores && r->plans[j].is_oversubscribed;
            if (r->group[j] == i && is_marked_for_nothing) return false;
        }
    }
    return true;
}

static bool keeps_all_promises(const round_state *r)
{
    for (int a = 0; a < r->request.rank_count; a++) {
        if (!keeps_rank_promises(r, a)) return false;
        if (has_group_of(r, a) && !keeps_group_promises(r, a)) return false;
        for (int b = 0; b < r->request.rank_count; b++) {
            if (!keeps_spare_cores_apart(r, a, b)) return false;
        }
        for (int b = 0; b < a; b++) {
            if (!keeps_ranks_apart(r, a, b)) return false;
            if (strcmp(r->plans[a].advice, r->plans[b].advice) != 0) return false;
        }
    }
    return keeps_node_promises(r);
}

static void plans_of_random_launches_keep_every_promise(void)
{
    wf_topology *topologies[WEFT_COUNT_OF(machines)];
    round_state *r = malloc(sizeof *r);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    for (size_t i = 0; i < WEFT_COUNT_OF(machines); i++) {
        topologies[i] = load_machine(machines[i].name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(topologies[i]);
    }
    for (int round = 0; round < ROUND_COUNT; round++) {
        int m = draw(WEFT_COUNT_OF(machines));
        bool is_good = round_init(r, topologies[m]) && keeps_all_promises(r);
        CU_ASSERT_TRUE(is_good);
        if (!is_good)
            printf("    round %d: %s, %d ranks, %d threads\n", round, machines[m].name, r->request.rank_count, r->request.thread_count);
        round_fini(r);
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(machines); i++)
        wf_topology_destroy(topologies[i]);
    free(r);
}

int main(void)
{
    const char *text = getenv("WEFT_TEST_SEED");
    random_state = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)random_state);
    static const weft_test_case cases[] = {WEFT_TEST(plans_of_random_launches_keep_every_promise)};
    return weft_test_run("topology/pin_plan_property", cases, WEFT_COUNT_OF(cases));
}
