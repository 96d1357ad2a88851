/* weft-taskbench: how fast weft runs task graphs of all sorts, in the manner of Task Bench. Runs on rank 0 alone. */
#include "cli/main.h"
#include "layers.h"
#include "report.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

static int client(weft_session *session, int argc, char **argv)
{
    static const bench_program program = {
        .name = "weft-taskbench",
        .description = "Measures what a task costs, by running task graphs in the manner of Task Bench.",
    };
    bench_command_line line;
    weft_error err = WEFT_ERROR_INIT;
    int code;
    if (!bench_command_line_read(&program, &line, argc, argv, &code)) return cli_exit_code(program.name, code); /* session is NULL then */
    weft_session_info info = weft_session_get_info(session);
    const bench_system system = {"weft", info.scheduler, info.worker_count, info.threads_per_worker, session, bench_layers_run};
    weft_status status = bench_report_run(&line, &system, true, &err);
    if (status == WEFT_OK) return cli_exit_code(program.name, EXIT_DONE);
    weft_error_print(stderr, program.name, &err);
    return status == WEFT_EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

int main(int argc, char **argv) { return cli_main(argc, argv, client); }
