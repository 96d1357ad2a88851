#include "graph/metis.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "graph/cut.h"
#include "random_graph.h"
#include "weft_test.h"

enum { MAX_VERTICES = 300 };

/* A symmetric graph as a matrix of weights, and the arrays that METIS wants. */
typedef struct fixture {
    size_t count;
    double weight[MAX_VERTICES][MAX_VERTICES], cost[MAX_VERTICES];
    uint64_t begin[MAX_VERTICES + 1];
    uint32_t *neighbour;
    double *edge_weight;
    unsigned char side[MAX_VERTICES];
} fixture;

static fixture *create(size_t count)
{
    fixture *f = calloc(1, sizeof *f);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    f->count = count;
    for (size_t v = 0; v < count; v++) f->cost[v] = 1;
    return f;
}

static void destroy(fixture *f)
{
    free(f->neighbour);
    free(f->edge_weight);
    free(f);
}

static void join(fixture *f, size_t a, size_t b, double weight)
{
    f->weight[a][b] += weight;
    f->weight[b][a] += weight;
}

static weft_status bisect(fixture *f, double share)
{
    size_t edges = 0;
    f->neighbour = realloc(f->neighbour, (f->count * f->count + 1) * sizeof *f->neighbour);
    f->edge_weight = realloc(f->edge_weight, (f->count * f->count + 1) * sizeof *f->edge_weight);
    CU_ASSERT_FATAL(f->neighbour && f->edge_weight);
    for (size_t a = 0; a < f->count; a++) {
        for (size_t b = 0; b < f->count; b++) {
            if (f->weight[a][b] <= 0) continue;
            f->neighbour[edges] = (uint32_t)b;
            f->edge_weight[edges++] = f->weight[a][b];
        }
        f->begin[a + 1] = edges;
    }
    memset(f->side, 9, sizeof f->side);
    return wf_metis_bisect(&(wf_metis_graph){f->count, f->begin, f->neighbour, f->edge_weight, f->cost}, share, f->side, NULL);
}

static void two_dense_halves_are_parted_between_them(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 50; round++) {
        size_t half = 5 + random_below(&r, 60), wrong = 0;
        fixture *f = create(2 * half);
        double heavy = random_below(&r, 2) ? 10 : 1e15; /* beyond METIS's 32 bits */
        for (size_t i = 0; i < 20 * half; i++) { /* even vertices are one half, odd ones the other */
            size_t a = random_below(&r, 2 * half), b = random_below(&r, half) * 2 + a % 2;
            if (a != b) join(f, a, b, heavy);
        }
        for (size_t i = 0; i < half / 4 + 1; i++) join(f, 2 * random_below(&r, half), 1 + 2 * random_below(&r, half), heavy / 10);
        CU_ASSERT_EQUAL(bisect(f, 0.5), WEFT_OK);
        for (size_t v = 0; v < f->count; v++) wrong += f->side[v] != (f->side[0] ^ (v & 1));
        CU_ASSERT_EQUAL(wrong, 0);
        destroy(f);
    }
}

static void sides_are_of_the_size_asked_for(void)
{
    for (int tenths = 2; tenths <= 8; tenths++) {
        fixture *f = create(200);
        double left = 0;
        for (size_t v = 0; v + 1 < f->count; v++) join(f, v, v + 1, 5);
        for (size_t v = 0; v < f->count; v++) f->cost[v] = 1e9;
        CU_ASSERT_EQUAL(bisect(f, tenths / 10.0), WEFT_OK);
        for (size_t v = 0; v < f->count; v++) left += f->side[v] == 0;
        CU_ASSERT(left > 20 * tenths - 6 && left < 20 * tenths + 6);
        destroy(f);
    }
}

/* Few vertices, many without edges, weights of all sizes: every vertex gets a side, twice the same. */
static void odd_graphs_are_cut_the_same_twice(void)
{
    random_source r = random_begin();
    for (int round = 0; round < 500; round++) {
        fixture *f = create(2 + random_below(&r, random_below(&r, 2) ? 10 : MAX_VERTICES - 2));
        unsigned char first[MAX_VERTICES];
        size_t edges = random_below(&r, 4 * f->count), wrong = 0;
        for (size_t i = 0; i < edges; i++) {
            size_t a = random_below(&r, f->count), b = random_below(&r, f->count);
            if (a != b) join(f, a, b, random_below(&r, 3) ? 0.5 : (double)((size_t)1 << random_below(&r, 50)));
        }
        for (size_t v = 0; v < f->count; v++) f->cost[v] = random_below(&r, 3) ? 1 : 1e-30 * (double)((size_t)1 << random_below(&r, 60));
        double share = 0.1 + 0.1 * (double)random_below(&r, 9);
        CU_ASSERT_EQUAL(bisect(f, share), WEFT_OK);
        memcpy(first, f->side, sizeof first);
        CU_ASSERT_EQUAL(bisect(f, share), WEFT_OK);
        for (size_t v = 0; v < f->count; v++) wrong += f->side[v] > 1 || f->side[v] != first[v];
        CU_ASSERT_EQUAL(wrong, 0);
        destroy(f);
    }
}

static void handle(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
}

static void random_numbers_and_signal_handlers_of_the_program_are_left_alone(void)
{
    struct sigaction mine = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART}, found, before;
    fixture *f = create(100);
    sigset_t mask;
    for (size_t v = 0; v + 1 < f->count; v++) join(f, v, v + 1, 5);
    sigaction(SIGTERM, &mine, &before);
    srand(42);
    int expected[2] = {rand(), rand()};
    srand(42);
    CU_ASSERT_EQUAL(rand(), expected[0]);
    CU_ASSERT_EQUAL(bisect(f, 0.5), WEFT_OK);
    CU_ASSERT_EQUAL(rand(), expected[1]);
    sigaction(SIGTERM, &before, &found);
    CU_ASSERT(found.sa_sigaction == handle && (found.sa_flags & SA_SIGINFO) && (found.sa_flags & SA_RESTART));
    CU_ASSERT(!(found.sa_flags & (int)SA_RESETHAND));
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    CU_ASSERT_FALSE(sigismember(&mask, SIGTERM));
    destroy(f);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(two_dense_halves_are_parted_between_them),
        WEFT_TEST(sides_are_of_the_size_asked_for),
        WEFT_TEST(odd_graphs_are_cut_the_same_twice),
        WEFT_TEST(random_numbers_and_signal_handlers_of_the_program_are_left_alone),
    };
    if (!*wf_metis_version()) {
        printf("skipped graph/metis: built without METIS\n");
        return 0;
    }
    return weft_test_run("graph/metis", cases, WEFT_COUNT_OF(cases));
}
