/* Quantities as people write them: whole numbers, sizes ("512", "64KiB", "1.5G", "2GB") and durations ("1h30m", "01:30:00", "50ms").
 * Any thread; nothing is allocated. What is not wholly understood is refused: WEFT_EINVAL, the output unchanged. */
#ifndef WF_BASE_QUANTITY_H
#define WF_BASE_QUANTITY_H

#include <stdint.h>

#include <weft/status.h>

enum { WF_QUANTITY_LENGTH = 32 }; /* room for any printed quantity with its end */

/* A whole decimal number, with a minus sign or without. */
weft_status wf_integer_parse(const char *text, int64_t *number, weft_error *err);

/* K, M, G, T, P, E and KiB ... EiB are powers of 1024 (as batch systems mean them), KB ... EB powers of 1000, a bare number bytes; case
 * does not matter. Fractions of a byte are dropped. */
weft_status wf_bytes_parse(const char *text, uint64_t *bytes, weft_error *err);
/* d, h, m (min), s, ms, us, ns, largest first and each once; MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS; a bare number is seconds.
 * Fractions of a nanosecond are dropped. Never negative. */
weft_status wf_duration_parse(const char *text, int64_t *duration_ns, weft_error *err);

/* Print exactly, so that parsing the text gives the value again: "1.5GiB", "100B"; "1h30m", "1.5ms", "0s". Return text. */
const char *wf_bytes_format(uint64_t bytes, char text[static WF_QUANTITY_LENGTH]);
const char *wf_duration_format(int64_t duration_ns, char text[static WF_QUANTITY_LENGTH]);
/* Prints for reading: one decimal of the largest unit, "15.7GiB". */
const char *wf_bytes_format_rounded(uint64_t bytes, char text[static WF_QUANTITY_LENGTH]);

#endif
