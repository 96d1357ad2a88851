/* Lines of a text file, one after another, through one buffer. A byte-order mark at the file's beginning is skipped; LF and CRLF end a
 * line; the last one may lack its end. Threads: a reader belongs to one thread; several readers may read one file. */
#ifndef WF_ARRAY_LINE_READER_H
#define WF_ARRAY_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

typedef struct wf_line {
    const char *text; /* in the reader's buffer, valid until the next call; the byte behind its end is readable and part of no number */
    size_t bytes;     /* without the line's end */
    int64_t offset_bytes;
} wf_line;

typedef struct wf_line_reader {
    const char *path; /* borrowed */
    int fd;
    char *buffer;
    size_t capacity_bytes, begin, end; /* unread bytes are buffer[begin, end) */
    int64_t offset_bytes;              /* of buffer[begin] in the file */
    bool is_at_end;                    /* nothing is left in the file behind the buffer */
} wf_line_reader;

/* Starts at an offset where a line begins. Errors: those of wf_file_open; WEFT_ENOMEM. */
weft_status wf_line_reader_init(wf_line_reader *reader, const char *path, int64_t offset_bytes, weft_error *err);
void wf_line_reader_fini(wf_line_reader *reader);

/* Sets *found to false at the end of the file. Errors: WEFT_EIO; WEFT_ENOMEM; WEFT_EDATA a binary file, a line beyond 1 GiB. */
weft_status wf_line_reader_next(wf_line_reader *reader, wf_line *line, bool *found, weft_error *err);

#endif
