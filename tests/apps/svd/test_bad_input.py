#!/usr/bin/python3
"""Every wrong input: one line on stderr that names the place and what to change, the documented exit code, and nothing left behind."""
import os
import re
import shutil
import subprocess

import numpy as np

import svd_case as t

USAGE, FAILURE = 2, 1


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def save(path, array):
    np.save(path, array)


def save_with(path, row, col, value, dtype="f8"):
    matrix = np.ones((50, 3), dtype)
    matrix[row, col] = value
    np.save(path, matrix)


def save_truncated(path):
    np.save(path, np.ones((50, 3)))
    os.truncate(path, os.path.getsize(path) - 8)


SMALL = ["--rows", 40, "--cols", 4]
CHUNKED = ["--chunk", 10, "--output", "out"]

# name, what makes the input, arguments, exit code, what the line says
CASES = [
    ("no matrix", None, [], USAGE, "--rows and --cols"),
    ("rows without columns", None, ["--rows", 4], USAGE, "--cols is missing"),
    ("unknown option", None, [*SMALL, "--componets", 2], USAGE, "did you mean --components"),
    ("unknown configuration key", None, [*SMALL, "--set", "pool.thread=2"], USAGE, "pool.threads"),
    ("an argument too many", None, [*SMALL, "x.csv"], USAGE, "x.csv"),
    ("an option without its value", None, ["--rows"], USAGE, "--rows"),
    ("rows that are no number", None, ["--rows", "1e6", "--cols", 4], USAGE, "--rows.*1e6"),
    ("rows beyond 64 bits", None, ["--rows", "99999999999999999999", "--cols", 4], USAGE, "--rows"),
    ("zero rows", None, ["--rows", 0, "--cols", 4], USAGE, "--rows"),
    ("negative columns", None, ["--rows", 4, "--cols", -4], USAGE, "--cols"),
    ("fewer rows than columns", None, ["--rows", 4, "--cols", 5], USAGE, "--rows 4.*--cols 5"),
    ("a chunk of 0", None, [*SMALL, "--chunk", 0], USAGE, "--chunk"),
    ("a chunk shorter than the columns", None, [*SMALL, "--chunk", 3], USAGE, "--chunk 3.*at least 4"),
    ("more components than columns", None, [*SMALL, "--components", 5], USAGE, "--components 5.*1 to 4"),
    ("a file and rows", None, ["--input", "x.csv", "--rows", 3], USAGE, "--rows"),
    ("a check of values only", None, [*SMALL, "--check", "--values-only"], USAGE, "--values-only"),
    ("a picture of unknown kind", None, [*SMALL, "--graph", "x.jpg"], USAGE, "x.jpg.*\\.svg"),
    ("a delimiter of two characters", lambda: write("x.csv", "1,2\n"), ["--input", "x.csv", "--delimiter", "::"], USAGE, "--delimiter ::"),
    ("negative threads", None, [*SMALL, "--threads", -1], USAGE, "threads"),
    ("an unknown scheduler", None, [*SMALL, "--scheduler", "fast"], USAGE, "fast"),
    ("a missing file", None, ["--input", "none.csv", *CHUNKED], FAILURE, "none.csv: no such file"),
    ("a folder as input", lambda: os.mkdir("x.csv"), ["--input", "x.csv", *CHUNKED], FAILURE, "x.csv: is a folder"),
    ("an empty csv", lambda: write("x.csv", ""), ["--input", "x.csv", *CHUNKED], FAILURE, "x.csv: is empty"),
    ("a csv without rows", lambda: write("x.csv", "a,b\n"), ["--input", "x.csv", *CHUNKED], FAILURE, "x.csv:1: .*no rows"),
    ("a ragged csv", lambda: write("x.csv", "1,2\n3,4\n5\n6,7\n"), ["--input", "x.csv", *CHUNKED], FAILURE, "x.csv:3: row 3 has 1 col"),
    ("text in a csv", lambda: write("x.csv", "a,b\n" + "1,2\n" * 30 + "3,four\n" + "5,6\n" * 30), ["--input", "x.csv", *CHUNKED], FAILURE,
     r"x.csv:32: row 31, column 2 \(b\): 'four'"),
    ("NaN in a csv", lambda: write("x.csv", "1,2\n" * 25 + "nan,4\n" + "5,6\n" * 20), ["--input", "x.csv", *CHUNKED], FAILURE,
     "x.csv:26: row 26, column 1.*nan"),
    ("an empty field", lambda: write("x.csv", "1,2\n3,\n"), ["--input", "x.csv", "--output", "out"], FAILURE,
     "x.csv:2: row 2, column 2.*empty"),
    ("a csv with more columns than rows", lambda: write("x.csv", "1,2,3\n4,5,6\n"), ["--input", "x.csv", "--output", "out"], FAILURE,
     "x.csv: has 2 rows and 3 columns"),
    ("another delimiter", lambda: write("x.csv", "1;2\n3;4\n5;6\n"), ["--input", "x.csv", "--output", "out"], FAILURE, "x.csv:.*delimiter"),
    ("a file of another kind", lambda: write("x.txt", "1 2\n"), ["--input", "x.txt", *CHUNKED], FAILURE, "x.txt: is no .npy"),
    ("an npy of integers", lambda: save("x.npy", np.ones((9, 3), "i8")), ["--input", "x.npy", *CHUNKED], FAILURE, "x.npy: .*int64"),
    ("an npy of big-endian numbers", lambda: save("x.npy", np.ones((9, 3), ">f8")), ["--input", "x.npy", *CHUNKED], FAILURE,
     "x.npy: .*endian"),
    ("an npy of three dimensions", lambda: save("x.npy", np.ones((9, 3, 2))), ["--input", "x.npy", *CHUNKED], FAILURE, "x.npy: has 3 dim"),
    ("a truncated npy", lambda: save_truncated("x.npy"), ["--input", "x.npy", *CHUNKED], FAILURE, "x.npy: is truncated: 8 bytes"),
    ("an npy without rows", lambda: save("x.npy", np.ones((0, 3))), ["--input", "x.npy", *CHUNKED], FAILURE, "x.npy: holds 0 rows"),
    ("an npy with more columns than rows", lambda: save("x.npy", np.ones((2, 3))), ["--input", "x.npy", "--output", "out"], FAILURE,
     "x.npy: has 2 rows and 3 columns"),
    ("NaN in an npy", lambda: save_with("x.npy", 37, 1, np.nan), ["--input", "x.npy", *CHUNKED], FAILURE, "x.npy: row 38, column 2 is NaN"),
    ("-Inf in an npy of f32", lambda: save_with("x.npy", 12, 2, -np.inf, "f4"), ["--input", "x.npy", *CHUNKED], FAILURE,
     "x.npy: row 13, column 3 is -Inf"),
    ("lines to skip in an npy", lambda: save("x.npy", np.ones((9, 3))), ["--input", "x.npy", "--skip-lines", 1], USAGE, "x.npy: is a .npy"),
    ("an output folder that is not there", None, [*SMALL, "--output", "none/out"], FAILURE, "none/out_s.npy: .*no folder 'none'"),
    ("an output that is a folder", lambda: os.mkdir("out_v.npy"), [*SMALL, "--output", "out"], FAILURE, "out_v.npy: is a folder"),
    ("a picture's folder that is not there", None, [*SMALL, "--output", "out", "--graph", "none/x.dot"], FAILURE, "none/x.dot"),
    ("more memory than the machine has", None, ["--rows", 10**15, "--cols", 10, "--output", "out"], FAILURE, "PiB of memory"),
    ("more memory than can be counted", None, ["--rows", 2**63 - 1, "--cols", 30000, "--output", "out"], FAILURE, "of memory"),
    ("more chunks than can be counted", None, ["--rows", 2**63 - 1, "--cols", 1, "--chunk", 1, "--values-only"], FAILURE, "larger --chunk"),
    ("more memory than is allowed", None, ["--rows", 100000, "--cols", 100, "--set", "memory.limit=10MiB", "--output", "out"], FAILURE,
     "100000 x 100 needs about 7.*MiB of memory"),
    ("more memory than is allowed, by what threads need for themselves", None, ["--rows", 4000, "--cols", 1000, "--threads", 2, "--set",
                                                                                "memory.limit=64MiB"], FAILURE, "4000 x 1000 needs about"),
]


