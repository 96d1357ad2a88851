#include "store/budget.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "weft_test.h"

static wf_budget *create_budget(uint64_t limit_bytes)
{
    wf_budget *budget = NULL;
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(limit_bytes, &budget, NULL), WEFT_OK);
    return budget;
}

static void charges_add_up_to_the_limit_and_no_further(void)
{
    wf_budget *budget = create_budget(100);
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_budget_limit_bytes(budget), 100);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 60, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 41, &err), WEFT_ENOMEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "memory.limit"));
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 60);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 40, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 1, NULL), WEFT_ENOMEM);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 0, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 100);
    wf_budget_refund(budget, 100);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 101, NULL), WEFT_ENOMEM);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, SIZE_MAX, NULL), WEFT_ENOMEM);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    wf_budget_release(budget);
}

static void the_peak_stays_when_memory_is_given_back(void)
{
    wf_budget *budget = create_budget(0);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 70, NULL), WEFT_OK);
    wf_budget_refund(budget, 50);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 30, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 50);
    CU_ASSERT_EQUAL(wf_budget_peak_bytes(budget), 70);
    wf_budget_release(budget);
}

static void a_refused_charge_does_not_count_for_the_peak(void)
{
    wf_budget *budget = create_budget(100);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 10, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 95, NULL), WEFT_ENOMEM);
    CU_ASSERT_EQUAL(wf_budget_peak_bytes(budget), 10);
    wf_budget_release(budget);
}

static void without_a_limit_everything_fits(void)
{
    wf_budget *budget = create_budget(0);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, (size_t)1 << 60, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_budget_limit_bytes(budget), 0);
    wf_budget_release(budget);
}

static void the_last_release_frees(void)
{
    wf_budget *budget = create_budget(5);
    wf_budget_retain(budget);
    wf_budget_release(budget);
    CU_ASSERT_EQUAL(wf_budget_limit_bytes(budget), 5);
    wf_budget_release(budget);
    wf_budget_release(NULL);
}

/* ---- several threads ---- */

enum { THREADS = 4, TURNS = 50000, SHARE_BYTES = 10 };

typedef struct charging {
    wf_budget *budget;
    atomic_int refused;
    atomic_int over_limit;
} charging;

static void *charge_own_share(void *argument)
{
    charging *c = argument;
    for (int i = 0; i < TURNS; i++) {
        if (wf_budget_charge(c->budget, SHARE_BYTES, NULL) != WEFT_OK) {
            atomic_fetch_add(&c->refused, 1);
            continue;
        }
        if (wf_budget_used_bytes(c->budget) > wf_budget_limit_bytes(c->budget)) atomic_fetch_add(&c->over_limit, 1);
        wf_budget_refund(c->budget, SHARE_BYTES);
    }
    return NULL;
}

static void *charge_too_much(void *argument)
{
    charging *c = argument;
    for (int i = 0; i < TURNS; i++) {
        if (wf_budget_charge(c->budget, 1 << 20, NULL) == WEFT_OK) wf_budget_refund(c->budget, 1 << 20);
    }
    return NULL;
}

/* Every thread's share fits beside those of the others, whatever somebody else is refused meanwhile. */
static void a_charge_that_is_refused_disturbs_nobody(void)
{
    charging c = {.budget = create_budget(THREADS * SHARE_BYTES)};
    pthread_t threads[THREADS], greedy;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&greedy, NULL, charge_too_much, &c), 0);
    for (int t = 0; t < THREADS; t++) CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[t], NULL, charge_own_share, &c), 0);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    pthread_join(greedy, NULL);
    CU_ASSERT_EQUAL(atomic_load(&c.refused), 0);
    CU_ASSERT_EQUAL(atomic_load(&c.over_limit), 0);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(c.budget), 0);
    CU_ASSERT(wf_budget_peak_bytes(c.budget) >= SHARE_BYTES && wf_budget_peak_bytes(c.budget) <= THREADS * SHARE_BYTES);
    wf_budget_release(c.budget);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(charges_add_up_to_the_limit_and_no_further),
        WEFT_TEST(the_peak_stays_when_memory_is_given_back),
        WEFT_TEST(a_refused_charge_does_not_count_for_the_peak),
        WEFT_TEST(without_a_limit_everything_fits),
        WEFT_TEST(the_last_release_frees),
        WEFT_TEST(a_charge_that_is_refused_disturbs_nobody),
    };
    return weft_test_run("store/budget", cases, WEFT_COUNT_OF(cases));
}
