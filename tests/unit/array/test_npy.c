/* .npy files against numpy (npy_oracle.py, run by python3), and against hand-made headers. */
#include "array/npy.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "array/file.h"
#include "array_files.h"

#define ORACLE WEFT_TEST_DATA "/../unit/array/npy_oracle.py"

/* The python that has numpy: Debian's, else the first in PATH. */
static const char *python(void)
{
    return access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3";
}

static bool has_numpy(void)
{
    char command[TEST_PATH_BYTES];
    snprintf(command, sizeof command, "%s -c 'import numpy' 2>/dev/null", python());
    if (system(command) == 0) return true;
    printf("    skipped: %s has no numpy (Debian: python3-numpy)\n", python());
    return false;
}

/* Runs `npy_oracle.py write` into a new folder; returns its listing, to be closed with pclose. */
static FILE *oracle_write(char *folder, unsigned seed)
{
    char command[2 * TEST_PATH_BYTES + sizeof ORACLE];
    folder_create(folder);
    snprintf(command, sizeof command, "%s '%s' write '%s' %u", python(), ORACLE, folder, seed);
    return popen(command, "r");
}

static double *file_load(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0) abort();
    *bytes = (size_t)info.st_size;
    double *data = malloc(*bytes + 1);
    if (!data || fread(data, 1, *bytes, file) != *bytes) abort();
    fclose(file);
    return data;
}

typedef struct listed {
    char name[64], dtype[16];
    long rows, cols;
    int is_fortran;
} listed;

static void compare_with_raw(const char *folder, const listed *entry, uint64_t *random)
{
    char path[TEST_PATH_BYTES];
    snprintf(path, sizeof path, "%.150s/%s.raw", folder, entry->name);
    size_t raw_bytes;
    double *raw = file_load(path, &raw_bytes);
    snprintf(path, sizeof path, "%.150s/%s.npy", folder, entry->name);
    wf_npy_header header;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_npy_open(path, &header, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_npy_row_count(&header), entry->rows);
    CU_ASSERT_EQUAL(wf_npy_col_count(&header), entry->cols);
    CU_ASSERT_EQUAL(header.fortran_order, entry->is_fortran);
    CU_ASSERT_STRING_EQUAL(wf_npy_dtype_name(header.dtype), entry->dtype);
    CU_ASSERT_EQUAL(wf_npy_check_table(path, &header, &err), WEFT_OK);
    double *read = malloc(raw_bytes + 1);
    CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, 0, entry->rows, read, &err), WEFT_OK);
    CU_ASSERT_EQUAL(memcmp(read, raw, raw_bytes), 0);
    for (int i = 0; i < 10; i++) {
        int64_t first = (int64_t)(random_next(random) % (uint64_t)(entry->rows + 1));
        int64_t count = (int64_t)(random_next(random) % (uint64_t)(entry->rows - first + 1));
        CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, first, count, read, &err), WEFT_OK);
        CU_ASSERT_EQUAL(memcmp(read, raw + first * entry->cols, (size_t)(count * entry->cols) * sizeof *raw), 0);
    }
    free(read);
    free(raw);
}

static void what_numpy_writes_is_read_bit_for_bit(void)
{
    if (!has_numpy()) return;
    char folder[TEST_PATH_BYTES];
    unsigned seed = test_seed();
    uint64_t random = seed + 1ULL;
    FILE *listing = oracle_write(folder, seed);
    listed entry;
    int count = 0;
    while (listing && fscanf(listing, "%63s %ld %ld %15s %d", entry.name, &entry.rows, &entry.cols, entry.dtype, &entry.is_fortran) == 5) {
        compare_with_raw(folder, &entry, &random);
        count++;
    }
    CU_ASSERT_EQUAL(count, 31);
    CU_ASSERT_EQUAL(pclose(listing), 0);
    folder_remove(folder);
}

