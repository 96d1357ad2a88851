#include "graph/expand.h"

#include <math.h>
#include <string.h>

#include "cut_graphs.h"
#include "graph/cut.h"
#include "graph/stats.h"

enum { ROUNDS = 200, MAX_LAYERS = 6, MAX_EXPLICIT = 10, MAX_TAKEN = 4, MAX_ROOTS = 4, MAX_WORKERS = 5, MAX_DEPENDENCIES = 2,
       MAX_LAYER_TASKS = 48, MAX_NODES = MAX_LAYERS * MAX_LAYER_TASKS + MAX_EXPLICIT, MAX_EDGES = 100000 };

/* ---- layers of known shape ---- */

static weft_layer add_layer(weft_graph *graph, int dims, const int64_t *extents, const weft_dependency *dependency, size_t bytes,
                            weft_owner_map owners)
{
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer = {0, 0};
    weft_error err = WEFT_ERROR_INIT;
    spec.kernel = &random_kernels[0];
    spec.dim_count = dims;
    memcpy(spec.extents, extents, (size_t)dims * sizeof *extents);
    spec.dependencies = dependency;
    spec.dependency_count = dependency != NULL;
    spec.output_bytes = &bytes;
    spec.owners = owners;
    if (weft_graph_add_layer(graph, &spec, &layer, &err)) CU_FAIL_FATAL(err.text);
    return layer;
}

static weft_layer add_grid(weft_graph *graph, const weft_rule *rule, int64_t radius, int64_t steps, int64_t width, size_t bytes,
                           weft_owner_map owners)
{
    weft_dependency before = {.rule = rule, .on_itself = true, .params = &radius,
                              .param_bytes = rule == &weft_stencil_rule ? sizeof radius : 0};
    return add_layer(graph, 2, (int64_t[]){steps, width}, &before, bytes, owners);
}

/* Of one root. */
static weft_graph_stats stats_of(const weft_graph *graph, weft_ref root, size_t workers)
{
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_error err = WEFT_ERROR_INIT;
    if (weft_graph_get_stats(graph, &root, 1, workers, 1, &stats, &err)) CU_FAIL_FATAL(err.text);
    return stats;
}

/* Between two blocks, `radius` outputs go either way in each step: the one next to the border to `radius` tasks, the last one to one. */
static void a_stencil_in_blocks_cuts_what_crosses_their_borders(void)
{
    enum { STEPS = 7, WIDTH = 23, BYTES = 1000 };
    for (size_t workers = 1; workers <= 4; workers++) {
        for (size_t radius = 0; radius <= 3; radius++) {
            weft_graph *graph = create_graph();
            weft_layer layer = add_grid(graph, &weft_stencil_rule, (int64_t)radius, STEPS, WIDTH, BYTES, (weft_owner_map){0});
            weft_graph_stats s = stats_of(graph, weft_layer_output(layer, STEPS * WIDTH - 1, 0), workers);
            size_t borders = (workers - 1) * (STEPS - 1), largest = (WIDTH + workers - 1) / workers;
            CU_ASSERT(s.task_count == STEPS * WIDTH && s.output_bytes == STEPS * WIDTH * BYTES);
            CU_ASSERT_EQUAL(s.edge_count, (STEPS - 1) * (WIDTH * (2 * radius + 1) - radius * (radius + 1)));
            CU_ASSERT_EQUAL(s.cut_edge_count, borders * radius * (radius + 1));
            CU_ASSERT_EQUAL(s.message_count, borders * radius * 2);
            CU_ASSERT_EQUAL(s.cut_bytes, borders * radius * 2 * BYTES);
            CU_ASSERT_DOUBLE_EQUAL(s.balance, (double)(largest * workers) / WIDTH, 1e-12);
            CU_ASSERT_EQUAL(s.critical_task_count, STEPS);
            CU_ASSERT_DOUBLE_EQUAL(s.critical_cost, STEPS, 1e-12);
            CU_ASSERT_STRING_EQUAL(s.method, workers == 1 ? "none" : "owners");
            weft_graph_destroy(graph);
        }
    }
}

