/* Builds, runs and checks the layers of all graphs of a job. A graph is one layer over (step, column) that depends on itself; where the
 * columns change from step to step (tree, dom), it is a layer for each stretch of steps with the same columns, each depending on itself and
 * on the one before. Rules and kernels run on every rank; all else is the client's thread. */
#include "layers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <weft/layer.h>

#include "point.h"

enum { WITNESS_STEPS = 64 }; /* of one witness: an interval of the rule for each */
_Static_assert((int)WITNESS_STEPS <= (int)WEFT_MAX_INTERVALS && (int)BENCH_MAX_INTERVALS <= (int)WEFT_MAX_INTERVALS,
               "rules have room for their intervals");

/* Steps [first, end) of a graph, all with the same columns: what becomes a layer. */
typedef struct stretch {
    int64_t first_step, end_step;
    int64_t first_column, column_count;
} stretch;

/* Parameters of a layer's kernel. */
typedef struct point_params {
    bench_graph graph;
    stretch tasks;
} point_params;

/* Parameters of the rules: which tasks of the graph the indices on both sides mean. */
typedef struct edge_params {
    bench_pattern pattern;
    stretch tasks, source;
} edge_params;

/* ---- rules ---- */

/* As indices of a stretch's row. */
static size_t make_indices(const stretch *s, int64_t step, const bench_interval *columns, size_t count, weft_interval *intervals)
{
    int64_t base = (step - s->first_step) * s->column_count - s->first_column;
    for (size_t i = 0; i < count; i++)
        intervals[i] = (weft_interval){(uint64_t)(base + columns[i].begin), (uint64_t)(base + columns[i].end)};
    return count;
}

typedef struct place {
    int64_t step, column;
} place;

static place place_of(const stretch *s, uint64_t index)
{
    int64_t row = (int64_t)index / s->column_count;
    return (place){s->first_step + row, s->first_column + (int64_t)index - row * s->column_count};
}

static bool has_step(const stretch *s, int64_t step)
{
    return step >= s->first_step && step < s->end_step;
}

static size_t edge_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    const edge_params *params = call->params;
    place at = place_of(&params->tasks, index);
    bench_interval columns[BENCH_MAX_INTERVALS];
    if (!has_step(&params->source, at.step - 1)) return 0;
    size_t count = bench_pattern_inputs(&params->pattern, at.step, at.column, columns);
    return make_indices(&params->source, at.step - 1, columns, count, intervals);
}

static size_t edge_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    const edge_params *params = call->params;
    place at = place_of(&params->source, index);
    bench_interval columns[BENCH_MAX_INTERVALS];
    if (!has_step(&params->tasks, at.step + 1)) return 0;
    size_t count = bench_pattern_consumers(&params->pattern, at.step, at.column, columns);
    return make_indices(&params->tasks, at.step + 1, columns, count, intervals);
}

WEFT_RULE(taskbench_edges, edge_inputs, edge_consumers);

/* A witness takes the tasks of WITNESS_STEPS steps that nobody else takes. */
static size_t witness_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    const edge_params *params = call->params;
    const stretch *source = &params->source;
    int64_t step = source->first_step + (int64_t)index * WITNESS_STEPS, end = step + WITNESS_STEPS;
    size_t count = 0;
    for (; step < end && step < source->end_step; step++) {
        bench_interval sinks = bench_pattern_sinks(&params->pattern, step);
        if (sinks.begin < sinks.end) count += make_indices(source, step, &sinks, 1, intervals + count);
    }
    return count;
}

static size_t witness_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    const edge_params *params = call->params;
    place at = place_of(&params->source, index);
    uint64_t witness = (uint64_t)((at.step - params->source.first_step) / WITNESS_STEPS);
    bench_interval sinks = bench_pattern_sinks(&params->pattern, at.step);
    if (at.column < sinks.begin || at.column >= sinks.end) return 0;
    intervals[0] = (weft_interval){witness, witness + 1};
    return 1;
}

WEFT_RULE(taskbench_witness, witness_inputs, witness_consumers);

/* ---- kernels ---- */

static weft_status take_inputs(const weft_task *task, bench_point *point, weft_error *err)
{
    char text[BENCH_FAULT_LENGTH];
    size_t count = weft_task_input_count(task), bytes = (size_t)point->graph->output_bytes;
    for (size_t i = 0; i < count; i++) {
        const void *data = weft_task_input_data(task, i);
        if (bytes > sizeof(bench_cell) && weft_chunk_bytes(weft_task_input(task, i)) != bytes)
            return weft_fail(err, WEFT_EDATA, "input %zu has %zu bytes, not %zu", i, weft_chunk_bytes(weft_task_input(task, i)), bytes);
        if (!bench_point_take(point, data)) return weft_fail(err, WEFT_EDATA, "%s", bench_point_fault(point, data, text));
    }
    if (!bench_point_is_complete(point)) return weft_fail(err, WEFT_EDATA, "%s", bench_point_fault(point, NULL, text));
    return WEFT_OK;
}

