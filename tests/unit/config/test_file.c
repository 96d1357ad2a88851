#include "config/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft_test.h"

/* Reads a file of these bytes into a fresh configuration; *config is NULL where that failed. "@" in messages stands for the file's name. */
static weft_status read_bytes(const char *bytes, size_t count, weft_config **config, weft_error *err)
{
    char path[] = "/tmp/weft_file_XXXXXX";
    int descriptor = mkstemp(path);
    CU_ASSERT_FATAL(descriptor >= 0);
    CU_ASSERT_EQUAL(write(descriptor, bytes, count), (ssize_t)count);
    close(descriptor);
    clearenv();
    setenv("WEFT_SITE_CONFIG", "/dev/null", 1);
    CU_ASSERT_EQUAL_FATAL(weft_config_create(config, NULL), WEFT_OK);
    weft_status status = wf_config_read_file(*config, path, NULL, err);
    unlink(path);
    if (status) {
        weft_config_destroy(*config);
        *config = NULL;
        CU_ASSERT_EQUAL(strncmp(err->text, path, strlen(path)), 0);
        memmove(err->text, err->text + strlen(path), strlen(err->text) - strlen(path) + 1);
    }
    return status;
}

static weft_config *read_good(const char *text)
{
    weft_config *config = NULL;
    weft_error err = WEFT_ERROR_INIT;
    if (read_bytes(text, strlen(text), &config, &err)) printf("    %s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    return config;
}

static void fails_with(const char *text, weft_status expected, const char *message)
{
    weft_config *config = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(read_bytes(text, strlen(text), &config, &err), expected);
    if (strncmp(err.text, message, strlen(message)) != 0) printf("    %s\n", err.text);
    CU_ASSERT_EQUAL(strncmp(err.text, message, strlen(message)), 0);
    weft_config_destroy(config);
}

static void comments_blanks_and_any_line_ends_are_read(void)
{
    weft_config *config = read_good("\xef\xbb\xbf# a comment = no key\r\n\r\n; another\n"
                                    "  [pool] ; of cores\n\tthreads=3 ; three\r\n   pin : off\n"
                                    "[memory]\nlimit =   1 GiB\n[log]\nlevel = debug");
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 3);
    CU_ASSERT_FALSE(weft_config_bool(config, "pool.pin"));
    CU_ASSERT_STRING_EQUAL(weft_config_text(config, "log.level"), "debug");
    weft_config_destroy(config);
}

static void a_full_key_may_stand_before_any_section(void)
{
    weft_config *config = read_good("pool.threads = 9\n");
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 9);
    weft_config_destroy(config);
}

static void the_last_of_two_values_counts(void)
{
    weft_config *config = read_good("[pool]\nthreads = 1\nthreads = 2\n");
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(weft_config_origin(config, "pool.threads"), ":3"));
    weft_config_destroy(config);
}

static void an_empty_file_changes_nothing(void)
{
    weft_config *config = read_good("");
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "pool.threads"), "default");
    weft_config_destroy(config);
}

static void an_unknown_key_names_its_line_and_the_nearest_key(void)
{
    fails_with("# x\n[pool]\n\nthread = 4\n", WEFT_ENOENT, ":4: unknown key \"pool.thread\"; did you mean \"pool.threads\"?");
    fails_with("[pol]\nthreads = 4\n", WEFT_ENOENT, ":2: unknown key \"pol.threads\"; did you mean \"pool.threads\"?");
    fails_with("[pool]\npool.threads = 4\n", WEFT_ENOENT, ":2: unknown key \"pool.pool.threads\"");
    fails_with("[pool]\n= 4\n", WEFT_ENOENT, ":2: unknown key \"pool.\"");
}

static void a_bad_value_names_its_line(void)
{
    fails_with("[pool]\nthreads = 4\n[log]\nlevel = loud\n[pool]\nthreads = 5\n", WEFT_EINVAL,
               ":4: log.level: \"loud\" is not one of its choices; allowed: error, warning, info, debug or off");
    fails_with("[pool]\nthreads =\n", WEFT_EINVAL, ":2: pool.threads: \"\" is not a whole number");
    fails_with("[pool]\nthreads = 4 # cores\n", WEFT_EINVAL, ":2: pool.threads: \"4 # cores\" is not a whole number");
}

static void an_indented_line_does_not_continue_the_value_above(void)
{
    fails_with("[pool]\nthreads = 4\n  8\n", WEFT_EINVAL, ":3: neither \"[section]\" nor \"key = value\"");
}

static void a_malformed_line_is_named_even_when_a_later_one_fails_too(void)
{
    fails_with("[pool]\nthreads 4\n", WEFT_EINVAL, ":2: neither \"[section]\" nor \"key = value\"");
    fails_with("[pool\nthreads = 4\n", WEFT_EINVAL, ":1: neither");
    fails_with("[pool]\nthreads 4\npin = maybe\n", WEFT_EINVAL, ":2: neither");
    fails_with("[pool]\nthreads = x\npin\n", WEFT_EINVAL, ":2: pool.threads: \"x\"");
    fails_with("[pool] threads = 4\n", WEFT_EINVAL, ":1: text after the section");
}

static void a_line_too_long_for_the_parser_is_an_error(void)
{
    char text[2000] = "[pool]\nthreads = 4";
    memset(text + strlen(text), ' ', 200);
    strcat(text, "8\n");
    fails_with(text, WEFT_EINVAL, ":2: the line is too long");
}

static void bytes_that_are_not_text_are_an_error(void)
{
    static const char bytes[] = "[pool]\nthreads = 4\0 8\n";
    weft_config *config = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(read_bytes(bytes, sizeof bytes - 1, &config, &err), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, ":2: holds a NUL byte; a configuration file is text");
    weft_config_destroy(config);
}

static void a_missing_file_is_skipped_unless_a_variable_named_it(void)
{
    weft_config *config = read_good("");
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_config_read_file(config, "/nowhere/weft.ini", NULL, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_config_read_file(config, "/dev/null/weft.ini", NULL, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_config_read_file(config, "/nowhere/weft.ini", "WEFT_CONFIG", &err), WEFT_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/weft.ini, named by WEFT_CONFIG"));
    weft_config_destroy(config);
}

static void a_folder_in_place_of_a_file_is_an_error(void)
{
    weft_config *config = read_good("");
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_config_read_file(config, "/tmp", NULL, &err), WEFT_EIO);
    CU_ASSERT_STRING_EQUAL(err.text, "cannot read /tmp: Is a directory; name a text file");
    weft_config_destroy(config);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(comments_blanks_and_any_line_ends_are_read),
        WEFT_TEST(a_full_key_may_stand_before_any_section),
        WEFT_TEST(the_last_of_two_values_counts),
        WEFT_TEST(an_empty_file_changes_nothing),
        WEFT_TEST(an_unknown_key_names_its_line_and_the_nearest_key),
        WEFT_TEST(a_bad_value_names_its_line),
        WEFT_TEST(an_indented_line_does_not_continue_the_value_above),
        WEFT_TEST(a_malformed_line_is_named_even_when_a_later_one_fails_too),
        WEFT_TEST(a_line_too_long_for_the_parser_is_an_error),
        WEFT_TEST(bytes_that_are_not_text_are_an_error),
        WEFT_TEST(a_missing_file_is_skipped_unless_a_variable_named_it),
        WEFT_TEST(a_folder_in_place_of_a_file_is_an_error),
    };
    return weft_test_run("config/file", cases, WEFT_COUNT_OF(cases));
}
