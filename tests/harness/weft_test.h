/* The form of a unit test program:
 *
 *     static void chain_of_three_becomes_one_task(void) { CU_ASSERT_EQUAL(...); }
 *
 *     int main(void)
 *     {
 *         static const weft_test_case cases[] = {WEFT_TEST(chain_of_three_becomes_one_task), ...};
 *         return weft_test_run("graph/fuse", cases, WEFT_COUNT_OF(cases));
 *     }
 */
#ifndef WEFT_TEST_H
#define WEFT_TEST_H

#include <CUnit/CUnit.h>
#include <stddef.h>

typedef struct weft_test_case {
    const char *name;
    void (*run)(void);
} weft_test_case;

#define WEFT_TEST(function) {#function, function}
#define WEFT_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Runs the cases; prints "ok NAME" or "FAILED NAME" for each, with the failed assertions. Returns main's exit code: 1 if any failed.
 * CUnit's own return value stays 0 when assertions fail, so the code comes from its failure count. */
int weft_test_run(const char *suite, const weft_test_case *cases, size_t count);

#endif
