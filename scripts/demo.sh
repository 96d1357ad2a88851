#!/usr/bin/env bash
# Installs what is missing, builds weft in build/, and runs its main job: the SVD of a tall-skinny matrix and a PCA of real data.
#
# usage: scripts/demo.sh [--no-setup]
# Results, logs and pictures go to build/demo. Exit status: 0 everything ran, 1 not, 2 usage.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  '') scripts/setup.sh ;;
  --no-setup) ;;
  --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

out=build/demo
mkdir -p "$out"

build() {
  local start=$SECONDS options=()
  # The tests need more packages; a build folder that has them keeps them.
  [ -e build/CMakeCache.txt ] || options=(-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF)
  if ! { cmake -S . -B build "${options[@]}" && cmake --build build -j "$(nproc)"; } >"$out/build.log" 2>&1; then
    tail -n 30 "$out/build.log" >&2
    echo "demo.sh: the build failed; all of its output: $out/build.log" >&2
    exit 1
  fi
  echo "built in $((SECONDS - start)) s: build/bin/weft-svd"
}

# run NAME COMMAND...: leaves what the command prints in build/demo/NAME.json.
run() {
  local name=$1
  shift
  echo "\$ $*"
  if ! "$@" --json >"$out/$name.json" 2>"$out/$name.log" </dev/null; then
    cat "$out/$name.log" >&2
    echo "demo.sh: this command failed: $*" >&2
    exit 1
  fi
}

# field NAME KEY: a value of NAME.json; of an array what stands between the brackets; - when there is none.
field() {
  tr -d '\n' <"$out/$1.json" | awk -v key="\"$2\"" '
    { at = index($0, key)
      value = at ? substr($0, at + length(key)) : ""
      sub(/^[ \t]*:[ \t]*/, "", value)
      if (value ~ /^\[/) { sub(/^\[/, "", value); sub(/\].*/, "", value) } else sub(/[ \t]*[,}].*/, "", value)
      print value == "" || value == "null" ? "-" : value }'
}

number() { # NAME KEY FORMAT [DIVISOR]
  field "$1" "$2" | awk -v format="$3" -v divisor="${4:-1}" '{ if ($1 == "-") print; else printf format "\n", $1 / divisor }'
}

line() { printf '%-36s %15s %9s %11s %10s %14s %9s\n' "$@"; }

row() { # NAME CASE
  line "$2" "$(field "$1" ranks) x $(field "$1" threads_per_rank)" "$(number "$1" build_seconds %.3f)" \
    "$(number "$1" compute_seconds %.3f)" "$(number "$1" residual %.1e)" "$(number "$1" orthogonality %.1e)" \
    "$(number "$1" peak_rss_bytes %.0f 1048576)"
}

first_values() { # NAME
  field "$1" singular_values | tr ',' '\n' | awk 'NR <= 5 { printf "%s%.6f", (NR > 1 ? "  " : ""), $1 } END { print (NR > 5 ? "  ..." : "") }'
}

build
matrix=(--rows 200000 --cols 100 --chunk 10000 --check)
run svd_threads build/bin/weft-svd "${matrix[@]}" --graph "$out/svd-graph.svg"
run svd_mpi scripts/mpirun.sh -n 3 build/bin/weft-svd "${matrix[@]}"
run pca_digits build/bin/weft-svd --input tests/data/digits.csv --chunk 300 --center --components 10 --check --graph "$out/pca-graph.svg"

echo
line case 'ranks x threads' 'build s' 'compute s' residual orthogonality 'peak MiB'
row svd_threads "SVD 200,000 x 100, thread pool"
row svd_mpi "SVD 200,000 x 100, mpirun -n 3"
row pca_digits "PCA of 1,797 x 65 digits, 10 of 65"
echo "  (of the PCA, the residual is what its other 55 components hold)"
echo
echo "first singular values"
for name in svd_threads svd_mpi pca_digits; do printf '  %-12s %s\n' $name "$(first_values $name)"; done
if [ "$(field svd_threads singular_values)" = "$(field svd_mpi singular_values)" ]; then
  echo "  the thread pool and the three ranks agree in every bit"
else
  echo "demo.sh: the thread pool and the three ranks differ; compare $out/svd_threads.json with $out/svd_mpi.json" >&2
  exit 1
fi
echo
echo "pictures of the task graphs: $out/svd-graph.svg, $out/pca-graph.svg"
echo "all results:                 $out/*.json"
