#!/usr/bin/env python3
"""annulus.nanopq beside nanopq: medians of what takes turns in one process, and their ratios.

    taskset -c 1 python bench/python/nanopq.py [base.fvecs or .bvecs]

Without a file, rows in clusters are made.
"""

import os
import pathlib
import statistics
import sys
import time

sys.path.pop(0)  # this folder, whose nanopq.py is not the package
for name in ("OMP", "OPENBLAS", "MKL"):  # one thread on both sides; annulus takes the cores that taskset leaves
    os.environ[f"{name}_NUM_THREADS"] = "1"

import nanopq  # noqa: E402  (after the path and the threads)
import numpy as np  # noqa: E402

import annulus  # noqa: E402
import annulus.nanopq  # noqa: E402

N_TRAINED, N_ENCODED = 25_600, 20_000
ITER = 20


def load(path):
    dtype = {".fvecs": np.float32, ".bvecs": np.uint8}[path.suffix]
    raw = np.fromfile(path, np.uint8)
    dim = int(raw[:4].view(np.int32)[0])
    rows = raw.reshape(-1, 4 + dim * np.dtype(dtype).itemsize)[:, 4:]
    return np.ascontiguousarray(rows).view(dtype).astype(np.float32)


def made(n=200_000, dim=128, seed=1):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((500, dim), dtype=np.float32)
    return centres[rng.integers(500, size=n)] + 0.5 * rng.standard_normal((n, dim), dtype=np.float32)


def race(what, rounds, ours, theirs):
    """Medians of calls in turns; a first call of each is not counted."""
    times = {"annulus": [], "nanopq": []}
    for i in range(rounds + 1):
        for name, call in (("annulus", ours), ("nanopq", theirs)):
            started = time.perf_counter()
            call()
            if i > 0:
                times[name].append(time.perf_counter() - started)
    mine, other = (statistics.median(times[name]) for name in ("annulus", "nanopq"))
    print(f"{what:44}{1e3 * mine:>12.3f} ms{1e3 * other:>12.3f} ms{other / mine:>9.1f}x", flush=True)


def error(quantizer, rows):
    return float(((rows - quantizer.decode(quantizer.encode(rows))) ** 2).sum() / (rows**2).sum())


def compare(base, M, Ks):
    trained_on, part, query = base[:N_TRAINED], base[:N_ENCODED], base[-1]
    ours, theirs = (kind(M, Ks, verbose=False) for kind in (annulus.nanopq.PQ, nanopq.PQ))
    print(f"\nPQ of {M} x {Ks}, {base.shape[1]} dimensions{'annulus':>28}{'nanopq':>15}")
    training = f"fit, {N_TRAINED:,} rows, {ITER} rounds"
    race(training, 3, lambda: ours.fit(trained_on, ITER), lambda: theirs.fit(trained_on, ITER))
    lost = [error(quantizer, part) for quantizer in (ours, theirs)]
    print(f"{'  share of the squared length lost':44}{lost[0]:>15.4f}{lost[1]:>15.4f}")
    same = annulus.nanopq.PQ(M, Ks, verbose=False)
    same.codewords = theirs.codewords
    codes = theirs.encode(base)
    print(f"{'  codes equal for its codewords':44}{(same.encode(base) == codes).mean():>15.6f}")
    race(f"encode, {N_ENCODED:,} rows", 5, lambda: same.encode(part), lambda: theirs.encode(part))
    for n in (1, 1000, len(base)):
        some = codes[:n]
        race(
            f"dtable and adist, {n:,} codes",
            max(5, 5_000_000 // (n + 100_000)),
            lambda: same.dtable(query).adist(some),
            lambda: theirs.dtable(query).adist(some),
        )


def main():
    base = load(pathlib.Path(sys.argv[1])) if len(sys.argv) > 1 else made()
    versions = f"annulus {annulus.__version__}, {annulus.instruction_set()}; nanopq {nanopq.__version__}"
    print(f"{versions}; {len(base):,} rows")
    for M, Ks in ((8, 256), (16, 256), (32, 16)):
        compare(base, M, Ks)


if __name__ == "__main__":
    main()
