/* A partition: the unit that rank 0 hands out. One block of bytes, the same in memory and on the wire, looked at through a view.
 *
 * Layout, every array on an 8-byte boundary, native byte order, in this sequence:
 *   header | task refs u64 | imports u64 | tasks | outputs | inputs u32 | exports u32 | params (16-byte aligned) | keys
 * Tasks and outputs end with one entry more, which only ends the ranges.
 *
 * Tasks stand in the static order: those that should run first come first, and inputs before what needs them.
 *
 * A slot is where a chunk is awaited or kept: the partition's own outputs first, then its imports (outputs of tasks in other partitions,
 * sorted by ref). Inputs name slots. Exports name, for each output, the other partitions that need it.
 */
#ifndef WF_GRAPH_PARTITION_H
#define WF_GRAPH_PARTITION_H

#include <stddef.h>
#include <stdint.h>

#include "graph/plan.h"
#include <weft/status.h>

#define WF_PARTITION_MAGIC 0x3154524150465457u /* "WTFPART1": another version or byte order reads differently */

typedef struct wf_partition_header {
    uint64_t magic;
    uint64_t graph;
    uint32_t partition;
    uint32_t task_count, import_count, output_count, input_count, export_count;
    uint32_t param_bytes, key_bytes;
} wf_partition_header;

typedef struct wf_partition_task {
    uint32_t kernel;       /* into the graph's kernel names, or WF_HELD_KERNEL */
    uint32_t input_begin, output_begin;
    uint32_t param_begin, param_bytes;
    uint32_t key;          /* into keys; 0: none */
} wf_partition_task;

enum { WF_OUTPUT_KEEP = 1, WF_OUTPUT_GATHER = 2 }; /* stays on the rank as a kept result; goes to the client */

typedef struct wf_partition_output {
    uint32_t export_begin;
    uint32_t flags;
} wf_partition_output;

typedef struct wf_partition {
    const wf_partition_header *header;
    const uint64_t *task_refs; /* by task: the ref of its output 0 */
    const uint64_t *imports;   /* ascending */
    const wf_partition_task *tasks;
    const wf_partition_output *outputs;
    const uint32_t *inputs;
    const uint32_t *exports;
    const char *params;
    const char *keys;
} wf_partition;

/* A view of bytes, after every index in them was checked, so that nothing read through the view can leave them.
 *
 * Owns:     the view borrows bytes, which must be 16-byte aligned.
 * Errors:   WEFT_EDATA not a partition, of another version, truncated, or inconsistent.
 */
weft_status wf_partition_view(const void *bytes, size_t size_bytes, wf_partition *view, weft_error *err);

/* All partitions of a plan. */
typedef struct wf_partition_set {
    uint32_t count;
    void **bytes;        /* by partition; 16-byte aligned; NULL for one without tasks, unless the graph has layers by rule */
    size_t *size_bytes;
} wf_partition_set;

/* Root flags are WF_OUTPUT_*. In a graph with layers by rule every partition is there, since each may have tasks of theirs.
 * Owns: *set is filled; wf_partition_set_fini frees what it still holds. */
weft_status wf_partition_set_init(wf_partition_set *set, const weft_graph *graph, const wf_plan *plan, uint64_t graph_id,
                                  const weft_ref *roots, size_t root_count, uint32_t root_flags, weft_error *err);
void wf_partition_set_fini(wf_partition_set *set);

/* Where the arrays of a partition with this header lie; size_bytes is the whole. */
typedef struct wf_partition_layout {
    size_t task_refs, imports, tasks, outputs, inputs, exports, params, keys, size_bytes;
} wf_partition_layout;

wf_partition_layout wf_partition_layout_of(const wf_partition_header *header);

#endif
