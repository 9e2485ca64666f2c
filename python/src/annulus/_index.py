"""Indexes: one class for each kind, over what the module has for all."""

import copy
import copyreg
import os

from . import _core
from ._results import Buckets, Tuned


class Index(_core.Index):
    """An index: of a kind, by one of the classes derived from this one, or of a file, by `annulus.open`.

    Searches may run from several threads at once; changes wait for searches, and searches for changes.

    Parameters
    ----------
    data, metric, options, progress
        Given by the class of a kind, which names them.
    """

    def __init__(self, data, metric, options, progress):
        if "kind" in options:  # among the parameters of the metric
            raise TypeError(f"{type(self).__name__} got an unexpected keyword argument 'kind'")
        super().__init__(data, {"kind": self._kind, "metric": metric, **options}, progress)
        self._set_function(metric)

    _kind = ""
    _function: object = None

    def _set_function(self, metric):
        """A metric that is a function, which files do not hold."""
        if metric is not None and not isinstance(metric, str):
            self._function = metric

    def tune(self, recall_target, k=10, *, queries=None, n_queries=300, threads=0) -> Tuned:
        """nndescent: the cheapest search that finds a share of the k nearest rows.

        ``index.search(queries, k, **index.tune(0.99).params)``

        Parameters
        ----------
        recall_target : float
            The share, in (0, 1].
        k : int, default 10
            At least 1.
        queries : rows of the index's kind, m x dim, optional
            What it is tried with; by default rows of the index.
        n_queries : int, default 300
            How many rows of the index.
        threads : int, default 0
            0: all cores.

        Returns
        -------
        Tuned
            The parameters, and the recall that they have.

        Raises
        ------
        ValueError
            For values out of range, and another kind of index.
        """
        params, recall, reached = self._tune(recall_target, k, queries, n_queries, threads)
        return Tuned(params, recall, reached)

    def __repr__(self):
        parts = [self.info("rows"), f"{self.size} x {self.dim}", self.metric, self.info("storage")]
        return f"<annulus.{type(self).__name__}: {', '.join(part for part in parts if part)}>"

    def __copy__(self):
        return _as_class(self._copy(), type(self), self.__dict__)

    def __deepcopy__(self, memo):
        copied = memo[id(self)] = _as_class(self._copy(), type(self), {})
        for name, value in self.__dict__.items():  # a metric stays the one that the copy has
            copied.__dict__[name] = value if name == "_function" else copy.deepcopy(value, memo)
        return copied

    def __reduce_ex__(self, protocol):
        from pickle import PickleBuffer
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            path = os.path.join(folder, "index")
            self.save(path)
            with _open_file(path, "rb") as file:
                content = file.read()
        return _from_bytes, (PickleBuffer(content) if protocol >= 5 else content, type(self), self.__dict__)


_open_file = open


def _as_class(core, cls, members):
    index = cls.__new__(cls)
    _core.Index.__init__(index, core)
    index.__dict__.update(members)
    return index


def _from_bytes(content, cls, members):
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "index")
        with _open_file(path, "wb") as file:
            file.write(content)
        return _as_class(_core.Index._open(path, False, members.get("_function")), cls, members)


class FlatIndex(Index):
    """Exact search of rows that are kept: every query is compared with all. Dense rows; insert.

    Parameters
    ----------
    data : dense rows, n x dim
        Copied.
    metric : str or function, default "euclidean"
        As of `annulus.knn`.
    threads : int, default 0
        0: all cores.
    progress : bool or function, default False
        As of `annulus.knn`.
    **metric_params
        Of the metric, by name: p, w, variance, vinv, cost, regularization.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.
    """

    _kind = "flat"

    def __init__(self, data, metric="euclidean", *, threads=0, progress=False, **metric_params):
        super().__init__(data, metric, {"threads": threads, **metric_params}, progress)


