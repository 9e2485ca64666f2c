"""`python -m annulus`: its commands, what they print and draw, and their errors."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from annulus import __main__ as program
from annulus._bench import race
from annulus._bench.race import Point
from reference import has_storage

builds_all = pytest.mark.skipif(not has_storage("sq8"), reason="built without sq8")


def rows_file(tmp_path, n=2200, dim=12, dtype=np.float32):
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((30, dim))
    rows = centres[rng.integers(30, size=n)] + 0.4 * rng.standard_normal((n, dim))
    path = tmp_path / "rows.npy"
    np.save(path, rows.astype(dtype))
    return path


def run_bench(*arguments):
    return program.main(["bench", *map(str, arguments), "--rounds", "1"])


def installed(*modules):
    return [name for name in modules if importlib.util.find_spec(name)]


@builds_all
def test_bench_prints_a_table_and_draws_a_plot(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    output = tmp_path / "plot.png"
    peers = installed("hnswlib", "faiss", "sklearn")
    assert run_bench(rows_file(tmp_path), "--peers", ",".join(peers), "--output", output, "--n-queries", 50) == 0
    out = capsys.readouterr().out
    assert "2,150 rows of 12 floats, 50 queries" in out and "at 0.95" in out
    for name in ("annulus, exact", "annulus, graph", "annulus, codes of bits"):
        assert name in out
    for peer in peers:
        assert {"hnswlib": "hnswlib", "faiss": "faiss HNSW", "sklearn": "scikit-learn, exact"}[peer] in out
    assert output.read_bytes().startswith(b"\x89PNG") and output.stat().st_size > 10_000


@builds_all
def test_bench_beside_pynndescent(tmp_path, capsys):
    pytest.importorskip("pynndescent")
    assert run_bench(rows_file(tmp_path, n=700), "--peers", "pynndescent", "--output", "", "--n-queries", 20) == 0
    assert "pynndescent" in capsys.readouterr().out


@builds_all
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "inner_product"])
def test_bench_by_each_metric(tmp_path, capsys, metric):
    queries = tmp_path / "queries.npy"
    np.save(queries, np.random.default_rng(2).standard_normal((30, 12)))
    rows = rows_file(tmp_path, dtype=np.float64)
    peers = ",".join(installed("hnswlib", "faiss"))
    assert run_bench(rows, "--queries", queries, "--metric", metric, "--output", "", "-k", 3, "--peers", peers) == 0
    out = capsys.readouterr().out
    assert f"2,200 rows of 12 floats, 30 queries in a batch, k = 3, {metric}" in out
    exact = next(line for line in out.splitlines() if line.startswith("annulus, exact  "))
    assert "(" not in exact  # it reaches every recall


@builds_all
def test_bench_of_a_file_of_ann_benchmarks(tmp_path, capsys):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "data.hdf5"
    rng = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = "angular"
        file["train"], file["test"] = rng.standard_normal((900, 8)), rng.standard_normal((20, 8))
    assert run_bench(path, "--output", "") == 0
    assert "900 rows of 8 floats, 20 queries in a batch, k = 10, cosine" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["none.npy"], "none.npy"),
        (["{rows}", "--peers", "nobody"], "nobody"),
        (["{rows}", "-k", "0"], "at least 1"),
        (["{rows}", "-k", "5000"], "fewer than"),
        (["{line}"], "shape"),
        (["{rows}", "--queries", "{line}"], "shape"),
        (["{rows}", "--queries", "{none}"], "no queries"),
        (["{several}"], "must be a .npy file of numbers"),
        (["{rows}", "--queries", "{several}"], "must be a .npy file of numbers"),
        (["{text}"], "must be a .npy file of numbers"),
    ],
)
def test_bench_says_what_is_wrong(tmp_path, capsys, arguments, words):
    line = tmp_path / "line.npy"
    np.save(line, np.zeros(5))
    none, several, words_file = tmp_path / "none.npy", tmp_path / "several.npz", tmp_path / "text.npy"
    np.save(none, np.zeros((0, 12)))
    np.savez(several, rows=np.zeros((5, 12)))
    np.save(words_file, np.array([["a", "b"]]))
    names = {"rows": rows_file(tmp_path), "line": line, "none": none, "several": several, "text": words_file}
    filled = [text.format(**names) for text in arguments]
    assert run_bench(*filled, "--output", "") == 1
    assert words in capsys.readouterr().err


def test_bench_says_what_a_file_lacks(tmp_path, capsys):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "data.hdf5"
    with h5py.File(path, "w") as file:
        file["train"] = np.zeros((9, 8))
    assert run_bench(path, "--output", "") == 1
    assert "no data set 'test'" in capsys.readouterr().err


@builds_all
def test_the_demo_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "annulus", "demo"], capture_output=True, text=True, timeout=600, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    for words in ("FlatIndex", "NNDescentIndex", "RaBitQIndex", "LSHIndex", "the five rows nearest"):
        assert words in done.stdout


def test_without_a_command_there_is_help(capsys):
    with pytest.raises(SystemExit):
        program.main([])
    assert "bench" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        program.main(["bench", "--help"])
    assert "--peers" in capsys.readouterr().out


# What the table says.


def points(*pairs):
    return [Point("a", 1.0, i, recall, speed) for i, (recall, speed) in enumerate(pairs)]


def test_speeds_are_interpolated_between_widths():
    made = points((0.8, 1000), (0.9, 500), (1.0, 100))
    assert race.speed_at(made, 0.9) == 500
    assert race.speed_at(made, 0.85) == pytest.approx(750)
    assert race.speed_at(made, 0.95) == pytest.approx(300)
    assert race.speed_at(made, 0.5) == 1000
    assert race.speed_at(points((0.8, 1000)), 0.9) is None


def test_the_frontier_leaves_out_what_is_beaten():
    kept = race.frontier(points((0.8, 1000), (0.85, 400), (0.9, 500), (1.0, 100), (0.7, 900)))
    assert [(p.recall, p.queries_per_second) for p in kept] == [(0.8, 1000), (0.9, 500), (1.0, 100)]


def test_recall_is_by_distance():
    rows = np.array([[0, 0], [1, 0], [0, 1], [3, 0]], np.float32)
    queries = np.zeros((1, 2), np.float32)
    farthest = np.array([1], np.float32)  # of the two nearest
    for ids, expected in (([[0, 1]], 1), ([[0, 2]], 1), ([[0, 3]], 0.5), ([[0, -1]], 0.5)):
        assert race.recall(rows, queries, np.array(ids), farthest, "euclidean") == expected


def test_the_table_brackets_what_is_not_reached():
    text = race.table(points((0.8, 1000), (0.92, 500)))
    assert "583" in text.replace(",", "") and "(0.920)" in text
