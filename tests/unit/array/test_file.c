/* Files as wholes: what cannot be opened, space reserved at once, and names that never show half a file. */
#include "array/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "array_files.h"

static void what_is_no_readable_file_is_named(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    int fd = -7;
    int64_t size = -7;
    weft_error err;
    CU_ASSERT_EQUAL(wf_file_open("/no/such/file", &fd, &size, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "/no/such/file: no such file"));
    CU_ASSERT_EQUAL(wf_file_open(folder, &fd, &size, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "is a folder"));
    CU_ASSERT_EQUAL(wf_file_open("/dev/null", &fd, &size, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "device"));
    snprintf(path, sizeof path, "%.200s/pipe", folder);
    CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
    CU_ASSERT_EQUAL(wf_file_open(path, &fd, &size, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "is a pipe"));
    CU_ASSERT_EQUAL(fd, -7);
    CU_ASSERT_EQUAL(size, -7);
    folder_remove(folder);
}

static void a_long_path_leaves_room_for_the_message(void)
{
    char path[3000];
    memset(path, 'p', sizeof path);
    path[0] = '/';
    snprintf(path + sizeof path - 10, 10, "/tail.csv");
    for (size_t i = 200; i < 2900; i += 200) path[i] = '/';
    int fd;
    weft_error err;
    CU_ASSERT_EQUAL(wf_file_open(path, &fd, NULL, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "/tail.csv: no such file; check the name"));
    CU_ASSERT_EQUAL(wf_file_create(path, 64, &fd, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "create it or write elsewhere"));
}

/* Runs body in a child process, which may change its limits and mounts. Returns its exit code. */
static int run_in_child(int (*body)(const char *folder), const char *folder)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) _exit(body(folder));
    int result = -1;
    waitpid(child, &result, 0);
    return WIFEXITED(result) ? WEXITSTATUS(result) : 1000 + WTERMSIG(result);
}

enum { BODY_GOOD, BODY_BAD, BODY_SKIPPED };

static int create_beyond_the_limit(const char *folder)
{
    struct rlimit limit = {1 << 20, 1 << 20};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return BODY_SKIPPED;
    char path[TEST_PATH_BYTES];
    snprintf(path, sizeof path, "%.200s/big", folder);
    int fd;
    weft_error err;
    bool good = wf_file_create(path, 2 << 20, &fd, &err) == WEFT_EIO && says(&err, "2097152 bytes") && says(&err, "ulimit -f");
    fflush(stdout);
    return good ? BODY_GOOD : BODY_BAD;
}

static void the_limit_on_file_sizes_is_an_error_and_no_signal(void)
{
    char folder[TEST_PATH_BYTES];
    folder_create(folder);
    CU_ASSERT_EQUAL(run_in_child(create_beyond_the_limit, folder), BODY_GOOD);
    CU_ASSERT_EQUAL(folder_file_count(folder), 0);
    folder_remove(folder);
}

static bool line_write(const char *path, const char *line)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line);
    if (fd >= 0) close(fd);
    return good;
}

