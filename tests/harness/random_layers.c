#include "random_layers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

#include "random_graph.h"

enum { MAX_INPUTS = 4096, MOST_PAIRS = 3000 };

/* ---- rules of the tests' own ---- */

static void read_params(const weft_rule_call *call, int64_t params[3])
{
    memset(params, 0, 3 * sizeof *params);
    memcpy(params, call->params, call->param_bytes);
}

static uint64_t tasks_of(const int64_t *extents)
{
    return (uint64_t)(extents[0] * extents[1] * extents[2] * extents[3]);
}

/* The mirrored task, once or twice. */
static size_t reversed_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    int64_t params[3];
    uint64_t mirrored = tasks_of(call->extents) - 1 - index;
    read_params(call, params);
    for (int64_t k = 0; k < params[0]; k++) intervals[k] = (weft_interval){mirrored, mirrored + 1};
    return (size_t)params[0];
}

static size_t reversed_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    uint64_t mirrored = tasks_of(call->extents) - 1 - index;
    intervals[0] = (weft_interval){mirrored, mirrored + 1};
    return 1;
}

/* On itself: the one before, and the one `reach` before, in this sequence. */
static size_t back_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    int64_t params[3];
    size_t count = 0;
    read_params(call, params);
    uint64_t reach = (uint64_t)params[0];
    if (index >= 1) intervals[count++] = (weft_interval){index - 1, index};
    if (index >= reach) intervals[count++] = (weft_interval){index - reach, index - reach + 1};
    return count;
}

static size_t back_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    int64_t params[3];
    size_t count = 0;
    read_params(call, params);
    uint64_t reach = (uint64_t)params[0], tasks = tasks_of(call->extents);
    if (index + 1 < tasks) intervals[count++] = (weft_interval){index + 1, index + 2};
    if (index + reach < tasks) intervals[count++] = (weft_interval){index + reach, index + reach + 1};
    return count;
}

/* Without inverse: `count` tasks of the source, in no particular sequence, some more than once. */
static size_t scattered_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    int64_t params[3];
    read_params(call, params);
    for (int64_t k = 0; k < params[2]; k++) {
        uint64_t at = (index * (uint64_t)params[0] + (uint64_t)(k * params[1])) % tasks_of(call->source_extents);
        intervals[k] = (weft_interval){at, at + 1};
    }
    return (size_t)params[2];
}

/* Without inverse, on itself. */
static size_t halves_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    if (index < 2) return 0;
    intervals[0] = (weft_interval){(index * 5 + 2) / 7, (index * 5 + 2) / 7 + 1};
    intervals[1] = (weft_interval){index / 2, index / 2 + 1};
    return 2;
}

WEFT_RULE(test_reversed, reversed_inputs, reversed_consumers);
WEFT_RULE(test_back, back_inputs, back_consumers);
WEFT_RULE(test_scattered, scattered_inputs, NULL);
WEFT_RULE(test_halves, halves_inputs, NULL);

typedef struct kind_entry {
    const weft_rule *rule;
    bool on_itself, scans;
    size_t param_count;
} kind_entry;

static const kind_entry kinds[INPUT_KIND_COUNT] = {
    [INPUT_SAME] = {&weft_blockwise_rule, false, false, 0},
    [INPUT_NEAR_BEFORE] = {&weft_stencil_rule, true, false, 1},
    [INPUT_NEAR_BESIDE] = {&weft_stencil_rule, false, false, 1},
    [INPUT_BUTTERFLY] = {&weft_butterfly_rule, true, false, 0},
    [INPUT_ROW_BEFORE] = {&weft_all_to_all_rule, true, false, 0},
    [INPUT_WHOLE] = {&weft_all_to_all_rule, false, false, 0},
    [INPUT_ONE] = {&weft_one_to_all_rule, false, false, 1},
    [INPUT_CHILDREN] = {&weft_tree_rule, false, false, 1},
    [INPUT_FIRST_ROW] = {&weft_first_row_rule, false, false, 0},
    [INPUT_REVERSED] = {&test_reversed_rule, false, false, 1},
    [INPUT_BACK] = {&test_back_rule, true, false, 1},
    [INPUT_SCATTERED] = {&test_scattered_rule, false, true, 3},
    [INPUT_HALVES] = {&test_halves_rule, true, true, 0},
};

