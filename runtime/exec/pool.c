/* The pool's threads: finding work, going idle, waking.
 *
 * Invariant (what waits is seen): from when it is added until it is taken to run, an item is counted as injected or lies on a deque, also
 * while it moves from the former to the latter; who looks at all queues looks in that sequence. What find_more would give is told by has_more.
 * The one exception is a thread's `next`; who has one does not rest.
 * Invariant (no lost wake-up): a thread counts itself among the sleepers before it looks at all queues, and whether anybody polls, for
 * the last time; whoever adds an item or ceases to poll looks for sleepers afterwards. Both are sequentially consistent, so one of the
 * two sees the other.
 *
 * The item that a thread pushed last is its `next`, which only that thread sees, so that a chain of tasks touches nothing shared and wakes
 * none in vain. It is not lost: a thread pushes while it runs an item or polls, so it is awake, and it looks at `next` before it can sleep.
 * An item that was next before goes on the deque, and a sleeper is woken for it as for any other.
 */
#include "exec/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "exec/deque.h"

enum {
    MAX_BATCH = 128,         /* items that a thread takes at once from those that were injected */
    SPIN_NS = 20000,         /* an idle thread looks around this long before it sleeps, */
    TURNS_PER_YIELD = 8,     /* and so often offers its core to others: a yield costs more than a look */
    POLL_INTERVAL_NS = 20000,/* a busy thread polls and tells what it has ended between items this often, */
    MAX_UNTIMED = 16,        /* and looks at the clock after so many of them, fewer when they are long */
    MAX_LOWERED = 64         /* items by which a countdown may be late on each thread */
};

static const uint64_t STIRRED = ((uint64_t)1 << 32) - 1; /* one more has ceased to rest, one fewer rests */

struct wf_thread {
    wf_deque deque;
    wf_pool *pool;
    pthread_t handle;
    int index;
    uint32_t victim;      /* where the last steal went well */
    wf_pool_item *next;   /* to run before what lies on the deque; NULL: none */
    bool is_resting;      /* it polls with nothing to run, and has not come by an item since */
    wf_countdown *countdown; /* to be lowered */
    uint32_t lowered;        /* by this */
    uint32_t untimed;     /* items until the clock is looked at */
    uint32_t untimed_at_once;
    int64_t timed_ns;
    int64_t polled_ns;
    wf_slab_cache cache;
    weft_error error;
    void *scratch;
    size_t scratch_bytes;
};

struct wf_pool {
    wf_pool_options options;
    int thread_count;        /* wf_threads: at least one, for drain */
    int started_count;
    wf_thread *threads;
    wf_slab *slab;
    atomic_bool stopping;
    atomic_bool draining;    /* some thread plays threads[0] */

    /* Items from outside, first in first out. */
    _Alignas(WF_ALIGNMENT_BYTES) pthread_mutex_t injected_lock;
    wf_pool_item *injected_first, *injected_last;
    atomic_size_t injected_count;

    /* Sleeping: wakes holds one token for each sleeper that was told to get up and has not yet. */
    _Alignas(WF_ALIGNMENT_BYTES) pthread_mutex_t sleep_lock;
    pthread_cond_t wake;
    atomic_int sleepers;
    int wakes;
    atomic_bool has_poller;
    _Atomic uint64_t rest;   /* threads that hold no item and look for none (asleep, or polling with nothing to run), and in the upper half how
                                often one has ceased to rest */
};

/* ---- counting down ---- */

static void lower_now(wf_thread *self)
{
    wf_countdown *countdown = self->countdown, last = {.at_zero = countdown->at_zero, .context = countdown->context, .id = countdown->id};
    uint32_t count = self->lowered;
    self->lowered = 0;
    if (atomic_fetch_sub(&countdown->left, count) == count) last.at_zero(last.context, last.id, self);
}

/* Nothing is lowered while an item runs, so the one that begins may be counted now. */
void wf_thread_count_down(wf_thread *self, wf_countdown *countdown)
{
    if (self->lowered && (self->countdown != countdown || self->lowered == MAX_LOWERED)) lower_now(self);
    self->countdown = countdown;
    self->lowered++;
}

/* ---- finding work ---- */

static void wake_one(wf_pool *pool);

