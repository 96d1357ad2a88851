/* Configuration: one table of keys; values from defaults < site file < user file < environment < command line.
 *
 * Keys are "section.key"; the environment's name for it is WEFT_SECTION__KEY. Every key, its type, unit, default and one line of
 * explanation stand in runtime/config/keys.c. An unknown key is an error that names the nearest known one.
 */
#ifndef WEFT_CONFIG_H
#define WEFT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weft/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weft_config weft_config;

/* Defaults, then files, then environment. The site file is $WEFT_SITE_CONFIG or /etc/weft.ini, the user file $WEFT_CONFIG or
 * $XDG_CONFIG_HOME/weft.ini (~/.config/weft.ini); a file that is not there is skipped, unless the variable named it.
 *
 * Owns:     *config is new, caller destroys.
 * Errors:   WEFT_EIO a named file cannot be read; WEFT_ENOENT an unknown key; WEFT_EINVAL a bad value or line; WEFT_ENOMEM.
 *           The text says where.
 */
WEFT_API weft_status weft_config_create(weft_config **config, weft_error *err);
WEFT_API void weft_config_destroy(weft_config *config);

/* Sets a key from text; origin says where from, as in "--set". Errors: WEFT_ENOENT, WEFT_EINVAL, WEFT_ENOMEM; the key keeps its value. */
WEFT_API weft_status weft_config_set(weft_config *config, const char *key, const char *value, const char *origin, weft_error *err);
/* The same from "section.key=value". Errors: as weft_config_set. */
WEFT_API weft_status weft_config_set_assignment(weft_config *config, const char *assignment, const char *origin, weft_error *err);

/* Values by key. The key must be in the table and of that type: anything else is a bug in the program, and asserted. */
WEFT_API int64_t weft_config_int(const weft_config *config, const char *key);
WEFT_API uint64_t weft_config_bytes(const weft_config *config, const char *key);
WEFT_API int64_t weft_config_duration_ns(const weft_config *config, const char *key);
WEFT_API bool weft_config_bool(const weft_config *config, const char *key);
WEFT_API const char *weft_config_text(const weft_config *config, const char *key); /* also for choices; borrowed */
/* Where the value came from: "default", "environment WEFT_X__Y", "/path/file.ini:12", "--set". Borrowed. */
WEFT_API const char *weft_config_origin(const weft_config *config, const char *key);

/* Prints a table of every key, value, unit and origin, and below each what it is for and what there is to choose from. */
WEFT_API void weft_config_print(const weft_config *config, FILE *stream);

/* One key with its value, for programs that list them. Texts are borrowed and live until the key is set again. */
typedef struct weft_config_entry {
    const char *key;    /* "section.key" */
    const char *type;   /* "integer", "boolean", "bytes", "duration", "choice" or "text" */
    const char *text;   /* the value as it was given */
    int64_t number;     /* the integer, 0 or 1 of a boolean, the bytes, the ns of a duration; 0 for choice and text */
    const char *unit;   /* of an integer, as "rows"; NULL: none */
    const char *origin; /* as weft_config_origin */
    const char *doc;    /* one line */
    char allowed[128];  /* "2 to 64"; "auto, on or off" */
} weft_config_entry;

/* Entries go by the names of keys, from 0. Returns false, with *entry unchanged, from the number of keys on. */
WEFT_API bool weft_config_get_entry(const weft_config *config, size_t index, weft_config_entry *entry);

/* Takes weft's own options (--scheduler, --threads, --set KEY=VALUE) out of argv, for programs that run without weft_main.
 * Errors: WEFT_EINVAL, WEFT_ENOENT as weft_config_set; argv is unchanged then. */
WEFT_API weft_status weft_config_take_options(weft_config *config, int *argc, char **argv, weft_error *err);

#ifdef __cplusplus
}
#endif

#endif
