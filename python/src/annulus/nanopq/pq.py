"""PQ and DistanceTable, as nanopq has them."""

import functools

import numpy as np

import annulus
from annulus import _core

NATIVE_METRICS = {"l2": "sqeuclidean", "dot": "inner_product"}
NATIVE_INITS = {"points": "points", "++": "plus_plus", "random": "random"}


class NanopqError(ValueError, AssertionError):
    """What nanopq asserts: a ValueError with words, and an AssertionError for programs that catch nanopq's."""


def check(condition, message):
    """The message is made in any case, so calls that take microseconds do without this."""
    if not condition:
        raise NanopqError(message)


def check_floats(array, name, dims):
    """That `array` is a numpy array of float32 with one of the numbers of dimensions `dims`."""
    if not isinstance(array, np.ndarray):
        raise NanopqError(f"{name} must be a numpy array, not {type(array).__name__}")
    if array.dtype != np.float32:
        raise NanopqError(f"{name} must be float32, not {array.dtype}: use {name}.astype(np.float32)")
    if array.ndim not in dims:
        shapes = " or ".join(("(D,)", "(N, D)")[dim - 1] for dim in dims)
        raise NanopqError(f"{name} must have the shape {shapes}, not {array.shape}")


def check_metric(metric):
    if metric not in NATIVE_METRICS:
        raise NanopqError(f"metric is {metric!r}, must be 'l2' or 'dot'")


def code_dtype_of(Ks):
    """The smallest unsigned integers that count Ks codewords."""
    return np.uint8 if Ks <= 2**8 else np.uint16 if Ks <= 2**16 else np.uint32


def training_options(iter, seed, minit):
    """Options of annulus's k-means for nanopq's."""
    check(
        minit in NATIVE_INITS,
        f"minit is {minit!r}, must be 'points', '++' or 'random' ('matrix' fails in nanopq too, as it has no matrix)",
    )
    check(iter >= 1, f"iter is {iter}, must be at least 1")
    seed = np.random.SeedSequence(seed).entropy if seed is None else seed
    return {"iter": iter, "seed": int(seed) % 2**64, "init": NATIVE_INITS[minit]}