/* Takes a share of what waits, so that many threads do not queue for the lock at every item: the first is returned, the others go on the
 * own deque, the earliest on top. They are counted as injected until they are there, or somebody could fall asleep without seeing them. */
static wf_pool_item *take_injected(wf_thread *self)
{
    wf_pool *pool = self->pool;
    void *items[MAX_BATCH]; /* from the end, as they are to lie on the deque */
    if (atomic_load(&pool->injected_count) == 0) return NULL;
    pthread_mutex_lock(&pool->injected_lock);
    size_t share = 1 + atomic_load(&pool->injected_count) / (2 * (size_t)pool->thread_count), count = 0;
    for (; count < share && count < MAX_BATCH && pool->injected_first; count++) {
        items[MAX_BATCH - 1 - count] = pool->injected_first;
        pool->injected_first = pool->injected_first->next;
    }
    pthread_mutex_unlock(&pool->injected_lock);
    if (count == 0) return NULL;
    void **others = &items[MAX_BATCH - count];
    if (count > 1 && !wf_deque_push_all(&self->deque, others, (int)count - 1)) {
        for (size_t i = count - 1; i-- > 0;) wf_pool_inject(pool, others[i], others[i], 1);
    }
    atomic_fetch_sub(&pool->injected_count, count);
    return items[MAX_BATCH - 1];
}

static wf_pool_item *steal(wf_thread *self)
{
    wf_pool *pool = self->pool;
    for (int i = 0; i < pool->thread_count; i++) {
        uint32_t index = (self->victim + (uint32_t)i) % (uint32_t)pool->thread_count;
        if ((int)index == self->index) continue;
        wf_pool_item *item = wf_deque_steal(&pool->threads[index].deque);
        if (!item) continue;
        self->victim = index;
        return item;
    }
    return NULL;
}

static wf_pool_item *take_own(wf_thread *self)
{
    wf_pool_item *item = self->next;
    if (!item) return wf_deque_pop(&self->deque);
    self->next = NULL;
    return item;
}

/* What the owner gave comes first; what it pushed besides must not wait for the end of that, out of everybody's reach. */
static wf_pool_item *find_more(wf_thread *self, bool before_stealing)
{
    const wf_pool_options *options = &self->pool->options;
    wf_pool_item *item = options->find_more ? options->find_more(options->context, self, before_stealing) : NULL;
    if (!item) return options->find_more ? take_own(self) : NULL;
    wf_pool_item *pushed = self->next;
    self->next = NULL;
    if (pushed && wf_deque_push(&self->deque, pushed))
        wake_one(self->pool);
    else if (pushed)
        wf_pool_inject(self->pool, pushed, pushed, 1);
    return item;
}

/* Before it looks elsewhere a thread tells what it has ended: it may find nothing for long. Somebody's zero may push items on it. */
static wf_pool_item *find_item(wf_thread *self)
{
    wf_pool_item *item = take_own(self);
    if (!item && self->lowered) {
        lower_now(self);
        item = take_own(self);
    }
    if (!item) item = take_injected(self);
    if (!item) item = find_more(self, true);
    if (!item) item = steal(self);
    if (!item) item = find_more(self, false);
    return item;
}

static bool anything_waits(wf_pool *pool)
{
    if (atomic_load(&pool->injected_count) > 0 || atomic_load(&pool->stopping)) return true;
    for (int i = 0; i < pool->thread_count; i++) {
        if (!wf_deque_is_empty(&pool->threads[i].deque)) return true;
    }
    return pool->options.has_more && pool->options.has_more(pool->options.context);
}

/* ---- waking and sleeping ---- */

static void begin_rest(wf_thread *self)
{
    self->is_resting = true;
    atomic_fetch_add(&self->pool->rest, 1);
}

static void end_rest(wf_thread *self)
{
    if (!self->is_resting) return;
    self->is_resting = false;
    atomic_fetch_add(&self->pool->rest, STIRRED);
}

static void wake_one(wf_pool *pool)
{
    if (atomic_load(&pool->sleepers) == 0) return;
    pthread_mutex_lock(&pool->sleep_lock);
    if (atomic_load(&pool->sleepers) > 0) {
        atomic_fetch_sub(&pool->sleepers, 1);
        pool->wakes++;
        pthread_cond_signal(&pool->wake);
    }
    pthread_mutex_unlock(&pool->sleep_lock);
}

