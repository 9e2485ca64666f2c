# One index over several processes, on one machine or many: `mpirun -n 4 python over_ranks_mpi.py`.

import time

import numpy as np
from mpi4py import MPI

import annulus
from annulus.mpi import ShardedIndex

comm = MPI.COMM_WORLD


def rows_of(rank, n=5_000, dim=32):
    """In earnest: what this rank reads of the data, as numpy.load(path, mmap_mode="r")[begin:end]."""
    rng = np.random.default_rng(rank)
    centres = np.random.default_rng(1_000).standard_normal((50, dim)) * 2
    return (centres[rng.integers(50, size=n)] + rng.standard_normal((n, dim))).astype(np.float32)


# Each rank builds the index of its rows. They share this machine's cores, so each takes one.
start = time.perf_counter()
index = ShardedIndex(comm, rows_of(comm.rank), metric="cosine", threads=1)
if comm.rank == 0:
    print(f"{index}, built in {time.perf_counter() - start:.1f} s")

# Rank 0 asks and gets the answer; the others search too, and get None.
queries = rows_of(1_001, n=200) if comm.rank == 0 else None
found = index.search(queries, 10, beam=40, threads=1)
exact = ShardedIndex(comm, rows_of(comm.rank), "flat", "cosine", threads=1).search(queries, 10)
if comm.rank == 0:
    print(f"recall {annulus.recall(found, exact):.3f}; ids {found.ids.dtype}, up to {found.ids.max()}")

# Batches one after the other: the next is searched while the lists of this one are merged.
batches = [None] * 4 if queries is None else np.split(queries, 4)
requests = [index.search_async(batch, 10, threads=1) for batch in batches]
answers = [request.get() for request in requests]

# Every rank asks something of its own.
mine = index.search(rows_of(comm.rank, n=3), 2, scattered=True, threads=1)
assert (mine.ids[:, 0] >= 0).all()

first = index.insert(np.ones((3, 32), np.float32) if comm.rank == 0 else None)
index.erase(first)
index.save("shards.index")  # the manifest; beside it a file of each rank
assert ShardedIndex.open(comm, "shards.index").size == index.size