/* Every neighbour is another worker's; of two workers, both neighbours are the same one's. */
static void a_stencil_dealt_out_in_turn_cuts_all_but_its_columns(void)
{
    enum { STEPS = 5, WIDTH = 12, BYTES = 300 };
    for (size_t workers = 2; workers <= 4; workers++) {
        weft_graph *graph = create_graph();
        weft_layer layer = add_grid(graph, &weft_stencil_rule, 1, STEPS, WIDTH, BYTES, (weft_owner_map){.kind = WEFT_OWNER_CYCLIC});
        weft_graph_stats s = stats_of(graph, weft_layer_output(layer, 0, 0), workers);
        size_t messages = (STEPS - 1) * (workers == 2 ? WIDTH : 2 * WIDTH - 2);
        CU_ASSERT_EQUAL(s.cut_edge_count, (STEPS - 1) * (2 * WIDTH - 2));
        CU_ASSERT(s.message_count == messages && s.cut_bytes == messages * BYTES);
        CU_ASSERT_DOUBLE_EQUAL(s.balance, 1, 1e-12);
        weft_graph_destroy(graph);
    }
}

static void given_owners_may_leave_ranks_without_work(void)
{
    static const int32_t all_on_second[] = {1, 1, 1, 1};
    weft_graph *graph = create_graph();
    weft_owner_map owners = {.kind = WEFT_OWNER_GIVEN, .ranks = all_on_second};
    weft_layer layer = add_grid(graph, &weft_all_to_all_rule, 0, 3, 4, 8, owners);
    weft_graph_stats s = stats_of(graph, weft_layer_output(layer, 0, 0), 3);
    CU_ASSERT(s.cut_edge_count == 0 && s.message_count == 0 && s.edge_count == 32);
    CU_ASSERT_DOUBLE_EQUAL(s.balance, 3, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(s.finish_cost, 12, 1e-12);
    weft_graph_destroy(graph);
}

/* Partners lie a power of two apart: on another rank when that is a block or more. */
static void a_butterfly_crosses_between_blocks_in_its_wide_steps(void)
{
    enum { BITS = 4, WIDTH = 1 << BITS };
    for (size_t worker_bits = 0; worker_bits <= 2; worker_bits++) {
        weft_graph *graph = create_graph();
        weft_layer layer = add_grid(graph, &weft_butterfly_rule, 0, 2 * BITS + 1, WIDTH, 8, (weft_owner_map){0});
        weft_graph_stats s = stats_of(graph, weft_layer_output(layer, 0, 0), (size_t)1 << worker_bits);
        CU_ASSERT_EQUAL(s.edge_count, 2 * BITS * WIDTH * 2);
        CU_ASSERT(s.cut_edge_count == 2 * worker_bits * WIDTH && s.message_count == s.cut_edge_count);
        weft_graph_destroy(graph);
    }
}

/* A join lies with its first leaf, so each rank but the first sends one output. On one rank, depth first, one output waits on each level,
 * and two leaves stand beside their join. */
static void a_tree_sends_one_output_a_rank_and_keeps_one_a_level(void)
{
    enum { LEVELS = 6, LEAVES = 1 << LEVELS, BYTES = 100 };
    for (size_t workers = 1; workers <= 4; workers *= 2) {
        weft_graph *graph = create_graph();
        weft_layer leaves = add_layer(graph, 1, (int64_t[]){LEAVES}, NULL, BYTES, (weft_owner_map){0});
        weft_layer_spec join = WEFT_LAYER_SPEC_INIT;
        weft_ref root = {0, 0};
        const size_t bytes = BYTES;
        join.kernel = &random_kernels[1];
        join.output_bytes = &bytes;
        CU_ASSERT_EQUAL_FATAL(weft_graph_add_tree(graph, &join, leaves, 0, 2, &root, NULL), WEFT_OK);
        weft_graph_stats s = stats_of(graph, root, workers);
        CU_ASSERT(s.task_count == 2 * LEAVES - 1 && s.edge_count == s.task_count - 1);
        CU_ASSERT(s.cut_edge_count == workers - 1 && s.cut_bytes == (workers - 1) * BYTES);
        CU_ASSERT(s.critical_task_count == LEVELS + 1 && s.output_count == s.task_count);
        if (workers == 1) CU_ASSERT_EQUAL(s.memory_peak_bytes, (LEVELS + 2) * BYTES);
        weft_graph_destroy(graph);
    }
}

static void what_is_asked_for_of_a_layer_stays_in_memory(void)
{
    enum { TASKS = 9, BYTES = 100 };
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_graph *graph = create_graph();
    weft_ref roots[TASKS];
    weft_layer first = add_layer(graph, 1, (int64_t[]){TASKS}, NULL, BYTES, (weft_owner_map){0});
    weft_dependency on_first = {.rule = &weft_blockwise_rule, .source = first};
    weft_layer second = add_layer(graph, 1, (int64_t[]){TASKS}, &on_first, BYTES, (weft_owner_map){0});
    for (uint64_t i = 0; i < TASKS; i++) roots[i] = weft_layer_output(second, i, 0);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, roots, TASKS, 1, 1, &stats, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(stats.memory_peak_bytes, (TASKS + 1) * BYTES);
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, roots, 1, 1, 1, &stats, NULL), WEFT_OK); /* the others run, and their outputs go */
    CU_ASSERT(stats.task_count == 2 * TASKS && stats.memory_peak_bytes == 3 * BYTES);
    weft_graph_destroy(graph);
}