/* ---- what a task computes: used by the kernel and by the serial evaluation, which differ in everything around it ---- */

static uint64_t begin_hash(uint64_t salt, uint64_t index, const int64_t *coordinates)
{
    uint64_t hash = (salt ^ (index + 1)) * 0x9E3779B97F4A7C15u;
    for (int d = 0; d < WEFT_MAX_DIMS; d++) hash = (hash ^ (uint64_t)coordinates[d]) * 0x100000001B3u;
    return hash;
}

static uint64_t fold(uint64_t hash, const uint64_t *elements, size_t count)
{
    hash = (hash ^ count) * 0x100000001B3u;
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

/* Choices that depend on the task alone. */
static uint64_t choose(const layered_params *params, uint64_t index, uint64_t what)
{
    uint64_t state = params->salt ^ index << 8 ^ what;
    return random_next(&state);
}

static bool task_fails(const layered_params *p, uint64_t index)
{
    return choose(p, index, 1) % 1000 < p->fail_permille;
}

static bool task_reuses(const layered_params *p, uint64_t index, size_t input_count)
{
    return p->reuses && input_count > 0 && choose(p, index, 2) % 3 == 0;
}

static size_t output_elements(const layered_params *p, uint64_t index, uint32_t output)
{
    return (size_t)p->counts[choose(p, index, 16 + output) % p->count_count];
}

/* ---- the kernel ---- */

WEFT_KERNEL(layered)
{
    const layered_params *p = weft_task_params(task, NULL);
    uint64_t index = weft_task_index(task);
    size_t inputs = weft_task_input_count(task);
    int64_t coordinates[WEFT_MAX_DIMS];
    for (int d = 0; d < WEFT_MAX_DIMS; d++) coordinates[d] = weft_task_coordinate(task, d);
    uint64_t hash = begin_hash(p->salt, index, coordinates);
    for (size_t i = 0; i < inputs; i++) {
        const weft_chunk *chunk = weft_task_input(task, i);
        hash = fold(hash, weft_chunk_data(chunk), weft_chunk_bytes(chunk) / 8);
    }
    bool reuses = task_reuses(p, index, inputs);
    size_t reused = reuses ? weft_chunk_bytes(weft_task_input(task, 0)) / 8 : 0;
    for (uint32_t o = 0; o < p->output_count; o++) {
        int64_t count = (int64_t)output_elements(p, index, o);
        if (o + 1 == p->output_count && task_fails(p, index)) return weft_fail(err, WEFT_EKERNEL, "told to fail, index %d", (int)index);
        uint64_t *to = o == 0 && reuses ? weft_task_reuse_input(task, 0, 0, err) : weft_task_create_output(task, o, WEFT_I64, 1, &count, err);
        if (!to) return err->status;
        if (o == 0 && reuses)
            change(hash, to, reused);
        else
            fill(hash + o, to, (size_t)count);
    }
    return WEFT_OK;
}

/* Hashes whatever it is given; an explicit task. */
WEFT_KERNEL(layered_join)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < weft_task_input_count(task); i++) {
        const weft_chunk *chunk = weft_task_input(task, i);
        hash = fold(hash, weft_chunk_data(chunk), weft_chunk_bytes(chunk) / 8);
    }
    uint64_t *to = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err);
    if (!to) return err->status;
    *to = hash;
    return WEFT_OK;
}

/* ---- which inputs a task has, by formulas ---- */

static uint64_t row_of(const random_layer *l)
{
    return l->task_count / (uint64_t)l->extents[0];
}

static void coordinates_of(const random_layer *l, uint64_t index, int64_t x[WEFT_MAX_DIMS])
{
    for (int d = WEFT_MAX_DIMS; d-- > 0;) {
        x[d] = (int64_t)index % l->extents[d];
        index /= (uint64_t)l->extents[d];
    }
}

static size_t list_near(const random_layer *l, int64_t row, const int64_t *x, int64_t radius, uint64_t *list)
{
    size_t count = 0;
    if (row < 0) return 0;
    for (int64_t b = x[1] - radius; b <= x[1] + radius; b++) {
        for (int64_t c = x[2] - radius; c <= x[2] + radius; c++) {
            for (int64_t d = x[3] - radius; d <= x[3] + radius; d++) {
                if (b < 0 || c < 0 || d < 0 || b >= l->extents[1] || c >= l->extents[2] || d >= l->extents[3]) continue;
                list[count++] = (uint64_t)(((row * l->extents[1] + b) * l->extents[2] + c) * l->extents[3] + d);
            }
        }
    }
    return count;
}

