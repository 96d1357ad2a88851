/* Pictures of graphs as files. The text is ours; .svg, .png and .pdf are made of it by Graphviz's dot program, which reads and writes open
 * files only: no name is ever passed to it, and no shell is involved.
 * Invariant: the file appears whole, by a rename, or not at all. Any thread; the caller waits for dot. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "graph/dot.h"
#include "graph/expand.h"

extern char **environ;

enum { MAX_TASKS = 2000, COMPLAINT_BYTES = 200 };

typedef struct picture_kind {
    const char *ending;
    const char *option; /* of dot; NULL: the text itself */
} picture_kind;

static const picture_kind *find_kind(const char *path)
{
    static const picture_kind kinds[] = {{".dot", NULL}, {".svg", "-Tsvg"}, {".png", "-Tpng"}, {".pdf", "-Tpdf"}};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (length >= 4 && strcasecmp(path + length - 4, kinds[i].ending) == 0) return &kinds[i];
    }
    return NULL;
}

static weft_status cannot_write(const char *path, int error, weft_error *err)
{
    return weft_fail(err, WEFT_EIO, "cannot write %s: %s; choose another place for the picture", path, strerror(error));
}

/* One row, or one for each index of the first dimension: then a chain, whose tasks take one another, has rows of one task. */
static uint64_t row_count_of(const wf_layers *layers, size_t number)
{
    const wf_layer *layer = &layers->layers[number - 1];
    const wf_layer_dependency *dependencies = layers->dependencies + layer->dependency_begin;
    bool is_on_itself = false;
    for (uint32_t d = 0; d < layer->dependency_count; d++) is_on_itself |= dependencies[d].source == number;
    return layer->dim_count > 1 || is_on_itself ? (uint64_t)layer->extents[0] : 1;
}

/* Owns: *rows is new; the caller frees it. */
static weft_status list_rows(const wf_expansion *x, weft_interval **rows, size_t *row_count, weft_error *err)
{
    const wf_layers *layers = &x->from->layers.all;
    size_t count = 0;
    weft_interval *made = wf_calloc(x->graph->task_count, sizeof *made, err);
    if (!made) return WEFT_ENOMEM;
    for (size_t number = 1; number <= layers->layer_count; number++) {
        uint64_t rows_here = row_count_of(layers, number), tasks = layers->layers[number - 1].task_count / rows_here;
        for (uint64_t r = 0; r < rows_here; r++)
            made[count++] = (weft_interval){x->layer_begin[number] + r * tasks, x->layer_begin[number] + (r + 1) * tasks};
    }
    *rows = made;
    *row_count = count;
    return WEFT_OK;
}

/* The dot text in memory, read from its start by whoever gets the descriptor. */
static weft_status write_text_in_memory(const wf_expansion *x, FILE **text, weft_error *err)
{
    weft_interval *rows = NULL;
    size_t row_count = 0;
    weft_status status = WEFT_OK;
    int descriptor = memfd_create("weft-graph", MFD_CLOEXEC);
    FILE *made = descriptor >= 0 ? fdopen(descriptor, "w+") : NULL;
    if (!made) {
        status = weft_fail(err, WEFT_EIO, "no memory file for a picture: %s", strerror(errno));
        if (descriptor >= 0) close(descriptor);
        return status;
    }
    status = list_rows(x, &rows, &row_count, err);
    if (status == WEFT_OK) status = wf_graph_write_dot(x->graph, rows, row_count, made, err);
    free(rows);
    if (status == WEFT_OK && (fflush(made) != 0 || ferror(made)))
        status = weft_fail(err, WEFT_ENOMEM, "no memory for the text of a picture: %s", strerror(errno));
    if (status == WEFT_OK) rewind(made);
    if (status == WEFT_OK)
        *text = made;
    else
        fclose(made);
    return status;
}

