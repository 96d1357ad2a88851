/* Parses and prints sizes and durations. Owns nothing. Invariant: all arithmetic is on whole numbers and checked, so that a value is exact
 * or refused. Any thread. */
#include "base/quantity.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NS_PER_S UINT64_C(1000000000)
#define BLANKS " \t"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef enum verdict { FINE, JUNK, TOO_LARGE } verdict;

typedef struct unit {
    const char *name;
    uint64_t scale;
} unit;

/* "12.5": whole 12, and the digits after the point, which only become a number once the unit is known. */
typedef struct decimal {
    uint64_t whole;
    const char *fraction;
    size_t fraction_digits;
} decimal;

static const unit byte_units[] = {
    {"", 1},
    {"B", 1},
    {"K", UINT64_C(1) << 10}, {"KiB", UINT64_C(1) << 10}, {"KB", UINT64_C(1000)},
    {"M", UINT64_C(1) << 20}, {"MiB", UINT64_C(1) << 20}, {"MB", UINT64_C(1000000)},
    {"G", UINT64_C(1) << 30}, {"GiB", UINT64_C(1) << 30}, {"GB", UINT64_C(1000000000)},
    {"T", UINT64_C(1) << 40}, {"TiB", UINT64_C(1) << 40}, {"TB", UINT64_C(1000000000000)},
    {"P", UINT64_C(1) << 50}, {"PiB", UINT64_C(1) << 50}, {"PB", UINT64_C(1000000000000000)},
    {"E", UINT64_C(1) << 60}, {"EiB", UINT64_C(1) << 60}, {"EB", UINT64_C(1000000000000000000)},
};

static const unit time_units[] = {
    {"d", 86400 * NS_PER_S}, {"h", 3600 * NS_PER_S}, {"m", 60 * NS_PER_S}, {"min", 60 * NS_PER_S},
    {"s", NS_PER_S},         {"ms", 1000000},        {"us", 1000},         {"ns", 1},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static verdict whole_read(const char **cursor, uint64_t *number)
{
    const char *c = *cursor;
    uint64_t value = 0;
    if (!is_digit(*c)) return JUNK;
    for (; is_digit(*c); c++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value)) return TOO_LARGE;
    }
    *cursor = c;
    *number = value;
    return FINE;
}

static verdict decimal_read(const char **cursor, decimal *number)
{
    *number = (decimal){0};
    verdict found = whole_read(cursor, &number->whole);
    if (found != FINE || **cursor != '.') return found;
    number->fraction = *cursor + 1;
    number->fraction_digits = strspn(number->fraction, "0123456789");
    *cursor = number->fraction + number->fraction_digits;
    return number->fraction_digits ? FINE : JUNK;
}

static const unit *unit_read(const char **cursor, const unit *units, size_t count)
{
    const char *name = *cursor + strspn(*cursor, BLANKS);
    size_t length = strspn(name, LETTERS);
    if (length == 0) name = *cursor; /* blanks with nothing after them are junk, left for the caller to find */
    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].name) == length && strncasecmp(units[i].name, name, length) == 0) {
            *cursor = name + length;
            return &units[i];
        }
    }
    return NULL;
}

/* *total += number * scale, rounded down. */
static verdict scaled_add(const decimal *number, uint64_t scale, uint64_t *total)
{
    if (number->fraction_digits && scale == 1) return JUNK;
    /* From the last digit to the first; floors nest, so the result is exact, and 10 * 2^60 fits however many digits there are. */
    uint64_t part = 0, whole;
    for (size_t i = number->fraction_digits; i > 0; i--) part = ((uint64_t)(number->fraction[i - 1] - '0') * scale + part) / 10;
    if (__builtin_mul_overflow(number->whole, scale, &whole) || __builtin_add_overflow(whole, part, &whole)) return TOO_LARGE;
    return __builtin_add_overflow(*total, whole, total) ? TOO_LARGE : FINE;
}

weft_status wf_integer_parse(const char *text, int64_t *number, weft_error *err)
{
    bool negative = text[0] == '-';
    const char *cursor = text + negative;
    uint64_t magnitude = 0;
    verdict found = whole_read(&cursor, &magnitude);
    if (found == JUNK || *cursor) return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is not a whole number", text);
    if (found == TOO_LARGE || magnitude > INT64_MAX) return weft_fail(err, WEFT_EINVAL, "%.80s does not fit 64 bits", text);
    *number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return WEFT_OK;
}

weft_status wf_bytes_parse(const char *text, uint64_t *bytes, weft_error *err)
{
    const char *cursor = text;
    decimal number;
    uint64_t total = 0;
    verdict found = decimal_read(&cursor, &number);
    if (found == FINE) {
        const unit *scale = unit_read(&cursor, byte_units, sizeof byte_units / sizeof byte_units[0]);
        found = scale && !*cursor ? scaled_add(&number, scale->scale, &total) : JUNK;
    }
    if (found == JUNK) return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is not a size; write it as 512, 64KiB, 1.5G or 2GB", text);
    if (found == TOO_LARGE) return weft_fail(err, WEFT_EINVAL, "size %.80s does not fit 64 bits", text);
    *bytes = total;
    return WEFT_OK;
}