static void wake_all(wf_pool *pool)
{
    pthread_mutex_lock(&pool->sleep_lock);
    pool->wakes += atomic_exchange(&pool->sleepers, 0);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->sleep_lock);
}

static bool needs_poller(wf_pool *pool)
{
    return pool->options.poll && !atomic_load(&pool->has_poller);
}

/* Sleeps until woken, or for timeout_ns (0: without end, which the poller never asks for). */
static void sleep_idle(wf_thread *self, int64_t timeout_ns)
{
    wf_pool *pool = self->pool;
    struct timespec until = wf_clock_deadline(timeout_ns);
    int timed_out = 0;
    begin_rest(self);
    pthread_mutex_lock(&pool->sleep_lock);
    atomic_fetch_add(&pool->sleepers, 1);
    if (anything_waits(pool) || (timeout_ns == 0 && needs_poller(pool))) timed_out = 1;
    while (pool->wakes == 0 && !timed_out) {
        if (timeout_ns == 0)
            pthread_cond_wait(&pool->wake, &pool->sleep_lock);
        else
            timed_out = pthread_cond_timedwait(&pool->wake, &pool->sleep_lock, &until) != 0;
    }
    /* sleepers + wakes is the number of threads in here. One that was not woken leaves the tokens to those that were, and passes on a
     * signal that it may have swallowed. */
    if (!timed_out || atomic_load(&pool->sleepers) == 0) {
        pool->wakes--;
    } else {
        atomic_fetch_sub(&pool->sleepers, 1);
        if (pool->wakes > 0) pthread_cond_signal(&pool->wake);
    }
    pthread_mutex_unlock(&pool->sleep_lock);
    end_rest(self);
}

static bool poll_messages(wf_thread *self)
{
    const wf_pool_options *options = &self->pool->options;
    return options->poll && options->poll(options->context, self);
}

/* Looks around for SPIN_NS. Returns an item when one turned up. */
static wf_pool_item *spin(wf_thread *self)
{
    int64_t until_ns = wf_clock_now_ns() + (self->pool->options.spin ? SPIN_NS : 0);
    for (unsigned turn = 1; !atomic_load_explicit(&self->pool->stopping, memory_order_relaxed); turn++) {
        bool happened = poll_messages(self);
        wf_pool_item *item = find_item(self);
        if (item) return item;
        if (turn % TURNS_PER_YIELD != 0) continue;
        int64_t now_ns = wf_clock_now_ns();
        if (happened) until_ns = now_ns + SPIN_NS;
        if (now_ns >= until_ns) break;
        sched_yield();
    }
    return NULL;
}

/* The one idle thread that polls: between short sleeps, which grow while nothing comes. */
static wf_pool_item *poll_until_item(wf_thread *self)
{
    wf_pool *pool = self->pool;
    int64_t since_ns = wf_clock_now_ns();
    wf_pool_item *item = NULL;
    while (!atomic_load(&pool->stopping)) {
        begin_rest(self);
        bool happened = poll_messages(self);
        end_rest(self);
        if ((item = find_item(self))) break;
        if (happened) {
            if ((item = spin(self))) break;
            since_ns = wf_clock_now_ns();
        }
        sleep_idle(self, wf_backoff_sleep_ns(wf_clock_now_ns() - since_ns, pool->options.idle_sleep_ns));
    }
    return item;
}

static wf_pool_item *wait_for_item(wf_thread *self)
{
    wf_pool *pool = self->pool;
    wf_pool_item *item = spin(self);
    while (!item && !atomic_load(&pool->stopping)) {
        if (pool->options.poll && !atomic_exchange(&pool->has_poller, true)) {
            item = poll_until_item(self);
            atomic_store(&pool->has_poller, false);
        } else {
            sleep_idle(self, 0);
            item = find_item(self);
        }
    }
    if (item && needs_poller(pool)) wake_one(pool); /* somebody else polls while this thread works */
    return item;
}

/* ---- running ---- */

