/* A graph as text for Graphviz. Any thread; the graph is only read. */
#ifndef WF_GRAPH_DOT_H
#define WF_GRAPH_DOT_H

#include <stdio.h>

#include "graph/graph.h"

/* One rounded box for each task, labelled with its key and coloured by its kernel, one arrow from each task to each that consumes any of
 * its outputs, and a legend. The tasks of a row, a run of indices, stand in one line, in their sequence. The same graph gives the same
 * text. Whether writing went well is the caller's to ask of out.
 *
 * Errors:   WEFT_ENOMEM.
 */
weft_status wf_graph_write_dot(const weft_graph *graph, const weft_interval *rows, size_t row_count, FILE *out, weft_error *err);

#endif