static void check_refused(const char *folder, const char *name, weft_status status, const char *text)
{
    char path[TEST_PATH_BYTES];
    snprintf(path, sizeof path, "%.150s/%s.npy", folder, name);
    wf_npy_header header;
    weft_error err = WEFT_ERROR_INIT;
    weft_status got = wf_npy_open(path, &header, &err);
    double out[64];
    if (got == WEFT_OK) got = wf_npy_read_rows(path, &header, 0, wf_npy_row_count(&header), out, &err);
    if (got != status) printf("    %s: %s: %s\n", name, weft_status_name(got), err.text);
    CU_ASSERT_EQUAL(got, status);
    CU_ASSERT(says(&err, text));
    CU_ASSERT(says(&err, path));
}

static void what_cannot_be_read_is_refused_with_a_way_out(void)
{
    if (!has_numpy()) return;
    static const struct {
        const char *name;
        weft_status status;
        const char *text;
    } refused[] = {
        {"big_f8", WEFT_EUNSUPPORTED, "big-endian numbers ('>f8'), weft reads little-endian ones; convert it with a.astype('<f8')"},
        {"big_f4", WEFT_EUNSUPPORTED, "a.astype('<f4')"},
        {"int64", WEFT_EUNSUPPORTED, "holds int64"},
        {"int32", WEFT_EUNSUPPORTED, "holds int32"},
        {"uint8", WEFT_EUNSUPPORTED, "holds uint8"},
        {"complex", WEFT_EUNSUPPORTED, "type '<c16'"},
        {"bool", WEFT_EUNSUPPORTED, "type '|b1'"},
        {"half", WEFT_EUNSUPPORTED, "type '<f2'"},
        {"text", WEFT_EUNSUPPORTED, "type '<U2'"},
        {"objects", WEFT_EUNSUPPORTED, "type '|O'"},
        {"records", WEFT_EUNSUPPORTED, "records of several fields"},
        {"cube", WEFT_ESHAPE, "has 3 dimensions"},
        {"five", WEFT_EUNSUPPORTED, "more than 4 dimensions"},
        {"scalar", WEFT_ESHAPE, "has 0 dimensions"},
        {"nan", WEFT_EDATA, "row 4, column 2 is NaN"},
        {"nan_fortran", WEFT_EDATA, "row 4, column 2 is NaN"},
        {"nan_f32", WEFT_EDATA, "row 4, column 2 is NaN"},
        {"inf", WEFT_EDATA, "row 6, column 1 is -Inf"},
    };
    char folder[TEST_PATH_BYTES];
    FILE *listing = oracle_write(folder, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(listing);
    while (fgetc(listing) != EOF) continue;
    CU_ASSERT_EQUAL(pclose(listing), 0);
    for (size_t i = 0; i < WEFT_COUNT_OF(refused); i++) check_refused(folder, refused[i].name, refused[i].status, refused[i].text);
    folder_remove(folder);
}

/* Writes rows in random pieces and random order. */
static void write_in_pieces(const char *path, const wf_npy_header *header, const char *data, size_t row_bytes, uint64_t *random)
{
    int64_t rows = wf_npy_row_count(header);
    int64_t middle = (int64_t)(random_next(random) % (uint64_t)(rows + 1));
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_npy_write_rows(path, header, middle, rows - middle, data + (size_t)middle * row_bytes, &err), WEFT_OK);
    for (int64_t row = 0; row < middle;) {
        int64_t count = 1 + (int64_t)(random_next(random) % (uint64_t)(middle - row));
        CU_ASSERT_EQUAL(wf_npy_write_rows(path, header, row, count, data + (size_t)row * row_bytes, &err), WEFT_OK);
        row += count;
    }
}

