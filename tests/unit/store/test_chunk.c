#include "store/chunk.h"

#include <pthread.h>
#include <string.h>

#include "weft_test.h"

static wf_budget *create_budget(uint64_t limit_bytes)
{
    wf_budget *budget = NULL;
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(limit_bytes, &budget, NULL), WEFT_OK);
    return budget;
}

static weft_chunk *create_chunk(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents)
{
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    if (wf_chunk_create(budget, dtype, dim_count, extents, &chunk, &err)) CU_FAIL_FATAL(err.text);
    return chunk;
}

static void types_have_sizes_and_names(void)
{
    static const struct {
        weft_dtype dtype;
        size_t bytes;
        const char *name;
    } types[] = {{WEFT_U8, 1, "u8"}, {WEFT_I32, 4, "i32"}, {WEFT_I64, 8, "i64"}, {WEFT_F32, 4, "f32"}, {WEFT_F64, 8, "f64"}};
    for (size_t i = 0; i < WEFT_COUNT_OF(types); i++) {
        CU_ASSERT_EQUAL(weft_dtype_bytes(types[i].dtype), types[i].bytes);
        CU_ASSERT_STRING_EQUAL(weft_dtype_name(types[i].dtype), types[i].name);
    }
    CU_ASSERT_EQUAL(weft_dtype_bytes((weft_dtype)0), 0);
    CU_ASSERT_EQUAL(weft_dtype_bytes((weft_dtype)99), 0);
    CU_ASSERT_STRING_EQUAL(weft_dtype_name((weft_dtype)99), "?");
}

static void a_chunk_knows_its_type_and_shape(void)
{
    static const int64_t extents[] = {2, 3, 5, 7};
    wf_budget *budget = create_budget(0);
    for (int dims = 0; dims <= WEFT_MAX_DIMS; dims++) {
        weft_chunk *chunk = create_chunk(budget, WEFT_F32, dims, extents);
        size_t bytes = 4;
        for (int d = 0; d < dims; d++) bytes *= (size_t)extents[d];
        CU_ASSERT_EQUAL(weft_chunk_dtype(chunk), WEFT_F32);
        CU_ASSERT_EQUAL(weft_chunk_dim_count(chunk), dims);
        CU_ASSERT_EQUAL(weft_chunk_bytes(chunk), bytes);
        for (int d = -1; d <= WEFT_MAX_DIMS; d++) CU_ASSERT_EQUAL(weft_chunk_extent(chunk, d), d >= 0 && d < dims ? extents[d] : 1);
        CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), bytes);
        weft_chunk_release(chunk);
    }
    wf_budget_release(budget);
}

/* Around the sizes where chunks get pages of their own, and where those are whole huge pages. */
static void elements_are_aligned_and_writable_at_every_size(void)
{
    static const int64_t sizes[] = {0, 1, 63, 64, 65, 4096, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, (4 << 20) - 1, 4 << 20, (6 << 20) + 5};
    wf_budget *budget = create_budget(0);
    for (size_t i = 0; i < WEFT_COUNT_OF(sizes); i++) {
        weft_chunk *chunk = create_chunk(budget, WEFT_U8, 1, &sizes[i]);
        unsigned char *elements = wf_chunk_elements(chunk);
        CU_ASSERT_PTR_NOT_NULL_FATAL(elements);
        CU_ASSERT_EQUAL((uintptr_t)elements % 64, 0);
        CU_ASSERT_PTR_EQUAL(elements, weft_chunk_data(chunk));
        memset(elements, 0xa5, (size_t)sizes[i]);
        CU_ASSERT(sizes[i] == 0 || elements[sizes[i] - 1] == 0xa5);
        CU_ASSERT_EQUAL(weft_chunk_bytes(chunk), (size_t)sizes[i]);
        weft_chunk_release(chunk);
    }
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    wf_budget_release(budget);
}

