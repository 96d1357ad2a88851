/* CSV files: the real ones, the awkward ones, and random tables against the numbers they were made of. */
#include "array/csv.h"

#include <math.h>
#include <sys/stat.h>

#include "array_files.h"

static weft_status scan_text(char *path, const char *folder, const char *text, const wf_csv_options *options, wf_csv *csv, weft_error *err)
{
    file_write(path, folder, "t.csv", text, strlen(text));
    return wf_csv_scan(path, options, 4, csv, err);
}

/* Scans and reads the whole table. */
static weft_status read_text(const char *text, const wf_csv_options *options, double *out, wf_csv_layout *layout, weft_error *err)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    wf_csv csv;
    weft_status status = scan_text(path, folder, text, options, &csv, err);
    if (status == WEFT_OK) {
        status = wf_csv_read_rows(path, &csv.layout, wf_csv_rows(&csv, 0, csv.row_count), out, err);
        if (layout) *layout = csv.layout;
        wf_csv_fini(&csv);
    }
    folder_remove(folder);
    return status;
}

static void digits_have_their_rows_columns_and_sum(void)
{
    wf_csv csv;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(wf_csv_scan(WEFT_TEST_DATA "/digits.csv", NULL, 100, &csv, &err), WEFT_OK);
    CU_ASSERT(csv.row_count == 1797 && csv.layout.col_count == 65 && !csv.layout.has_header);
    CU_ASSERT_EQUAL(csv.chunk_count, 18);
    double *out = malloc((size_t)(csv.row_count * 65) * sizeof *out), sum = 0, labels = 0, row_1001 = 0;
    for (int64_t row = 0; row < csv.row_count; row += 100) {
        int64_t count = csv.row_count - row < 100 ? csv.row_count - row : 100;
        wf_csv_range range = wf_csv_rows(&csv, row, count);
        CU_ASSERT_EQUAL(wf_csv_read_rows(WEFT_TEST_DATA "/digits.csv", &csv.layout, range, out + row * 65, &err), WEFT_OK);
    }
    for (int64_t i = 0; i < csv.row_count * 65; i++) sum += out[i];
    for (int64_t i = 64; i < csv.row_count * 65; i += 65) labels += out[i];
    for (int64_t i = 0; i < 65; i++) row_1001 += out[1000 * 65 + i];
    /* numpy.loadtxt(...).sum() and so on */
    CU_ASSERT(sum == 569788.0);
    CU_ASSERT(labels == 8070.0);
    CU_ASSERT(row_1001 == 269.0);
    free(out);
    wf_csv_fini(&csv);
}

static void a_first_line_that_is_no_header_is_to_be_skipped(void)
{
    static const char path[] = WEFT_TEST_DATA "/breast_cancer.csv";
    wf_csv csv;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_csv_scan(path, NULL, 100, &csv, &err), WEFT_EDATA);
    CU_ASSERT(says(&err, "breast_cancer.csv:1: the header has 4 columns, the first row (line 2) has 31; "));
    CU_ASSERT(says(&err, "skip 1 line,"));
    wf_csv_options options = WF_CSV_OPTIONS_INIT;
    options.skip_lines = 1;
    CU_ASSERT_EQUAL_FATAL(wf_csv_scan(path, &options, 100, &csv, &err), WEFT_OK);
    CU_ASSERT(csv.row_count == 569 && csv.layout.col_count == 31 && !csv.layout.has_header);
    double row[31];
    CU_ASSERT_EQUAL(wf_csv_read_rows(path, &csv.layout, wf_csv_rows(&csv, 568, 1), row, &err), WEFT_OK);
    CU_ASSERT(row[3] == 181.0);
    wf_csv_fini(&csv);
}

static void forms_of_the_same_table_read_the_same(void)
{
    static const struct {
        const char *text;
        char delimiter;
        int64_t skip_lines;
        bool has_header;
    } forms[] = {
        {"1,2\n3,4\n5,6\n", ',', 0, false},
        {"1,2\r\n3,4\r\n5,6\r\n", ',', 0, false},
        {"1,2\n3,4\n5,6", ',', 0, false},
        {"1,2\n3,4\n5,6\n\n  \n\r\n", ',', 0, false},
        {"\xef\xbb\xbf" "1,2\n3,4\n5,6\n", ',', 0, false},
        {"\xef\xbb\xbf" "a,b\n1,2\n3,4\n5,6\n", ',', 0, true},
        {"a,b\n1,2\n3,4\n5,6\n", ',', 0, true},
        {"\"width, in m\",\"a \"\"b\"\"\"\n1,2\n3,4\n5,6\n", ',', 0, true},
        {"1,x\n1,2\n3,4\n5,6\n", ',', 0, true},
        {"# made by hand\n\na,b\n1,2\n3,4\n5,6\n", ',', 2, true},
        {"3,text,7\n1,2\n3,4\n5,6\n", ',', 1, false},
        {" 1 , 2\n3\t,4 \n5,6\n", ',', 0, false},
        {"1;2\n3;4\n5;6\n", ';', 0, false},
        {"1\t2\n3\t4\n5\t6\n", '\t', 0, false},
        {"1 2\n3 4\n5 6\n", ' ', 0, false},
        {"\"1\",\"2\"\n3,\"4\"\n\"5.0\",6e0\n", ',', 0, false},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(forms); i++) {
        wf_csv_options options = WF_CSV_OPTIONS_INIT;
        options.delimiter = forms[i].delimiter;
        options.skip_lines = forms[i].skip_lines;
        double out[6] = {0};
        wf_csv_layout layout = {.col_count = 0};
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(read_text(forms[i].text, &options, out, &layout, &err), WEFT_OK);
        if (err.status != WEFT_OK) printf("    form %zu: %s\n", i, err.text);
        CU_ASSERT_EQUAL(layout.has_header, forms[i].has_header);
        for (int j = 0; j < 6; j++) CU_ASSERT(out[j] == j + 1);
    }
}

