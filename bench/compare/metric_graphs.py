"""Graph indexes under other metrics than graph.py's, beside pynndescent's: builds, and searches by one thread."""

import dataclasses
import pathlib
from typing import Any, Callable

import annulus_compare
import numba
import numpy as np
import pynndescent
import scipy.sparse

import datasets
from graph import BREADTHS, EPSILONS, K, N_NEIGHBORS, N_WARM, add, measured, show
from measure import Contender, race
from tables import speed_at

N_CHECKED = 20  # queries whose true neighbours are checked in double precision
TARGET, ENOUGH = 0.95, 0.99  # recall to compare at, and where sweeps may end


@dataclasses.dataclass
class Problem:
    dataset: str
    metric: str
    base: Any  # rows, or a csr_matrix of ones
    queries: Any
    distances: Callable  # (query, rows) -> in double precision

    def ours(self, rows):
        if not scipy.sparse.issparse(rows):
            return rows
        return annulus_compare.CsrRows(rows.indptr.astype(np.int64), rows.indices, None, rows.shape[1])


def correlations(query, rows):
    query, rows = (x.astype(np.float64) - x.mean(axis=-1, keepdims=True, dtype=np.float64) for x in (query, rows))
    return 1 - rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))


def hellingers(query, rows):
    query, rows = (x.astype(np.float64) for x in (query, rows))
    query, rows = (np.sqrt(x / x.sum(axis=-1, keepdims=True)) for x in (query, rows))
    return np.linalg.norm(rows - query, axis=1) / np.sqrt(2)


def jaccards(query, rows):
    common = (rows @ query.T).toarray().ravel().astype(np.float64)
    union = np.diff(rows.indptr) + query.nnz - common
    return 1 - common / np.maximum(union, 1)


def hammings(query, rows):
    return datasets.distances("bit_hamming", query, rows)


def problems(options):
    for data in datasets.load_bits(options.data):
        yield Problem(data.name, "bit_hamming", data.base, data.queries, hammings)
    for data in datasets.load_sets(options.data):

        def matrix(sets, dim=data.dim):
            ones = np.ones(len(sets.indices), dtype=np.float32)
            return scipy.sparse.csr_matrix((ones, sets.indices, sets.indptr), shape=(len(sets), dim))

        yield Problem(data.name, "jaccard", matrix(data.base), matrix(data.queries), jaccards)
    for folder in sorted(pathlib.Path(options.data).glob("text-*")) if options.data else []:
        for data in datasets.from_folder(folder)[:1]:
            yield Problem(data.name, "correlation", data.base, data.queries, correlations)
            yield Problem(data.name, "hellinger", np.abs(data.base), np.abs(data.queries), hellingers)


def our_index(problem, rows, threads):
    index = annulus_compare.MetricIndex(problem.ours(rows), problem.metric, N_NEIGHBORS, threads)

    def search(queries, beam):
        return index.search(queries, K, beam, threads=1)[0]

    search.stats = lambda queries, beam: index.stats(queries, K, beam)
    return search


def peer_index(problem, rows, threads):
    index = pynndescent.NNDescent(
        rows, metric=problem.metric, n_neighbors=N_NEIGHBORS, n_jobs=threads, random_state=42
    )
    index.prepare()
    return lambda queries, epsilon: index.query(queries, K, epsilon)[0]


METHODS = {"annulus": our_index, "pynndescent": peer_index}
ROLES = {"annulus": "ours", "pynndescent": "peer"}


