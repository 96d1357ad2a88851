/* The patterns. Invariant: inputs and consumers are each other's inverse; each pair of cases below says the same in both directions.
 * Owns nothing; any thread. Divisions are few, since these functions are called several times for every task. */
#include "pattern.h"

const char *const bench_pattern_names[BENCH_PATTERN_COUNT] = {
    "trivial", "no_comm", "stencil_1d", "nearest", "fft", "tree", "random_nearest", "spread", "all_to_all", "dom",
};

const char *bench_pattern_flaw(const bench_pattern *p)
{
    if (p->kind >= BENCH_PATTERN_COUNT) return "--pattern must be one of those that --help lists";
    if (p->width < 1 || p->width > BENCH_MAX_EXTENT) return "--width must be 1 to 2^30";
    if (p->steps < 1 || p->steps > BENCH_MAX_EXTENT) return "--steps must be 1 to 2^30";
    if (p->radix < 0 || p->radix > BENCH_MAX_EXTENT) return "--radix must be 0 to 2^30";
    if (p->period < 1 || p->period > BENCH_MAX_EXTENT) return "--period must be 1 to 2^30";
    if (!(p->fraction >= 0.0 && p->fraction <= 1.0)) return "--fraction must be 0 to 1";
    /* Every other column of the window may be left out. */
    if (p->kind == BENCH_RANDOM_NEAREST && p->radix >= 2 * BENCH_MAX_INTERVALS)
        return "--radix must be below 128 with --pattern random_nearest";
    if (p->kind == BENCH_SPREAD && p->radix > BENCH_MAX_INTERVALS) return "--radix must be at most 64 with --pattern spread";
    if (p->kind == BENCH_DOM && p->steps < p->width) return "--steps must be at least --width with --pattern dom";
    return NULL;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bench_interval bench_pattern_columns(const bench_pattern *p, int64_t step)
{
    if (step < 0 || step >= p->steps) return (bench_interval){0, 0};
    if (p->kind == BENCH_TREE) return (bench_interval){0, step < 31 ? least(p->width, INT64_C(1) << step) : p->width};
    if (p->kind == BENCH_DOM) return (bench_interval){most(0, step + p->width - p->steps), least(p->width, step + 1)};
    return (bench_interval){0, p->width};
}

int64_t bench_pattern_rows_end(const bench_pattern *p, int64_t step)
{
    bench_interval columns = bench_pattern_columns(p, step);
    if (p->kind == BENCH_TREE && columns.end < p->width) return step + 1;
    if (p->kind == BENCH_DOM && columns.end - columns.begin < p->width) return step + 1;
    return p->kind == BENCH_DOM ? p->steps - p->width + 1 : p->steps;
}

bool bench_pattern_has_no_edges(const bench_pattern *p)
{
    bool counts_radix = p->kind == BENCH_NEAREST || p->kind == BENCH_RANDOM_NEAREST || p->kind == BENCH_SPREAD;
    return p->kind == BENCH_TRIVIAL || p->steps == 1 || (counts_radix && p->radix == 0);
}

bench_interval bench_pattern_sinks(const bench_pattern *p, int64_t step)
{
    bench_interval sinks = bench_pattern_columns(p, step), next = bench_pattern_columns(p, step + 1);
    bool has_none = next.begin == next.end || (p->kind != BENCH_TREE && !bench_pattern_has_no_edges(p));
    if (has_none) return (bench_interval){0, 0};
    if (p->kind == BENCH_TREE) sinks.begin = least(sinks.end, (next.end + 1) / 2);
    return sinks;
}

/* ---- lists of intervals ---- */

typedef struct list {
    bench_interval *intervals;
    size_t count;
    bench_interval row; /* all that exists */
} list;

/* Behind all that was added before. */
static void add(list *l, int64_t begin, int64_t end)
{
    begin = most(begin, l->row.begin);
    end = least(end, l->row.end);
    if (begin >= end) return;
    if (l->count > 0 && l->intervals[l->count - 1].end == begin)
        l->intervals[l->count - 1].end = end;
    else
        l->intervals[l->count++] = (bench_interval){begin, end};
}

/* ---- the patterns that are more than a line ---- */

/* Which way it reaches is the same in both directions. `step` is the consumer's. */
static void add_fft(const bench_pattern *p, list *l, int64_t step, int64_t column)
{
    int stages = p->width > 2 ? 64 - __builtin_clzll((unsigned long long)(p->width - 1)) : 1;
    int64_t reach = INT64_C(1) << (uint32_t)(step - 1) % (uint32_t)stages;
    add(l, column - reach, column - reach + 1);
    add(l, column, column + 1);
    add(l, column + reach, column + reach + 1);
}

static uint32_t phase(const bench_pattern *p, int64_t step)
{
    return (uint32_t)step % (uint32_t)p->period;
}

/* Counter-based: nothing but the arguments decides. The constants are those of splitmix64's finaliser and of a Weyl sequence. */
static bool is_drawn(const bench_pattern *p, uint64_t phase_key, int64_t consumer, int64_t producer)
{
    uint64_t x = phase_key + ((uint64_t)consumer << 32 | (uint64_t)producer) * 0x9E3779B97F4A7C15u;
    if (consumer == producer) return true;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (double)(x >> 11) * 0x1p-53 < p->fraction;
}

static void add_drawn(const bench_pattern *p, list *l, int64_t step, int64_t column, bench_interval window, bool is_consumer)
{
    uint64_t key = ((uint64_t)p->seed << 32 | phase(p, step)) * 0xD6E8FEB86659FD93u;
    int64_t end = least(window.end, l->row.end);
    for (int64_t other = most(window.begin, l->row.begin); other < end; other++) {
        if (is_consumer ? is_drawn(p, key, column, other) : is_drawn(p, key, other, column)) add(l, other, other + 1);
    }
}

/* Whatever shift and period are, a column counts once; so the list is sorted and repetitions fall out. */
static void add_spread(const bench_pattern *p, list *l, int64_t step, int64_t column, bool is_consumer)
{
    int64_t columns[BENCH_MAX_INTERVALS], shift = phase(p, step);
    int64_t whole = p->radix ? (uint32_t)p->width / (uint32_t)p->radix : 0, part = p->radix ? (uint32_t)p->width % (uint32_t)p->radix : 0;
    int64_t distance = 0, carry = 0;
    if (shift >= p->width) shift %= p->width;
    for (int64_t i = 0; i < p->radix; i++) {
        int64_t offset = distance + (i > 0 ? shift : 0);
        offset -= offset >= p->width ? p->width : 0;
        int64_t other = is_consumer ? column + offset : column - offset, at = i;
        other += other < 0 ? p->width : other >= p->width ? -p->width : 0;
        for (; at > 0 && columns[at - 1] > other; at--) columns[at] = columns[at - 1];
        columns[at] = other;
        distance += whole, carry += part; /* distance = i * width / radix */
        if (carry >= p->radix) distance++, carry -= p->radix;
    }
    for (int64_t i = 0; i < p->radix; i++) {
        if (i == 0 || columns[i] != columns[i - 1]) add(l, columns[i], columns[i] + 1);
    }
}

/* ---- both directions ---- */

size_t bench_pattern_inputs(const bench_pattern *p, int64_t step, int64_t column, bench_interval *intervals)
{
    list l = {intervals, 0, bench_pattern_columns(p, step - 1)};
    int64_t left = column - p->radix / 2;
    if (l.row.begin == l.row.end) return 0;
    switch ((bench_pattern_kind)p->kind) {
    case BENCH_NO_COMM: add(&l, column, column + 1); break;
    case BENCH_STENCIL_1D: add(&l, column - 1, column + 2); break;
    case BENCH_NEAREST: add(&l, left, left + p->radix); break;
    case BENCH_FFT: add_fft(p, &l, step, column); break;
    case BENCH_TREE: add(&l, column / 2, column / 2 + 1); break;
    case BENCH_RANDOM_NEAREST: add_drawn(p, &l, step, column, (bench_interval){left, left + p->radix}, true); break;
    case BENCH_SPREAD: add_spread(p, &l, step, column, true); break;
    case BENCH_ALL_TO_ALL: add(&l, 0, p->width); break;
    case BENCH_DOM: add(&l, column - 1, column + 1); break;
    case BENCH_TRIVIAL:
    case BENCH_PATTERN_COUNT: break;
    }
    return l.count;
}

size_t bench_pattern_consumers(const bench_pattern *p, int64_t step, int64_t column, bench_interval *intervals)
{
    list l = {intervals, 0, bench_pattern_columns(p, step + 1)};
    int64_t right = column + p->radix / 2 + 1;
    if (l.row.begin == l.row.end) return 0;
    switch ((bench_pattern_kind)p->kind) {
    case BENCH_NO_COMM: add(&l, column, column + 1); break;
    case BENCH_STENCIL_1D: add(&l, column - 1, column + 2); break;
    case BENCH_NEAREST: add(&l, right - p->radix, right); break;
    case BENCH_FFT: add_fft(p, &l, step + 1, column); break;
    case BENCH_TREE: add(&l, 2 * column, 2 * column + 2); break;
    case BENCH_RANDOM_NEAREST: add_drawn(p, &l, step + 1, column, (bench_interval){right - p->radix, right}, false); break;
    case BENCH_SPREAD: add_spread(p, &l, step + 1, column, false); break;
    case BENCH_ALL_TO_ALL: add(&l, 0, p->width); break;
    case BENCH_DOM: add(&l, column, column + 2); break;
    case BENCH_TRIVIAL:
    case BENCH_PATTERN_COUNT: break;
    }
    return l.count;
}
