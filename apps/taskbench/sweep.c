/* The decisions of a METG sweep. Any thread. */
#include "sweep.h"

#include <math.h>

enum { MAX_LADDER = 40 };
static const double top_ratio = 40.0, threshold = 0.5, fine_ratio = 1.2, long_run_s = 2.0;

double bench_sweep_peak(const bench_sweep *sweep)
{
    double peak = 0.0;
    for (size_t i = 0; i < sweep->count; i++) peak = fmax(peak, sweep->points[i].rate);
    return peak;
}

/* The shortest tasks that are efficient; count when there are none. */
static size_t find_efficient(const bench_sweep *sweep)
{
    double peak = bench_sweep_peak(sweep);
    size_t found = sweep->count;
    for (size_t i = sweep->count; i-- > 0;) {
        const bench_sweep_point *point = &sweep->points[i];
        if (point->rate < threshold * peak) continue;
        if (found == sweep->count || point->granularity_s <= sweep->points[found].granularity_s) found = i;
    }
    return found;
}

/* The shortest granularity is what a task costs beside its kernel: tasks many times as long show the best rate. That rate itself would be
 * a worse sign of the end, since noise may hide that it still grows. */
static bool is_at_top(const bench_sweep *sweep)
{
    const bench_sweep_point *last = &sweep->points[sweep->count - 1];
    double least = last->granularity_s;
    for (size_t i = 0; i < sweep->count; i++) least = fmin(least, sweep->points[i].granularity_s);
    return sweep->count >= MAX_LADDER || last->seconds > long_run_s || last->granularity_s >= top_ratio * least;
}

int64_t bench_sweep_next(bench_sweep *sweep)
{
    if (sweep->count == 0) return 1;
    if (!sweep->is_at_top && !is_at_top(sweep)) return 2 * sweep->points[sweep->count - 1].iterations;
    sweep->is_at_top = true;
    size_t found = find_efficient(sweep);
    if (found == 0 || found == sweep->count || sweep->count == BENCH_MAX_POINTS) return 0;
    double below = (double)sweep->points[found - 1].iterations, above = (double)sweep->points[found].iterations;
    int64_t between = llround(sqrt(below * above));
    bool is_fine = above <= fine_ratio * below || between <= (int64_t)below || between >= (int64_t)above;
    return is_fine ? 0 : between;
}

void bench_sweep_add(bench_sweep *sweep, bench_sweep_point point)
{
    size_t at = sweep->count++;
    for (; at > 0 && sweep->points[at - 1].iterations > point.iterations; at--) sweep->points[at] = sweep->points[at - 1];
    sweep->points[at] = point;
}

double bench_sweep_metg(const bench_sweep *sweep, bool *is_bound)
{
    double peak = bench_sweep_peak(sweep);
    size_t found = find_efficient(sweep);
    *is_bound = found == 0;
    if (found == sweep->count) return 0.0;
    const bench_sweep_point *above = &sweep->points[found], *below = found ? above - 1 : above;
    if (below->granularity_s >= above->granularity_s || below->rate >= above->rate) return above->granularity_s;
    double share = (threshold * peak - below->rate) / (above->rate - below->rate);
    return below->granularity_s + share * (above->granularity_s - below->granularity_s);
}
