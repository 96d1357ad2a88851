/* Every configuration key, and what follows from its row alone: finding it, checking a value, printing one.
 * Invariant: rows are in the order of names (found by bisection), and every default passes its own check. Constant; any thread. */
#include "config/keys.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/quantity.h"

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)

static const wf_key keys[] = {
    {"debug.check_rules", WF_KEY_BOOL, "false", 0, 1, NULL, NULL, NULL,
     "compare the rules of layers with their inverses for every task before it runs"},
    {"linalg.leaf_rows", WF_KEY_INT, "0", 1, INT32_MAX, "from the L2 cache", NULL, "rows",
     "height of the blocks that a chunk is factorized in"},
    {"linalg.tsqr_fan_in", WF_KEY_INT, "4", 2, 16, NULL, NULL, "blocks",
     "triangles that one step of the QR tree joins"},
    {"log.level", WF_KEY_CHOICE, "warning", 0, 0, NULL, "error|warning|info|debug|off", NULL,
     "what goes to stderr"},
    {"memory.limit", WF_KEY_BYTES, "0", 1, INT64_MAX, "from the batch system, cgroup or machine", NULL, NULL,
     "memory that one rank may use for chunks"},
    {"partition.method", WF_KEY_CHOICE, "auto", 0, 0, NULL, "auto|metis|greedy", NULL,
     "what cuts a graph into partitions"},
    {"partition.move", WF_KEY_CHOICE, "on", 0, 0, NULL, "on|off|random", NULL,
     "whether an idle rank gets unopened partitions of a busy one; random: for no reason, to test"},
    {"partition.per_rank", WF_KEY_INT, "16", 1, 1024, NULL, NULL, "partitions",
     "partitions that a graph is cut into, for each rank"},
    {"pool.pin", WF_KEY_BOOL, "true", 0, 1, NULL, NULL, NULL,
     "pin each pool thread to a core"},
    {"pool.threads", WF_KEY_INT, "0", 1, 65536, "one per core", NULL, "threads",
     "pool threads of one rank"},
    {"scheduler.compute", WF_KEY_CHOICE, "auto", 0, 0, NULL, "auto|on|off", NULL,
     "whether rank 0 runs tasks too; auto: unless the other ranks fill its node"},
    {"scheduler.kind", WF_KEY_CHOICE, "auto", 0, 0, NULL, "auto|sync|threads|mpi", NULL,
     "what runs the graph; auto: mpi under a launcher, threads otherwise"},
    {"scheduler.lost_after", WF_KEY_DURATION, "60s", 1 * S, 3600 * S, NULL, NULL, NULL,
     "a rank that is silent for this long while it has work is given up"},
    {"scheduler.progress_interval", WF_KEY_DURATION, "50ms", 1 * MS, 60 * S, NULL, NULL, NULL,
     "a worker reports progress at the latest after this"},
    /* With its header still below the 4096 bytes up to which Open MPI sends at once through shared memory: see transport/mpi.h. */
    {"transport.eager_bytes", WF_KEY_BYTES, "4000", 256, 1 * MIB, NULL, NULL, NULL,
     "chunks that fit into a message of this size travel inside it"},
    {"transport.idle_sleep", WF_KEY_DURATION, "1ms", 10 * US, 100 * MS, NULL, NULL, NULL,
     "longest sleep of an idle rank between polls"},
    {"transport.thread", WF_KEY_CHOICE, "auto", 0, 0, NULL, "auto|on|off", NULL,
     "whether a rank has a thread for messages alone; auto: where it has more cores than pool threads"},
};

size_t wf_key_count(void)
{
    return sizeof keys / sizeof keys[0];
}

const wf_key *wf_key_at(size_t index)
{
    return &keys[index];
}

static int compare_name(const void *name, const void *key)
{
    return strcmp(name, ((const wf_key *)key)->name);
}

size_t wf_key_find(const char *name)
{
    const wf_key *key = bsearch(name, keys, wf_key_count(), sizeof keys[0], compare_name);
    return key ? (size_t)(key - keys) : wf_key_count();
}

static const char *after_section(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? dot + 1 : name;
}

const char *wf_key_nearest(const char *name)
{
    wf_nearest whole = WF_NEAREST_INIT(name), last = WF_NEAREST_INIT(after_section(name));
    const wf_key *same_last = NULL;
    for (size_t i = 0; i < wf_key_count(); i++) {
        const char *before = last.found;
        wf_nearest_offer(&whole, keys[i].name);
        wf_nearest_offer(&last, after_section(keys[i].name));
        if (last.found != before) same_last = &keys[i];
    }
    /* "pool.thread" is more likely to mean pool.threads than transport.thread. */
    if (whole.found && (!same_last || whole.distance <= last.distance + 1)) return whole.found;
    return same_last ? same_last->name : NULL;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);
    for (const char *choice = choices; length; choice++) {
        size_t choice_length = strcspn(choice, "|");
        if (choice_length == length && memcmp(choice, value, length) == 0) return true;
        choice += choice_length;
        if (!*choice) break;
    }
    return false;
}

static weft_status parse_bool(const char *value, int64_t *number, weft_error *err)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], value) == 0) {
            *number = i % 2;
            return WEFT_OK;
        }
    }
    return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is neither true nor false", value);
}

