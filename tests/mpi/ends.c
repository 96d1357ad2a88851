/* A program that ends in the way its first argument says; test_ends.sh looks at what is left. Uses the installed interface only. */
#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <weft/weft.h>

enum { WIDTH = 60 };

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

#ifdef WITHOUT_KERNELS /* for a rank on which another program was started */
#undef WEFT_KERNEL
#define WEFT_KERNEL(name)                                                 \
    static weft_status name##_run(weft_task *task, weft_error *err);      \
    static const weft_kernel name##_kernel = {#name, name##_run};         \
    static weft_status name##_run(weft_task *task, weft_error *err)
#endif

/* Returns its process after sleeping for the milliseconds in its parameters. */
WEFT_KERNEL(nap)
{
    int64_t *out = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err);
    if (!out) return err->status;
    sleep_ms((long)*(const int64_t *)weft_task_params(task, NULL));
    *out = getpid();
    return WEFT_OK;
}

/* Takes as many bytes as its parameters say. */
WEFT_KERNEL(take)
{
    const int64_t *bytes = weft_task_params(task, NULL);
    return weft_task_create_output(task, 0, WEFT_U8, 1, bytes, err) ? WEFT_OK : err->status;
}

static weft_status run_wide(weft_session *session, const weft_kernel *kernel, int64_t param, int64_t *first_of, weft_error *err)
{
    weft_graph *graph = NULL;
    weft_ref refs[WIDTH];
    weft_chunk *chunks[WIDTH] = {NULL};
    weft_status status = weft_graph_create(&graph, err);
    for (int i = 0; i < WIDTH && status == WEFT_OK; i++)
        status = weft_graph_add_task(graph, kernel, NULL, 0, &param, sizeof param, &refs[i], err);
    if (status == WEFT_OK) status = weft_compute(session, graph, refs, WIDTH, chunks, err);
    for (int i = 0; i < WIDTH; i++) {
        if (status == WEFT_OK && first_of) first_of[i] = *(const int64_t *)weft_chunk_data(chunks[i]);
        weft_chunk_release(chunks[i]);
    }
    weft_graph_destroy(graph);
    return status;
}

typedef struct killer {
    pid_t pid;
    int signal;
} killer;

static void *kill_later(void *argument)
{
    const killer *k = argument;
    sleep_ms(500);
    kill(k->pid, k->signal);
    return NULL;
}

/* Kills one worker while all have work to do. */
static weft_status lose_a_rank(weft_session *session, int signal, weft_error *err)
{
    int64_t pids[WIDTH] = {0};
    pthread_t thread;
    struct timespec before, after;
    weft_status status = run_wide(session, &nap_kernel, 0, pids, err);
    killer k = {(pid_t)pids[WIDTH - 1], signal};
    if (status != WEFT_OK || k.pid == getpid()) return status;
    pthread_create(&thread, NULL, kill_later, &k);
    clock_gettime(CLOCK_MONOTONIC, &before);
    status = run_wide(session, &nap_kernel, 100, NULL, err);
    clock_gettime(CLOCK_MONOTONIC, &after);
    pthread_join(thread, NULL);
    printf("ended after %lld s with %s\n", (long long)(after.tv_sec - before.tv_sec), weft_status_name(status));
    return status;
}

static int client(weft_session *session, int argc, char **argv)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_status status = WEFT_OK;
    const char *how = argc > 1 ? argv[1] : "";
    if (strcmp(how, "code") == 0) return atoi(argv[2]);
    if (strcmp(how, "work-then-code") == 0) {
        status = run_wide(session, &nap_kernel, 1, NULL, &err);
        return status == WEFT_OK ? atoi(argv[2]) : 99;
    }
    if (strcmp(how, "work") == 0) status = run_wide(session, &nap_kernel, 0, NULL, &err);
    if (strcmp(how, "take") == 0) status = run_wide(session, &take_kernel, atoll(argv[2]), NULL, &err);
    if (strcmp(how, "lose") == 0) status = lose_a_rank(session, atoi(argv[2]), &err);
    if (strcmp(how, "long") == 0) {
        printf("computing\n");
        fflush(stdout);
        status = run_wide(session, &nap_kernel, 2000, NULL, &err);
    }
    printf("client: %s rank %d: %s: %s\n", weft_status_name(status), (int)err.rank, err.task, err.text);
    return status == WEFT_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *init = getenv("INIT_MPI_FIRST"); /* with this thread level */
    int provided;
    if (init) MPI_Init_thread(&argc, &argv, atoi(init), &provided);
    int code = weft_main(argc, argv, client);
    if (init) MPI_Finalize();
    return code;
}
