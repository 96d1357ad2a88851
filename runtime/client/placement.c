#include "client/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "topology/memory.h"

enum { CORES_THAT_SPARE_ONE = 8 }; /* from here on rank 0 leaves a core of its share to scheduling */

static wf_compute_mode compute_mode(const weft_config *config)
{
    const char *text = weft_config_text(config, "scheduler.compute");
    return strcmp(text, "on") == 0 ? WF_COMPUTE_ON : strcmp(text, "off") == 0 ? WF_COMPUTE_OFF : WF_COMPUTE_AUTO;
}

/* A rank that runs no tasks has its main thread for that. */
static bool wants_comm_thread(const wf_placement *p, const weft_config *config)
{
    const char *text = weft_config_text(config, "transport.thread");
    if (!p->runs_tasks || strcmp(text, "off") == 0) return false;
    return strcmp(text, "on") == 0 || p->pins.spare_core_count > 0;
}

/* What the ranks of a node tell one another. */
typedef struct node_rank {
    int rank;
    wf_pin_rank pin;
} node_rank;

/* *pins is new, in rank order; *first_rank is that of the first among them. */
static weft_status gather_pins(const wf_placement *p, wf_mpi *mpi, wf_pin_rank **pins, int *count, int *index, int *first_rank,
                               weft_error *err)
{
    node_rank own = {mpi ? wf_mpi_rank(mpi) : 0, wf_pin_rank_of_process(p->topology, true)};
    void *gathered = NULL;
    *count = 1;
    *index = 0;
    weft_status status = mpi ? wf_mpi_gather_node(mpi, &own, sizeof own, &gathered, count, index, err) : WEFT_OK;
    if (status != WEFT_OK) return status;
    const node_rank *all = gathered ? gathered : &own;
    *first_rank = all[0].rank;
    *pins = wf_calloc((size_t)*count, sizeof **pins, err);
    for (int i = 0; *pins && i < *count; i++) (*pins)[i] = all[i].pin;
    free(gathered);
    return *pins ? WEFT_OK : WEFT_ENOMEM;
}

static weft_status plan_pins(wf_placement *p, const weft_config *config, wf_mpi *mpi, int thread_count, weft_error *err)
{
    wf_pin_rank *pins = NULL;
    int count, index, first_rank;
    bool has_others = mpi && wf_mpi_size(mpi) > 1;
    weft_status status = gather_pins(p, mpi, &pins, &count, &index, &first_rank, err);
    if (status != WEFT_OK) return status;
    /* Every rank of rank 0's node decides alike whether rank 0 computes. */
    if (first_rank == 0 && has_others)
        pins[0].runs_tasks = wf_rank0_computes(compute_mode(config), count, wf_pin_count_node_cores(p->topology, pins, count));
    p->runs_tasks = pins[index].runs_tasks;
    for (int i = 0; i < count; i++) p->node_worker_count += pins[i].runs_tasks;
    wf_pin_request request = {.topology = p->topology, .ranks = pins, .rank_count = count, .rank_index = index,
                              .thread_count = thread_count > 0 ? thread_count : 0, .pin = weft_config_bool(config, "pool.pin")};
    status = wf_pin_plan_init(&p->pins, &request, err);
    bool is_rank0 = first_rank == 0 && index == 0;
    if (status == WEFT_OK && has_others && is_rank0 && thread_count == 0 && p->pins.thread_count >= CORES_THAT_SPARE_ONE)
        p->pins.thread_count--;
    if (status == WEFT_OK && has_others) p->has_comm_thread = wants_comm_thread(p, config);
    free(pins);
    return status;
}

static weft_status plan_memory(wf_placement *p, const weft_config *config, weft_error *err)
{
    p->memory_limit_bytes = weft_config_bytes(config, "memory.limit");
    if (p->memory_limit_bytes) {
        snprintf(p->memory_text, sizeof p->memory_text, "memory.limit (%s)", weft_config_origin(config, "memory.limit"));
        return WEFT_OK;
    }
    wf_memory_limit limit;
    weft_status status = wf_memory_get_limit(&limit, err);
    if (status != WEFT_OK) return status;
    /* A tenth is left to code, stacks, buffers and libraries; the ranks of the node that run tasks share the rest. (A rank 0 that runs none
     * holds only results that the client asks for, and may hold as many as the others.) */
    int sharers = p->node_worker_count > 0 ? p->node_worker_count : 1;
    p->memory_limit_bytes = limit.bytes / 10 * 9 / (uint64_t)sharers;
    snprintf(p->memory_text, sizeof p->memory_text, "90 %% of the %s, shared by %d rank%s", limit.source, sharers, sharers == 1 ? "" : "s");
    return WEFT_OK;
}

static weft_status describe(wf_placement *p, weft_error *err)
{
    const wf_cpuset *set = wf_topology_peek_cpuset(p->topology);
    size_t cpuset_bytes = wf_cpuset_format(set, NULL, 0) + 1, line_bytes = 64;
    size_t pinning_bytes = line_bytes * ((size_t)p->pins.thread_count + 1);
    p->cpuset_text = wf_calloc(cpuset_bytes, 1, err);
    p->pinning_text = wf_calloc(pinning_bytes, 1, err);
    if (!p->cpuset_text || !p->pinning_text) return WEFT_ENOMEM;
    wf_cpuset_format(set, p->cpuset_text, cpuset_bytes);
    char *at = p->pinning_text;
    for (int i = 0; i < p->pins.thread_count; i++) {
        int pu = p->pins.thread_pus[i];
        if (pu < 0)
            at += snprintf(at, line_bytes, "%snot pinned", i ? "\n" : "");
        else
            at += snprintf(at, line_bytes, "%score %d (PU %d, NUMA node %d)", i ? "\n" : "", wf_topology_core_of_pu(p->topology, pu), pu,
                           wf_topology_numa_of_pu(p->topology, pu));
    }
    return WEFT_OK;
}

weft_status wf_placement_init(wf_placement *placement, const weft_config *config, wf_mpi *mpi, int thread_count, weft_error *err)
{
    wf_placement made = {0};
    weft_status status = wf_mpi_agree(mpi, wf_topology_create(&made.topology, err), err);
    if (status == WEFT_OK) status = plan_pins(&made, config, mpi, thread_count, err);
    if (status == WEFT_OK && thread_count < 0) made.pins.thread_count = 0;
    if (status == WEFT_OK) status = plan_memory(&made, config, err);
    if (status == WEFT_OK) status = describe(&made, err);
    if (status == WEFT_OK)
        *placement = made;
    else
        wf_placement_fini(&made);
    return status;
}

void wf_placement_fini(wf_placement *placement)
{
    wf_pin_plan_fini(&placement->pins);
    wf_topology_destroy(placement->topology);
    free(placement->cpuset_text);
    free(placement->pinning_text);
    *placement = (wf_placement){0};
}
