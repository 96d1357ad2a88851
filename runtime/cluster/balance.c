/* Who idles, who can spare, and who is asked. One thread at a time.
 *
 * Invariant: at most one request is with a rank, and at most one is out for the sake of a rank; each is answered by MOVED. hungry_count is
 * the number of hungry ranks, so that a message that changes nothing costs the same for any number of them.
 */
#include "cluster/balance.h"

#include <stdlib.h>

#include "base/memory.h"

enum { RANDOM_MOVES_PER_PARTITION = 3 };

typedef struct balance_rank {
    bool is_hungry;
    bool is_asked;  /* to give */
    bool is_helped; /* somebody was asked to give to it */
    int asked_for;
} balance_rank;

struct wf_balance_graph {
    wf_balance_graph *next;
    uint64_t id;
    wf_places places;
    uint32_t *startable; /* by rank: partitions that it can give, as far as known */
    bool *has_given;     /* by rank */
    uint32_t random_budget; /* requests for no reason that are still allowed */
    wf_moved_partition *news;
    size_t news_capacity;
    uint32_t news_count;
};

struct wf_balance {
    int rank_count;
    wf_move_mode mode;
    balance_rank *ranks;
    int hungry_count;
    wf_balance_graph *graphs;
    uint64_t newest_graph;
    uint64_t random_state;
    uint64_t moved_count;
};

weft_status wf_balance_create(int rank_count, wf_move_mode mode, wf_balance **balance, weft_error *err)
{
    wf_balance *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->rank_count = rank_count;
    made->mode = mode;
    made->random_state = 1;
    made->ranks = wf_calloc((size_t)rank_count, sizeof *made->ranks, err);
    if (!made->ranks) {
        free(made);
        return WEFT_ENOMEM;
    }
    *balance = made;
    return WEFT_OK;
}

static void free_graph(wf_balance_graph *graph)
{
    wf_places_fini(&graph->places);
    free(graph->startable);
    free(graph->has_given);
    free(graph->news);
    free(graph);
}

void wf_balance_destroy(wf_balance *b)
{
    if (!b) return;
    for (wf_balance_graph *graph = b->graphs, *next; graph; graph = next) {
        next = graph->next;
        free_graph(graph);
    }
    free(b->ranks);
    free(b);
}

bool wf_balance_is_on(const wf_balance *b)
{
    return b->mode != WF_MOVE_OFF;
}

static void set_hungry(wf_balance *b, balance_rank *rank, bool is_hungry)
{
    b->hungry_count += (int)is_hungry - (int)rank->is_hungry;
    rank->is_hungry = is_hungry;
}

weft_status wf_balance_begin(wf_balance *b, uint64_t id, const wf_places *places, const uint32_t *counts, wf_balance_graph **graph,
                             weft_error *err)
{
    wf_balance_graph *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    made->id = id;
    wf_places_init(&made->places, places->count, places->first_rank, places->per_rank);
    made->startable = wf_calloc((size_t)b->rank_count, sizeof *made->startable, err);
    made->has_given = wf_calloc((size_t)b->rank_count, sizeof *made->has_given, err);
    if (!made->startable || !made->has_given) {
        free_graph(made);
        return WEFT_ENOMEM;
    }
    made->random_budget = RANDOM_MOVES_PER_PARTITION * places->count;
    for (int rank = 0; rank < b->rank_count; rank++) {
        made->startable[rank] = counts[rank];
        set_hungry(b, &b->ranks[rank], false); /* of those that got nothing, too: they tell */
    }
    if (id > b->newest_graph) b->newest_graph = id;
    made->next = b->graphs;
    b->graphs = made;
    *graph = made;
    return WEFT_OK;
}

void wf_balance_end(wf_balance *b, wf_balance_graph *graph)
{
    if (!graph) return;
    wf_balance_graph **link = &b->graphs;
    while (*link != graph) link = &(*link)->next;
    *link = graph->next;
    free_graph(graph);
}

/* ---- what is heard ---- */

void wf_balance_note_progress(wf_balance *b, wf_balance_graph *graph, int rank, const wf_progress_message *progress)
{
    if (graph) graph->startable[rank] = progress->startable_count;
    /* Hunger from before the newest graph came may be over. */
    set_hungry(b, &b->ranks[rank], progress->hungry_at > 0 && progress->hungry_at >= b->newest_graph);
}

static weft_status note_move(wf_balance *b, wf_balance_graph *graph, const wf_moved_partition *moved, weft_error *err)
{
    if (moved->partition >= graph->places.count || moved->rank < 0 || moved->rank >= b->rank_count)
        return weft_fail(err, WEFT_EDATA, "partition %u of %u is said to have moved to rank %d of %d; run the same weft on every rank",
                         moved->partition, graph->places.count, moved->rank, b->rank_count);
    weft_status status = wf_places_note(&graph->places, moved->partition, (wf_place){moved->rank, moved->moves}, err);
    if (status == WEFT_OK) status = wf_grow(&graph->news, &graph->news_capacity, (size_t)graph->news_count + 1, sizeof *graph->news, err);
    if (status == WEFT_OK) graph->news[graph->news_count++] = *moved;
    return status;
}

