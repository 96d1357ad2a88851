#!/usr/bin/python3
"""SIGINT and SIGTERM end every rank and leave no file."""
import glob
import os
import signal
import subprocess
import time

import svd_case as t

# Long ones: many chunks that are made, factored and dropped; and one that keeps U.
STREAM = ["--rows", "3000000000", "--cols", "10", "--values-only", "--output", "out"]
# mpirun passes a signal on a second after it got it: this runs for several, and holds 370 MiB.
KEEP = ["--rows", "60000", "--cols", "800", "--chunk", "3000", "--check", "--output", "out"]


def marked(mark):
    """Processes that inherited the mark in their environment, by their rank (None: no rank)."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                environment = file.read().split(b"\0")
        except OSError:
            continue
        if mark.encode() in environment:
            rank = next((v.split(b"=")[1] for v in environment if v.startswith(b"OMPI_COMM_WORLD_RANK=")), None)
            found[int(path.split("/")[2])] = None if rank is None else int(rank)
    return found


def wait_for(condition, what):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until, f"waited in vain: {what}"
        time.sleep(0.02)


def interrupted(args, ranks, number, to_rank=None):
    mark = f"TEST_MARK_{os.getpid()}={time.time_ns()}"
    name, value = mark.split("=")
    env = dict(t.clean_environment(), TMPDIR=os.getcwd(), OMPI_MCA_hwloc_base_binding_policy="none", **{name: value})
    os.mkdir("work")
    launcher = [os.path.join(t.TOP, "scripts", "mpirun.sh"), "-n", str(ranks)] if ranks else []
    process = subprocess.Popen([*launcher, t.PROGRAM, *args], cwd="work", env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: glob.glob("work/*.part-*") or process.poll() is not None, "no temporary file")
        time.sleep(0.1)
        assert process.poll() is None, "it ended before it could be interrupted"
        target = process.pid if to_rank is None else next(pid for pid, rank in marked(mark).items() if rank == to_rank)
        os.kill(target, number)
        out, err = process.communicate(timeout=30)
        wait_for(lambda: not marked(mark), "processes were left")
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
    own = [line for line in err.splitlines() if line.startswith("weft")]
    assert process.returncode != 0, "exit code 0"
    if not ranks:
        assert process.returncode == 128 + number, process.returncode
        assert len(own) == 1 and own[0].startswith(f"weft-svd: interrupted by {signal.Signals(number).name}"), err
    assert out == "" and len(own) <= 1 + ranks, err
    assert os.listdir("work") == [], f"left behind: {os.listdir('work')}"


def main():
    for number in (signal.SIGINT, signal.SIGTERM):
        name = number.name
        t.case(f"{name} to the program alone", interrupted, STREAM, 0, number)
        t.case(f"{name} to mpirun with 2 ranks", interrupted, STREAM, 2, number)
        t.case(f"{name} to mpirun with 3 ranks that keep U", interrupted, KEEP, 3, number)
        t.case(f"{name} to rank 0 of 3", interrupted, STREAM, 3, number, 0)
        t.case(f"{name} to rank 1 of 3", interrupted, STREAM, 3, number, 1)
    t.case("SIGINT to the scheduler sync", interrupted, [*STREAM, "--scheduler", "sync"], 0, signal.SIGINT)
    t.finish()


main()
