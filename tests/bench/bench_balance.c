/* How well partitions that move even out a skewed load: independent tasks, those of one rank several times dearer than all others, which
 * the plan does not know.
 *
 * usage: scripts/mpirun.sh -n 3 build-ci/bin/bench.balance [tasks per rank] [ms of a cheap task] [how much dearer] [sleep|spin]
 *        with --set partition.move=off and on, and --set partition.per_rank=N, to compare
 * Prints the time from weft_compute to its end, the ideal time (all work over all threads), and their ratio. Sleeping tasks measure the
 * balance alone, also where ranks share cores; spinning ones need a core for each thread.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weft/weft.h>

typedef struct load_params {
    int64_t ns;
    int64_t value;
    int64_t spins;
} load_params;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

WEFT_KERNEL(load)
{
    const load_params *params = weft_task_params(task, NULL);
    int64_t *value = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!value) return err->status;
    double until_s = now_s() + 1e-9 * (double)params->ns;
    if (!params->spins) nanosleep(&(struct timespec){params->ns / 1000000000, params->ns % 1000000000}, NULL);
    while (params->spins && now_s() < until_s) continue;
    *value = params->value;
    return WEFT_OK;
}

WEFT_KERNEL(sum)
{
    int64_t *sum = weft_task_create_output(task, 0, WEFT_I64, 0, NULL, err);
    if (!sum) return err->status;
    *sum = 0;
    for (size_t i = 0; i < weft_task_input_count(task); i++) *sum += *(const int64_t *)weft_task_input_data(task, i);
    return WEFT_OK;
}

typedef struct load {
    long per_rank, dearer;
    double cheap_ms;
    bool spins;
} load;

/* The tasks of the first worker are dear: the cut hands them out in this order. */
static weft_status build(weft_graph *graph, const load *l, int workers, weft_ref *refs, weft_ref *root, double *work_s, weft_error *err)
{
    weft_status status = WEFT_OK;
    long count = l->per_rank * workers;
    *work_s = 0;
    for (long i = 0; i < count && status == WEFT_OK; i++) {
        double ms = l->cheap_ms * (i < l->per_rank ? (double)l->dearer : 1);
        load_params params = {(int64_t)(ms * 1e6), i, l->spins};
        *work_s += ms * 1e-3;
        status = weft_graph_add_task(graph, &load_kernel, NULL, 0, &params, sizeof params, &refs[i], err);
    }
    return status == WEFT_OK ? weft_graph_add_task(graph, &sum_kernel, refs, (size_t)count, NULL, 0, root, err) : status;
}

static weft_status measure(weft_session *session, const load *l, weft_error *err)
{
    weft_session_info info = weft_session_get_info(session);
    long count = l->per_rank * info.worker_count;
    weft_ref *refs = calloc((size_t)count, sizeof *refs), root;
    weft_graph *graph = NULL;
    weft_chunk *chunk = NULL;
    double work_s = 0, start_s = 0;
    weft_status status = refs ? weft_graph_create(&graph, err) : weft_fail(err, WEFT_ENOMEM, "no memory for %ld refs", count);
    if (status == WEFT_OK) status = build(graph, l, info.worker_count, refs, &root, &work_s, err);
    start_s = now_s();
    if (status == WEFT_OK) status = weft_compute(session, graph, &root, 1, &chunk, err);
    double took_s = now_s() - start_s, ideal_s = work_s / (info.worker_count * info.threads_per_worker);
    if (status == WEFT_OK && *(const int64_t *)weft_chunk_data(chunk) != (int64_t)count * (count - 1) / 2)
        status = weft_fail(err, WEFT_EDATA, "the tasks add up to %lld", (long long)*(const int64_t *)weft_chunk_data(chunk));
    if (status == WEFT_OK)
        printf("partition.move=%s partition.per_rank=%lld: %.3f s, ideal %.3f s, ratio %.2f\n",
               weft_config_text(weft_session_config(session), "partition.move"),
               (long long)weft_config_int(weft_session_config(session), "partition.per_rank"), took_s, ideal_s, took_s / ideal_s);
    weft_chunk_release(chunk);
    weft_graph_destroy(graph);
    free(refs);
    return status;
}

static int client(weft_session *session, int argc, char **argv)
{
    load l = {argc > 1 ? strtol(argv[1], NULL, 10) : 64, argc > 3 ? strtol(argv[3], NULL, 10) : 10,
              argc > 2 ? strtod(argv[2], NULL) : 1, argc > 4 && strcmp(argv[4], "spin") == 0};
    weft_error err = WEFT_ERROR_INIT;
    if (l.per_rank < 1 || l.cheap_ms <= 0 || l.dearer < 1) {
        fprintf(stderr, "bench.balance: needs at least one task per rank, more than 0 ms, and a factor of at least 1\n");
        return 2;
    }
    weft_status status = WEFT_OK;
    for (int round = 0; round < 3 && status == WEFT_OK; round++) status = measure(session, &l, &err);
    if (status != WEFT_OK) fprintf(stderr, "bench.balance: %s\n", err.text);
    return status == WEFT_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
