#include "config/keys.h"

#include <string.h>

#include "weft_test.h"

static const wf_key *key_named(const char *name)
{
    size_t index = wf_key_find(name);
    CU_ASSERT_FATAL(index < wf_key_count());
    return wf_key_at(index);
}

static void every_row_is_in_order_and_found_by_its_name(void)
{
    CU_ASSERT(wf_key_count() >= 12);
    for (size_t i = 0; i < wf_key_count(); i++) {
        if (i > 0) CU_ASSERT(strcmp(wf_key_at(i - 1)->name, wf_key_at(i)->name) < 0);
        CU_ASSERT_EQUAL(wf_key_find(wf_key_at(i)->name), i);
    }
}

static void every_name_is_section_dot_key_in_small_letters(void)
{
    for (size_t i = 0; i < wf_key_count(); i++) {
        const char *name = wf_key_at(i)->name, *dot = strchr(name, '.');
        CU_ASSERT_PTR_NOT_NULL_FATAL(dot);
        CU_ASSERT(dot > name && dot[1] != '\0' && !strchr(dot + 1, '.'));
        CU_ASSERT_PTR_NULL(strstr(name, "__"));
        CU_ASSERT_EQUAL(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_."), strlen(name));
        CU_ASSERT(strlen(name) < 48);
    }
}

static void every_default_passes_its_own_check_and_every_key_is_explained(void)
{
    for (size_t i = 0; i < wf_key_count(); i++) {
        const wf_key *key = wf_key_at(i);
        int64_t number;
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(wf_key_parse(key, key->initial, &number, &err), WEFT_OK);
        CU_ASSERT(strlen(key->doc) > 10 && strlen(key->doc) < 100 && !strchr(key->doc, '\n'));
        CU_ASSERT_EQUAL(key->type == WF_KEY_CHOICE, key->choices != NULL);
    }
}

static void names_that_are_not_keys_are_not_found(void)
{
    static const char *const names[] = {"", "pool", "pool.", ".threads", "pool.thread", "pool.threadss", "POOL.THREADS", "zzz.zzz", "a.a"};
    for (size_t i = 0; i < WEFT_COUNT_OF(names); i++) CU_ASSERT_EQUAL(wf_key_find(names[i]), wf_key_count());
}

static void a_mistyped_name_has_its_nearest_key(void)
{
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("pool.thread"), "pool.threads");
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("Pool.Threads"), "pool.threads");
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("tranport.eager_byte"), "transport.eager_bytes");
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("threads"), "pool.threads");
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("exec.progress_intervall"), "scheduler.progress_interval");
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("pool.kind"), "scheduler.kind");
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("pool.kin"), "pool.pin");
    CU_ASSERT_STRING_EQUAL(wf_key_nearest("pool.pn"), "pool.pin");
    CU_ASSERT_PTR_NULL(wf_key_nearest("colour.of_the_bikeshed"));
    CU_ASSERT_PTR_NULL(wf_key_nearest(""));
}

static void numbers_are_kept_within_their_range(void)
{
    int64_t number = 0;
    CU_ASSERT_EQUAL(wf_key_parse(key_named("linalg.tsqr_fan_in"), "2", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(number, 2);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("linalg.tsqr_fan_in"), "16", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("linalg.tsqr_fan_in"), "1", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("linalg.tsqr_fan_in"), "17", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("linalg.tsqr_fan_in"), "0", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("pool.threads"), "-1", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("pool.threads"), "four", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(number, 16);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("pool.threads"), "0", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(number, 0);
}

static void sizes_and_durations_are_kept_within_their_range(void)
{
    int64_t number = 0;
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.eager_bytes"), "1MiB", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(number, 1048576);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.eager_bytes"), "1048577", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.eager_bytes"), "255", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.eager_bytes"), "15EiB", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.idle_sleep"), "10us", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(number, 10000);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.idle_sleep"), "9999ns", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.idle_sleep"), "0.1", &number, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(number, 100000000);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("transport.idle_sleep"), "101ms", &number, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_key_parse(key_named("memory.limit"), "7EiB", &number, NULL), WEFT_OK);
}

