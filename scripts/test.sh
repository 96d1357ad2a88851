#!/usr/bin/env bash
# Installs what is missing, builds with gcc, clang and sanitizers, and runs every test; the last line is "N passed, N failed".
#
# usage: scripts/test.sh [--quick] [--no-setup]
#   --quick      the gcc build, its unit tests, MPI tests and tests of programs only
#   --no-setup   install nothing
# Builds in build-ci, build-ci-clang, build-asan and build-tsan, where also the logs are. Exit status: 0 all passed, 1 not, 2 usage.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=/dev/null
. tests/harness/marked.sh

quick=no setup=yes
for option; do
  case $option in
    --quick) quick=yes ;;
    --no-setup) setup=no ;;
    --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
if [ $setup = yes ]; then scripts/setup.sh --tests || exit 1; fi

jobs=$(nproc)
passed=0 failed=0 skipped=0
mark=$(new_mark)
trap 'kill_marked "$mark"' EXIT

add() { # PASSED FAILED SKIPPED
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# build PRESET: one case.
build() {
  local log=build-$1/build.log start=$SECONDS
  mkdir -p "build-$1"
  if env "$mark" cmake --preset "$1" >"$log" 2>&1 && env "$mark" cmake --build "build-$1" -j "$jobs" >>"$log" 2>&1; then
    add 1 0 0
    echo "$1: built ($((SECONDS - start)) s)"
  else
    add 0 1 0
    echo "$1: build FAILED"
    grep -E -m 20 -A5 'error:|Error\b' "$log" || tail -n 20 "$log"
    return 1
  fi
}

# run_tests PRESET LABELS [LAUNCHER...]: the tests with these labels, and nothing may be left running after them.
run_tests() {
  local preset=$1 labels=$2 start=$SECONDS log=build-$1/test.log totals=build-$1/totals status left counts
  shift 2
  rm -f "$totals"
  env "$mark" "$@" ctest --test-dir "build-$preset" --verbose -j "$jobs" --no-tests=error -L "^($labels)\$" </dev/null >"$log" 2>&1
  status=$?
  awk -v totals="$totals" -f tests/harness/count_cases.awk "$log"
  read -ra counts <"$totals" || counts=(0 0 0)
  if [ $status -ne 0 ] && [ "${counts[1]}" -eq 0 ]; then
    counts[1]=1
    tail -n 6 "$log"
  fi
  left=$(marked_pids "$mark" | xargs)
  if [ -n "$left" ]; then
    counts[1]=$((counts[1] + 1))
    echo "  FAILED processes were left running: $left"
    kill_marked "$mark"
  fi
  add "${counts[@]}"
  echo "$preset: ${labels//|/, }: ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped ($((SECONDS - start)) s)"
}

if [ $quick = yes ]; then
  build ci && run_tests ci 'unit|mpi|apps'
else
  # The sanitizers of these compilers need an address space without much randomness, which newer kernels do not give by themselves.
  fixed=()
  if setarch -R true 2>/dev/null; then fixed=(setarch -R); fi
  build ci && run_tests ci 'unit|mpi|apps|scripts|install'
  build ci-clang && run_tests ci-clang unit
  build asan && run_tests asan 'unit|mpi|apps' "${fixed[@]}"
  build tsan && run_tests tsan unit "${fixed[@]}"
fi

[ $skipped -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
