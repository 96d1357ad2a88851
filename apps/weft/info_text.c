/* weft info for people. Owns nothing between calls. The client's thread. */
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/text.h"
#include "weft/info.h"
#include "weft/pinning.h"

enum { RANKS_SHOWN_SINGLY = 16, CELL_LENGTH = 320 };

static void print_fact(const char *name, const char *text, FILE *stream)
{
    if (text[0]) fprintf(stream, "%-8s  %s\n", name, text);
}

static void print_session(const info_facts *facts, FILE *stream)
{
    const weft_session_info *s = &facts->session;
    char memory[CLI_BYTES_LENGTH], text[128];
    snprintf(text, sizeof text, "%s, %d rank%s, %d of them run%s tasks", s->scheduler, s->rank_count, s->rank_count == 1 ? "" : "s",
             s->worker_count, s->worker_count == 1 ? "s" : "");
    if (s->rank_count == 1) snprintf(text, sizeof text, "%s, one process", s->scheduler);
    print_fact("session", text, stream);
    fprintf(stream, "%-8s  %s for chunks (%s)\n", "memory", cli_bytes_format(s->memory_limit_bytes, memory), facts->machine.memory_limit);
}

static void print_facts(const info_facts *facts, FILE *stream)
{
    char l2[CLI_BYTES_LENGTH], machine[CELL_LENGTH];
    snprintf(machine, sizeof machine, "%s%s%s", facts->machine.summary, facts->machine.l2_bytes ? ", L2 cache " : "",
             facts->machine.l2_bytes ? cli_bytes_format(facts->machine.l2_bytes, l2) : "");
    print_fact("machine", machine, stream);
    print_fact("launch", facts->machine.launch, stream);
    print_session(facts, stream);
    print_fact("mpi", facts->machine.mpi, stream);
    print_fact("blas", facts->machine.blas, stream);
    print_fact("build", facts->machine.build, stream);
    print_fact("hint", facts->machine.hint, stream);
}

/* Ranks [first, end) of one host, as one row. */
static weft_status add_row(cli_table *table, const info_facts *facts, int first, int end, weft_error *err)
{
    char ranks[32], threads[32], pinned[CELL_LENGTH], memory[CLI_BYTES_LENGTH];
    const weft_rank_info *rank = &facts->ranks[first];
    int thread_count = 0;
    uint64_t memory_bytes = 0;
    bool same_cpuset = true;
    for (int i = first; i < end; i++) {
        thread_count += facts->ranks[i].threads;
        memory_bytes += facts->ranks[i].memory_limit_bytes;
        same_cpuset = same_cpuset && strcmp(facts->ranks[i].cpuset, rank->cpuset) == 0;
    }
    snprintf(ranks, sizeof ranks, end - first > 1 ? "%d-%d" : "%d", first, end - 1);
    snprintf(threads, sizeof threads, "%d", thread_count);
    if (end - first > 1)
        snprintf(pinned, sizeof pinned, "see --all");
    else if (thread_count == 0)
        snprintf(pinned, sizeof pinned, "runs no tasks");
    else
        pinning_format(rank->pinning, pinned, sizeof pinned);
    cli_bytes_format(memory_bytes, memory);
    const char *cells[] = {ranks, rank->host, same_cpuset ? rank->cpuset : "several", threads, memory_bytes ? memory : "-", pinned};
    return cli_table_add(table, cells, err);
}

weft_status info_print_text(const info_facts *facts, bool all, FILE *stream, weft_error *err)
{
    static const cli_column columns[] = {{"RANK", CLI_RIGHT},    {"HOST", CLI_LEFT},    {"CPUSET [PUs]", CLI_LEFT},
                                         {"THREADS", CLI_RIGHT}, {"MEMORY", CLI_RIGHT}, {"THREADS RUN ON", CLI_LEFT}};
    cli_table *table = NULL;
    int count = facts->session.rank_count;
    bool by_host = !all && count > RANKS_SHOWN_SINGLY;
    weft_status status = cli_table_create(columns, sizeof columns / sizeof columns[0], &table, err);
    for (int first = 0, end; first < count && !status; first = end) {
        end = first + 1;
        while (by_host && end < count && strcmp(facts->ranks[end].host, facts->ranks[first].host) == 0) end++;
        status = add_row(table, facts, first, end, err);
    }
    if (!status) {
        print_facts(facts, stream);
        fprintf(stream, "\n");
        cli_table_print(table, 0, stream);
    }
    cli_table_destroy(table);
    return status;
}