/* Mounts as root of a namespace of its own, where the system allows users to have one. */
static bool become_namespace_root(void)
{
    char uids[32], gids[32];
    snprintf(uids, sizeof uids, "0 %u 1", geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && line_write("/proc/self/setgroups", "deny") &&
           line_write("/proc/self/uid_map", uids) && line_write("/proc/self/gid_map", gids);
}

/* A small file system that this process alone sees. */
static bool mount_over(const char *folder, unsigned long flags)
{
    if (unshare(CLONE_NEWNS) != 0 && !become_namespace_root()) return false;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("none", folder, "tmpfs", flags, "size=1m") == 0;
}

static int create_on_a_full_disk(const char *folder)
{
    if (!mount_over(folder, 0)) return BODY_SKIPPED;
    char path[TEST_PATH_BYTES];
    snprintf(path, sizeof path, "%.200s/big", folder);
    int fd;
    weft_error err;
    bool good = wf_file_create(path, 8 << 20, &fd, &err) == WEFT_EIO && says(&err, "no space for its 8388608 bytes");
    good = good && folder_file_count(folder) == 0;
    good = good && wf_file_create(path, 1 << 19, &fd, &err) == WEFT_OK && wf_file_close_written(fd, path, &err) == WEFT_OK;
    fflush(stdout);
    return good ? BODY_GOOD : BODY_BAD;
}

static void a_full_disk_is_found_before_the_work(void)
{
    char folder[TEST_PATH_BYTES];
    folder_create(folder);
    int result = run_in_child(create_on_a_full_disk, folder);
    if (result == BODY_SKIPPED)
        printf("    skipped: mounting a small tmpfs is not permitted here\n");
    else
        CU_ASSERT_EQUAL(result, BODY_GOOD);
    folder_remove(folder);
}

static int create_on_a_read_only_disk(const char *folder)
{
    if (!mount_over(folder, MS_RDONLY)) return BODY_SKIPPED;
    char path[TEST_PATH_BYTES];
    snprintf(path, sizeof path, "%.200s/u.npy", folder);
    int fd;
    weft_error err;
    bool good = wf_file_create(path, 64, &fd, &err) == WEFT_EIO && says(&err, "no permission to write in folder '/tmp/weft-test-array-");
    fflush(stdout);
    return good ? BODY_GOOD : BODY_BAD;
}

static void a_write_to_a_full_device_fails(void)
{
    int fd;
    weft_error err;
    CU_ASSERT_EQUAL_FATAL(wf_file_open_written("/dev/full", &fd, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_file_write(fd, "/dev/full", 0, "12345678", 8, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "no space"));
    close(fd);
}

static void the_whole_size_is_reserved_at_creation(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    snprintf(path, sizeof path, "%.200s/reserved", folder);
    int fd;
    weft_error err;
    CU_ASSERT_EQUAL_FATAL(wf_file_create(path, 1 << 20, &fd, &err), WEFT_OK);
    struct stat info;
    CU_ASSERT_EQUAL(fstat(fd, &info), 0);
    CU_ASSERT_EQUAL(info.st_size, 1 << 20);
    if (info.st_blocks == 0)
        printf("    skipped: the file system cannot reserve\n");
    else
        CU_ASSERT(info.st_blocks * 512 >= 1 << 20);
    CU_ASSERT_EQUAL(wf_file_close_written(fd, path, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_file_create(path, 64, &fd, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "exists already"));
    folder_remove(folder);
}

static void a_folder_that_is_missing_or_read_only_is_named(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    snprintf(path, sizeof path, "%.200s/none/u.npy", folder);
    int fd;
    weft_error err;
    CU_ASSERT_EQUAL(wf_file_create(path, 64, &fd, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "there is no folder '/tmp/weft-test-array-"));
    CU_ASSERT(says(&err, "/none'; create it"));
    if (geteuid() == 0) {
        /* Modes do not bind root; a file system mounted read-only does. */
        int result = run_in_child(create_on_a_read_only_disk, folder);
        if (result == BODY_SKIPPED)
            printf("    skipped: mounting a read-only tmpfs is not permitted here, and modes do not bind root\n");
        else
            CU_ASSERT_EQUAL(result, BODY_GOOD);
    } else {
        CU_ASSERT_EQUAL(chmod(folder, 0500), 0);
        snprintf(path, sizeof path, "%.200s/u.npy", folder);
        CU_ASSERT_EQUAL(wf_file_create(path, 64, &fd, &err), WEFT_EIO);
        CU_ASSERT(says(&err, "no permission to write in folder '/tmp/weft-test-array-"));
        CU_ASSERT_EQUAL(chmod(folder, 0700), 0);
    }
    folder_remove(folder);
}

static void a_temporary_name_lies_in_the_same_folder_and_differs_each_time(void)
{
    weft_error err;
    char *one = wf_file_temporary_name("some/where/u.npy", &err), *two = wf_file_temporary_name("some/where/u.npy", &err);
    char *bare = wf_file_temporary_name("u.npy", &err);
    CU_ASSERT(one && two && bare);
    CU_ASSERT_EQUAL(strncmp(one, "some/where/u.npy.part-", 22), 0);
    CU_ASSERT_EQUAL(strlen(one), 22 + 16);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL(strncmp(bare, "u.npy.part-", 11), 0);
    free(one);
    free(two);
    free(bare);
    char path[300] = "folder/";
    memset(path + 7, 'n', 255);
    char *longest = wf_file_temporary_name(path, &err);
    CU_ASSERT_EQUAL(strlen(longest), 7 + 254);
    free(longest);
}

static void commit_replaces_and_discard_removes(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES], part[TEST_PATH_BYTES], text[8] = "";
    folder_create(folder);
    file_write(path, folder, "final", "old", 3);
    file_write(part, folder, "part", "new", 3);
    weft_error err;
    CU_ASSERT_EQUAL(wf_file_commit(part, path, &err), WEFT_OK);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_EQUAL(fread(text, 1, 7, file), 3);
    fclose(file);
    CU_ASSERT_STRING_EQUAL(text, "new");
    CU_ASSERT_EQUAL(folder_file_count(folder), 1);

    file_write(part, folder, "part", "new", 3);
    wf_file_discard(part);
    wf_file_discard(part);
    wf_file_discard(NULL);
    CU_ASSERT_EQUAL(folder_file_count(folder), 1);

    file_write(part, folder, "part", "new", 3);
    snprintf(path, sizeof path, "%.200s/taken", folder);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    CU_ASSERT_EQUAL(wf_file_commit(part, path, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "taken: is a folder"));
    CU_ASSERT_EQUAL(folder_file_count(folder), 2);
    folder_remove(folder);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(what_is_no_readable_file_is_named),
        WEFT_TEST(a_long_path_leaves_room_for_the_message),
        WEFT_TEST(the_limit_on_file_sizes_is_an_error_and_no_signal),
        WEFT_TEST(a_full_disk_is_found_before_the_work),
        WEFT_TEST(a_write_to_a_full_device_fails),
        WEFT_TEST(the_whole_size_is_reserved_at_creation),
        WEFT_TEST(a_folder_that_is_missing_or_read_only_is_named),
        WEFT_TEST(a_temporary_name_lies_in_the_same_folder_and_differs_each_time),
        WEFT_TEST(commit_replaces_and_discard_removes),
    };
    return weft_test_run("array/file", cases, WEFT_COUNT_OF(cases));
}
