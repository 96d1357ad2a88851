/* Owns the graph while it runs, and the futures afterwards. The client's thread. */
#include "decompose.h"

#include <stdlib.h>
#include <time.h>

double svd_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static weft_status build(const svd_matrix *matrix, const weft_session *session, weft_graph *graph, weft_tall *x,
                         weft_svd_refs *refs, weft_error *err)
{
    const weft_config *config = weft_session_config(session);
    weft_svd_options options = WEFT_SVD_OPTIONS_INIT;
    options.components = matrix->components;
    options.values_only = matrix->line->values_only;
    options.fan_in = (int)weft_config_int(config, "linalg.tsqr_fan_in");
    options.leaf_rows = svd_matrix_leaf_rows(matrix, session);
    weft_status status = svd_matrix_add(matrix, graph, x, err);
    if (status == WEFT_OK) status = weft_svd_tall(graph, x, &options, refs, err);
    return status;
}

/* The chunks of U, then s, then v. */
static weft_status persist(weft_session *session, const weft_graph *graph, const weft_svd_refs *refs, svd_decomposition *made,
                           weft_error *err)
{
    bool has_vectors = refs->u.chunk_count > 0;
    size_t u_count = refs->u.chunk_count, count = u_count + (has_vectors ? 2 : 1);
    weft_ref *roots = calloc(count, sizeof *roots);
    weft_future **futures = calloc(count, sizeof(weft_future *));
    weft_status status = roots && futures ? WEFT_OK : weft_fail(err, WEFT_ENOMEM, "no memory for %zu results; use a larger --chunk", count);
    if (status == WEFT_OK) {
        for (size_t i = 0; i < u_count; i++) roots[i] = refs->u.chunks[i];
        roots[u_count] = refs->s;
        if (has_vectors) roots[u_count + 1] = refs->v;
        double start = svd_clock_seconds();
        status = weft_persist(session, graph, roots, count, futures, err);
        made->compute_seconds = svd_clock_seconds() - start;
    }
    free(roots);
    if (status != WEFT_OK) {
        free(futures);
        return status;
    }
    made->s = futures[u_count];
    made->v = has_vectors ? futures[u_count + 1] : NULL;
    made->u = futures;
    return WEFT_OK;
}

/* Brings s and v to the client. */
static weft_status gather(weft_session *session, svd_decomposition *made, weft_error *err)
{
    weft_graph *graph = NULL;
    weft_ref refs[2];
    weft_chunk *chunks[2] = {NULL, NULL};
    weft_status status = weft_graph_create(&graph, err);
    if (status == WEFT_OK) status = weft_graph_add_future(graph, made->s, &refs[0], err);
    if (status == WEFT_OK && made->v) status = weft_graph_add_future(graph, made->v, &refs[1], err);
    if (status == WEFT_OK) status = weft_compute(session, graph, refs, made->v ? 2 : 1, chunks, err);
    if (status == WEFT_OK) {
        made->s_values = chunks[0];
        made->v_values = chunks[1];
    }
    weft_graph_destroy(graph);
    return status;
}

weft_status svd_decompose(const svd_matrix *matrix, weft_session *session, svd_decomposition *result, weft_error *err)
{
    svd_decomposition made = {0};
    weft_graph *graph = NULL;
    weft_svd_refs refs = {0};
    double start = svd_clock_seconds();
    weft_status status = weft_graph_create(&graph, err);
    if (status == WEFT_OK) status = build(matrix, session, graph, &made.cut, &refs, err);
    if (status != WEFT_OK) goto out;
    made.build_seconds = svd_clock_seconds() - start;
    made.task_count = weft_graph_task_count(graph);
    if (matrix->line->picture) status = weft_graph_draw(graph, matrix->line->picture, err);
    if (status == WEFT_OK) status = persist(session, graph, &refs, &made, err);
    if (status == WEFT_OK) status = gather(session, &made, err);
out:
    weft_tall_fini(&refs.u);
    weft_graph_destroy(graph);
    if (status == WEFT_OK)
        *result = made;
    else
        svd_decomposition_fini(&made);
    return status;
}

void svd_decomposition_fini(svd_decomposition *made)
{
    for (size_t i = 0; made->v && i < made->cut.chunk_count; i++) weft_future_release(made->u[i]);
    weft_future_release(made->s);
    weft_future_release(made->v);
    weft_chunk_release(made->s_values);
    weft_chunk_release(made->v_values);
    weft_tall_fini(&made->cut);
    free(made->u);
    *made = (svd_decomposition){0};
}

weft_status svd_decomposition_add_u(const svd_decomposition *made, weft_graph *graph, weft_tall *u, weft_error *err)
{
    weft_tall added = {0};
    weft_status status = weft_tall_init_like(&added, &made->cut, weft_chunk_extent(made->s_values, 0), err);
    for (size_t i = 0; status == WEFT_OK && i < added.chunk_count; i++)
        status = weft_graph_add_future(graph, made->u[i], &added.chunks[i], err);
    if (status == WEFT_OK)
        *u = added;
    else
        weft_tall_fini(&added);
    return status;
}
