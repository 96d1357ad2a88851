/* weft_main: from argv to a running session and back. The main thread of every rank. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "client/own_options.h"
#include "client/placement.h"
#include "client/session.h"
#include "client/signals.h"
#include "exec/blas.h"
#include "graph/cut.h"
#include "transport/launch.h"
#include "transport/loopback.h"
#include "transport/mpi.h"

enum { EXIT_USAGE = 2 };
#define SECONDS INT64_C(1000000000)
#define HELLO_TIMEOUT_NS (60 * SECONDS)
#define FLUSH_TIMEOUT_NS (10 * SECONDS)
#define FAREWELL_NS (SECONDS / 5) /* for SHUTDOWN to reach those that are still there when one is not */
#define WORKER_GRACE_NS (7 * SECONDS / 10) /* below the second that mpirun waits before it kills */
#define GRACE_NS (3 * SECONDS) /* for the client to clean up after a signal; mpirun itself kills after some seconds */

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

typedef enum scheduler_kind { KIND_SYNC, KIND_THREADS, KIND_MPI } scheduler_kind;

typedef struct program {
    weft_client *client;
    const void *communicator; /* the program's own MPI_Comm; NULL: weft starts MPI where it is wanted */
    const weft_sections *sections;
    wf_launch launch;
    weft_config *config;
    wf_log log;
    scheduler_kind kind;
    wf_mpi *mpi;
    wf_loopback *loopback; /* without MPI */
    wf_placement placement;
    wf_budget *budget;
    wf_registry registry;
    wf_transport *transport;
    wf_rank *rank;
    wf_signals *signals;
} program;

static wf_log make_log(const weft_config *config, int rank)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    wf_log log = {.sink = NULL, .rank = rank};
    for (int i = 0; i < 4; i++) {
        if (strcmp(weft_config_text(config, "log.level"), levels[i]) == 0) log = (wf_log){stderr, (wf_log_level)i, rank};
    }
    return log;
}

static scheduler_kind choose_kind(const program *p)
{
    const char *text = weft_config_text(p->config, "scheduler.kind");
    if (p->communicator) return KIND_MPI;
    if (strcmp(text, "sync") == 0) return KIND_SYNC;
    if (strcmp(text, "threads") == 0) return KIND_THREADS;
    if (strcmp(text, "mpi") == 0) return KIND_MPI;
    return wf_launch_wants_mpi(&p->launch) ? KIND_MPI : KIND_THREADS;
}

/* Who asks for a scheduler by name knows better than the traps do: this MPI may be one that speaks the launcher's PMI. */
static weft_status check_launch(const program *p, weft_error *err)
{
    bool is_automatic = strcmp(weft_config_text(p->config, "scheduler.kind"), "auto") == 0;
    return is_automatic ? wf_launch_check_before_mpi(&p->launch, err) : WEFT_OK;
}

static int count_hosts(const weft_session *session)
{
    int count = 0;
    for (int rank = 0; rank < session->rank_count; rank++) {
        wf_rank_description own, other;
        bool is_new = wf_scheduler_describe_rank(session->scheduler, rank, &own);
        for (int before = 0; before < rank && is_new; before++)
            is_new = !wf_scheduler_describe_rank(session->scheduler, before, &other) || strcmp(own.host, other.host) != 0;
        count += is_new;
    }
    return count;
}

static void log_start(const program *p)
{
    char text[WF_LAUNCH_TEXT_LENGTH];
    if (p->kind != KIND_MPI && wf_launch_check_alone(&p->launch, text)) wf_log_write(&p->log, WF_LOG_WARNING, "%s", text);
    if (p->transport->rank == 0 && p->kind != KIND_SYNC && p->placement.pins.is_bound_too_tightly)
        wf_log_write(&p->log, WF_LOG_WARNING, "%s", p->placement.pins.advice);
    wf_log_write(&p->log, WF_LOG_INFO, "rank ready ranks=%d runs_tasks=%d threads=%d comm_thread=%d cpuset=%s memory_limit_bytes=%llu", p->transport->size,
                 p->placement.runs_tasks, p->placement.pins.thread_count, p->placement.has_comm_thread, p->placement.cpuset_text,
                 (unsigned long long)p->placement.memory_limit_bytes);
}

static weft_status open_transport(program *p, weft_error *err)
{
    weft_status status = wf_budget_create(p->placement.memory_limit_bytes, &p->budget, err);
    if (status != WEFT_OK) return status;
    if (p->mpi) return wf_mpi_transport_open(p->mpi, p->budget, weft_config_bytes(p->config, "transport.eager_bytes"), &p->transport, err);
    status = wf_loopback_create(1, &p->loopback, err);
    return status == WEFT_OK ? wf_loopback_open(p->loopback, 0, p->budget, &p->transport, err) : status;
}

