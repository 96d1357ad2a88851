/* Tasks without inputs: every one is given once, however many threads take. */
#include "exec/rule_sources.h"

#include "rule_fixture.h"

enum { WORKERS = 3, PER_WORKER = 4, ROWS = 30, COLUMNS = 11, FREE = 5000, THREADS = 4 };

/* A layer without inputs, a time loop whose first row has none but every third task of which takes one of the first layer, and a layer
 * that nothing needs. */
static size_t third_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    intervals[0] = (weft_interval){index, index + 1};
    return index % 3 == 0;
}

static const weft_rule third = {"third", third_inputs, third_inputs, NULL};

static void init(rule_fixture *f)
{
    weft_graph *graph;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_layer giver = fixture_add(graph, "free", FREE, 0, NULL, 0);
    fixture_add(graph, "unneeded", FREE, 0, NULL, 0);
    weft_dependency d[] = {{.rule = &weft_stencil_rule, .on_itself = true}, {.rule = &third, .source = giver}};
    fixture_init(f, graph, fixture_add(graph, "steps", ROWS, COLUMNS, d, 2), WORKERS, PER_WORKER);
}

static bool is_source(uint32_t layer, uint64_t index)
{
    return layer == 1 || (layer == 3 && index < COLUMNS && index % 3 != 0);
}

typedef struct counts {
    atomic_int given[4][FREE]; /* by layer and index */
} counts;

static void check_counts(const rule_fixture *f, counts *c, uint32_t from, uint32_t to)
{
    for (uint32_t l = 0; l < 3; l++) {
        const wf_rule_layer *layer = &f->layers.layers[l];
        for (uint64_t i = 0; i < layer->spec->task_count; i++) {
            uint32_t partition = wf_owners_partition(&layer->owners, i, NULL);
            bool expected = is_source(l + 1, i) && partition >= from && partition < to;
            CU_ASSERT_EQUAL(c->given[l + 1][i], expected);
        }
    }
}

static void take_all(wf_rule_sources *sources, int sharers, counts *c)
{
    const wf_rule_layer *layer = NULL;
    uint64_t indices[WF_SOURCE_BATCH];
    while (atomic_load(&sources->has_more)) {
        size_t count = wf_rule_sources_take(sources, sharers, &layer, indices);
        for (size_t k = 0; k < count; k++) atomic_fetch_add(&c->given[layer->number][indices[k]], 1);
    }
}

static void every_source_of_the_added_partitions_is_given_once(void)
{
    static counts c;
    for (int sharers = 1; sharers < 5; sharers++) {
        rule_fixture f;
        wf_rule_sources sources;
        init(&f);
        memset(&c, 0, sizeof c);
        wf_rule_sources_init(&sources, &f.layers);
        CU_ASSERT(!atomic_load(&sources.has_more));
        for (uint32_t p = 4; p < 8; p++) CU_ASSERT_EQUAL(wf_rule_sources_add(&sources, p, NULL), WEFT_OK);
        take_all(&sources, sharers, &c);
        check_counts(&f, &c, 4, 8);
        for (uint32_t p = 8; p < 12; p++) CU_ASSERT_EQUAL(wf_rule_sources_add(&sources, p, NULL), WEFT_OK); /* after all was taken */
        take_all(&sources, sharers, &c);
        check_counts(&f, &c, 4, 12);
        wf_rule_sources_fini(&sources);
        fixture_fini(&f);
    }
}

typedef struct taker {
    wf_rule_sources *sources;
    counts *counts;
} taker;

static void *take_on_thread(void *argument)
{
    taker *t = argument;
    take_all(t->sources, THREADS, t->counts);
    return NULL;
}

static void several_threads_share_the_sources(void)
{
    static counts c;
    for (int round = 0; round < 20; round++) {
        rule_fixture f;
        wf_rule_sources sources;
        pthread_t threads[THREADS];
        taker t = {&sources, &c};
        init(&f);
        memset(&c, 0, sizeof c);
        wf_rule_sources_init(&sources, &f.layers);
        for (uint32_t p = 0; p < 6; p++) wf_rule_sources_add(&sources, p, NULL);
        for (int k = 0; k < THREADS; k++) pthread_create(&threads[k], NULL, take_on_thread, &t);
        for (uint32_t p = 6; p < 12; p++) wf_rule_sources_add(&sources, p, NULL);
        for (int k = 0; k < THREADS; k++) pthread_join(threads[k], NULL);
        take_all(&sources, 1, &c); /* what came after the others had looked */
        check_counts(&f, &c, 0, 12);
        wf_rule_sources_fini(&sources);
        fixture_fini(&f);
    }
}

static void nothing_is_given_after_a_stop(void)
{
    rule_fixture f;
    wf_rule_sources sources;
    const wf_rule_layer *layer;
    uint64_t indices[WF_SOURCE_BATCH];
    init(&f);
    wf_rule_sources_init(&sources, &f.layers);
    wf_rule_sources_add(&sources, 0, NULL);
    CU_ASSERT(wf_rule_sources_take(&sources, 1, &layer, indices) > 0);
    wf_rule_sources_stop(&sources);
    CU_ASSERT(!atomic_load(&sources.has_more));
    CU_ASSERT_EQUAL(wf_rule_sources_take(&sources, 1, &layer, indices), 0);
    wf_rule_sources_fini(&sources);
    fixture_fini(&f);
}

static size_t bad_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call, (void)index, (void)intervals;
    return WEFT_MAX_INTERVALS + 1;
}

static void a_task_whose_rule_fails_is_given_too(void)
{
    static const weft_rule bad = {"bad", bad_inputs, bad_inputs, NULL};
    rule_fixture f;
    wf_rule_sources sources;
    weft_graph *graph;
    const wf_rule_layer *layer;
    uint64_t indices[WF_SOURCE_BATCH];
    size_t given = 0;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    weft_layer giver = fixture_add(graph, "free", 5, 0, NULL, 0);
    fixture_init(&f, graph, fixture_add(graph, "bad", 7, 0, &(weft_dependency){.rule = &bad, .source = giver}, 1), 1, 1);
    wf_rule_sources_init(&sources, &f.layers);
    wf_rule_sources_add(&sources, 0, NULL);
    while (atomic_load(&sources.has_more)) given += wf_rule_sources_take(&sources, 1, &layer, indices);
    CU_ASSERT_EQUAL(given, 12);
    wf_rule_sources_fini(&sources);
    fixture_fini(&f);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(every_source_of_the_added_partitions_is_given_once),
        WEFT_TEST(several_threads_share_the_sources),
        WEFT_TEST(nothing_is_given_after_a_stop),
        WEFT_TEST(a_task_whose_rule_fails_is_given_too),
    };
    return weft_test_run("exec/rule_sources", cases, WEFT_COUNT_OF(cases));
}
