/* A work-stealing deque: its owner pushes and pops at the bottom, without a lock; any other thread steals from the top.
 *
 * Threads: push and pop by the owner only; steal by any; init and fini while nobody else uses it.
 * Source:  Chase and Lev, SPAA 2005; memory orders after Le, Pop, Cohen and Nardelli, PPoPP 2013, with sequentially consistent accesses
 *          in place of fences, which ThreadSanitizer does not follow.
 */
#ifndef WF_EXEC_DEQUE_H
#define WF_EXEC_DEQUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/status.h>

typedef struct wf_deque_ring wf_deque_ring;

typedef struct wf_deque {
    _Alignas(64) atomic_int_fast64_t top;
    _Alignas(64) atomic_int_fast64_t bottom;
    _Atomic(wf_deque_ring *) ring; /* grows; smaller ones are kept until fini, since a thief may still look into them */
} wf_deque;

weft_status wf_deque_init(wf_deque *deque, weft_error *err);
void wf_deque_fini(wf_deque *deque);

/* False when there is no memory to grow: the item was not taken. */
bool wf_deque_push(wf_deque *deque, void *item);
/* Several at once, which costs as much as one; the last of them is popped first. */
bool wf_deque_push_all(wf_deque *deque, void *const *items, int count);
/* The item pushed last, or NULL. */
void *wf_deque_pop(wf_deque *deque);
/* The item pushed first; NULL when empty, or when another thread was faster. */
void *wf_deque_steal(wf_deque *deque);
/* A moment's impression. */
bool wf_deque_is_empty(wf_deque *deque);

#endif
