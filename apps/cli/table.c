/* A table of text: rows of owned cells, laid out when printed. Invariant: every row has a cell, perhaps "", for every column. */
#include "cli/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct cli_table {
    const cli_column *columns;
    size_t column_count;
    char **cells; /* row by row */
    size_t row_count, row_room;
    int *widths; /* of the columns, in characters */
};

/* Characters, so that a name with umlauts does not shift its line. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++) width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void widen(cli_table *table, size_t column, const char *text)
{
    int width = text_width(text);
    if (width > table->widths[column]) table->widths[column] = width;
}

weft_status cli_table_create(const cli_column *columns, size_t column_count, cli_table **table, weft_error *err)
{
    cli_table *made = calloc(1, sizeof *made);
    int *widths = calloc(column_count, sizeof *widths);
    if (!made || !widths) {
        free(made);
        free(widths);
        return weft_fail(err, WEFT_ENOMEM, "no memory for a table");
    }
    *made = (cli_table){.columns = columns, .column_count = column_count, .widths = widths};
    for (size_t i = 0; i < column_count; i++) widen(made, i, columns[i].header);
    *table = made;
    return WEFT_OK;
}

void cli_table_destroy(cli_table *table)
{
    if (!table) return;
    for (size_t i = 0; i < table->row_count * table->column_count; i++) free(table->cells[i]);
    free(table->cells);
    free(table->widths);
    free(table);
}

static weft_status make_room(cli_table *table, weft_error *err)
{
    if (table->row_count < table->row_room) return WEFT_OK;
    size_t room = table->row_room ? 2 * table->row_room : 16, bytes;
    char **cells = NULL;
    if (!__builtin_mul_overflow(room * sizeof *cells, table->column_count, &bytes)) cells = realloc(table->cells, bytes);
    if (!cells) return weft_fail(err, WEFT_ENOMEM, "no memory for a table of %zu rows", room);
    table->cells = cells;
    table->row_room = room;
    return WEFT_OK;
}

weft_status cli_table_add(cli_table *table, const char *const *cells, weft_error *err)
{
    weft_status status = make_room(table, err);
    if (status) return status;
    char **row = table->cells + table->row_count * table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        row[i] = strdup(cells[i] ? cells[i] : "");
        if (row[i]) continue;
        while (i > 0) free(row[--i]);
        return weft_fail(err, WEFT_ENOMEM, "no memory for row %zu of a table", table->row_count);
    }
    for (size_t i = 0; i < table->column_count; i++) widen(table, i, row[i]);
    table->row_count++;
    return WEFT_OK;
}

static void print_blanks(int count, FILE *stream)
{
    fprintf(stream, "%*s", count > 0 ? count : 0, "");
}

/* row == row_count stands for the headers. Blanks before text only, so that no line ends in one. */
static void print_row(const cli_table *table, size_t row, int indent, FILE *stream)
{
    int owed = indent;
    for (size_t i = 0; i < table->column_count; i++) {
        const char *text = row == table->row_count ? table->columns[i].header : table->cells[row * table->column_count + i];
        int padding = table->widths[i] - text_width(text);
        bool is_right = table->columns[i].align == CLI_RIGHT;
        if (text[0]) {
            print_blanks(owed + (is_right ? padding : 0), stream);
            fputs(text, stream);
            owed = is_right ? 0 : padding;
        } else {
            owed += padding;
        }
        owed += 2;
    }
    fputc('\n', stream);
}

void cli_table_print(const cli_table *table, int indent, FILE *stream)
{
    print_row(table, table->row_count, indent, stream);
    for (size_t row = 0; row < table->row_count; row++) print_row(table, row, indent, stream);
}
