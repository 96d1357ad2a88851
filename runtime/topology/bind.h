/* Binding the calling thread to PUs. A thread that cannot be bound works all the same: failures are to be reported, not fatal.
 *
 * Errors:   WEFT_EINVAL a PU that this machine has not, or an empty set; WEFT_EUNSUPPORTED the system refused or did something else, or
 *           the topology is not this machine's. The thread's binding is then as it was, or as the system left it.
 * Threads:  act on the calling thread alone, any one. Threads started later inherit its binding: start helpers from an unbound one.
 */
#ifndef WF_TOPOLOGY_BIND_H
#define WF_TOPOLOGY_BIND_H

#include "topology/topology.h"

weft_status wf_bind_thread_to_pu(const wf_topology *topology, int pu, weft_error *err);
/* Lets the thread move within the set, such as wf_topology_peek_cpuset to undo a binding. */
weft_status wf_bind_thread_to_cpuset(const wf_topology *topology, const wf_cpuset *set, weft_error *err);
/* What the thread is bound to now. */
weft_status wf_bind_read_thread(const wf_topology *topology, wf_cpuset *set, weft_error *err);

#endif
