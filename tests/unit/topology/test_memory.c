#include "topology/memory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft_test.h"

#define GIB (UINT64_C(1) << 30)

/* A made-up /proc and /sys below a temporary folder. */
typedef struct fake_root {
    char path[64];
} fake_root;

static fake_root root_create(void)
{
    fake_root root = {"/tmp/weft-memory-XXXXXX"};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root.path));
    return root;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void root_destroy(const fake_root *root)
{
    nftw(root->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void root_write(const fake_root *root, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", root->path, name);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static wf_memory_limit limit_with(const fake_root *root, uint64_t address_space_bytes, const char *slurm)
{
    wf_memory_limit limit;
    wf_memory_sources sources = {root->path, 64 * GIB, address_space_bytes, slurm};
    wf_memory_limit_from(&sources, &limit);
    return limit;
}

static void check_limit(const fake_root *root, uint64_t bytes, const char *source)
{
    wf_memory_limit limit = limit_with(root, WF_NO_LIMIT, NULL);
    CU_ASSERT_EQUAL(limit.bytes, bytes);
    CU_ASSERT_STRING_EQUAL(limit.source, source);
}

static void physical_memory_decides_when_nothing_else_does(void)
{
    fake_root root = root_create();
    check_limit(&root, 64 * GIB, "physical memory");
    root_write(&root, "/proc/self/cgroup", "garbage\n0\n0:\n:::\n");
    check_limit(&root, 64 * GIB, "physical memory");
    root_destroy(&root);
}

static void the_least_level_of_a_version_2_group_decides(void)
{
    fake_root root = root_create();
    root_write(&root, "/proc/self/cgroup", "0::/system.slice/job:7/step\n");
    root_write(&root, "/sys/fs/cgroup/system.slice/job:7/step/memory.max", "max\n");
    check_limit(&root, 64 * GIB, "physical memory");
    root_write(&root, "/sys/fs/cgroup/system.slice/job:7/memory.max", "2147483648\n");
    root_write(&root, "/sys/fs/cgroup/system.slice/memory.max", "4294967296\n");
    check_limit(&root, 2 * GIB, "cgroup limit /sys/fs/cgroup/system.slice/job:7/memory.max");
    root_write(&root, "/sys/fs/cgroup/memory.max", "1073741824\n");
    check_limit(&root, GIB, "cgroup limit /sys/fs/cgroup/memory.max");
    root_destroy(&root);
}

static void a_container_that_hides_the_groups_name_is_still_limited(void)
{
    fake_root root = root_create();
    root_write(&root, "/proc/self/cgroup", "0::/\n");
    root_write(&root, "/sys/fs/cgroup/memory.max", "3221225472\n");
    check_limit(&root, 3 * GIB, "cgroup limit /sys/fs/cgroup/memory.max");
    root_write(&root, "/proc/self/cgroup", "0::/docker/0123456789abcdef\n");
    check_limit(&root, 3 * GIB, "cgroup limit /sys/fs/cgroup/memory.max");
    root_destroy(&root);
}

static void a_version_1_group_limits_even_beside_version_2(void)
{
    fake_root root = root_create();
    root_write(&root, "/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/slurm/job_7\n3:memory_like:/other\n0::/a\n");
    root_write(&root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    check_limit(&root, 64 * GIB, "physical memory");
    root_write(&root, "/sys/fs/cgroup/memory/other/memory.limit_in_bytes", "1\n");
    check_limit(&root, 64 * GIB, "physical memory");
    root_write(&root, "/sys/fs/cgroup/memory/slurm/memory.limit_in_bytes", "5368709120\n");
    check_limit(&root, 5 * GIB, "cgroup limit /sys/fs/cgroup/memory/slurm/memory.limit_in_bytes");
    root_write(&root, "/sys/fs/cgroup/unified/a/memory.max", "4294967296\n");
    check_limit(&root, 4 * GIB, "cgroup limit /sys/fs/cgroup/unified/a/memory.max");
    root_destroy(&root);
}

static void files_that_hold_no_number_set_no_limit(void)
{
    static const char *const texts[] = {"", "max", "-1", "12kB", " 1024", "99999999999999999999999"};
    fake_root root = root_create();
    root_write(&root, "/proc/self/cgroup", "0::/\n");
    for (size_t i = 0; i < WEFT_COUNT_OF(texts); i++) {
        root_write(&root, "/sys/fs/cgroup/memory.max", texts[i]);
        check_limit(&root, 64 * GIB, "physical memory");
    }
    root_destroy(&root);
}

static void address_space_and_slurm_limit_too(void)
{
    fake_root root = root_create();
    wf_memory_limit limit = limit_with(&root, 8 * GIB, NULL);
    CU_ASSERT_EQUAL(limit.bytes, 8 * GIB);
    CU_ASSERT_STRING_EQUAL(limit.source, "RLIMIT_AS");
    CU_ASSERT_STRING_EQUAL(limit_with(&root, 64 * GIB, NULL).source, "physical memory");
    limit = limit_with(&root, 8 * GIB, "2000");
    CU_ASSERT_EQUAL(limit.bytes, UINT64_C(2000) << 20);
    CU_ASSERT_STRING_EQUAL(limit.source, "SLURM_MEM_PER_NODE");
    static const char *const unlimited[] = {"0", "", "2000M", "-5", "99999999999999999"};
    for (size_t i = 0; i < WEFT_COUNT_OF(unlimited); i++) {
        limit = limit_with(&root, WF_NO_LIMIT, unlimited[i]);
        CU_ASSERT_EQUAL(limit.bytes, 64 * GIB);
    }
    root_destroy(&root);
}

static void this_process_has_a_limit_and_a_size(void)
{
    wf_memory_limit limit;
    CU_ASSERT_EQUAL_FATAL(wf_memory_get_limit(&limit, NULL), WEFT_OK);
    CU_ASSERT_TRUE(limit.bytes > 0 && limit.bytes < WF_NO_LIMIT);
    CU_ASSERT_TRUE(limit.source[0] != '\0');

    wf_memory_usage before, after;
    CU_ASSERT_EQUAL_FATAL(wf_memory_get_usage(&before, NULL), WEFT_OK);
    size_t bytes = (size_t)64 << 20;
    char *memory = malloc(bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    memset(memory, 1, bytes);
    __asm__ volatile("" : : "r"(memory) : "memory"); /* keeps the writes */
    CU_ASSERT_EQUAL_FATAL(wf_memory_get_usage(&after, NULL), WEFT_OK);
    free(memory);
    CU_ASSERT_TRUE(after.rss_bytes >= before.rss_bytes + bytes / 2);
    CU_ASSERT_TRUE(after.peak_rss_bytes >= after.rss_bytes);
    struct rusage usage;
    CU_ASSERT_EQUAL(getrusage(RUSAGE_SELF, &usage), 0);
    CU_ASSERT_TRUE((uint64_t)usage.ru_maxrss * 1024 + bytes / 2 >= after.peak_rss_bytes);
}

static void usage_is_read_in_bytes_or_refused(void)
{
    fake_root root = root_create();
    char path[128];
    snprintf(path, sizeof path, "%s/status", root.path);
    wf_memory_usage usage = {1, 2};
    CU_ASSERT_EQUAL(wf_memory_usage_from(path, &usage, NULL), WEFT_EIO);
    root_write(&root, "/status", "Name:\tapp\nVmHWM:\t    2048 kB\nVmSize:\t 9 kB\n");
    CU_ASSERT_EQUAL(wf_memory_usage_from(path, &usage, NULL), WEFT_EDATA);
    CU_ASSERT_EQUAL(usage.rss_bytes, 1);
    root_write(&root, "/status", "Name:\tapp\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nRssAnon:\t 5 kB\n");
    CU_ASSERT_EQUAL(wf_memory_usage_from(path, &usage, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(usage.rss_bytes, 1024 * 1024);
    CU_ASSERT_EQUAL(usage.peak_rss_bytes, 2048 * 1024);
    root_destroy(&root);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(physical_memory_decides_when_nothing_else_does),
        WEFT_TEST(the_least_level_of_a_version_2_group_decides),
        WEFT_TEST(a_container_that_hides_the_groups_name_is_still_limited),
        WEFT_TEST(a_version_1_group_limits_even_beside_version_2),
        WEFT_TEST(files_that_hold_no_number_set_no_limit),
        WEFT_TEST(address_space_and_slurm_limit_too),
        WEFT_TEST(this_process_has_a_limit_and_a_size),
        WEFT_TEST(usage_is_read_in_bytes_or_refused),
    };
    return weft_test_run("topology/memory", cases, WEFT_COUNT_OF(cases));
}
