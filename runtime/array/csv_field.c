/* Splits lines into fields and reads their numbers. Owns nothing. Invariant: nothing behind the byte that follows a field is looked at,
 * except by strtod, which stops at the zero byte that ends the line reader's buffer. Any thread. */
#include "array/csv_field.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Text behind an opening quote; *at ends behind the closing one, or at the end of the line when there is none. */
static wf_csv_field take_quoted(const char **at, const char *end)
{
    wf_csv_field field = {*at, 0};
    const char *p = *at;
    while (p < end && (*p != '"' || (p + 1 < end && p[1] == '"'))) p += *p == '"' ? 2 : 1;
    field.bytes = (size_t)(p - field.text);
    *at = p < end ? p + 1 : end;
    return field;
}

bool wf_csv_field_next(wf_csv_cursor *cursor, char delimiter, wf_csv_field *field)
{
    if (cursor->is_done) return false;
    const char *p = cursor->at, *end = cursor->end;
    while (p < end && is_space(*p) && *p != delimiter) p++;
    const char *text = p;
    bool is_quoted = p < end && *p == '"';
    wf_csv_field inside = {NULL, 0};
    if (is_quoted) {
        p++;
        inside = take_quoted(&p, end);
    }
    const char *behind = p;
    while (p < end && *p != delimiter) p++;
    const char *stop = p;
    while (stop > behind && is_space(stop[-1])) stop--;
    /* Text behind a closing quote belongs to the field, and so do the quotes then. */
    *field = is_quoted && stop == behind ? inside : (wf_csv_field){text, (size_t)(stop - text)};
    cursor->is_done = p == end;
    cursor->at = cursor->is_done ? end : p + 1;
    return true;
}

int64_t wf_csv_field_count(const char *text, size_t bytes, char delimiter)
{
    int64_t delimiters = 0, quotes = 0;
    for (size_t done = 0; done < bytes;) {
        /* Counters of one byte, so that the compiler counts a vector of bytes at a time; 255 is what they hold. */
        size_t part = bytes - done < 255 ? bytes - done : 255;
        uint8_t some_delimiters = 0, some_quotes = 0;
        for (size_t i = 0; i < part; i++) {
            some_delimiters = (uint8_t)(some_delimiters + (text[done + i] == delimiter));
            some_quotes = (uint8_t)(some_quotes + (text[done + i] == '"'));
        }
        delimiters += some_delimiters;
        quotes += some_quotes;
        done += part;
    }
    if (quotes == 0) return delimiters + 1;
    int64_t count = 0;
    wf_csv_cursor cursor = {text, text + bytes, false};
    for (wf_csv_field field; wf_csv_field_next(&cursor, delimiter, &field);) count++;
    return count;
}

/* Digits from *p on, added to *mantissa; returns how many. */
static int take_digits(const char **p, const char *end, uint64_t *mantissa)
{
    const char *start = *p;
    /* 19 digits fit into 64 bits; the caller gives up on more than 15 anyway. */
    for (; *p < end && **p >= '0' && **p <= '9' && *p - start < 19; (*p)++) *mantissa = *mantissa * 10 + (uint64_t)(**p - '0');
    return (int)(*p - start);
}

/* Exact for a mantissa below 2^53 and a power of ten up to 10^22: both are doubles without error, so one operation rounds once. */
static bool parse_short(const char *p, const char *end, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool is_negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    uint64_t mantissa = 0, exponent = 0;
    int digits = take_digits(&p, end, &mantissa), decimals = 0;
    if (p < end && *p == '.') {
        p++;
        decimals = take_digits(&p, end, &mantissa);
    }
    if (digits + decimals == 0 || digits + decimals > 15) return false;
    int power = -decimals;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        bool is_small = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+')) p++;
        int count = take_digits(&p, end, &exponent);
        if (count == 0 || count > 3) return false;
        power += is_small ? -(int)exponent : (int)exponent;
    }
    if (p != end || power < -22 || power > 22) return false;
    double result = power < 0 ? (double)mantissa / powers[-power] : (double)mantissa * powers[power];
    *value = is_negative ? -result : result;
    return true;
}

bool wf_csv_number_parse(const wf_csv_field *field, locale_t locale, double *value)
{
    /* strtod would skip spaces, also those that are delimiters. */
    if (field->bytes == 0 || strchr(" \t\n\v\f\r", field->text[0])) return false;
    const char *end = field->text + field->bytes;
    if (parse_short(field->text, end, value)) return true;
    char *stop;
    double parsed = strtod_l(field->text, &stop, locale);
    if (stop != end) return false;
    *value = parsed;
    return true;
}

bool wf_csv_field_is_missing(const wf_csv_field *field)
{
    static const char *const words[] = {"", "NA", "N/A", "null", "none", "nan", "missing", "-", "?", "."};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == field->bytes && strncasecmp(words[i], field->text, field->bytes) == 0) return true;
    }
    return false;
}

/* Bytes of the printable UTF-8 character that begins here; 0 when there is none. */
static size_t character_bytes(const char *text, size_t bytes)
{
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80) return first >= 0x20 && first != 0x7f;
    size_t count = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
    for (size_t i = 1; i < count; i++) {
        if (i >= bytes || ((unsigned char)text[i] & 0xc0) != 0x80) return 0;
    }
    return count;
}

void wf_csv_field_show(const wf_csv_field *field, char shown[48])
{
    size_t from = 0, to = 0;
    while (from < field->bytes) {
        size_t count = character_bytes(field->text + from, field->bytes - from);
        if (to + (count ? count : 1) > 30) break;
        if (count > 0)
            memcpy(shown + to, field->text + from, count);
        else
            shown[to] = '?';
        to += count ? count : 1;
        from += count ? count : 1;
    }
    strcpy(shown + to, from < field->bytes ? "..." : "");
}
