/* The pool: threads that run items (ready tasks), each from a deque of its own, stealing when it is empty.
 *
 * What an item is and how it runs is the owner's affair; so is what there is to poll, and where items come from when all have run. An idle
 * thread spins briefly, then sleeps until an item is pushed. Where there are messages to poll, one idle thread at a time polls between short
 * sleeps, which grow up to idle_sleep_ns; the others sleep until woken.
 */
#ifndef WF_EXEC_POOL_H
#define WF_EXEC_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/budget.h"
#include "store/slab.h"
#include <weft/status.h>

typedef struct wf_pool wf_pool;

typedef struct wf_thread wf_thread; /* one of a pool's threads */

/* What waits in a pool: the first member of the owner's struct. The link lets items queue without an allocation, so adding cannot fail. */
typedef struct wf_pool_item {
    struct wf_pool_item *next;
    void (*run)(void *context, struct wf_pool_item *item, wf_thread *self);
} wf_pool_item;

typedef struct wf_pool_options {
    int thread_count;      /* 0: none; the owner runs items itself with wf_pool_drain */
    bool spin;             /* false when other processes want the cores: an idle thread yields at once */
    int64_t idle_sleep_ns; /* longest sleep between polls */
    void (*start)(void *start_context, int thread_index); /* first thing on each thread, such as binding it; NULL allowed */
    void *start_context;
    /* Called when the thread finds nothing to run: returns an item that nobody has had before, and may push more on self; NULL: none. With
     * before_stealing, only what fits to what is being run; without, anything, since the other threads have nothing to spare. has_more is true
     * when such a call would give an item. Both any thread, often: cheap when there is nothing. NULL: items are only pushed. */
    wf_pool_item *(*find_more)(void *context, wf_thread *self, bool before_stealing);
    bool (*has_more)(void *context);
    bool (*poll)(void *context, wf_thread *self); /* true when something happened; called by one or more threads; NULL: nothing to poll */
    void *context;
    wf_budget *budget; /* what scratch memory and the slab are charged to; the pool takes a reference of its own; NULL: not charged */
} wf_pool_options;

/* Owns: *pool is new, without threads yet; every context must outlive it. Errors: WEFT_ENOMEM. */
weft_status wf_pool_create(const wf_pool_options *options, wf_pool **pool, weft_error *err);
/* Starts the threads. Errors: WEFT_ENOMEM a thread cannot be started; those that run are ended by destroy. */
weft_status wf_pool_start(wf_pool *pool, weft_error *err);

/* Stops the threads once each has finished the item it runs; items that wait are dropped. NULL is allowed. */
void wf_pool_destroy(wf_pool *pool);

/* Makes an item ready. From one of the pool's threads (self): that thread runs it next, unless it pushes another one later, which then
 * comes first and leaves this one to whoever is faster. Nobody else can run the one that was pushed last, so push towards the end of a
 * run. From elsewhere (self NULL): behind all that wait. */
void wf_pool_push(wf_pool *pool, wf_thread *self, wf_pool_item *item);
/* The same from elsewhere for `count` items linked from first to last, to run in this sequence. */
void wf_pool_inject(wf_pool *pool, wf_pool_item *first, wf_pool_item *last, size_t count);

/* Has up to `count` sleeping threads look for items: to be called after has_more became true. */
void wf_pool_wake(wf_pool *pool, size_t count);

/* In a pool without threads: runs items on the calling thread until none is left, or returns at once when another thread is doing that.
 * Any thread. */
void wf_pool_drain(wf_pool *pool);

/* True only when no item waits or runs, or is held by a thread; it may be false for a moment although that is so. Never true from inside an
 * item's run; from inside poll it can be. */
bool wf_pool_is_idle(wf_pool *pool);

/* At least 1: a pool without threads has a place for whoever drains it. */
int wf_pool_thread_count(const wf_pool *pool);
/* Its place among the pool's threads, from 0. */
int wf_thread_index(const wf_thread *thread);

/* A number that is lowered by one for each of many items that end. A thread does that in batches: for some dozens of items, when it has
 * nothing more of its own to run, each time it is due to poll, and before it runs an item of another countdown. So `left` may be late while
 * an item runs, but is not once all have. */
typedef struct wf_countdown {
    atomic_uint_fast64_t left; /* raised by the owner */
    /* Called by the thread that lowered it to zero; the countdown may be gone by then. */
    void (*at_zero)(void *context, uint64_t id, wf_thread *self);
    void *context;
    uint64_t id;
} wf_countdown;

/* First thing in an item's run: its end will lower countdown, which must stay until it has come to zero or the pool has ended. */
void wf_thread_count_down(wf_thread *self, wf_countdown *countdown);

/* Memory for records of tasks and small chunks, and this thread's blocks of it. What is taken may outlive the pool. */
wf_slab *wf_pool_slab(wf_pool *pool);
wf_slab_cache *wf_thread_slab_cache(wf_thread *thread);

/* An error record for what runs on this thread, in the state of WEFT_ERROR_INIT; whoever changed it sets it back. It saves clearing half a
 * kilobyte for each task. */
weft_error *wf_thread_error(wf_thread *thread);

/* This thread's scratch memory, at least bytes, 64-byte aligned, kept and charged until the pool ends; NULL with err filled.
 * Errors: WEFT_ENOMEM. */
void *wf_thread_scratch(wf_thread *thread, size_t bytes, weft_error *err);

#endif
