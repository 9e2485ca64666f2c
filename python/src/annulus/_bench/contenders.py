"""Indexes of annulus and of other libraries, called alike.

A builder takes (rows, metric, threads) and returns a search: (queries, k, width) -> ids of (n, k), int64, -1 for none.
Rows and queries are contiguous float32. A wider search finds more and takes longer.
"""

import importlib.util
import os
from dataclasses import dataclass
from typing import Callable

import numpy as np

import annulus

BEAMS = (10, 14, 20, 30, 45, 65, 100, 150, 250, 400)


@dataclass
class Contender:
    name: str
    build: Callable
    widths: tuple = BEAMS


def graph(**build):
    def build_graph(rows, metric, threads):
        index = annulus.NNDescentIndex(rows, metric=metric, threads=threads, **build)
        return lambda queries, k, width: index.search(queries, k, beam=width, threads=threads).ids

    return build_graph


def exact(rows, metric, threads):
    index = annulus.FlatIndex(rows, metric=metric)
    return lambda queries, k, width: index.search(queries, k, threads=threads).ids


def rabitq(rows, metric, threads):
    index = annulus.RaBitQIndex(rows, metric=metric, threads=threads)
    return lambda queries, k, width: index.search(queries, k, k_factor=width, threads=threads).ids


OURS = (
    Contender("annulus, exact", exact, (1,)),
    Contender("annulus, graph", graph()),
    Contender("annulus, graph over bytes", graph(storage="sq8")),
    Contender("annulus, codes of bits", rabitq, (2, 4, 8, 16, 32, 64)),
)


def hnswlib(rows, metric, threads):
    import hnswlib

    threads = threads or os.cpu_count()
    index = hnswlib.Index({"euclidean": "l2", "cosine": "cosine", "inner_product": "ip"}[metric], rows.shape[1])
    index.init_index(len(rows), M=16, ef_construction=200)
    index.add_items(rows, num_threads=threads)

    def search(queries, k, width):
        index.set_ef(max(k, width))
        return index.knn_query(queries, k, num_threads=threads)[0].astype(np.int64)

    return search


def pynndescent(rows, metric, threads):
    import numba
    from pynndescent import NNDescent

    threads = threads or os.cpu_count()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    name = {"inner_product": "dot"}.get(metric, metric)
    index = NNDescent(rows, metric=name, n_jobs=threads, random_state=1, parallel_batch_queries=threads > 1)
    index.prepare()
    return lambda queries, k, width: index.query(queries, k, epsilon=width)[0]


def faiss(rows, metric, threads):
    import faiss

    faiss.omp_set_num_threads(threads or os.cpu_count())
    is_cosine = metric == "cosine"
    kind = faiss.METRIC_L2 if metric == "euclidean" else faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexHNSWFlat(rows.shape[1], 32, kind)
    index.hnsw.efConstruction = 100
    index.add(unit(rows) if is_cosine else rows)

    def search(queries, k, width):
        parameters = faiss.SearchParametersHNSW(efSearch=width)
        return index.search(unit(queries) if is_cosine else queries, k, params=parameters)[1]

    return search


def scikit_learn(rows, metric, threads):
    from sklearn.neighbors import NearestNeighbors

    if metric == "inner_product":
        raise ValueError("scikit-learn has no inner product: leave it out of --peers")
    index = NearestNeighbors(algorithm="brute", metric=metric, n_jobs=threads or -1).fit(rows)
    return lambda queries, k, width: index.kneighbors(queries, k, return_distance=False)


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)


# By the name of the module.
PEERS = {
    "hnswlib": Contender("hnswlib", hnswlib),
    "pynndescent": Contender("pynndescent", pynndescent, (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)),
    "faiss": Contender("faiss HNSW", faiss),
    "sklearn": Contender("scikit-learn, exact", scikit_learn, (1,)),
}


def chosen_peers(names):
    """The peers named in a text like "hnswlib,faiss"."""
    names = [name.strip() for name in names.split(",") if name.strip()]
    for name in names:
        if name not in PEERS:
            raise ValueError(f"--peers: {name!r} is not one of {', '.join(PEERS)}")
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"--peers: {name} is not installed")
    return [PEERS[name] for name in dict.fromkeys(names)]
