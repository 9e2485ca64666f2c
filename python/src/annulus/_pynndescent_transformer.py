"""PyNNDescentTransformer, apart from NNDescent as it needs scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from annulus._csr_graphs import to_csr
from annulus.pynndescent import NNDescent


class PyNNDescentTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Rows as a sparse graph of their nearest neighbours: pynndescent's, built and searched by annulus.

    Each row of the matrix has n_neighbors + 1 stored distances, nearest first, as scikit-learn's
    ``KNeighborsTransformer`` has them: of the training data the first is the row itself, at 0. (pynndescent returns
    one less of other data.)

    Parameters
    ----------
    n_neighbors, metric, metric_kwds, n_trees, leaf_size, tree_init, random_state, n_jobs, max_candidates, n_iters
        As of ``NNDescent``.
    pruning_degree_multiplier, diversify_prob, n_search_trees, low_memory, parallel_batch_queries, verbose
        As of ``NNDescent``.
    search_epsilon : float, default 0.1
        The epsilon of its queries.
    early_termination_value : float, default 0.001
        Its delta.

    Attributes
    ----------
    index_ : NNDescent
        Of the training data.
    n_features_in_ : int
        Their features.
    >>> make_pipeline(PyNNDescentTransformer(n_neighbors=5), Isomap(neighbors_algorithm="precomputed"))
    """

    def __init__(
        self,
        n_neighbors=30,
        metric="euclidean",
        metric_kwds=None,
        n_trees=None,
        leaf_size=None,
        search_epsilon=0.1,
        pruning_degree_multiplier=1.5,
        diversify_prob=1.0,
        n_search_trees=None,
        tree_init=True,
        random_state=None,
        n_jobs=None,
        low_memory=True,
        max_candidates=None,
        n_iters=None,
        early_termination_value=0.001,
        parallel_batch_queries=False,
        verbose=False,
    ):
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.n_trees = n_trees
        self.leaf_size = leaf_size
        self.search_epsilon = search_epsilon
        self.pruning_degree_multiplier = pruning_degree_multiplier
        self.diversify_prob = diversify_prob
        self.n_search_trees = n_search_trees
        self.tree_init = tree_init
        self.random_state = random_state
        self.low_memory = low_memory
        self.max_candidates = max_candidates
        self.n_iters = n_iters
        self.early_termination_value = early_termination_value
        self.n_jobs = n_jobs
        self.parallel_batch_queries = parallel_batch_queries
        self.verbose = verbose

    def fit(self, X, y=None, compress_index=True):
        """Builds the index of the training data.

        Parameters
        ----------
        X : array or sparse matrix, n x d
            The training data.
        y
            Has no effect.
        compress_index : bool, default True
            Whether the index drops its graph and the rows.

        Returns
        -------
        PyNNDescentTransformer
            self
        """
        X = self._checked(X, reset=True)
        self._build(X, compressed=compress_index)
        if compress_index:
            self.index_.compress_index()
        return self

    def transform(self, X, y=None):
        """The nearest rows of the training data.

        Parameters
        ----------
        X : array or sparse matrix, m x d
            Whose neighbours they are.
        y
            Has no effect.

        Returns
        -------
        CSR matrix, m x n_samples_fit
            Of distances.
        """
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return self._matrix(*self.index_.query(X, k=self.n_neighbors + 1, epsilon=self.search_epsilon), X.dtype)

    def fit_transform(self, X, y=None, **fit_params):
        """The graph of the training data.

        Parameters
        ----------
        X : array or sparse matrix, n x d
            The training data.
        y, **fit_params
            Have no effect.

        Returns
        -------
        CSR matrix, n x n
            Of distances, each row its own first neighbour.
        """
        X = self._checked(X, reset=True)
        self._build(X, compressed=False)
        return self._matrix(*self.index_.neighbor_graph, X.dtype)

    def _checked(self, X, reset):
        return validate_data(self, X, reset=reset, accept_sparse="csr", dtype=[np.float64, np.float32], order="C")

    def _build(self, X, compressed):
        if X.shape[0] <= self.n_neighbors:
            raise ValueError(f"n_neighbors = {self.n_neighbors}: must be below n_samples = {X.shape[0]}")
        self.index_ = NNDescent(
            X,
            metric=self.metric,
            metric_kwds=self.metric_kwds,
            n_neighbors=self.n_neighbors + 1,
            n_trees=self.n_trees,
            leaf_size=self.leaf_size,
            pruning_degree_multiplier=self.pruning_degree_multiplier,
            diversify_prob=self.diversify_prob,
            n_search_trees=self.n_search_trees,
            tree_init=self.tree_init,
            random_state=self.random_state,
            low_memory=self.low_memory,
            max_candidates=self.max_candidates,
            n_iters=self.n_iters,
            delta=self.early_termination_value,
            n_jobs=self.n_jobs,
            compressed=compressed,
            parallel_batch_queries=self.parallel_batch_queries,
            verbose=self.verbose,
        )
        self._n_features_out = X.shape[0]

    @property
    def n_samples_fit(self):
        """int: rows of the training data."""
        return self._n_features_out

    def _matrix(self, ids, distances, dtype):
        return to_csr(ids, distances.astype(dtype, copy=False), self._n_features_out)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


PyNNDescentTransformer.__module__ = "annulus.pynndescent"
