/* Passes on to the parts of the library that are compiled into the programs. Owns nothing. Any thread. */
#include "cli/text.h"

#include "base/nearest.h"
#include "base/quantity.h"

const char *cli_bytes_format(uint64_t bytes, char text[static CLI_BYTES_LENGTH])
{
    _Static_assert((int)CLI_BYTES_LENGTH >= (int)WF_QUANTITY_LENGTH, "room for any size");
    return wf_bytes_format_rounded(bytes, text);
}

const char *cli_nearest(const char *name, const char *const *known, size_t count)
{
    return wf_nearest_of(name, known, count);
}
