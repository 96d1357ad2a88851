/* Random graphs whose results are known: every task hashes its inputs and parameters, and a serial evaluation beside the graph, which
 * uses nothing of the runtime, says what each output must be and which tasks must fail. Shared by the tests on loopback and under MPI. */
#ifndef WEFT_RANDOM_GRAPH_H
#define WEFT_RANDOM_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/session.h>

/* WEFT_TEST_SEED, or a new one. */
uint64_t random_graph_seed(void);
/* A generator: the next number; below(state, n) is 0 to n-1. */
uint64_t random_next(uint64_t *state);
size_t random_below(uint64_t *state, size_t bound);

typedef enum random_shape { RANDOM_DAG, RANDOM_CHAIN, RANDOM_FAN, RANDOM_LAYERS, RANDOM_SHAPE_COUNT } random_shape;

typedef struct random_graph_options {
    uint64_t seed;
    random_shape shape;
    size_t task_count;
    const size_t *counts; /* elements (of 8 bytes) that an output may have */
    size_t count_count;
    unsigned fail_percent; /* of the tasks */
} random_graph_options;

typedef struct random_output {
    weft_ref ref;
    size_t task;        /* SIZE_MAX: a future */
    uint64_t *elements; /* what it must hold */
    size_t count;
    int dim_count;
    bool is_failed;
} random_output;

typedef struct random_task {
    size_t input_begin, input_end;   /* into inputs */
    size_t output_begin, output_end; /* into outputs */
    bool fails;
    bool has_failed_input;
} random_task;

typedef struct random_graph {
    weft_graph *graph;
    random_task *tasks;
    random_output *outputs;
    size_t *inputs; /* of outputs */
    size_t task_count, output_count, input_count;
    size_t task_room, output_room, input_room;
    uint64_t state;
} random_graph;

/* NULL when out of memory. Futures (count 0: none) and what they hold come first in outputs. */
random_graph *random_graph_create(const random_graph_options *options, weft_future *const *futures, const random_output *held,
                                  size_t future_count);
void random_graph_destroy(random_graph *graph);

/* Up to `count` outputs (some twice) as roots: indices into outputs. Failed ones only when allowed. Returns how many. */
size_t random_graph_pick_roots(random_graph *graph, size_t *roots, size_t count, bool with_failed);

/* The task whose error a compute of these roots ends with; SIZE_MAX: none. */
size_t random_graph_expected_failure(const random_graph *graph, const size_t *roots, size_t root_count);

/* NULL, or what is wrong with the chunk. */
const char *random_graph_compare(const random_output *expected, const weft_chunk *chunk);

/* Computes the roots and compares everything, errors too. NULL, or what is wrong (static text, or in err). */
const char *random_graph_check(weft_session *session, random_graph *graph, const size_t *roots, size_t root_count, weft_error *err);

/* Persists some roots of a random graph, then computes a second one that begins with them. NULL, or what is wrong. */
const char *random_graph_check_futures(weft_session *session, const random_graph_options *options, weft_error *err);

#endif
