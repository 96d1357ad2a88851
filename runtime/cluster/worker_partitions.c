/* Which partitions of a graph are here, and in what state.
 *
 * Invariants: what has arrived for a partition is stored here exactly while it is unopened here or on its way here; the unopened ones stand
 * in ascending order, which is the sequence in which they are opened. One thread at a time, under the worker's lock.
 */
#include "cluster/worker_partitions.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct arrived_chunk {
    struct arrived_chunk *next;
    uint64_t ref;
    weft_chunk *chunk; /* NULL: failed */
} arrived_chunk;

typedef enum partition_state { ELSEWHERE, UNOPENED, OPEN } partition_state;

typedef struct partition_record {
    partition_state state;
    wf_partition_content content; /* while it is unopened */
    arrived_chunk *arrived;
} partition_record;

struct wf_worker_partitions {
    wf_worker_partitions_options options;
    wf_places places;
    partition_record **records; /* by number; NULL: nothing of it was ever here */
    size_t record_capacity;
    uint32_t *unopened;         /* numbers, ascending */
    size_t unopened_count, unopened_capacity;
    size_t startable_count;     /* of them */
    uint32_t movable_count;     /* of those */
    uint32_t coming_count;
};

weft_status wf_worker_partitions_create(const wf_worker_partitions_options *options, wf_worker_partitions **partitions, weft_error *err)
{
    wf_worker_partitions *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->options = *options;
    made->coming_count = options->coming_count;
    wf_places_init(&made->places, options->partition_count, options->first_rank, options->per_rank);
    *partitions = made;
    return WEFT_OK;
}

static void free_record(partition_record *record)
{
    if (!record) return;
    for (arrived_chunk *arrived = record->arrived, *next; arrived; arrived = next) {
        next = arrived->next;
        weft_chunk_release(arrived->chunk);
        free(arrived);
    }
    free(record->content.bytes);
    free(record);
}

void wf_worker_partitions_destroy(wf_worker_partitions *ps)
{
    if (!ps) return;
    for (size_t p = 0; p < ps->record_capacity; p++) free_record(ps->records[p]);
    atomic_fetch_sub(ps->options.startable_count, ps->startable_count);
    wf_places_fini(&ps->places);
    free(ps->records);
    free(ps->unopened);
    free(ps);
}

wf_place wf_worker_partitions_get_place(const wf_worker_partitions *ps, uint32_t partition)
{
    return wf_places_get(&ps->places, partition);
}

/* ---- records ---- */

static partition_record *find_record(const wf_worker_partitions *ps, uint32_t partition)
{
    return partition < ps->record_capacity ? ps->records[partition] : NULL;
}

/* NULL with *status and err filled. */
static partition_record *find_or_add_record(wf_worker_partitions *ps, uint32_t partition, weft_status *status, weft_error *err)
{
    if (partition >= ps->options.partition_count) {
        *status = weft_fail(err, WEFT_EDATA, "a message names partition %u of %u; run the same weft on every rank", partition,
                            ps->options.partition_count);
        return NULL;
    }
    size_t before = ps->record_capacity;
    *status = wf_grow(&ps->records, &ps->record_capacity, (size_t)partition + 1, sizeof *ps->records, err);
    if (*status != WEFT_OK) return NULL;
    for (size_t p = before; p < ps->record_capacity; p++) ps->records[p] = NULL;
    if (!ps->records[partition]) ps->records[partition] = wf_calloc(1, sizeof **ps->records, err);
    if (!ps->records[partition]) *status = WEFT_ENOMEM;
    return ps->records[partition];
}

static bool could_start(const partition_record *record)
{
    return record->content.has_ready || record->arrived;
}

/* Counts it among the startable, or no more. */
static void count_startable(wf_worker_partitions *ps, const partition_record *record, bool is_more)
{
    size_t step = is_more ? 1 : SIZE_MAX; /* -1 */
    ps->startable_count += step;
    if (!record->content.is_bound) ps->movable_count += (uint32_t)step;
    atomic_fetch_add(ps->options.startable_count, step);
    if (is_more) ps->options.ops->wake(ps->options.owner);
}

/* ---- opening ---- */

