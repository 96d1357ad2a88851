/* Tables of numbers in CSV files. Rank 0 scans a file once, which counts and checks its rows and notes where some of them begin; each rank
 * then reads its own rows with the flat layout and range that rank 0 sends it.
 *
 * A row is a line; fields are separated by one delimiter; spaces around a field and double quotes around it are taken off. LF and CRLF end
 * a line, the last one may lack its end, blank lines at the end of the file are ignored, and so is a byte-order mark. The first line is a
 * header when a field of it is neither a number nor a usual word for a missing value.
 *
 * Lines, rows and columns count from 0 in arguments and from 1 in messages; the header is no row. Threads: safe from any thread.
 */
#ifndef WF_ARRAY_CSV_H
#define WF_ARRAY_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

typedef struct wf_csv_options {
    size_t size_bytes;
    int64_t skip_lines; /* at the file's beginning, whatever they hold */
    char delimiter;     /* any byte that cannot be part of a number or end a line */
} wf_csv_options;

#define WF_CSV_OPTIONS_INIT {sizeof(wf_csv_options), 0, ','}

/* What every reader of the file needs to know. Flat, so that rank 0 can send it to the others. */
typedef struct wf_csv_layout {
    int64_t col_count;
    int64_t skip_lines;
    char delimiter;
    bool has_header;
} wf_csv_layout;

typedef struct wf_csv {
    wf_csv_layout layout;
    int64_t row_count;
    int64_t rows_per_chunk;
    int64_t *chunk_offsets_bytes; /* where row 0, rows_per_chunk, 2 rows_per_chunk, ... begin; owned */
    size_t chunk_count;
} wf_csv;

/* Rows to read, and the byte where reading starts: that of the nearest noted row at or before them. Flat. */
typedef struct wf_csv_range {
    int64_t offset_bytes;
    int64_t offset_row;
    int64_t first_row;
    int64_t row_count;
} wf_csv_range;

/* Looks at the whole file once. options may be NULL.
 *
 * Owns:   *csv is released with wf_csv_fini.
 * Errors: WEFT_EINVAL rows_per_chunk < 1 or bad options; WEFT_EIO missing or unreadable; WEFT_ENOMEM; WEFT_EDATA no text file, empty, no
 *         rows, a blank line between rows, a row or a header with another number of columns than the first row.
 * Cost:   one pass at the speed of memory when the file is cached; numbers are not parsed.
 */
weft_status wf_csv_scan(const char *path, const wf_csv_options *options, int64_t rows_per_chunk, wf_csv *csv, weft_error *err);
void wf_csv_fini(wf_csv *csv);

/* Rows [first_row, first_row + row_count), which must be rows of csv. */
wf_csv_range wf_csv_rows(const wf_csv *csv, int64_t first_row, int64_t row_count);

/* Parses rows.
 *
 * Shapes: out (row_count, col_count), row-major; what it holds after a failure is undefined.
 * Errors: WEFT_EIO; WEFT_ENOMEM; WEFT_EDATA a field that is not a finite number, with line, row, column and the column's name; a file that
 *         changed since it was scanned.
 */
weft_status wf_csv_read_rows(const char *path, const wf_csv_layout *layout, wf_csv_range range, double *out, weft_error *err);

#endif
