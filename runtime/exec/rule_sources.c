/* A cursor over partitions, layers and runs of indices, under a lock that is held for one batch.
 * Invariant: every task of an added partition is looked at once. */
#include "exec/rule_sources.h"

#include <stdlib.h>

#include "base/memory.h"

enum { LOOKED_AT_ONCE = 64 }; /* tasks whose rules are asked while the lock is held */

void wf_rule_sources_init(wf_rule_sources *sources, const wf_rule_layers *layers)
{
    *sources = (wf_rule_sources){.layers = layers};
    pthread_mutex_init(&sources->lock, NULL);
}

void wf_rule_sources_fini(wf_rule_sources *sources)
{
    pthread_mutex_destroy(&sources->lock);
    free(sources->partitions);
}

weft_status wf_rule_sources_add(wf_rule_sources *sources, uint32_t partition, weft_error *err)
{
    pthread_mutex_lock(&sources->lock);
    weft_status status = wf_grow(&sources->partitions, &sources->partition_capacity, sources->partition_count + 1,
                                 sizeof *sources->partitions, err);
    if (status == WEFT_OK) {
        sources->partitions[sources->partition_count++] = partition;
        atomic_store(&sources->has_more, true);
    }
    pthread_mutex_unlock(&sources->lock);
    return status;
}

void wf_rule_sources_stop(wf_rule_sources *sources)
{
    pthread_mutex_lock(&sources->lock);
    sources->partition_count = sources->partition = 0;
    sources->layer = 0;
    sources->run = (weft_interval){0, 0};
    atomic_store(&sources->has_more, false);
    pthread_mutex_unlock(&sources->lock);
}

/* Goes on to the next run of tasks; false when there is none. */
static bool find_run(wf_rule_sources *s)
{
    for (; s->partition < s->partition_count; s->partition++) {
        for (; s->layer < s->layers->view.layer_count; s->layer++) {
            const wf_rule_layer *layer = &s->layers->layers[s->layer];
            if (layer->spec->is_needed && wf_owners_next(&layer->owners, s->partitions[s->partition], s->run.end, &s->run)) return true;
            s->run = (weft_interval){0, 0};
        }
        s->layer = 0;
    }
    return false;
}

static bool takes_nothing(const wf_rule_layer *layer, uint64_t index)
{
    weft_interval intervals[WEFT_MAX_INTERVALS];
    size_t count = 0;
    for (uint32_t d = 0; d < layer->spec->dependency_count; d++) {
        if (wf_rule_edge_inputs(&layer->inputs[d], index, intervals, &count, NULL) != WEFT_OK) return true;
        if (count > 0) return false;
    }
    return true;
}

size_t wf_rule_sources_take(wf_rule_sources *sources, int sharers, const wf_rule_layer **layer, uint64_t *indices)
{
    size_t count = 0;
    if (!atomic_load_explicit(&sources->has_more, memory_order_acquire)) return 0;
    pthread_mutex_lock(&sources->lock);
    if (sources->run.begin < sources->run.end || find_run(sources)) {
        weft_interval *run = &sources->run;
        *layer = &sources->layers->layers[sources->layer];
        uint64_t share = (run->end - run->begin) / (uint64_t)(2 * sharers) + 1;
        size_t most = share < WF_SOURCE_BATCH ? (size_t)share : WF_SOURCE_BATCH;
        for (int looked = 0; looked < LOOKED_AT_ONCE && count < most && run->begin < run->end; looked++, run->begin++) {
            if (takes_nothing(*layer, run->begin)) indices[count++] = run->begin;
        }
    } else {
        atomic_store(&sources->has_more, false);
    }
    pthread_mutex_unlock(&sources->lock);
    return count;
}
