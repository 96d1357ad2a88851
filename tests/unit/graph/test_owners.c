/* Owner maps against maps that are written down index by index. WEFT_SEED repeats a run. */
#include "graph/owners.h"

#include <string.h>

#include "graph/layers.h"
#include "random_graph.h"

__extension__ typedef unsigned __int128 wide;

enum { MAX_COORDINATES = 64, MAX_TASKS = 4096 };

/* An owner map over a space whose points are numbered row by row, and what it should say of each task. */
typedef struct small_map {
    wf_owners owners;
    int32_t ranks[MAX_COORDINATES];
    uint64_t point_count;
    uint32_t expected[MAX_TASKS];
    uint32_t partition_count;
} small_map;

/* part[i] of [0, count): cut into `parts`, the first ones one larger where it does not go even. */
static void label_parts(int64_t count, int64_t parts, int64_t *part)
{
    int64_t at = 0;
    for (int64_t p = 0; p < parts; p++) {
        int64_t size = count / parts + (p < count % parts ? 1 : 0);
        for (int64_t i = 0; i < size; i++) part[at++] = p;
    }
    CU_ASSERT_EQUAL_FATAL(at, count);
}

static void label_coordinates(const small_map *m, uint32_t *partition)
{
    const wf_owner_rule *r = &m->owners.rule;
    int64_t worker[MAX_COORDINATES], segment[MAX_COORDINATES], own[MAX_COORDINATES];
    label_parts(r->extent, m->owners.per_worker, segment);
    if (r->kind == WEFT_OWNER_BLOCK) label_parts(r->extent, m->owners.workers, worker);
    for (int64_t c = 0; c < r->extent; c++) {
        if (r->kind == WEFT_OWNER_CYCLIC) worker[c] = c / r->block % m->owners.workers;
        if (r->kind == WEFT_OWNER_GIVEN) worker[c] = m->ranks[c] % m->owners.workers;
    }
    for (int64_t begin = 0, end; r->kind == WEFT_OWNER_BLOCK && begin < r->extent; begin = end) { /* each worker's own block is cut */
        for (end = begin; end < r->extent && worker[end] == worker[begin];) end++;
        label_parts(end - begin, m->owners.per_worker, own);
        memcpy(segment + begin, own, (size_t)(end - begin) * sizeof *own);
    }
    for (int64_t c = 0; c < r->extent; c++) partition[c] = (uint32_t)(worker[c] * m->owners.per_worker + segment[c]);
}

static void make_map(random_source *r, small_map *m, bool scaled)
{
    uint32_t by_coordinate[MAX_COORDINATES];
    int64_t rows = 1 + (int64_t)random_below(r, 6), extent = 1 + (int64_t)random_below(r, 40), stride = 1 + (int64_t)random_below(r, 4);
    int64_t scale = scaled ? 2 + (int64_t)random_below(r, random_below(r, 2) ? 4 : 200) : 1;
    uint32_t workers = 1 + (uint32_t)random_below(r, 9), per_worker = 1 + (uint32_t)random_below(r, 7);
    wf_owner_rule rule = {.kind = (uint32_t)random_below(r, 3), .scale = scale, .stride = stride, .extent = extent,
                          .block = 1 + (int64_t)random_below(r, 6), .ranks_begin = 0};
    for (int64_t c = 0; c < extent; c++) m->ranks[c] = (int32_t)random_below(r, random_below(r, 2) ? 3 : 1000);
    m->point_count = (uint64_t)(rows * extent * stride);
    uint64_t tasks = (m->point_count + (uint64_t)scale - 1) / (uint64_t)scale;
    m->owners = wf_owners_make(&rule, m->ranks, tasks, workers, per_worker);
    m->partition_count = workers * per_worker;
    label_coordinates(m, by_coordinate);
    uint64_t point = 0;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t c = 0; c < extent; c++) {
            for (int64_t s = 0; s < stride; s++, point++) {
                if (point % (uint64_t)scale == 0) m->expected[point / (uint64_t)scale] = by_coordinate[c];
            }
        }
    }
}

