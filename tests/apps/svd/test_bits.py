#!/usr/bin/python3
"""The same bits on any number of ranks and threads."""
import json
import os

import svd_case as t

RANKS = (1, 2, 3, 5)


def everything(*args, ranks=0):
    """All that the program computes, to the last bit."""
    done = t.succeed(*args, "--json", "--output", "out", ranks=ranks)
    found = json.loads(done.out)
    files = {}
    for name in "usv":
        with open(f"out_{name}.npy", "rb") as file:
            files[name] = file.read()
        os.remove(f"out_{name}.npy")
    return files, found["singular_values"], found["residual"], found["orthogonality"], found["tasks"]


def same_bits(args, how, ranks):
    assert everything(*args, *how, ranks=ranks) == everything(*args, "--threads", 1)


def main():
    matrices = {
        "random": ["--rows", 20011, "--cols", 30, "--chunk", 701, "--check"],
        "centered digits": ["--input", os.path.join(t.DATA, "digits.csv"), "--chunk", 100, "--center", "--components", 7, "--check"],
    }
    for name, args in matrices.items():
        for threads in (2, 3):
            t.case(f"{name}, {threads} threads", same_bits, args, ["--threads", threads], 0)
        t.case(f"{name}, scheduler sync", same_bits, args, ["--scheduler", "sync"], 0)
        for ranks in RANKS[-1:] if t.FEW else RANKS:
            t.case(f"{name}, {ranks} ranks", same_bits, args, [], ranks)
        t.case(f"{name}, 3 ranks with 2 threads each", same_bits, args, ["--threads", 2], 3)
        t.case(f"{name}, 3 ranks where rank 0 only schedules", same_bits, args, ["--set", "scheduler.compute=off"], 3)
    t.finish()


main()
