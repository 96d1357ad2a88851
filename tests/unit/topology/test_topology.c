#include "topology/topology.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machines.h"
#include "weft_test.h"

static void every_machine_has_the_counts_of_its_name(void)
{
    for (size_t i = 0; i < WEFT_COUNT_OF(machines); i++) {
        wf_topology *topology = load_machine(machines[i].name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
        const wf_topology_info *info = wf_topology_get_info(topology);
        CU_ASSERT_EQUAL(info->core_count, machines[i].core_count);
        CU_ASSERT_EQUAL(info->pu_count, machines[i].pu_count);
        CU_ASSERT_EQUAL(info->numa_count, machines[i].numa_count);
        CU_ASSERT_FALSE(info->is_this_machine);
        wf_cpuset expected = pus_of(machines[i].pus);
        CU_ASSERT_TRUE(wf_cpuset_is_equal(wf_topology_peek_pus(topology), &expected));
        CU_ASSERT_TRUE(wf_cpuset_is_equal(wf_topology_peek_allowed(topology), &expected));
        CU_ASSERT_TRUE(wf_cpuset_is_equal(wf_topology_peek_cpuset(topology), &expected));
        CU_ASSERT_EQUAL(wf_topology_count_cores(topology, &expected), machines[i].core_count);
        wf_topology_destroy(topology);
    }
}

static void cores_of_every_machine_share_out_its_pus(void)
{
    for (size_t i = 0; i < WEFT_COUNT_OF(machines); i++) {
        wf_topology *topology = load_machine(machines[i].name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
        const wf_cpuset *pus = wf_topology_peek_pus(topology);
        int total = 0;
        for (int core = 0; core < machines[i].core_count; core++) {
            int count = wf_topology_count_pus(topology, core, pus);
            CU_ASSERT_TRUE(count >= 1);
            total += count;
            for (int j = 0; j < count; j++)
                CU_ASSERT_EQUAL(wf_topology_core_of_pu(topology, wf_topology_pu_of_core(topology, core, j, pus)), core);
            CU_ASSERT_EQUAL(wf_topology_pu_of_core(topology, core, count, pus), -1);
        }
        CU_ASSERT_EQUAL(total, machines[i].pu_count);
        CU_ASSERT_EQUAL(wf_topology_pu_of_core(topology, machines[i].core_count, 0, pus), -1);
        wf_topology_destroy(topology);
    }
}

static void siblings_of_a_core_are_those_of_the_recorded_machine(void)
{
    wf_topology *topology = load_machine("16em64t-4s2c2t.xml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    for (int pu = 0; pu < 8; pu++)
        CU_ASSERT_EQUAL(wf_topology_core_of_pu(topology, pu), wf_topology_core_of_pu(topology, pu + 8));
    CU_ASSERT_EQUAL(wf_topology_core_of_pu(topology, 16), -1);
    CU_ASSERT_EQUAL(wf_topology_core_of_pu(topology, -1), -1);
    wf_topology_destroy(topology);

    topology = load_machine("16em64t-4s2c2t-offlines.xml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    CU_ASSERT_EQUAL(wf_topology_core_of_pu(topology, 4), wf_topology_core_of_pu(topology, 12));
    CU_ASSERT_EQUAL(wf_topology_core_of_pu(topology, 2), -1);
    wf_topology_destroy(topology);
}

static void numa_nodes_go_by_the_number_of_the_system(void)
{
    wf_topology *topology = load_machine("192em64t-12gr2n8c2t.xml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    for (int pu = 0; pu < 384; pu++)
        CU_ASSERT_EQUAL(wf_topology_numa_of_pu(topology, pu), pu % 192 / 8);
    CU_ASSERT_EQUAL(wf_topology_numa_of_pu(topology, 384), -1);
    wf_topology_destroy(topology);

    topology = load_machine("64intel64-fakeKNL-SNC4-hybrid.xml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    for (int pu = 0; pu < 64; pu++)
        CU_ASSERT_EQUAL(wf_topology_numa_of_pu(topology, pu), pu % 16 / 4);
    wf_topology_destroy(topology);

    topology = load_machine("16amd64-8n2c-cpusets.xml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    CU_ASSERT_EQUAL(wf_topology_numa_of_pu(topology, 0), -1); /* its node is closed */
    CU_ASSERT_EQUAL(wf_topology_numa_of_pu(topology, 2), 1);
    wf_topology_destroy(topology);
}

static void names_and_the_cache_are_told(void)
{
    wf_topology *topology = load_machine("192em64t-12gr2n8c2t.xml");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    const wf_topology_info *info = wf_topology_get_info(topology);
    CU_ASSERT_STRING_EQUAL(info->host_name, "uv2000");
    CU_ASSERT_STRING_EQUAL(info->product_name, "Romley Platform");
    CU_ASSERT_STRING_EQUAL(info->cpu_model, "Intel(R) Xeon(R) CPU E5-4640 0 @ 2.40GHz");
    CU_ASSERT_EQUAL(info->l2_bytes, 256 << 10);
    char text[160];
    CU_ASSERT_EQUAL(wf_topology_format_summary(topology, text, sizeof text), strlen(text));
    CU_ASSERT_STRING_EQUAL(text, "Intel(R) Xeon(R) CPU E5-4640 0 @ 2.40GHz: 192 cores, 384 PUs, 24 NUMA nodes");
    wf_topology_destroy(topology);

    topology = load_machine("numa:1 pu:1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    CU_ASSERT_EQUAL(wf_topology_get_info(topology)->l2_bytes, 0);
    wf_topology_format_summary(topology, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "unknown processor: 1 core, 1 PU, 1 NUMA node");
    wf_topology_destroy(topology);
}

/* Writes the recorded machine anew with some of its PUs closed, as a batch system's cgroup does. */
static bool write_restricted(char *path)
{
    static char text[65536];
    static const char from[] = "allowed_cpuset=\"0x0000ffff\"", to[] = "allowed_cpuset=\"0x00000f0f\"";
    FILE *in = fopen(WEFT_TEST_DATA "/topologies/16em64t-4s2c2t.xml", "r");
    if (!in) return false;
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    char *place = strstr(text, from);
    int fd = mkstemp(path);
    if (!place || fd < 0) return false;
    memcpy(place, to, sizeof to - 1);
    ssize_t written = write(fd, text, strlen(text));
    close(fd);
    return written == (ssize_t)strlen(text);
}

static void closed_pus_stay_in_the_machine_but_not_in_the_cpuset(void)
{
    char path[] = "/tmp/weft-topology-XXXXXX";
    CU_ASSERT_TRUE_FATAL(write_restricted(path));
    wf_topology *topology = NULL;
    CU_ASSERT_EQUAL_FATAL(wf_topology_create_from_xml(&topology, path, NULL), WEFT_OK);
    unlink(path);
    wf_cpuset open = pus_of("0-3,8-11");
    CU_ASSERT_EQUAL(wf_topology_get_info(topology)->pu_count, 16);
    CU_ASSERT_EQUAL(wf_topology_get_info(topology)->core_count, 8);
    CU_ASSERT_TRUE(wf_cpuset_is_equal(wf_topology_peek_allowed(topology), &open));
    CU_ASSERT_TRUE(wf_cpuset_is_equal(wf_topology_peek_cpuset(topology), &open));
    CU_ASSERT_EQUAL(wf_topology_count_cores(topology, &open), 4);
    wf_topology_destroy(topology);
}

static void bad_sources_are_refused_with_what_to_change(void)
{
    wf_topology *topology = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_topology_create_from_xml(&topology, "/nonexistent/machine.xml", &err), WEFT_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/machine.xml"));
    CU_ASSERT_EQUAL(wf_topology_create_from_xml(&topology, WEFT_TEST_DATA "/topologies/README.md", &err), WEFT_EDATA);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "README.md"));
    CU_ASSERT_EQUAL(wf_topology_create_synthetic(&topology, "seven cores", &err), WEFT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "seven cores"));
    CU_ASSERT_EQUAL(wf_topology_create_synthetic(&topology, "core:2 pu:1(indexes=0,8192)", &err), WEFT_EUNSUPPORTED);
    CU_ASSERT_PTR_NULL(topology);
    wf_topology_destroy(NULL);
}

static void this_machine_is_seen_through_the_affinity_mask(void)
{
    cpu_set_t before, one;
    CU_ASSERT_EQUAL_FATAL(sched_getaffinity(0, sizeof before, &before), 0);
    size_t last = 0;
    for (size_t pu = 0; pu < CPU_SETSIZE; pu++) {
        if (CPU_ISSET(pu, &before)) last = pu;
    }
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    CU_ASSERT_EQUAL_FATAL(sched_setaffinity(0, sizeof one, &one), 0);
    wf_topology *topology = NULL;
    weft_status status = wf_topology_create(&topology, NULL);
    sched_setaffinity(0, sizeof before, &before);
    CU_ASSERT_EQUAL_FATAL(status, WEFT_OK);
    const wf_topology_info *info = wf_topology_get_info(topology);
    CU_ASSERT_TRUE(info->is_this_machine);
    CU_ASSERT_TRUE(info->pu_count >= CPU_COUNT(&before));
    CU_ASSERT_EQUAL(wf_cpuset_count(wf_topology_peek_cpuset(topology)), 1);
    CU_ASSERT_TRUE(wf_cpuset_has(wf_topology_peek_cpuset(topology), (int)last));
    CU_ASSERT_TRUE(wf_cpuset_count(wf_topology_peek_allowed(topology)) >= CPU_COUNT(&before));
    wf_topology_destroy(topology);
}

int main(void)
{
    unsetenv("HWLOC_XMLFILE");
    unsetenv("HWLOC_SYNTHETIC");
    static const weft_test_case cases[] = {
        WEFT_TEST(every_machine_has_the_counts_of_its_name),
        WEFT_TEST(cores_of_every_machine_share_out_its_pus),
        WEFT_TEST(siblings_of_a_core_are_those_of_the_recorded_machine),
        WEFT_TEST(numa_nodes_go_by_the_number_of_the_system),
        WEFT_TEST(names_and_the_cache_are_told),
        WEFT_TEST(closed_pus_stay_in_the_machine_but_not_in_the_cpuset),
        WEFT_TEST(bad_sources_are_refused_with_what_to_change),
        WEFT_TEST(this_machine_is_seen_through_the_affinity_mask),
    };
    return weft_test_run("topology/topology", cases, WEFT_COUNT_OF(cases));
}