/* Reading the clock costs as much as a small task. How many items may pass until the next look follows from how long the last ones took. */
static bool poll_is_due(wf_thread *self)
{
    if (--self->untimed > 0) return false;
    int64_t now = wf_clock_now_ns(), took_ns = now - self->timed_ns;
    self->timed_ns = now;
    if (took_ns > POLL_INTERVAL_NS)
        self->untimed_at_once = 1;
    else if (took_ns < POLL_INTERVAL_NS / 2 && self->untimed_at_once < MAX_UNTIMED)
        self->untimed_at_once *= 2;
    self->untimed = self->untimed_at_once;
    if (now - self->polled_ns < POLL_INTERVAL_NS) return false;
    self->polled_ns = now;
    return true;
}

static void run_item(wf_thread *self, wf_pool_item *item)
{
    const wf_pool_options *options = &self->pool->options;
    item->run(options->context, item, self);
    if (!poll_is_due(self)) return;
    if (self->lowered) lower_now(self);
    if (options->poll) options->poll(options->context, self);
}

static void *thread_main(void *argument)
{
    wf_thread *self = argument;
    const wf_pool_options *options = &self->pool->options;
    prctl(PR_SET_TIMERSLACK, 1000ul, 0ul, 0ul, 0ul); /* short sleeps are short: 1 us instead of 50 */
    if (options->start) options->start(options->start_context, self->index);
    while (!atomic_load_explicit(&self->pool->stopping, memory_order_relaxed)) {
        wf_pool_item *item = find_item(self);
        if (!item) item = wait_for_item(self);
        if (item) run_item(self, item);
    }
    return NULL;
}

/* As in wf_transport_poll: who is turned away has added its items before, and who drains looks once more after it gave the role up. */
void wf_pool_drain(wf_pool *pool)
{
    wf_thread *self = &pool->threads[0];
    do {
        if (atomic_exchange(&pool->draining, true)) return;
        for (wf_pool_item *item; (item = find_item(self));) run_item(self, item);
        atomic_store(&pool->draining, false);
    } while (anything_waits(pool));
}

/* ---- adding work ---- */

void wf_pool_inject(wf_pool *pool, wf_pool_item *first, wf_pool_item *last, size_t count)
{
    if (count == 0) return;
    last->next = NULL;
    pthread_mutex_lock(&pool->injected_lock);
    if (pool->injected_first)
        pool->injected_last->next = first;
    else
        pool->injected_first = first;
    pool->injected_last = last;
    atomic_fetch_add(&pool->injected_count, count);
    pthread_mutex_unlock(&pool->injected_lock);
    wf_pool_wake(pool, count);
}

void wf_pool_wake(wf_pool *pool, size_t count)
{
    for (size_t i = 0; i < count && atomic_load(&pool->sleepers) > 0; i++) wake_one(pool);
}

void wf_pool_push(wf_pool *pool, wf_thread *self, wf_pool_item *item)
{
    wf_pool_item *waiting = item;
    if (self && self->pool == pool) {
        end_rest(self);
        waiting = self->next;
        self->next = item;
        if (!waiting) return;
        if (wf_deque_push(&self->deque, waiting)) {
            wake_one(pool);
            return;
        }
        /* A deque that cannot grow is no reason to fail: the item queues with those from outside. */
    }
    wf_pool_inject(pool, waiting, waiting, 1);
}

/* ---- life ---- */

static weft_status init_threads(wf_pool *pool, weft_error *err)
{
    pool->thread_count = pool->options.thread_count > 0 ? pool->options.thread_count : 1;
    pool->threads = wf_aligned_alloc((size_t)pool->thread_count, sizeof *pool->threads, err);
    if (!pool->threads) return WEFT_ENOMEM;
    for (int i = 0; i < pool->thread_count; i++) {
        wf_thread *thread = &pool->threads[i];
        *thread = (wf_thread){.pool = pool, .index = i, .victim = (uint32_t)i + 1, .untimed = 1, .untimed_at_once = 1,
                              .error = WEFT_ERROR_INIT};
        wf_slab_cache_init(&thread->cache, pool->slab);
        weft_status status = wf_deque_init(&thread->deque, err);
        if (status != WEFT_OK) {
            pool->thread_count = i;
            return status;
        }
    }
    return WEFT_OK;
}

