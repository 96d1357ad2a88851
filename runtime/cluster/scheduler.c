/* The scheduler's tables, under one lock: the ranks, and the computes that run. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cluster/scheduler_state.h"

weft_status wf_scheduler_create(const wf_scheduler_options *options, wf_scheduler **scheduler, weft_error *err)
{
    wf_scheduler *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->options = *options;
    made->next_graph = 1;
    made->ranks = wf_calloc((size_t)options->transport->size, sizeof *made->ranks, err);
    if (!made->ranks || wf_balance_create(options->transport->size, options->move, &made->balance, err) != WEFT_OK) {
        free(made->ranks);
        free(made);
        return WEFT_ENOMEM;
    }
    pthread_mutex_init(&made->lock, NULL);
    wf_condition_init(&made->change);
    *scheduler = made;
    return WEFT_OK;
}

static void free_compute(wf_scheduler *s, wf_compute *c)
{
    wf_balance_end(s->balance, c->moves);
    for (size_t i = 0; c->chunks && i < c->root_count; i++) weft_chunk_release(c->chunks[i]);
    free(c->chunks);
    free(c->roots);
    free(c->ended);
    free(c->given);
    free(c);
}

void wf_scheduler_destroy(wf_scheduler *scheduler)
{
    if (!scheduler) return;
    wf_compute *c, *next;
    HASH_ITER(hh, scheduler->computes, c, next)
    {
        HASH_DEL(scheduler->computes, c);
        free_compute(scheduler, c);
    }
    wf_balance_destroy(scheduler->balance);
    pthread_cond_destroy(&scheduler->change);
    pthread_mutex_destroy(&scheduler->lock);
    for (int rank = 0; rank < scheduler->options.transport->size; rank++) free(scheduler->ranks[rank].texts);
    free(scheduler->ranks);
    free(scheduler);
}

/* ---- what the other files share ---- */

wf_compute *wf_scheduler_find_compute(wf_scheduler *scheduler, uint64_t id)
{
    wf_compute *c;
    HASH_FIND(hh, scheduler->computes, &id, sizeof id, c);
    return c;
}

weft_status wf_scheduler_send(wf_scheduler *s, int rank, uint32_t type, const void *body, size_t bytes, weft_error *err)
{
    wf_message message = {.type = type};
    if (bytes && !wf_message_create_body(&message, bytes, err)) return WEFT_ENOMEM;
    if (bytes) memcpy(message.body, body, bytes);
    return wf_transport_send(s->options.transport, rank, &message, err);
}

void wf_scheduler_break(wf_scheduler *s, const weft_error *error)
{
    if (s->broken.status == WEFT_OK) {
        s->broken = *error;
        wf_log_write(s->options.log, WF_LOG_INFO, "session broken status=%s text=%s", weft_status_name(error->status), error->text);
    }
    pthread_cond_broadcast(&s->change);
}

void wf_scheduler_send_ref_to_workers(wf_scheduler *s, uint32_t type, uint64_t graph, uint64_t ref)
{
    wf_ref_message body = {graph, ref};
    for (int rank = 0; rank < s->options.transport->size; rank++) {
        if (s->ranks[rank].threads > 0) wf_scheduler_send(s, rank, type, &body, sizeof body, NULL);
    }
}

/* ---- messages ---- */

static void on_hello(wf_scheduler *s, const wf_message *message)
{
    const wf_hello_message *body = message->body;
    wf_rank_entry *rank = &s->ranks[message->from];
    weft_error error = WEFT_ERROR_INIT;
    size_t text_bytes = message->body_bytes - sizeof *body;
    if (body->version != WF_PROTOCOL_VERSION || body->byte_order != WF_BYTE_ORDER_MARK) {
        weft_fail(&error, WEFT_ELAUNCH, "rank %d runs another version of weft, or on another byte order; start the same build on every "
                  "rank", message->from);
        wf_scheduler_break(s, &error);
        return;
    }
    if (rank->has_said_hello) return;
    rank->texts = wf_calloc(text_bytes + 2, 1, &error); /* ends both texts, whatever came */
    if (!rank->texts) {
        wf_scheduler_break(s, &error);
        return;
    }
    memcpy(rank->texts, body + 1, text_bytes);
    s->hello_count++;
    rank->has_said_hello = true;
    rank->threads = body->threads;
    rank->memory_limit_bytes = body->memory_limit_bytes;
    memcpy(rank->host, body->host, sizeof rank->host);
    rank->host[sizeof rank->host - 1] = '\0';
}