static size_t list_run(uint64_t begin, uint64_t end, uint64_t *list)
{
    size_t count = 0;
    while (begin < end) list[count++] = begin++;
    return count;
}

static size_t list_butterfly(const random_layer *l, uint64_t index, uint64_t *list)
{
    uint64_t width = row_of(l), row = index / width, x = index % width, bits = 0;
    if (row == 0) return 0;
    while (width > (uint64_t)1 << bits) bits++;
    uint64_t other = bits ? x ^ (uint64_t)1 << (row - 1) % bits : x;
    size_t count = 0;
    if (other < x) list[count++] = (row - 1) * width + other;
    list[count++] = (row - 1) * width + x;
    if (other > x && other < width) list[count++] = (row - 1) * width + other;
    return count;
}

static size_t list_pair(bool has_first, uint64_t first, bool has_second, uint64_t second, uint64_t *list)
{
    size_t count = 0;
    if (has_first) list[count++] = first;
    if (has_second) list[count++] = second;
    return count;
}

static size_t list_inputs(const random_layers *g, const random_layer *l, const random_dependency *d, uint64_t i, uint64_t *list)
{
    uint64_t sources = g->layers[d->source].task_count, first = (uint64_t)d->params[0], row = row_of(l);
    int64_t x[WEFT_MAX_DIMS];
    size_t count = 0;
    coordinates_of(l, i, x);
    switch (d->kind) {
    case INPUT_SAME: return list_run(i, i + 1, list);
    case INPUT_NEAR_BEFORE: return list_near(l, x[0] - 1, x, d->params[0], list);
    case INPUT_NEAR_BESIDE: return list_near(l, x[0], x, d->params[0], list);
    case INPUT_BUTTERFLY: return list_butterfly(l, i, list);
    case INPUT_ROW_BEFORE: return x[0] ? list_run((i / row - 1) * row, i / row * row, list) : 0;
    case INPUT_WHOLE: return list_run(0, sources, list);
    case INPUT_ONE: return list_run(first, first + 1, list);
    case INPUT_CHILDREN: return list_run(i * first, (i + 1) * first < sources ? (i + 1) * first : sources, list);
    case INPUT_FIRST_ROW: return i < row ? list_run(i, i + 1, list) : 0;
    case INPUT_REVERSED: return list_pair(true, sources - 1 - i, first == 2, sources - 1 - i, list);
    case INPUT_BACK: return list_pair(i >= 1, i - 1, i >= first, i - first, list);
    case INPUT_HALVES: return list_pair(i >= 2, (5 * i + 2) / 7, i >= 2, i / 2, list);
    default: /* INPUT_SCATTERED */
        for (; count < (size_t)d->params[2]; count++) list[count] = (i * first + count * (uint64_t)d->params[1]) % sources;
        return count;
    }
}

/* ---- the serial evaluation ---- */

typedef struct found_inputs {
    const layered_output *inputs[RANDOM_LAYER_DEPENDENCIES * MAX_INPUTS];
    size_t count;
    bool has_failed;
} found_inputs;

static void find_inputs(const random_layers *g, const random_layer *l, uint64_t index, found_inputs *found)
{
    uint64_t list[MAX_INPUTS];
    found->count = 0;
    found->has_failed = false;
    for (size_t d = 0; d < l->dependency_count; d++) {
        const random_dependency *dependency = &l->dependencies[d];
        const random_layer *source = &g->layers[dependency->source];
        size_t count = list_inputs(g, l, dependency, index, list);
        for (size_t k = 0; k < count; k++) {
            const layered_output *input = &source->outputs[list[k] * source->params.output_count + dependency->output];
            found->inputs[found->count++] = input;
            found->has_failed |= input->is_failed;
        }
    }
}

