#include <weft/config.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft_test.h"

/* A home of its own for each case, with neither site file nor variables of the person who runs the tests. */
typedef struct home_folder {
    char path[64];
    char site[96], user[96], standard[96];
} home_folder;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static void home_init(home_folder *home)
{
    clearenv();
    snprintf(home->path, sizeof home->path, "/tmp/weft_config_XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(home->path));
    snprintf(home->site, sizeof home->site, "%s/site.ini", home->path);
    snprintf(home->user, sizeof home->user, "%s/weft.ini", home->path);
    snprintf(home->standard, sizeof home->standard, "%s/.config", home->path);
    CU_ASSERT_EQUAL_FATAL(mkdir(home->standard, 0700), 0);
    snprintf(home->standard, sizeof home->standard, "%s/.config/weft.ini", home->path);
    write_file(home->site, "");
    setenv("WEFT_SITE_CONFIG", home->site, 1);
    setenv("HOME", home->path, 1);
}

static void home_fini(home_folder *home)
{
    unlink(home->site);
    unlink(home->user);
    unlink(home->standard);
    *strrchr(home->standard, '/') = '\0';
    rmdir(home->standard);
    CU_ASSERT_EQUAL(rmdir(home->path), 0);
}

static weft_config *create(void)
{
    weft_config *config = NULL;
    weft_error err = WEFT_ERROR_INIT;
    if (weft_config_create(&config, &err)) printf("    %s\n", err.text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    return config;
}

/* Expects create to fail with this status; the text is the caller's to check. */
static void create_fails(weft_status expected, weft_error *err)
{
    weft_config *config = NULL;
    CU_ASSERT_EQUAL(weft_config_create(&config, err), expected);
    CU_ASSERT_PTR_NULL(config);
    weft_config_destroy(config);
}

static void without_files_and_variables_everything_is_default(void)
{
    home_folder home;
    home_init(&home);
    weft_config *config = create();
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 0);
    CU_ASSERT_EQUAL(weft_config_int(config, "partition.per_rank"), 16);
    CU_ASSERT_TRUE(weft_config_bool(config, "pool.pin"));
    CU_ASSERT_EQUAL(weft_config_bytes(config, "transport.eager_bytes"), 4000);
    CU_ASSERT_EQUAL(weft_config_duration_ns(config, "scheduler.progress_interval"), 50000000);
    CU_ASSERT_EQUAL(weft_config_duration_ns(config, "transport.idle_sleep"), 1000000);
    CU_ASSERT_STRING_EQUAL(weft_config_text(config, "scheduler.kind"), "auto");
    CU_ASSERT_STRING_EQUAL(weft_config_text(config, "log.level"), "warning");
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "log.level"), "default");
    weft_config_destroy(config);
    home_fini(&home);
}

static void each_layer_overrides_the_one_below(void)
{
    home_folder home;
    char origin[160];
    home_init(&home);
    write_file(home.site, "[pool]\nthreads = 2\npin = off\n[partition]\nper_rank = 2\n[linalg]\ntsqr_fan_in = 2\n");
    write_file(home.user, "[pool]\nthreads = 3\n[partition]\nper_rank = 3\n");
    setenv("WEFT_CONFIG", home.user, 1);
    setenv("WEFT_POOL__THREADS", "4", 1);
    weft_config *config = create();
    CU_ASSERT_EQUAL(weft_config_int(config, "linalg.tsqr_fan_in"), 2);
    CU_ASSERT_EQUAL(weft_config_int(config, "partition.per_rank"), 3);
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 4);
    CU_ASSERT_FALSE(weft_config_bool(config, "pool.pin"));
    snprintf(origin, sizeof origin, "%s:7", home.site);
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "linalg.tsqr_fan_in"), origin);
    snprintf(origin, sizeof origin, "%s:4", home.user);
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "partition.per_rank"), origin);
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "pool.threads"), "environment WEFT_POOL__THREADS");
    CU_ASSERT_EQUAL(weft_config_set(config, "pool.threads", "5", "--set", NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 5);
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "pool.threads"), "--set");
    weft_config_destroy(config);
    home_fini(&home);
}

static void the_user_file_is_found_in_its_standard_places(void)
{
    home_folder home;
    home_init(&home);
    write_file(home.standard, "[pool]\nthreads = 6\n");
    weft_config *config = create();
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 6);
    weft_config_destroy(config);

    write_file(home.user, "[pool]\nthreads = 7\n");
    setenv("XDG_CONFIG_HOME", home.path, 1);
    config = create();
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 7);
    weft_config_destroy(config);

    setenv("XDG_CONFIG_HOME", "relative", 1);
    config = create();
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 6);
    weft_config_destroy(config);

    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    config = create();
    CU_ASSERT_EQUAL(weft_config_int(config, "pool.threads"), 0);
    weft_config_destroy(config);
    home_fini(&home);
}

