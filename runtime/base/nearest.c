/* Edit distance with swaps of neighbours (the "optimal string alignment" form), on three rows of fixed size. Owns nothing. Any thread. */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST_NAME = 63, FURTHEST = 3 };

static bool is_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Both at most LONGEST_NAME long. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST_NAME + 1];
    for (size_t j = 0; j <= b_length; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t cost = is_same(a[i - 1], b[j - 1]) ? 0 : 1;
            row[j] = smaller(above[j - 1] + cost, smaller(above[j], row[j - 1]) + 1);
            bool is_swap = i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]);
            if (is_swap) row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void wf_nearest_offer(wf_nearest *nearest, const char *known)
{
    size_t name_length = strlen(nearest->name), known_length = strlen(known);
    if (name_length > LONGEST_NAME || known_length > LONGEST_NAME) return;
    size_t longer = name_length > known_length ? name_length : known_length;
    size_t distance = edit_distance(nearest->name, name_length, known, known_length);
    if (distance > smaller(longer / 3, FURTHEST)) return;
    if (nearest->found && distance >= nearest->distance) return;
    nearest->found = known;
    nearest->distance = distance;
}

const char *wf_nearest_of(const char *name, const char *const *known, size_t count)
{
    wf_nearest nearest = WF_NEAREST_INIT(name);
    for (size_t i = 0; i < count; i++) wf_nearest_offer(&nearest, known[i]);
    return nearest.found;
}
