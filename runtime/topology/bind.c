/* Binds the calling thread through hwloc and reads back what the system made of it. Owns nothing.
 * Invariant: success means that the system confirmed exactly the set asked for. Runs on the thread that is bound. */
#include "topology/bind.h"

#include <errno.h>
#include <hwloc.h>
#include <string.h>

enum { SHOWN_TEXT_BYTES = 100 };

static weft_status check_machine(const wf_topology *topology, weft_error *err)
{
    /* hwloc pretends success for machines that are not this one. */
    if (wf_topology_get_info(topology)->is_this_machine) return WEFT_OK;
    return weft_fail(err, WEFT_EUNSUPPORTED, "threads cannot be bound on a recorded machine; unset HWLOC_XMLFILE and HWLOC_SYNTHETIC");
}

weft_status wf_bind_read_thread(const wf_topology *topology, wf_cpuset *set, weft_error *err)
{
    weft_status status = check_machine(topology, err);
    if (status) return status;
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    if (!bound) return weft_fail(err, WEFT_ENOMEM, "no memory for the set of processing units");
    if (hwloc_get_cpubind(wf_topology_peek_hwloc(topology), bound, HWLOC_CPUBIND_THREAD) != 0) {
        status = weft_fail(err, WEFT_EUNSUPPORTED, "the system does not tell a thread's binding: %s", strerror(errno));
        goto out;
    }
    wf_cpuset read = {{0}};
    const wf_cpuset *pus = wf_topology_peek_pus(topology);
    for (int pu = wf_cpuset_next(pus, -1); pu >= 0; pu = wf_cpuset_next(pus, pu)) {
        if (hwloc_bitmap_isset(bound, (unsigned)pu)) wf_cpuset_add(&read, pu);
    }
    *set = read;
out:
    hwloc_bitmap_free(bound);
    return status;
}

static weft_status check_members(const wf_topology *topology, const wf_cpuset *set, weft_error *err)
{
    if (wf_cpuset_is_empty(set)) return weft_fail(err, WEFT_EINVAL, "no processing unit to bind a thread to; name at least one");
    for (int pu = wf_cpuset_next(set, -1); pu >= 0; pu = wf_cpuset_next(set, pu)) {
        if (!wf_cpuset_has(wf_topology_peek_pus(topology), pu))
            return weft_fail(err, WEFT_EINVAL, "this machine has no processing unit %d that is online", pu);
    }
    return WEFT_OK;
}

static weft_status confirm(const wf_topology *topology, const wf_cpuset *wanted, weft_error *err)
{
    wf_cpuset found;
    weft_status status = wf_bind_read_thread(topology, &found, err);
    if (status || wf_cpuset_is_equal(&found, wanted)) return status;
    char wanted_text[SHOWN_TEXT_BYTES], found_text[SHOWN_TEXT_BYTES];
    wf_cpuset_format(wanted, wanted_text, sizeof wanted_text);
    wf_cpuset_format(&found, found_text, sizeof found_text);
    return weft_fail(err, WEFT_EUNSUPPORTED, "a thread was to be bound to PU %s, but the system has it on %s", wanted_text, found_text);
}

weft_status wf_bind_thread_to_cpuset(const wf_topology *topology, const wf_cpuset *set, weft_error *err)
{
    weft_status status = check_machine(topology, err);
    if (!status) status = check_members(topology, set, err);
    if (status) return status;
    hwloc_bitmap_t wanted = hwloc_bitmap_alloc();
    if (!wanted) return weft_fail(err, WEFT_ENOMEM, "no memory for the set of processing units");
    for (int pu = wf_cpuset_next(set, -1); pu >= 0 && !status; pu = wf_cpuset_next(set, pu)) {
        if (hwloc_bitmap_set(wanted, (unsigned)pu) != 0) status = weft_fail(err, WEFT_ENOMEM, "no memory for the set of processing units");
    }
    if (status) goto out;
    if (hwloc_set_cpubind(wf_topology_peek_hwloc(topology), wanted, HWLOC_CPUBIND_THREAD) != 0) {
        int cause = errno;
        char text[SHOWN_TEXT_BYTES];
        wf_cpuset_format(set, text, sizeof text);
        status = weft_fail(err, WEFT_EUNSUPPORTED, "the system refused to bind a thread to PU %s: %s", text, strerror(cause));
        goto out;
    }
    status = confirm(topology, set, err);
out:
    hwloc_bitmap_free(wanted);
    return status;
}

weft_status wf_bind_thread_to_pu(const wf_topology *topology, int pu, weft_error *err)
{
    wf_cpuset set = {{0}};
    if (!wf_cpuset_has(wf_topology_peek_pus(topology), pu))
        return weft_fail(err, WEFT_EINVAL, "this machine has no processing unit %d that is online", pu);
    wf_cpuset_add(&set, pu);
    return wf_bind_thread_to_cpuset(topology, &set, err);
}