class NNDescentIndex(Index):
    """Graph search: a k-NN graph by NN-descent (Dong, Charikar, Li 2011), pruned, and walked from a tree of hubs.

    All rows and metrics; insert, erase, update, consolidate.

    Parameters
    ----------
    data : rows of any kind, n x dim
        Copied.
    metric : str or function, default "euclidean"
        As of `annulus.knn`.
    storage : str, default "full_precision"
        What the walk compares: also "half_precision", "sq8", "rabitq", "rabitq+half_precision", "rabitq+sq8", as far
        as the build has them.
    bits : int, default 1
        Of rabitq: bits a dimension.
    scales : {"automatic", "per_vector", "per_dimension"}
        Of sq8.
    keep_rows : bool, default True
        Whether the rows are kept beside codes, and rank results.
    n_neighbors : int, default 30
        Of each row in the graph.
    n_trees : int, default by n, 3 to 12
        Of the forest that starts the descent.
    leaf_size : int, default 5 n_neighbors, 64 to 256
        Rows in a leaf, at most.
    max_candidates : int, default 2 n_neighbors, at most 64
        Neighbours of a row that are joined.
    n_iters : int, default log2 n
        Rounds of the descent, at most.
    delta : float, default 0.001
        The descent ends where at most this share of the graph changed.
    tree_init : bool, default True
        Whether the descent starts from trees.
    pruning_degree_multiplier : float, default 1.0
        The degree of the search graph, in n_neighbors.
    diversify_prob : float, default 1.0
        The probability of dropping an edge that a shorter path replaces.
    alpha : float, default 1.1
        How much shorter the path must be.
    include_self : bool, default False
        Whether `graph` lists each row as its own first neighbour.
    initial : int array, n x any number, optional
        The ids of a graph that is roughly right, -1 for none. From that of `build_knn_graph`, n_iters=1 and
        max_candidates=16 save time.
    seed : int, default 42
        The same one gives the same index for every number of threads.
    threads : int, default 0
        0: all cores.
    progress : bool or function, default False
        As of `annulus.knn`.
    **metric_params
        Of the metric, by name: p, w, variance, vinv, cost, regularization.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.
    """

    _kind = "nndescent"

    def __init__(
        self,
        data,
        metric="euclidean",
        *,
        storage=None,
        bits=None,
        scales=None,
        keep_rows=None,
        n_neighbors=None,
        n_trees=None,
        leaf_size=None,
        max_candidates=None,
        n_iters=None,
        delta=None,
        tree_init=None,
        pruning_degree_multiplier=None,
        diversify_prob=None,
        alpha=None,
        include_self=None,
        initial=None,
        seed=None,
        threads=0,
        progress=False,
        **metric_params,
    ):
        options = {
            "storage": storage,
            "bits": bits,
            "scales": scales,
            "keep_rows": keep_rows,
            "n_neighbors": n_neighbors,
            "n_trees": n_trees,
            "leaf_size": leaf_size,
            "max_candidates": max_candidates,
            "n_iters": n_iters,
            "delta": delta,
            "tree_init": tree_init,
            "pruning_degree_multiplier": pruning_degree_multiplier,
            "diversify_prob": diversify_prob,
            "alpha": alpha,
            "include_self": include_self,
            "initial": initial,
            "seed": seed,
            "threads": threads,
            **metric_params,
        }
        super().__init__(data, metric, options, progress)


class LSHIndex(Index):
    """Locality-sensitive hashing: rows that share buckets of hash tables with the query, ranked by their distance.

    float32, float64, bits and sets; insert, erase, update, consolidate.

    Parameters
    ----------
    data : rows, n x dim
        Copied.
    metric : str, default that of the family
        "cosine", "euclidean", "manhattan", "inner_product"; "bit_hamming" of bits, "jaccard" of sets.
    family : str, default the first of the metric
        "sign_random_projection", "cross_polytope", "p_stable_l2", "p_stable_l1", "simple_mips", "bit_sampling",
        "minhash".
    n_projections : int, default 15
        Hash functions that make up the key of a table.
    n_tables : int, default 10
        Of hash keys.
    width : float, default chosen from the data
        Of p_stable_l2 and p_stable_l1: of a piece, in the unit of the data.
    max_norm : float, default that of the data
        Of simple_mips: the greatest norm of a row.
    n_rotations : int, default 3
        Of cross_polytope.
    bits : int, default all
        Of bit_sampling: the first bits of a row, which alone are sampled.
    only_index : bool, default False
        Whether the rows are left out, so that `candidates` alone answers.
    seed : int, default 42
        The same one gives the same index for every number of threads.
    threads : int, default 0
        0: all cores.
    progress : bool or function, default False
        As of `annulus.knn`.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.
    """

    _kind = "lsh"

    def __init__(
        self,
        data,
        metric=None,
        *,
        family=None,
        n_projections=None,
        n_tables=None,
        width=None,
        max_norm=None,
        n_rotations=None,
        bits=None,
        only_index=None,
        seed=None,
        threads=0,
        progress=False,
    ):
        options = {
            "family": family,
            "n_projections": n_projections,
            "n_tables": n_tables,
            "width": width,
            "max_norm": max_norm,
            "n_rotations": n_rotations,
            "bits": bits,
            "only_index": only_index,
            "seed": seed,
            "threads": threads,
        }
        super().__init__(data, metric, options, progress)

    def describe(self):
        """How many rows the buckets hold. O(rows tables).

        Returns
        -------
        Buckets
            Their number, sizes and memory.
        """
        return Buckets(*self._describe_buckets())


