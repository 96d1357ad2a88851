/* Status codes, and the error record that every call which can fail fills.
 *
 * A call that fails returns a status other than WEFT_OK, leaves its outputs unchanged, and writes what happened and what to change into
 * the caller's weft_error. The record is flat, so it travels between ranks unchanged. Passing NULL for it is always allowed.
 */
#ifndef WEFT_STATUS_H
#define WEFT_STATUS_H

#include <stdint.h>
#include <stdio.h>

#if defined(__GNUC__)
#define WEFT_API __attribute__((visibility("default")))
#define WEFT_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#else
#define WEFT_API
#define WEFT_PRINTF(format_index, first_index)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Each code means something else that the caller would do about it. */
typedef enum weft_status {
    WEFT_OK = 0,
    WEFT_EINVAL,      /* an argument, option or configuration value is wrong: change the call */
    WEFT_ESHAPE,      /* shapes or types do not fit each other: change the data or the chunking */
    WEFT_ENOENT,      /* a name is unknown: a kernel, a configuration key, an input */
    WEFT_ENOMEM,      /* memory, or the memory budget, does not suffice: smaller chunks or more ranks */
    WEFT_EIO,         /* a file or a device failed: missing, unreadable, full */
    WEFT_EDATA,       /* a file or a message is malformed, or holds values that cannot be used */
    WEFT_EKERNEL,     /* a kernel failed for reasons of its own */
    WEFT_EUPSTREAM,   /* not run, because a task it depends on failed */
    WEFT_ECANCELLED,  /* cancelled, or interrupted by a signal */
    WEFT_EGRAPH,      /* a graph contradicts itself: rules that disagree, indices that do not exist, a cycle */
    WEFT_ELOST,       /* a rank or a connection is gone */
    WEFT_ELAUNCH,     /* launched in a way that cannot work */
    WEFT_EUNSUPPORTED /* this build or this machine lacks it */
} weft_status;

typedef struct weft_error {
    weft_status status;
    int32_t rank;    /* where it happened; -1 when there are no ranks */
    int32_t line;    /* in file */
    char file[40];   /* source file, "exec/pool.c" */
    char task[64];   /* kernel and key of the failed task, or "" */
    char text[432];  /* one line: what happened, with the values, then what to change; weft_error_print adds task and rank */
} weft_error;

#define WEFT_ERROR_INIT {WEFT_OK, -1, 0, "", "", ""}

/* The status's name without prefix, such as "ESHAPE". Never NULL. */
WEFT_API const char *weft_status_name(weft_status status);

/* Prints one line: "program: kernel key on rank 2: text", without what is not known. program may be a path; its last part is printed. */
WEFT_API void weft_error_print(FILE *stream, const char *program, const weft_error *err);

/* Fills err (NULL allowed) and returns status, so that a failure is one line: return weft_fail(err, WEFT_EINVAL, "..."); */
#define weft_fail(err, status, ...) weft_fail_at((err), (status), __FILE__, __LINE__, __VA_ARGS__)
WEFT_API weft_status weft_fail_at(weft_error *err, weft_status status, const char *file, int line, const char *format, ...)
    WEFT_PRINTF(5, 6);

#ifdef __cplusplus
}
#endif

#endif
