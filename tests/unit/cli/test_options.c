#include "cli/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft_test.h"

enum { ARGUMENT_MAX = 12, WORD_LENGTH = 64, OUTPUT_LENGTH = 4096 };

typedef struct settings {
    bool check;
    int64_t rows;
    uint64_t budget_bytes;
    double tolerance;
    const char *output;
} settings;

static const settings untouched = {false, 1000, 4096, 0.5, NULL};

/* Parses a command line of the program "weft-x"; the arguments end with NULL. */
static weft_status parse(settings *s, cli_arguments *arguments, weft_error *err, const char *const *words)
{
    const cli_option options[] = {
        CLI_FLAG("check", 'c', "compute the residual", &s->check),
        CLI_INT("rows", 'm', "M", "rows of the matrix (1000)", &s->rows, 1, 1000000),
        CLI_BYTES("budget", 0, "SIZE", "memory to use (4KiB)", &s->budget_bytes, 1024, INT64_MAX),
        CLI_DOUBLE("tolerance", 't', "EPS", "residual to accept (0.5)", &s->tolerance, 0, 1),
        CLI_TEXT("output", 'o', "PREFIX", "where to write", &s->output),
    };
    const cli_program program = {.name = "weft-x", .description = "Does x.", .options = options, .option_count = WEFT_COUNT_OF(options),
                                 .positional_max = 2};
    static char name[] = "weft-x", copies[ARGUMENT_MAX][WORD_LENGTH]; /* texts are borrowed from argv */
    char *argv[ARGUMENT_MAX + 2] = {name};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        argv[argc] = copies[argc - 1];
        snprintf(argv[argc], WORD_LENGTH, "%s", words[argc - 1]);
    }
    cli_arguments found = {0};
    weft_status status = cli_options_parse(&program, argc, argv, &found, err);
    if (!status && arguments) *arguments = found;
    return status;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void values_of_every_kind_reach_their_variables(void)
{
    settings s = untouched;
    weft_error err = WEFT_ERROR_INIT;
    weft_status status = parse(&s, NULL, &err, WORDS("--check", "--rows", "42", "--budget=2MiB", "-t", "1e-3", "-oprefix"));
    if (status) printf("    %s\n", err.text);
    CU_ASSERT_EQUAL(status, WEFT_OK);
    CU_ASSERT_TRUE(s.check);
    CU_ASSERT_EQUAL(s.rows, 42);
    CU_ASSERT_EQUAL(s.budget_bytes, 2097152);
    CU_ASSERT_DOUBLE_EQUAL(s.tolerance, 1e-3, 0);
    CU_ASSERT_STRING_EQUAL(s.output, "prefix");
}

static void options_not_given_keep_their_values(void)
{
    settings s = untouched;
    CU_ASSERT_EQUAL(parse(&s, NULL, NULL, (const char *const[]){NULL}), WEFT_OK);
    CU_ASSERT_TRUE(!s.check && s.rows == 1000 && s.budget_bytes == 4096 && !s.output);
}

static void the_last_of_two_counts(void)
{
    settings s = untouched;
    CU_ASSERT_EQUAL(parse(&s, NULL, NULL, WORDS("-m3", "--rows=4")), WEFT_OK);
    CU_ASSERT_EQUAL(s.rows, 4);
}

static void the_ends_of_a_range_are_allowed(void)
{
    settings s = untouched;
    CU_ASSERT_EQUAL(parse(&s, NULL, NULL, WORDS("--rows", "1", "--tolerance", "0", "--budget", "1K")), WEFT_OK);
    CU_ASSERT_TRUE(s.rows == 1 && s.tolerance <= 0 && s.budget_bytes == 1024);
    CU_ASSERT_EQUAL(parse(&s, NULL, NULL, WORDS("--rows", "1000000", "--tolerance", "1")), WEFT_OK);
    CU_ASSERT_EQUAL(s.rows, 1000000);
}