/* ---- random graphs of layers and explicit tasks, and what they are by the words of layer.h ---- */

typedef enum rule_kind { BLOCKWISE, STENCIL, BUTTERFLY, ALL_TO_ALL, ONE_TO_ALL, TREE, FIRST_ROW } rule_kind;

static const weft_rule *const rules[] = {&weft_blockwise_rule,  &weft_stencil_rule, &weft_butterfly_rule,  &weft_all_to_all_rule,
                                         &weft_one_to_all_rule, &weft_tree_rule,    &weft_first_row_rule};

typedef struct plain_dependency {
    rule_kind rule;
    size_t source;  /* its own layer: on itself */
    size_t output;
    int64_t number; /* radius, index or fan-in */
} plain_dependency;

typedef struct plain_layer {
    weft_layer handle;
    int dims;
    int64_t extents[WEFT_MAX_DIMS];
    uint64_t tasks;
    plain_dependency dependencies[MAX_DEPENDENCIES];
    size_t dependency_count, output_count, bytes[3];
    double cost;
    weft_owner_map owners;
    int32_t ranks[MAX_LAYER_TASKS];
    bool is_needed;
    size_t first_node;
} plain_layer;

typedef struct plain_task {
    weft_ref first;
    weft_ref inputs[MAX_TAKEN];
    size_t input_count;
    double cost;
    bool is_needed;
    size_t node;
} plain_task;

typedef struct node {
    double cost;
    size_t output_count, bytes[3], worker;
} node;

typedef struct edge {
    size_t from, output, to;
} edge;

typedef struct plain_graph {
    weft_graph *graph;
    plain_layer layers[MAX_LAYERS];
    plain_task explicits[MAX_EXPLICIT];
    size_t layer_count, explicit_count;
    node nodes[MAX_NODES]; /* needed ones; inputs come first */
    edge edges[MAX_EDGES];
    size_t node_count, edge_count;
} plain_graph;

static void random_extents(random_source *r, plain_layer *l)
{
    l->dims = 1 + (int)random_below(r, 3);
    l->tasks = 1;
    for (int d = 0; d < l->dims; d++) {
        l->extents[d] = 1 + (int64_t)random_below(r, MAX_LAYER_TASKS / l->tasks < 7 ? MAX_LAYER_TASKS / l->tasks : 7);
        l->tasks *= (uint64_t)l->extents[d];
    }
}

/* A shape and a dependency that fit an earlier layer. */
static void random_source_layer(random_source *r, const plain_graph *p, plain_layer *l)
{
    size_t number = random_below(r, p->layer_count);
    const plain_layer *source = &p->layers[number];
    static const rule_kind kinds[] = {BLOCKWISE, STENCIL, ALL_TO_ALL, ONE_TO_ALL, TREE, FIRST_ROW};
    plain_dependency d = {.rule = kinds[random_below(r, WEFT_COUNT_OF(kinds))], .source = number};
    d.output = random_below(r, source->output_count);
    if (d.rule == FIRST_ROW && (source->dims > 2 || source->tasks > MAX_LAYER_TASKS / 2)) d.rule = BLOCKWISE;
    if (d.rule == STENCIL) d.number = (int64_t)random_below(r, 3);
    if (d.rule == ONE_TO_ALL) d.number = (int64_t)random_below(r, source->tasks);
    if (d.rule == BLOCKWISE || d.rule == STENCIL) {
        l->dims = source->dims;
        memcpy(l->extents, source->extents, sizeof l->extents);
        l->tasks = source->tasks;
    } else if (d.rule == TREE) {
        d.number = 2 + (int64_t)random_below(r, 3);
        l->dims = 1;
        l->tasks = (source->tasks + (uint64_t)d.number - 1) / (uint64_t)d.number;
        l->extents[0] = (int64_t)l->tasks;
    } else if (d.rule == FIRST_ROW) {
        l->dims = source->dims + 1;
        l->extents[0] = 1 + (int64_t)random_below(r, MAX_LAYER_TASKS / source->tasks);
        memcpy(l->extents + 1, source->extents, (size_t)source->dims * sizeof *l->extents);
        l->tasks = (uint64_t)l->extents[0] * source->tasks;
    }
    l->dependencies[l->dependency_count++] = d;
}