static bool evaluate_task(random_layer *l, uint64_t index, const found_inputs *found)
{
    const layered_params *p = &l->params;
    int64_t x[WEFT_MAX_DIMS];
    coordinates_of(l, index, x);
    uint64_t hash = begin_hash(p->salt, index, x);
    bool failed = found->has_failed || task_fails(p, index);
    l->fails[index] = !found->has_failed && failed;
    for (size_t i = 0; i < found->count && !failed; i++) hash = fold(hash, found->inputs[i]->elements, found->inputs[i]->count);
    for (uint32_t o = 0; o < p->output_count; o++) {
        layered_output *out = &l->outputs[index * p->output_count + o];
        bool reuses = o == 0 && task_reuses(p, index, found->count);
        out->is_failed = failed;
        if (failed) continue;
        out->count = reuses ? found->inputs[0]->count : output_elements(p, index, o);
        out->elements = malloc(out->count * 8 + 1);
        if (!out->elements) return false;
        if (reuses) {
            if (out->count) memcpy(out->elements, found->inputs[0]->elements, out->count * 8);
            change(hash, out->elements, out->count);
        } else {
            fill(hash + o, out->elements, out->count);
        }
    }
    return true;
}

static bool evaluate(random_layers *g, random_layer *l)
{
    found_inputs *found = malloc(sizeof *found);
    bool ok = found != NULL;
    l->outputs = calloc(l->task_count * l->params.output_count, sizeof *l->outputs);
    l->fails = calloc(l->task_count, sizeof *l->fails);
    ok = ok && l->outputs && l->fails;
    for (uint64_t i = 0; i < l->task_count && ok; i++) {
        find_inputs(g, l, i, found);
        ok = evaluate_task(l, i, found);
    }
    free(found);
    return ok;
}

/* ---- building ---- */

static void set_extents(random_layer *l, int dim_count, const int64_t *extents)
{
    l->dim_count = dim_count;
    for (int d = 0; d < WEFT_MAX_DIMS; d++) l->extents[d] = d < dim_count ? extents[d] : 1;
    l->task_count = tasks_of(l->extents);
}

static void random_extents(random_layers *g, random_layer *l, size_t most)
{
    int64_t extents[WEFT_MAX_DIMS] = {1, 1, 1, 1};
    int dims = 1 + (int)random_below(&g->state, WEFT_MAX_DIMS);
    for (int d = 0; d < dims; d++) extents[d] = 1 + (int64_t)random_below(&g->state, dims == 1 ? most : most / tasks_of(extents) / (size_t)(dims - d) + 1);
    if (random_below(&g->state, 4) == 0 && dims == 2) extents[1] = (int64_t)1 << random_below(&g->state, 5);
    set_extents(l, dims, extents);
}

