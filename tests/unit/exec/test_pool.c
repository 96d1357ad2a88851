/* The pool: every item once, no lost wake-up, polling, and ends at any moment. Limits on time are for a hang only. */
#include "exec/pool.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weft_test.h"

enum { HANG_S = 30, MAX_THREADS = 5 };

typedef struct test_pool test_pool;

typedef struct counted_item {
    wf_pool_item item; /* first */
    atomic_int runs;
    int turn;          /* how many had started before */
} counted_item;

struct test_pool {
    wf_pool *pool;
    counted_item *items;
    int item_count;
    bool has_children; /* item i pushes 2i+1 and 2i+2 from inside */
    int64_t run_ns;    /* sleep of each item */
    atomic_int run_count, started_count;
    sem_t ran;         /* posted for each item */
    atomic_long polls;
    _Atomic(wf_thread *) last_poller;
    atomic_long polls_in_a_row; /* by the same thread */
    atomic_int to_push;         /* by the poll hook */
    atomic_long idle_polls;     /* that found the pool idle */
    atomic_int idle_while_running; /* looks from inside an item, or from a poll that has pushed one */
};

static void pause_ns(int64_t ns)
{
    nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
}

static bool wait_until_at_least(atomic_long *value, long wanted)
{
    for (int i = 0; i < HANG_S * 20000 && atomic_load(value) < wanted; i++) pause_ns(50000);
    return atomic_load(value) >= wanted;
}

static bool wait_for_run(test_pool *t)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += HANG_S;
    while (sem_timedwait(&t->ran, &until) != 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        if (now.tv_sec > until.tv_sec) return false;
    }
    return true;
}

static void run(void *context, wf_pool_item *item, wf_thread *self)
{
    test_pool *t = context;
    int index = (int)((counted_item *)item - t->items);
    t->items[index].turn = atomic_fetch_add(&t->started_count, 1);
    atomic_fetch_add(&t->idle_while_running, t->pool && wf_pool_is_idle(t->pool));
    if (t->run_ns) pause_ns(t->run_ns);
    for (int child = 2 * index + 1; t->has_children && child <= 2 * index + 2 && child < t->item_count; child++)
        wf_pool_push(t->pool, self, &t->items[child].item);
    atomic_fetch_add(&((counted_item *)item)->runs, 1);
    atomic_fetch_add(&t->run_count, 1);
    sem_post(&t->ran);
}

static bool poll(void *context, wf_thread *self)
{
    test_pool *t = context;
    if (atomic_exchange(&t->last_poller, self) != self) atomic_store(&t->polls_in_a_row, 0);
    atomic_fetch_add(&t->polls_in_a_row, 1);
    atomic_fetch_add(&t->polls, 1);
    atomic_fetch_add(&t->idle_polls, wf_pool_is_idle(t->pool));
    int left = atomic_load(&t->to_push);
    if (left == 0 || !atomic_compare_exchange_strong(&t->to_push, &left, left - 1)) return false;
    wf_pool_push(t->pool, self, &t->items[left - 1].item);
    atomic_fetch_add(&t->idle_while_running, wf_pool_is_idle(t->pool)); /* the item is this thread's next */
    return true;
}

static void open_pool(test_pool *t, int threads, int item_count, bool polls, bool spin)
{
    *t = (test_pool){.items = calloc((size_t)item_count, sizeof *t->items), .item_count = item_count};
    sem_init(&t->ran, 0, 0);
    for (int i = 0; i < item_count; i++) t->items[i].item.run = run;
    wf_pool_options options = {.thread_count = threads, .spin = spin, .idle_sleep_ns = 500000, .poll = polls ? poll : NULL,
                               .context = t};
    CU_ASSERT_EQUAL_FATAL(wf_pool_create(&options, &t->pool, NULL), WEFT_OK);
}

static void close_pool(test_pool *t)
{
    wf_pool_destroy(t->pool);
    sem_destroy(&t->ran);
    free(t->items);
}

static bool each_ran_once(const test_pool *t)
{
    for (int i = 0; i < t->item_count; i++) {
        if (atomic_load(&t->items[i].runs) != 1) return false;
    }
    return true;
}

