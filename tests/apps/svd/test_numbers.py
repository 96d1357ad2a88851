#!/usr/bin/python3
"""Singular values, vectors, files and JSON of weft-svd, against numpy."""
import json
import os
import re
import shutil

import numpy as np

import svd_case as t

KEYS = ["rows", "cols", "chunks", "tasks", "ranks", "threads_per_rank", "build_seconds", "compute_seconds", "read_seconds",
        "singular_values", "residual", "orthogonality", "peak_rss_bytes"]


def results(*args, **options):
    """The JSON that the program prints."""
    done = t.succeed(*args, "--json", **options)
    assert t.own_lines(done) == [], done.err
    found = json.loads(done.out)
    assert list(found) == KEYS, list(found)
    assert found["peak_rss_bytes"] > 1 << 20 and found["compute_seconds"] > 0 and found["build_seconds"] > 0
    return found


def load(prefix):
    return [np.load(f"{prefix}_{name}.npy") for name in "usv"]


def check_factors(matrix, prefix, found, k=None):
    """The files against the matrix and against numpy."""
    m, n = matrix.shape
    k = k or n
    u, s, v = load(prefix)
    assert (u.shape, s.shape, v.shape) == ((m, k), (k,), (n, k)), (u.shape, s.shape, v.shape)
    assert {a.dtype.str for a in (u, s, v)} == {"<f8"}
    assert s.tolist() == found["singular_values"]
    assert np.all(np.diff(s) <= 0)
    eye = np.eye(k)
    assert abs(u.T @ u - eye).max() < 1e-13 * n, abs(u.T @ u - eye).max()
    assert abs(v.T @ v - eye).max() < 1e-13 * n
    assert v.sum(axis=0).min() > -1e-12, "signs: a column of V adds up to a negative number"
    nu, ns, nvt = np.linalg.svd(matrix, full_matrices=False)
    best = (nu[:, :k] * ns[:k]) @ nvt[:k]
    gap = 1.0 if k == n or ns[k - 1] == ns[k] else ns[0] / (ns[k - 1] - ns[k])
    assert np.linalg.norm((u * s) @ v.T - best) <= 1e-13 * n * gap * np.linalg.norm(matrix)
    return u, s, v


def check(matrix, *args, rows=None, center=False, k=None, ranks=0):
    matrix = np.asarray(matrix, dtype=np.float64)
    if center:
        matrix = matrix - matrix.mean(axis=0)
    extra = (["--center"] if center else []) + (["--components", k] if k else [])
    found = results(*args, *extra, "--output", "out", ranks=ranks)
    assert (found["rows"], found["cols"], found["ranks"]) == (*matrix.shape, max(ranks, 1))
    assert found["residual"] is None and found["orthogonality"] is None
    t.assert_values(found["singular_values"], t.singular_values(matrix)[:k])
    return check_factors(matrix, "out", found, k)


def digits_with_all_columns(ranks):
    check(t.digits(), "--input", os.path.join(t.DATA, "digits.csv"), "--chunk", 300, ranks=ranks)


def digits_features(ranks):
    features = t.digits()[:, :64]
    t.write_csv("features.csv", features)
    check(features, "--input", "features.csv", "--chunk", 100, ranks=ranks)


def lines_to_skip():
    path = os.path.join(t.DATA, "breast_cancer.csv")
    check(np.loadtxt(path, delimiter=",", skiprows=1), "--input", path, "--skip-lines", 1, "--chunk", 64)


def npy(dtype, order, ranks):
    matrix = t.random_matrix(1003, 17).astype(dtype)
    np.save("x.npy", np.asarray(matrix, order=order))
    check(matrix, "--input", "x.npy", "--chunk", 100, ranks=ranks)


def csv(header, delimiter, newline, args):
    matrix = t.random_matrix(700, 9)
    t.write_csv("x.csv", matrix, header, delimiter, newline)
    check(matrix, "--input", "x.csv", "--chunk", 90, *args)


