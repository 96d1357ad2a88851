/* Partitions that move, as rank 0 sees it: the accounts of who has to end which tasks, and the messages that balance.c decides on.
 * Invariant: a task counts as given to one rank at any time. With the scheduler's lock held, but for the queries. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cluster/scheduler_state.h"

void wf_scheduler_note_moved(wf_scheduler *s, const wf_message *message)
{
    const wf_moved_message *body = message->body;
    const wf_moved_partition *moved = (const wf_moved_partition *)(body + 1);
    wf_compute *c = wf_scheduler_find_compute(s, body->graph);
    weft_error error = WEFT_ERROR_INIT;
    if (message->body_bytes != sizeof *body + body->partition_count * sizeof *moved)
        weft_fail(&error, WEFT_EDATA, "rank %d sent %zu bytes about %u moved partitions; the message was cut", message->from,
                  message->body_bytes, body->partition_count);
    else
        wf_balance_note_moved(s->balance, c ? c->moves : NULL, message->from, moved, body->partition_count, &error);
    if (error.status != WEFT_OK) {
        wf_scheduler_break(s, &error);
        return;
    }
    for (uint32_t i = 0; c && c->moves && i < body->partition_count; i++) {
        c->given[message->from] -= (int64_t)moved[i].task_count;
        c->given[moved[i].rank] += (int64_t)moved[i].task_count;
        wf_log_write(s->options.log, WF_LOG_DEBUG, "partition moves graph=%llu partition=%u from=%d to=%d tasks=%llu",
                     (unsigned long long)c->id, moved[i].partition, message->from, moved[i].rank,
                     (unsigned long long)moved[i].task_count);
    }
}

void wf_scheduler_send_requests(wf_scheduler *s)
{
    int rank;
    wf_give_message give;
    while (s->broken.status == WEFT_OK && wf_balance_next(s->balance, &rank, &give))
        wf_scheduler_send(s, rank, WF_MSG_GIVE, &give, sizeof give, NULL);
}

void wf_scheduler_spread_news(wf_scheduler *s)
{
    for (wf_compute *c = s->computes; c; c = c->hh.next) {
        uint32_t count = 0;
        const wf_moved_partition *news = c->moves ? wf_balance_take_news(c->moves, &count) : NULL;
        size_t bytes = sizeof(wf_moved_message) + count * sizeof *news;
        wf_moved_message *body = count ? wf_calloc(1, bytes, NULL) : NULL;
        if (!body) continue; /* what goes another way arrives, too */
        *body = (wf_moved_message){c->id, count, 0};
        memcpy(body + 1, news, count * sizeof *news);
        for (int rank = 0; rank < s->options.transport->size; rank++) {
            if (s->ranks[rank].threads > 0) wf_scheduler_send(s, rank, WF_MSG_OVERLAY, body, bytes, NULL);
        }
        free(body);
    }
}

int wf_scheduler_partition_rank(wf_scheduler *scheduler, uint64_t graph_id, uint32_t partition)
{
    pthread_mutex_lock(&scheduler->lock);
    wf_compute *c = wf_scheduler_find_compute(scheduler, graph_id);
    int rank = c && c->moves ? wf_balance_place(c->moves, partition).rank : -1;
    pthread_mutex_unlock(&scheduler->lock);
    return rank;
}

uint64_t wf_scheduler_moved_count(wf_scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    uint64_t count = wf_balance_moved_count(scheduler->balance);
    pthread_mutex_unlock(&scheduler->lock);
    return count;
}