static void items_from_inside_run_once(void)
{
    for (int threads = 0; threads <= MAX_THREADS; threads++) {
        test_pool t;
        open_pool(&t, threads, 3000, threads % 2 == 1, true);
        t.has_children = true;
        CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
        wf_pool_push(t.pool, NULL, &t.items[0].item);
        if (threads == 0) wf_pool_drain(t.pool);
        for (int i = 0; i < t.item_count; i++) CU_ASSERT_FATAL(wait_for_run(&t));
        CU_ASSERT(each_ran_once(&t));
        close_pool(&t);
    }
}

typedef struct pusher {
    test_pool *t;
    int begin, end;
} pusher;

static void *push_range(void *argument)
{
    pusher *p = argument;
    for (int i = p->begin; i < p->end;) {
        int count = i % 7 + 1;
        if (i + count > p->end) count = p->end - i;
        for (int j = 0; j + 1 < count; j++) p->t->items[i + j].item.next = &p->t->items[i + j + 1].item;
        wf_pool_inject(p->t->pool, &p->t->items[i].item, &p->t->items[i + count - 1].item, (size_t)count);
        i += count;
        if (i % 50 == 0) pause_ns(30000); /* some threads fall asleep in between */
    }
    return NULL;
}

static void items_from_several_threads_outside_run_once(void)
{
    for (int threads = 0; threads <= MAX_THREADS; threads++) {
        test_pool t;
        open_pool(&t, threads, 3000, threads % 2 == 0, threads % 3 == 0);
        CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
        pusher pushers[3] = {{&t, 0, 1000}, {&t, 1000, 2000}, {&t, 2000, 3000}};
        pthread_t handles[3];
        for (int i = 0; i < 3; i++) pthread_create(&handles[i], NULL, push_range, &pushers[i]);
        for (int i = 0; i < 3; i++) pthread_join(handles[i], NULL);
        if (threads == 0) wf_pool_drain(t.pool);
        for (int i = 0; i < t.item_count; i++) CU_ASSERT_FATAL(wait_for_run(&t));
        CU_ASSERT(each_ran_once(&t));
        close_pool(&t);
    }
}

static void items_injected_together_run_in_sequence_on_one_thread(void)
{
    test_pool t;
    open_pool(&t, 0, 100, false, false);
    push_range(&(pusher){&t, 0, 100});
    wf_pool_drain(t.pool);
    CU_ASSERT_EQUAL(atomic_load(&t.run_count), 100);
    CU_ASSERT(each_ran_once(&t));
    for (int i = 0; i < 100; i++) CU_ASSERT_EQUAL(t.items[i].turn, i);
    wf_pool_inject(t.pool, NULL, NULL, 0); /* nothing is nothing */
    wf_pool_drain(t.pool);
    CU_ASSERT_EQUAL(atomic_load(&t.run_count), 100);
    close_pool(&t);
}

static void an_item_from_inside_runs_before_those_injected_earlier(void)
{
    static const int injected[] = {1, 5, 6}, sequence[] = {1, 4, 3, 5, 6}; /* item 1 pushes 3 and 4 */
    test_pool t;
    open_pool(&t, 0, 7, false, false);
    t.has_children = true;
    for (size_t i = 0; i < WEFT_COUNT_OF(injected); i++) wf_pool_push(t.pool, NULL, &t.items[injected[i]].item);
    wf_pool_drain(t.pool);
    CU_ASSERT_EQUAL(atomic_load(&t.run_count), WEFT_COUNT_OF(sequence));
    for (int i = 0; i < (int)WEFT_COUNT_OF(sequence); i++) CU_ASSERT_EQUAL(t.items[sequence[i]].turn, i);
    close_pool(&t);
}

