/* Fields of one line of a CSV file, and their numbers. Pure functions; any thread. */
#ifndef WF_ARRAY_CSV_FIELD_H
#define WF_ARRAY_CSV_FIELD_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field without the spaces and the quotes around it; doubled quotes inside stay doubled. */
typedef struct wf_csv_field {
    const char *text;
    size_t bytes;
} wf_csv_field;

/* What is left of a line; starts as {text, text + bytes, false}. */
typedef struct wf_csv_cursor {
    const char *at, *end;
    bool is_done;
} wf_csv_cursor;

/* Takes the next field; false behind the last one. A line always has at least one field. */
bool wf_csv_field_next(wf_csv_cursor *cursor, char delimiter, wf_csv_field *field);

/* Fields of a line of that many bytes. */
int64_t wf_csv_field_count(const char *text, size_t bytes, char delimiter);

/* The number that the whole field spells, as strtod reads it in the "C" locale (NaN and infinity included), or false.
 * The byte behind the field must be readable. locale is a "C" locale. Numbers of up to 15 digits and small exponents take a fast path
 * with the same result: W. D. Clinger, How to read floating point numbers accurately, PLDI 1990. */
bool wf_csv_number_parse(const wf_csv_field *field, locale_t locale, double *value);

/* Whether the field is one of the usual words for a missing value, such as "" or "NA". */
bool wf_csv_field_is_missing(const wf_csv_field *field);

/* The field as error messages show it: printable UTF-8, cut after about 30 bytes. */
void wf_csv_field_show(const wf_csv_field *field, char shown[48]);

#endif
