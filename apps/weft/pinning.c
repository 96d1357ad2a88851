/* Reads the pinning that the library tells as text, and shortens it. Owns nothing. Invariant: text is cut short at its room, and always
 * ended. Any thread. */
#include "weft/pinning.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SET_MAX = 8192 }; /* numbers from here on are left out of the short form */

typedef struct number_set {
    uint64_t words[SET_MAX / 64];
} number_set;

bool pinning_next(const char **cursor, pinning_place *place)
{
    const char *line = *cursor;
    if (!*line) return false;
    pinning_place found = {true, -1, -1, -1};
    bool is_pinned = sscanf(line, "core %d (PU %d, NUMA node %d)", &found.core, &found.pu, &found.numa_node) == 3;
    *place = is_pinned ? found : (pinning_place){false, -1, -1, -1};
    line += strcspn(line, "\n");
    *cursor = *line ? line + 1 : line;
    return true;
}

static void set_add(number_set *set, int number)
{
    if (number >= 0 && number < SET_MAX) set->words[number / 64] |= UINT64_C(1) << (number % 64);
}

static bool set_has(const number_set *set, int number)
{
    return number >= 0 && number < SET_MAX && (set->words[number / 64] >> (number % 64) & 1);
}

/* Appends at *length, never beyond the room. */
static void append_number(char *text, size_t size_bytes, size_t *length, const char *before, int number)
{
    int added = snprintf(text + *length, size_bytes - *length, "%s%d", before, number);
    *length = *length + (size_t)added < size_bytes ? *length + (size_t)added : size_bytes - 1;
}

/* Appends "NAME 3" or "NAMEs 0-3,8"; nothing for an empty set. */
static void append_set(char *text, size_t size_bytes, size_t *length, const char *name, const number_set *set)
{
    int count = 0;
    for (int i = 0; i < SET_MAX; i++) count += set_has(set, i);
    if (count == 0) return;
    int added = snprintf(text + *length, size_bytes - *length, "%s%s", name, count == 1 ? "" : "s");
    *length = *length + (size_t)added < size_bytes ? *length + (size_t)added : size_bytes - 1;
    const char *before = " ";
    for (int i = 0; i < SET_MAX; i++) {
        bool begins = set_has(set, i) && !set_has(set, i - 1), ends = set_has(set, i) && !set_has(set, i + 1);
        if (begins) append_number(text, size_bytes, length, before, i);
        if (ends && !begins) append_number(text, size_bytes, length, "-", i);
        if (begins) before = ",";
    }
}

void pinning_format(const char *pinning, char *text, size_t size_bytes)
{
    number_set cores = {{0}}, pus = {{0}}, nodes = {{0}};
    size_t length = 0;
    pinning_place place;
    bool is_pinned = *pinning != '\0';
    snprintf(text, size_bytes, "%s", is_pinned ? "not pinned" : "the client's thread");
    while (is_pinned && pinning_next(&pinning, &place)) {
        is_pinned = place.is_pinned;
        set_add(&cores, place.core);
        set_add(&pus, place.pu);
        set_add(&nodes, place.numa_node);
    }
    if (!is_pinned) return;
    append_set(text, size_bytes, &length, "core", &cores);
    append_set(text, size_bytes, &length, " (PU", &pus);
    append_set(text, size_bytes, &length, ", NUMA node", &nodes);
    if (length + 1 < size_bytes) text[length++] = ')';
    text[length] = '\0';
}
