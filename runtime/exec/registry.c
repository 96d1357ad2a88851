/* Tables of kernels and rules by name. Owns the tables; what is in them is the program's. Invariant: sorted by name, no name twice. One
 * thread fills and frees it; any may look up in between.
 *
 * Kernels and rules both begin with their name, so one table of pointers to names serves for either. */
#include "exec/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

_Static_assert(offsetof(weft_kernel, name) == 0 && offsetof(weft_rule, name) == 0, "an entry begins with its name");

typedef const char *const *entry; /* points to its name */

static int compare_names(const void *a, const void *b)
{
    return strcmp(**(const entry *)a, **(const entry *)b);
}

static size_t append(const void **to, size_t count, const void *begin, const void *end)
{
    size_t bytes = (size_t)((const char *)end - (const char *)begin);
    if (bytes) memcpy(to + count, begin, bytes);
    return count + bytes / sizeof *to;
}

/* table points to a pointer to entries, which gets a new array: the entries of both sections, sorted, without those that both hold. */
static weft_status make_table(const char *what, const void *own_begin, const void *own_end, const void *begin, const void *end,
                              void *table, size_t *entry_count, weft_error *err)
{
    size_t bytes = (size_t)((const char *)own_end - (const char *)own_begin) + (size_t)((const char *)end - (const char *)begin), kept = 0;
    const void **made = wf_calloc(bytes + 1, 1, err);
    if (!made) return WEFT_ENOMEM;
    size_t count = append(made, append(made, 0, own_begin, own_end), begin, end);
    if (count) qsort(made, count, sizeof *made, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (kept && made[kept - 1] == made[i]) continue; /* linked statically, library and program share one section */
        if (kept && compare_names(&made[kept - 1], &made[i]) == 0) {
            weft_status status = weft_fail(err, WEFT_EINVAL, "two %s are named \"%s\"; rename one", what, *(entry)made[i]);
            free(made);
            return status;
        }
        made[kept++] = made[i];
    }
    memcpy(table, &made, sizeof made);
    *entry_count = kept;
    return WEFT_OK;
}

weft_status wf_registry_init(wf_registry *registry, const weft_sections *sections, weft_error *err)
{
    static const weft_sections none;
    wf_registry made = {0};
    const weft_sections *s = sections ? sections : &none;
    weft_status status = make_table("kernels", __start_weft_kernels, __stop_weft_kernels, s->kernels_begin, s->kernels_end,
                                    &made.kernels, &made.kernel_count, err);
    if (status == WEFT_OK)
        status = make_table("rules", __start_weft_rules, __stop_weft_rules, s->rules_begin, s->rules_end, &made.rules,
                            &made.rule_count, err);
    if (status == WEFT_OK)
        *registry = made;
    else
        wf_registry_fini(&made);
    return status;
}

void wf_registry_fini(wf_registry *registry)
{
    free(registry->kernels);
    free(registry->rules);
    *registry = (wf_registry){0};
}

static const void *find(const void *table, size_t count, const char *name)
{
    entry key = &name;
    const void *const *hit = count ? bsearch(&key, table, count, sizeof key, compare_names) : NULL;
    return hit ? *hit : NULL;
}

const weft_kernel *wf_registry_find_kernel(const wf_registry *registry, const char *name)
{
    return find(registry->kernels, registry->kernel_count, name);
}

const weft_rule *wf_registry_find_rule(const wf_registry *registry, const char *name)
{
    return find(registry->rules, registry->rule_count, name);
}