/* A thread that misses an item pushed while it falls asleep would leave it for ever: nothing else ever comes. */
static void no_wake_up_is_lost(void)
{
    static const struct { int threads; bool polls, spin; } kinds[] = {{1, false, false}, {1, false, true}, {2, false, false},
                                                                      {3, false, true},  {1, true, false}, {3, true, true}};
    for (size_t k = 0; k < WEFT_COUNT_OF(kinds); k++) {
        enum { ROUNDS = 1500 };
        test_pool t;
        open_pool(&t, kinds[k].threads, 3, kinds[k].polls, kinds[k].spin);
        t.has_children = true; /* item 0 pushes two: another thread may have to get up for the second */
        CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
        for (int round = 0; round < ROUNDS; round++) {
            if (round % 3 == 1) pause_ns(round % 100 * 1000); /* meets the threads in all stages of falling asleep */
            wf_pool_push(t.pool, NULL, &t.items[0].item);
            CU_ASSERT_FATAL(wait_for_run(&t) && wait_for_run(&t) && wait_for_run(&t));
        }
        CU_ASSERT_EQUAL(atomic_load(&t.items[1].runs), ROUNDS);
        CU_ASSERT_EQUAL(atomic_load(&t.items[2].runs), ROUNDS);
        close_pool(&t);
    }
}

/* Item 0 pushes all others; each of them waits until all have started. */
static void run_together(void *context, wf_pool_item *item, wf_thread *self)
{
    test_pool *t = context;
    int index = (int)((counted_item *)item - t->items);
    for (int i = 1; index == 0 && i < t->item_count; i++) wf_pool_push(t->pool, self, &t->items[i].item);
    if (index != 0) {
        atomic_fetch_add(&t->polls, 1);
        CU_ASSERT(wait_until_at_least(&t->polls, t->item_count - 1));
    }
    sem_post(&t->ran);
}

static void items_from_inside_wake_as_many_threads_as_they_need(void)
{
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        for (int round = 0; round < 50; round++) {
            test_pool t = {.items = calloc((size_t)threads + 1, sizeof *t.items), .item_count = threads + 1};
            sem_init(&t.ran, 0, 0);
            for (int i = 0; i < t.item_count; i++) t.items[i].item.run = run_together;
            wf_pool_options options = {.thread_count = threads, .context = &t};
            CU_ASSERT_EQUAL_FATAL(wf_pool_create(&options, &t.pool, NULL), WEFT_OK);
            CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
            if (round % 2) pause_ns(1000000); /* all asleep */
            wf_pool_push(t.pool, NULL, &t.items[0].item);
            for (int i = 0; i < t.item_count; i++) CU_ASSERT_FATAL(wait_for_run(&t));
            close_pool(&t);
        }
    }
}

static void a_pool_ends_idle_unstarted_or_drained(void)
{
    for (int threads = 0; threads <= MAX_THREADS; threads++) {
        for (int kind = 0; kind < 4; kind++) {
            test_pool t;
            open_pool(&t, threads, 1, kind % 2 == 0, false);
            if (kind > 0) CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
            if (kind == 3) pause_ns(2000000);
            close_pool(&t);
        }
    }
    wf_pool_destroy(NULL);
}

static void a_busy_pool_ends_after_what_runs_and_drops_what_waits(void)
{
    for (int threads = 1; threads <= 3; threads++) {
        test_pool t;
        open_pool(&t, threads, 200, threads == 2, false);
        t.run_ns = 3000000;
        CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
        for (int i = 0; i < t.item_count; i++) wf_pool_push(t.pool, NULL, &t.items[i].item);
        CU_ASSERT_FATAL(wait_for_run(&t));
        wf_pool_destroy(t.pool);
        int ran = atomic_load(&t.run_count);
        CU_ASSERT_EQUAL(atomic_load(&t.started_count), ran); /* none is cut off in the middle */
        CU_ASSERT(ran >= 1 && ran < t.item_count);
        t.pool = NULL;
        close_pool(&t);
    }
}

static void idle_threads_poll_and_run_what_polling_brings(void)
{
    for (int threads = 1; threads <= 3; threads++) {
        test_pool t;
        open_pool(&t, threads, 200, true, threads == 1);
        CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
        CU_ASSERT(wait_until_at_least(&t.polls, 20));
        atomic_store(&t.to_push, t.item_count);
        for (int i = 0; i < t.item_count; i++) CU_ASSERT_FATAL(wait_for_run(&t));
        CU_ASSERT(each_ran_once(&t));
        CU_ASSERT_EQUAL(atomic_load(&t.idle_while_running), 0);
        close_pool(&t);
    }
}