static bool has_number(rule_kind rule)
{
    return rule == STENCIL || rule == ONE_TO_ALL || rule == TREE;
}

static void add_random_layer(random_source *r, plain_graph *p)
{
    plain_layer *l = &p->layers[p->layer_count];
    weft_dependency dependencies[MAX_DEPENDENCIES];
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_error err = WEFT_ERROR_INIT;
    random_extents(r, l);
    l->output_count = 1 + random_below(r, 3);
    if (p->layer_count > 0 && random_below(r, 4)) random_source_layer(r, p, l);
    if (random_below(r, 2)) {
        rule_kind kinds[] = {STENCIL, BUTTERFLY, ALL_TO_ALL};
        plain_dependency d = {kinds[random_below(r, l->dims > 1 ? 3 : 2)], p->layer_count, random_below(r, l->output_count), (int64_t)random_below(r, 3)};
        l->dependencies[l->dependency_count++] = d;
    }
    for (size_t i = 0; i < l->dependency_count; i++) {
        const plain_dependency *d = &l->dependencies[i];
        dependencies[i] = (weft_dependency){.rule = rules[d->rule], .on_itself = d->source == p->layer_count,
                                            .source = p->layers[d->source].handle, .output = d->output, .params = &d->number,
                                            .param_bytes = has_number(d->rule) ? sizeof d->number : 0};
    }
    bool is_announced = random_below(r, 2);
    for (size_t o = 0; o < l->output_count; o++) l->bytes[o] = is_announced ? random_below(r, 1000) : 64;
    l->owners = (weft_owner_map){.kind = (weft_owner_kind)random_below(r, 3), .dim = (int)random_below(r, (size_t)l->dims + 1),
                                 .block = (int64_t)random_below(r, 3), .ranks = l->ranks};
    for (size_t c = 0; c < MAX_LAYER_TASKS; c++) l->ranks[c] = (int32_t)random_below(r, 8);
    l->cost = (double)random_below(r, 5);
    spec.kernel = &random_kernels[random_below(r, RANDOM_KERNELS)];
    spec.dim_count = l->dims;
    memcpy(spec.extents, l->extents, sizeof spec.extents);
    spec.dependencies = dependencies;
    spec.dependency_count = l->dependency_count;
    spec.output_count = l->output_count;
    spec.output_bytes = is_announced ? l->bytes : NULL;
    spec.cost = l->cost;
    spec.owners = l->owners;
    if (weft_graph_add_layer(p->graph, &spec, &l->handle, &err)) CU_FAIL_FATAL(err.text);
    p->layer_count++;
}

static weft_ref random_ref(random_source *r, const plain_graph *p)
{
    if (p->explicit_count > 0 && random_below(r, 2)) return p->explicits[random_below(r, p->explicit_count)].first;
    const plain_layer *l = &p->layers[random_below(r, p->layer_count)];
    return weft_layer_output(l->handle, random_below(r, l->tasks), random_below(r, l->output_count));
}

/* held_ranks > 0: some explicit tasks are kept results on ranks 1 to held_ranks. */
static void build_random(random_source *r, plain_graph *p, size_t held_ranks)
{
    memset(p, 0, sizeof *p);
    p->graph = create_graph();
    for (size_t layers = 1 + random_below(r, MAX_LAYERS); p->layer_count < layers;) add_random_layer(r, p);
    for (size_t tasks = random_below(r, 2) ? random_below(r, MAX_EXPLICIT) : 0; p->explicit_count < tasks; p->explicit_count++) {
        plain_task *t = &p->explicits[p->explicit_count];
        bool is_held = held_ranks > 0 && random_below(r, 4) == 0;
        t->cost = is_held ? 1 : 3;
        if (is_held) {
            t->first = add_held(p->graph, 1 + (int)random_below(r, held_ranks), 500);
            continue;
        }
        for (size_t taken = random_below(r, MAX_TAKEN + 1); t->input_count < taken;) t->inputs[t->input_count++] = random_ref(r, p);
        t->first = add_task(p->graph, t->inputs, t->input_count, 500, t->cost);
    }
}