class PQIndex(Index):
    """Product quantization (Jegou, Douze, Schmid 2011): m bytes a row, compared with the query by look-up.

    float32; insert.

    Parameters
    ----------
    data : float32 array, n x dim
        Learned from, and coded.
    metric : {"euclidean", "sqeuclidean", "inner_product", "cosine"}, default "euclidean"
        Distances are estimates.
    m : int
        Sub-vectors of a row.
    ks : int, default 256
        Codewords of each sub-vector, at most 256.
    iter : int, default 20
        Rounds of k-means, at most.
    init : {"points", "plus_plus", "random"}, default "points"
        How the first codewords are chosen.
    max_points_per_centroid : int, default all
        More rows than ks times this are sampled for training.
    padding : {"refuse", "zeros"}, default "refuse"
        Where m does not divide dim: an error, or further coordinates of 0.
    keep_rows : bool, default False
        Whether the rows are kept, and rank the best k_factor * k.
    seed : int, default 42
        The same one gives the same codes for every number of threads.
    threads : int, default 0
        0: all cores.
    progress : bool or function, default False
        As of `annulus.knn`.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.
    """

    _kind = "pq"

    def __init__(
        self,
        data,
        metric="euclidean",
        *,
        m,
        ks=None,
        iter=None,
        init=None,
        max_points_per_centroid=None,
        padding=None,
        keep_rows=None,
        seed=None,
        threads=0,
        progress=False,
    ):
        options = {
            "m": m,
            "ks": ks,
            "iter": iter,
            "init": init,
            "max_points_per_centroid": max_points_per_centroid,
            "padding": padding,
            "keep_rows": keep_rows,
            "seed": seed,
            "threads": threads,
        }
        super().__init__(data, metric, options, progress)


class OPQIndex(Index):
    """Product quantization behind a learned rotation (Ge, He, Ke, Sun 2014).

    float32; insert.

    Parameters
    ----------
    data, metric, m, ks, init, max_points_per_centroid, keep_rows, seed, threads, progress
        As of `PQIndex`; m divides dim.
    parametric_init : bool, default True
        Whether the rotation starts from the data's covariance.
    pq_iter : int, default 20
        Rounds of k-means for the last codewords.
    rotation_iter : int, default 10
        Rounds of codewords and rotation in turn.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.
    """

    _kind = "opq"

    def __init__(
        self,
        data,
        metric="euclidean",
        *,
        m,
        ks=None,
        parametric_init=None,
        pq_iter=None,
        rotation_iter=None,
        init=None,
        max_points_per_centroid=None,
        keep_rows=None,
        seed=None,
        threads=0,
        progress=False,
    ):
        options = {
            "m": m,
            "ks": ks,
            "parametric_init": parametric_init,
            "pq_iter": pq_iter,
            "rotation_iter": rotation_iter,
            "init": init,
            "max_points_per_centroid": max_points_per_centroid,
            "keep_rows": keep_rows,
            "seed": seed,
            "threads": threads,
        }
        super().__init__(data, metric, options, progress)


