"""NNDescent and PyNNDescentTransformer with the interface of pynndescent 0.7.

    from annulus.pynndescent import NNDescent

    index = NNDescent(data, metric="cosine")
    indices, distances = index.neighbor_graph
    indices, distances = index.query(queries, k=10)
"""

from __future__ import annotations

import time
import warnings

import numpy as np

from annulus import NNDescentIndex, bits, build_knn_graph
from annulus._arguments import PRODUCT_METRICS, given, index_parameters, seed_of, threads_of
from annulus._metric_arguments import callable_metric, named_metric

__all__ = ["NNDescent", "PyNNDescentTransformer"]

_NORMALISED_METRICS = ("cosine", "direct_cosine", "dot")
_ANGULAR_METRICS = (*_NORMALISED_METRICS, "correlation", "dice", "jaccard", "hellinger", "hamming")
_BIT_METRICS = ("bit_hamming", "bit_jaccard")
_QUANTIZATIONS = {
    "int8": {"storage": "sq8"},
    "uint8": {"storage": "sq8"},
    "uint4": {"storage": "rabitq+sq8", "bits": 4},
    "binary": {"storage": "rabitq+sq8", "bits": 1},
}


class NNDescent:
    """An index of approximate nearest neighbours: pynndescent's, built and searched by annulus.

    Parameters
    ----------
    data : array, n x d, or scipy CSR matrix
        Taken as float32; of ``bit_hamming`` and ``bit_jaccard``, bytes of packed bits.
    metric : str or callable, default "euclidean"
        A name that pynndescent knows (docs/metrics.md says where values differ), or a function of two rows: a numba
        function is called at full speed, any other slowly. Callables take dense rows.
    metric_kwds : dict, optional
        Parameters of the metric, by name or in the order of pynndescent's.
    n_neighbors : int, default 30
        Of each row in ``neighbor_graph``, the row itself included.
    n_trees, leaf_size, max_candidates, n_iters : int, optional
        Of the descent that finds the graph; None: from n and n_neighbors.
    pruning_degree_multiplier : float, default 1.5
        Degrees of the search graph, in proportion: 3.0 allows twice the default's.
    diversify_prob : float, default 1.0
        The probability of dropping an edge that a shorter path replaces.
    quantization : {None, "int8", "uint8", "uint4", "binary"}
        What is searched before candidates are ranked exactly. None: 8-bit codes where the metric has them. "uint4" and
        "binary" are codes of 4 bits and 1 bit a coordinate at each edge: faster, with more memory.
    tree_init : bool, default True
        False, or ``n_trees=0``: the descent starts from random neighbours.
    init_graph : array, n x m, optional
        The descent starts from these neighbours of each row (-1 for none) in place of trees.
    init_dist : array, n x m, optional
        Is checked for its shape: distances are computed anew.
    random_state : int, RandomState, Generator or None
        None is a fixed seed. The same seed gives the same graph for any number of threads.
    n_jobs : int, optional
        Threads; None and -1: all cores.
    compressed : bool, default False
        Whether ``prepare`` drops the graph and the rows (``compress_index``).
    delta : float, default 0.001
        The descent ends where at most this share of the graph changed.
    verbose : bool, default False
        Whether the stages of building are printed.

    bit_metric : bool, default False
        Refused with a callable metric.
    diversify_method, degree_prune_aggressiveness, n_search_trees, search_tree_leaf_size, max_search_tree_depth
        Have no effect; n_search_trees is deprecated in pynndescent.
    low_memory, max_rptree_depth, parallel_batch_queries, angular_trees, search_tree_leaf_budget
        Have no effect.

    Raises
    ------
    ValueError
        For arguments that do not fit, and rows with NaN or infinity.
    """

    def __init__(
        self,
        data,
        metric="euclidean",
        metric_kwds=None,
        n_neighbors=30,
        n_trees=None,
        leaf_size=None,
        pruning_degree_multiplier=1.5,
        diversify_prob=1.0,
        diversify_method="standard",
        degree_prune_aggressiveness=1.0,
        n_search_trees=None,
        search_tree_leaf_size=None,
        max_search_tree_depth=None,
        quantization=None,
        tree_init=True,
        init_graph=None,
        init_dist=None,
        random_state=None,
        low_memory=True,
        max_candidates=None,
        max_rptree_depth=200,
        n_iters=None,
        delta=0.001,
        n_jobs=None,
        compressed=False,
        parallel_batch_queries=False,
        verbose=False,
        bit_metric=False,
        angular_trees=False,
        search_tree_leaf_budget=1,
    ):
        if n_search_trees is not None:
            warnings.warn("n_search_trees has no effect", FutureWarning, stacklevel=2)
        if search_tree_leaf_budget < 1:
            raise ValueError(f"search_tree_leaf_budget = {search_tree_leaf_budget}: must be at least 1")
        if diversify_method not in ("standard", "degree_aware"):
            raise ValueError(f"diversify_method = {diversify_method!r}: must be 'standard' or 'degree_aware'")
        if quantization is not None and quantization not in _QUANTIZATIONS:
            raise ValueError(f"quantization = {quantization!r}: must be None or one of {sorted(_QUANTIZATIONS)}")
        if callable(metric) and bit_metric:
            raise ValueError("bit_metric = True: a callable metric takes float32 rows; use bit_hamming or bit_jaccard")

        self.metric = metric
        self.metric_kwds = metric_kwds
        self.n_neighbors = n_neighbors
        self.n_trees = n_trees
        self.leaf_size = leaf_size
        self.prune_degree_multiplier = pruning_degree_multiplier
        self.diversify_prob = diversify_prob
        self.quantization = quantization
        self.tree_init = bool(tree_init) and n_trees != 0
        self.random_state = random_state
        self.max_candidates = max_candidates
        self.n_iters = n_iters
        self.delta = delta
        self.n_jobs = n_jobs
        self.compressed = compressed
        self.verbose = verbose
        self._seed = seed_of(random_state)
        self._threads = threads_of(n_jobs)
        self._metric_name = None if callable(metric) else named_metric(metric, metric_kwds or {})[0]
        self._angular_trees = metric in _ANGULAR_METRICS + _BIT_METRICS or (callable(metric) and bool(angular_trees))
        self._index = None
        self._raw_data = self._rows_of(data, "data")
        self.dim = data.shape[1] if hasattr(data, "shape") else self._raw_data.shape[1]
        _check_initial_graph(init_graph, init_dist, self._raw_data.shape[0])
        self._build_graph(init_graph)

    def _rows_of(self, data, name):
        """`data` as float32 rows, bytes of bits, or a CSR matrix of float32."""
        if hasattr(data, "tocsr"):
            if callable(self.metric):
                raise ValueError(f"{name} is sparse: a callable metric takes dense rows")
            return data.tocsr().astype(np.float32, copy=False)
        rows = np.ascontiguousarray(data, dtype=np.uint8 if self.metric in _BIT_METRICS else np.float32)
        if rows.ndim != 2:
            raise ValueError(f"{name} has {rows.ndim} dimensions: must be 2-D, rows by features")
        return rows

    def _checked_rows(self, data, name):
        """The same, where they can stand beside the rows of the index."""
        rows = self._rows_of(data, name)
        if rows.shape[1] != self.dim:
            raise ValueError(f"{name} has {rows.shape[1]} features: must have {self.dim}, as the index has")
        if not np.isfinite(rows.data if hasattr(rows, "tocsr") else rows).all():
            raise ValueError(f"{name} contains NaN or infinity")
        return rows

    def _native(self, rows):
        return bits(rows) if self.metric in _BIT_METRICS else rows

    def _parameters(self) -> dict:
        """What the graph and the index are built by."""
        keywords = self.metric_kwds or {}
        if callable(self.metric):
            metric, values = callable_metric(self.metric, keywords), {}
        else:
            metric, values = named_metric(self.metric, keywords)
        return dict(
            values,
            metric=metric,
            tree_init=self.tree_init,
            delta=self.delta,
            threads=self._threads,
            progress=_print_stages() if self.verbose else False,
            **given(
                n_trees=self.n_trees or None,
                leaf_size=self.leaf_size,
                max_candidates=self.max_candidates,
                n_iters=self.n_iters,
                seed=self._seed,
            ),
        )

    def _build_graph(self, initial=None):
        parameters = dict(self._parameters(), initial=initial, include_self=True)
        graph = build_knn_graph(self._native(self._raw_data), self.n_neighbors, **parameters)
        self._neighbor_graph = _with_distance_zero(graph.ids, graph.distances)
        if (graph.ids < 0).any():
            warnings.warn(
                f"some rows have fewer than n_neighbors = {self.n_neighbors} neighbours: their lists end with -1",
                stacklevel=3,
            )

    @property
    def neighbor_graph(self):
        """(indices int32, distances float32), both n x n_neighbors: each row itself first, then the nearest others.

        Lists that are too short end with -1, at infinity. None, with a warning, once the index is compressed.
        """
        if self.compressed and self._neighbor_graph is None:
            warnings.warn("a compressed index has no neighbor_graph", stacklevel=2)
            return None
        if self._neighbor_graph is None:  # since an update
            self._build_graph()
        indices, distances = self._neighbor_graph
        return indices.copy(), distances.copy()

    def prepare(self, compile_search=False):
        """Builds what searches walk, which the first query does otherwise.

        Parameters
        ----------
        compile_search : bool
            Has no effect.
        """
        if self._index is None:
            parameters = self._parameters()
            for name in ("n_trees", "leaf_size"):
                parameters.pop(name, None)
            parameters.update(index_parameters(parameters["metric"], self._raw_data))
            if self._neighbor_graph is not None:
                parameters.update(initial=self._neighbor_graph[0], max_candidates=16)
            parameters.update(_QUANTIZATIONS.get(self.quantization, {}), tree_init=True)
            self._index = NNDescentIndex(
                self._native(self._raw_data),
                n_neighbors=self.n_neighbors,
                pruning_degree_multiplier=self.prune_degree_multiplier / 1.5,
                diversify_prob=self.diversify_prob,
                **parameters,
            )
        if self.compressed:
            self._neighbor_graph = self._raw_data = None

    def compress_index(self):
        """Prepares the index and drops what searches do not need: the graph and the rows."""
        self.compressed = True
        self.prepare()

    def query(
        self,
        query_data,
        k=10,
        epsilon=0.1,
        proxy_beam_size=None,
        candidate_width=None,
        rerank_width=None,
        return_distances=True,
        pre_normalized=False,
    ):
        """The k nearest rows of each query.

        Parameters
        ----------
        query_data : array, m x d, or scipy CSR matrix
            As data is taken.
        k : int, default 10
            At least 1.
        epsilon : float, default 0.1
            Greater is more accurate and slower: the beam of the search, which finds what pynndescent does at the same
            epsilon, as a rule more.
        candidate_width, proxy_beam_size : int, optional
            With a quantization: how many candidates are kept while searching, or that in multiples of k.
        rerank_width : int, optional
            Has no effect: all candidates are ranked exactly.
        return_distances : bool, default True
            False: only the indices are returned.
        pre_normalized : bool, default False
            Has no effect; refused where pynndescent refuses it.

        Returns
        -------
        (int32 array, float32 array), or int32 array
            Indices and distances, m x k, nearest first.

        Raises
        ------
        ValueError
            For arguments that do not fit.
        """
        if pre_normalized and (self.metric not in _NORMALISED_METRICS or hasattr(query_data, "tocsr")):
            raise ValueError("pre_normalized = True: only for dense cosine, direct_cosine and dot")
        if self._index is None:
            self.prepare()
        found = self._index.search(
            self._native(self._rows_of(query_data, "query_data")),
            k,
            beam=self._beam(k, epsilon, proxy_beam_size, candidate_width, rerank_width),
            threads=self._threads,
        )
        return (found.ids, found.distances) if return_distances else found.ids

    def _beam(self, k, epsilon, proxy_beam_size, candidate_width, rerank_width) -> int:
        if not epsilon >= 0:
            raise ValueError(f"epsilon = {epsilon}: must be at least 0")
        if rerank_width is not None and rerank_width < 0:
            raise ValueError(f"rerank_width = {rerank_width}: must be at least 0")
        if candidate_width is None and proxy_beam_size is not None:
            candidate_width = k * proxy_beam_size
        if candidate_width is None or self.quantization is None:
            return _beam_of(k, epsilon, self._metric_name)
        if candidate_width < k:
            raise ValueError(f"candidate_width = {candidate_width}: must be at least k = {k}")
        return candidate_width

    def query_indices(
        self,
        query_data,
        k=10,
        epsilon=0.1,
        proxy_beam_size=None,
        candidate_width=None,
        rerank_width=None,
        pre_normalized=False,
    ):
        """The indices that ``query`` returns.

        Parameters
        ----------
        query_data, k, epsilon, proxy_beam_size, candidate_width, rerank_width, pre_normalized
            As of ``query``.

        Returns
        -------
        int32 array, m x k
            Nearest first.
        """
        return self.query(
            query_data, k, epsilon, proxy_beam_size, candidate_width, rerank_width, False, pre_normalized
        )

    def update(self, xs_fresh=None, xs_updated=None, updated_indices=None):
        """Appends rows and replaces others; sparse rows too.

        An index that was prepared takes them in one by one. ``neighbor_graph`` is built anew when it is next read.

        Parameters
        ----------
        xs_fresh : rows of the data's kind, optional
            Appended.
        xs_updated : rows of the data's kind, optional
            In place of others.
        updated_indices : list of int, optional
            Which rows they take the place of; as many.

        Raises
        ------
        ValueError
            For rows with NaN or infinity or of another dimension, and indices that are not rows.
        """
        if xs_updated is None:
            if updated_indices is not None:
                warnings.warn("updated_indices without xs_updated are ignored", stacklevel=2)
            updated_indices = []
        elif updated_indices is None:
            raise ValueError("xs_updated needs updated_indices")
        else:
            xs_updated = self._checked_rows(xs_updated, "xs_updated")
            updated_indices = _checked_indices(updated_indices, xs_updated.shape[0], self._n_rows())
        if xs_fresh is not None:
            xs_fresh = self._checked_rows(xs_fresh, "xs_fresh")

        if self._index is not None:
            for i, row in enumerate(updated_indices):
                self._index.update(row, self._native(xs_updated[i : i + 1]))
            if xs_fresh is not None and xs_fresh.shape[0] > 0:
                self._index.insert(self._native(xs_fresh), threads=self._threads)
        if self._raw_data is not None:
            self._raw_data = _updated_rows(self._raw_data, xs_fresh, xs_updated, updated_indices)
        self._neighbor_graph = None

    def _n_rows(self) -> int:
        return self._raw_data.shape[0] if self._raw_data is not None else len(self._index)

    def __getstate__(self):
        """What is pickled: the index too, which is built first; that of a callable is built anew after loading."""
        if callable(self.metric):
            return {**self.__dict__, "_index": None}
        self.prepare()
        return self.__dict__.copy()


