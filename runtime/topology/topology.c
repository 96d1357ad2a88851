/* Owns hwloc's picture of the machine and the flat tables drawn from it, which everything else reads.
 * Invariant: the tables are complete and final when create returns; PUs of one core stand together, in the machine's order.
 * Created by one thread, read by any. */
#include "topology/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

typedef struct pu_entry {
    int pu;
    int core;
    int numa;
} pu_entry;

struct wf_topology {
    hwloc_topology_t hwloc;
    wf_topology_info info;
    wf_cpuset pus, allowed, cpuset;
    pu_entry *entries; /* pu_count of them */
    int *first_entries; /* of each core, and one more for the end */
    int entry_of_pu[WF_CPUSET_MAX_PUS]; /* -1: no such PU */
};

static const char *find_text(hwloc_topology_t hwloc, const char *const *names, size_t name_count)
{
    hwloc_obj_t places[] = {hwloc_get_root_obj(hwloc), hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, 0)};
    for (size_t i = 0; i < name_count; i++) {
        for (size_t j = 0; j < sizeof places / sizeof places[0]; j++) {
            const char *text = places[j] ? hwloc_obj_get_info_by_name(places[j], names[i]) : NULL;
            if (text && *text) return text;
        }
    }
    return "";
}

static size_t find_l2_bytes(hwloc_topology_t hwloc)
{
    for (hwloc_obj_t object = hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_PU, 0); object; object = object->parent) {
        if (object->type == HWLOC_OBJ_L2CACHE) return (size_t)object->attr->cache.size;
    }
    return 0;
}

static void fill_info(wf_topology *topology)
{
    hwloc_topology_t hwloc = topology->hwloc;
    wf_topology_info *info = &topology->info;
    snprintf(info->host_name, sizeof info->host_name, "%s", find_text(hwloc, (const char *const[]){"HostName"}, 1));
    snprintf(info->product_name, sizeof info->product_name, "%s",
             find_text(hwloc, (const char *const[]){"DMIProductName", "PlatformModel"}, 2));
    snprintf(info->cpu_model, sizeof info->cpu_model, "%s", find_text(hwloc, (const char *const[]){"CPUModel"}, 1));
    info->numa_count = hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_NUMANODE);
    info->l2_bytes = find_l2_bytes(hwloc);
    info->is_this_machine = hwloc_topology_is_thissystem(hwloc) != 0;
}

static weft_status fill_tables(wf_topology *topology, weft_error *err)
{
    int pu_count = hwloc_get_nbobjs_by_type(topology->hwloc, HWLOC_OBJ_PU);
    if (pu_count <= 0) return weft_fail(err, WEFT_EUNSUPPORTED, "hwloc found no processing unit on this machine; check with lstopo");
    topology->entries = wf_calloc((size_t)pu_count, sizeof *topology->entries, err);
    topology->first_entries = wf_calloc((size_t)pu_count + 1, sizeof *topology->first_entries, err);
    if (!topology->entries || !topology->first_entries) return WEFT_ENOMEM;
    memset(topology->entry_of_pu, -1, sizeof topology->entry_of_pu);

    hwloc_obj_t pu = NULL, previous = NULL;
    int core = -1;
    for (int i = 0; (pu = hwloc_get_next_obj_by_type(topology->hwloc, HWLOC_OBJ_PU, pu)); i++) {
        if (pu->os_index >= WF_CPUSET_MAX_PUS)
            return weft_fail(err, WEFT_EUNSUPPORTED, "processing unit %u is beyond the %d that weft counts", pu->os_index,
                             WF_CPUSET_MAX_PUS);
        hwloc_obj_t owner = hwloc_get_ancestor_obj_by_type(topology->hwloc, HWLOC_OBJ_CORE, pu);
        if (!owner || owner != previous) topology->first_entries[++core] = i;
        previous = owner;
        /* Several nodes can be near, such as a KNL's two kinds of memory: the one of the lowest number is the system's default. */
        topology->entries[i] = (pu_entry){(int)pu->os_index, core, pu->nodeset ? hwloc_bitmap_first(pu->nodeset) : -1};
        topology->entry_of_pu[pu->os_index] = i;
        wf_cpuset_add(&topology->pus, (int)pu->os_index);
    }
    topology->info.pu_count = pu_count;
    topology->info.core_count = core + 1;
    topology->first_entries[core + 1] = pu_count;
    return WEFT_OK;
}

/* The members of bitmap that are PUs of the machine: it may name offline ones, or be endless. */
static wf_cpuset from_bitmap(const wf_topology *topology, hwloc_const_bitmap_t bitmap)
{
    wf_cpuset set = {{0}};
    for (int i = 0; i < topology->info.pu_count; i++) {
        if (hwloc_bitmap_isset(bitmap, (unsigned)topology->entries[i].pu)) wf_cpuset_add(&set, topology->entries[i].pu);
    }
    return set;
}

static weft_status fill_cpusets(wf_topology *topology, weft_error *err)
{
    topology->allowed = from_bitmap(topology, hwloc_topology_get_allowed_cpuset(topology->hwloc));
    if (wf_cpuset_is_empty(&topology->allowed)) topology->allowed = topology->pus;
    topology->cpuset = topology->allowed;
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    if (!bound) return weft_fail(err, WEFT_ENOMEM, "no memory for the set of processing units");
    /* A system that cannot tell has not restricted us. */
    if (hwloc_get_cpubind(topology->hwloc, bound, HWLOC_CPUBIND_THREAD) == 0) {
        wf_cpuset mask = from_bitmap(topology, bound);
        wf_cpuset_intersect(&mask, &topology->allowed);
        if (!wf_cpuset_is_empty(&mask)) topology->cpuset = mask;
    }
    hwloc_bitmap_free(bound);
    return WEFT_OK;
}