def kth_distances(problem, options, records):
    """Of each query to its true k-th neighbour: by our exact search, whose answers are checked."""
    base, queries = problem.ours(problem.base), problem.ours(problem.queries)
    ids, _ = annulus_compare.metric_knn(base, queries, K, problem.metric, options.threads)
    n = problem.queries.shape[0]
    kth = np.array([problem.distances(problem.queries[i], problem.base[ids[i]]).max() for i in range(n)])
    right = True
    for i in range(0, n, max(1, n // N_CHECKED)):
        true = np.partition(problem.distances(problem.queries[i], problem.base), K - 1)[K - 1]
        right &= abs(true - kth[i]) <= 1e-5 * true + 1e-7
    records.check(right, f"metric graph {problem.dataset} {problem.metric}: exact search against double precision")
    return kth


def recall(problem, found, kth):
    """By distance, so that ties count. An id counts once."""
    hits, n = 0, problem.base.shape[0]
    for i, limit in enumerate(kth):
        ids = np.unique(found[i].astype(np.int64))
        ids = ids[(ids >= 0) & (ids < n)]
        distances = problem.distances(problem.queries[i], problem.base[ids])
        hits += min(K, np.count_nonzero(distances <= limit * (1 + 1e-6) + 1e-9))
    return hits / (K * len(kth))


def compare_builds(problem, case, options, records):
    """Builds in turns. The last ones are searched."""
    searches = {}
    figures = {name: [] for name in METHODS}
    peer_index(problem, problem.base[:N_WARM], options.threads)(problem.queries[:2], EPSILONS[0])  # compiles
    for _ in range(1 if options.quick else 3):
        for name, build in METHODS.items():
            searches.pop(name, None)
            searches[name], own = measured(lambda b=build: b(problem, problem.base, options.threads))
            figures[name].append(own)
            show(f"index, {name}", [own["seconds"]], own)
    seconds = {name: [f["seconds"] for f in own] for name, own in figures.items()}
    cores = {name: float(np.median([f["cores"] for f in own])) for name, own in figures.items()}
    extra = {
        name: {
            "role": ROLES[name],
            "peak_bytes": float(np.median([f["peak_bytes"] for f in own])),
            "cpu_seconds": float(np.median([f["cores"] * f["seconds"] for f in own])),
        }
        for name, own in figures.items()
    }
    add(records, case | {"comparison": "metric graph build", "n_neighbors": N_NEIGHBORS}, (seconds, cores), extra)
    return searches


def compare_searches(problem, case, searches, options, records):
    problem = dataclasses.replace(problem, queries=problem.queries[: 200 if options.quick else 1000])
    kth = kth_distances(problem, options, records)
    sweeps = {"annulus": [{"beam": b} for b in BREADTHS], "pynndescent": [{"epsilon": e} for e in EPSILONS]}
    rows = {"annulus": problem.ours(problem.queries), "pynndescent": problem.queries}
    racers, extra = [], {}
    for method, search in searches.items():
        for arguments in sweeps[method]:
            name = f"{method} {' '.join(f'{key}={value}' for key, value in arguments.items())}"
            reached = recall(problem, np.asarray(search(rows[method], **arguments)), kth)
            extra[name] = {"role": ROLES[method], "method": method, "parameters": arguments, "recall": reached}
            if hasattr(search, "stats"):
                extra[name]["distances"], extra[name]["hops"] = search.stats(rows[method], **arguments)
            racers.append(Contender(name, lambda i, s=search, r=rows[method], a=arguments: s(r, **a)))
            if reached >= ENOUGH:
                break
    timing = race(racers, rounds=3 if options.quick else 5)
    case = case | {"comparison": "metric graph search", "n_queries": len(kth), "k": K}
    add(records, case, timing, extra)

    points = {method: [] for method in searches}
    for name, own in extra.items():
        cpu = float(np.median(timing[0][name])) * timing[1][name]
        points[own["method"]].append({"recall": own["recall"], "n_queries": len(kth), "seconds": {"median": cpu}})
        print(f"  {name}: recall {own['recall']:.4f}, {len(kth) / cpu:.0f}/s of processor time", flush=True)
    speeds = {method: speed_at(TARGET, own) for method, own in points.items()}
    print(f"  at recall {TARGET}: {', '.join(f'{m} {s or 0:.0f}/s' for m, s in speeds.items())}", flush=True)


def run(options, records):
    numba.set_num_threads(options.threads)
    for problem in problems(options):
        if not options.wants("metric_graph", problem.dataset) and not options.wants("metric_graph", problem.metric):
            continue
        n, d = problem.base.shape
        print(f"metric graph {problem.dataset} {problem.metric}: {n} x {d}", flush=True)
        case = {"dataset": problem.dataset, "metric": problem.metric, "n": n, "d": d}
        searches = compare_builds(problem, case, options, records)
        if options.threads == 1:
            compare_searches(problem, case, searches, options, records)
