/* Reads and writes rows of .npy files. Owns nothing between calls: every call opens the file, so a header is all that ranks share.
 * Invariant: a header that left wf_npy_open or wf_npy_create describes an array whose byte count fits into int64_t. Any thread. */
#include "array/npy.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array/file.h"
#include "base/memory.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are moved in the machine's byte order");

enum {
    MAX_TEXT_BYTES = 1 << 20, /* of a header; ours take about 100 */
    STAGE_BYTES = 256 << 10,  /* fits the L2 cache */
    STAGE_COLS = 8,           /* a cache line of out is written at once */
};

/* Bytes of the file; false when they do not fit. Zero extents count as one, so that the size of a row fits too. */
static bool file_bytes(const wf_npy_header *header, int64_t *bytes)
{
    int64_t padded = (int64_t)wf_npy_dtype_bytes(header->dtype), total = padded;
    for (int i = 0; i < header->dim_count; i++) {
        if (header->extents[i] < 0) return false;
        if (__builtin_mul_overflow(padded, header->extents[i] ? header->extents[i] : 1, &padded)) return false;
        total *= header->extents[i];
    }
    if (padded > INT64_MAX - header->data_offset_bytes) return false;
    *bytes = total + header->data_offset_bytes;
    return true;
}

static weft_status read_text(int fd, const char *path, int64_t size_bytes, wf_npy_header *header, weft_error *err)
{
    unsigned char prefix[WF_NPY_PREFIX_BYTES];
    size_t got, text_bytes = 0;
    int64_t text_offset = 0;
    weft_status status = wf_file_read(fd, path, 0, prefix, sizeof prefix, &got, err);
    if (status == WEFT_OK) status = wf_npy_prefix_parse(path, prefix, got, &text_offset, &text_bytes, err);
    if (status != WEFT_OK) return status;
    if (text_offset + (int64_t)text_bytes > size_bytes)
        return weft_fail(err, WEFT_EDATA, "%s: ends within its header: %" PRId64 " bytes of %zu are missing; write or copy it again",
                         wf_file_shown_path(path), text_offset + (int64_t)text_bytes - size_bytes, text_bytes);
    if (text_bytes > MAX_TEXT_BYTES)
        return weft_fail(err, WEFT_EDATA, "%s: claims a .npy header of %zu bytes, weft reads up to %d; write it again with numpy.save",
                         wf_file_shown_path(path), text_bytes, MAX_TEXT_BYTES);
    char *text = wf_calloc(text_bytes, 1, err);
    if (!text) return WEFT_ENOMEM;
    status = wf_file_read(fd, path, text_offset, text, text_bytes, &got, err);
    if (status == WEFT_OK) status = wf_npy_text_parse(path, text, got, header, err);
    header->data_offset_bytes = text_offset + (int64_t)text_bytes;
    free(text);
    return status;
}

static weft_status check_size(const char *path, int64_t size_bytes, const wf_npy_header *header, weft_error *err)
{
    int64_t needed;
    if (!file_bytes(header, &needed))
        return weft_fail(err, WEFT_EDATA, "%s: its header claims more elements than a file can hold; write it again with numpy.save",
                         wf_file_shown_path(path));
    if (size_bytes < needed)
        return weft_fail(err, WEFT_EDATA, "%s: is truncated: %" PRId64 " bytes of %" PRId64 " are missing; write or copy it again",
                         wf_file_shown_path(path), needed - size_bytes, needed);
    return WEFT_OK;
}

weft_status wf_npy_open(const char *path, wf_npy_header *header, weft_error *err)
{
    int fd;
    int64_t size_bytes;
    wf_npy_header parsed = {.data_offset_bytes = 0};
    weft_status status = wf_file_open(path, &fd, &size_bytes, err);
    if (status != WEFT_OK) return status;
    status = read_text(fd, path, size_bytes, &parsed, err);
    if (status == WEFT_OK) status = check_size(path, size_bytes, &parsed, err);
    if (status == WEFT_OK) *header = parsed;
    close(fd);
    return status;
}

int64_t wf_npy_row_count(const wf_npy_header *header)
{
    return header->dim_count > 0 ? header->extents[0] : 1;
}

int64_t wf_npy_col_count(const wf_npy_header *header)
{
    int64_t count = 1;
    for (int i = 1; i < header->dim_count; i++) count *= header->extents[i];
    return count;
}