static weft_status open_rank(program *p, weft_error *err)
{
    const wf_placement *placement = &p->placement;
    wf_rank_options options = {
        .transport = p->transport,
        .budget = p->budget,
        .registry = &p->registry,
        .check_rules = weft_config_bool(p->config, "debug.check_rules"),
        .topology = placement->topology,
        .runs_tasks = placement->runs_tasks,
        .thread_count = placement->pins.thread_count,
        .thread_pus = placement->pins.thread_pus,
        .spin = !placement->pins.is_oversubscribed,
        .has_comm_thread = placement->has_comm_thread,
        .comm_pu = placement->pins.spare_pu,
        .idle_sleep_ns = weft_config_duration_ns(p->config, "transport.idle_sleep"),
        .progress_interval_ns = weft_config_duration_ns(p->config, "scheduler.progress_interval"),
        .lost_after_ns = weft_config_duration_ns(p->config, "scheduler.lost_after"),
        .move = wf_session_move_mode(p->config),
        .cpuset_text = placement->cpuset_text,
        .pinning_text = placement->pinning_text,
        .log = &p->log,
    };
    p->log = make_log(p->config, p->transport->size > 1 ? p->transport->rank : -1);
    return wf_rank_create(&options, &p->rank, err);
}

/* mpirun kills all ranks as soon as one has ended. */
static void wait_for_rank0(void)
{
    const struct timespec moment = {0, WORKER_GRACE_NS};
    nanosleep(&moment, NULL);
}

static void on_signal(void *context, int signal)
{
    program *p = context;
    if (p->transport->rank == 0) {
        wf_rank_interrupt(p->rank, signal);
        return;
    }
    wait_for_rank0(); /* a worker has nothing to clean up, rank 0 may have files to remove */
    _exit(128 + signal);
}

static weft_status start(program *p, weft_error *err)
{
    weft_status status = WEFT_OK;
    if (p->kind == KIND_MPI) status = wf_mpi_open(p->communicator, &p->mpi, err);
    if (status == WEFT_OK && p->mpi && !p->communicator) status = wf_launch_check_after_mpi(&p->launch, wf_mpi_size(p->mpi), err);
    int threads = p->kind == KIND_SYNC ? -1 : (int)weft_config_int(p->config, "pool.threads");
    if (status == WEFT_OK) status = wf_placement_init(&p->placement, p->config, p->mpi, threads, err);
    if (status == WEFT_OK) status = wf_registry_init(&p->registry, p->sections, err);
    if (p->mpi) status = wf_mpi_agree(p->mpi, status, err);
    if (status == WEFT_OK) status = open_transport(p, err);
    if (status == WEFT_OK) status = open_rank(p, err);
    if (status == WEFT_OK) status = wf_signals_create(GRACE_NS, on_signal, p, &p->signals, err);
    if (status == WEFT_OK) status = wf_rank_start(p->rank, err);
    return status;
}

static void stop(program *p)
{
    wf_signals_destroy(p->signals); /* its thread interrupts the rank */
    wf_rank_destroy(p->rank);
    wf_transport_destroy(p->transport);
    wf_loopback_destroy(p->loopback);
    wf_budget_release(p->budget);
    wf_registry_fini(&p->registry);
    wf_placement_fini(&p->placement);
    wf_mpi_close(p->mpi);
    weft_config_destroy(p->config);
}

/* An end without ceremony, when other ranks may be gone: MPI_Finalize could wait for them for ever. */
static void leave(int code)
{
    fflush(NULL);
    _exit(code);
}

static void describe_launch(const wf_launch *launch, char *text, size_t size_bytes)
{
    const char *kind = wf_launch_kind_name(launch->kind);
    if (launch->batch == WF_BATCH_NONE)
        snprintf(text, size_bytes, "%s", kind);
    else
        snprintf(text, size_bytes, "%s, in %s job %s", kind, wf_batch_system_name(launch->batch), launch->job_id);
}

