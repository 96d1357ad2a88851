/* What a task costs: graphs of tasks that do next to nothing, built and computed through the public API.
 *
 * usage: build-ci/bin/bench.tasks [tasks] [repeats]     alone, or under mpirun; weft's own options (--threads, --scheduler) as usual
 * Prints the least and the median of the repeats, in ns per task: building the graph, computing it, and both.
 * To compare with: Dask's threads 72 us and distributed 2.4 ms a task for the tree of 10,000 leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weft/weft.h>

enum { MAX_REPEATS = 1000 };

typedef weft_status build_graph(weft_graph *graph, size_t task_count, weft_ref *refs, weft_ref *root, weft_error *err);

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

WEFT_KERNEL(one)
{
    int64_t *value = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!value) return err->status;
    *value = 1;
    return WEFT_OK;
}

/* Adds up its inputs: the root of each graph counts the tasks below it, so that none can be missing. */
WEFT_KERNEL(count)
{
    int64_t *sum = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!sum) return err->status;
    *sum = 1;
    for (size_t i = 0; i < weft_task_input_count(task); i++) *sum += *(const int64_t *)weft_task_input_data(task, i);
    return WEFT_OK;
}

static weft_status build_tree(weft_graph *graph, size_t task_count, weft_ref *refs, weft_ref *root, weft_error *err)
{
    size_t leaves = (task_count + 1) / 2;
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < leaves && status == WEFT_OK; i++)
        status = weft_graph_add_task(graph, &one_kernel, NULL, 0, NULL, 0, &refs[i], err);
    for (size_t i = 0; i + 1 < leaves && status == WEFT_OK; i++)
        status = weft_graph_add_task(graph, &count_kernel, &refs[2 * i], 2, NULL, 0, &refs[leaves + i], err);
    *root = refs[2 * leaves - 2];
    return status;
}

static weft_status build_chain(weft_graph *graph, size_t task_count, weft_ref *refs, weft_ref *root, weft_error *err)
{
    weft_status status = weft_graph_add_task(graph, &one_kernel, NULL, 0, NULL, 0, &refs[0], err);
    for (size_t i = 1; i < task_count && status == WEFT_OK; i++)
        status = weft_graph_add_task(graph, &count_kernel, &refs[i - 1], 1, NULL, 0, &refs[i], err);
    *root = refs[task_count - 1];
    return status;
}

static weft_status build_independent(weft_graph *graph, size_t task_count, weft_ref *refs, weft_ref *root, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (size_t i = 0; i + 1 < task_count && status == WEFT_OK; i++)
        status = weft_graph_add_task(graph, &one_kernel, NULL, 0, NULL, 0, &refs[i], err);
    return status == WEFT_OK ? weft_graph_add_task(graph, &count_kernel, refs, task_count - 1, NULL, 0, root, err) : status;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_times(const char *what, double *seconds, size_t repeats, size_t task_count)
{
    qsort(seconds, repeats, sizeof *seconds, compare_doubles);
    printf("  %-8s %10.0f %10.0f\n", what, seconds[0] * 1e9 / (double)task_count, seconds[repeats / 2] * 1e9 / (double)task_count);
}

static weft_status measure(weft_session *session, const char *name, build_graph *build, size_t task_count, size_t repeats, weft_error *err)
{
    static const char header[] = "ns a task:    least     median";
    double times[3][MAX_REPEATS];
    weft_ref *refs = calloc(task_count + 1, sizeof *refs), root;
    weft_status status = refs ? WEFT_OK : weft_fail(err, WEFT_ENOMEM, "no memory for %zu refs", task_count);
    for (size_t r = 0; r < repeats && status == WEFT_OK; r++) {
        weft_graph *graph = NULL;
        weft_chunk *chunk = NULL;
        double start = now_s(), built = start;
        status = weft_graph_create(&graph, err);
        if (status == WEFT_OK) status = build(graph, task_count, refs, &root, err);
        built = now_s();
        if (status == WEFT_OK) status = weft_compute(session, graph, &root, 1, &chunk, err);
        times[0][r] = built - start;
        times[1][r] = now_s() - built;
        times[2][r] = times[0][r] + times[1][r];
        size_t tasks = weft_graph_task_count(graph);
        if (status == WEFT_OK && *(const int64_t *)weft_chunk_data(chunk) != (int64_t)tasks)
            status = weft_fail(err, WEFT_EDATA, "%s: the root counted %lld of %zu tasks", name,
                               (long long)*(const int64_t *)weft_chunk_data(chunk), tasks);
        weft_chunk_release(chunk);
        weft_graph_destroy(graph);
    }
    free(refs);
    if (status != WEFT_OK) return status;
    printf("%s, %zu tasks\n  %s\n", name, task_count, header);
    print_times("build", times[0], repeats, task_count);
    print_times("compute", times[1], repeats, task_count);
    print_times("both", times[2], repeats, task_count);
    return WEFT_OK;
}

static weft_status measure_round_trip(weft_session *session, weft_error *err)
{
    double seconds[MAX_REPEATS];
    weft_status status = WEFT_OK;
    for (size_t r = 0; r < MAX_REPEATS && status == WEFT_OK; r++) {
        weft_graph *graph = NULL;
        weft_chunk *chunk = NULL;
        weft_ref root;
        double start = now_s();
        status = weft_graph_create(&graph, err);
        if (status == WEFT_OK) status = weft_graph_add_task(graph, &one_kernel, NULL, 0, NULL, 0, &root, err);
        if (status == WEFT_OK) status = weft_compute(session, graph, &root, 1, &chunk, err);
        weft_chunk_release(chunk);
        weft_graph_destroy(graph);
        seconds[r] = now_s() - start;
    }
    if (status != WEFT_OK) return status;
    qsort(seconds, MAX_REPEATS, sizeof *seconds, compare_doubles);
    printf("one task and its result: least %.1f us, median %.1f us\n", seconds[0] * 1e6, seconds[MAX_REPEATS / 2] * 1e6);
    return WEFT_OK;
}

static int client(weft_session *session, int argc, char **argv)
{
    long tasks = argc > 1 ? strtol(argv[1], NULL, 10) : 19999, repeats = argc > 2 ? strtol(argv[2], NULL, 10) : 11;
    weft_error err = WEFT_ERROR_INIT;
    if (tasks < 3 || repeats < 1 || repeats > MAX_REPEATS) {
        fprintf(stderr, "bench.tasks: needs at least 3 tasks, and 1 to %d repeats\n", MAX_REPEATS);
        return 2;
    }
    weft_session_info info = weft_session_get_info(session);
    printf("%s: %d rank%s, %d of them with tasks, %d threads each\n", info.scheduler, info.rank_count, info.rank_count == 1 ? "" : "s",
           info.worker_count, info.threads_per_worker);
    weft_status status = measure(session, "binary tree", build_tree, (size_t)tasks, (size_t)repeats, &err);
    if (status == WEFT_OK) status = measure(session, "chain", build_chain, (size_t)tasks, (size_t)repeats, &err);
    if (status == WEFT_OK) status = measure(session, "independent", build_independent, (size_t)tasks, (size_t)repeats, &err);
    if (status == WEFT_OK) status = measure_round_trip(session, &err);
    if (status != WEFT_OK) fprintf(stderr, "bench.tasks: %s\n", err.text);
    return status == WEFT_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
