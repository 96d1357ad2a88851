/* Files written by tasks, run by whatever scheduler the program is given. */
#include <weft/weft.h>

#include "array/npy.h"
#include "array_files.h"

static weft_session *session; /* CUnit's cases take no argument */
static char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];

enum { ROWS = 101, COLS = 4, CHUNK_ROWS = 10 };

typedef struct count_params {
    int64_t first, rows;
} count_params;

WEFT_KERNEL(test_count_up)
{
    const count_params *p = weft_task_params(task, NULL);
    double *out = weft_task_create_output(task, 0, WEFT_F64, 2, (int64_t[]){p->rows, COLS}, err);
    if (!out) return err->status;
    for (int64_t i = 0; i < p->rows * COLS; i++) out[i] = (double)(p->first * COLS + i);
    return WEFT_OK;
}

static weft_graph *make_graph(weft_tall *tall)
{
    weft_graph *graph = NULL;
    count_params p = {0};
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_tall_init(tall, ROWS, COLS, CHUNK_ROWS, NULL), WEFT_OK);
    for (size_t i = 0; i < tall->chunk_count; i++, p.first += p.rows) {
        p.rows = tall->chunk_rows[i];
        CU_ASSERT_EQUAL_FATAL(weft_graph_add_task(graph, &test_count_up_kernel, NULL, 0, &p, sizeof p, &tall->chunks[i], NULL), WEFT_OK);
    }
    return graph;
}

static weft_matrix_sink *make_sink(int64_t rows)
{
    weft_matrix_sink *sink = NULL;
    CU_ASSERT_EQUAL_FATAL(weft_matrix_sink_create(path, 2, (int64_t[]){rows, COLS}, &sink, NULL), WEFT_OK);
    return sink;
}

static weft_status write_tall(weft_matrix_sink *sink, weft_error *err)
{
    weft_tall tall;
    weft_ref written[ROWS];
    weft_chunk *chunks[ROWS];
    weft_graph *graph = make_graph(&tall);
    weft_status status = weft_tall_write(graph, &tall, sink, written, err);
    if (status == WEFT_OK) status = weft_compute(session, graph, written, tall.chunk_count, chunks, err);
    for (size_t i = 0; status == WEFT_OK && i < tall.chunk_count; i++) weft_chunk_release(chunks[i]);
    weft_tall_fini(&tall);
    weft_graph_destroy(graph);
    return status;
}

static void begin(void)
{
    folder_create(folder);
    snprintf(path, sizeof path, "%.200s/out.npy", folder);
}

static bool file_counts_up(void)
{
    static double values[ROWS * COLS];
    wf_npy_header header;
    if (wf_npy_open(path, &header, NULL) != WEFT_OK || wf_npy_row_count(&header) != ROWS) return false;
    if (wf_npy_read_rows(path, &header, 0, ROWS, values, NULL) != WEFT_OK) return false;
    int wrong = 0;
    for (int i = 0; i < ROWS * COLS; i++) wrong += values[i] != (double)i;
    return wrong == 0;
}

