/* Layers as bytes: the counts, then every array on a 16-byte boundary, in native byte order. Any thread. */
#include <string.h>

#include "base/memory.h"
#include "graph/graph.h"

enum { ALIGNMENT = 16, ARRAY_COUNT = 8 };

typedef struct wire_header {
    uint64_t counts[ARRAY_COUNT]; /* in the sequence of wf_layers */
} wire_header;

static const size_t element_bytes[ARRAY_COUNT] = {
    sizeof(wf_layer), sizeof(wf_layer_dependency), sizeof(uint64_t), sizeof(int32_t), sizeof(wf_wanted), sizeof(uint32_t), 1, 1};

static wire_header make_header(const wf_layers *l)
{
    return (wire_header){{l->layer_count, l->dependency_count, l->output_count, l->rank_count, l->wanted_count, l->rule_count,
                          l->param_bytes, l->text_bytes}};
}

/* Where each array begins, and the bytes of all; false when that does not fit in a size_t. */
static bool lay_out(const wire_header *header, size_t begins[ARRAY_COUNT], size_t *size_bytes)
{
    size_t at = sizeof *header, bytes;
    for (size_t i = 0; i < ARRAY_COUNT; i++) {
        begins[i] = at;
        if (!wf_size_mul(header->counts[i], element_bytes[i], &bytes) || bytes > SIZE_MAX / 2 - at) return false;
        at = (at + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    *size_bytes = at;
    return true;
}

size_t wf_layers_bytes(const wf_layers *layers)
{
    wire_header header = make_header(layers);
    size_t begins[ARRAY_COUNT], bytes = 0;
    lay_out(&header, begins, &bytes); /* they are in memory, so they fit */
    return bytes;
}

void wf_layers_write(const wf_layers *layers, void *bytes)
{
    wire_header header = make_header(layers);
    const void *const arrays[ARRAY_COUNT] = {layers->layers, layers->dependencies, layers->output_bytes, layers->owner_ranks,
                                             layers->wanted, layers->rule_names, layers->params, layers->texts};
    size_t begins[ARRAY_COUNT], size_bytes = 0;
    lay_out(&header, begins, &size_bytes);
    memset(bytes, 0, size_bytes);
    memcpy(bytes, &header, sizeof header);
    for (size_t i = 0; i < ARRAY_COUNT; i++) {
        if (header.counts[i]) memcpy((char *)bytes + begins[i], arrays[i], header.counts[i] * element_bytes[i]);
    }
}

/* ---- checking what came ---- */

static bool is_range(uint64_t begin, uint64_t count, uint64_t all)
{
    return begin <= all && count <= all - begin;
}

static bool is_shape(const wf_layer *layer)
{
    uint64_t count = 1;
    if (layer->dim_count < 1 || layer->dim_count > WEFT_MAX_DIMS) return false;
    for (int d = 0; d < WEFT_MAX_DIMS; d++) {
        if (layer->extents[d] < 1 || (uint64_t)layer->extents[d] > WF_MAX_LAYER_TASKS / count) return false;
        count *= (uint64_t)layer->extents[d];
    }
    return count == layer->task_count;
}

static bool is_owner_rule(const wf_layers *v, const wf_layer *layer)
{
    const wf_owner_rule *o = &layer->owners;
    int64_t most = (int64_t)WF_MAX_LAYER_TASKS;
    if (o->kind > WEFT_OWNER_GIVEN || o->scale < 1 || o->stride < 1 || o->extent < 1 || o->block < 1) return false;
    if (o->scale > most || o->stride > most || o->extent > most || o->stride > most / o->extent) return false;
    if (o->scale > 1 && (int64_t)(layer->task_count - 1) > most / o->scale) return false;
    /* Joins of a tree lie along one row of leaves; to count them in others would take a step for each row. */
    if (o->scale > 1 && (o->kind == WEFT_OWNER_CYCLIC || (int64_t)(layer->task_count - 1) * o->scale >= o->extent * o->stride)) return false;
    if (o->scale == 1 && layer->task_count % (uint64_t)(o->extent * o->stride) != 0) return false;
    return o->kind != WEFT_OWNER_GIVEN || is_range(o->ranks_begin, (uint64_t)o->extent, v->rank_count);
}

static bool is_dependency(const wf_layers *v, uint32_t number, const wf_layer_dependency *d)
{
    return d->rule < v->rule_count && d->source >= 1 && d->source <= number && d->output < v->layers[d->source - 1].output_count &&
           is_range(d->param_begin, d->param_bytes, v->param_bytes) && d->param_begin % ALIGNMENT == 0;
}

/* Layers have their dependencies one after the other, so that none is in two lists of edges. */
static bool is_layer(const wf_layers *v, size_t index, size_t kernel_count)
{
    const wf_layer *layer = &v->layers[index], *before = index ? layer - 1 : NULL;
    uint32_t dependency_begin = before ? before->dependency_begin + before->dependency_count : 0;
    bool is_good = layer->kernel < kernel_count && is_shape(layer) && is_owner_rule(v, layer) &&
                   layer->dependency_count <= WEFT_MAX_DEPENDENCIES && layer->output_count >= 1 && layer->output_count <= WEFT_MAX_OUTPUTS &&
                   layer->dependency_begin == dependency_begin &&
                   is_range(layer->dependency_begin, layer->dependency_count, v->dependency_count) &&
                   is_range(layer->output_begin, layer->output_count, v->output_count) &&
                   is_range(layer->param_begin, layer->param_bytes, v->param_bytes) && layer->param_begin % ALIGNMENT == 0 &&
                   layer->name < v->text_bytes;
    for (uint32_t d = 0; is_good && d < layer->dependency_count; d++)
        is_good = is_dependency(v, (uint32_t)index + 1, &v->dependencies[layer->dependency_begin + d]);
    return is_good;
}

static bool is_sorted(const wf_wanted *a, const wf_wanted *b)
{
    bool is_a_import = a->partition != UINT32_MAX, is_b_import = b->partition != UINT32_MAX;
    if (wf_ref_layer(a->ref) != wf_ref_layer(b->ref)) return wf_ref_layer(a->ref) < wf_ref_layer(b->ref);
    if (is_a_import != is_b_import) return is_b_import;
    return wf_wanted_key(a->ref) + (is_a_import ? 0 : a->count) <= wf_wanted_key(b->ref);
}

static bool is_wanted(const wf_layers *v, const wf_wanted *wanted, const wf_wanted *before)
{
    uint32_t number = wf_ref_layer(wanted->ref);
    if (number < 1 || number > v->layer_count || (before && !is_sorted(before, wanted))) return false;
    const wf_layer *layer = &v->layers[number - 1];
    return wf_ref_output(wanted->ref) < layer->output_count && is_range(wf_ref_task(wanted->ref), wanted->count, layer->task_count);
}

static bool is_consistent(const wf_layers *v, size_t kernel_count)
{
    bool is_good = v->text_bytes == 0 || v->texts[v->text_bytes - 1] == '\0';
    for (size_t i = 0; is_good && i < v->rule_count; i++) is_good = v->rule_names[i] < v->text_bytes;
    for (size_t i = 0; is_good && i < v->rank_count; i++) is_good = v->owner_ranks[i] >= 0;
    for (size_t i = 0; is_good && i < v->layer_count; i++) is_good = is_layer(v, i, kernel_count);
    for (size_t i = 0; is_good && i < v->wanted_count; i++) is_good = is_wanted(v, &v->wanted[i], i ? &v->wanted[i - 1] : NULL);
    return is_good;
}

weft_status wf_layers_view(void *bytes, size_t size_bytes, size_t kernel_count, wf_layers *view, weft_error *err)
{
    wire_header header;
    size_t begin[ARRAY_COUNT], need = 0;
    char *base = bytes;
    if (size_bytes >= sizeof header) memcpy(&header, bytes, sizeof header);
    if (size_bytes < sizeof header || !lay_out(&header, begin, &need) || need != size_bytes)
        return weft_fail(err, WEFT_EDATA, "the layers of a graph in %zu bytes; they were cut", size_bytes);
    wf_layers v = {header.counts[0], header.counts[1], header.counts[2], header.counts[3], header.counts[4], header.counts[5],
                   header.counts[6], header.counts[7], (wf_layer *)(base + begin[0]), (wf_layer_dependency *)(base + begin[1]),
                   (uint64_t *)(base + begin[2]), (int32_t *)(base + begin[3]), (wf_wanted *)(base + begin[4]),
                   (uint32_t *)(base + begin[5]), base + begin[6], base + begin[7]};
    if (v.layer_count > WF_MAX_LAYERS || !is_consistent(&v, kernel_count))
        return weft_fail(err, WEFT_EDATA, "the layers of a graph are inconsistent; the message was damaged");
    *view = v;
    return WEFT_OK;
}
