"""OPQ, as nanopq has it."""

import numpy as np

import annulus

from .pq import NATIVE_METRICS, PQ, check, check_floats, training_options


class OPQ:
    """Optimised product quantisation (Ge, He, Ke, Sun 2013): PQ of vectors turned by a rotation learned for them.

    Parameters
    ----------
    M, Ks, metric, verbose
        As of `PQ`.

    Attributes
    ----------
    pq : PQ
        Of rotated vectors.
    R : float32 array, D x D
        The rotation, by which rows are multiplied from the right; None before `fit`.
    """

    def __init__(self, M, Ks=256, metric="l2", verbose=True):
        self.pq = PQ(M, Ks, metric=metric, verbose=verbose)
        self.R = None

    M = property(lambda self: self.pq.M, doc="int: sub-vectors of a vector.")
    Ks = property(lambda self: self.pq.Ks, doc="int: codewords of each sub-space.")
    Ds = property(lambda self: self.pq.Ds, doc="int: dimension of a sub-vector; None before `fit`.")
    metric = property(lambda self: self.pq.metric, doc='str: "l2" or "dot".')
    code_dtype = property(lambda self: self.pq.code_dtype, doc="numpy.uint8, uint16 or uint32, by Ks.")
    codewords = property(lambda self: self.pq.codewords, doc="float32 array, M x Ks x Ds; None before `fit`.")

    @property
    def verbose(self):
        """bool: whether it prints what is being done."""
        return self.pq.verbose

    @verbose.setter
    def verbose(self, verbose):
        self.pq.verbose = verbose

    def eigenvalue_allocation(self, vecs):
        """Principal axes in an order that balances the sub-spaces.

        From the greatest variance on, each axis goes to the sub-space with room whose axes have the least product of
        variances so far.

        Parameters
        ----------
        vecs : float32 array, N x D
            Whose axes they are.

        Returns
        -------
        float32 array, D x D
            One axis a column.

        Raises
        ------
        NanopqError
            For another shape.
        """
        check(vecs.ndim == 2, f"vecs must have the shape (N, D), not {vecs.shape}")
        dim = vecs.shape[1]
        check(dim % self.M == 0, f"the dimension {dim} must be a multiple of M = {self.M}")
        variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(vecs, rowvar=False, dtype=np.float64)))
        logarithms = np.log(np.maximum(variances, 0) + 1e-10)
        logarithms += 1 - logarithms.min()
        sums = np.zeros(self.M)
        chosen = [[] for _ in range(self.M)]
        for axis in np.argsort(variances)[::-1]:
            best = int(np.argmin(sums))
            chosen[best].append(axis)
            sums[best] += logarithms[axis]
            if len(chosen[best]) == dim // self.M:
                sums[best] = np.inf
        return axes[:, np.concatenate(chosen)].astype(np.float32)

    def fit(self, vecs, parametric_init=False, pq_iter=20, rotation_iter=10, seed=123, minit="points"):
        """Trains the rotation and the codewords in turn.

        Parameters
        ----------
        vecs : float32 array, N x D
            N > Ks, and D a multiple of M.
        parametric_init : bool, default False
            Whether it starts from the axes of `eigenvalue_allocation`, not from those of the data.
        pq_iter : int, default 20
            Rounds of k-means for the codewords that are kept.
        rotation_iter : int, default 10
            Rounds of codewords and rotation, half as many again without parametric_init; with 0 the first rotation
            stays.
        seed, minit
            As of `PQ.fit`.

        Returns
        -------
        OPQ
            self. Where no rotation lowers the error, R is the unit matrix.

        Raises
        ------
        NanopqError
            As `PQ.fit`.
        """
        self.pq._check_training(vecs)
        check(rotation_iter >= 0, f"rotation_iter is {rotation_iter}, must be at least 0")
        options = training_options(pq_iter, seed, minit)
        options["pq_iter"] = options.pop("iter")
        if self.verbose:
            print(f"OPQ rotation training, rotation_iter: {rotation_iter}, pq_iter: {pq_iter}, seed: {seed}")
        # From the axes of the data, rounds that go on with the codewords of the last, as annulus's do, turn less than
        # those that draw codewords anew, as nanopq's do: 15 lose less than 10 of nanopq's, in less time.
        rounds = rotation_iter if parametric_init else rotation_iter + rotation_iter // 2
        codec = annulus.OPQ(self.M, self.Ks, metric=NATIVE_METRICS[self.pq.metric])
        codec.fit(vecs, parametric_init=parametric_init, rotation_iter=rounds, **options)
        self.pq.codewords = codec.codewords
        self.R = codec.rotation
        if self.verbose:
            print(f"==== Reconstruction error: {np.linalg.norm(vecs - codec.decode(codec.encode(vecs)))} ====")
        return self

    def rotate(self, vecs):
        """Vectors times R.

        Parameters
        ----------
        vecs : float32 array, N x D, or D
            The vectors.

        Returns
        -------
        float32 array
            Of the same shape.

        Raises
        ------
        NanopqError
            Before `fit`, and for another array.
        """
        check_floats(vecs, "vecs", (1, 2))
        return vecs @ self._rotation("rotate")

    def encode(self, vecs):
        """`PQ.encode` of rotated vectors.

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
            As `PQ.encode`.
        """
        self._rotation("encode")
        return self.pq.encode(self.rotate(vecs))

    def decode(self, codes):
        """`PQ.decode`, rotated back.

        Parameters
        ----------
        codes : integer array, N x M
            As `encode` returns them.

        Returns
        -------
        float32 array, N x D
            The vectors that they stand for.

        Raises
        ------
        NanopqError
            As `PQ.decode`.
        """
        return self.pq.decode(codes) @ self._rotation("decode").T

    def dtable(self, query):
        """`PQ.dtable` of the rotated query.

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
            As `PQ.dtable`.
        """
        self._rotation("dtable")
        return self.pq.dtable(self.rotate(query))

    def _rotation(self, what):
        check(self.R is not None, f"R must be set by fit() before {what}()")
        return self.R

    def __eq__(self, other):
        return isinstance(other, OPQ) and self.pq == other.pq and np.array_equal(self.R, other.R)

    def __repr__(self):
        return f"O{self.pq!r}"