static void numpy_agrees(const char *path, const char *name, const char *shape, const char *folder, const void *data, size_t bytes)
{
    char raw[TEST_PATH_BYTES], command[4 * TEST_PATH_BYTES + sizeof ORACLE];
    file_write(raw, folder, "written.raw", data, bytes);
    snprintf(command, sizeof command, "%s '%s' check '%s' %s %s '%s'", python(), ORACLE, path, name, shape, raw);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void round_trip(const char *folder, weft_dtype dtype, int dims, const int64_t *extents, uint64_t *random)
{
    char path[TEST_PATH_BYTES], shape[64] = "";
    snprintf(path, sizeof path, "%.150s/u.npy", folder);
    wf_npy_header header, opened;
    weft_error err = WEFT_ERROR_INIT;
    char *part = wf_file_temporary_name(path, &err);
    unlink(path); /* of the round before */
    CU_ASSERT_EQUAL_FATAL(wf_npy_create(part, dtype, dims, extents, &header, &err), WEFT_OK);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    size_t row_bytes = (size_t)wf_npy_col_count(&header) * wf_npy_dtype_bytes(dtype);
    size_t bytes = (size_t)wf_npy_row_count(&header) * row_bytes;
    char *data = malloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++) data[i] = (char)(random_next(random) >> 32);
    write_in_pieces(part, &header, data, row_bytes, random);
    CU_ASSERT_EQUAL(wf_file_commit(part, path, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_npy_open(path, &opened, &err), WEFT_OK);
    CU_ASSERT(opened.dtype == dtype && opened.dim_count == dims && !opened.fortran_order);
    CU_ASSERT_EQUAL(opened.data_offset_bytes, header.data_offset_bytes);
    for (int i = 0; i < dims; i++) {
        CU_ASSERT_EQUAL(opened.extents[i], extents[i]);
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%lld", i ? "x" : "", (long long)extents[i]);
    }
    numpy_agrees(path, wf_npy_dtype_name(dtype), shape, folder, data, bytes);
    free(data);
    free(part);
}

static void what_is_written_is_read_by_numpy_bit_for_bit(void)
{
    if (!has_numpy()) return;
    static const weft_dtype dtypes[] = {WEFT_F64, WEFT_F32, WEFT_U8, WEFT_I32, WEFT_I64};
    char folder[TEST_PATH_BYTES];
    folder_create(folder);
    uint64_t random = test_seed() + 1ULL;
    round_trip(folder, WEFT_F64, 2, (int64_t[]){0, 5}, &random);
    round_trip(folder, WEFT_F64, 1, (int64_t[]){17}, &random);
    for (int i = 0; i < 12; i++) {
        int64_t extents[4];
        int dims = 1 + (int)(random_next(&random) % 4);
        for (int j = 0; j < dims; j++) extents[j] = 1 + (int64_t)(random_next(&random) % (j ? 8 : 500));
        round_trip(folder, dtypes[random_next(&random) % 5], dims, extents, &random);
    }
    folder_remove(folder);
}

static void f64_rows_come_back_as_they_were_written(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    snprintf(path, sizeof path, "%.150s/u.npy", folder);
    double data[7 * 3], read[7 * 3];
    for (int i = 0; i < 21; i++) data[i] = i * 0.1 - 1;
    wf_npy_header header;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_npy_create(path, WEFT_F64, 2, (int64_t[]){7, 3}, &header, &err), WEFT_OK);
    CU_ASSERT_EQUAL(header.data_offset_bytes % 64, 0);
    CU_ASSERT_EQUAL(wf_npy_write_rows(path, &header, 4, 3, data + 12, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_npy_write_rows(path, &header, 0, 4, data, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_npy_open(path, &header, &err), WEFT_OK);
    CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, 0, 7, read, &err), WEFT_OK);
    CU_ASSERT_EQUAL(memcmp(read, data, sizeof data), 0);
    CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, 5, 1, read, &err), WEFT_OK);
    CU_ASSERT_EQUAL(memcmp(read, data + 15, 3 * sizeof *data), 0);
    folder_remove(folder);
}