static void a_pool_is_idle_when_nothing_waits_or_runs(void)
{
    for (int threads = 0; threads <= 3; threads++) {
        test_pool t;
        open_pool(&t, threads, 1000, true, threads == 1);
        t.has_children = true;
        CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
        if (threads) CU_ASSERT(wait_until_at_least(&t.idle_polls, 1));
        wf_pool_push(t.pool, NULL, &t.items[0].item);
        if (threads == 0) CU_ASSERT(!wf_pool_is_idle(t.pool));
        if (threads == 0) wf_pool_drain(t.pool);
        for (int i = 0; i < t.item_count; i++) CU_ASSERT_FATAL(wait_for_run(&t));
        long before = atomic_load(&t.idle_polls);
        if (threads) CU_ASSERT(wait_until_at_least(&t.idle_polls, before + 1));
        CU_ASSERT(threads > 0 || wf_pool_is_idle(t.pool));
        CU_ASSERT_EQUAL(atomic_load(&t.idle_while_running), 0);
        close_pool(&t);
    }
}

static void one_idle_thread_polls_while_the_others_sleep(void)
{
    test_pool t;
    open_pool(&t, 4, 1, true, false);
    CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
    CU_ASSERT(wait_until_at_least(&t.polls_in_a_row, 100)); /* four that take turns would hardly come so far */
    close_pool(&t);
}

typedef struct drainer {
    test_pool *t;
    int begin, end;
} drainer;

static void *push_and_drain(void *argument)
{
    drainer *d = argument;
    for (int i = d->begin; i < d->end; i++) {
        wf_pool_push(d->t->pool, NULL, &d->t->items[i].item);
        wf_pool_drain(d->t->pool);
    }
    return NULL;
}

static void several_threads_drain_without_running_an_item_twice_or_leaving_one(void)
{
    test_pool t;
    open_pool(&t, 0, 3000, true, false);
    drainer drainers[3] = {{&t, 0, 1000}, {&t, 1000, 2000}, {&t, 2000, 3000}};
    pthread_t handles[3];
    for (int i = 0; i < 3; i++) pthread_create(&handles[i], NULL, push_and_drain, &drainers[i]);
    for (int i = 0; i < 3; i++) pthread_join(handles[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&t.run_count), 3000); /* nobody drains after they have ended */
    CU_ASSERT(each_ran_once(&t));
    close_pool(&t);
}

static void run_long(void *context, wf_pool_item *item, wf_thread *self)
{
    (void)item;
    (void)self;
    test_pool *t = context;
    long before = atomic_load(&t->polls);
    CU_ASSERT(wait_until_at_least(&t->polls, before + 5));
    sem_post(&t->ran);
}

static void another_idle_thread_takes_polling_over(void)
{
    test_pool t;
    open_pool(&t, 2, 1, true, false);
    t.items[0].item.run = run_long;
    CU_ASSERT_EQUAL_FATAL(wf_pool_start(t.pool, NULL), WEFT_OK);
    for (int round = 0; round < 100; round++) {
        if (round % 2) pause_ns(round * 1000);
        wf_pool_push(t.pool, NULL, &t.items[0].item); /* often enough for the poller to be the one that takes it */
        CU_ASSERT_FATAL(wait_for_run(&t));
    }
    close_pool(&t);
}

