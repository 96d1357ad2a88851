/* The table of options, read once for each graph: what stands between two --and describes one. The main thread. */
#include "command_line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/main.h"
#include "cli/options.h"
#include "cli/text.h"

enum { DEFAULT_REPEATS = 5 };
static const uint64_t max_output_bytes = UINT64_C(1) << 30, max_scratch_bytes = UINT64_C(1) << 40;
static const int64_t max_iterations = INT64_C(1) << 40;

/* What the table fills in beside the command line itself; it stays from graph to graph. */
typedef struct raw_values {
    const char *pattern, *kernel; /* NULL: not given yet */
    int64_t iterations;           /* -1: not given yet */
    bool and;                     /* for the help; the arguments are split there before they are read */
} raw_values;

static bool find_name(const char *name, const char *const *names, size_t count, uint32_t *kind)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *kind = (uint32_t)i;
        return true;
    }
    return false;
}

/* Returns 0, or 2 after the error has been printed. */
static int take_name(const cli_program *program, const char *option, const char *name, const char *const *names, size_t count,
                     uint32_t *kind)
{
    if (!name || find_name(name, names, count, kind)) return 0;
    const char *nearest = cli_nearest(name, names, count);
    if (nearest) return cli_usage_error(program, "--%s: no %s is called \"%.40s\"; did you mean %s?", option, option, name, nearest);
    return cli_usage_error(program, "--%s: no %s is called \"%.40s\"", option, option, name);
}

static int check_graph(const cli_program *program, const bench_graph *graph)
{
    static const uint64_t most_tasks = (uint64_t)1 << 46; /* of a layer; checking what so many put out would take days */
    const char *flaw = bench_pattern_flaw(&graph->pattern);
    if ((uint64_t)graph->pattern.steps > most_tasks / (uint64_t)graph->pattern.width)
        return cli_usage_error(program, "--width %" PRId64 " times --steps %" PRId64 " is more than 2^46 tasks", (int64_t)graph->pattern.width,
                               (int64_t)graph->pattern.steps);
    if (flaw) return cli_usage_error(program, "%s", flaw);
    if (graph->output_bytes % sizeof(bench_cell) != 0)
        return cli_usage_error(program, "--output-bytes %" PRIu64 " is no multiple of %zu", graph->output_bytes, sizeof(bench_cell));
    if (graph->kernel.scratch_bytes % BENCH_SCRATCH_STEP != 0)
        return cli_usage_error(program, "--scratch-bytes %" PRIu64 " is no multiple of %d", graph->kernel.scratch_bytes,
                               BENCH_SCRATCH_STEP);
    return 0;
}

/* Where no kernel was given, --metg decides, which may stand behind. */
static void choose_kernels(bench_command_line *line)
{
    for (size_t i = 0; i < line->job.graph_count; i++) {
        bench_kernel *kernel = &line->job.graphs[i].kernel;
        if (kernel->kind == BENCH_KERNEL_COUNT) kernel->kind = line->wants_metg ? BENCH_COMPUTE_BOUND : BENCH_EMPTY;
    }
}

static int check_sweep(const cli_program *program, const bench_command_line *line, const raw_values *raw)
{
    if (!line->wants_metg) return 0;
    if (raw->iterations >= 0) return cli_usage_error(program, "--metg chooses the iterations: leave --iterations out");
    for (size_t i = 0; i < line->job.graph_count; i++) {
        if (line->job.graphs[i].kernel.kind != BENCH_EMPTY) return 0;
    }
    return cli_usage_error(program, "--metg needs a --kernel that does something");
}

/* The arguments of one graph, getopt's way: behind the program's name. */
typedef struct section {
    int count;
    char **values;
    int end; /* in argv: at the next --and, or behind the last */
} section;

static section next_section(int argc, char **argv, int begin, char **room)
{
    section s = {1, room, begin};
    room[0] = argv[0];
    for (; s.end < argc && strcmp(argv[s.end], "--and") != 0; s.end++) room[s.count++] = argv[s.end];
    room[s.count] = NULL;
    return s;
}

static int take_graph(const cli_program *program, bench_command_line *line, bench_graph *graph, const raw_values *raw)
{
    int code = take_name(program, "pattern", raw->pattern, bench_pattern_names, BENCH_PATTERN_COUNT, &graph->pattern.kind);
    if (code == 0) code = take_name(program, "kernel", raw->kernel, bench_kernel_names, BENCH_KERNEL_COUNT, &graph->kernel.kind);
    if (code == 0 && line->job.graph_count == BENCH_MAX_GRAPHS)
        code = cli_usage_error(program, "--and: more than %d graphs", BENCH_MAX_GRAPHS);
    graph->kernel.iterations = raw->iterations >= 0 ? raw->iterations : 1;
    graph->number = line->job.graph_count;
    graph->pattern.seed = graph->kernel.seed = (uint32_t)graph->number;
    if (code == 0) code = check_graph(program, graph);
    if (code == 0) line->job.graphs[line->job.graph_count++] = *graph;
    return code;
}