/* "1h30m", and a lone number of seconds. */
static verdict components_read(const char *text, uint64_t *total_ns)
{
    uint64_t last_scale = UINT64_MAX;
    const char *cursor = text;
    do {
        decimal number;
        bool is_first = cursor == text;
        if (!is_first) cursor += strspn(cursor, BLANKS);
        verdict found = decimal_read(&cursor, &number);
        if (found != FINE) return found;
        uint64_t scale = NS_PER_S;
        if (*cursor || !is_first) {
            const unit *named = unit_read(&cursor, time_units, sizeof time_units / sizeof time_units[0]);
            if (!named || named->scale >= last_scale) return JUNK;
            scale = named->scale;
        }
        last_scale = scale;
        found = scaled_add(&number, scale, total_ns);
        if (found != FINE) return found;
    } while (*cursor);
    return FINE;
}

/* "[D-]HH:MM:SS" and its shorter forms: with days they lack fields on the right, without on the left. */
static verdict clock_read(const char *text, uint64_t *total_ns)
{
    static const uint64_t scales_s[] = {86400, 3600, 60, 1}, limits[] = {UINT64_MAX, 24, 60, 60};
    uint64_t fields[4];
    size_t count = 0;
    bool has_days = false;
    for (const char *cursor = text;; cursor++) {
        if (count == 4) return JUNK;
        verdict found = whole_read(&cursor, &fields[count++]);
        if (found != FINE) return found;
        if (!*cursor) break;
        if (*cursor == '-' && count == 1)
            has_days = true;
        else if (*cursor != ':')
            return JUNK;
    }
    size_t first = has_days ? 0 : 4 - count;
    if (count < 2 || (!has_days && count > 3)) return JUNK;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && fields[i] >= limits[first + i]) return JUNK;
        verdict found = scaled_add(&(decimal){.whole = fields[i]}, scales_s[first + i] * NS_PER_S, total_ns);
        if (found != FINE) return found;
    }
    return FINE;
}

weft_status wf_duration_parse(const char *text, int64_t *duration_ns, weft_error *err)
{
    uint64_t total_ns = 0;
    verdict found = strpbrk(text, ":-") ? clock_read(text, &total_ns) : components_read(text, &total_ns);
    if (found == JUNK)
        return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is not a duration; write it as 1h30m, 01:30:00, 50ms or 2.5 (seconds)", text);
    if (found == TOO_LARGE || total_ns > INT64_MAX) return weft_fail(err, WEFT_EINVAL, "duration %.80s is longer than 292 years", text);
    *duration_ns = (int64_t)total_ns;
    return WEFT_OK;
}

/* "1.5" for 1500 of scale 1000, without needless zeros. */
static int exact_print(char *text, size_t size, uint64_t value, uint64_t scale, const char *name)
{
    char fraction[12] = ".";
    size_t digits = 0;
    for (uint64_t rest = value % scale; rest && digits < sizeof fraction - 2; rest %= scale) {
        rest *= 10;
        fraction[++digits] = (char)('0' + rest / scale);
    }
    fraction[digits ? digits + 1 : 0] = '\0';
    return snprintf(text, size, "%" PRIu64 "%s%s", value / scale, fraction, name);
}

const char *wf_bytes_format(uint64_t bytes, char text[static WF_QUANTITY_LENGTH])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t power = 6;
    /* The largest unit in which the value is a number of quarters: two decimals, and exact. */
    while (power > 0 && (bytes >> (10 * power) == 0 || bytes & ((UINT64_C(1) << (10 * power - 2)) - 1))) power--;
    exact_print(text, WF_QUANTITY_LENGTH, bytes, UINT64_C(1) << (10 * power), names[power]);
    return text;
}

const char *wf_bytes_format_rounded(uint64_t bytes, char text[static WF_QUANTITY_LENGTH])
{
    static const char names[] = "KMGTPE";
    if (bytes < 1024) {
        snprintf(text, WF_QUANTITY_LENGTH, "%" PRIu64 "B", bytes);
        return text;
    }
    double value = (double)bytes / 1024;
    size_t power = 0;
    /* From 1023.95 on, one decimal would print as 1024.0. */
    for (; value >= 1023.95 && power < 5; value /= 1024) power++;
    snprintf(text, WF_QUANTITY_LENGTH, "%.1f%ciB", value, names[power]);
    return text;
}

const char *wf_duration_format(int64_t duration_ns, char text[static WF_QUANTITY_LENGTH])
{
    static const unit larger[] = {{"d", 86400 * NS_PER_S}, {"h", 3600 * NS_PER_S}, {"m", 60 * NS_PER_S}};
    uint64_t rest = duration_ns < 0 ? -(uint64_t)duration_ns : (uint64_t)duration_ns;
    int length = snprintf(text, WF_QUANTITY_LENGTH, "%s", duration_ns < 0 ? "-" : "");
    bool has_larger = false;
    for (size_t i = 0; i < 3; i++) {
        if (rest < larger[i].scale) continue;
        has_larger = true;
        length += snprintf(text + length, WF_QUANTITY_LENGTH - (size_t)length, "%" PRIu64 "%s", rest / larger[i].scale, larger[i].name);
        rest %= larger[i].scale;
    }
    if (has_larger && rest == 0) return text;
    uint64_t scale = has_larger || rest == 0 || rest >= NS_PER_S ? NS_PER_S : rest >= 1000000 ? 1000000 : rest >= 1000 ? 1000 : 1;
    const char *name = scale == NS_PER_S ? "s" : scale == 1000000 ? "ms" : scale == 1000 ? "us" : "ns";
    exact_print(text + length, WF_QUANTITY_LENGTH - (size_t)length, rest, scale, name);
    return text;
}
