/* From a plan to partitions. Tasks are sorted by partition once; edges between partitions become an import of the consumer's and an export
 * of the producer's. Cost: a few passes over tasks and edges, and a sort of the cut edges. One thread, usually the client's. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "graph/partition.h"

/* An output that a partition needs from another one. */
typedef struct import {
    uint32_t partition;
    uint64_t ref;
} import;

typedef struct builder {
    const weft_graph *graph;
    const wf_plan *plan;
    uint64_t graph_id;
    bool with_empty;        /* partitions without explicit tasks are made, too */
    uint64_t *task_begin;   /* by partition + 1: into tasks */
    uint32_t *by_order;     /* needed tasks, in static order */
    uint32_t *tasks;        /* the same by partition, in static order within each */
    uint32_t *first_slot;   /* by task: the slot of its output 0 in its own partition */
    import *imports;        /* by partition, then ref; unique */
    size_t import_count;
    uint64_t *import_begin; /* by partition + 1 */
    uint64_t *export_begin; /* by output of the graph + 1 */
    uint32_t *exports;      /* partitions */
    unsigned char *flags;   /* by output of the graph: WF_OUTPUT_* */
} builder;

static weft_status allocate(builder *b, weft_error *err)
{
    size_t partitions = (size_t)b->plan->partition_count + 1;
    b->task_begin = wf_calloc(partitions + 1, sizeof *b->task_begin, err);
    b->by_order = wf_calloc(b->plan->needed_count, sizeof *b->by_order, err);
    b->tasks = wf_calloc(b->plan->needed_count, sizeof *b->tasks, err);
    b->first_slot = wf_calloc(b->graph->task_count, sizeof *b->first_slot, err);
    b->import_begin = wf_calloc(partitions + 1, sizeof *b->import_begin, err);
    b->export_begin = wf_calloc(b->graph->output_count + 2, sizeof *b->export_begin, err);
    b->flags = wf_calloc(b->graph->output_count, 1, err);
    return b->task_begin && b->by_order && b->tasks && b->first_slot && b->import_begin && b->export_begin && b->flags ? WEFT_OK : WEFT_ENOMEM;
}

/* Counting sort; then slots are numbered within each partition. */
static void sort_tasks(builder *b)
{
    const weft_graph *graph = b->graph;
    const uint32_t *partition = b->plan->partition;
    for (uint32_t t = 0; t < graph->task_count; t++) {
        if (partition[t] == WF_NO_PARTITION) continue;
        b->task_begin[partition[t] + 2]++;
        b->by_order[b->plan->order[t]] = t;
    }
    for (uint32_t p = 0; p < b->plan->partition_count; p++) b->task_begin[p + 2] += b->task_begin[p + 1];
    for (size_t i = 0; i < b->plan->needed_count; i++) {
        uint32_t t = b->by_order[i];
        b->tasks[b->task_begin[partition[t] + 1]++] = t;
    }
    for (uint32_t p = 0; p < b->plan->partition_count; p++) {
        uint32_t slot = 0;
        for (uint64_t i = b->task_begin[p]; i < b->task_begin[p + 1]; i++) {
            b->first_slot[b->tasks[i]] = slot;
            slot += (uint32_t)wf_graph_output_count(graph, b->tasks[i]);
        }
    }
}

static int compare_imports(const void *a, const void *b)
{
    const import *x = a, *y = b;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static weft_status collect_imports(builder *b, weft_error *err)
{
    const weft_graph *graph = b->graph;
    const uint32_t *partition = b->plan->partition;
    size_t capacity = 0, count = 0;
    for (size_t t = 0; t < graph->task_count && b->plan->partition_count > 1; t++) {
        if (partition[t] == WF_NO_PARTITION) continue;
        for (uint64_t e = graph->tasks[t].input_begin; e < graph->tasks[t + 1].input_begin; e++) {
            if (partition[wf_ref_task(graph->inputs[e])] == partition[t]) continue;
            weft_status status = wf_grow(&b->imports, &capacity, count + 1, sizeof *b->imports, err);
            if (status != WEFT_OK) return status;
            b->imports[count++] = (import){partition[t], graph->inputs[e]};
        }
    }
    if (count) qsort(b->imports, count, sizeof *b->imports, compare_imports);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && compare_imports(&b->imports[i], &b->imports[i - 1]) == 0) continue;
        b->imports[b->import_count++] = b->imports[i];
    }
    for (size_t i = 0; i < b->import_count; i++) b->import_begin[b->imports[i].partition + 1]++;
    for (uint32_t p = 0; p < b->plan->partition_count; p++) b->import_begin[p + 1] += b->import_begin[p];
    return WEFT_OK;
}

