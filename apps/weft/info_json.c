/* weft info for programs. Owns the JSON value while it is built. The client's thread. */
#include <jansson.h>

#include "weft/info.h"
#include "weft/pinning.h"

/* A list with an object per thread of the pool; null for one that is not pinned. */
static json_t *pinning_list_json(const char *pinning)
{
    json_t *list = json_array();
    pinning_place place;
    while (list && pinning_next(&pinning, &place)) {
        json_t *item = place.is_pinned ? json_pack("{s:i, s:i, s:i}", "core", place.core, "pu", place.pu, "numa_node", place.numa_node)
                                       : json_null();
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *rank_json(const weft_rank_info *rank, int index)
{
    return json_pack("{s:i, s:s, s:s, s:i, s:I, s:o}", "rank", index, "host", rank->host, "cpuset", rank->cpuset, "threads", rank->threads,
                     "memory_limit_bytes", (json_int_t)rank->memory_limit_bytes, "pinning", pinning_list_json(rank->pinning));
}

static json_t *ranks_json(const info_facts *facts)
{
    json_t *list = json_array();
    for (int i = 0; list && i < facts->session.rank_count; i++) {
        if (json_array_append_new(list, rank_json(&facts->ranks[i], i)) == 0) continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *machine_json(const weft_machine_info *machine)
{
    return json_pack("{s:s, s:I, s:s}", "summary", machine->summary, "l2_bytes", (json_int_t)machine->l2_bytes, "memory_limit",
                     machine->memory_limit);
}

weft_status info_print_json(const info_facts *facts, FILE *stream, weft_error *err)
{
    const weft_session_info *s = &facts->session;
    const weft_machine_info *m = &facts->machine;
    json_t *whole = json_pack("{s:s, s:i, s:i, s:i, s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "scheduler", s->scheduler, "rank_count",
                              s->rank_count, "worker_count", s->worker_count, "threads_per_rank", s->threads_per_worker,
                              "memory_limit_bytes", (json_int_t)s->memory_limit_bytes, "launch", m->launch, "mpi", m->mpi, "blas", m->blas,
                              "build", m->build, "hint", m->hint, "machine", machine_json(m), "ranks", ranks_json(facts));
    if (!whole) return weft_fail(err, WEFT_EDATA, "no memory, or a name of this machine is not UTF-8, which JSON needs");
    int failed = json_dumpf(whole, stream, JSON_INDENT(2));
    json_decref(whole);
    fprintf(stream, "\n");
    if (failed && !ferror(stream)) return weft_fail(err, WEFT_ENOMEM, "no memory to print JSON");
    return WEFT_OK;
}
