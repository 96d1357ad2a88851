#include "loopback_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "store/slab.h"

#define SECONDS INT64_C(1000000000)

static void must(weft_status status, const weft_error *err, const char *what)
{
    if (status == WEFT_OK) return;
    printf("FAILED harness: %s: %s\n", what, err->text);
    abort();
}

static void open_rank(loopback_session *s, const loopback_options *options, int rank)
{
    weft_error err = WEFT_ERROR_INIT;
    must(wf_budget_create(options->memory_limit_bytes, &s->budgets[rank], &err), &err, "budget");
    must(wf_loopback_open(s->loopback, rank, s->budgets[rank], &s->transports[rank], &err), &err, "transport");
    wf_rank_options o = {
        .transport = s->transports[rank],
        .budget = s->budgets[rank],
        .registry = options->registry[rank] ? options->registry[rank] : &s->registry,
        .runs_tasks = rank > 0 || !options->rank0_only_schedules,
        .thread_count = options->threads,
        .has_comm_thread = options->has_comm_thread,
        .comm_pu = -1,
        .spin = rank % 2 == 0,
        .idle_sleep_ns = weft_config_duration_ns(s->config, "transport.idle_sleep"),
        .progress_interval_ns = weft_config_duration_ns(s->config, "scheduler.progress_interval"),
        .lost_after_ns = weft_config_duration_ns(s->config, "scheduler.lost_after"),
        .check_rules = weft_config_bool(s->config, "debug.check_rules"),
        .move = wf_session_move_mode(s->config),
        .cpuset_text = "0",
        .pinning_text = "not pinned",
    };
    must(wf_rank_create(&o, &s->ranks[rank], &err), &err, "rank");
}

static void *serve(void *argument)
{
    struct loopback_server *server = argument;
    server->owner->served[server->rank] = wf_rank_serve(server->owner->ranks[server->rank], NULL);
    return NULL;
}

loopback_session *loopback_session_create(const loopback_options *options)
{
    weft_error err = WEFT_ERROR_INIT;
    loopback_session *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->rank_count = options->rank_count;
    must(weft_config_create(&s->config, &err), &err, "configuration");
    for (size_t i = 0; i < 4 && options->settings[i]; i++)
        must(weft_config_set_assignment(s->config, options->settings[i], "test", &err), &err, options->settings[i]);
    must(wf_registry_init(&s->registry, WEFT_SECTIONS, &err), &err, "registry");
    must(wf_loopback_create(options->rank_count, &s->loopback, &err), &err, "loopback");
    for (int rank = 0; rank < options->rank_count; rank++) open_rank(s, options, rank);
    for (int rank = 0; rank < options->rank_count; rank++) must(wf_rank_start(s->ranks[rank], &err), &err, "start");
    for (int rank = 1; rank < options->rank_count; rank++) {
        s->arguments[rank] = (struct loopback_server){s, rank};
        if (pthread_create(&s->servers[rank], NULL, serve, &s->arguments[rank]) != 0) abort();
    }
    s->session = (weft_session){.rank = s->ranks[0],
                                .scheduler = wf_rank_scheduler(s->ranks[0]),
                                .config = s->config,
                                .scheduler_name = "test",
                                .rank_count = options->rank_count,
                                .spin = true};
    must(wf_session_wait_for_ranks(&s->session, 30 * SECONDS, &err), &err, "hello");
    return s;
}

weft_status loopback_session_destroy(loopback_session *s)
{
    weft_status status = WEFT_OK;
    wf_scheduler_shut_down(s->session.scheduler);
    for (int rank = 1; rank < s->rank_count; rank++) {
        pthread_join(s->servers[rank], NULL);
        if (status == WEFT_OK) status = s->served[rank];
    }
    for (int rank = 0; rank < s->rank_count; rank++) wf_rank_destroy(s->ranks[rank]);
    for (int rank = 0; rank < s->rank_count; rank++) {
        wf_transport_destroy(s->transports[rank]);
    }
    wf_loopback_destroy(s->loopback);
    for (int rank = 0; rank < s->rank_count; rank++) {
        if (wf_budget_used_bytes(s->budgets[rank]) != 0) printf("rank %d still has %llu bytes of chunks\n", rank,
                                                               (unsigned long long)wf_budget_used_bytes(s->budgets[rank]));
        wf_budget_release(s->budgets[rank]);
    }
    wf_registry_fini(&s->registry);
    weft_config_destroy(s->config);
    free(s);
    return status;
}

uint64_t loopback_session_used_bytes(const loopback_session *s)
{
    uint64_t sum = 0;
    for (int rank = 0; rank < s->rank_count; rank++) sum += wf_budget_used_bytes(s->budgets[rank]);
    return WF_UNDER_SANITIZER ? sum : sum % WF_SLAB_PAGE_BYTES;
}
