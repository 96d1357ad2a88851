/* Runs tasks that note where they run, as the kernel of the operating system sees it, and compares with the session's pinning map.
 * Prints a line per case, for scripts/test.sh. A program like a user's: the public library, and BLAS. */
#include <cblas.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weft/weft.h>

enum { TASK_COUNT = 96, PU_MAX = 1024 };

/* What a task notes: six numbers. */
typedef struct place {
    int64_t rank, thread, pu_count, pu, running_on, blas_threads;
} place;

static int64_t own_rank(void)
{
    const char *text = getenv("OMPI_COMM_WORLD_RANK");
    return text ? strtol(text, NULL, 10) : 0;
}

/* Of this thread, from /proc: how many PUs it may run on, and the first. */
static void read_proc(place *p)
{
    char line[4096];
    FILE *status = fopen("/proc/thread-self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        const char *at = line + strlen("Cpus_allowed_list:");
        if (strncmp(line, "Cpus_allowed_list:", strlen("Cpus_allowed_list:")) != 0) continue;
        for (char *end; *at && *at != '\n'; at = *end == ',' ? end + 1 : end) {
            long first = strtol(at, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;
            if (p->pu_count == 0) p->pu = first;
            p->pu_count += last - first + 1;
        }
    }
    if (status) fclose(status);
}

WEFT_KERNEL(where)
{
    const struct timespec moment = {0, 2000000}; /* long enough for every thread of every rank to take part */
    place *p = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){sizeof(place) / sizeof(int64_t)}, err);
    if (!p) return err->status;
    *p = (place){.rank = own_rank(), .thread = gettid(), .blas_threads = openblas_get_num_threads()};
    nanosleep(&moment, NULL);
    read_proc(p);
    p->running_on = sched_getcpu();
    return WEFT_OK;
}

static int report(bool holds, const char *text, const char *how)
{
    printf("%s where: %s%s%s\n", holds ? "ok" : "FAILED", text, how[0] ? ", " : "", how);
    return holds ? 0 : 1;
}

/* Whether the rank's map, "core C (PU P, ...)" per line, has a thread on this PU. */
static bool map_has_pu(const char *pinning, int64_t pu)
{
    char text[32];
    snprintf(text, sizeof text, "(PU %lld,", (long long)pu);
    return strstr(pinning, text) != NULL;
}

static bool is_as_mapped(const weft_session *session, const place *p)
{
    weft_rank_info info;
    if (weft_session_get_rank_info(session, (int)p->rank, &info, NULL)) return false;
    if (info.threads == 0) return false; /* ranks that only schedule run nothing */
    if (p->pu_count == 1 && p->running_on == p->pu && map_has_pu(info.pinning, p->pu)) return true;
    printf("    rank %lld: %lld PUs from %lld on, running on %lld; the map says:\n%s\n", (long long)p->rank, (long long)p->pu_count,
           (long long)p->pu, (long long)p->running_on, info.pinning);
    return false;
}

static bool is_unpinned(const weft_session *session, const place *p)
{
    weft_rank_info info;
    return !weft_session_get_rank_info(session, (int)p->rank, &info, NULL) && strncmp(info.pinning, "not pinned", 10) == 0 &&
           p->pu_count == strtol(getenv("WHERE_PU_COUNT") ? getenv("WHERE_PU_COUNT") : "0", NULL, 10);
}

/* Two threads on one PU, seen over all ranks. */
static bool has_shared_pu(const place *places)
{
    for (int i = 0; i < TASK_COUNT; i++) {
        for (int j = 0; j < i; j++) {
            bool is_other = places[i].rank != places[j].rank || places[i].thread != places[j].thread;
            if (is_other && places[i].pu == places[j].pu) return true;
        }
    }
    return false;
}

static int check(const weft_session *session, const place *places, const char *how)
{
    bool pins = weft_config_bool(weft_session_config(session), "pool.pin"), as_told = true, one_blas_thread = true;
    int failed = 0;
    for (int i = 0; i < TASK_COUNT; i++) {
        as_told = as_told && (pins ? is_as_mapped(session, &places[i]) : is_unpinned(session, &places[i]));
        one_blas_thread = one_blas_thread && places[i].blas_threads == 1;
    }
    failed += report(as_told, pins ? "every task runs on a PU of its rank's map, and may run nowhere else"
                                   : "without pins every task may run on all PUs of the process", how);
    failed += report(one_blas_thread, "BLAS has one thread inside every task", how);
    if (pins && getenv("WHERE_EXCLUSIVE")) failed += report(!has_shared_pu(places), "no two threads share a PU", how);
    return failed;
}

static weft_status run(weft_session *session, place *places, weft_error *err)
{
    weft_graph *graph = NULL;
    weft_ref refs[TASK_COUNT];
    weft_chunk *chunks[TASK_COUNT] = {NULL};
    weft_status status = weft_graph_create(&graph, err);
    for (int i = 0; i < TASK_COUNT && !status; i++)
        status = weft_graph_add_task(graph, &where_kernel, NULL, 0, &i, sizeof i, &refs[i], err);
    if (!status) status = weft_compute(session, graph, refs, TASK_COUNT, chunks, err);
    for (int i = 0; i < TASK_COUNT && !status; i++) places[i] = *(const place *)weft_chunk_data(chunks[i]);
    for (int i = 0; i < TASK_COUNT; i++) weft_chunk_release(chunks[i]);
    weft_graph_destroy(graph);
    return status;
}

static int client(weft_session *session, int argc, char **argv)
{
    place places[TASK_COUNT];
    weft_error err = WEFT_ERROR_INIT;
    weft_status status = run(session, places, &err);
    if (status) printf("FAILED where: %s\n", err.text);
    return status || check(session, places, argc > 1 ? argv[1] : "") ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    return weft_main(argc, argv, client);
}