/* Often a shape that an earlier layer fits to. */
static void choose_extents(random_layers *g, random_layer *l, size_t most)
{
    const random_layer *before = g->layer_count ? &g->layers[random_below(&g->state, g->layer_count)] : NULL;
    size_t way = before ? random_below(&g->state, 10) : 9;
    if (way < 4) {
        set_extents(l, before->dim_count, before->extents);
    } else if (way < 6 && before->dim_count < WEFT_MAX_DIMS) { /* rows of it */
        int64_t extents[WEFT_MAX_DIMS] = {1 + (int64_t)random_below(&g->state, most / before->task_count + 1)};
        for (int d = 0; d < before->dim_count; d++) extents[d + 1] = before->extents[d];
        set_extents(l, before->dim_count + 1, extents);
    } else if (way < 8) {
        int64_t joins = ((int64_t)before->task_count + 3) / 4;
        set_extents(l, 1, &joins);
    } else {
        random_extents(g, l, most);
    }
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Sets the parameters of a dependency on `source`; false when it cannot be. */
static bool fit(random_layers *g, const random_layer *l, const random_layer *source, random_dependency *d)
{
    uint64_t n = l->task_count, m = source->task_count;
    bool same_extents = memcmp(l->extents, source->extents, sizeof l->extents) == 0 && l->dim_count == source->dim_count;
    switch (d->kind) {
    case INPUT_SAME: return same_extents;
    case INPUT_NEAR_BEFORE: d->params[0] = (int64_t)random_below(&g->state, 3); return true;
    case INPUT_NEAR_BESIDE: d->params[0] = (int64_t)random_below(&g->state, 3); return same_extents;
    case INPUT_ROW_BEFORE: return l->dim_count > 1 && n * row_of(l) <= MOST_PAIRS;
    case INPUT_WHOLE: return n * m <= MOST_PAIRS;
    case INPUT_ONE: d->params[0] = (int64_t)random_below(&g->state, m); return true;
    case INPUT_CHILDREN: d->params[0] = (int64_t)((m + n - 1) / n + random_below(&g->state, 2)); return d->params[0] <= MAX_INPUTS;
    case INPUT_FIRST_ROW: return m == row_of(l);
    case INPUT_REVERSED: d->params[0] = 1 + (int64_t)random_below(&g->state, 2); return n == m;
    case INPUT_BACK: d->params[0] = 2 + (int64_t)random_below(&g->state, n); return true;
    case INPUT_SCATTERED:
        for (int k = 0; k < 3; k++) d->params[k] = 1 + (int64_t)random_below(&g->state, k < 2 ? 50 : 5);
        return common_divisor((uint64_t)d->params[0], m) == 1 && n * (uint64_t)d->params[2] <= 20 * m;
    default: return true;
    }
}

static void choose_dependencies(random_layers *g, const random_layers_options *options, random_layer *l)
{
    size_t wanted = random_below(&g->state, RANDOM_LAYER_DEPENDENCIES + 1);
    for (size_t k = 0; k < wanted * 3 && l->dependency_count < wanted; k++) {
        random_dependency *d = &l->dependencies[l->dependency_count];
        *d = (random_dependency){.kind = (random_input_kind)random_below(&g->state, INPUT_KIND_COUNT), .source = g->layer_count};
        const kind_entry *kind = &kinds[d->kind];
        if (kind->scans && !options->scans) continue;
        for (int tries = 0; tries < 6; tries++) {
            if (!kind->on_itself) {
                if (g->layer_count == 0) break;
                d->source = random_below(&g->state, g->layer_count);
            }
            const random_layer *source = &g->layers[d->source];
            d->output = random_below(&g->state, source->params.output_count);
            if (!fit(g, l, source, d)) continue;
            l->dependency_count++;
            break;
        }
    }
}

static weft_status add_to_graph(random_layers *g, random_layer *l)
{
    int32_t ranks[4096];
    size_t bytes[RANDOM_LAYER_OUTPUTS] = {1 << 24, 1 << 24, 1 << 24};
    weft_dependency dependencies[RANDOM_LAYER_DEPENDENCIES];
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    for (size_t k = 0; k < l->dependency_count; k++) {
        const random_dependency *d = &l->dependencies[k];
        const kind_entry *kind = &kinds[d->kind];
        dependencies[k] = (weft_dependency){.rule = kind->rule, .on_itself = kind->on_itself, .output = d->output, .params = d->params,
                                            .param_bytes = kind->param_count * sizeof(int64_t)};
        if (!kind->on_itself) dependencies[k].source = g->layers[d->source].handle;
    }
    for (size_t c = 0; c < 4096; c++) ranks[c] = (int32_t)random_below(&g->state, 7);
    spec.kernel = &layered_kernel;
    spec.name = l->name;
    spec.dim_count = l->dim_count;
    memcpy(spec.extents, l->extents, sizeof spec.extents);
    spec.dependencies = dependencies;
    spec.dependency_count = l->dependency_count;
    spec.params = &l->params;
    spec.param_bytes = sizeof l->params;
    spec.output_count = l->params.output_count;
    if (random_below(&g->state, 2)) spec.output_bytes = bytes;
    spec.owners = (weft_owner_map){.kind = (weft_owner_kind)random_below(&g->state, 3), .dim = (int)random_below(&g->state, (size_t)l->dim_count + 1),
                                   .block = (int64_t)random_below(&g->state, 4), .ranks = ranks};
    return weft_graph_add_layer(g->graph, &spec, &l->handle, NULL);
}

static bool add_layer(random_layers *g, const random_layers_options *options)
{
    random_layer *l = &g->layers[g->layer_count];
    snprintf(l->name, sizeof l->name, "layer-%zu", g->layer_count);
    choose_extents(g, l, options->most_tasks);
    l->params = (layered_params){.salt = random_next(&g->state), .fail_permille = options->fail_permille,
                                 .output_count = 1 + (uint32_t)random_below(&g->state, RANDOM_LAYER_OUTPUTS),
                                 .count_count = (uint32_t)options->count_count, .reuses = (uint32_t)random_below(&g->state, 2)};
    for (size_t i = 0; i < options->count_count; i++) l->params.counts[i] = options->counts[i];
    choose_dependencies(g, options, l);
    bool ok = add_to_graph(g, l) == WEFT_OK;
    g->layer_count++;
    return ok && evaluate(g, l);
}

random_layers *random_layers_create(const random_layers_options *options)
{
    random_layers *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->state = options->seed;
    bool ok = weft_graph_create(&g->graph, NULL) == WEFT_OK;
    while (ok && g->layer_count < options->layer_count) ok = add_layer(g, options);
    if (ok) return g;
    random_layers_destroy(g);
    return NULL;
}

void random_layers_destroy(random_layers *graph)
{
    if (!graph) return;
    for (size_t k = 0; k < graph->layer_count; k++) {
        random_layer *l = &graph->layers[k];
        for (size_t o = 0; l->outputs && o < l->task_count * l->params.output_count; o++) free(l->outputs[o].elements);
        free(l->outputs);
        free(l->fails);
    }
    weft_graph_destroy(graph->graph);
    free(graph);
}

/* ---- asking and comparing ---- */

void random_layers_pick(random_layers *graph, layered_root *roots, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t number = i == 0 ? graph->layer_count - 1 : random_below(&graph->state, graph->layer_count);
        const random_layer *l = &graph->layers[number];
        layered_root root = {number, random_below(&graph->state, l->task_count), random_below(&graph->state, l->params.output_count)};
        size_t run = 1 + random_below(&graph->state, 5);
        for (; run > 0 && i < count && root.task < l->task_count; run--, root.task++) roots[i++] = root;
        if (i < count && random_below(&graph->state, 8) == 0) {
            roots[i] = roots[random_below(&graph->state, i)];
            i++;
        }
    }
}

