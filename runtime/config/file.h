/* A configuration file as a layer: "[section]", "key = value", comments after ";" or "#" at a line's start and " ;" within it. */
#ifndef WF_CONFIG_FILE_H
#define WF_CONFIG_FILE_H

#include <weft/config.h>

/* Sets what the file says. named_by is the variable that named it, or NULL for a standard place, where a missing file is no error.
 * Errors: WEFT_EIO cannot be read; WEFT_EINVAL a malformed line or a bad value; WEFT_ENOENT an unknown key. The text opens with
 * "path:line". After an error the lines before it have been set. Any thread that owns config. */
weft_status wf_config_read_file(weft_config *config, const char *path, const char *named_by, weft_error *err);

#endif