weft_status wf_balance_note_moved(wf_balance *b, wf_balance_graph *graph, int rank, const wf_moved_partition *moved, uint32_t count,
                                  weft_error *err)
{
    balance_rank *giver = &b->ranks[rank], *taker = &b->ranks[giver->asked_for];
    weft_status status = WEFT_OK;
    if (!giver->is_asked)
        return weft_fail(err, WEFT_EDATA, "rank %d moved partitions unasked; run the same weft on every rank", rank);
    giver->is_asked = taker->is_helped = false;
    if (count) set_hungry(b, taker, false);
    b->moved_count += count;
    if (!graph) return WEFT_OK;
    for (uint32_t i = 0; i < count && status == WEFT_OK; i++) status = note_move(b, graph, &moved[i], err);
    uint32_t left = graph->startable[rank];
    graph->startable[rank] = count > 0 && left > count ? left - count : 0;
    graph->startable[giver->asked_for] += count;
    graph->has_given[rank] |= count > 0;
    return status;
}

/* ---- what is asked ---- */

static uint64_t next_random(wf_balance *b)
{
    b->random_state = b->random_state * 6364136223846793005u + 1442695040888963407u;
    return b->random_state >> 33;
}

static bool ask(wf_balance *b, int giver, int taker, wf_give_message *give)
{
    b->ranks[giver].is_asked = b->ranks[taker].is_helped = true;
    b->ranks[giver].asked_for = taker;
    give->to = taker;
    return true;
}

/* For the tests: whoever has or had partitions gives to anybody of those. */
static bool ask_at_random(wf_balance *b, int *rank, wf_give_message *give)
{
    for (wf_balance_graph *graph = b->graphs; graph; graph = graph->next) {
        int workers = (int)(graph->places.count / graph->places.per_rank);
        for (int tries = 0; tries < workers && graph->random_budget > 0; tries++) {
            int giver = graph->places.first_rank + (int)(next_random(b) % (uint64_t)workers);
            int taker = graph->places.first_rank + (int)(next_random(b) % (uint64_t)workers);
            if (giver == taker || b->ranks[giver].is_asked || b->ranks[taker].is_helped) continue;
            graph->random_budget--;
            *rank = giver;
            *give = (wf_give_message){.graph = graph->id, .most = 1 + (uint32_t)(next_random(b) % 3), .may_be_stuck = 1};
            return ask(b, giver, taker, give);
        }
    }
    return false;
}

/* Of those that work, the one with the most to give in one graph. */
static wf_balance_graph *find_giver(const wf_balance *b, int taker, int *giver)
{
    wf_balance_graph *best = NULL;
    uint32_t most = 0;
    for (wf_balance_graph *graph = b->graphs; graph; graph = graph->next) {
        for (int rank = 0; rank < b->rank_count; rank++) {
            const balance_rank *r = &b->ranks[rank];
            if (rank == taker || r->is_asked || r->is_hungry || graph->startable[rank] <= most) continue;
            most = graph->startable[rank];
            *giver = rank;
            best = graph;
        }
    }
    return best;
}

bool wf_balance_next(wf_balance *b, int *rank, wf_give_message *give)
{
    if (b->mode == WF_MOVE_AT_RANDOM) return ask_at_random(b, rank, give);
    uint32_t waiting_count = 0;
    int taker = -1;
    for (int r = b->rank_count - 1; b->hungry_count > 0 && r >= 0; r--) {
        if (!b->ranks[r].is_hungry || b->ranks[r].is_helped) continue;
        waiting_count++;
        taker = r;
    }
    wf_balance_graph *graph = taker >= 0 ? find_giver(b, taker, rank) : NULL;
    if (!graph) return false;
    uint32_t share = (graph->startable[*rank] + waiting_count) / (waiting_count + 1); /* rounded up */
    *give = (wf_give_message){.graph = graph->id, .most = share};
    return ask(b, *rank, taker, give);
}

bool wf_balance_has_given(const wf_balance_graph *graph, int rank)
{
    return graph->has_given[rank];
}

wf_place wf_balance_place(const wf_balance_graph *graph, uint32_t partition)
{
    return wf_places_get(&graph->places, partition);
}

uint64_t wf_balance_moved_count(const wf_balance *b)
{
    return b->moved_count;
}

const wf_moved_partition *wf_balance_take_news(wf_balance_graph *graph, uint32_t *count)
{
    *count = graph->news_count;
    graph->news_count = 0;
    return graph->news;
}
