/* The tasks of layers by rule that take no input, found in the sequence of partitions, layers and indices, a few at a time: a layer of
 * 10^8 such tasks is never there as a whole.
 *
 * Threads: any.
 */
#ifndef WF_EXEC_RULE_SOURCES_H
#define WF_EXEC_RULE_SOURCES_H

#include <stdatomic.h>
#include <pthread.h>

#include "exec/rule_layers.h"

enum { WF_SOURCE_BATCH = 64 };

typedef struct wf_rule_sources {
    const wf_rule_layers *layers;
    pthread_mutex_t lock;
    atomic_bool has_more;      /* not all has been looked at */
    uint32_t *partitions;      /* to look through */
    size_t partition_count, partition_capacity, partition; /* the one being looked through */
    uint32_t layer;            /* index in layers */
    weft_interval run;         /* of that layer; begin moves up to end */
} wf_rule_sources;

void wf_rule_sources_init(wf_rule_sources *sources, const wf_rule_layers *layers);
void wf_rule_sources_fini(wf_rule_sources *sources);

/* Adds a partition behind those that are there. Errors: WEFT_ENOMEM. */
weft_status wf_rule_sources_add(wf_rule_sources *sources, uint32_t partition, weft_error *err);

/* Nothing is given from now on. */
void wf_rule_sources_stop(wf_rule_sources *sources);

/* Takes up to WF_SOURCE_BATCH tasks of one layer, fewer when `sharers` threads want some; *layer and indices tell which. May give none and
 * yet have more. A rule that fails is told when its task's inputs are asked for: such a task is given, too. */
size_t wf_rule_sources_take(wf_rule_sources *sources, int sharers, const wf_rule_layer **layer, uint64_t *indices);

#endif