weft_status wf_npy_check_table(const char *path, const wf_npy_header *header, weft_error *err)
{
    if (header->dtype != WEFT_F32 && header->dtype != WEFT_F64)
        return weft_fail(err, WEFT_EUNSUPPORTED, "%s: holds %s, weft computes with float32 and float64; convert with a.astype('<f8')",
                         wf_file_shown_path(path), wf_npy_dtype_name(header->dtype));
    if (header->dim_count != 1 && header->dim_count != 2)
        return weft_fail(err, WEFT_ESHAPE, "%s: has %d dimensions where rows and columns are needed; save it as a table with %s",
                         wf_file_shown_path(path), header->dim_count, header->dim_count ? "a.reshape(len(a), -1)" : "a.reshape(1, 1)");
    return WEFT_OK;
}

static weft_status check_range(const char *path, const wf_npy_header *header, int64_t first_row, int64_t row_count, weft_error *err)
{
    int64_t rows = wf_npy_row_count(header);
    if (first_row >= 0 && row_count >= 0 && first_row <= rows && row_count <= rows - first_row) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "%s: %" PRId64 " rows behind the first %" PRId64 " were wanted, it has %" PRId64 "; ask for fewer",
                     wf_file_shown_path(path), row_count, first_row, rows);
}

/* The rows being read, and where they come from. */
typedef struct row_reader {
    const char *path;
    const wf_npy_header *header;
    int fd;
    int64_t row_count, col_count; /* of the whole array */
    size_t element_bytes;
    void *stage; /* STAGE_BYTES */
} row_reader;

/* Elements in file order, from element `first` of the array. */
static weft_status read_elements(const row_reader *reader, int64_t first, int64_t count, void *out, weft_error *err)
{
    size_t got, bytes = (size_t)count * reader->element_bytes;
    int64_t offset = reader->header->data_offset_bytes + first * (int64_t)reader->element_bytes;
    weft_status status = wf_file_read(reader->fd, reader->path, offset, out, bytes, &got, err);
    if (status == WEFT_OK && got < bytes)
        return weft_fail(err, WEFT_EDATA, "%s: became shorter while it was read: %zu bytes are missing at byte %" PRId64 "; write it again",
                         wf_file_shown_path(reader->path), bytes - got, offset + (int64_t)got);
    return status;
}

static weft_status read_c_order(const row_reader *reader, int64_t first_row, int64_t row_count, double *out, weft_error *err)
{
    int64_t first = first_row * reader->col_count, count = row_count * reader->col_count;
    if (reader->header->dtype == WEFT_F64) return read_elements(reader, first, count, out, err);
    const float *stage = reader->stage;
    const int64_t step = STAGE_BYTES / (int64_t)sizeof *stage;
    for (int64_t done = 0; done < count; done += step) {
        int64_t part = count - done < step ? count - done : step;
        weft_status status = read_elements(reader, first + done, part, reader->stage, err);
        if (status != WEFT_OK) return status;
        for (int64_t i = 0; i < part; i++) out[done + i] = (double)stage[i];
    }
    return WEFT_OK;
}

/* Up to STAGE_COLS columns of a tile, which lie one after another in the stage, into the rows of out. */
static void scatter(const row_reader *reader, int64_t row_count, int64_t cols, double *out)
{
    const double *f64 = reader->stage;
    const float *f32 = reader->stage;
    bool is_f64 = reader->header->dtype == WEFT_F64;
    for (int64_t i = 0; i < row_count; i++) {
        for (int64_t j = 0; j < cols; j++)
            out[i * reader->col_count + j] = is_f64 ? f64[j * row_count + i] : (double)f32[j * row_count + i];
    }
}

static weft_status read_fortran_order(const row_reader *reader, int64_t first_row, int64_t row_count, double *out, weft_error *err)
{
    const int64_t tile = STAGE_BYTES / STAGE_COLS / (int64_t)sizeof(double);
    for (int64_t row = 0; row < row_count; row += tile) {
        int64_t rows = row_count - row < tile ? row_count - row : tile;
        for (int64_t col = 0; col < reader->col_count; col += STAGE_COLS) {
            int64_t cols = reader->col_count - col < STAGE_COLS ? reader->col_count - col : STAGE_COLS;
            for (int64_t j = 0; j < cols; j++) {
                char *place = (char *)reader->stage + (size_t)(j * rows) * reader->element_bytes;
                weft_status status = read_elements(reader, (col + j) * reader->row_count + first_row + row, rows, place, err);
                if (status != WEFT_OK) return status;
            }
            scatter(reader, rows, cols, out + row * reader->col_count + col);
        }
    }
    return WEFT_OK;
}

