"""Graph indexes beside those of rabitqlib, zvec and pyglass, which walk over codes of a few bits a coordinate, and those of
hnswlib, faiss and SVS, which walk over float rows.

All indexes of a data set are built by all cores, then searched in turns by one thread. Each widens its search, the
parameter that is a beam here and an ef elsewhere, until the recall is .999 or no longer grows. At the end ours are
searched by two threads beside one.
"""

import functools
import time

import annulus_compare
import numpy as np

import datasets
import graph
import graph_libraries
from measure import Contender, race

N_QUERIES = 500
KS = (10, 100)
ROUNDS = 9
LEVELS = (0.95, 0.99, 0.999)  # of recall
THREADS_AT = 0.99  # the recall whose width one thread and two are compared at
GAIN = 4e-4  # of recall: less is none
GROWTH, STEPS = 1.3, 4  # of the width from one search to the next, and the steps to thrice the width
# Of a folder, unless others are named.
DATASETS = ("images-784-fashion-mnist", "text-384-debian", "sift-128-caltech101")

# By the name of a storage: what the module calls it, the rows that it is given, and whether it keeps those beside codes.
STORAGES = {
    "float": ("full_precision", graph.as_float),
    "uint8": ("full_precision", graph.as_stored),
    "half": ("half_precision", graph.as_float),
    "rabitq, uint8": ("rabitq", graph.as_stored),
    "rabitq, sq8": ("rabitq_sq8", graph.as_float),
    "rabitq, sq8, no rows": ("rabitq_sq8", graph.as_float, False),
}


def our_index(storage, metric, keep_rows=True):
    def build(rows, threads):
        index = annulus_compare.NNDescentIndex(rows, metric, storage, graph.N_NEIGHBORS, threads, keep_rows)

        def search(queries, k, width, threads=1, by_estimates=False):
            return index.search(queries, k, width, threads=threads, by_estimates=by_estimates)[0]

        search.own_bytes = index.memory_bytes
        return search

    return build


def methods(dataset, storages, peers):
    """(name, role, rows for, build) of all to compare. A storage that STORAGES lacks is the module's, of float rows."""
    for name in storages:
        storage, rows_for, *keep_rows = STORAGES.get(name, (name, graph.as_float))
        if "uint8" not in name or dataset.base.dtype == np.uint8:
            yield f"annulus, {name}", "ours", rows_for, our_index(storage, dataset.metric, *keep_rows)
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
        if "rabitq" in name and role == "ours":
            built[f"{name}, by estimates"] = role, functools.partial(search, by_estimates=True), built[name][2]
        seconds[name], cores[name] = [figures["seconds"]], figures["cores"]
        extra[name] = {"role": role, "peak_bytes": figures["peak_bytes"], "bytes": figures["bytes"]}
        extra[name]["own_bytes"] = search.own_bytes()
        graph.show(f"index, {name}", seconds[name], figures)
    add(records, case | {"comparison": "peer graph build"}, (seconds, cores), extra)
    return built


def add(records, case, timing, extra):
    """No ratios: each point of a sweep would have one to each point of ours."""
    records.add(case, [Contender(name, None) for name in extra], timing, extra)


def widths(k, n):
    width = float(k)
    while width <= min(max(1000, 20 * k), n):
        yield round(width)
        width *= GROWTH


def sweep(dataset, search, queries, k, kth):
    """(width, recall), up to the first width that is good enough, or that finds no more than a third of it did."""
    points = []
    for width in widths(k, len(dataset.base)):
        found = np.asarray(search(queries, k, width)).reshape(len(queries), k)
        points.append((width, graph.recall(dataset, dataset.queries[: len(queries)], found, kth, k)))
        if points[-1][1] >= LEVELS[-1] or (len(points) > STEPS and points[-1][1] < points[-1 - STEPS][1] + GAIN):
            break
    return points


def around_levels(points):
    """Of a sweep the points on both sides of each level, the first, and the first that is as good as any: so that a round
    takes a few seconds, and whatever else the machine does meets all alike."""
    best = max(recall for _, recall in points)
    chosen = {points[0], next(point for point in points if point[1] > best - GAIN)}
    for level in LEVELS:
        first = next((i for i, (_, recall) in enumerate(points) if recall >= level), None)
        if first is not None:
            chosen |= set(points[max(first - 1, 0) : first + 1])
    return sorted(chosen)


def timed(call):
    """Processor time, which others on the machine lengthen less than they do the time by the clock."""

    def run(i):
        start = time.process_time()
        call(i)
        return time.process_time() - start

    return run


def compare_searches(dataset, case, k, built, records):
    """Returns by name of ours the narrowest width whose recall is THREADS_AT."""
    kth = graph.kth_distances(dataset, dataset.queries[:N_QUERIES], k)
    racers, extra, chosen = [], {}, {}
    for method, (role, search, queries) in built.items():
        points = sweep(dataset, search, queries, k, kth)
        for width, recall in around_levels(points):
            name = f"{method} width={width}"
            call = lambda i, s=search, q=queries, w=width: s(q, k, w)  # noqa: E731
            racers.append(Contender(name, timed(call), role, self_timed=True))
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
        peers = graph_libraries.installed(dataset.base.dtype == np.uint8)
        case = {"dataset": dataset.name, "metric": dataset.metric, "n": n, "d": d}
        case["peer_versions"] = {peer.package: peer.version() for peer in peers}
        built = build_all(dataset, case, peers, options, records)
        for k in KS:
            chosen = compare_searches(dataset, case, k, built, records)
            if k == KS[0]:
                compare_threads(case, k, built, chosen, records)
