#!/usr/bin/env python3
"""All patterns on all ways to run, checked by the program itself, and the numbers it reports. Nothing here looks at how long it took."""
import re

import taskbench_case as t

SHAPES = {  # pattern: width, steps, options, tasks, edges; counted by hand from the definitions
    "trivial": (5, 4, [], 20, 0),
    "no_comm": (5, 4, [], 20, 15),
    "stencil_1d": (5, 4, [], 20, 3 * 13),
    "nearest": (5, 4, ["--radix", 2], 20, 3 * 9),
    "fft": (4, 4, [], 16, (4 + 6) + (4 + 4) + (4 + 6)),
    "tree": (4, 4, [], 1 + 2 + 4 + 4, 2 + 4 + 4),
    "random_nearest": (5, 4, ["--radix", 3, "--fraction", 1], 20, 3 * 13),
    "spread": (6, 4, ["--radix", 2], 24, 3 * 12),
    "all_to_all": (5, 4, [], 20, 3 * 25),
    "dom": (3, 5, [], 9, 6 + 6),
}


def every_pattern(*options, steps=150):
    """One command line with a graph of each pattern."""
    words = ["--steps", steps, "--repeat", 2, *options]
    for number, pattern in enumerate(t.PATTERNS):
        words += (["--and"] if number else []) + ["--pattern", pattern, "--width", 3 + 2 * number]
    return words


def all_at_once(options, ranks, program):
    env = {"OMP_NUM_THREADS": "2"}
    result = t.succeed(*every_pattern(*options), "--quiet", ranks=ranks, program=program, env=env)
    assert result.out == "" and not t.own_lines(result, program), result


def counts(pattern):
    width, steps, options, tasks, edges = SHAPES[pattern]
    found = t.results("--pattern", pattern, "--width", width, "--steps", steps, "--repeat", 1, *options)
    assert (found["tasks"], found["edges"]) == (tasks, edges), found


def close(a, b):
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))


def numbers_fit_together():
    found = t.results("--kernel", "compute_bound", "--iterations", 50, "--steps", 100, "--repeat", 4, "--threads", 2)
    assert found["system"] == "weft" and found["repeats"] == 4 and found["transport"] == "threads"
    assert found["workers"] == 1 and found["threads_per_worker"] == 2
    assert found["flops"] == 800 * 50 * 128 and found["bytes"] == 0
    assert 0 < found["elapsed_seconds"] <= found["elapsed_median_seconds"] <= found["elapsed_most_seconds"]
    assert close(found["wall_us_per_task"], found["elapsed_seconds"] * 1e6 / 800)
    assert close(found["task_granularity_us"], 2 * found["wall_us_per_task"])
    assert close(found["flops_per_second"], found["flops"] / found["elapsed_seconds"])
    assert found["efficiency"] > 0
    graph, = found["graphs"]
    assert graph["pattern"] == "stencil_1d" and graph["width"] == 8 and graph["steps"] == 100 and graph["kernel"] == "compute_bound"
    assert graph["iterations"] == 50 and graph["output_bytes"] == 16 and graph["tasks"] == 800


def empty_tasks_have_no_rate():
    found = t.results("--steps", 50)
    assert found["flops"] == 0 and found["bytes"] == 0 and found["efficiency"] is None


def memory_traffic():
    found = t.results("--kernel", "memory_bound", "--scratch-bytes", "32KiB", "--iterations", 3, "--steps", 50)
    assert found["bytes"] == 400 * 3 * 2048 and found["flops"] == 0


def imbalance_keeps_the_mean():
    even, uneven = (t.results("--kernel", "load_imbalance", "--imbalance", i, "--iterations", 100, "--steps", 400, "--repeat", 1)["flops"]
                    for i in (0, 2))
    assert even == 3200 * 100 * 128
    assert even != uneven and abs(uneven / even - 1) < 0.06  # five deviations of the mean


