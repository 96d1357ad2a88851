/* The header of a .npy file: a Python literal such as {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1.0, 2.0 and 3.0. Any thread. */
#ifndef WF_ARRAY_NPY_HEADER_H
#define WF_ARRAY_NPY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/chunk.h>
#include <weft/status.h>

/* Flat, so that rank 0 can send it to the others. */
typedef struct wf_npy_header {
    weft_dtype dtype;
    bool fortran_order; /* elements of a column are adjacent, not those of a row */
    int dim_count;
    int64_t extents[WEFT_MAX_DIMS];
    int64_t data_offset_bytes;
} wf_npy_header;

enum {
    WF_NPY_PREFIX_BYTES = 12,    /* magic, version and the longest length field */
    WF_NPY_OWN_HEADER_BYTES = 256 /* enough for every header written here, prefix included */
};

/* Reads the first WF_NPY_PREFIX_BYTES of a file (fewer when it is shorter) and tells where the literal lies.
 * Errors: WEFT_EDATA not a .npy file; WEFT_EUNSUPPORTED a format version not known here. */
weft_status wf_npy_prefix_parse(const char *path, const unsigned char *prefix, size_t count, int64_t *text_offset_bytes,
                                size_t *text_bytes, weft_error *err);

/* Reads the literal into header; data_offset_bytes is left alone. text need not end in a zero byte.
 * Errors: WEFT_EDATA malformed; WEFT_EUNSUPPORTED a type, byte order or number of dimensions that weft does not read. */
weft_status wf_npy_text_parse(const char *path, const char *text, size_t text_bytes, wf_npy_header *header, weft_error *err);

/* Writes prefix and literal, padded to a multiple of 64 bytes, into buffer, and sets header->data_offset_bytes to their length. */
void wf_npy_header_format(wf_npy_header *header, char buffer[WF_NPY_OWN_HEADER_BYTES]);

size_t wf_npy_dtype_bytes(weft_dtype dtype);
/* numpy's name, such as "float64". */
const char *wf_npy_dtype_name(weft_dtype dtype);

#endif