static weft_status check_finite(const char *path, int64_t first_row, int64_t row_count, int64_t col_count, const double *out,
                                weft_error *err)
{
    for (int64_t i = 0; i < row_count; i++) {
        const double *row = out + i * col_count;
        bool is_finite = true;
        for (int64_t j = 0; j < col_count; j++) is_finite &= isfinite(row[j]) != 0;
        if (is_finite) continue;
        int64_t j = 0;
        while (isfinite(row[j])) j++;
        return weft_fail(err, WEFT_EDATA, "%s: row %" PRId64 ", column %" PRId64 " is %s; replace it (numpy.nan_to_num) or leave the row "
                         "out", wf_file_shown_path(path), first_row + i + 1, j + 1, isnan(row[j]) ? "NaN" : row[j] > 0 ? "Inf" : "-Inf");
    }
    return WEFT_OK;
}

weft_status wf_npy_read_rows(const char *path, const wf_npy_header *header, int64_t first_row, int64_t row_count, double *out,
                             weft_error *err)
{
    weft_status status = wf_npy_check_table(path, header, err);
    if (status == WEFT_OK) status = check_range(path, header, first_row, row_count, err);
    if (status != WEFT_OK) return status;
    row_reader reader = {.path = path, .header = header, .row_count = wf_npy_row_count(header), .col_count = wf_npy_col_count(header),
                         .element_bytes = wf_npy_dtype_bytes(header->dtype)};
    status = wf_file_open(path, &reader.fd, NULL, err);
    if (status != WEFT_OK) return status;
    bool is_fortran = header->fortran_order && header->dim_count > 1;
    if (is_fortran || header->dtype != WEFT_F64) {
        reader.stage = wf_aligned_alloc(STAGE_BYTES, 1, err);
        if (!reader.stage) status = WEFT_ENOMEM;
    }
    if (status == WEFT_OK) status = (is_fortran ? read_fortran_order : read_c_order)(&reader, first_row, row_count, out, err);
    if (status == WEFT_OK) status = check_finite(path, first_row, row_count, reader.col_count, out, err);
    free(reader.stage);
    close(reader.fd);
    return status;
}

weft_status wf_npy_create(const char *path, weft_dtype dtype, int dim_count, const int64_t *extents, wf_npy_header *header,
                          weft_error *err)
{
    const char *shown = wf_file_shown_path(path);
    if (wf_npy_dtype_bytes(dtype) == 0 || dim_count < 0 || dim_count > WEFT_MAX_DIMS)
        return weft_fail(err, WEFT_EINVAL, "%s: type %d in %d dimensions cannot be written; give a known type and 0 to %d dimensions",
                         shown, (int)dtype, dim_count, WEFT_MAX_DIMS);
    wf_npy_header made = {.dtype = dtype, .dim_count = dim_count, .data_offset_bytes = WF_NPY_OWN_HEADER_BYTES};
    if (dim_count > 0) memcpy(made.extents, extents, (size_t)dim_count * sizeof *extents);
    int64_t size_bytes;
    if (!file_bytes(&made, &size_bytes))
        return weft_fail(err, WEFT_EINVAL, "%s: an extent is negative, or all together are beyond 2^63 bytes; give smaller ones", shown);
    char text[WF_NPY_OWN_HEADER_BYTES];
    wf_npy_header_format(&made, text);
    size_bytes -= WF_NPY_OWN_HEADER_BYTES - made.data_offset_bytes;
    int fd;
    weft_status status = wf_file_create(path, size_bytes, &fd, err);
    if (status != WEFT_OK) return status;
    status = wf_file_write(fd, path, 0, text, (size_t)made.data_offset_bytes, err);
    if (status == WEFT_OK)
        status = wf_file_close_written(fd, path, err);
    else
        close(fd);
    if (status == WEFT_OK)
        *header = made;
    else
        wf_file_discard(path);
    return status;
}

weft_status wf_npy_write_rows(const char *path, const wf_npy_header *header, int64_t first_row, int64_t row_count, const void *data,
                              weft_error *err)
{
    weft_status status = check_range(path, header, first_row, row_count, err);
    if (status != WEFT_OK) return status;
    if (header->fortran_order && header->dim_count > 1)
        return weft_fail(err, WEFT_EINVAL, "%s: is in Fortran order, rows are written in C order only; create the file with weft",
                         wf_file_shown_path(path));
    int fd;
    status = wf_file_open_written(path, &fd, err);
    if (status != WEFT_OK) return status;
    int64_t row_bytes = wf_npy_col_count(header) * (int64_t)wf_npy_dtype_bytes(header->dtype);
    status = wf_file_write(fd, path, header->data_offset_bytes + first_row * row_bytes, data, (size_t)(row_count * row_bytes), err);
    if (status == WEFT_OK) return wf_file_close_written(fd, path, err);
    close(fd);
    return status;
}
