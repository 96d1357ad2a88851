# Reads what `ctest --verbose` printed; shows the output of the tests that failed; writes "PASSED FAILED SKIPPED" to the file `totals`.
#
# A case is a line "ok ...", "FAILED ..." or "skipped ..." of a test's output. A test that prints none is one case by itself, and one that
# ended badly without naming a failed case (a crash, a time-out, a leak found at its end) is one failed case more.

# "7: text" is a line of test 7.
match($0, /^ *[0-9]+: ?/) {
    id = $1 + 0
    text = substr($0, RLENGTH + 1)
    if (text ~ /^ok /) passed[id]++
    else if (text !~ /^(Test command|Working Directory|Test timeout computed|Environment variables)|^ [A-Z_]+=/) {
        if (text ~ /^FAILED /) failed[id]++
        else if (text ~ /^skipped /) skipped[id]++
        output[id] = output[id] "    " text "\n"
    }
    next
}

# " 3/10 Test  #7: name ....***Failed  0.01 sec" is how it ended.
/^ *[0-9]+\/[0-9]+ +Test +#[0-9]+: / {
    id = $0
    sub(/^[^#]*#/, "", id)
    name = id
    sub(/^[0-9]+: /, "", name)
    sub(/ \.+/, ": ", name)
    id += 0
    cases = passed[id] + failed[id] + skipped[id]
    if ($0 ~ /\*\*\*(Skipped|Not Run \(Disabled\))/) {
        if (cases == 0) skipped[id] = 1
    } else if ($0 ~ / Passed +[0-9.]+ sec/) {
        if (cases == 0) passed[id] = 1
    } else if (!failed[id]) failed[id] = 1
    if (failed[id]) printf "  %s\n%s", name, output[id]
    passed_count += passed[id]
    failed_count += failed[id]
    skipped_count += skipped[id]
}

END { print passed_count + 0, failed_count + 0, skipped_count + 0 >totals }
