# shellcheck shell=bash
# Sourced. Processes are found by a NAME=VALUE in their environment, which ranks inherit whatever process group or parent they have.

new_mark() { echo "TEST_MARK_$$=$(date +%s%N)"; }
marked_pids() { grep -lszF "$1" /proc/[0-9]*/environ | cut -d/ -f3; }
kill_marked() { marked_pids "$1" | xargs -r kill -KILL 2>/dev/null; }
