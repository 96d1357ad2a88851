#!/usr/bin/env bash
# Plants offences in a small tree and looks whether check_layers.sh names each, and nothing else.
set -uo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

plant() { # FILE LINE...
  local file="$work/$1"
  shift
  mkdir -p "${file%/*}"
  printf '%s\n' "$@" >"$file"
}
start_tree() {
  rm -rf "$work/runtime" "$work/apps"
  mkdir -p "$work/runtime/include/weft" "$work/apps"
  plant runtime/include/weft/weft.h '#include <stdint.h>'
  plant runtime/base/log.h '#include <weft/weft.h>'
  plant runtime/store/store.h '#include "base/log.h"'
  plant runtime/cluster/worker.h
  plant runtime/client/session.h
}
expect() { # NAME OUTPUT: what the checker must print, FILE:LINE only, one per line; starts a new tree afterwards
  local got status
  got=$("$top/scripts/check_layers.sh" "$work")
  status=$?
  got=$(sed -n 's/^\([^:]*:[0-9]*\): .*/\1/p' <<<"$got")
  if [ "$got" = "$2" ] && [ $status -eq $((${#2} > 0)) ]; then
    echo "ok check_layers: $1"
  else
    echo "FAILED check_layers: $1"
    printf '    expected:\n%s\n    printed (exit status %d):\n%s\n' "$2" $status "$got"
    failed=1
  fi
  start_tree
}

start_tree
plant runtime/exec/pool.c '#include "pool.h"' '#include "store/store.h"' '#include <store/store.h>' '#include "exec/pool.h"'
plant runtime/exec/pool.h '#include <pthread.h>' '#include "base/log.h"' '/* #include "cluster/worker.h" */'
plant apps/svd/svd.c '#include <weft/weft.h>' '#include "options.h"' '#include <openblas/cblas.h>' '#include "svd/options.h"'
plant apps/svd/options.h
plant apps/cli/options.h
plant apps/cli/options.c '#include "options.h"' '#include "base/log.h"'
plant apps/svd/report.c '#include "cli/options.h"'
expect "what the layers allow passes" ""

plant runtime/base/error.c '' '#include "store/store.h"'
plant runtime/store/spill.c '  #  include <cluster/worker.h>'
expect "a higher layer is named with file and line" "runtime/base/error.c:2
runtime/store/spill.c:1"

plant runtime/graph/order.c '#include "store/store.h"'
plant runtime/transport/mpi.c '#include "exec/pool.h"'
plant runtime/topology/pin.c '#include "config/config.h"'
expect "a layer of the same height is refused" "runtime/graph/order.c:1
runtime/topology/pin.c:1
runtime/transport/mpi.c:1"

plant runtime/array/array.c '#include "client/session.h"' '#include "cluster/worker.h"'
plant runtime/linalg/tsqr.c '#include "cluster/worker.h"' '#include "array/array.h"'
expect "collections know the client but not the cluster" "runtime/array/array.c:2
runtime/linalg/tsqr.c:1"

plant runtime/base/error.c '#include "../store/store.h"' '#include "gone.h"' '#include "nowhere/gone.h"'
expect "a way round the layers is refused" "runtime/base/error.c:1
runtime/base/error.c:2
runtime/base/error.c:3"

plant runtime/include/weft/chunk.h '#include <weft/weft.h>' '#include "base/log.h"' '#include <store/store.h>'
expect "a public header stands on public headers alone" "runtime/include/weft/chunk.h:2
runtime/include/weft/chunk.h:3"

plant runtime/helpers/strings.c ''
expect "a folder that is no layer is refused" "runtime/helpers/strings.c:1"

plant apps/svd/svd.c '#include "base/log.h"' '#include <store/store.h>' '#include "../reduce/reduce.h"' '#include "reduce/reduce.h"'
plant apps/reduce/reduce.h
plant apps/cli/options.c '#include "store/store.h"'
expect "an app reaches neither a layer nor another app" "apps/cli/options.c:1
apps/svd/svd.c:1
apps/svd/svd.c:2
apps/svd/svd.c:3
apps/svd/svd.c:4"
exit $failed
