/* weft info: asks the session and prints. Owns the list of ranks. The client's thread. */
#include "weft/info.h"

#include <stdlib.h>

#include "cli/main.h"
#include "weft/command.h"

static weft_status gather(const weft_session *session, info_facts *facts, weft_error *err)
{
    weft_status status = WEFT_OK;
    info_facts made = {weft_session_get_info(session), weft_session_get_machine_info(session), NULL};
    made.ranks = calloc((size_t)made.session.rank_count, sizeof *made.ranks);
    if (!made.ranks) return weft_fail(err, WEFT_ENOMEM, "no memory for %d ranks", made.session.rank_count);
    for (int i = 0; i < made.session.rank_count && !status; i++) status = weft_session_get_rank_info(session, i, &made.ranks[i], err);
    if (status)
        free(made.ranks);
    else
        *facts = made;
    return status;
}

static int client(weft_session *session, int argc, char **argv)
{
    bool as_json = false, all = false;
    const cli_option options[] = {
        CLI_FLAG("all", 'a', "a line for every rank, however many", &all),
        CLI_FLAG("json", 0, "print JSON, sizes in bytes", &as_json),
    };
    const char *const examples[] = {"weft info", "weft info --threads 2 --set pool.pin=false", "mpirun -n 4 weft info",
                                    "srun --mpi=pmix weft info --all", NULL};
    const cli_program program = {
        .name = "weft info",
        .description = "Shows what a program started in the same way would run on: the machine, the hardware threads that each rank was "
                       "given, the core that each thread of its pool is pinned to, the memory for chunks and what limits it, MPI, BLAS "
                       "and this build.",
        .options = options, .option_count = 2, .examples = examples,
    };
    cli_arguments arguments;
    weft_error error = WEFT_ERROR_INIT;
    info_facts facts = {.ranks = NULL};
    int code;
    if (!cli_options_read(&program, argc, argv, &arguments, &code)) return code;
    weft_status status = gather(session, &facts, &error);
    if (!status) status = as_json ? info_print_json(&facts, stdout, &error) : info_print_text(&facts, all, stdout, &error);
    free(facts.ranks);
    if (!status) return cli_exit_code(program.name, EXIT_SUCCESS);
    fprintf(stderr, "%s: %s\n", program.name, error.text);
    return EXIT_FAILURE;
}

int command_info(int argc, char **argv)
{
    return cli_main(argc, argv, client);
}
