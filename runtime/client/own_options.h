/* weft's own command line options, which every program understands: --scheduler KIND, --threads N, --set KEY=VALUE. */
#ifndef WF_CLIENT_OWN_OPTIONS_H
#define WF_CLIENT_OWN_OPTIONS_H

#include <weft/config.h>

/* Applies them to config and takes them out of argv, up to a "--".
 * Errors: WEFT_EINVAL or WEFT_ENOENT a missing or wrong value; argv is then unchanged. */
weft_status wf_own_options_take(int *argc, char **argv, weft_config *config, weft_error *err);

#endif
