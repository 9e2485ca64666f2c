"""k-NN graphs and graph indexes beside pynndescent, hnswlib, faiss and SVS: builds, and searches by one thread.

By itself, as graph.py SPEC, it builds one graph: each build has a process of its own, whose memory tells what it took.
"""

import ctypes
import gc
import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any, Callable

import annulus_compare
import faiss
import numpy as np

import datasets
import graph_libraries
from measure import Contender, race

N_NEIGHBORS = 30
N_COMPARED = N_NEIGHBORS - 1  # pynndescent's lists hold the row itself, which leaves 29
N_SAMPLED = 1000  # rows whose lists are checked
N_WARM = 5000  # rows of a first build: enough that all that is compiled on first use has been
K = 10
EPSILONS = [0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4]
BREADTHS = [10, 13, 16, 20, 25, 32, 40, 50, 65, 80, 120, 180, 270, 400]
PACKAGES = ("pynndescent", "hnswlib", "scalable-vs", "numba")


def as_float(dataset, rows):
    return np.ascontiguousarray(rows, dtype=np.float32)


def as_unit(dataset, rows):
    """For the libraries that know L2 only: on unit vectors it ranks as the cosine does."""
    rows = as_float(dataset, rows)
    if dataset.metric != "cosine":
        return rows
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def as_stored(dataset, rows):
    return rows


def our_graph(rows, metric, threads):
    return annulus_compare.build_knn_graph(rows, metric, N_NEIGHBORS, threads)[0]


def our_index(storage):
    def build(rows, metric, threads):
        index = annulus_compare.NNDescentIndex(rows, metric, storage, N_NEIGHBORS, threads)

        def search(queries, beam):
            return index.search(queries, K, beam, threads=1)[0]

        search.stats = lambda queries, beam: index.stats(queries, K, beam)
        return search

    return build


def pynndescent_build(rows, metric, threads):
    import numba
    import pynndescent

    numba.set_num_threads(threads)
    metric = {"sqeuclidean": "euclidean"}.get(metric, metric)  # it leaves out the root until the end
    return pynndescent.NNDescent(rows, metric, n_neighbors=N_NEIGHBORS, n_jobs=threads, random_state=42)


def pynndescent_graph(rows, metric, threads):
    built = pynndescent_build(rows, metric, threads)
    return lambda: built.neighbor_graph[0]  # a copy, which is no part of the build


def pynndescent_index(rows, metric, threads):
    index = pynndescent_build(rows, metric, threads)
    index.prepare()
    return lambda queries, epsilon: index.query(queries, K, epsilon)[0]


def hnswlib_index(rows, metric, threads):
    search = graph_libraries.hnswlib_index(rows, threads, {"sqeuclidean": "l2"}.get(metric, metric))
    return lambda queries, ef: search(queries, K, ef)


def faiss_index(rows, metric, threads):
    search = graph_libraries.faiss_index(rows, threads)
    return lambda queries, ef: search(queries, K, ef)


def svs_index(rows, metric, threads):
    search = graph_libraries.svs_index(rows, threads)
    return lambda queries, window: search(queries, K, window)


@dataclass
class Method:
    name: str
    role: str
    build: Callable[[np.ndarray, str, int], Any]  # (rows, metric, threads) -> a graph, or a search
    rows: Callable = as_float  # what it is given, made beforehand
    sweep: list = field(default_factory=list)  # further arguments of the search, quick ones first
    compiles: bool = False  # on first use


def graphs(dataset):
    ours = [Method("annulus", "ours", our_graph)]
    if dataset.base.dtype == np.uint8:
        ours.append(Method("annulus, uint8", "ours", our_graph, as_stored))
    peers = [Method("pynndescent", "peer", pynndescent_graph, compiles=True)]
    return ours + peers


def indexes(dataset):
    sweep = [{"beam": beam} for beam in BREADTHS]
    ours = [Method("annulus", "ours", our_index("full_precision"), as_float, sweep)]
    if dataset.base.dtype == np.uint8:
        ours.append(Method("annulus, uint8", "ours", our_index("full_precision"), as_stored, sweep))
    else:
        ours.append(Method("annulus, half", "ours", our_index("half_precision"), as_float, sweep))
        ours.append(Method("annulus, sq8", "ours", our_index("sq8"), as_float, sweep))
    by_ef = [{"ef": ef} for ef in BREADTHS]
    by_window = [{"window": window} for window in BREADTHS]
    peers = [
        Method("pynndescent", "peer", pynndescent_index, as_float, [{"epsilon": e} for e in EPSILONS], compiles=True),
        Method("hnswlib", "peer", hnswlib_index, as_float, by_ef),
        Method("faiss HNSW", "peer", faiss_index, as_unit, by_ef),
        Method("SVS Vamana", "peer", svs_index, as_unit, by_window),
    ]
    if dataset.base.dtype == np.uint8:
        peers.append(Method("SVS Vamana, uint8", "peer", svs_index, as_stored, by_window))
    return ours + peers


