/* Words and sizes as the library writes them, for programs, which do not see its inside. Any thread; nothing is allocated. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { CLI_BYTES_LENGTH = 32 };

/* For reading: "15.7GiB". Fills text and returns it. */
const char *cli_bytes_format(uint64_t bytes, char text[static CLI_BYTES_LENGTH]);

/* The known name that a mistyped one most likely meant, or NULL. */
const char *cli_nearest(const char *name, const char *const *known, size_t count);

#endif
