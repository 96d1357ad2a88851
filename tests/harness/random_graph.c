#include "random_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

enum { FAILS = 1, REUSES_FIRST_INPUT = 2, MAX_FEW_INPUTS = 4, MAX_TEST_OUTPUTS = 4 };

/* Parameters of a task; followed by nothing, its length varies with output_count. */
typedef struct mix_params {
    uint64_t salt;
    uint32_t flags;
    uint32_t output_count;
    struct {
        uint64_t count;
        uint64_t dim_count;
    } outputs[MAX_TEST_OUTPUTS];
} mix_params;

uint64_t random_next(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

size_t random_below(uint64_t *state, size_t bound)
{
    return (size_t)(random_next(state) % bound);
}

uint64_t random_graph_seed(void)
{
    const char *text = getenv("WEFT_TEST_SEED");
    struct timespec now;
    if (text && *text) return strtoull(text, NULL, 0);
    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_nsec * 1000003u ^ (uint64_t)now.tv_sec) % 1000000000u;
}

/* ---- what a task computes: used by the kernel and by the serial evaluation, which differ in everything around it ---- */

static uint64_t fold(uint64_t hash, const uint64_t *elements, size_t count, int dim_count)
{
    hash = (hash ^ count) * 0x100000001B3u + (uint64_t)dim_count;
    for (size_t i = 0; i < count; i++) hash = ((hash << 5 | hash >> 59) ^ elements[i]) * 0x9E3779B97F4A7C15u;
    return hash;
}

static void fill(uint64_t hash, uint64_t *elements, size_t count)
{
    for (size_t i = 0; i < count; i++) elements[i] = (hash + i) * 0xD6E8FEB86659FD93u;
}

static void change(uint64_t hash, uint64_t *elements, size_t count)
{
    for (size_t i = 0; i < count; i++) elements[i] = elements[i] * 3 + hash + i;
}

/* ---- the kernel ---- */

static const uint64_t *input_elements(const weft_task *task, size_t i, size_t *count, int *dim_count)
{
    const weft_chunk *chunk = weft_task_input(task, i);
    *count = weft_chunk_bytes(chunk) / 8;
    *dim_count = weft_chunk_dim_count(chunk);
    return weft_chunk_data(chunk);
}

WEFT_KERNEL(mix)
{
    const mix_params *params = weft_task_params(task, NULL);
    uint64_t hash = params->salt;
    for (size_t i = 0; i < weft_task_input_count(task); i++) {
        size_t count;
        int dim_count;
        const uint64_t *elements = input_elements(task, i, &count, &dim_count);
        hash = fold(hash, elements, count, dim_count);
    }
    for (uint32_t o = 0; o < params->output_count; o++) {
        const int64_t extents[2] = {(int64_t)params->outputs[o].count, 1};
        bool reuses = o == 0 && (params->flags & REUSES_FIRST_INPUT) != 0;
        if (o + 1 == params->output_count && (params->flags & FAILS))
            return weft_fail(err, WEFT_EKERNEL, "told to fail, salt %llx", (unsigned long long)params->salt);
        uint64_t *to = reuses ? weft_task_reuse_input(task, o, 0, err)
                              : weft_task_create_output(task, o, WEFT_I64, (int)params->outputs[o].dim_count, extents, err);
        if (!to) return err->status;
        if (reuses)
            change(hash, to, (size_t)params->outputs[o].count);
        else
            fill(hash + o, to, (size_t)params->outputs[o].count);
    }
    return WEFT_OK;
}

/* ---- building ---- */

static bool make_room(void **array, size_t *room, size_t need, size_t bytes)
{
    if (need <= *room) return true;
    size_t larger = 2 * need + 16;
    void *grown = realloc(*array, larger * bytes);
    if (!grown) return false;
    *array = grown;
    *room = larger;
    return true;
}

static bool make_all_room(random_graph *g, size_t inputs)
{
    void *tasks = g->tasks, *outputs = g->outputs, *ins = g->inputs;
    bool ok = make_room(&tasks, &g->task_room, g->task_count + 1, sizeof *g->tasks);
    g->tasks = tasks;
    ok = ok && make_room(&outputs, &g->output_room, g->output_count + MAX_TEST_OUTPUTS, sizeof *g->outputs);
    g->outputs = outputs;
    ok = ok && make_room(&ins, &g->input_room, g->input_count + inputs, sizeof *g->inputs);
    g->inputs = ins;
    return ok;
}