static plain_task *find_explicit(plain_graph *p, weft_ref ref)
{
    size_t i = 0;
    while (i < p->explicit_count && p->explicits[i].first.value != ref.value) i++;
    return i < p->explicit_count ? &p->explicits[i] : NULL;
}

static void mark(plain_graph *p, weft_ref ref)
{
    plain_task *t = find_explicit(p, ref);
    if (t) {
        t->is_needed = true;
        for (size_t i = 0; i < t->input_count; i++) mark(p, t->inputs[i]);
        return;
    }
    plain_layer *l = &p->layers[wf_ref_layer(ref.value) - 1];
    if (l->is_needed) return;
    l->is_needed = true;
    for (size_t d = 0; d < l->dependency_count; d++) mark(p, weft_layer_output(p->layers[l->dependencies[d].source].handle, 0, 0));
}

static void coordinates(const plain_layer *l, uint64_t i, int64_t *at)
{
    for (int d = l->dims; d-- > 0; i /= (uint64_t)l->extents[d]) at[d] = (int64_t)(i % (uint64_t)l->extents[d]);
}

static bool takes(const plain_layer *l, const plain_dependency *d, bool on_itself, uint64_t i, uint64_t j)
{
    int64_t at[WEFT_MAX_DIMS], from[WEFT_MAX_DIMS], width = (int64_t)l->tasks / l->extents[0], bits = 0;
    int64_t row = (int64_t)i / width, row_before = (int64_t)j / width, x = (int64_t)i % width, x_before = (int64_t)j % width;
    switch (d->rule) {
    case BLOCKWISE:
    case FIRST_ROW: return i == j;
    case STENCIL:
        coordinates(l, i, at);
        coordinates(l, j, from);
        for (int k = 1; k < l->dims; k++) {
            if (llabs(at[k] - from[k]) > d->number) return false;
        }
        return at[0] - from[0] == on_itself;
    case BUTTERFLY:
        while (1 << bits < width) bits++;
        return row == row_before + 1 && (x == x_before || (bits > 0 && (x ^ x_before) == 1 << row_before % bits));
    case ALL_TO_ALL: return !on_itself || row == row_before + 1;
    case ONE_TO_ALL: return (int64_t)j == d->number;
    default: return j / (uint64_t)d->number == i;
    }
}

static size_t owner_of(const plain_layer *l, uint64_t i, size_t workers)
{
    int64_t at[WEFT_MAX_DIMS];
    coordinates(l, i, at);
    int dim = (l->owners.dim ? l->owners.dim : l->dims) - 1;
    size_t extent = (size_t)l->extents[dim], c = (size_t)at[dim], worker = 0;
    if (l->owners.kind == WEFT_OWNER_GIVEN) return (size_t)l->ranks[c] % workers;
    if (l->owners.kind == WEFT_OWNER_CYCLIC) return c / (l->owners.block ? (size_t)l->owners.block : 1) % workers;
    for (size_t end = 0; worker < workers; worker++) {
        end += extent / workers + (worker < extent % workers);
        if (c < end) break;
    }
    return worker;
}

static void add_edge(plain_graph *p, size_t from, size_t output, size_t to)
{
    CU_ASSERT_FATAL(p->edge_count < MAX_EDGES);
    p->edges[p->edge_count++] = (edge){from, output, to};
}

static void list_layer(plain_graph *p, size_t number, size_t workers)
{
    plain_layer *l = &p->layers[number];
    l->first_node = p->node_count;
    for (uint64_t i = 0; i < l->tasks; i++) {
        node *n = &p->nodes[p->node_count++];
        *n = (node){.cost = l->cost > 0 ? l->cost : 1, .output_count = l->output_count, .worker = owner_of(l, i, workers)};
        memcpy(n->bytes, l->bytes, sizeof n->bytes);
    }
    for (size_t k = 0; k < l->dependency_count; k++) {
        const plain_dependency *d = &l->dependencies[k];
        const plain_layer *source = &p->layers[d->source];
        for (uint64_t i = 0; i < l->tasks; i++) {
            for (uint64_t j = 0; j < source->tasks; j++) {
                if (takes(l, d, source == l, i, j)) add_edge(p, source->first_node + j, d->output, l->first_node + i);
            }
        }
    }
}

