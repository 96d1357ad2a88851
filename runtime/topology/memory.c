/* Reads memory limits and usage from the kernel's files. Owns nothing that outlives a call.
 * Invariant: a source that is absent or unreadable never raises or lowers the limit. Any thread. */
#include "topology/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINE_BYTES = PATH_MAX + 256 };

/* A number that is all of the text but for a line's end; WF_NO_LIMIT for anything else, such as cgroup's "max". */
static uint64_t parse_limit(const char *text, uint64_t unit_bytes)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    uint64_t bytes;
    bool is_number = text[0] >= '0' && text[0] <= '9' && errno == 0 && (*end == '\0' || *end == '\n');
    return is_number && !__builtin_mul_overflow((uint64_t)value, unit_bytes, &bytes) ? bytes : WF_NO_LIMIT;
}

static void apply(wf_memory_limit *limit, uint64_t bytes, const char *source, const char *detail)
{
    if (bytes >= limit->bytes) return;
    limit->bytes = bytes;
    snprintf(limit->source, sizeof limit->source, "%s%s", source, detail);
}

static uint64_t read_limit_file(const char *path)
{
    char line[64];
    FILE *file = fopen(path, "re");
    if (!file) return WF_NO_LIMIT;
    uint64_t bytes = fgets(line, sizeof line, file) ? parse_limit(line, 1) : WF_NO_LIMIT;
    fclose(file);
    return bytes;
}

/* Applies the limit of a group and of all groups above it. A container may show the group at another level than its name says: levels
 * that are not there are skipped, and the walk still meets those that are. */
static void apply_cgroup(wf_memory_limit *limit, const char *root, const char *mount, const char *group, const char *file_name)
{
    char level[PATH_MAX], path[PATH_MAX];
    if ((size_t)snprintf(level, sizeof level, "%s", group) >= sizeof level) return;
    for (;;) {
        size_t length = strlen(level);
        while (length > 0 && level[length - 1] == '/')
            level[--length] = '\0';
        if ((size_t)snprintf(path, sizeof path, "%s%s%s/%s", root, mount, level, file_name) < sizeof path)
            apply(limit, read_limit_file(path), "cgroup limit ", path + strlen(root));
        char *slash = strrchr(level, '/');
        if (!slash) return;
        *slash = '\0';
    }
}

static bool has_controller(const char *controllers, const char *wanted)
{
    size_t length = strlen(wanted);
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, wanted, length) == 0 && (at[length] == '\0' || at[length] == ',')) return true;
    }
    return false;
}

/* A line is "hierarchy:controllers:group"; version 2 is hierarchy 0, without controllers. */
static void apply_cgroup_line(wf_memory_limit *limit, const char *root, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return;
    *controllers++ = '\0';
    *group++ = '\0';
    if (strcmp(line, "0") == 0 && *controllers == '\0') {
        apply_cgroup(limit, root, "/sys/fs/cgroup", group, "memory.max");
        apply_cgroup(limit, root, "/sys/fs/cgroup/unified", group, "memory.max");
    } else if (has_controller(controllers, "memory")) {
        apply_cgroup(limit, root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    }
}

static void apply_cgroups(wf_memory_limit *limit, const char *root)
{
    char path[PATH_MAX], line[LINE_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/proc/self/cgroup", root) >= sizeof path) return;
    FILE *file = fopen(path, "re");
    if (!file) return;
    while (fgets(line, sizeof line, file))
        apply_cgroup_line(limit, root, line);
    fclose(file);
}

void wf_memory_limit_from(const wf_memory_sources *sources, wf_memory_limit *limit)
{
    *limit = (wf_memory_limit){sources->physical_bytes, "physical memory"};
    apply_cgroups(limit, sources->root);
    apply(limit, sources->address_space_bytes, "RLIMIT_AS", "");
    uint64_t slurm_bytes = sources->slurm_mem_per_node ? parse_limit(sources->slurm_mem_per_node, UINT64_C(1) << 20) : WF_NO_LIMIT;
    /* Slurm writes 0 for all of the node's memory. */
    if (slurm_bytes > 0) apply(limit, slurm_bytes, "SLURM_MEM_PER_NODE", "");
}

weft_status wf_memory_get_limit(wf_memory_limit *limit, weft_error *err)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0)
        return weft_fail(err, WEFT_EUNSUPPORTED, "the system does not tell how much memory it has; set the memory limit by hand");
    struct rlimit space;
    bool is_limited = getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;
    wf_memory_sources sources = {
        .root = "",
        .physical_bytes = (uint64_t)pages * (uint64_t)page_bytes,
        .address_space_bytes = is_limited ? (uint64_t)space.rlim_cur : WF_NO_LIMIT,
        .slurm_mem_per_node = getenv("SLURM_MEM_PER_NODE"),
    };
    wf_memory_limit_from(&sources, limit);
    return WEFT_OK;
}

/* A line is "VmRSS:     1234 kB", where kB stands for 1024 bytes. */
static bool parse_status_line(const char *line, const char *name, uint64_t *bytes)
{
    size_t length = strlen(name);
    uint64_t kib;
    if (strncmp(line, name, length) != 0 || sscanf(line + length, " %" SCNu64 " kB", &kib) != 1) return false;
    return !__builtin_mul_overflow(kib, UINT64_C(1024), bytes);
}

weft_status wf_memory_usage_from(const char *path, wf_memory_usage *usage, weft_error *err)
{
    char line[256];
    FILE *file = fopen(path, "re");
    if (!file) return weft_fail(err, WEFT_EIO, "cannot read %s: %s; is /proc mounted?", path, strerror(errno));
    wf_memory_usage found = {0};
    bool has_rss = false, has_peak = false;
    while (fgets(line, sizeof line, file)) {
        has_rss |= parse_status_line(line, "VmRSS:", &found.rss_bytes);
        has_peak |= parse_status_line(line, "VmHWM:", &found.peak_rss_bytes);
    }
    fclose(file);
    if (!has_rss || !has_peak) return weft_fail(err, WEFT_EDATA, "%s has no line for VmRSS or VmHWM; is it /proc/self/status?", path);
    *usage = found;
    return WEFT_OK;
}

weft_status wf_memory_get_usage(wf_memory_usage *usage, weft_error *err)
{
    return wf_memory_usage_from("/proc/self/status", usage, err);
}