WEFT_KERNEL(taskbench_point)
{
    const point_params *params = weft_task_params(task, NULL);
    const bench_graph *graph = &params->graph;
    const int64_t extent = (int64_t)graph->output_bytes;
    place at = place_of(&params->tasks, weft_task_index(task));
    void *scratch = NULL;
    bench_point point;
    bench_point_begin(&point, graph, at.step, at.column);
    weft_status status = take_inputs(task, &point, err);
    if (status != WEFT_OK) return status;
    if (graph->kernel.kind == BENCH_MEMORY_BOUND && !(scratch = weft_task_scratch(task, (size_t)graph->kernel.scratch_bytes, err)))
        return err->status;
    void *output = weft_task_create_output(task, 0, WEFT_U8, 1, &extent, err);
    if (!output) return err->status;
    bench_point_finish(&point, scratch, output);
    return WEFT_OK;
}

WEFT_KERNEL(taskbench_witness)
{
    uint64_t *sum = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!sum) return err->status;
    *sum = 0;
    for (size_t i = 0; i < weft_task_input_count(task); i++) *sum += ((const bench_cell *)weft_task_input_data(task, i))->digest;
    return WEFT_OK;
}

/* ---- the graph of a run ---- */

typedef struct run {
    weft_graph *graph;
    weft_ref *roots;                          /* graph by graph: its witnesses, then its last row */
    weft_chunk **chunks;
    size_t root_count, root_room;
    size_t witness_counts[BENCH_MAX_GRAPHS];
} run;

static weft_status add_roots(run *r, weft_layer layer, uint64_t first, uint64_t count, weft_error *err)
{
    if (r->root_count + count > r->root_room) {
        size_t room = 2 * (r->root_count + (size_t)count);
        weft_ref *roots = realloc(r->roots, room * sizeof *roots);
        if (!roots) return weft_fail(err, WEFT_ENOMEM, "no memory for %zu results; use a smaller --width", room);
        r->roots = roots;
        r->root_room = room;
    }
    for (uint64_t i = 0; i < count; i++) r->roots[r->root_count++] = weft_layer_output(layer, first + i, 0);
    return WEFT_OK;
}

static weft_dependency make_dependency(const weft_rule *rule, const edge_params *params)
{
    return (weft_dependency){.rule = rule, .params = params, .param_bytes = sizeof *params};
}

/* The layer of one stretch. previous: that of the stretch before, NULL for the first. */
static weft_status add_layer(run *r, const bench_graph *graph, const stretch *tasks, const stretch *before, const weft_layer *previous,
                             weft_layer *layer, weft_error *err)
{
    const edge_params within = {graph->pattern, *tasks, *tasks}, between = {graph->pattern, *tasks, *before};
    const point_params params = {*graph, *tasks};
    const size_t output_bytes = (size_t)graph->output_bytes;
    weft_dependency dependencies[2];
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    if (tasks->end_step - tasks->first_step > 1 && !bench_pattern_has_no_edges(&graph->pattern)) {
        dependencies[spec.dependency_count] = make_dependency(&taskbench_edges_rule, &within);
        dependencies[spec.dependency_count++].on_itself = true;
    }
    if (previous) {
        dependencies[spec.dependency_count] = make_dependency(&taskbench_edges_rule, &between);
        dependencies[spec.dependency_count++].source = *previous;
    }
    spec.name = bench_pattern_names[graph->pattern.kind];
    spec.kernel = &taskbench_point_kernel;
    spec.dim_count = 2;
    spec.extents[0] = tasks->end_step - tasks->first_step;
    spec.extents[1] = tasks->column_count;
    spec.dependencies = dependencies;
    spec.params = &params;
    spec.param_bytes = sizeof params;
    spec.output_bytes = &output_bytes;
    return weft_graph_add_layer(r->graph, &spec, layer, err);
}

static weft_status add_witnesses(run *r, const bench_graph *graph, const stretch *tasks, weft_layer source, weft_error *err)
{
    const edge_params params = {graph->pattern, *tasks, *tasks};
    weft_dependency dependency = make_dependency(&taskbench_witness_rule, &params);
    int64_t count = (tasks->end_step - tasks->first_step + WITNESS_STEPS - 1) / WITNESS_STEPS;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_layer layer;
    dependency.source = source;
    spec.kernel = &taskbench_witness_kernel;
    spec.dim_count = 1;
    spec.extents[0] = count;
    spec.dependencies = &dependency;
    spec.dependency_count = 1;
    weft_status status = weft_graph_add_layer(r->graph, &spec, &layer, err);
    r->witness_counts[graph->number] += (size_t)count;
    return status == WEFT_OK ? add_roots(r, layer, 0, (uint64_t)count, err) : status;
}

