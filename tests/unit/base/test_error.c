#include <weft/status.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

static void a_failure_returns_its_status_and_fills_the_record(void)
{
    weft_error err = WEFT_ERROR_INIT;
    int line = __LINE__ + 1;
    CU_ASSERT_EQUAL(weft_fail(&err, WEFT_ESHAPE, "chunk %d has %d rows", 3, 17), WEFT_ESHAPE);
    CU_ASSERT_EQUAL(err.status, WEFT_ESHAPE);
    CU_ASSERT_EQUAL(err.rank, -1);
    CU_ASSERT_EQUAL(err.line, line);
    CU_ASSERT_STRING_EQUAL(err.text, "chunk 3 has 17 rows");
    CU_ASSERT_STRING_EQUAL(err.task, "");
    CU_ASSERT_STRING_EQUAL(err.file, "tests/unit/base/test_error.c");
}

static void a_record_may_be_null(void)
{
    CU_ASSERT_EQUAL(weft_fail(NULL, WEFT_EIO, "disk %s", "full"), WEFT_EIO);
}

static void a_new_failure_leaves_nothing_of_the_old_one(void)
{
    weft_error err = {WEFT_EKERNEL, 5, 12, "old.c", "qr(3)", "a long text of the failure before this one"};
    weft_fail(&err, WEFT_EINVAL, "new");
    CU_ASSERT_EQUAL(err.rank, -1);
    CU_ASSERT_STRING_EQUAL(err.task, "");
    CU_ASSERT_STRING_EQUAL(err.text, "new");
}

static void the_text_is_one_printable_line(void)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_fail(&err, WEFT_EDATA, "a\nb\rc\td\x1b[31me\x7f gr\xc3\xbc\xc3\x9f");
    CU_ASSERT_STRING_EQUAL(err.text, "a b c d [31me  gr\xc3\xbc\xc3\x9f");
}

static void long_text_and_file_names_are_cut_within_the_record(void)
{
    weft_error err;
    char text[2000], file[200];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    memset(file, 'f', sizeof file);
    file[sizeof file - 1] = '\0';
    weft_fail_at(&err, WEFT_EDATA, file, 1, "%s", text);
    CU_ASSERT_EQUAL(strlen(err.text), sizeof err.text - 1);
    CU_ASSERT_EQUAL(strlen(err.file), sizeof err.file - 1);
}

static void every_status_has_a_name_of_its_own(void)
{
    CU_ASSERT_STRING_EQUAL(weft_status_name(WEFT_OK), "OK");
    CU_ASSERT_STRING_EQUAL(weft_status_name(WEFT_ESHAPE), "ESHAPE");
    CU_ASSERT_STRING_EQUAL(weft_status_name(WEFT_ECANCELLED), "ECANCELLED");
    CU_ASSERT_STRING_EQUAL(weft_status_name(WEFT_EUNSUPPORTED), "EUNSUPPORTED");
    CU_ASSERT_STRING_EQUAL(weft_status_name((weft_status)1000), "?");
    for (int i = 0; i <= WEFT_EUNSUPPORTED; i++) {
        for (int j = 0; j < i; j++) CU_ASSERT_STRING_NOT_EQUAL(weft_status_name((weft_status)i), weft_status_name((weft_status)j));
    }
}

static void a_printed_error_names_program_task_and_rank(void)
{
    weft_error err = WEFT_ERROR_INIT;
    char *text = NULL;
    size_t length = 0;
    weft_fail(&err, WEFT_EKERNEL, "index 617 was told to fail");
    FILE *stream = open_memstream(&text, &length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    weft_error_print(stream, "build/bin/mine", &err);
    strcpy(err.task, "make #617");
    weft_error_print(stream, "mine", &err);
    err.rank = 2;
    weft_error_print(stream, "mine", &err);
    fclose(stream);
    CU_ASSERT_STRING_EQUAL(text, "mine: index 617 was told to fail\n"
                                 "mine: make #617: index 617 was told to fail\n"
                                 "mine: make #617 on rank 2: index 617 was told to fail\n");
    free(text);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_printed_error_names_program_task_and_rank),
        WEFT_TEST(a_failure_returns_its_status_and_fills_the_record),
        WEFT_TEST(a_record_may_be_null),
        WEFT_TEST(a_new_failure_leaves_nothing_of_the_old_one),
        WEFT_TEST(the_text_is_one_printable_line),
        WEFT_TEST(long_text_and_file_names_are_cut_within_the_record),
        WEFT_TEST(every_status_has_a_name_of_its_own),
    };
    return weft_test_run("base/error", cases, WEFT_COUNT_OF(cases));
}