static void chunks_are_written_where_they_belong(void)
{
    begin();
    weft_matrix_sink *sink = make_sink(ROWS);
    CU_ASSERT_EQUAL(write_tall(sink, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_matrix_sink_commit(sink, NULL), WEFT_OK);
    weft_matrix_sink_destroy(sink);
    CU_ASSERT_TRUE(file_counts_up());
    CU_ASSERT_EQUAL(folder_file_count(folder), 1);
    folder_remove(folder);
}

static void nothing_is_left_without_commit(void)
{
    begin();
    weft_matrix_sink *sink = make_sink(ROWS);
    CU_ASSERT_EQUAL(folder_file_count(folder), 1);
    CU_ASSERT_EQUAL(write_tall(sink, NULL), WEFT_OK);
    weft_matrix_sink_destroy(sink);
    CU_ASSERT_EQUAL(folder_file_count(folder), 0);
    folder_remove(folder);
}

static void an_old_file_stays_until_commit(void)
{
    begin();
    file_write(path, folder, "out.npy", "old", 3);
    weft_matrix_sink *sink = make_sink(ROWS);
    CU_ASSERT_EQUAL(access(path, R_OK), 0);
    CU_ASSERT_FALSE(file_counts_up());
    CU_ASSERT_EQUAL(write_tall(sink, NULL), WEFT_OK);
    CU_ASSERT_FALSE(file_counts_up());
    CU_ASSERT_EQUAL(weft_matrix_sink_commit(sink, NULL), WEFT_OK);
    weft_matrix_sink_destroy(sink);
    CU_ASSERT_TRUE(file_counts_up());
    folder_remove(folder);
}

static void a_chunk_of_the_client_is_written_whole(void)
{
    begin();
    weft_tall tall;
    weft_chunk *chunk = NULL;
    weft_graph *graph = make_graph(&tall);
    CU_ASSERT_EQUAL_FATAL(weft_compute(session, graph, &tall.chunks[0], 1, &chunk, NULL), WEFT_OK);
    weft_matrix_sink *sink = make_sink(CHUNK_ROWS);
    CU_ASSERT_EQUAL(weft_matrix_sink_write(sink, chunk, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_matrix_sink_commit(sink, NULL), WEFT_OK);
    weft_matrix_sink_destroy(sink);
    wf_npy_header header;
    double values[CHUNK_ROWS * COLS];
    CU_ASSERT_EQUAL_FATAL(wf_npy_open(path, &header, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, 0, CHUNK_ROWS, values, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(values[CHUNK_ROWS * COLS - 1], CHUNK_ROWS * COLS - 1);
    weft_error err = WEFT_ERROR_INIT;
    sink = make_sink(CHUNK_ROWS + 1);
    CU_ASSERT_EQUAL(weft_matrix_sink_write(sink, chunk, &err), WEFT_ESHAPE);
    CU_ASSERT_TRUE(says(&err, path));
    weft_matrix_sink_destroy(sink);
    weft_chunk_release(chunk);
    weft_tall_fini(&tall);
    weft_graph_destroy(graph);
    folder_remove(folder);
}

static void a_committed_sink_takes_nothing_more(void)
{
    begin();
    weft_tall tall;
    weft_ref written[ROWS];
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    weft_graph *graph = make_graph(&tall);
    CU_ASSERT_EQUAL_FATAL(weft_compute(session, graph, &tall.chunks[0], 1, &chunk, NULL), WEFT_OK);
    weft_matrix_sink *sink = make_sink(ROWS);
    CU_ASSERT_EQUAL(write_tall(sink, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_matrix_sink_commit(sink, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_matrix_sink_write(sink, chunk, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_tall_write(graph, &tall, sink, written, NULL), WEFT_EINVAL);
    CU_ASSERT_EQUAL(weft_matrix_sink_commit(sink, &err), WEFT_EINVAL);
    CU_ASSERT_TRUE(says(&err, path) && says(&err, "committed already"));
    weft_matrix_sink_destroy(sink);
    CU_ASSERT_TRUE(file_counts_up());
    weft_chunk_release(chunk);
    weft_tall_fini(&tall);
    weft_graph_destroy(graph);
    folder_remove(folder);
}

static void files_of_another_shape_are_refused(void)
{
    begin();
    weft_error err = WEFT_ERROR_INIT;
    weft_matrix_sink *sink = make_sink(ROWS + 1);
    CU_ASSERT_EQUAL(write_tall(sink, &err), WEFT_ESHAPE);
    CU_ASSERT_TRUE(says(&err, path));
    weft_matrix_sink_destroy(sink);
    folder_remove(folder);
}

static void a_file_that_is_gone_fails_the_task(void)
{
    begin();
    weft_error err = WEFT_ERROR_INIT;
    weft_matrix_sink *sink = make_sink(ROWS);
    char command[TEST_PATH_BYTES + 16];
    snprintf(command, sizeof command, "rm '%.200s'/out*", folder);
    CU_ASSERT_EQUAL_FATAL(system(command), 0);
    CU_ASSERT_EQUAL(write_tall(sink, &err), WEFT_EIO);
    CU_ASSERT_TRUE(says(&err, "is gone"));
    weft_matrix_sink_destroy(sink);
    CU_ASSERT_EQUAL(folder_file_count(folder), 0);
    folder_remove(folder);
}

static void expect_refused(const char *place, const char *text)
{
    weft_matrix_sink *sink = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(weft_matrix_sink_create(place, 2, (int64_t[]){ROWS, COLS}, &sink, &err), WEFT_EIO);
    CU_ASSERT_PTR_NULL(sink);
    CU_ASSERT_TRUE(says(&err, text));
    CU_ASSERT_PTR_NULL(strstr(err.text, ".part"));
}

static void places_that_cannot_be_written_are_refused_by_the_name_asked_for(void)
{
    begin();
    char place[TEST_PATH_BYTES];
    snprintf(place, sizeof place, "%.200s/none/out.npy", folder);
    expect_refused(place, "out.npy: cannot be written: there is no folder");
    expect_refused(folder, "is a folder");
    expect_refused("/proc/out.npy", "/proc/out.npy: cannot be written");
    CU_ASSERT_EQUAL(folder_file_count(folder), 0);
    folder_remove(folder);
}

static int client(weft_session *given, int argc, char **argv)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(chunks_are_written_where_they_belong),
        WEFT_TEST(nothing_is_left_without_commit),
        WEFT_TEST(an_old_file_stays_until_commit),
        WEFT_TEST(a_chunk_of_the_client_is_written_whole),
        WEFT_TEST(a_committed_sink_takes_nothing_more),
        WEFT_TEST(files_of_another_shape_are_refused),
        WEFT_TEST(a_file_that_is_gone_fails_the_task),
        WEFT_TEST(places_that_cannot_be_written_are_refused_by_the_name_asked_for),
    };
    (void)argc;
    (void)argv;
    session = given;
    return weft_test_run("array/matrix_sink", cases, WEFT_COUNT_OF(cases));
}

int main(int argc, char **argv) { return weft_main(argc, argv, client); }