/* Whole layers are needed or not. */
bool random_layers_expected_failure(const random_layers *graph, const layered_root *roots, size_t root_count, size_t *layer, uint64_t *task)
{
    bool needed[RANDOM_LAYERS_MAX] = {false};
    for (size_t i = 0; i < root_count; i++) needed[roots[i].layer] = true;
    for (size_t k = graph->layer_count; k-- > 0;) {
        for (size_t d = 0; needed[k] && d < graph->layers[k].dependency_count; d++) needed[graph->layers[k].dependencies[d].source] = true;
    }
    for (size_t k = 0; k < graph->layer_count; k++) {
        for (uint64_t t = 0; needed[k] && t < graph->layers[k].task_count; t++) {
            if (!graph->layers[k].fails[t]) continue;
            *layer = k;
            *task = t;
            return true;
        }
    }
    return false;
}

static const layered_output *output_of(const random_layers *g, const layered_root *root)
{
    const random_layer *l = &g->layers[root->layer];
    return &l->outputs[root->task * l->params.output_count + root->output];
}

static const char *compare(const layered_output *expected, const weft_chunk *chunk)
{
    if (!chunk) return "a root has no chunk";
    if (weft_chunk_bytes(chunk) != expected->count * 8) return "a root has another size";
    if (expected->count && memcmp(weft_chunk_data(chunk), expected->elements, expected->count * 8) != 0) return "a root has other elements";
    return NULL;
}

static const char *check_error(const random_layer *l, uint64_t task, const weft_error *err)
{
    char name[64], text[40];
    int64_t x[WEFT_MAX_DIMS];
    int length = snprintf(name, sizeof name, "%s %d", l->name, (int)task);
    coordinates_of(l, task, x);
    for (int d = 0; l->dim_count > 1 && d < l->dim_count; d++)
        length += snprintf(name + length, sizeof name - (size_t)length, "%s%d%s", d ? ", " : " (", (int)x[d], d + 1 == l->dim_count ? ")" : "");
    snprintf(text, sizeof text, "told to fail, index %d", (int)task);
    if (err->status != WEFT_EKERNEL || strcmp(err->text, text) != 0) return "the error is not that of the first task that fails";
    if (strcmp(err->task, name) != 0) return "the error names another task than the first that fails";
    return err->rank >= 0 ? NULL : "the error names no rank";
}

