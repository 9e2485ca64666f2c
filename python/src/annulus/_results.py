"""What calls return: tuples of numpy arrays, each of which owns its memory."""

from typing import NamedTuple

import numpy


class Neighbors(NamedTuple):
    """Neighbours of n queries: ``ids, distances = index.search(queries, k)``.

    Of one query, an array of one dimension, both arrays have one dimension too.

    Attributes
    ----------
    ids : int32 array, n x k
        Rows of the data, nearest first. -1 pads results of fewer than k rows.
    distances : float32 array, n x k
        Infinite where ids has -1.
    """

    ids: numpy.ndarray
    distances: numpy.ndarray


class NeighborLists(NamedTuple):
    """Lists of different lengths: that of query i is at ``indptr[i]:indptr[i + 1]``.

    Attributes
    ----------
    indptr : int64 array, n + 1
        Where lists begin.
    ids : int32 array
        Rows of the data, nearest first in each list.
    distances : float32 array
        Of ``candidates``, in how many buckets the row was found.
    """

    indptr: numpy.ndarray
    ids: numpy.ndarray
    distances: numpy.ndarray


class Buckets(NamedTuple):
    """The buckets of all hash tables that hold rows.

    Attributes
    ----------
    n_buckets : int
        That hold rows.
    mean, sd : float
        Rows of a bucket: the mean and the standard deviation.
    min, max : int
        Rows of the smallest and of the greatest bucket.
    bytes : int
        Of all tables.
    """

    n_buckets: int
    mean: float
    sd: float
    min: int
    max: int
    bytes: int


class TopK(NamedTuple):
    """What approx_min_k and approx_max_k return; k stands in the place of the dimension that was reduced.

    Attributes
    ----------
    values : array of the operand's type
        Best first.
    indices : int32 array
        Positions along the reduced dimension.
    """

    values: numpy.ndarray
    indices: numpy.ndarray


class Tuned(NamedTuple):
    """A search that was tuned: ``index.search(queries, k, **tuned.params)``.

    Attributes
    ----------
    params : dict
        Of `Index.search`.
    recall : float
        On the queries that it was tried with.
    reached : bool
        False: no beam that was tried has the recall, and params are those of the widest.
    """

    params: dict
    recall: float
    reached: bool
