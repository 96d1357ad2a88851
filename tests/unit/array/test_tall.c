#include <weft/array.h>

#include <weft_test.h>

#include "array/tall.h"

static void rests_shorter_than_the_columns_go_to_the_chunk_before(void)
{
    weft_tall tall;
    CU_ASSERT_EQUAL_FATAL(weft_tall_init(&tall, 103, 4, 50, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(tall.chunk_count, 2);
    CU_ASSERT_EQUAL(tall.chunk_rows[0], 50);
    CU_ASSERT_EQUAL(tall.chunk_rows[1], 53);
    weft_tall_fini(&tall);
    CU_ASSERT_EQUAL_FATAL(weft_tall_init(&tall, 104, 4, 50, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(tall.chunk_count, 3);
    CU_ASSERT_EQUAL(tall.chunk_rows[2], 4);
    weft_tall_fini(&tall);
    CU_ASSERT_PTR_NULL(tall.chunks);
}

static void chunks_longer_than_the_matrix_are_one(void)
{
    weft_tall tall;
    CU_ASSERT_EQUAL_FATAL(weft_tall_init(&tall, 7, 7, INT64_MAX, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(tall.chunk_count, 1);
    CU_ASSERT_EQUAL(tall.chunk_rows[0], 7);
    weft_tall_fini(&tall);
}

static void cuts_that_cannot_be_made_are_refused(void)
{
    weft_tall tall = {.rows = 1};
    CU_ASSERT_EQUAL(weft_tall_init(&tall, 0, 4, 50, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_tall_init(&tall, 10, 0, 50, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_tall_init(&tall, 10, 4, 0, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_tall_init(&tall, INT64_MAX, WF_MAX_COLS + 1, INT64_MAX, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_tall_init(&tall, 3, 4, 50, NULL), WEFT_ESHAPE);
    CU_ASSERT_EQUAL(weft_tall_init(&tall, 10, 4, 3, NULL), WEFT_ESHAPE);
    CU_ASSERT_EQUAL(tall.rows, 1);
}

static void a_cut_is_repeated_with_other_columns(void)
{
    weft_tall tall, like;
    CU_ASSERT_EQUAL_FATAL(weft_tall_init(&tall, 103, 4, 50, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_tall_init_like(&like, &tall, 1, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(like.rows, 103);
    CU_ASSERT_EQUAL(like.cols, 1);
    CU_ASSERT_EQUAL_FATAL(like.chunk_count, 2); /* one column alone would be cut into three */
    CU_ASSERT_EQUAL(like.chunk_rows[1], 53);
    weft_tall_fini(&like);
    CU_ASSERT_EQUAL(weft_tall_init_like(&like, &tall, 0, NULL), WEFT_EINVAL);
    weft_tall_fini(&tall);
}

static void default_chunks_hold_8_mib_and_are_never_nearly_square(void)
{
    CU_ASSERT_EQUAL(weft_tall_default_chunk_rows(100), 10485);
    CU_ASSERT_EQUAL(weft_tall_default_chunk_rows(1), 1 << 20);
    CU_ASSERT_EQUAL(weft_tall_default_chunk_rows(5000), 10000);
    CU_ASSERT_TRUE(weft_tall_default_chunk_rows(INT64_MAX) > 0);
    CU_ASSERT_TRUE(weft_tall_default_chunk_rows(0) > 0);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(rests_shorter_than_the_columns_go_to_the_chunk_before),
        WEFT_TEST(chunks_longer_than_the_matrix_are_one),
        WEFT_TEST(cuts_that_cannot_be_made_are_refused),
        WEFT_TEST(a_cut_is_repeated_with_other_columns),
        WEFT_TEST(default_chunks_hold_8_mib_and_are_never_nearly_square),
    };
    return weft_test_run("array/tall", cases, WEFT_COUNT_OF(cases));
}
