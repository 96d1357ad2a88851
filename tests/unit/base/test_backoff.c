/* How long a waiting thread sleeps. */
#include "base/backoff.h"

#include "weft_test.h"

enum { MS = 1000000 };

static void a_sleep_is_a_sixteenth_of_the_wait(void)
{
    CU_ASSERT_EQUAL(wf_backoff_sleep_ns(160000, 100 * MS), 10000);
    CU_ASSERT_EQUAL(wf_backoff_sleep_ns(16 * MS, 100 * MS), MS);
}

static void a_sleep_is_never_longer_than_allowed_nor_zero(void)
{
    CU_ASSERT_EQUAL(wf_backoff_sleep_ns(INT64_C(3600) * 1000 * MS, MS), MS);
    CU_ASSERT_EQUAL(wf_backoff_sleep_ns(0, MS), WF_BACKOFF_LEAST_NS);
    CU_ASSERT_EQUAL(wf_backoff_sleep_ns(-5, MS), WF_BACKOFF_LEAST_NS);
    CU_ASSERT_EQUAL(wf_backoff_sleep_ns(0, 10), 10);
}

/* With 5 us a poll, the wake-up included, which is on the safe side of what was measured. */
static void a_long_wait_costs_little_of_a_core(void)
{
    const int64_t poll_ns = 5000, end_ns = INT64_C(3000) * MS;
    int64_t spent_ns = 0, count = 0;
    for (int64_t now_ns = 0; now_ns < end_ns; count++) {
        now_ns += wf_backoff_sleep_ns(now_ns, MS) + poll_ns;
        spent_ns += poll_ns;
    }
    CU_ASSERT(spent_ns < end_ns / 100);
    CU_ASSERT(count > 2900);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_sleep_is_a_sixteenth_of_the_wait),
        WEFT_TEST(a_sleep_is_never_longer_than_allowed_nor_zero),
        WEFT_TEST(a_long_wait_costs_little_of_a_core),
    };
    return weft_test_run("base/backoff", cases, WEFT_COUNT_OF(cases));
}
