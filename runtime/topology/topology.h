/* The machine: its cores, hardware threads (PUs), NUMA nodes and caches, and which of them this process may use.
 *
 * PUs go by the number that the operating system gives them, as do NUMA nodes; cores by their position in the machine, from 0, so that
 * neighbours share caches and NUMA nodes. Where hwloc knows no cores, every PU counts as one. All ranks of a node see the same machine,
 * whatever part of it each was given. Offline PUs are not part of it.
 *
 * Threads: a topology does not change once created, so any number may read it.
 */
#ifndef WF_TOPOLOGY_TOPOLOGY_H
#define WF_TOPOLOGY_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

#include "topology/cpuset.h"

typedef struct wf_topology wf_topology;
struct hwloc_topology;

typedef struct wf_topology_info {
    char host_name[64];     /* "" when unknown, like the next two */
    char product_name[64];  /* of the machine, such as "PowerNV 8335-GTB" */
    char cpu_model[96];     /* of its first processor */
    int core_count;
    int pu_count;
    int numa_count;
    size_t l2_bytes;        /* of the first core; 0 when unknown or none */
    bool is_this_machine;   /* false for a recorded or made-up one: nothing can be bound on it */
} wf_topology_info;

/* The machine that this runs on, or the one that hwloc's own variables (HWLOC_XMLFILE, HWLOC_SYNTHETIC) name. The cpuset is that of the
 * calling thread at this moment: call it before any thread is bound.
 *
 * Owns:     *topology is new, caller destroys; so for the next two.
 * Errors:   WEFT_EUNSUPPORTED hwloc found no PU, or one of WF_CPUSET_MAX_PUS or above; WEFT_ENOMEM.
 * Cost:     some 10 ms; more on a machine with hundreds of PUs.
 */
weft_status wf_topology_create(wf_topology **topology, weft_error *err);
/* A machine recorded in hwloc's XML form. Further errors: WEFT_EIO cannot be read; WEFT_EDATA not a topology. */
weft_status wf_topology_create_from_xml(wf_topology **topology, const char *path, weft_error *err);
/* A made-up machine, such as "numa:24 core:8 pu:2", in hwloc's synthetic form. Further errors: WEFT_EINVAL another text. */
weft_status wf_topology_create_synthetic(wf_topology **topology, const char *description, weft_error *err);
/* NULL is allowed. */
void wf_topology_destroy(wf_topology *topology);

/* Borrowed, like the other pointers that come out of a topology. */
const wf_topology_info *wf_topology_get_info(const wf_topology *topology);
/* One line for people, such as "AMD EPYC 9R14: 8 cores, 16 PUs, 1 NUMA node". Returns the length, like snprintf. */
size_t wf_topology_format_summary(const wf_topology *topology, char *text, size_t size_bytes);

/* The PUs of the machine; of these, the ones open to this process (cgroups may close some); and of those, the ones in its affinity mask,
 * which is what a launcher narrows. None is ever empty. */
const wf_cpuset *wf_topology_peek_pus(const wf_topology *topology);
const wf_cpuset *wf_topology_peek_allowed(const wf_topology *topology);
const wf_cpuset *wf_topology_peek_cpuset(const wf_topology *topology);

/* The core, and the NUMA node nearest to it, of a PU: for a map such as "thread 0 -> core 0 (PU 0, NUMA node 0)".
 * -1: no such PU; for the node also when the machine shows no memory near it. */
int wf_topology_core_of_pu(const wf_topology *topology, int pu);
int wf_topology_numa_of_pu(const wf_topology *topology, int pu);
/* The index-th PU, counted from 0, of the core that is in the set; -1 when there are not as many. */
int wf_topology_pu_of_core(const wf_topology *topology, int core, int index, const wf_cpuset *set);
/* How many PUs of the core, and how many cores of the machine, the set touches. */
int wf_topology_count_pus(const wf_topology *topology, int core, const wf_cpuset *set);
int wf_topology_count_cores(const wf_topology *topology, const wf_cpuset *set);

/* For binding: hwloc's own handle, borrowed. */
struct hwloc_topology *wf_topology_peek_hwloc(const wf_topology *topology);

#endif
