#!/usr/bin/env bash
# Checks that every file includes its own layer or those it may stand on, and that apps use the public headers and apps/cli alone.
#
# usage: scripts/check_layers.sh [TOP]     TOP: the source tree, by default this one
# Prints each offence as FILE:LINE: what is wrong. Exit status: 0 none, 1 some, 2 the tree is not there.
set -euo pipefail
top=${1:-$(dirname "$0")/..}
if ! cd "$top" || [ ! -d runtime/include ]; then
  echo "check_layers.sh: no runtime/include in $top" >&2
  exit 2
fi

# layer: what it may include besides itself, the public headers (<weft/...>) and the system's. Layers of one height do not know each other.
# Collections and linear algebra stand on the client, so that they work with whatever cluster there is.
layers='
base:
config:    base
topology:  base
observe:   base
store:     base config topology observe
graph:     base config topology observe
exec:      base config topology observe store graph
transport: base config topology observe store graph
cluster:   base config topology observe store graph exec transport
client:    base config topology observe store graph exec transport cluster
array:     base config topology observe store graph exec transport client
linalg:    base config topology observe store graph exec transport client array
'

mapfile -t files < <(find runtime apps -name '*.[ch]' | LC_ALL=C sort)

LAYERS=$layers exec awk '
function offend(what) {
    printf "%s:%d: %s\n", FILENAME, FNR, what
    offences++
}
function exists(path,    line, status) {
    status = (getline line < path)
    close(path)
    return status >= 0
}
function check_layer_include(layer, name, first) {
    if (name ~ /^weft\//) return
    if (name !~ /\//) {
        if (quoted && !exists(folder "/" name)) offend("\"" name "\" is not in " folder)
        return
    }
    if (name ~ /(^|\/)\.\.?\//) offend("\"" name "\": write it from runtime/, such as \"" layer "/name.h\"")
    else if (!(first in known)) {
        if (quoted && !exists(folder "/" name)) offend("\"" name "\" is in no layer")
    } else if (first != layer && !((layer, first) in allowed)) offend(layer " may not include " first " (\"" name "\")")
}
function check_app_include(app, name, first,    own) {
    own = exists(folder "/" name) || ((first == app || first == "cli") && exists("apps/" name))
    own = own || (app == "cli" && first == "base") # compiled into it once more: apps/CMakeLists.txt
    if (name ~ /^weft\// || (quoted && own && name !~ /\.\.\//)) return
    if (quoted || (name ~ /\// && first in known)) {
        offend("an app may include only <weft/...>, the system'\''s headers, its own and cli (\"" name "\")")
    }
}
BEGIN {
    count = split(ENVIRON["LAYERS"], lines, "\n")
    for (i = 1; i <= count; i++) {
        words = split(lines[i], word, /[: ]+/)
        if (word[1] == "") continue
        known[word[1]] = 1
        for (j = 2; j <= words; j++) if (word[j] != "") allowed[word[1], word[j]] = 1
    }
}
FNR == 1 {
    split(FILENAME, part, "/")
    folder = FILENAME
    sub(/\/[^\/]*$/, "", folder)
    public = FILENAME ~ /^runtime\/include\/weft\//
    if (part[1] == "runtime" && !public && !(part[2] in known)) offend("runtime/" part[2] " is no layer that scripts/check_layers.sh knows")
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
    name = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", name)
    quoted = name ~ /^"/
    name = substr(name, 2)
    sub(/[">].*/, "", name)
    first = name
    sub(/\/.*/, "", first)
    if (public) {
        if (quoted || (first in known)) offend("a public header may include only <weft/...> and the system'\''s (\"" name "\")")
    } else if (part[1] == "runtime") {
        check_layer_include(part[2], name, first)
    } else {
        check_app_include(part[2], name, first)
    }
}
END { exit offences > 0 }
' "${files[@]}"