def tree():
    return sorted((folder, tuple(sorted(files))) for folder, _, files in os.walk("."))


def refused(make, args, code, says, ranks):
    if make:
        make()
    before = tree()
    result = t.run(*args, ranks=ranks)
    lines = t.own_lines(result) if ranks else result.err.splitlines()
    assert result.code == code, f"exit code {result.code}, expected {code}: {result.err}"
    assert len(lines) == 1, f"{len(lines)} lines: {result.err}"
    assert lines[0].startswith("weft-svd: ") and re.search(says, lines[0]), f"{says!r} is not in: {lines[0]}"
    assert result.out == "", result.out
    assert tree() == before, f"left behind: {tree()}"


def full_disk(ranks):
    """A tmpfs of 1 MiB, mounted in a namespace of its own."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        return "skipped"
    os.mkdir("small")
    command = [t.PROGRAM, "--rows", "50000", "--cols", "4", "--output", "small/out"]
    env = t.clean_environment()
    if ranks:
        command = [t.RUN_RANKS, str(ranks), "60", *command]
        env.update(t.RANKS_ENVIRONMENT)
    script = 'mount -t tmpfs -o size=1m none small || exit 77; "$@"; code=$?; ls -A small | sed s/^/left:/ >&2; exit $code'
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", *command], env=env, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        return "skipped"
    lines = t.own_lines(t.Result(done.returncode, done.stdout, done.stderr))
    assert done.returncode == FAILURE and len(lines) == 1 and "left:" not in done.stderr, done.stderr
    assert "small/out_u.npy: no space for its 1600128 bytes" in lines[0], lines[0]
    return "ok"


def file_size_limit():
    result = t.run("--rows", 50000, "--cols", 4, "--output", "out", preexec_fn=limit_file_size)
    assert result.code == FAILURE and re.fullmatch("weft-svd: out_u.npy: .*ulimit -f.*\n", result.err), result
    assert os.listdir(".") == []


def limit_file_size():
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def ordinary_user():
    """What to pass to subprocess so that permissions count; None when the program is out of an ordinary user's reach."""
    if os.geteuid() != 0:
        return {}
    user = {"user": 65534, "group": 65534, "extra_groups": []}
    reach = subprocess.run([t.PROGRAM, "--version"], capture_output=True, check=False, **user) if os.path.exists(t.PROGRAM) else None
    return user if reach and reach.returncode == 0 else None


