#include "taskbench/command_line.h"

#include <stdlib.h>
#include <string.h>

#include "weft_test.h"

enum { MAX_ARGUMENTS = 32 };

/* Reads a command line of words between blanks. */
static bool read_line(const char *text, bench_command_line *line, int *code)
{
    static const bench_program program = {"test", "Tests.", true};
    char *words = strdup(text), *argv[MAX_ARGUMENTS + 1] = {"test"}, *rest = NULL;
    int argc = 1;
    if (!words) abort();
    for (char *word = strtok_r(words, " ", &rest); word && argc < MAX_ARGUMENTS; word = strtok_r(NULL, " ", &rest)) argv[argc++] = word;
    bool is_read = bench_command_line_read(&program, line, argc, argv, code);
    free(words);
    return is_read;
}

static void without_options_it_is_a_stencil_of_empty_tasks(void)
{
    bench_command_line line;
    int code = 7;
    CU_ASSERT_FATAL(read_line("", &line, &code));
    CU_ASSERT_EQUAL(code, 0);
    CU_ASSERT_EQUAL_FATAL(line.job.graph_count, 1);
    const bench_graph *graph = &line.job.graphs[0];
    CU_ASSERT_EQUAL(graph->pattern.kind, BENCH_STENCIL_1D);
    CU_ASSERT_EQUAL(graph->pattern.width, 8);
    CU_ASSERT_EQUAL(graph->pattern.steps, 1000);
    CU_ASSERT_EQUAL(graph->kernel.kind, BENCH_EMPTY);
    CU_ASSERT_EQUAL(graph->output_bytes, 16);
    CU_ASSERT_EQUAL(line.repeats, 5);
}

static void a_graph_after_and_starts_from_the_one_before(void)
{
    bench_command_line line;
    int code;
    CU_ASSERT_FATAL(read_line("--pattern nearest --radix 5 --kernel memory_bound --json --and --width 3 --output-bytes 1KiB --and "
                              "--pattern dom --kernel compute_bound --iterations 9 --repeat 2", &line, &code));
    CU_ASSERT_EQUAL_FATAL(line.job.graph_count, 3);
    const bench_graph *graphs = line.job.graphs;
    CU_ASSERT(line.json && line.repeats == 2);
    CU_ASSERT(graphs[0].pattern.kind == BENCH_NEAREST && graphs[0].pattern.width == 8 && graphs[0].kernel.kind == BENCH_MEMORY_BOUND);
    CU_ASSERT(graphs[1].pattern.kind == BENCH_NEAREST && graphs[1].pattern.width == 3 && graphs[1].kernel.kind == BENCH_MEMORY_BOUND);
    CU_ASSERT(graphs[1].pattern.radix == 5 && graphs[1].output_bytes == 1024 && graphs[1].kernel.iterations == 1);
    CU_ASSERT(graphs[2].pattern.kind == BENCH_DOM && graphs[2].pattern.width == 3 && graphs[2].kernel.kind == BENCH_COMPUTE_BOUND);
    CU_ASSERT(graphs[2].output_bytes == 1024 && graphs[2].kernel.iterations == 9);
    for (size_t i = 0; i < 3; i++) CU_ASSERT(graphs[i].number == i && graphs[i].pattern.seed == i && graphs[i].kernel.seed == i);
}

static void metg_takes_a_kernel_that_computes(void)
{
    bench_command_line line;
    int code;
    CU_ASSERT_FATAL(read_line("--metg", &line, &code));
    CU_ASSERT(line.wants_metg && line.job.graphs[0].kernel.kind == BENCH_COMPUTE_BOUND);
    CU_ASSERT_FATAL(read_line("--pattern fft --and --metg", &line, &code)); /* wherever it stands */
    CU_ASSERT(line.wants_metg && line.job.graphs[0].kernel.kind == BENCH_COMPUTE_BOUND);
}

static void a_refused_line_leaves_the_result_alone(void)
{
    bench_command_line line = {.repeats = 99};
    int code = 7;
    CU_ASSERT_FALSE(read_line("--pattern fft --and --width 0", &line, &code));
    CU_ASSERT(code == 2 && line.repeats == 99);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(without_options_it_is_a_stencil_of_empty_tasks),
        WEFT_TEST(a_graph_after_and_starts_from_the_one_before),
        WEFT_TEST(metg_takes_a_kernel_that_computes),
        WEFT_TEST(a_refused_line_leaves_the_result_alone),
    };
    return weft_test_run("taskbench/command_line", cases, WEFT_COUNT_OF(cases));
}