static void scratch_is_aligned_and_kept(void *context, wf_pool_item *item, wf_thread *self)
{
    (void)item;
    char *small = wf_thread_scratch(self, 100, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(small);
    CU_ASSERT_EQUAL((uintptr_t)small % 64, 0);
    CU_ASSERT_PTR_EQUAL(wf_thread_scratch(self, 50, NULL), small);
    char *large = wf_thread_scratch(self, 1000000, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    large[999999] = 1;
    CU_ASSERT_PTR_EQUAL(wf_thread_scratch(self, 0, NULL), large);
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_PTR_NULL(wf_thread_scratch(self, SIZE_MAX, &err));
    CU_ASSERT_EQUAL(err.status, WEFT_ENOMEM);
    CU_ASSERT_PTR_EQUAL(wf_thread_scratch(self, 1000000, NULL), large); /* a refusal takes nothing away */
    (void)context;
}

static void scratch_memory_belongs_to_the_thread(void)
{
    wf_pool *pool;
    wf_pool_item item = {.run = scratch_is_aligned_and_kept};
    wf_pool_options options = {.thread_count = 0};
    CU_ASSERT_EQUAL_FATAL(wf_pool_create(&options, &pool, NULL), WEFT_OK);
    wf_pool_push(pool, NULL, &item);
    wf_pool_drain(pool);
    wf_pool_destroy(pool);
}

static void scratch_grows_within_the_budget(void *context, wf_pool_item *item, wf_thread *self)
{
    (void)item;
    wf_budget *budget = context;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_PTR_NOT_NULL(wf_thread_scratch(self, 100, NULL));
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 100);
    void *kept = wf_thread_scratch(self, 600, NULL);
    CU_ASSERT_PTR_NOT_NULL(kept);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 600);
    CU_ASSERT_PTR_NULL(wf_thread_scratch(self, 1001, &err));
    CU_ASSERT_EQUAL(err.status, WEFT_ENOMEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "memory.limit"));
    CU_ASSERT_PTR_NULL(wf_thread_scratch(self, SIZE_MAX, NULL));
    CU_ASSERT_PTR_EQUAL(wf_thread_scratch(self, 600, NULL), kept);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 600);
    CU_ASSERT_EQUAL(wf_budget_peak_bytes(budget), 600);
    CU_ASSERT_PTR_NOT_NULL(wf_thread_scratch(self, 1000, NULL)); /* the old 600 do not count beside it */
}

static void scratch_memory_is_charged_until_the_pool_ends(void)
{
    wf_pool *pool;
    wf_pool_item item = {.run = scratch_grows_within_the_budget};
    wf_budget *budget;
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(1000, &budget, NULL), WEFT_OK);
    wf_pool_options options = {.context = budget, .budget = budget};
    CU_ASSERT_EQUAL_FATAL(wf_pool_create(&options, &pool, NULL), WEFT_OK);
    wf_pool_push(pool, NULL, &item);
    wf_pool_drain(pool);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 1000);
    wf_pool_destroy(pool);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    CU_ASSERT_EQUAL(wf_budget_charge(budget, 1000, NULL), WEFT_OK);
    wf_budget_refund(budget, 1000);
    wf_budget_release(budget);
}

/* What find_more gives: items of a range, one at a time; the rest only when nobody can be stolen from. */
typedef struct source {
    test_pool t;
    atomic_int next;
    atomic_int taken_before_stealing;
} source;

static wf_pool_item *find_more(void *context, wf_thread *self, bool before_stealing)
{
    source *s = context;
    if (before_stealing && atomic_load(&s->next) >= s->t.item_count / 2) return NULL;
    int i = atomic_fetch_add(&s->next, 1);
    if (i >= s->t.item_count) return NULL;
    atomic_fetch_add(&s->taken_before_stealing, before_stealing);
    if (i % 3 == 0) return &s->t.items[i].item;
    wf_pool_push(s->t.pool, self, &s->t.items[i].item);
    return i % 3 == 1 ? NULL : find_more(context, self, before_stealing);
}

static bool has_more(void *context)
{
    source *s = context;
    return atomic_load(&s->next) < s->t.item_count;
}

static void run_found(void *context, wf_pool_item *item, wf_thread *self)
{
    (void)self;
    atomic_fetch_add(&((counted_item *)item)->runs, 1);
    sem_post(&((source *)context)->t.ran);
}

static void items_that_are_looked_for_run_once(void)
{
    for (int threads = 0; threads <= MAX_THREADS; threads++) {
        source s = {.t = {.items = calloc(2000, sizeof *s.t.items), .item_count = 2000}, .next = 2000};
        sem_init(&s.t.ran, 0, 0);
        for (int i = 0; i < s.t.item_count; i++) s.t.items[i].item.run = run_found;
        wf_pool_options options = {.thread_count = threads, .find_more = find_more, .has_more = has_more, .context = &s};
        CU_ASSERT_EQUAL_FATAL(wf_pool_create(&options, &s.t.pool, NULL), WEFT_OK);
        CU_ASSERT_EQUAL_FATAL(wf_pool_start(s.t.pool, NULL), WEFT_OK);
        if (threads % 2) pause_ns(1000000); /* all asleep */
        atomic_store(&s.next, 0);
        wf_pool_wake(s.t.pool, 1);
        if (threads == 0) wf_pool_drain(s.t.pool);
        for (int i = 0; i < s.t.item_count; i++) CU_ASSERT_FATAL(wait_for_run(&s.t));
        CU_ASSERT(each_ran_once(&s.t));
        /* A thread that has looked takes an item that the others may have moved on to. */
        CU_ASSERT(atomic_load(&s.taken_before_stealing) <= s.t.item_count / 2 + threads);
        close_pool(&s.t);
    }
}

