"""What the tests of weft-taskbench share: running it, or a yardstick, alone or on several ranks, and cases that report one line each.

usage: test_NAME.py PROGRAM [YARDSTICK...] [--few]      --few: for builds with sanitizers, where a run takes a second

A case is a function and its arguments; it fails by an exception.
"""
import collections
import json
import os
import subprocess
import sys
import traceback

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
RUN_RANKS = os.path.join(TOP, "tests", "harness", "run_ranks.sh")
FEW = "--few" in sys.argv
PROGRAMS = [os.path.abspath(word) for word in sys.argv[1:] if not word.startswith("--")]
PROGRAM = PROGRAMS[0] if PROGRAMS else os.path.join(TOP, "build", "bin", "weft-taskbench")
PATTERNS = ["trivial", "no_comm", "stencil_1d", "nearest", "fft", "tree", "random_nearest", "spread", "all_to_all", "dom"]

# Open MPI waits two seconds before it ends after a rank that failed, and would warn of binding on machines with few cores.
RANKS_ENVIRONMENT = {"OMPI_MCA_odls_base_sigkill_timeout": "0", "OMPI_MCA_hwloc_base_binding_policy": "none"}

Result = collections.namedtuple("Result", "code out err")
failures = 0


def clean_environment():
    """Nobody's settings, nor those of a batch job around the tests."""
    foreign = ("WEFT_", "OPENBLAS_", "OMP_", "SLURM_", "PBS_", "OMPI_COMM", "PMI")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HOME": "/nonexistent", "WEFT_SITE_CONFIG": "/dev/null", "WEFT_CONFIG": "/dev/null"}


def run(*args, program=PROGRAM, ranks=0, env=None, stdout=subprocess.PIPE):
    """ranks 0: without a launcher."""
    command = [program, *map(str, args)]
    environment = {**clean_environment(), **(env or {})}
    if ranks:
        command = [RUN_RANKS, str(ranks), "60", *command]
        environment.update(RANKS_ENVIRONMENT)
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120,
                          check=False)
    assert not done.stdout or "outlived mpirun" not in done.stdout, done.stdout
    return Result(done.returncode, done.stdout, done.stderr)


def own_lines(result, program=PROGRAM):
    """What the program itself wrote to stderr; mpirun adds a box of its own about the exit code."""
    return [line for line in result.err.splitlines() if line.startswith(os.path.basename(program))]


def succeed(*args, **options):
    result = run(*args, **options)
    assert result.code == 0, f"exit code {result.code}: {result.err}"
    return result


def results(*args, **options):
    return json.loads(succeed(*args, "--json", **options).out)


def case(name, body, *args):
    """Runs one case and reports it."""
    global failures
    suite = os.path.splitext(os.path.basename(sys.argv[0]))[0].replace("test_", "taskbench/")
    try:
        body(*args)
        print(f"ok {suite}: {name}", flush=True)
    except Exception:  # a failed case must not end the others
        failures += 1
        print(f"FAILED {suite}: {name}")
        print("    " + traceback.format_exc().replace("\n", "\n    "), flush=True)


def finish():
    sys.exit(1 if failures else 0)
