"""Product quantizers: vectors as m small integers."""

import numpy

from . import _core


class DistanceTable:
    """The distances of one query to all codewords, by which those to codes are looked up."""

    def __init__(self, codec, table):
        self._codec = codec
        self.table = table
        """float32, m x ks."""

    def adist(self, codes, *, threads=0):
        """The estimated distances (of inner_product: products) to n codes: float32, n. O(n * m)."""
        return self._codec.distances(self.table, codes, threads=threads)


class _Codec:
    """What PQ and OPQ share."""

    _kind = "pq"

    def __init__(self, m, ks=256, metric="sqeuclidean"):
        self.m = m
        """Sub-vectors of a vector."""
        self.ks = ks
        """Codewords of a sub-space."""
        self.metric = metric
        self._codec = None

    @classmethod
    def of(cls, codewords, rotation=None, metric="sqeuclidean", *, dim=None):
        """The quantizer of given codewords, m x ks x ds.

        rotation: dim x dim, of OPQ: a vector x is rotated to x @ rotation. dim: of vectors, where the last coordinates
        of m * ds are padding.
        """
        codewords = numpy.ascontiguousarray(codewords, dtype=numpy.float32)
        if codewords.ndim != 3:
            raise ValueError(f"codewords: an array of shape {codewords.shape}; must be m x ks x ds")
        if rotation is not None:
            rotation = numpy.ascontiguousarray(rotation, dtype=numpy.float32)
            size = codewords.shape[0] * codewords.shape[2] if dim is None else dim
            if rotation.shape != (size, size):
                raise ValueError(f"rotation: an array of shape {rotation.shape}; must be {size} x {size}")
        self = cls(codewords.shape[0], codewords.shape[1], metric)
        self._codec = _core.Codec(codewords, rotation, {"metric": metric, "dim": dim})
        return self

    def _fit(self, vectors, options, progress):
        options = {"kind": self._kind, "m": self.m, "ks": self.ks, "metric": self.metric, **options}
        self._codec = _core.Codec(vectors, options, progress)
        return self

    @property
    def _trained(self):
        if self._codec is None:
            raise ValueError(f"this {type(self).__name__} has no codewords yet: call fit")
        return self._codec

    @property
    def codewords(self):
        """float32, m x ks x ds; a copy."""
        return self._trained.codewords()

    @property
    def rotation(self):
        """float32, dim x dim, by which vectors are multiplied from the right; None of PQ. A copy."""
        return self._trained.rotation()

    @property
    def dim(self):
        """Coordinates of a vector."""
        return self._trained.dim

    @property
    def ds(self):
        """Coordinates of a codeword."""
        return self._trained.ds

    @property
    def code_dtype(self):
        """The type of codes: the smallest of uint8, uint16 and uint32 that holds ks - 1."""
        return numpy.dtype(numpy.uint8 if self.ks <= 2**8 else numpy.uint16 if self.ks <= 2**16 else numpy.uint32)

    def encode(self, vectors, *, threads=0):
        """The nearest codeword of each sub-vector: n x m integers of `code_dtype` (of one vector, m)."""
        return self._trained.encode(vectors, threads=threads)

    def decode(self, codes, *, threads=0):
        """The vectors that codes stand for: float32, n x dim."""
        return self._trained.decode(codes, threads=threads)

    def tables(self, queries):
        """The distances of each query to all codewords: float32, n x m x ks (of one query, m x ks)."""
        return self._trained.tables(queries)

    def dtable(self, query):
        """The DistanceTable of one query: ``pq.dtable(query).adist(codes)``."""
        table = self._trained.tables(query)
        if table.ndim == 3:
            if len(table) != 1:
                raise ValueError(f"query: {len(table)} rows; must be one: tables takes several")
            table = table[0]
        return DistanceTable(self._codec, table)

    def __getstate__(self):
        state = {name: value for name, value in self.__dict__.items() if name != "_codec"}
        if self._codec is not None:
            state["_parts"] = (self.codewords, self.rotation, {"metric": self.metric, "dim": self.dim})
        return state

    def __setstate__(self, state):
        parts = state.pop("_parts", None)
        self.__dict__.update(state)
        self._codec = None if parts is None else _core.Codec(*parts)

    def __repr__(self):
        state = "" if self._codec is not None else ", not fitted"
        return f"annulus.{type(self).__name__}({self.m}, {self.ks}, {self.metric!r}{state})"


class PQ(_Codec):
    """A product quantizer (Jegou, Douze, Schmid 2011): m sub-vectors, each coded by the nearest of ks codewords.

    m: divides the vectors' dimension, unless fit is given padding="zeros". ks: 2 to 65536.
    metric: what tables hold: "sqeuclidean", "inner_product" (products) or "cosine".
    """

    def fit(
        self,
        vectors,
        *,
        iter=20,
        seed=None,
        init=None,
        max_points_per_centroid=None,
        padding=None,
        threads=0,
        progress=False,
    ):
        """Learns codewords by k-means from n x dim vectors (float32; other numbers are converted). Returns self.

        iter: rounds of k-means. init: "points", "plus_plus" or "random". max_points_per_centroid: more vectors than ks
        times this are sampled. padding: "refuse" (the default) or "zeros" where m does not divide dim. seed: 42.
        """
        options = {
            "iter": iter,
            "seed": seed,
            "init": init,
            "max_points_per_centroid": max_points_per_centroid,
            "padding": padding,
            "threads": threads,
        }
        return self._fit(vectors, options, progress)


class OPQ(_Codec):
    """A product quantizer behind a learned rotation (Ge, He, Ke, Sun 2014). Parameters as of PQ."""

    _kind = "opq"

    def fit(
        self,
        vectors,
        *,
        parametric_init=None,
        pq_iter=None,
        rotation_iter=None,
        seed=None,
        init=None,
        max_points_per_centroid=None,
        threads=0,
        progress=False,
    ):
        """Learns a rotation and codewords from n x dim vectors (float32; other numbers are converted). Returns self.

        parametric_init: whether the rotation starts from the eigenvectors of the covariance (True). rotation_iter:
        rounds of codewords and rotation in turn (10). pq_iter: rounds of k-means for the last codewords (20). The
        others as of PQ.fit.
        """
        options = {
            "parametric_init": parametric_init,
            "pq_iter": pq_iter,
            "rotation_iter": rotation_iter,
            "seed": seed,
            "init": init,
            "max_points_per_centroid": max_points_per_centroid,
            "threads": threads,
        }
        return self._fit(vectors, options, progress)
