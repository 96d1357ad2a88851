/* Deals the cores of a node to its ranks, and a rank's cores to its threads.
 *
 * Ranks whose cpusets overlap, directly or through others, form a group; groups have no PU in common. A group's cores are those that its
 * united cpusets touch, in the machine's order, and each rank gets one block of them.
 * Invariant: every step reads the request alone and breaks ties by rank or core number, so all ranks find the same plan.
 * Pure: no thread, no message, no clock, nothing read from the system. */
#include "topology/pin_plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum { NO_GROUP = -1 };

typedef struct seat {
    int group;      /* the index in `unions` of its group; NO_GROUP for a rank that runs no tasks */
    int first_core; /* of its own cpuset */
} seat;

typedef struct group {
    int rank_count;
    int core_count; /* that the union touches */
} group;

typedef struct table {
    const wf_pin_request *request;
    seat *seats;       /* of each rank */
    wf_cpuset *unions; /* of each group; a group has the number of its last rank, other places are unused */
    group *groups;
    int node_core_count;
} table;

/* A rank's block of its group's cores, counted from 0 within the group. */
typedef struct block {
    int first;
    int count;
    int turn; /* how many ranks had the same block before: above 0 only with more ranks than cores */
} block;

wf_pin_rank wf_pin_rank_of_process(const wf_topology *topology, bool runs_tasks)
{
    return (wf_pin_rank){*wf_topology_peek_cpuset(topology), *wf_topology_peek_allowed(topology), runs_tasks};
}

/* What the node's ranks could use, all together. */
static wf_cpuset unite_ranks(const wf_topology *topology, const wf_pin_rank *ranks, int rank_count)
{
    wf_cpuset open = {{0}};
    for (int i = 0; i < rank_count; i++) {
        wf_cpuset_unite(&open, &ranks[i].cpuset);
        wf_cpuset_unite(&open, &ranks[i].allowed);
    }
    wf_cpuset_intersect(&open, wf_topology_peek_pus(topology));
    return open;
}

int wf_pin_count_node_cores(const wf_topology *topology, const wf_pin_rank *ranks, int rank_count)
{
    wf_cpuset open = unite_ranks(topology, ranks, rank_count);
    return wf_topology_count_cores(topology, &open);
}

/* The core of the machine that is the index-th of those that the set touches; there must be as many. */
static int find_core(const wf_topology *topology, const wf_cpuset *set, int index)
{
    for (int core = 0;; core++) {
        assert(core < wf_topology_get_info(topology)->core_count);
        if (wf_topology_pu_of_core(topology, core, 0, set) >= 0 && index-- == 0) return core;
    }
}

static weft_status seat_rank(table *t, int rank, weft_error *err)
{
    const wf_pin_request *request = t->request;
    t->seats[rank].group = NO_GROUP;
    if (!request->ranks[rank].runs_tasks) return WEFT_OK;

    wf_cpuset cpuset = request->ranks[rank].cpuset;
    wf_cpuset_intersect(&cpuset, wf_topology_peek_pus(request->topology));
    if (wf_cpuset_is_empty(&cpuset))
        return weft_fail(err, WEFT_EINVAL, "rank %d of this node was given no processing unit of this machine; launch without binding",
                         rank);
    t->seats[rank] = (seat){rank, find_core(request->topology, &cpuset, 0)};
    t->unions[rank] = cpuset;
    for (int other = 0; other < rank; other++) {
        if (t->seats[other].group != other || !wf_cpuset_has_overlap(&cpuset, &t->unions[other])) continue;
        wf_cpuset_unite(&t->unions[rank], &t->unions[other]);
        for (int member = 0; member <= other; member++) {
            if (t->seats[member].group == other) t->seats[member].group = rank;
        }
    }
    return WEFT_OK;
}

static weft_status table_init(table *t, const wf_pin_request *request, weft_error *err)
{
    size_t count = (size_t)request->rank_count;
    *t = (table){.request = request};
    t->seats = wf_calloc(count, sizeof *t->seats, err);
    t->unions = wf_calloc(count, sizeof *t->unions, err);
    t->groups = wf_calloc(count, sizeof *t->groups, err);
    if (!t->seats || !t->unions || !t->groups) return WEFT_ENOMEM;
    t->node_core_count = wf_pin_count_node_cores(request->topology, request->ranks, request->rank_count);
    for (int i = 0; i < request->rank_count; i++) {
        weft_status status = seat_rank(t, i, err);
        if (status) return status;
    }
    for (int i = 0; i < request->rank_count; i++) {
        int g = t->seats[i].group;
        if (g == NO_GROUP) continue;
        if (g == i) t->groups[g].core_count = wf_topology_count_cores(request->topology, &t->unions[g]);
        t->groups[g].rank_count++;
    }
    return WEFT_OK;
}

static void table_fini(table *t)
{
    free(t->groups);
    free(t->unions);
    free(t->seats);
}

/* The rank's place among those of its group: by the start of its own cpuset, so that a rank stays near where it was launched. */
static int find_position(const table *t, int rank)
{
    const seat *own = &t->seats[rank];
    int position = 0;
    for (int i = 0; i < t->request->rank_count; i++) {
        const seat *other = &t->seats[i];
        if (other->group != own->group) continue;
        position += other->first_core < own->first_core || (other->first_core == own->first_core && i < rank);
    }
    return position;
}

