#include "topology/cpuset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

static wf_cpuset set_of(const int *pus, size_t count)
{
    wf_cpuset set = {{0}};
    for (size_t i = 0; i < count; i++) wf_cpuset_add(&set, pus[i]);
    return set;
}

static void the_list_form_joins_neighbours_in_any_order(void)
{
    static const struct {
        int pus[5];
        size_t count;
        const char *text;
    } cases[] = {
        {{0}, 0, ""}, {{0}, 1, "0"}, {{8, 3, 1, 0, 2}, 5, "0-3,8"}, {{5, 5}, 2, "5"}, {{64, 63}, 2, "63-64"},
        {{8191, 8190}, 2, "8190-8191"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        wf_cpuset set = set_of(cases[i].pus, cases[i].count);
        char text[64];
        CU_ASSERT_EQUAL(wf_cpuset_format(&set, text, sizeof text), strlen(cases[i].text));
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
    wf_cpuset all = {{0}};
    char text[64];
    for (int pu = 0; pu < WF_CPUSET_MAX_PUS; pu++) wf_cpuset_add(&all, pu);
    wf_cpuset_format(&all, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "0-8191");
}

static void text_that_does_not_fit_is_cut_and_its_length_told(void)
{
    wf_cpuset set = set_of((const int[]){0, 1, 2, 3, 8}, 5);
    for (int pu = 100; pu <= 200; pu++) wf_cpuset_add(&set, pu);
    char text[7];
    CU_ASSERT_EQUAL(wf_cpuset_format(&set, text, sizeof text), strlen("0-3,8,100-200"));
    CU_ASSERT_STRING_EQUAL(text, "0-3,8,");
    CU_ASSERT_EQUAL(wf_cpuset_format(&set, NULL, 0), strlen("0-3,8,100-200"));
}

static void the_longest_text_fits(void)
{
    static char text[WF_CPUSET_TEXT_BYTES], expected[WF_CPUSET_TEXT_BYTES];
    wf_cpuset set = {{0}};
    size_t length = 0;
    for (int pu = 0; pu < WF_CPUSET_MAX_PUS; pu += 2) {
        wf_cpuset_add(&set, pu);
        length += (size_t)snprintf(expected + length, sizeof expected - length, "%s%d", pu ? "," : "", pu);
    }
    CU_ASSERT_TRUE(wf_cpuset_format(&set, text, sizeof text) < sizeof text);
    CU_ASSERT_STRING_EQUAL(text, expected);
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
        WEFT_TEST(the_list_form_joins_neighbours_in_any_order),
        WEFT_TEST(text_that_does_not_fit_is_cut_and_its_length_told),
        WEFT_TEST(the_longest_text_fits),
        WEFT_TEST(sets_behave_like_arrays_of_flags),
    };
    return weft_test_run("topology/cpuset", cases, WEFT_COUNT_OF(cases));
}