static void on_progress(wf_scheduler *s, const wf_message *message)
{
    const wf_progress_message *body = message->body;
    s->ranks[message->from].stats = body->stats;
    wf_compute *c = wf_scheduler_find_compute(s, body->graph);
    wf_balance_note_progress(s->balance, c ? c->moves : NULL, message->from, body);
    if (!c || body->ended <= c->ended[message->from]) return; /* a sign of life, or overtaken by a later count */
    /* Not compared with given: it may have ended what it got from another rank, whose MOVED is still on its way. */
    uint64_t more = body->ended - c->ended[message->from];
    if (more > c->task_count - c->ended_count) {
        weft_error error = WEFT_ERROR_INIT;
        weft_fail(&error, WEFT_EDATA, "rank %d ended %llu tasks more, of %llu that were left; run the same weft on every rank",
                  message->from, (unsigned long long)more, (unsigned long long)(c->task_count - c->ended_count));
        wf_scheduler_break(s, &error);
        return;
    }
    c->ended_count += more;
    c->ended[message->from] = body->ended;
}

static void on_root(wf_scheduler *s, wf_message *message)
{
    const wf_ref_message *body = message->body;
    wf_compute *c = wf_scheduler_find_compute(s, body->graph);
    size_t at = 0, count = c ? c->root_count : 0;
    while (count > 0) { /* the first that is not below */
        size_t half = count / 2;
        bool is_below = c->roots[at + half].ref < body->ref;
        at += is_below ? half + 1 : 0;
        count = is_below ? count - half - 1 : half;
    }
    for (; c && at < c->root_count && c->roots[at].ref == body->ref; at++) {
        size_t index = c->roots[at].index;
        if (c->chunks[index]) continue;
        weft_chunk_retain(message->chunk);
        c->chunks[index] = message->chunk;
        c->missing_count--;
    }
}

static void on_failed(wf_scheduler *s, const wf_message *message)
{
    const wf_failed_message *body = message->body;
    wf_compute *c = wf_scheduler_find_compute(s, body->graph);
    if (c && body->ends_graph) wf_scheduler_cancel(s, c, WF_CANCEL_PLAIN);
    if (!c || (c->has_failed && c->failed_ref <= body->ref)) return;
    c->has_failed = true;
    c->failed_ref = body->ref;
    c->error = body->error;
}

static size_t expected_bytes(uint32_t type)
{
    switch (type) {
    case WF_MSG_HELLO: return sizeof(wf_hello_message); /* at least */
    case WF_MSG_MOVED: return sizeof(wf_moved_message); /* at least */
    case WF_MSG_ANSWER: return sizeof(wf_answer_message);
    case WF_MSG_PROGRESS: return sizeof(wf_progress_message);
    case WF_MSG_ROOT: return sizeof(wf_ref_message);
    case WF_MSG_FAILED:
    case WF_MSG_BROKEN: return sizeof(wf_failed_message);
    default: return SIZE_MAX;
    }
}

void wf_scheduler_handle(wf_scheduler *scheduler, wf_message *message, int64_t now_ns)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->ranks[message->from].heard_ns = now_ns;
    bool has_tail = message->type == WF_MSG_HELLO || message->type == WF_MSG_MOVED;
    bool is_sized = has_tail ? message->body_bytes >= expected_bytes(message->type)
                             : message->body_bytes == expected_bytes(message->type);
    if (!is_sized || (message->type == WF_MSG_ROOT && !message->chunk)) {
        weft_error error = WEFT_ERROR_INIT;
        weft_fail(&error, WEFT_EDATA, "rank %d sent a message of type %u and %zu bytes that rank 0 does not know; run the same weft "
                  "on every rank", message->from, message->type, message->body_bytes);
        wf_scheduler_break(scheduler, &error);
    } else {
        switch (message->type) {
        case WF_MSG_HELLO: on_hello(scheduler, message); break;
        case WF_MSG_PROGRESS: on_progress(scheduler, message); break;
        case WF_MSG_ROOT: on_root(scheduler, message); break;
        case WF_MSG_FAILED: on_failed(scheduler, message); break;
        case WF_MSG_MOVED: wf_scheduler_note_moved(scheduler, message); break;
        case WF_MSG_ANSWER: wf_scheduler_note_answer(scheduler, message, now_ns); break;
        default: wf_scheduler_break(scheduler, &((const wf_failed_message *)message->body)->error); break;
        }
    }
    wf_scheduler_send_requests(scheduler);
    pthread_cond_broadcast(&scheduler->change);
    pthread_mutex_unlock(&scheduler->lock);
}

