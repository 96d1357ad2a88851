/* The picture of a graph, in Graphviz's language. Text of the user's (keys, kernel names) is escaped everywhere: it can neither end its
 * quotes nor be taken for an escape, an entity or a tag. Any thread. */
#include "graph/dot.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"

/* A label longer than this is cut; the tooltip, which .svg shows, has all of it. */
enum { LABEL_LETTERS = 28, LEGEND_COLUMNS = 6, MAX_DOUBLINGS = 10 };

/* Beyond this dot is told to take a good layout for the best one: a tree of 2,000 tasks then takes it 15 s, not a minute. */
enum { QUICK_LAYOUT_TASKS = 1000 };

static const uint64_t LARGE_EDGE_BYTES = 64 << 10;

/* Told apart by colour-blind eyes, and light enough for black text: the "light" scheme of Paul Tol, Colour Schemes, SRON/EPS/TN/09-002.
 * Its grey is for kept results. Kernels beyond these use them again, with another border. */
static const char *const fills[] = {"#77AADD", "#EEDD88", "#EE8866", "#44BB99", "#FFAABB", "#99DDFF", "#BBCC33", "#AAAA00"};
static const char *const borders[] = {"solid", "dashed", "dotted"};
static const char *const held_fill = "#DDDDDD";
static const char *const held_name = "kept result";

enum { FILL_COUNT = sizeof fills / sizeof fills[0], BORDER_COUNT = sizeof borders / sizeof borders[0] };

static const char *fill_of(uint32_t kernel)
{
    return kernel == WF_HELD_KERNEL ? held_fill : fills[kernel % FILL_COUNT];
}

static const char *border_of(uint32_t kernel)
{
    return kernel == WF_HELD_KERNEL ? "dashed" : borders[kernel / FILL_COUNT % BORDER_COUNT];
}

static const char *name_of(const weft_graph *graph, uint32_t kernel)
{
    return kernel == WF_HELD_KERNEL ? held_name : graph->kernels[kernel]->name;
}

/* Bytes of the UTF-8 letter that text begins with; 0 when it begins with none. */
static size_t letter_bytes(const unsigned char *text)
{
    size_t bytes = 0;
    if (text[0] < 0x80)
        bytes = 1;
    else if (text[0] >= 0xc2 && text[0] < 0xe0)
        bytes = 2;
    else if ((text[0] & 0xf0) == 0xe0)
        bytes = 3;
    else if ((text[0] & 0xf8) == 0xf0)
        bytes = 4;
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
    }
    return bytes;
}

/* How a backslash is written: dot undoes escapes once in a label, twice in a tooltip, and knows none in HTML. */
static const char *const label_backslash = "\\\\";
static const char *const tooltip_backslash = "\\\\\\\\";
static const char *const html_backslash = "&#92;";

/* Writes up to max_letters of text. */
static void write_text(FILE *out, const char *text, size_t max_letters, const char *backslash)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        size_t bytes = letter_bytes(c);
        if (max_letters-- == 0) {
            fputs("&#8230;", out);
            return;
        }
        switch (*c) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\\': fputs(backslash, out); break;
        default:
            if (bytes == 0)
                fputc('?', out);
            else if (*c < 0x20 || *c == 0x7f)
                fputc(' ', out);
            else
                fwrite(c, 1, bytes, out);
        }
        c += bytes ? bytes : 1;
    }
}

static void write_task(const weft_graph *graph, size_t task, FILE *out)
{
    const wf_graph_task *entry = &graph->tasks[task];
    const char *name = name_of(graph, entry->kernel), *key = graph->keys + entry->key;
    fprintf(out, "  t%zu [label=\"", task);
    if (*key) {
        write_text(out, key, LABEL_LETTERS, label_backslash);
    } else {
        write_text(out, name, LABEL_LETTERS, label_backslash);
        fprintf(out, " #%zu", task);
    }
    fprintf(out, "\", fillcolor=\"%s\", style=\"rounded,filled,%s\", tooltip=\"", fill_of(entry->kernel), border_of(entry->kernel));
    write_text(out, name, SIZE_MAX, tooltip_backslash);
    fputc(' ', out);
    if (*key)
        write_text(out, key, SIZE_MAX, tooltip_backslash);
    else
        fprintf(out, "#%zu", task);
    fputs("\"];\n", out);
}

/* Large edges tell their size, and are drawn thicker and straighter with every doubling. */
static void write_edge(uint64_t producer, size_t consumer, uint64_t bytes, FILE *out)
{
    fprintf(out, "  t%" PRIu64 " -> t%zu", producer, consumer);
    if (bytes >= LARGE_EDGE_BYTES) {
        char text[WF_QUANTITY_LENGTH];
        int doublings = 0;
        for (uint64_t rest = bytes / LARGE_EDGE_BYTES; rest > 1 && doublings < MAX_DOUBLINGS; rest /= 2) doublings++;
        wf_bytes_format_rounded(bytes, text);
        size_t digits = strspn(text, "0123456789.");
        fprintf(out, " [label=\"%.*s %s\", penwidth=%d.%d, weight=%d]", (int)digits, text, text + digits, 1 + doublings / 4,
                doublings % 4 * 25, 1 + doublings);
    }
    fputs(";\n", out);
}