static block find_block(const table *t, int rank)
{
    const group *g = &t->groups[t->seats[rank].group];
    int position = find_position(t, rank);
    if (g->rank_count > g->core_count) return (block){position % g->core_count, 1, position / g->core_count};
    int first = (int)((int64_t)position * g->core_count / g->rank_count);
    int end = (int)((int64_t)(position + 1) * g->core_count / g->rank_count);
    return (block){first, end - first, 0};
}

/* Whether another group has a PU on a core of this block: launchers can bind ranks to hardware threads. */
static bool has_neighbour_on_core(const table *t, int rank, const int *cores, int core_count)
{
    for (int i = 0; i < t->request->rank_count; i++) {
        if (t->seats[i].group != i || i == t->seats[rank].group) continue;
        for (int c = 0; c < core_count; c++) {
            if (wf_topology_pu_of_core(t->request->topology, cores[c], 0, &t->unions[i]) >= 0) return true;
        }
    }
    return false;
}

/* One thread per core, on the core's first PU; only where cores serve several are its further PUs used, in turn. */
static void place_threads(const table *t, int rank, const block *b, const int *cores, wf_pin_plan *plan)
{
    const wf_cpuset *set = &t->unions[t->seats[rank].group];
    for (int i = 0; i < plan->thread_count; i++) {
        int core = cores[i % b->count];
        int pu_count = wf_topology_count_pus(t->request->topology, core, set);
        int pu = wf_topology_pu_of_core(t->request->topology, core, (b->turn + i / b->count) % pu_count, set);
        plan->thread_pus[i] = t->request->pin ? pu : -1;
    }
}

static weft_status plan_rank(const table *t, int rank, wf_pin_plan *plan, weft_error *err)
{
    const wf_pin_request *request = t->request;
    const group *g = &t->groups[t->seats[rank].group];
    block b = find_block(t, rank);
    plan->thread_count = request->thread_count > 0 ? request->thread_count : b.count;
    plan->thread_pus = wf_calloc((size_t)plan->thread_count, sizeof *plan->thread_pus, err);
    int *cores = wf_calloc((size_t)b.count, sizeof *cores, err);
    if (!plan->thread_pus || !cores) {
        free(cores);
        return WEFT_ENOMEM;
    }
    for (int i = 0; i < b.count; i++)
        cores[i] = find_core(request->topology, &t->unions[t->seats[rank].group], b.first + i);
    place_threads(t, rank, &b, cores, plan);
    plan->is_oversubscribed =
        plan->thread_count > b.count || g->rank_count > g->core_count || has_neighbour_on_core(t, rank, cores, b.count);
    if (!plan->is_oversubscribed && b.count > plan->thread_count) {
        plan->spare_core_count = b.count - plan->thread_count;
        if (request->pin)
            plan->spare_pu = wf_topology_pu_of_core(request->topology, cores[plan->thread_count], 0, &t->unions[t->seats[rank].group]);
    }
    free(cores);
    return WEFT_OK;
}

/* Sets the trap and its text when each rank that runs tasks was given fewer cores than it could use. The share counts ranks that only
 * schedule, since launchers do not know them. */
static void check_binding(const table *t, wf_pin_plan *plan)
{
    const wf_pin_request *request = t->request;
    int most = 0;
    for (int i = 0; i < request->rank_count; i++) {
        if (!request->ranks[i].runs_tasks) continue;
        int cores = wf_topology_count_cores(request->topology, &request->ranks[i].cpuset);
        most = cores > most ? cores : most;
    }
    int share = t->node_core_count / request->rank_count;
    int useful = request->thread_count > 0 && request->thread_count < share ? request->thread_count : share;
    if (most == 0 || most >= useful) return;
    plan->is_bound_too_tightly = true;
    snprintf(plan->advice, sizeof plan->advice,
             "the launcher bound each rank to %d core%s, but an equal share of this node is %d; pass --bind-to none, or "
             "--map-by ppr:%d:node:PE=%d, to mpirun, or --cpu-bind=none to srun",
             most, most == 1 ? "" : "s", share, request->rank_count, share);
}

static weft_status check_request(const wf_pin_request *request, weft_error *err)
{
    if (request->rank_count < 1 || request->rank_index < 0 || request->rank_index >= request->rank_count)
        return weft_fail(err, WEFT_EINVAL, "rank %d of %d on this node is none; both come from the launch", request->rank_index,
                         request->rank_count);
    if (request->thread_count < 0)
        return weft_fail(err, WEFT_EINVAL, "%d threads cannot be pinned; ask for at least one, or 0 for one per core",
                         request->thread_count);
    return WEFT_OK;
}

weft_status wf_pin_plan_init(wf_pin_plan *plan, const wf_pin_request *request, weft_error *err)
{
    wf_pin_plan made = {.spare_pu = -1};
    table t = {0};
    weft_status status = check_request(request, err);
    if (status) return status;
    status = table_init(&t, request, err);
    if (status) goto out;
    check_binding(&t, &made);
    if (t.seats[request->rank_index].group != NO_GROUP) status = plan_rank(&t, request->rank_index, &made, err);
    if (status) goto out;
    *plan = made;
    made.thread_pus = NULL;
out:
    wf_pin_plan_fini(&made);
    table_fini(&t);
    return status;
}

void wf_pin_plan_fini(wf_pin_plan *plan)
{
    free(plan->thread_pus);
    *plan = (wf_pin_plan){0};
}

bool wf_rank0_computes(wf_compute_mode mode, int node_rank_count, int node_core_count)
{
    if (mode != WF_COMPUTE_AUTO) return mode == WF_COMPUTE_ON;
    return node_rank_count - 1 < node_core_count;
}
