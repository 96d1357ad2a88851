/* Scans and reads CSV files. A wf_csv owns its offsets; everything else lives for one call. Invariant: every row of a scanned file has
 * layout.col_count fields, and row r stands in line skip_lines + has_header + r. Any thread. */
#include "array/csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array/csv_field.h"
#include "array/file.h"
#include "array/line_reader.h"
#include "base/memory.h"

static int64_t line_of_row(const wf_csv_layout *layout, int64_t row)
{
    return layout->skip_lines + (layout->has_header ? 1 : 0) + row + 1;
}

static bool is_blank(const wf_line *line, char delimiter)
{
    for (size_t i = 0; i < line->bytes; i++) {
        char c = line->text[i];
        if ((c != ' ' && c != '\t' && c != '\r') || c == delimiter) return false;
    }
    return true;
}

static locale_t numbers_locale(const char *path, weft_error *err)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!locale) weft_fail(err, WEFT_ENOMEM, "%s: no memory to read numbers; use more ranks", wf_file_shown_path(path));
    return locale;
}

/* Of one pass of wf_csv_scan. */
typedef struct scan {
    const char *path, *shown;
    wf_csv csv; /* being filled */
    size_t chunk_capacity;
    int64_t line_count;   /* lines read */
    int64_t blank_line;   /* the first of the blank lines just passed, counted from 1; 0 for none */
    int64_t header_cols;  /* 0 without header */
    locale_t locale;
} scan;

static bool is_header(const scan *s, const wf_line *line)
{
    wf_csv_cursor cursor = {line->text, line->text + line->bytes, false};
    double number;
    for (wf_csv_field field; wf_csv_field_next(&cursor, s->csv.layout.delimiter, &field);) {
        if (!wf_csv_number_parse(&field, s->locale, &number) && !wf_csv_field_is_missing(&field)) return true;
    }
    return false;
}

static weft_status ragged(const scan *s, int64_t cols, weft_error *err)
{
    const wf_csv *csv = &s->csv;
    char hint[96] = "";
    if (csv->row_count == 1 && !csv->layout.has_header)
        snprintf(hint, sizeof hint, ", or skip %" PRId64 " line%s if the data begin here", csv->layout.skip_lines + 1,
                 csv->layout.skip_lines ? "s" : "");
    return weft_fail(err, WEFT_EDATA, "%s:%" PRId64 ": row %" PRId64 " has %" PRId64 " columns, the first row has %" PRId64
                     "; make them equal%s", s->shown, s->line_count, csv->row_count + 1, cols, csv->layout.col_count, hint);
}

static weft_status first_row(scan *s, int64_t cols, weft_error *err)
{
    s->csv.layout.col_count = cols;
    if (s->header_cols == 0 || s->header_cols == cols) return WEFT_OK;
    int64_t skip = s->csv.layout.skip_lines + 1;
    return weft_fail(err, WEFT_EDATA, "%s:%" PRId64 ": the header has %" PRId64 " columns, the first row (line %" PRId64 ") has %" PRId64
                     "; if the line names no columns, skip %" PRId64 " line%s, otherwise make them equal", s->shown, skip, s->header_cols,
                     s->line_count, cols, skip, skip == 1 ? "" : "s");
}

static weft_status scan_row(scan *s, const wf_line *line, weft_error *err)
{
    wf_csv *csv = &s->csv;
    int64_t cols = wf_csv_field_count(line->text, line->bytes, csv->layout.delimiter);
    weft_status status = WEFT_OK;
    if (csv->row_count == 0)
        status = first_row(s, cols, err);
    else if (cols != csv->layout.col_count)
        return ragged(s, cols, err);
    if (status == WEFT_OK && csv->row_count % csv->rows_per_chunk == 0) {
        status = wf_grow(&csv->chunk_offsets_bytes, &s->chunk_capacity, csv->chunk_count + 1, sizeof *csv->chunk_offsets_bytes, err);
        if (status == WEFT_OK) csv->chunk_offsets_bytes[csv->chunk_count++] = line->offset_bytes;
    }
    csv->row_count++;
    return status;
}

