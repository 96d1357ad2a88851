/* Feeds a file to inih line by line, so that the line number is known wherever a line fails, and so that what inih would pass over in
 * silence (cut lines, NUL bytes, text after a section's bracket, continuation lines) is an error or has no effect. The caller's thread.
 * Invariant: nothing is read after the first line that failed here. */
#include "config/file.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n\v\f"

typedef struct reader {
    weft_config *config;
    const char *path;
    FILE *stream;
    char *line; /* getline's */
    size_t line_capacity;
    char *origin; /* "path:line" */
    size_t origin_capacity;
    int line_number;
    int failed_line;    /* the first that failed here rather than in inih; 0: none */
    weft_status status; /* of it */
    int read_errno;     /* of a read that failed; 0: none */
    weft_error *err;
} reader;

static const char *origin_at(reader *r, int line_number)
{
    snprintf(r->origin, r->origin_capacity, "%s:%d", r->path, line_number);
    return r->origin;
}

static void fail_line(reader *r, const char *what)
{
    r->failed_line = r->line_number;
    r->status = weft_fail(r->err, WEFT_EINVAL, "%s: %s", origin_at(r, r->line_number), what);
}

static bool has_text_after_section(const char *line)
{
    const char *close = line[0] == '[' ? strchr(line, ']') : NULL;
    if (!close) return false;
    const char *rest = close + 1 + strspn(close + 1, BLANKS);
    return *rest && *rest != ';' && *rest != '#';
}

/* inih's source of lines, shaped as fgets. */
static char *next_line(char *buffer, int size, void *user)
{
    reader *r = user;
    if (r->failed_line) return NULL;
    errno = 0;
    ssize_t length = getline(&r->line, &r->line_capacity, r->stream);
    if (length < 0) {
        r->read_errno = feof(r->stream) ? 0 : errno;
        return NULL;
    }
    r->line_number++;
    /* inih takes an indented line for the continuation of the value above it. */
    const char *start = r->line + strspn(r->line, BLANKS);
    size_t start_length = (size_t)length - (size_t)(start - r->line);
    if (memchr(start, '\0', start_length)) {
        fail_line(r, "holds a NUL byte; a configuration file is text");
    } else if (start_length >= (size_t)size) {
        fail_line(r, "the line is too long; keep it under 190 characters");
    } else if (has_text_after_section(start)) {
        fail_line(r, "text after the section; put each key on a line of its own");
    } else {
        memcpy(buffer, start, start_length + 1);
        return buffer;
    }
    return NULL;
}

static int set_line(void *user, const char *section, const char *name, const char *value)
{
    reader *r = user;
    char key[256];
    snprintf(key, sizeof key, "%s%s%s", section, section[0] ? "." : "", name);
    r->status = weft_config_set(r->config, key, value, origin_at(r, r->line_number), r->err);
    if (r->status) r->failed_line = r->line_number;
    return r->status == WEFT_OK;
}

static weft_status read_lines(reader *r)
{
    int first_bad = ini_parse_stream(next_line, r, set_line, r);
    if (first_bad < 0) return weft_fail(r->err, WEFT_ENOMEM, "%s: no memory to read it", r->path);
    if (first_bad > 0 && (!r->failed_line || first_bad < r->failed_line))
        return weft_fail(r->err, WEFT_EINVAL, "%s: neither \"[section]\" nor \"key = value\"; correct the line, or start it with \"#\"",
                         origin_at(r, first_bad));
    if (r->read_errno) return weft_fail(r->err, WEFT_EIO, "cannot read %s: %s; name a text file", r->path, strerror(r->read_errno));
    return r->status;
}

weft_status wf_config_read_file(weft_config *config, const char *path, const char *named_by, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    reader r = {.config = config, .path = path, .err = err, .origin_capacity = strlen(path) + 16};
    r.stream = fopen(path, "re");
    if (!r.stream) {
        if (!named_by && (errno == ENOENT || errno == ENOTDIR)) return WEFT_OK;
        return weft_fail(err, WEFT_EIO, "cannot read %s%s%s: %s; correct the name or the file's permissions", path,
                         named_by ? ", named by " : "", named_by ? named_by : "", strerror(errno));
    }
    r.origin = malloc(r.origin_capacity);
    if (!r.origin) {
        weft_fail(err, WEFT_ENOMEM, "%s: no memory to read it", path);
        goto out;
    }
    status = read_lines(&r);
out:
    free(r.origin);
    free(r.line);
    fclose(r.stream);
    return status;
}
