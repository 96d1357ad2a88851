/* Fills the caller's error record. Invariant: a filled record is one line of printable text. Any thread. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <weft/status.h>

#include "base/text.h"

static const char *const names[] = {
    "OK",      "EINVAL",    "ESHAPE",     "ENOENT", "ENOMEM",  "EIO",         "EDATA",
    "EKERNEL", "EUPSTREAM", "ECANCELLED", "EGRAPH", "ELOST", "ELAUNCH", "EUNSUPPORTED",
};

const char *weft_status_name(weft_status status)
{
    size_t index = (size_t)status;
    return index < sizeof names / sizeof names[0] ? names[index] : "?";
}

void weft_error_print(FILE *stream, const char *program, const weft_error *err)
{
    const char *name = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
    char rank[32] = "";
    if (err->rank >= 0 && err->task[0]) snprintf(rank, sizeof rank, " on rank %d", err->rank);
    fprintf(stream, "%s: %s%s%s%s\n", name, err->task, rank, err->task[0] ? ": " : "", err->text);
}

weft_status weft_fail_at(weft_error *err, weft_status status, const char *file, int line, const char *format, ...)
{
    if (!err) return status;
    *err = (weft_error){.status = status, .rank = -1, .line = line};
    snprintf(err->file, sizeof err->file, "%s", file);
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    wf_text_keep_on_line(err->text);
    return status;
}
