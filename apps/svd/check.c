/* One graph: X again, the kept U, s and v, and what linalg measures of them. The client's thread. */
#include "check.h"

static weft_status build(const svd_matrix *matrix, const svd_decomposition *made, weft_graph *graph, weft_ref results[2], weft_error *err)
{
    weft_tall x = {0}, u = {0};
    weft_ref s, v;
    weft_status status = svd_matrix_add(matrix, graph, &x, err);
    if (status == WEFT_OK) status = svd_decomposition_add_u(made, graph, &u, err);
    if (status == WEFT_OK) status = weft_graph_add_future(graph, made->s, &s, err);
    if (status == WEFT_OK) status = weft_graph_add_future(graph, made->v, &v, err);
    if (status == WEFT_OK) status = weft_svd_check(graph, &x, &u, s, v, &results[0], &results[1], err);
    weft_tall_fini(&x);
    weft_tall_fini(&u);
    return status;
}

weft_status svd_check_run(const svd_matrix *matrix, const svd_decomposition *made, weft_session *session, svd_check *check,
                          weft_error *err)
{
    weft_graph *graph = NULL;
    weft_ref results[2];
    weft_chunk *chunks[2] = {NULL, NULL};
    weft_status status = weft_graph_create(&graph, err);
    if (status == WEFT_OK) status = build(matrix, made, graph, results, err);
    if (status == WEFT_OK) status = weft_compute(session, graph, results, 2, chunks, err);
    if (status == WEFT_OK)
        *check = (svd_check){true, *(const double *)weft_chunk_data(chunks[0]), *(const double *)weft_chunk_data(chunks[1])};
    weft_chunk_release(chunks[0]);
    weft_chunk_release(chunks[1]);
    weft_graph_destroy(graph);
    return status;
}
