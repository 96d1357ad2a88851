/* The ready-made rules: inputs against formulas over coordinates, the inverse against trying every task. WEFT_SEED repeats a run. */
#include <string.h>

#include <weft/layer.h>

#include "random_graph.h"

enum { MAX_TASKS = 600, ROUNDS = 120 };

typedef struct coordinates {
    int64_t x[WEFT_MAX_DIMS];
} coordinates;

typedef struct list {
    uint64_t tasks[4 * MAX_TASKS];
    size_t count;
} list;

/* Which tasks i takes, in their sequence: what the header says, of coordinates. */
typedef void expect_function(const weft_rule_call *call, uint64_t i, list *expected);

static uint64_t count_tasks(const int64_t *extents)
{
    return (uint64_t)(extents[0] * extents[1] * extents[2] * extents[3]);
}

static coordinates coordinates_of(const int64_t *extents, uint64_t index)
{
    coordinates at;
    for (int d = WEFT_MAX_DIMS; d-- > 0;) {
        at.x[d] = (int64_t)index % extents[d];
        index /= (uint64_t)extents[d];
    }
    return at;
}

static int64_t number(const weft_rule_call *call)
{
    int64_t value;
    memcpy(&value, call->params, sizeof value);
    return value;
}

static void add(list *to, uint64_t task)
{
    to->tasks[to->count++] = task;
}

static void expect_same(const weft_rule_call *call, uint64_t i, list *expected)
{
    (void)call;
    add(expected, i);
}

static void expect_stencil(const weft_rule_call *call, uint64_t i, list *expected)
{
    coordinates own = coordinates_of(call->extents, i);
    for (uint64_t j = 0; j < count_tasks(call->source_extents); j++) {
        coordinates other = coordinates_of(call->source_extents, j);
        bool near = other.x[0] == own.x[0] - (call->on_itself ? 1 : 0);
        for (int d = 1; d < WEFT_MAX_DIMS; d++) near = near && llabs(other.x[d] - own.x[d]) <= number(call);
        if (near) add(expected, j);
    }
}

static void expect_butterfly(const weft_rule_call *call, uint64_t i, list *expected)
{
    uint64_t width = count_tasks(call->extents) / (uint64_t)call->extents[0], t = i / width, x = i % width, steps = 0;
    while (width > (uint64_t)1 << steps) steps++;
    if (t == 0) return;
    uint64_t partner = steps ? x ^ (uint64_t)1 << (t - 1) % steps : x;
    uint64_t first = partner < x ? partner : x, second = partner < x ? x : partner;
    add(expected, (t - 1) * width + first);
    if (second != first && second < width) add(expected, (t - 1) * width + second);
}

static void expect_all(const weft_rule_call *call, uint64_t i, list *expected)
{
    int64_t row = coordinates_of(call->extents, i).x[0] - 1;
    for (uint64_t j = 0; j < count_tasks(call->source_extents); j++) {
        if (!call->on_itself || coordinates_of(call->extents, j).x[0] == row) add(expected, j);
    }
}

static void expect_one(const weft_rule_call *call, uint64_t i, list *expected)
{
    (void)i;
    add(expected, (uint64_t)number(call));
}

static void expect_children(const weft_rule_call *call, uint64_t i, list *expected)
{
    for (uint64_t j = 0; j < count_tasks(call->source_extents); j++) {
        if ((int64_t)j / number(call) == (int64_t)i) add(expected, j);
    }
}

static void expect_first_row(const weft_rule_call *call, uint64_t i, list *expected)
{
    coordinates at = coordinates_of(call->extents, i);
    uint64_t position = 0;
    for (int d = 1; d < WEFT_MAX_DIMS; d++) position = position * (uint64_t)call->extents[d] + (uint64_t)at.x[d];
    if (at.x[0] == 0) add(expected, position);
}

/* ---- comparing ---- */

static void expand(const weft_interval *intervals, size_t count, list *to)
{
    to->count = 0;
    for (size_t k = 0; k < count; k++) {
        CU_ASSERT_FATAL(intervals[k].begin < intervals[k].end && to->count + (intervals[k].end - intervals[k].begin) <= 4 * MAX_TASKS);
        for (uint64_t j = intervals[k].begin; j < intervals[k].end; j++) add(to, j);
    }
}

