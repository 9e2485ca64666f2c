"""Lists of neighbours in the messages of MPI, and the operation that merges them."""

import functools

import numpy
from mpi4py import MPI

_NO_ROW = 2**53  # pads lists on their way: greater than every id, and exact as a double


def packed(ids, distances, k=None):
    """The k nearest (all) of the neighbours of each query, ids -1 where there is none, as lists."""
    ids = numpy.where(ids < 0, numpy.int64(_NO_ROW), ids)
    return _nearest(ids, distances, ids.shape[1] if k is None else k)


def padding(n, k):
    """Lists of no neighbours: what a rank that failed gives to the merge."""
    lists = numpy.empty(n, _list_type(k))
    lists["ids"], lists["distances"] = _NO_ROW, numpy.inf
    return lists


def unpacked(lists):
    """ids, int64 with -1 where there is none, and distances."""
    ids = lists["ids"]
    return numpy.where(ids == _NO_ROW, -1, ids), numpy.ascontiguousarray(lists["distances"])


def reduce(comm, lists, root):
    """Starts to merge the ranks' lists at `root`: the request, and where root finds the merged ones when it ends.

    MPI combines the lists pairwise up a tree: log2(ranks) steps, each of which moves 12 k bytes a query. The operation
    is associative and commutative, so the tree has no influence on the result.
    """
    merged = numpy.empty_like(lists) if comm.rank == root else None
    datatype = MPI.BYTE.Create_contiguous(lists.itemsize).Commit()  # MPI cuts messages between lists, never inside
    there = None if merged is None else [merged.view(numpy.uint8), len(lists), datatype]
    request = comm.Ireduce([lists.view(numpy.uint8), len(lists), datatype], there, _merge_operation(), root)
    datatype.Free()  # when the request has ended
    return request, merged


def _list_type(k):
    return numpy.dtype([("ids", numpy.int64, (k,)), ("distances", numpy.float32, (k,))])


def _nearest(ids, distances, k):
    """Lists of the k first of each row by distance, and of equal ones by id."""
    # numpy sorts complex numbers by their real parts, and of equal ones by their imaginary parts.
    neighbors = numpy.empty(ids.shape, numpy.complex128)
    neighbors.real, neighbors.imag = distances, ids
    neighbors.sort(axis=1)
    lists = numpy.empty(len(ids), _list_type(k))
    lists["ids"], lists["distances"] = neighbors.imag[:, :k], neighbors.real[:, :k]
    return lists


def _merge(source, target, datatype):
    """What MPI calls: target = the k nearest of source and target, list by list."""
    lists = _list_type(datatype.Get_size() // 12)
    one, other = numpy.frombuffer(source, lists), numpy.frombuffer(target, lists)
    ids = numpy.concatenate((one["ids"], other["ids"]), axis=1)
    distances = numpy.concatenate((one["distances"], other["distances"]), axis=1)
    other[:] = _nearest(ids, distances, one["ids"].shape[1])


@functools.cache  # mpi4py has room for a few operations in Python
def _merge_operation():
    return MPI.Op.Create(_merge, commute=True)
