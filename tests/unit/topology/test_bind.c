#include "topology/bind.h"

#include <sched.h>
#include <stdlib.h>

#include "machines.h"
#include "weft_test.h"

/* Whether the system itself binds, without hwloc: sandboxes may refuse. */
static bool system_binds_to(int pu)
{
    cpu_set_t before, one;
    CPU_ZERO(&one);
    CPU_SET((size_t)pu, &one);
    bool binds = sched_getaffinity(0, sizeof before, &before) == 0 && sched_setaffinity(0, sizeof one, &one) == 0;
    return binds && sched_setaffinity(0, sizeof before, &before) == 0;
}

static void a_thread_is_bound_to_each_pu_and_released_again(void)
{
    wf_topology *topology = NULL;
    CU_ASSERT_EQUAL_FATAL(wf_topology_create(&topology, NULL), WEFT_OK);
    const wf_cpuset *own = wf_topology_peek_cpuset(topology);
    for (int pu = wf_cpuset_next(own, -1); pu >= 0; pu = wf_cpuset_next(own, pu)) {
        weft_error err = WEFT_ERROR_INIT;
        weft_status status = wf_bind_thread_to_pu(topology, pu, &err);
        if (!system_binds_to(pu)) {
            CU_ASSERT_EQUAL(status, WEFT_EUNSUPPORTED);
            CU_ASSERT_TRUE(err.text[0] != '\0');
            continue;
        }
        CU_ASSERT_EQUAL(status, WEFT_OK);
        cpu_set_t mask;
        CU_ASSERT_EQUAL(sched_getaffinity(0, sizeof mask, &mask), 0);
        CU_ASSERT_EQUAL(CPU_COUNT(&mask), 1);
        CU_ASSERT_TRUE(CPU_ISSET((size_t)pu, &mask));
        CU_ASSERT_EQUAL(sched_getcpu(), pu);
        CU_ASSERT_EQUAL(wf_bind_thread_to_cpuset(topology, own, &err), WEFT_OK);
        wf_cpuset now;
        CU_ASSERT_EQUAL(wf_bind_read_thread(topology, &now, &err), WEFT_OK);
        CU_ASSERT_TRUE(wf_cpuset_is_equal(&now, own));
    }
    wf_topology_destroy(topology);
}

static void a_pu_that_is_not_there_is_refused(void)
{
    wf_topology *topology = NULL;
    CU_ASSERT_EQUAL_FATAL(wf_topology_create(&topology, NULL), WEFT_OK);
    wf_cpuset none = {{0}}, beyond = {{0}};
    wf_cpuset_add(&beyond, WF_CPUSET_MAX_PUS - 1);
    CU_ASSERT_EQUAL(wf_bind_thread_to_pu(topology, -1, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_bind_thread_to_pu(topology, WF_CPUSET_MAX_PUS, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_bind_thread_to_cpuset(topology, &beyond, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_bind_thread_to_cpuset(topology, &none, NULL), WEFT_EINVAL);
    wf_topology_destroy(topology);
}

static void a_recorded_machine_binds_nothing(void)
{
    wf_topology *topology = load_machine("numa:2 core:4 pu:1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(topology);
    weft_error err = WEFT_ERROR_INIT;
    wf_cpuset set;
    CU_ASSERT_EQUAL(wf_bind_thread_to_pu(topology, 0, &err), WEFT_EUNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "HWLOC_XMLFILE"));
    CU_ASSERT_EQUAL(wf_bind_read_thread(topology, &set, NULL), WEFT_EUNSUPPORTED);
    wf_topology_destroy(topology);
}

int main(void)
{
    unsetenv("HWLOC_XMLFILE");
    unsetenv("HWLOC_SYNTHETIC");
    static const weft_test_case cases[] = {
        WEFT_TEST(a_thread_is_bound_to_each_pu_and_released_again),
        WEFT_TEST(a_pu_that_is_not_there_is_refused),
        WEFT_TEST(a_recorded_machine_binds_nothing),
    };
    return weft_test_run("topology/bind", cases, WEFT_COUNT_OF(cases));
}
