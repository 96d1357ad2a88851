#include "taskbench/point.h"

#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

enum { CELLS = 3 };

static bench_graph make_graph(bench_pattern_kind kind, int64_t width, int64_t steps)
{
    bench_graph graph = {.pattern = {.kind = kind, .width = width, .steps = steps, .radix = 3, .period = 3, .fraction = 0.25},
                         .output_bytes = sizeof(bench_cell)};
    return graph;
}

static void expected_counts_are_those_of_the_patterns(void)
{
    static const struct {
        bench_pattern_kind kind;
        int64_t width, steps, tasks, edges;
    } known[] = {
        {BENCH_TRIVIAL, 8, 1000, 8000, 0},
        {BENCH_NO_COMM, 8, 1000, 8000, 7992},
        {BENCH_STENCIL_1D, 8, 1000, 8000, 999 * 22},
        {BENCH_ALL_TO_ALL, 8, 1000, 8000, 999 * 64},
        {BENCH_TREE, 8, 5, 1 + 2 + 4 + 8 + 8, 2 + 4 + 8 + 8},
        {BENCH_DOM, 3, 7, 15, 14 + 8}, /* 5 rows of 3: 10 edges across, 12 down */
        {BENCH_SPREAD, 9, 3, 27, 2 * 27},
        {BENCH_STENCIL_1D, 1, 1, 1, 0},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(known); i++) {
        bench_graph graph = make_graph(known[i].kind, known[i].width, known[i].steps);
        bench_expected expected;
        CU_ASSERT_FATAL(bench_expected_init(&expected, &graph));
        CU_ASSERT_EQUAL(expected.task_count, known[i].tasks);
        CU_ASSERT_EQUAL(expected.edge_count, known[i].edges);
        bench_expected_fini(&expected);
    }
}

/* Runs a whole graph serially by points; returns the sum of digests, and whether the last row is right. */
static bool run_serially(const bench_graph *graph, const bench_expected *expected, uint64_t *sum)
{
    int64_t width = graph->pattern.width;
    char text[BENCH_FAULT_LENGTH];
    bool is_right = true;
    bench_cell *rows = calloc((size_t)(2 * width * CELLS), sizeof *rows);
    if (!rows) abort();
    *sum = 0;
    for (int64_t step = 0; step < graph->pattern.steps; step++) {
        bench_cell *row = rows + (step & 1) * width * CELLS, *before = rows + (~step & 1) * width * CELLS;
        bench_interval columns = bench_pattern_columns(&graph->pattern, step);
        for (int64_t column = columns.begin; column < columns.end; column++) {
            bench_point point;
            bench_point_begin(&point, graph, step, column);
            while (!bench_point_is_complete(&point) && bench_point_take(&point, before + point.next * CELLS)) continue;
            is_right = is_right && bench_point_is_complete(&point);
            bench_point_finish(&point, NULL, row + column * CELLS);
            *sum += point.digest;
            if (step + 1 == graph->pattern.steps)
                is_right = is_right && bench_last_is_right(graph, expected, column, row + column * CELLS, text);
        }
    }
    free(rows);
    return is_right;
}

static void a_right_run_is_found_right_for_every_pattern(void)
{
    for (uint32_t kind = 0; kind < BENCH_PATTERN_COUNT; kind++) {
        bench_graph graph = make_graph((bench_pattern_kind)kind, 11, 20);
        bench_expected expected;
        uint64_t sum;
        graph.output_bytes = CELLS * sizeof(bench_cell);
        CU_ASSERT_FATAL(bench_expected_init(&expected, &graph));
        CU_ASSERT(run_serially(&graph, &expected, &sum));
        CU_ASSERT_EQUAL(sum, expected.digest_sum);
        bench_expected_fini(&expected);
    }
}

static void digests_differ_between_graphs_and_follow_every_input(void)
{
    bench_graph graph = make_graph(BENCH_STENCIL_1D, 5, 4), other = graph;
    bench_expected expected, of_other;
    uint64_t sum;
    other.number = 1;
    CU_ASSERT_FATAL(bench_expected_init(&expected, &graph) && bench_expected_init(&of_other, &other));
    for (int i = 0; i < 5; i++) CU_ASSERT_NOT_EQUAL(expected.last_digests[i], of_other.last_digests[i]);
    CU_ASSERT_FALSE(run_serially(&other, &expected, &sum));
    uint64_t begin = bench_digest_begin(&graph, 1, 1), forth = bench_digest_add(bench_digest_add(begin, 7), 8);
    CU_ASSERT_NOT_EQUAL(forth, bench_digest_add(bench_digest_add(begin, 8), 7));
    CU_ASSERT_NOT_EQUAL(forth, bench_digest_add(begin, 7));
    bench_expected_fini(&expected);
    bench_expected_fini(&of_other);
}

