"""Brute-force nearest neighbours beside faiss and scikit-learn, and beside a bare matrix product."""

import annulus_compare
import faiss
import numpy as np
import sklearn.neighbors

import datasets
from measure import Contender, race

RECALL_TARGET = 0.95
N_CHECKED = 100  # queries whose results are checked in double precision


def normalised(rows):
    rows = rows.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def n_queries(dataset, quick):
    """At most 1,000; for a quick run as many as keep a batch short."""
    flops = 2.0 * dataset.base.shape[0] * dataset.base.shape[1]
    return min(len(dataset.queries), int(np.clip(4e9 / flops, 100, 1000)) if quick else 1000)


def faiss_search(dataset, queries):
    """faiss knows inner products: for the cosine it gets unit vectors."""
    prepare = normalised if dataset.metric == "cosine" else np.float32
    base, queries = prepare(dataset.base), prepare(queries)
    index = (faiss.IndexFlatL2 if dataset.metric == "sqeuclidean" else faiss.IndexFlatIP)(base.shape[1])
    index.add(base)
    to_distance = {"sqeuclidean": lambda s: s, "inner_product": lambda s: -s, "cosine": lambda s: 1 - s}[dataset.metric]

    def search(k):
        scores, ids = index.search(queries, k)
        return ids, to_distance(scores)

    return search


def sklearn_search(dataset, queries):
    model = sklearn.neighbors.NearestNeighbors(algorithm="brute", metric=dataset.metric)
    model.fit(dataset.base.astype(np.float32))
    queries = queries.astype(np.float32)
    return lambda k: model.kneighbors(queries, k)[::-1]


def searches(dataset, queries, threads):
    """name -> (role, search by k -> ids, distances). Indexes are built beforehand, on all sides."""

    def ours(index, rows, recall_target):
        return lambda k: index.search(rows, k, recall_target, threads)

    base, rows = dataset.base.astype(np.float32), queries.astype(np.float32)
    index = annulus_compare.FlatIndex(base, dataset.metric)
    result = {
        "annulus": ("ours", ours(index, rows, 1.0)),
        f"annulus, recall_target {RECALL_TARGET}": ("ours", ours(index, rows, RECALL_TARGET)),
    }
    if dataset.base.dtype == np.uint8:  # the peers take float only
        index = annulus_compare.FlatIndex(dataset.base, dataset.metric)
        result["annulus, uint8"] = ("ours", ours(index, queries, 1.0))
    result["faiss.IndexFlat"] = ("peer", faiss_search(dataset, queries))
    if dataset.metric != "inner_product":
        result["sklearn brute"] = ("peer", sklearn_search(dataset, queries))
    return result


def exact_rows(dataset, query, *id_lists):
    """All ids named, and their distances in double precision, nearest first."""
    ids = np.unique(np.concatenate([np.asarray(ids, dtype=np.int64) for ids in id_lists]))
    distances = datasets.distances(dataset.metric, query, dataset.base[ids])
    order = np.argsort(distances, kind="stable")
    return ids[order], distances[order]


def scales(dataset, query, ids):
    """What rounding errors are relative to: squares for the Euclidean distance, products else."""
    norms = np.linalg.norm(dataset.base[ids].astype(np.float64), axis=1)
    norm = np.linalg.norm(query.astype(np.float64))
    if dataset.metric == "cosine":
        return np.ones(len(ids))
    return norm * norms if dataset.metric == "inner_product" else norm**2 + norms**2


def check(dataset, queries, k, found, records, what):
    """The recall of each search, by distance, where the truth is the best that any of them found and the ground truth.

    Our distances must be right to rounding, faiss's to the rounding of its matrix products, and exact means exact.
    """
    n_checked = min(N_CHECKED, len(queries))
    hits = dict.fromkeys(found, 0)
    ours_right = ours_distinct = faiss_agrees = True
    for i in range(n_checked):
        id_lists = [ids[i] for ids, _ in found.values()]
        if dataset.truth is not None:
            id_lists.append(dataset.truth[i, :k])
        ids, distances = exact_rows(dataset, queries[i], *id_lists)
        limit = distances[k - 1] + 1e-6 * np.abs(distances[k - 1]) + 1e-9
        for name, (found_ids, _) in found.items():
            hits[name] += np.count_nonzero(np.isin(found_ids[i], ids[distances <= limit]))

        ours_distinct &= all(np.unique(a[i]).size == k for name, (a, _) in found.items() if name.startswith("annulus"))
        ours_ids, ours = (a[i] for a in found["annulus"])
        exact = datasets.distances(dataset.metric, queries[i], dataset.base[ours_ids])
        scale = scales(dataset, queries[i], ours_ids)
        relative = np.abs(exact) if dataset.metric == "sqeuclidean" else scale
        ours_right &= bool(np.all(np.abs(ours - exact) <= 1e-5 * relative + 1e-9))
        faiss_agrees &= bool(np.all(np.abs(ours - found["faiss.IndexFlat"][1][i]) <= 1e-5 * scale.max() + 1e-9))
    records.check(ours_right, f"{what}: our distances against double precision")
    records.check(ours_distinct, f"{what}: no id twice")
    records.check(faiss_agrees, f"{what}: our distances against faiss's")
    recalls = {name: hits[name] / (n_checked * k) for name in found}
    records.check(recalls["annulus"] >= 1 - 1e-6, f"{what}: exact search, recall {recalls['annulus']}")
    return recalls


def compare(dataset, k, queries, prepared, options, records):
    n, d = dataset.base.shape
    shape = {"dataset": dataset.name, "metric": dataset.metric, "n": n, "d": d, "n_queries": len(queries), "k": k}
    what = f"knn {dataset.name} {dataset.metric} k={k}"
    print(what, flush=True)

    found = {name: search(k) for name, (_, search) in prepared.items()}
    recalls = check(dataset, queries, k, found, records, what)
    racers = [Contender(name, lambda i, s=search: s(k), role) for name, (role, search) in prepared.items()]

    def matrix_product(_):
        return annulus_compare.gemm_seconds(len(queries), n, d, options.threads)

    racers.append(Contender("float matrix product", matrix_product, "yardstick", self_timed=True))
    timing = race(racers, rounds=9)

    flops = 2.0 * len(queries) * n * d
    extra = {name: {"recall": recall} for name, recall in recalls.items()}
    for name, times in timing[0].items():
        extra.setdefault(name, {})["gflops"] = flops / float(np.median(times)) / 1e9
    records.add({"comparison": "knn"} | shape, racers, timing, extra)


def run(options, records):
    faiss.omp_set_num_threads(options.threads)
    # By default faiss multiplies matrices only where queries * d reaches 128,000, and is 3 to 6 times slower below.
    faiss.cvar.distance_compute_blas_threshold = 1
    for dataset in datasets.load(options.data, options.quick):
        if not options.wants("knn", dataset.name):
            continue
        queries = np.ascontiguousarray(dataset.queries[: n_queries(dataset, options.quick)])
        prepared = searches(dataset, queries, options.threads)
        for k in [10, 100] if options.quick else [10, 100, 1000]:
            if k <= len(dataset.base):
                compare(dataset, k, queries, prepared, options, records)