static weft_ref *make_refs(const random_layers *graph, const layered_root *roots, size_t root_count)
{
    weft_ref *refs = calloc(root_count + 1, sizeof *refs);
    if (!refs) abort();
    for (size_t i = 0; i < root_count; i++) refs[i] = weft_layer_output(graph->layers[roots[i].layer].handle, roots[i].task, roots[i].output);
    return refs;
}

static const char *check_status(const random_layers *graph, const layered_root *roots, size_t root_count, weft_status status,
                                const weft_error *err)
{
    size_t layer;
    uint64_t task;
    if (status != err->status) return "the status differs from the error's";
    if (!random_layers_expected_failure(graph, roots, root_count, &layer, &task))
        return status == WEFT_OK ? NULL : "a graph without a failing task failed";
    return status == WEFT_OK ? "a graph with a failing task succeeded" : check_error(&graph->layers[layer], task, err);
}

const char *random_layers_check(weft_session *session, random_layers *graph, const layered_root *roots, size_t root_count, weft_error *err)
{
    weft_ref *refs = make_refs(graph, roots, root_count);
    weft_chunk **chunks = calloc(root_count + 1, sizeof(weft_chunk *));
    if (!chunks) abort();
    *err = (weft_error)WEFT_ERROR_INIT;
    weft_status status = weft_compute(session, graph->graph, refs, root_count, chunks, err);
    const char *wrong = check_status(graph, roots, root_count, status, err);
    for (size_t i = 0; i < root_count && !wrong && status == WEFT_OK; i++) wrong = compare(output_of(graph, &roots[i]), chunks[i]);
    for (size_t i = 0; i < root_count; i++) {
        if (status != WEFT_OK && chunks[i]) wrong = "chunks were set on failure";
        weft_chunk_release(chunks[i]);
    }
    free(refs);
    free(chunks);
    return wrong;
}

/* One task joins all futures; each is asked for itself, too. */
static const char *check_second(weft_session *session, const random_layers *graph, weft_future *const *futures, const layered_root *roots,
                                size_t root_count, weft_error *err)
{
    const char *wrong = NULL;
    weft_graph *second = NULL;
    weft_ref *refs = calloc(root_count + 1, sizeof *refs);
    weft_chunk **chunks = calloc(root_count + 1, sizeof(weft_chunk *));
    uint64_t hash = 0;
    if (!refs || !chunks || weft_graph_create(&second, NULL) != WEFT_OK) abort();
    for (size_t i = 0; i < root_count && !wrong; i++) {
        if (weft_graph_add_future(second, futures[i], &refs[i], err) != WEFT_OK) wrong = "a future was refused";
        hash = fold(hash, output_of(graph, &roots[i])->elements, output_of(graph, &roots[i])->count);
    }
    if (!wrong && weft_graph_add_task(second, &layered_join_kernel, refs, root_count, NULL, 0, &refs[root_count], err) != WEFT_OK)
        wrong = "a task that takes futures was refused";
    if (!wrong && weft_compute(session, second, refs, root_count + 1, chunks, err) != WEFT_OK) wrong = "a graph that takes futures failed";
    for (size_t i = 0; i < root_count && !wrong; i++) wrong = compare(output_of(graph, &roots[i]), chunks[i]);
    if (!wrong) wrong = compare(&(layered_output){&hash, 1, false}, chunks[root_count]);
    for (size_t i = 0; i <= root_count; i++) weft_chunk_release(chunks[i]);
    weft_graph_destroy(second);
    free(refs);
    free(chunks);
    return wrong;
}

const char *random_layers_check_futures(weft_session *session, random_layers *graph, const layered_root *roots, size_t root_count,
                                        weft_error *err)
{
    weft_ref *refs = make_refs(graph, roots, root_count);
    weft_future **futures = calloc(root_count, sizeof *futures);
    if (!futures) abort();
    *err = (weft_error)WEFT_ERROR_INIT;
    weft_status status = weft_persist(session, graph->graph, refs, root_count, futures, err);
    const char *wrong = check_status(graph, roots, root_count, status, err);
    if (!wrong && status == WEFT_OK) wrong = check_second(session, graph, futures, roots, root_count, err);
    for (size_t i = 0; i < root_count; i++) weft_future_release(futures[i]);
    free(refs);
    free(futures);
    return wrong;
}
