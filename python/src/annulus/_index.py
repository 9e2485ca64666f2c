"""Indexes: one class for each kind, over what the module has for all."""

import copy
import copyreg
import os

from . import _core
from ._results import Buckets, Tuned


class Index(_core.Index):
    """An index: of a kind, by one of the classes derived from this one, or of a file, by `annulus.open`.

    Searches may run from several threads at once; changes wait for searches, and searches for changes.
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

        recall_target: in (0, 1]. Tried with `queries`, or with n_queries rows of the index. Returns Tuned:
        ``index.search(queries, k, **index.tune(0.99).params)``.
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

    data, metric and its parameters: as of `annulus.knn`. threads: 0 for all cores.
    """

    _kind = "flat"

    def __init__(self, data, metric="euclidean", *, threads=0, progress=False, **metric_params):
        super().__init__(data, metric, {"threads": threads, **metric_params}, progress)


class NNDescentIndex(Index):
    """Graph search: a k-NN graph by NN-descent (Dong, Charikar, Li 2011), pruned, and walked from a tree of hubs.

    All rows and metrics; insert, erase, update, consolidate.

    data, metric and its parameters: as of `annulus.knn`.
    storage: what the walk compares: "full_precision" (the default), "half_precision", "sq8", "rabitq" (with
    "+half_precision" or "+sq8"), as far as the build has them; bits (1) a dimension of rabitq; scales ("automatic",
    "per_vector", "per_dimension") of sq8; keep_rows (True): whether the rows are kept beside codes, and rank results.
    n_neighbors: of each row in the graph (30). n_trees: of the forest that starts the descent (by n, 3 to 12);
    leaf_size: rows in a leaf (5 n_neighbors, 64 to 256); max_candidates: neighbours of a row that are joined
    (2 n_neighbors, 64 at most); n_iters: rounds at most (log2 n); delta: the share of the graph that changes in the last
    round (0.001); tree_init: whether it starts from trees (True).
    pruning_degree_multiplier: the degree of the search graph in n_neighbors (1.0); diversify_prob (1.0) and alpha
    (1.1): how readily edges are dropped that a shorter path replaces. include_self: of `graph` (False).
    initial: the ids of a graph that is roughly right, n x any number, -1 for none. From that of `build_knn_graph`,
    n_iters=1 and max_candidates=16 save a third of the time.
    seed: 42; a seed gives the same index for every number of threads. threads: 0 for all cores. progress: True for a
    bar (tqdm), or a function (stage, fraction, whole).
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

    metric: "cosine", "euclidean", "manhattan", "inner_product"; "bit_hamming" of bits, "jaccard" of sets; or family:
    "sign_random_projection", "cross_polytope", "p_stable_l2", "p_stable_l1", "simple_mips", "bit_sampling", "minhash".
    width: of p_stable (chosen from the data); n_rotations: of cross_polytope; max_norm: of simple_mips; bits: of
    bit_sampling. n_projections: hash functions a table; n_tables. only_index: whether the rows are left out, so that
    `candidates` alone answers (False). seed: 42. threads: 0 for all cores.
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
        """How many rows the buckets hold: Buckets. O(rows tables)."""
        return Buckets(*self._describe_buckets())


class PQIndex(Index):
    """Product quantization (Jegou, Douze, Schmid 2011): m bytes a row, compared with the query by look-up.

    float32; insert. metric: "euclidean", "sqeuclidean", "inner_product", "cosine".
    m: sub-vectors of a row, which divide its dimension, unless padding is "zeros" ("refuse"). ks: codewords of each, at
    most 256 (256). iter: rounds of k-means (20); init: "points", "plus_plus", "random"; max_points_per_centroid: more
    rows than ks times this are sampled. keep_rows: whether the rows are kept, and rank the best k_factor * k (False).
    seed: 42. threads: 0 for all cores. progress: as of `annulus.knn`.
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

    Parameters as of PQIndex; parametric_init: whether the rotation starts from the data's covariance (True);
    rotation_iter: rounds of codewords and rotation in turn (10); pq_iter: rounds of k-means for the last codewords
    (20).
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

    Parameters as of PQIndex and OPQIndex; quantizer: "pq" (the default) or "opq"; ks: 16 (the default) or 256.
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

    float32. metric: as of PQIndex. bits: of a coordinate, 1 to 8 (1). code_dims: leading dimensions that are coded (as
    many as hold 90 % of the variance); n_cells: clusters of rows (one for each 800). seed: 42. threads: 0 for all cores.
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
    """The index of a file, of the class of its kind.

    mapped: processes share the file's memory and it opens in milliseconds; its contents are then not checked, which
    `Index.verify` does. metric: the function that the index was built with, where it was one.

    Raises FormatError (a ValueError) for a file that is damaged or holds something else, OSError where it cannot be
    read.
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
