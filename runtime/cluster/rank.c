/* The parts of a rank, and its ticker: a thread on rank 0, the main thread elsewhere, that wakes every progress interval to report, to
 * move messages while all pool threads are inside long tasks, and to notice silence. */
#include "cluster/rank.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cluster/comm_thread.h"
#include "exec/blas.h"
#include "topology/bind.h"
#include "topology/memory.h"

#define KEEP_PAGES_NS INT64_C(2000000000) /* of freed large chunks, for new ones */

struct wf_rank {
    wf_rank_options options;
    wf_worker *worker;
    wf_scheduler *scheduler;
    wf_comm_thread *comm_thread; /* NULL: none */
    int blas_threads;         /* before they were set to 1 */
    pthread_t ticker;
    bool has_ticker;
    int64_t tick_ns;          /* from one tick to the next */
    int64_t ticked_ns;        /* the ticker's */
    int64_t alive_ns;         /* the ticker's: when rank 0 last said so */
    _Atomic int64_t heard_ns; /* from rank 0 */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_told_to_end;      /* under lock */
    bool is_interrupted;      /* under lock */
};

static void tell_to_end(wf_rank *rank, bool interrupted)
{
    pthread_mutex_lock(&rank->lock);
    rank->is_told_to_end = true;
    rank->is_interrupted |= interrupted;
    pthread_cond_broadcast(&rank->wake);
    pthread_mutex_unlock(&rank->lock);
}

static void on_message(void *context, wf_message *message, void *poller)
{
    wf_rank *rank = context;
    if (message->from == 0) atomic_store(&rank->heard_ns, wf_clock_now_ns());
    switch (message->type) {
    case WF_MSG_HELLO:
    case WF_MSG_ROOT:
    case WF_MSG_FAILED:
    case WF_MSG_PROGRESS:
    case WF_MSG_MOVED:
    case WF_MSG_ANSWER:
        if (rank->scheduler) wf_scheduler_handle(rank->scheduler, message, wf_clock_now_ns());
        break;
    case WF_MSG_BROKEN:
        if (rank->scheduler)
            wf_scheduler_handle(rank->scheduler, message, wf_clock_now_ns());
        else
            tell_to_end(rank, true);
        break;
    case WF_MSG_ALIVE: break;
    case WF_MSG_SHUTDOWN: tell_to_end(rank, false); break;
    default:
        if (rank->worker) wf_worker_handle(rank->worker, message, poller);
    }
}

static void bind_thread(void *context, int index)
{
    const wf_rank_options *options = &((wf_rank *)context)->options;
    if (options->topology && options->thread_pus && options->thread_pus[index] >= 0)
        wf_bind_thread_to_pu(options->topology, options->thread_pus[index], NULL); /* unbound it works as well, only slower */
}

static void bind_comm_thread(void *context)
{
    const wf_rank_options *options = &((wf_rank *)context)->options;
    if (options->topology && options->comm_pu >= 0) wf_bind_thread_to_pu(options->topology, options->comm_pu, NULL);
}

static void pay_when_due(void *context)
{
    wf_worker_pay_when_due(((wf_rank *)context)->worker);
}

weft_status wf_rank_create(const wf_rank_options *options, wf_rank **rank, weft_error *err)
{
    wf_rank *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->options = *options;
    /* Often enough for silence to be noticed, and not to look like a stopped process. */
    made->tick_ns = options->progress_interval_ns < options->lost_after_ns / 8 ? options->progress_interval_ns : options->lost_after_ns / 8;
    made->heard_ns = made->ticked_ns = made->alive_ns = wf_clock_now_ns();
    made->blas_threads = wf_blas_set_threads(1);
    pthread_mutex_init(&made->lock, NULL);
    wf_condition_init(&made->wake);
    weft_status status = WEFT_OK;
    if (options->transport->rank == 0) {
        wf_scheduler_options scheduler = {options->transport, options->lost_after_ns, options->log, options->move};
        status = wf_scheduler_create(&scheduler, &made->scheduler, err);
    }
    if (status == WEFT_OK && options->runs_tasks) {
        wf_worker_options worker = {.transport = options->transport, .budget = options->budget, .registry = options->registry,
                                    .check_rules = options->check_rules, .has_comm_thread = options->has_comm_thread};
        worker.pool = (wf_pool_options){.thread_count = options->thread_count, .spin = options->spin,
                                        .idle_sleep_ns = options->idle_sleep_ns, .start = bind_thread, .start_context = made};
        status = wf_worker_create(&worker, &made->worker, err);
    }
    if (status == WEFT_OK) {
        wf_transport_set_handler(options->transport, on_message, made);
        *rank = made;
    } else {
        wf_rank_destroy(made);
    }
    return status;
}

