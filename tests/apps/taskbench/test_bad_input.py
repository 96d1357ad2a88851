#!/usr/bin/env python3
"""Every wrong option: one line on stderr that says what to change, exit code 2, nothing on stdout."""
import re

import taskbench_case as t

USAGE, FAILURE = 2, 1

CASES = [
    ("an unknown pattern", ["--pattern", "stencil"], "no pattern is called \"stencil\""),
    ("a mistyped pattern", ["--pattern", "all_to_al"], "did you mean all_to_all"),
    ("an empty pattern", ["--pattern", ""], "--pattern"),
    ("an unknown kernel", ["--kernel", "compute"], "no kernel is called \"compute\""),
    ("an unknown option", ["--widht", 3], "did you mean --width"),
    ("an argument too many", ["stencil_1d"], "stencil_1d"),
    ("a pattern without its name", ["--pattern"], "--pattern needs a value"),
    ("--and in place of a value", ["--pattern", "--and"], "--pattern needs a value"),
    ("no columns", ["--width", 0], "--width"),
    ("too many columns", ["--width", 2**30 + 1], "--width"),
    ("columns that are no number", ["--width", "8x"], "--width.*8x"),
    ("negative steps", ["--steps", -1], "--steps"),
    ("a negative radix", ["--radix", -1], "--radix"),
    ("a radix too large to spread", ["--pattern", "spread", "--radix", 65], "--radix .*64"),
    ("a radix too large to draw", ["--pattern", "random_nearest", "--radix", 128], "--radix .*128"),
    ("no period", ["--period", 0], "--period"),
    ("a fraction above 1", ["--fraction", 1.01], "--fraction"),
    ("a fraction that is no number", ["--fraction", "nan"], "--fraction"),
    ("outputs too small for their contents", ["--output-bytes", 8], "--output-bytes"),
    ("outputs of 24 bytes", ["--output-bytes", 24], "--output-bytes 24.*16"),
    ("negative iterations", ["--iterations", -1], "--iterations"),
    ("an imbalance above 2", ["--imbalance", 2.5], "--imbalance"),
    ("scratch memory of 1000 bytes", ["--scratch-bytes", 1000], "--scratch-bytes"),
    ("scratch memory of 3000 bytes", ["--scratch-bytes", 3000], "--scratch-bytes 3000.*2048"),
    ("a grid without rows", ["--pattern", "dom", "--width", 9, "--steps", 8], "--steps .*--width"),
    ("a wrong value in a later graph", ["--and", "--and", "--width", 0], "--width"),
    ("too many graphs", ["--and"] * 16, "16 graphs"),
    ("no repeats", ["--repeat", 0], "--repeat"),
    ("a sweep of given iterations", ["--metg", "--iterations", 5], "--iterations"),
    ("a sweep of empty tasks", ["--metg", "--kernel", "empty"], "--kernel"),
    ("negative threads", ["--threads", -1], "threads"),
    ("an unknown configuration key", ["--set", "pool.thread=2"], "pool.threads"),
]


def refused(args, says, ranks, program, code=USAGE):
    result = t.run(*args, ranks=ranks, program=program)
    lines = t.own_lines(result, program) if ranks else result.err.splitlines()
    assert result.code == code, f"exit code {result.code}, expected {code}: {result.err}"
    assert len(lines) == 1, f"{len(lines)} lines: {result.err}"
    assert re.search(says, lines[0]), f"{says!r} is not in: {lines[0]}"
    assert result.out == "", result.out


def stdout_is_full():
    with open("/dev/full", "w") as full:
        result = t.run("--steps", 10, "--json", stdout=full)
    assert result.code == FAILURE and re.fullmatch("weft-taskbench: .*stdout.*\n", result.err), result


def main():
    for name, args, says in CASES:
        t.case(f"{name}, alone", refused, args, says, 0, t.PROGRAM)
    for name, args, says in CASES[::16 if t.FEW else 6]:
        t.case(f"{name}, on 3 ranks", refused, args, says, 3, t.PROGRAM)
    if not t.FEW:  # AddressSanitizer ends programs that ask for so much
        t.case("more scratch memory than there is", refused, ["--kernel", "memory_bound", "--scratch-bytes", "1TiB", "--steps", 4], "memory",
               0, t.PROGRAM, FAILURE)
    t.case("a full device behind stdout", stdout_is_full)
    t.finish()


main()
