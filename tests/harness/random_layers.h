/* Random graphs of layers by rule whose results are known: every task hashes its index, its coordinates and its inputs; a serial evaluation,
 * which knows the inputs from formulas of its own and uses nothing of the runtime, says what each output must be and which tasks must fail.
 * Shared by the tests on loopback and under MPI. */
#ifndef WEFT_RANDOM_LAYERS_H
#define WEFT_RANDOM_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/session.h>

enum { RANDOM_LAYER_DEPENDENCIES = 4, RANDOM_LAYER_OUTPUTS = 3, RANDOM_LAYER_COUNTS = 6, RANDOM_LAYERS_MAX = 12 };

typedef struct random_layers_options {
    uint64_t seed;
    size_t layer_count;    /* at most RANDOM_LAYERS_MAX */
    size_t most_tasks;     /* of one layer */
    const size_t *counts;  /* elements (of 8 bytes) that an output may have */
    size_t count_count;    /* at most RANDOM_LAYER_COUNTS */
    unsigned fail_permille; /* of the tasks */
    bool scans;            /* also rules without an inverse */
} random_layers_options;

/* How a task finds its inputs, in words of this harness. */
typedef enum random_input_kind {
    INPUT_SAME, INPUT_NEAR_BEFORE, INPUT_NEAR_BESIDE, INPUT_BUTTERFLY, INPUT_ROW_BEFORE, INPUT_WHOLE, INPUT_ONE, INPUT_CHILDREN,
    INPUT_FIRST_ROW, INPUT_REVERSED, INPUT_BACK, INPUT_SCATTERED, INPUT_HALVES, INPUT_KIND_COUNT
} random_input_kind;

typedef struct random_dependency {
    random_input_kind kind;
    size_t source;     /* a layer's number here */
    size_t output;
    int64_t params[3];
} random_dependency;

typedef struct layered_params { /* of the kernel */
    uint64_t salt;
    uint32_t fail_permille, output_count, count_count, reuses;
    uint64_t counts[RANDOM_LAYER_COUNTS];
} layered_params;

typedef struct layered_output {
    uint64_t *elements; /* what it must hold */
    size_t count;
    bool is_failed;
} layered_output;

typedef struct random_layer {
    weft_layer handle;
    char name[32];
    int dim_count;
    int64_t extents[WEFT_MAX_DIMS];
    uint64_t task_count;
    layered_params params;
    random_dependency dependencies[RANDOM_LAYER_DEPENDENCIES];
    size_t dependency_count;
    layered_output *outputs; /* of task t: from t * params.output_count on */
    bool *fails;             /* by task: it runs, and fails */
} random_layer;

typedef struct random_layers {
    weft_graph *graph;
    random_layer layers[RANDOM_LAYERS_MAX];
    size_t layer_count;
    uint64_t state;
} random_layers;

typedef struct layered_root {
    size_t layer;
    uint64_t task;
    size_t output;
} layered_root;

/* NULL when out of memory, or when the graph refuses a layer. */
random_layers *random_layers_create(const random_layers_options *options);
void random_layers_destroy(random_layers *graph);

/* `count` outputs: single ones, runs of neighbours, some twice. */
void random_layers_pick(random_layers *graph, layered_root *roots, size_t count);

/* The task whose error a compute of these roots ends with; false: none. */
bool random_layers_expected_failure(const random_layers *graph, const layered_root *roots, size_t root_count, size_t *layer, uint64_t *task);

/* Computes the roots and compares everything, errors too. NULL, or what is wrong (static text). */
const char *random_layers_check(weft_session *session, random_layers *graph, const layered_root *roots, size_t root_count, weft_error *err);

/* Persists the roots, and computes explicit tasks that take the futures. NULL, or what is wrong. */
const char *random_layers_check_futures(weft_session *session, random_layers *graph, const layered_root *roots, size_t root_count,
                                        weft_error *err);

#endif
