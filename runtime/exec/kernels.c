/* The table of kernels by name. Owns the table; the kernels are the program's. Invariant: sorted by name, no name twice. One thread fills
 * and frees it; any may look up in between. */
#include "exec/kernels.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const weft_kernel *const *)a)->name, (*(const weft_kernel *const *)b)->name);
}

static size_t append(const weft_kernel **to, size_t count, const weft_kernel *const *begin, const weft_kernel *const *end)
{
    for (const weft_kernel *const *k = begin; k != end; k++) to[count++] = *k;
    return count;
}

weft_status wf_kernels_init(wf_kernels *kernels, const weft_kernel *const *begin, const weft_kernel *const *end, weft_error *err)
{
    size_t own = (size_t)(__stop_weft_kernels - __start_weft_kernels), count = 0;
    wf_kernels made = {.sorted = wf_calloc(own + (size_t)(end - begin), sizeof *made.sorted, err)};
    if (!made.sorted) return WEFT_ENOMEM;
    count = append(made.sorted, count, __start_weft_kernels, __stop_weft_kernels);
    count = append(made.sorted, count, begin, end);
    if (count) qsort(made.sorted, count, sizeof *made.sorted, compare_names);
    for (size_t i = 0; i < count; i++) {
        const weft_kernel *last = made.count ? made.sorted[made.count - 1] : NULL;
        if (last == made.sorted[i]) continue; /* linked statically, library and program share one section */
        if (last && strcmp(last->name, made.sorted[i]->name) == 0) {
            weft_status status = weft_fail(err, WEFT_EINVAL, "two kernels are named \"%s\"; rename one", last->name);
            wf_kernels_fini(&made);
            return status;
        }
        made.sorted[made.count++] = made.sorted[i];
    }
    *kernels = made;
    return WEFT_OK;
}

void wf_kernels_fini(wf_kernels *kernels)
{
    free(kernels->sorted);
    *kernels = (wf_kernels){0};
}

const weft_kernel *wf_kernels_find(const wf_kernels *kernels, const char *name)
{
    const weft_kernel key = {name, NULL}, *wanted = &key;
    const weft_kernel **hit = NULL;
    if (kernels->count) hit = bsearch(&wanted, kernels->sorted, kernels->count, sizeof *kernels->sorted, compare_names);
    return hit ? *hit : NULL;
}
