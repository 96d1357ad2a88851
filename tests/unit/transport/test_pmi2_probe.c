#include "transport/pmi2_probe.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft_test.h"

enum { RANKS_MAX = 16 };

static void maps_to(const char *mapping, int rank_count, const int32_t *expected, int expected_nodes)
{
    int32_t nodes[RANKS_MAX];
    int node_count = -5;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_pmi2_mapping_parse(mapping, rank_count, nodes, &node_count, &err), WEFT_OK);
    CU_ASSERT_EQUAL(node_count, expected_nodes);
    CU_ASSERT_EQUAL(memcmp(nodes, expected, (size_t)rank_count * sizeof *nodes), 0);
}

static void blocks_place_ranks_on_nodes(void)
{
    maps_to("(vector,(0,1,1))", 1, (int32_t[]){0}, 1);
    maps_to("(vector,(0,1,2),(1,1,1))", 3, (int32_t[]){0, 0, 1}, 2); /* srun -N2 -n3 */
    maps_to("(vector,(0,3,2))", 6, (int32_t[]){0, 0, 1, 1, 2, 2}, 3);
    maps_to("(vector,(0,2,1),(0,2,1))", 4, (int32_t[]){0, 1, 0, 1}, 2); /* cyclic */
    maps_to("(vector,(4,1,2),(7,2,1))", 4, (int32_t[]){4, 4, 7, 8}, 3);
    maps_to("(vector,(0,1,0),(5,0,3),(1,1,2))", 2, (int32_t[]){1, 1}, 1);
}

static void blocks_start_over_and_are_cut_with_the_ranks(void)
{
    maps_to("(vector,(0,2,1))", 5, (int32_t[]){0, 1, 0, 1, 0}, 2);
    maps_to("(vector,(0,4,2))", 3, (int32_t[]){0, 0, 1}, 2);
    maps_to("(vector,(0,1000000000,1000000000))", 2, (int32_t[]){0, 0}, 1);
}

static void outputs_that_nobody_wants_are_left_out(void)
{
    int node_count = 0;
    int32_t nodes[2] = {9, 9};
    CU_ASSERT_EQUAL(wf_pmi2_mapping_parse("(vector,(0,2,1))", 2, NULL, &node_count, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(node_count, 2);
    CU_ASSERT_EQUAL(wf_pmi2_mapping_parse("(vector,(0,2,1))", 2, nodes, NULL, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(nodes[1], 1);
}

static void malformed_mappings_are_refused(void)
{
    static const char *const bad[] = {"", "vector", "(vector", "(vector)", "(vector,", "(vector,)", "(vector,(0,1,1)", "(vector,(0,1,1)))",
                                      "(vector,(0,1))", "(vector,(0,1,1,1))", "(vector,(0,1,x))", "(vector,(-1,1,1))", "(vector,(0,1,))",
                                      "(vector,(0,1,0))", "(vector,(0,0,1))", "(vector,(0,1,1) )", "(matrix,(0,1,1))",
                                      "(vector,(0,1,99999999999999999999999))", "(vector,(2147483647,1,1))", "(vector,(0,1,1),(0",
                                      "(vector(0,1,1))", "(vector,(,1,1))"};
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        weft_error err = WEFT_ERROR_INIT;
        int node_count = -5;
        int32_t nodes[2] = {9, 9};
        weft_status status = wf_pmi2_mapping_parse(bad[i], 2, nodes, &node_count, &err);
        if (status != WEFT_EDATA) printf("    %s\n", bad[i]);
        CU_ASSERT_EQUAL(status, WEFT_EDATA);
        CU_ASSERT_EQUAL(node_count, -5);
        CU_ASSERT_EQUAL(nodes[0], 9);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "PMI_process_mapping"));
    }
    CU_ASSERT_EQUAL(wf_pmi2_mapping_parse("(vector,(0,1,1))", 0, NULL, NULL, NULL), WEFT_EDATA);
}

static void probe_is_refused(wf_pmi2 before)
{
    wf_pmi2 pmi2 = before;
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(wf_pmi2_probe(&pmi2, &err), WEFT_EUNSUPPORTED);
    CU_ASSERT_EQUAL(memcmp(&pmi2, &before, sizeof pmi2), 0);
    CU_ASSERT_NOT_EQUAL(err.text[0], '\0');
}

static void without_a_server_nothing_is_asked(void)
{
    static const char *const bad[] = {"", "x", "-1", "999", "99999999999", "3x"};
    wf_pmi2 before = {-7, -7, -7, "before"};
    unsetenv("PMI_FD");
    probe_is_refused(before);
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        setenv("PMI_FD", bad[i], 1);
        probe_is_refused(before);
    }
}

static void point_at(int fd)
{
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    setenv("PMI_FD", number, 1);
}

static void a_pipe_or_a_closed_connection_is_no_server(void)
{
    int ends[2], pair[2];
    wf_pmi2 before = {-7, -7, -7, "before"};
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    point_at(ends[0]);
    probe_is_refused(before);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[1]); /* as after somebody's PMI2_Finalize; writing would raise SIGPIPE */
    point_at(pair[0]);
    probe_is_refused(before);
    close(pair[0]);
    close(ends[0]);
    close(ends[1]);
}

#ifdef WEFT_HAVE_PMI2

/* A PMI-2 server: each message is its length in six characters, then "cmd=...;". */
typedef struct server {
    int fd;
    const char *mapping;
    bool refuses;
    bool saw_finalize;
} server;

