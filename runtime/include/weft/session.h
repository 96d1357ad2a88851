/* Sessions: a client's connection to an executor, and futures, the results that it keeps there.
 *
 * A session is handed to the client function by weft_main. All calls are safe from any thread of the client's process.
 */
#ifndef WEFT_SESSION_H
#define WEFT_SESSION_H

#include <weft/chunk.h>
#include <weft/config.h>
#include <weft/graph.h>
#include <weft/layer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weft_session weft_session;
typedef struct weft_future weft_future;

/* What the session runs on. Text is borrowed and lives as long as the session. */
typedef struct weft_session_info {
    const char *scheduler;       /* "sync", "threads" or "mpi" */
    int rank_count;              /* 1 without MPI */
    int worker_count;            /* ranks that run tasks */
    int threads_per_worker;      /* of the first worker */
    uint64_t memory_limit_bytes; /* the budgets of all workers together */
} weft_session_info;

WEFT_API weft_session_info weft_session_get_info(const weft_session *session);

/* One rank of the session. Texts are borrowed and live as long as the session. */
typedef struct weft_rank_info {
    const char *host;
    const char *cpuset;          /* the hardware threads that its launcher gave it, such as "0-3,8" */
    const char *pinning;         /* a line per thread of its pool: where it runs */
    int threads;                 /* of its pool; 0: it only schedules */
    uint64_t memory_limit_bytes; /* of its chunks; 0: none */
} weft_rank_info;

/* Errors: WEFT_EINVAL no such rank. */
WEFT_API weft_status weft_session_get_rank_info(const weft_session *session, int rank, weft_rank_info *info, weft_error *err);

/* The machine and the libraries that this process found. Texts are borrowed and live as long as the session. */
typedef struct weft_machine_info {
    const char *summary;      /* processor, cores, hardware threads, NUMA nodes */
    const char *launch;       /* how the process was started, and in which job: "mpirun", "none, in Slurm job 17" */
    const char *mpi;          /* library and version */
    const char *blas;
    const char *build;        /* weft's version and compiler */
    const char *memory_limit; /* what limits the memory of this process */
    size_t l2_bytes;          /* of the first core; 0: unknown */
    const char *hint;         /* what may be wrong with this place to run, such as a login node; "" when nothing shows */
} weft_machine_info;

WEFT_API weft_machine_info weft_session_get_machine_info(const weft_session *session);

/* The session's configuration; borrowed. */
WEFT_API const weft_config *weft_session_config(const weft_session *session);

/* Runs what `roots` need and brings them to the client.
 *
 * Owns:     chunks[0..root_count) are new references; the caller releases them. Unset on failure.
 * Errors:   of the first task that failed; WEFT_EINVAL a root of another graph, or one that it does not have; WEFT_ENOMEM;
 *           WEFT_ECANCELLED interrupted; WEFT_ELOST a rank or a connection is gone.
 *           After a failure what does not depend on the failed task still runs, and the call returns when all has ended.
 * Threads:  blocks until all is done. Any number of threads may compute at the same time, the same graph too; nobody may add to it then.
 * Cost:     each call plans anew and runs everything that its roots need, and nothing else: nothing is kept from call to call. What
 *           several calls need is computed once when it is persisted, and comes in by weft_graph_add_future.
 */
WEFT_API weft_status weft_compute(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                                  weft_chunk **chunks, weft_error *err);

/* How weft_compute would share these roots' tasks out to the session's ranks, without running any: see weft_graph_get_stats.
 *
 * Owns, errors, threads, cost: as there.
 * Config:   partition.method, partition.per_rank
 */
WEFT_API weft_status weft_session_get_graph_stats(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                                                  weft_graph_stats *stats, weft_error *err);

/* Runs what `roots` need and leaves the results where they were computed. Returns when all are done.
 *
 * Owns:     futures[0..root_count) are new; the caller releases them, and with them the memory on the workers. Unset on failure.
 * Errors, threads and cost: as weft_compute.
 */
WEFT_API weft_status weft_persist(weft_session *session, const weft_graph *graph, const weft_ref *roots, size_t root_count,
                                  weft_future **futures, weft_error *err);

/* Makes a kept result an input of another graph: a task without a kernel that stands where the result lies.
 * The future must be alive, and stay so until the graph has been computed; using a released one is undefined.
 * Errors: WEFT_EINVAL the graph has as many tasks as it can; WEFT_ENOMEM. */
WEFT_API weft_status weft_graph_add_future(weft_graph *graph, const weft_future *future, weft_ref *output, weft_error *err);

/* Gives the kept result up. To be called before the client function returns. NULL is allowed. */
WEFT_API void weft_future_release(weft_future *future);

/* Statistics of the ranks since the session began. */
typedef struct weft_session_stats {
    uint64_t tasks_ended;         /* run, failed, or not run because an input failed */
    uint64_t bytes_sent;          /* chunk bytes from rank to rank */
    uint64_t memory_peak_bytes;   /* chunks, summed over ranks */
    uint64_t rss_peak_bytes;      /* resident memory of the processes, summed over ranks */
} weft_session_stats;

/* Errors: what broke the session, such as WEFT_ELOST: some ranks' numbers are missing then. */
WEFT_API weft_status weft_session_get_stats(weft_session *session, weft_session_stats *stats, weft_error *err);

/* Whether this process speaks for those that a launcher started with it: true for one of them, and for a process started alone. Known from
 * the environment, without MPI: for what a program prints when it does not come to weft_main. */
WEFT_API bool weft_is_speaker(void);

/* The function that weft_main runs on the client's rank. Returns the exit code: 0 success, 1 failure, 2 usage. All arguments but weft's
 * own options are the client's to check, --help too. */
typedef int weft_client(weft_session *session, int argc, char **argv);

/* Runs a program: reads the configuration and weft's own options (--scheduler, --threads, --set KEY=VALUE), which it takes out of argv,
 * starts the executor that the launch calls for, runs client on rank 0 (in the whole process where there is no MPI) while the other
 * ranks work, and ends them all.
 *
 * Returns:  the exit code for main: the client's; 1 when the start failed, 2 for wrong options; 128 + n after signal n.
 */
#define weft_main(argc, argv, client) weft_main_with((argc), (argv), (client), NULL, WEFT_SECTIONS)

/* The same for a program that has called MPI_Init_thread itself (with MPI_THREAD_SERIALIZED or more): runs on the ranks of *communicator
 * (an MPI_Comm), which weft duplicates; MPI stays for the program to finalise. Collective over that communicator. */
#define weft_main_on(argc, argv, client, communicator) weft_main_with((argc), (argv), (client), (communicator), WEFT_SECTIONS)

WEFT_API int weft_main_with(int argc, char **argv, weft_client *client, const void *communicator, const weft_sections *sections);

#ifdef __cplusplus
}
#endif

#endif
