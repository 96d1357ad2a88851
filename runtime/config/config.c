/* A configuration: one value per row of the key table, each with where it came from, filled layer by layer.
 * Invariant: every value has passed its key's check. Not locked: set before other threads read. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/config.h>

#include "base/memory.h"
#include "config/environment.h"
#include "config/file.h"
#include "config/keys.h"

typedef struct setting {
    int64_t number; /* as wf_key_parse gives it */
    char *text;     /* as it was given */
    char *origin;
} setting;

struct weft_config {
    setting *settings; /* one per key, in the table's order */
};

static weft_status set_at(weft_config *config, size_t index, const char *value, const char *origin, weft_error *err)
{
    setting *target = &config->settings[index];
    int64_t number;
    weft_error cause = WEFT_ERROR_INIT;
    weft_status status = wf_key_parse(wf_key_at(index), value, &number, &cause);
    if (status) return weft_fail(err, status, "%s: %s", origin, cause.text);
    char *text = strdup(value), *from = strdup(origin);
    if (!text || !from) {
        free(text);
        free(from);
        return weft_fail(err, WEFT_ENOMEM, "no memory for the configuration's %s", wf_key_at(index)->name);
    }
    free(target->text);
    free(target->origin);
    *target = (setting){number, text, from};
    return WEFT_OK;
}

weft_status weft_config_set(weft_config *config, const char *key, const char *value, const char *origin, weft_error *err)
{
    size_t index = wf_key_find(key);
    if (index < wf_key_count()) return set_at(config, index, value, origin, err);
    const char *nearest = wf_key_nearest(key);
    if (nearest) return weft_fail(err, WEFT_ENOENT, "%s: unknown key \"%.80s\"; did you mean \"%s\"?", origin, key, nearest);
    return weft_fail(err, WEFT_ENOENT, "%s: unknown key \"%.80s\"; `weft config` lists the keys", origin, key);
}

weft_status weft_config_set_assignment(weft_config *config, const char *assignment, const char *origin, weft_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals) return weft_fail(err, WEFT_EINVAL, "%s: \"%.80s\" has no value; write section.key=value", origin, assignment);
    char *key = strndup(assignment, (size_t)(equals - assignment));
    if (!key) return weft_fail(err, WEFT_ENOMEM, "no memory for the setting \"%.80s\"", assignment);
    weft_status status = weft_config_set(config, key, equals + 1, origin, err);
    free(key);
    return status;
}

static weft_status set_defaults(weft_config *config, weft_error *err)
{
    weft_status status = WEFT_OK;
    for (size_t i = 0; i < wf_key_count() && !status; i++) status = set_at(config, i, wf_key_at(i)->initial, "default", err);
    return status;
}

