/* Files read by tasks, run by whatever scheduler the program is given. The files themselves are tested with csv.c and npy.c. */
#include <weft/weft.h>

#include "array/npy.h"
#include "array_files.h"

static weft_session *session; /* CUnit's cases take no argument */
static char folder[TEST_PATH_BYTES];

enum { ROWS = 1000, COLS = 3 };

static double element(int64_t row, int64_t col) { return (double)(row * COLS + col) / 8.0; }

static void write_csv(char *path, const char *name, const char *first_lines, char delimiter)
{
    static char text[ROWS * COLS * 16];
    int at = snprintf(text, sizeof text, "%s", first_lines);
    for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < COLS; col++)
            at += snprintf(text + at, sizeof text - (size_t)at, "%.3f%c", element(row, col), col < COLS - 1 ? delimiter : '\n');
    }
    file_write(path, folder, name, text, (size_t)at);
}

static void write_npy(char *path, const char *name, weft_dtype dtype, int64_t rows)
{
    static double values[ROWS * COLS];
    wf_npy_header header;
    snprintf(path, TEST_PATH_BYTES, "%.200s/%.50s", folder, name);
    for (int i = 0; i < ROWS * COLS; i++) values[i] = element(0, i);
    CU_ASSERT_EQUAL_FATAL(wf_npy_create(path, dtype, 2, (int64_t[]){rows, COLS}, &header, NULL), WEFT_OK);
    if (dtype == WEFT_F64) CU_ASSERT_EQUAL_FATAL(wf_npy_write_rows(path, &header, 0, rows, values, NULL), WEFT_OK);
}

/* Reads a file in chunks of so many rows and compares every element. */
static void check_read(const char *path, const weft_matrix_source_options *options, int64_t chunk_rows)
{
    weft_matrix_source *source = NULL;
    weft_graph *graph = NULL;
    weft_tall tall;
    weft_chunk *chunks[ROWS];
    CU_ASSERT_EQUAL_FATAL(weft_matrix_source_open(path, options, &source, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_matrix_source_rows(source), ROWS);
    CU_ASSERT_EQUAL(weft_matrix_source_cols(source), COLS);
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_tall_read(graph, source, chunk_rows, &tall, NULL), WEFT_OK);
    weft_matrix_source_destroy(source); /* the tasks do without */
    CU_ASSERT_EQUAL_FATAL(weft_compute(session, graph, tall.chunks, tall.chunk_count, chunks, NULL), WEFT_OK);
    int64_t row = 0, wrong = 0;
    for (size_t c = 0; c < tall.chunk_count; c++) {
        const double *data = weft_chunk_data(chunks[c]);
        CU_ASSERT_EQUAL(weft_chunk_extent(chunks[c], 0), tall.chunk_rows[c]);
        for (int64_t i = 0; i < tall.chunk_rows[c]; i++, row++) {
            for (int64_t j = 0; j < COLS; j++) wrong += data[i * COLS + j] != element(row, j);
        }
        weft_chunk_release(chunks[c]);
    }
    CU_ASSERT_EQUAL(row, ROWS);
    CU_ASSERT_EQUAL(wrong, 0);
    weft_tall_fini(&tall);
    weft_graph_destroy(graph);
}

static void csv_is_read_however_it_is_cut(void)
{
    char path[TEST_PATH_BYTES];
    write_csv(path, "numbers.CSV", "a,b,c\n", ',');
    static const int64_t cuts[] = {3, 37, 256, 257, 999, 5000};
    for (size_t i = 0; i < WEFT_COUNT_OF(cuts); i++) check_read(path, NULL, cuts[i]);
}

static void csv_options_are_passed_on(void)
{
    char path[TEST_PATH_BYTES];
    write_csv(path, "semicolons.csv", "# three\n# lines\nof words\n", ';');
    weft_matrix_source_options options = WEFT_MATRIX_SOURCE_OPTIONS_INIT;
    options.skip_lines = 3;
    options.delimiter = ';';
    check_read(path, &options, 300);
}

static void npy_is_read_however_it_is_cut(void)
{
    char path[TEST_PATH_BYTES];
    write_npy(path, "numbers.npy", WEFT_F64, ROWS);
    static const int64_t cuts[] = {3, 37, 999, 5000};
    for (size_t i = 0; i < WEFT_COUNT_OF(cuts); i++) check_read(path, NULL, cuts[i]);
}

