"""What calls return: tuples of numpy arrays, each of which owns its memory."""

from typing import NamedTuple

import numpy


class Neighbors(NamedTuple):
    """Neighbours of n queries: ``ids, distances = index.search(queries, k)``.

    Of one query, an array of one dimension, both arrays have one dimension too.
    """

    ids: numpy.ndarray
    """int32, n x k: rows of the data, nearest first. -1 pads results of fewer than k rows."""
    distances: numpy.ndarray
    """float32, n x k; infinite where ``ids`` has -1."""


class NeighborLists(NamedTuple):
    """Lists of different lengths: that of query i is at ``indptr[i]:indptr[i + 1]``."""

    indptr: numpy.ndarray
    """int64, n + 1."""
    ids: numpy.ndarray
    """int32: rows of the data, nearest first in each list."""
    distances: numpy.ndarray
    """float32; of ``candidates``, in how many buckets the row was found."""


class TopK(NamedTuple):
    """What approx_min_k and approx_max_k return; k stands in the place of the dimension that was reduced."""

    values: numpy.ndarray
    """Of the operand's type, best first."""
    indices: numpy.ndarray
    """int32: positions along the reduced dimension."""


class Tuned(NamedTuple):
    """A search that was tuned: ``index.search(queries, k, **tuned.params)``."""

    params: dict
    recall: float
    """On the queries that it was tried with."""
    reached: bool
    """False: no beam that was tried has the recall, and ``params`` are those of the widest."""