static void answer(int fd, const char *text)
{
    char message[2048];
    int length = snprintf(message, sizeof message, "%6zu%s", strlen(text), text);
    CU_ASSERT_EQUAL(write(fd, message, (size_t)length), length);
}

static bool read_exactly(int fd, char *into, size_t bytes)
{
    for (size_t have = 0; have < bytes;) {
        ssize_t got = read(fd, into + have, bytes - have);
        if (got <= 0) return false;
        have += (size_t)got;
    }
    into[bytes] = '\0';
    return true;
}

static void *serve(void *argument)
{
    server *self = argument;
    char length[7], text[2048], reply[2048];
    /* PMI2_Init greets in PMI-1's way, by lines, before it turns to PMI-2. */
    for (size_t i = 0; i < sizeof text - 1; i++) {
        if (!read_exactly(self->fd, text + i, 1)) goto out;
        if (text[i] == '\n') break;
    }
    static const char greeting[] = "cmd=response_to_init pmi_version=2 pmi_subversion=0 rc=0\n";
    CU_ASSERT_EQUAL(write(self->fd, greeting, sizeof greeting - 1), (ssize_t)(sizeof greeting - 1));
    while (read_exactly(self->fd, length, 6)) {
        size_t bytes = strtoul(length, NULL, 10);
        if (bytes >= sizeof text || !read_exactly(self->fd, text, bytes)) break;
        if (strstr(text, "cmd=fullinit;")) {
            answer(self->fd, self->refuses ? "cmd=fullinit-response;rc=14;errmsg=no;"
                                           : "cmd=fullinit-response;pmi-version=2;pmi-subversion=0;rank=2;size=3;appnum=-1;rc=0;");
        } else if (strstr(text, "cmd=job-getid;")) {
            answer(self->fd, "cmd=job-getid-response;jobid=4.0;rc=0;");
        } else if (strstr(text, "cmd=info-getjobattr;")) {
            snprintf(reply, sizeof reply, "cmd=info-getjobattr-response;found=%s;value=%s;rc=0;", self->mapping ? "TRUE" : "FALSE",
                     self->mapping ? self->mapping : "");
            answer(self->fd, reply);
        } else if (strstr(text, "cmd=finalize;")) {
            self->saw_finalize = true;
            answer(self->fd, "cmd=finalize-response;rc=0;");
            break;
        } else {
            break;
        }
    }
out:
    close(self->fd);
    return NULL;
}

static weft_status probe(server *self, wf_pmi2 *pmi2, weft_error *err)
{
    int pair[2];
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    self->fd = pair[1];
    point_at(pair[0]);
    setenv("PMI_RANK", "2", 1);
    setenv("PMI_SIZE", "3", 1);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, serve, self), 0);
    weft_status status = wf_pmi2_probe(pmi2, err);
    shutdown(pair[0], SHUT_RDWR);
    pthread_join(thread, NULL);
    close(pair[0]);
    return status;
}

static void a_server_tells_who_we_are(void)
{
    server self = {.mapping = "(vector,(0,1,2),(1,1,1))"};
    wf_pmi2 pmi2 = {-7, -7, -7, ""};
    weft_error err = WEFT_ERROR_INIT;
    CU_ASSERT_EQUAL(probe(&self, &pmi2, &err), WEFT_OK);
    CU_ASSERT_EQUAL(pmi2.rank, 2);
    CU_ASSERT_EQUAL(pmi2.size, 3);
    CU_ASSERT_EQUAL(pmi2.node_count, 2);
    CU_ASSERT_STRING_EQUAL(pmi2.job_id, "4.0");
    CU_ASSERT_TRUE(self.saw_finalize);
}

static void a_server_without_a_mapping_leaves_the_nodes_unknown(void)
{
    server silent = {.mapping = NULL}, confused = {.mapping = "(vector,(0,1"};
    wf_pmi2 pmi2 = {-7, -7, -7, ""};
    CU_ASSERT_EQUAL(probe(&silent, &pmi2, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(pmi2.size, 3);
    CU_ASSERT_EQUAL(pmi2.node_count, -1);
    CU_ASSERT_EQUAL(probe(&confused, &pmi2, NULL), WEFT_OK);
    CU_ASSERT_EQUAL(pmi2.node_count, -1);
}

/* In a child that ends without a check for leaks: libpmi2 itself leaks the refusal. */
static void a_server_that_refuses_is_told(void)
{
    int status = 0;
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        server self = {.refuses = true};
        wf_pmi2 pmi2 = {-7, -7, -7, ""};
        weft_error err = WEFT_ERROR_INIT;
        bool is_right = probe(&self, &pmi2, &err) == WEFT_ELAUNCH && pmi2.size == -7 && err.text[0];
        _exit(is_right ? 0 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(blocks_place_ranks_on_nodes),
        WEFT_TEST(blocks_start_over_and_are_cut_with_the_ranks),
        WEFT_TEST(outputs_that_nobody_wants_are_left_out),
        WEFT_TEST(malformed_mappings_are_refused),
        WEFT_TEST(without_a_server_nothing_is_asked),
        WEFT_TEST(a_pipe_or_a_closed_connection_is_no_server),
#ifdef WEFT_HAVE_PMI2
        WEFT_TEST(a_server_tells_who_we_are),
        WEFT_TEST(a_server_without_a_mapping_leaves_the_nodes_unknown),
        WEFT_TEST(a_server_that_refuses_is_told),
#endif
    };
    return weft_test_run("transport/pmi2_probe", cases, WEFT_COUNT_OF(cases));
}
