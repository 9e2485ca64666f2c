"""Graph indexes beside those of rabitqlib, zvec and pyglass, which walk over codes of a few bits a coordinate.

All indexes of a data set are built by all cores, then searched in turns by one thread. Each widens its search, the
parameter that is a beam here and an ef elsewhere, until the recall is .999 or no longer grows. At the end ours are
searched by two threads beside one.
"""

import functools

import annulus_compare
import numpy as np

import datasets
import graph
import quantized_peers
from measure import Contender, race

N_QUERIES = 500
KS = (10, 100)
ROUNDS = 5
TARGET = 0.999
THREADS_AT = 0.99  # the recall whose width one thread and two are compared at
GAIN = 2e-4  # a wider search that finds no more than this does not help
GROWTH, STEPS = 1.3, 4  # of the width from one search to the next, and the steps to thrice the width
WIDEST = 40  # times k, at most
DATASETS = ("images-784-fashion-mnist", "text-384-debian", "sift-128-caltech101")  # of a folder, unless others are named

# By the name of a storage: what the module calls it, and the rows that it is given.
STORAGES = {
    "float": ("full_precision", graph.as_float),
    "uint8": ("full_precision", graph.as_stored),
    "half": ("half_precision", graph.as_float),
}


def our_index(storage, metric):
    def build(rows, threads):
        index = annulus_compare.NNDescentIndex(rows, metric, storage, graph.N_NEIGHBORS, threads)

        def search(queries, k, width, threads=1):
            return index.search(queries, k, width, threads=threads)[0]

        search.bytes = index.memory_bytes()
        return search

    return build


def methods(dataset, storages, peers):
    """(name, role, rows for, build) of all to compare. A storage that STORAGES lacks is the module's, of float rows."""
    for name in storages:
        storage, rows_for = STORAGES.get(name, (name, graph.as_float))
        if name != "uint8" or dataset.base.dtype == np.uint8:
            yield f"annulus, {name}", "ours", rows_for, our_index(storage, dataset.metric)
    for peer in peers:
        yield peer.name, "peer", graph.as_unit, peer.build


def build_all(dataset, case, peers, options, records):
    """By name: the role, the search and its queries."""
    built, seconds, cores, extra = {}, {}, {}, {}
    base = functools.cache(lambda rows_for: rows_for(dataset, dataset.base))
    for name, role, rows_for, build in methods(dataset, options.storages, peers):
        rows = base(rows_for)
        search, figures = graph.measured(lambda build=build, rows=rows: build(rows, options.threads))
        for key, value in getattr(search, "shared", {}).items():
            figures[key] += value
        built[name] = role, search, rows_for(dataset, dataset.queries[:N_QUERIES])
        seconds[name], cores[name] = [figures["seconds"]], figures["cores"]
        extra[name] = {"role": role, "peak_bytes": figures["peak_bytes"], "bytes": figures["bytes"]}
        extra[name]["own_bytes"] = search.bytes
        graph.show(f"index, {name}", seconds[name], figures)
    add(records, case | {"comparison": "peer graph build"}, (seconds, cores), extra)
    return built


def add(records, case, timing, extra):
    """No ratios: each point of a sweep would have one to each point of ours."""
    records.add(case, [Contender(name, None) for name in extra], timing, extra)


def widths(k, n):
    width = float(k)
    while width <= min(WIDEST * k, n):
        yield round(width)
        width *= GROWTH


def sweep(dataset, search, queries, k, kth):
    """(width, recall), from the narrowest search to the first that is good enough, or finds no more than a third of it."""
    points = []
    for width in widths(k, len(dataset.base)):
        found = np.asarray(search(queries, k, width)).reshape(len(queries), k)
        points.append((width, graph.recall(dataset, dataset.queries[: len(queries)], found, kth, k)))
        if points[-1][1] >= TARGET or (len(points) > STEPS and points[-1][1] < points[-1 - STEPS][1] + GAIN):
            break
    return points


def compare_searches(dataset, case, k, built, records):
    """Returns by name of ours the narrowest width whose recall is THREADS_AT."""
    kth = graph.kth_distances(dataset, dataset.queries[:N_QUERIES], k)
    racers, extra, chosen = [], {}, {}
    for method, (role, search, queries) in built.items():
        points = sweep(dataset, search, queries, k, kth)
        for width, recall in points:
            name = f"{method} width={width}"
            call = lambda i, s=search, q=queries, w=width: s(q, k, w)  # noqa: E731
            racers.append(Contender(name, call, role))
            extra[name] = {"role": role, "method": method, "parameters": {"width": width}, "recall": recall}
        if role == "ours":
            chosen[method] = next((width for width, recall in points if recall >= THREADS_AT), points[-1][0])
    timing = race(racers, ROUNDS, warm_up=False)  # the sweep has warmed all up
    case = case | {"comparison": "peer graph search", "n_queries": len(kth), "k": k}
    add(records, case, timing, extra)
    for name, own in extra.items():
        speed = len(kth) / np.median(timing[0][name])
        print(f"  k={k} {name}: recall {own['recall']:.4f}, {speed:.0f}/s", flush=True)
    return chosen


def compare_threads(case, k, built, chosen, records):
    racers, extra = [], {}
    for method, width in chosen.items():
        _, search, queries = built[method]
        for threads in (1, 2):
            name = f"{method}, {threads}"
            call = lambda i, s=search, q=queries, w=width, t=threads: s(q, k, w, threads=t)  # noqa: E731
            racers.append(Contender(name, call, "ours"))
            extra[name] = {"role": "ours", "method": method, "parameters": {"width": width}, "query_threads": threads}
    timing = race(racers, 3 * ROUNDS)
    add(records, case | {"comparison": "peer graph threads", "n_queries": N_QUERIES, "k": k}, timing, extra)


def run(options, records):
    if options.threads == 1:
        print("graph peers: the indexes are built by one thread", flush=True)
    for dataset in datasets.load_and_make(options.data, options.quick):
        named = dataset.name in (*DATASETS, *datasets.MADE, *options.only)
        if not options.wants("graph_peers", dataset.name) or not named or dataset.metric == "inner_product":
            continue
        n, d = dataset.base.shape
        print(f"graph peers {dataset.name} {dataset.metric}", flush=True)
        peers = quantized_peers.installed(dataset.base.dtype == np.uint8)
        case = {"dataset": dataset.name, "metric": dataset.metric, "n": n, "d": d}
        case["peer_versions"] = {peer.package: peer.version() for peer in peers}
        built = build_all(dataset, case, peers, options, records)
        for k in KS:
            chosen = compare_searches(dataset, case, k, built, records)
            if k == KS[0]:
                compare_threads(case, k, built, chosen, records)
