/* A task while its kernel runs: what weft_task_* (weft/kernel.h) work on. Lives on the stack of the thread that runs it. */
#ifndef WF_EXEC_TASK_H
#define WF_EXEC_TASK_H

#include "exec/pool.h"
#include "graph/layers.h"
#include "store/chunk.h"
#include <weft/graph.h>
#include <weft/kernel.h>

typedef struct wf_task_input {
    weft_chunk *chunk;
    bool is_last_use; /* no other local task waits for it */
} wf_task_input;

struct weft_task {
    uint64_t index;               /* in its layer, or among the graph's explicit tasks */
    const wf_layer *layer;        /* NULL: an explicit task */
    const uint64_t *output_limits; /* the most bytes of each output, UINT64_MAX: any; NULL: any for all */
    const wf_task_input *inputs;
    size_t input_count;
    const void *params;
    size_t param_bytes;
    size_t output_count;
    weft_chunk *outputs[WEFT_MAX_OUTPUTS]; /* created so far; the task's references */
    wf_budget *budget;
    wf_thread *thread;
    wf_slab_cache *cache; /* the thread's */
};

/* Runs the kernel. On failure no output is left, and err names the cause. */
weft_status wf_task_run(weft_task *task, const weft_kernel *kernel, weft_error *err);

#endif
