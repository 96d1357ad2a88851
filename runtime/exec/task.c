/* What a kernel may ask of its task. One thread. */
#include "exec/task.h"

static weft_status check_size(const weft_task *task, size_t index, const weft_chunk *chunk, weft_error *err)
{
    uint64_t limit = task->output_limits ? task->output_limits[index] : UINT64_MAX;
    if (weft_chunk_bytes(chunk) <= limit) return WEFT_OK;
    return weft_fail(err, WEFT_EKERNEL, "output %zu has %zu bytes, but at most %llu were announced; raise output_bytes", index,
                     weft_chunk_bytes(chunk), (unsigned long long)limit);
}

/* Takes the reference on chunk. A kernel that does not look at the error is left without its output. */
static void *put_output(weft_task *task, size_t index, weft_chunk *chunk, weft_error *err)
{
    if (check_size(task, index, chunk, err) != WEFT_OK) {
        wf_chunk_release_by(task->cache, chunk);
        return NULL;
    }
    task->outputs[index] = chunk;
    return wf_chunk_elements(chunk);
}

static weft_status check_output(const weft_task *task, size_t index, weft_error *err)
{
    if (index >= task->output_count)
        return weft_fail(err, WEFT_EINVAL, "the kernel created output %zu of a task with %zu; give output_count when adding the task",
                         index, task->output_count);
    if (task->outputs[index]) return weft_fail(err, WEFT_EINVAL, "the kernel created output %zu twice", index);
    return WEFT_OK;
}

size_t weft_task_input_count(const weft_task *task)
{
    return task->input_count;
}

const weft_chunk *weft_task_input(const weft_task *task, size_t index)
{
    return index < task->input_count ? task->inputs[index].chunk : NULL;
}

const void *weft_task_input_data(const weft_task *task, size_t index)
{
    return index < task->input_count ? weft_chunk_data(task->inputs[index].chunk) : NULL;
}

uint64_t weft_task_index(const weft_task *task)
{
    return task->index;
}

int64_t weft_task_coordinate(const weft_task *task, int dim)
{
    uint64_t index = task->index;
    int dims = task->layer ? (int)task->layer->dim_count : 1;
    if (dim < 0 || dim >= dims) return 0;
    for (int d = dims - 1; d > dim; d--) index /= (uint64_t)task->layer->extents[d];
    return dim == 0 ? (int64_t)index : (int64_t)(index % (uint64_t)task->layer->extents[dim]);
}

const void *weft_task_params(const weft_task *task, size_t *bytes)
{
    if (bytes) *bytes = task->param_bytes;
    return task->params;
}

void *weft_task_create_output(weft_task *task, size_t index, weft_dtype dtype, int dim_count, const int64_t *extents, weft_error *err)
{
    weft_chunk *chunk;
    if (check_output(task, index, err) != WEFT_OK) return NULL;
    if (wf_chunk_create_by(task->cache, task->budget, dtype, dim_count, extents, &chunk, err) != WEFT_OK) return NULL;
    return put_output(task, index, chunk, err);
}

void *weft_task_reuse_input(weft_task *task, size_t index, size_t input_index, weft_error *err)
{
    if (check_output(task, index, err) != WEFT_OK) return NULL;
    if (input_index >= task->input_count) {
        weft_fail(err, WEFT_EINVAL, "the kernel asked for input %zu of a task with %zu", input_index, task->input_count);
        return NULL;
    }
    const wf_task_input *input = &task->inputs[input_index];
    weft_chunk *chunk = input->chunk;
    for (size_t i = 0; i < task->output_count; i++) {
        if (task->outputs[i] != chunk) continue;
        weft_fail(err, WEFT_EINVAL, "input %zu became output %zu already, and may be overwritten; reuse an input once", input_index, i);
        return NULL;
    }
    if (input->is_last_use && wf_chunk_is_sole(chunk))
        weft_chunk_retain(chunk);
    else if (wf_chunk_dup(task->cache, task->budget, input->chunk, &chunk, err) != WEFT_OK)
        return NULL;
    return put_output(task, index, chunk, err);
}

void *weft_task_scratch(weft_task *task, size_t bytes, weft_error *err)
{
    return wf_thread_scratch(task->thread, bytes, err);
}

weft_status wf_task_run(weft_task *task, const weft_kernel *kernel, weft_error *err)
{
    weft_status status = kernel->run(task, err);
    if (status != WEFT_OK && err->status == WEFT_OK) weft_fail(err, status, "the kernel failed without saying why");
    for (size_t i = 0; status == WEFT_OK && i < task->output_count; i++) {
        if (task->outputs[i]) continue;
        /* Why it could not, if the kernel kept that to itself, says more. */
        status = err->status != WEFT_OK ? err->status
                                        : weft_fail(err, WEFT_EKERNEL, "the kernel did not create output %zu of %zu", i, task->output_count);
    }
    for (size_t i = 0; status != WEFT_OK && i < task->output_count; i++) {
        wf_chunk_release_by(task->cache, task->outputs[i]);
        task->outputs[i] = NULL;
    }
    return status;
}
