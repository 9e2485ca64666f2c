"""Nearest neighbours at a recall: by comparing all rows where that is cheaper, else by a graph."""

from __future__ import annotations

import threading

import numpy as np

from annulus import NNDescentIndex, build_knn_graph, knn
from annulus._arguments import given, index_parameters

_N_SAMPLES = 256  # rows by which the recall of a graph is estimated
_GREATEST_WIDTH = 1024  # of the lists of a k-NN graph

# For few neighbours of high recall: many trees and narrow lists take 2/3 of the time of few trees and wide lists.
_MANY_TREES = {"n_trees": 28, "leaf_size": 256, "n_iters": 2}

# Above so many pairs of a query and a row a graph is built, below all are compared: up to 10,000 rows, of which a graph
# takes about as long.
_PAIRS_WORTH_A_GRAPH = 10**8


class NeighborSearch:
    """The nearest of `rows` (an array or a CSR matrix), and of each row the nearest others.

    metric, parameters : as annulus.knn takes them
    recall : the share of the nearest neighbours to be found, on average; 1 is exact search
    is_exact, is_graph : whether all rows are compared, or a graph is built, whatever it costs

    The index is built when it is first needed, and may be searched from several threads.
    """

    def __init__(self, rows, metric, parameters, *, recall, is_exact=False, is_graph=False, seed=None, threads=0):
        self.rows = rows
        self.metric = metric
        self.parameters = parameters
        self.recall = recall
        self.is_exact = is_exact or recall >= 1
        self.is_graph = is_graph
        self.seed = seed
        self.threads = threads
        self._index = None
        self._tuned_for = {}  # parameters of searches, by k
        self._lock = threading.Lock()

    def __getstate__(self):
        state = {**self.__dict__, "_lock": None}
        if callable(self.metric):  # built anew
            state.update(_index=None, _tuned_for={})
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())

    def prepare(self):
        """Builds the index, where a graph would be searched: also where single queries come one at a time."""
        if not self._compares_all(self.n_rows):
            self._prepared()

    @property
    def n_rows(self) -> int:
        return self.rows.shape[0]

    def search(self, queries, k):
        """The k nearest rows of each query: (ids int32, distances float32), both (m, k)."""
        if self._index is None and self._compares_all(queries.shape[0]):
            return self._exact(queries, k)
        index = self._prepared()
        return index.search(queries, k, threads=self.threads, **self._tuned(index, k))

    def others(self, k):
        """The k nearest other rows of each row: (ids, distances), both (n, k)."""
        if self._compares_all(self.n_rows):
            return self._exact_others(np.arange(self.n_rows), k)
        sample = np.random.default_rng(self.seed).choice(self.n_rows, min(_N_SAMPLES, self.n_rows), replace=False)
        exact = self._exact_others(sample, k)
        width = 8 * -(-(k + 8) // 8) - 2  # with the two that the library adds, whole vectors
        while width <= min(_GREATEST_WIDTH, self.n_rows // 4):
            graph = build_knn_graph(self.rows, width, **_MANY_TREES, **self._arguments())
            ids, distances = graph.ids[:, :k], graph.distances[:, :k]
            if _is_recall(self.recall, distances[sample], exact[1]):
                return ids, distances
            width = 2 * width + 2
        return self._exact_others(np.arange(self.n_rows), k)

    def within(self, queries, radius):
        """All rows within `radius` of each query, nearest first: lists of arrays (ids, distances)."""
        if self._index is None and self._compares_all(queries.shape[0]):
            return self._exact_within(queries, radius)
        indptr, ids, distances = self._prepared().radius_search(queries, radius, threads=self.threads)
        return np.split(ids, indptr[1:-1]), np.split(distances, indptr[1:-1])

    def _compares_all(self, n_queries) -> bool:
        return self.is_exact or not self.is_graph and self.n_rows * n_queries <= _PAIRS_WORTH_A_GRAPH

    def _arguments(self) -> dict:
        return dict(self.parameters, metric=self.metric, threads=self.threads, **given(seed=self.seed))

    def _exact(self, queries, k):
        return knn(self.rows, queries, k, self.metric, threads=self.threads, **self.parameters)

    def _exact_others(self, of, k):
        """Of these rows; itself is left out wherever it comes among its equals."""
        ids, distances = self._exact(self.rows[of], k + 1)
        own = ids == of[:, None]
        own[~own.any(axis=1), -1] = True
        return ids[~own].reshape(-1, k), distances[~own].reshape(-1, k)

    def _exact_within(self, queries, radius):
        k = min(64, self.n_rows)
        ids, distances = self._exact(queries, k)
        while k < self.n_rows and (distances[:, -1] <= radius).any():
            k = min(4 * k, self.n_rows)
            ids, distances = self._exact(queries, k)
        counts = (distances <= radius).sum(axis=1)
        return [row[:n] for row, n in zip(ids, counts)], [row[:n] for row, n in zip(distances, counts)]

    def _prepared(self):
        with self._lock:
            if self._index is None:
                self._index = NNDescentIndex(
                    self.rows, **index_parameters(self.metric, self.rows), **self._arguments()
                )
            return self._index

    def _tuned(self, index, k) -> dict:
        """The cheapest parameters of a search that has the recall for rows of the index."""
        if k not in self._tuned_for:
            self._tuned_for[k] = index.tune(self.recall, k=k, n_queries=_N_SAMPLES, threads=self.threads).params
        return self._tuned_for[k]


def _is_recall(recall, found, exact) -> bool:
    """Whether sorted lists of distances have the recall, within the error of the sample that they are."""
    shares = (found <= exact[:, -1:] + 1e-5 * np.abs(exact[:, -1:])).mean(axis=1)
    return shares.mean() + shares.std() / len(shares) ** 0.5 >= recall
