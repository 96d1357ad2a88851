#include "base/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weft_test.h"

#define S INT64_C(1000000000)

typedef struct sample {
    const char *text;
    uint64_t value;
} sample;

static void check_bytes(const sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = 77;
        weft_error err = WEFT_ERROR_INIT;
        weft_status status = wf_bytes_parse(samples[i].text, &bytes, &err);
        if (status || bytes != samples[i].value) printf("    \"%s\" gave %" PRIu64 " %s\n", samples[i].text, bytes, err.text);
        CU_ASSERT_EQUAL(status, WEFT_OK);
        CU_ASSERT_EQUAL(bytes, samples[i].value);
    }
}

static void check_durations(const sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t duration_ns = 77;
        weft_error err = WEFT_ERROR_INIT;
        weft_status status = wf_duration_parse(samples[i].text, &duration_ns, &err);
        if (status || duration_ns != (int64_t)samples[i].value)
            printf("    \"%s\" gave %" PRId64 " %s\n", samples[i].text, duration_ns, err.text);
        CU_ASSERT_EQUAL(status, WEFT_OK);
        CU_ASSERT_EQUAL(duration_ns, (int64_t)samples[i].value);
    }
}

static void sizes_are_read_in_all_units(void)
{
    static const sample samples[] = {
        {"0", 0}, {"512", 512}, {"512B", 512}, {"1K", 1024}, {"4KiB", 4096}, {"4 kib", 4096}, {"3KB", 3000}, {"2M", 2097152},
        {"2MB", 2000000}, {"4GiB", 4294967296}, {"1.5G", 1610612736}, {"0.25GiB", 268435456}, {"2GB", 2000000000}, {"1T", 1099511627776},
        {"1PiB", 1125899906842624}, {"15EiB", UINT64_C(17293822569102704640)}, {"18EB", UINT64_C(18000000000000000000)},
        {"18446744073709551615", UINT64_MAX}, {"007", 7},
    };
    check_bytes(samples, WEFT_COUNT_OF(samples));
}

/* Expected values: floor of the exact fraction, by hand with arbitrary precision. */
static void fractions_of_a_byte_are_dropped_exactly(void)
{
    static const sample samples[] = {
        {"0.1K", 102}, {"0.1GiB", 107374182}, {"1.000000001G", 1073741825}, {"0.333333333333333333333333333333E", 384307168202282325},
        {"15.99999999999999999999999999E", UINT64_C(18446744073709551615)}, {"1.9999999KB", 1999},
    };
    check_bytes(samples, WEFT_COUNT_OF(samples));
}

static void what_is_not_a_size_is_refused_and_changes_nothing(void)
{
    static const char *const junk[] = {
        "", " ", "K", "GiB", "-1", "+1", "1.5", "1.5B", "1.", "1.G", ".5G", "1,5G", "4Q", "4GiBs", "4 G iB", "1e9", "0x10", "4G 2M", "4G ",
        " 4G", "5 ", "nan", "16E", "16EiB", "18446744073709551616", "99999999999999999999999G", "19EB", "4G\n",
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(junk); i++) {
        uint64_t bytes = 77;
        weft_error err = WEFT_ERROR_INIT;
        weft_status status = wf_bytes_parse(junk[i], &bytes, &err);
        if (!status) printf("    \"%s\" gave %" PRIu64 "\n", junk[i], bytes);
        CU_ASSERT_EQUAL(status, WEFT_EINVAL);
        CU_ASSERT_EQUAL(bytes, 77);
        CU_ASSERT(strlen(err.text) > 0);
        CU_ASSERT_EQUAL(wf_bytes_parse(junk[i], &bytes, NULL), WEFT_EINVAL);
    }
}

static void durations_are_read_in_components(void)
{
    static const sample samples[] = {
        {"0", 0}, {"50ms", 50000000}, {"100us", 100000}, {"7ns", 7}, {"1s", S}, {"90", 90 * S}, {"2.5", 2500000000}, {"1h30m", 5400 * S},
        {"1h 30min", 5400 * S}, {"1d", 86400 * S}, {"1d2h3m4s5ms6us7ns", UINT64_C(93784005006007)}, {"1.5h", 5400 * S}, {"1.5us", 1500},
        {"0.0000000019s", 1}, {"90m", 5400 * S}, {"106751d", UINT64_C(9223286400000000000)},
        {"9223372036.854775807s", INT64_MAX},
    };
    check_durations(samples, WEFT_COUNT_OF(samples));
}

static void durations_are_read_as_batch_systems_write_them(void)
{
    static const sample samples[] = {
        {"01:30:00", 5400 * S}, {"1:30", 90 * S}, {"00:00:00", 0}, {"100:00:00", 360000 * S}, {"90:00", 5400 * S}, {"2-0", 172800 * S},
        {"1-12", 129600 * S}, {"1-12:30", 131400 * S}, {"1-12:30:05", 131405 * S},
    };
    check_durations(samples, WEFT_COUNT_OF(samples));
}

static void what_is_not_a_duration_is_refused_and_changes_nothing(void)
{
    static const char *const junk[] = {
        "", "h", "-5", "-5s", "1x", "1h30", "30m1h", "1m1min", "1s1s", "1.5ns", "1..5s", "5s ", "5 ", " 5s", "nan", "5s\n",
        "1:60", "1:60:00", "1:00:60", ":30", "1:", "1:2:3:4", "1-24", "1-", "1-2-3", "1:2-3", "1-1:2:3:4", "1.5:00", "1:-1", "1h:30",
        "9223372037s", "9223372036.854775808s", "106752d", "213503d24h", "99999999999999999999d", "99999999999999:00:00", "2562048:00:00",
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(junk); i++) {
        int64_t duration_ns = 77;
        weft_error err = WEFT_ERROR_INIT;
        weft_status status = wf_duration_parse(junk[i], &duration_ns, &err);
        if (!status) printf("    \"%s\" gave %" PRId64 "\n", junk[i], duration_ns);
        CU_ASSERT_EQUAL(status, WEFT_EINVAL);
        CU_ASSERT_EQUAL(duration_ns, 77);
        CU_ASSERT(strlen(err.text) > 0);
    }
}