static bool read_sections(const cli_program *program, bench_command_line *line, bench_graph *graph, const raw_values *raw, int argc,
                          char **argv, int *code)
{
    char **room = calloc((size_t)argc + 1, sizeof *room);
    cli_arguments arguments;
    if (!room) {
        *code = EXIT_FAILURE;
        return false;
    }
    section s = {0, NULL, 0};
    bool is_read;
    do {
        s = next_section(argc, argv, s.end + 1, room);
        is_read = cli_options_read(program, s.count, s.values, &arguments, code);
        if (is_read) *code = take_graph(program, line, graph, raw);
    } while (is_read && *code == 0 && s.end < argc);
    free(room);
    return is_read && *code == 0;
}

static const char *const examples[] = {
    "weft-taskbench --pattern stencil_1d --width 8 --steps 1000",
    "weft-taskbench --pattern nearest --radix 5 --width 8 --steps 1000 --metg",
    "mpirun -n 3 weft-taskbench --pattern fft --width 64 --kernel compute_bound --iterations 1000",
    "weft-taskbench --pattern dom --and --pattern spread --radix 5 --kernel load_imbalance --imbalance 1",
    NULL,
};

bool bench_command_line_read(const bench_program *asking, bench_command_line *line, int argc, char **argv, int *code)
{
    bench_command_line l = {.repeats = DEFAULT_REPEATS};
    bench_graph g = {.pattern = {.kind = BENCH_STENCIL_1D, .width = 8, .steps = 1000, .radix = 3, .period = 3, .fraction = 0.25},
                     .kernel = {.kind = BENCH_KERNEL_COUNT, .imbalance = 1.0, .scratch_bytes = 65536}, .output_bytes = sizeof(bench_cell)};
    raw_values raw = {NULL, NULL, -1, false};
    const cli_option options[] = {
        CLI_TEXT("pattern", 'p', "NAME", "what tasks take from the step before: trivial, no_comm, stencil_1d, nearest, fft, tree, "
                 "random_nearest, spread, all_to_all or dom (stencil_1d)", &raw.pattern),
        CLI_INT("width", 'w', "COLUMNS", "tasks of a step (8)", &g.pattern.width, 1, BENCH_MAX_EXTENT),
        CLI_INT("steps", 's', "COUNT", "steps (1000)", &g.pattern.steps, 1, BENCH_MAX_EXTENT),
        CLI_INT("radix", 'r', "COUNT", "inputs of a task, for nearest, random_nearest and spread (3)", &g.pattern.radix, 0,
                BENCH_MAX_EXTENT),
        CLI_INT("period", 0, "STEPS", "different steps, for random_nearest and spread (3)", &g.pattern.period, 1, BENCH_MAX_EXTENT),
        CLI_DOUBLE("fraction", 0, "P", "probability of an input, for random_nearest (0.25)", &g.pattern.fraction, 0.0, 1.0),
        CLI_BYTES("output-bytes", 'o', "SIZE", "what each task puts out, a multiple of 16 (16)", &g.output_bytes, sizeof(bench_cell),
                  (int64_t)max_output_bytes),
        CLI_TEXT("kernel", 'k', "NAME", "what each task does: empty, compute_bound, memory_bound or load_imbalance (empty; with --metg "
                 "compute_bound)", &raw.kernel),
        CLI_INT("iterations", 'i', "COUNT", "how often: an iteration is 128 FLOP, or a copy of a 32nd of the scratch memory (1)",
                &raw.iterations, 0, max_iterations),
        CLI_DOUBLE("imbalance", 0, "F", "load_imbalance draws between 1 - F/2 and 1 + F/2 times the iterations (1)", &g.kernel.imbalance,
                   0.0, 2.0),
        CLI_BYTES("scratch-bytes", 0, "SIZE", "memory that memory_bound works on, of each thread, a multiple of 2KiB (64KiB)",
                  &g.kernel.scratch_bytes, BENCH_SCRATCH_STEP, (int64_t)max_scratch_bytes),
        CLI_FLAG("and", 0, "another graph, computed at the same time: what follows describes it, what is left out is as before", &raw.and),
        CLI_FLAG("metg", 'm', "find the granularity of tasks at which efficiency is a half, by a sweep over --iterations", &l.wants_metg),
        CLI_INT("repeat", 'n', "COUNT", "timed runs, of each point with --metg (5)", &l.repeats, 1, BENCH_MAX_REPEATS),
        CLI_FLAG("no-warm-up", 0, "leave out the first run, which is not timed", &l.has_no_warm_up),
        CLI_FLAG("json", 0, "print the results as JSON", &l.json),
        CLI_FLAG("quiet", 'q', "print no results: for the exit code alone", &l.quiet),
    };
    char description[512];
    snprintf(description, sizeof description, "%s A graph is steps of width tasks, each of which takes outputs of the step before; every "
             "input of every task is checked, and that every task ran once.", asking->description);
    const cli_program program = {
        .name = asking->name,
        .description = description,
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .examples = asking->has_no_session ? NULL : examples,
        .has_no_session = asking->has_no_session,
    };
    /* Help and version win wherever they stand, so they are looked for in all arguments at once. */
    cli_arguments arguments;
    if (cli_options_want_help(argc, argv)) return cli_options_read(&program, argc, argv, &arguments, code);
    bool is_read = read_sections(&program, &l, &g, &raw, argc, argv, code);
    choose_kernels(&l);
    if (is_read) *code = check_sweep(&program, &l, &raw);
    if (is_read && *code == 0) *line = l;
    return is_read && *code == 0;
}