static int spawn_dot(const char *option, int input, int output, int complaints, pid_t *child)
{
    char program[] = "dot", argument[8];
    char *const arguments[] = {program, argument, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    snprintf(argument, sizeof argument, "%s", option);
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    sigemptyset(&none); /* a thread that blocks signals would make a dot that Ctrl-C cannot end */
    error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
    if (!error) error = posix_spawnp(child, program, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* The first line that dot complained with, or how it ended. */
static weft_status dot_failed(int complaints, int wait_status, weft_error *err)
{
    char text[COMPLAINT_BYTES];
    ssize_t bytes = pread(complaints, text, sizeof text - 1, 0);
    text[bytes > 0 ? bytes : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (WIFSIGNALED(wait_status))
        return weft_fail(err, WEFT_EIO, "Graphviz's dot was ended by signal %d (%s); a .dot file needs no Graphviz", WTERMSIG(wait_status),
                         strsignal(WTERMSIG(wait_status)));
    return weft_fail(err, WEFT_EIO, "Graphviz's dot failed with code %d: %s; a .dot file needs no Graphviz", WEXITSTATUS(wait_status),
                     text[0] ? text : "(it does not say why)");
}

static weft_status run_dot(const char *option, int input, int output, weft_error *err)
{
    pid_t child;
    int wait_status;
    weft_status status = WEFT_OK;
    int complaints = memfd_create("weft-dot-errors", MFD_CLOEXEC);
    if (complaints < 0) return weft_fail(err, WEFT_EIO, "no memory file for a picture: %s", strerror(errno));
    int error = spawn_dot(option, input, output, complaints, &child);
    if (error) {
        status = weft_fail(err, WEFT_EIO, "cannot run Graphviz's dot (%s); install graphviz, or name a .dot file", strerror(error));
        goto out;
    }
    while (waitpid(child, &wait_status, 0) < 0) {
        if (errno == EINTR) continue;
        status = weft_fail(err, WEFT_EIO, "lost sight of Graphviz's dot: %s; let the program receive SIGCHLD", strerror(errno));
        goto out;
    }
    struct stat made;
    if (wait_status != 0 || fstat(output, &made) != 0 || made.st_size == 0) status = dot_failed(complaints, wait_status, err);
out:
    close(complaints);
    return status;
}

static weft_status copy_text(FILE *text, int output, const char *path, weft_error *err)
{
    char block[16384];
    for (size_t bytes; (bytes = fread(block, 1, sizeof block, text)) > 0;) {
        for (size_t done = 0; done < bytes;) {
            ssize_t written = write(output, block + done, bytes - done);
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return cannot_write(path, errno, err);
            done += (size_t)written;
        }
    }
    return WEFT_OK;
}

/* A new file beside path, with the permissions that a file of the user's gets. Its name differs between threads, processes and hosts
 * (mkstemp would make it private). */
static int open_temporary(const char *path, char *name, size_t name_bytes)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, name_bytes, "%s.%ld-%" PRIx64 ".tmp", path, (long)getpid(),
             ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) ^ (uint64_t)(uintptr_t)&now);
    return open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

static weft_status write_picture(const picture_kind *kind, FILE *text, const char *path, weft_error *err)
{
    size_t name_bytes = strlen(path) + 64;
    char *name = wf_calloc(name_bytes, 1, err);
    if (!name) return WEFT_ENOMEM;
    weft_status status;
    int output = open_temporary(path, name, name_bytes);
    if (output < 0) {
        status = cannot_write(path, errno, err);
        goto out;
    }
    status = kind->option ? run_dot(kind->option, fileno(text), output, err) : copy_text(text, output, path, err);
    if (close(output) != 0 && status == WEFT_OK) status = cannot_write(path, errno, err);
    if (status == WEFT_OK && rename(name, path) != 0) status = cannot_write(path, errno, err);
    if (status != WEFT_OK) unlink(name);
out:
    free(name);
    return status;
}

weft_status weft_graph_draw(const weft_graph *graph, const char *path, weft_error *err)
{
    FILE *text = NULL;
    const picture_kind *kind = find_kind(path);
    if (!kind) return weft_fail(err, WEFT_EINVAL, "cannot draw %.200s: its name must end in .dot, .svg, .png or .pdf", path);
    uint64_t tasks = wf_graph_all_task_count(graph);
    if (tasks > MAX_TASKS)
        return weft_fail(err, WEFT_EINVAL, "a graph of %" PRIu64 " tasks is too large to look at; draw one of at most %d, with fewer chunks",
                         tasks, MAX_TASKS);
    wf_expansion x = {0};
    weft_status status = wf_expansion_init(&x, graph, NULL, 0, err);
    if (status == WEFT_OK) status = write_text_in_memory(&x, &text, err);
    wf_expansion_fini(&x);
    if (status != WEFT_OK) return status;
    status = write_picture(kind, text, path, err);
    fclose(text);
    return status;
}