static weft_status scan_line(scan *s, const wf_line *line, weft_error *err)
{
    s->line_count++;
    if (s->line_count <= s->csv.layout.skip_lines) return WEFT_OK;
    if (is_blank(line, s->csv.layout.delimiter)) {
        if (s->blank_line == 0) s->blank_line = s->line_count;
        return WEFT_OK;
    }
    if (s->blank_line != 0)
        return weft_fail(err, WEFT_EDATA, "%s:%" PRId64 ": the line is blank, but rows follow it; remove it", s->shown, s->blank_line);
    if (s->line_count == s->csv.layout.skip_lines + 1 && is_header(s, line)) {
        s->csv.layout.has_header = true;
        s->header_cols = wf_csv_field_count(line->text, line->bytes, s->csv.layout.delimiter);
        if (memchr(line->text, '\r', line->bytes))
            return weft_fail(err, WEFT_EDATA, "%s:%" PRId64 ": lines end in CR alone; save the file with LF or CRLF", s->shown,
                             s->line_count);
        return WEFT_OK;
    }
    return scan_row(s, line, err);
}

static weft_status check_any_rows(const scan *s, weft_error *err)
{
    if (s->csv.row_count > 0) return WEFT_OK;
    if (s->line_count == 0) return weft_fail(err, WEFT_EDATA, "%s: is empty; give a file with one row of numbers per line", s->shown);
    if (s->line_count <= s->csv.layout.skip_lines)
        return weft_fail(err, WEFT_EDATA, "%s: has only %" PRId64 " lines, %" PRId64 " are to be skipped; skip fewer", s->shown,
                         s->line_count, s->csv.layout.skip_lines);
    if (s->csv.layout.has_header)
        return weft_fail(err, WEFT_EDATA, "%s:%" PRId64 ": has a header but no rows; give at least one row of numbers", s->shown,
                         s->csv.layout.skip_lines + 1);
    return weft_fail(err, WEFT_EDATA, "%s: has only blank lines; give a file with one row of numbers per line", s->shown);
}

static weft_status check_options(const char *path, const wf_csv_options *options, int64_t rows_per_chunk, weft_error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.\"\r\n";
    const char *shown = wf_file_shown_path(path);
    if (rows_per_chunk < 1)
        return weft_fail(err, WEFT_EINVAL, "%s: %" PRId64 " rows per chunk were asked for; ask for at least 1", shown, rows_per_chunk);
    if (options->skip_lines < 0)
        return weft_fail(err, WEFT_EINVAL, "%s: %" PRId64 " lines are to be skipped; give 0 or more", shown, options->skip_lines);
    if (memchr(letters, options->delimiter, sizeof letters))
        return weft_fail(err, WEFT_EINVAL, "%s: byte 0x%02x cannot separate columns; choose one such as ',', ';' or a tab", shown,
                         (unsigned char)options->delimiter);
    return WEFT_OK;
}

weft_status wf_csv_scan(const char *path, const wf_csv_options *options, int64_t rows_per_chunk, wf_csv *csv, weft_error *err)
{
    static const wf_csv_options defaults = WF_CSV_OPTIONS_INIT;
    if (!options) options = &defaults;
    weft_status status = check_options(path, options, rows_per_chunk, err);
    if (status != WEFT_OK) return status;
    scan s = {.path = path, .shown = wf_file_shown_path(path), .csv.rows_per_chunk = rows_per_chunk};
    s.csv.layout = (wf_csv_layout){.skip_lines = options->skip_lines, .delimiter = options->delimiter};
    wf_line_reader reader;
    status = wf_line_reader_init(&reader, path, 0, err);
    if (status != WEFT_OK) return status;
    s.locale = numbers_locale(path, err);
    if (!s.locale) status = WEFT_ENOMEM;
    bool found = true;
    for (wf_line line; status == WEFT_OK;) {
        status = wf_line_reader_next(&reader, &line, &found, err);
        if (status != WEFT_OK || !found) break;
        status = scan_line(&s, &line, err);
    }
    if (status == WEFT_OK) status = check_any_rows(&s, err);
    if (status == WEFT_OK)
        *csv = s.csv;
    else
        wf_csv_fini(&s.csv);
    if (s.locale) freelocale(s.locale);
    wf_line_reader_fini(&reader);
    return status;
}

void wf_csv_fini(wf_csv *csv)
{
    free(csv->chunk_offsets_bytes);
    *csv = (wf_csv){.row_count = 0};
}

wf_csv_range wf_csv_rows(const wf_csv *csv, int64_t first_row_index, int64_t row_count)
{
    int64_t chunk = first_row_index / csv->rows_per_chunk;
    /* Behind the last row there may be no chunk; then there is nothing to read either. */
    if (chunk >= (int64_t)csv->chunk_count) chunk = (int64_t)csv->chunk_count - 1;
    return (wf_csv_range){csv->chunk_offsets_bytes[chunk], chunk * csv->rows_per_chunk, first_row_index, row_count};
}

