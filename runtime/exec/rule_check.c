/* Comparing rules with their inverses, task by task: before anything runs when `debug.check_rules` asks for it, and when a graph has stalled. */
#include <inttypes.h>

#include "exec/rule_layers.h"

static bool has(const weft_interval *intervals, size_t count, uint64_t index)
{
    for (size_t i = 0; i < count; i++) {
        if (index >= intervals[i].begin && index < intervals[i].end) return true;
    }
    return false;
}

/* Every input of task i names it as a consumer. */
static weft_status check_inputs(const wf_rule_edge *edge, uint64_t i, uint64_t *questions, weft_error *err)
{
    weft_interval inputs[WEFT_MAX_INTERVALS], consumers[WEFT_MAX_INTERVALS];
    size_t input_count, consumer_count;
    char task[64], source[64];
    weft_status status = wf_rule_edge_inputs(edge, i, inputs, &input_count, err);
    for (size_t k = 0; status == WEFT_OK && k < input_count; k++) {
        for (uint64_t j = inputs[k].begin; status == WEFT_OK && j < inputs[k].end && *questions > 0; j++) {
            --*questions;
            status = wf_rule_edge_consumers(edge, j, consumers, &consumer_count, err);
            if (status == WEFT_OK && !has(consumers, consumer_count, i))
                status = weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" disagrees with its inverse: task %s takes task %s, which does not name it "
                                   "among its consumers", edge->rule->name, wf_rule_layer_task_text(edge->layer, i, task),
                                   wf_rule_layer_task_text(edge->source, j, source));
        }
    }
    return status;
}

/* Every consumer of task j has it as an input. */
static weft_status check_consumers(const wf_rule_edge *edge, uint64_t j, uint64_t *questions, weft_error *err)
{
    weft_interval inputs[WEFT_MAX_INTERVALS], consumers[WEFT_MAX_INTERVALS];
    size_t input_count, consumer_count;
    char task[64], source[64];
    weft_status status = wf_rule_edge_consumers(edge, j, consumers, &consumer_count, err);
    for (size_t k = 0; status == WEFT_OK && k < consumer_count; k++) {
        for (uint64_t i = consumers[k].begin; status == WEFT_OK && i < consumers[k].end && *questions > 0; i++) {
            --*questions;
            status = wf_rule_edge_inputs(edge, i, inputs, &input_count, err);
            if (status == WEFT_OK && !has(inputs, input_count, j))
                status = weft_fail(err, WEFT_EGRAPH, "rule \"%.64s\" disagrees with its inverse: task %s names task %s as a consumer, which does "
                                   "not take it", edge->rule->name, wf_rule_layer_task_text(edge->source, j, source),
                                   wf_rule_layer_task_text(edge->layer, i, task));
        }
    }
    return status;
}

static weft_status check_task(const wf_rule_layer *layer, uint64_t index, uint64_t *questions, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (uint32_t d = 0; d < layer->spec->dependency_count && status == WEFT_OK; d++)
        status = check_inputs(&layer->inputs[d], index, questions, err);
    for (const wf_rule_edge *e = layer->consumers; e && status == WEFT_OK; e = e->next_of_source)
        status = check_consumers(e, index, questions, err);
    if (status != WEFT_OK && err) wf_rule_layer_task_text(layer, index, err->task);
    return status;
}

weft_status wf_rule_layers_check(const wf_rule_layers *layers, uint32_t partition, uint64_t *questions, uint64_t *ref, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (size_t l = 0; l < layers->view.layer_count && status == WEFT_OK; l++) {
        const wf_rule_layer *layer = &layers->layers[l];
        weft_interval run = {0};
        if (!layer->spec->is_needed) continue;
        while (status == WEFT_OK && *questions > 0 && wf_owners_next(&layer->owners, partition, run.end, &run)) {
            for (uint64_t i = run.begin; i < run.end && status == WEFT_OK && *questions > 0; i++) {
                --*questions;
                *ref = wf_ref_of_layer(layer->number, i, 0);
                status = check_task(layer, i, questions, err);
            }
        }
    }
    return status;
}