static void whole_numbers_are_read_and_the_rest_refused(void)
{
    static const char *const junk[] = {"", "-", "+1", "1.0", "1e3", " 1", "1 ", "0x1", "--1",
                                       "9223372036854775808", "99999999999999999999"};
    int64_t number = 0;
    CU_ASSERT_EQUAL(wf_integer_parse("42", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(number, 42);
    CU_ASSERT_EQUAL(wf_integer_parse("-9223372036854775807", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(number, -INT64_MAX);
    for (size_t i = 0; i < WEFT_COUNT_OF(junk); i++) {
        number = 77;
        CU_ASSERT_EQUAL(wf_integer_parse(junk[i], &number, NULL), WEFT_EINVAL);
        CU_ASSERT_EQUAL(number, 77);
    }
}

static void sizes_print_in_the_largest_unit_that_is_exact(void)
{
    static const sample samples[] = {
        {"0B", 0}, {"100B", 100}, {"1023B", 1023}, {"1KiB", 1024}, {"1025B", 1025}, {"1.25KiB", 1280}, {"1152B", 1152}, {"8KiB", 8192},
        {"1.5GiB", 1610612736}, {"4GiB", 4294967296}, {"15EiB", UINT64_C(17293822569102704640)}, {"18446744073709551615B", UINT64_MAX},
    };
    char text[WF_QUANTITY_LENGTH];
    for (size_t i = 0; i < WEFT_COUNT_OF(samples); i++) CU_ASSERT_STRING_EQUAL(wf_bytes_format(samples[i].value, text), samples[i].text);
}

static void sizes_print_rounded_for_reading(void)
{
    static const sample samples[] = {
        {"0B", 0}, {"1023B", 1023}, {"1.0KiB", 1024}, {"15.3GiB", UINT64_C(16471654400)}, {"1.0MiB", 1048575}, {"1023.0KiB", 1047552},
        {"16.0EiB", UINT64_MAX},
    };
    char text[WF_QUANTITY_LENGTH];
    for (size_t i = 0; i < WEFT_COUNT_OF(samples); i++)
        CU_ASSERT_STRING_EQUAL(wf_bytes_format_rounded(samples[i].value, text), samples[i].text);
}

static void durations_print_exactly(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } samples[] = {
        {"0s", 0}, {"1ns", 1}, {"100us", 100000}, {"1.5us", 1500}, {"50ms", 50000000}, {"999.999999ms", S - 1}, {"1s", S},
        {"2.5s", 2500000000}, {"1h30m", 5400 * S}, {"1d", 86400 * S}, {"1m0.05s", 60 * S + 50000000}, {"1d1s", 86401 * S},
        {"-1.5ms", -1500000},
        {"106751d23h47m16.854775807s", INT64_MAX}, {"-106751d23h47m16.854775808s", INT64_MIN},
    };
    char text[WF_QUANTITY_LENGTH];
    for (size_t i = 0; i < WEFT_COUNT_OF(samples); i++) CU_ASSERT_STRING_EQUAL(wf_duration_format(samples[i].value, text), samples[i].text);
}

static uint64_t random_bits(unsigned short state[3])
{
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) bits = bits << 16 | ((uint64_t)nrand48(state) & 0xffff);
    return bits;
}

/* Of every magnitude, half of them round in binary or in decimal. */
static uint64_t random_quantity(unsigned short state[3])
{
    uint64_t value = random_bits(state) >> (random_bits(state) % 64);
    switch (random_bits(state) % 4) {
    case 0: return value & ~UINT64_C(0) << (random_bits(state) % 64);
    case 1: return value - value % 1000000;
    default: return value;
    }
}

static void printed_quantities_read_back_the_same(void)
{
    unsigned seed = (unsigned)time(NULL);
    unsigned short state[3] = {(unsigned short)seed, (unsigned short)(seed >> 16), 1};
    int wrong = 0;
    printf("    seed=%u\n", seed);
    for (int i = 0; i < 20000; i++) {
        char text[WF_QUANTITY_LENGTH];
        uint64_t bytes = random_quantity(state), bytes_back = ~bytes;
        int64_t ns = (int64_t)(random_quantity(state) >> 1), ns_back = ~ns;
        wrong += wf_bytes_parse(wf_bytes_format(bytes, text), &bytes_back, NULL) != WEFT_OK || bytes_back != bytes;
        wrong += wf_duration_parse(wf_duration_format(ns, text), &ns_back, NULL) != WEFT_OK || ns_back != ns;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(sizes_are_read_in_all_units),
        WEFT_TEST(fractions_of_a_byte_are_dropped_exactly),
        WEFT_TEST(what_is_not_a_size_is_refused_and_changes_nothing),
        WEFT_TEST(durations_are_read_in_components),
        WEFT_TEST(durations_are_read_as_batch_systems_write_them),
        WEFT_TEST(what_is_not_a_duration_is_refused_and_changes_nothing),
        WEFT_TEST(whole_numbers_are_read_and_the_rest_refused),
        WEFT_TEST(sizes_print_in_the_largest_unit_that_is_exact),
        WEFT_TEST(sizes_print_rounded_for_reading),
        WEFT_TEST(durations_print_exactly),
        WEFT_TEST(printed_quantities_read_back_the_same),
    };
    return weft_test_run("base/quantity", cases, WEFT_COUNT_OF(cases));
}