static weft_status collect_exports(builder *b, weft_error *err)
{
    b->exports = wf_calloc(b->import_count, sizeof *b->exports, err);
    if (!b->exports) return WEFT_ENOMEM;
    if (b->import_count == 0) return WEFT_OK; /* every range is empty already */
    for (size_t i = 0; i < b->import_count; i++) b->export_begin[wf_graph_ref_index(b->graph, b->imports[i].ref) + 2]++;
    for (size_t o = 0; o < b->graph->output_count; o++) b->export_begin[o + 2] += b->export_begin[o + 1];
    for (size_t i = 0; i < b->import_count; i++)
        b->exports[b->export_begin[wf_graph_ref_index(b->graph, b->imports[i].ref) + 1]++] = b->imports[i].partition;
    return WEFT_OK;
}

static uint32_t import_slot(const builder *b, uint32_t partition, uint64_t ref, uint32_t own_outputs)
{
    import key = {partition, ref};
    const import *first = b->imports + b->import_begin[partition];
    const import *hit = bsearch(&key, first, b->import_begin[partition + 1] - b->import_begin[partition], sizeof key, compare_imports);
    return own_outputs + (uint32_t)(hit - first);
}

/* Counts, in 64 bits, so that a partition too large for its 32-bit fields is refused instead of cut. */
static weft_status count_partition(const builder *b, uint32_t p, wf_partition_header *header, weft_error *err)
{
    const weft_graph *graph = b->graph;
    uint64_t outputs = 0, inputs = 0, exports = 0, params = 0, keys = 1;
    for (uint64_t i = b->task_begin[p]; i < b->task_begin[p + 1]; i++) {
        const wf_graph_task *task = &graph->tasks[b->tasks[i]];
        outputs += task[1].output_begin - task->output_begin;
        inputs += task[1].input_begin - task->input_begin;
        exports += b->export_begin[task[1].output_begin] - b->export_begin[task->output_begin];
        params += task[1].param_begin - task->param_begin;
        keys += task->key ? strlen(graph->keys + task->key) + 1 : 0;
    }
    uint64_t tasks = b->task_begin[p + 1] - b->task_begin[p], imports = b->import_begin[p + 1] - b->import_begin[p];
    if ((tasks | imports | outputs | inputs | exports | params | keys) >> 31 || (outputs + imports) >> 31)
        return weft_fail(err, WEFT_ENOMEM, "partition %u has %llu tasks and %llu edges, more than one partition can hold; raise "
                         "partition.per_rank", p, (unsigned long long)tasks, (unsigned long long)inputs);
    *header = (wf_partition_header){WF_PARTITION_MAGIC, b->graph_id, p, (uint32_t)tasks, (uint32_t)imports, (uint32_t)outputs,
                                    (uint32_t)inputs, (uint32_t)exports, (uint32_t)params, (uint32_t)keys};
    return WEFT_OK;
}

typedef struct cursor { /* how far each array of the partition being written is */
    uint32_t output, input, export, param, key;
} cursor;

static void write_outputs(const builder *b, const wf_graph_task *task, wf_partition_output *outputs, uint32_t *exports, cursor *at)
{
    for (uint64_t o = task->output_begin; o < task[1].output_begin; o++) {
        outputs[at->output++] = (wf_partition_output){at->export, b->flags[o]};
        for (uint64_t x = b->export_begin[o]; x < b->export_begin[o + 1]; x++) exports[at->export++] = b->exports[x];
    }
}

static void write_inputs(const builder *b, uint32_t p, const wf_graph_task *task, uint32_t own_outputs, uint32_t *inputs, cursor *at)
{
    for (uint64_t e = task->input_begin; e < task[1].input_begin; e++) {
        uint64_t ref = b->graph->inputs[e], producer = wf_ref_task(ref);
        inputs[at->input++] = b->plan->partition[producer] == p ? b->first_slot[producer] + (uint32_t)wf_ref_output(ref)
                                                               : import_slot(b, p, ref, own_outputs);
    }
}