static void several_large_chunks_do_not_overlap(void)
{
    enum { CHUNKS = 5 };
    static const int64_t extent = (2 << 20) + 4096;
    wf_budget *budget = create_budget(0);
    weft_chunk *chunks[CHUNKS];
    for (int i = 0; i < CHUNKS; i++) {
        chunks[i] = create_chunk(budget, WEFT_U8, 1, &extent);
        memset(wf_chunk_elements(chunks[i]), i, (size_t)extent);
    }
    weft_chunk_release(chunks[2]);
    for (int i = 0; i < CHUNKS; i++) {
        if (i == 2) continue;
        const unsigned char *elements = weft_chunk_data(chunks[i]);
        size_t wrong = 0;
        for (int64_t b = 0; b < extent; b++) wrong += elements[b] != i;
        CU_ASSERT_EQUAL(wrong, 0);
        weft_chunk_release(chunks[i]);
    }
    wf_budget_release(budget);
}

static void create_fails(wf_budget *budget, weft_dtype dtype, int dim_count, const int64_t *extents, weft_status expected,
                         const char *message)
{
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_chunk_create(budget, dtype, dim_count, extents, &chunk, &err), expected);
    if (!strstr(err.text, message)) printf("    \"%s\" has no \"%s\"\n", err.text, message);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, message));
    CU_ASSERT_PTR_NULL(chunk);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
}

static void a_bad_type_or_shape_is_refused(void)
{
    static const int64_t good[] = {1, 1, 1, 1, 1}, negative[] = {3, -1}, huge[] = {INT64_MAX, 4}, overflowing[] = {1ll << 32, 1ll << 32};
    wf_budget *budget = create_budget(0);
    create_fails(budget, (weft_dtype)0, 1, good, WEFT_EINVAL, "unknown chunk type 0");
    create_fails(budget, (weft_dtype)6, 1, good, WEFT_EINVAL, "unknown chunk type 6");
    create_fails(budget, WEFT_F64, -1, good, WEFT_EINVAL, "0 to 4 dimensions, not -1");
    create_fails(budget, WEFT_F64, 5, good, WEFT_EINVAL, "0 to 4 dimensions, not 5");
    create_fails(budget, WEFT_F64, 2, negative, WEFT_EINVAL, "extent 1 of a chunk is -1");
    create_fails(budget, WEFT_U8, 1, huge, WEFT_ENOMEM, "beyond the address space");
    create_fails(budget, WEFT_F64, 2, overflowing, WEFT_ENOMEM, "beyond the address space");
    wf_budget_release(budget);
}

static void what_the_budget_or_the_machine_lacks_is_refused(void)
{
    static const int64_t fits[] = {100}, too_much[] = {101}, beyond_machine[] = {1ll << 60};
    wf_budget *budget = create_budget(100), *unlimited = create_budget(0);
    create_fails(budget, WEFT_U8, 1, too_much, WEFT_ENOMEM, "memory.limit");
    weft_chunk_release(create_chunk(budget, WEFT_U8, 1, fits));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their malloc ends the process instead */
    create_fails(unlimited, WEFT_U8, 1, beyond_machine, WEFT_ENOMEM, "");
#endif
    (void)beyond_machine;
    wf_budget_release(budget);
    wf_budget_release(unlimited);
}

static void a_copy_has_the_same_elements_in_its_own_place(void)
{
    static const int64_t extents[] = {3, 4};
    wf_budget *budget = create_budget(200);
    weft_chunk *chunk = create_chunk(budget, WEFT_F64, 2, extents), *copy = NULL, *more = NULL;
    double *elements = wf_chunk_elements(chunk);
    for (int i = 0; i < 12; i++) elements[i] = i;
    CU_ASSERT_EQUAL_FATAL(wf_chunk_dup(NULL, budget, chunk, &copy, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(wf_chunk_dup(NULL, budget, chunk, &more, NULL), WEFT_ENOMEM);
    CU_ASSERT_PTR_NULL(more);
    memset(elements, 0, 96);
    weft_chunk_release(chunk);
    for (int i = 0; i < 12; i++) CU_ASSERT_DOUBLE_EQUAL(((const double *)weft_chunk_data(copy))[i], i, 0.0);
    CU_ASSERT_EQUAL(weft_chunk_dtype(copy), WEFT_F64);
    CU_ASSERT_EQUAL(weft_chunk_dim_count(copy), 2);
    CU_ASSERT_EQUAL(weft_chunk_extent(copy, 1), 4);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 96);
    weft_chunk_release(copy);
    wf_budget_release(budget);
}

static void the_last_reference_frees_and_refunds(void)
{
    static const int64_t extent = 10;
    wf_budget *budget = create_budget(0);
    weft_chunk *chunk = create_chunk(budget, WEFT_I32, 1, &extent);
    CU_ASSERT_TRUE(wf_chunk_is_sole(chunk));
    weft_chunk_retain(chunk);
    CU_ASSERT_FALSE(wf_chunk_is_sole(chunk));
    weft_chunk_release(chunk);
    CU_ASSERT_TRUE(wf_chunk_is_sole(chunk));
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 40);
    weft_chunk_release(chunk);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    CU_ASSERT_EQUAL(wf_budget_peak_bytes(budget), 40);
    weft_chunk_release(NULL);
    wf_budget_release(budget);
}

