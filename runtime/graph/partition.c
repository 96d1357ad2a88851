/* Views of partitions. What comes from another rank is checked once, here, and trusted afterwards. Any thread. */
#include "graph/partition.h"

#include <stdbool.h>

#include "base/memory.h"

static size_t align_up(size_t offset, size_t alignment)
{
    return (offset + alignment - 1) & ~(alignment - 1);
}

/* All counts are 32 bits wide: no sum here can overflow 64. */
wf_partition_layout wf_partition_layout_of(const wf_partition_header *h)
{
    wf_partition_layout at;
    at.task_refs = sizeof *h;
    at.imports = at.task_refs + sizeof(uint64_t) * h->task_count;
    at.tasks = at.imports + sizeof(uint64_t) * h->import_count;
    at.outputs = at.tasks + sizeof(wf_partition_task) * ((size_t)h->task_count + 1);
    at.inputs = at.outputs + sizeof(wf_partition_output) * ((size_t)h->output_count + 1);
    at.exports = align_up(at.inputs + sizeof(uint32_t) * h->input_count, 8);
    at.params = align_up(at.exports + sizeof(uint32_t) * h->export_count, 16);
    at.keys = at.params + h->param_bytes;
    at.size_bytes = align_up(at.keys + h->key_bytes, 8);
    return at;
}

/* Inputs come from imports or from earlier tasks of the partition, so that no task can wait for itself. */
static bool inputs_are_sound(const wf_partition *v, const wf_partition_task *task)
{
    uint64_t outputs = v->header->output_count, slots = outputs + v->header->import_count;
    for (uint32_t i = task->input_begin; i < task[1].input_begin; i++) {
        if (v->inputs[i] >= task->output_begin && (v->inputs[i] < outputs || v->inputs[i] >= slots)) return false;
    }
    return true;
}

static bool task_is_sound(const wf_partition *v, const wf_partition_task *task)
{
    const wf_partition_header *h = v->header;
    if (task->input_begin > task[1].input_begin || task[1].input_begin > h->input_count) return false;
    if (task->output_begin >= task[1].output_begin || task[1].output_begin > h->output_count) return false;
    if (task->param_begin % 16 != 0 || task->param_begin > h->param_bytes) return false;
    if (task->param_bytes > h->param_bytes - task->param_begin || task->key >= h->key_bytes) return false;
    uint32_t outputs = task[1].output_begin - task->output_begin;
    if (task->kernel == WF_LAYER_KERNEL && (task->param_bytes != sizeof(uint64_t) || outputs != 1)) return false;
    if (task->kernel == WF_HELD_KERNEL && (task->param_bytes != sizeof(wf_held_source) || outputs != 1)) return false;
    return outputs <= WEFT_MAX_OUTPUTS && inputs_are_sound(v, task);
}

/* The ranges of inputs, outputs and exports begin with the first, follow each other, and end with the last: none belongs to nobody. */
static bool is_sound(const wf_partition *v)
{
    const wf_partition_header *h = v->header;
    const wf_partition_task *end = &v->tasks[h->task_count];
    if (h->key_bytes == 0 || v->keys[h->key_bytes - 1] != '\0') return false;
    if (v->tasks[0].input_begin != 0 || v->tasks[0].output_begin != 0 || v->outputs[0].export_begin != 0) return false;
    for (const wf_partition_task *task = v->tasks; task < end; task++) {
        if (!task_is_sound(v, task)) return false;
    }
    if (end->input_begin != h->input_count || end->output_begin != h->output_count) return false;
    for (uint32_t o = 0; o < h->output_count; o++) {
        if (v->outputs[o].export_begin > v->outputs[o + 1].export_begin) return false;
    }
    if (v->outputs[h->output_count].export_begin != h->export_count) return false;
    for (uint32_t i = 1; i < h->import_count; i++) {
        if (v->imports[i - 1] >= v->imports[i]) return false;
    }
    return true;
}

weft_status wf_partition_view(const void *bytes, size_t size_bytes, wf_partition *view, weft_error *err)
{
    const char *base = bytes;
    const wf_partition_header *header = bytes;
    if (size_bytes < sizeof *header || header->magic != WF_PARTITION_MAGIC)
        return weft_fail(err, WEFT_EDATA, "%zu bytes that are not a partition of this version; run the same weft on every rank",
                         size_bytes);
    wf_partition_layout at = wf_partition_layout_of(header);
    if (at.size_bytes != size_bytes)
        return weft_fail(err, WEFT_EDATA, "a partition of %zu bytes came as %zu; the message was cut", at.size_bytes, size_bytes);
    wf_partition v = {
        .header = header,
        .task_refs = (const uint64_t *)(base + at.task_refs),
        .imports = (const uint64_t *)(base + at.imports),
        .tasks = (const wf_partition_task *)(base + at.tasks),
        .outputs = (const wf_partition_output *)(base + at.outputs),
        .inputs = (const uint32_t *)(base + at.inputs),
        .exports = (const uint32_t *)(base + at.exports),
        .params = base + at.params,
        .keys = base + at.keys,
    };
    if (!is_sound(&v))
        return weft_fail(err, WEFT_EDATA, "partition %u holds indices beyond its own arrays; the message was damaged", header->partition);
    *view = v;
    return WEFT_OK;
}