static void write_partition(const builder *b, const wf_partition_header *header, char *base)
{
    const weft_graph *graph = b->graph;
    uint32_t p = header->partition;
    wf_partition_layout at = wf_partition_layout_of(header);
    uint64_t *task_refs = (uint64_t *)(base + at.task_refs), *imports = (uint64_t *)(base + at.imports);
    wf_partition_task *tasks = (wf_partition_task *)(base + at.tasks);
    wf_partition_output *outputs = (wf_partition_output *)(base + at.outputs);
    uint32_t *inputs = (uint32_t *)(base + at.inputs), *exports = (uint32_t *)(base + at.exports);
    cursor c = {.key = 1};
    memcpy(base, header, sizeof *header);
    for (uint32_t i = 0; i < header->import_count; i++) imports[i] = b->imports[b->import_begin[p] + i].ref;
    for (uint32_t i = 0; i < header->task_count; i++) {
        uint32_t t = b->tasks[b->task_begin[p] + i];
        const wf_graph_task *task = &graph->tasks[t];
        const char *key = graph->keys + task->key;
        size_t key_bytes = task->key ? strlen(key) + 1 : 0;
        task_refs[i] = wf_ref_value(t, 0);
        tasks[i] = (wf_partition_task){task->kernel, c.input, c.output, c.param, task->param_bytes, key_bytes ? c.key : 0};
        write_outputs(b, task, outputs, exports, &c);
        write_inputs(b, p, task, header->output_count, inputs, &c);
        if (task->param_bytes) memcpy(base + at.params + c.param, graph->params + task->param_begin, task->param_bytes);
        if (key_bytes) memcpy(base + at.keys + c.key, key, key_bytes);
        c.param += (uint32_t)(task[1].param_begin - task->param_begin);
        c.key += (uint32_t)key_bytes;
    }
    tasks[header->task_count] = (wf_partition_task){.input_begin = c.input, .output_begin = c.output};
    outputs[header->output_count] = (wf_partition_output){.export_begin = c.export};
}

static weft_status build_all(const builder *b, wf_partition_set *set, weft_error *err)
{
    for (uint32_t p = 0; p < set->count; p++) {
        wf_partition_header header;
        if (b->task_begin[p] == b->task_begin[p + 1] && !b->with_empty) continue;
        weft_status status = count_partition(b, p, &header, err);
        if (status != WEFT_OK) return status;
        size_t bytes = wf_partition_layout_of(&header).size_bytes;
        char *base = wf_aligned_alloc(1, bytes, err);
        if (!base) return WEFT_ENOMEM;
        size_t written = wf_partition_layout_of(&header).inputs; /* without a gap, unlike what is behind */
        memset(base + written, 0, bytes - written);
        set->bytes[p] = base;
        set->size_bytes[p] = bytes;
        write_partition(b, &header, base);
    }
    return WEFT_OK;
}

static void free_builder(builder *b)
{
    free(b->task_begin);
    free(b->by_order);
    free(b->tasks);
    free(b->first_slot);
    free(b->imports);
    free(b->import_begin);
    free(b->export_begin);
    free(b->exports);
    free(b->flags);
}

weft_status wf_partition_set_init(wf_partition_set *set, const weft_graph *graph, const wf_plan *plan, uint64_t graph_id,
                                  const weft_ref *roots, size_t root_count, uint32_t root_flags, weft_error *err)
{
    builder b = {.graph = graph, .plan = plan, .graph_id = graph_id,
                 .with_empty = graph->layers.all.layer_count > 0};
    wf_partition_set made = {.count = plan->partition_count};
    made.bytes = wf_calloc(made.count, sizeof *made.bytes, err);
    made.size_bytes = wf_calloc(made.count, sizeof *made.size_bytes, err);
    weft_status status = made.bytes && made.size_bytes ? allocate(&b, err) : WEFT_ENOMEM;
    if (status == WEFT_OK) {
        sort_tasks(&b);
        for (size_t i = 0; i < root_count; i++) {
            if (wf_ref_layer(roots[i].value) == 0) b.flags[wf_graph_ref_index(graph, roots[i].value)] = (unsigned char)root_flags;
        }
        status = collect_imports(&b, err);
    }
    if (status == WEFT_OK) status = collect_exports(&b, err);
    if (status == WEFT_OK) status = build_all(&b, &made, err);
    free_builder(&b);
    if (status == WEFT_OK)
        *set = made;
    else
        wf_partition_set_fini(&made);
    return status;
}

void wf_partition_set_fini(wf_partition_set *set)
{
    for (uint32_t p = 0; set->bytes && p < set->count; p++) free(set->bytes[p]);
    free(set->bytes);
    free(set->size_bytes);
    *set = (wf_partition_set){0};
}
