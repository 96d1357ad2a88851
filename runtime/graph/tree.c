/* A tree of joins over the tasks of a layer: a layer for each level. Any thread that builds the graph. */
#include "graph/graph.h"

/* Joins lie where their first leaf does, as long as that deals them out as it deals out the leaves. In a space of several rows the first
 * leaves of all joins may have one coordinate, and so they may in turns that a join does not divide: there joins are cut into blocks of
 * their own. The last one's first leaf is the first of all, whatever the scale. */
static wf_owner_rule join_owners(const wf_layer *below, int64_t joins, int64_t fan_in)
{
    wf_owner_rule own = below->owners;
    bool has_one_row = (uint64_t)own.extent * (uint64_t)own.stride >= below->task_count;
    if (has_one_row && own.kind == WEFT_OWNER_CYCLIC) {
        int64_t block = own.block < own.extent ? own.block * own.stride : joins * fan_in; /* in tasks below */
        if (block % fan_in == 0)
            return (wf_owner_rule){.kind = WEFT_OWNER_CYCLIC, .scale = 1, .stride = 1, .extent = joins, .block = block / fan_in};
    } else if (has_one_row) {
        own.scale = own.scale > (int64_t)WF_MAX_LAYER_TASKS / fan_in ? (int64_t)WF_MAX_LAYER_TASKS : own.scale * fan_in;
        return own;
    }
    return (wf_owner_rule){.kind = WEFT_OWNER_BLOCK, .scale = 1, .stride = 1, .extent = joins, .block = 1};
}

static weft_status add_level(weft_graph *graph, const weft_layer_spec *spec, weft_layer below, size_t output, int64_t fan_in,
                             weft_layer *level, weft_error *err)
{
    const wf_layer *source = &graph->layers.all.layers[below.index - 1];
    int64_t tasks = (int64_t)(source->task_count / (uint64_t)fan_in + (source->task_count % (uint64_t)fan_in != 0));
    weft_dependency dependency = {.rule = &weft_tree_rule, .source = below, .output = output, .params = &fan_in,
                                  .param_bytes = sizeof fan_in};
    weft_layer_spec own = *spec;
    own.dim_count = 1;
    own.extents[0] = tasks;
    own.dependencies = &dependency;
    own.dependency_count = 1;
    own.output_count = 1;
    own.owners = (weft_owner_map){0};
    wf_owner_rule owners = join_owners(source, tasks, fan_in);
    return wf_graph_add_layer(graph, &own, &owners, level, err);
}

/* Room that was made stays. */
static void take_back(weft_graph *graph, const wf_layers *before, size_t kernel_count)
{
    wf_layers *all = &graph->layers.all;
    all->layer_count = before->layer_count;
    all->dependency_count = before->dependency_count;
    all->output_count = before->output_count;
    all->rule_count = before->rule_count;
    all->param_bytes = before->param_bytes;
    all->text_bytes = before->text_bytes;
    graph->kernel_count = kernel_count;
}

weft_status weft_graph_add_tree(weft_graph *graph, const weft_layer_spec *spec, weft_layer leaves, size_t output, int64_t fan_in,
                                weft_ref *root, weft_error *err)
{
    weft_layer level = leaves;
    weft_status status = WEFT_OK;
    wf_layers before = graph->layers.all;
    size_t kernel_count = graph->kernel_count;
    if (fan_in < 2) return weft_fail(err, WEFT_EINVAL, "a tree with a fan-in of %lld; at least 2", (long long)fan_in);
    if (weft_layer_task_count(graph, leaves) == 0)
        return weft_fail(err, WEFT_EINVAL, "the leaves are no layer of this graph; use what weft_graph_add_layer gave");
    if ((uint64_t)fan_in > WF_MAX_LAYER_TASKS) fan_in = (int64_t)WF_MAX_LAYER_TASKS; /* more than any layer has */
    do {
        status = add_level(graph, spec, level, output, fan_in, &level, err);
        output = 0;
    } while (status == WEFT_OK && weft_layer_task_count(graph, level) > 1);
    if (status != WEFT_OK) take_back(graph, &before, kernel_count);
    if (status == WEFT_OK && root) *root = weft_layer_output(level, 0, 0);
    return status;
}