/* Who gave partitions away may still be sending them. */
static bool has_work(wf_scheduler *s, int rank)
{
    for (wf_compute *c = s->computes; c; c = c->hh.next) {
        if ((int64_t)c->ended[rank] < c->given[rank] || (c->moves && wf_balance_has_given(c->moves, rank))) return true;
    }
    return false;
}

void wf_scheduler_tick(wf_scheduler *scheduler, int64_t now_ns)
{
    const weft_error *transport_error = wf_transport_broken(scheduler->options.transport);
    pthread_mutex_lock(&scheduler->lock);
    if (transport_error) wf_scheduler_break(scheduler, transport_error);
    for (int rank = 0; rank < scheduler->options.transport->size; rank++) {
        wf_rank_entry *entry = &scheduler->ranks[rank];
        if (!has_work(scheduler, rank)) {
            entry->heard_ns = now_ns; /* silence counts from when it got work */
            continue;
        }
        if (now_ns - entry->heard_ns < scheduler->options.lost_after_ns) continue;
        weft_error error = WEFT_ERROR_INIT;
        weft_fail(&error, WEFT_ELOST, "rank %d on %s has been silent for %.0f s with work to do; look at its log or raise "
                  "scheduler.lost_after", rank, entry->host, (double)(now_ns - entry->heard_ns) * 1e-9);
        error.rank = rank;
        wf_scheduler_break(scheduler, &error);
    }
    if (scheduler->broken.status == WEFT_OK) {
        wf_scheduler_spread_news(scheduler);
        wf_scheduler_look_for_stalls(scheduler, now_ns);
    }
    pthread_mutex_unlock(&scheduler->lock);
}

int wf_scheduler_hello_count(wf_scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    int count = scheduler->hello_count;
    pthread_mutex_unlock(&scheduler->lock);
    return count;
}

