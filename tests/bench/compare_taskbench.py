#!/usr/bin/env python3
"""weft-taskbench beside the same task graphs by hand-written MPI, OpenMP tasks and, where it is installed, StarPU, in one interleaved run.

usage: tests/bench/compare_taskbench.py [--quick] [--json] [--rounds N] [--patterns NAME,...] [--systems NAME,...]     from a built tree

Each round runs every system once on every pattern: empty tasks, then a METG sweep. Printed are medians over the rounds with the least and
the most: wall time of an empty task, METG(50%), and both as a multiple of MPI by hand. Systems that are not built are left out.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MPIRUN = os.path.join(TOP, "scripts", "mpirun.sh")
PEER = "mpi"

PATTERNS = {
    "stencil_1d": ["--width", "8"],
    "nearest": ["--width", "8", "--radix", "5"],
    "fft": ["--width", "8"],
    "tree": ["--width", "8"],
    "random_nearest": ["--width", "8", "--radix", "5"],
    "spread": ["--width", "16", "--radix", "5", "--period", "3"],
    "no_comm": ["--width", "8"],
}


def systems(folder, cores):
    """name: what it is, command, environment"""
    weft, yardstick = os.path.join(folder, "weft-taskbench"), os.path.join(folder, "bench.taskbench_")
    alone = ["--threads", "1", "--set", "scheduler.compute=off"]
    return {
        "weft": (f"weft, 1 process x {cores} threads", [weft, "--threads", str(cores)], {}),
        "weft-mpi": (f"weft, {cores} worker ranks x 1 thread and rank 0", [MPIRUN, "-n", str(cores + 1), weft, *alone], {}),
        "mpi": (f"MPI by hand, {cores} ranks", [MPIRUN, "-n", str(cores), yardstick + "mpi"], {}),
        "openmp": (f"OpenMP tasks, {cores} threads", [yardstick + "openmp"], {"OMP_NUM_THREADS": str(cores), "OMP_PROC_BIND": "close"}),
        "starpu": (f"StarPU, {cores} workers", [yardstick + "starpu"], {"STARPU_NCPU": str(cores), "STARPU_SILENT": "1"}),
    }


def run(command, environment, options):
    words = [*command, *options, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def measure(command, environment, pattern, options):
    graph = ["--pattern", pattern, *PATTERNS[pattern], "--steps", str(options.steps)]
    empty = run(command, environment, [*graph, "--repeat", str(options.repeat)])
    sweep = run(command, environment, [*graph, "--metg", "--repeat", str(max(1, options.repeat // 3))])
    return {"empty_us": empty["wall_us_per_task"], "metg_us": sweep["metg_us"], "peak": sweep["peak_rate_per_second"]}


def summarise(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def collect(chosen, patterns, options):
    """pattern: system: key: all rounds' values"""
    found = {pattern: {name: {"empty_us": [], "metg_us": [], "peak": []} for name in chosen} for pattern in patterns}
    for number in range(options.rounds):
        for pattern in patterns:
            for name, (_, command, environment) in chosen.items():
                print(f"round {number + 1}/{options.rounds}: {pattern}: {name}        ", end="\r", file=sys.stderr)
                for key, value in measure(command, environment, pattern, options).items():
                    found[pattern][name][key].append(value)
    print(" " * 72, end="\r", file=sys.stderr)
    return {pattern: {name: {key: summarise(values) for key, values in keys.items()} for name, keys in of.items()}
            for pattern, of in found.items()}


def show(summary):
    return f"{summary['median']:9.3f} {'(' + format(summary['least'], '.3f') + '-' + format(summary['most'], '.3f') + ')':>19}"


def ratio(of, name, key):
    if PEER not in of or name == PEER or of[PEER][key]["median"] <= 0:
        return f"{'':7}"
    return f"{of[name][key]['median'] / of[PEER][key]['median']:7.1f}"


def print_table(results, chosen, options):
    for name, (what, _, _) in chosen.items():
        print(f"{name:10} {what}")
    print(f"\n{options.rounds} rounds of {options.steps} steps, outputs of 16 bytes; medians (least-most); ratios to MPI by hand\n")
    print(f"{'pattern':15} {'system':10} {'empty task, wall us':>29} {'ratio':>7} {'METG(50%), core us':>29} {'ratio':>7}"
          f" {'best GFLOP/s':>13}")
    for pattern, of in results.items():
        for name, keys in of.items():
            print(f"{pattern:15} {name:10} {show(keys['empty_us'])} {ratio(of, name, 'empty_us')} {show(keys['metg_us'])}"
                  f" {ratio(of, name, 'metg_us')} {keys['peak']['median'] * 1e-9:13.1f}")


def words(known):
    def split(text):
        chosen = text.split(",")
        for word in chosen:
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(known)}")
        return chosen
    return split


def read_options():
    parser = argparse.ArgumentParser(description="weft-taskbench beside MPI by hand, OpenMP and StarPU.")
    parser.add_argument("--quick", action="store_true", help="one round, two patterns, fewer steps and repeats")
    parser.add_argument("--rounds", type=int, help="rounds (5)")
    parser.add_argument("--steps", type=int, help="steps of each graph (1000)")
    parser.add_argument("--repeat", type=int, help="runs of empty tasks in one process, of which the least counts; a third as many of each "
                                                   "point of a sweep (9)")
    parser.add_argument("--cores", type=int, default=min(2, os.cpu_count() or 1), help="cores to use (2)")
    parser.add_argument("--patterns", type=words(PATTERNS), help=", ".join(PATTERNS))
    parser.add_argument("--systems", type=words(systems("", 1)), help=", ".join(systems("", 1)))
    parser.add_argument("--build", default=os.path.join(TOP, "build"), help="the build folder (build)")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.steps = options.steps or (300 if options.quick else 1000)
    options.repeat = options.repeat or (3 if options.quick else 9)
    options.patterns = options.patterns or (["stencil_1d", "nearest"] if options.quick else list(PATTERNS))
    return options


def main():
    options = read_options()
    chosen = {}
    for name, system in systems(os.path.join(options.build, "bin"), options.cores).items():
        program = system[1][3] if system[1][0] == MPIRUN else system[1][0]
        if options.systems and name not in options.systems:
            continue
        if os.path.exists(program):
            chosen[name] = system
        else:
            print(f"{name} is left out: {program} is not built", file=sys.stderr)
    if not chosen:
        raise SystemExit("nothing to run: build first, or name the build folder by --build")
    results = collect(chosen, options.patterns, options)
    if options.json:
        json.dump({"rounds": options.rounds, "steps": options.steps, "cores": options.cores, "results": results}, sys.stdout, indent=2)
        print()
    else:
        print_table(results, chosen, options)


if __name__ == "__main__":
    main()