static weft_status parse_bytes(const char *value, int64_t *number, weft_error *err)
{
    uint64_t bytes;
    weft_status status = wf_bytes_parse(value, &bytes, err);
    if (status) return status;
    *number = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
    return WEFT_OK;
}

static weft_status parse_number(const wf_key *key, const char *value, int64_t *number, weft_error *err)
{
    switch (key->type) {
    case WF_KEY_INT: return wf_integer_parse(value, number, err);
    case WF_KEY_BOOL: return parse_bool(value, number, err);
    case WF_KEY_BYTES: return parse_bytes(value, number, err);
    case WF_KEY_DURATION: return wf_duration_parse(value, number, err);
    case WF_KEY_CHOICE:
        if (!is_choice(key->choices, value)) return weft_fail(err, WEFT_EINVAL, "\"%.80s\" is not one of its choices", value);
        break;
    case WF_KEY_TEXT: break;
    }
    *number = 0;
    return WEFT_OK;
}

static bool is_in_range(const wf_key *key, int64_t number)
{
    if (key->type == WF_KEY_CHOICE || key->type == WF_KEY_TEXT) return true;
    return (number == 0 && key->automatic) || (number >= key->min && number <= key->max);
}

weft_status wf_key_parse(const wf_key *key, const char *value, int64_t *number, weft_error *err)
{
    weft_error cause = WEFT_ERROR_INIT;
    char allowed[WF_KEY_TEXT_LENGTH];
    int64_t parsed = 0;
    weft_status status = parse_number(key, value, &parsed, &cause);
    if (status) return weft_fail(err, status, "%s: %s; allowed: %s", key->name, cause.text, wf_key_allowed(key, allowed));
    if (!is_in_range(key, parsed))
        return weft_fail(err, WEFT_EINVAL, "%s: %.80s is out of range; allowed: %s", key->name, value, wf_key_allowed(key, allowed));
    *number = parsed;
    return WEFT_OK;
}

static const char *format_number(const wf_key *key, int64_t number, char text[static WF_QUANTITY_LENGTH])
{
    if (key->type == WF_KEY_BYTES) return wf_bytes_format((uint64_t)number, text);
    if (key->type == WF_KEY_DURATION) return wf_duration_format(number, text);
    snprintf(text, WF_QUANTITY_LENGTH, "%" PRId64, number);
    return text;
}

/* "auto, on or off" from "auto|on|off". */
static void list_choices(const char *choices, char text[static WF_KEY_TEXT_LENGTH])
{
    size_t length = 0;
    const char *last = strrchr(choices, '|');
    for (const char *c = choices; *c && length < WF_KEY_TEXT_LENGTH - 5; c++) {
        const char *separator = c == last ? " or " : ", ";
        if (*c != '|')
            text[length++] = *c;
        else
            while (*separator) text[length++] = *separator++;
    }
    text[length] = '\0';
}

const char *wf_key_allowed(const wf_key *key, char text[static WF_KEY_TEXT_LENGTH])
{
    char min[WF_QUANTITY_LENGTH], max[WF_QUANTITY_LENGTH];
    if (key->type == WF_KEY_CHOICE) {
        list_choices(key->choices, text);
    } else if (key->type == WF_KEY_BOOL || key->type == WF_KEY_TEXT) {
        snprintf(text, WF_KEY_TEXT_LENGTH, "%s", key->type == WF_KEY_BOOL ? "true, false, on, off, yes, no, 1 or 0" : "any text");
    } else {
        int length = 0;
        if (key->automatic) length = snprintf(text, WF_KEY_TEXT_LENGTH, "0 (%.60s), or ", key->automatic);
        const char *upper = key->max == INT64_MAX ? "more" : format_number(key, key->max, max);
        snprintf(text + length, WF_KEY_TEXT_LENGTH - (size_t)length, "%s %s %s", format_number(key, key->min, min),
                 key->max == INT64_MAX ? "or" : "to", upper);
    }
    return text;
}

const char *wf_key_environment_name(const wf_key *key, char text[static WF_KEY_TEXT_LENGTH])
{
    int section_length = (int)strcspn(key->name, ".");
    snprintf(text, WF_KEY_TEXT_LENGTH, "WEFT_%.*s__%s", section_length, key->name, after_section(key->name));
    for (char *c = text; *c; c++) *c = (char)toupper((unsigned char)*c);
    return text;
}

const char *wf_key_format(const wf_key *key, const char *value, int64_t number, char text[static WF_KEY_TEXT_LENGTH])
{
    char printed[WF_QUANTITY_LENGTH];
    if (key->type == WF_KEY_BOOL)
        snprintf(text, WF_KEY_TEXT_LENGTH, "%s", number ? "true" : "false");
    else if (key->type == WF_KEY_CHOICE || key->type == WF_KEY_TEXT)
        snprintf(text, WF_KEY_TEXT_LENGTH, "%s", value);
    else if (number == 0 && key->automatic)
        snprintf(text, WF_KEY_TEXT_LENGTH, "0 (%s)", key->automatic);
    else
        snprintf(text, WF_KEY_TEXT_LENGTH, "%s%s%s", format_number(key, number, printed), key->unit ? " " : "", key->unit ? key->unit : "");
    return text;
}