static weft_status say_hello(wf_rank *rank, weft_error *err)
{
    const wf_rank_options *o = &rank->options;
    size_t cpuset_bytes = strlen(o->cpuset_text) + 1, pinning_bytes = strlen(o->pinning_text) + 1;
    wf_message message = {.type = WF_MSG_HELLO, .body_bytes = sizeof(wf_hello_message) + cpuset_bytes + pinning_bytes};
    wf_hello_message *body = message.body = wf_aligned_alloc(1, message.body_bytes, err);
    if (!body) return WEFT_ENOMEM;
    int threads = o->thread_count > 0 ? o->thread_count : 1;
    *body = (wf_hello_message){WF_PROTOCOL_VERSION, WF_BYTE_ORDER_MARK, o->runs_tasks ? (uint32_t)threads : 0, 0,
                               wf_budget_limit_bytes(o->budget), ""};
    gethostname(body->host, sizeof body->host - 1);
    memcpy(body + 1, o->cpuset_text, cpuset_bytes);
    memcpy((char *)(body + 1) + cpuset_bytes, o->pinning_text, pinning_bytes);
    return wf_transport_send(o->transport, 0, &message, err);
}

/* ---- the ticker ---- */

static void say_alive(wf_rank *rank, int64_t now)
{
    wf_transport *transport = rank->options.transport;
    if (now - rank->alive_ns < rank->options.lost_after_ns / 3) return;
    rank->alive_ns = now;
    for (int other = 1; other < transport->size; other++) {
        wf_message message = {.type = WF_MSG_ALIVE};
        wf_transport_send(transport, other, &message, NULL);
    }
}

static void tick(wf_rank *rank)
{
    int64_t now = wf_clock_now_ns();
    /* When this process itself was stopped for a while (Ctrl-Z, a suspended laptop), the others' silence means nothing. */
    bool was_stopped = now - rank->ticked_ns > rank->options.lost_after_ns / 4;
    rank->ticked_ns = now;
    if (was_stopped) atomic_store(&rank->heard_ns, now);
    if (rank->worker) wf_worker_tick(rank->worker);
    wf_page_cache_trim(wf_budget_page_cache(rank->options.budget), wf_budget_room_bytes(rank->options.budget), now, KEEP_PAGES_NS);
    wf_transport_poll(rank->options.transport, NULL);
    if (rank->scheduler) {
        if (!was_stopped) wf_scheduler_tick(rank->scheduler, now);
        say_alive(rank, now);
    }
}

/* Ticks until told to end (true), or until rank 0 has been silent for too long or the transport broke (false). */
static bool tick_until_end(wf_rank *rank)
{
    bool end = false, is_lost = false;
    while (!end && !is_lost) {
        struct timespec until = wf_clock_deadline(rank->tick_ns);
        pthread_mutex_lock(&rank->lock);
        if (!rank->is_told_to_end) pthread_cond_timedwait(&rank->wake, &rank->lock, &until);
        end = rank->is_told_to_end;
        pthread_mutex_unlock(&rank->lock);
        if (!end) tick(rank);
        is_lost = !rank->scheduler && (wf_transport_broken(rank->options.transport) ||
                                       wf_clock_now_ns() - atomic_load(&rank->heard_ns) > rank->options.lost_after_ns);
    }
    return !is_lost;
}