def several_graphs_add_up():
    found = t.results("--pattern", "no_comm", "--width", 2, "--steps", 10, "--and", "--pattern", "all_to_all", "--steps", 5)
    first, second = found["graphs"]
    assert (first["tasks"], first["edges"], second["tasks"], second["edges"]) == (20, 18, 10, 16)
    assert found["tasks"] == 30 and found["edges"] == 34


def metg():
    found = t.results("--metg", "--steps", 30, "--repeat", 1)
    points = found["points"]
    assert [p["iterations"] for p in points] == sorted(p["iterations"] for p in points) and len(points) > 2
    assert max(p["efficiency"] for p in points) == 1
    assert min(p["task_granularity_us"] for p in points) <= found["metg_us"] <= max(p["task_granularity_us"] for p in points)
    assert close(found["peak_rate_per_second"], max(p["rate_per_second"] for p in points))
    assert isinstance(found["metg_is_bound"], bool) and found["graphs"][0]["kernel"] == "compute_bound"


def summaries():
    lines = t.succeed("--pattern", "spread", "--kernel", "memory_bound", "--steps", 20).out
    graph = r"^graph +spread, 8 columns x 20 steps, radix 3, period 3, outputs of 16B, memory_bound on 64.0KiB x 1$"
    assert re.search(graph, lines, re.M), lines
    assert re.search(r"^wall time +[0-9.]+ us a task$", lines, re.M) and re.search(r"^rate +[0-9.e+]+ GB/s$", lines, re.M), lines
    lines = t.succeed("--metg", "--steps", 20, "--repeat", 1).out
    assert re.search(r"^METG\(50%\) +(at most )?[0-9.]+ us$", lines, re.M) and "GRANULARITY [us]" in lines, lines


def without_a_first_run():
    t.succeed("--no-warm-up", "--pattern", "tree", "--steps", 20)
    t.succeed("--no-warm-up", "--pattern", "trivial", "--steps", 20, "--metg", "--repeat", 1)


def help_needs_no_ranks():
    for word in ("--help", "--version"):
        result = t.succeed("--width", "junk", "--and", word)
        assert "weft-taskbench" in result.out and result.err == "", result


def main():
    where = [("in one process", [], 0)]
    where += [("by one thread", ["--threads", 1], 0), ("without threads", ["--scheduler", "sync"], 0)]
    where += [("on 3 ranks", [], 3), ("on 3 ranks, the first only schedules", ["--threads", 1, "--set", "scheduler.compute=off"], 3)]
    where += [("on 2 ranks, outputs of 16 KiB", ["--output-bytes", "16KiB"], 2), ("with uneven tasks", ["--kernel", "load_imbalance"], 2)]
    where += [("with scratch memory", ["--kernel", "memory_bound", "--output-bytes", 48], 0)]
    for name, options, ranks in where:
        t.case(f"all patterns at once, {name}", all_at_once, options, ranks, t.PROGRAM)
    for yardstick in t.PROGRAMS[1:]:
        name = yardstick.rsplit("_", 1)[-1]
        for ranks in ((1, 3) if name == "mpi" else (0,)):
            t.case(f"all patterns at once, by {name}, {ranks} ranks", all_at_once, [], ranks, yardstick)
            t.case(f"outputs of 16 KiB, by {name}, {ranks} ranks", all_at_once, ["--output-bytes", "16KiB", "--kernel", "memory_bound"],
                   ranks, yardstick)
    for pattern in t.PATTERNS[::4 if t.FEW else 1]:
        t.case(f"tasks and edges of {pattern}", counts, pattern)
    t.case("the numbers of a run fit together", numbers_fit_together)
    t.case("empty tasks have no rate", empty_tasks_have_no_rate)
    t.case("memory_bound counts its traffic", memory_traffic)
    t.case("an imbalance keeps the mean", imbalance_keeps_the_mean)
    t.case("several graphs add up", several_graphs_add_up)
    t.case("a METG lies among its points", metg)
    t.case("summaries say what was run", summaries)
    t.case("the first run can be left out", without_a_first_run)
    t.case("help and version win wherever they stand", help_needs_no_ranks)
    t.finish()


main()