static int compare_refs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* One edge for each producer, of the bytes of all its outputs that the task takes. Returns how many; out NULL only counts them. */
static size_t write_edges(const weft_graph *graph, size_t task, uint64_t *scratch, FILE *out)
{
    size_t count = wf_graph_input_count(graph, task), edges = 0;
    if (count == 0) return 0;
    memcpy(scratch, graph->inputs + graph->tasks[task].input_begin, count * sizeof *scratch);
    qsort(scratch, count, sizeof *scratch, compare_refs);
    for (size_t i = 0; i < count; edges++) {
        uint64_t producer = wf_ref_task(scratch[i]), bytes = 0;
        for (; i < count && wf_ref_task(scratch[i]) == producer; i++) {
            if (i == 0 || scratch[i] != scratch[i - 1]) bytes += wf_graph_ref_bytes(graph, scratch[i]);
        }
        if (out) write_edge(producer, task, bytes, out);
    }
    return edges;
}

/* Edges that nobody sees keep the sequence. */
static void write_row(weft_interval row, FILE *out)
{
    if (row.end - row.begin < 2) return;
    fprintf(out, "  {rank=same; edge [style=invis]; t%" PRIu64, row.begin);
    for (uint64_t t = row.begin + 1; t < row.end; t++) fprintf(out, " -> t%" PRIu64, t);
    fputs("}\n", out);
}

static void write_legend_cell(const char *name, size_t count, uint32_t kernel, FILE *out)
{
    fprintf(out, "<td border=\"1\" color=\"#555555\" bgcolor=\"%s\" style=\"rounded,%s\">", fill_of(kernel), border_of(kernel));
    write_text(out, name, LABEL_LETTERS, html_backslash);
    fprintf(out, " &#215; %zu</td>", count);
}

/* The legend is the graph's own label: it stands above the picture and does not push the boxes about. */
static weft_status write_title(const weft_graph *graph, size_t edge_count, FILE *out, weft_error *err)
{
    size_t held_count = 0, cells = 0;
    size_t *counts = wf_calloc(graph->kernel_count, sizeof *counts, err);
    if (!counts) return WEFT_ENOMEM;
    for (size_t t = 0; t < graph->task_count; t++) {
        uint32_t kernel = graph->tasks[t].kernel;
        (*(kernel == WF_HELD_KERNEL ? &held_count : &counts[kernel]))++;
    }
    fprintf(out, "  label=<<table border=\"0\" cellspacing=\"6\" cellpadding=\"5\"><tr><td colspan=\"%d\" align=\"left\">"
            "<font point-size=\"18\"><b>%zu task%s, %zu edge%s</b></font></td></tr>", LEGEND_COLUMNS, graph->task_count,
            graph->task_count == 1 ? "" : "s", edge_count, edge_count == 1 ? "" : "s");
    for (uint32_t k = 0; k <= graph->kernel_count; k++) {
        bool is_held = k == graph->kernel_count;
        size_t count = is_held ? held_count : counts[k];
        if (count == 0) continue;
        if (cells % LEGEND_COLUMNS == 0) fputs(cells ? "</tr><tr>" : "<tr>", out);
        write_legend_cell(name_of(graph, is_held ? WF_HELD_KERNEL : k), count, is_held ? WF_HELD_KERNEL : k, out);
        cells++;
    }
    fprintf(out, "%s</table>>;\n", cells ? "</tr>" : "");
    free(counts);
    return WEFT_OK;
}

weft_status wf_graph_write_dot(const weft_graph *graph, const weft_interval *rows, size_t row_count, FILE *out, weft_error *err)
{
    size_t edge_count = 0;
    uint64_t *scratch = wf_calloc(graph->input_count, sizeof *scratch, err);
    if (!scratch) return WEFT_ENOMEM;
    for (size_t t = 0; t < graph->task_count; t++) edge_count += write_edges(graph, t, scratch, NULL);
    fputs("digraph weft {\n"
          "  graph [rankdir=LR, labelloc=t, labeljust=l, nodesep=0.12, ranksep=0.5, pad=0.3, fontname=\"Helvetica,Arial,sans-serif\"];\n"
          "  node [shape=box, style=\"rounded,filled\", color=\"#555555\", height=0.3, margin=\"0.12,0.04\", fontsize=11,\n"
          "        fontname=\"Helvetica,Arial,sans-serif\"];\n"
          "  edge [color=\"#777777\", arrowsize=0.6, fontsize=8, fontcolor=\"#333333\", fontname=\"Helvetica,Arial,sans-serif\"];\n",
          out);
    if (graph->task_count > QUICK_LAYOUT_TASKS) fputs("  graph [nslimit=2, nslimit1=2];\n", out);
    weft_status status = write_title(graph, edge_count, out, err);
    for (size_t t = 0; status == WEFT_OK && t < graph->task_count; t++) write_task(graph, t, out);
    for (size_t t = 0; status == WEFT_OK && t < graph->task_count; t++) write_edges(graph, t, scratch, out);
    for (size_t r = 0; status == WEFT_OK && r < row_count; r++) write_row(rows[r], out);
    fputs("}\n", out);
    free(scratch);
    return status;
}