/* " (name)" of a column when the file names it, else ""; read again from the file, since it is needed for errors alone. */
static void show_column_name(const char *path, const wf_csv_layout *layout, int64_t col, char shown[56])
{
    shown[0] = '\0';
    wf_line_reader reader;
    if (!layout->has_header || wf_line_reader_init(&reader, path, 0, NULL) != WEFT_OK) return;
    wf_line line = {.text = NULL};
    bool found = true;
    for (int64_t i = 0; found && i <= layout->skip_lines; i++) {
        if (wf_line_reader_next(&reader, &line, &found, NULL) != WEFT_OK) found = false;
    }
    wf_csv_cursor cursor = {line.text, line.text ? line.text + line.bytes : NULL, !found};
    wf_csv_field field = {NULL, 0};
    for (int64_t i = 0; found && i <= col; i++) found = wf_csv_field_next(&cursor, layout->delimiter, &field);
    if (found && field.bytes > 0) {
        char name[48];
        wf_csv_field_show(&field, name);
        snprintf(shown, 56, " (%s)", name);
    }
    wf_line_reader_fini(&reader);
}

static const char *advice(const wf_csv_field *field, bool is_number, char delimiter)
{
    if (is_number) return "replace it, or leave the row or the column out";
    if (wf_csv_field_is_missing(field)) return "fill in missing values, or leave the row or the column out";
    static const char others[] = ",;\t";
    for (const char *c = others; *c; c++) {
        if (*c != delimiter && memchr(field->text, *c, field->bytes)) return "is the file's delimiter another one?";
    }
    return "put a number there, or leave the row or the column out";
}

static weft_status bad_field(const char *path, const wf_csv_layout *layout, int64_t row, int64_t col, const wf_csv_field *field,
                             bool is_number, weft_error *err)
{
    char name[56], shown[48], what[96];
    show_column_name(path, layout, col, name);
    wf_csv_field_show(field, shown);
    if (field->bytes == 0)
        snprintf(what, sizeof what, "the field is empty");
    else if (!is_number)
        snprintf(what, sizeof what, "'%s' is not a number", shown);
    else
        snprintf(what, sizeof what, "'%s' is not a finite number", shown);
    return weft_fail(err, WEFT_EDATA, "%s:%" PRId64 ": row %" PRId64 ", column %" PRId64 "%s: %s; %s", wf_file_shown_path(path),
                     line_of_row(layout, row), row + 1, col + 1, name, what, advice(field, is_number, layout->delimiter));
}

static weft_status changed(const char *path, const wf_csv_layout *layout, int64_t row, weft_error *err)
{
    return weft_fail(err, WEFT_EDATA, "%s:%" PRId64 ": row %" PRId64 " changed while the file was in use; run again when nothing writes it",
                     wf_file_shown_path(path), line_of_row(layout, row), row + 1);
}

static weft_status read_row(const char *path, const wf_csv_layout *layout, int64_t row, const wf_line *line, locale_t locale, double *out,
                            weft_error *err)
{
    wf_csv_cursor cursor = {line->text, line->text + line->bytes, false};
    wf_csv_field field;
    for (int64_t col = 0; col < layout->col_count; col++) {
        if (!wf_csv_field_next(&cursor, layout->delimiter, &field)) return changed(path, layout, row, err);
        bool is_number = wf_csv_number_parse(&field, locale, &out[col]);
        if (!is_number || !isfinite(out[col])) return bad_field(path, layout, row, col, &field, is_number, err);
    }
    return cursor.is_done ? WEFT_OK : changed(path, layout, row, err);
}

weft_status wf_csv_read_rows(const char *path, const wf_csv_layout *layout, wf_csv_range range, double *out, weft_error *err)
{
    wf_line_reader reader;
    weft_status status = wf_line_reader_init(&reader, path, range.offset_bytes, err);
    if (status != WEFT_OK) return status;
    locale_t locale = numbers_locale(path, err);
    if (!locale) status = WEFT_ENOMEM;
    for (int64_t row = range.offset_row; status == WEFT_OK && row < range.first_row + range.row_count; row++) {
        wf_line line;
        bool found;
        status = wf_line_reader_next(&reader, &line, &found, err);
        if (status != WEFT_OK) break;
        if (!found)
            status = changed(path, layout, row, err);
        else if (row >= range.first_row)
            status = read_row(path, layout, row, &line, locale, out + (row - range.first_row) * layout->col_count, err);
    }
    if (locale) freelocale(locale);
    wf_line_reader_fini(&reader);
    return status;
}
