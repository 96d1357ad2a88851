/* Signals that a program is told to end by, whatever thread the kernel gives them to. Each case has a process of its own. */
#include "client/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "weft_test.h"

enum { HANG_MS = 30000, CALLED = 42 };

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void note(void *context, int signal)
{
    atomic_store((atomic_int *)context, signal);
}

static void *wait_for_ever(void *argument)
{
    (void)argument;
    for (;;) pause();
    return NULL;
}

/* CALLED when the callback was called with this signal. */
static int run_signalled(int signal, int threads_before)
{
    atomic_int got = 0;
    wf_signals *signals;
    pthread_t thread;
    for (int i = 0; i < threads_before; i++) pthread_create(&thread, NULL, wait_for_ever, NULL);
    if (wf_signals_create(60000000000, note, &got, &signals, NULL) != WEFT_OK) return 1;
    kill(getpid(), signal);
    for (int ms = 0; ms < HANG_MS && atomic_load(&got) == 0; ms++) pause_ms(1);
    bool is_right = atomic_load(&got) == signal && wf_signals_received(signals) == signal;
    wf_signals_destroy(signals);
    return is_right ? CALLED : 2;
}

static int exit_code_of_child(int (*run)(int, int), int signal, int threads_before)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(run(signal, threads_before));
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void a_signal_calls_back(void)
{
    CU_ASSERT_EQUAL(exit_code_of_child(run_signalled, SIGINT, 0), CALLED);
    CU_ASSERT_EQUAL(exit_code_of_child(run_signalled, SIGTERM, 0), CALLED);
}

/* As those that BLAS and MPI libraries start. */
static void a_signal_that_a_thread_from_before_gets_calls_back(void)
{
    CU_ASSERT_EQUAL(exit_code_of_child(run_signalled, SIGINT, 1), CALLED);
    CU_ASSERT_EQUAL(exit_code_of_child(run_signalled, SIGTERM, 3), CALLED);
}

static int run_signalled_twice(int signal, int threads_before)
{
    atomic_int got = 0;
    wf_signals *signals;
    (void)threads_before;
    if (wf_signals_create(60000000000, note, &got, &signals, NULL) != WEFT_OK) return 1;
    kill(getpid(), signal);
    for (int ms = 0; ms < HANG_MS && atomic_load(&got) == 0; ms++) pause_ms(1);
    kill(getpid(), signal);
    pause_ms(HANG_MS);
    return 2;
}

static int run_past_the_grace(int signal, int threads_before)
{
    atomic_int got = 0;
    wf_signals *signals;
    (void)threads_before;
    if (wf_signals_create(10000000, note, &got, &signals, NULL) != WEFT_OK) return 1;
    kill(getpid(), signal);
    pause_ms(HANG_MS);
    return 2;
}

static void a_second_signal_or_the_end_of_the_grace_ends_the_process(void)
{
    CU_ASSERT_EQUAL(exit_code_of_child(run_signalled_twice, SIGINT, 0), 128 + SIGINT);
    CU_ASSERT_EQUAL(exit_code_of_child(run_past_the_grace, SIGTERM, 0), 128 + SIGTERM);
}

static int run_after_destroy(int signal, int ignored)
{
    atomic_int got = 0;
    wf_signals *signals;
    if (ignored) sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    if (wf_signals_create(60000000000, note, &got, &signals, NULL) != WEFT_OK) return 1;
    if (!ignored) wf_signals_destroy(signals);
    kill(getpid(), signal);
    pause_ms(50);
    return atomic_load(&got) == 0 ? CALLED : 2;
}

static void signals_are_as_before_in_the_end_and_ignored_ones_stay_so(void)
{
    CU_ASSERT_EQUAL(exit_code_of_child(run_after_destroy, SIGINT, 0), -SIGINT);
    CU_ASSERT_EQUAL(exit_code_of_child(run_after_destroy, SIGINT, 1), CALLED);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(a_signal_calls_back),
        WEFT_TEST(a_signal_that_a_thread_from_before_gets_calls_back),
        WEFT_TEST(a_second_signal_or_the_end_of_the_grace_ends_the_process),
        WEFT_TEST(signals_are_as_before_in_the_end_and_ignored_ones_stay_so),
    };
    return weft_test_run("client/signals", cases, WEFT_COUNT_OF(cases));
}
