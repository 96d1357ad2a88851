/* The one table of configuration keys: what each is called, may be, and is when nobody says otherwise. Constant; any thread. */
#ifndef WF_CONFIG_KEYS_H
#define WF_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

typedef enum wf_key_type { WF_KEY_INT, WF_KEY_BOOL, WF_KEY_BYTES, WF_KEY_DURATION, WF_KEY_CHOICE, WF_KEY_TEXT } wf_key_type;

typedef struct wf_key {
    const char *name; /* "section.key", lower case */
    wf_key_type type;
    const char *initial;   /* the default, as a user would write it */
    int64_t min, max;      /* of an int, of bytes, of a duration in ns */
    const char *automatic; /* what 0 stands for where 0 is allowed beside min..max; else NULL */
    const char *choices;   /* "auto|on|off" */
    const char *unit;      /* of an int, as in "4 blocks"; else NULL */
    const char *doc;       /* one line, without a full stop */
} wf_key;

enum { WF_KEY_TEXT_LENGTH = 128 }; /* room for a key's allowed values, its printed value, or its environment name */

size_t wf_key_count(void);
/* In the order of names. */
const wf_key *wf_key_at(size_t index);
/* The index of a name, or wf_key_count() when there is no such key. */
size_t wf_key_find(const char *name);
/* The name that an unknown one most likely meant, also of another section, as "pool.threads" for "exec.threads"; or NULL. */
const char *wf_key_nearest(const char *name);

/* Checks a value; *number is the int, the bytes, the ns, 0 or 1 of a bool, and 0 otherwise. Errors: WEFT_EINVAL, saying what is allowed. */
weft_status wf_key_parse(const wf_key *key, const char *value, int64_t *number, weft_error *err);

/* Each fills text and returns it: "4 to 64"; "WEFT_POOL__THREADS"; the value with its unit, "8KiB", "0 (one per core)". */
const char *wf_key_allowed(const wf_key *key, char text[static WF_KEY_TEXT_LENGTH]);
const char *wf_key_environment_name(const wf_key *key, char text[static WF_KEY_TEXT_LENGTH]);
const char *wf_key_format(const wf_key *key, const char *value, int64_t number, char text[static WF_KEY_TEXT_LENGTH]);

#endif
