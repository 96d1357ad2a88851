/* The kernels and rules that this program registered, by name. */
#ifndef WF_EXEC_REGISTRY_H
#define WF_EXEC_REGISTRY_H

#include <stddef.h>

#include <weft/layer.h>

/* Sorted by name, each once. */
typedef struct wf_registry {
    const weft_kernel **kernels;
    const weft_rule **rules;
    size_t kernel_count, rule_count;
} wf_registry;

/* Those of the library and those of the sections of a program (NULL: none).
 * Owns: *registry is filled; fini frees it. Errors: WEFT_EINVAL two kernels, or two rules, of one name; WEFT_ENOMEM. */
weft_status wf_registry_init(wf_registry *registry, const weft_sections *sections, weft_error *err);
void wf_registry_fini(wf_registry *registry);

/* NULL when there is none of that name. */
const weft_kernel *wf_registry_find_kernel(const wf_registry *registry, const char *name);
const weft_rule *wf_registry_find_rule(const wf_registry *registry, const char *name);

#endif
