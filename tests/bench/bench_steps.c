/* What each step of a task's life costs, one after the other on one thread with warm caches: least and median of many rounds, in ns. The sum
 * is less than a task's time under two threads, which also pay for cache lines that travel between cores.
 *
 * Usage: bench.steps [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exec/deque.h"
#include "exec/frontier.h"
#include "exec/rule_layers.h"
#include "exec/task.h"
#include "graph/layers_ship.h"
#include "store/chunk.h"
#include "store/slab.h"
#include <weft/weft.h>

enum { REPEATS = 1000, MOST_ROUNDS = 1001 };

WEFT_KERNEL(step)
{
    int64_t *out = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){2}, err);
    if (!out) return err->status;
    out[0] = out[1] = 1;
    return WEFT_OK;
}

/* A stencil layer, and what its steps need. */
typedef struct bench {
    wf_budget *budget;
    wf_slab *slab;
    wf_slab_cache cache;
    wf_deque deque;
    wf_frontier *frontier;
    wf_rule_layers layers;
    const wf_rule_edge *edge;
    uint64_t sum; /* so that nothing is optimised away */
} bench;

static void must(weft_status status, const weft_error *err)
{
    if (status == WEFT_OK) return;
    fprintf(stderr, "bench.steps: %s\n", err->text);
    exit(1);
}

static void make_layers(bench *b, weft_error *err)
{
    weft_graph *graph;
    weft_layer layer;
    wf_plan plan = {0};
    wf_registry registry;
    wf_layers_shipment shipment;
    const weft_kernel *kernels[] = {&step_kernel};
    weft_dependency previous = {.rule = &weft_stencil_rule, .on_itself = true, .params = &(int64_t){1}, .param_bytes = sizeof(int64_t)};
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    spec.kernel = &step_kernel;
    spec.dim_count = 2, spec.extents[0] = 100000, spec.extents[1] = 8;
    spec.dependencies = &previous, spec.dependency_count = 1;
    must(weft_graph_create(&graph, err), err);
    must(weft_graph_add_layer(graph, &spec, &layer, err), err);
    weft_ref root = weft_layer_output(layer, 0, 0);
    must(wf_layers_shipment_init(&shipment, graph, &plan, &root, 1, 0, err), err);
    must(wf_registry_init(&registry, NULL, err), err);
    free(shipment.partition_tasks);
    must(wf_rule_layers_init(&b->layers, shipment.bytes, shipment.size_bytes, kernels, 1, &registry, 2, 4, err), err);
    b->edge = b->layers.layers[0].consumers;
    wf_registry_fini(&registry);
    weft_graph_destroy(graph);
}

static void open_bench(bench *b)
{
    weft_error err = WEFT_ERROR_INIT;
    *b = (bench){0};
    must(wf_budget_create(0, &b->budget, &err), &err);
    must(wf_slab_create(b->budget, false, &b->slab, &err), &err);
    wf_slab_cache_init(&b->cache, b->slab);
    must(wf_deque_init(&b->deque, &err), &err);
    must(wf_frontier_create(&b->frontier, &err), &err);
    make_layers(b, &err);
}

/* ---- the steps ---- */

static void ask_for_consumers(bench *b, uint64_t i)
{
    weft_interval intervals[WEFT_MAX_INTERVALS];
    size_t count;
    wf_rule_edge_consumers(b->edge, 800 + i, intervals, &count, NULL);
    b->sum += intervals[0].end;
}

static void ask_for_inputs(bench *b, uint64_t i)
{
    weft_interval intervals[WEFT_MAX_INTERVALS];
    size_t count;
    wf_rule_edge_inputs(b->edge, 800 + i, intervals, &count, NULL);
    b->sum += intervals[0].end;
}

static void ask_for_owner(bench *b, uint64_t i)
{
    b->sum += wf_owners_partition(&b->layers.layers[0].owners, 800 + i, NULL);
}

static void take_and_give_record(bench *b, uint64_t i)
{
    (void)i;
    wf_slab_give(b->slab, &b->cache, wf_slab_take(b->slab, &b->cache, 128, NULL), 128);
}

static void wait_in_frontier(bench *b, uint64_t i)
{
    wf_waiting waiting = {NULL, i, 1};
    wf_frontier_shard *shard = wf_frontier_lock(b->frontier, 1, i);
    if (!wf_frontier_find(shard, 1, i)) wf_frontier_add(shard, &waiting, NULL);
    wf_frontier_unlock(shard);
    shard = wf_frontier_lock(b->frontier, 1, i);
    if (wf_frontier_find(shard, 1, i)) wf_frontier_remove(shard, &waiting);
    wf_frontier_unlock(shard);
}

static void push_and_pop(bench *b, uint64_t i)
{
    (void)i;
    wf_deque_push(&b->deque, b);
    b->sum += wf_deque_pop(&b->deque) != NULL;
}

static void make_and_free_chunk(bench *b, uint64_t i)
{
    weft_chunk *chunk;
    (void)i;
    wf_chunk_create_by(&b->cache, b->budget, WEFT_I64, 1, (int64_t[]){2}, &chunk, NULL);
    wf_chunk_release_by(&b->cache, chunk);
}

static void run_kernel(bench *b, uint64_t i)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_task task;
    (void)i;
    task.output_count = 1;
    task.outputs[0] = NULL;
    task.budget = b->budget;
    task.cache = &b->cache;
    task.output_limits = NULL;
    wf_task_run(&task, &step_kernel, &err);
    wf_chunk_release_by(&b->cache, task.outputs[0]);
}

static void read_clock(bench *b, uint64_t i)
{
    (void)i;
    b->sum += (uint64_t)wf_clock_now_ns();
}

typedef struct step {
    const char *name;
    void (*run)(bench *b, uint64_t i);
} step;

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static const step steps[] = {
        {"inverse: consumers of a task", ask_for_consumers},
        {"rule: inputs of a task", ask_for_inputs},
        {"owner of a task", ask_for_owner},
        {"record: take and give", take_and_give_record},
        {"frontier: enter and leave", wait_in_frontier},
        {"deque: push and pop", push_and_pop},
        {"chunk of 16 bytes: make and free", make_and_free_chunk},
        {"kernel: call, output made and freed", run_kernel},
        {"clock", read_clock},
    };
    static double times[MOST_ROUNDS];
    int rounds = argc > 1 ? atoi(argv[1]) : 301;
    bench b;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = MOST_ROUNDS;
    open_bench(&b);
    printf("%-38s %8s %8s\n", "ns", "least", "median");
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        for (int r = 0; r < rounds; r++) {
            int64_t begin = wf_clock_now_ns();
            for (uint64_t i = 0; i < REPEATS; i++) steps[s].run(&b, i);
            times[r] = (double)(wf_clock_now_ns() - begin) / REPEATS;
        }
        qsort(times, (size_t)rounds, sizeof *times, compare_times);
        printf("%-38s %8.1f %8.1f\n", steps[s].name, times[0], times[rounds / 2]);
    }
    return b.sum == 0;
}
