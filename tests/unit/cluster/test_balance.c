/* Who is asked to give how much to whom; the test plays the scheduler. */
#include "cluster/balance.h"

#include "weft_test.h"

enum { RANKS = 5 }; /* rank 0 only schedules, four partitions for each of the others */

typedef struct fixture {
    wf_balance *balance;
    wf_balance_graph *graph;
} fixture;

static wf_balance_graph *begin(wf_balance *balance, uint64_t id)
{
    wf_places places;
    wf_balance_graph *graph = NULL;
    wf_places_init(&places, 4 * (RANKS - 1), 1, 4);
    CU_ASSERT_EQUAL_FATAL(wf_balance_begin(balance, id, &places, (uint32_t[RANKS]){0, 4, 4, 4, 4}, &graph, NULL), WEFT_OK);
    return graph;
}

static fixture open_fixture(wf_move_mode mode)
{
    fixture f;
    CU_ASSERT_EQUAL_FATAL(wf_balance_create(RANKS, mode, &f.balance, NULL), WEFT_OK);
    f.graph = begin(f.balance, 7);
    return f;
}

static void hear(fixture *f, int rank, uint32_t startable, uint64_t hungry_at)
{
    wf_progress_message progress = {.graph = 7, .hungry_at = hungry_at, .startable_count = startable};
    wf_balance_note_progress(f->balance, f->graph, rank, &progress);
}

/* `count` of the partitions that are on the rank by the rule, from the last one down. */
static weft_status answer(fixture *f, int from, int to, uint32_t count, uint32_t moves)
{
    wf_moved_partition moved[4];
    for (uint32_t i = 0; i < count; i++) moved[i] = (wf_moved_partition){4 * (uint32_t)from - 1 - i, moves, to, 0, 10};
    return wf_balance_note_moved(f->balance, f->graph, from, moved, count, NULL);
}

static bool asks(fixture *f, int from, int to, uint32_t most)
{
    int rank;
    wf_give_message give;
    if (!wf_balance_next(f->balance, &rank, &give)) return false;
    return rank == from && give.to == to && give.most == most && give.graph == 7 && !give.may_be_stuck;
}

static bool asks_nobody(fixture *f)
{
    int rank;
    wf_give_message give;
    return !wf_balance_next(f->balance, &rank, &give);
}

static void nobody_is_asked_while_all_work(void)
{
    fixture f = open_fixture(WF_MOVE_ON);
    CU_ASSERT(asks_nobody(&f));
    hear(&f, 1, 4, 0);
    CU_ASSERT(asks_nobody(&f));
    wf_balance_destroy(f.balance);
}

static void a_hungry_rank_gets_half_of_what_the_fullest_has(void)
{
    fixture f = open_fixture(WF_MOVE_ON);
    hear(&f, 1, 2, 0);
    hear(&f, 3, 7, 0);
    hear(&f, 4, 0, 7);
    CU_ASSERT(asks(&f, 3, 4, 4));
    CU_ASSERT(asks_nobody(&f)); /* it is being helped */
    CU_ASSERT_EQUAL(answer(&f, 3, 4, 4, 1), WEFT_OK);
    CU_ASSERT(asks_nobody(&f)); /* it has got some */
    CU_ASSERT_EQUAL(wf_balance_place(f.graph, 11).rank, 4);
    CU_ASSERT_EQUAL(wf_balance_place(f.graph, 7).rank, 2);
    CU_ASSERT_EQUAL(wf_balance_moved_count(f.balance), 4);
    CU_ASSERT(wf_balance_has_given(f.graph, 3) && !wf_balance_has_given(f.graph, 4));
    wf_balance_destroy(f.balance);
}

static void several_hungry_ranks_share(void)
{
    fixture f = open_fixture(WF_MOVE_ON);
    hear(&f, 1, 8, 0);
    hear(&f, 4, 0, 0);
    hear(&f, 2, 0, 7);
    hear(&f, 3, 0, 7);
    CU_ASSERT(asks(&f, 1, 2, 3)); /* a third of 8, rounded up */
    CU_ASSERT(asks_nobody(&f));   /* one thing at a time */
    answer(&f, 1, 2, 3, 1);
    CU_ASSERT(asks(&f, 1, 3, 3)); /* half of the 5 that are left */
    wf_balance_destroy(f.balance);
}

