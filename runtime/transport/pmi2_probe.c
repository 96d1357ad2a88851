/* Asks a PMI-2 server who we are. Owns libpmi2 while it asks. Invariant: PMI2_Init is called only on a socket that PMI_FD names; without a
 * server it would succeed and claim one rank, and on another kind of descriptor it could wait for ever. The caller's thread. */
#include "transport/pmi2_probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"

#ifdef WEFT_HAVE_PMI2
#include <dlfcn.h>
#include <slurm/pmi2.h>
#include <sys/socket.h>

/* libpmi2's functions, with the header's types. */
typedef struct pmi2_library {
    void *handle;
    __typeof__(PMI2_Init) *init;
    __typeof__(PMI2_Finalize) *finalize;
    __typeof__(PMI2_Job_GetId) *job_id;
    __typeof__(PMI2_Info_GetJobAttr) *job_attribute;
} pmi2_library;

/* dlsym gives a data pointer, which ISO C does not convert to a function pointer; POSIX says the bits are the same. */
static bool find(void *handle, const char *name, void *function)
{
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static weft_status library_open(pmi2_library *library, weft_error *err)
{
    void *handle = dlopen("libpmi2.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return weft_fail(err, WEFT_EUNSUPPORTED, "libpmi2 cannot be loaded: %s", dlerror());
    if (!find(handle, "PMI2_Init", &library->init) || !find(handle, "PMI2_Finalize", &library->finalize) ||
        !find(handle, "PMI2_Job_GetId", &library->job_id) || !find(handle, "PMI2_Info_GetJobAttr", &library->job_attribute)) {
        dlclose(handle);
        return weft_fail(err, WEFT_EUNSUPPORTED, "libpmi2 lacks a function of PMI-2");
    }
    library->handle = handle;
    return WEFT_OK;
}

/* The server hangs up after PMI2_Finalize, and libpmi2 would die of SIGPIPE when a second program of the task (a shell's) asks again. */
static bool server_is_there(void)
{
    int64_t fd;
    char byte;
    const char *text = getenv("PMI_FD");
    if (!text || wf_integer_parse(text, &fd, NULL) || fd < 0 || fd > INT32_MAX) return false;
    ssize_t got = recv((int)fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

static int ask_node_count(const pmi2_library *library, int size)
{
    char mapping[PMI2_MAX_ATTRVALUE + 1] = "";
    int found = 0, node_count = -1;
    int code = library->job_attribute("PMI_process_mapping", mapping, PMI2_MAX_ATTRVALUE, &found);
    if (code == PMI2_SUCCESS && found) wf_pmi2_mapping_parse(mapping, size, NULL, &node_count, NULL);
    return node_count;
}

weft_status wf_pmi2_probe(wf_pmi2 *pmi2, weft_error *err)
{
    pmi2_library library = {0};
    int spawned, application;
    wf_pmi2 answer = {.node_count = -1};
    if (!server_is_there()) return weft_fail(err, WEFT_EUNSUPPORTED, "no PMI-2 server: PMI_FD names no connected socket");
    weft_status status = library_open(&library, err);
    if (status) return status;
    int code = library.init(&spawned, &answer.size, &answer.rank, &application);
    if (code != PMI2_SUCCESS) {
        status = weft_fail(err, WEFT_ELAUNCH, "the PMI-2 server refused: PMI2_Init gave %d", code);
        goto out;
    }
    if (library.job_id(answer.job_id, (int)sizeof answer.job_id) != PMI2_SUCCESS) answer.job_id[0] = '\0';
    answer.node_count = ask_node_count(&library, answer.size);
    library.finalize();
    *pmi2 = answer;
out:
    dlclose(library.handle);
    return status;
}

#else

weft_status wf_pmi2_probe(wf_pmi2 *pmi2, weft_error *err)
{
    (void)pmi2;
    return weft_fail(err, WEFT_EUNSUPPORTED, "this build has no PMI-2: build it with slurm/pmi2.h (libpmi2-0-dev)");
}

#endif

/* Reads "(a,b,c)" and moves *text behind it. False when it is not three numbers from 0 to INT32_MAX. */
static bool block_read(const char **text, int64_t block[3])
{
    const char *c = *text;
    for (int i = 0; i < 3; i++) {
        if (*c++ != (i == 0 ? '(' : ',')) return false;
        if (*c < '0' || *c > '9') return false;
        for (block[i] = 0; *c >= '0' && *c <= '9'; c++) {
            block[i] = block[i] * 10 + (*c - '0');
            if (block[i] > INT32_MAX) return false;
        }
    }
    if (*c++ != ')') return false;
    *text = c;
    return true;
}

/* Goes once through the blocks and places ranks from `placed` on; returns how many are placed then, or -1 when malformed. */
static int place_once(const char *blocks, int placed, int rank_count, int32_t *node_of_rank)
{
    int64_t block[3];
    while (*blocks == ',') {
        blocks++;
        if (!block_read(&blocks, block)) return -1;
        int64_t first = block[0], node_count = block[1], per_node = block[2];
        if (first + node_count > INT32_MAX) return -1;
        for (int64_t i = 0; i < node_count * per_node && placed < rank_count; i++) node_of_rank[placed++] = (int32_t)(first + i / per_node);
    }
    return strcmp(blocks, ")") == 0 ? placed : -1;
}

static int compare_nodes(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int count_different(int32_t *nodes, int count)
{
    int different = 0;
    qsort(nodes, (size_t)count, sizeof *nodes, compare_nodes);
    for (int i = 0; i < count; i++) different += i == 0 || nodes[i] != nodes[i - 1];
    return different;
}

weft_status wf_pmi2_mapping_parse(const char *text, int rank_count, int32_t *node_of_rank, int *node_count, weft_error *err)
{
    static const char head[] = "(vector";
    weft_status status = WEFT_OK;
    int placed = 0;
    if (rank_count < 1 || strncmp(text, head, strlen(head)) != 0)
        return weft_fail(err, WEFT_EDATA, "PMI_process_mapping \"%s\" for %d ranks cannot be read", text, rank_count);
    int32_t *nodes = wf_calloc((size_t)rank_count, sizeof *nodes, err);
    if (!nodes) return WEFT_ENOMEM;
    while (placed < rank_count) {
        int now = place_once(text + strlen(head), placed, rank_count, nodes);
        if (now <= placed) {
            status = weft_fail(err, WEFT_EDATA, "PMI_process_mapping \"%s\" for %d ranks cannot be read", text, rank_count);
            goto out;
        }
        placed = now;
    }
    if (node_of_rank) memcpy(node_of_rank, nodes, (size_t)rank_count * sizeof *nodes);
    if (node_count) *node_count = count_different(nodes, rank_count);
out:
    free(nodes);
    return status;
}
