#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

static void sizes_that_fit_are_multiplied_and_added(void)
{
    size_t result = 0;
    CU_ASSERT_TRUE(wf_size_mul(SIZE_MAX / 2, 2, &result));
    CU_ASSERT_EQUAL(result, SIZE_MAX - 1);
    CU_ASSERT_TRUE(wf_size_mul(SIZE_MAX, 0, &result));
    CU_ASSERT_EQUAL(result, 0);
}

static void sizes_that_do_not_fit_are_refused(void)
{
    size_t result;
    CU_ASSERT_FALSE(wf_size_mul(SIZE_MAX / 2 + 1, 2, &result));
}

static void zeroed_memory_is_zero_and_never_null_when_empty(void)
{
    unsigned char *memory = wf_calloc(100, 3, NULL);
    int nonzero = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    for (int i = 0; i < 300; i++) nonzero += memory[i] != 0;
    CU_ASSERT_EQUAL(nonzero, 0);
    free(memory);
    memory = wf_calloc(0, 8, NULL);
    CU_ASSERT_PTR_NOT_NULL(memory);
    free(memory);
}

static void aligned_memory_starts_a_cache_line(void)
{
    static const size_t counts[] = {0, 1, 7, 8, 9, 1000, 4096};
    for (size_t i = 0; i < WEFT_COUNT_OF(counts); i++) {
        double *memory = wf_aligned_alloc(counts[i], sizeof *memory, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
        CU_ASSERT_EQUAL((uintptr_t)memory % 64, 0);
        if (counts[i]) memset(memory, 1, counts[i] * sizeof *memory); /* a short buffer shows under the address sanitizer */
        free(memory);
    }
}

static void impossible_requests_fail_with_their_size(void)
{
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_PTR_NULL(wf_aligned_alloc(SIZE_MAX / 2, 3, &err));
    CU_ASSERT_EQUAL(err.status, WEFT_ENOMEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "of 3 bytes"));
    CU_ASSERT_PTR_NULL(wf_aligned_alloc(SIZE_MAX - 10, 1, &err));
    CU_ASSERT_PTR_NULL(wf_aligned_alloc(SIZE_MAX, 2, NULL));
}

static void arrays_grow_and_keep_what_they_hold(void)
{
    int *numbers = NULL;
    size_t capacity = 0, moves = 0;
    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        CU_ASSERT_EQUAL_FATAL(wf_grow(&numbers, &capacity, (size_t)i + 1, sizeof *numbers, NULL), WEFT_OK);
        moves += capacity != before;
        numbers[i] = i;
    }
    int wrong = 0;
    for (int i = 0; i < 1000; i++) wrong += numbers[i] != i;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(capacity >= 1000);
    CU_ASSERT(moves <= 8); /* doubling, not one by one */
    free(numbers);
}

static void an_array_that_cannot_grow_stays_as_it_was(void)
{
    int *numbers = NULL;
    size_t capacity = 0;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(wf_grow(&numbers, &capacity, 3, sizeof *numbers, NULL), WEFT_OK);
    int *before = numbers;
    size_t capacity_before = capacity;
    numbers[2] = 5;
    CU_ASSERT_EQUAL(wf_grow(&numbers, &capacity, SIZE_MAX, sizeof *numbers, &err), WEFT_ENOMEM);
    CU_ASSERT_EQUAL(wf_grow(&numbers, &capacity, SIZE_MAX / 2, sizeof *numbers, &err), WEFT_ENOMEM);
    CU_ASSERT_EQUAL(err.status, WEFT_ENOMEM);
    CU_ASSERT_PTR_EQUAL(numbers, before);
    CU_ASSERT_EQUAL(capacity, capacity_before);
    CU_ASSERT_EQUAL(numbers[2], 5);
    free(numbers);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(sizes_that_fit_are_multiplied_and_added),
        WEFT_TEST(sizes_that_do_not_fit_are_refused),
        WEFT_TEST(zeroed_memory_is_zero_and_never_null_when_empty),
        WEFT_TEST(aligned_memory_starts_a_cache_line),
        WEFT_TEST(impossible_requests_fail_with_their_size),
        WEFT_TEST(arrays_grow_and_keep_what_they_hold),
        WEFT_TEST(an_array_that_cannot_grow_stays_as_it_was),
    };
    return weft_test_run("base/memory", cases, WEFT_COUNT_OF(cases));
}
