/* The ready-made rules. Pure functions over indices; any thread.
 *
 * Invariant: consumers lists task i for source j exactly when inputs lists j for i. Both are safe with what the checks refuse, since layers
 * may come from elsewhere.
 */
#include <stdio.h>
#include <string.h>

#include <weft/layer.h>

/* Tasks of one index of the first dimension. */
static uint64_t row_tasks(const int64_t *extents)
{
    uint64_t tasks = 1;
    for (int d = 1; d < WEFT_MAX_DIMS; d++) tasks *= (uint64_t)extents[d];
    return tasks;
}

static uint64_t all_tasks(const int64_t *extents)
{
    return (uint64_t)extents[0] * row_tasks(extents);
}

static size_t give(weft_interval *intervals, uint64_t begin, uint64_t end)
{
    intervals[0] = (weft_interval){begin, end};
    return begin < end;
}

static int64_t number_param(const weft_rule_call *call, int64_t otherwise)
{
    int64_t number = otherwise;
    if (call->param_bytes >= sizeof number) memcpy(&number, call->params, sizeof number);
    return number;
}

static int64_t at_least(int64_t least, int64_t number)
{
    return number > least ? number : least;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- blockwise: each other's inverse by being the same ---- */

static size_t same_index(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    (void)call;
    return give(intervals, index, index + 1);
}

/* ---- stencil ---- */

/* The box of the given radius around `index` in all dimensions but the first, in row `row`: an interval for each line along the last one. */
static size_t box(const weft_rule_call *call, uint64_t index, int64_t row, weft_interval *intervals)
{
    int64_t radius = at_least(0, number_param(call, 1)), low[WEFT_MAX_DIMS], high[WEFT_MAX_DIMS], at[WEFT_MAX_DIMS];
    const int64_t *extents = call->extents;
    int last = call->dim_count - 1;
    size_t count = 0;
    if (row < 0 || row >= extents[0]) return 0;
    for (int d = last; d > 0; d--) {
        int64_t x = (int64_t)(index % (uint64_t)extents[d]);
        index /= (uint64_t)extents[d];
        at[d] = low[d] = x > radius ? x - radius : 0;
        high[d] = extents[d] - x > radius ? x + radius : extents[d] - 1;
    }
    if (last == 0) return give(intervals, (uint64_t)row, (uint64_t)row + 1);
    for (;;) { /* over the dimensions between the first and the last, like an odometer */
        uint64_t line = (uint64_t)row;
        for (int d = 1; d < last; d++) line = line * (uint64_t)extents[d] + (uint64_t)at[d];
        line *= (uint64_t)extents[last];
        if (count < WEFT_MAX_INTERVALS) intervals[count] = (weft_interval){line + (uint64_t)low[last], line + (uint64_t)high[last] + 1};
        count++;
        int d = last - 1;
        for (; d > 0 && at[d] == high[d]; d--) at[d] = low[d];
        if (d <= 0) return count;
        at[d]++;
    }
}

static int64_t row_of(const weft_rule_call *call, uint64_t index)
{
    return (int64_t)(index / row_tasks(call->extents));
}

static size_t stencil_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return box(call, index, row_of(call, index) - call->on_itself, intervals);
}

static size_t stencil_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return box(call, index, row_of(call, index) + call->on_itself, intervals);
}

/* ---- butterfly ---- */

static unsigned butterfly_bit(int64_t step, uint64_t width)
{
    unsigned bits = 0;
    while (bits < 63 && (uint64_t)1 << bits < width) bits++;
    return bits ? (unsigned)(step % bits) : 0;
}

static size_t butterfly_row(const weft_rule_call *call, uint64_t x, int64_t row, int64_t step, weft_interval *intervals)
{
    uint64_t width = row_tasks(call->extents), partner = x ^ (uint64_t)1 << butterfly_bit(step, width), begin = (uint64_t)row * width;
    if (row < 0 || row >= call->extents[0]) return 0;
    if (partner >= width) return give(intervals, begin + x, begin + x + 1);
    intervals[0] = (weft_interval){begin + smaller(x, partner), begin + smaller(x, partner) + 1};
    intervals[1] = (weft_interval){begin + (x ^ partner ^ smaller(x, partner)), begin + (x ^ partner ^ smaller(x, partner)) + 1};
    return 2;
}