static void rows_outside_the_array_are_refused(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    snprintf(path, sizeof path, "%.150s/u.npy", folder);
    wf_npy_header header;
    weft_error err = WEFT_ERROR_INIT;
    double row[8] = {0};
    CU_ASSERT_EQUAL(wf_npy_create(path, WEFT_F64, 2, (int64_t[]){7, 2}, &header, &err), WEFT_OK);
    static const int64_t ranges[][2] = {{-1, 1}, {0, -1}, {0, 8}, {7, 1}, {8, 0}, {INT64_MAX, 1}, {1, INT64_MAX}};
    for (size_t i = 0; i < WEFT_COUNT_OF(ranges); i++) {
        CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, ranges[i][0], ranges[i][1], row, &err), WEFT_EINVAL);
        CU_ASSERT_EQUAL(wf_npy_write_rows(path, &header, ranges[i][0], ranges[i][1], row, &err), WEFT_EINVAL);
    }
    CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, 7, 0, row, &err), WEFT_OK);
    folder_remove(folder);
}

/* A version 1.0 file of the literal and `data_bytes` zeros. */
static void literal_write(char *path, const char *folder, const char *literal, size_t data_bytes)
{
    char bytes[1024] = "\x93NUMPY\x01";
    size_t length = strlen(literal);
    bytes[8] = (char)length;
    memcpy(bytes + 10, literal, length);
    memset(bytes + 10 + length, 0, sizeof bytes - 10 - length);
    file_write(path, folder, "literal.npy", bytes, 10 + length + data_bytes);
}

static void headers_that_python_would_accept_are_accepted(void)
{
    static const char *const literals[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n",
        "{'shape':(2,3),'descr':'<f8','fortran_order':False}",
        "{\"descr\": \"=f8\", \"fortran_order\": False, \"shape\": (2L, 3L,)}   \n",
    };
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    for (size_t i = 0; i < WEFT_COUNT_OF(literals); i++) {
        literal_write(path, folder, literals[i], 48);
        wf_npy_header header;
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_EQUAL(wf_npy_open(path, &header, &err), WEFT_OK);
        CU_ASSERT(header.dtype == WEFT_F64 && header.dim_count == 2 && header.extents[0] == 2 && header.extents[1] == 3);
        CU_ASSERT_EQUAL(header.data_offset_bytes, (int64_t)(10 + strlen(literals[i])));
    }
    folder_remove(folder);
}

static void malformed_headers_are_refused(void)
{
    static const struct {
        const char *literal, *text;
    } bad[] = {
        {"", "malformed at its beginning"},
        {"[]", "malformed at its beginning"},
        {"{'descr': '<f8', 'fortran_order': False, }", "a key is missing"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)", "the end of an entry"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", "unknown or given twice"},
        {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", "unknown or given twice"},
        {"{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2, 3)}", "'fortran_order'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, -3)}", "'shape'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2 3)}", "'shape'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 3)}", "'shape'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 3)}", "more elements than a file can hold"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4611686018427387904, 3)}", "more elements than a file can hold"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)} more", "its end"},
        {"{'descr': '<f8, 'fortran_order': False, 'shape': (2, 3)}", "type '<f8, '"},
        {"{'descr': 'f8', 'fortran_order': False, 'shape': (2, 3)}", "type 'f8'"},
        {"{'descr': 5, 'fortran_order': False, 'shape': (2, 3)}", "'descr'"},
    };
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        literal_write(path, folder, bad[i].literal, 48);
        wf_npy_header header = {.dim_count = 77};
        weft_error err = WEFT_ERROR_INIT;
        CU_ASSERT_NOT_EQUAL(wf_npy_open(path, &header, &err), WEFT_OK);
        CU_ASSERT(says(&err, bad[i].text));
        CU_ASSERT_EQUAL(header.dim_count, 77);
    }
    folder_remove(folder);
}

