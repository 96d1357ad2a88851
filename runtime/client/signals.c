#include "client/signals.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

static const int candidates[] = {SIGINT, SIGTERM};

struct wf_signals {
    sigset_t set;
    int signal_fd, end_fd;
    int64_t grace_ns;
    void (*interrupted)(void *context, int signal);
    void *context;
    atomic_int received;
    pthread_t thread;
};

static void *wait_for_signals(void *argument)
{
    wf_signals *s = argument;
    struct pollfd fds[2] = {{s->end_fd, POLLIN, 0}, {s->signal_fd, POLLIN, 0}};
    int64_t until_ns = 0; /* of the grace */
    for (;;) {
        int64_t left_ns = until_ns ? until_ns - wf_clock_now_ns() : -1;
        int count = until_ns && left_ns <= 0 ? 0 : poll(fds, 2, until_ns ? (int)(left_ns / 1000000) + 1 : -1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 || fds[0].revents) return NULL;
        int first = atomic_load(&s->received);
        if (count == 0) _exit(128 + first); /* the grace is over */
        struct signalfd_siginfo info;
        if (read(s->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) continue;
        /* A person who presses Ctrl-C again is in a hurry; mpirun sends SIGTERM again and again. */
        if (first && info.ssi_signo == SIGINT) _exit(128 + SIGINT);
        if (first) continue;
        atomic_store(&s->received, (int)info.ssi_signo);
        until_ns = wf_clock_now_ns() + s->grace_ns;
        s->interrupted(s->context, (int)info.ssi_signo);
    }
}

/* A library may have started threads before this (OpenBLAS does, when it is loaded) that do not block the signal; one of those would be
 * killed by it, and with it the process. Here it blocks the signal for itself from now on and sends it again: to the next such thread, and
 * in the end, when all block it, to the descriptor. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
    (void)info;
    sigaddset(&((ucontext_t *)context)->uc_sigmask, signal);
    kill(getpid(), signal);
}

static void set_handlers(const wf_signals *signals, bool pass)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (pass) {
        action.sa_sigaction = pass_on;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        action.sa_mask = signals->set;
    }
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (sigismember(&signals->set, candidates[i])) sigaction(candidates[i], &action, NULL);
    }
}

static void choose_signals(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        struct sigaction action;
        if (sigaction(candidates[i], NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL)
            sigaddset(set, candidates[i]);
    }
}

weft_status wf_signals_create(int64_t grace_ns, void (*interrupted)(void *context, int signal), void *context, wf_signals **signals,
                              weft_error *err)
{
    wf_signals *made = wf_calloc(1, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    *made = (wf_signals){.grace_ns = grace_ns, .interrupted = interrupted, .context = context};
    choose_signals(&made->set);
    made->signal_fd = signalfd(-1, &made->set, SFD_CLOEXEC | SFD_NONBLOCK);
    made->end_fd = eventfd(0, EFD_CLOEXEC);
    pthread_sigmask(SIG_BLOCK, &made->set, NULL);
    set_handlers(made, true);
    if (made->signal_fd >= 0 && made->end_fd >= 0 && pthread_create(&made->thread, NULL, wait_for_signals, made) == 0) {
        *signals = made;
        return WEFT_OK;
    }
    set_handlers(made, false);
    pthread_sigmask(SIG_UNBLOCK, &made->set, NULL);
    if (made->signal_fd >= 0) close(made->signal_fd);
    if (made->end_fd >= 0) close(made->end_fd);
    free(made);
    return weft_fail(err, WEFT_ENOMEM, "no thread or file descriptor to wait for signals; raise the limits on processes and open files");
}

void wf_signals_destroy(wf_signals *signals)
{
    if (!signals) return;
    uint64_t one = 1;
    if (write(signals->end_fd, &one, sizeof one) == (ssize_t)sizeof one) pthread_join(signals->thread, NULL);
    set_handlers(signals, false);
    pthread_sigmask(SIG_UNBLOCK, &signals->set, NULL);
    close(signals->signal_fd);
    close(signals->end_fd);
    free(signals);
}

int wf_signals_received(const wf_signals *signals)
{
    return atomic_load(&signals->received);
}
