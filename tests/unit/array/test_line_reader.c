/* Lines of every length and end, against a plain search in the same bytes. */
#include "array/line_reader.h"

#include "array_files.h"

static void line_ends_of_both_kinds_and_none_are_accepted(void)
{
    static const struct {
        const char *text;
        size_t bytes;
        int64_t offset;
    } wanted[] = {{"one", 3, 3}, {"two", 3, 7}, {"", 0, 12}, {"x\ry", 3, 13}, {"last", 4, 17}};
    static const char text[] = "\xef\xbb\xbfone\ntwo\r\n\nx\ry\nlast";
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    file_write(path, folder, "lines", text, sizeof text - 1);
    wf_line_reader reader;
    wf_line line;
    bool found;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(wf_line_reader_init(&reader, path, 0, &err), WEFT_OK);
    for (size_t i = 0; i < WEFT_COUNT_OF(wanted); i++) {
        CU_ASSERT_EQUAL(wf_line_reader_next(&reader, &line, &found, &err), WEFT_OK);
        CU_ASSERT(found && line.bytes == wanted[i].bytes && memcmp(line.text, wanted[i].text, line.bytes) == 0);
        CU_ASSERT_EQUAL(line.offset_bytes, wanted[i].offset);
    }
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(wf_line_reader_next(&reader, &line, &found, &err), WEFT_OK);
        CU_ASSERT(!found);
    }
    wf_line_reader_fini(&reader);
    folder_remove(folder);
}

/* Lines from a handful of bytes to several times the buffer, read from the beginning and from a line in the middle. */
static void lines_longer_than_the_buffer_are_whole(void)
{
    enum { BYTES = 6 << 20 };
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES], *text = malloc(BYTES);
    folder_create(folder);
    uint64_t random = test_seed() + 1ULL;
    for (size_t i = 0; i < BYTES; i++) text[i] = (char)('a' + i % 26);
    size_t start = 0;
    for (size_t at = 0; at < BYTES; at += 1 + random_next(&random) % (random_next(&random) % 64 ? 30000 : 1200000)) {
        text[at] = '\n';
        if (at < BYTES / 2) start = at + 1;
    }
    file_write(path, folder, "lines", text, BYTES);
    for (int pass = 0; pass < 2; pass++) {
        size_t at = pass ? start : 0;
        wf_line_reader reader;
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL_FATAL(wf_line_reader_init(&reader, path, (int64_t)at, &err), WEFT_OK);
        bool found = true, good = true;
        for (wf_line line; good;) {
            good = wf_line_reader_next(&reader, &line, &found, &err) == WEFT_OK && found == (at < BYTES);
            if (!found) break;
            const char *stop = memchr(text + at, '\n', BYTES - at);
            size_t bytes = stop ? (size_t)(stop - text) - at : BYTES - at;
            good = good && line.bytes == bytes && memcmp(line.text, text + at, bytes) == 0 && line.offset_bytes == (int64_t)at;
            at += bytes + 1;
        }
        CU_ASSERT(good);
        wf_line_reader_fini(&reader);
    }
    free(text);
    folder_remove(folder);
}

static void a_zero_byte_is_refused(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    file_write(path, folder, "binary", "1,2\n3,\0\n", 8);
    wf_line_reader reader;
    wf_line line;
    bool found;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL_FATAL(wf_line_reader_init(&reader, path, 0, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_line_reader_next(&reader, &line, &found, &err), WEFT_EDATA);
    CU_ASSERT(says(&err, "binary: is no text file: byte 6 is zero"));
    wf_line_reader_fini(&reader);
    folder_remove(folder);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(line_ends_of_both_kinds_and_none_are_accepted),
        WEFT_TEST(lines_longer_than_the_buffer_are_whole),
        WEFT_TEST(a_zero_byte_is_refused),
    };
    return weft_test_run("array/line_reader", cases, WEFT_COUNT_OF(cases));
}