typedef enum source_kind { THIS_MACHINE, XML_FILE, SYNTHETIC } source_kind;

static weft_status load(hwloc_topology_t hwloc, source_kind kind, const char *source, weft_error *err)
{
    if (kind == XML_FILE && access(source, R_OK) != 0)
        return weft_fail(err, WEFT_EIO, "cannot read the topology file %s: %s", source, strerror(errno));
    if (kind == XML_FILE && hwloc_topology_set_xml(hwloc, source) != 0)
        return weft_fail(err, WEFT_EDATA, "%s is not a topology in hwloc's XML form; write one with lstopo FILE.xml", source);
    if (kind == SYNTHETIC && hwloc_topology_set_synthetic(hwloc, source) != 0)
        return weft_fail(err, WEFT_EINVAL, "\"%s\" describes no machine; write it like \"numa:2 core:8 pu:2\"", source);
    /* PUs closed to this process stay in the picture: all ranks of a node must see the same machine to plan alike. */
    unsigned long flags = HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED;
#if HWLOC_API_VERSION >= 0x00020500
    flags |= HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING;
#endif
    if (hwloc_topology_set_flags(hwloc, flags) == 0 && hwloc_topology_load(hwloc) == 0) return WEFT_OK;
    if (kind == XML_FILE)
        return weft_fail(err, WEFT_EDATA, "%s is not a topology in hwloc's XML form; write one with lstopo FILE.xml", source);
    return weft_fail(err, WEFT_EUNSUPPORTED, "hwloc cannot discover this machine: %s; check with lstopo", strerror(errno));
}

static weft_status create(wf_topology **created, source_kind kind, const char *source, weft_error *err)
{
    weft_status status;
    wf_topology *topology = wf_calloc(1, sizeof *topology, err);
    if (!topology) return WEFT_ENOMEM;
    if (hwloc_topology_init(&topology->hwloc) != 0) {
        topology->hwloc = NULL;
        status = weft_fail(err, WEFT_ENOMEM, "no memory for the machine's topology");
        goto out;
    }
    status = load(topology->hwloc, kind, source, err);
    if (status) goto out;
    status = fill_tables(topology, err);
    if (status) goto out;
    fill_info(topology);
    status = fill_cpusets(topology, err);
    if (status) goto out;
    *created = topology;
    topology = NULL;
out:
    wf_topology_destroy(topology);
    return status;
}

weft_status wf_topology_create(wf_topology **topology, weft_error *err)
{
    return create(topology, THIS_MACHINE, NULL, err);
}

weft_status wf_topology_create_from_xml(wf_topology **topology, const char *path, weft_error *err)
{
    return create(topology, XML_FILE, path, err);
}

weft_status wf_topology_create_synthetic(wf_topology **topology, const char *description, weft_error *err)
{
    return create(topology, SYNTHETIC, description, err);
}

void wf_topology_destroy(wf_topology *topology)
{
    if (!topology) return;
    free(topology->first_entries);
    free(topology->entries);
    if (topology->hwloc) hwloc_topology_destroy(topology->hwloc);
    free(topology);
}

const wf_topology_info *wf_topology_get_info(const wf_topology *topology)
{
    return &topology->info;
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

size_t wf_topology_format_summary(const wf_topology *topology, char *text, size_t size_bytes)
{
    const wf_topology_info *info = &topology->info;
    const char *name = info->cpu_model[0] ? info->cpu_model : info->product_name[0] ? info->product_name : "unknown processor";
    int length = snprintf(text, size_bytes, "%s: %d core%s, %d PU%s, %d NUMA node%s", name, info->core_count, plural(info->core_count),
                          info->pu_count, plural(info->pu_count), info->numa_count, plural(info->numa_count));
    return length > 0 ? (size_t)length : 0;
}

const wf_cpuset *wf_topology_peek_pus(const wf_topology *topology)
{
    return &topology->pus;
}

const wf_cpuset *wf_topology_peek_allowed(const wf_topology *topology)
{
    return &topology->allowed;
}

const wf_cpuset *wf_topology_peek_cpuset(const wf_topology *topology)
{
    return &topology->cpuset;
}

static const pu_entry *find_entry(const wf_topology *topology, int pu)
{
    return wf_cpuset_has(&topology->pus, pu) ? &topology->entries[topology->entry_of_pu[pu]] : NULL;
}

int wf_topology_core_of_pu(const wf_topology *topology, int pu)
{
    const pu_entry *entry = find_entry(topology, pu);
    return entry ? entry->core : -1;
}

int wf_topology_numa_of_pu(const wf_topology *topology, int pu)
{
    const pu_entry *entry = find_entry(topology, pu);
    return entry ? entry->numa : -1;
}

int wf_topology_pu_of_core(const wf_topology *topology, int core, int index, const wf_cpuset *set)
{
    if (core < 0 || core >= topology->info.core_count) return -1;
    for (int i = topology->first_entries[core]; i < topology->first_entries[core + 1]; i++) {
        int pu = topology->entries[i].pu;
        if (wf_cpuset_has(set, pu) && index-- == 0) return pu;
    }
    return -1;
}

int wf_topology_count_pus(const wf_topology *topology, int core, const wf_cpuset *set)
{
    int count = 0;
    while (wf_topology_pu_of_core(topology, core, count, set) >= 0)
        count++;
    return count;
}

int wf_topology_count_cores(const wf_topology *topology, const wf_cpuset *set)
{
    int count = 0;
    for (int core = 0; core < topology->info.core_count; core++)
        count += wf_topology_pu_of_core(topology, core, 0, set) >= 0;
    return count;
}

struct hwloc_topology *wf_topology_peek_hwloc(const wf_topology *topology)
{
    return topology->hwloc;
}