static void who_has_nothing_to_give_is_not_asked_again_until_it_has(void)
{
    fixture f = open_fixture(WF_MOVE_ON);
    for (int rank = 1; rank < 4; rank++) hear(&f, rank, (uint32_t)rank, 0);
    hear(&f, 4, 0, 7);
    CU_ASSERT(asks(&f, 3, 4, 2));
    answer(&f, 3, 4, 0, 1);
    CU_ASSERT(asks(&f, 2, 4, 1));
    answer(&f, 2, 4, 0, 1);
    CU_ASSERT(asks(&f, 1, 4, 1));
    answer(&f, 1, 4, 0, 1);
    CU_ASSERT(asks_nobody(&f));
    hear(&f, 2, 1, 0);
    CU_ASSERT(asks(&f, 2, 4, 1));
    wf_balance_destroy(f.balance);
}

static void hunger_of_before_a_graph_came_does_not_count(void)
{
    fixture f = open_fixture(WF_MOVE_ON);
    hear(&f, 1, 4, 0);
    hear(&f, 4, 0, 6);
    CU_ASSERT(asks_nobody(&f));
    hear(&f, 4, 0, 7);
    wf_balance_graph *second = begin(f.balance, 8); /* forgets who was hungry */
    CU_ASSERT(asks_nobody(&f));
    wf_balance_end(f.balance, second);
    wf_balance_destroy(f.balance);
}

static void an_answer_may_come_after_the_compute(void)
{
    fixture f = open_fixture(WF_MOVE_ON);
    hear(&f, 4, 0, 7);
    CU_ASSERT(asks(&f, 1, 4, 2));
    wf_balance_end(f.balance, f.graph);
    CU_ASSERT_EQUAL(wf_balance_note_moved(f.balance, NULL, 1, NULL, 0, NULL), WEFT_OK);
    f.graph = begin(f.balance, 9);
    hear(&f, 4, 0, 9);
    int rank;
    wf_give_message give;
    CU_ASSERT(wf_balance_next(f.balance, &rank, &give) && rank == 1 && give.graph == 9);
    wf_balance_destroy(f.balance);
}

static void what_moved_is_news_once(void)
{
    fixture f = open_fixture(WF_MOVE_ON);
    uint32_t count;
    hear(&f, 4, 0, 7);
    CU_ASSERT(asks(&f, 1, 4, 2));
    answer(&f, 1, 4, 2, 1);
    const wf_moved_partition *news = wf_balance_take_news(f.graph, &count);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT(news[0].partition == 3 && news[1].partition == 2 && news[1].rank == 4 && news[1].moves == 1);
    wf_balance_take_news(f.graph, &count);
    CU_ASSERT_EQUAL(count, 0);
    wf_balance_destroy(f.balance);
}

static void random_moves_come_to_an_end(void)
{
    fixture f = open_fixture(WF_MOVE_AT_RANDOM);
    int requests = 0, rank;
    wf_give_message give;
    while (requests < 1000 && wf_balance_next(f.balance, &rank, &give)) {
        requests++;
        CU_ASSERT(rank >= 1 && rank < RANKS && give.to >= 1 && give.to < RANKS && give.to != rank);
        CU_ASSERT_EQUAL(wf_balance_note_moved(f.balance, f.graph, rank, NULL, 0, NULL), WEFT_OK);
    }
    CU_ASSERT(requests >= 16 && requests <= 64);
    wf_balance_destroy(f.balance);
}

static void damaged_answers_are_refused(void)
{
    static const wf_moved_partition bad[] = {{16, 1, 4, 0, 1}, {3, 1, RANKS, 0, 1}, {3, 1, -1, 0, 1}};
    fixture f = open_fixture(WF_MOVE_ON);
    CU_ASSERT_EQUAL(answer(&f, 1, 4, 1, 1), WEFT_EDATA); /* unasked */
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        hear(&f, 1, 4, 0);
        hear(&f, 4, 0, 7);
        CU_ASSERT_FALSE(asks_nobody(&f));
        int giver = 1; /* the lowest of the fullest */
        CU_ASSERT_EQUAL(wf_balance_note_moved(f.balance, f.graph, giver, &bad[i], 1, NULL), WEFT_EDATA);
    }
    wf_balance_destroy(f.balance);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(nobody_is_asked_while_all_work),
        WEFT_TEST(a_hungry_rank_gets_half_of_what_the_fullest_has),
        WEFT_TEST(several_hungry_ranks_share),
        WEFT_TEST(who_has_nothing_to_give_is_not_asked_again_until_it_has),
        WEFT_TEST(hunger_of_before_a_graph_came_does_not_count),
        WEFT_TEST(an_answer_may_come_after_the_compute),
        WEFT_TEST(what_moved_is_news_once),
        WEFT_TEST(random_moves_come_to_an_end),
        WEFT_TEST(damaged_answers_are_refused),
    };
    return weft_test_run("cluster/balance", cases, WEFT_COUNT_OF(cases));
}
