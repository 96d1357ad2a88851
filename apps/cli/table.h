/* Aligned tables of text for people: plain characters, two blanks between columns, no colours.
 *
 *     const cli_column columns[] = {{"RANKS", CLI_RIGHT}, {"TIME [s]", CLI_RIGHT}, {"HOST", CLI_LEFT}};
 *
 * Widths count characters of UTF-8, not bytes. One thread.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <weft/status.h>

typedef enum cli_align { CLI_LEFT, CLI_RIGHT } cli_align;

typedef struct cli_column {
    const char *header; /* with the unit, as "TIME [s]" */
    cli_align align;
} cli_column;

typedef struct cli_table cli_table;

/* Owns:   *table is new, caller destroys; columns are borrowed and outlive it. Errors: WEFT_ENOMEM. */
weft_status cli_table_create(const cli_column *columns, size_t column_count, cli_table **table, weft_error *err);
/* NULL is allowed. */
void cli_table_destroy(cli_table *table);

/* Adds a row; cells are copied, a NULL cell is empty. Errors: WEFT_ENOMEM, the table unchanged. */
weft_status cli_table_add(cli_table *table, const char *const *cells, weft_error *err);

/* The headers and the rows, each line beginning with `indent` blanks. */
void cli_table_print(const cli_table *table, int indent, FILE *stream);

#endif
