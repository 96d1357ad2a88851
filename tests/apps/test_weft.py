#!/usr/bin/env python3
"""The weft command as its users meet it: output, exit codes and errors, alone and under mpirun.

usage: test_weft.py BUILD_BIN WHERE     WHERE: the program of where.c. One line per case, for scripts/test.sh.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RUN_RANKS = os.path.join(HERE, "..", "harness", "run_ranks.sh")
WEFT = os.path.join(sys.argv[1], "weft")
WHERE = sys.argv[2]
failures = 0


def case(name, holds, shown=""):
    global failures
    print("ok" if holds else "FAILED", "weft:", name)
    if not holds:
        failures += 1
        print("    " + str(shown).replace("\n", "\n    "))
    sys.stdout.flush()


def environment(**changes):
    """Nobody's settings but those asked for."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("WEFT_", "OPENBLAS_", "OMP_", "SLURM_", "PBS_", "OMPI_COMM", "PMI"))}
    clean.update(HOME="/nonexistent", WEFT_SITE_CONFIG="/dev/null")
    clean.pop("XDG_CONFIG_HOME", None)
    clean.update(changes)
    return clean


def run(words, ranks=0, env=None, **options):
    command = [RUN_RANKS, str(ranks), "60"] + words if ranks else words
    return subprocess.run(command, env=env or environment(), stdin=subprocess.DEVNULL, stdout=options.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, timeout=100, text=True, **options)


def own_lines(text, program="weft"):
    """mpirun adds a notice of its own about a rank that failed."""
    return [line for line in text.splitlines() if line.startswith(program)]


def siblings(pu):
    try:
        with open(f"/sys/devices/system/cpu/cpu{pu}/topology/thread_siblings_list") as file:
            return file.read().strip()
    except OSError:
        return str(pu)


def pus_of(text):
    pus = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        pus.update(range(int(first), int(last or first) + 1))
    return pus


PUS = os.sched_getaffinity(0)
CORES = {siblings(pu) for pu in PUS}


def info(words=(), ranks=0, prefix=(), **env):
    done = run(list(prefix) + [WEFT, "info", "--json"] + list(words), ranks, environment(**env))
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"error": done.stdout + done.stderr, "ranks": [], "rank_count": -1, "scheduler": None}


def pins(facts):
    return [place["pu"] if place else None for rank in facts["ranks"] for place in rank["pinning"]]


def info_alone():
    facts = info()
    case("info alone shows one rank with a thread per core of this process",
         facts["rank_count"] == 1 and len(pins(facts)) == len(CORES) == facts["ranks"][0]["threads"], facts)
    case("info shows the cpuset that the operating system tells", pus_of(facts["ranks"][0]["cpuset"]) == PUS, facts)
    case("info alone pins no two threads to one core", len({siblings(pu) for pu in pins(facts)}) == len(CORES), facts)
    case("info alone starts no MPI", facts["scheduler"] == "threads" and "not used" in facts["mpi"], facts)
    last = max(PUS)
    facts = info(prefix=["taskset", "-c", str(last)])
    case("info under taskset shows the one core that it left", pins(facts) == [last] and facts["ranks"][0]["cpuset"] == str(last), facts)
    facts = info(["--set", "pool.pin=false"])
    case("info with pool.pin=false shows threads that are not pinned", pins(facts) == [None] * len(CORES), facts)
    for count in (1, 3):
        facts = info([f"--threads={count}"])
        case(f"info --threads={count} shows as many threads", facts["ranks"][0]["threads"] == count == len(pins(facts)), facts)
    facts = info(WEFT_MEMORY__LIMIT="64MiB")
    case("info tells the memory limit and where it is from",
         facts["memory_limit_bytes"] == 64 << 20 and "WEFT_MEMORY__LIMIT" in facts["machine"]["memory_limit"], facts)
    facts = info(["--scheduler", "sync"])
    case("info --scheduler sync shows no pool", facts["scheduler"] == "sync" and pins(facts) == [], facts)


def info_ranks(ranks):
    facts = info(ranks=ranks)
    listed = [rank["rank"] for rank in facts["ranks"]]
    case(f"info on {ranks} ranks lists every rank", listed == list(range(ranks)) and facts["rank_count"] == ranks, facts)
    case(f"info on {ranks} ranks runs over MPI", facts["scheduler"] == "mpi" and facts["mpi"].startswith("Open MPI"), facts)
    used = pins(facts)
    inside = bool(used) and all(rank["threads"] == len(rank["pinning"]) and {p["pu"] for p in rank["pinning"]} <= pus_of(rank["cpuset"])
                                for rank in facts["ranks"])
    case(f"info on {ranks} ranks keeps every thread inside its rank's cpuset", inside and set(used) <= PUS, facts)
    shared = len(used) - len({siblings(pu) for pu in used})
    case(f"info on {ranks} ranks uses no core twice unless there are more workers than cores",
         shared == 0 or facts["worker_count"] > len(CORES), facts)
    text = run([WEFT, "info"], ranks)
    rows = [line.split()[0] for line in text.stdout.splitlines() if line.strip()[:1].isdigit()]
    case(f"info on {ranks} ranks prints a row for every rank", text.returncode == 0 and rows == [str(i) for i in range(ranks)], text)
    return facts