static void expect_refused(const char *path, const weft_matrix_source_options *options, weft_status status, const char *text)
{
    weft_matrix_source *source = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(weft_matrix_source_open(path, options, &source, &err), status);
    CU_ASSERT_PTR_NULL(source);
    CU_ASSERT_TRUE(says(&err, path));
    CU_ASSERT_TRUE(says(&err, text));
}

static void files_that_are_no_matrix_are_refused_by_name(void)
{
    char path[TEST_PATH_BYTES];
    snprintf(path, sizeof path, "%.200s/none.csv", folder);
    expect_refused(path, NULL, WEFT_EIO, "no such file");
    write_npy(path, "empty.npy", WEFT_F64, 0);
    expect_refused(path, NULL, WEFT_EDATA, "0 rows of 3 columns");
    write_npy(path, "integers.npy", WEFT_I32, 4);
    expect_refused(path, NULL, WEFT_EUNSUPPORTED, "float64");
    file_write(path, folder, "words.txt", "1,2\n", 4);
    expect_refused(path, NULL, WEFT_EDATA, "no .npy file");
    write_npy(path, "skipped.npy", WEFT_F64, 4);
    weft_matrix_source_options options = WEFT_MATRIX_SOURCE_OPTIONS_INIT;
    options.skip_lines = 1;
    expect_refused(path, &options, WEFT_EINVAL, "leave them out");
}

static void options_of_another_version_are_refused(void)
{
    weft_matrix_source *source = NULL;
    weft_matrix_source_options options = {.size_bytes = sizeof options + 1};
    CU_ASSERT_EQUAL(weft_matrix_source_open("x.csv", &options, &source, NULL), WEFT_EINVAL);
    options.size_bytes = 0;
    CU_ASSERT_EQUAL(weft_matrix_source_open("x.csv", &options, &source, NULL), WEFT_EINVAL);
}

static void cuts_that_cannot_be_made_name_the_file(void)
{
    char path[TEST_PATH_BYTES];
    weft_matrix_source *source = NULL;
    weft_graph *graph = NULL;
    weft_tall tall;
    weft_error err = WEFT_ERROR_INIT;
    file_write(path, folder, "wide.csv", "1,2,3\n4,5,6\n", 12);
    CU_ASSERT_EQUAL_FATAL(weft_matrix_source_open(path, NULL, &source, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_tall_read(graph, source, 100, &tall, &err), WEFT_ESHAPE);
    CU_ASSERT_TRUE(says(&err, path));
    CU_ASSERT_TRUE(says(&err, "2 rows"));
    CU_ASSERT_EQUAL(weft_graph_task_count(graph), 0);
    weft_graph_destroy(graph);
    weft_matrix_source_destroy(source);
}

static void text_in_the_data_is_told_with_its_place(void)
{
    char path[TEST_PATH_BYTES];
    weft_matrix_source *source = NULL;
    weft_graph *graph = NULL;
    weft_tall tall;
    weft_chunk *chunks[2];
    weft_error err = WEFT_ERROR_INIT;
    static const char text[] = "a,b\n1,2\n3,4\n5,six\n7,8\n";
    file_write(path, folder, "text.csv", text, sizeof text - 1);
    CU_ASSERT_EQUAL_FATAL(weft_matrix_source_open(path, NULL, &source, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_tall_read(graph, source, 2, &tall, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(tall.chunk_count, 2);
    CU_ASSERT_EQUAL(weft_compute(session, graph, tall.chunks, 2, chunks, &err), WEFT_EDATA);
    CU_ASSERT_TRUE(says(&err, path));
    CU_ASSERT_TRUE(says(&err, "row 3, column 2"));
    weft_tall_fini(&tall);
    weft_graph_destroy(graph);
    weft_matrix_source_destroy(source);
}

static int client(weft_session *given, int argc, char **argv)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(csv_is_read_however_it_is_cut),
        WEFT_TEST(csv_options_are_passed_on),
        WEFT_TEST(npy_is_read_however_it_is_cut),
        WEFT_TEST(files_that_are_no_matrix_are_refused_by_name),
        WEFT_TEST(options_of_another_version_are_refused),
        WEFT_TEST(cuts_that_cannot_be_made_name_the_file),
        WEFT_TEST(text_in_the_data_is_told_with_its_place),
    };
    (void)argc;
    (void)argv;
    session = given;
    folder_create(folder);
    int code = weft_test_run("array/matrix_source", cases, WEFT_COUNT_OF(cases));
    folder_remove(folder);
    return code;
}

int main(int argc, char **argv) { return weft_main(argc, argv, client); }
