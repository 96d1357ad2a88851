#include "taskbench/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_graph.h"
#include "weft_test.h"

enum { MAX_WIDTH = 40, PATTERNS = 3000 };

/* ---- the patterns said once more, as a predicate over pairs ---- */

static bool is_in_window(const bench_pattern *p, int64_t consumer, int64_t producer)
{
    return producer >= consumer - p->radix / 2 && producer < consumer - p->radix / 2 + p->radix;
}

static bool is_spread(const bench_pattern *p, int64_t step, int64_t consumer, int64_t producer)
{
    for (int64_t i = 0; i < p->radix; i++) {
        if (producer == (consumer + i * p->width / p->radix + (i > 0 ? step % p->period : 0)) % p->width) return true;
    }
    return false;
}

static bool is_fft(const bench_pattern *p, int64_t step, int64_t consumer, int64_t producer)
{
    int64_t stages = 0;
    while ((INT64_C(1) << stages) < p->width) stages++;
    int64_t reach = INT64_C(1) << (stages ? (step - 1) % stages : 0);
    return producer == consumer || llabs(producer - consumer) == reach;
}

/* What random_nearest draws has no other definition; its limits have: see below. */
static bool takes(const bench_pattern *p, int64_t step, int64_t consumer, int64_t producer)
{
    switch ((bench_pattern_kind)p->kind) {
    case BENCH_NO_COMM: return consumer == producer;
    case BENCH_STENCIL_1D: return llabs(consumer - producer) <= 1;
    case BENCH_NEAREST: return is_in_window(p, consumer, producer);
    case BENCH_FFT: return is_fft(p, step, consumer, producer);
    case BENCH_TREE: return producer == consumer / 2;
    case BENCH_SPREAD: return is_spread(p, step, consumer, producer);
    case BENCH_ALL_TO_ALL: return true;
    case BENCH_DOM: return producer == consumer || producer == consumer - 1;
    default: return false;
    }
}

static bool has_task(const bench_pattern *p, int64_t step, int64_t column)
{
    if (step < 0 || step >= p->steps || column < 0 || column >= p->width) return false;
    if (p->kind == BENCH_TREE) return step > 40 || column < INT64_C(1) << step;
    if (p->kind == BENCH_DOM) return step - column >= 0 && step - column < p->steps - p->width + 1;
    return true;
}

static bench_pattern draw_pattern(uint64_t *state, bench_pattern_kind kind)
{
    static const double fractions[] = {0.0, 0.1, 0.25, 0.5, 0.9, 1.0};
    bench_pattern p = {.kind = kind, .seed = (uint32_t)random_next(state)};
    p.width = 1 + (int64_t)random_below(state, MAX_WIDTH);
    p.steps = 1 + (int64_t)random_below(state, 12);
    p.radix = (int64_t)random_below(state, (size_t)p.width + 8);
    p.period = 1 + (int64_t)random_below(state, random_below(state, 2) ? 4 : 60);
    p.fraction = fractions[random_below(state, 6)];
    if (kind == BENCH_DOM) p.steps += p.width - 1;
    return p;
}

/* ---- properties over random patterns ---- */

/* Marks the columns of the intervals; whether those are as the header promises. */
static bool mark(const bench_interval *intervals, size_t count, bench_interval row, bool marks[static MAX_WIDTH])
{
    memset(marks, 0, MAX_WIDTH * sizeof marks[0]);
    if (count > BENCH_MAX_INTERVALS) return false;
    for (size_t i = 0; i < count; i++) {
        if (intervals[i].begin >= intervals[i].end || intervals[i].begin < row.begin || intervals[i].end > row.end) return false;
        if (i > 0 && intervals[i].begin <= intervals[i - 1].end) return false;
        for (int64_t column = intervals[i].begin; column < intervals[i].end; column++) marks[column] = true;
    }
    return true;
}

static bool inputs_are_right(const bench_pattern *p, int64_t step, int64_t column, bool marks[static MAX_WIDTH])
{
    bench_interval intervals[BENCH_MAX_INTERVALS + 1];
    size_t count = bench_pattern_inputs(p, step, column, intervals);
    if (!mark(intervals, count, bench_pattern_columns(p, step - 1), marks)) return false;
    for (int64_t from = 0; from < p->width; from++) {
        bool exists = has_task(p, step - 1, from), drawn = marks[from];
        if (p->kind != BENCH_RANDOM_NEAREST && drawn != (exists && takes(p, step, column, from))) return false;
        if (p->kind != BENCH_RANDOM_NEAREST) continue;
        if (drawn && (!exists || !is_in_window(p, column, from))) return false;
        if (!drawn && exists && is_in_window(p, column, from) && (from == column || p->fraction == 1.0)) return false;
        if (drawn && from != column && p->fraction == 0.0) return false;
    }
    return true;
}

