/* The environment as a layer: WEFT_POOL__THREADS=4 sets pool.threads. */
#ifndef WF_CONFIG_ENVIRONMENT_H
#define WF_CONFIG_ENVIRONMENT_H

#include <weft/config.h>

/* Sets what the variables of the NULL-terminated list ("NAME=value" each) say. Variables without WEFT_ are none of ours, and one that
 * has no double underscore is not a key, such as WEFT_CONFIG; but a key's name with a single one is taken for a slip.
 * Errors: WEFT_ENOENT an unknown key; WEFT_EINVAL a bad value. After an error the variables before it have been set. */
weft_status wf_config_read_environment(weft_config *config, char *const *variables, weft_error *err);

#endif