weft_status wf_scheduler_workers(wf_scheduler *scheduler, wf_plan_worker **workers, size_t *worker_count, weft_error *err)
{
    size_t count = 0;
    wf_plan_worker *made = wf_calloc((size_t)scheduler->options.transport->size, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    pthread_mutex_lock(&scheduler->lock);
    for (int rank = 0; rank < scheduler->options.transport->size; rank++) {
        int threads = (int)scheduler->ranks[rank].threads;
        if (threads > 0) made[count++] = (wf_plan_worker){rank, threads};
    }
    pthread_mutex_unlock(&scheduler->lock);
    *workers = made;
    *worker_count = count;
    return WEFT_OK;
}

uint64_t wf_scheduler_memory_limit_bytes(wf_scheduler *scheduler)
{
    uint64_t sum = 0;
    bool unlimited = false;
    pthread_mutex_lock(&scheduler->lock);
    for (int rank = 0; rank < scheduler->options.transport->size; rank++) {
        const wf_rank_entry *entry = &scheduler->ranks[rank];
        if (entry->threads == 0) continue;
        sum += entry->memory_limit_bytes;
        unlimited |= entry->memory_limit_bytes == 0;
    }
    pthread_mutex_unlock(&scheduler->lock);
    return unlimited ? 0 : sum;
}

bool wf_scheduler_describe_rank(wf_scheduler *scheduler, int rank, wf_rank_description *description)
{
    if (rank < 0 || rank >= scheduler->options.transport->size) return false;
    pthread_mutex_lock(&scheduler->lock);
    const wf_rank_entry *entry = &scheduler->ranks[rank];
    bool known = entry->has_said_hello;
    if (known)
        *description = (wf_rank_description){entry->host, entry->texts, entry->texts + strlen(entry->texts) + 1, (int)entry->threads,
                                             entry->memory_limit_bytes};
    pthread_mutex_unlock(&scheduler->lock);
    return known;
}

uint64_t wf_scheduler_next_graph(wf_scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    uint64_t id = scheduler->next_graph++;
    pthread_mutex_unlock(&scheduler->lock);
    return id;
}

/* ---- computes ---- */

static int compare_roots(const void *a, const void *b)
{
    const wf_wanted_root *x = a, *y = b;
    return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static weft_status make_compute(wf_scheduler *s, uint64_t id, const wf_plan *plan, const wf_layers_shipment *layers, const weft_ref *roots,
                                size_t root_count, bool gather, wf_compute **out, weft_error *err)
{
    wf_compute *c = wf_calloc(1, sizeof *c, err);
    if (!c) return WEFT_ENOMEM;
    c->id = id;
    c->task_count = plan->needed_count + layers->task_count;
    c->root_count = c->missing_count = gather ? root_count : 0;
    wf_stall_init(&c->stall, plan->partition_count / plan->per_worker, wf_clock_now_ns());
    c->ended = wf_calloc((size_t)s->options.transport->size, sizeof *c->ended, err);
    c->given = wf_calloc((size_t)s->options.transport->size, sizeof *c->given, err);
    c->roots = wf_calloc(c->root_count, sizeof *c->roots, err);
    c->chunks = wf_calloc(c->root_count, sizeof *c->chunks, err);
    if (!c->ended || !c->given || !c->roots || !c->chunks) {
        free_compute(s, c);
        return WEFT_ENOMEM;
    }
    for (size_t i = 0; i < c->root_count; i++) c->roots[i] = (wf_wanted_root){roots[i].value, i};
    if (c->root_count) qsort(c->roots, c->root_count, sizeof *c->roots, compare_roots);
    for (size_t t = 0; t < plan->task_count; t++) {
        if (plan->partition[t] != WF_NO_PARTITION) c->given[plan->rank[plan->partition[t]]]++;
    }
    for (uint32_t p = 0; layers->partition_tasks && p < plan->partition_count; p++)
        c->given[plan->rank[p]] += (int64_t)layers->partition_tasks[p];
    *out = c;
    return WEFT_OK;
}

static wf_graph_message *make_graph_message(uint64_t id, const weft_graph *graph, const wf_plan *plan, const wf_layers_shipment *layers,
                                            size_t *bytes, weft_error *err)
{
    size_t names = 0;
    for (size_t k = 0; k < graph->kernel_count; k++) names += strlen(graph->kernels[k]->name) + 1;
    size_t layers_at = wf_graph_message_layers_at(names);
    *bytes = layers_at + layers->size_bytes;
    wf_graph_message *body = wf_calloc(1, *bytes, err);
    if (!body) return NULL;
    *body = (wf_graph_message){.graph = id, .partition_count = plan->partition_count, .kernel_count = (uint32_t)graph->kernel_count,
                               .first_rank = plan->rank[0], .per_rank = plan->per_worker, .names_bytes = names,
                               .layers_bytes = layers->size_bytes};
    if (layers->bytes) memcpy((char *)body + layers_at, layers->bytes, layers->size_bytes);
    char *at = (char *)(body + 1);
    for (size_t k = 0; k < graph->kernel_count; k++) at = stpcpy(at, graph->kernels[k]->name) + 1;
    return body;
}

/* What GRAPH tells of the owners. Only rank 0 may run no tasks, so workers are neighbours. */
static bool follows_rule(const wf_plan *plan)
{
    for (uint32_t p = 0; p < plan->partition_count; p++) {
        if (plan->rank[p] != plan->rank[0] + (int32_t)(p / plan->per_worker)) return false;
    }
    return true;
}

static uint32_t count_partitions(const wf_plan *plan, const wf_partition_set *set, int rank)
{
    uint32_t count = 0, begin = (uint32_t)(rank - plan->rank[0]) * plan->per_worker;
    for (uint32_t p = begin; rank >= plan->rank[0] && p < set->count && p < begin + plan->per_worker; p++) count += set->bytes[p] != NULL;
    return count;
}

static weft_status send_graph(wf_scheduler *s, const wf_compute *c, const weft_graph *graph, const wf_plan *plan, wf_partition_set *set,
                              const wf_layers_shipment *layers, weft_error *err)
{
    size_t bytes;
    wf_graph_message *body = make_graph_message(c->id, graph, plan, layers, &bytes, err);
    weft_status status = body ? WEFT_OK : WEFT_ENOMEM;
    if (body) body->may_move = c->moves != NULL;
    for (int rank = 0; status == WEFT_OK && rank < s->options.transport->size; rank++) {
        if (s->ranks[rank].threads == 0) continue;
        body->coming_count = count_partitions(plan, set, rank);
        status = wf_scheduler_send(s, rank, WF_MSG_GRAPH, body, bytes, err);
    }
    free(body);
    for (uint32_t p = 0; status == WEFT_OK && p < set->count; p++) {
        if (!set->bytes[p]) continue;
        wf_message message = {.type = WF_MSG_PARTITION, .body = set->bytes[p], .body_bytes = set->size_bytes[p]};
        set->bytes[p] = NULL;
        status = wf_transport_send(s->options.transport, plan->rank[p], &message, err);
    }
    return status;
}

/* Where there are several workers, partitions may move between them. */
static weft_status begin_moves(wf_scheduler *s, wf_compute *c, const wf_plan *plan, const wf_partition_set *set, weft_error *err)
{
    wf_places places;
    if (!wf_balance_is_on(s->balance) || plan->partition_count == plan->per_worker) return WEFT_OK;
    uint32_t *counts = wf_calloc((size_t)s->options.transport->size, sizeof *counts, err);
    if (!counts) return WEFT_ENOMEM;
    for (int rank = 0; rank < s->options.transport->size; rank++) counts[rank] = count_partitions(plan, set, rank);
    wf_places_init(&places, plan->partition_count, plan->rank[0], plan->per_worker);
    weft_status status = wf_balance_begin(s->balance, c->id, &places, counts, &c->moves, err);
    free(counts);
    return status;
}

/* With the lock held. On failure the compute is not among those that run. */
static weft_status begin_compute(wf_scheduler *s, wf_compute *c, const weft_graph *graph, const wf_plan *plan, wf_partition_set *set,
                                 const wf_layers_shipment *layers, weft_error *err)
{
    weft_status status = begin_moves(s, c, plan, set, err);
    if (status != WEFT_OK) return status;
    HASH_ADD(hh, s->computes, id, sizeof c->id, c);
    if (!c->hh.tbl) return weft_fail(err, WEFT_ENOMEM, "no memory for another compute");
    wf_log_write(s->options.log, WF_LOG_INFO, "compute begins graph=%llu tasks=%llu partitions=%u", (unsigned long long)c->id,
                 (unsigned long long)c->task_count, plan->partition_count);
    status = send_graph(s, c, graph, plan, set, layers, err);
    if (status != WEFT_OK) { /* half of it may be out: nobody can end this compute any more */
        weft_error error = WEFT_ERROR_INIT;
        weft_fail(&error, status, "a graph could only be sent in part; the session cannot go on");
        wf_scheduler_break(s, err ? err : &error);
        HASH_DEL(s->computes, c);
    }
    return status;
}

weft_status wf_scheduler_begin(wf_scheduler *scheduler, uint64_t graph_id, const weft_graph *graph, const wf_plan *plan,
                               wf_partition_set *set, const wf_layers_shipment *layers, const weft_ref *roots, size_t root_count, bool gather,
                               weft_error *err)
{
    wf_compute *c;
    if (!follows_rule(plan)) return weft_fail(err, WEFT_EINVAL, "a plan whose workers are not neighbouring ranks");
    weft_status status = make_compute(scheduler, graph_id, plan, layers, roots, root_count, gather, &c, err);
    if (status != WEFT_OK) return status;
    pthread_mutex_lock(&scheduler->lock);
    if (scheduler->broken.status != WEFT_OK) {
        if (err) *err = scheduler->broken;
        status = scheduler->broken.status;
    } else {
        status = begin_compute(scheduler, c, graph, plan, set, layers, err);
    }
    if (status == WEFT_OK)
        wf_scheduler_send_requests(scheduler);
    else
        free_compute(scheduler, c);
    pthread_mutex_unlock(&scheduler->lock);
    return status;
}

/* Tasks that ended count for who ran them, and those of a partition for its giver until MOVED has come: when every rank has ended what
 * it was given, nothing is on its way. */
static bool is_over(const wf_scheduler *s, const wf_compute *c)
{
    if (s->broken.status != WEFT_OK || !c) return true;
    if (c->ended_count < c->task_count || (c->missing_count > 0 && !c->has_failed)) return false;
    for (int rank = 0; rank < s->options.transport->size; rank++) {
        if ((int64_t)c->ended[rank] != c->given[rank]) return false;
    }
    return true;
}

bool wf_scheduler_wait(wf_scheduler *scheduler, uint64_t graph_id, int64_t timeout_ns)
{
    struct timespec until = wf_clock_deadline(timeout_ns);
    pthread_mutex_lock(&scheduler->lock);
    bool over = is_over(scheduler, wf_scheduler_find_compute(scheduler, graph_id));
    if (!over && timeout_ns > 0) {
        pthread_cond_timedwait(&scheduler->change, &scheduler->lock, &until);
        over = is_over(scheduler, wf_scheduler_find_compute(scheduler, graph_id));
    }
    pthread_mutex_unlock(&scheduler->lock);
    return over;
}

weft_status wf_scheduler_check(wf_scheduler *scheduler, weft_error *err)
{
    pthread_mutex_lock(&scheduler->lock);
    weft_status status = scheduler->broken.status;
    if (status != WEFT_OK && err) *err = scheduler->broken;
    pthread_mutex_unlock(&scheduler->lock);
    return status;
}

weft_status wf_scheduler_end(wf_scheduler *scheduler, uint64_t graph_id, weft_chunk **chunks, weft_error *err)
{
    weft_status status = WEFT_OK;
    pthread_mutex_lock(&scheduler->lock);
    wf_compute *c = wf_scheduler_find_compute(scheduler, graph_id);
    const weft_error *error = NULL;
    if (scheduler->broken.status != WEFT_OK)
        error = &scheduler->broken;
    else if (c && c->has_failed)
        error = &c->error;
    wf_log_write(scheduler->options.log, WF_LOG_INFO, "compute ends graph=%llu status=%s", (unsigned long long)graph_id,
                 weft_status_name(error ? error->status : WEFT_OK));
    if (error) {
        if (err) *err = *error;
        status = error->status;
    } else {
        for (size_t i = 0; c && chunks && i < c->root_count; i++) {
            chunks[i] = c->chunks[i];
            c->chunks[i] = NULL;
        }
    }
    if (c) {
        HASH_DEL(scheduler->computes, c);
        free_compute(scheduler, c);
        if (scheduler->broken.status == WEFT_OK) wf_scheduler_send_ref_to_workers(scheduler, WF_MSG_FORGET, graph_id, 0);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return status;
}

void wf_scheduler_interrupt(wf_scheduler *scheduler, const char *why)
{
    weft_error error = WEFT_ERROR_INIT;
    weft_fail(&error, WEFT_ECANCELLED, "%s", why);
    pthread_mutex_lock(&scheduler->lock);
    for (wf_compute *c = scheduler->computes; c; c = c->hh.next) wf_scheduler_cancel(scheduler, c, WF_CANCEL_PLAIN);
    wf_scheduler_break(scheduler, &error);
    pthread_mutex_unlock(&scheduler->lock);
}

void wf_scheduler_release(wf_scheduler *scheduler, int rank, uint64_t graph_id, uint64_t ref)
{
    wf_ref_message body = {graph_id, ref};
    wf_scheduler_send(scheduler, rank, WF_MSG_RELEASE, &body, sizeof body, NULL);
}

void wf_scheduler_shut_down(wf_scheduler *scheduler)
{
    uint32_t type = wf_scheduler_check(scheduler, NULL) == WEFT_OK ? WF_MSG_SHUTDOWN : WF_MSG_BROKEN;
    for (int rank = 0; rank < scheduler->options.transport->size; rank++) {
        if (rank != scheduler->options.transport->rank) wf_scheduler_send(scheduler, rank, type, NULL, 0, NULL);
    }
}

wf_rank_stats wf_scheduler_stats(wf_scheduler *scheduler)
{
    wf_rank_stats sum = {0};
    pthread_mutex_lock(&scheduler->lock);
    for (int rank = 0; rank < scheduler->options.transport->size; rank++) {
        const wf_rank_stats *stats = &scheduler->ranks[rank].stats;
        sum.tasks_ended += stats->tasks_ended;
        sum.bytes_sent += stats->bytes_sent;
        sum.memory_peak_bytes += stats->memory_peak_bytes;
        sum.rss_peak_bytes += stats->rss_peak_bytes;
    }
    pthread_mutex_unlock(&scheduler->lock);
    return sum;
}
