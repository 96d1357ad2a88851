/* The rule, the overlay, and which of two moves counts. */
#include "cluster/places.h"

#include <stdbool.h>

#include "weft_test.h"

static bool is_at(const wf_places *places, uint32_t partition, int32_t rank, uint32_t moves)
{
    wf_place place = wf_places_get(places, partition);
    return place.rank == rank && place.moves == moves;
}

static void partitions_begin_where_the_rule_says(void)
{
    wf_places places;
    wf_places_init(&places, 12, 1, 4);
    for (uint32_t p = 0; p < 12; p++) CU_ASSERT(is_at(&places, p, 1 + (int32_t)p / 4, 0));
    wf_places_fini(&places);
}

static void a_move_changes_one_partition(void)
{
    wf_places places;
    wf_places_init(&places, 12, 0, 4);
    CU_ASSERT_EQUAL(wf_places_note(&places, 5, (wf_place){0, 1}, NULL), WEFT_OK);
    CU_ASSERT(is_at(&places, 5, 0, 1));
    for (uint32_t p = 0; p < 12; p++) CU_ASSERT(p == 5 || is_at(&places, p, (int32_t)p / 4, 0));
    wf_places_fini(&places);
}

static void the_later_move_wins_in_whatever_sequence_they_are_told(void)
{
    wf_places places;
    wf_places_init(&places, 8, 3, 4);
    wf_places_note(&places, 2, (wf_place){5, 2}, NULL);
    wf_places_note(&places, 2, (wf_place){4, 1}, NULL);
    CU_ASSERT(is_at(&places, 2, 5, 2));
    wf_places_note(&places, 2, (wf_place){7, 2}, NULL); /* the same move cannot have led elsewhere */
    CU_ASSERT(is_at(&places, 2, 5, 2));
    wf_places_note(&places, 2, (wf_place){3, 3}, NULL); /* back where it began is a place of its own */
    CU_ASSERT(is_at(&places, 2, 3, 3));
    wf_places_note(&places, 3, (wf_place){6, 0}, NULL); /* what has not moved is where the rule says */
    CU_ASSERT(is_at(&places, 3, 3, 0));
    wf_places_fini(&places);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(partitions_begin_where_the_rule_says),
        WEFT_TEST(a_move_changes_one_partition),
        WEFT_TEST(the_later_move_wins_in_whatever_sequence_they_are_told),
    };
    return weft_test_run("cluster/places", cases, WEFT_COUNT_OF(cases));
}