static void a_chunk_may_outlive_who_made_the_budget(void)
{
    static const int64_t extent = 10;
    wf_budget *budget = create_budget(0);
    weft_chunk *chunk = create_chunk(budget, WEFT_I32, 1, &extent);
    wf_budget_release(budget);
    weft_chunk_release(chunk);
}

static void *retain_and_release(void *argument)
{
    weft_chunk *chunk = argument;
    for (int i = 0; i < 20000; i++) {
        weft_chunk_retain(chunk);
        weft_chunk_release(chunk);
    }
    weft_chunk_release(chunk);
    return NULL;
}

static void threads_may_share_a_chunk(void)
{
    enum { THREADS = 4 };
    static const int64_t extent = 1000;
    wf_budget *budget = create_budget(0);
    weft_chunk *chunk = create_chunk(budget, WEFT_U8, 1, &extent);
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
        weft_chunk_retain(chunk);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[t], NULL, retain_and_release, chunk), 0);
    }
    weft_chunk_release(chunk);
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    wf_budget_release(budget);
}

/* ---- with a slab ---- */

typedef struct slab_fixture {
    wf_budget *budget;
    wf_slab *slab;
    wf_slab_cache cache;
} slab_fixture;

static void open_slab(slab_fixture *f, uint64_t limit_bytes)
{
    f->budget = create_budget(limit_bytes);
    CU_ASSERT_EQUAL_FATAL(wf_slab_create(f->budget, false, &f->slab, NULL), WEFT_OK);
    wf_slab_cache_init(&f->cache, f->slab);
}

static void close_slab(slab_fixture *f)
{
    wf_slab_cache_fini(&f->cache);
    wf_slab_destroy(f->slab);
}

static weft_chunk *create_by(slab_fixture *f, int64_t bytes)
{
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    if (wf_chunk_create_by(&f->cache, f->budget, WEFT_U8, 1, &bytes, &chunk, &err)) CU_FAIL_FATAL(err.text);
    memset(wf_chunk_elements(chunk), (int)(bytes % 251), (size_t)bytes);
    return chunk;
}

static void chunks_of_a_slab_differ_from_others_in_nothing_but_the_charge(void)
{
    static const int64_t sizes[] = {0, 1, 64, 65, WF_SMALL_CHUNK_BYTES, WF_SMALL_CHUNK_BYTES + 1, 100000};
    slab_fixture f;
    open_slab(&f, 0);
    for (size_t i = 0; i < WEFT_COUNT_OF(sizes); i++) {
        uint64_t used = wf_budget_used_bytes(f.budget);
        weft_chunk *chunk = create_by(&f, sizes[i]), *copy = NULL;
        CU_ASSERT_EQUAL((uintptr_t)weft_chunk_data(chunk) % 64, 0);
        CU_ASSERT_EQUAL(weft_chunk_dtype(chunk), WEFT_U8);
        CU_ASSERT_EQUAL(weft_chunk_bytes(chunk), (size_t)sizes[i]);
        CU_ASSERT_EQUAL(weft_chunk_extent(chunk, 0), sizes[i]);
        uint64_t charged = wf_budget_used_bytes(f.budget) - used;
        CU_ASSERT(sizes[i] <= WF_SMALL_CHUNK_BYTES ? charged % WF_SLAB_PAGE_BYTES == 0 : charged == (uint64_t)sizes[i]);
        CU_ASSERT_EQUAL_FATAL(wf_chunk_dup(&f.cache, f.budget, chunk, &copy, NULL), WEFT_OK);
        CU_ASSERT_EQUAL(memcmp(weft_chunk_data(chunk), weft_chunk_data(copy), (size_t)sizes[i]), 0);
        weft_chunk_retain(chunk);
        wf_chunk_release_by(&f.cache, chunk);
        CU_ASSERT_TRUE(wf_chunk_is_sole(chunk));
        wf_chunk_release_by(i % 2 ? &f.cache : NULL, chunk);
        weft_chunk_release(copy);
    }
    wf_chunk_release_by(&f.cache, NULL);
    close_slab(&f);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 0);
    wf_budget_release(f.budget);
}