static void truth_has_four_spellings_each_way(void)
{
    static const char *const yes[] = {"true", "on", "yes", "1"}, *const no[] = {"false", "off", "no", "0"};
    static const char *const junk[] = {"", "2", "True", "o", "yess"};
    for (size_t i = 0; i < 4; i++) {
        int64_t number = 77;
        CU_ASSERT_EQUAL(wf_key_parse(key_named("pool.pin"), yes[i], &number, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(number, 1);
        CU_ASSERT_EQUAL(wf_key_parse(key_named("pool.pin"), no[i], &number, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(number, 0);
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(junk); i++) {
        int64_t number = 77;
        CU_ASSERT_EQUAL(wf_key_parse(key_named("pool.pin"), junk[i], &number, NULL), WEFT_EINVAL);
        CU_ASSERT_EQUAL(number, 77);
    }
}

static void a_choice_is_one_of_its_words_and_no_part_of_them(void)
{
    static const char *const good[] = {"auto", "sync", "threads", "mpi"};
    static const char *const bad[] = {"", "aut", "autos", "auto|sync", "|", "thread", "Mpi", "mp"};
    const wf_key *key = key_named("scheduler.kind");
    int64_t number;
    for (size_t i = 0; i < WEFT_COUNT_OF(good); i++) CU_ASSERT_EQUAL(wf_key_parse(key, good[i], &number, NULL), WEFT_OK);
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) CU_ASSERT_EQUAL(wf_key_parse(key, bad[i], &number, NULL), WEFT_EINVAL);
}

static void an_error_names_the_key_the_value_and_what_is_allowed(void)
{
    int64_t number;
    weft_error err = WEFT_ERROR_INIT;
    wf_key_parse(key_named("linalg.tsqr_fan_in"), "99", &number, &err);
    CU_ASSERT_STRING_EQUAL(err.text, "linalg.tsqr_fan_in: 99 is out of range; allowed: 2 to 16");
    wf_key_parse(key_named("scheduler.compute"), "maybe", &number, &err);
    CU_ASSERT_STRING_EQUAL(err.text, "scheduler.compute: \"maybe\" is not one of its choices; allowed: auto, on or off");
    wf_key_parse(key_named("pool.threads"), "many", &number, &err);
    CU_ASSERT_STRING_EQUAL(err.text, "pool.threads: \"many\" is not a whole number; allowed: 0 (one per core), or 1 to 65536");
}

static void allowed_values_are_spelled_out(void)
{
    char text[WF_KEY_TEXT_LENGTH];
    CU_ASSERT_STRING_EQUAL(wf_key_allowed(key_named("transport.eager_bytes"), text), "256B to 1MiB");
    CU_ASSERT_STRING_EQUAL(wf_key_allowed(key_named("transport.idle_sleep"), text), "10us to 100ms");
    CU_ASSERT_STRING_EQUAL(wf_key_allowed(key_named("memory.limit"), text), "0 (from the batch system, cgroup or machine), or 1B or more");
    CU_ASSERT_STRING_EQUAL(wf_key_allowed(key_named("log.level"), text), "error, warning, info, debug or off");
}

static void values_print_with_their_unit(void)
{
    char text[WF_KEY_TEXT_LENGTH];
    CU_ASSERT_STRING_EQUAL(wf_key_format(key_named("transport.eager_bytes"), "8192", 8192, text), "8KiB");
    CU_ASSERT_STRING_EQUAL(wf_key_format(key_named("transport.idle_sleep"), "0.001", 1000000, text), "1ms");
    CU_ASSERT_STRING_EQUAL(wf_key_format(key_named("partition.per_rank"), "4", 4, text), "4 partitions");
    CU_ASSERT_STRING_EQUAL(wf_key_format(key_named("pool.threads"), "0", 0, text), "0 (one per core)");
    CU_ASSERT_STRING_EQUAL(wf_key_format(key_named("pool.pin"), "on", 1, text), "true");
    CU_ASSERT_STRING_EQUAL(wf_key_format(key_named("log.level"), "info", 0, text), "info");
}

static void environment_names_join_section_and_key_by_two_underscores(void)
{
    char text[WF_KEY_TEXT_LENGTH];
    CU_ASSERT_STRING_EQUAL(wf_key_environment_name(key_named("linalg.tsqr_fan_in"), text), "WEFT_LINALG__TSQR_FAN_IN");
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(every_row_is_in_order_and_found_by_its_name),
        WEFT_TEST(every_name_is_section_dot_key_in_small_letters),
        WEFT_TEST(every_default_passes_its_own_check_and_every_key_is_explained),
        WEFT_TEST(names_that_are_not_keys_are_not_found),
        WEFT_TEST(a_mistyped_name_has_its_nearest_key),
        WEFT_TEST(numbers_are_kept_within_their_range),
        WEFT_TEST(sizes_and_durations_are_kept_within_their_range),
        WEFT_TEST(truth_has_four_spellings_each_way),
        WEFT_TEST(a_choice_is_one_of_its_words_and_no_part_of_them),
        WEFT_TEST(an_error_names_the_key_the_value_and_what_is_allowed),
        WEFT_TEST(allowed_values_are_spelled_out),
        WEFT_TEST(values_print_with_their_unit),
        WEFT_TEST(environment_names_join_section_and_key_by_two_underscores),
    };
    return weft_test_run("config/keys", cases, WEFT_COUNT_OF(cases));
}
