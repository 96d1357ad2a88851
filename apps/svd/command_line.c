/* The table of options, and what each asks of the others. The main thread. */
#include "command_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/options.h"

enum { MAX_COLS = 30000 }; /* of a tall matrix */

/* What the table fills in beside the command line itself. */
typedef struct raw_values {
    int64_t seed; /* -1: not given */
    const char *delimiter;
} raw_values;

/* Returns 0, or 2 after the error has been printed. */
static int check_matrix(const cli_program *program, const svd_command_line *line, const raw_values *raw)
{
    if (line->input && (line->rows || line->cols || raw->seed >= 0))
        return cli_usage_error(program, "--input brings its own numbers: leave --rows, --cols and --seed out");
    if (!line->input && !line->rows && !line->cols) return cli_usage_error(program, "no matrix: give --rows and --cols, or --input FILE");
    if (!line->input && !line->rows) return cli_usage_error(program, "--rows is missing beside --cols");
    if (!line->input && !line->cols) return cli_usage_error(program, "--cols is missing beside --rows");
    if (!line->input && (line->skip_lines || raw->delimiter))
        return cli_usage_error(program, "--skip-lines and --delimiter are for a .csv file: give one with --input, or leave them out");
    if (!line->input && line->rows < line->cols)
        return cli_usage_error(program, "--rows %lld is below --cols %lld: a tall matrix has at least as many rows as columns",
                               (long long)line->rows, (long long)line->cols);
    return 0;
}

static int check_results(const cli_program *program, const svd_command_line *line)
{
    if (line->values_only && line->check)
        return cli_usage_error(program, "--check needs U and V, which --values-only leaves out: give one of them");
    return 0;
}

static int take_delimiter(const cli_program *program, const char *text, char *delimiter)
{
    if (!text) return 0;
    if (strcasecmp(text, "tab") == 0) text = "\t";
    if (strlen(text) != 1) return cli_usage_error(program, "--delimiter %.80s: write one character, or tab", text);
    *delimiter = text[0];
    return 0;
}

bool svd_command_line_read(svd_command_line *result, int argc, char **argv, int *code)
{
    svd_command_line line = {0};
    raw_values raw = {-1, NULL};
    const cli_option options[] = {
        CLI_INT("rows", 'm', "M", "rows of a random matrix, uniform in [0, 1)", &line.rows, 1, INT64_MAX),
        CLI_INT("cols", 'n', "N", "its columns", &line.cols, 1, MAX_COLS),
        CLI_INT("seed", 0, "K", "which random matrix (0)", &raw.seed, 0, INT64_MAX),
        CLI_TEXT("input", 'i', "FILE", "a matrix in a .csv file, with or without a header, or in a .npy file of float32 or float64",
                 &line.input),
        CLI_INT("skip-lines", 0, "L", "lines to skip at the beginning of a .csv file (0)", &line.skip_lines, 0, INT64_MAX),
        CLI_TEXT("delimiter", 0, "CHAR", "what separates the columns of a .csv file, or tab (,)", &raw.delimiter),
        CLI_INT("chunk", 'c', "ROWS", "rows of a chunk; the last bits of the results depend on it (8 MiB worth)", &line.chunk_rows, 1,
                INT64_MAX),
        CLI_INT("components", 'k', "K", "singular triplets wanted, the largest (all)", &line.components, 1, MAX_COLS),
        CLI_FLAG("center", 0, "take its mean off every column first: a principal component analysis", &line.center),
        CLI_FLAG("values-only", 0, "singular values without U and V", &line.values_only),
        CLI_FLAG("check", 0, "compute the residual and the orthogonality of U", &line.check),
        CLI_TEXT("output", 'o', "PREFIX", "write PREFIX_u.npy, PREFIX_s.npy and PREFIX_v.npy; with --values-only PREFIX_s.npy",
                 &line.output_prefix),
        CLI_TEXT("graph", 'g', "FILE", "draw the task graph: .dot, or .svg, .png, .pdf by Graphviz", &line.picture),
        CLI_FLAG("json", 0, "print the results as JSON", &line.json),
        CLI_FLAG("quiet", 'q', "print no summary", &line.quiet),
    };
    static const char *const examples[] = {
        "weft-svd --rows 200000 --cols 100 --check",
        "mpirun -n 3 weft-svd --rows 200000 --cols 100 --chunk 10000 --output result",
        "weft-svd --input digits.csv --center --components 10 --output digits",
        NULL,
    };
    const cli_program program = {
        .name = "weft-svd",
        .description = "Singular value decomposition X = U diag(S) V^T of a matrix with many more rows than columns, by a tree of QR "
                       "factorizations over chunks of rows. Signs are such that the elements of each column of V do not add up to a "
                       "negative number. The results do not depend on the numbers of ranks and threads.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .examples = examples,
    };
    cli_arguments arguments;
    if (!cli_options_read(&program, argc, argv, &arguments, code)) return false;
    *code = check_matrix(&program, &line, &raw);
    if (*code == 0) *code = check_results(&program, &line);
    if (*code == 0) *code = take_delimiter(&program, raw.delimiter, &line.delimiter);
    line.seed = raw.seed >= 0 ? raw.seed : 0;
    *result = line;
    return *code == 0;
}
