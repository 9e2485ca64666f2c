"""Recall, time and candidates of hash tables beside exact search, faiss and datasketch."""

import importlib.metadata
from dataclasses import dataclass
from typing import Callable

import annulus_compare
import faiss
import numpy as np

import datasets
from lsh_problems import K, TARGETS, Setting, contender, dense_problem, float_problem, mean_size, sets_problem, timed
from measure import Contender, race


@dataclass
class Method:
    """search(queries, **arguments) -> ids, for each arguments of the sweep; one_by_one likewise."""

    name: str
    role: str
    search: Callable
    sweep: list
    one_by_one: Callable = None
    stats: Callable = None  # -> ids and what they cost, where that is known
    n_single: int = 1000  # queries of one_by_one
    seconds: float = 0  # to build
    bytes: float = 0

    def search_with_stats(self, **how):
        return (self.search(**how), {}) if self.stats is None else self.stats(**how)


def our_method(setting, rows, queries, sweep):
    index, seconds = timed(lambda: setting.build(rows))
    return Method(
        f"annulus {setting.name}",
        "ours",
        lambda **how: index.search(queries, K, **how)[0],
        sweep,
        lambda **how: index.search_singly(queries, K, **how)[0],
        lambda **how: index.search_with_stats(queries, K, **how),
        seconds=seconds,
        bytes=index.memory_bytes(),
    )


def in_turn(search, queries, limit=None):
    """One query after the other, from Python."""
    rows = queries[:limit]

    def call(**how):
        return np.concatenate([np.asarray(search(rows[i : i + 1], **how)) for i in range(len(rows))])

    return call


def our_exact(problem):
    index = annulus_compare.FlatIndex(problem.base, problem.metric)

    def search(rows):
        return index.search(rows, K)[0]

    few = in_turn(search, problem.queries, 100)
    return Method("annulus exact", "yardstick", lambda: search(problem.queries), [{}], few, n_single=100)


def faiss_lsh(problem, nbits, factor=None):
    """Codes of random projections' signs, all scanned; with a factor, so many times k are ranked by the rows."""
    base, queries = problem.base, problem.queries
    if problem.metric == "cosine":
        base, queries = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (base, queries))

    def build():
        index = faiss.IndexLSH(base.shape[1], nbits, True, False)
        index.train(base)
        index.add(base)
        return index

    index, seconds = timed(build)
    name = f"faiss IndexLSH {nbits}"
    if factor is None:
        return Method(
            name,
            "peer",
            lambda: index.search(queries, K)[1],
            [{}],
            in_turn(lambda q: index.search(q, K)[1], queries, 100),
            n_single=100,
            seconds=seconds,
            bytes=index.code_size * len(base),
        )
    refined = faiss.IndexRefineFlat(index, faiss.swig_ptr(base))
    refined.k_factor = factor
    return Method(
        f"{name}, {factor} k re-ranked",
        "peer",
        lambda: refined.search(queries, K)[1],
        [{}],
        in_turn(lambda q: refined.search(q, K)[1], queries, 100),
        n_single=100,
        seconds=seconds,
        bytes=index.code_size * len(base) + base.nbytes,
    )


N_SETS = 300  # queries

OUR_SWEEP = [{"n_probes": 0}] + [{"n_probes": n} for n in (100, 200, 400, 800, 1600)]
OUR_SWEEP += [{"recall_target": t} for t in TARGETS]


def float_methods(problem):
    settings = SETTINGS[problem.name]
    methods = [our_exact(problem)]
    methods += [our_method(setting, problem.base, problem.queries, OUR_SWEEP) for setting in settings]
    d = problem.base.shape[1]
    for nbits in (d, 4 * d):
        methods += [faiss_lsh(problem, nbits), faiss_lsh(problem, nbits, 10)]
    methods.append(faiss_lsh(problem, 4 * d, 100))
    return methods


SETTINGS = {
    "sift-128-caltech101": [
        Setting("PStableL2", 16, 20, (1000.0,)),
        Setting("PStableL2", 16, 100, (800.0,)),
        Setting("PStableL2", 24, 50, (1200.0,)),
    ],
    "text-384-debian": [
        Setting("SignRandomProjection", 14, 20),
        Setting("SignRandomProjection", 16, 50),
        Setting("CrossPolytope", 16, 20),
        Setting("CrossPolytope", 16, 50),
        Setting("CrossPolytope", 20, 50),
    ],
    "orb-256bit-caltech101": [
        Setting("BitSampling", 14, 10),
        Setting("BitSampling", 16, 20),
        Setting("BitSampling", 20, 50),
    ],
    "sets-jaccard": [Setting("Minhash", 1, 20), Setting("Minhash", 2, 50), Setting("Minhash", 3, 100)],
}