static void check_pattern(const bench_pattern *p, const char **wrong)
{
    bool taken[MAX_WIDTH][MAX_WIDTH], marks[MAX_WIDTH];
    bench_interval intervals[BENCH_MAX_INTERVALS + 1];
    for (int64_t step = 0; step < p->steps && !*wrong; step++) {
        bench_interval columns = bench_pattern_columns(p, step), before = bench_pattern_columns(p, step - 1);
        for (int64_t column = 0; column < p->width; column++) {
            if (has_task(p, step, column) != (column >= columns.begin && column < columns.end)) *wrong = "columns";
        }
        for (int64_t column = columns.begin; column < columns.end; column++) {
            if (!inputs_are_right(p, step, column, taken[column])) *wrong = "inputs";
        }
        for (int64_t column = before.begin; column < before.end; column++) {
            size_t count = bench_pattern_consumers(p, step - 1, column, intervals);
            if (!mark(intervals, count, columns, marks)) *wrong = "consumers' intervals";
            for (int64_t to = columns.begin; to < columns.end; to++) {
                if (marks[to] != taken[to][column]) *wrong = "consumers";
            }
        }
    }
}

static void inputs_are_as_defined_and_consumers_their_inverse(void)
{
    uint64_t seed = random_graph_seed(), state = seed;
    for (int i = 0; i < PATTERNS; i++) {
        bench_pattern p = draw_pattern(&state, (bench_pattern_kind)(i % BENCH_PATTERN_COUNT));
        const char *wrong = bench_pattern_flaw(&p);
        if (!wrong) check_pattern(&p, &wrong);
        CU_ASSERT_PTR_NULL(wrong);
        if (!wrong) continue;
        printf("    seed %llu: %s: %s, width %lld, steps %lld, radix %lld, period %lld, fraction %g\n", (unsigned long long)seed, wrong,
               bench_pattern_names[p.kind], (long long)p.width, (long long)p.steps, (long long)p.radix, (long long)p.period, p.fraction);
        return;
    }
}

static const char *check_rows(const bench_pattern *p)
{
    bench_interval intervals[BENCH_MAX_INTERVALS];
    bool has_edge = false;
    for (int64_t step = 0; step < p->steps; step++) {
        bench_interval columns = bench_pattern_columns(p, step), sinks = bench_pattern_sinks(p, step), other;
        int64_t end = step + 1;
        for (; end < p->steps; end++) {
            other = bench_pattern_columns(p, end);
            if (other.begin != columns.begin || other.end != columns.end) break;
        }
        if (bench_pattern_rows_end(p, step) != end) return "rows_end";
        for (int64_t column = columns.begin; column < columns.end; column++) {
            bool is_sink = step + 1 < p->steps && bench_pattern_consumers(p, step, column, intervals) == 0;
            if (is_sink != (column >= sinks.begin && column < sinks.end)) return "sinks";
            has_edge = has_edge || bench_pattern_inputs(p, step, column, intervals) > 0;
        }
    }
    return has_edge == bench_pattern_has_no_edges(p) ? "has_no_edges" : NULL;
}

static void stretches_and_sinks_are_what_a_search_finds(void)
{
    uint64_t seed = random_graph_seed(), state = seed;
    for (int i = 0; i < PATTERNS; i++) {
        bench_pattern p = draw_pattern(&state, (bench_pattern_kind)(i % BENCH_PATTERN_COUNT));
        const char *wrong = check_rows(&p);
        CU_ASSERT_PTR_NULL(wrong);
        if (!wrong) continue;
        printf("    seed %llu: %s: %s, width %lld, steps %lld, radix %lld\n", (unsigned long long)seed, wrong, bench_pattern_names[p.kind],
               (long long)p.width, (long long)p.steps, (long long)p.radix);
        return;
    }
}

/* ---- single facts ---- */

