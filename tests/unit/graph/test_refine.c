#include "graph/refine.h"

#include <stdbool.h>

#include "weft_test.h"

static const wf_plan_worker two[] = {{1, 1}, {2, 1}};

/* A line of six paths, of cost 1 each; the edge in the middle is light. */
enum { PATHS = 6 };
static const uint64_t line_begin[] = {0, 1, 3, 5, 7, 9, 10};
static const uint32_t line_neighbour[] = {1, 0, 2, 1, 3, 2, 4, 3, 5, 4};
static const double line_bytes[] = {10, 10, 10, 10, 1, 1, 10, 10, 10, 10};

typedef struct fixture {
    uint64_t begin[PATHS + 1];
    uint32_t neighbour[2 * PATHS], worker[PATHS], part[PATHS];
    double bytes[2 * PATHS], cost[PATHS];
    wf_path_graph paths;
} fixture;

static void setup(fixture *f, const uint32_t *part)
{
    for (size_t v = 0; v <= PATHS; v++) f->begin[v] = line_begin[v];
    for (size_t e = 0; e < line_begin[PATHS]; e++) {
        f->neighbour[e] = line_neighbour[e];
        f->bytes[e] = line_bytes[e];
    }
    for (size_t v = 0; v < PATHS; v++) {
        f->worker[v] = WF_ANY_WORKER;
        f->part[v] = part[v];
        f->cost[v] = 1;
    }
    f->paths = (wf_path_graph){.vertex_count = PATHS, .cost = f->cost, .worker = f->worker, .edge_begin = f->begin,
                               .neighbour = f->neighbour, .bytes = f->bytes, .total_cost = PATHS};
}

static bool refines_to(fixture *f, const uint32_t *expected)
{
    bool is_equal = wf_refine(&f->paths, &(wf_plan_options){two, 2, 1, WF_CUT_METIS}, f->part, NULL) == WEFT_OK;
    for (size_t v = 0; v < PATHS; v++) is_equal &= f->part[v] == expected[v];
    return is_equal;
}

static void too_much_is_moved_where_it_cuts_least(void)
{
    fixture f;
    setup(&f, (const uint32_t[]){0, 0, 0, 0, 1, 1}); /* 3 should move: it is pulled back by 1, on by 10 */
    CU_ASSERT(refines_to(&f, (const uint32_t[]){0, 0, 0, 1, 1, 1}));
}

static void a_good_cut_stays(void)
{
    fixture f;
    setup(&f, (const uint32_t[]){1, 1, 1, 0, 0, 0});
    CU_ASSERT(refines_to(&f, (const uint32_t[]){1, 1, 1, 0, 0, 0}));
}

static void bytes_are_not_saved_at_the_cost_of_balance(void)
{
    fixture f;
    setup(&f, (const uint32_t[]){0, 0, 1, 1, 1, 0}); /* 2 to 0 would save 9 bytes, but 0 is full */
    CU_ASSERT(refines_to(&f, (const uint32_t[]){0, 0, 1, 1, 1, 0}));
}

static void bound_paths_stay_where_they_are_bound(void)
{
    fixture f;
    setup(&f, (const uint32_t[]){0, 0, 0, 0, 1, 1});
    f.worker[3] = 0;
    wf_refine(&f.paths, &(wf_plan_options){two, 2, 1, WF_CUT_METIS}, f.part, NULL);
    CU_ASSERT_EQUAL(f.part[3], 0);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(too_much_is_moved_where_it_cuts_least),
        WEFT_TEST(a_good_cut_stays),
        WEFT_TEST(bytes_are_not_saved_at_the_cost_of_balance),
        WEFT_TEST(bound_paths_stay_where_they_are_bound),
    };
    return weft_test_run("graph/refine", cases, WEFT_COUNT_OF(cases));
}
