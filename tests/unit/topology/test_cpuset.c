#include "topology/cpuset.h"

#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

static void list_form_is_read_and_written_back(void)
{
    static const char *const texts[][2] = {
        {"", ""}, {"0", "0"}, {"0-3,8", "0-3,8"}, {" 0-3,8\n", "0-3,8"}, {"8,0-3", "0-3,8"}, {"0,1,2", "0-2"},
        {"5-5", "5"}, {"0-10,5-20", "0-20"}, {"63-64", "63-64"}, {"8190-8191", "8190-8191"}, {"0-8191", "0-8191"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(texts); i++) {
        wf_cpuset set;
        char text[64];
        CU_ASSERT_EQUAL(wf_cpuset_parse(texts[i][0], &set, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(wf_cpuset_format(&set, text, sizeof text), strlen(texts[i][1]));
        CU_ASSERT_STRING_EQUAL(text, texts[i][1]);
    }
}

static void malformed_lists_are_refused_and_leave_the_set_alone(void)
{
    static const char *const texts[] = {"a", "1,", ",1", "1,,2", "3-1", "1-", "-1", "1 2", "0x3", "8192", "0-8192", "1-2-3", "1, 2",
                                        "99999999999"};
    for (size_t i = 0; i < WEFT_COUNT_OF(texts); i++) {
        wf_cpuset set = {{42}};
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(wf_cpuset_parse(texts[i], &set, &err), WEFT_EINVAL);
        CU_ASSERT_EQUAL(set.words[0], 42);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0-3,8"));
    }
}

static void text_that_does_not_fit_is_cut_and_its_length_told(void)
{
    wf_cpuset set;
    CU_ASSERT_EQUAL(wf_cpuset_parse("0-3,8,100-200", &set, NULL), WEFT_OK);
    char text[7];
    CU_ASSERT_EQUAL(wf_cpuset_format(&set, text, sizeof text), strlen("0-3,8,100-200"));
    CU_ASSERT_STRING_EQUAL(text, "0-3,8,");
    CU_ASSERT_EQUAL(wf_cpuset_format(&set, NULL, 0), strlen("0-3,8,100-200"));
}

static void the_longest_text_fits(void)
{
    wf_cpuset set = {{0}}, back;
    for (int pu = 0; pu < WF_CPUSET_MAX_PUS; pu += 2)
        wf_cpuset_add(&set, pu);
    char *text = malloc(WF_CPUSET_TEXT_BYTES);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_TRUE(wf_cpuset_format(&set, text, WF_CPUSET_TEXT_BYTES) < WF_CPUSET_TEXT_BYTES);
    CU_ASSERT_EQUAL(wf_cpuset_parse(text, &back, NULL), WEFT_OK);
    CU_ASSERT_TRUE(wf_cpuset_is_equal(&set, &back));
    free(text);
}

static void sets_behave_like_arrays_of_flags(void)
{
    static bool a[WF_CPUSET_MAX_PUS], b[WF_CPUSET_MAX_PUS];
    wf_cpuset set_a = {{0}}, set_b = {{0}};
    srand(7);
    for (int i = 0; i < 500; i++) {
        int pu_a = rand() % WF_CPUSET_MAX_PUS, pu_b = rand() % WF_CPUSET_MAX_PUS;
        a[pu_a] = b[pu_b] = true;
        wf_cpuset_add(&set_a, pu_a);
        wf_cpuset_add(&set_b, pu_b);
    }
    wf_cpuset both = set_a, either = set_a;
    wf_cpuset_intersect(&both, &set_b);
    wf_cpuset_unite(&either, &set_b);
    int count = 0, both_count = 0, next = wf_cpuset_next(&set_a, -1);
    for (int pu = 0; pu < WF_CPUSET_MAX_PUS; pu++) {
        CU_ASSERT_EQUAL(wf_cpuset_has(&both, pu), a[pu] && b[pu]);
        CU_ASSERT_EQUAL(wf_cpuset_has(&either, pu), a[pu] || b[pu]);
        count += a[pu];
        both_count += a[pu] && b[pu];
        if (!a[pu]) continue;
        CU_ASSERT_EQUAL(next, pu);
        next = wf_cpuset_next(&set_a, pu);
    }
    CU_ASSERT_EQUAL(next, -1);
    CU_ASSERT_EQUAL(wf_cpuset_count(&set_a), count);
    CU_ASSERT_EQUAL(wf_cpuset_has_overlap(&set_a, &set_b), both_count > 0);
    CU_ASSERT_FALSE(wf_cpuset_has(&set_a, -1));
    CU_ASSERT_FALSE(wf_cpuset_has(&set_a, WF_CPUSET_MAX_PUS));
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(list_form_is_read_and_written_back),
        WEFT_TEST(malformed_lists_are_refused_and_leave_the_set_alone),
        WEFT_TEST(text_that_does_not_fit_is_cut_and_its_length_told),
        WEFT_TEST(the_longest_text_fits),
        WEFT_TEST(sets_behave_like_arrays_of_flags),
    };
    return weft_test_run("topology/cpuset", cases, WEFT_COUNT_OF(cases));
}