static void random_nearest_draws_its_fraction_anew_for_each_phase_and_seed(void)
{
    bench_pattern p = {.kind = BENCH_RANDOM_NEAREST, .width = 10000, .steps = 10, .radix = 21, .period = 3, .fraction = 0.25};
    bench_interval first[BENCH_MAX_INTERVALS], second[BENCH_MAX_INTERVALS];
    int64_t taken = 0, differing = 0;
    for (int64_t column = 10; column < p.width - 10; column++) {
        size_t count = bench_pattern_inputs(&p, 1, column, first);
        for (size_t i = 0; i < count; i++) taken += first[i].end - first[i].begin;
        CU_ASSERT_EQUAL(bench_pattern_inputs(&p, 4, column, second), count);
        CU_ASSERT_EQUAL(memcmp(first, second, count * sizeof first[0]), 0);
        size_t other_count = bench_pattern_inputs(&p, 2, column, second);
        differing += other_count != count || memcmp(first, second, count * sizeof first[0]) != 0;
    }
    double fraction = ((double)taken / (double)(p.width - 20) - 1.0) / 20.0;
    CU_ASSERT_DOUBLE_EQUAL(fraction, 0.25, 0.005); /* 200,000 draws: five times their deviation */
    CU_ASSERT(differing > 9 * (p.width - 20) / 10);
    size_t count = bench_pattern_inputs(&p, 1, 500, first);
    p.seed = 1;
    size_t other_count = bench_pattern_inputs(&p, 1, 500, second);
    CU_ASSERT(count != other_count || memcmp(first, second, count * sizeof first[0]) != 0);
}

static void the_largest_extents_do_not_overflow(void)
{
    bench_pattern p = {.width = BENCH_MAX_EXTENT, .steps = BENCH_MAX_EXTENT, .radix = 64, .period = BENCH_MAX_EXTENT, .fraction = 0.5};
    bench_interval intervals[BENCH_MAX_INTERVALS];
    for (uint32_t kind = 0; kind < BENCH_PATTERN_COUNT; kind++) {
        p.kind = kind;
        CU_ASSERT_PTR_NULL_FATAL(bench_pattern_flaw(&p));
        bench_interval columns = bench_pattern_columns(&p, p.steps - 2);
        size_t count = bench_pattern_inputs(&p, p.steps - 1, columns.end - 1, intervals);
        for (size_t i = 0; i < count; i++) CU_ASSERT(intervals[i].begin >= columns.begin && intervals[i].end <= columns.end);
        count = bench_pattern_consumers(&p, p.steps - 2, columns.end - 1, intervals);
        for (size_t i = 0; i < count; i++) CU_ASSERT(intervals[i].begin >= 0 && intervals[i].end <= p.width);
    }
}

static void flaws_are_named(void)
{
    const bench_pattern good = {.kind = BENCH_SPREAD, .width = 8, .steps = 8, .radix = 3, .period = 3, .fraction = 0.5};
    bench_pattern p = good;
    CU_ASSERT_PTR_NULL(bench_pattern_flaw(&p));
    p.kind = BENCH_PATTERN_COUNT;
    CU_ASSERT_PTR_NOT_NULL(bench_pattern_flaw(&p));
    p = good, p.width = 0;
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_pattern_flaw(&p), "--width"));
    p = good, p.steps = INT64_C(1) << 31;
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_pattern_flaw(&p), "--steps"));
    p = good, p.radix = 65;
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_pattern_flaw(&p), "--radix"));
    p = good, p.kind = BENCH_RANDOM_NEAREST, p.radix = 128;
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_pattern_flaw(&p), "--radix"));
    p = good, p.period = 0;
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_pattern_flaw(&p), "--period"));
    p = good, p.fraction = 1.5;
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_pattern_flaw(&p), "--fraction"));
    p = good, p.kind = BENCH_DOM, p.steps = 7;
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_pattern_flaw(&p), "--steps"));
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(inputs_are_as_defined_and_consumers_their_inverse),
        WEFT_TEST(stretches_and_sinks_are_what_a_search_finds),
        WEFT_TEST(random_nearest_draws_its_fraction_anew_for_each_phase_and_seed),
        WEFT_TEST(the_largest_extents_do_not_overflow),
        WEFT_TEST(flaws_are_named),
    };
    return weft_test_run("taskbench/pattern", cases, WEFT_COUNT_OF(cases));
}