static void init_locks(wf_pool *pool)
{
    /* Threads meet at the injected items, and hold their lock for less than falling asleep would take: so they spin for it first. */
    pthread_mutexattr_t spinning;
    pthread_mutexattr_init(&spinning);
    pthread_mutexattr_settype(&spinning, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&pool->injected_lock, &spinning);
    pthread_mutexattr_destroy(&spinning);
    pthread_mutex_init(&pool->sleep_lock, NULL);
    wf_condition_init(&pool->wake);
}

weft_status wf_pool_create(const wf_pool_options *options, wf_pool **pool, weft_error *err)
{
    wf_pool *made = wf_aligned_alloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    *made = (wf_pool){.options = *options};
    if (options->budget) wf_budget_retain(options->budget);
    init_locks(made);
    weft_status status = wf_slab_create(options->budget, WF_UNDER_SANITIZER, &made->slab, err);
    if (status == WEFT_OK) status = init_threads(made, err);
    if (status == WEFT_OK)
        *pool = made;
    else
        wf_pool_destroy(made);
    return status;
}

weft_status wf_pool_start(wf_pool *pool, weft_error *err)
{
    for (int i = 0; i < pool->options.thread_count; i++) {
        int code = pthread_create(&pool->threads[i].handle, NULL, thread_main, &pool->threads[i]);
        if (code != 0)
            return weft_fail(err, WEFT_ENOMEM, "thread %d of %d cannot be started (code %d); lower pool.threads or raise the limit on "
                             "processes", i + 1, pool->options.thread_count, code);
        pool->started_count++;
    }
    return WEFT_OK;
}

void wf_pool_destroy(wf_pool *pool)
{
    if (!pool) return;
    atomic_store(&pool->stopping, true);
    wake_all(pool);
    for (int i = 0; i < pool->started_count; i++) pthread_join(pool->threads[i].handle, NULL);
    for (int i = 0; pool->threads && i < pool->thread_count; i++) {
        wf_deque_fini(&pool->threads[i].deque);
        wf_slab_cache_fini(&pool->threads[i].cache);
        free(pool->threads[i].scratch);
        if (pool->options.budget) wf_budget_refund(pool->options.budget, pool->threads[i].scratch_bytes);
    }
    wf_slab_destroy(pool->slab);
    wf_budget_release(pool->options.budget);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->sleep_lock);
    pthread_mutex_destroy(&pool->injected_lock);
    free(pool->threads);
    free(pool);
}

/* When all threads rested from before until after nothing waited, no item was anywhere at that moment: who pushes one on itself ceases to
 * rest first. */
bool wf_pool_is_idle(wf_pool *pool)
{
    if (pool->options.thread_count == 0) return !atomic_load(&pool->draining) && !anything_waits(pool);
    uint64_t before = atomic_load(&pool->rest);
    return (int)(uint32_t)before == pool->thread_count && !anything_waits(pool) && atomic_load(&pool->rest) == before;
}

int wf_pool_thread_count(const wf_pool *pool)
{
    return pool->thread_count;
}

int wf_thread_index(const wf_thread *thread)
{
    return thread->index;
}

wf_slab *wf_pool_slab(wf_pool *pool)
{
    return pool->slab;
}

wf_slab_cache *wf_thread_slab_cache(wf_thread *thread)
{
    return &thread->cache;
}

weft_error *wf_thread_error(wf_thread *thread)
{
    return &thread->error;
}

void *wf_thread_scratch(wf_thread *thread, size_t bytes, weft_error *err)
{
    if (bytes <= thread->scratch_bytes && thread->scratch) return thread->scratch;
    wf_budget *budget = thread->pool->options.budget;
    void *larger = wf_aligned_alloc(1, bytes, err);
    if (!larger) return NULL;
    /* Only what it grows by: the new memory takes no pages before the old is gone. */
    size_t more_bytes = bytes - thread->scratch_bytes;
    if (budget && wf_budget_charge(budget, more_bytes, NULL) != WEFT_OK) {
        wf_slab_trim(thread->pool->slab);
        if (wf_budget_charge(budget, more_bytes, err) != WEFT_OK) {
            free(larger);
            return NULL;
        }
    }
    free(thread->scratch);
    thread->scratch = larger;
    thread->scratch_bytes = bytes;
    return larger;
}