def vectors_agree(ranks):
    """Each pair of vectors is numpy's, with the sign by the rule."""
    matrix = t.random_matrix(900, 12)
    np.save("x.npy", matrix)
    u, _, v = check(matrix, "--input", "x.npy", "--chunk", 128, ranks=ranks)
    nu, _, nvt = np.linalg.svd(matrix, full_matrices=False)
    signs = np.where(nvt.sum(axis=1) < 0, -1.0, 1.0)
    assert abs(u - nu * signs).max() < 1e-9 and abs(v - nvt.T * signs).max() < 1e-9


def centered(ranks):
    """A principal component analysis: numpy's of the centered matrix."""
    check(t.digits(), "--input", os.path.join(t.DATA, "digits.csv"), "--chunk", 300, center=True, ranks=ranks)
    matrix = t.random_matrix(500, 8) + 100.0
    np.save("x.npy", matrix)
    u, s, v = check(matrix, "--input", "x.npy", "--chunk", 60, center=True, k=3, ranks=ranks)
    variance = s**2 / (len(matrix) - 1)
    expected = np.linalg.eigvalsh(np.cov(matrix.T))[::-1][:3]
    assert np.allclose(variance, expected, rtol=1e-10) and abs(u.sum(axis=0)).max() < 1e-10
    assert abs((matrix - matrix.mean(axis=0)) @ v - u * s).max() < 1e-10


def components():
    matrix = t.random_matrix(400, 10)
    np.save("x.npy", matrix)
    for k in (1, 4, 10):
        check(matrix, "--input", "x.npy", "--chunk", 40, k=k)


def chunks_that_do_not_divide():
    matrix = t.random_matrix(211, 10)
    np.save("x.npy", matrix)
    for chunk in (10, 11, 99, 100, 105, 201, 210, 211, 5000, 2**63 - 1):
        check(matrix, "--input", "x.npy", "--chunk", chunk)
    check(matrix, "--input", "x.npy")


def odd_shapes():
    for rows, cols in ((1, 1), (7, 1), (12, 12), (13, 12)):
        matrix = t.random_matrix(rows, cols)
        np.save("x.npy", matrix)
        check(matrix, "--input", "x.npy")
    np.save("x.npy", t.random_matrix(50, 1)[:, 0])
    check(t.random_matrix(50, 1), "--input", "x.npy", "--chunk", 7)


def dependent_columns(ranks):
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((600, 4)) @ rng.standard_normal((4, 15))
    matrix[:, 6] = 0.0
    np.save("x.npy", matrix)
    check(matrix, "--input", "x.npy", "--chunk", 50, ranks=ranks)
    np.save("x.npy", np.zeros((60, 5)))
    check(np.zeros((60, 5)), "--input", "x.npy", "--chunk", 20, ranks=ranks)


def extreme_sizes():
    for scale in (1e-150, 1e150):
        matrix = t.random_matrix(300, 6) * scale
        np.save("x.npy", matrix)
        found = results("--input", "x.npy", "--chunk", 50)
        t.assert_values(np.array(found["singular_values"]) / scale, t.singular_values(matrix / scale))


def values_only(ranks):
    matrix = t.random_matrix(800, 11)
    np.save("x.npy", matrix)
    found = results("--input", "x.npy", "--chunk", 70, "--values-only", "--output", "out", ranks=ranks)
    t.assert_values(found["singular_values"], t.singular_values(matrix))
    assert sorted(os.listdir(".")) == ["out_s.npy", "x.npy"]
    assert np.load("out_s.npy").tolist() == found["singular_values"]
    whole = results("--input", "x.npy", "--chunk", 70)
    assert found["tasks"] < whole["tasks"]


def checked(ranks):
    for args in (["--rows", 3000, "--cols", 20, "--chunk", 250], ["--rows", 3000, "--cols", 20, "--center"],
                 ["--input", os.path.join(t.DATA, "digits.csv"), "--chunk", 200, "--center"]):
        found = results(*args, "--check", ranks=ranks)
        assert 0 < found["residual"] < 1e-13 and 0 < found["orthogonality"] < 1e-13, found
    # Of fewer components the residual is what they leave out.
    matrix = t.random_matrix(300, 6)
    np.save("x.npy", matrix)
    found = results("--input", "x.npy", "--check", "--components", 2, ranks=ranks)
    s = t.singular_values(matrix)
    assert np.isclose(found["residual"], np.linalg.norm(s[2:]) / np.linalg.norm(s), rtol=1e-10)