static void a_small_chunk_may_outlive_its_slab(void)
{
    slab_fixture f;
    open_slab(&f, 0);
    weft_chunk *chunk = create_by(&f, 100);
    close_slab(&f);
    wf_budget_release(f.budget);
    CU_ASSERT_EQUAL(*(const unsigned char *)weft_chunk_data(chunk), 100);
    weft_chunk_release(chunk);
}

static void a_small_chunk_is_charged_alone_where_no_page_fits(void)
{
    slab_fixture f;
    int64_t too_much = 501;
    weft_chunk *none = NULL;
    weft_error err = WEFT_ERROR_INIT;
    open_slab(&f, 1000);
    weft_chunk *chunk = create_by(&f, 500);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 500);
    CU_ASSERT_EQUAL(wf_chunk_create_by(&f.cache, f.budget, WEFT_U8, 1, &too_much, &none, &err), WEFT_ENOMEM);
    CU_ASSERT_PTR_NULL(none);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "memory.limit"));
    wf_chunk_release_by(&f.cache, chunk);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 0);
    close_slab(&f);
    wf_budget_release(f.budget);
}

static void a_large_chunk_gets_the_room_of_the_slabs_empty_pages(void)
{
    enum { SMALL = 3000 };
    static weft_chunk *small[SMALL];
    slab_fixture f;
    open_slab(&f, 8 * WF_SLAB_PAGE_BYTES);
    for (int i = 0; i < SMALL; i++) small[i] = create_by(&f, 8);
    CU_ASSERT(wf_budget_used_bytes(f.budget) >= 6 * WF_SLAB_PAGE_BYTES);
    for (int i = 0; i < SMALL; i++) wf_chunk_release_by(&f.cache, small[i]);
    weft_chunk *large = create_by(&f, 6 * WF_SLAB_PAGE_BYTES);
    weft_chunk_release(large);
    close_slab(&f);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(f.budget), 0);
    wf_budget_release(f.budget);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(types_have_sizes_and_names),
        WEFT_TEST(a_chunk_knows_its_type_and_shape),
        WEFT_TEST(elements_are_aligned_and_writable_at_every_size),
        WEFT_TEST(several_large_chunks_do_not_overlap),
        WEFT_TEST(a_bad_type_or_shape_is_refused),
        WEFT_TEST(what_the_budget_or_the_machine_lacks_is_refused),
        WEFT_TEST(a_copy_has_the_same_elements_in_its_own_place),
        WEFT_TEST(the_last_reference_frees_and_refunds),
        WEFT_TEST(a_chunk_may_outlive_who_made_the_budget),
        WEFT_TEST(threads_may_share_a_chunk),
        WEFT_TEST(chunks_of_a_slab_differ_from_others_in_nothing_but_the_charge),
        WEFT_TEST(a_small_chunk_may_outlive_its_slab),
        WEFT_TEST(a_small_chunk_is_charged_alone_where_no_page_fits),
        WEFT_TEST(a_large_chunk_gets_the_room_of_the_slabs_empty_pages),
    };
    return weft_test_run("store/chunk", cases, WEFT_COUNT_OF(cases));
}
