/* Splitting lines, and numbers against strtod. */
#include "array/csv_field.h"

#include "array_files.h"

/* The fields of a line joined by '|', each as it was split. */
static const char *split(const char *line, char delimiter)
{
    static char joined[256];
    size_t length = 0;
    int64_t count = 0;
    wf_csv_cursor cursor = {line, line + strlen(line), false};
    for (wf_csv_field field; wf_csv_field_next(&cursor, delimiter, &field); count++)
        length += (size_t)snprintf(joined + length, sizeof joined - length, "%s%.*s", count ? "|" : "", (int)field.bytes, field.text);
    CU_ASSERT_EQUAL(wf_csv_field_count(line, strlen(line), delimiter), count);
    return joined;
}

static void lines_split_at_delimiters_outside_quotes(void)
{
    CU_ASSERT_STRING_EQUAL(split("a,b,c", ','), "a|b|c");
    CU_ASSERT_STRING_EQUAL(split("", ','), "");
    CU_ASSERT_STRING_EQUAL(split(",", ','), "|");
    CU_ASSERT_STRING_EQUAL(split("1,,2,", ','), "1||2|");
    CU_ASSERT_STRING_EQUAL(split(" 1 ,\t2 ", ','), "1|2");
    CU_ASSERT_STRING_EQUAL(split("1\t\t 2", '\t'), "1||2");
    CU_ASSERT_STRING_EQUAL(split("1 2", ' '), "1|2");
    CU_ASSERT_STRING_EQUAL(split("\"a,b\",c", ','), "a,b|c");
    CU_ASSERT_STRING_EQUAL(split("\"say \"\"a,b\"\"\", c", ','), "say \"\"a,b\"\"|c");
    CU_ASSERT_STRING_EQUAL(split("\"\",\"1.5\"", ','), "|1.5");
    CU_ASSERT_STRING_EQUAL(split("\"a\" b,c", ','), "\"a\" b|c");
    CU_ASSERT_STRING_EQUAL(split("5\" pipe,c", ','), "5\" pipe|c");
    CU_ASSERT_STRING_EQUAL(split("\"never closed, b", ','), "never closed, b");
    CU_ASSERT_STRING_EQUAL(split("\"", ','), "");
}

static void long_lines_are_counted_right(void)
{
    char line[2000];
    for (size_t length = 0; length < sizeof line; length++) {
        memset(line, ',', sizeof line);
        if (wf_csv_field_count(line, length, ',') != (int64_t)length + 1) CU_FAIL("delimiters miscounted");
    }
}

static bool parses(const char *text, double *value)
{
    wf_csv_field field = {text, strlen(text)};
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    bool parsed = wf_csv_number_parse(&field, locale, value);
    freelocale(locale);
    return parsed;
}

/* The same bits as strtod, or neither takes it. */
static bool agrees_with_strtod(const char *text)
{
    char *stop;
    double ours = 0, theirs = strtod(text, &stop);
    bool parsed = parses(text, &ours);
    bool good = parsed == (stop != text && *stop == '\0' && *text != ' ') && (!parsed || memcmp(&ours, &theirs, sizeof ours) == 0);
    if (!good) printf("    '%s': %.17g, strtod: %.17g\n", text, ours, theirs);
    return good;
}

static void numbers_are_those_of_strtod(void)
{
    static const char *const texts[] = {
        "0", "-0", "+1", "1.", ".5", "-.5e1", "1e22", "1e23", "1e-22", "1e-23", "123456789012345", "1234567890123456", "9007199254740993",
        "9007199254740993e22", "0.1", "0.30000000000000004", "1e308", "1e309", "-1e999", "5e-324", "1e-400", "2.2250738585072011e-308",
        "1e+5", "1E5", "1e", "1e+", "e5", ".", "-", "+", "--1", "1-1", "1.2.3", "0x1p3", "inf", "-Infinity", "nan", "NaN(12)", "1f", "1,5",
        "12 3", "", "000000000000000000000000000001", "1000000000000000000000000000000", "0.000000000000000000000000000001", "1e0000005",
        "3.14159265358979323846264338327950288", "NA", "10.357019999999999", "99999999999999999999e-20", "1e99999999999999999999",
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(texts); i++) {
        if (strncmp(texts[i], "nan", 3) != 0 && strncmp(texts[i], "NaN", 3) != 0) CU_ASSERT(agrees_with_strtod(texts[i]));
    }
    double value;
    CU_ASSERT(parses("nan", &value) && value != value);
    CU_ASSERT(!parses(" 1", &value));
    CU_ASSERT(!parses("\t1", &value));
}

static void random_numbers_are_those_of_strtod(void)
{
    uint64_t random = test_seed() + 1ULL;
    char text[64];
    for (int i = 0; i < 200000; i++) {
        double value;
        uint64_t bits = random_next(&random);
        memcpy(&value, &bits, sizeof value);
        int digits = (int)(random_next(&random) % 20);
        switch (random_next(&random) % 4) {
        case 0: snprintf(text, sizeof text, "%.*g", digits, value); break;
        case 1: snprintf(text, sizeof text, "%.*f", digits, (double)(int64_t)bits * 0x1p-50); break;
        case 2: snprintf(text, sizeof text, "%.*e", digits, (double)(int64_t)bits * 0x1p-60); break;
        default:
            snprintf(text, sizeof text, "%lld.%llue%d", (long long)bits >> (bits % 64), (unsigned long long)bits >> (bits % 61),
                     digits - 10);
        }
        if (!strstr(text, "nan") && !agrees_with_strtod(text)) CU_FAIL("differs from strtod");
    }
}

static void fields_are_shown_short_and_printable(void)
{
    char shown[48];
    wf_csv_field_show(&(wf_csv_field){"NA", 2}, shown);
    CU_ASSERT_STRING_EQUAL(shown, "NA");
    wf_csv_field_show(&(wf_csv_field){"a\x1b[31m\x7f", 7}, shown);
    CU_ASSERT_STRING_EQUAL(shown, "a?[31m?");
    wf_csv_field_show(&(wf_csv_field){"0123456789012345678901234567890", 31}, shown);
    CU_ASSERT_STRING_EQUAL(shown, "012345678901234567890123456789...");
    wf_csv_field_show(&(wf_csv_field){"01234567890123456789012345678\xc3\xa9x", 32}, shown);
    CU_ASSERT_STRING_EQUAL(shown, "01234567890123456789012345678...");
    wf_csv_field_show(&(wf_csv_field){"\xff" "d\xc3\xa9j\xe0 \xe2\x82", 9}, shown);
    CU_ASSERT_STRING_EQUAL(shown, "?d\xc3\xa9j? ??");
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(lines_split_at_delimiters_outside_quotes),
        WEFT_TEST(long_lines_are_counted_right),
        WEFT_TEST(numbers_are_those_of_strtod),
        WEFT_TEST(random_numbers_are_those_of_strtod),
        WEFT_TEST(fields_are_shown_short_and_printable),
    };
    return weft_test_run("array/csv_field", cases, WEFT_COUNT_OF(cases));
}