static void list_nodes(plain_graph *p, const weft_ref *roots, size_t root_count, const wf_plan_options *options)
{
    wf_plan plan = make_plan(p->graph, roots, root_count, options);
    for (size_t i = 0; i < root_count; i++) mark(p, roots[i]);
    for (size_t l = 0; l < p->layer_count; l++) {
        if (p->layers[l].is_needed) list_layer(p, l, options->worker_count);
    }
    for (size_t t = 0; t < p->explicit_count; t++) {
        plain_task *task = &p->explicits[t];
        if (!task->is_needed) continue;
        task->node = p->node_count++;
        p->nodes[task->node] = (node){task->cost, 1, {500, 0, 0}, plan.partition[wf_ref_task(task->first.value)] / plan.per_worker};
        for (size_t i = 0; i < task->input_count; i++) {
            const plain_task *source = find_explicit(p, task->inputs[i]);
            uint64_t ref = task->inputs[i].value;
            size_t from = source ? source->node : p->layers[wf_ref_layer(ref) - 1].first_node + wf_ref_task(ref);
            add_edge(p, from, wf_ref_output(ref), task->node);
        }
    }
    wf_plan_fini(&plan);
}

static void check_critical_path(const plain_graph *p, const weft_graph_stats *stats)
{
    double most = 0, cost[MAX_NODES];
    for (size_t n = 0; n < p->node_count; n++) {
        double before = 0;
        for (size_t e = 0; e < p->edge_count; e++) before = p->edges[e].to == n ? fmax(before, cost[p->edges[e].from]) : before;
        cost[n] = before + p->nodes[n].cost;
        most = fmax(most, cost[n]);
    }
    CU_ASSERT_DOUBLE_EQUAL(stats->critical_cost, most, 1e-9);
}