static bool is_same(const list *a, const list *b)
{
    return a->count == b->count && memcmp(a->tasks, b->tasks, a->count * sizeof *a->tasks) == 0;
}

static bool has(const list *l, uint64_t task)
{
    for (size_t k = 0; k < l->count; k++) {
        if (l->tasks[k] == task) return true;
    }
    return false;
}

/* A layer of which some task takes more intervals than there may be cannot be used; the rule says so by their number. */
static bool fits(const weft_rule *rule, const weft_rule_call *call)
{
    weft_interval intervals[WEFT_MAX_INTERVALS];
    for (uint64_t i = 0; i < count_tasks(call->extents); i++) {
        if (rule->inputs(call, i, intervals) > WEFT_MAX_INTERVALS) return false;
    }
    return true;
}

static void check(const weft_rule *rule, expect_function *expect, const weft_rule_call *call)
{
    static list inputs[MAX_TASKS], expected, got;
    weft_interval intervals[WEFT_MAX_INTERVALS];
    uint64_t tasks = count_tasks(call->extents), sources = count_tasks(call->source_extents);
    if (!fits(rule, call)) return;
    for (uint64_t i = 0; i < tasks; i++) {
        expected.count = 0;
        expect(call, i, &expected);
        expand(intervals, rule->inputs(call, i, intervals), &inputs[i]);
        CU_ASSERT_FATAL(is_same(&inputs[i], &expected));
    }
    for (uint64_t j = 0; j < sources; j++) {
        expected.count = 0;
        for (uint64_t i = 0; i < tasks; i++) {
            if (has(&inputs[i], j)) add(&expected, i);
        }
        size_t count = rule->consumers(call, j, intervals);
        CU_ASSERT_FATAL(count <= WEFT_MAX_INTERVALS);
        expand(intervals, count, &got);
        CU_ASSERT_FATAL(is_same(&got, &expected));
    }
}

static void random_extents(random_source *r, int dims, uint64_t most, int64_t *extents)
{
    for (int d = 0; d < WEFT_MAX_DIMS; d++) extents[d] = 1;
    for (int d = 0; d < dims; d++) {
        uint64_t room = most / count_tasks(extents);
        extents[d] = 1 + (int64_t)random_below(r, room < 12 ? room : 12);
    }
}

static weft_rule_call random_call(random_source *r, bool on_itself)
{
    weft_rule_call call = {.on_itself = on_itself, .dim_count = 1 + (int)random_below(r, WEFT_MAX_DIMS)};
    call.source_dim_count = call.dim_count;
    random_extents(r, call.dim_count, MAX_TASKS, call.extents);
    memcpy(call.source_extents, call.extents, sizeof call.extents);
    return call;
}

static void set_number(weft_rule_call *call, int64_t *value)
{
    call->params = value;
    call->param_bytes = sizeof *value;
}

/* ---- cases ---- */

static void blockwise_takes_the_same_index(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = random_call(&r, false);
        check(&weft_blockwise_rule, expect_same, &call);
    }
}

static void check_stencils(bool on_itself)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = random_call(&r, on_itself);
        int64_t radius = (int64_t)random_below(&r, 4);
        if (random_below(&r, 10) == 0) radius = INT64_MAX;
        set_number(&call, &radius);
        check(&weft_stencil_rule, expect_stencil, &call);
    }
}

static void a_stencil_takes_the_neighbours_of_the_row_before(void)
{
    check_stencils(true);
}

static void a_stencil_on_another_source_takes_the_neighbours_of_the_same_row(void)
{
    check_stencils(false);
}

static void a_stencil_without_a_radius_has_radius_one(void)
{
    weft_rule_call call = {.on_itself = true, .dim_count = 2, .source_dim_count = 2, .extents = {3, 9, 1, 1}, .source_extents = {3, 9, 1, 1}};
    weft_interval intervals[WEFT_MAX_INTERVALS];
    CU_ASSERT_EQUAL_FATAL(weft_stencil_rule.inputs(&call, 9 + 4, intervals), 1);
    CU_ASSERT(intervals[0].begin == 3 && intervals[0].end == 6);
}