static int run_client(program *p, int argc, char **argv, weft_error *err)
{
    static const char *const names[] = {"sync", "threads", "mpi"};
    weft_session session = {
        .rank = p->rank,
        .scheduler = wf_rank_scheduler(p->rank),
        .config = p->config,
        .scheduler_name = names[p->kind],
        .rank_count = p->transport->size,
        .spin = !p->placement.pins.is_oversubscribed,
        .log = &p->log,
    };
    char mpi[128] = "not used: started without a launcher", summary[256], build[128], launch[128], hint[WF_LAUNCH_TEXT_LENGTH];
    describe_launch(&p->launch, launch, sizeof launch);
    wf_launch_check_login_node(&p->launch, hint);
    if (p->mpi) wf_mpi_describe(mpi, sizeof mpi);
    wf_topology_format_summary(p->placement.topology, summary, sizeof summary);
    const char *metis = wf_metis_version();
    snprintf(build, sizeof build, "weft %s, %s, %s%s", WEFT_VERSION, COMPILER, *metis ? "METIS " : "no METIS", metis);
    session.machine = (weft_machine_info){summary, launch, mpi, wf_blas_description(), build,
                                          p->placement.memory_text, wf_topology_get_info(p->placement.topology)->l2_bytes, hint};
    if (wf_session_wait_for_ranks(&session, HELLO_TIMEOUT_NS, err) != WEFT_OK) {
        wf_scheduler_shut_down(session.scheduler);
        return EXIT_FAILURE;
    }
    char warning[WF_LAUNCH_TEXT_LENGTH];
    if (p->launch.batch == WF_BATCH_PBS && wf_launch_check_hosts(&p->launch, count_hosts(&session), warning))
        wf_log_write(&p->log, WF_LOG_WARNING, "%s", warning);
    int code = p->client(&session, argc, argv);
    wf_scheduler_shut_down(session.scheduler);
    return code;
}

/* The part that only rank 0 plays, and the part of the others. */
static int play(program *p, int argc, char **argv)
{
    weft_error error = WEFT_ERROR_INIT;
    int code = EXIT_SUCCESS;
    bool is_rank0 = p->transport->rank == 0, is_sound;
    if (is_rank0) {
        code = run_client(p, argc, argv, &error);
        int signal = wf_signals_received(p->signals);
        if (signal) {
            if (p->mpi) wf_transport_flush(p->transport, FAREWELL_NS); /* ranks that got no signal are told */
            leave(128 + signal);
        }
        is_sound = error.status == WEFT_OK && wf_scheduler_check(wf_rank_scheduler(p->rank), NULL) == WEFT_OK;
    } else {
        is_sound = wf_rank_serve(p->rank, &error) == WEFT_OK;
        if (error.status == WEFT_ECANCELLED) leave(EXIT_FAILURE); /* rank 0 says why */
    }
    if (error.status != WEFT_OK) weft_error_print(stderr, argv[0], &error);
    if (!is_sound && p->mpi) {
        if (is_rank0) wf_transport_flush(p->transport, FAREWELL_NS);
        leave(code ? code : EXIT_FAILURE);
    }
    if (!wf_transport_flush(p->transport, FLUSH_TIMEOUT_NS)) leave(EXIT_FAILURE);
    return code;
}

bool weft_is_speaker(void)
{
    wf_launch launch;
    wf_launch_detect_own(&launch);
    return wf_launch_is_speaker(&launch);
}

int weft_main_with(int argc, char **argv, weft_client *client, const void *communicator, const weft_sections *sections)
{
    program p = {.client = client, .communicator = communicator, .sections = sections};
    weft_error error = WEFT_ERROR_INIT;
    int code;
    wf_launch_detect_own(&p.launch);
    bool speaks = wf_launch_is_speaker(&p.launch);
    weft_status status = weft_config_create(&p.config, &error);
    if (status == WEFT_OK) status = wf_own_options_take(&argc, argv, p.config, &error);
    if (status == WEFT_OK && !communicator) status = check_launch(&p, &error);
    if (status != WEFT_OK) { /* every rank sees the same */
        if (speaks)
            weft_error_print(stderr, argv[0], &error);
        else
            wait_for_rank0(); /* to say it for all */
        weft_config_destroy(p.config);
        return status == WEFT_ELAUNCH || status == WEFT_ENOMEM ? EXIT_FAILURE : EXIT_USAGE;
    }
    p.kind = choose_kind(&p);
    if (p.kind != KIND_MPI && !speaks) { /* mpirun started copies, but one process was asked for */
        weft_config_destroy(p.config);
        return EXIT_SUCCESS;
    }
    status = start(&p, &error);
    if (status == WEFT_OK) {
        log_start(&p);
        code = play(&p, argc, argv);
    } else {
        if (speaks ? status != WEFT_ECANCELLED : status != WEFT_ELAUNCH && status != WEFT_ECANCELLED) weft_error_print(stderr, argv[0], &error);
        code = EXIT_FAILURE;
        if (p.mpi && wf_mpi_size(p.mpi) > 1) leave(code); /* the others may have started well, and wait */
    }
    stop(&p);
    return code;
}