static void a_file_cut_anywhere_says_how_much_is_missing(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES], wanted[64];
    folder_create(folder);
    snprintf(path, sizeof path, "%.150s/u.npy", folder);
    wf_npy_header header;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_npy_create(path, WEFT_F64, 2, (int64_t[]){5, 2}, &header, &err), WEFT_OK);
    const int64_t total = header.data_offset_bytes + 80;
    for (int64_t size = total - 1; size >= 0; size--) {
        CU_ASSERT_EQUAL(truncate(path, size), 0);
        CU_ASSERT_EQUAL(wf_npy_open(path, &header, &err), WEFT_EDATA);
        snprintf(wanted, sizeof wanted, "is truncated: %lld bytes of %lld are missing", (long long)(total - size), (long long)total);
        if (size >= header.data_offset_bytes) CU_ASSERT(says(&err, wanted));
    }
    CU_ASSERT(says(&err, "is empty"));
    double out[10];
    CU_ASSERT_EQUAL(wf_npy_read_rows(path, &header, 0, 5, out, &err), WEFT_EDATA);
    CU_ASSERT(says(&err, "became shorter while it was read: 80 bytes are missing"));
    folder_remove(folder);
}

static void files_of_other_kinds_are_refused(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    wf_npy_header header;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_npy_open(WEFT_TEST_DATA "/digits.csv", &header, &err), WEFT_EDATA);
    CU_ASSERT(says(&err, "digits.csv: is no .npy file"));
    file_write(path, folder, "next.npy", "\x93NUMPY\x04\x00\x10\x00\x00\x00{}", 14);
    CU_ASSERT_EQUAL(wf_npy_open(path, &header, &err), WEFT_EUNSUPPORTED);
    CU_ASSERT(says(&err, "version 4.0"));
    file_write(path, folder, "huge.npy", "\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14);
    CU_ASSERT_EQUAL(wf_npy_open(path, &header, &err), WEFT_EDATA);
    CU_ASSERT(says(&err, "ends within its header"));
    folder_remove(folder);
}

static void what_cannot_be_created_leaves_nothing_behind(void)
{
    char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES];
    folder_create(folder);
    snprintf(path, sizeof path, "%.150s/u.npy", folder);
    wf_npy_header header;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_npy_create(path, WEFT_F64, 2, (int64_t[]){-1, 2}, &header, &err), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_npy_create(path, WEFT_F64, 2, (int64_t[]){INT64_MAX / 8, 2}, &header, &err), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_npy_create(path, WEFT_F64, 5, (int64_t[]){1, 1, 1, 1, 1}, &header, &err), WEFT_EINVAL);
    CU_ASSERT_EQUAL(wf_npy_create(path, (weft_dtype)99, 1, (int64_t[]){1}, &header, &err), WEFT_EINVAL);
    /* 4 EiB: no disk has them. */
    CU_ASSERT_EQUAL(wf_npy_create(path, WEFT_F64, 2, (int64_t[]){1LL << 39, 1 << 20}, &header, &err), WEFT_EIO);
    CU_ASSERT_EQUAL(folder_file_count(folder), 0);
    CU_ASSERT_EQUAL(wf_npy_write_rows(path, &(wf_npy_header){.dtype = WEFT_F64, .dim_count = 1, .extents = {1}}, 0, 1, "12345678", &err),
                    WEFT_EIO);
    CU_ASSERT(says(&err, "is gone since it was created"));
    CU_ASSERT_EQUAL(folder_file_count(folder), 0);
    folder_remove(folder);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(what_numpy_writes_is_read_bit_for_bit),
        WEFT_TEST(what_cannot_be_read_is_refused_with_a_way_out),
        WEFT_TEST(what_is_written_is_read_by_numpy_bit_for_bit),
        WEFT_TEST(f64_rows_come_back_as_they_were_written),
        WEFT_TEST(rows_outside_the_array_are_refused),
        WEFT_TEST(headers_that_python_would_accept_are_accepted),
        WEFT_TEST(malformed_headers_are_refused),
        WEFT_TEST(a_file_cut_anywhere_says_how_much_is_missing),
        WEFT_TEST(files_of_other_kinds_are_refused),
        WEFT_TEST(what_cannot_be_created_leaves_nothing_behind),
    };
    return weft_test_run("array/npy", cases, WEFT_COUNT_OF(cases));
}
