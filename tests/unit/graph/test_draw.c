#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/dot.h"
#include "weft_test.h"

static const weft_kernel make_kernel = {"make", NULL}, use_kernel = {"use", NULL};

static weft_ref add(weft_graph *graph, const weft_kernel *kernel, const char *key, const weft_ref *inputs, size_t count, size_t outputs,
                    const size_t *bytes)
{
    weft_ref first = {0, 0};
    weft_task_spec spec = WEFT_TASK_SPEC_INIT;
    spec.kernel = kernel;
    spec.key = key;
    spec.inputs = inputs;
    spec.input_count = count;
    spec.output_count = outputs;
    spec.output_bytes = bytes;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add(graph, &spec, &first, NULL), WEFT_OK);
    return first;
}

static weft_graph *create_graph(void)
{
    weft_graph *graph = NULL;
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&graph, NULL), WEFT_OK);
    return graph;
}

/* A graph of one task. */
static weft_graph *create_single(const weft_kernel *kernel, const char *key)
{
    weft_graph *graph = create_graph();
    add(graph, kernel, key, NULL, 0, 1, NULL);
    return graph;
}

/* The text of graph, which it destroys; the caller frees it. */
static char *text_of(weft_graph *graph)
{
    enum { ROOM = 1 << 16 };
    char *text = calloc(ROOM, 1);
    FILE *out = text ? fmemopen(text, ROOM - 1, "w") : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(wf_graph_write_dot(graph, NULL, 0, out, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(fclose(out), 0);
    weft_graph_destroy(graph);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) count++;
    return count;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part)) printf("    missing: %s\n    in: %s\n", part, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
}

/* ---- a folder of the test's own ---- */

