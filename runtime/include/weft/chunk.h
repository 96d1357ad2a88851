/* Chunks: the unit of data. An immutable, reference-counted, 64-byte-aligned buffer with a type and a shape, in C (row-major) order.
 *
 * Lifetime: a chunk is born with one reference, held by whoever got it; each retain adds one, each release drops one, the last frees it.
 * Whoever created a chunk may write it until it is handed on (given to a graph, or returned from a kernel); after that nobody may.
 * Threads:  retain, release and the getters are safe from any thread.
 */
#ifndef WEFT_CHUNK_H
#define WEFT_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weft_chunk weft_chunk;

typedef enum weft_dtype { WEFT_U8 = 1, WEFT_I32, WEFT_I64, WEFT_F32, WEFT_F64 } weft_dtype;

enum { WEFT_MAX_DIMS = 4 };

/* Bytes of one element; 0 for an unknown type. */
WEFT_API size_t weft_dtype_bytes(weft_dtype dtype);
/* Such as "f64"; "?" for an unknown type. */
WEFT_API const char *weft_dtype_name(weft_dtype dtype);

WEFT_API void weft_chunk_retain(weft_chunk *chunk);
/* NULL is allowed. */
WEFT_API void weft_chunk_release(weft_chunk *chunk);

WEFT_API weft_dtype weft_chunk_dtype(const weft_chunk *chunk);
WEFT_API int weft_chunk_dim_count(const weft_chunk *chunk);
/* Elements along one dimension; 1 for dimensions at or beyond dim_count. */
WEFT_API int64_t weft_chunk_extent(const weft_chunk *chunk, int dim);
WEFT_API size_t weft_chunk_bytes(const weft_chunk *chunk);
WEFT_API const void *weft_chunk_data(const weft_chunk *chunk);

#ifdef __cplusplus
}
#endif

#endif
