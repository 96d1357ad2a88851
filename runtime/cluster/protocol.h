/* The messages between ranks; README.md beside this file says who sends which, when, and what it changes. */
#ifndef WF_CLUSTER_PROTOCOL_H
#define WF_CLUSTER_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

#define WF_PROTOCOL_VERSION 2u
#define WF_BYTE_ORDER_MARK 0x01020304u

typedef enum wf_message_type {
    WF_MSG_HELLO = 1,
    WF_MSG_GRAPH,
    WF_MSG_PARTITION, /* body: graph/partition.h */
    WF_MSG_DATA,
    WF_MSG_ROOT,
    WF_MSG_FAILED,
    WF_MSG_PROGRESS,
    WF_MSG_CANCEL,
    WF_MSG_FORGET,
    WF_MSG_RELEASE,
    WF_MSG_BROKEN,
    WF_MSG_ALIVE,
    WF_MSG_SHUTDOWN,
    WF_MSG_GIVE,
    WF_MSG_TAKE,
    WF_MSG_MOVED,
    WF_MSG_OVERLAY,
    WF_MSG_PROBE,
    WF_MSG_ANSWER,
    WF_MSG_CREDIT
} wf_message_type;

/* Followed by two zero-terminated texts: the cpuset that the rank was given, and a line per thread that says where it runs. */
typedef struct wf_hello_message {
    uint32_t version;
    uint32_t byte_order;
    uint32_t threads; /* 0: this rank runs no tasks */
    uint32_t reserved;
    uint64_t memory_limit_bytes;
    char host[64];
} wf_hello_message;

/* Followed by kernel_count zero-terminated names, names_bytes in all, and on the next 16-byte boundary of the body by the layers by rule
 * (graph/layers.h), layers_bytes. Partition p begins at rank first_rank + p / per_rank: a rule, so that rank 0 sends each
 * worker the same few bytes however many ranks and partitions there are. */
typedef struct wf_graph_message {
    uint64_t graph;
    uint32_t partition_count;
    uint32_t kernel_count;
    int32_t first_rank;
    uint32_t per_rank;
    uint32_t may_move;     /* 0: partitions stay where they are sent */
    uint32_t coming_count; /* PARTITIONs that rank 0 sends this rank */
    uint64_t names_bytes;
    uint64_t layers_bytes; /* 0: there are none */
} wf_graph_message;

static inline size_t wf_graph_message_layers_at(size_t names_bytes)
{
    return (sizeof(wf_graph_message) + names_bytes + 15) / 16 * 16;
}

/* Followed by uint32_t partition[partition_count], which have consumers of the output: those of layers by rule are found by the receiver.
 * No chunk: the output failed. */
typedef struct wf_data_message {
    uint64_t graph;
    uint64_t ref;
    uint32_t partition_count;
    uint32_t moves; /* of each of them, as far as the sender knows */
} wf_data_message;

typedef struct wf_give_message {
    uint64_t graph;
    int32_t to;
    uint32_t most;         /* partitions */
    uint32_t may_be_stuck; /* 0: only those that could start at once */
    uint32_t reserved;
} wf_give_message;

typedef struct wf_moved_partition {
    uint32_t partition;
    uint32_t moves; /* how often it has moved: of two that tell of one partition, the higher is the later */
    int32_t rank;   /* that has it now, or will */
    uint32_t reserved;
    uint64_t task_count;
} wf_moved_partition;

/* TAKE, MOVED, OVERLAY: followed by wf_moved_partition[partition_count]. */
typedef struct wf_moved_message {
    uint64_t graph;
    uint32_t partition_count;
    uint32_t reserved;
} wf_moved_message;

typedef struct wf_ref_message { /* ROOT, RELEASE; FORGET with ref 0; CANCEL, PROBE, CREDIT: see there */
    uint64_t graph;
    uint64_t ref;
} wf_ref_message;

/* CANCEL's ref. */
enum { WF_CANCEL_PLAIN = 0, WF_CANCEL_STALLED = 1 }; /* stalled: say first what the tasks here wait for */

typedef struct wf_answer_message {
    uint64_t graph;
    uint64_t round;          /* PROBE's ref */
    uint64_t ended, sent, received; /* of that graph: tasks, and messages to and from other workers */
    uint64_t is_idle;        /* nothing of any graph waits or runs here, and nothing is known to be on its way */
} wf_answer_message;

typedef struct wf_failed_message { /* FAILED, BROKEN */
    uint64_t graph;
    uint64_t ref;
    uint64_t ends_graph; /* tasks may wait for ever for what this one should have given: the graph is to be cancelled */
    weft_error error;
} wf_failed_message;

typedef struct wf_rank_stats {
    uint64_t tasks_ended;
    uint64_t bytes_sent;
    uint64_t memory_peak_bytes; /* chunks */
    uint64_t rss_peak_bytes;    /* the process */
} wf_rank_stats;

typedef struct wf_progress_message {
    uint64_t graph;
    uint64_t ended;     /* tasks of that graph that have ended on this rank, in all */
    uint64_t hungry_at; /* a thread of this rank idles though this was the newest graph it knew; 0: none does */
    uint32_t startable_count; /* partitions of that graph that lie here unopened, may move and could start */
    uint32_t reserved;
    wf_rank_stats stats;
} wf_progress_message;

#endif
