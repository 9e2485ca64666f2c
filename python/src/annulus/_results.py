"""What calls return: tuples of numpy arrays, each of which owns its memory."""

from typing import NamedTuple

import numpy


class Neighbors(NamedTuple):
    """Neighbours of n queries: ``ids, distances = index.search(queries, k)``.

    Of one query, an array of one dimension, both arrays have one dimension too.
    """

    ids: numpy.ndarray
    distances: numpy.ndarray


Neighbors.ids.__doc__ = "int32, n x k: rows of the data, nearest first. -1 pads results of fewer than k rows."
Neighbors.distances.__doc__ = "float32, n x k; infinite where ``ids`` has -1."


class NeighborLists(NamedTuple):
    """Lists of different lengths: that of query i is at ``indptr[i]:indptr[i + 1]``."""

    indptr: numpy.ndarray
    ids: numpy.ndarray
    distances: numpy.ndarray


NeighborLists.indptr.__doc__ = "int64, n + 1: where lists begin."
NeighborLists.ids.__doc__ = "int32: rows of the data, nearest first in each list."
NeighborLists.distances.__doc__ = "float32; of ``candidates``, in how many buckets the row was found."


class Buckets(NamedTuple):
    """The buckets of all hash tables that hold rows, and how many rows they hold."""

    n_buckets: int
    mean: float
    sd: float
    min: int
    max: int
    bytes: int


Buckets.n_buckets.__doc__ = "How many hold rows."
Buckets.mean.__doc__ = "Rows of a bucket."
Buckets.sd.__doc__ = "The standard deviation of that."
Buckets.min.__doc__ = "Rows of the smallest bucket."
Buckets.max.__doc__ = "Rows of the greatest bucket."
Buckets.bytes.__doc__ = "Of all tables."


class TopK(NamedTuple):
    """What approx_min_k and approx_max_k return; k stands in the place of the dimension that was reduced."""

    values: numpy.ndarray
    indices: numpy.ndarray


TopK.values.__doc__ = "Of the operand's type, best first."
TopK.indices.__doc__ = "int32: positions along the reduced dimension."


class Tuned(NamedTuple):
    """A search that was tuned: ``index.search(queries, k, **tuned.params)``."""

    params: dict
    recall: float
    reached: bool


Tuned.params.__doc__ = "Parameters of `Index.search`."
Tuned.recall.__doc__ = "On the queries that it was tried with."
Tuned.reached.__doc__ = "False: no beam that was tried has the recall, and ``params`` are those of the widest."
