/* Frames: what was written is read back, and bytes that are no frame are refused. */
#include "transport/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weft_test.h"

enum { BUFFER_BYTES = 512 };

static wf_message make_message(wf_budget *budget, size_t body_bytes, int dim_count, const int64_t *extents)
{
    wf_message message = {.type = 77};
    if (body_bytes) {
        message.body = wf_aligned_alloc(1, body_bytes, NULL);
        message.body_bytes = body_bytes;
        if (!message.body) abort();
        for (size_t i = 0; i < body_bytes; i++) ((unsigned char *)message.body)[i] = (unsigned char)(i + 1);
    }
    if (dim_count < 0) return message;
    CU_ASSERT_EQUAL_FATAL(wf_chunk_create(budget, WEFT_I32, dim_count, extents, &message.chunk, NULL), WEFT_OK);
    for (size_t i = 0; i < weft_chunk_bytes(message.chunk); i++) ((unsigned char *)wf_chunk_elements(message.chunk))[i] = (unsigned char)(200 - i);
    return message;
}

/* Of every size of body and shape of chunk around the buffer's: all arrives, or follows, and never more than the buffer. */
static void a_frame_is_read_as_it_was_written(void)
{
    static const int64_t shapes[][WEFT_MAX_DIMS] = {{4}, {0, 5}, {3, 2, 1, 7}, {31}, {100}, {121}, {122}, {500}};
    static const int dims[] = {1, 2, 4, 1, 1, 1, 1, 1};
    static const size_t bodies[] = {0, 1, 8, 24, 63, 64, 65, 440, 472, 496, 497, 512, 513, 9000};
    _Alignas(64) char buffer[BUFFER_BYTES];
    wf_budget *budget = NULL;
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &budget, NULL), WEFT_OK);
    for (size_t b = 0; b < WEFT_COUNT_OF(bodies); b++) {
        for (int s = -1; s < (int)WEFT_COUNT_OF(shapes); s++) {
            wf_message message = make_message(budget, bodies[b], s < 0 ? -1 : dims[s], s < 0 ? NULL : shapes[s]);
            wf_frame written = wf_frame_of(&message, BUFFER_BYTES), read;
            size_t bytes = wf_frame_bytes(&written);
            CU_ASSERT_FATAL(bytes <= BUFFER_BYTES && bytes % 8 == 0);
            memset(buffer, 0xee, sizeof buffer);
            wf_frame_write(&written, &message, buffer);
            for (size_t i = bytes; i < BUFFER_BYTES; i++) CU_ASSERT_EQUAL((unsigned char)buffer[i], 0xee);
            CU_ASSERT_FATAL(wf_frame_read(buffer, bytes, &read));
            CU_ASSERT_EQUAL(read.type, 77);
            CU_ASSERT_EQUAL(read.flags, written.flags);
            CU_ASSERT_EQUAL(read.body_bytes, bodies[b]);
            CU_ASSERT_EQUAL(wf_frame_bytes(&read), bytes);
            CU_ASSERT_EQUAL((read.flags & WF_FRAME_HAS_CHUNK) != 0, s >= 0);
            if (!(read.flags & WF_FRAME_BODY_FOLLOWS) && bodies[b])
                CU_ASSERT_EQUAL(memcmp(wf_frame_body(&read, buffer), message.body, bodies[b]), 0);
            if (s >= 0) {
                CU_ASSERT_EQUAL(read.chunk_bytes, weft_chunk_bytes(message.chunk));
                CU_ASSERT_EQUAL(read.dim_count, dims[s]);
                for (int d = 0; d < dims[s]; d++) CU_ASSERT_EQUAL(read.extents[d], shapes[s][d]);
                if (!(read.flags & WF_FRAME_CHUNK_FOLLOWS))
                    CU_ASSERT_EQUAL(memcmp(wf_frame_chunk(&read, buffer), weft_chunk_data(message.chunk), read.chunk_bytes), 0);
            }
            for (size_t cut = 0; cut < bytes; cut += 8) CU_ASSERT_FALSE(wf_frame_read(buffer, cut, &read));
            wf_message_fini(&message);
        }
    }
    wf_budget_release(budget);
}

static void what_fits_travels_inside(void)
{
    wf_message message = {.type = 1, .body_bytes = BUFFER_BYTES - 16};
    CU_ASSERT_EQUAL(wf_frame_of(&message, BUFFER_BYTES).flags, 0);
    message.body_bytes = BUFFER_BYTES - 15;
    CU_ASSERT_EQUAL(wf_frame_of(&message, BUFFER_BYTES).flags, WF_FRAME_BODY_FOLLOWS);
    message.body_bytes = SIZE_MAX;
    CU_ASSERT_EQUAL(wf_frame_of(&message, BUFFER_BYTES).flags, WF_FRAME_BODY_FOLLOWS);
}

/* A sound frame with a few bytes changed, or plain noise: refused, or within its bytes. */
static void noise_is_refused_or_lies_within_its_bytes(void)
{
    const char *given = getenv("WEFT_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    wf_budget *budget = NULL;
    int sound = 0;
    printf("seed %u\n", seed);
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &budget, NULL), WEFT_OK);
    wf_message message = make_message(budget, 40, 2, (int64_t[]){3, 5});
    wf_frame frame = wf_frame_of(&message, BUFFER_BYTES), read;
    for (int i = 0; i < 20000; i++) {
        char buffer[BUFFER_BYTES];
        size_t bytes = i % 3 ? wf_frame_bytes(&frame) : (size_t)(rand_r(&seed) % BUFFER_BYTES);
        for (size_t b = 0; b < sizeof buffer; b++) buffer[b] = (char)rand_r(&seed);
        if (i % 3) {
            wf_frame_write(&frame, &message, buffer);
            for (int change = 0; change < i % 3; change++) buffer[rand_r(&seed) % 32] = (char)rand_r(&seed);
        }
        if (!wf_frame_read(buffer, bytes, &read)) continue;
        sound++;
        CU_ASSERT(wf_frame_bytes(&read) <= bytes);
        CU_ASSERT(read.dim_count <= WEFT_MAX_DIMS);
        CU_ASSERT((read.flags & WF_FRAME_HAS_CHUNK) || !(read.flags & WF_FRAME_CHUNK_FOLLOWS));
    }
    CU_ASSERT(sound > 0);
    wf_message_fini(&message);
    wf_budget_release(budget);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_frame_is_read_as_it_was_written),
        WEFT_TEST(what_fits_travels_inside),
        WEFT_TEST(noise_is_refused_or_lies_within_its_bytes),
    };
    return weft_test_run("transport/frame", cases, WEFT_COUNT_OF(cases));
}
