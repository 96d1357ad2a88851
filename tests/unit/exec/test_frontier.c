/* The frontier against a plain table, by one thread and by several. WEFT_TEST_SEED repeats a run. */
#include "exec/frontier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "random_graph.h"
#include "weft_test.h"

enum { KEYS = 4000, OPERATIONS = 200000, THREADS = 4, TOUCHES = 8 };

typedef struct entry {
    wf_waiting waiting;
    int touches; /* with the shard locked */
} entry;

static uint64_t seed;

static wf_frontier *create(void)
{
    wf_frontier *frontier;
    CU_ASSERT_EQUAL_FATAL(wf_frontier_create(&frontier, NULL), WEFT_OK);
    return frontier;
}

static void count_and_free(void *context, wf_waiting *waiting)
{
    ++*(size_t *)context;
    free(waiting);
}

/* Keys that differ in layer only, in low bits, or far up. */
static void make_key(size_t k, uint32_t *layer, uint64_t *index)
{
    *layer = 1 + (uint32_t)(k % 5);
    *index = k % 3 == 0 ? k / 15 : k % 3 == 1 ? (uint64_t)(k / 15 + 1) << 30 : ((uint64_t)1 << 46) - 1 - k / 15;
}

static entry *make_entry(uint32_t layer, uint64_t index)
{
    entry *made = calloc(1, sizeof *made);
    made->waiting.layer = layer;
    made->waiting.index = index;
    return made;
}

static void entries_are_found_until_they_are_removed(void)
{
    static entry *expected[KEYS];
    wf_frontier *frontier = create();
    uint64_t state = seed;
    size_t left = 0, freed = 0;
    memset(expected, 0, sizeof expected);
    for (int i = 0; i < OPERATIONS; i++) {
        uint64_t index;
        uint32_t layer;
        size_t k = random_below(&state, i < OPERATIONS / 2 ? KEYS : KEYS / 10);
        make_key(k, &layer, &index);
        wf_frontier_shard *shard = wf_frontier_lock(frontier, layer, index);
        CU_ASSERT_PTR_EQUAL(wf_frontier_find(shard, layer, index), (wf_waiting *)expected[k]);
        if (!expected[k]) {
            expected[k] = make_entry(layer, index);
            CU_ASSERT_EQUAL(wf_frontier_add(shard, &expected[k]->waiting, NULL), WEFT_OK);
        } else {
            wf_frontier_remove(shard, &expected[k]->waiting);
            CU_ASSERT_PTR_NULL(wf_frontier_find(shard, layer, index));
            free(expected[k]);
            expected[k] = NULL;
        }
        wf_frontier_unlock(shard);
    }
    for (size_t k = 0; k < KEYS; k++) left += expected[k] != NULL;
    wf_frontier_destroy(frontier, count_and_free, &freed);
    CU_ASSERT(left > 0 && freed == left);
}

static void the_first_entry_is_that_of_the_first_layer_and_index(void)
{
    static const struct { uint32_t layer; uint64_t index; } keys[] = {{3, 0}, {2, 900}, {2, 7}, {5, 1}, {2, (uint64_t)1 << 45}};
    wf_frontier *frontier = create();
    size_t freed = 0;
    CU_ASSERT_PTR_NULL(wf_frontier_first(frontier));
    for (size_t k = 0; k < WEFT_COUNT_OF(keys); k++) {
        wf_frontier_shard *shard = wf_frontier_lock(frontier, keys[k].layer, keys[k].index);
        CU_ASSERT_EQUAL(wf_frontier_add(shard, &make_entry(keys[k].layer, keys[k].index)->waiting, NULL), WEFT_OK);
        wf_frontier_unlock(shard);
    }
    const wf_waiting *first = wf_frontier_first(frontier);
    CU_ASSERT(first && first->layer == 2 && first->index == 7);
    wf_frontier_destroy(frontier, count_and_free, &freed);
    CU_ASSERT_EQUAL(freed, WEFT_COUNT_OF(keys));
    wf_frontier_destroy(NULL, count_and_free, &freed);
}

/* ---- several threads: whoever touches a key first makes its entry, the last one takes it out ---- */

typedef struct toucher {
    wf_frontier *frontier;
    size_t number;
    size_t made, completed;
} toucher;

static void *touch_all(void *argument)
{
    toucher *t = argument;
    for (size_t i = 0; i < TOUCHES / THREADS * KEYS; i++) {
        uint64_t index;
        uint32_t layer;
        make_key((i * 31 + t->number * 17) % KEYS, &layer, &index);
        wf_frontier_shard *shard = wf_frontier_lock(t->frontier, layer, index);
        entry *e = (entry *)wf_frontier_find(shard, layer, index);
        if (!e) {
            e = make_entry(layer, index);
            wf_frontier_add(shard, &e->waiting, NULL);
            t->made++;
        }
        if (++e->touches == TOUCHES) {
            wf_frontier_remove(shard, &e->waiting);
            free(e);
            t->completed++;
        }
        wf_frontier_unlock(shard);
    }
    return NULL;
}

static void several_threads_complete_each_entry_once(void)
{
    toucher touchers[THREADS];
    pthread_t threads[THREADS];
    wf_frontier *frontier = create();
    size_t made = 0, completed = 0, freed = 0;
    for (size_t t = 0; t < THREADS; t++) {
        touchers[t] = (toucher){frontier, t, 0, 0};
        pthread_create(&threads[t], NULL, touch_all, &touchers[t]);
    }
    for (size_t t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        made += touchers[t].made;
        completed += touchers[t].completed;
    }
    CU_ASSERT_EQUAL(made, KEYS);
    CU_ASSERT_EQUAL(completed, KEYS);
    CU_ASSERT_PTR_NULL(wf_frontier_first(frontier));
    wf_frontier_destroy(frontier, count_and_free, &freed);
    CU_ASSERT_EQUAL(freed, 0);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(entries_are_found_until_they_are_removed),
        WEFT_TEST(the_first_entry_is_that_of_the_first_layer_and_index),
        WEFT_TEST(several_threads_complete_each_entry_once),
    };
    seed = random_graph_seed();
    printf("seed %llu\n", (unsigned long long)seed);
    return weft_test_run("exec/frontier", cases, WEFT_COUNT_OF(cases));
}
