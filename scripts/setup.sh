#!/usr/bin/env bash
# Installs the Debian packages that weft is built from and that are not there yet; a second run needs no network and no root.
#
# usage: scripts/setup.sh [--tests] [--print]
#   --tests   also what the tests need
#   --print   only list the packages
# Exit status: 0 everything is there; 1 something is missing and could not be installed; 2 usage.
set -euo pipefail

build=(gcc libc6-dev make cmake pkg-config libopenmpi-dev openmpi-bin libhwloc-dev libopenblas-dev liblapacke-dev
       libjansson-dev libinih-dev uthash-dev librandom123-dev libpmi2-0-dev libmetis-dev
       graphviz)
tests=(libcunit1-dev clang python3-numpy)

usage() { sed -n '2,7s/^# \{0,1\}//p' "$0"; }

wanted=("${build[@]}")
print=no
for option; do
  case $option in
    --tests) wanted+=("${tests[@]}") ;;
    --print) print=yes ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

if [ "$print" = yes ]; then
  printf '%s\n' "${wanted[@]}"
  exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  {
    echo "setup.sh: this is not Debian or Ubuntu. Install what these packages hold (the names are Debian's),"
    echo "then start the script that called this one with --no-setup:"
    printf '  %s\n' "${wanted[@]}"
  } >&2
  exit 1
fi

# The packages of the arguments that are not installed.
missing_of() {
  local installed
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p') || true
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

mapfile -t missing < <(missing_of "${wanted[@]}")
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup.sh: neither root nor sudo; ask your administrator for: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "setup: installing ${missing[*]}"
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  echo "setup.sh: apt-get failed (above); install by hand: ${missing[*]}" >&2
  exit 1
fi
mapfile -t missing < <(missing_of "${missing[@]}")
if [ "${#missing[@]}" -gt 0 ]; then
  echo "setup.sh: still missing after apt-get: ${missing[*]}" >&2
  exit 1
fi
