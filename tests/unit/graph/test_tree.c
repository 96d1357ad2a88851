/* Where the joins of a tree lie. WEFT_TEST_SEED repeats a run. */
#include "graph/owners.h"

#include "graph/graph.h"
#include "random_graph.h"

enum { MAX_WORKERS = 9, MAX_RANKS = 400 };

static const weft_kernel step_kernel = {"step", NULL};

/* Layers 2 and on are the levels. */
static weft_graph *make_tree(int dim_count, const int64_t *extents, weft_owner_map owners, int64_t fan_in)
{
    weft_graph *graph;
    weft_layer leaves;
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    spec.kernel = &step_kernel;
    spec.dim_count = dim_count;
    memcpy(spec.extents, extents, (size_t)dim_count * sizeof *extents);
    spec.owners = owners;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &leaves, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_tree(graph, &spec, leaves, 0, fan_in, NULL, NULL), WEFT_OK);
    return graph;
}

static wf_owners owners_of(const weft_graph *graph, size_t layer, uint32_t workers, uint32_t per_worker)
{
    const wf_layer *l = &graph->layers.all.layers[layer];
    return wf_owners_make(&l->owners, graph->layers.all.owner_ranks, l->task_count, workers, per_worker);
}

/* The most and the fewest tasks of a level that a worker has. */
static void count_level(const weft_graph *graph, size_t layer, uint32_t workers, uint64_t *most, uint64_t *fewest)
{
    wf_owners owners = owners_of(graph, layer, workers, 2);
    *most = 0, *fewest = UINT64_MAX;
    for (uint32_t w = 0; w < workers; w++) {
        uint64_t count = wf_owners_count(&owners, 2 * w) + wf_owners_count(&owners, 2 * w + 1);
        *most = count > *most ? count : *most;
        *fewest = count < *fewest ? count : *fewest;
    }
}

static void joins_over_several_rows_are_shared_evenly(void)
{
    static int32_t ranks[MAX_RANKS];
    random_source r = random_begin();
    for (int round = 0; round < 300; round++) {
        uint32_t workers = 1 + (uint32_t)random_below(&r, MAX_WORKERS);
        int64_t extents[] = {2 + (int64_t)random_below(&r, 40), 2 + (int64_t)random_below(&r, 40), 1 + (int64_t)random_below(&r, 9)};
        int64_t fan_in = random_below(&r, 2) ? extents[1] * extents[2] : 2 + (int64_t)random_below(&r, 60); /* a row: all at coordinate 0 */
        weft_owner_map owners = {.kind = (weft_owner_kind)random_below(&r, 3), .dim = 2, .block = 1 + (int64_t)random_below(&r, 4), .ranks = ranks};
        weft_graph *graph = make_tree(3, extents, owners, fan_in);
        for (size_t l = 1; l < graph->layers.all.layer_count; l++) {
            uint64_t most, fewest;
            count_level(graph, l, workers, &most, &fewest);
            /* Above the first level, a join lies where its first input does, of runs of fan_in the workers may begin one more or less. */
            CU_ASSERT(most - fewest <= 1 + (l > 1));
        }
        weft_graph_destroy(graph);
    }
}

static void joins_over_blocks_in_turn_are_shared_evenly(void)
{
    for (uint32_t workers = 1; workers <= MAX_WORKERS; workers++) {
        for (int64_t block = 1; block <= 64; block *= 2) {
            weft_graph *graph = make_tree(1, &(int64_t){4096}, (weft_owner_map){.kind = WEFT_OWNER_CYCLIC, .block = block}, 2);
            for (size_t l = 1; l < graph->layers.all.layer_count; l++) {
                uint64_t most, fewest, joins = (uint64_t)4096 >> l, in_turn = (uint64_t)block >> l;
                count_level(graph, l, workers, &most, &fewest);
                CU_ASSERT(most - fewest <= (in_turn > 1 ? in_turn : 2) && most <= joins);
            }
            weft_graph_destroy(graph);
        }
    }
}

/* In one row: in blocks, in turns that joins divide, or by ranks that are given. */
static void joins_lie_with_their_first_leaf_where_that_shares_them(void)
{
    static int32_t ranks[MAX_RANKS];
    random_source r = random_begin();
    for (int round = 0; round < 300; round++) {
        uint32_t workers = 1 + (uint32_t)random_below(&r, MAX_WORKERS);
        int64_t extents[] = {1 + (int64_t)random_below(&r, MAX_RANKS), 1 + (int64_t)random_below(&r, 5)}, fan_in = 2 + (int64_t)random_below(&r, 9);
        for (int i = 0; i < MAX_RANKS; i++) ranks[i] = (int32_t)random_below(&r, MAX_WORKERS);
        weft_owner_map owners = {.kind = (weft_owner_kind)random_below(&r, 3), .dim = 1, .ranks = ranks};
        for (owners.block = 1; owners.block < MAX_RANKS && random_below(&r, 4);) owners.block *= fan_in;
        weft_graph *graph = make_tree(2, extents, owners, fan_in);
        wf_owners leaves = owners_of(graph, 0, workers, 3);
        uint64_t scale = 1;
        for (size_t l = 1; l < graph->layers.all.layer_count; l++) {
            if (owners.kind == WEFT_OWNER_CYCLIC && (uint64_t)owners.block < (uint64_t)fan_in * scale) break;
            wf_owners level = owners_of(graph, l, workers, 3);
            scale *= (uint64_t)fan_in;
            for (uint64_t i = 0; i < level.task_count; i++)
                CU_ASSERT_EQUAL(wf_owners_partition(&level, i, NULL) / 3, wf_owners_partition(&leaves, i * scale, NULL) / 3);
        }
        weft_graph_destroy(graph);
    }
}

/* Counting takes a few steps for each partition: a walk over the joins would not end in this test's time. */
static void joins_of_the_largest_layer_are_counted_at_once(void)
{
    static const int64_t extents[] = {(int64_t)1 << 40, 64};
    weft_owner_map maps[] = {{.dim = 2}, {.dim = 1}, {.kind = WEFT_OWNER_CYCLIC}, {.kind = WEFT_OWNER_CYCLIC, .dim = 1}};
    for (size_t m = 0; m < WEFT_COUNT_OF(maps); m++) {
        weft_graph *graph = make_tree(2, extents, maps[m], 64);
        for (size_t l = 1; l < graph->layers.all.layer_count; l++) {
            uint64_t sum = 0;
            wf_owners owners = owners_of(graph, l, 100, 10);
            for (uint32_t p = 0; p < 1000; p++) sum += wf_owners_count(&owners, p);
            CU_ASSERT_EQUAL(sum, owners.task_count);
        }
        weft_graph_destroy(graph);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(joins_over_several_rows_are_shared_evenly),
        WEFT_TEST(joins_over_blocks_in_turn_are_shared_evenly),
        WEFT_TEST(joins_lie_with_their_first_leaf_where_that_shares_them),
        WEFT_TEST(joins_of_the_largest_layer_are_counted_at_once),
    };
    return weft_test_run("graph/tree", cases, WEFT_COUNT_OF(cases));
}