def _print_stages():
    """A callback that prints each stage of a call when it begins."""
    last = None

    def report(stage, fraction, whole):
        nonlocal last
        if stage != last:
            print(f"{time.strftime('%c')} {stage}", flush=True)
        last = stage

    return report


def _beam_of(k, epsilon, metric) -> int:
    """How wide a beam finds what pynndescent finds at `epsilon`; measured at k from 1 to 30 (bench/python)."""
    if metric == "inner_product" and epsilon <= 0.1:
        return 0  # the library's own
    beyond = max(0.0, epsilon - 0.1)
    beam = k + int((1 + k / 40) * (320 * beyond + 800 * beyond**2))
    if metric == "inner_product":
        return beam + 3 * k + 40
    return beam if metric in PRODUCT_METRICS else beam + 8  # over codes a beam is 16 wide at least


def _with_distance_zero(indices, distances):
    """Each row itself first at distance 0, also under inner products, as pynndescent has it."""
    distances[:, 0] = 0
    return indices, distances


def _check_initial_graph(graph, distances, n):
    if graph is not None and len(graph) != n:
        raise ValueError(f"init_graph has {len(graph)} rows: must have one for each of the {n} rows of data")
    if graph is not None and distances is not None and np.shape(graph) != np.shape(distances):
        raise ValueError(f"init_dist has shape {np.shape(distances)}: must be init_graph's, {np.shape(graph)}")


def _checked_indices(indices, n_rows, n) -> list[int]:
    try:
        indices = [int(i) for i in indices]
    except (TypeError, ValueError):
        raise ValueError("updated_indices: must be integers") from None
    if len(indices) != n_rows:
        raise ValueError(f"updated_indices has {len(indices)} items: must be as many as xs_updated has rows, {n_rows}")
    for i in indices:
        if not 0 <= i < n:
            raise ValueError(f"updated_indices: {i} is not a row of the index, which has {n}")
    return indices


def _updated_rows(rows, fresh, updated, indices):
    """A copy of `rows`, some replaced and others appended."""
    if hasattr(rows, "tocsr"):
        from scipy.sparse import vstack
    else:
        vstack = np.vstack
    order = np.arange(rows.shape[0])
    order[indices] = rows.shape[0] + np.arange(len(indices))
    blocks = [rows] if updated is None else [vstack([rows, updated])[order]]
    return vstack(blocks + [fresh] if fresh is not None else blocks)


def __getattr__(name):
    if name == "PyNNDescentTransformer":  # needs scikit-learn
        from annulus._pynndescent_transformer import PyNNDescentTransformer

        return PyNNDescentTransformer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