static void check_stats(const plain_graph *p, const weft_graph_stats *stats, const weft_graph_rank_stats *ranks,
                        const wf_plan_options *options)
{
    weft_graph_rank_stats own[MAX_WORKERS] = {0};
    size_t cut_edges = 0, messages = 0, outputs = 0, wrong = 0;
    uint64_t bytes = 0, cut_bytes = 0;
    double cost = 0, threads = 0, load = 0;
    for (size_t e = 0; e < p->edge_count; e++) cut_edges += p->nodes[p->edges[e].from].worker != p->nodes[p->edges[e].to].worker;
    for (size_t n = 0; n < p->node_count; n++) {
        const node *from = &p->nodes[n];
        own[from->worker].task_count++;
        own[from->worker].cost += from->cost;
        cost += from->cost;
        outputs += from->output_count;
        for (size_t o = 0; o < from->output_count; o++) {
            bool goes_to[MAX_WORKERS] = {0};
            bytes += from->bytes[o];
            for (size_t e = 0; e < p->edge_count; e++) {
                if (p->edges[e].from == n && p->edges[e].output == o) goes_to[p->nodes[p->edges[e].to].worker] = true;
            }
            for (size_t w = 0; w < options->worker_count; w++) {
                if (!goes_to[w] || w == from->worker) continue;
                messages++;
                cut_bytes += from->bytes[o];
                own[from->worker].sent_bytes += from->bytes[o];
                own[w].received_bytes += from->bytes[o];
            }
        }
    }
    for (size_t w = 0; w < options->worker_count; w++) {
        wrong += ranks[w].task_count != own[w].task_count || fabs(ranks[w].cost - own[w].cost) > 1e-9;
        wrong += ranks[w].sent_bytes != own[w].sent_bytes || ranks[w].received_bytes != own[w].received_bytes;
        threads += options->workers[w].threads;
        load = fmax(load, own[w].cost / options->workers[w].threads);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(stats->task_count == p->node_count && stats->edge_count == p->edge_count);
    CU_ASSERT(stats->output_count == outputs && stats->output_bytes == bytes);
    CU_ASSERT(stats->cut_edge_count == cut_edges && stats->message_count == messages && stats->cut_bytes == cut_bytes);
    CU_ASSERT_DOUBLE_EQUAL(stats->total_cost, cost, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(stats->balance, load / (cost / threads), 1e-9);
    CU_ASSERT(stats->finish_cost >= load - 1e-9 && stats->finish_cost >= stats->critical_cost - 1e-9 && stats->finish_cost <= cost + 1e-9);
    check_critical_path(p, stats);
}

static const char *expected_method(const plain_graph *p, const wf_plan_options *options)
{
    bool has_explicit = false;
    for (size_t t = 0; t < p->explicit_count; t++) has_explicit |= p->explicits[t].is_needed;
    return options->worker_count == 1 ? "none" : has_explicit ? "greedy" : "owners";
}

static void statistics_of_random_layers_equal_a_plain_recount(void)
{
    random_source r = random_begin();
    plain_graph *p = calloc(1, sizeof *p);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    for (int round = 0; round < ROUNDS; round++) {
        wf_plan_worker workers[MAX_WORKERS];
        weft_graph_rank_stats ranks[MAX_WORKERS];
        weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
        weft_ref roots[MAX_ROOTS];
        weft_error err = WEFT_ERROR_INIT;
        size_t worker_count = random_workers(&r, workers, MAX_WORKERS), root_count = 1 + random_below(&r, MAX_ROOTS);
        wf_plan_options options = {workers, worker_count, 1 + random_below(&r, 3), WF_CUT_GREEDY};
        build_random(&r, p, worker_count);
        for (size_t i = 0; i < root_count; i++) roots[i] = random_ref(&r, p);
        list_nodes(p, roots, root_count, &options);
        stats.ranks = ranks;
        stats.rank_capacity = MAX_WORKERS;
        if (wf_graph_measure(p->graph, roots, root_count, &options, &stats, &err)) CU_FAIL_FATAL(err.text);
        check_stats(p, &stats, ranks, &options);
        CU_ASSERT_STRING_EQUAL(stats.method, expected_method(p, &options));
        weft_graph_destroy(p->graph);
    }
    free(p);
}

/* Every task has a position of its own, after those of its inputs, whether a root needs it or not. */
static void the_order_of_an_expansion_holds_all_of_it(void)
{
    static const wf_plan_worker worker = {0, 1};
    random_source r = random_begin();
    plain_graph *p = calloc(1, sizeof *p);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    for (int round = 0; round < ROUNDS; round++) {
        build_random(&r, p, 0);
        weft_ref root = random_ref(&r, p), own;
        wf_plan plan = make_plan(p->graph, &root, 1, &(wf_plan_options){&worker, 1, 1, WF_CUT_AUTO}), expanded = {0};
        wf_expansion x = {0};
        size_t wrong = 0, count = 0;
        CU_ASSERT_EQUAL_FATAL(wf_expansion_init(&x, p->graph, &root, 1, NULL), WEFT_OK);
        own = wf_expansion_ref(&x, root);
        CU_ASSERT_EQUAL_FATAL(wf_expansion_plan(&x, &plan, &own, 1, &expanded, NULL), WEFT_OK);
        count = x.graph->task_count;
        unsigned char *is_there = calloc(count, 1);
        CU_ASSERT_FATAL(is_there && expanded.task_count == count && expanded.needed_count == count);
        for (size_t t = 0; t < count; t++) {
            wrong += expanded.order[t] >= count || is_there[expanded.order[t]]++;
            for (uint64_t e = x.graph->tasks[t].input_begin; e < x.graph->tasks[t + 1].input_begin; e++)
                wrong += expanded.order[wf_graph_input_task(x.graph, e)] >= expanded.order[t];
        }
        CU_ASSERT_EQUAL(wrong, 0);
        free(is_there);
        wf_plan_fini(&expanded);
        wf_plan_fini(&plan);
        wf_expansion_fini(&x);
        weft_graph_destroy(p->graph);
    }
    free(p);
}

/* ---- what cannot be ---- */

static void is_refused(const weft_graph *graph, weft_layer layer, weft_status expected, const char *message)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_graph_stats stats = WEFT_GRAPH_STATS_INIT;
    weft_ref root = weft_layer_output(layer, 0, 0);
    stats.task_count = 77;
    CU_ASSERT_EQUAL(weft_graph_get_stats(graph, &root, 1, 2, 1, &stats, &err), expected);
    if (!strstr(err.text, message)) printf("    \"%s\" has no \"%s\"\n", err.text, message);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, message));
    CU_ASSERT_EQUAL(stats.task_count, 77);
}

