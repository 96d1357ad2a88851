/* Adds the numbers 0 to 99 in a tree of tasks. */
#include <stdio.h>
#include <weft/weft.h>

WEFT_KERNEL(number)
{
    int64_t *value = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err);
    if (!value) return err->status;
    *value = *(const int64_t *)weft_task_params(task, NULL);
    return WEFT_OK;
}

WEFT_KERNEL(add)
{
    int64_t *sum = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err);
    if (!sum) return err->status;
    *sum = *(const int64_t *)weft_task_input_data(task, 0) + *(const int64_t *)weft_task_input_data(task, 1);
    return WEFT_OK;
}

static int client(weft_session *session, int argc, char **argv)
{
    weft_graph *graph = NULL;
    weft_error err = WEFT_ERROR_INIT;
    weft_ref ref[199]; /* 100 numbers, then 99 sums of two each */
    weft_chunk *sum = NULL;
    if (argc > 1) return fprintf(stderr, "usage: %s\n", argv[0]), 2;
    weft_status status = weft_graph_create(&graph, &err);
    for (int64_t i = 0; i < 100 && !status; i++) status = weft_graph_add_task(graph, &number_kernel, NULL, 0, &i, sizeof i, &ref[i], &err);
    for (int i = 0; i < 99 && !status; i++) status = weft_graph_add_task(graph, &add_kernel, &ref[2 * i], 2, NULL, 0, &ref[100 + i], &err);
    if (!status) status = weft_compute(session, graph, &ref[198], 1, &sum, &err);
    if (!status) printf("the sum is %lld\n", (long long)*(const int64_t *)weft_chunk_data(sum));
    if (status) weft_error_print(stderr, argv[0], &err);
    weft_chunk_release(sum);
    weft_graph_destroy(graph);
    return status ? 1 : 0;
}

int main(int argc, char **argv) { return weft_main(argc, argv, client); }