static char folder[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/weft_draw_XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t file_count(void)
{
    size_t count = 0;
    DIR *entries = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(entries);
    for (struct dirent *entry; (entry = readdir(entries));) count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

static void remove_folder(void)
{
    DIR *entries = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(entries);
    for (struct dirent *entry; (entry = readdir(entries));) unlink(in_folder(entry->d_name));
    closedir(entries);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static void begins_with(const char *path, const char *magic)
{
    char start[16] = "";
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fread(start, 1, sizeof start - 1, file) > 0);
    fclose(file);
    CU_ASSERT_EQUAL(strncmp(start, magic, strlen(magic)), 0);
}

/* An executable of that text called dot, first (and last) in PATH; the caller restores it. */
static void replace_dot(const char *script)
{
    FILE *file = fopen(in_folder("dot"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(script, file);
    fclose(file);
    CU_ASSERT_EQUAL(chmod(in_folder("dot"), 0755), 0);
}

static void draw_fails_with(const weft_graph *graph, const char *path, weft_status expected, const char *message)
{
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(weft_graph_draw(graph, path, &err), expected);
    if (!strstr(err.text, message)) printf("    \"%s\" has no \"%s\"\n", err.text, message);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, message));
    CU_ASSERT_EQUAL(weft_graph_draw(graph, path, NULL), expected);
}

/* ---- the text ---- */

static void tasks_are_labelled_with_their_key_or_kernel_and_index(void)
{
    weft_graph *graph = create_graph();
    add(graph, &make_kernel, "x[0]", NULL, 0, 1, NULL);
    add(graph, &use_kernel, NULL, NULL, 0, 1, NULL);
    char *text = text_of(graph);
    has(text, "t0 [label=\"x[0]\", fillcolor=\"#77AADD\"");
    has(text, "tooltip=\"make x[0]\"");
    has(text, "t1 [label=\"use #1\", fillcolor=\"#EEDD88\"");
    has(text, ">make &#215; 1</td>");
    has(text, ">use &#215; 1</td>");
    has(text, "<b>2 tasks, 0 edges</b>");
    free(text);
}

static void several_inputs_from_one_task_are_one_edge_of_their_distinct_bytes(void)
{
    static const size_t bytes[] = {4 << 20, 1 << 20, 100};
    weft_graph *graph = create_graph();
    weft_ref a = add(graph, &make_kernel, NULL, NULL, 0, 3, bytes);
    weft_ref b = add(graph, &make_kernel, NULL, NULL, 0, 1, NULL);
    weft_ref inputs[] = {weft_output(a, 1), b, a, weft_output(a, 1), b};
    add(graph, &use_kernel, NULL, inputs, 5, 1, NULL);
    char *text = text_of(graph);
    CU_ASSERT_EQUAL(count_of(text, " -> "), 2);
    has(text, "t0 -> t2 [label=\"5.0 MiB\"");
    has(text, "t1 -> t2;");
    has(text, "<b>3 tasks, 2 edges</b>");
    free(text);
}

static void edges_tell_their_size_from_64_kib_on(void)
{
    static const size_t small[] = {65535}, large[] = {65536};
    weft_graph *graph = create_graph();
    weft_ref a = add(graph, &make_kernel, NULL, NULL, 0, 1, small);
    weft_ref b = add(graph, &make_kernel, NULL, &a, 1, 1, large);
    add(graph, &make_kernel, NULL, &b, 1, 1, NULL);
    char *text = text_of(graph);
    has(text, "t0 -> t1;");
    has(text, "t1 -> t2 [label=\"64.0 KiB\"");
    free(text);
}

static void kept_results_are_grey_and_counted(void)
{
    weft_ref ref;
    wf_held_source source = {1, 2, 3, 0};
    weft_graph *graph = create_graph();
    CU_ASSERT_EQUAL(wf_graph_add_held(graph, &source, 8, &ref, NULL), WEFT_OK);
    add(graph, &use_kernel, NULL, &ref, 1, 1, NULL);
    char *text = text_of(graph);
    has(text, "t0 [label=\"kept result #0\", fillcolor=\"#DDDDDD\"");
    has(text, ">kept result &#215; 1</td>");
    free(text);
}

static void kernels_beyond_the_palette_differ_by_their_border(void)
{
    enum { KERNELS = 24 };
    static weft_kernel kernels[KERNELS];
    static char names[KERNELS][8], looks[KERNELS][100];
    weft_graph *graph = create_graph();
    for (size_t i = 0; i < KERNELS; i++) {
        snprintf(names[i], sizeof names[i], "k%zu", i);
        kernels[i].name = names[i];
        add(graph, &kernels[i], NULL, NULL, 0, 1, NULL);
    }
    char *text = text_of(graph);
    for (size_t i = 0; i < KERNELS; i++) {
        char start[32];
        snprintf(start, sizeof start, "  t%zu [", i);
        const char *look = strstr(text, start);
        CU_ASSERT_PTR_NOT_NULL_FATAL(look);
        look = strstr(look, "fillcolor");
        CU_ASSERT_PTR_NOT_NULL_FATAL(look);
        snprintf(looks[i], sizeof looks[i], "%.*s", (int)(strstr(look, ", tooltip") - look), look);
        for (size_t j = 0; j < i; j++) CU_ASSERT_STRING_NOT_EQUAL(looks[i], looks[j]);
    }
    CU_ASSERT_EQUAL(count_of(text, "<tr>"), 5); /* the title, and four rows of six */
    free(text);
}

static void text_cannot_end_its_quotes_or_be_read_as_an_escape(void)
{
    static const weft_kernel odd = {"a<b>&\"\\N", NULL};
    char *text = text_of(create_single(&odd, "\"];x\\N&amp;<b>\n\x01\x7f\xff\xc3(\xe2\x82z\xc3\xa9"));
    has(text, "label=\"&quot;];x\\\\N&amp;amp;&lt;b&gt;   ?\?(\?\?z\xc3\xa9\"");
    has(text, "tooltip=\"a&lt;b&gt;&amp;&quot;\\\\\\\\N &quot;];x\\\\\\\\N&amp;amp;");
    has(text, ">a&lt;b&gt;&amp;&quot;&#92;N &#215; 1</td>");
    free(text);
}

static void a_long_key_is_cut_in_the_label_between_letters(void)
{
    char *text = text_of(create_single(&make_kernel, "123456789012345678901234567\xc3\xa9\xc3\xa9"));
    has(text, "label=\"123456789012345678901234567\xc3\xa9&#8230;\"");
    has(text, "tooltip=\"make 123456789012345678901234567\xc3\xa9\xc3\xa9\"");
    free(text);
    text = text_of(create_single(&make_kernel, "1234567890123456789012345678"));
    has(text, "label=\"1234567890123456789012345678\"");
    free(text);
}

/* Three tasks on their own; two rows of three that take them and one another; then three that take one another, and an explicit one. */
static weft_graph *create_layers(void)
{
    static const int64_t radius = 1;
    weft_graph *graph = create_graph();
    weft_layer layer = {0, 0};
    weft_layer_spec spec = WEFT_LAYER_SPEC_INIT;
    weft_dependency dependencies[] = {{.rule = &weft_first_row_rule},
                                      {.rule = &weft_stencil_rule, .on_itself = true, .params = &radius, .param_bytes = sizeof radius}};
    spec.kernel = &make_kernel;
    spec.dim_count = 1;
    spec.extents[0] = 3;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
    dependencies[0].source = layer;
    spec.dim_count = 2;
    spec.extents[0] = 2, spec.extents[1] = 3;
    spec.dependencies = dependencies, spec.dependency_count = 2;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
    weft_ref last = weft_layer_output(layer, 5, 0);
    spec.dim_count = 1;
    spec.extents[0] = 3;
    spec.dependencies = dependencies + 1, spec.dependency_count = 1;
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_layer(graph, &spec, &layer, NULL), WEFT_OK);
    add(graph, &use_kernel, NULL, &last, 1, 1, NULL);
    return graph;
}

static void rows_of_layers_stand_in_line_and_chains_do_not(void)
{
    char text[8192] = "";
    weft_graph *graph = create_layers();
    make_folder();
    CU_ASSERT_EQUAL(weft_graph_draw(graph, in_folder("g.dot"), NULL), WEFT_OK);
    FILE *file = fopen(in_folder("g.dot"), "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    CU_ASSERT_EQUAL(count_of(text, "rank=same"), 3);
    has(text, "{rank=same; edge [style=invis]; t0 -> t1 -> t2}");
    has(text, "{rank=same; edge [style=invis]; t3 -> t4 -> t5}");
    has(text, "{rank=same; edge [style=invis]; t6 -> t7 -> t8}");
    has(text, "t10 -> t11;");
    has(text, "t8 -> t12;");
    has(text, "<b>13 tasks, 13 edges</b>");
    has(text, "t6 [label=\"make 3\"");
    CU_ASSERT_EQUAL(weft_graph_draw(graph, in_folder("g.svg"), NULL), WEFT_OK);
    begins_with(in_folder("g.svg"), "<?xml");
    remove_folder();
    weft_graph_destroy(graph);
}

/* ---- the files ---- */

static void the_ending_decides_what_is_written(void)
{
    weft_graph *graph = create_single(&make_kernel, "a \"quoted\" <key> & \\N \xff");
    static const char *const names[] = {"g.dot", "g.svg", "g.png", "g.pdf", "h.SVG"};
    static const char *const starts[] = {"digraph", "<?xml", "\x89PNG", "%PDF", "<?xml"};
    make_folder();
    for (size_t i = 0; i < WEFT_COUNT_OF(names); i++) {
        weft_error err = WEFT_ERROR_INIT;
        if (weft_graph_draw(graph, in_folder(names[i]), &err)) CU_FAIL_FATAL(err.text);
        begins_with(in_folder(names[i]), starts[i]);
    }
    CU_ASSERT_EQUAL(file_count(), WEFT_COUNT_OF(names));
    remove_folder();
    weft_graph_destroy(graph);
}

static void an_empty_graph_is_a_picture_too(void)
{
    weft_graph *graph = create_graph();
    make_folder();
    CU_ASSERT_EQUAL(weft_graph_draw(graph, in_folder("g.svg"), NULL), WEFT_OK);
    begins_with(in_folder("g.svg"), "<?xml");
    remove_folder();
    weft_graph_destroy(graph);
}

static void an_old_picture_is_replaced_and_has_the_usual_permissions(void)
{
    weft_graph *graph = create_single(&make_kernel, NULL);
    struct stat made;
    make_folder();
    FILE *old = fopen(in_folder("g.dot"), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(old);
    fputs("old", old);
    fclose(old);
    mode_t mask = umask(027);
    CU_ASSERT_EQUAL(weft_graph_draw(graph, in_folder("g.dot"), NULL), WEFT_OK);
    umask(mask);
    begins_with(in_folder("g.dot"), "digraph");
    CU_ASSERT_EQUAL(stat(in_folder("g.dot"), &made), 0);
    CU_ASSERT_EQUAL(made.st_mode & 0777, 0640);
    CU_ASSERT_EQUAL(file_count(), 1);
    remove_folder();
    weft_graph_destroy(graph);
}

static void a_bad_ending_or_folder_is_refused_and_leaves_nothing(void)
{
    weft_graph *graph = create_single(&make_kernel, NULL);
    make_folder();
    draw_fails_with(graph, in_folder("g.jpg"), WEFT_EINVAL, "must end in .dot, .svg, .png or .pdf");
    draw_fails_with(graph, in_folder("dot"), WEFT_EINVAL, "must end in");
    draw_fails_with(graph, "", WEFT_EINVAL, "must end in");
    draw_fails_with(graph, in_folder("no/g.svg"), WEFT_EIO, "No such file or directory");
    draw_fails_with(graph, in_folder("no/g.dot"), WEFT_EIO, "No such file or directory");
    CU_ASSERT_EQUAL(mkdir(in_folder("d.dot"), 0755), 0);
    draw_fails_with(graph, in_folder("d.dot"), WEFT_EIO, "Is a directory");
    CU_ASSERT_EQUAL(rmdir(in_folder("d.dot")), 0);
    CU_ASSERT_EQUAL(file_count(), 0);
    remove_folder();
    weft_graph_destroy(graph);
}

static void more_than_2000_tasks_are_refused(void)
{
    weft_graph *graph = create_graph();
    make_folder();
    for (size_t i = 0; i < 2000; i++) add(graph, &make_kernel, NULL, NULL, 0, 1, NULL);
    CU_ASSERT_EQUAL(weft_graph_draw(graph, in_folder("g.dot"), NULL), WEFT_OK);
    add(graph, &make_kernel, NULL, NULL, 0, 1, NULL);
    draw_fails_with(graph, in_folder("h.dot"), WEFT_EINVAL, "2001 tasks");
    CU_ASSERT_EQUAL(file_count(), 1);
    remove_folder();
    weft_graph_destroy(graph);
}

static void a_dot_that_is_missing_or_fails_is_named_and_leaves_nothing(void)
{
    weft_graph *graph = create_single(&make_kernel, NULL);
    char *path = strdup(getenv("PATH"));
    make_folder();
    setenv("PATH", folder, 1);
    draw_fails_with(graph, in_folder("g.svg"), WEFT_EIO, "install graphviz");
    CU_ASSERT_EQUAL(file_count(), 0);
    replace_dot("#!/bin/sh\necho half\necho first line >&2\necho second line >&2\nexit 3\n");
    draw_fails_with(graph, in_folder("g.svg"), WEFT_EIO, "failed with code 3: first line;");
    replace_dot("#!/bin/sh\necho half\nkill -9 $$\n");
    draw_fails_with(graph, in_folder("g.svg"), WEFT_EIO, "ended by signal 9");
    replace_dot("#!/bin/sh\nexit 0\n");
    draw_fails_with(graph, in_folder("g.svg"), WEFT_EIO, "does not say why");
    CU_ASSERT_EQUAL(weft_graph_draw(graph, in_folder("g.dot"), NULL), WEFT_OK);
    CU_ASSERT_EQUAL(file_count(), 2); /* that, and the false dot */
    setenv("PATH", path, 1);
    free(path);
    remove_folder();
    weft_graph_destroy(graph);
}

static void a_file_that_cannot_grow_leaves_nothing(void)
{
    weft_graph *graph = create_graph();
    struct rlimit old, small;
    for (size_t i = 0; i < 300; i++) add(graph, &make_kernel, NULL, NULL, 0, 1, NULL);
    make_folder();
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 64 << 10; /* above the text, below the picture, so that dot meets the limit */
    setrlimit(RLIMIT_FSIZE, &small);
    weft_status status = weft_graph_draw(graph, in_folder("g.svg"), NULL);
    setrlimit(RLIMIT_FSIZE, &old);
    CU_ASSERT_EQUAL(status, WEFT_EIO);
    CU_ASSERT_EQUAL(file_count(), 0);
    remove_folder();
    weft_graph_destroy(graph);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(tasks_are_labelled_with_their_key_or_kernel_and_index),
        WEFT_TEST(several_inputs_from_one_task_are_one_edge_of_their_distinct_bytes),
        WEFT_TEST(edges_tell_their_size_from_64_kib_on),
        WEFT_TEST(kept_results_are_grey_and_counted),
        WEFT_TEST(kernels_beyond_the_palette_differ_by_their_border),
        WEFT_TEST(text_cannot_end_its_quotes_or_be_read_as_an_escape),
        WEFT_TEST(a_long_key_is_cut_in_the_label_between_letters),
        WEFT_TEST(rows_of_layers_stand_in_line_and_chains_do_not),
        WEFT_TEST(the_ending_decides_what_is_written),
        WEFT_TEST(an_empty_graph_is_a_picture_too),
        WEFT_TEST(an_old_picture_is_replaced_and_has_the_usual_permissions),
        WEFT_TEST(a_bad_ending_or_folder_is_refused_and_leaves_nothing),
        WEFT_TEST(more_than_2000_tasks_are_refused),
        WEFT_TEST(a_dot_that_is_missing_or_fails_is_named_and_leaves_nothing),
        WEFT_TEST(a_file_that_cannot_grow_leaves_nothing),
    };
    return weft_test_run("graph/draw", cases, WEFT_COUNT_OF(cases));
}
