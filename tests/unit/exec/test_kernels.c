#include "exec/kernels.h"

#include <string.h>

#include "weft_test.h"

/* Two kernels of this program's section. */
WEFT_KERNEL(test_registered)
{
    (void)task, (void)err;
    return WEFT_OK;
}

WEFT_KERNEL(test_also_registered)
{
    (void)task, (void)err;
    return WEFT_EKERNEL;
}

static const weft_kernel zebra = {"zebra", NULL}, ant = {"ant", NULL}, Ant = {"Ant", NULL}, other_ant = {"ant", NULL};

static void kernels_of_the_section_are_found_by_name(void)
{
    wf_kernels kernels = {0};
    CU_ASSERT_EQUAL_FATAL(wf_kernels_init(&kernels, NULL, NULL, NULL), WEFT_OK);
    CU_ASSERT_PTR_EQUAL(wf_kernels_find(&kernels, "test_registered"), &test_registered_kernel);
    CU_ASSERT_PTR_EQUAL(wf_kernels_find(&kernels, "test_also_registered"), &test_also_registered_kernel);
    CU_ASSERT_EQUAL(test_also_registered_kernel.run(NULL, NULL), WEFT_EKERNEL);
    wf_kernels_fini(&kernels);
    CU_ASSERT_EQUAL(kernels.count, 0);
    CU_ASSERT_PTR_NULL(wf_kernels_find(&kernels, "test_registered"));
}

static void given_kernels_are_added_and_sorted(void)
{
    static const weft_kernel *const list[] = {&zebra, &ant, &Ant};
    wf_kernels kernels = {0};
    CU_ASSERT_EQUAL_FATAL(wf_kernels_init(&kernels, list, list + 3, NULL), WEFT_OK);
    CU_ASSERT_PTR_EQUAL(wf_kernels_find(&kernels, "zebra"), &zebra);
    CU_ASSERT_PTR_EQUAL(wf_kernels_find(&kernels, "ant"), &ant);
    CU_ASSERT_PTR_EQUAL(wf_kernels_find(&kernels, "Ant"), &Ant);
    CU_ASSERT_PTR_EQUAL(wf_kernels_find(&kernels, "test_registered"), &test_registered_kernel);
    CU_ASSERT(kernels.count >= 5);
    for (size_t i = 1; i < kernels.count; i++) CU_ASSERT(strcmp(kernels.sorted[i - 1]->name, kernels.sorted[i]->name) < 0);
    wf_kernels_fini(&kernels);
}

static void an_unknown_name_is_not_found(void)
{
    static const char *const unknown[] = {"", "test_registere", "test_registered2", "TEST_REGISTERED", "zebra"};
    wf_kernels kernels = {0};
    CU_ASSERT_EQUAL_FATAL(wf_kernels_init(&kernels, NULL, NULL, NULL), WEFT_OK);
    for (size_t i = 0; i < WEFT_COUNT_OF(unknown); i++) CU_ASSERT_PTR_NULL(wf_kernels_find(&kernels, unknown[i]));
    wf_kernels_fini(&kernels);
}

/* A static program's own section is also the library's. */
static void a_kernel_that_comes_twice_counts_once(void)
{
    static const weft_kernel *const list[] = {&ant, &zebra, &ant, &test_registered_kernel};
    wf_kernels kernels = {0}, without = {0};
    CU_ASSERT_EQUAL_FATAL(wf_kernels_init(&without, NULL, NULL, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_kernels_init(&kernels, list, list + 4, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(kernels.count, without.count + 2);
    wf_kernels_fini(&kernels);
    wf_kernels_fini(&without);
}

static void two_kernels_of_one_name_are_refused(void)
{
    static const weft_kernel *const list[] = {&ant, &zebra, &other_ant};
    wf_kernels kernels = {NULL, 77};
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_kernels_init(&kernels, list, list + 3, &err), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, "two kernels are named \"ant\"; rename one");
    CU_ASSERT_EQUAL(kernels.count, 77);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(kernels_of_the_section_are_found_by_name),
        WEFT_TEST(given_kernels_are_added_and_sorted),
        WEFT_TEST(an_unknown_name_is_not_found),
        WEFT_TEST(a_kernel_that_comes_twice_counts_once),
        WEFT_TEST(two_kernels_of_one_name_are_refused),
    };
    return weft_test_run("exec/kernels", cases, WEFT_COUNT_OF(cases));
}