static void malformed_tables_name_line_row_and_column(void)
{
    static const struct {
        const char *text, *says, *advises;
    } bad[] = {
        {"", "t.csv: is empty", ""},
        {"\n\n", "t.csv: has only blank lines", ""},
        {"a,b\n", "t.csv:1: has a header but no rows", ""},
        {"a,b", "t.csv:1: has a header but no rows", ""},
        {"1,2,3,4,5\n1,2,3,4,5\n1,2,3,4\n", "t.csv:3: row 3 has 4 columns, the first row has 5", "make them equal"},
        {"a,b\n1,2\n1,2,3\n", "t.csv:3: row 2 has 3 columns, the first row has 2", ""},
        {"569,30\n1,2,3\n1,2,3\n", "t.csv:2: row 2 has 3 columns, the first row has 2", "skip 1 line if the data begin here"},
        {"a,b,c\n1,2\n", "t.csv:1: the header has 3 columns, the first row (line 2) has 2", "skip 1 line,"},
        {"1,2\n\n3,4\n", "t.csv:2: the line is blank", "remove it"},
        {"\n1,2\n", "t.csv:1: the line is blank", ""},
        {"a,b\n1,2\n3,NA\n", "t.csv:3: row 2, column 2 (b): 'NA' is not a number", "fill in missing values"},
        {"1,NA\n3,4\n", "t.csv:1: row 1, column 2: 'NA' is not a number", ""},
        {"1,\n3,4\n", "t.csv:1: row 1, column 2: the field is empty", "fill in missing values"},
        {"a,\"b,c\"\n1,2\n3,x\n", "t.csv:3: row 2, column 2 (b,c): 'x' is not a number", "put a number there"},
        {"1,2\n3,nan\n", "t.csv:2: row 2, column 2: 'nan' is not a finite number", "replace it"},
        {"1,2\n-inf,4\n", "t.csv:2: row 2, column 1: '-inf' is not a finite number", ""},
        {"1,2\n1e999,4\n", "t.csv:2: row 2, column 1: '1e999' is not a finite number", ""},
        {"1,2\n3 4,5\n", "t.csv:2: row 2, column 1: '3 4' is not a number", ""},
        {"a;b\n1;2\n", "t.csv:2: row 1, column 1 (a;b): '1;2' is not a number", "delimiter another one?"},
        {"a,b\r1,2\r3,4\r", "t.csv:1: lines end in CR alone", ""},
        {"1,2\n\"3,4\n", "t.csv:2: row 2 has 1 columns, the first row has 2", ""},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        double out[16];
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(read_text(bad[i].text, NULL, out, NULL, &err), WEFT_EDATA);
        CU_ASSERT(says(&err, bad[i].says));
        CU_ASSERT(says(&err, bad[i].advises));
    }
}

static void what_is_no_csv_file_is_refused(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    wf_csv csv = {.row_count = 77};
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_csv_scan("/no/such.csv", NULL, 4, &csv, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "/no/such.csv: no such file"));
    CU_ASSERT_EQUAL(wf_csv_scan(folder, NULL, 4, &csv, &err), WEFT_EIO);
    CU_ASSERT(says(&err, "is a folder"));
    file_write(path, folder, "t.csv", "\x93NUMPY\x01\0v\0{", 11);
    CU_ASSERT_EQUAL(wf_csv_scan(path, NULL, 4, &csv, &err), WEFT_EDATA);
    CU_ASSERT(says(&err, "is no text file"));
    if (geteuid() != 0) {
        CU_ASSERT_EQUAL(chmod(path, 0), 0);
        CU_ASSERT_EQUAL(wf_csv_scan(path, NULL, 4, &csv, &err), WEFT_EIO);
        CU_ASSERT(says(&err, "no permission to read"));
    }
    CU_ASSERT_EQUAL(csv.row_count, 77);
    folder_remove(folder);
}

