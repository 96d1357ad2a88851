#!/usr/bin/python3
"""The tall-skinny SVD of 200,000 x 100 random numbers in chunks of 10,000 rows, weft beside Dask, interleaved, in one run.

usage: tests/bench/bench_svd.py [rounds]        from the top of a built tree; needs python3-dask python3-distributed (Debian)

Each round runs every system once; in each, random numbers included, U, S and V are computed and left where they are. Printed are medians,
the spread, peak resident memory summed over processes where it is known, and the ratio to the Dask case beside it.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEFT = [os.path.join(TOP, "build/bin/weft-svd"), "--rows", "200000", "--cols", "100", "--chunk", "10000", "--json", "--quiet"]
MPIRUN = os.path.join(TOP, "scripts/mpirun.sh")

DASK = """
import json, resource, sys, time
import dask, dask.array as da
kind = sys.argv[1]

def main():
    client = None
    if kind == "distributed":
        from distributed import Client, LocalCluster, wait
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1")
        client = Client(cluster)
    best = []
    for _ in range(3):
        roots = da.linalg.svd(da.random.random((200_000, 100), chunks=(10_000, 100)))
        start = time.perf_counter()
        if client:
            kept = dask.persist(*roots)
            wait(kept)
        else:
            kept = dask.persist(*roots, scheduler="threads", num_workers=2)
        best.append(time.perf_counter() - start)
        del kept
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": min(best), "mib": None if client else rss}))
    if client:
        client.close()
        cluster.close()

if __name__ == "__main__":
    main()
"""


def run(command, env=None):
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1] if done.stdout.startswith("{\"seconds") else done.stdout)


def weft(prefix, options):
    """The best of three runs, as Dask gets three in one process."""
    runs = [run(prefix + WEFT + options) for _ in range(3)]
    best = min(runs, key=lambda r: r["compute_seconds"])
    return best["compute_seconds"], max(r["peak_rss_bytes"] for r in runs) / 2**20


def dask(path, kind):
    answer = run(["/usr/bin/python3", path, kind], dict(os.environ, OMP_NUM_THREADS="1"))
    return answer["seconds"], answer["mib"]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as script:
        script.write(DASK)
    cases = [
        ("dask, 2 threads", None, lambda: dask(script.name, "threads")),
        ("weft, 2 threads", 0, lambda: weft([], ["--threads", "2"])),
        ("dask distributed, 2 workers x 1", None, lambda: dask(script.name, "distributed")),
        ("weft, mpirun -n 3", 2, lambda: weft([MPIRUN, "-n", "3"], [])),
        ("weft, mpirun -n 2", 2, lambda: weft([MPIRUN, "-n", "2"], [])),
    ]
    results = [[] for _ in cases]
    for number in range(rounds):
        for case, (name, _, measure) in enumerate(cases):
            results[case].append(measure())
            print(f"round {number + 1}/{rounds}: {name}: {results[case][-1][0]:.3f} s", file=sys.stderr)
    os.unlink(script.name)
    medians = [statistics.median(seconds for seconds, _ in result) for result in results]
    print(f"{'case':34} {'median s':>9} {'least':>7} {'most':>7} {'peak MiB':>9} {'ratio':>6}")
    for (name, peer, _), result, median in zip(cases, results, medians):
        seconds = [s for s, _ in result]
        memory = max((m for _, m in result if m is not None), default=None)
        ratio = f"{median / medians[peer]:.2f}" if peer is not None else ""
        print(f"{name:34} {median:9.3f} {min(seconds):7.3f} {max(seconds):7.3f} {memory and round(memory) or '-':>9} {ratio:>6}")


if __name__ == "__main__":
    main()