/* Items of two kinds by turns, each kind with a countdown of its own. */
typedef struct counting {
    test_pool t; /* first: it is the context */
    wf_countdown countdowns[2];
    atomic_int zeros[2];
    atomic_int run_counts[2];
    bool are_of_two_kinds;
} counting;

static void run_counted(void *context, wf_pool_item *item, wf_thread *self)
{
    counting *c = context;
    int index = (int)((counted_item *)item - c->t.items), kind = index % 3 == 0;
    wf_thread_count_down(self, &c->countdowns[kind]);
    for (int child = 2 * index + 1; child <= 2 * index + 2 && child < c->t.item_count; child++)
        wf_pool_push(c->t.pool, self, &c->t.items[child].item);
    atomic_fetch_add(&c->run_counts[kind], 1);
}

static void on_zero(void *context, uint64_t id, wf_thread *self)
{
    counting *c = context;
    CU_ASSERT_PTR_NOT_NULL(self);
    CU_ASSERT_EQUAL(atomic_load(&c->countdowns[id].left), 0);
    CU_ASSERT_EQUAL(atomic_load(&c->run_counts[id]), id ? 1001 : 2000);
    atomic_fetch_add(&c->zeros[id], 1);
    sem_post(&c->t.ran);
}

/* The last item may run on any thread, which then has nothing more to do: it must tell all the same. */
static void a_countdown_comes_to_zero_once_when_its_last_item_has_run(void)
{
    enum { ITEMS = 3001 };
    for (int threads = 0; threads <= MAX_THREADS; threads++) {
        for (int round = 0; round < 10; round++) {
            counting c = {.t = {.items = calloc(ITEMS, sizeof *c.t.items), .item_count = ITEMS}};
            sem_init(&c.t.ran, 0, 0);
            for (int i = 0; i < ITEMS; i++) c.t.items[i].item.run = run_counted;
            for (unsigned k = 0; k < 2; k++) c.countdowns[k] = (wf_countdown){k ? 1001 : 2000, on_zero, &c, k};
            wf_pool_options options = {.thread_count = threads, .poll = round % 2 ? poll : NULL, .idle_sleep_ns = 500000, .context = &c};
            CU_ASSERT_EQUAL_FATAL(wf_pool_create(&options, &c.t.pool, NULL), WEFT_OK);
            CU_ASSERT_EQUAL_FATAL(wf_pool_start(c.t.pool, NULL), WEFT_OK);
            wf_pool_push(c.t.pool, NULL, &c.t.items[0].item);
            if (threads == 0) wf_pool_drain(c.t.pool);
            CU_ASSERT_FATAL(wait_for_run(&c.t) && wait_for_run(&c.t));
            CU_ASSERT(atomic_load(&c.zeros[0]) == 1 && atomic_load(&c.zeros[1]) == 1);
            close_pool(&c.t);
        }
    }
}

static void ignore_zero(void *context, uint64_t id, wf_thread *self)
{
    (void)context;
    (void)id;
    (void)self;
}

/* The second item sees the first one counted, though its thread has had no rest in between. */
static void run_after_another(void *context, wf_pool_item *item, wf_thread *self)
{
    counting *c = context;
    bool is_first = item == &c->t.items[0].item;
    wf_thread_count_down(self, &c->countdowns[c->are_of_two_kinds && !is_first]);
    if (is_first)
        pause_ns(1000000);
    else
        CU_ASSERT_EQUAL(atomic_load(&c->countdowns[0].left), c->are_of_two_kinds ? 0 : 1);
    sem_post(&c->t.ran);
}