static void layers_too_large_to_look_at_are_refused_in_no_time(void)
{
    weft_graph *graph = create_graph();
    weft_layer small = add_layer(graph, 1, (int64_t[]){5}, NULL, 8, (weft_owner_map){0});
    weft_layer large = add_layer(graph, 2, (int64_t[]){1000000, 1000000}, NULL, 8, (weft_owner_map){0});
    is_refused(graph, large, WEFT_EINVAL, "layers of 1000000000000 tasks are too large to be looked at task by task");
    is_refused(graph, large, WEFT_EINVAL, "give them smaller extents: the shape stays the same");
    is_refused(graph, (weft_layer){graph->serial, 3}, WEFT_EINVAL, "does not exist");
    CU_ASSERT_EQUAL(stats_of(graph, weft_layer_output(small, 2, 0), 2).task_count, 5); /* that needs no other layer */
    weft_graph_destroy(graph);
}

static void layers_of_too_many_inputs_are_refused(void)
{
    weft_graph *graph = create_graph();
    weft_layer source = add_layer(graph, 1, (int64_t[]){1000000}, NULL, 8, (weft_owner_map){0});
    weft_dependency all = {.rule = &weft_all_to_all_rule, .source = source};
    is_refused(graph, add_layer(graph, 1, (int64_t[]){21}, &all, 8, (weft_owner_map){0}), WEFT_EINVAL, "more than 20000000 inputs");
    weft_graph_destroy(graph);
}

static size_t give_next(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    intervals[0] = (weft_interval){index + 1, index + 2};
    return 1;
}

static size_t give_empty(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    intervals[0] = (weft_interval){index, index};
    return 1;
}

static size_t give_too_many(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call, (void)index, (void)intervals;
    return WEFT_MAX_INTERVALS + 1;
}

WEFT_RULE(next, give_next, NULL);
WEFT_RULE(empty, give_empty, NULL);
WEFT_RULE(too_many, give_too_many, NULL);

static void inputs_that_cannot_be_are_told_with_rule_and_task(void)
{
    weft_graph *graph = create_graph();
    weft_layer five = add_layer(graph, 1, (int64_t[]){5}, NULL, 8, (weft_owner_map){0});
    weft_dependency on_itself = {.rule = &next_rule, .on_itself = true}, beyond = {.rule = &next_rule, .source = five};
    weft_dependency empty = {.rule = &empty_rule, .source = five}, many = {.rule = &too_many_rule, .source = five};
    is_refused(graph, add_layer(graph, 1, (int64_t[]){5}, &on_itself, 8, (weft_owner_map){0}), WEFT_EGRAPH,
               "rule \"next\" gives tasks [1, 2) as inputs of task 0 of layer a; a layer takes from itself only what has a smaller index");
    is_refused(graph, add_layer(graph, 1, (int64_t[]){5}, &beyond, 8, (weft_owner_map){0}), WEFT_EGRAPH,
               "gives tasks [5, 6) as inputs of task 4 of layer a; its source has 5 tasks");
    is_refused(graph, add_layer(graph, 1, (int64_t[]){5}, &empty, 8, (weft_owner_map){0}), WEFT_EGRAPH, "leave out intervals that are empty");
    is_refused(graph, add_layer(graph, 1, (int64_t[]){5}, &many, 8, (weft_owner_map){0}), WEFT_EGRAPH,
               "gives 65 intervals for task 0 of layer a; at most 64");
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_stencil_in_blocks_cuts_what_crosses_their_borders),
        WEFT_TEST(a_stencil_dealt_out_in_turn_cuts_all_but_its_columns),
        WEFT_TEST(given_owners_may_leave_ranks_without_work),
        WEFT_TEST(a_butterfly_crosses_between_blocks_in_its_wide_steps),
        WEFT_TEST(a_tree_sends_one_output_a_rank_and_keeps_one_a_level),
        WEFT_TEST(what_is_asked_for_of_a_layer_stays_in_memory),
        WEFT_TEST(statistics_of_random_layers_equal_a_plain_recount),
        WEFT_TEST(the_order_of_an_expansion_holds_all_of_it),
        WEFT_TEST(layers_too_large_to_look_at_are_refused_in_no_time),
        WEFT_TEST(layers_of_too_many_inputs_are_refused),
        WEFT_TEST(inputs_that_cannot_be_are_told_with_rule_and_task),
    };
    return weft_test_run("graph/expand", cases, WEFT_COUNT_OF(cases));
}
