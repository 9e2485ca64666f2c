"""Indexes over the ranks of an MPI communicator: more rows, or more queries a second, than one machine has.

    from mpi4py import MPI
    from annulus.mpi import ShardedIndex

    index = ShardedIndex(MPI.COMM_WORLD, rows, metric="cosine")     # each rank gives its rows
    found = index.search(queries, 10)                               # on rank 0; None on the others

Python over mpi4py alone: nothing of it is compiled against an MPI, so it works with whichever mpi4py was built for.
"""

try:
    import mpi4py as _mpi4py  # noqa: F401
    import xxhash as _xxhash  # noqa: F401
except ImportError as error:
    raise ImportError(f"annulus.mpi needs the package {error.name}: pip install annulus[mpi]") from None

from ._search_request import SearchRequest
from ._sharded_index import ShardedIndex

__all__ = ["SearchRequest", "ShardedIndex"]
