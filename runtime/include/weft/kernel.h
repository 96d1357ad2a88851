/* Kernels: the C functions that tasks run, registered by name on every rank, and what such a function may ask of its task.
 *
 *     WEFT_KERNEL(add)
 *     {
 *         int64_t *sum = weft_task_create_output(task, 0, WEFT_I64, 1, (int64_t[]){1}, err);
 *         if (!sum) return err->status;
 *         *sum = *(const int64_t *)weft_task_input_data(task, 0) + *(const int64_t *)weft_task_input_data(task, 1);
 *         return WEFT_OK;
 *     }
 *
 * defines the kernel "add" and its descriptor add_kernel, which graphs are built with. Registration costs nothing at run time: the macro
 * leaves a pointer in a section of the program, the same on every rank, and weft_main reads that section.
 *
 * A kernel must depend on its inputs and parameters alone: it may run on any rank and any thread of a pool, and may be run again when its
 * result was lost, unless it overwrote an input (weft_task_reuse_input). BLAS called inside uses one thread.
 */
#ifndef WEFT_KERNEL_H
#define WEFT_KERNEL_H

#include <weft/chunk.h>
#include <weft/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A task while it runs, as its kernel sees it. Valid until the kernel returns; used by one thread only. */
typedef struct weft_task weft_task;

typedef weft_status weft_kernel_run(weft_task *task, weft_error *err); /* err is never NULL here */

typedef struct weft_kernel {
    const char *name;     /* unique in the program */
    weft_kernel_run *run;
} weft_kernel;

#define WEFT_KERNEL(kernel_name)                                                                                     \
    static weft_status kernel_name##_run(weft_task *task, weft_error *err);                                          \
    extern const weft_kernel kernel_name##_kernel;                                                                   \
    const weft_kernel kernel_name##_kernel = {#kernel_name, kernel_name##_run};                                      \
    static const weft_kernel *const kernel_name##_entry __attribute__((used, section("weft_kernels"))) =             \
        &kernel_name##_kernel;                                                                                       \
    static weft_status kernel_name##_run(weft_task *task, weft_error *err)

/* The bounds of this program's section; absent (NULL) when it defines no kernel. */
extern const weft_kernel *const __start_weft_kernels[] __attribute__((weak, visibility("hidden")));
extern const weft_kernel *const __stop_weft_kernels[] __attribute__((weak, visibility("hidden")));

/* Inputs, in the order in which the task was given them. Borrowed; index must be below the count. */
WEFT_API size_t weft_task_input_count(const weft_task *task);
WEFT_API const weft_chunk *weft_task_input(const weft_task *task, size_t index);
WEFT_API const void *weft_task_input_data(const weft_task *task, size_t index);

/* Its number in its layer (weft/layer.h); for a task that was added by itself, in its graph. */
WEFT_API uint64_t weft_task_index(const weft_task *task);
/* The coordinate that this index has in one dimension of the layer; 0 for other dimensions. */
WEFT_API int64_t weft_task_coordinate(const weft_task *task, int dim);

/* The parameters given when the task was added: bytes, 16-byte aligned. *bytes (NULL allowed) gets their number. */
WEFT_API const void *weft_task_params(const weft_task *task, size_t *bytes);

/* Creates output `index`, to be written by the kernel before it returns.
 *
 * Returns:  its elements, 64-byte aligned and not initialised; NULL on failure, with err filled.
 * Owns:     the task owns the chunk; the kernel only writes it.
 * Errors:   WEFT_EINVAL no such output, created twice, or a bad shape; WEFT_EKERNEL more bytes than the task's layer announced; WEFT_ENOMEM
 *           beyond the rank's memory budget.
 */
WEFT_API void *weft_task_create_output(weft_task *task, size_t index, weft_dtype dtype, int dim_count, const int64_t *extents,
                                       weft_error *err);

/* Makes output `index` out of input `input_index`, whose elements may then be overwritten in place; type and shape stay.
 *
 * Returns:  the elements, holding the input's values; a copy when somebody else still needs the input. NULL on failure.
 *           A task that overwrote its input cannot be run again: the input is gone.
 * Errors:   as weft_task_create_output; WEFT_EINVAL an input that has become another output.
 */
WEFT_API void *weft_task_reuse_input(weft_task *task, size_t index, size_t input_index, weft_error *err);

/* Scratch memory of this thread, 64-byte aligned, valid until the kernel returns; a second call gives the first one's up.
 * NULL on failure, with err filled (WEFT_ENOMEM). */
WEFT_API void *weft_task_scratch(weft_task *task, size_t bytes, weft_error *err);

#ifdef __cplusplus
}
#endif

#endif