/* The serial evaluation of the task that was added last. */
static bool evaluate(random_graph *g, const random_task *task, const mix_params *params)
{
    uint64_t hash = params->salt;
    bool failed = task->has_failed_input || task->fails;
    for (size_t i = task->input_begin; i < task->input_end && !failed; i++) {
        const random_output *in = &g->outputs[g->inputs[i]];
        hash = fold(hash, in->elements, in->count, in->dim_count);
    }
    for (size_t o = task->output_begin; o < task->output_end; o++) {
        random_output *out = &g->outputs[o];
        out->is_failed = failed;
        if (failed) continue;
        out->elements = malloc(out->count * 8 + 1);
        if (!out->elements) return false;
        if (o == task->output_begin && (params->flags & REUSES_FIRST_INPUT)) {
            const random_output *in = &g->outputs[g->inputs[task->input_begin]];
            if (out->count) memcpy(out->elements, in->elements, out->count * 8);
            change(hash, out->elements, out->count);
        } else {
            fill(hash + (o - task->output_begin), out->elements, out->count);
        }
    }
    return true;
}

static weft_status add_to_graph(random_graph *g, const random_task *task, const mix_params *params, weft_ref *first)
{
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    size_t count = task->input_end - task->input_begin, bytes[MAX_TEST_OUTPUTS];
    char key[32];
    weft_ref *inputs = malloc((count + 1) * sizeof *inputs);
    if (!inputs) return WEFT_ENOMEM;
    for (size_t i = 0; i < count; i++) inputs[i] = g->outputs[g->inputs[task->input_begin + i]].ref;
    for (size_t o = 0; o < params->output_count; o++) bytes[o] = (size_t)params->outputs[o].count * 8;
    snprintf(key, sizeof key, "task-%zu", g->task_count);
    spec.kernel = &mix_kernel;
    spec.inputs = inputs;
    spec.input_count = count;
    spec.params = params;
    spec.param_bytes = offsetof(mix_params, outputs) + params->output_count * sizeof params->outputs[0];
    spec.output_count = params->output_count;
    if (params->salt % 3) spec.output_bytes = bytes;
    if (params->salt % 5 == 0) spec.key = key;
    spec.cost = (double)(params->salt % 4);
    weft_status status = weft_graph_add(g->graph, &spec, first, NULL);
    free(inputs);
    return status;
}

/* Adds a task of the inputs that lie behind g->input_count already. */
static bool add_task(random_graph *g, const random_graph_options *options, size_t input_count)
{
    random_task task = {g->input_count, g->input_count + input_count, g->output_count, g->output_count, false, false};
    mix_params params = {.salt = random_next(&g->state), .output_count = 1};
    weft_ref first;
    if (random_below(&g->state, 3) == 0) params.output_count += (uint32_t)random_below(&g->state, MAX_TEST_OUTPUTS);
    for (size_t i = task.input_begin; i < task.input_end; i++) task.has_failed_input |= g->outputs[g->inputs[i]].is_failed;
    task.fails = random_below(&g->state, 100) < options->fail_percent;
    if (task.fails) params.flags |= FAILS;
    if (input_count && random_below(&g->state, 3) == 0) params.flags |= REUSES_FIRST_INPUT;
    for (uint32_t o = 0; o < params.output_count; o++) {
        bool reuses = o == 0 && (params.flags & REUSES_FIRST_INPUT);
        const random_output *in = reuses ? &g->outputs[g->inputs[task.input_begin]] : NULL;
        params.outputs[o].count = in ? in->count : options->counts[random_below(&g->state, options->count_count)];
        params.outputs[o].dim_count = in ? (uint64_t)in->dim_count : 1 + random_below(&g->state, 2);
    }
    if (add_to_graph(g, &task, &params, &first) != WEFT_OK) return false;
    for (uint32_t o = 0; o < params.output_count; o++)
        g->outputs[g->output_count++] = (random_output){weft_output(first, o), g->task_count, NULL, (size_t)params.outputs[o].count,
                                                        (int)params.outputs[o].dim_count, false};
    task.output_end = g->output_count;
    g->input_count = task.input_end;
    g->tasks[g->task_count++] = task;
    return evaluate(g, &task, &params);
}