static void a_butterfly_takes_its_partner_of_the_step(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = random_call(&r, true);
        if (round % 2) call.extents[1] = call.source_extents[1] = (int64_t)1 << random_below(&r, 4);
        if (count_tasks(call.extents) <= MAX_TASKS) check(&weft_butterfly_rule, expect_butterfly, &call);
    }
}

static void all_to_all_takes_the_row_before_or_a_whole_source(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = random_call(&r, round % 2);
        if (!call.on_itself) {
            call.source_dim_count = 1 + (int)random_below(&r, WEFT_MAX_DIMS);
            random_extents(&r, call.source_dim_count, 100, call.source_extents);
        }
        check(&weft_all_to_all_rule, expect_all, &call);
    }
}

static void one_to_all_takes_the_one(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = random_call(&r, false);
        random_extents(&r, 4, 100, call.source_extents);
        int64_t one = (int64_t)random_below(&r, count_tasks(call.source_extents));
        set_number(&call, &one);
        check(&weft_one_to_all_rule, expect_one, &call);
    }
}

static void a_tree_takes_its_children(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = {.dim_count = 1, .source_dim_count = 4, .extents = {1, 1, 1, 1}};
        random_extents(&r, 4, MAX_TASKS, call.source_extents);
        int64_t fan_in = 1 + (int64_t)random_below(&r, 9), leaves = (int64_t)count_tasks(call.source_extents);
        if (random_below(&r, 10) == 0) fan_in = INT64_MAX;
        call.extents[0] = leaves / fan_in + (leaves % fan_in != 0);
        if (round % 3 == 0) call.extents[0] = 1 + (int64_t)random_below(&r, 30); /* some take nothing, or some are left over */
        set_number(&call, &fan_in);
        check(&weft_tree_rule, expect_children, &call);
    }
}

static void the_first_row_takes_its_position(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = random_call(&r, false);
        for (int d = 0; d < WEFT_MAX_DIMS; d++) call.source_extents[d] = d + 1 < WEFT_MAX_DIMS ? call.extents[d + 1] : 1;
        check(&weft_first_row_rule, expect_first_row, &call);
    }
}

static void parameters_that_make_no_sense_do_no_harm(void)
{
    static const weft_rule *const rules[] = {&weft_stencil_rule, &weft_one_to_all_rule, &weft_tree_rule};
    static const int64_t numbers[] = {0, -1, -2, INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1};
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        weft_rule_call call = random_call(&r, round % 2);
        for (size_t k = 0; k < WEFT_COUNT_OF(rules) * WEFT_COUNT_OF(numbers); k++) {
            const weft_rule *rule = rules[k / WEFT_COUNT_OF(numbers)];
            int64_t value = numbers[k % WEFT_COUNT_OF(numbers)];
            weft_interval intervals[WEFT_MAX_INTERVALS];
            set_number(&call, &value);
            for (uint64_t i = 0; i < count_tasks(call.extents); i++) {
                rule->inputs(&call, i, intervals);
                rule->consumers(&call, i, intervals);
            }
        }
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(blockwise_takes_the_same_index),
        WEFT_TEST(a_stencil_takes_the_neighbours_of_the_row_before),
        WEFT_TEST(a_stencil_on_another_source_takes_the_neighbours_of_the_same_row),
        WEFT_TEST(a_stencil_without_a_radius_has_radius_one),
        WEFT_TEST(a_butterfly_takes_its_partner_of_the_step),
        WEFT_TEST(all_to_all_takes_the_row_before_or_a_whole_source),
        WEFT_TEST(one_to_all_takes_the_one),
        WEFT_TEST(a_tree_takes_its_children),
        WEFT_TEST(the_first_row_takes_its_position),
        WEFT_TEST(parameters_that_make_no_sense_do_no_harm),
    };
    return weft_test_run("graph/rules", cases, WEFT_COUNT_OF(cases));
}