def faiss_flat_bits(problem):
    index = faiss.IndexBinaryFlat(8 * problem.base.shape[1])
    index.add(problem.base)

    def search(rows):
        return index.search(rows, K)[1]

    few = in_turn(search, problem.queries, 100)
    return Method("faiss IndexBinaryFlat", "peer", lambda: search(problem.queries), [{}], few, n_single=100)


def faiss_hash(problem, b, n_hashes):
    """Buckets of the first b bits, or of n_hashes times b bits; probes are all keys of up to nflip other bits."""
    bits = 8 * problem.base.shape[1]

    def build():
        index = faiss.IndexBinaryMultiHash(bits, n_hashes, b) if n_hashes else faiss.IndexBinaryHash(bits, b)
        index.add(problem.base)
        return index

    index, seconds = timed(build)

    def search(rows, nflip):
        index.nflip = nflip
        return index.search(rows, K)[1]

    def stats(nflip):
        own = faiss.cvar.indexBinaryHash_stats
        own.reset()
        ids = search(problem.queries, nflip)
        return ids, {"candidates": own.ndis / len(problem.queries)}

    name = f"faiss IndexBinaryMultiHash {n_hashes} x {b}" if n_hashes else f"faiss IndexBinaryHash {b}"
    return Method(
        name,
        "peer",
        lambda nflip: search(problem.queries, nflip),
        [{"nflip": flips} for flips in ((0, 1, 2) if n_hashes else (0, 1, 2, 3))],
        in_turn(search, problem.queries, 200),
        stats,
        200,
        seconds,
    )


def bit_methods(problem):
    def search(rows):
        return annulus_compare.hamming_knn(problem.base, rows, K)[0]

    few = in_turn(search, problem.queries, 100)
    methods = [Method("annulus exact", "yardstick", lambda: search(problem.queries), [{}], few, n_single=100)]
    methods.append(faiss_flat_bits(problem))
    settings = SETTINGS[problem.name]
    methods += [our_method(setting, problem.base, problem.queries, OUR_SWEEP) for setting in settings]
    shapes = [(16, 0), (20, 0), (16, 8), (16, 16), (12, 20)]
    return methods + [faiss_hash(problem, *shape) for shape in shapes]


def brute_force_sets(sets):
    """One sparse product of all queries and rows counts common members."""
    import scipy.sparse

    def matrix(csr):
        ones = np.ones(len(csr.indices), dtype=np.float32)
        return scipy.sparse.csr_matrix((ones, csr.indices, csr.indptr), shape=(len(csr), sets.dim))

    base, queries = matrix(sets.base).T.tocsr(), matrix(sets.queries)
    sizes, query_sizes = np.diff(sets.base.indptr), np.diff(sets.queries.indptr)

    def search(begin, end):
        found = np.empty((end - begin, K), dtype=np.int64)
        for first in range(begin, end, 100):
            last = min(first + 100, end)
            common = (queries[first:last] @ base).toarray()
            similarity = common / np.maximum(sizes + query_sizes[first:last, None] - common, 1)
            found[first - begin : last - begin] = np.argpartition(-similarity, K, axis=1)[:, :K]
        return found

    def few():
        return np.concatenate([search(i, i + 1) for i in range(20)])

    return Method("scipy sparse product", "yardstick", lambda: search(0, len(sets.queries)), [{}], few, n_single=20)


class Datasketch:
    """Its signatures of rows and queries, made beforehand as its users make them."""

    def __init__(self, sets, n_perm=128):
        from datasketch import MinHash

        self.n_perm = n_perm

        def signatures(rows):
            return MinHash.bulk([[m.tobytes() for m in row] for row in rows], num_perm=n_perm)

        self.base, self.seconds = timed(lambda: signatures(sets.base))
        self.queries, query_seconds = timed(lambda: signatures(sets.queries))
        self.query_seconds = query_seconds / len(sets.queries)
        self.sets = sets

    def forest(self, n_trees):
        from datasketch import MinHashLSHForest

        def build():
            forest = MinHashLSHForest(self.n_perm, n_trees)
            for i, signature in enumerate(self.base):
                forest.add(i, signature)
            forest.index()
            return forest

        forest, seconds = timed(build)

        def search():
            return padded([forest.query(signature, K) for signature in self.queries])

        return self._method(f"datasketch MinHashLSHForest l={n_trees}, signatures given", search, seconds)

    def bands(self, b, r):
        """Candidates are ranked by the similarity of their sets."""
        from datasketch import MinHashLSH

        def build():
            lsh = MinHashLSH(num_perm=self.n_perm, params=(b, r))
            for i, signature in enumerate(self.base):
                lsh.insert(i, signature, check_duplication=False)
            return lsh

        lsh, seconds = timed(build)
        members = [frozenset(row.tolist()) for row in self.sets.base]
        query_members = [frozenset(row.tolist()) for row in self.sets.queries]

        def search():
            result = []
            for signature, query in zip(self.queries, query_members):
                def similarity(i, q=query):
                    common = len(q & members[i])
                    return common / (len(q) + len(members[i]) - common)

                result.append(sorted(lsh.query(signature), key=similarity, reverse=True)[:K])
            return padded(result)

        method = self._method(f"datasketch MinHashLSH b={b} r={r}, signatures given, re-ranked", search, seconds)
        found = {"candidates": mean_size([lsh.query(signature) for signature in self.queries])}
        method.stats = lambda: (search(), found)
        return method

    def _method(self, name, search, seconds):
        return Method(name, "peer", search, [{}], search, seconds=seconds + self.seconds)


