/* Deciding that a compute cannot go on: only when nothing runs and nothing is on its way. */
#include "cluster/stall.h"

#include <stdlib.h>
#include <time.h>

#include "weft_test.h"

static const int64_t S = 1000000000;

static const wf_stall_answer quiet = {10, 3, 3, true}, other = {5, 2, 2, true};

/* Answers of two workers in one round; the last one's step. */
static wf_stall_step both(wf_stall *stall, wf_stall_answer a, wf_stall_answer b)
{
    uint32_t round = stall->round;
    CU_ASSERT_EQUAL(wf_stall_hear(stall, round, &a, 2 * S), WF_STALL_WAIT);
    return wf_stall_hear(stall, round, &b, 2 * S);
}

static wf_stall asked(void)
{
    wf_stall stall;
    wf_stall_init(&stall, 2, 0);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 0, S - 1), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 0, S), WF_STALL_ASK);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 0, 100 * S), WF_STALL_WAIT); /* the answers are not here */
    return stall;
}

static void ranks_that_are_idle_twice_without_a_change_are_stalled(void)
{
    wf_stall stall = asked();
    CU_ASSERT_EQUAL(both(&stall, quiet, other), WF_STALL_ASK);
    CU_ASSERT_EQUAL(both(&stall, other, quiet), WF_STALL_FOUND);
}

static void a_rank_at_work_is_asked_again_later_and_later(void)
{
    wf_stall stall = asked();
    wf_stall_answer busy = quiet;
    busy.is_idle = false;
    CU_ASSERT_EQUAL(both(&stall, busy, other), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 0, 4 * S - 1), WF_STALL_WAIT); /* 2 s after the answer at 2 s */
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 0, 4 * S), WF_STALL_ASK);
    CU_ASSERT_EQUAL(both(&stall, other, busy), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 0, 6 * S - 1), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 0, 6 * S), WF_STALL_ASK);
    CU_ASSERT_EQUAL(both(&stall, quiet, other), WF_STALL_ASK);
    CU_ASSERT_EQUAL(both(&stall, quiet, busy), WF_STALL_WAIT); /* in the second round, too */
}

static void a_message_on_its_way_is_no_stall(void)
{
    wf_stall stall = asked();
    wf_stall_answer sent = quiet;
    sent.sent++;
    CU_ASSERT_EQUAL(both(&stall, sent, other), WF_STALL_WAIT);
}

static void a_change_between_the_rounds_is_no_stall(void)
{
    wf_stall_answer ended = quiet, passed = quiet;
    ended.ended++;
    passed.sent++, passed.received++;
    for (int kind = 0; kind < 2; kind++) {
        wf_stall stall = asked();
        CU_ASSERT_EQUAL(both(&stall, quiet, other), WF_STALL_ASK);
        CU_ASSERT_EQUAL(both(&stall, kind ? ended : passed, other), WF_STALL_WAIT);
    }
}

static void a_task_that_ends_puts_the_question_off(void)
{
    wf_stall stall;
    wf_stall_init(&stall, 2, 0);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 1, S), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 1, 2 * S - 1), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(wf_stall_tick(&stall, 1, 2 * S), WF_STALL_ASK);
}

static void answers_of_another_round_are_not_counted(void)
{
    wf_stall stall = asked();
    CU_ASSERT_EQUAL(wf_stall_hear(&stall, 7, &quiet, 2 * S), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(both(&stall, quiet, other), WF_STALL_ASK);
    CU_ASSERT_EQUAL(wf_stall_hear(&stall, 1, &quiet, 2 * S), WF_STALL_WAIT);
    CU_ASSERT_EQUAL(both(&stall, quiet, other), WF_STALL_FOUND);
    CU_ASSERT_EQUAL(wf_stall_hear(&stall, stall.round, &quiet, 2 * S), WF_STALL_WAIT);
}

/* Two workers that pass a token to and fro, asked at random moments: while it lives it must never be called a stall. */
static void a_token_that_is_always_somewhere_is_never_a_stall(void)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 2000; round++) {
        wf_stall stall;
        wf_stall_answer workers[2] = {{0, 0, 0, false}, {0, 0, 0, true}};
        int at = 0; /* 0, 1: at that worker; 2: on its way to 0; 3: to 1 */
        wf_stall_init(&stall, 2, 0);
        wf_stall_tick(&stall, 0, S);
        for (int step = 0, asked_count = 0; step < 50 && asked_count < 2; step++) {
            for (int moves = rand() % 3; moves > 0; moves--) {
                if (at < 2) {
                    workers[at].ended++, workers[at].sent++, workers[at].is_idle = true;
                    at = at == 0 ? 3 : 2;
                } else {
                    at -= 2;
                    workers[at].received++, workers[at].is_idle = false;
                }
            }
            wf_stall_step next = wf_stall_hear(&stall, stall.round, &workers[step % 2], 2 * S);
            CU_ASSERT_NOT_EQUAL_FATAL(next, WF_STALL_FOUND);
            asked_count += next == WF_STALL_ASK;
        }
    }
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(ranks_that_are_idle_twice_without_a_change_are_stalled),
        WEFT_TEST(a_rank_at_work_is_asked_again_later_and_later),
        WEFT_TEST(a_message_on_its_way_is_no_stall),
        WEFT_TEST(a_change_between_the_rounds_is_no_stall),
        WEFT_TEST(a_task_that_ends_puts_the_question_off),
        WEFT_TEST(answers_of_another_round_are_not_counted),
        WEFT_TEST(a_token_that_is_always_somewhere_is_never_a_stall),
    };
    return weft_test_run("cluster/stall", cases, WEFT_COUNT_OF(cases));
}
