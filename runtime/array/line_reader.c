/* Owns the buffer of one pass over a text file, and its descriptor. Invariant: buffer[end] is a zero byte, so that a number at the end of
 * the last line ends there, and buffer[begin, end) holds none. One thread per reader. */
#include "array/line_reader.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array/file.h"
#include "base/memory.h"

enum {
    START_BYTES = 256 << 10, /* a block is looked at several times while it is in the L2 cache */
    MAX_LINE_BYTES = 1 << 30,
};

weft_status wf_line_reader_init(wf_line_reader *reader, const char *path, int64_t offset_bytes, weft_error *err)
{
    wf_line_reader made = {.path = path, .capacity_bytes = START_BYTES, .offset_bytes = offset_bytes};
    weft_status status = wf_file_open(path, &made.fd, NULL, err);
    if (status != WEFT_OK) return status;
    made.buffer = malloc(START_BYTES + 1);
    if (!made.buffer) {
        close(made.fd);
        return weft_fail(err, WEFT_ENOMEM, "%s: no memory for a buffer of %d bytes; use more ranks or fewer threads",
                         wf_file_shown_path(path), START_BYTES);
    }
    posix_fadvise(made.fd, (off_t)offset_bytes, 0, POSIX_FADV_SEQUENTIAL);
    *reader = made;
    return WEFT_OK;
}

void wf_line_reader_fini(wf_line_reader *reader)
{
    free(reader->buffer);
    close(reader->fd);
}

static weft_status make_room(wf_line_reader *reader, weft_error *err)
{
    memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
    reader->end -= reader->begin;
    reader->begin = 0;
    if (reader->end < reader->capacity_bytes) return WEFT_OK;
    char *grown = reader->capacity_bytes < MAX_LINE_BYTES ? realloc(reader->buffer, 2 * reader->capacity_bytes + 1) : NULL;
    if (!grown)
        return weft_fail(err, reader->capacity_bytes < MAX_LINE_BYTES ? WEFT_ENOMEM : WEFT_EDATA,
                         "%s: the line at byte %" PRId64 " is longer than %zu bytes; is this a text file with one row per line?",
                         wf_file_shown_path(reader->path), reader->offset_bytes, reader->capacity_bytes);
    reader->buffer = grown;
    reader->capacity_bytes *= 2;
    return WEFT_OK;
}

static weft_status fill(wf_line_reader *reader, weft_error *err)
{
    weft_status status = make_room(reader, err);
    if (status != WEFT_OK) return status;
    size_t got, room = reader->capacity_bytes - reader->end;
    int64_t offset = reader->offset_bytes + (int64_t)reader->end;
    char *place = reader->buffer + reader->end;
    status = wf_file_read(reader->fd, reader->path, offset, place, room, &got, err);
    if (status != WEFT_OK) return status;
    const char *zero = memchr(place, 0, got);
    if (zero)
        return weft_fail(err, WEFT_EDATA, "%s: is no text file: byte %" PRId64 " is zero; give a CSV file in UTF-8, not UTF-16, packed or "
                         "binary", wf_file_shown_path(reader->path), offset + (zero - place));
    reader->end += got;
    reader->buffer[reader->end] = '\0';
    reader->is_at_end = got < room;
    return WEFT_OK;
}

/* Takes the line that ends before buffer[stop]; the next begins at buffer[next]. */
static void take(wf_line_reader *reader, size_t stop, size_t next, wf_line *line)
{
    const char *text = reader->buffer + reader->begin;
    size_t bytes = stop - reader->begin, mark = 0;
    if (reader->offset_bytes == 0 && bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) mark = 3;
    *line = (wf_line){text + mark, bytes - mark, reader->offset_bytes + (int64_t)mark};
    if (line->bytes > 0 && line->text[line->bytes - 1] == '\r') line->bytes--;
    reader->offset_bytes += (int64_t)(next - reader->begin);
    reader->begin = next;
}

weft_status wf_line_reader_next(wf_line_reader *reader, wf_line *line, bool *found, weft_error *err)
{
    size_t searched = 0; /* bytes from begin that hold no line end */
    for (;;) {
        const char *from = reader->buffer + reader->begin + searched;
        searched = reader->end - reader->begin;
        const char *newline = memchr(from, '\n', (size_t)(reader->buffer + reader->end - from));
        if (newline) {
            size_t stop = (size_t)(newline - reader->buffer);
            take(reader, stop, stop + 1, line);
            break;
        }
        if (reader->is_at_end) {
            *found = reader->begin < reader->end;
            if (*found) take(reader, reader->end, reader->end, line);
            return WEFT_OK;
        }
        weft_status status = fill(reader, err);
        if (status != WEFT_OK) return status;
    }
    *found = true;
    return WEFT_OK;
}
