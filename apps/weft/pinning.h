/* Pinning maps as a session tells them, and the short form that fits a line. Pure functions; any thread. */
#ifndef WEFT_PINNING_H
#define WEFT_PINNING_H

#include <stdbool.h>
#include <stddef.h>

/* Where one thread of a pool runs. */
typedef struct pinning_place {
    bool is_pinned; /* the numbers are -1 when not */
    int core, pu, numa_node;
} pinning_place;

/* Reads the next line of weft_rank_info.pinning and moves *cursor behind it. False at the end. */
bool pinning_next(const char **cursor, pinning_place *place);

/* "cores 0-3,8 (PUs 0-3,8, NUMA node 0)", in the order of numbers, each once; "not pinned"; "the client's thread" for no thread.
 * A text that is too long ends early. */
void pinning_format(const char *pinning, char *text, size_t size_bytes);

#endif
