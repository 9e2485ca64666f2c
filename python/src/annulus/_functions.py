"""Exact search, k-NN graphs and recall."""

import operator

import numpy

from . import _convert, _core
from ._results import Neighbors


def _packs_bits(metric):
    return isinstance(metric, str) and metric.startswith("bit")


def knn(
    data, queries, k, metric="euclidean", *, recall_target=None, filter=None, threads=0, progress=False, **metric_params
) -> Neighbors:
    """The k nearest rows of each query, by comparing it with every row: exact, O(n * m * dim).

    Parameters
    ----------
    data : rows of any kind, n x dim
        See `annulus`.
    queries : rows of the same kind, m x dim, or one row
        Numbers of another type are converted to the data's. May be `data`.
    k : int
        At least 1.
    metric : str or function, default "euclidean"
        A name of `annulus.metrics`, or a function as of `metric_address`.
    recall_target : float, default 1
        In (0, 1]; below 1 the search may miss a share of the neighbours (dense rows).
    filter : int array, bool array of n, or function, optional
        The rows that may be returned: their ids, a bool for each row, or a function of an id (slow).
    threads : int, default 0
        0: all cores.
    progress : bool or function, default False
        True for a bar (tqdm), or a function (stage, fraction, whole).
    **metric_params
        Of the metric, by name: p, w, variance, vinv, cost, regularization.

    Returns
    -------
    Neighbors
        ids int32 and distances float32, m x k (of one row: k), nearest first, ids -1 at infinity where there are fewer
        than k rows. Smaller is nearer, so "inner_product" is minus the product.

    Raises
    ------
    ValueError
        For arguments that do not fit each other.
    TypeError
        For arguments of other types.
    KeyboardInterrupt
        At Ctrl-C.
    """
    if _convert.is_sets(data) and _convert.is_sets(queries):
        dim = 1 + max((member for rows in (data, queries) for row in rows for member in row), default=-1)
        data, queries = _convert.sets(data, dim), _convert.sets(queries, dim)
    options = {"metric": metric, **metric_params}
    k = operator.index(k)
    return _core.knn(data, queries, k, options, _packs_bits(metric), recall_target, filter, threads, progress)


def build_knn_graph(
    data,
    n_neighbors=30,
    metric="euclidean",
    *,
    format="arrays",
    n_trees=None,
    leaf_size=None,
    max_candidates=None,
    n_iters=None,
    delta=None,
    tree_init=None,
    include_self=None,
    initial=None,
    seed=None,
    threads=0,
    progress=False,
    **metric_params,
):
    """The n_neighbors nearest other rows of each row, nearly: NN-descent (Dong, Charikar, Li 2011) from random trees.

    Parameters
    ----------
    data : rows of any kind, n x dim
        See `annulus`.
    n_neighbors : int, default 30
        1 to 4096.
    metric : str or function, default "euclidean"
        As of `knn`.
    format : {"arrays", "csr"}, default "arrays"
        Of what is returned.
    n_trees, leaf_size, max_candidates, n_iters, delta, tree_init
        Of the descent, as of `NNDescentIndex`.
    include_self : bool, default False
        Whether each row is the first of its own neighbours.
    initial : int array, n x any number, optional
        The ids of a graph that is roughly right, -1 for none: the descent starts from it.
    seed : int, default 42
        The same one gives the same graph for every number of threads.
    threads, progress, **metric_params
        As of `knn`.

    Returns
    -------
    Neighbors or scipy.sparse.csr_array
        n x n_neighbors ids and distances, or by "csr" distances as a matrix, n x n.

    Raises
    ------
    ValueError, TypeError, KeyboardInterrupt
        As `knn`.
    """
    if format not in ("arrays", "csr"):
        raise ValueError(f'format = {format!r}: must be "arrays" or "csr"')
    options = {
        "metric": metric,
        "n_trees": n_trees,
        "leaf_size": leaf_size,
        "max_candidates": max_candidates,
        "n_iters": n_iters,
        "delta": delta,
        "tree_init": tree_init,
        "include_self": include_self,
        "initial": initial,
        "seed": seed,
        "threads": threads,
        **metric_params,
    }
    graph = _core.knn_graph(data, operator.index(n_neighbors), options, _packs_bits(metric), progress)
    return graph if format == "arrays" else to_csr(graph)


def to_csr(graph, n_columns=None):
    """Neighbours of n rows as a scipy.sparse.csr_array of distances: n x n_columns (n), nearest first in each row."""
    from scipy.sparse import csr_array

    ids, distances = graph
    n = len(ids)
    stored = ids >= 0
    indptr = numpy.zeros(n + 1, dtype=numpy.int32 if ids.size < 2**31 else numpy.int64)
    numpy.cumsum(stored.sum(axis=1), out=indptr[1:])
    if not stored.all():
        ids, distances = ids[stored], distances[stored]
    return csr_array((distances.ravel(), ids.ravel(), indptr), shape=(n, n if n_columns is None else n_columns))


def _checked(found, exact, k):
    found_ids, found_distances = (numpy.atleast_2d(array) for array in found)
    ids, distances = (numpy.atleast_2d(array) for array in exact)
    k = ids.shape[1] if k is None else k
    if not 1 <= k <= ids.shape[1]:
        raise ValueError(f"k = {k}: must be from 1 to the {ids.shape[1]} columns of exact")
    if len(found_ids) != len(ids):
        raise ValueError(f"found: {len(found_ids)} rows; must be as many as exact has, {len(ids)}")
    wanted = (ids[:, :k] >= 0).sum(axis=1)
    return found_ids[:, :k], found_distances[:, :k], ids[:, :k], distances[:, :k], wanted


def _mean_share(hits, wanted):
    shares = numpy.where(wanted > 0, numpy.minimum(hits, wanted) / numpy.maximum(wanted, 1), 1.0)
    return float(shares.mean()) if len(shares) else 1.0


def recall(found, exact, k=None) -> float:
    """The share of the k nearest rows that were found, the mean over the queries.

    By distance, so that of tied rows any counts: a result is a hit where it is no further than the k-th exact one, give
    or take 1e-5 of that distance. Distances that are estimates (of codes) need `recall_by_id`.

    Parameters
    ----------
    found, exact : Neighbors, or pairs of arrays
        Ids and distances, of the same queries.
    k : int, default all columns of exact
        How many neighbours of each query count.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    ValueError
        For k out of range, and different numbers of queries.
    """
    found_ids, found_distances, _, distances, wanted = _checked(found, exact, k)
    furthest = distances[numpy.arange(len(wanted)), numpy.maximum(wanted, 1) - 1]
    limit = furthest + numpy.float32(1e-5) * numpy.abs(furthest)
    hits = ((found_ids >= 0) & (found_distances <= limit[:, None])).sum(axis=1)
    return _mean_share(hits, wanted)


def recall_by_id(found, exact, k=None) -> float:
    """As `recall`, by the ids of the first k of both: of tied rows only those that `exact` lists count.

    Parameters
    ----------
    found, exact, k
        As of `recall`.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    ValueError
        As `recall`.
    """
    found_ids, _, ids, _, wanted = _checked(found, exact, k)
    rows = numpy.arange(len(ids), dtype=numpy.int64)[:, None] << 33
    hits = (numpy.isin(ids + rows, found_ids + rows) & (ids >= 0)).sum(axis=1)
    return _mean_share(hits, wanted)