static void options_that_cannot_be_are_refused(void)
{
    wf_csv csv;
    weft_error err = WEFT_ERROR_INIT;
    static const char path[] = WEFT_TEST_DATA "/digits.csv", delimiters[] = "1e.-+\"\n\r";
    CU_ASSERT_EQUAL(wf_csv_scan(path, NULL, 0, &csv, &err), WEFT_EINVAL);
    wf_csv_options options = WF_CSV_OPTIONS_INIT;
    options.skip_lines = -1;
    CU_ASSERT_EQUAL(wf_csv_scan(path, &options, 1, &csv, &err), WEFT_EINVAL);
    options.skip_lines = 1797;
    CU_ASSERT_EQUAL(wf_csv_scan(path, &options, 1, &csv, &err), WEFT_EDATA);
    CU_ASSERT(says(&err, "has only 1797 lines, 1797 are to be skipped"));
    options.skip_lines = 0;
    for (size_t i = 0; i < sizeof delimiters; i++) { /* with the zero byte */
        options.delimiter = delimiters[i];
        CU_ASSERT_EQUAL(wf_csv_scan(path, &options, 1, &csv, &err), WEFT_EINVAL);
    }
}

static void a_file_that_changes_after_the_scan_is_noticed(void)
{
    static const char *const later[] = {"1,2\n3,4\n", "1,2\n3\n5,6\n", "1,2\n3,4,5\n5,6\n", "1,2\n\n3,4\n5,6\n"};
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    for (size_t i = 0; i < WEFT_COUNT_OF(later); i++) {
        wf_csv csv;
        weft_error err = WEFT_ERROR_INIT;
        double out[6];
        CU_ASSERT_EQUAL_FATAL(scan_text(path, folder, "1,2\n3,4\n5,6\n", NULL, &csv, &err), WEFT_OK);
        file_write(path, folder, "t.csv", later[i], strlen(later[i]));
        CU_ASSERT_EQUAL(wf_csv_read_rows(path, &csv.layout, wf_csv_rows(&csv, 0, 3), out, &err), WEFT_EDATA);
        wf_csv_fini(&csv);
    }
    folder_remove(folder);
}

static double random_number(uint64_t *random)
{
    double value;
    do {
        uint64_t bits = random_next(random);
        memcpy(&value, &bits, sizeof value);
    } while (!isfinite(value));
    return random_next(random) % 2 ? value : (double)(int64_t)(random_next(random) % 2001 - 1000) / 8;
}

static void write_random(const char *path, const double *data, int64_t rows, int64_t cols, bool has_header, uint64_t *random)
{
    FILE *file = fopen(path, "wb");
    const char *end = random_next(random) % 2 ? "\n" : "\r\n";
    for (int64_t j = 0; has_header && j < cols; j++) fprintf(file, "\"c,%lld\"%s", (long long)j, j + 1 < cols ? "," : end);
    for (int64_t i = 0; i < rows * cols; i++) fprintf(file, "%.17g%s", data[i], (i + 1) % cols ? "," : i + 1 < rows * cols ? end : "");
    fclose(file);
}

static void random_tables_come_back_from_any_row_on(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    snprintf(path, sizeof path, "%.200s/r.csv", folder);
    uint64_t random = test_seed() + 1ULL;
    for (int round = 0; round < 30; round++) {
        int64_t rows = 1 + (int64_t)(random_next(&random) % 3000), cols = 1 + (int64_t)(random_next(&random) % 40);
        double *data = malloc((size_t)(rows * cols) * sizeof *data), *out = malloc((size_t)(rows * cols) * sizeof *out);
        for (int64_t i = 0; i < rows * cols; i++) data[i] = random_number(&random);
        bool has_header = random_next(&random) % 2;
        write_random(path, data, rows, cols, has_header, &random);
        wf_csv csv;
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL_FATAL(wf_csv_scan(path, NULL, 1 + (int64_t)(random_next(&random) % 500), &csv, &err), WEFT_OK);
        CU_ASSERT(csv.row_count == rows && csv.layout.col_count == cols && csv.layout.has_header == has_header);
        CU_ASSERT_EQUAL((int64_t)csv.chunk_count, (rows + csv.rows_per_chunk - 1) / csv.rows_per_chunk);
        for (int piece = 0; piece < 10; piece++) {
            int64_t first = (int64_t)(random_next(&random) % (uint64_t)(rows + 1));
            int64_t count = (int64_t)(random_next(&random) % (uint64_t)(rows - first + 1));
            CU_ASSERT_EQUAL(wf_csv_read_rows(path, &csv.layout, wf_csv_rows(&csv, first, count), out, &err), WEFT_OK);
            CU_ASSERT_EQUAL(memcmp(out, data + first * cols, (size_t)(count * cols) * sizeof *out), 0);
        }
        wf_csv_fini(&csv);
        free(data);
        free(out);
    }
    folder_remove(folder);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(digits_have_their_rows_columns_and_sum),
        WEFT_TEST(a_first_line_that_is_no_header_is_to_be_skipped),
        WEFT_TEST(forms_of_the_same_table_read_the_same),
        WEFT_TEST(malformed_tables_name_line_row_and_column),
        WEFT_TEST(what_is_no_csv_file_is_refused),
        WEFT_TEST(options_that_cannot_be_are_refused),
        WEFT_TEST(a_file_that_changes_after_the_scan_is_noticed),
        WEFT_TEST(random_tables_come_back_from_any_row_on),
    };
    return weft_test_run("array/csv", cases, WEFT_COUNT_OF(cases));
}