class FastScanIndex(Index):
    """Product codes that are looked up in SIMD registers (Andre, Kermarrec, Le Scouarnec 2017).

    float32; insert.

    Parameters
    ----------
    data, metric, m, iter, init, max_points_per_centroid, padding, keep_rows, seed, threads, progress
        As of `PQIndex`.
    ks : int, default 16
        Codewords of each sub-vector: up to 16 in codes of 4 bits, up to 256 in codes of 8.
    quantizer : {"pq", "opq"}, default "pq"
        "opq": behind a rotation.
    parametric_init, pq_iter, rotation_iter
        Of "opq", as of `OPQIndex`.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.
    """

    _kind = "fast_scan"

    def __init__(
        self,
        data,
        metric="euclidean",
        *,
        m,
        ks=None,
        quantizer=None,
        iter=None,
        parametric_init=None,
        pq_iter=None,
        rotation_iter=None,
        init=None,
        max_points_per_centroid=None,
        padding=None,
        keep_rows=None,
        seed=None,
        threads=0,
        progress=False,
    ):
        options = {
            "m": m,
            "ks": ks,
            "quantizer": quantizer,
            "iter": iter,
            "parametric_init": parametric_init,
            "pq_iter": pq_iter,
            "rotation_iter": rotation_iter,
            "init": init,
            "max_points_per_centroid": max_points_per_centroid,
            "padding": padding,
            "keep_rows": keep_rows,
            "seed": seed,
            "threads": threads,
        }
        super().__init__(data, metric, options, progress)


class RaBitQIndex(Index):
    """RaBitQ (Gao, Long 2024): bits for each dimension, without training; the rows are kept, and rank results.

    float32.

    Parameters
    ----------
    data : float32 array, n x dim
        Coded, and kept.
    metric : {"euclidean", "sqeuclidean", "inner_product", "cosine"}, default "euclidean"
        Of what is returned.
    bits : int, default 1
        Of a coded dimension, 1 to 8.
    code_dims : int, default as many as hold 90 % of the variance
        Leading dimensions that are coded.
    n_cells : int, default one for each 800 rows
        Clusters, whose centroids codes are relative to.
    seed : int, default 42
        The same one gives the same codes for every number of threads.
    threads : int, default 0
        0: all cores.
    progress : bool or function, default False
        As of `annulus.knn`.

    Raises
    ------
    ValueError, TypeError
        For arguments that do not fit.
    """

    _kind = "rabitq"

    def __init__(
        self,
        data,
        metric="euclidean",
        *,
        bits=None,
        code_dims=None,
        n_cells=None,
        seed=None,
        threads=0,
        progress=False,
    ):
        options = {
            "bits": bits,
            "code_dims": code_dims,
            "n_cells": n_cells,
            "seed": seed,
            "threads": threads,
        }
        super().__init__(data, metric, options, progress)


_CLASSES = {
    cls._kind: cls for cls in (FlatIndex, NNDescentIndex, LSHIndex, PQIndex, OPQIndex, FastScanIndex, RaBitQIndex)
}


# Methods of an index go to other processes, as to `pool.map(index.search, batches)`.
copyreg.pickle(
    type(FlatIndex.__new__(FlatIndex).search), lambda method: (getattr, (method.__self__, method.__name__))
)


def open(path, *, mapped=False, metric=None) -> Index:
    """The index of a file.

    Parameters
    ----------
    path : str or path
        Of a file that `Index.save` wrote, or a program in C++ or C.
    mapped : bool, default False
        Whether processes share the file's memory, and it opens in milliseconds; its contents are then not checked,
        which `Index.verify` does.
    metric : function, optional
        The one that the index was built with, where its metric was a function.

    Returns
    -------
    Index
        Of the class of its kind.

    Raises
    ------
    FormatError
        For a file that is damaged or holds something else.
    OSError
        Where the file cannot be read.
    ValueError, TypeError
        Where a metric is missing, or is a name.
    """
    if isinstance(metric, str):
        raise TypeError(f"metric: {metric!r} is a name, which the file holds; give a function, where it was one")
    try:
        core = _core.Index._open(path, mapped, metric)
    except ValueError as error:
        if "annulus_open_with" not in str(error):
            raise
        path = os.fspath(path)
        raise ValueError(f"{path!r} was built with a function for its metric: open(path, metric=the same)") from None
    index = _as_class(core, _CLASSES[core.kind], {})
    index._set_function(metric)
    return index
