/* The machines that placement is tested on: every recorded one, and made-up ones, with the counts that their names and files state. */
#ifndef MACHINES_H
#define MACHINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology/topology.h"

typedef struct machine {
    const char *name; /* a file in tests/data/topologies, or a synthetic description */
    int core_count, pu_count, numa_count;
    const char *pus;
} machine;

static const machine machines[] = {
    {"16amd64-8n2c-cpusets.xml", 10, 10, 5, "0-3,5-6,12-15"},
    {"16em64t-4s2c2t-offlines.xml", 6, 7, 1, "0-1,3-4,6,12,15"},
    {"16em64t-4s2c2t.xml", 8, 16, 1, "0-15"},
    {"192em64t-12gr2n8c2t.xml", 192, 384, 24, "0-383"},
    {"64intel64-fakeKNL-SNC4-hybrid.xml", 16, 64, 8, "0-63"},
    {"96em64t-4n4d3ca2co-pci.xml", 96, 96, 4, "0-95"},
    {"fakecpukinds.xml", 2, 4, 1, "0-3"},
    {"power8gpudistances.xml", 8, 16, 2, "0-1,8-9,16-17,24-25,80-81,88-89,96-97,104-105"},
    {"numa:24 core:8 pu:2", 192, 384, 24, "0-383"},
    {"numa:2 core:4 pu:1", 8, 8, 2, "0-7"},
    {"numa:1 core:4 pu:4", 4, 16, 1, "0-15"},
    {"numa:1 pu:1", 1, 1, 1, "0"},
};

static inline wf_topology *load_machine(const char *name)
{
    wf_topology *topology = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/topologies/%s", WEFT_TEST_DATA, name);
    bool is_file = strstr(name, ".xml") != NULL;
    weft_error err = WEFT_ERROR_INIT;
    weft_status status =
        is_file ? wf_topology_create_from_xml(&topology, path, &err) : wf_topology_create_synthetic(&topology, name, &err);
    if (status) printf("    %s: %s\n", name, err.text);
    return topology;
}

/* From the list form, such as "0-3,8", which must be a good one. */
static inline wf_cpuset pus_of(const char *text)
{
    wf_cpuset set = {{0}};
    for (char *end; *text; text = *end ? end + 1 : end) {
        int first = (int)strtol(text, &end, 10), last = *end == '-' ? (int)strtol(end + 1, &end, 10) : first;
        for (int pu = first; pu <= last; pu++) wf_cpuset_add(&set, pu);
    }
    return set;
}

#endif
