/* Parses and writes the text of .npy headers. Invariant: no byte beyond the given length is looked at, whatever the text. Any thread. */
#include "array/npy_header.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "array/file.h"

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

typedef struct npy_type {
    weft_dtype dtype;
    const char *descr; /* as written here */
    const char *name;
    size_t bytes;
} npy_type;

static const npy_type types[] = {
    {WEFT_F64, "<f8", "float64", 8}, {WEFT_F32, "<f4", "float32", 4}, {WEFT_U8, "|u1", "uint8", 1},
    {WEFT_I32, "<i4", "int32", 4},   {WEFT_I64, "<i8", "int64", 8},
};

static const npy_type *type_of(weft_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].dtype == dtype) return &types[i];
    }
    return NULL;
}

size_t wf_npy_dtype_bytes(weft_dtype dtype)
{
    const npy_type *type = type_of(dtype);
    return type ? type->bytes : 0;
}

const char *wf_npy_dtype_name(weft_dtype dtype)
{
    const npy_type *type = type_of(dtype);
    return type ? type->name : "?";
}

weft_status wf_npy_prefix_parse(const char *path, const unsigned char *prefix, size_t count, int64_t *text_offset_bytes,
                                size_t *text_bytes, weft_error *err)
{
    const char *shown = wf_file_shown_path(path);
    if (count == 0) return weft_fail(err, WEFT_EDATA, "%s: is empty; write the array again", shown);
    size_t magic_bytes = count < sizeof magic ? count : sizeof magic;
    if (memcmp(prefix, magic, magic_bytes) != 0)
        return weft_fail(err, WEFT_EDATA, "%s: is no .npy file (it does not begin with \\x93NUMPY); write it with numpy.save, or let the name of a text file end in .csv", shown);
    bool is_short = count > 6 && prefix[6] == 1;
    if (count < (is_short ? 10 : 12))
        return weft_fail(err, WEFT_EDATA, "%s: ends within its header, after %zu bytes; write or copy it again", shown, count);
    if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
        return weft_fail(err, WEFT_EUNSUPPORTED, "%s: has .npy format version %d.%d, weft reads 1.0, 2.0 and 3.0; write it with numpy.save",
                         shown, prefix[6], prefix[7]);
    size_t length = (size_t)prefix[8] | (size_t)prefix[9] << 8;
    if (!is_short) length |= (size_t)prefix[10] << 16 | (size_t)prefix[11] << 24;
    *text_offset_bytes = is_short ? 10 : 12;
    *text_bytes = length;
    return WEFT_OK;
}

/* The text being read: bytes from at to end. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t')) c->at++;
}

static bool take_char(cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    skip_space(c);
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
    c->at += length;
    return true;
}

/* A string in single or double quotes; one that does not fit into out is cut. */
static bool take_string(cursor *c, char *out, size_t out_bytes)
{
    skip_space(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"')) return false;
    char quote = *c->at++;
    size_t length = 0;
    for (; c->at < c->end && *c->at != quote; c->at++) {
        if (length + 1 < out_bytes) out[length++] = *c->at >= ' ' && *c->at <= '~' ? *c->at : '?';
    }
    out[length] = '\0';
    if (c->at == c->end) return false;
    c->at++;
    return true;
}

static bool take_extent(cursor *c, int64_t *extent)
{
    skip_space(c);
    if (c->at == c->end || *c->at < '0' || *c->at > '9') return false;
    int64_t value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *c->at - '0', &value)) return false;
    }
    if (c->at < c->end && *c->at == 'L') c->at++; /* a long integer of Python 2 */
    *extent = value;
    return true;
}

static weft_status malformed(const char *path, const char *what, weft_error *err)
{
    return weft_fail(err, WEFT_EDATA, "%s: its .npy header is malformed at %s; write it again with numpy.save", wf_file_shown_path(path),
                     what);
}

static weft_status parse_descr(const char *path, cursor *c, wf_npy_header *header, weft_error *err)
{
    const char *shown = wf_file_shown_path(path);
    char descr[24];
    if (take_char(c, '['))
        return weft_fail(err, WEFT_EUNSUPPORTED, "%s: holds records of several fields; save one array of numbers, such as "
                         "a['x'].astype('<f8')", shown);
    if (!take_string(c, descr, sizeof descr)) return malformed(path, "'descr'", err);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const npy_type *type = &types[i];
        if (strlen(descr) != 3 || strcmp(descr + 1, type->descr + 1) != 0) continue;
        if (descr[0] == '>' && type->bytes > 1)
            return weft_fail(err, WEFT_EUNSUPPORTED, "%s: holds big-endian numbers ('%s'), weft reads little-endian ones; convert it with "
                             "a.astype('<%s')", shown, descr, descr + 1);
        if (!strchr("<>|=", descr[0])) break;
        header->dtype = type->dtype;
        return WEFT_OK;
    }
    return weft_fail(err, WEFT_EUNSUPPORTED, "%s: holds elements of type '%s', weft reads float32 and float64; convert it with "
                     "a.astype('<f8')", shown, descr);
}

