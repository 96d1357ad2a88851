/* What the command line asks for, checked as far as that goes without looking at the data. */
#ifndef SVD_COMMAND_LINE_H
#define SVD_COMMAND_LINE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct svd_command_line {
    int64_t rows, cols, seed;  /* of a random matrix; rows 0: there is an input file */
    const char *input;         /* NULL: a random matrix */
    int64_t skip_lines;
    char delimiter;            /* 0: as by default */
    int64_t chunk_rows;        /* 0: as the matrix suggests */
    int64_t components;        /* 0: all */
    bool center;
    bool values_only;
    bool check;
    const char *output_prefix; /* NULL: nothing is written */
    const char *picture;       /* NULL: none is drawn */
    bool json;
    bool quiet;
} svd_command_line;

/* True when the program is to run; otherwise help, version or an error has been printed, and *code is the exit code. Texts are borrowed
 * from argv. */
bool svd_command_line_read(svd_command_line *line, int argc, char **argv, int *code);

#endif