static void positional_arguments_are_returned_in_order(void)
{
    settings s = untouched;
    cli_arguments arguments = {0};
    CU_ASSERT_EQUAL(parse(&s, &arguments, NULL, WORDS("first", "--check", "--", "--rows")), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(arguments.count, 2);
    CU_ASSERT_STRING_EQUAL(arguments.values[0], "first");
    CU_ASSERT_STRING_EQUAL(arguments.values[1], "--rows");
    CU_ASSERT_TRUE(s.check && s.rows == 1000);
}

static void help_and_version_win_over_everything_else(void)
{
    settings s = untouched;
    cli_arguments arguments = {0};
    CU_ASSERT_EQUAL(parse(&s, &arguments, NULL, WORDS("--help", "--nonsense", "a", "b", "c")), WEFT_OK);
    CU_ASSERT_TRUE(arguments.wants_help && !arguments.wants_version);
    CU_ASSERT_EQUAL(parse(&s, &arguments, NULL, WORDS("--rows", "x", "--scheduler", "sync", "--version", "--help")), WEFT_OK);
    CU_ASSERT_TRUE(arguments.wants_help && !arguments.wants_version && s.rows == 1000);
    CU_ASSERT_EQUAL(parse(&s, &arguments, NULL, WORDS("--", "--help")), WEFT_OK);
    CU_ASSERT_TRUE(!arguments.wants_help && arguments.count == 1);
    CU_ASSERT_EQUAL(parse(&s, &arguments, NULL, WORDS("-h")), WEFT_OK);
    CU_ASSERT_TRUE(arguments.wants_help);
    CU_ASSERT_EQUAL(parse(&s, &arguments, NULL, WORDS("--check", "--version")), WEFT_OK);
    CU_ASSERT_TRUE(arguments.wants_version && !arguments.wants_help);
}

typedef struct mistake {
    const char *words[4];
    weft_status status;
    const char *text; /* the whole message */
} mistake;

static void mistakes_are_named_with_option_value_and_what_is_allowed(void)
{
    static const mistake mistakes[] = {
        {{"--rows", "1x"}, WEFT_EINVAL, "--rows: \"1x\" is not a whole number; allowed: 1 to 1000000"},
        {{"--rows="}, WEFT_EINVAL, "--rows: \"\" is not a whole number; allowed: 1 to 1000000"},
        {{"-m", "0"}, WEFT_EINVAL, "--rows: \"0\" is out of range; allowed: 1 to 1000000"},
        {{"-m", "-3"}, WEFT_EINVAL, "--rows: \"-3\" is out of range; allowed: 1 to 1000000"},
        {{"-m", "1000001"}, WEFT_EINVAL, "--rows: \"1000001\" is out of range; allowed: 1 to 1000000"},
        {{"-m", "9223372036854775808"}, WEFT_EINVAL, "--rows: 9223372036854775808 does not fit 64 bits; allowed: 1 to 1000000"},
        {{"--budget", "512"}, WEFT_EINVAL, "--budget: \"512\" is out of range; allowed: a size such as 64KiB, 1KiB or more"},
        {{"--budget", "9EiB"}, WEFT_EINVAL, "--budget: \"9EiB\" is out of range; allowed: a size such as 64KiB, 1KiB or more"},
        {{"--budget", "4Q"}, WEFT_EINVAL,
         "--budget: \"4Q\" is not a size; write it as 512, 64KiB, 1.5G or 2GB; allowed: a size such as 64KiB, 1KiB or more"},
        {{"--tolerance", "nan"}, WEFT_EINVAL, "--tolerance: \"nan\" is not a number; allowed: 0 to 1"},
        {{"--tolerance", "0x1"}, WEFT_EINVAL, "--tolerance: \"0x1\" is not a number; allowed: 0 to 1"},
        {{"--tolerance", "1e"}, WEFT_EINVAL, "--tolerance: \"1e\" is not a number; allowed: 0 to 1"},
        {{"--tolerance", "1e999"}, WEFT_EINVAL, "--tolerance: \"1e999\" is beyond what a double holds; allowed: 0 to 1"},
        {{"--tolerance", "1.5"}, WEFT_EINVAL, "--tolerance: \"1.5\" is out of range; allowed: 0 to 1"},
        {{"--output", ""}, WEFT_EINVAL, "--output: \"\" is empty; write a PREFIX"},
        {{"--output"}, WEFT_EINVAL, "--output needs a value: PREFIX"},
        {{"-o"}, WEFT_EINVAL, "--output needs a value: PREFIX"},
        {{"--check=yes"}, WEFT_EINVAL, "--check=yes: --check takes no value"},
        {{"--rosw", "3"}, WEFT_ENOENT, "unknown option --rosw; did you mean --rows?"},
        {{"--tolerence=3"}, WEFT_ENOENT, "unknown option --tolerence; did you mean --tolerance?"},
        {{"--thread", "3"}, WEFT_ENOENT, "unknown option --thread; did you mean --threads?"},
        {{"--hlep"}, WEFT_ENOENT, "unknown option --hlep; did you mean --help?"},
        {{"--out", "p"}, WEFT_ENOENT, "unknown option --out; did you mean --output?"},
        {{"--tol=0.1"}, WEFT_ENOENT, "unknown option --tol; did you mean --tolerance?"},
        {{"--something-else"}, WEFT_ENOENT, "unknown option --something-else"},
        {{"--check", "-z"}, WEFT_ENOENT, "unknown option -z"},
        {{"--check", "-zc"}, WEFT_ENOENT, "unknown option -z"},
        {{"-cz"}, WEFT_ENOENT, "unknown option -z"},
        {{"one", "two", "three"}, WEFT_EINVAL, "unexpected argument \"three\""},
        {{"--rows", "1\n2"}, WEFT_EINVAL, "--rows: \"1 2\" is not a whole number; allowed: 1 to 1000000"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(mistakes); i++) {
        settings s = untouched;
        weft_error err = WEFT_ERROR_INIT;
        weft_status status = parse(&s, NULL, &err, mistakes[i].words);
        if (strcmp(err.text, mistakes[i].text) != 0) printf("    %s gave: %s\n", mistakes[i].words[0], err.text);
        CU_ASSERT_EQUAL(status, mistakes[i].status);
        CU_ASSERT_STRING_EQUAL(err.text, mistakes[i].text);
        CU_ASSERT_TRUE(s.rows == 1000 && s.budget_bytes == 4096 && !s.output && fabs(s.tolerance - 0.5) < 1e-15);
    }
}

/* A range without limits reads every number and says so. */
static void open_ranges_are_described_in_words(void)
{
    int64_t any = 0, below = 0;
    double real = 0;
    const cli_option options[] = {
        CLI_INT("any", 0, "N", "any", &any, INT64_MIN, INT64_MAX),
        CLI_INT("below", 0, "N", "below", &below, INT64_MIN, 5),
        CLI_DOUBLE("real", 0, "X", "real", &real, -HUGE_VAL, HUGE_VAL),
    };
    const cli_program program = {.name = "p", .description = "d", .options = options, .option_count = 3};
    static const char *const expected[][2] = {
        {"--any=x", "--any: \"x\" is not a whole number; allowed: any whole number"},
        {"--below=6", "--below: \"6\" is out of range; allowed: 5 or less"},
        {"--real=x", "--real: \"x\" is not a number; allowed: any number"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(expected); i++) {
        char word[16], name[] = "p", *argv[] = {name, word, NULL};
        weft_error err = WEFT_ERROR_INIT;
        cli_arguments arguments;
        snprintf(word, sizeof word, "%s", expected[i][0]);
        CU_ASSERT_EQUAL(cli_options_parse(&program, 2, argv, &arguments, &err), WEFT_EINVAL);
        CU_ASSERT_STRING_EQUAL(err.text, expected[i][1]);
    }
}

static void print_help(const cli_program *program, char output[static OUTPUT_LENGTH])
{
    FILE *stream = fmemopen(output, OUTPUT_LENGTH, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    cli_help_print(program, stream);
    fclose(stream);
}

static void help_shows_every_part_aligned(void)
{
    int64_t rows;
    bool check;
    const cli_option options[] = {CLI_INT("rows", 'm', "M", "rows of the matrix", &rows, 1, 9),
                                  CLI_FLAG("check", 0, "compute the residual, in words that are so long that they need another line "
                                           "in the help", &check)};
    const char *const examples[] = {"weft-x --rows 5", NULL};
    const cli_program program = {.name = "weft-x", .usage = "[OPTION]... FILE", .description = "Does x.", .options = options,
                                 .option_count = 2, .examples = examples, .exit_codes = "  3  the residual is too large\n"};
    char help[OUTPUT_LENGTH];
    print_help(&program, help);
    const char *expected = "usage: weft-x [OPTION]... FILE\n"
                           "\n"
                           "Does x.\n"
                           "\n"
                           "OPTIONS\n"
                           "  -m, --rows M          rows of the matrix\n"
                           "      --check           compute the residual, in words that are so long that they need another\n"
                           "                        line in the help\n"
                           "  -h, --help            print this and end\n"
                           "      --version         print the version and end\n"
                           "\n"
                           "OPTIONS OF EVERY WEFT PROGRAM\n"
                           "      --scheduler KIND  what runs the tasks: auto, sync, threads or mpi\n"
                           "      --threads COUNT   pool threads of each rank (one per core)\n"
                           "      --set KEY=VALUE   a configuration key, which `weft config` lists; may be repeated\n"
                           "\n"
                           "EXAMPLES\n"
                           "  weft-x --rows 5\n"
                           "\n"
                           "EXIT CODES\n"
                           "  0  success\n"
                           "  1  failure, told in one line on stderr\n"
                           "  2  wrong usage or configuration\n"
                           "  3  the residual is too large\n";
    if (strcmp(help, expected) != 0) printf("%s", help);
    CU_ASSERT_STRING_EQUAL(help, expected);
}

static void help_without_a_session_is_silent_about_its_options(void)
{
    const cli_program program = {.name = "weft config", .description = "Lists keys.", .has_no_session = true};
    char help[OUTPUT_LENGTH];
    print_help(&program, help);
    CU_ASSERT_PTR_NULL(strstr(help, "--scheduler"));
    CU_ASSERT_PTR_NULL(strstr(help, "EXAMPLES"));
    CU_ASSERT_PTR_NOT_NULL(strstr(help, "usage: weft config [OPTION]...\n"));
    char name[] = "p", word[] = "--thread=3", *argv[] = {name, word, NULL};
    weft_error err = WEFT_ERROR_INIT;
    cli_arguments arguments;
    CU_ASSERT_EQUAL(cli_options_parse(&program, 2, argv, &arguments, &err), WEFT_ENOENT);
    CU_ASSERT_STRING_EQUAL(err.text, "unknown option --thread");
}

static void reading_tells_mistakes_in_one_line_with_code_two(void)
{
    const cli_program program = {.name = "weft-x", .description = "Does x."};
    char name[] = "weft-x", word[] = "--what", *argv[] = {name, word, NULL}, text[256] = "";
    cli_arguments arguments;
    int code = -1, saved = dup(STDERR_FILENO), ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    bool runs = cli_options_read(&program, 2, argv, &arguments, &code);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    CU_ASSERT_TRUE(length > 0);
    CU_ASSERT_FALSE(runs);
    CU_ASSERT_EQUAL(code, 2);
    CU_ASSERT_STRING_EQUAL(text, "weft-x: unknown option --what; try weft-x --help\n");
    close(saved);
    close(ends[0]);
    close(ends[1]);
    CU_ASSERT_TRUE(cli_options_read(&program, 1, argv, &arguments, &code));
    CU_ASSERT_EQUAL(code, 0);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(values_of_every_kind_reach_their_variables),
        WEFT_TEST(options_not_given_keep_their_values),
        WEFT_TEST(the_last_of_two_counts),
        WEFT_TEST(the_ends_of_a_range_are_allowed),
        WEFT_TEST(positional_arguments_are_returned_in_order),
        WEFT_TEST(help_and_version_win_over_everything_else),
        WEFT_TEST(mistakes_are_named_with_option_value_and_what_is_allowed),
        WEFT_TEST(open_ranges_are_described_in_words),
        WEFT_TEST(help_shows_every_part_aligned),
        WEFT_TEST(help_without_a_session_is_silent_about_its_options),
        WEFT_TEST(reading_tells_mistakes_in_one_line_with_code_two),
    };
    return weft_test_run("cli/options", cases, WEFT_COUNT_OF(cases));
}
