/* Ranks without work leave the cores to those with work: CPU time, not wall time, is what counts here. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <weft/weft.h>

#include "weft_test.h"

enum { PROBES = 400, MAX_RANKS = 16 };
#define BUSY_NS INT64_C(3000000000)

static weft_session *session; /* cases take no arguments */

typedef struct usage {
    int64_t pid;
    int64_t cpu_ns;
} usage;

static int64_t cpu_ns(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * INT64_C(1000000000) + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * INT64_C(1000);
}

static weft_status return_usage(weft_task *task, weft_error *err)
{
    int64_t *out = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){2}, err);
    if (!out) return err->status;
    out[0] = getpid();
    out[1] = cpu_ns();
    return WEFT_OK;
}

WEFT_KERNEL(probe)
{
    return return_usage(task, err);
}

WEFT_KERNEL(burn)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * INT64_C(1000000000) + (now.tv_nsec - start.tv_nsec) < BUSY_NS);
    return return_usage(task, err);
}

/* One entry per process that ran one of the tasks; the first task's comes first. */
static int run_tasks(const weft_kernel *kernel, int task_count, usage *usages)
{
    weft_graph *graph = NULL;
    weft_ref refs[PROBES];
    weft_chunk *chunks[PROBES] = {NULL};
    weft_error err = WEFT_ERROR_INIT;
    int count = 0;
    weft_status status = weft_graph_create(&graph, &err);
    for (int i = 0; i < task_count && status == WEFT_OK; i++) status = weft_graph_add_task(graph, kernel, NULL, 0, NULL, 0, &refs[i], &err);
    if (status == WEFT_OK) status = weft_compute(session, graph, refs, (size_t)task_count, chunks, &err);
    if (status != WEFT_OK) printf("%s: %s\n", weft_status_name(status), err.text);
    for (int i = 0; i < task_count && status == WEFT_OK; i++) {
        usage u;
        int at = 0;
        memcpy(&u, weft_chunk_data(chunks[i]), sizeof u);
        while (at < count && usages[at].pid != u.pid) at++;
        if (at == MAX_RANKS) break;
        if (at == count) usages[count++] = u;
        if (usages[at].cpu_ns < u.cpu_ns) usages[at].cpu_ns = u.cpu_ns;
        weft_chunk_release(chunks[i]);
    }
    weft_graph_destroy(graph);
    return count;
}

static void idle_ranks_use_less_than_a_twentieth_of_a_core(void)
{
    usage before[MAX_RANKS], after[MAX_RANKS], busy[MAX_RANKS];
    int workers = weft_session_get_info(session).worker_count;
    run_tasks(&probe_kernel, PROBES, before); /* the first graph also pays for connections */
    int count = run_tasks(&probe_kernel, PROBES, before);
    CU_ASSERT_EQUAL_FATAL(count, workers);
    int64_t own_ns = cpu_ns();
    CU_ASSERT_EQUAL_FATAL(run_tasks(&burn_kernel, 1, busy), 1);
    own_ns = cpu_ns() - own_ns;
    CU_ASSERT_EQUAL_FATAL(run_tasks(&probe_kernel, PROBES, after), workers);
    for (int i = 0; i < count; i++) {
        int at = 0;
        while (at < workers && after[at].pid != before[i].pid) at++;
        CU_ASSERT_FATAL(at < workers);
        bool has_work = before[i].pid == busy[0].pid;
        double percent = 100.0 * (double)(after[at].cpu_ns - before[i].cpu_ns) / (double)BUSY_NS;
        printf("%s worker: %.2f %% of a core\n", has_work ? "busy" : "idle", percent);
        if (!has_work) CU_ASSERT(percent < 5);
    }
    if (busy[0].pid == getpid()) return;
    double percent = 100.0 * (double)own_ns / (double)BUSY_NS;
    printf("rank 0, waiting: %.2f %% of a core\n", percent);
    CU_ASSERT(percent < 5);
}

static int client(weft_session *own_session, int argc, char **argv)
{
    static const weft_test_case cases[] = {WEFT_TEST(idle_ranks_use_less_than_a_twentieth_of_a_core)};
    (void)argc;
    (void)argv;
    session = own_session;
    return weft_test_run("mpi/idle_ranks", cases, WEFT_COUNT_OF(cases));
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
