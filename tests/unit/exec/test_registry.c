#include "exec/registry.h"

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
    wf_registry registry = {0};
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&registry, NULL, NULL), WEFT_OK);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_kernel(&registry, "test_registered"), &test_registered_kernel);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_kernel(&registry, "test_also_registered"), &test_also_registered_kernel);
    CU_ASSERT_EQUAL(test_also_registered_kernel.run(NULL, NULL), WEFT_EKERNEL);
    wf_registry_fini(&registry);
    CU_ASSERT_EQUAL(registry.kernel_count, 0);
    CU_ASSERT_PTR_NULL(wf_registry_find_kernel(&registry, "test_registered"));
}

static void given_kernels_are_added_and_sorted(void)
{
    static const weft_kernel *const list[] = {&zebra, &ant, &Ant};
    wf_registry registry = {0};
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&registry, &(weft_sections){list, list + 3, NULL, NULL}, NULL), WEFT_OK);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_kernel(&registry, "zebra"), &zebra);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_kernel(&registry, "ant"), &ant);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_kernel(&registry, "Ant"), &Ant);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_kernel(&registry, "test_registered"), &test_registered_kernel);
    CU_ASSERT(registry.kernel_count >= 5);
    for (size_t i = 1; i < registry.kernel_count; i++) CU_ASSERT(strcmp(registry.kernels[i - 1]->name, registry.kernels[i]->name) < 0);
    wf_registry_fini(&registry);
}

static void an_unknown_name_is_not_found(void)
{
    static const char *const unknown[] = {"", "test_registere", "test_registered2", "TEST_REGISTERED", "zebra"};
    wf_registry registry = {0};
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&registry, NULL, NULL), WEFT_OK);
    for (size_t i = 0; i < WEFT_COUNT_OF(unknown); i++) CU_ASSERT_PTR_NULL(wf_registry_find_kernel(&registry, unknown[i]));
    wf_registry_fini(&registry);
}

/* A static program's own section is also the library's. */
static void a_kernel_that_comes_twice_counts_once(void)
{
    static const weft_kernel *const list[] = {&ant, &zebra, &ant, &test_registered_kernel};
    wf_registry registry = {0}, without = {0};
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&without, NULL, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&registry, &(weft_sections){list, list + 4, NULL, NULL}, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(registry.kernel_count, without.kernel_count + 2);
    wf_registry_fini(&registry);
    wf_registry_fini(&without);
}

static void two_kernels_of_one_name_are_refused(void)
{
    static const weft_kernel *const list[] = {&ant, &zebra, &other_ant};
    wf_registry registry = {.kernel_count = 77};
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_registry_init(&registry, &(weft_sections){list, list + 3, NULL, NULL}, &err), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, "two kernels are named \"ant\"; rename one");
    CU_ASSERT_EQUAL(registry.kernel_count, 77);
}

static size_t none(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call, (void)index, (void)intervals;
    return 0;
}

WEFT_RULE(test_own, none, NULL);

static void rules_of_the_library_and_of_the_section_are_found_by_name(void)
{
    static const weft_rule given = {"test_given", none, none, NULL}, twin = {"weft_tree", none, none, NULL};
    static const weft_rule *const list[] = {&given}, *const twins[] = {&twin};
    wf_registry registry = {0};
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(wf_registry_init(&registry, &(weft_sections){NULL, NULL, list, list + 1}, NULL), WEFT_OK);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_rule(&registry, "test_own"), &test_own_rule);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_rule(&registry, "test_given"), &given);
    CU_ASSERT_PTR_EQUAL(wf_registry_find_rule(&registry, "weft_tree"), &weft_tree_rule);
    CU_ASSERT_PTR_NULL(wf_registry_find_rule(&registry, "test_registered"));
    wf_registry_fini(&registry);
    CU_ASSERT_EQUAL(wf_registry_init(&registry, &(weft_sections){NULL, NULL, twins, twins + 1}, &err), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, "two rules are named \"weft_tree\"; rename one");
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(kernels_of_the_section_are_found_by_name),
        WEFT_TEST(given_kernels_are_added_and_sorted),
        WEFT_TEST(an_unknown_name_is_not_found),
        WEFT_TEST(a_kernel_that_comes_twice_counts_once),
        WEFT_TEST(two_kernels_of_one_name_are_refused),
        WEFT_TEST(rules_of_the_library_and_of_the_section_are_found_by_name),
    };
    return weft_test_run("exec/registry", cases, WEFT_COUNT_OF(cases));
}
