#include "cli/table.h"

#include <string.h>

#include "weft_test.h"

static void print(const cli_table *table, int indent, char *output, size_t size)
{
    FILE *stream = fmemopen(output, size, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    cli_table_print(table, indent, stream);
    fclose(stream);
}

static void columns_are_as_wide_as_their_widest_text(void)
{
    static const cli_column columns[] = {{"HOST", CLI_LEFT}, {"TIME [s]", CLI_RIGHT}, {"NOTE", CLI_LEFT}};
    cli_table *table = NULL;
    char output[512];
    CU_ASSERT_EQUAL_FATAL(cli_table_create(columns, 3, &table, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(cli_table_add(table, (const char *const[]){"n1", "0.5", "short"}, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(cli_table_add(table, (const char *const[]){"Münster", "12345.25", NULL}, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(cli_table_add(table, (const char *const[]){NULL, NULL, "alone"}, NULL), WEFT_OK);
    print(table, 2, output, sizeof output);
    CU_ASSERT_STRING_EQUAL(output, "  HOST     TIME [s]  NOTE\n"
                                   "  n1            0.5  short\n"
                                   "  Münster  12345.25\n"
                                   "                     alone\n");
    cli_table_destroy(table);
}

static void many_rows_are_kept_in_order(void)
{
    static const cli_column columns[] = {{"N", CLI_RIGHT}};
    cli_table *table = NULL;
    char output[8192], expected[8192] = "  N\n", text[16];
    CU_ASSERT_EQUAL_FATAL(cli_table_create(columns, 1, &table, NULL), WEFT_OK);
    for (int i = 0; i < 500; i++) {
        const char *cell = text;
        snprintf(text, sizeof text, "%d", i);
        CU_ASSERT_EQUAL(cli_table_add(table, &cell, NULL), WEFT_OK);
        snprintf(expected + strlen(expected), 16, "%3d\n", i);
    }
    print(table, 0, output, sizeof output);
    CU_ASSERT_STRING_EQUAL(output, expected);
    cli_table_destroy(table);
}

static void a_table_without_rows_is_its_headers(void)
{
    static const cli_column columns[] = {{"A", CLI_LEFT}, {"B", CLI_RIGHT}};
    cli_table *table = NULL;
    char output[64];
    CU_ASSERT_EQUAL_FATAL(cli_table_create(columns, 2, &table, NULL), WEFT_OK);
    print(table, 0, output, sizeof output);
    CU_ASSERT_STRING_EQUAL(output, "A  B\n");
    cli_table_destroy(table);
    cli_table_destroy(NULL);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(columns_are_as_wide_as_their_widest_text),
        WEFT_TEST(many_rows_are_kept_in_order),
        WEFT_TEST(a_table_without_rows_is_its_headers),
    };
    return weft_test_run("cli/table", cases, WEFT_COUNT_OF(cases));
}