def unreadable_file():
    user = ordinary_user()
    if user is None:
        return "skipped"
    os.chmod(".", 0o755)
    write("x.csv", "1,2\n3,4\n")
    os.chmod("x.csv", 0)
    result = t.run("--input", "x.csv", **user)
    assert result.code == FAILURE and re.fullmatch("weft-svd: x.csv: no permission.*\n", result.err), result
    return "ok"


def folder_without_permission():
    user = ordinary_user()
    if user is None:
        return "skipped"
    os.chmod(".", 0o555)
    result = t.run(*SMALL, "--output", "out", **user)
    assert result.code == FAILURE and re.fullmatch("weft-svd: out_s.npy: .*no permission.*\n", result.err), result
    return "ok"


def stdout_is_full():
    with open("/dev/full", "w") as full:
        done = subprocess.run([t.PROGRAM, *map(str, SMALL), "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == FAILURE and re.fullmatch("weft-svd: .*stdout.*\n", done.stderr), done


def late_obstacle():
    """The name of V is taken by a folder while it is computed: a dot program of ours does that. U, named before, must not stay."""
    os.mkdir("bin")
    write("bin/dot", "#!/bin/sh\nmkdir out_v.npy\necho picture\n")
    os.chmod("bin/dot", 0o755)
    result = t.run(*SMALL, "--output", "out", "--graph", "x.svg", env={"PATH": os.path.abspath("bin") + ":" + os.environ["PATH"]})
    assert result.code == FAILURE and re.fullmatch("weft-svd: out_v.npy: is a folder.*\n", result.err), result
    assert sorted(os.listdir(".")) == ["bin", "out_v.npy", "x.svg"], os.listdir(".")


def picture_in_capitals():
    t.succeed(*SMALL, "--graph", "x.DOT")
    assert os.listdir(".") == ["x.DOT"]


def environment_key():
    result = t.run(*SMALL, env={"WEFT_POOL__THREAD": "2"})
    assert result.code == USAGE and re.fullmatch("weft-svd: .*WEFT_POOL__THREAD.*\n", result.err), result


def main():
    steps = {0: 1, 3: 5} if t.FEW else {0: 1, 1: 8, 2: 1, 3: 1}
    for ranks, step in steps.items():
        where = f"on {ranks} rank{'s' if ranks > 1 else ''}" if ranks else "alone"
        for name, make, args, code, says in CASES[::step]:
            t.case(f"{name}, {where}", refused, make, args, code, says, ranks)
    t.case("a full disk, alone", full_disk, 0)
    t.case("a full disk, on 3 ranks", full_disk, 3)
    t.case("a limit on file sizes", file_size_limit)
    t.case("an unreadable file", unreadable_file)
    t.case("a folder without permission", folder_without_permission)
    t.case("a full device behind stdout", stdout_is_full)
    t.case("an obstacle that comes while it computes", late_obstacle)
    t.case("an ending of the picture in capitals", picture_in_capitals)
    t.case("an unknown key in the environment", environment_key)
    t.finish()


main()
