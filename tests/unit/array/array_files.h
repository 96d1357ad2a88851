/* What the tests of files share: a folder of their own, files made of text, and looks at error texts. */
#ifndef ARRAY_FILES_H
#define ARRAY_FILES_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weft/status.h>

#include "weft_test.h"

enum { TEST_PATH_BYTES = 256 };

/* Creates a folder; folder must hold TEST_PATH_BYTES. */
static inline void folder_create(char *folder)
{
    snprintf(folder, TEST_PATH_BYTES, "/tmp/weft-test-array-XXXXXX");
    if (!mkdtemp(folder)) abort();
}

static inline void folder_remove(const char *folder)
{
    char command[TEST_PATH_BYTES + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) printf("    could not remove %s\n", folder);
}

static inline int folder_file_count(const char *folder)
{
    DIR *open = opendir(folder);
    int count = 0;
    for (struct dirent *entry; open && (entry = readdir(open));) count += entry->d_name[0] != '.';
    if (open) closedir(open);
    return count;
}

/* path = folder/name, holding the given bytes. */
static inline void file_write(char *path, const char *folder, const char *name, const void *bytes, size_t count)
{
    snprintf(path, TEST_PATH_BYTES, "%.200s/%.50s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) abort();
}

static inline bool says(const weft_error *err, const char *text)
{
    bool found = strstr(err->text, text) != NULL;
    if (!found) printf("    '%s' is not in: %s\n", text, err->text);
    return found;
}

/* WEFT_TEST_SEED repeats a run. */
static inline unsigned test_seed(void)
{
    const char *given = getenv("WEFT_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL) ^ (unsigned)getpid() << 16;
    printf("    WEFT_TEST_SEED=%u\n", seed);
    return seed;
}

/* A small generator (xorshift), so that a seed means the same everywhere. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