def binding():
    env = {"WHERE_PU_COUNT": str(len(PUS))}
    exclusive = dict(env, WHERE_EXCLUSIVE="1")
    runs = [(["alone"], 0, exclusive), (["three threads", "--threads", "3"], 0, env), (["no pins", "--set", "pool.pin=false"], 0, env)]
    for ranks in (1, 2, 3, 5):
        workers = info(ranks=ranks).get("worker_count", 0)
        runs.append(([f"{ranks} ranks"], ranks, exclusive if workers <= len(CORES) else env))
    for words, ranks, settings in runs:
        done = run([WHERE] + words, ranks, environment(**settings))
        print(done.stdout, end="")
        case(f"tasks that note where they run end well: {words[0]}", done.returncode == 0, done.stdout + done.stderr)


def configuration():
    default = json.loads(run([WEFT, "config", "--json"]).stdout)
    case("config shows the defaults without files and variables",
         all(row["origin"] == "default" for row in default.values()) and default["pool.pin"]["value"] is True, default)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weft.ini")
        with open(path, "w") as file:
            file.write("[pool]\nthreads = 2\npin = off\n[transport]\nidle_sleep = 2ms\n")
        env = environment(WEFT_CONFIG=path, WEFT_POOL__THREADS="3", WEFT_LOG__LEVEL="error")
        done = run([WEFT, "config", "--json", "--set", "log.level=debug", "--scheduler=sync"], env=env)
        keys = json.loads(done.stdout)
        text = run([WEFT, "config"], env=env).stdout
    expected = {"pool.pin": (False, path + ":3"), "transport.idle_sleep": (0.002, path + ":5"),
                "pool.threads": (3, "environment WEFT_POOL__THREADS"), "log.level": ("debug", "--set"),
                "scheduler.kind": ("sync", "--scheduler"), "scheduler.compute": ("auto", "default")}
    for key, (value, origin) in expected.items():
        case(f"config tells the value of {key} and its origin", (keys[key]["value"], keys[key]["origin"]) == (value, origin), keys[key])
    case("config prints value, unit, origin and meaning as text",
         any(line.split() == ["pool.threads", "3", "threads", "environment", "WEFT_POOL__THREADS"] for line in text.splitlines())
         and "\n    pool threads of one rank\n" in text, text)
    bogus = {"OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "0", "PMIX_NAMESPACE": "none", "PMIX_RANK": "0"}
    done = run([WEFT, "config"], env=environment(**bogus))
    case("config does not start MPI", done.returncode == 0 and done.stdout.startswith("KEY"), done)
    done = run([WEFT, "config"], ranks=3)
    case("config under mpirun prints once", done.returncode == 0 and done.stdout.count("KEY ") == 1, done)


def help_pages():
    overview = run([WEFT, "help"])
    same = [run([WEFT, word]).stdout for word in ("--help", "-h")]
    case("help, --help and -h show the same list of commands",
         overview.returncode == 0 and same == [overview.stdout] * 2 and all(w in overview.stdout for w in ("info", "config", "EXAMPLES")),
         overview)
    for name in ("info", "config", "help", "version"):
        page = run([WEFT, "help", name])
        case(f"help {name} shows what {name} --help shows",
             page.returncode == 0 and page.stdout == run([WEFT, name, "--help"]).stdout and page.stdout.startswith(f"usage: weft {name}")
             and "EXIT CODES" in page.stdout and page.stderr == "", page)
    versions = [run([WEFT, word]).stdout for word in ("version", "--version")]
    case("version and --version agree", versions[0] == versions[1] and versions[0].startswith("weft "), versions)
    done = run([WEFT, "info", "--help"], ranks=3)
    case("info --help under mpirun prints once", done.returncode == 0 and done.stdout.count("usage:") == 1, done)
    colours = run([WEFT, "info"], env=environment(TERM="xterm-256color", CLICOLOR_FORCE="1"))
    case("output has no escape sequences", "\x1b" not in colours.stdout + overview.stdout)


def mistakes():
    wrong = {
        (): "try weft --help", ("inof",): 'did you mean "info"?', ("--hepl",): 'did you mean "--help"?', ("a\nb",): 'unknown command "a b"',
        ("info", "--jsn"): "did you mean --json?", ("info", "extra"): '"extra"', ("info", "--threads", "none"): "whole number",
        ("info", "--set", "pool.pni=1"): "pool.pin", ("info", "--threads"): "--threads 4", ("info", "--scheduler", "fast"): "auto, sync",
        ("config", "--jsn"): "did you mean --json?", ("config", "--set", "pool.pin=maybe"): "true, false", ("help", "cofnig"): "config",
        ("version", "now"): '"now"',
    }
    for words, hint in wrong.items():
        done = run([WEFT, *words])
        case(f"{' '.join(['weft', *words])!r} gives one line with what to change and exit code 2",
             done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1 and hint in done.stderr, done)
    done = run([WEFT, "config"], env=environment(WEFT_POOL__THREADS="x"))
    case("a bad variable gives one line with its name and exit code 2",
         done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "WEFT_POOL__THREADS" in done.stderr, done)
    for words in (["nonsense"], ["info", "--nonsense"], ["info", "--threads", "x"]):
        done = run([WEFT, *words], ranks=3)
        case(f"'weft {' '.join(words)}' on three ranks gives one line and exit code 2",
             done.returncode == 2 and len(own_lines(done.stderr)) == 1 and done.stdout == "", done)
    for words in (["info"], ["info", "--json"], ["config"], ["config", "--json"], ["help"], ["info", "--help"]):
        with open("/dev/full", "w") as full:
            done = run([WEFT, *words], stdout=full)
        case(f"'weft {' '.join(words)}' to a full disk gives one line and exit code 1",
             done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "No space left" in done.stderr, done)


info_alone()
for count in (1, 2, 3, 5):
    info_ranks(count)
binding()
configuration()
help_pages()
mistakes()
sys.exit(1 if failures else 0)
