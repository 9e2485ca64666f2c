"""What is searched by hash tables: rows and queries, how recall is told, and indexes of a family."""

import time
from dataclasses import dataclass
from typing import Any, Callable

import annulus_compare
import numpy as np

import datasets
from measure import Contender

K = 10
TARGETS = [0.8, 0.9, 0.95]


def contender(name, call, role="peer"):
    """By processor time, which is that of one thread, whoever else has the core."""

    def seconds(i):
        start = time.process_time()
        call(i)
        return time.process_time() - start

    return Contender(name, seconds, role, self_timed=True)


def timed(call):
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


@dataclass
class Setting:
    """A family with its sizes."""

    family: str
    n_projections: int
    n_tables: int
    extra: tuple = ()

    @property
    def name(self):
        return ", ".join([f"{self.family} K={self.n_projections} L={self.n_tables}", *(f"w={x:g}" for x in self.extra)])

    def build(self, rows, seed=0):
        family = getattr(annulus_compare, f"Lsh{self.family}")
        return family(rows, self.n_projections, self.n_tables, seed, 1, *self.extra)


@dataclass
class Problem:
    """Queries, what they should find, and how that is told."""

    name: str
    metric: str
    base: Any
    queries: Any
    n: int
    kth: Callable[[int], np.ndarray]  # k -> of each query the distance of its true k-th neighbour
    score: Callable[[np.ndarray], np.ndarray]  # ids, a row a query -> distances, in double precision

    def hits(self, ids, k):
        """The number of true neighbours among the first k ids of each query. By distance, so that ties count."""
        distances = self.score(np.asarray(ids)[:, :k])
        limit = self.kth(k)[:, None]
        return np.count_nonzero(distances <= limit * (1 + 1e-6) + 1e-9, axis=1)

    def recall(self, ids, k):
        return float(self.hits(ids, k).mean()) / k


def mean_size(lists):
    return float(np.mean([len(ids) for ids in lists]))


def valid(ids, n):
    """As int64, -1 for what is no row, and for an id that is there a second time."""
    ids = np.asarray(ids).astype(np.int64)
    ids = np.where((ids < 0) | (ids >= n), -1, ids)
    order = np.sort(ids, axis=1)
    assert not np.any((order[:, 1:] == order[:, :-1]) & (order[:, 1:] >= 0)), "an id twice"
    return ids


def dense_problem(name, metric, base, queries, true_ids):
    def score(ids):
        ids = valid(ids, len(base))
        rows = [datasets.distances(metric, query, base[found]) for query, found in zip(queries, ids)]
        return np.where(ids < 0, np.inf, np.array(rows))

    truth = np.sort(score(true_ids), axis=1)
    return Problem(name, metric, base, queries, len(base), lambda k: truth[:, k - 1], score)


def exact_ids(base, queries, metric, k):
    return annulus_compare.FlatIndex(base, metric).search(queries, k)[0]


def planted(n_queries, n=100_000, d=128):
    """Random directions, and queries of which each is near one of them: their cosine is about 0.76."""
    rng = np.random.default_rng(7)
    base = rng.standard_normal((n, d), dtype=np.float32)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    queries = base[:n_queries] + 0.85 / np.sqrt(d) * rng.standard_normal((n_queries, d), dtype=np.float32)
    queries = np.ascontiguousarray(queries / np.linalg.norm(queries, axis=1, keepdims=True), dtype=np.float32)
    return dense_problem("planted", "cosine", base, queries, exact_ids(base, queries, "cosine", K + 10))


def float_problem(dataset, n_queries=1000):
    parts = dataset.base, dataset.queries[:n_queries]
    base, queries = (np.ascontiguousarray(rows, dtype=np.float32) for rows in parts)
    return dense_problem(dataset.name, dataset.metric, base, queries, dataset.truth[:n_queries])


def sets_problem(sets):
    """Rows are arrays of members."""
    members = {}

    def member_set(i):
        if i not in members:
            members[i] = frozenset(sets.base[i].tolist())
        return members[i]

    query_members = [frozenset(q.tolist()) for q in sets.queries]

    def distance(a, b):
        common = len(a & b)
        return 1 - common / max(len(a) + len(b) - common, 1)

    def score(ids):
        ids = valid(ids, len(sets.base))
        rows = [
            [distance(query, member_set(i)) if i >= 0 else np.inf for i in found.tolist()]
            for query, found in zip(query_members, ids)
        ]
        return np.array(rows)

    truth = np.sort(score(sets.truth[:, : 2 * K]), axis=1)
    return Problem(sets.name, "jaccard", sets.base, sets.queries, len(sets.base), lambda k: truth[:, k - 1], score)