static void a_file_that_a_variable_names_must_be_there(void)
{
    home_folder home;
    weft_error err = WEFT_ERROR_INIT;
    home_init(&home);
    setenv("WEFT_CONFIG", "/nowhere/weft.ini", 1);
    create_fails(WEFT_EIO, &err);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nowhere/weft.ini, named by WEFT_CONFIG: No such file"));
    unsetenv("WEFT_CONFIG");
    setenv("WEFT_SITE_CONFIG", "/nowhere/site.ini", 1);
    create_fails(WEFT_EIO, &err);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "named by WEFT_SITE_CONFIG"));
    home_fini(&home);
}

static void creating_fails_on_a_bad_variable_or_file(void)
{
    home_folder home;
    weft_error err = WEFT_ERROR_INIT;
    home_init(&home);
    setenv("WEFT_POOL__THREDS", "4", 1);
    create_fails(WEFT_ENOENT, &err);
    CU_ASSERT_STRING_EQUAL(err.text, "environment WEFT_POOL__THREDS: no such key; did you mean WEFT_POOL__THREADS?");
    unsetenv("WEFT_POOL__THREDS");
    write_file(home.site, "[pool]\nthreads = 0.5\n");
    create_fails(WEFT_EINVAL, &err);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/site.ini:2: pool.threads: \"0.5\" is not a whole number; allowed: 0 (one per core)"));
    home_fini(&home);
}

static void a_failed_set_leaves_the_value_and_its_origin(void)
{
    home_folder home;
    weft_error err = WEFT_ERROR_INIT;
    home_init(&home);
    weft_config *config = create();
    CU_ASSERT_EQUAL(weft_config_set(config, "transport.eager_bytes", "2MiB", "--set", &err), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, "--set: transport.eager_bytes: 2MiB is out of range; allowed: 256B to 1MiB");
    CU_ASSERT_EQUAL(weft_config_bytes(config, "transport.eager_bytes"), 4000);
    CU_ASSERT_STRING_EQUAL(weft_config_origin(config, "transport.eager_bytes"), "default");
    weft_config_destroy(config);
    home_fini(&home);
}

static void assignments_are_split_at_the_first_equals_sign(void)
{
    home_folder home;
    weft_error err = WEFT_ERROR_INIT;
    home_init(&home);
    weft_config *config = create();
    CU_ASSERT_EQUAL(weft_config_set_assignment(config, "memory.limit=1.5G", "--set", NULL), WEFT_OK);
    CU_ASSERT_EQUAL(weft_config_bytes(config, "memory.limit"), 1610612736);
    CU_ASSERT_EQUAL(weft_config_set_assignment(config, "log.level=info=debug", "--set", &err), WEFT_EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "\"info=debug\""));
    CU_ASSERT_EQUAL(weft_config_set_assignment(config, "pool.threads", "--set", &err), WEFT_EINVAL);
    CU_ASSERT_STRING_EQUAL(err.text, "--set: \"pool.threads\" has no value; write section.key=value");
    CU_ASSERT_EQUAL(weft_config_set_assignment(config, "pool.thread=4", "--set", &err), WEFT_ENOENT);
    CU_ASSERT_STRING_EQUAL(err.text, "--set: unknown key \"pool.thread\"; did you mean \"pool.threads\"?");
    CU_ASSERT_EQUAL(weft_config_set_assignment(config, "no.such_thing=4", "--set", &err), WEFT_ENOENT);
    CU_ASSERT_STRING_EQUAL(err.text, "--set: unknown key \"no.such_thing\"; `weft config` lists the keys");
    CU_ASSERT_EQUAL(weft_config_set_assignment(config, "=4", "--set", NULL), WEFT_ENOENT);
    CU_ASSERT_EQUAL(weft_config_set_assignment(config, "", "--set", NULL), WEFT_EINVAL);
    weft_config_destroy(config);
    home_fini(&home);
}

enum { TABLE_LENGTH = 16384 };

/* What weft_config_print prints; the caller frees it. */
static char *printed(const weft_config *config)
{
    char *text = calloc(1, TABLE_LENGTH);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    FILE *stream = fmemopen(text, TABLE_LENGTH, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    weft_config_print(config, stream);
    fclose(stream);
    return text;
}

/* Leaves the lines out that explain a key. */
static void drop_indented_lines(char *text)
{
    char *kept = text;
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        bool is_kept = line[0] != ' ';
        if (is_kept) memmove(kept, line, length);
        if (is_kept) kept += length;
        line += length;
    }
    *kept = '\0';
}