static weft_status parse_shape(const char *path, cursor *c, wf_npy_header *header, weft_error *err)
{
    if (!take_char(c, '(')) return malformed(path, "'shape'", err);
    int count = 0;
    while (!take_char(c, ')')) {
        int64_t extent;
        if (!take_extent(c, &extent)) return malformed(path, "'shape'", err);
        if (count == WEFT_MAX_DIMS)
            return weft_fail(err, WEFT_EUNSUPPORTED, "%s: has more than %d dimensions; save it as a table with a.reshape(len(a), -1)",
                             wf_file_shown_path(path), WEFT_MAX_DIMS);
        header->extents[count++] = extent;
        if (!take_char(c, ',') && (c->at == c->end || *c->at != ')')) return malformed(path, "'shape'", err);
    }
    header->dim_count = count;
    return WEFT_OK;
}

enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

/* One "key: value"; *seen collects which. */
static weft_status parse_entry(const char *path, cursor *c, wf_npy_header *header, unsigned *seen, weft_error *err)
{
    char key[24];
    if (!take_string(c, key, sizeof key) || !take_char(c, ':')) return malformed(path, "a key", err);
    unsigned which = strcmp(key, "descr") == 0 ? HAS_DESCR : strcmp(key, "fortran_order") == 0 ? HAS_ORDER :
                     strcmp(key, "shape") == 0 ? HAS_SHAPE : 0;
    if (which == 0 || *seen & which) return malformed(path, "a key that is unknown or given twice", err);
    *seen |= which;
    if (which == HAS_DESCR) return parse_descr(path, c, header, err);
    if (which == HAS_SHAPE) return parse_shape(path, c, header, err);
    header->fortran_order = take_word(c, "True");
    return header->fortran_order || take_word(c, "False") ? WEFT_OK : malformed(path, "'fortran_order'", err);
}

weft_status wf_npy_text_parse(const char *path, const char *text, size_t text_bytes, wf_npy_header *header, weft_error *err)
{
    cursor c = {text, text + text_bytes};
    wf_npy_header parsed = {.data_offset_bytes = header->data_offset_bytes};
    unsigned seen = 0;
    if (!take_char(&c, '{')) return malformed(path, "its beginning", err);
    while (!take_char(&c, '}')) {
        weft_status status = parse_entry(path, &c, &parsed, &seen, err);
        if (status != WEFT_OK) return status;
        if (!take_char(&c, ',') && (c.at == c.end || *c.at != '}')) return malformed(path, "the end of an entry", err);
    }
    skip_space(&c);
    if (c.at != c.end) return malformed(path, "its end", err);
    if (seen != HAS_ALL) return malformed(path, "its end: a key is missing", err);
    *header = parsed;
    return WEFT_OK;
}

void wf_npy_header_format(wf_npy_header *header, char buffer[WF_NPY_OWN_HEADER_BYTES])
{
    char shape[WEFT_MAX_DIMS * 24] = "";
    size_t length = 0;
    for (int i = 0; i < header->dim_count; i++)
        length += (size_t)snprintf(shape + length, sizeof shape - length, "%s%" PRId64, i ? ", " : "", header->extents[i]);
    const npy_type *type = type_of(header->dtype);
    assert(type);
    int text = snprintf(buffer + 10, WF_NPY_OWN_HEADER_BYTES - 10, "{'descr': '%s', 'fortran_order': %s, 'shape': (%s%s), }", type->descr,
                        header->fortran_order ? "True" : "False", shape, header->dim_count == 1 ? "," : "");
    size_t total = (10 + (size_t)text + 1 + 63) & ~(size_t)63;
    assert(text > 0 && total <= WF_NPY_OWN_HEADER_BYTES);
    memset(buffer + 10 + text, ' ', total - 10 - (size_t)text - 1);
    buffer[total - 1] = '\n';
    memcpy(buffer, magic, sizeof magic);
    buffer[6] = 1;
    buffer[7] = 0;
    buffer[8] = (char)((total - 10) & 0xff);
    buffer[9] = (char)((total - 10) >> 8);
    header->data_offset_bytes = (int64_t)total;
}
