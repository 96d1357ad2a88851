#include "graph/spread.h"

#include <string.h>

#include "cut_graphs.h"
#include "weft_test.h"

enum { WIDTH = 12, STEPS = 40 };

static const wf_plan_worker two[] = {{1, 1}, {2, 1}}, uneven[] = {{1, 1}, {2, 2}};

/* worker[t] of a stencil, all of whose tasks are needed. */
static bool spread(const weft_graph *graph, const wf_plan_worker *workers, uint32_t *worker)
{
    bool has_moved = false;
    unsigned char *needed = malloc(graph->task_count);
    CU_ASSERT_PTR_NOT_NULL_FATAL(needed);
    memset(needed, 1, graph->task_count);
    CU_ASSERT_EQUAL(wf_spread(graph, needed, &(wf_plan_options){workers, 2, 1, WF_CUT_GREEDY}, worker, &has_moved, NULL), WEFT_OK);
    free(needed);
    return has_moved;
}

static void an_even_cut_by_place_is_left_as_it_is(void)
{
    weft_graph *graph = create_graph();
    weft_ref row[WIDTH];
    uint32_t worker[WIDTH * STEPS];
    size_t wrong = 0;
    add_stencil(graph, WIDTH, STEPS, 100, row);
    for (size_t t = 0; t < WIDTH * STEPS; t++) worker[t] = t % WIDTH >= WIDTH / 2;
    CU_ASSERT_FALSE(spread(graph, two, worker));
    for (size_t t = 0; t < WIDTH * STEPS; t++) wrong += worker[t] != (t % WIDTH >= WIDTH / 2);
    CU_ASSERT_EQUAL(wrong, 0);
    weft_graph_destroy(graph);
}

static void early_and_late_halves_become_places(void)
{
    for (size_t threads = 1; threads <= 2; threads++) { /* of the second worker */
        weft_graph *graph = create_graph();
        weft_ref row[WIDTH];
        uint32_t worker[WIDTH * STEPS];
        size_t changes = 0, wrong = 0;
        add_stencil(graph, WIDTH, STEPS, 100, row);
        for (size_t t = 0; t < WIDTH * STEPS; t++) worker[t] = t / WIDTH >= STEPS / 2;
        CU_ASSERT(spread(graph, threads == 1 ? two : uneven, worker));
        for (size_t step = 0; step < STEPS; step++) {
            size_t second = 0;
            for (size_t x = 0; x < WIDTH; x++) second += worker[step * WIDTH + x];
            wrong += second != WIDTH * threads / (1 + threads);
            for (size_t x = 0; step > 0 && x < WIDTH; x++) changes += worker[step * WIDTH + x] != worker[(step - 1) * WIDTH + x];
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT(changes <= WIDTH);
        weft_graph_destroy(graph);
    }
}

static void kept_results_stay_and_a_serial_chain_too(void)
{
    enum { LENGTH = 30 };
    weft_graph *graph = create_graph();
    uint32_t worker[LENGTH] = {0};
    weft_ref last = add_held(graph, 1, 100);
    for (size_t i = 1; i < 10; i++) add_held(graph, 1, 100);
    for (size_t i = 10; i < LENGTH; i++) last = add_task(graph, &last, 1, 100, 1);
    CU_ASSERT_FALSE(spread(graph, two, worker));
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(an_even_cut_by_place_is_left_as_it_is),
        WEFT_TEST(early_and_late_halves_become_places),
        WEFT_TEST(kept_results_stay_and_a_serial_chain_too),
    };
    return weft_test_run("graph/spread", cases, WEFT_COUNT_OF(cases));
}
