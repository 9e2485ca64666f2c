"""KNeighborsTransformer and NearestNeighbors with the interface of scikit-learn's, fast on large data.

    from annulus.sklearn import KNeighborsTransformer

    make_pipeline(KNeighborsTransformer(n_neighbors=10), TSNE(metric="precomputed", init="random"))

Small data are searched exactly. Large data get a graph, which finds the share `recall` of the neighbours.
"""

from __future__ import annotations

import numbers

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from annulus._arguments import seed_of, threads_of
from annulus._csr_graphs import to_csr, with_self_first
from annulus._neighbor_search import NeighborSearch
from annulus._sklearn_metrics import native_metric, offset_of

__all__ = ["KNeighborsTransformer", "NearestNeighbors"]

_EXACT_ALGORITHMS = ("brute", "ball_tree", "kd_tree")


class _Neighbors(BaseEstimator):
    """What both classes share: fitting, checks of arguments, nearest neighbours and their graph."""

    def fit(self, X, y=None):
        """Takes the training data, and builds the index that searches will need.

        Parameters
        ----------
        X : array or sparse matrix, n x d
            The training data.
        y
            Has no effect.

        Returns
        -------
        NearestNeighbors or KNeighborsTransformer
            self

        Raises
        ------
        ValueError
            For parameters that do not fit, and NaN or infinity.
        """
        self._take(X)
        self._search.prepare()
        return self

    def _take(self, X):
        if self.algorithm not in ("auto", "nndescent", *_EXACT_ALGORITHMS):
            raise ValueError(f"algorithm = {self.algorithm!r}: must be 'auto', 'nndescent' or an exact one, as 'brute'")
        if not 0 < self.recall <= 1:
            raise ValueError(f"recall = {self.recall}: must be above 0 and at most 1")
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], order="C")
        metric, parameters = native_metric(self.metric, self.p, self.metric_params, X)
        self.effective_metric_, self.effective_metric_params_ = metric, parameters
        self.n_samples_fit_ = X.shape[0]
        self._dtype = X.dtype
        self._offset = offset_of(X, metric)
        self._search = NeighborSearch(
            self._native_rows(X),
            metric,
            parameters,
            recall=self.recall,
            is_exact=self.algorithm in _EXACT_ALGORITHMS,
            is_graph=self.algorithm == "nndescent",
            seed=seed_of(self.random_state),
            threads=threads_of(self.n_jobs),
        )

    def _native_rows(self, X):
        """float32 rows, less what they all have in common, and CSR with sorted indices."""
        if self._offset is not None:
            X = X - self._offset
        X = X.astype(np.float32, copy=False)
        return X.sorted_indices() if hasattr(X, "tocsr") and not X.has_sorted_indices else X

    def _queries(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=[np.float64, np.float32], order="C")
        return self._native_rows(X)

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True):
        """The nearest training rows.

        Parameters
        ----------
        X : array or sparse matrix, m x d, optional
            The queries; without them the nearest others of each training row.
        n_neighbors : int, optional
            Of each query; by default as given to the class.
        return_distance : bool, default True
            False: only ids are returned.

        Returns
        -------
        pair of arrays, or one array
            Distances and ids, m x n_neighbors, nearest first. Distances have the dtype of the training data, ids int64.

        Raises
        ------
        NotFittedError, ValueError
            Before `fit`, and for arguments that do not fit.
        """
        check_is_fitted(self)
        k = _checked_count(self.n_neighbors if n_neighbors is None else n_neighbors)
        if X is None:
            self._check_enough(k + 1, self.n_samples_fit_)
            ids, distances = self._search.others(k)
        else:
            queries = self._queries(X)
            self._check_enough(k, queries.shape[0])
            ids, distances = self._search.search(queries, k)
        ids = ids.astype(np.intp)
        return (distances.astype(self._dtype, copy=False), ids) if return_distance else ids

    def kneighbors_graph(self, X=None, n_neighbors=None, mode="connectivity"):
        """The same as a matrix.

        Parameters
        ----------
        X, n_neighbors
            As of `kneighbors`.
        mode : {"connectivity", "distance"}, default "connectivity"
            Ones, or distances.

        Returns
        -------
        CSR matrix, m x n_samples_fit
            Nearest first in each row.
        """
        _check_mode(mode)
        distances, ids = self.kneighbors(X, n_neighbors)
        return self._matrix(ids, distances, mode)

    def _matrix(self, ids, distances, mode):
        if mode == "connectivity":
            distances = np.ones_like(distances)
        return to_csr(ids, distances.astype(self._dtype, copy=False), self.n_samples_fit_)

    def _check_enough(self, k, n_queries):
        if k > self.n_samples_fit_:
            raise ValueError(
                f"Expected n_neighbors <= n_samples_fit, but n_neighbors = {k}, "
                f"n_samples_fit = {self.n_samples_fit_}, n_samples = {n_queries}"
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class NearestNeighbors(_Neighbors):
    """Nearest neighbours with the interface of ``sklearn.neighbors.NearestNeighbors``.

    Parameters
    ----------
    n_neighbors : int, default 5
        Of `kneighbors`.
    radius : float, default 1.0
        Of `radius_neighbors`.
    algorithm : {"auto", "brute", "nndescent"}, default "auto"
        "brute": exact search. "nndescent": a graph, which finds the share `recall` of the neighbours. "auto": a graph
        where that is cheaper. "ball_tree" and "kd_tree" are exact search too.
    leaf_size : int
        Has no effect.
    metric : str or callable, default "minkowski"
        scikit-learn's names and those of docs/metrics.md. Not "precomputed", which needs no search, and not
        "nan_euclidean".
    p : float, default 2
        Of "minkowski", at least 1.
    metric_params : dict, optional
        Other parameters of the metric: "V", "VI", "w".
    n_jobs : int, optional
        Threads; None and -1: all cores.
    recall : float, default 0.99
        Of searches by a graph, on average over rows like those of the training data; 1 is exact search.
    random_state : int, RandomState or None
        None is a fixed seed.

    Attributes
    ----------
    n_features_in_ : int
        Features of the training data.
    feature_names_in_ : str array
        Their names, where it has any.
    n_samples_fit_ : int
        Rows of the training data.
    effective_metric_ : str or callable
        As annulus names it.
    effective_metric_params_ : dict
        Its parameters.
    """

    def __init__(
        self,
        *,
        n_neighbors=5,
        radius=1.0,
        algorithm="auto",
        leaf_size=30,
        metric="minkowski",
        p=2,
        metric_params=None,
        n_jobs=None,
        recall=0.99,
        random_state=None,
    ):
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.n_jobs = n_jobs
        self.recall = recall
        self.random_state = random_state

    def radius_neighbors(self, X=None, radius=None, return_distance=True, sort_results=False):
        """All training rows within a distance; by a graph, very nearly all.

        Parameters
        ----------
        X : array or sparse matrix, m x d, optional
            The queries; without them the others of each training row.
        radius : float, optional
            That distance; by default as given to the class.
        return_distance : bool, default True
            False: only ids are returned.
        sort_results : bool, default False
            Results are sorted in any case; refused without distances, as scikit-learn does.

        Returns
        -------
        pair of arrays, or one array
            Distances and ids, each m arrays, nearest first.

        Raises
        ------
        NotFittedError, ValueError
            Before `fit`, and for arguments that do not fit.
        """
        check_is_fitted(self)
        if sort_results and not return_distance:
            raise ValueError("return_distance must be True if sort_results is True.")
        radius = self.radius if radius is None else radius
        ids, distances = self._search.within(self._search.rows if X is None else self._queries(X), radius)
        if X is None:
            keep = [row != i for i, row in enumerate(ids)]
            ids = [row[kept] for row, kept in zip(ids, keep)]
            distances = [row[kept] for row, kept in zip(distances, keep)]
        ids = _array_of_arrays(ids, np.intp)
        return (_array_of_arrays(distances, self._dtype), ids) if return_distance else ids

    def radius_neighbors_graph(self, X=None, radius=None, mode="connectivity", sort_results=False):
        """The same as a matrix.

        Parameters
        ----------
        X, radius, sort_results
            As of `radius_neighbors`.
        mode : {"connectivity", "distance"}, default "connectivity"
            Ones, or distances.

        Returns
        -------
        CSR matrix, m x n_samples_fit
            Nearest first in each row.
        """
        from scipy.sparse import csr_matrix

        _check_mode(mode)
        distances, ids = self.radius_neighbors(X, radius)
        indptr = np.concatenate([[0], np.cumsum([len(row) for row in ids])])
        values = np.concatenate(distances) if mode == "distance" else np.ones(indptr[-1], self._dtype)
        return csr_matrix((values, np.concatenate(ids), indptr), shape=(len(ids), self.n_samples_fit_))


class KNeighborsTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Neighbors):
    """Rows as a sparse graph of their nearest neighbours, as ``sklearn.neighbors.KNeighborsTransformer`` has it.

    By mode="distance" each row of the CSR matrix has n_neighbors + 1 distances, nearest first, and of the training data
    each row is its own first neighbour, at 0. By mode="connectivity" it has n_neighbors ones, itself included.

    ``fit_transform`` builds the graph of the training data alone; what searches for other rows is built by ``fit``, or
    by the first ``transform``.

    Parameters
    ----------
    mode : {"distance", "connectivity"}, default "distance"
        What the matrix holds.
    n_neighbors, algorithm, leaf_size, metric, p, metric_params, n_jobs, recall, random_state
        As of `NearestNeighbors`.
    """

    def __init__(
        self,
        *,
        mode="distance",
        n_neighbors=5,
        algorithm="auto",
        leaf_size=30,
        metric="minkowski",
        p=2,
        metric_params=None,
        n_jobs=None,
        recall=0.99,
        random_state=None,
    ):
        self.mode = mode
        self.n_neighbors = n_neighbors
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.n_jobs = n_jobs
        self.recall = recall
        self.random_state = random_state

    def _take(self, X):
        _check_mode(self.mode)
        super()._take(X)
        self._n_features_out = self.n_samples_fit_

    def transform(self, X):
        """The graph from rows to the training data.

        Parameters
        ----------
        X : array or sparse matrix, m x d
            The rows.

        Returns
        -------
        CSR matrix, m x n_samples_fit
            Nearest first in each row.
        """
        check_is_fitted(self)
        return self.kneighbors_graph(X, _checked_count(self.n_neighbors) + self._n_extra(), self.mode)

    def fit_transform(self, X, y=None):
        """The graph of the training data.

        Parameters
        ----------
        X : array or sparse matrix, n x d
            The training data.
        y
            Has no effect.

        Returns
        -------
        CSR matrix, n x n
            Nearest first in each row.
        """
        self._take(X)
        n_others = _checked_count(self.n_neighbors) + self._n_extra() - 1
        self._check_enough(n_others + 1, self.n_samples_fit_)
        others = self._search.others(n_others) if n_others > 0 else np.empty((2, self.n_samples_fit_, 0), np.int32)
        return self._matrix(*with_self_first(*others), self.mode)

    def _n_extra(self) -> int:
        return int(self.mode == "distance")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _checked_count(n_neighbors) -> int:
    if not isinstance(n_neighbors, numbers.Integral):
        raise TypeError(f"n_neighbors does not take {type(n_neighbors)} value, enter integer value")
    if n_neighbors < 1:
        raise ValueError(f"Expected n_neighbors > 0. Got {n_neighbors}")
    return int(n_neighbors)


def _check_mode(mode):
    if mode not in ("distance", "connectivity"):
        raise ValueError(f"mode = {mode!r}: must be 'distance' or 'connectivity'")


def _array_of_arrays(rows, dtype):
    result = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        result[i] = row.astype(dtype)
    return result
