"""Product quantizers: vectors as m small integers."""

import numpy

from . import _core


class DistanceTable:
    """The distances of one query to all codewords, by which those to codes are looked up: `PQ.dtable`.

    Parameters
    ----------
    codec
        Of a `PQ` or an `OPQ`.
    table : float32 array, m x ks
        The query's row of `PQ.tables`.

    Attributes
    ----------
    table : float32 array, m x ks
        Distances; of inner_product, products.
    """

    def __init__(self, codec, table):
        self._codec = codec
        self.table = table

    def adist(self, codes, *, threads=0):
        """The estimated distances (of inner_product: products) to codes. O(n * m).

        Parameters
        ----------
        codes : integer array, n x m
            As `PQ.encode` returns them.
        threads : int, default 0
            0: all cores.

        Returns
        -------
        float32 array, n
            Sums of m entries of the table.

        Raises
        ------
        ValueError, TypeError
            For another shape or type, and codes that are not below ks.
        """
        return self._codec.distances(self.table, codes, threads=threads)


class _Codec:
    """What PQ and OPQ share."""

    _kind = "pq"

    def __init__(self, m, ks=256, metric="sqeuclidean"):
        self.m = m
        self.ks = ks
        self.metric = metric
        self._codec = None

    @classmethod
    def of(cls, codewords, rotation=None, metric="sqeuclidean", *, dim=None):
        """The quantizer of given codewords.

        Parameters
        ----------
        codewords : array, m x ks x ds
            Converted to float32.
        rotation : array, dim x dim, optional
            Of OPQ: a vector x is rotated to x @ rotation.
        metric : {"sqeuclidean", "inner_product", "cosine"}, default "sqeuclidean"
            What tables hold.
        dim : int, default m * ds
            Coordinates of a vector, where the last of m * ds are padding.

        Returns
        -------
        PQ or OPQ
            Of the class that it is called on.

        Raises
        ------
        ValueError
            For shapes that do not fit, and a rotation that is none.
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
        """float32 array, m x ks x ds; a copy."""
        return self._trained.codewords()

    @property
    def rotation(self):
        """float32 array, dim x dim, by which vectors are multiplied from the right; None of PQ. A copy."""
        return self._trained.rotation()

    @property
    def dim(self):
        """int: coordinates of a vector."""
        return self._trained.dim

    @property
    def ds(self):
        """int: coordinates of a codeword."""
        return self._trained.ds

    @property
    def code_dtype(self):
        """numpy.dtype of codes: the smallest of uint8, uint16 and uint32 that holds ks - 1."""
        return numpy.dtype(numpy.uint8 if self.ks <= 2**8 else numpy.uint16 if self.ks <= 2**16 else numpy.uint32)

    def encode(self, vectors, *, threads=0):
        """The nearest codeword of each sub-vector. O(n * ks * dim).

        Parameters
        ----------
        vectors : array, n x dim, or one vector
            Numbers of other types are converted to float32.
        threads : int, default 0
            0: all cores.

        Returns
        -------
        integer array, n x m (of one vector: m numbers)
            Numbers of codewords, as `code_dtype`.

        Raises
        ------
        ValueError, TypeError
            Before fit, for another dimension, and for NaN or infinity.
        """
        return self._trained.encode(vectors, threads=threads)

    def decode(self, codes, *, threads=0):
        """The vectors that codes stand for.

        Parameters
        ----------
        codes : integer array, n x m
            As `encode` returns them.
        threads : int, default 0
            0: all cores.

        Returns
        -------
        float32 array, n x dim
            The codewords of each code, one behind the other, rotated back where there is a rotation.

        Raises
        ------
        ValueError, TypeError
            Before fit, for another shape or type, and codes that are not below ks.
        """
        return self._trained.decode(codes, threads=threads)

    def tables(self, queries):
        """The distances of each query to all codewords. O(n * ks * dim).

        Parameters
        ----------
        queries : array, n x dim, or one query
            Numbers of other types are converted to float32.

        Returns
        -------
        float32 array, n x m x ks (of one query, m x ks)
            Of inner_product, products.

        Raises
        ------
        ValueError, TypeError
            Before fit, and for another dimension.
        """
        return self._trained.tables(queries)

    def dtable(self, query):
        """The table of one query: ``pq.dtable(query).adist(codes)``.

        Parameters
        ----------
        query : array, one query
            Numbers of other types are converted to float32.

        Returns
        -------
        DistanceTable
            Of this quantizer.

        Raises
        ------
        ValueError, TypeError
            Before fit, for another dimension, and for several rows.
        """
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

    Parameters
    ----------
    m : int
        Sub-vectors of a vector; divides its dimension, unless `fit` is given padding="zeros".
    ks : int, default 256
        Codewords of a sub-space.
    metric : {"sqeuclidean", "inner_product", "cosine"}, default "sqeuclidean"
        What tables hold.

    Attributes
    ----------
    m : int
        Sub-vectors of a vector.
    ks : int
        Codewords of a sub-space.
    metric : str
        What tables hold.
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
        """Learns codewords by k-means.

        Parameters
        ----------
        vectors : array, n x dim
            Numbers of other types are converted to float32.
        iter : int, default 20
            Rounds of k-means, at most.
        seed : int, default 42
            The same one gives the same codewords for every number of threads.
        init : {"points", "plus_plus", "random"}, default "points"
            How the first codewords are chosen.
        max_points_per_centroid : int, default all
            More vectors than ks times this are sampled.
        padding : {"refuse", "zeros"}, default "refuse"
            Where m does not divide dim: an error, or further coordinates of 0.
        threads : int, default 0
            0: all cores.
        progress : bool or function, default False
            As of `annulus.knn`.

        Returns
        -------
        PQ
            self

        Raises
        ------
        ValueError, TypeError
            For fewer vectors than ks, NaN or infinity, and arguments that do not fit.
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
    """A product quantizer behind a learned rotation (Ge, He, Ke, Sun 2014).

    Parameters
    ----------
    m, ks, metric
        As of `PQ`.

    Attributes
    ----------
    m : int
        Sub-vectors of a vector.
    ks : int
        Codewords of a sub-space.
    metric : str
        What tables hold.
    """

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
        """Learns a rotation and codewords.

        Parameters
        ----------
        vectors, seed, init, max_points_per_centroid, threads, progress
            As of `PQ.fit`.
        parametric_init : bool, default True
            Whether the rotation starts from the eigenvectors of the covariance.
        pq_iter : int, default 20
            Rounds of k-means for the last codewords.
        rotation_iter : int, default 10
            Rounds of codewords and rotation in turn.

        Returns
        -------
        OPQ
            self

        Raises
        ------
        ValueError, TypeError
            As `PQ.fit`.
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
