#include "config/environment.h"

#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

static weft_config *create(void)
{
    weft_config *config = NULL;
    clearenv();
    setenv("WEFT_SITE_CONFIG", "/dev/null", 1);
    CU_ASSERT_EQUAL_FATAL(weft_config_create(&config, NULL), WEFT_OK);
    return config;
}

static void fails_with(const char *variable, weft_status expected, const char *message)
{
    weft_config *config = create();
    weft_error err = WEFT_ERROR_INIT;
    char *copy = strdup(variable), *variables[] = {copy, NULL};
    CU_ASSERT_EQUAL(wf_config_read_environment(config, variables, &err), expected);
    if (strcmp(err.text, message) != 0) printf("    %s\n", err.text);
    CU_ASSERT_STRING_EQUAL(err.text, message);
    free(copy);
    weft_config_destroy(config);
}

static void variables_set_their_keys(void)
{
    char threads[] = "WEFT_POOL__THREADS=3", fan_in[] = "WEFT_LINALG__TSQR_FAN_IN=8", limit[] = "WEFT_MEMORY__LIMIT=2GiB";
    char *variables[] = {threads, fan_in, limit, NULL};
    weft_config *config = create();
    CU_ASSERT_EQUAL(wf_config_read_environment(config, variables, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 3);
    CU_ASSERT_EQUAL(weft_config_int(config, "linalg.tsqr_fan_in"), 8);
    CU_ASSERT_EQUAL(weft_config_bytes(config, "memory.limit"), 2147483648);
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "linalg.tsqr_fan_in"), "environment WEFT_LINALG__TSQR_FAN_IN");
    weft_config_destroy(config);
}

static void other_variables_are_left_alone(void)
{
    char a[] = "WEFT_CONFIG=x", b[] = "WEFT_SITE_CONFIG=y", c[] = "PATH=/bin", d[] = "XWEFT_POOL__THREDS=4", e[] = "weft_pool__threds=4";
    char f[] = "WEFT_JOB_ID=4", g[] = "NO_EQUALS_SIGN", h[] = "WEFT_=1", i[] = "=", j[] = "WEFTPOOL__THREDS=4", k[] = "WEFT_JOB_LEVEL=4";
    char *variables[] = {a, b, c, d, e, f, g, h, i, j, k, NULL};
    weft_config *config = create();
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_config_read_environment(config, variables, &err), WEFT_OK);
    CU_ASSERT_STRING_EQUAL(err.text, "");
    weft_config_destroy(config);
}

static void an_unknown_variable_names_the_nearest(void)
{
    fails_with("WEFT_POOL__THREDS=4", WEFT_ENOENT, "environment WEFT_POOL__THREDS: no such key; did you mean WEFT_POOL__THREADS?");
    fails_with("WEFT_POOL__threads=4", WEFT_ENOENT, "environment WEFT_POOL__threads: no such key; did you mean WEFT_POOL__THREADS?");
    fails_with("WEFT_POOL__=4", WEFT_ENOENT, "environment WEFT_POOL__: no such key; unset it; `weft config` lists the keys");
    fails_with("WEFT__THREADS=4", WEFT_ENOENT, "environment WEFT__THREADS: no such key; did you mean WEFT_POOL__THREADS?");
    fails_with("WEFT_FOO__BAR=4", WEFT_ENOENT, "environment WEFT_FOO__BAR: no such key; unset it; `weft config` lists the keys");
}

static void a_single_underscore_is_taken_for_a_slip(void)
{
    fails_with("WEFT_LOG_LEVEL=info", WEFT_ENOENT,
               "environment WEFT_LOG_LEVEL: section and key are joined by two underscores; write WEFT_LOG__LEVEL");
    fails_with("WEFT_LINALG_TSQR_FAN_IN=4", WEFT_ENOENT,
               "environment WEFT_LINALG_TSQR_FAN_IN: section and key are joined by two underscores; write WEFT_LINALG__TSQR_FAN_IN");
}

static void a_bad_value_names_its_variable(void)
{
    fails_with("WEFT_LINALG__TSQR_FAN_IN=1", WEFT_EINVAL,
               "environment WEFT_LINALG__TSQR_FAN_IN: linalg.tsqr_fan_in: 1 is out of range; allowed: 2 to 16");
    fails_with("WEFT_POOL__PIN=", WEFT_EINVAL,
               "environment WEFT_POOL__PIN: pool.pin: \"\" is neither true nor false; allowed: true, false, on, off, yes, no, 1 or 0");
}

static void a_name_of_any_length_is_refused_without_harm(void)
{
    char variable[5000];
    weft_config *config = create();
    weft_error err = WEFT_ERROR_INIT;
    memset(variable, 'A', sizeof variable);
    memcpy(variable, "WEFT_POOL__", 11);
    memcpy(variable + sizeof variable - 3, "=4", 3);
    char *variables[] = {variable, NULL};
    CU_ASSERT_EQUAL(wf_config_read_environment(config, variables, &err), WEFT_ENOENT);
    CU_ASSERT_EQUAL(strncmp(err.text, "environment WEFT_POOL__AAA", 26), 0);
    weft_config_destroy(config);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(variables_set_their_keys),
        WEFT_TEST(other_variables_are_left_alone),
        WEFT_TEST(an_unknown_variable_names_the_nearest),
        WEFT_TEST(a_single_underscore_is_taken_for_a_slip),
        WEFT_TEST(a_bad_value_names_its_variable),
        WEFT_TEST(a_name_of_any_length_is_refused_without_harm),
    };
    return weft_test_run("config/environment", cases, WEFT_COUNT_OF(cases));
}