static void the_table_shows_every_value_with_unit_and_origin(void)
{
    static const char expected[] =
        "KEY                          VALUE                                         ORIGIN\n"
        "debug.check_rules            false                                         default\n"
        "linalg.leaf_rows             0 (from the L2 cache)                         default\n"
        "linalg.tsqr_fan_in           4 blocks                                      default\n"
        "log.level                    info                                          environment WEFT_LOG__LEVEL\n"
        "memory.limit                 0 (from the batch system, cgroup or machine)  default\n"
        "partition.method             auto                                          default\n"
        "partition.move               on                                            default\n"
        "partition.per_rank           16 partitions                                 default\n"
        "pool.pin                     false                                         --set\n"
        "pool.threads                 8 threads                                     --set\n"
        "scheduler.compute            auto                                          default\n"
        "scheduler.kind               auto                                          default\n"
        "scheduler.lost_after         1m                                            default\n"
        "scheduler.progress_interval  1.5s                                          --set\n"
        "transport.eager_bytes        4000B                                         default\n"
        "transport.idle_sleep         1ms                                           default\n"
        "transport.thread             auto                                          default\n";
    home_folder home;
    home_init(&home);
    setenv("WEFT_LOG__LEVEL", "info", 1);
    weft_config *config = create();
    weft_config_set(config, "pool.pin", "no", "--set", NULL);
    weft_config_set(config, "pool.threads", "8", "--set", NULL);
    weft_config_set(config, "scheduler.progress_interval", "1500ms", "--set", NULL);
    char *text = printed(config);
    drop_indented_lines(text);
    CU_ASSERT_STRING_EQUAL(text, expected);
    free(text);
    weft_config_destroy(config);
    home_fini(&home);
}

static void the_table_explains_each_key_below_its_value(void)
{
    home_folder home;
    home_init(&home);
    weft_config *config = create();
    char *text = printed(config);
    const char *row = strstr(text, "\npool.pin ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    const char *below = strchr(row + 1, '\n'), *expected = "\n    pin each pool thread to a core\n";
    CU_ASSERT_PTR_NOT_NULL_FATAL(below);
    CU_ASSERT_EQUAL(strncmp(below, expected, strlen(expected)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n    what cuts a graph into partitions (auto, metis or greedy)\n"));
    free(text);
    weft_config_destroy(config);
    home_fini(&home);
}

static void entries_list_every_key_in_order_with_what_is_allowed(void)
{
    home_folder home;
    home_init(&home);
    weft_config *config = create();
    weft_config_set(config, "scheduler.progress_interval", "1500ms", "--set", NULL);
    weft_config_entry entry, before = {.key = ""};
    size_t count = 0;
    bool is_seen = false;
    for (; weft_config_get_entry(config, count, &entry); count++) {
        CU_ASSERT_TRUE(strcmp(before.key, entry.key) < 0);
        CU_ASSERT_STRING_EQUAL(entry.origin, weft_config_origin(config, entry.key));
        CU_ASSERT_TRUE(entry.doc[0] && entry.allowed[0]);
        before = entry;
        if (strcmp(entry.key, "scheduler.progress_interval") != 0) continue;
        is_seen = true;
        CU_ASSERT_STRING_EQUAL(entry.type, "duration");
        CU_ASSERT_STRING_EQUAL(entry.text, "1500ms");
        CU_ASSERT_EQUAL(entry.number, 1500000000);
        CU_ASSERT_STRING_EQUAL(entry.origin, "--set");
        CU_ASSERT_STRING_EQUAL(entry.allowed, "1ms to 1m");
    }
    CU_ASSERT_TRUE(is_seen && count > 10);
    entry = before;
    CU_ASSERT_FALSE(weft_config_get_entry(config, count, &entry));
    CU_ASSERT_STRING_EQUAL(entry.key, before.key);
    weft_config_destroy(config);
    home_fini(&home);
}

static void destroying_nothing_is_allowed(void)
{
    weft_config_destroy(NULL);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(without_files_and_variables_everything_is_default),
        WEFT_TEST(each_layer_overrides_the_one_below),
        WEFT_TEST(the_user_file_is_found_in_its_standard_places),
        WEFT_TEST(a_file_that_a_variable_names_must_be_there),
        WEFT_TEST(creating_fails_on_a_bad_variable_or_file),
        WEFT_TEST(a_failed_set_leaves_the_value_and_its_origin),
        WEFT_TEST(assignments_are_split_at_the_first_equals_sign),
        WEFT_TEST(the_table_shows_every_value_with_unit_and_origin),
        WEFT_TEST(the_table_explains_each_key_below_its_value),
        WEFT_TEST(entries_list_every_key_in_order_with_what_is_allowed),
        WEFT_TEST(destroying_nothing_is_allowed),
    };
    return weft_test_run("config/config", cases, WEFT_COUNT_OF(cases));
}
