/* Owns no state: every call works on the descriptor or the names it was given. Invariant: a final name never shows a file that is not
 * complete, and a failed create or commit leaves no file behind. Any thread. */
#include "array/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    SHOWN_PATH_BYTES = 140, /* a path, its folder and a sentence fit into a weft_error */
    PART_BYTES = 23, /* ".part-", 16 digits and the zero byte */
};

const char *wf_file_shown_path(const char *path)
{
    size_t length = strlen(path);
    if (length <= SHOWN_PATH_BYTES) return path;
    path += length - SHOWN_PATH_BYTES;
    while (((unsigned char)*path & 0xc0) == 0x80) path++; /* not into the middle of a UTF-8 character */
    return path;
}

static weft_status open_failed(const char *path, int cause, weft_error *err)
{
    const char *shown = wf_file_shown_path(path);
    if (cause == ENOENT || cause == ENOTDIR)
        return weft_fail(err, WEFT_EIO, "%s: no such file; check the name and the folder it is looked for in", shown);
    if (cause == EACCES || cause == EPERM)
        return weft_fail(err, WEFT_EIO, "%s: no permission to read it; make the file and its folders readable for this user", shown);
    return weft_fail(err, WEFT_EIO, "%s: cannot be opened: %s", shown, strerror(cause));
}

weft_status wf_file_open(const char *path, int *fd, int64_t *size_bytes, weft_error *err)
{
    /* Without O_NONBLOCK a named pipe would wait here for its writer. */
    int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) return open_failed(path, errno, err);
    struct stat info;
    weft_status status = WEFT_OK;
    if (fstat(opened, &info) != 0)
        status = open_failed(path, errno, err);
    else if (S_ISDIR(info.st_mode))
        status = weft_fail(err, WEFT_EIO, "%s: is a folder; give a file in it", wf_file_shown_path(path));
    else if (!S_ISREG(info.st_mode))
        status = weft_fail(err, WEFT_EIO, "%s: is a pipe or a device; ranks read parts of a file, so save the data to a regular file first",
                           wf_file_shown_path(path));
    if (status != WEFT_OK) {
        close(opened);
        return status;
    }
    *fd = opened;
    if (size_bytes) *size_bytes = info.st_size;
    return WEFT_OK;
}

weft_status wf_file_read(int fd, const char *path, int64_t offset_bytes, void *out, size_t count, size_t *read_bytes, weft_error *err)
{
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(fd, (char *)out + done, count - done, (off_t)offset_bytes + (off_t)done);
        if (got == 0) break;
        if (got > 0)
            done += (size_t)got;
        else if (errno != EINTR)
            return weft_fail(err, WEFT_EIO, "%s: reading at byte %" PRId64 " failed: %s", wf_file_shown_path(path),
                             offset_bytes + (int64_t)done, strerror(errno));
    }
    *read_bytes = done;
    return WEFT_OK;
}

/* Length of the folder's part of path; *folder is "." when there is none. */
static int folder_of(const char *path, const char **folder)
{
    const char *slash = strrchr(path, '/');
    *folder = !slash ? "." : slash == path ? "/" : path;
    int length = slash && slash != path ? (int)(slash - path) : 1;
    if (length <= SHOWN_PATH_BYTES) return length;
    *folder += length - SHOWN_PATH_BYTES;
    return SHOWN_PATH_BYTES;
}

static weft_status write_failed(const char *path, int cause, int64_t size_bytes, weft_error *err)
{
    const char *shown = wf_file_shown_path(path), *folder;
    int length = folder_of(path, &folder);
    switch (cause) {
    case ENOENT:
    case ENOTDIR:
        return weft_fail(err, WEFT_EIO, "%s: cannot be written: there is no folder '%.*s'; create it or write elsewhere", shown, length,
                         folder);
    case EACCES:
    case EPERM:
    case EROFS:
        return weft_fail(err, WEFT_EIO, "%s: cannot be written: no permission to write in folder '%.*s'; change its mode or write "
                         "elsewhere", shown, length, folder);
    case EEXIST:
        return weft_fail(err, WEFT_EIO, "%s: exists already; remove it or choose another name", shown);
    case ENOSPC:
    case EDQUOT:
        return weft_fail(err, WEFT_EIO, "%s: no space for its %" PRId64 " bytes (%s); free some or write elsewhere", shown, size_bytes,
                         strerror(cause));
    case EFBIG:
        return weft_fail(err, WEFT_EIO, "%s: its %" PRId64 " bytes are beyond the limit on file sizes; raise it (ulimit -f) or write "
                         "elsewhere", shown, size_bytes);
    default:
        return weft_fail(err, WEFT_EIO, "%s: cannot be written: %s", shown, strerror(cause));
    }
}