static const char *environment_text(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static weft_status read_site_file(weft_config *config, weft_error *err)
{
    const char *named = environment_text("WEFT_SITE_CONFIG");
    return wf_config_read_file(config, named ? named : "/etc/weft.ini", named ? "WEFT_SITE_CONFIG" : NULL, err);
}

static weft_status read_user_file(weft_config *config, weft_error *err)
{
    const char *named = environment_text("WEFT_CONFIG");
    if (named) return wf_config_read_file(config, named, "WEFT_CONFIG", err);
    const char *folder = environment_text("XDG_CONFIG_HOME"), *below = "/weft.ini";
    if (!folder || folder[0] != '/') { /* a relative one is void, says the XDG specification */
        folder = environment_text("HOME");
        below = "/.config/weft.ini";
    }
    if (!folder) return WEFT_OK;
    size_t room = strlen(folder) + strlen(below) + 1;
    char *path = wf_calloc(room, 1, err);
    if (!path) return WEFT_ENOMEM;
    snprintf(path, room, "%s%s", folder, below);
    weft_status status = wf_config_read_file(config, path, NULL, err);
    free(path);
    return status;
}

weft_status weft_config_create(weft_config **config, weft_error *err)
{
    weft_status status = WEFT_ENOMEM;
    weft_config *made = wf_calloc(1, sizeof *made, err);
    if (!made) return status;
    made->settings = wf_calloc(wf_key_count(), sizeof *made->settings, err);
    if (!made->settings) goto out;
    status = set_defaults(made, err);
    if (!status) status = read_site_file(made, err);
    if (!status) status = read_user_file(made, err);
    if (!status) status = wf_config_read_environment(made, environ, err);
    if (status) goto out;
    *config = made;
    made = NULL;
out:
    weft_config_destroy(made);
    return status;
}

void weft_config_destroy(weft_config *config)
{
    if (!config) return;
    for (size_t i = 0; config->settings && i < wf_key_count(); i++) {
        free(config->settings[i].text);
        free(config->settings[i].origin);
    }
    free(config->settings);
    free(config);
}

/* A wrong key is a bug of the program; without assertions it reads as 0, false and NULL. */
static const setting *peek(const weft_config *config, const char *key, unsigned allowed_types)
{
    static const setting none = {0, NULL, NULL};
    size_t index = wf_key_find(key);
    bool is_right = index < wf_key_count() && (allowed_types >> wf_key_at(index)->type & 1u);
    assert(is_right && "a key that is not in the table, or not of this type");
    return is_right ? &config->settings[index] : &none;
}

int64_t weft_config_int(const weft_config *config, const char *key)
{
    return peek(config, key, 1u << WF_KEY_INT)->number;
}

uint64_t weft_config_bytes(const weft_config *config, const char *key)
{
    return (uint64_t)peek(config, key, 1u << WF_KEY_BYTES)->number;
}

int64_t weft_config_duration_ns(const weft_config *config, const char *key)
{
    return peek(config, key, 1u << WF_KEY_DURATION)->number;
}

bool weft_config_bool(const weft_config *config, const char *key)
{
    return peek(config, key, 1u << WF_KEY_BOOL)->number != 0;
}

const char *weft_config_text(const weft_config *config, const char *key)
{
    return peek(config, key, 1u << WF_KEY_CHOICE | 1u << WF_KEY_TEXT)->text;
}

const char *weft_config_origin(const weft_config *config, const char *key)
{
    return peek(config, key, ~0u)->origin;
}

bool weft_config_get_entry(const weft_config *config, size_t index, weft_config_entry *entry)
{
    static const char *const types[] = {
        [WF_KEY_INT] = "integer", [WF_KEY_BOOL] = "boolean", [WF_KEY_BYTES] = "bytes", [WF_KEY_DURATION] = "duration",
        [WF_KEY_CHOICE] = "choice", [WF_KEY_TEXT] = "text",
    };
    if (index >= wf_key_count()) return false;
    const wf_key *key = wf_key_at(index);
    const setting *shown = &config->settings[index];
    *entry = (weft_config_entry){key->name, types[key->type], shown->text, shown->number, key->unit, shown->origin, key->doc, ""};
    _Static_assert(sizeof entry->allowed >= WF_KEY_TEXT_LENGTH, "room for what wf_key_allowed writes");
    wf_key_allowed(key, entry->allowed);
    return true;
}

void weft_config_print(const weft_config *config, FILE *stream)
{
    char text[WF_KEY_TEXT_LENGTH];
    int key_width = (int)strlen("KEY"), value_width = (int)strlen("VALUE");
    for (size_t i = 0; i < wf_key_count(); i++) {
        const setting *shown = &config->settings[i];
        int key_length = (int)strlen(wf_key_at(i)->name);
        int value_length = (int)strlen(wf_key_format(wf_key_at(i), shown->text, shown->number, text));
        if (key_length > key_width) key_width = key_length;
        if (value_length > value_width) value_width = value_length;
    }
    fprintf(stream, "%-*s  %-*s  %s\n", key_width, "KEY", value_width, "VALUE", "ORIGIN");
    for (size_t i = 0; i < wf_key_count(); i++) {
        const setting *shown = &config->settings[i];
        const char *value = wf_key_format(wf_key_at(i), shown->text, shown->number, text);
        fprintf(stream, "%-*s  %-*s  %s\n    %s", key_width, wf_key_at(i)->name, value_width, value, shown->origin, wf_key_at(i)->doc);
        if (wf_key_at(i)->type == WF_KEY_CHOICE) fprintf(stream, " (%s)", wf_key_allowed(wf_key_at(i), text));
        fputc('\n', stream);
    }
}
