#include "weft/pinning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

static void shows(const char *pinning, const char *expected)
{
    char text[256];
    pinning_format(pinning, text, sizeof text);
    if (strcmp(text, expected) != 0) printf("    got: %s\n", text);
    CU_ASSERT_STRING_EQUAL(text, expected);
}

static void lines_are_read_one_by_one(void)
{
    const char *cursor = "core 3 (PU 7, NUMA node 1)\nnot pinned";
    pinning_place place;
    CU_ASSERT_TRUE(pinning_next(&cursor, &place));
    CU_ASSERT_TRUE(place.is_pinned && place.core == 3 && place.pu == 7 && place.numa_node == 1);
    CU_ASSERT_TRUE(pinning_next(&cursor, &place));
    CU_ASSERT_TRUE(!place.is_pinned && place.core == -1 && place.pu == -1 && place.numa_node == -1);
    CU_ASSERT_FALSE(pinning_next(&cursor, &place));
    CU_ASSERT_FALSE(pinning_next(&cursor, &place));
}

static void neighbours_become_a_range(void)
{
    shows("core 0 (PU 0, NUMA node 0)", "core 0 (PU 0, NUMA node 0)");
    shows("core 0 (PU 0, NUMA node 0)\ncore 1 (PU 2, NUMA node 0)\ncore 2 (PU 4, NUMA node 1)\ncore 9 (PU 18, NUMA node 1)",
          "cores 0-2,9 (PUs 0,2,4,18, NUMA nodes 0-1)");
}

static void threads_that_share_a_core_name_it_once(void)
{
    shows("core 1 (PU 1, NUMA node 0)\ncore 0 (PU 0, NUMA node 0)\ncore 1 (PU 1, NUMA node 0)", "cores 0-1 (PUs 0-1, NUMA node 0)");
}

static void without_pins_or_threads_words_say_so(void)
{
    shows("not pinned\nnot pinned", "not pinned");
    shows("core 1 (PU 1, NUMA node 0)\nnot pinned", "not pinned");
    shows("", "the client's thread");
}

static void a_machine_without_numa_nodes_shows_none(void)
{
    shows("core 1 (PU 1, NUMA node -1)", "core 1 (PU 1)");
}

/* Every second core of thousands: far more than fits. */
static void a_long_list_ends_within_its_room(void)
{
    char *pinning = calloc(3000, 40), *at = pinning, text[64];
    CU_ASSERT_PTR_NOT_NULL_FATAL(pinning);
    for (int i = 0; i < 3000; i++) at += sprintf(at, "core %d (PU %d, NUMA node 0)\n", 2 * i, 2 * i);
    memset(text, 'x', sizeof text);
    pinning_format(pinning, text, sizeof text - 1);
    CU_ASSERT_EQUAL(text[sizeof text - 1], 'x');
    CU_ASSERT_EQUAL(strlen(text), sizeof text - 2);
    CU_ASSERT_EQUAL(strncmp(text, "cores 0,2,4,6,", 14), 0);
    free(pinning);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(lines_are_read_one_by_one),
        WEFT_TEST(neighbours_become_a_range),
        WEFT_TEST(threads_that_share_a_core_name_it_once),
        WEFT_TEST(without_pins_or_threads_words_say_so),
        WEFT_TEST(a_machine_without_numa_nodes_shows_none),
        WEFT_TEST(a_long_list_ends_within_its_room),
    };
    return weft_test_run("weft/pinning", cases, WEFT_COUNT_OF(cases));
}
