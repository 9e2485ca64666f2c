"""An index whose rows are divided among the ranks of a communicator."""

import functools
import operator
import pickle

import numpy
from mpi4py import MPI

from .._index import _CLASSES, Index
from .._results import NeighborLists, Neighbors
from . import _files
from ._collective import agree, attempt, together
from ._global_ids import GlobalIds, ids_given_out
from ._shard_search import search_shard
from ._search_request import SearchRequest, checked_root, exchanged, gathered_lists, packed_queries, packed_rows


class ShardedIndex:
    """An index over the ranks of an MPI communicator, each of which holds an index of some of the rows.

    Ids are int64 and of all rows: those of rank 0 come first, then those of rank 1, and so on, as if they stood in one
    array; rows that are inserted follow them. A search asks all ranks and merges their lists, smaller distances first,
    equal ones by id: kinds that search exactly give the same answer for any number of ranks.

    Methods are collective: every rank calls them, in the same order and with the same arguments but where one is said
    to be of `root` alone. Properties are not. What one rank raises all raise, its number before the message. Only
    collective operations of `comm` itself are used, by the thread that calls.

    Pure Python over mpi4py: it works with whichever MPI mpi4py was built for.
    """

    def __init__(self, comm, rows, kind="nndescent", metric=None, **params):
        """Builds an index of each rank's rows.

        comm: an mpi4py intracommunicator. rows: this rank's, as of `annulus`; 0 x dim where it has none.
        kind: "nndescent", "flat", "lsh", "pq", "opq", "fast_scan", "rabitq". metric (the kind's default) and params: as
        of its class, `annulus.NNDescentIndex` and so on. threads (0, all cores) are each rank's: where ranks share a
        machine, give each its part.
        """
        self._start(comm, lambda: _built(rows, kind, metric, params))

    @classmethod
    def of(cls, comm, index):
        """Of an index that each rank has already, of one kind, metric and dimension. It is not copied."""
        self = cls.__new__(cls)
        self._start(comm, lambda: index)
        return self

    @classmethod
    def open(cls, comm, path, *, mapped=False, metric=None):
        """What `save` has written, or C++'s annulus::mpi::save, with as many ranks.

        mapped, metric: as of `annulus.open`. Raises FormatError for files that are damaged or are not those that the
        manifest names, ValueError for another number of ranks, OSError for files that cannot be read.
        """
        index, ids, n_ids = _files.load(_checked(comm), path, mapped, metric)
        self = cls.__new__(cls)
        self._start(comm, lambda: index, ids, n_ids)
        return self

    def _start(self, comm, make, ids=None, n_ids=None):
        self._comm = _checked(comm)

        def checked():
            index = make()
            if not isinstance(index, Index):
                raise TypeError(f"index: {type(index).__name__}; must be an index of annulus")
            return index, len(index), len(ids) if ids is not None else ids_given_out(index), _description(index)

        self._index, size, count, description = together(comm, checked)
        parts = comm.allgather((size, count, description))
        for rank, (_, _, other) in enumerate(parts):
            if other != parts[0][2]:
                raise ValueError(f"rank {rank}: has a {other}; must be a {parts[0][2]}, as rank 0 has")
        self._sizes = numpy.array([size for size, _, _ in parts], dtype=numpy.int64)
        counts = [count for _, count, _ in parts]
        self._ids = GlobalIds.of_run(sum(counts[: comm.rank]), count) if ids is None else ids
        self._n_ids = sum(counts) if n_ids is None else n_ids

    # Searches

    def search(self, queries, k=10, *, root=0, scattered=False, filter=None, **params) -> Neighbors | None:
        """The k nearest rows of each query, of the rows of all ranks.

        queries: of the rank `root`, m x dim or one row, and ignored on the others; where `scattered`, each rank's own
        (any number, also none). k: at least 1. filter: as of Index.search, by ids of all ranks. params: the other
        parameters of Index.search, for each rank.

        Returns Neighbors on root (where scattered, on each rank, of its queries), None on the others: ids int64 and
        distances float32, m x k, nearest first, ids -1 at infinity where there are fewer rows. Where a root makes
        different ranks equal distances (Euclidean ones), rows at one distance are listed by id.
        Costs each rank a search of m queries and log2(ranks) messages of 12 k m bytes.
        """
        return self.search_async(queries, k, root=root, scattered=scattered, filter=filter, **params).get()

    def search_async(self, queries, k=10, *, root=0, scattered=False, filter=None, **params) -> SearchRequest:
        """As `search`, but returns while the lists are merged: ``request.get()`` waits for the answer.

        request = index.search_async(batches[0])
        for batch in batches[1:]:
            request, before = index.search_async(batch), request     # searches while `before` is merged
            use(before.get())
        """

        def pack():
            if operator.index(k) < 1:
                raise ValueError(f"k = {k}: must be at least 1")
            return packed_queries(queries, operator.index(k))

        batches, error = exchanged(self._comm, pack, root, scattered)

        allowed = functools.cache(lambda: self._local_filter(filter))

        def nearest(rows, width, asker):
            if k != width:
                raise ValueError(f"k = {k}: must be the same on all ranks; rank {asker} has {width}")
            ids, distances = search_shard(self._index, rows, width, filter=allowed(), **params)
            return self._global(ids), distances

        return SearchRequest(self._comm, batches, nearest, error)

    def radius_search(self, queries, radius, *, root=0, scattered=False, filter=None, **params) -> NeighborLists | None:
        """nndescent, lsh: all rows within a distance of each query that the ranks' searches find.

        Arguments as of `search` and Index.radius_search. Returns NeighborLists with ids int64 where `search` returns
        Neighbors: of each query nearest first, equal distances by id.
        """
        batches, error = exchanged(self._comm, lambda: packed_queries(queries, radius), root, scattered)

        allowed = functools.cache(lambda: self._local_filter(filter))

        def within(rows, distance, asker):
            if radius != distance:
                raise ValueError(f"radius = {radius}: must be the same on all ranks; rank {asker} has {distance}")
            found = self._index.radius_search(rows, radius, filter=allowed(), **params)
            return found.indptr, self._global(found.ids), found.distances

        return gathered_lists(self._comm, batches, within, error)

    # Changes

    def insert(self, rows, *, root=0, threads=0) -> int:
        """All kinds but rabitq: adds rows to the rank that has fewest, of several the first.

        rows: of the rank `root`, m x dim or one row. Returns the id of the first; the others follow it. Where it
        raises, nothing has changed.
        """
        comm, target = self._comm, int(numpy.argmin(self._sizes))
        checked_root(comm, root)
        content, error = attempt(lambda: packed_rows(rows, "rows")[1]) if comm.rank == root else (None, None)
        content = comm.scatter([content if rank == target else None for rank in range(comm.size)], root)

        def insert():
            if error is not None:
                raise error
            if content is None:
                return 0
            self._index.insert(pickle.loads(content), threads=threads)
            return len(self._index) - int(self._sizes[target])

        count = comm.bcast(together(comm, insert), target)
        if comm.rank == target:
            self._ids.append(self._n_ids, count)
        self._sizes[target] += count
        self._n_ids += count
        return self._n_ids - count

    def erase(self, id):
        """nndescent, lsh: removes a row; its id is not given out again. Raises ValueError where there is none."""
        self._sizes[self._change(id, self._index.erase)] -= 1

    def update(self, id, row, *, root=0):
        """nndescent, lsh: replaces a row, which keeps its id and its rank. row: of the rank `root`."""
        comm = self._comm
        checked_root(comm, root)
        content, error = attempt(lambda: packed_rows(row, "row")[1]) if comm.rank == root else (None, None)
        content = comm.bcast(content, root)
        agree(comm, error)
        self._change(id, lambda local: self._index.update(local, pickle.loads(content)))

    def consolidate(self):
        """nndescent, lsh: frees the memory of erased rows, which else happens by itself in time."""
        together(self._comm, self._index.consolidate)

    def _change(self, id, change):
        """change(local id) on the rank that has the row: that rank."""
        comm = self._comm
        first = comm.bcast(id)

        def change_mine():
            if id != first:
                raise ValueError(f"id = {id}: must be the same on all ranks; rank 0 has {first}")
            local = int(self._ids.local(operator.index(id)))
            if local < 0:
                return -1
            try:
                change(local)
            except ValueError as error:
                raise ValueError(str(error).replace(f"id = {local}:", f"id = {id}:")) from None
            return comm.rank

        owner = comm.allreduce(together(comm, change_mine), MPI.MAX)
        if owner < 0:
            raise ValueError(f"id = {id}: is not in the index")
        return owner

    # Files

    def save(self, path):
        """Writes a manifest at `path`, and beside it two files for each rank: its index, and the ids of its rows.

        C++ reads them too: annulus::mpi::open_shards<annulus::dynamic_index>. The manifest is written last and at
        once: a save that fails or is killed leaves what was at `path` as it was. Ranks of different machines share the
        folder, or each has its own of that name. Raises OSError where a file cannot be written.
        """
        _files.save(self._comm, path, self._index, self._ids, self._n_ids)

    # What it is

    @property
    def comm(self):
        """The communicator."""
        return self._comm

    @property
    def shard(self) -> Index:
        """This rank's index. It may be searched, and not changed; `ids` says which of all rows its own are."""
        return self._index

    @property
    def ids(self):
        """The ids of this rank's rows, int64, by their ids in `shard`; erased ones too."""
        return self._global(numpy.arange(len(self._ids)))

    @property
    def sizes(self):
        """Rows of each rank, int64."""
        return self._sizes.copy()

    @property
    def size(self):
        """Rows of all ranks."""
        return int(self._sizes.sum())

    def __len__(self):
        return self.size

    @property
    def n_ids(self):
        """Ids that were given out: of the rows, and of those that were erased."""
        return self._n_ids

    @property
    def dim(self):
        """Coordinates of a row; of bits, bits."""
        return self._index.dim

    @property
    def kind(self):
        """ "nndescent" and the like."""
        return self._index.kind

    @property
    def metric(self):
        """Its name; "user" of a function."""
        return self._index.metric

    def memory_bytes(self) -> int:
        """Bytes of memory on all ranks. Collective."""
        return self._comm.allreduce(self._index.memory_bytes)

    def info(self, name):
        """As Index.info: "kind", "metric", "storage" (or the family) or "rows"; None where it has none."""
        return self._index.info(name)

    def __repr__(self):
        ranks = f"{self._comm.size} rank{'s' if self._comm.size > 1 else ''}"
        return f"<annulus.mpi.ShardedIndex: {_description(self._index)}, {self.size} rows over {ranks}>"

    def _global(self, local):
        """Ids of all ranks of local ones, -1 where those are."""
        local = numpy.asarray(local, dtype=numpy.int64)
        return numpy.where(local < 0, -1, self._ids.of(local)) if len(self._ids) else local

    def _local_filter(self, allowed):
        return None if allowed is None else self._ids.local_filter(allowed, self._n_ids)


def _checked(comm):
    if not isinstance(comm, MPI.Intracomm):
        raise TypeError(f"comm: {type(comm).__name__}; must be an intracommunicator of mpi4py")
    return comm


def _built(rows, kind, metric, params):
    if kind not in _CLASSES:
        raise ValueError(f"kind = {kind!r}: must be one of {', '.join(_CLASSES)}")
    return _CLASSES[kind](rows, **params) if metric is None else _CLASSES[kind](rows, metric, **params)


def _description(index):
    """What the indexes of all ranks have in common."""
    parts = [type(index).__name__, index.info("rows"), f"{index.dim} coordinates", index.metric, index.info("storage")]
    return ", ".join(part for part in parts if part)
