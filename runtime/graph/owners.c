/* Owner maps. Pure functions; any thread.
 *
 * Invariant: a worker's coordinates, in ascending sequence, are cut into per_worker runs as equal as can be, so partitions of one worker
 * partition its share, whatever the kind.
 */
#include "graph/owners.h"

enum { LOOKED_AHEAD = 16 }; /* coordinates of which GIVEN is asked when one is: most callers want few */

wf_owners wf_owners_make(const wf_owner_rule *rule, const int32_t *owner_ranks, uint64_t task_count, uint32_t workers, uint32_t per_worker)
{
    wf_owners made = {*rule, NULL, task_count, workers, per_worker, NULL};
    if (rule->kind == WEFT_OWNER_GIVEN) made.ranks = owner_ranks + rule->ranks_begin;
    return made;
}

static int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Part `part` of [0, count) when it is cut into parts whose sizes differ by one at most, the larger ones first. */
static int64_t part_begin(int64_t count, int64_t parts, int64_t part)
{
    return count / parts * part + min(part, count % parts);
}

static int64_t part_of(int64_t count, int64_t parts, int64_t position)
{
    int64_t size = count / parts, larger = count % parts, in_larger = larger * (size + 1);
    return position < in_larger ? position / (size + 1) : larger + (position - in_larger) / size;
}

static int32_t given_worker(const wf_owners *o, int64_t coordinate)
{
    return (int32_t)(o->ranks[coordinate] % o->workers);
}

/* A coordinate's worker, its place among all coordinates cut the same way (GIVEN, CYCLIC: the whole; BLOCK: the worker's), and the end of
 * the coordinates from it on that have the same worker for the same reason; GIVEN looks no further than `limit`. */
static int64_t worker_of(const wf_owners *o, int64_t c, int64_t limit, int64_t *end)
{
    int64_t extent = o->rule.extent, worker, turn;
    switch (o->rule.kind) {
    case WEFT_OWNER_CYCLIC:
        turn = c / o->rule.block;
        *end = min(extent, (turn + 1) * o->rule.block);
        return turn % o->workers;
    case WEFT_OWNER_GIVEN:
        worker = given_worker(o, c);
        for (*end = c + 1; *end < limit && given_worker(o, *end) == worker;) (*end)++;
        return worker;
    default:
        worker = part_of(extent, o->workers, c);
        *end = part_begin(extent, o->workers, worker + 1);
        return worker;
    }
}

/* The coordinates [begin, end) from which `segment` of a worker's share is taken: BLOCK cuts the worker's block, the others cut all. */
static weft_interval segment_of(const wf_owners *o, int64_t worker, int64_t segment)
{
    int64_t begin = 0, extent = o->rule.extent;
    if (o->rule.kind == WEFT_OWNER_BLOCK) {
        begin = part_begin(o->rule.extent, o->workers, worker);
        extent = part_begin(o->rule.extent, o->workers, worker + 1) - begin;
    }
    return (weft_interval){(uint64_t)(begin + part_begin(extent, o->per_worker, segment)),
                           (uint64_t)(begin + part_begin(extent, o->per_worker, segment + 1))};
}