static weft_status add_graph(run *r, const bench_graph *graph, bool is_watched, weft_error *err)
{
    const bench_pattern *pattern = &graph->pattern;
    stretch tasks = {0, 0, 0, 0}, before = tasks;
    weft_layer layer, previous;
    weft_status status = WEFT_OK;
    for (; tasks.end_step < pattern->steps && status == WEFT_OK; before = tasks, previous = layer) {
        int64_t first = tasks.end_step;
        bench_interval columns = bench_pattern_columns(pattern, first);
        tasks = (stretch){first, bench_pattern_rows_end(pattern, first), columns.begin, columns.end - columns.begin};
        status = add_layer(r, graph, &tasks, &before, first > 0 ? &previous : NULL, &layer, err);
        bench_interval sinks = bench_pattern_sinks(pattern, first);
        if (status == WEFT_OK && is_watched && sinks.begin < sinks.end) status = add_witnesses(r, graph, &tasks, layer, err);
    }
    if (status != WEFT_OK) return status;
    uint64_t last_row = (uint64_t)((tasks.end_step - tasks.first_step - 1) * tasks.column_count);
    return add_roots(r, layer, last_row, (uint64_t)tasks.column_count, err);
}

static weft_status build(run *r, const bench_job *job, bool is_watched, weft_error *err)
{
    weft_status status = weft_graph_create(&r->graph, err);
    for (size_t g = 0; g < job->graph_count && status == WEFT_OK; g++) status = add_graph(r, &job->graphs[g], is_watched, err);
    if (status != WEFT_OK) return status;
    r->chunks = calloc(r->root_count, sizeof(weft_chunk *));
    return r->chunks ? WEFT_OK : weft_fail(err, WEFT_ENOMEM, "no memory for %zu results; use a smaller --width", r->root_count);
}

static void fini(run *r)
{
    for (size_t i = 0; i < r->root_count && r->chunks; i++) weft_chunk_release(r->chunks[i]);
    weft_graph_destroy(r->graph);
    free(r->roots);
    free(r->chunks);
}

/* ---- checks after a run ---- */

static weft_status check_graph(const bench_graph *graph, const bench_expected *expected, weft_chunk *const *chunks, size_t witness_count,
                               weft_error *err)
{
    char text[BENCH_FAULT_LENGTH];
    uint64_t sum = 0;
    for (size_t i = 0; i < witness_count; i++) sum += *(const uint64_t *)weft_chunk_data(chunks[i]);
    if (witness_count > 0 && sum != expected->sink_digest_sum)
        return weft_fail(err, WEFT_EDATA, "graph %" PRIu64 ": the tasks that nobody takes from did not all run", graph->number);
    for (int64_t column = expected->last_columns.begin; column < expected->last_columns.end; column++) {
        const weft_chunk *chunk = chunks[witness_count + (size_t)(column - expected->last_columns.begin)];
        if (weft_chunk_bytes(chunk) != graph->output_bytes)
            return weft_fail(err, WEFT_EDATA, "the output of column %" PRId64 " has %zu bytes", column, weft_chunk_bytes(chunk));
        if (!bench_last_is_right(graph, expected, column, weft_chunk_data(chunk), text)) return weft_fail(err, WEFT_EDATA, "%s", text);
    }
    return WEFT_OK;
}

static weft_status check(const run *r, const bench_job *job, uint64_t ended_count, weft_error *err)
{
    uint64_t task_count = (uint64_t)job->task_count;
    weft_chunk *const *chunks = r->chunks;
    for (size_t g = 0; g < job->graph_count; g++) {
        weft_status status = check_graph(&job->graphs[g], &job->expected[g], chunks, r->witness_counts[g], err);
        if (status != WEFT_OK) return status;
        chunks += r->witness_counts[g] + (size_t)(job->expected[g].last_columns.end - job->expected[g].last_columns.begin);
        task_count += r->witness_counts[g];
    }
    if (ended_count != task_count)
        return weft_fail(err, WEFT_EDATA, "%" PRIu64 " tasks ended where the graphs have %" PRIu64, ended_count, task_count);
    return WEFT_OK;
}

weft_status bench_layers_run(void *session, const bench_job *job, bool is_watched, double *seconds, weft_error *err)
{
    run r = {.graph = NULL};
    weft_session_stats before, after;
    weft_status status = weft_session_get_stats(session, &before, err);
    double start = bench_clock_seconds();
    if (status == WEFT_OK) status = build(&r, job, is_watched, err);
    if (status == WEFT_OK) status = weft_compute(session, r.graph, r.roots, r.root_count, r.chunks, err);
    *seconds = bench_clock_seconds() - start;
    if (status == WEFT_OK) status = weft_session_get_stats(session, &after, err);
    if (status == WEFT_OK) status = check(&r, job, after.tasks_ended - before.tasks_ended, err);
    fini(&r);
    return status;
}