static void check_runs(const small_map *m, random_source *r)
{
    uint64_t tasks = m->owners.task_count, seen = 0;
    for (uint32_t p = 0; p < m->partition_count; p++) {
        weft_interval run = {0};
        uint64_t count = 0;
        while (wf_owners_next(&m->owners, p, run.end, &run)) {
            CU_ASSERT_FATAL(run.begin < run.end && run.end <= tasks);
            for (uint64_t i = run.begin; i < run.end; i++) CU_ASSERT_EQUAL(m->expected[i], p);
            count += run.end - run.begin;
        }
        CU_ASSERT_EQUAL(wf_owners_count(&m->owners, p), count);
        seen += count;
        uint64_t from = random_below(r, tasks + 1), first = from;
        while (first < tasks && m->expected[first] != p) first++;
        bool found = wf_owners_next(&m->owners, p, from, &run);
        CU_ASSERT_EQUAL(found, first < tasks);
        if (found) CU_ASSERT_EQUAL(run.begin, first);
    }
    CU_ASSERT_EQUAL(seen, tasks);
}

static void check_partitions(const small_map *m)
{
    uint64_t tasks = m->owners.task_count;
    for (uint64_t i = 0, end = 0; i < tasks; i++) {
        CU_ASSERT_EQUAL_FATAL(wf_owners_partition(&m->owners, i, &end), m->expected[i]);
        CU_ASSERT_EQUAL(wf_owners_partition(&m->owners, i, NULL), m->expected[i]);
        CU_ASSERT_FATAL(end > i && end <= tasks);
        for (uint64_t k = i; k < end; k++) CU_ASSERT_EQUAL(m->expected[k], m->expected[i]);
    }
}

static void check_map(const small_map *m, random_source *r)
{
    wf_owner_entry table[MAX_COORDINATES];
    small_map with_table = *m;
    check_partitions(m);
    check_runs(m, r);
    size_t length = wf_owners_table_length(&m->owners);
    CU_ASSERT_EQUAL(length, m->owners.rule.scale == 1 ? (size_t)m->owners.rule.extent : 0);
    if (length == 0) return;
    wf_owners_fill_table(&m->owners, table);
    with_table.owners.table = table;
    check_partitions(&with_table);
}

static void random_maps_say_what_is_written_down_index_by_index(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 400; round++) {
        small_map m;
        make_map(&r, &m, false);
        check_map(&m, &r);
    }
}

static void a_join_lies_where_its_first_leaf_does(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 400; round++) {
        small_map m;
        make_map(&r, &m, true);
        check_map(&m, &r);
    }
}

static void blocks_of_workers_and_of_partitions_differ_by_one_at_most(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 300; round++) {
        wf_owner_rule rule = {.kind = WEFT_OWNER_BLOCK, .scale = 1, .stride = 1, .extent = 1 + (int64_t)random_below(&r, 1000), .block = 1};
        uint32_t workers = 1 + (uint32_t)random_below(&r, 20), per_worker = 1 + (uint32_t)random_below(&r, 9);
        wf_owners o = wf_owners_make(&rule, NULL, (uint64_t)rule.extent, workers, per_worker);
        uint64_t least = UINT64_MAX, most = 0;
        for (uint32_t w = 0; w < workers; w++) {
            uint64_t share = 0, least_part = UINT64_MAX, most_part = 0;
            for (uint32_t p = w * per_worker; p < (w + 1) * per_worker; p++) {
                uint64_t count = wf_owners_count(&o, p);
                share += count;
                if (count < least_part) least_part = count;
                if (count > most_part) most_part = count;
            }
            CU_ASSERT(most_part - least_part <= 1);
            if (share < least) least = share;
            if (share > most) most = share;
        }
        CU_ASSERT(most - least <= 1);
    }
}

/* ---- sizes that cannot be written down ---- */

static wide part_begin(wide count, wide parts, wide part)
{
    wide rest = count % parts;
    return part * (count / parts) + (part < rest ? part : rest);
}