class PQ:
    """Product quantisation (Jégou, Douze, Schmid 2011): each of M sub-vectors becomes the number of a codeword.

    Parameters
    ----------
    M : int
        Sub-vectors of a vector; it has to divide the dimension D.
    Ks : int, default 256
        Codewords of each sub-space, at most 2**32; 256 makes codes of M bytes.
    metric : {"l2", "dot"}, default "l2"
        Squared Euclidean distances, or inner products, of which more is nearer. Training and encoding are Euclidean
        under both.
    verbose : bool, default True
        Whether it prints what is being done.

    Attributes
    ----------
    M : int
        Sub-vectors of a vector.
    Ks : int
        Codewords of each sub-space.
    metric : str
        "l2" or "dot".
    verbose : bool
        Whether it prints what is being done.
    code_dtype : type
        np.uint8, np.uint16 or np.uint32, by Ks.
    Ds : int
        Dimension of a sub-vector, D / M; None before `fit`.

    Raises
    ------
    NanopqError
        For values out of range.
    """

    def __init__(self, M, Ks=256, metric="l2", verbose=True):
        check(M >= 1, f"M is {M}, must be at least 1")
        check(0 < Ks <= 2**32, f"Ks is {Ks}, must be from 1 to 2**32")
        check_metric(metric)
        self.M, self.Ks, self.metric, self.verbose = int(M), int(Ks), metric, verbose
        self.code_dtype = code_dtype_of(Ks)
        self.Ds = None
        self._codewords = self._codec = None
        if verbose:
            print(f"M: {M}, Ks: {Ks}, metric: {metric}, code_dtype: {self.code_dtype}")

    @property
    def codewords(self):
        """float32 array, M x Ks x Ds; None before `fit`. It cannot be written to: assign another one."""
        return self._codewords

    @codewords.setter
    def codewords(self, codewords):
        self._codec = None
        self._codewords = self.Ds = None
        if codewords is None:
            return
        codewords = np.array(codewords, dtype=np.float32, order="C")
        check(
            codewords.ndim == 3 and codewords.shape[:2] == (self.M, self.Ks) and codewords.shape[2] > 0,
            f"codewords have the shape {codewords.shape}, must have ({self.M}, {self.Ks}, Ds)",
        )
        codewords.flags.writeable = False
        self._codewords, self.Ds = codewords, codewords.shape[2]

    def fit(self, vecs, iter=20, seed=123, minit="points"):
        """Trains the codewords by k-means.

        Parameters
        ----------
        vecs : float32 array, N x D
            N > Ks, and D a multiple of M.
        iter : int, default 20
            Rounds of k-means; fewer where nothing changes any more.
        seed : int, default 123
            Of the random numbers; None: others at each call.
        minit : {"points", "++", "random"}, default "points"
            Starts from random vectors, from k-means++, or from a Gaussian.

        Returns
        -------
        PQ
            self

        Raises
        ------
        NanopqError
            For other arguments.
        """
        self._check_training(vecs)
        options = training_options(iter, seed, minit)
        if self.verbose:
            print(f"Training {self.M} sub-spaces of {vecs.shape[1] // self.M} dimensions, iter: {iter}, seed: {seed}")
        codec = annulus.PQ(self.M, self.Ks, metric=NATIVE_METRICS[self.metric]).fit(vecs, **options)
        self.codewords = codec.codewords
        self._codec = codec
        return self

    def encode(self, vecs):
        """The nearest codewords.

        Parameters
        ----------
        vecs : float32 array, N x D
            The vectors.

        Returns
        -------
        integer array, N x M
            Their codes, as `code_dtype`.

        Raises
        ------
        NanopqError
            Before `fit`, and for another array.
        """
        codec = self._fitted("encode")
        check_floats(vecs, "vecs", (2,))
        self._check_dimension(vecs)
        if self.verbose:
            print(f"Encoding {len(vecs)} vectors")
        return codec.encode(vecs)

    def decode(self, codes):
        """The vectors that codes stand for.

        Parameters
        ----------
        codes : integer array, N x M
            As `encode` returns them.

        Returns
        -------
        float32 array, N x D
            The vectors.

        Raises
        ------
        NanopqError
            Before `fit`, and for another array.
        """
        codec = self._fitted("decode")
        check_codes(codes, self.M)
        check(codes.dtype == self.code_dtype, f"codes are {codes.dtype}, must be {np.dtype(self.code_dtype)}")
        return codec.decode(codes)

    def dtable(self, query):
        """The table of a query.

        Parameters
        ----------
        query : float32 array, D
            The query.

        Returns
        -------
        DistanceTable
            Its distances to all codewords.

        Raises
        ------
        NanopqError
            Before `fit`, and for another array.
        """
        codec = self._fitted("dtable")
        check_floats(query, "query", (1,))
        self._check_dimension(query)
        return DistanceTable(codec.tables(query[None])[0], metric=self.metric)

    def _check_training(self, vecs):
        check_floats(vecs, "vecs", (2,))
        n, dim = vecs.shape
        check(self.Ks < n, f"{n} training vectors are too few: there must be more than Ks = {self.Ks}")
        check(dim > 0 and dim % self.M == 0, f"the dimension {dim} must be a multiple of M = {self.M}")

    def _check_dimension(self, rows):
        dim = self.M * self.Ds
        if rows.shape[-1] != dim:
            raise NanopqError(f"the dimension is {rows.shape[-1]}, must be Ds * M = {dim}")

    def _fitted(self, what):
        """The codec of the codewords, made at its first use."""
        if self._codewords is None:
            raise NanopqError(f"codewords must be set by fit() before {what}()")
        if self._codec is None:
            self._codec = annulus.PQ.of(self._codewords, metric=NATIVE_METRICS[self.metric])
        return self._codec

    def _values(self):
        return self.M, self.Ks, self.metric, self.verbose, self.code_dtype, self.Ds

    def __eq__(self, other):
        if not isinstance(other, PQ):
            return False
        return self._values() == other._values() and np.array_equal(self.codewords, other.codewords)

    def __repr__(self):
        return f"{type(self).__name__}(M={self.M}, Ks={self.Ks}, metric={self.metric!r}, verbose={self.verbose})"

    def __getstate__(self):
        return {**self.__dict__, "_codec": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if self._codewords is not None:
            self._codewords.flags.writeable = False


def check_codes(codes, M):
    if not isinstance(codes, np.ndarray):
        raise NanopqError(f"codes must be a numpy array, not {type(codes).__name__}")
    if codes.ndim != 2 or codes.shape[1] != M:
        raise NanopqError(f"codes have the shape {codes.shape}, must have (N, {M})")


class DistanceTable:
    """The distances (or, of "dot", the inner products) of a query to all codewords.

    Parameters
    ----------
    dtable : float32 array, M x Ks
        dtable[m, ks] belongs to the query's m-th sub-vector and codeword ks there.
    metric : {"l2", "dot"}, default "l2"
        What it holds.

    Attributes
    ----------
    dtable : float32 array, M x Ks
        Distances, or inner products.
    metric : str
        "l2" or "dot".

    Raises
    ------
    NanopqError
        For another array or metric.
    """

    def __init__(self, dtable, metric="l2"):
        check_floats(dtable, "dtable", (2,))
        check_metric(metric)
        self.dtable, self.metric = dtable, metric

    def adist(self, codes):
        """The sum of each code's entries, which estimates its distance. O(N M).

        Parameters
        ----------
        codes : array of integers, N x M
            Below Ks; those of the PQ's code_dtype are read as they are.

        Returns
        -------
        float32 array, N
            The sums.

        Raises
        ------
        NanopqError
            For another array, and codes that are not below Ks.
        """
        M, Ks = self.dtable.shape
        check_codes(codes, M)
        threads = 1 if codes.size < 2**18 else 0  # fewer are summed sooner than threads start
        codes = codes_of(codes, Ks)
        return summing_codec(M, Ks).distances(np.ascontiguousarray(self.dtable), codes, threads=threads)

    def __repr__(self):
        return f"DistanceTable(shape={self.dtable.shape}, metric={self.metric!r})"


@functools.lru_cache(maxsize=16)
def summing_codec(M, Ks):
    """A codec for tables of this shape: their sums do not depend on its codewords."""
    return _core.Codec(np.zeros((M, Ks, 1), np.float32), None, {"metric": "sqeuclidean"})


def codes_of(codes, Ks):
    """`codes` as the codec reads them; those of another integer type are converted."""
    dtype = code_dtype_of(Ks)
    if codes.dtype == dtype:
        return codes
    check(np.issubdtype(codes.dtype, np.integer), f"codes are {codes.dtype}, must be integers")
    check(codes.size == 0 or 0 <= codes.min() and codes.max() < Ks, f"codes must be at least 0 and below Ks = {Ks}")
    return codes.astype(dtype)
