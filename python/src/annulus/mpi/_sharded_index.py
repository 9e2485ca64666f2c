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

    Parameters
    ----------
    comm : mpi4py.MPI.Intracomm
        The ranks.
    rows : rows of any kind, n x dim
        This rank's; 0 x dim where it has none.
    kind : {"nndescent", "flat", "lsh", "pq", "opq", "fast_scan", "rabitq"}, default "nndescent"
        Of the index of each rank.
    metric : str or function, default the kind's
        As of its class, `annulus.NNDescentIndex` and so on.
    **params
        As of its class. threads (0, all cores) are each rank's: where ranks share a machine, give each its part.

    Raises
    ------
    ValueError, TypeError
        As the class of the kind, and where ranks have different kinds, metrics or dimensions.
    """

    def __init__(self, comm, rows, kind="nndescent", metric=None, **params):
        self._start(comm, lambda: _built(rows, kind, metric, params))

    @classmethod
    def of(cls, comm, index):
        """Of an index that each rank has already.

        Parameters
        ----------
        comm : mpi4py.MPI.Intracomm
            The ranks.
        index : annulus.Index
            This rank's, of one kind, metric and dimension on all ranks. It is not copied.

        Returns
        -------
        ShardedIndex
            Over these indexes.

        Raises
        ------
        ValueError, TypeError
            Where the ranks' indexes differ, or are none.
        """
        self = cls.__new__(cls)
        self._start(comm, lambda: index)
        return self

    @classmethod
    def open(cls, comm, path, *, mapped=False, metric=None):
        """What `save` has written, or C++'s annulus::mpi::save, with as many ranks.

        Parameters
        ----------
        comm : mpi4py.MPI.Intracomm
            The ranks.
        path : str or path
            Of the manifest.
        mapped, metric
            As of `annulus.open`.

        Returns
        -------
        ShardedIndex
            As it was saved.

        Raises
        ------
        FormatError
            For files that are damaged, or are not those that the manifest names.
        ValueError
            For another number of ranks.
        OSError
            For files that cannot be read.
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

        Costs each rank a search of m queries and log2(ranks) messages of 12 k m bytes.

        Parameters
        ----------
        queries : rows of the index's kind, m x dim, or one row
            Of the rank `root`, and ignored on the others; where `scattered`, each rank's own (any number, also none).
        k : int, default 10
            At least 1.
        root : int, default 0
            The rank that asks.
        scattered : bool, default False
            Whether every rank asks.
        filter : int array, bool array, or function, optional
            As of Index.search, by ids of all ranks.
        **params
            The other parameters of Index.search, for each rank.

        Returns
        -------
        Neighbors or None
            On root (where scattered, on each rank, of its queries) ids int64 and distances float32, m x k, nearest
            first, ids -1 at infinity where there are fewer rows; None on the others. Where a square root makes
            different ranks equal distances (Euclidean ones), rows at one distance are listed by id.

        Raises
        ------
        ValueError, TypeError, KeyboardInterrupt
            As Index.search, and where k or root is not the same on all ranks.
        """
        if not scattered:
            checked_root(self._comm, root)
        return self.search_async(queries, k, root=root, scattered=scattered, filter=filter, **params).get()

    def search_async(self, queries, k=10, *, root=0, scattered=False, filter=None, **params) -> SearchRequest:
        """As `search`, but returns while the lists are merged: ``request.get()`` waits for the answer.

        ::

            request = index.search_async(batches[0])
            for batch in batches[1:]:
                request, before = index.search_async(batch), request     # searches while `before` is merged
                use(before.get())

        Parameters
        ----------
        queries, k, root, scattered, filter, **params
            As of `search`.

        Returns
        -------
        SearchRequest
            Whose `get` returns what `search` does, and raises what it raises.

        Raises
        ------
        ValueError
            For a root that is no rank.
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

        Parameters
        ----------
        queries, root, scattered, filter
            As of `search`.
        radius : float
            That distance, the same on all ranks.
        **params
            The other parameters of Index.radius_search, for each rank.

        Returns
        -------
        NeighborLists or None
            With ids int64, where `search` returns Neighbors: of each query nearest first, equal distances by id.

        Raises
        ------
        ValueError, TypeError, KeyboardInterrupt
            As Index.radius_search, and where the radius is not the same on all ranks.
        """
        if not scattered:
            checked_root(self._comm, root)
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

        Parameters
        ----------
        rows : rows of the index's kind, m x dim, or one row
            Of the rank `root`.
        root : int, default 0
            The rank that gives them.
        threads : int, default 0
            0: all cores.

        Returns
        -------
        int
            The id of the first; the others follow it.

        Raises
        ------
        ValueError, TypeError
            As Index.insert; nothing has changed.
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
        """nndescent, lsh: removes a row; its id is not given out again.

        Parameters
        ----------
        id : int
            Of the row, the same on all ranks.

        Raises
        ------
        ValueError
            Where there is none.
        """
        self._sizes[self._change(id, self._index.erase)] -= 1

    def update(self, id, row, *, root=0):
        """nndescent, lsh: replaces a row, which keeps its id and its rank.

        Parameters
        ----------
        id : int
            Of the row, the same on all ranks.
        row : one row of the index's kind
            Of the rank `root`.
        root : int, default 0
            The rank that gives it.

        Raises
        ------
        ValueError, TypeError
            As `erase` and Index.update.
        """
        comm = self._comm
        checked_root(comm, root)
        content, error = attempt(lambda: packed_rows(row, "row")[1]) if comm.rank == root else (None, None)
        content = comm.bcast(content, root)
        agree(comm, error)
        self._change(id, lambda local: self._index.update(local, pickle.loads(content)))

    def consolidate(self):
        """nndescent, lsh: frees the memory of erased rows, which else happens by itself in time.

        Raises
        ------
        ValueError
            For another kind of index.
        """
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
        folder, or each has its own of that name.

        Parameters
        ----------
        path : str or path
            Of the manifest.

        Raises
        ------
        OSError
            Where a file cannot be written.
        """
        _files.save(self._comm, path, self._index, self._ids, self._n_ids)

    # What it is

    @property
    def comm(self):
        """mpi4py.MPI.Intracomm: the ranks."""
        return self._comm

    @property
    def shard(self) -> Index:
        """annulus.Index of this rank. It may be searched, and not changed; `ids` says which of all rows its own are."""
        return self._index

    @property
    def ids(self):
        """int64 array: the ids of this rank's rows, by their ids in `shard`; erased ones too."""
        return self._global(numpy.arange(len(self._ids)))

    @property
    def sizes(self):
        """int64 array: rows of each rank."""
        return self._sizes.copy()

    @property
    def size(self):
        """int: rows of all ranks."""
        return int(self._sizes.sum())

    def __len__(self):
        return self.size

    @property
    def n_ids(self):
        """int: ids that were given out, of the rows and of those that were erased."""
        return self._n_ids

    @property
    def dim(self):
        """int: coordinates of a row; of bits, bits."""
        return self._index.dim

    @property
    def kind(self):
        """str: "nndescent" and the like."""
        return self._index.kind

    @property
    def metric(self):
        """str: its name; "user" of a function."""
        return self._index.metric

    def memory_bytes(self) -> int:
        """The memory of all ranks. Collective.

        Returns
        -------
        int
            Bytes.
        """
        return self._comm.allreduce(self._index.memory_bytes)

    def info(self, name):
        """A property of the index, as of Index.info.

        Parameters
        ----------
        name : str
            "kind", "metric", "storage" (or the family) or "rows".

        Returns
        -------
        str or None
            None where it has none.
        """
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
