#!/usr/bin/env bash
# Every script of the tree parses; where shellcheck is installed, it finds nothing.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
failed=0
report() { # STATUS NAME
  if [ "$1" -eq 0 ]; then echo "ok $2"; else echo "FAILED $2"; failed=1; fi
}
while IFS= read -r script; do
  bash -n "$script"
  report $? "lint: bash parses $script"
  if command -v shellcheck >/dev/null; then
    shellcheck --severity=warning "$script"
    report $? "lint: shellcheck finds nothing in $script"
  fi
done < <({ find scripts tests apps -name '*.sh'; [ ! -e .ci/run ] || echo .ci/run; } | LC_ALL=C sort)
exit $failed