/* Returns 0 or an errno value. */
static int reserve(int fd, int64_t size_bytes)
{
    /* Crossing this limit raises SIGXFSZ, which would end the program without a word. */
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && (rlim_t)size_bytes > limit.rlim_cur) return EFBIG;
    /* Not posix_fallocate: where the file system cannot reserve, the C library would write to every block instead. */
    int result;
    do {
        result = fallocate(fd, 0, 0, (off_t)size_bytes);
    } while (result != 0 && errno == EINTR);
    if (result == 0) return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
    struct statvfs space;
    if (fstatvfs(fd, &space) == 0 && space.f_blocks > 0 && (uint64_t)size_bytes / space.f_frsize > space.f_bavail) return ENOSPC;
    return ftruncate(fd, (off_t)size_bytes) == 0 ? 0 : errno;
}

weft_status wf_file_create(const char *path, int64_t size_bytes, int *fd, weft_error *err)
{
    int opened = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (opened < 0) return write_failed(path, errno, size_bytes, err);
    int cause = reserve(opened, size_bytes);
    if (cause != 0) {
        close(opened);
        unlink(path);
        return write_failed(path, cause, size_bytes, err);
    }
    *fd = opened;
    return WEFT_OK;
}

weft_status wf_file_open_written(const char *path, int *fd, weft_error *err)
{
    int opened = open(path, O_WRONLY | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT)
        return weft_fail(err, WEFT_EIO, "%s: is gone since it was created; leave the output folder alone during a run, or see that every "
                         "rank reaches it", wf_file_shown_path(path));
    if (opened < 0) return write_failed(path, errno, 0, err);
    *fd = opened;
    return WEFT_OK;
}

weft_status wf_file_write(int fd, const char *path, int64_t offset_bytes, const void *data, size_t count, weft_error *err)
{
    size_t done = 0;
    while (done < count) {
        ssize_t put = pwrite(fd, (const char *)data + done, count - done, (off_t)offset_bytes + (off_t)done);
        if (put > 0)
            done += (size_t)put;
        else if (put == 0 || errno != EINTR)
            return write_failed(path, put == 0 ? ENOSPC : errno, offset_bytes + (int64_t)count, err);
    }
    return WEFT_OK;
}

weft_status wf_file_close_written(int fd, const char *path, weft_error *err)
{
    if (close(fd) == 0 || errno == EINTR) return WEFT_OK;
    return weft_fail(err, WEFT_EIO, "%s: writing failed when it was closed: %s; free space or write elsewhere", wf_file_shown_path(path),
                     strerror(errno));
}

char *wf_file_temporary_name(const char *path, weft_error *err)
{
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) number = (uint64_t)getpid();
    size_t length = strlen(path);
    const char *slash = strrchr(path, '/');
    size_t base = slash ? (size_t)(slash - path) + 1 : 0;
    if (length - base > NAME_MAX - PART_BYTES) length = base + NAME_MAX - PART_BYTES;
    char *name = wf_calloc(length + PART_BYTES, 1, err);
    if (!name) return NULL;
    memcpy(name, path, length);
    snprintf(name + length, PART_BYTES, ".part-%016" PRIx64, number);
    return name;
}

weft_status wf_file_commit(const char *temporary, const char *path, weft_error *err)
{
    if (rename(temporary, path) == 0) return WEFT_OK;
    int cause = errno;
    wf_file_discard(temporary);
    if (cause == EISDIR || cause == ENOTEMPTY)
        return weft_fail(err, WEFT_EIO, "%s: is a folder; choose another name for the output", wf_file_shown_path(path));
    return weft_fail(err, WEFT_EIO, "%s: cannot be given its final name: %s", wf_file_shown_path(path), strerror(cause));
}

void wf_file_discard(const char *temporary)
{
    if (temporary) unlink(temporary);
}