/* The part that holds `position`, by bisection. */
static wide part_of(wide count, wide parts, wide position)
{
    wide low = 0, high = parts;
    while (high - low > 1) {
        wide middle = (low + high) / 2;
        if (part_begin(count, parts, middle) <= position)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static wide expected_partition(const wf_owners *o, uint64_t index)
{
    const wf_owner_rule *r = &o->rule;
    uint64_t row_extent = (uint64_t)r->extent, workers = (uint64_t)o->workers, per_worker = (uint64_t)o->per_worker;
    wide point = (wide)index * (uint64_t)r->scale, c = point / (uint64_t)r->stride % row_extent, worker, begin = 0, extent = row_extent;
    if (r->kind == WEFT_OWNER_CYCLIC) {
        worker = c / (uint64_t)r->block % workers;
    } else {
        worker = part_of(extent, workers, c);
        begin = part_begin(extent, workers, worker);
        extent = part_begin(extent, workers, worker + 1) - begin;
    }
    return worker * per_worker + part_of(extent, per_worker, c - begin);
}

static uint64_t random_wide(random_source *r, uint64_t end)
{
    return ((uint64_t)random_below(r, (size_t)1 << 40) << 24 ^ random_below(r, (size_t)1 << 40)) % end;
}

static wf_owners make_large(random_source *r)
{
    int extent_bits = (int)random_below(r, 47), stride_bits = (int)random_below(r, (size_t)(47 - extent_bits));
    int scale_bits = (int)random_below(r, 20);
    uint64_t points = WF_MAX_LAYER_TASKS;
    wf_owner_rule rule = {.kind = (uint32_t)random_below(r, 2), .scale = (int64_t)1 << scale_bits, .stride = (int64_t)1 << stride_bits,
                          .extent = (int64_t)1 << extent_bits, .block = (int64_t)1 << random_below(r, 63)};
    if (random_below(r, 2)) { /* not powers of two */
        rule.extent -= (int64_t)random_wide(r, (uint64_t)rule.extent / 2 + 1);
        rule.block -= (int64_t)random_wide(r, (uint64_t)rule.block / 2 + 1);
        rule.stride -= (int64_t)random_wide(r, (uint64_t)rule.stride / 2 + 1);
        uint64_t row = (uint64_t)rule.extent * (uint64_t)rule.stride;
        points = points / row * row;
    }
    return wf_owners_make(&rule, NULL, (points + (uint64_t)rule.scale - 1) / (uint64_t)rule.scale, 1 + (uint32_t)random_below(r, 100000),
                          1 + (uint32_t)random_below(r, 100));
}

static void the_largest_extents_do_not_overflow(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 5000; round++) {
        wf_owners o = make_large(&r);
        uint64_t index = random_below(&r, 4) ? random_wide(&r, o.task_count) : o.task_count - 1, end = 0;
        uint32_t partition = wf_owners_partition(&o, index, &end);
        weft_interval run = {0};
        CU_ASSERT_EQUAL_FATAL(partition, (uint32_t)expected_partition(&o, index));
        CU_ASSERT(end > index && end <= o.task_count);
        CU_ASSERT_EQUAL((uint32_t)expected_partition(&o, end - 1), partition);
        CU_ASSERT(wf_owners_next(&o, partition, index, &run));
        CU_ASSERT_EQUAL(run.begin, index);
        CU_ASSERT(run.end > index && run.end <= o.task_count);
        CU_ASSERT_EQUAL((uint32_t)expected_partition(&o, run.end - 1), partition);
    }
}

static void counts_of_the_largest_layers_add_up(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 300; round++) {
        wf_owners o = make_large(&r);
        uint64_t sum = 0;
        o.rule.scale = 1;
        o.task_count = (WF_MAX_LAYER_TASKS / (uint64_t)(o.rule.extent * o.rule.stride)) * (uint64_t)(o.rule.extent * o.rule.stride);
        o.workers = 1 + (int64_t)random_below(&r, 300);
        for (uint32_t p = 0; p < o.workers * o.per_worker; p++) sum += wf_owners_count(&o, p);
        CU_ASSERT_EQUAL(sum, o.task_count);
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(random_maps_say_what_is_written_down_index_by_index),
        WEFT_TEST(a_join_lies_where_its_first_leaf_does),
        WEFT_TEST(blocks_of_workers_and_of_partitions_differ_by_one_at_most),
        WEFT_TEST(the_largest_extents_do_not_overflow),
        WEFT_TEST(counts_of_the_largest_layers_add_up),
    };
    return weft_test_run("graph/owners", cases, WEFT_COUNT_OF(cases));
}