def kth_distances(dataset, queries, k, own_ids=None):
    """Of each query to its true k-th neighbour, in double precision; own_ids are rows that are not their own ones."""
    base, rows = (as_unit(dataset, r) for r in (dataset.base, queries))
    flat = faiss.IndexFlatL2(base.shape[1])
    flat.add(base)
    candidates = flat.search(rows, k + 20)[1]  # more than k, as it rounds
    if own_ids is None and dataset.truth is not None:
        candidates = np.hstack([candidates, dataset.truth[: len(queries), :k]])
    result = np.empty(len(queries))
    for i, query in enumerate(queries):
        ids = np.unique(candidates[i])
        ids = ids[ids >= 0] if own_ids is None else ids[(ids >= 0) & (ids != own_ids[i])]
        result[i] = np.partition(datasets.distances(dataset.metric, query, dataset.base[ids]), k - 1)[k - 1]
    return result


def recall(dataset, queries, found, kth, k):
    """By distance, so that ties count. An id counts once."""
    hits = 0
    for query, row, limit in zip(queries, found.astype(np.int64), kth):
        ids = np.unique(row)
        ids = ids[(ids >= 0) & (ids < len(dataset.base))]
        distances = datasets.distances(dataset.metric, query, dataset.base[ids])
        hits += min(k, np.count_nonzero(distances <= limit * (1 + 1e-6) + 1e-9))
    return hits / (k * len(queries))


def memory(kind):
    """VmRSS: the memory that this process has. VmHWM: the most that it had since forget_peak."""
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith(kind)))


def forget_peak():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # else a build could live on what others have freed
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def measured(build):
    """What it builds, and the time and memory it takes: at its peak, and to keep."""
    forget_peak()
    before = memory("VmRSS")
    start, start_cpu = time.perf_counter(), time.process_time()
    built = build()
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak = memory("VmHWM") - before
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    figures = {"seconds": seconds, "cores": cpu / seconds, "peak_bytes": peak, "bytes": memory("VmRSS") - before}
    return built, figures


def build_graph(spec):
    """In a process of its own. Saves the sampled lists, without the rows themselves, and returns the figures."""
    dataset = datasets.Dataset("", spec["metric"], np.load(spec["base"]), None)
    method = next(m for m in graphs(dataset) if m.name == spec["method"])
    rows = method.rows(dataset, dataset.base)
    if method.compiles and spec["warm"]:
        method.build(rows[:N_WARM], spec["metric"], spec["threads"])
    graph, figures = measured(lambda: method.build(rows, spec["metric"], spec["threads"]))
    graph = graph() if callable(graph) else graph
    sample = np.load(spec["sample"])
    lists = [[i for i in graph[row].tolist() if i != row][:N_COMPARED] for row in sample]
    np.save(spec["lists"], np.array([row + [-1] * (N_COMPARED - len(row)) for row in lists], dtype=np.int64))
    return figures


def run_build(spec, folder, cold=False):
    """build_graph in a fresh process; cold: where nothing compiled has been kept, as after an installation."""
    (folder / "spec.json").write_text(json.dumps(spec | {"warm": not cold}))
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory() as empty:
        if cold:
            environment["NUMBA_CACHE_DIR"] = empty
        command = [sys.executable, __file__, str(folder / "spec.json")]
        output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def add(records, case, timing, extra):
    """Who is ours is told only now: else each record had a ratio to each point of our sweeps."""
    racers = [Contender(name, None) for name in extra]
    versions = {"peer_versions": {name: importlib.metadata.version(name) for name in PACKAGES}}
    records.add(case | versions, racers, timing, extra)