static int64_t partition_of_coordinate(const wf_owners *o, int64_t c, int64_t *end)
{
    int64_t extent = o->rule.extent, worker = worker_of(o, c, min(extent, c + LOOKED_AHEAD), end), begin = 0;
    if (o->per_worker == 1) return worker;
    if (o->rule.kind == WEFT_OWNER_BLOCK) {
        begin = part_begin(extent, o->workers, worker);
        extent = *end - begin;
    }
    int64_t segment = part_of(extent, o->per_worker, c - begin);
    *end = min(*end, begin + part_begin(extent, o->per_worker, segment + 1));
    return worker * o->per_worker + segment;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

size_t wf_owners_table_length(const wf_owners *owners)
{
    const wf_owner_rule *r = &owners->rule;
    return r->scale == 1 && r->extent <= WF_OWNERS_MOST_ENTRIES ? (size_t)r->extent : 0;
}

void wf_owners_fill_table(const wf_owners *owners, wf_owner_entry *table)
{
    for (int64_t c = 0, end = 0; c < owners->rule.extent; c++) {
        uint32_t partition = c < end ? table[c - 1].partition : (uint32_t)partition_of_coordinate(owners, c, &end);
        table[c] = (wf_owner_entry){partition, (uint32_t)end};
    }
}

/* Where there is a table a task's own coordinate is all that is computed. */
static uint32_t look_up(const wf_owners *owners, uint64_t index, uint64_t *end)
{
    uint64_t stride = (uint64_t)owners->rule.stride, along = stride == 1 ? index : index / stride;
    uint64_t c = along % (uint64_t)owners->rule.extent;
    const wf_owner_entry *entry = &owners->table[c];
    if (end) *end = (along - c + entry->end) * stride;
    return entry->partition;
}

uint32_t wf_owners_partition(const wf_owners *owners, uint64_t index, uint64_t *end)
{
    const wf_owner_rule *r = &owners->rule;
    if (owners->table) return look_up(owners, index, end);
    uint64_t point = index * (uint64_t)r->scale, along = point / (uint64_t)r->stride, row = along / (uint64_t)r->extent;
    int64_t c = (int64_t)(along - row * (uint64_t)r->extent), c_end;
    uint32_t partition = (uint32_t)partition_of_coordinate(owners, c, &c_end);
    if (end) {
        uint64_t point_end = (row * (uint64_t)r->extent + (uint64_t)c_end) * (uint64_t)r->stride;
        *end = divide_up(point_end, (uint64_t)r->scale);
        if (*end > owners->task_count) *end = owners->task_count;
    }
    return partition;
}

/* The first run of coordinates of worker in [from, to). */
static bool next_coordinates(const wf_owners *o, int64_t worker, int64_t from, int64_t to, weft_interval *run)
{
    int64_t end;
    if (o->rule.kind == WEFT_OWNER_CYCLIC && from < to) {
        int64_t turn = from / o->rule.block, ahead = (worker - turn % o->workers + o->workers) % o->workers;
        if (turn + ahead > (to - 1) / o->rule.block) return false;
        if (ahead) from = (turn + ahead) * o->rule.block;
    }
    for (; from < to; from = end) {
        if (worker_of(o, from, to, &end) != worker) continue;
        *run = (weft_interval){(uint64_t)from, (uint64_t)min(end, to)};
        return true;
    }
    return false;
}

bool wf_owners_next(const wf_owners *owners, uint32_t partition, uint64_t from, weft_interval *run)
{
    const wf_owner_rule *r = &owners->rule;
    int64_t worker = partition / owners->per_worker;
    weft_interval segment = segment_of(owners, worker, partition % owners->per_worker), found;
    uint64_t row_points = (uint64_t)r->extent * (uint64_t)r->stride, scale = (uint64_t)r->scale;
    if (segment.begin == segment.end) return false;
    while (from < owners->task_count) {
        uint64_t point = from * scale, row = point / row_points;
        int64_t c = (int64_t)((point - row * row_points) / (uint64_t)r->stride);
        if (c < (int64_t)segment.begin) c = (int64_t)segment.begin;
        if (!next_coordinates(owners, worker, c, (int64_t)segment.end, &found)) {
            from = divide_up((row + 1) * row_points, scale);
            continue;
        }
        uint64_t begin = divide_up(row * row_points + found.begin * (uint64_t)r->stride, scale);
        uint64_t end = divide_up(row * row_points + found.end * (uint64_t)r->stride, scale);
        if (begin < from) begin = from;
        if (end > owners->task_count) end = owners->task_count;
        if (begin < end) {
            *run = (weft_interval){begin, end};
            return true;
        }
        from = end > from ? end : from + 1; /* a scaled run may hold no task */
    }
    return false;
}

/* Coordinates below c that a worker has when blocks go round. */
static int64_t cyclic_below(const wf_owners *o, int64_t worker, int64_t c)
{
    int64_t turn = c / o->rule.block, whole = turn / o->workers * o->rule.block, at = turn % o->workers;
    return whole + (worker < at ? o->rule.block : worker == at ? c % o->rule.block : 0);
}

static int64_t count_coordinates(const wf_owners *o, int64_t worker, weft_interval segment)
{
    int64_t count = 0, from = (int64_t)segment.begin, to = (int64_t)segment.end;
    weft_interval run;
    if (o->rule.kind == WEFT_OWNER_BLOCK) return to - from;
    if (o->rule.kind == WEFT_OWNER_CYCLIC) return cyclic_below(o, worker, to) - cyclic_below(o, worker, from);
    for (; next_coordinates(o, worker, from, to, &run); from = (int64_t)run.end) count += (int64_t)(run.end - run.begin);
    return count;
}

uint64_t wf_owners_count(const wf_owners *owners, uint32_t partition)
{
    const wf_owner_rule *r = &owners->rule;
    int64_t worker = partition / owners->per_worker;
    weft_interval segment = segment_of(owners, worker, partition % owners->per_worker), run;
    uint64_t count = 0;
    if (r->scale == 1)
        return (uint64_t)count_coordinates(owners, worker, segment) * (uint64_t)r->stride *
               (owners->task_count / ((uint64_t)r->extent * (uint64_t)r->stride));
    for (uint64_t from = 0; wf_owners_next(owners, partition, from, &run); from = run.end) count += run.end - run.begin;
    return count;
}