/* Where the number stands among the unopened, or would. */
static size_t find_unopened(const wf_worker_partitions *ps, uint32_t partition)
{
    size_t begin = 0, end = ps->unopened_count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (ps->unopened[middle] < partition)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* The record of a partition that has arrived; NULL with *status and err filled. */
static partition_record *begin_record(wf_worker_partitions *ps, const wf_partition_content *content, weft_status *status, weft_error *err)
{
    partition_record *record = find_or_add_record(ps, content->partition, status, err);
    if (!record) return NULL;
    if (record->state == ELSEWHERE && ps->coming_count > 0) {
        ps->coming_count--;
        return record;
    }
    *status = weft_fail(err, WEFT_EDATA, "partition %u came uncalled for; run the same weft on every rank", content->partition);
    return NULL;
}

weft_status wf_worker_partitions_add(wf_worker_partitions *ps, const wf_partition_content *content, weft_error *err)
{
    weft_status status = wf_grow(&ps->unopened, &ps->unopened_capacity, ps->unopened_count + 1, sizeof *ps->unopened, err);
    if (status != WEFT_OK) return status;
    partition_record *record = begin_record(ps, content, &status, err);
    if (!record) return status;
    size_t at = find_unopened(ps, content->partition);
    memmove(ps->unopened + at + 1, ps->unopened + at, (ps->unopened_count - at) * sizeof *ps->unopened);
    ps->unopened[at] = content->partition;
    ps->unopened_count++;
    record->state = UNOPENED;
    record->content = *content;
    if (could_start(record)) count_startable(ps, record, true);
    return WEFT_OK;
}

/* It is unopened no more. */
static void take_out(wf_worker_partitions *ps, uint32_t partition, partition_state state)
{
    partition_record *record = ps->records[partition];
    size_t at = find_unopened(ps, partition);
    if (could_start(record)) count_startable(ps, record, false);
    ps->unopened_count--;
    memmove(ps->unopened + at, ps->unopened + at + 1, (ps->unopened_count - at) * sizeof *ps->unopened);
    record->state = state;
}

static weft_status open_record(wf_worker_partitions *ps, partition_record *record, wf_partition_content *content, wf_thread *self,
                               wf_pool_item **next, weft_error *err)
{
    weft_status status = ps->options.ops->open(ps->options.owner, content, next, err);
    while (record->arrived && status == WEFT_OK) {
        arrived_chunk *arrived = record->arrived;
        record->arrived = arrived->next;
        status = ps->options.ops->deliver(ps->options.owner, content->partition, arrived->ref, arrived->chunk, self, err);
        free(arrived);
    }
    return status;
}

weft_status wf_worker_partitions_add_open(wf_worker_partitions *ps, wf_partition_content *content, wf_thread *self, weft_error *err)
{
    weft_status status;
    partition_record *record = begin_record(ps, content, &status, err);
    if (!record) return status;
    record->state = OPEN;
    return open_record(ps, record, content, self, NULL, err);
}

static weft_status open_unopened(wf_worker_partitions *ps, uint32_t partition, wf_thread *self, wf_pool_item **next, weft_error *err)
{
    partition_record *record = ps->records[partition];
    take_out(ps, partition, OPEN);
    return open_record(ps, record, &record->content, self, next, err);
}

weft_status wf_worker_partitions_open_all(wf_worker_partitions *ps, wf_thread *self, weft_error *err)
{
    weft_status status = WEFT_OK;
    while (ps->unopened_count > 0 && status == WEFT_OK) status = open_unopened(ps, ps->unopened[0], self, NULL, err);
    return status;
}

weft_status wf_worker_partitions_open_next(wf_worker_partitions *ps, wf_thread *self, wf_pool_item **next, weft_error *err)
{
    *next = NULL;
    for (size_t i = 0; i < ps->unopened_count && ps->startable_count > 0; i++) {
        if (could_start(ps->records[ps->unopened[i]])) return open_unopened(ps, ps->unopened[i], self, next, err);
    }
    return WEFT_OK;
}

/* ---- what arrives ---- */

static weft_status store(wf_worker_partitions *ps, partition_record *record, uint64_t ref, weft_chunk *chunk, weft_error *err)
{
    arrived_chunk *arrived = wf_calloc(1, sizeof *arrived, err);
    if (!arrived) {
        weft_chunk_release(chunk);
        return WEFT_ENOMEM;
    }
    bool could = could_start(record);
    *arrived = (arrived_chunk){record->arrived, ref, chunk};
    record->arrived = arrived;
    if (record->state == UNOPENED && !could) count_startable(ps, record, true);
    return WEFT_OK;
}

weft_status wf_worker_partitions_deliver(wf_worker_partitions *ps, uint32_t partition, uint32_t moves, uint64_t ref, weft_chunk *chunk,
                                         wf_thread *self, weft_error *err)
{
    const wf_worker_partitions_options *o = &ps->options;
    partition_record *record = find_record(ps, partition);
    if (record && record->state == OPEN) return o->ops->deliver(o->owner, partition, ref, chunk, self, err);
    weft_status status;
    record = find_or_add_record(ps, partition, &status, err);
    /* Who knows of a later move than this rank does sends to where it goes: here. */
    if (record) status = wf_places_note(&ps->places, partition, (wf_place){o->rank, moves}, err);
    if (!record || status != WEFT_OK) {
        weft_chunk_release(chunk);
        return status;
    }
    wf_place place = wf_places_get(&ps->places, partition);
    if (record->state == UNOPENED || place.rank == o->rank) return store(ps, record, ref, chunk, err);
    o->ops->forward(o->owner, partition, place, ref, chunk);
    return WEFT_OK;
}

weft_status wf_worker_partitions_note(wf_worker_partitions *ps, const wf_moved_partition *moved, bool is_coming, weft_error *err)
{
    if (moved->partition >= ps->options.partition_count)
        return weft_fail(err, WEFT_EDATA, "a message names partition %u of %u; run the same weft on every rank", moved->partition,
                         ps->options.partition_count);
    if (is_coming) ps->coming_count++;
    return wf_places_note(&ps->places, moved->partition, (wf_place){moved->rank, moved->moves}, err);
}

/* ---- giving ---- */

uint32_t wf_worker_partitions_choose(const wf_worker_partitions *ps, int to, uint32_t most, bool may_be_stuck, wf_moved_partition *moved)
{
    uint32_t count = 0;
    for (size_t i = ps->unopened_count; i-- > 0 && count < most;) {
        uint32_t partition = ps->unopened[i];
        const partition_record *record = ps->records[partition];
        if (record->content.is_bound || !(may_be_stuck || could_start(record))) continue;
        uint32_t moves = wf_places_get(&ps->places, partition).moves + 1;
        moved[count++] = (wf_moved_partition){partition, moves, to, 0, record->content.task_count};
    }
    return count;
}

weft_status wf_worker_partitions_hand_over(wf_worker_partitions *ps, const wf_moved_partition *moved, weft_error *err)
{
    const wf_worker_partitions_options *o = &ps->options;
    partition_record *record = ps->records[moved->partition];
    wf_place place = {moved->rank, moved->moves};
    weft_status status = wf_places_note(&ps->places, moved->partition, place, err);
    if (status != WEFT_OK) return status;
    take_out(ps, moved->partition, ELSEWHERE);
    o->ops->send(o->owner, moved->rank, &record->content);
    record->content = (wf_partition_content){0};
    while (record->arrived) {
        arrived_chunk *arrived = record->arrived;
        record->arrived = arrived->next;
        o->ops->forward(o->owner, moved->partition, place, arrived->ref, arrived->chunk);
        free(arrived);
    }
    return WEFT_OK;
}

uint32_t wf_worker_partitions_movable_count(const wf_worker_partitions *ps)
{
    return ps->movable_count;
}

bool wf_worker_partitions_has_startable(const wf_worker_partitions *ps)
{
    return ps->startable_count > 0;
}

bool wf_worker_partitions_has_unopened(const wf_worker_partitions *ps)
{
    return ps->unopened_count > 0 || ps->coming_count > 0;
}

bool wf_worker_partitions_has_coming(const wf_worker_partitions *ps)
{
    return ps->coming_count > 0;
}
