"""The ids that rows have over all ranks, for the rows of one."""

import numpy

from .. import _convert


class GlobalIds:
    """Global ids of the rows of a rank, by their local ids.

    Local ids are 0, 1, ... in the order in which a rank was given its rows. The global ids in that order are runs of
    successive numbers, one for the rows of the build and one for each insert: they rise too, so that ties are
    ordered alike by both.
    """

    def __init__(self, runs=()):
        self._first = numpy.zeros(0, dtype=numpy.int64)  # global, of each run
        self._begin = numpy.zeros(1, dtype=numpy.int64)  # local, of each run, and behind the last
        for begin, first, count in runs:
            if begin != len(self) or count <= 0 or (begin > 0 and first <= self.of(begin - 1)):
                raise ValueError("runs: must follow each other")
            self.append(first, count)

    @classmethod
    def of_run(cls, first, count):
        ids = cls()
        ids.append(first, count)
        return ids

    def __len__(self):
        """Ids that the rank has given out."""
        return int(self._begin[-1])

    @property
    def runs(self):
        """Triples (first local id, first global id, count)."""
        return list(zip(self._begin[:-1].tolist(), self._first.tolist(), numpy.diff(self._begin).tolist(), strict=True))

    @property
    def end(self):
        """Above all global ids."""
        return int(self.of(len(self) - 1)) + 1 if len(self) else 0

    def append(self, first, count):
        """The next `count` local ids are first, first + 1, ..."""
        if count == 0:
            return
        end = len(self) + count
        if len(self._first) and self.of(len(self) - 1) == first - 1:
            self._begin[-1] = end
        else:
            self._first = numpy.append(self._first, first)
            self._begin = numpy.append(self._begin, end)

    def of(self, local):
        """The global ids of local ones, of whatever shape; of an empty rank none may be asked for."""
        local = numpy.asarray(local, dtype=numpy.int64)
        run = numpy.searchsorted(self._begin, local, side="right") - 1
        return local - self._begin[run] + self._first[run]

    def local(self, ids):
        """The local ids of global ones; -1 of those of other ranks. O(log runs) each."""
        ids = numpy.asarray(ids, dtype=numpy.int64)
        if len(self) == 0:
            return numpy.full(ids.shape, -1, dtype=numpy.int64)
        run = numpy.maximum(numpy.searchsorted(self._first, ids, side="right") - 1, 0)
        local = ids - self._first[run] + self._begin[run]
        return numpy.where((ids >= self._first[run]) & (local < self._begin[run + 1]), local, -1)

    def local_filter(self, allowed, n_ids):
        """A filter by global ids (an array of them, a bool for each of n_ids, a function) as one by local ids."""
        if callable(allowed):
            return lambda local: allowed(int(self.of(local)))
        if isinstance(allowed, (set, frozenset, range)):
            allowed = list(allowed)
        allowed = numpy.asarray(allowed)
        if allowed.ndim != 1:
            shape = allowed.shape
            raise ValueError(f"filter: an array of shape {shape}; must be ids, a bool for each row, or a function")
        if allowed.dtype == bool:
            if len(allowed) < n_ids:
                raise ValueError(f"filter: {len(allowed)} bools; must have one for each of the {n_ids} ids")
            return allowed[self.of(numpy.arange(len(self)))] if len(self) else allowed[:0]
        if allowed.size and allowed.dtype.kind not in "iu":
            raise TypeError(f"filter: an array of {allowed.dtype}; must be ids, a bool for each row, or a function")
        local = self.local(allowed)
        return local[local >= 0]


def ids_given_out(index):
    """How many local ids an index has given out: of its rows, and of those that were erased."""
    if index.kind not in ("nndescent", "lsh"):  # others erase none
        return len(index)
    return index.insert(_no_rows(index.info("rows"), index.dim))  # the id that the next row would have


def _no_rows(kind, dim):
    if kind == "rows of bits":
        return _convert.Rows._bits(numpy.zeros((0, (dim + 7) // 8), numpy.uint8), dim)
    dtype = kind.split()[-1]
    if kind.startswith("sparse"):
        indptr, indices = numpy.zeros(1, numpy.int64), numpy.zeros(0, numpy.int32)
        return _convert.Rows._csr(indptr, indices, numpy.zeros(0, dtype), dim)
    if dtype == "bfloat16":
        return _convert.Rows._bfloat16(numpy.zeros((0, dim), numpy.uint16))
    return numpy.zeros((0, dim), dtype)
