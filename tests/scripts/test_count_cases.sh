#!/usr/bin/env bash
# Whether the totals that scripts/test.sh prints are right: a made-up output of ctest, in which tests end in every way there is.
set -uo pipefail
counter=$(dirname "$0")/../harness/count_cases.awk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

expect() { # NAME "PASSED FAILED SKIPPED" TEXT-SHOWN: of the log on standard input
  local shown got
  shown=$(awk -v totals="$work/totals" -f "$counter")
  got=$(cat "$work/totals")
  if [ "$got" = "$2" ] && [ "$shown" = "$3" ]; then
    echo "ok count_cases: $1"
  else
    echo "FAILED count_cases: $1"
    printf '    expected: %s\n%s\n    got: %s\n%s\n' "$2" "$3" "$got" "$shown"
    failed=1
  fi
}

expect "cases of a passing test are counted and not shown" "2 0 1" "" <<'END'
 1: Test timeout computed to be: 120
 1: ok base/error: a
12: ok base/error: of another test
 1: ok base/error: b
 1: skipped base/error: c: no such machine
 1/3 Test  #1: unit.base.test_error .............   Passed    0.00 sec
END
expect "a test without cases is one case" "1 0 0" "" <<'END'
1/1 Test #4: scripts.layers ...................   Passed    0.01 sec
END
expect "a failed case is counted once and shown with what it printed" "1 1 0" "  unit.base.test_error: ***Failed    0.00 sec
    FAILED base/error: b
        test_error.c:6: 1==2" <<'END'
1: Environment variables: 
1:  ASAN_OPTIONS=fast_unwind_on_malloc=0
1: ok base/error: a
1: FAILED base/error: b
1:     test_error.c:6: 1==2
1/1 Test #1: unit.base.test_error ...............***Failed    0.00 sec
END
expect "a crash is one failed case more than what passed before it" "1 1 0" "  unit.x: Subprocess aborted***Exception:   0.00 sec" <<'END'
2: ok x: a
1/1 Test #2: unit.x ............................Subprocess aborted***Exception:   0.00 sec
END
expect "a time-out, a missing program and a plain failure are one failed case each" "0 3 0" "  a: ***Timeout   2.00 sec
  b: ***Not Run   0.00 sec
  c: ***Failed    0.00 sec" <<'END'
 9/12 Test  #1: a .............................***Timeout   2.00 sec
10/12 Test #12: b .............................***Not Run   0.00 sec
11/12 Test #13: c .............................***Failed    0.00 sec
END
expect "a failed case counts although its program returned 0" "0 1 0" "  a:    Passed    0.00 sec
    FAILED a: x" <<'END'
1: FAILED a: x
1/1 Test #1: a ....................   Passed    0.00 sec
END
expect "a skipped test is one skipped case" "0 0 1" "" <<'END'
1/1 Test #16: a ...........................***Skipped   0.00 sec
END
exit $failed