def random_input():
    args = ["--rows", 5000, "--cols", 10, "--values-only"]
    first = results(*args)
    assert results(*args, "--seed", 0)["singular_values"] == first["singular_values"]
    assert results(*args, "--seed", 1)["singular_values"] != first["singular_values"]
    assert first["read_seconds"] == 0
    # Uniform in [0, 1): the largest value is near sqrt(m n) / 2, the others near sqrt(m / 12).
    s = np.array(first["singular_values"])
    assert abs(s[0] / np.sqrt(5000 * 10 / 4) - 1) < 0.2 and np.all(abs(s[1:] / np.sqrt(5000 / 12) - 1) < 0.2)


def picture(ending, begins):
    if ending == ".svg" and not shutil.which("dot"):
        return "skipped"
    found = results("--rows", 1000, "--cols", 5, "--chunk", 100, "--graph", "graph" + ending)
    text = open("graph" + ending, encoding="utf-8").read()
    assert begins in text[:400], text[:400]
    assert len(re.findall("read|random", text)) >= found["chunks"]
    return "ok"


def streams():
    """stdout has the results, stderr nothing."""
    done = t.succeed("--rows", 1000, "--cols", 5, "--check", "--output", "out")
    assert done.err == "" and "singular values" in done.out and "residual" in done.out and "wrote            out_u.npy" in done.out
    assert t.succeed("--rows", 1000, "--cols", 5, "--quiet") == (0, "", "")
    assert json.loads(t.succeed("--rows", 1000, "--cols", 5, "--quiet", "--json").out)["cols"] == 5
    assert "--components" in t.succeed("--help").out and "weft-svd --rows" in t.succeed("--help").out
    assert t.succeed("--version").out.startswith("weft-svd")


def old_files_are_replaced():
    for name in "usv":
        with open(f"out_{name}.npy", "w") as file:
            file.write("old")
    matrix = t.random_matrix(100, 4)
    np.save("x.npy", matrix)
    check(matrix, "--input", "x.npy")
    assert sorted(os.listdir(".")) == ["out_s.npy", "out_u.npy", "out_v.npy", "x.npy"]


def main():
    for ranks in (3,) if t.FEW else (0, 3):
        where = f"on {ranks} ranks" if ranks else "alone"
        t.case(f"digits with all columns {where}", digits_with_all_columns, ranks)
        t.case(f"digits' features {where}", digits_features, ranks)
        t.case(f"vectors agree with numpy's {where}", vectors_agree, ranks)
        t.case(f"centered data is a principal component analysis {where}", centered, ranks)
        t.case(f"dependent and zero columns {where}", dependent_columns, ranks)
        t.case(f"values only {where}", values_only, ranks)
        t.case(f"the check measures residual and orthogonality {where}", checked, ranks)
        t.case(f"f32 in Fortran order {where}", npy, "f4", "F", ranks)
    t.case("f64 in C order", npy, "f8", "C", 0)
    t.case("f64 in Fortran order", npy, "f8", "F", 0)
    t.case("f32 in C order", npy, "f4", "C", 0)
    t.case("csv without header", csv, None, ",", "\n", [])
    t.case("csv with header and CRLF", csv, ",".join("abcdefghi"), ",", "\r\n", [])
    t.case("csv with semicolons", csv, None, ";", "\n", ["--delimiter", ";"])
    t.case("csv with tabs", csv, None, "\t", "\n", ["--delimiter", "tab"])
    t.case("lines to skip", lines_to_skip)
    t.case("components", components)
    t.case("chunks that do not divide the rows", chunks_that_do_not_divide)
    t.case("one column, one row, square", odd_shapes)
    t.case("very small and very large numbers", extreme_sizes)
    t.case("random input", random_input)
    t.case("the graph as .dot", picture, ".dot", "digraph")
    t.case("the graph as .svg", picture, ".svg", "<svg")
    t.case("results on stdout, nothing on stderr", streams)
    t.case("old files are replaced", old_files_are_replaced)
    t.finish()


main()
