/* Regular files of data: opened for reading with one clear line for what cannot be read, read and written at given offsets, and replaced
 * whole: written under a temporary name in the same folder, then renamed, so that nothing half-written is seen under the final name.
 *
 * Threads: safe from any thread and any process; several may read or write parts of one file at the same time.
 */
#ifndef WF_ARRAY_FILE_H
#define WF_ARRAY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

/* The path as error messages show it: its last 140 bytes at most, so that the rest of the message keeps its room. Borrowed from path. */
const char *wf_file_shown_path(const char *path);

/* Opens a regular file for reading; *fd is closed by the caller, *size_bytes may be NULL.
 * Errors: WEFT_EIO it is missing, unreadable, a folder or a device. */
weft_status wf_file_open(const char *path, int *fd, int64_t *size_bytes, weft_error *err);

/* Reads up to count bytes at offset, fewer only at the end of the file; *read_bytes tells how many. */
weft_status wf_file_read(int fd, const char *path, int64_t offset_bytes, void *out, size_t count, size_t *read_bytes, weft_error *err);

/* Creates a file that must not exist yet, with its full size reserved on the device, so that a full disk is found before any work; where
 * the file system cannot reserve, free space is looked at and the size only set. *fd is closed by the caller.
 * Errors: WEFT_EIO no such folder, no permission, no space, beyond the limit on file sizes; then nothing is left behind. */
weft_status wf_file_create(const char *path, int64_t size_bytes, int *fd, weft_error *err);

/* Opens a file that wf_file_create made, for writing in it. Errors: WEFT_EIO. */
weft_status wf_file_open_written(const char *path, int *fd, weft_error *err);

/* Writes all of data at offset. Errors: WEFT_EIO. */
weft_status wf_file_write(int fd, const char *path, int64_t offset_bytes, const void *data, size_t count, weft_error *err);

/* Closes a file that was written: some file systems report a full disk only now. Errors: WEFT_EIO. */
weft_status wf_file_close_written(int fd, const char *path, weft_error *err);

/* A fresh name next to `path`, such as "out/u.npy.part-1f3a9c5e70b2d486".
 * Returns: a new string, the caller frees it; NULL when out of memory, with err filled. Creates nothing. */
char *wf_file_temporary_name(const char *path, weft_error *err);

/* Gives the finished file its final name, replacing what bore it. On failure the temporary file is removed.
 * Errors: WEFT_EIO. After a crash of the machine itself, not of the program, the file may lack data: it is not flushed to the device. */
weft_status wf_file_commit(const char *temporary, const char *path, weft_error *err);

/* Removes an unfinished file; one that is not there, and NULL, are no error. */
void wf_file_discard(const char *temporary);

#endif