static void run_one_after_another(bool are_of_two_kinds, bool polls)
{
    counting c = {.t = {.items = calloc(2, sizeof *c.t.items), .item_count = 2}, .are_of_two_kinds = are_of_two_kinds};
    sem_init(&c.t.ran, 0, 0);
    for (unsigned k = 0; k < 2; k++) c.countdowns[k] = (wf_countdown){are_of_two_kinds ? 1 : 2, ignore_zero, &c, k};
    for (int i = 0; i < 2; i++) c.t.items[i].item.run = run_after_another;
    wf_pool_options options = {.thread_count = 1, .poll = polls ? poll : NULL, .idle_sleep_ns = 500000, .context = &c};
    CU_ASSERT_EQUAL_FATAL(wf_pool_create(&options, &c.t.pool, NULL), WEFT_OK);
    c.t.items[0].item.next = &c.t.items[1].item;
    wf_pool_inject(c.t.pool, &c.t.items[0].item, &c.t.items[1].item, 2);
    CU_ASSERT_EQUAL_FATAL(wf_pool_start(c.t.pool, NULL), WEFT_OK);
    CU_ASSERT_FATAL(wait_for_run(&c.t) && wait_for_run(&c.t));
    close_pool(&c.t);
}

static void a_countdown_is_not_late_by_what_follows_a_long_item(void)
{
    run_one_after_another(false, true);
    run_one_after_another(false, false); /* also where nobody polls */
}

static void a_countdown_is_not_late_by_an_item_of_another(void)
{
    run_one_after_another(true, false);
}

static void error_and_cache_are_the_threads(void *context, wf_pool_item *item, wf_thread *self)
{
    (void)context;
    (void)item;
    static const weft_error clean = WEFT_ERROR_INIT;
    wf_slab_cache *cache = wf_thread_slab_cache(self);
    CU_ASSERT_EQUAL(memcmp(wf_thread_error(self), &clean, sizeof clean), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cache->slab);
    void *block = wf_slab_take(cache->slab, cache, 200, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    memset(block, 1, 200);
    wf_slab_give(cache->slab, cache, block, 200);
}

static void a_thread_has_an_error_record_and_a_cache_of_the_slab(void)
{
    wf_pool *pool;
    wf_pool_item item = {.run = error_and_cache_are_the_threads};
    wf_budget *budget;
    CU_ASSERT_EQUAL_FATAL(wf_budget_create(0, &budget, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_pool_create(&(wf_pool_options){.budget = budget}, &pool, NULL), WEFT_OK);
    wf_pool_push(pool, NULL, &item);
    wf_pool_drain(pool);
    wf_pool_destroy(pool);
    CU_ASSERT_EQUAL(wf_budget_used_bytes(budget), 0);
    wf_budget_release(budget);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(items_from_inside_run_once),
        WEFT_TEST(items_from_several_threads_outside_run_once),
        WEFT_TEST(items_injected_together_run_in_sequence_on_one_thread),
        WEFT_TEST(an_item_from_inside_runs_before_those_injected_earlier),
        WEFT_TEST(no_wake_up_is_lost),
        WEFT_TEST(items_from_inside_wake_as_many_threads_as_they_need),
        WEFT_TEST(a_pool_ends_idle_unstarted_or_drained),
        WEFT_TEST(a_busy_pool_ends_after_what_runs_and_drops_what_waits),
        WEFT_TEST(idle_threads_poll_and_run_what_polling_brings),
        WEFT_TEST(a_pool_is_idle_when_nothing_waits_or_runs),
        WEFT_TEST(one_idle_thread_polls_while_the_others_sleep),
        WEFT_TEST(another_idle_thread_takes_polling_over),
        WEFT_TEST(several_threads_drain_without_running_an_item_twice_or_leaving_one),
        WEFT_TEST(items_that_are_looked_for_run_once),
        WEFT_TEST(a_countdown_comes_to_zero_once_when_its_last_item_has_run),
        WEFT_TEST(a_countdown_is_not_late_by_what_follows_a_long_item),
        WEFT_TEST(a_countdown_is_not_late_by_an_item_of_another),
        WEFT_TEST(a_thread_has_an_error_record_and_a_cache_of_the_slab),
        WEFT_TEST(scratch_memory_belongs_to_the_thread),
        WEFT_TEST(scratch_memory_is_charged_until_the_pool_ends),
    };
    return weft_test_run("exec/pool", cases, WEFT_COUNT_OF(cases));
}
