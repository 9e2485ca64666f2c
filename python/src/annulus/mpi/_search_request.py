"""Batches of queries on their way to all ranks, and searches whose answers are on their way back."""

import pickle
import time

import numpy
from mpi4py import MPI

from .. import _convert
from .._results import NeighborLists, Neighbors
from . import _lists
from ._collective import attempt, first_failed, raise_shared, together


def packed_rows(rows, name):
    """(number of rows, rows as bytes that every rank can read)."""
    if isinstance(rows, _convert.Rows):
        raise TypeError(f"{name}: annulus.{type(rows).__name__} stays on its rank; give an array, CSR matrix or sets")
    if hasattr(rows, "tocsr"):
        n = rows.shape[0]
    elif _convert.is_sets(rows):
        n = len(rows)
    else:
        rows = _convert._array(rows, name)
        n = len(rows) if rows.ndim == 2 else 1
    return n, pickle.dumps(rows, protocol=5)


def packed_queries(queries, limit):
    """(number of queries, k or the radius, the queries as bytes)."""
    n, content = packed_rows(queries, "queries")
    return n, limit, content


def exchanged(comm, pack, root, scattered):
    """What pack() returns on the ranks that ask, as pairs (rank, content), and this rank's error, if pack() raised.

    The rank `root` asks, or each rank where `scattered`. Its content is None where pack() raised.
    """
    if scattered:
        content, error = attempt(pack)
        return list(enumerate(comm.allgather(content))), error
    check_is_rank(comm, root)
    content, error = attempt(pack) if comm.rank == root else (None, None)
    return [(root, comm.bcast(content, root))], error


def check_is_rank(comm, root):
    if not 0 <= root < comm.size:
        raise ValueError(f"root = {root}: must be one of the {comm.size} ranks, from 0 on")


def checked_root(comm, root):
    """Raises on all ranks unless they name the same root, one of them: a broadcast from several may never end.

    Waits for all ranks, which is why an asynchronous search does without.
    """
    least = numpy.empty(2, dtype=numpy.int64)
    comm.Allreduce(numpy.array([root, -root], dtype=numpy.int64), least, MPI.MIN)
    if least[0] != -least[1]:
        raise ValueError(f"root = {-least[1]}: must be the same on all ranks; another one has {least[0]}")
    check_is_rank(comm, root)


_in_flight = set()  # MPI writes to the arrays of a request until it has ended, also where nobody waits for it


class SearchRequest:
    """A search that `ShardedIndex.search_async` has started.

    This rank has searched its rows; the lists of all ranks are merged while it may go on, as with the next batch.

    Parameters
    ----------
    comm : mpi4py.MPI.Intracomm
        The ranks.
    batches : list of (rank, content)
        As `exchanged` returns them.
    search : function
        search(queries, k, root) returns (ids, distances) of this rank.
    error : Exception or None
        Of this rank, so far.
    """

    def __init__(self, comm, batches, search, error):
        self._comm = comm
        self._requests, self._kept = [], []  # and what MPI reads until they end
        self._merged = self._found = None
        for root, content in batches:
            error = self._start(root, content, search, error)
        self._error = error
        mine, self._failed = first_failed(comm, error), numpy.empty(1, dtype=numpy.int64)
        self._add(comm.Iallreduce(mine, self._failed, MPI.MIN), mine)
        _in_flight.add(self)

    def get(self, timeout=None) -> Neighbors | None:
        """Waits for the answer. Every rank calls it, in the order in which the searches were started.

        Parameters
        ----------
        timeout : float, optional
            Seconds until TimeoutError is raised, after which it may be called again; by default it waits as long as it
            takes.

        Returns
        -------
        Neighbors or None
            ids int64, on the rank that asked (where scattered, on each); None on the others.

        Raises
        ------
        TimeoutError
            Where other ranks have not answered in time.
        Exception
            As the search of one machine; what is raised on one rank is raised on all.
        """
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout = {timeout}: must be None or at least 0 seconds")
        if self._requests:
            self._wait(timeout)
            self._requests, self._kept = [], []
            _in_flight.discard(self)
            _, self._error = attempt(lambda: raise_shared(self._comm, int(self._failed[0]), self._error))
            if self._error is None and self._merged is not None:
                found = _lists.unpacked(self._merged)
                self._found = Neighbors(*(array[0] for array in found) if self._is_vector else found)
            self._merged = None
        if self._error is not None:
            raise self._error
        return self._found

    def _start(self, root, content, search, error):
        """Searches a batch and starts to merge its lists at root: of no neighbours where this rank has failed."""
        n, k, queries = content or (0, 1, None)

        def lists_of_mine():
            ids, distances = search(pickle.loads(queries), k, root)
            return _lists.packed(numpy.atleast_2d(ids), numpy.atleast_2d(distances)), ids.ndim == 1

        found = None
        if content and error is None:
            found, error = attempt(lists_of_mine)
        lists, is_vector = found or (_lists.padding(n, k), False)
        request, merged = _lists.reduce(self._comm, lists, root)
        self._add(request, lists)
        if merged is not None:
            self._merged, self._is_vector = merged, is_vector
        return error

    def _add(self, request, kept):
        self._requests.append(request)
        self._kept.append(kept)

    def _wait(self, timeout):
        if timeout is None:
            MPI.Request.Waitall(self._requests)
            return
        end = time.monotonic() + timeout
        while not MPI.Request.Testall(self._requests):
            if time.monotonic() > end:
                raise TimeoutError(f"timeout = {timeout}: other ranks have not answered within that many seconds")
            time.sleep(1e-4)


def gathered_lists(comm, batches, search, error):
    """What a search by radius finds, at the ranks that ask: NeighborLists with ids int64; None on the others.

    Arguments as of SearchRequest; search returns (indptr, ids, distances).
    """

    def search_all():
        if error is not None:
            raise error
        return [search(pickle.loads(queries), radius, root) for root, (_, radius, queries) in batches]

    merged = None
    batches = [batch for batch in batches if batch[1] is not None]  # else this raises:
    for (root, _), lists in zip(batches, together(comm, search_all), strict=True):
        parts = comm.gather(lists, root)
        if parts is not None:
            merged = _merged_lists(parts)
    return merged


def _merged_lists(parts):
    """The lists of all ranks as one for each query, by distance, ties by id."""
    indptr = numpy.sum([part[0] for part in parts], axis=0, dtype=numpy.int64)
    query = numpy.concatenate([numpy.repeat(numpy.arange(len(part[0]) - 1), numpy.diff(part[0])) for part in parts])
    ids, distances = (numpy.concatenate([part[i] for part in parts]) for i in (1, 2))
    order = numpy.lexsort((ids, distances, query))
    return NeighborLists(indptr, ids[order], distances[order])
