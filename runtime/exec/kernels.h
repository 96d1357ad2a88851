/* The kernels that this program registered, by name. */
#ifndef WF_EXEC_KERNELS_H
#define WF_EXEC_KERNELS_H

#include <stddef.h>

#include <weft/kernel.h>

typedef struct wf_kernels {
    const weft_kernel **sorted; /* by name, each once */
    size_t count;
} wf_kernels;

/* Those of the library and those between begin and end (both NULL: none).
 * Owns: *kernels is filled; fini frees it. Errors: WEFT_EINVAL two kernels of one name; WEFT_ENOMEM. */
weft_status wf_kernels_init(wf_kernels *kernels, const weft_kernel *const *begin, const weft_kernel *const *end, weft_error *err);
void wf_kernels_fini(wf_kernels *kernels);

/* NULL when there is none of that name. */
const weft_kernel *wf_kernels_find(const wf_kernels *kernels, const char *name);

#endif