static void refuse(bench_point *point, const bench_cell *cells, const char *says)
{
    char text[BENCH_FAULT_LENGTH];
    bench_point before = *point;
    CU_ASSERT_FALSE(bench_point_take(point, cells));
    CU_ASSERT_EQUAL(point->digest, before.digest);
    CU_ASSERT_EQUAL(point->next, before.next);
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_point_fault(point, cells, text), says));
}

static void wrong_inputs_are_refused_and_told(void)
{
    bench_graph graph = make_graph(BENCH_STENCIL_1D, 8, 100);
    bench_point point;
    char text[BENCH_FAULT_LENGTH];
    graph.output_bytes = CELLS * sizeof(bench_cell);
    bench_point_begin(&point, &graph, 50, 0); /* takes columns 0 and 1 of step 49 */
    refuse(&point, (bench_cell[CELLS]){{48, 0, 1}, {48, 0, 1}, {48, 0, 1}}, "from (48, 0) where that from column 0 is due");
    refuse(&point, (bench_cell[CELLS]){{49, 1, 1}, {49, 1, 1}, {49, 1, 1}}, "from (49, 1)");
    refuse(&point, (bench_cell[CELLS]){{49, 0, 1}, {49, 0, 1}, {49, 0, 2}}, "damaged input from column 0");
    CU_ASSERT(bench_point_take(&point, (bench_cell[CELLS]){{49, 0, 1}, {49, 0, 1}, {49, 0, 1}}));
    CU_ASSERT_FALSE(bench_point_is_complete(&point));
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_point_fault(&point, NULL, text), "task (50, 0) lacks its input from column 1"));
    CU_ASSERT(bench_point_take(&point, (bench_cell[CELLS]){{49, 1, 1}, {49, 1, 1}, {49, 1, 1}}));
    CU_ASSERT(bench_point_is_complete(&point));
    refuse(&point, (bench_cell[CELLS]){{49, 2, 1}, {49, 2, 1}, {49, 2, 1}}, "an input too many, from (49, 2)");
}

static void a_wrong_last_output_is_told(void)
{
    bench_graph graph = make_graph(BENCH_NO_COMM, 2, 3);
    bench_expected expected;
    char text[BENCH_FAULT_LENGTH];
    CU_ASSERT_FATAL(bench_expected_init(&expected, &graph));
    bench_cell cell = {2, 1, expected.last_digests[1]};
    CU_ASSERT(bench_last_is_right(&graph, &expected, 1, &cell, text));
    cell.digest++;
    CU_ASSERT_FALSE(bench_last_is_right(&graph, &expected, 1, &cell, text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "task (2, 1)"));
    cell = (bench_cell){1, 1, expected.last_digests[1]};
    CU_ASSERT_FALSE(bench_last_is_right(&graph, &expected, 1, &cell, text));
    bench_expected_fini(&expected);
}

static void work_adds_up_over_all_tasks(void)
{
    bench_graph graph = make_graph(BENCH_NO_COMM, 10, 10);
    double sum = 0.0;
    graph.kernel = (bench_kernel){.kind = BENCH_COMPUTE_BOUND, .iterations = 3, .imbalance = 1.0, .scratch_bytes = 4096};
    CU_ASSERT_EQUAL(bench_graph_work(&graph, 100).flops, 100 * 3 * 128);
    graph.kernel.kind = BENCH_MEMORY_BOUND;
    CU_ASSERT_EQUAL(bench_graph_work(&graph, 100).bytes, 100 * 3 * 256);
    graph.kernel.kind = BENCH_EMPTY;
    CU_ASSERT_EQUAL(bench_graph_work(&graph, 100).flops, 0);
    graph.kernel.kind = BENCH_LOAD_IMBALANCE;
    graph.kernel.iterations = 1000;
    for (int64_t i = 0; i < 100; i++) sum += 128.0 * (double)bench_kernel_iterations(&graph.kernel, i / 10, i % 10);
    CU_ASSERT_EQUAL(bench_graph_work(&graph, 100).flops, sum);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(expected_counts_are_those_of_the_patterns),
        WEFT_TEST(a_right_run_is_found_right_for_every_pattern),
        WEFT_TEST(digests_differ_between_graphs_and_follow_every_input),
        WEFT_TEST(wrong_inputs_are_refused_and_told),
        WEFT_TEST(a_wrong_last_output_is_told),
        WEFT_TEST(work_adds_up_over_all_tasks),
    };
    return weft_test_run("taskbench/point", cases, WEFT_COUNT_OF(cases));
}
