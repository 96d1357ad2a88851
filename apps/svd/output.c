/* Owns the sinks. Invariant: no file bears its final name before all of them are complete, and none
 * keeps it when another cannot get its own. The client's thread. */
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static weft_status open_one(svd_output *output, int which, const char *prefix, int dim_count, const int64_t *extents, weft_error *err)
{
    static const char *const endings[SVD_OUTPUT_COUNT] = {"_u.npy", "_s.npy", "_v.npy"};
    size_t bytes = strlen(prefix) + strlen(endings[which]) + 1;
    char *path = output->paths[which] = malloc(bytes);
    if (!path) return weft_fail(err, WEFT_ENOMEM, "no memory for the name of a file; use a shorter --output");
    snprintf(path, bytes, "%s%s", prefix, endings[which]);
    return weft_matrix_sink_create(path, dim_count, extents, &output->sinks[which], err);
}

weft_status svd_output_open(const svd_matrix *matrix, svd_output *output, weft_error *err)
{
    const char *prefix = matrix->line->output_prefix;
    int64_t k = matrix->components;
    svd_output made = {{NULL}, {NULL}};
    weft_status status = WEFT_OK;
    if (prefix) status = open_one(&made, SVD_OUTPUT_S, prefix, 1, &k, err);
    if (prefix && !matrix->line->values_only) {
        if (status == WEFT_OK) status = open_one(&made, SVD_OUTPUT_U, prefix, 2, (int64_t[]){matrix->rows, k}, err);
        if (status == WEFT_OK) status = open_one(&made, SVD_OUTPUT_V, prefix, 2, (int64_t[]){matrix->cols, k}, err);
    }
    if (status == WEFT_OK)
        *output = made;
    else
        svd_output_close(&made);
    return status;
}

static weft_status write_u(svd_output *output, const svd_decomposition *made, weft_session *session, weft_error *err)
{
    weft_graph *graph = NULL;
    weft_tall u = {0};
    weft_ref *written = calloc(made->cut.chunk_count, sizeof *written);
    weft_chunk **chunks = calloc(made->cut.chunk_count, sizeof(weft_chunk *));
    weft_status status = written && chunks ? weft_graph_create(&graph, err) : weft_fail(err, WEFT_ENOMEM, "no memory for %zu chunks; use a "
                                                                                        "larger --chunk", made->cut.chunk_count);
    if (status == WEFT_OK) status = svd_decomposition_add_u(made, graph, &u, err);
    if (status == WEFT_OK) status = weft_tall_write(graph, &u, output->sinks[SVD_OUTPUT_U], written, err);
    if (status == WEFT_OK) status = weft_compute(session, graph, written, u.chunk_count, chunks, err);
    for (size_t i = 0; chunks && i < made->cut.chunk_count; i++) weft_chunk_release(chunks[i]);
    weft_tall_fini(&u);
    weft_graph_destroy(graph);
    free(written);
    free(chunks);
    return status;
}

weft_status svd_output_write(svd_output *output, const svd_decomposition *made, weft_session *session, weft_error *err)
{
    weft_status status = WEFT_OK;
    if (output->sinks[SVD_OUTPUT_S]) status = weft_matrix_sink_write(output->sinks[SVD_OUTPUT_S], made->s_values, err);
    if (status == WEFT_OK && output->sinks[SVD_OUTPUT_V]) status = weft_matrix_sink_write(output->sinks[SVD_OUTPUT_V], made->v_values, err);
    if (status == WEFT_OK && output->sinks[SVD_OUTPUT_U]) status = write_u(output, made, session, err);
    return status;
}

weft_status svd_output_commit(svd_output *output, weft_error *err)
{
    weft_status status = WEFT_OK;
    int tried = 0;
    for (; status == WEFT_OK && tried < SVD_OUTPUT_COUNT; tried++) {
        if (output->sinks[tried]) status = weft_matrix_sink_commit(output->sinks[tried], err);
    }
    for (int i = 0; status != WEFT_OK && i < tried - 1; i++) {
        if (output->sinks[i]) remove(output->paths[i]);
    }
    return status;
}

void svd_output_close(svd_output *output)
{
    for (int i = 0; i < SVD_OUTPUT_COUNT; i++) {
        weft_matrix_sink_destroy(output->sinks[i]);
        free(output->paths[i]);
    }
    *output = (svd_output){{NULL}, {NULL}};
}
