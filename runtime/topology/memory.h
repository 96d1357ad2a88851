/* How much memory this process may use, and how much it uses. */
#ifndef WF_TOPOLOGY_MEMORY_H
#define WF_TOPOLOGY_MEMORY_H

#include <stdint.h>

#include <weft/status.h>

#define WF_NO_LIMIT UINT64_MAX

typedef struct wf_memory_limit {
    uint64_t bytes;
    char source[192]; /* which limit is the least: "physical memory", "cgroup limit /a/memory.max", "RLIMIT_AS", "SLURM_MEM_PER_NODE" */
} wf_memory_limit;

/* Where limits come from. */
typedef struct wf_memory_sources {
    const char *root;                /* put before /proc and /sys: "" on a real machine, a folder in a test */
    uint64_t physical_bytes;
    uint64_t address_space_bytes;    /* RLIMIT_AS; WF_NO_LIMIT when there is none */
    const char *slurm_mem_per_node;  /* MiB as text; NULL, "0" and what is no number set no limit */
} wf_memory_sources;

/* The least limit of this process. Of its cgroup, every level up to the root counts: memory.max, and memory.limit_in_bytes where version 1
 * is mounted. The limit is of the node, job or group: ranks that share it must divide it.
 *
 * Errors:   WEFT_EUNSUPPORTED the system does not tell how much memory it has.
 */
weft_status wf_memory_get_limit(wf_memory_limit *limit, weft_error *err);
/* The same from given sources; files that are missing or malformed set no limit. */
void wf_memory_limit_from(const wf_memory_sources *sources, wf_memory_limit *limit);

typedef struct wf_memory_usage {
    uint64_t rss_bytes;      /* resident now */
    uint64_t peak_rss_bytes; /* most since the process began */
} wf_memory_usage;

/* Errors: WEFT_EIO cannot be read; WEFT_EDATA lacks VmRSS or VmHWM. */
weft_status wf_memory_get_usage(wf_memory_usage *usage, weft_error *err);
/* The same from a file in the form of /proc/self/status. */
weft_status wf_memory_usage_from(const char *path, wf_memory_usage *usage, weft_error *err);

#endif
