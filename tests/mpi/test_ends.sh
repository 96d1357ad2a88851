#!/usr/bin/env bash
# How programs end under mpirun: exit codes, what is printed, and that nothing is left (run_ranks.sh looks after that).
#
# usage: test_ends.sh ENDS ENDS_WITHOUT_KERNELS      the two programs built from ends.c
set -uo pipefail
here=$(dirname "$0")
ends=$1 without=$2
output=$(mktemp)
trap 'rm -f "$output"' EXIT
failed=0

# expect NAME CODE PATTERN RANKS [ARGUMENT...]: mpirun's exit code, and a line that must be in the output.
expect() {
  local name=$1 code=$2 pattern=$3 ranks=$4 status
  shift 4
  "$here/../harness/run_ranks.sh" "$ranks" 40 "$@" >"$output" 2>&1
  status=$?
  if [ "$status" -eq "$code" ] && grep -Eq -- "$pattern" "$output" && ! grep -Eq 'Segmentation|has been silent.*given up' "$output"; then
    echo "ok mpi/ends: $name"
  else
    echo "FAILED mpi/ends: $name"
    echo "    exit code $status for $code; wanted: $pattern"
    sed 's/^/    /' "$output"
    failed=1
  fi
}

export OMPI_MCA_orte_base_help_aggregate=1
expect the_clients_code_is_the_exit_code 7 'Exit code: +7' 3 "$ends" code 7
expect a_code_after_work_is_the_exit_code 3 'Exit code: +3' 3 "$ends" work-then-code 3
expect success_is_0 0 'client: OK' 3 "$ends" work
expect a_kernel_that_one_rank_lacks_is_named 1 'client: ENOENT rank 2: nap #[0-9]+: this rank has no kernel' 2 \
  "$ends" work : -n 1 "$without" work
expect a_memory_limit_exceeded_fails_the_task 1 'client: ENOMEM rank [0-9]: take #[0-9]+: .*memory\.limit' 3 \
  "$ends" take 1000000 --set memory.limit=5MB
# The rank to be killed is the one that ran the last task: rank 2, while partitions stay where they are sent.
expect a_killed_rank_is_noticed_and_named 0 'client: ELOST rank 2: .*rank 2 on [^ ]+ has been silent' 3 \
  --enable-recovery "$ends" lose 9 --set partition.move=off --set scheduler.lost_after=2s
expect a_killed_rank_is_noticed_with_rare_progress 0 'client: ELOST rank 2: ' 3 \
  --enable-recovery "$ends" lose 9 --set partition.move=off --set scheduler.lost_after=1s --set scheduler.progress_interval=5s
expect a_killed_rank_ends_an_ordinary_run 137 'signal 9' 3 "$ends" lose 9
expect an_unknown_key_is_a_usage_error 2 'nonsense\.key' 3 "$ends" work --set nonsense.key=1
INIT_MPI_FIRST=0 expect mpi_of_one_thread_is_refused 1 'MPI was initialised for one thread only' 3 "$ends" work
INIT_MPI_FIRST=2 expect mpi_that_the_program_initialised_is_used_and_left_to_it 0 'client: OK' 3 "$ends" work
exit $failed