static size_t butterfly_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    int64_t row = row_of(call, index);
    return row == 0 ? 0 : butterfly_row(call, index % row_tasks(call->extents), row - 1, row - 1, intervals);
}

static size_t butterfly_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    int64_t row = row_of(call, index);
    return butterfly_row(call, index % row_tasks(call->extents), row + 1, row, intervals);
}

/* ---- all to all, one to all ---- */

static size_t give_row(const weft_rule_call *call, int64_t row, weft_interval *intervals)
{
    uint64_t width = row_tasks(call->extents);
    if (row < 0 || row >= call->extents[0]) return 0;
    return give(intervals, (uint64_t)row * width, ((uint64_t)row + 1) * width);
}

static size_t all_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return call->on_itself ? give_row(call, row_of(call, index) - 1, intervals) : give(intervals, 0, all_tasks(call->source_extents));
}

static size_t all_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return call->on_itself ? give_row(call, row_of(call, index) + 1, intervals) : give(intervals, 0, all_tasks(call->extents));
}

static size_t one_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    uint64_t one = (uint64_t)number_param(call, 0);
    (void)index;
    intervals[0] = (weft_interval){one, one + 1};
    return 1;
}

static size_t one_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return index == (uint64_t)number_param(call, 0) ? give(intervals, 0, all_tasks(call->extents)) : 0;
}

/* ---- tree ---- */

static uint64_t fan_in_of(const weft_rule_call *call)
{
    return (uint64_t)at_least(1, number_param(call, 2));
}

static size_t tree_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    uint64_t fan_in = fan_in_of(call), all = all_tasks(call->source_extents), begin = index > all / fan_in ? all : index * fan_in;
    return give(intervals, begin, begin + smaller(fan_in, all - begin));
}

static size_t tree_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    uint64_t consumer = index / fan_in_of(call);
    return consumer < all_tasks(call->extents) ? give(intervals, consumer, consumer + 1) : 0;
}

/* ---- first row ---- */

static size_t first_row_inputs(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return index < row_tasks(call->extents) ? give(intervals, index, index + 1) : 0;
}

static size_t first_row_consumers(const weft_rule_call *call, uint64_t index, weft_interval *intervals)
{
    return index < row_tasks(call->extents) ? give(intervals, index, index + 1) : 0;
}

/* ---- checks ---- */

static weft_status check_no_param(const weft_rule_call *call, weft_error *err)
{
    if (call->param_bytes == 0) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "%zu bytes of parameters, but it has none; leave them out", call->param_bytes);
}

static weft_status check_number_param(const weft_rule_call *call, const char *what, int64_t least, weft_error *err)
{
    if (call->param_bytes != 0 && call->param_bytes != sizeof(int64_t))
        return weft_fail(err, WEFT_EINVAL, "%zu bytes of parameters; its one parameter, the %s, has 8", call->param_bytes, what);
    long long number = number_param(call, least);
    return number >= least ? WEFT_OK : weft_fail(err, WEFT_EINVAL, "%s %lld; at least %lld", what, number, (long long)least);
}

static weft_status check_other_source(const weft_rule_call *call, weft_error *err)
{
    if (!call->on_itself) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "tasks would take themselves or later ones; give it another layer as source, not on_itself");
}

static const char *extents_text(const int64_t *extents, int dim_count, char text[static 96])
{
    int length = 0;
    for (int d = 0; d < dim_count; d++) length += snprintf(text + length, 96 - (size_t)length, "%s%lld", d ? " x " : "", (long long)extents[d]);
    return text;
}

static weft_status check_same_extents(const weft_rule_call *call, weft_error *err)
{
    char own[96], source[96];
    if (memcmp(call->extents, call->source_extents, sizeof call->extents) == 0) return WEFT_OK;
    return weft_fail(err, WEFT_EINVAL, "a layer of %s tasks on a source of %s; their extents must be the same",
                     extents_text(call->extents, call->dim_count, own), extents_text(call->source_extents, call->source_dim_count, source));
}

