/* Builds the tall-skinny SVD: a QR per chunk, a tree of merges up to one triangle, its SVD, and the way back down to the rows of U.
 *
 * Invariant: the tree's shape depends on the number of chunks and the fan-in alone. Level 0 of the tree is the chunks; a node of level
 * l + 1 stands for fan_in nodes of level l. A node that would have a single child is that child. Client thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/linalg.h>

#include "array/tall.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "linalg/chunk_qr.h"
#include "linalg/svd_kernels.h"

enum { DEFAULT_FAN_IN = 4, MAX_LEVELS = 65 };

static const size_t DEFAULT_L2_BYTES = 1 << 20;

typedef struct builder {
    weft_graph *graph;
    const weft_tall *x;
    wf_svd_params params; /* rows and children are set per task */
    size_t fan_in;
    bool values_only;
    size_t level_count;
    size_t begin[MAX_LEVELS]; /* of a level's nodes in the arrays */
    size_t count[MAX_LEVELS];
    weft_ref *node; /* the task that made a node's triangle, its output 0 */
    weft_ref *c;    /* what a node's Q is applied to */
} builder;

int64_t weft_svd_leaf_rows(size_t l2_bytes, int64_t cols)
{
    if (cols < 1) return 1;
    /* Two fifths of the cache for a block, so that its copies and the triangles have room; but tall enough for the work per block, of
     * order cols^3, to stay small beside the work per row. */
    size_t rows = l2_bytes / 5 * 2 / sizeof(double) / (size_t)cols, least = 4 * (size_t)cols;
    return (int64_t)(rows > least ? rows : least);
}

static size_t doubles(int64_t rows, int64_t cols)
{
    return (size_t)rows * (size_t)cols * sizeof(double);
}

static weft_status add_leaf(const builder *b, size_t index, weft_ref *leaf, weft_error *err)
{
    wf_svd_params params = b->params;
    params.rows = b->x->chunk_rows[index];
    const wf_chunk_shape shape = {.rows = params.rows, .cols = params.cols, .leaf_rows = params.leaf_rows};
    const size_t bytes[WF_LEAF_OUTPUTS] = {[WF_LEAF_R] = doubles(params.cols, params.cols),
                                           [WF_LEAF_V] = doubles(params.rows, params.cols),
                                           [WF_LEAF_TAU] = doubles(wf_chunk_qr_block_count(&shape), params.cols)};
    char key[48];
    snprintf(key, sizeof key, "qr-leaf-%zu", index);
    weft_task_spec spec = wf_task_spec_make(b->values_only ? &wf_qr_leaf_r_kernel : &wf_qr_leaf_kernel, &b->x->chunks[index], 1, &params,
                                            sizeof params);
    spec.output_count = b->values_only ? 1 : WF_LEAF_OUTPUTS;
    spec.output_bytes = bytes;
    spec.cost = 2.0 * (double)params.rows * (double)params.cols * (double)params.cols;
    spec.key = key;
    return weft_graph_add(b->graph, &spec, leaf, err);
}

/* The nodes of level - 1 that a node of `level` stands for. */
static size_t first_child(const builder *b, size_t index)
{
    return index * b->fan_in;
}

static size_t child_count(const builder *b, size_t level, size_t index)
{
    size_t left = b->count[level - 1] - first_child(b, index);
    return left < b->fan_in ? left : b->fan_in;
}

static double cube(int64_t n)
{
    return (double)n * (double)n * (double)n;
}

static weft_status add_merge(const builder *b, size_t level, size_t index, weft_ref *merged, weft_error *err)
{
    const weft_ref *children = b->node + b->begin[level - 1] + first_child(b, index);
    size_t count = child_count(b, level, index);
    if (count == 1) {
        *merged = children[0];
        return WEFT_OK;
    }
    int64_t n = b->params.cols, stacked = (int64_t)count - 1;
    const size_t bytes[WF_LEAF_OUTPUTS] = {
        [WF_LEAF_R] = doubles(n, n), [WF_LEAF_V] = doubles(stacked * n, n), [WF_LEAF_TAU] = doubles(stacked, n)};
    char key[48];
    snprintf(key, sizeof key, "merge-%zu-%zu", level, index);
    weft_task_spec spec = wf_task_spec_make(b->values_only ? &wf_qr_merge_r_kernel : &wf_qr_merge_kernel, children, count, &b->params,
                                            sizeof b->params);
    spec.output_count = b->values_only ? 1 : WF_LEAF_OUTPUTS;
    spec.output_bytes = bytes;
    spec.cost = 2.0 * (double)stacked * cube(n);
    spec.key = key;
    return weft_graph_add(b->graph, &spec, merged, err);
}

