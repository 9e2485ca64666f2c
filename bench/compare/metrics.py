"""Exact search under every metric, beside scipy's cdist and pynndescent's compiled functions over all pairs; of bits,
beside faiss."""

import importlib.metadata
import pathlib
import time
from dataclasses import dataclass, field
from typing import Any, Callable

import annulus_compare
import faiss
import numba
import numpy as np
import pynndescent.distances as dense_peers
import pynndescent.sparse as sparse_peers
from scipy.spatial.distance import cdist

import datasets
from measure import Contender, race

K = 10
MOST_QUERIES = 1024
SPARSE_DIM = 100_000
CLAMPED = 3e38  # what pynndescent makes of angles beyond a right one, and of products below zero


def same(x):
    return x


@dataclass
class Case:
    metric: str  # as annulus names it
    data: str
    parameters: dict = field(default_factory=dict)  # ours
    scipy: tuple = None  # its name and its parameters
    from_scipy: Callable = same  # its distances as ours
    peer: tuple = ()  # further arguments of pynndescent's function
    from_peer: Callable = None  # where its own correction is not it
    bits: bool = False  # for scipy: as bool, its fastest form
    tolerance: float = 1e-4  # relative

    def __str__(self):
        numbers = [f"{name}={value:g}" for name, value in self.parameters.items() if np.isscalar(value)]
        return " ".join([self.metric, *numbers])


def cases(quick):
    rng = np.random.default_rng(4)
    d, bins = 128, 32
    weights, variance = rng.uniform(0.5, 2, d), rng.uniform(0.5, 2, d)
    root = rng.standard_normal((d, d)) / np.sqrt(d)
    inverse = root @ root.T + np.eye(d) / 2
    places = rng.random((bins, 2))
    cost = np.linalg.norm(places[:, None] - places[None], axis=2)
    for metric, of_scipy in {
        "euclidean": "euclidean",
        "sqeuclidean": "sqeuclidean",
        "manhattan": "cityblock",
        "chebyshev": "chebyshev",
        "cosine": "cosine",
        "correlation": "correlation",
        "canberra": "canberra",
        "braycurtis": "braycurtis",
    }.items():
        yield Case(metric, "shares" if metric == "braycurtis" else "normal", scipy=(of_scipy, {}))
    for p in (1.5, 3, 2.2):
        p_of_peer = int(p) if p == int(p) else p  # powers of integers are its quicker ones
        yield Case("minkowski", "normal", {"p": p}, ("minkowski", {"p": p}), peer=(p_of_peer,))
    yield Case("seuclidean", "normal", {"variance": variance}, ("seuclidean", {"V": variance}), peer=(variance,))
    yield Case(
        "wminkowski",
        "normal",
        {"w": weights, "p": 3},
        ("minkowski", {"w": weights, "p": 3}),
        peer=(weights, 3),
    )
    yield Case("mahalanobis", "normal", {"vinv": inverse}, ("mahalanobis", {"VI": inverse}), peer=(inverse,))
    yield Case("inner_product", "normal")
    yield Case("dot", "unit")
    yield Case("true_angular", "normal", from_peer=lambda alternative: np.arccos(2.0**-alternative) / np.pi)
    yield Case("spearmanr", "normal")
    yield Case("tsss", "normal", tolerance=1e-3)
    yield Case("haversine", "places")
    yield Case("hellinger", "shares")
    yield Case("jensen_shannon", "shares", scipy=("jensenshannon", {}), from_scipy=np.square)
    yield Case("symmetric_kl", "shares")
    for p in (1, 2):
        yield Case("wasserstein_1d", "histograms", {"p": p}, peer=(p,))
    yield Case("circular_kantorovich", "histograms", {"p": 1}, peer=(1,))
    yield Case("kantorovich", "few bins", {"cost": cost}, peer=(cost,))
    yield Case("sinkhorn", "few bins", {"cost": cost, "regularization": 0.1}, peer=(cost, 0.1), tolerance=1e-3)
    yield Case("hamming", "categories", scipy=("hamming", {}))
    for metric in ("jaccard", "dice", "rogerstanimoto", "russellrao", "sokalsneath", "yule"):
        yield Case(metric, "binary", scipy=(metric, {}), bits=True)
    yield Case("matching", "binary", scipy=("hamming", {}), bits=True)
    for metric in ("kulsinski", "sokalmichener"):
        yield Case(metric, "binary")
    for metric in ("bit_hamming", "bit_jaccard"):
        yield Case(metric, "packed bits")
    yield Case("jaccard", "sets-jaccard")
    for metric in (
        "euclidean sqeuclidean manhattan chebyshev canberra braycurtis cosine correlation hellinger jensen_shannon "
        "symmetric_kl wasserstein_1d hamming jaccard dice matching kulsinski rogerstanimoto russellrao sokalsneath "
        "sokalmichener"
    ).split():
        yield Case(metric, "sparse")
    yield Case("minkowski", "sparse", {"p": 3}, peer=(3.0,))


