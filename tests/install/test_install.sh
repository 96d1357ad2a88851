#!/usr/bin/env bash
# Installs a build to a prefix, moves that, and builds and runs a program of somebody else on it: by find_package and by pkg-config.
#
# usage: test_install.sh BUILD_FOLDER C_COMPILER
set -uo pipefail
build=$1 compiler=$2
consumer=$(cd "$(dirname "$0")" && pwd)/consumer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # NAME COMMAND...: one case; its output is shown when it fails
  local name=$1
  shift
  if "$@" >"$work/log" 2>&1; then
    echo "ok install: $name"
  else
    echo "FAILED install: $name"
    sed 's/^/    /' "$work/log"
    failed=1
  fi
}

install_and_move() {
  cmake --install "$build" --prefix "$work/first" && mv "$work/first" "$work/weft"
}
headers_compile_alone() {
  local header status=0
  for header in "$work"/weft/include/weft/*.h; do
    echo "#include <weft/${header##*/}>" |
      "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$work/weft/include" -fsyntax-only -x c - || status=1
  done
  return $status
}
only_public_files() { # nothing of the library's inside, and no path of the build in what is text
  ! find "$work/weft/include" -type f ! -path '*/include/weft/*' | grep . &&
    ! grep -rIl -e "$work/first" -e "$(cd "$build" && pwd)" "$work/weft"
}
found_by_cmake() {
  cmake -S "$consumer" -B "$work/by_cmake" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/weft" &&
    cmake --build "$work/by_cmake" && "$work/by_cmake/consumer"
}
found_by_pkg_config() {
  local pc flags
  pc=$(find "$work/weft" -name weft.pc) || return 1
  read -ra flags < <(PKG_CONFIG_PATH=${pc%/*} pkg-config --cflags --libs weft) || return 1
  "$compiler" -std=c11 -o "$work/by_pkg_config" "$consumer/consumer.c" "${flags[@]}" -Wl,-rpath,"$(dirname "${pc%/*}")" &&
    "$work/by_pkg_config"
}
programs_find_their_libraries() {
  local program status=0
  for program in "$work"/weft/bin/*; do
    [ -e "$program" ] || continue
    if ldd "$program" | grep 'not found'; then echo "$program"; status=1; fi
    if ! ldd "$program" | grep libweft | grep -qF "$work/weft/"; then echo "$program: not the installed libweft"; status=1; fi
  done
  return $status
}

check "cmake --install succeeds and the result can be moved" install_and_move
check "nothing but public headers is installed and no file names the build folder" only_public_files
check "every public header compiles alone" headers_compile_alone
check "a consumer builds by find_package and runs" found_by_cmake
check "a consumer builds by pkg-config and runs" found_by_pkg_config
check "installed programs find their libraries" programs_find_their_libraries
exit $failed