static void *ticker_main(void *argument)
{
    tick_until_end(argument);
    return NULL;
}

weft_status wf_rank_start(wf_rank *rank, weft_error *err)
{
    const wf_rank_options *o = &rank->options;
    weft_status status = rank->worker ? wf_worker_start(rank->worker, err) : WEFT_OK;
    if (status == WEFT_OK && rank->worker && o->has_comm_thread) {
        wf_comm_thread_options comm = {o->transport, o->idle_sleep_ns, bind_comm_thread, pay_when_due, rank};
        status = wf_comm_thread_create(&comm, &rank->comm_thread, err);
    }
    if (status == WEFT_OK) status = say_hello(rank, err);
    if (status != WEFT_OK || !rank->scheduler) return status;
    if (pthread_create(&rank->ticker, NULL, ticker_main, rank) != 0)
        return weft_fail(err, WEFT_ENOMEM, "rank 0 cannot start a thread; raise the limit on processes");
    rank->has_ticker = true;
    return WEFT_OK;
}

weft_status wf_rank_serve(wf_rank *rank, weft_error *err)
{
    bool told = tick_until_end(rank);
    const weft_error *broken = wf_transport_broken(rank->options.transport);
    if (!told && broken) {
        if (err) *err = *broken;
        return broken->status;
    }
    if (!told)
        return weft_fail(err, WEFT_ELOST, "rank 0 has been silent for %.0f s and is given up; look at its log or raise "
                         "scheduler.lost_after", (double)rank->options.lost_after_ns * 1e-9);
    pthread_mutex_lock(&rank->lock);
    bool interrupted = rank->is_interrupted;
    pthread_mutex_unlock(&rank->lock);
    return interrupted ? weft_fail(err, WEFT_ECANCELLED, "rank 0 ended the session because it was broken or interrupted") : WEFT_OK;
}

void wf_rank_destroy(wf_rank *rank)
{
    if (!rank) return;
    tell_to_end(rank, false);
    if (rank->has_ticker) pthread_join(rank->ticker, NULL);
    wf_comm_thread_destroy(rank->comm_thread);
    wf_worker_destroy(rank->worker);
    wf_scheduler_destroy(rank->scheduler);
    wf_blas_set_threads(rank->blas_threads);
    pthread_cond_destroy(&rank->wake);
    pthread_mutex_destroy(&rank->lock);
    free(rank);
}

wf_rank_stats wf_rank_sum_stats(wf_rank *rank)
{
    wf_rank_stats sum = wf_scheduler_stats(rank->scheduler);
    wf_memory_usage usage = {0};
    if (rank->worker) return sum; /* which has sent its own */
    wf_memory_get_usage(&usage, NULL); /* where it cannot be had it stays 0 */
    sum.bytes_sent += wf_transport_bytes_sent(rank->options.transport);
    sum.memory_peak_bytes += wf_budget_peak_bytes(rank->options.budget);
    sum.rss_peak_bytes += usage.peak_rss_bytes;
    return sum;
}

wf_scheduler *wf_rank_scheduler(wf_rank *rank)
{
    return rank->scheduler;
}

bool wf_rank_step(wf_rank *rank)
{
    bool happened = wf_transport_poll(rank->options.transport, NULL);
    if (rank->worker && rank->options.thread_count == 0) {
        wf_pool_drain(wf_worker_pool(rank->worker));
        happened |= wf_transport_poll(rank->options.transport, NULL);
    }
    return happened;
}

void wf_rank_interrupt(wf_rank *rank, int signal)
{
    char why[96];
    snprintf(why, sizeof why, "interrupted by SIG%s%s", sigabbrev_np(signal),
             signal == SIGTERM ? ", which a launcher also sends when another rank has died" : "");
    if (rank->scheduler) wf_scheduler_interrupt(rank->scheduler, why);
    tell_to_end(rank, true);
}
