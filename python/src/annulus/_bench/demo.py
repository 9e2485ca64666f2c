"""`python -m annulus demo`."""

import time

import numpy as np

import annulus

from .race import recall

N, DIM, N_CLUSTERS, N_QUERIES, K = 50_000, 64, 500, 1000, 10


def made_rows(rng):
    """Rows and queries in clusters that lie near a surface of twelve dimensions, as those of real data do."""
    centres = rng.standard_normal((N_CLUSTERS, 12), dtype=np.float32)
    turned = rng.standard_normal((12, DIM), dtype=np.float32)
    flat = centres[rng.integers(N_CLUSTERS, size=N + N_QUERIES)]
    flat = flat + 0.4 * rng.standard_normal(flat.shape, dtype=np.float32)
    rows = np.tanh(flat @ turned / 4) + 0.05 * rng.standard_normal((len(flat), DIM), dtype=np.float32)
    return rows[:N], rows[N:]


def run(_):
    rows, queries = made_rows(np.random.default_rng(1))
    print(f"annulus {annulus.__version__}, {annulus.instruction_set()}")
    print(f"{N:,} rows of {DIM} floats, {N_QUERIES:,} queries in a batch, their {K} nearest rows, all cores\n")
    print(f"{'':46}{'build':>8}{'queries/s':>12}{'recall':>8}{'MB':>6}")
    truth = annulus.knn(rows, queries, K)
    farthest = truth.distances[:, -1]

    def show(name, build, search):
        started = time.perf_counter()
        index = build()
        seconds = time.perf_counter() - started
        search(index)
        started = time.perf_counter()
        found = search(index)
        speed = N_QUERIES / (time.perf_counter() - started)
        share = recall(rows, queries, found.ids, farthest, "euclidean")
        print(f"{name:46}{seconds:>6.2f} s{speed:>12,.0f}{share:>8.3f}{index.memory_bytes / 1e6:>6.0f}", flush=True)
        return index

    show("FlatIndex: exact", lambda: annulus.FlatIndex(rows), lambda index: index.search(queries, K))
    graph = show("NNDescentIndex", lambda: annulus.NNDescentIndex(rows), lambda index: index.search(queries, K))
    show(
        'NNDescentIndex(storage="sq8"), beam=100',
        lambda: annulus.NNDescentIndex(rows, storage="sq8"),
        lambda index: index.search(queries, K, beam=100),
    )
    show(
        "RaBitQIndex, k_factor=16",
        lambda: annulus.RaBitQIndex(rows),
        lambda index: index.search(queries, K, k_factor=16),
    )
    show(
        "LSHIndex, recall_target=0.9",
        lambda: annulus.LSHIndex(rows, n_projections=12, n_tables=20),
        lambda index: index.search(queries, K, recall_target=0.9),
    )

    found = graph.search(queries[:1], 5)
    print("\nthe five rows nearest to the first query:")
    print("  " + ", ".join(f"{i} at {d:.3f}" for i, d in zip(found.ids[0], found.distances[0])))
    print("\nmore: help(annulus), docs/python.md, python -m annulus bench data.npy --peers hnswlib")