/* How many inputs the next task gets, and from the last how many outputs they come. */
static size_t choose_inputs(random_graph *g, const random_graph_options *options, size_t *reach)
{
    size_t t = g->task_count, width;
    *reach = g->output_count;
    if (g->output_count == 0) return 0;
    switch (options->shape) {
    case RANDOM_CHAIN: *reach = 1; return 1 + random_below(&g->state, 2);
    case RANDOM_FAN: /* one, then many that take it, then one that takes all */
        if (t == 0) return 0;
        return t + 1 == options->task_count ? g->output_count : 1;
    case RANDOM_LAYERS:
        width = options->task_count / 5 + 1;
        *reach = g->output_count < 2 * width ? g->output_count : 2 * width;
        return t < width ? 0 : 1 + random_below(&g->state, MAX_FEW_INPUTS);
    default: break;
    }
    if (random_below(&g->state, 40) == 0) return random_below(&g->state, 80); /* more than fit on a stack */
    return random_below(&g->state, MAX_FEW_INPUTS + 1);
}

static bool add_tasks(random_graph *g, const random_graph_options *options)
{
    while (g->task_count < options->task_count) {
        size_t reach, count = choose_inputs(g, options, &reach);
        if (!make_all_room(g, count)) return false;
        for (size_t i = 0; i < count; i++) {
            size_t pick = g->output_count - 1 - random_below(&g->state, reach ? reach : 1);
            if (options->shape == RANDOM_FAN) pick = count == 1 ? 0 : i;
            bool again = i > 0 && options->shape != RANDOM_FAN && random_below(&g->state, 8) == 0;
            if (again) pick = g->inputs[g->input_count + i - 1];
            g->inputs[g->input_count + i] = pick;
        }
        if (!add_task(g, options, count)) return false;
    }
    return true;
}

random_graph *random_graph_create(const random_graph_options *options, weft_future *const *futures, const random_output *held,
                                  size_t future_count)
{
    random_graph *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->state = options->seed;
    bool ok = weft_graph_create(&g->graph, NULL) == WEFT_OK;
    for (size_t i = 0; i < future_count && ok; i++) {
        random_output output = held[i];
        ok = make_all_room(g, 0) && (output.elements = malloc(output.count * 8 + 1)) != NULL;
        if (!ok) break;
        if (output.count) memcpy(output.elements, held[i].elements, output.count * 8);
        output.task = SIZE_MAX;
        g->outputs[g->output_count++] = output;
        ok = weft_graph_add_future(g->graph, futures[i], &g->outputs[i].ref, NULL) == WEFT_OK;
    }
    if (ok && add_tasks(g, options)) return g;
    random_graph_destroy(g);
    return NULL;
}

void random_graph_destroy(random_graph *graph)
{
    if (!graph) return;
    for (size_t o = 0; o < graph->output_count; o++) free(graph->outputs[o].elements);
    weft_graph_destroy(graph->graph);
    free(graph->tasks);
    free(graph->outputs);
    free(graph->inputs);
    free(graph);
}

size_t random_graph_pick_roots(random_graph *graph, size_t *roots, size_t count, bool with_failed)
{
    size_t picked = 0;
    for (size_t i = 0; i < 20 * count && picked < count; i++) {
        size_t o = i < 2 ? graph->output_count - 1 - i % graph->output_count : random_below(&graph->state, graph->output_count);
        if (with_failed || !graph->outputs[o].is_failed) roots[picked++] = o;
    }
    return picked;
}

size_t random_graph_expected_failure(const random_graph *graph, const size_t *roots, size_t root_count)
{
    size_t failure = SIZE_MAX;
    bool *needed = calloc(graph->task_count + 1, sizeof *needed);
    if (!needed) abort();
    for (size_t i = 0; i < root_count; i++) {
        if (graph->outputs[roots[i]].task != SIZE_MAX) needed[graph->outputs[roots[i]].task] = true;
    }
    for (size_t t = graph->task_count; t-- > 0;) {
        const random_task *task = &graph->tasks[t];
        if (!needed[t]) continue;
        if (task->fails && !task->has_failed_input) failure = t;
        for (size_t i = task->input_begin; i < task->input_end; i++) {
            size_t producer = graph->outputs[graph->inputs[i]].task;
            if (producer != SIZE_MAX) needed[producer] = true;
        }
    }
    free(needed);
    return failure;
}

const char *random_graph_compare(const random_output *expected, const weft_chunk *chunk)
{
    if (!chunk) return "a root has no chunk";
    if (weft_chunk_dtype(chunk) != WEFT_I64) return "a root has another type";
    if (weft_chunk_dim_count(chunk) != expected->dim_count) return "a root has other dimensions";
    if (weft_chunk_extent(chunk, 0) != (int64_t)expected->count) return "a root has another extent";
    if (expected->count && memcmp(weft_chunk_data(chunk), expected->elements, expected->count * 8) != 0) return "a root has other elements";
    return NULL;
}