static weft_status add_way_up(builder *b, weft_error *err)
{
    for (size_t level = 0; level < b->level_count; level++) {
        for (size_t i = 0; i < b->count[level]; i++) {
            weft_ref *node = &b->node[b->begin[level] + i];
            weft_status status = level == 0 ? add_leaf(b, i, node, err) : add_merge(b, level, i, node, err);
            if (status != WEFT_OK) return status;
        }
    }
    return WEFT_OK;
}

static weft_status add_root(const builder *b, weft_ref *root, weft_error *err)
{
    int64_t n = b->params.cols, k = b->params.k;
    const size_t bytes[WF_ROOT_OUTPUTS] = {[WF_ROOT_S] = doubles(k, 1), [WF_ROOT_V] = doubles(n, k), [WF_ROOT_C] = doubles(n, k)};
    weft_task_spec spec = wf_task_spec_make(b->values_only ? &wf_svd_root_s_kernel : &wf_svd_root_kernel,
                                            &b->node[b->begin[b->level_count - 1]], 1, &b->params, sizeof b->params);
    spec.output_count = b->values_only ? 1 : WF_ROOT_OUTPUTS;
    spec.output_bytes = bytes;
    spec.cost = (b->values_only ? 10.0 : 60.0) * cube(n); /* with how much slower it runs than a matrix product */
    spec.key = "svd";
    return weft_graph_add(b->graph, &spec, root, err);
}

static weft_status add_split(builder *b, size_t level, size_t index, weft_error *err)
{
    weft_ref node = b->node[b->begin[level] + index], c = b->c[b->begin[level] + index], first;
    weft_ref *children = b->c + b->begin[level - 1] + first_child(b, index);
    size_t count = child_count(b, level, index), bytes[WEFT_MAX_OUTPUTS];
    if (count == 1) {
        children[0] = c;
        return WEFT_OK;
    }
    wf_svd_params params = b->params;
    params.children = (int64_t)count;
    for (size_t i = 0; i < count; i++) bytes[i] = doubles(params.cols, params.k);
    const weft_ref inputs[3] = {weft_output(node, WF_LEAF_V), weft_output(node, WF_LEAF_TAU), c};
    char key[48];
    snprintf(key, sizeof key, "split-%zu-%zu", level, index);
    weft_task_spec spec = wf_task_spec_make(&wf_qr_split_kernel, inputs, 3, &params, sizeof params);
    spec.output_count = count;
    spec.output_bytes = bytes;
    spec.cost = 4.0 * (double)count * cube(params.cols);
    spec.key = key;
    weft_status status = weft_graph_add(b->graph, &spec, &first, err);
    for (size_t i = 0; status == WEFT_OK && i < count; i++) children[i] = weft_output(first, i);
    return status;
}

static weft_status add_apply(const builder *b, size_t index, weft_ref *u, weft_error *err)
{
    wf_svd_params params = b->params;
    params.rows = b->x->chunk_rows[index];
    double rows = (double)params.rows, n = (double)params.cols;
    const weft_ref inputs[3] = {weft_output(b->node[index], WF_LEAF_V), weft_output(b->node[index], WF_LEAF_TAU), b->c[index]};
    size_t bytes = doubles(params.rows, params.k);
    char key[48];
    snprintf(key, sizeof key, "apply-%zu", index);
    weft_task_spec spec = wf_task_spec_make(&wf_qr_apply_kernel, inputs, 3, &params, sizeof params);
    spec.output_bytes = &bytes;
    spec.cost = rows * n * (n + 2.0 * (double)params.k);
    spec.key = key;
    return weft_graph_add(b->graph, &spec, u, err);
}

static weft_status add_way_down(builder *b, weft_ref root, weft_tall *u, weft_error *err)
{
    b->c[b->begin[b->level_count - 1]] = weft_output(root, WF_ROOT_C);
    for (size_t level = b->level_count - 1; level > 0; level--) {
        for (size_t i = 0; i < b->count[level]; i++) {
            weft_status status = add_split(b, level, i, err);
            if (status != WEFT_OK) return status;
        }
    }
    for (size_t i = 0; i < u->chunk_count; i++) {
        weft_status status = add_apply(b, i, &u->chunks[i], err);
        if (status != WEFT_OK) return status;
    }
    return WEFT_OK;
}