@dataclass
class Csr:
    indptr: np.ndarray
    indices: np.ndarray
    values: np.ndarray
    dim: int

    def __len__(self):
        return len(self.indptr) - 1

    def head(self, n):
        end = self.indptr[n]
        return Csr(self.indptr[: n + 1], self.indices[:end], self.values[:end], self.dim)

    def ours(self, is_set):
        return annulus_compare.CsrRows(self.indptr, self.indices, None if is_set else self.values, self.dim)


def text_like(rng, n, dim=SPARSE_DIM, stored=60):
    """Rows of words, of which the i-th most frequent is so with a probability of 1 / i."""
    rows = []
    for _ in range(n):
        words = np.unique(dim ** rng.random(3 * stored)).astype(np.int32) - 1
        words = np.unique(words)
        rows.append(np.sort(rng.permutation(words)[:stored]))
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    indices = np.concatenate(rows).astype(np.int32)
    return Csr(indptr, indices, (1 + rng.gamma(1.0, 2.0, len(indices))).astype(np.float32), dim)


def data_of(name, folder, quick):
    """Rows and queries."""
    rng = np.random.default_rng(5)
    n = 2000 if quick else 10_000
    both = n + MOST_QUERIES

    def split(rows):
        rows = np.ascontiguousarray(rows)
        return rows[:n], rows[n:]

    def shares(rows, bins):
        masses = rng.gamma(0.5, size=(rows, bins)) + 1e-6
        return (masses / masses.sum(axis=1, keepdims=True)).astype(np.float32)

    if name in ("normal", "unit"):
        rows = rng.standard_normal((both, 128), dtype=np.float32)
        return split(rows if name == "normal" else rows / np.linalg.norm(rows, axis=1, keepdims=True))
    if name == "shares":
        return split(shares(both, 128))
    if name == "few bins":
        rows = shares(600, 32)
        return rows[:500], rows[500:]
    if name == "histograms":
        path = pathlib.Path(folder or "") / "hist-512-caltech101"
        if path.exists():
            return datasets.read_vecs(path / "base.fvecs")[:n], datasets.read_vecs(path / "query.fvecs")
        return split(shares(both, 512))
    if name == "places":
        n *= 10
        both = n + MOST_QUERIES
        places = [np.arcsin(rng.uniform(-1, 1, both)), rng.uniform(-np.pi, np.pi, both)]
        return split(np.stack(places, axis=1).astype(np.float32))
    if name == "categories":
        return split(rng.integers(0, 4, (both, 128)).astype(np.float32))
    if name == "binary":
        return split((rng.random((both, 128)) < 0.3).astype(np.float32))
    if name == "packed bits":
        return split(rng.integers(0, 256, (both, 32), dtype=np.uint8))
    if name == "sparse":
        return text_like(rng, min(n, 5000)), text_like(rng, 256)
    if name == "sets-jaccard":
        for sets in datasets.load_sets(folder):
            base, queries = (
                Csr(rows.indptr, rows.indices, np.ones(len(rows.indices), np.float32), sets.dim)
                for rows in (sets.base, sets.queries)
            )
            return base.head(min(n, len(base))), queries.head(min(256, len(queries)))
        return None
    raise ValueError(name)


def nearest(block):
    ids = np.argpartition(block, K - 1, axis=1)[:, :K]
    distances = np.take_along_axis(block, ids, axis=1)
    order = np.argsort(distances, axis=1)
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(distances, order, axis=1)


def ours_search(case, base, queries):
    if isinstance(base, Csr):
        is_set = case.data == "sets-jaccard"
        base, queries = base.ours(is_set), queries.ours(is_set)
    return lambda: annulus_compare.metric_knn(base, queries, K, case.metric, 1, **case.parameters)


def scipy_search(case, base, queries):
    name, parameters = case.scipy
    base, queries = (rows.astype(bool if case.bits else np.float64) for rows in (base, queries))
    return lambda: nearest(cdist(queries, base, name, **parameters))


def faiss_search(base, queries):
    """Of bits, which the other peers look up byte by byte."""
    index = faiss.IndexBinaryFlat(8 * base.shape[1])
    index.add(base)
    return lambda: index.search(queries, K)[::-1]


def with_arguments(function, arguments):
    """As NNDescent has them: constants of the compiled function."""
    if not arguments:
        return function
    first, second = (*arguments, None)[:2]
    if len(arguments) == 1:
        return numba.njit(fastmath=True)(lambda x, y: function(x, y, first))
    return numba.njit(fastmath=True)(lambda x, y: function(x, y, first, second))


def dense_pairs(function):
    @numba.njit(fastmath=True)
    def fill(base, queries, out):
        for i in range(queries.shape[0]):
            for j in range(base.shape[0]):
                out[i, j] = function(queries[i], base[j])

    return fill


