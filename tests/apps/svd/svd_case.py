"""What the tests of weft-svd share: running it alone or on several ranks, cases that report one line each, and files to read and write.

usage: test_NAME.py PROGRAM [--few]

A case is a function and its arguments; it fails by an exception. Every case runs in a folder of its own.
"""
import collections
import os
import subprocess
import sys
import tempfile
import traceback

import numpy as np

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
DATA = os.path.join(TOP, "tests", "data")
RUN_RANKS = os.path.join(TOP, "tests", "harness", "run_ranks.sh")
PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(TOP, "build", "bin", "weft-svd")
FEW = "--few" in sys.argv  # for builds with sanitizers, where a run takes a second

# Open MPI waits two seconds before it ends after a rank that failed, and would warn of binding on machines with few cores.
RANKS_ENVIRONMENT = {"OMPI_MCA_odls_base_sigkill_timeout": "0", "OMPI_MCA_hwloc_base_binding_policy": "none"}

Result = collections.namedtuple("Result", "code out err")
failures = 0


def clean_environment():
    """Nobody's settings, nor those of a batch job around the tests."""
    foreign = ("WEFT_", "OPENBLAS_", "OMP_", "SLURM_", "PBS_", "OMPI_COMM", "PMI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HOME": "/nonexistent", "WEFT_SITE_CONFIG": "/dev/null", "WEFT_CONFIG": "/dev/null"}


def run(*args, ranks=0, env=None, **options):
    """Runs the program; ranks 0: without a launcher."""
    command = [PROGRAM, *map(str, args)]
    environment = {**clean_environment(), **(env or {})}
    if ranks:
        command = [RUN_RANKS, str(ranks), "60", *command]
        environment.update(RANKS_ENVIRONMENT)
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
                          **options)
    assert "outlived mpirun" not in done.stdout and "not done after" not in done.stdout, done.stdout
    return Result(done.returncode, done.stdout, done.stderr)


def own_lines(result):
    """What the program itself wrote to stderr; mpirun adds a box of its own about the exit code."""
    return [line for line in result.err.splitlines() if line.startswith("weft")]


def succeed(*args, **options):
    result = run(*args, **options)
    assert result.code == 0, f"exit code {result.code}: {result.err}"
    return result


def case(name, body, *args):
    """Runs one case and reports it."""
    global failures
    suite = os.path.splitext(os.path.basename(sys.argv[0]))[0].replace("test_", "svd/")
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="weft-svd-") as folder:
        os.chdir(folder)
        try:
            verdict = body(*args) or "ok"
        except Exception:  # a failed case must not end the others
            failures += 1
            verdict = "FAILED"
            print(f"FAILED {suite}: {name}")
            print("    " + traceback.format_exc().replace("\n", "\n    "))
        finally:
            os.chdir(before)
    if verdict != "FAILED":
        print(f"{verdict} {suite}: {name}", flush=True)


def finish():
    sys.exit(1 if failures else 0)


def digits():
    return np.loadtxt(os.path.join(DATA, "digits.csv"), delimiter=",")


def random_matrix(rows, cols, seed=7):
    """Columns of very different lengths, so that every singular vector is well determined."""
    return np.random.default_rng(seed).standard_normal((rows, cols)) * np.logspace(0, -3, cols)


def write_csv(path, matrix, header=None, delimiter=",", newline="\n"):
    with open(path, "w", newline="") as file:
        if header is not None:
            file.write(header + newline)
        for row in matrix:
            file.write(delimiter.join(repr(float(x)) for x in row) + newline)


def singular_values(matrix):
    return np.linalg.svd(np.asarray(matrix, dtype=np.float64), compute_uv=False)


def assert_values(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{found.shape} values, expected {expected.shape}"
    # Values that are zero but for rounding have no relative error.
    off = np.abs(found - expected) - (1e-12 * expected + 1e-14 * expected[0])
    assert off.max() <= 0, f"singular value {off.argmax()}: {found[off.argmax()]!r}, numpy has {expected[off.argmax()]!r}"