/* Lays the levels out; returns the number of nodes. */
static size_t lay_out(builder *b)
{
    size_t nodes = 0, count = b->x->chunk_count;
    for (;; count = count / b->fan_in + (count % b->fan_in != 0)) {
        b->begin[b->level_count] = nodes;
        b->count[b->level_count++] = count;
        nodes += count;
        if (count == 1) return nodes;
    }
}

static weft_status check_options(const weft_tall *x, const weft_svd_options *o, weft_error *err)
{
    weft_status status = wf_tall_check(x, x->cols, err);
    if (status != WEFT_OK) return status;
    if (o->components < 0 || o->components > x->cols)
        return weft_fail(err, WEFT_EINVAL, "%lld components of %lld columns are not there; ask for 1 to %lld, or 0 for all",
                         (long long)o->components, (long long)x->cols, (long long)x->cols);
    if (o->fan_in != 0 && (o->fan_in < 2 || o->fan_in > WEFT_MAX_OUTPUTS))
        return weft_fail(err, WEFT_EINVAL, "a fan-in of %d is out of range; use 2 to %d, or 0 for %d", o->fan_in, WEFT_MAX_OUTPUTS,
                         DEFAULT_FAN_IN);
    if (o->leaf_rows < 0 || o->leaf_rows > INT32_MAX / x->cols)
        return weft_fail(err, WEFT_EINVAL, "leaves of %lld rows are out of range; use 0 for the default, or at most %lld",
                         (long long)o->leaf_rows, (long long)(INT32_MAX / x->cols));
    return WEFT_OK;
}

/* What the caller's version of the options holds; the rest as by default. */
static weft_status take_options(const weft_svd_options *given, weft_svd_options *taken, weft_error *err)
{
    *taken = (weft_svd_options)WEFT_SVD_OPTIONS_INIT;
    if (!given) return WEFT_OK;
    if (given->size_bytes < offsetof(weft_svd_options, components) || given->size_bytes > sizeof *taken)
        return weft_fail(err, WEFT_EINVAL, "options of %zu bytes are not ones of this version; start from WEFT_SVD_OPTIONS_INIT",
                         given->size_bytes);
    memcpy(taken, given, given->size_bytes);
    return WEFT_OK;
}

static builder make_builder(weft_graph *graph, const weft_tall *x, const weft_svd_options *o)
{
    builder b = {.graph = graph, .x = x, .values_only = o->values_only, .fan_in = o->fan_in ? (size_t)o->fan_in : DEFAULT_FAN_IN};
    b.params.cols = x->cols;
    b.params.k = o->components ? o->components : x->cols;
    b.params.leaf_rows = o->leaf_rows ? o->leaf_rows : weft_svd_leaf_rows(DEFAULT_L2_BYTES, x->cols);
    return b;
}

weft_status weft_svd_tall(weft_graph *graph, const weft_tall *x, const weft_svd_options *options, weft_svd_refs *out, weft_error *err)
{
    weft_svd_options taken;
    weft_svd_refs refs = {0};
    weft_status status = take_options(options, &taken, err);
    if (status == WEFT_OK) status = check_options(x, &taken, err);
    if (status != WEFT_OK) return status;
    builder b = make_builder(graph, x, &taken);
    size_t nodes = lay_out(&b);
    b.node = wf_calloc(2 * nodes, sizeof *b.node, err);
    if (!b.node) return WEFT_ENOMEM;
    b.c = b.node + nodes;
    status = add_way_up(&b, err);
    if (status == WEFT_OK) status = add_root(&b, &refs.s, err);
    if (status != WEFT_OK || b.values_only) goto out;
    refs.v = weft_output(refs.s, WF_ROOT_V);
    status = weft_tall_init_like(&refs.u, x, b.params.k, err);
    if (status == WEFT_OK) status = add_way_down(&b, refs.s, &refs.u, err);
out:
    free(b.node);
    if (status == WEFT_OK)
        *out = refs;
    else
        weft_tall_fini(&refs.u);
    return status;
}