def sparse_pairs(function, arguments):
    if arguments:
        (argument,) = arguments
        inner = function
        function = numba.njit(fastmath=True)(lambda i, x, j, y: inner(i, x, j, y, argument))

    @numba.njit(fastmath=True)
    def fill(indptr, indices, values, query_indptr, query_indices, query_values, out):
        for i in range(query_indptr.shape[0] - 1):
            i_words = query_indices[query_indptr[i] : query_indptr[i + 1]]
            i_values = query_values[query_indptr[i] : query_indptr[i + 1]]
            for j in range(indptr.shape[0] - 1):
                j_words, j_values = indices[indptr[j] : indptr[j + 1]], values[indptr[j] : indptr[j + 1]]
                out[i, j] = function(i_words, i_values, j_words, j_values)

    return fill


def peer_function(case):
    """The one that NNDescent uses: a quicker alternative where it has one, and what makes distances of its results."""
    is_sparse = case.data in ("sparse", "sets-jaccard")
    peers = sparse_peers if is_sparse else dense_peers
    prefix = "sparse_" if is_sparse else ""
    alternative = getattr(peers, f"{prefix}fast_distance_alternatives").get(case.metric)
    if alternative is not None:
        function, correct = alternative["dist"], alternative["correction"]
    else:
        function, correct = getattr(peers, f"{prefix}named_distances")[case.metric], same
    arguments = case.peer
    if is_sparse and case.metric in sparse_peers.sparse_need_n_features:
        arguments = (SPARSE_DIM,)
    pairs = sparse_pairs(function, arguments) if is_sparse else dense_pairs(with_arguments(function, arguments))
    return pairs, case.from_peer or correct


def peer_search(pairs, base, queries):
    out = np.empty((len(queries), len(base)), dtype=np.float32)

    def arrays(rows):
        return (rows.indptr, rows.indices, rows.values) if isinstance(rows, Csr) else (rows,)

    arguments = (*arrays(base), *arrays(queries), out)

    def search():
        pairs(*arguments)
        return nearest(out)

    return search


def head(rows, n):
    return rows.head(n) if isinstance(rows, Csr) else rows[:n]


def n_queries(make, queries, seconds):
    """A power of two, so that the search takes about so long by itself."""
    few = head(queries, 16)
    search = make(few)
    search()
    start = time.process_time()
    search()
    n = 16 * seconds / (time.process_time() - start)
    return int(min(len(queries), 2 ** np.clip(np.round(np.log2(n)), 4, 10)))


def agrees(ours, theirs, clamped, tolerance):
    """The distances to the nearest, the second nearest, ..."""
    return bool(np.all(clamped | (np.abs(ours - theirs) <= tolerance * np.abs(theirs) + 2e-6)))


def compare(case, base, queries, options, records):
    pairs, correct = peer_function(case)
    makes = {}
    if case.scipy is not None:
        makes["scipy"] = lambda rows: scipy_search(case, base, rows)
    makes["pynndescent"] = lambda rows: peer_search(pairs, base, rows)
    if case.metric == "bit_hamming":
        makes["faiss"] = lambda rows: faiss_search(base, rows)
    seconds = 0.1 if options.quick else 0.4
    queries = head(queries, n_queries(next(iter(makes.values())), queries, seconds))
    searches = {"annulus": ours_search(case, base, queries)}
    searches |= {name: make(queries) for name, make in makes.items()}

    n, m = len(base), len(queries)
    what = f"metric knn {case}, {case.data}"
    found = {name: search()[1] for name, search in searches.items()}
    for name, to_ours in {"scipy": case.from_scipy, "pynndescent": correct, "faiss": same}.items():
        if name in found:
            theirs = found[name].astype(np.float64)
            clamped = theirs >= CLAMPED
            right = agrees(found["annulus"], to_ours(np.where(clamped, 1, theirs)), clamped, case.tolerance)
            records.check(right, f"{what}: our distances against {name}'s")

    roles = {"annulus": "ours"}
    racers = [Contender(name, lambda i, s=search: s(), roles.get(name, "peer")) for name, search in searches.items()]
    timing = race(racers, rounds=3 if options.quick else 5)
    d = base.dim if isinstance(base, Csr) else base.shape[1]
    shape = {"dataset": case.data, "metric": str(case), "n": n, "d": d, "n_queries": m, "k": K}
    packages = ("pynndescent", "numba", "scipy")
    versions = {"peer_versions": {name: importlib.metadata.version(name) for name in packages}}
    records.add({"comparison": "metric knn"} | shape | versions, racers, timing, {})

    medians = {name: float(np.median(times)) * timing[1][name] for name, times in timing[0].items()}
    parts = [f"{medians['annulus'] * 1e9 / (n * m):.3g} ns a pair"]
    parts += [f"{name} {medians[name] / medians['annulus']:.2f}x" for name in makes]
    print(f"{what}: {m} queries, {', '.join(parts)}", flush=True)


def run(options, records):
    if options.threads != 1:  # the peers have no threads here
        return
    faiss.omp_set_num_threads(1)
    kept: dict[str, Any] = {}
    for case in cases(options.quick):
        if not options.wants("metrics", case.metric) and not options.wants("metrics", case.data):
            continue
        if case.data not in kept:
            kept[case.data] = data_of(case.data, options.data, options.quick)
        if kept[case.data] is not None:
            compare(case, *kept[case.data], options, records)
