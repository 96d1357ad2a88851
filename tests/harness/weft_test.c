/* Runs CUnit cases and reports them one per line; scripts/test.sh counts those lines. */
#include "weft_test.h"

#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>

static void report(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure)
{
    printf("%s %s: %s\n", failure ? "FAILED" : "ok", suite->pName, test->pName);
    for (const CU_FailureRecord *f = failure; f; f = f->pNext)
        printf("    %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
    fflush(stdout);
}

int weft_test_run(const char *suite_name, const weft_test_case *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS) return 1;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite && i < count; i++) {
        if (!CU_add_test(suite, cases[i].name, cases[i].run)) return 1;
    }
    CU_set_test_complete_handler(report);
    CU_ErrorCode status = suite ? CU_run_all_tests() : CU_get_error();
    unsigned failed = CU_get_number_of_failures() + CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    return status == CUE_SUCCESS && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
