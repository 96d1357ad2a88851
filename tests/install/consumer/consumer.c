/* A program with a kernel of its own, built on the installed headers and library and nothing of the source tree. */
#include <weft/weft.h>

#include <stdio.h>

WEFT_KERNEL(multiply)
{
    const int64_t *factors = weft_task_params(task, NULL);
    int64_t *product = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!product) return err->status;
    *product = factors[0] * factors[1];
    return WEFT_OK;
}

static int client(weft_session *session, int argc, char **argv)
{
    static const int64_t factors[] = {6, 7};
    weft_graph *graph = NULL;
    weft_chunk *chunk = NULL;
    weft_error err = WEFT_ERROR_INIT;
    weft_ref product;
    (void)argc;
    (void)argv;
    weft_status status = weft_graph_create(&graph, &err);
    if (status == WEFT_OK) status = weft_graph_add_task(graph, &multiply_kernel, NULL, 0, factors, sizeof factors, &product, &err);
    if (status == WEFT_OK) status = weft_compute(session, graph, &product, 1, &chunk, &err);
    int64_t value = status == WEFT_OK ? *(const int64_t *)weft_chunk_data(chunk) : 0;
    printf("%lld %s\n", (long long)value, err.text);
    weft_chunk_release(chunk);
    weft_graph_destroy(graph);
    return value == 42 ? 0 : 1;
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