def compare_graphs(dataset, case, options, records, cold):
    """cold: whether to measure the builds that have all compiled anew, too."""
    methods = graphs(dataset)
    sample = np.random.default_rng(3).choice(len(dataset.base), min(N_SAMPLED, len(dataset.base)), replace=False)
    kth = kth_distances(dataset, dataset.base[sample], N_COMPARED, sample)
    figures, lists = {m.name: [] for m in methods}, {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        paths = {name: str(folder / f"{name}.npy") for name in ("base", "sample", "lists")}
        np.save(paths["base"], dataset.base)
        np.save(paths["sample"], sample)
        spec = paths | {"metric": dataset.metric, "threads": options.threads}
        compiling = [m for m in methods if cold and m.compiles]
        colds = {m.name: run_build(spec | {"method": m.name}, folder, cold=True)["seconds"] for m in compiling}
        for _ in range(1 if options.quick else 3):
            for method in methods:
                figures[method.name].append(run_build(spec | {"method": method.name}, folder))
                lists[method.name] = np.load(paths["lists"])
    extra = {}
    for method in methods:
        own = figures[method.name]
        extra[method.name] = {
            "role": method.role,
            "recall": recall(dataset, dataset.base[sample], lists[method.name], kth, N_COMPARED),
            "peak_bytes": float(np.median([f["peak_bytes"] for f in own])),
        }
        if method.name in colds:
            extra[method.name]["cold_seconds"] = colds[method.name]
    seconds = {name: [f["seconds"] for f in own] for name, own in figures.items()}
    cores = {name: float(np.median([f["cores"] for f in own])) for name, own in figures.items()}
    add(records, case | {"comparison": "graph build", "n_neighbors": N_NEIGHBORS}, (seconds, cores), extra)
    for name, own in extra.items():
        show(f"graph, {name}", seconds[name], own | {"cores": cores[name]})


def show(what, seconds, figures):
    parts = [f"{np.median(seconds):.2f} s"]
    names = {"peak_bytes": "MB at most", "bytes": "MB kept"}
    parts += [f"{figures[key] / 1e6:.0f} {name}" for key, name in names.items() if key in figures]
    parts += [f"{key} {figures[key]:.4g}" for key in ("recall", "cores", "cold_seconds") if key in figures]
    print(f"  {what}: {', '.join(parts)}", flush=True)


def compare_indexes(dataset, case, options, records):
    """Builds all once, and has them searched in turns. Searches are by one thread, whatever built the index."""
    searches, seconds, cores, extra = {}, {}, {}, {}
    methods = indexes(dataset)
    faiss.omp_set_num_threads(options.threads)
    for method in methods:
        rows = method.rows(dataset, dataset.base)
        if method.compiles:
            method.build(rows[:N_WARM], dataset.metric, options.threads)(rows[:2], **method.sweep[0])
        search, figures = measured(lambda: method.build(rows, dataset.metric, options.threads))
        seconds[method.name], cores[method.name] = [figures["seconds"]], figures["cores"]
        extra[method.name] = {"role": method.role, "peak_bytes": figures["peak_bytes"], "bytes": figures["bytes"]}
        show(f"index, {method.name}", seconds[method.name], figures)
        if options.threads == 1:
            searches[method.name] = search
        del search
    add(records, case | {"comparison": "index build"}, (seconds, cores), extra)
    if options.threads == 1:
        compare_searches(dataset, case, methods, searches, options, records)


def compare_searches(dataset, case, methods, searches, options, records):
    queries = dataset.queries[: 200 if options.quick else 1000]
    kth = kth_distances(dataset, queries, K)
    racers, extra = [], {}
    for method in methods:
        search, rows = searches[method.name], method.rows(dataset, queries)
        for arguments in method.sweep:
            name = f"{method.name} {' '.join(f'{key}={value}' for key, value in arguments.items())}"
            racers.append(Contender(name, lambda i, s=search, r=rows, a=arguments: s(r, **a)))
            extra[name] = {"role": method.role, "method": method.name, "parameters": arguments}
            extra[name]["recall"] = recall(dataset, queries, np.asarray(search(rows, **arguments)), kth, K)
            if hasattr(search, "stats"):
                extra[name]["distances"], extra[name]["hops"] = search.stats(rows, **arguments)
    timing = race(racers, rounds=5)
    case = case | {"comparison": "graph search", "n_queries": len(queries), "k": K}
    add(records, case, timing, extra)
    for name, own in extra.items():
        print(f"  {name}: recall {own['recall']:.4f}, {len(queries) / np.median(timing[0][name]):.0f}/s", flush=True)


def run(options, records):
    compiled = set()
    for dataset in datasets.load(options.data, options.quick):
        # Random points have no neighbourhoods for a graph to follow, inner products no graph of neighbours.
        if not options.wants("graph", dataset.name) or dataset.name.startswith("random"):
            continue
        if dataset.metric == "inner_product":
            continue
        n, d = dataset.base.shape
        case = {"dataset": dataset.name, "metric": dataset.metric, "n": n, "d": d}
        print(f"graph {dataset.name} {dataset.metric}", flush=True)
        compare_graphs(dataset, case, options, records, cold=dataset.metric not in compiled)
        compiled.add(dataset.metric)
        compare_indexes(dataset, case, options, records)


if __name__ == "__main__":
    print(json.dumps(build_graph(json.loads(pathlib.Path(sys.argv[1]).read_text()))))
