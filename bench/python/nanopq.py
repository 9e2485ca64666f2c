#!/usr/bin/env python3
"""annulus.nanopq beside nanopq: medians of what takes turns in one process, and their ratios.

    taskset -c 1 python bench/python/nanopq.py [--records bench/records] [base.fvecs or .bvecs]

Without a file, rows in clusters are made.
"""

import argparse
import os
import pathlib
import sys

from turns import Figures, in_turns

sys.path.remove(str(pathlib.Path(__file__).resolve().parent))  # this folder, whose nanopq.py is not the package
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


def race(figures, what, rounds, ours, theirs, notes=None):
    """Calls in turns, behind a first of each that is not counted."""
    calls = {"annulus": ours, "nanopq": theirs}
    in_turns(calls, 1)
    figures.add(what, in_turns(calls, rounds)[0], notes and notes())


def error(quantizer, rows):
    """The share of the squared length of rows that is lost."""
    return float(((rows - quantizer.decode(quantizer.encode(rows))) ** 2).sum() / (rows**2).sum())


def compare(figures, base, M, Ks):
    trained_on, part, query = base[:N_TRAINED], base[:N_ENCODED], base[-1]
    ours, theirs = (kind(M, Ks, verbose=False) for kind in (annulus.nanopq.PQ, nanopq.PQ))
    shape = f"{M} x {Ks}"
    race(
        figures,
        f"{shape}: fit, {N_TRAINED:,} rows, {ITER} rounds",
        3,
        lambda: ours.fit(trained_on, ITER),
        lambda: theirs.fit(trained_on, ITER),
        lambda: {name: f"error {error(q, part):.4f}" for name, q in (("annulus", ours), ("nanopq", theirs))},
    )
    same = annulus.nanopq.PQ(M, Ks, verbose=False)
    same.codewords = theirs.codewords
    codes = theirs.encode(base)
    race(
        figures,
        f"{shape}: encode, {N_ENCODED:,} rows",
        5,
        lambda: same.encode(part),
        lambda: theirs.encode(part),
        lambda: {"annulus": f"{(same.encode(base) == codes).mean():.6f} of the codes equal"},
    )
    for n in (1, 1000, len(base)):
        some = codes[:n]
        race(
            figures,
            f"{shape}: dtable and adist, {n:,} codes",
            max(5, 5_000_000 // (n + 100_000)),
            lambda: same.dtable(query).adist(some),
            lambda: theirs.dtable(query).adist(some),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=pathlib.Path)
    parser.add_argument("--records", metavar="FOLDER", help="adds the rows to the records there")
    arguments = parser.parse_args()
    base = load(arguments.rows) if arguments.rows else made()
    versions = f"annulus {annulus.__version__}, {annulus.instruction_set()}; nanopq {nanopq.__version__}"
    print(f"{versions}; {len(base):,} rows")
    figures = Figures("python/nanopq")
    for M, Ks in ((8, 256), (16, 256), (32, 16)):
        compare(figures, base, M, Ks)
    if arguments.records:
        figures.write(arguments.records, "bench/python/nanopq.py base.bvecs")


if __name__ == "__main__":
    main()
