#!/usr/bin/env python3
"""annulus.mpi.ShardedIndex beside C++'s mpi::sharded_index over as many ranks, in turns: seconds to build and to search.

    python bench/compare/sharded_index.py --bench build/bench/bench_mpi --data DIR [--ranks 4] [--beam 32] [--rounds 5]

`--data` holds base and query as fvecs or bvecs. Needs numpy, mpi4py and annulus, and the mpirun that both were built for.
Each round starts both programs anew, one after the other; prints the medians of the rounds, and their ratio in each round.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

from disk_search import K, read_vecs

N_SEARCHES = 9  # as bench/mpi.cpp has


def measure(base, query, beam):
    """On each rank."""
    from annulus.mpi import ShardedIndex
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    rows, queries = read_vecs(pathlib.Path(base)), read_vecs(pathlib.Path(query))
    begin, end = (len(rows) * rank // comm.size for rank in (comm.rank, comm.rank + 1))
    comm.Barrier()
    start = time.perf_counter()
    index = ShardedIndex(comm, rows[begin:end], "nndescent", "euclidean", threads=1)
    comm.Barrier()
    built, searched = time.perf_counter() - start, []
    for _ in range(N_SEARCHES):
        comm.Barrier()
        start = time.perf_counter()
        index.search(queries, K, beam=int(beam), threads=1)
        searched.append(time.perf_counter() - start)
    if comm.rank == 0:
        print(json.dumps({"build": built, "search": statistics.median(searched)}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--beam", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()

    files = [str(next(iter(sorted(given.data.glob(f"{name}.?vecs"))))) for name in ("base", "query")]
    programs = {"C++": [given.bench], "Python": [sys.executable, __file__, "measure"]}
    mpirun = ["mpirun", "-n", str(given.ranks), "--oversubscribe", "--allow-run-as-root"]
    rounds = []
    for _ in range(given.rounds):
        found = {}
        for name, program in programs.items():
            done = subprocess.run([*mpirun, *program, *files, str(given.beam)], capture_output=True, text=True, check=True)
            found[name] = json.loads(done.stdout)
        rounds.append(found)
    for what in ("build", "search"):
        cpp, python = (statistics.median(r[name][what] for r in rounds) for name in programs)
        ratios = [r["Python"][what] / r["C++"][what] for r in rounds]
        print(f"{what}: C++ {cpp:.4f} s, Python {python:.4f} s; Python / C++ {statistics.median(ratios):.3f} "
              f"({', '.join(f'{ratio:.3f}' for ratio in sorted(ratios))})", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(*sys.argv[2:])
    else:
        main()