static weft_status check_blockwise(const weft_rule_call *call, weft_error *err)
{
    weft_status status = check_no_param(call, err);
    if (status == WEFT_OK) status = check_other_source(call, err);
    return status == WEFT_OK ? check_same_extents(call, err) : status;
}

/* A box is as many intervals as it has lines along the last dimension. */
static weft_status check_stencil(const weft_rule_call *call, weft_error *err)
{
    int64_t radius = at_least(0, number_param(call, 1)), lines = 1;
    weft_status status = check_number_param(call, "radius", 0, err);
    if (status == WEFT_OK) status = check_same_extents(call, err);
    for (int d = 1; status == WEFT_OK && d < call->dim_count - 1; d++) {
        int64_t wide = radius < call->extents[d] / 2 ? 2 * radius + 1 : call->extents[d];
        lines = lines > WEFT_MAX_INTERVALS || wide > WEFT_MAX_INTERVALS ? WEFT_MAX_INTERVALS + 1 : lines * wide;
    }
    if (status == WEFT_OK && lines > WEFT_MAX_INTERVALS)
        return weft_fail(err, WEFT_EINVAL, "a radius of %lld in %d dimensions takes more than %d lines of neighbours; use a smaller one",
                         (long long)radius, call->dim_count, WEFT_MAX_INTERVALS);
    return status;
}

static weft_status check_butterfly(const weft_rule_call *call, weft_error *err)
{
    if (!call->on_itself) return weft_fail(err, WEFT_EINVAL, "another layer as source; its steps are rows of one layer, so set on_itself");
    return check_no_param(call, err);
}

static weft_status check_all_to_all(const weft_rule_call *call, weft_error *err)
{
    if (call->on_itself && call->dim_count == 1)
        return weft_fail(err, WEFT_EINVAL, "a layer of one dimension on itself, whose rows are single tasks; use two, rows first");
    return check_no_param(call, err);
}

static weft_status check_one_to_all(const weft_rule_call *call, weft_error *err)
{
    weft_status status = check_number_param(call, "index", 0, err);
    uint64_t one = (uint64_t)number_param(call, 0), tasks = all_tasks(call->source_extents);
    if (status == WEFT_OK) status = check_other_source(call, err);
    if (status == WEFT_OK && one >= tasks)
        return weft_fail(err, WEFT_EINVAL, "an index of %llu in a source of %llu tasks", (unsigned long long)one, (unsigned long long)tasks);
    return status;
}

static weft_status check_tree(const weft_rule_call *call, weft_error *err)
{
    weft_status status = check_number_param(call, "fan-in", 1, err);
    return status == WEFT_OK ? check_other_source(call, err) : status;
}

static weft_status check_first_row(const weft_rule_call *call, weft_error *err)
{
    weft_status status = check_no_param(call, err);
    uint64_t row = row_tasks(call->extents), tasks = all_tasks(call->source_extents);
    if (status == WEFT_OK) status = check_other_source(call, err);
    if (status == WEFT_OK && row != tasks)
        return weft_fail(err, WEFT_EINVAL, "a source of %llu tasks for rows of %llu; there must be as many", (unsigned long long)tasks,
                         (unsigned long long)row);
    return status;
}

WEFT_CHECKED_RULE(weft_blockwise, same_index, same_index, check_blockwise);
WEFT_CHECKED_RULE(weft_stencil, stencil_inputs, stencil_consumers, check_stencil);
WEFT_CHECKED_RULE(weft_butterfly, butterfly_inputs, butterfly_consumers, check_butterfly);
WEFT_CHECKED_RULE(weft_all_to_all, all_inputs, all_consumers, check_all_to_all);
WEFT_CHECKED_RULE(weft_one_to_all, one_inputs, one_consumers, check_one_to_all);
WEFT_CHECKED_RULE(weft_tree, tree_inputs, tree_consumers, check_tree);
WEFT_CHECKED_RULE(weft_first_row, first_row_inputs, first_row_consumers, check_first_row);
