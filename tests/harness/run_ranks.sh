#!/usr/bin/env bash
# Runs a test program on several ranks, and leaves no process and no file of theirs behind, however they end.
#
# usage: run_ranks.sh RANKS SECONDS PROGRAM [ARGUMENT...]
# Exit status: mpirun's; 1 when the time is over or when a process outlived mpirun.
set -uo pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. "$here/marked.sh"
ranks=$1 seconds=$2
shift 2

mark=$(new_mark)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ranks.XXXXXX")
if [ -w /dev/shm ]; then shared=$(mktemp -d /dev/shm/ranks.XXXXXX); else shared=$scratch; fi
clean() {
  kill_marked "$mark"
  rm -rf "$scratch" "$shared"
}
trap clean EXIT

start=$SECONDS
env "$mark" TMPDIR="$scratch" OMPI_MCA_btl_vader_backing_directory="$shared" \
  timeout --kill-after=10 "$seconds" "$here/../../scripts/mpirun.sh" -n "$ranks" "$@" </dev/null
status=$?
if [ $status -eq 124 ] || { [ $status -eq 137 ] && [ $((SECONDS - start)) -ge "$seconds" ]; }; then # 137 is also a killed rank
  echo "FAILED ${1##*/} on $ranks ranks: not done after $seconds s"
  exit 1
fi

for _ in 1 2 3 4 5 6 7 8 9 10; do # what mpirun has just ended may need a moment to go
  [ -n "$(marked_pids "$mark")" ] || exit $status
  sleep 0.2
done
echo "FAILED ${1##*/} on $ranks ranks: processes outlived mpirun: $(marked_pids "$mark" | xargs)"
exit 1