def padded(lists):
    result = np.full((len(lists), K), -1, dtype=np.int64)
    for row, ids in zip(result, lists):
        row[: len(ids)] = ids[:K]
    return result


def set_methods(problem, sets):
    def to_ours(rows):
        return annulus_compare.Sets(rows.indptr, rows.indices, sets.dim)

    base, queries = to_ours(sets.base), to_ours(sets.queries)
    methods = [brute_force_sets(sets)]
    methods += [our_method(setting, base, queries, OUR_SWEEP) for setting in SETTINGS[problem.name]]
    peer = Datasketch(sets)
    print(f"  a query's signature takes datasketch {1e6 * peer.query_seconds:.0f} us", flush=True)
    return methods + [peer.forest(8), peer.forest(32), peer.bands(32, 2), peer.bands(42, 3), peer.bands(20, 4)]


def problems(options):
    for dataset in datasets.load(options.data, options.quick):
        if dataset.name in SETTINGS and options.wants("lsh", dataset.name):
            problem = float_problem(dataset)
            yield problem, lambda p=problem: float_methods(p)
    for dataset in datasets.load_bits(options.data):
        if dataset.name in SETTINGS and options.wants("lsh", dataset.name):
            truth = dataset.truth[:, : 2 * K]
            problem = dense_problem(dataset.name, dataset.metric, dataset.base, dataset.queries, truth)
            yield problem, lambda p=problem: bit_methods(p)
    for sets in datasets.load_sets(options.data):
        if sets.name in SETTINGS and options.wants("lsh", sets.name):
            sets.queries, sets.truth = sets.queries.head(N_SETS), sets.truth[:N_SETS]
            problem = sets_problem(sets)
            yield problem, lambda p=problem, s=sets: set_methods(p, s)


def run(options, records):
    faiss.omp_set_num_threads(options.threads)
    for problem, methods in problems(options):
        print(f"lsh {problem.name} {problem.metric}", flush=True)
        compare(problem, methods(), options, records)


def compare(problem, methods, options, records):
    batches, singles, extra = [], [], {}
    for method in methods:
        for how in method.sweep:
            name = " ".join([method.name, *(f"{key}={value}" for key, value in how.items())])
            (ids, stats), seconds = timed(lambda: method.search_with_stats(**how))
            print(f"  {name}: {seconds:.2f} s", flush=True)
            extra[name] = {"method": method.name, "role": method.role, "parameters": how}
            extra[name] |= {"recall": problem.recall(ids, K), "build_seconds": method.seconds, "bytes": method.bytes}
            extra[name] |= stats
            batches.append(contender(name, lambda i, m=method, h=how: m.search(**h), method.role))
            if method.one_by_one is not None:
                extra[name]["n_single"] = min(method.n_single, len(problem.queries))
                singles.append(contender(name, lambda i, m=method, h=how: m.one_by_one(**h), method.role))
    timing = race(batches, rounds=3, warm_up=False)
    single_seconds = race(singles, rounds=1, warm_up=False)[0]
    for name, seconds in single_seconds.items():
        extra[name]["single_seconds"] = min(seconds) / extra[name]["n_single"]
    case = {"comparison": "lsh search", "dataset": problem.name, "metric": problem.metric, "n": problem.n, "k": K}
    versions = {name: importlib.metadata.version(name) for name in ("datasketch", "scipy")}
    case |= {"n_queries": len(problem.queries), "peer_versions": versions}
    records.add(case, [Contender(c.name, None) for c in batches], timing, extra)
    for name, own in extra.items():
        us = 1e6 * np.median(timing[0][name]) / len(problem.queries)
        told = f"recall {own['recall']:.4f}, {us:.1f} us, {1e6 * own.get('single_seconds', np.nan):.1f} us singly"
        told += "".join(f", {key} {own[key]:.0f}" for key in ("candidates", "probes") if key in own)
        print(f"  {name}: {told}, built in {own['build_seconds']:.2f} s", flush=True)