static const char *check_error(const random_graph *graph, size_t failure, const weft_error *err)
{
    char name[64];
    if (err->status != WEFT_EKERNEL || strncmp(err->text, "told to fail, salt ", 19) != 0) return "the error is not the kernel's";
    size_t index = (size_t)(graph->outputs[graph->tasks[failure].output_begin].ref.value >> 4);
    snprintf(name, sizeof name, "mix #%zu", index);
    if (strcmp(err->task, name) == 0) return NULL;
    snprintf(name, sizeof name, "mix task-%zu", failure);
    return strcmp(err->task, name) == 0 ? NULL : "the error names another task than the first that fails";
}

const char *random_graph_check(weft_session *session, random_graph *graph, const size_t *roots, size_t root_count, weft_error *err)
{
    const char *wrong = NULL;
    weft_ref *refs = calloc(root_count + 1, sizeof *refs);
    weft_chunk **chunks = calloc(root_count + 1, sizeof(weft_chunk *));
    if (!refs || !chunks) abort();
    for (size_t i = 0; i < root_count; i++) refs[i] = graph->outputs[roots[i]].ref;
    size_t failure = random_graph_expected_failure(graph, roots, root_count);
    *err = (weft_error)WEFT_ERROR_INIT;
    weft_status status = weft_compute(session, graph->graph, refs, root_count, chunks, err);
    if (status != err->status)
        wrong = "the status differs from the error's";
    else if (failure != SIZE_MAX)
        wrong = status == WEFT_OK ? "a graph with a failing task succeeded" : check_error(graph, failure, err);
    else if (status != WEFT_OK)
        wrong = "a graph without a failing task failed";
    for (size_t i = 0; i < root_count && !wrong && status == WEFT_OK; i++)
        wrong = random_graph_compare(&graph->outputs[roots[i]], chunks[i]);
    for (size_t i = 0; i < root_count; i++) {
        if (status != WEFT_OK && chunks[i]) wrong = "chunks were set on failure";
        weft_chunk_release(chunks[i]);
    }
    free(refs);
    free(chunks);
    return wrong;
}

enum { FUTURES = 6 };

static const char *check_second(weft_session *session, const random_graph_options *options, weft_future *const *futures,
                                const random_output *held, size_t count, weft_error *err)
{
    random_graph_options second = *options;
    second.seed ^= 0x5DEECE66Du;
    for (int round = 0; round < 2; round++, second.seed++) { /* a kept result may be used again */
        random_graph *graph = random_graph_create(&second, futures, held, count);
        size_t roots[8];
        if (!graph) return "no second graph";
        size_t root_count = random_graph_pick_roots(graph, roots, 8, true);
        if (round == 0) roots[root_count - 1] = 0; /* a future itself */
        const char *wrong = random_graph_check(session, graph, roots, root_count, err);
        random_graph_destroy(graph);
        if (wrong) return wrong;
    }
    return NULL;
}

const char *random_graph_check_futures(weft_session *session, const random_graph_options *options, weft_error *err)
{
    size_t roots[FUTURES];
    weft_ref refs[FUTURES];
    random_output held[FUTURES];
    weft_future *futures[FUTURES] = {NULL};
    const char *wrong = NULL;
    random_graph *graph = random_graph_create(options, NULL, NULL, 0);
    if (!graph) return "no first graph";
    size_t count = random_graph_pick_roots(graph, roots, FUTURES, true);
    for (size_t i = 0; i < count; i++) refs[i] = graph->outputs[roots[i]].ref;
    for (size_t i = 0; i < count; i++) held[i] = graph->outputs[roots[i]];
    size_t failure = random_graph_expected_failure(graph, roots, count);
    *err = (weft_error)WEFT_ERROR_INIT;
    weft_status status = weft_persist(session, graph->graph, refs, count, futures, err);
    if (failure != SIZE_MAX)
        wrong = status == WEFT_OK ? "persisting a graph with a failing task succeeded" : check_error(graph, failure, err);
    else if (status != WEFT_OK)
        wrong = "persisting failed";
    if (!wrong && status == WEFT_OK) wrong = check_second(session, options, futures, held, count, err);
    for (size_t i = 0; i < count; i++) weft_future_release(futures[i]);
    random_graph_destroy(graph);
    return wrong;
}
