#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weft_test.h"

static const char *const options[] = {"--rows", "--cols", "--chunk", "--components", "--threads", "--json", "-o"};

static const char *nearest_option(const char *name)
{
    return wf_nearest_of(name, options, WEFT_COUNT_OF(options));
}

static void a_letter_missing_extra_changed_or_swapped_is_near(void)
{
    CU_ASSERT_STRING_EQUAL(nearest_option("--thread"), "--threads");
    CU_ASSERT_STRING_EQUAL(nearest_option("--rowss"), "--rows");
    CU_ASSERT_STRING_EQUAL(nearest_option("--chank"), "--chunk");
    CU_ASSERT_STRING_EQUAL(nearest_option("--jsno"), "--json");
    CU_ASSERT_STRING_EQUAL(nearest_option("--COMPONENTS"), "--components");
}

static void what_resembles_nothing_has_no_nearest(void)
{
    CU_ASSERT_PTR_NULL(nearest_option("--frobnicate"));
    CU_ASSERT_PTR_NULL(nearest_option("--cumpunints_")); /* four letters, however long the name */
    CU_ASSERT_PTR_NULL(nearest_option(""));
    CU_ASSERT_PTR_NULL(nearest_option("-p"));
    CU_ASSERT_PTR_NULL(wf_nearest_of("--rows", options, 0));
}

static void the_nearer_name_wins_and_the_first_of_equals_stays(void)
{
    static const char *const known[] = {"gemm_tn", "gemm_nn", "gemm_nt"};
    CU_ASSERT_STRING_EQUAL(wf_nearest_of("gemm_nn", known, 3), "gemm_nn");
    CU_ASSERT_STRING_EQUAL(wf_nearest_of("gemm_tt", known, 3), "gemm_tn");
}

static void very_long_names_are_never_near(void)
{
    char longest[64], too_long[65];
    memset(longest, 'x', sizeof longest);
    memset(too_long, 'x', sizeof too_long);
    longest[63] = '\0';
    too_long[64] = '\0';
    const char *known[] = {longest};
    CU_ASSERT_PTR_EQUAL(wf_nearest_of(longest, known, 1), longest);
    CU_ASSERT_PTR_NULL(wf_nearest_of(too_long, known, 1));
    known[0] = too_long;
    CU_ASSERT_PTR_NULL(wf_nearest_of(longest, known, 1));
}

/* The definition, recursively: the fewest changes, removals, insertions and swaps of neighbours that make a into b. */
static size_t distance_by_definition(const char *a, size_t m, const char *b, size_t n)
{
    if (m == 0 || n == 0) return m + n;
    size_t least = distance_by_definition(a, m - 1, b, n - 1) + (tolower(a[m - 1]) != tolower(b[n - 1]));
    size_t other = distance_by_definition(a, m - 1, b, n) + 1;
    if (other < least) least = other;
    other = distance_by_definition(a, m, b, n - 1) + 1;
    if (other < least) least = other;
    if (m > 1 && n > 1 && tolower(a[m - 1]) == tolower(b[n - 2]) && tolower(a[m - 2]) == tolower(b[n - 1])) {
        other = distance_by_definition(a, m - 2, b, n - 2) + 1;
        if (other < least) least = other;
    }
    return least;
}

static void random_word(unsigned short state[3], char word[8])
{
    size_t length = (size_t)nrand48(state) % 8;
    for (size_t i = 0; i < length; i++) word[i] = "abAc"[nrand48(state) % 4];
    word[length] = '\0';
}

static void random_words_are_as_far_apart_as_the_definition_says(void)
{
    unsigned seed = (unsigned)time(NULL);
    unsigned short state[3] = {(unsigned short)seed, (unsigned short)(seed >> 16), 2};
    int wrong = 0, near = 0;
    printf("    seed=%u\n", seed);
    for (int i = 0; i < 2000; i++) {
        char a[8], b[8];
        random_word(state, a);
        random_word(state, b);
        wf_nearest nearest = WF_NEAREST_INIT(a);
        wf_nearest_offer(&nearest, b);
        size_t longer = strlen(a) > strlen(b) ? strlen(a) : strlen(b);
        size_t expected = distance_by_definition(a, strlen(a), b, strlen(b));
        bool is_near = expected <= longer / 3;
        near += is_near;
        wrong += is_near ? nearest.found != b || nearest.distance != expected : nearest.found != NULL;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(near > 50);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_letter_missing_extra_changed_or_swapped_is_near),
        WEFT_TEST(what_resembles_nothing_has_no_nearest),
        WEFT_TEST(the_nearer_name_wins_and_the_first_of_equals_stays),
        WEFT_TEST(very_long_names_are_never_near),
        WEFT_TEST(random_words_are_as_far_apart_as_the_definition_says),
    };
    return weft_test_run("base/nearest", cases, WEFT_COUNT_OF(cases));
}
