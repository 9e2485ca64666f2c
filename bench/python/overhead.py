"""What Python adds: searches through annulus beside the same calls of the C interface, and importing.

    taskset -c 1 python bench/python/overhead.py --library libannulus_dynamic.so --data base.npy [--records bench/records]

The library is annulus::dynamic, built shared (-DBUILD_SHARED_LIBS=ON -DANNULUS_BUILD_DYNAMIC=ON) of the same sources
and instruction sets as the package. Both sides map one file. ctypes adds about a microsecond a call to the C side.
"""

import argparse
import ctypes
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from turns import Figures, in_turns

import annulus

K = 10


class Rows(ctypes.Structure):
    _fields_ = [
        ("layout", ctypes.c_int),
        ("dtype", ctypes.c_int),
        ("n", ctypes.c_size_t),
        ("dim", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("row_stride", ctypes.c_ssize_t),
        ("column_stride", ctypes.c_ssize_t),
        ("indptr", ctypes.c_void_p),
        ("indices", ctypes.c_void_p),
    ]


class CIndex:
    """An index of the C interface, searched by rows of float32."""

    def __init__(self, library, path):
        self.library, self.handle = ctypes.CDLL(str(library)), ctypes.c_void_p()
        self.checked(self.library.annulus_open(str(path).encode(), 1, ctypes.byref(self.handle), None))

    @staticmethod
    def checked(status):
        if status != 0:
            raise RuntimeError(f"the C interface returned {status}")

    def searcher(self, queries):
        """A call that searches these queries into memory of its own, and returns ids and distances."""
        n, dim = queries.shape
        rows = Rows(0, 0, n, dim, queries.ctypes.data, dim, 1, None, None)
        ids, distances = np.empty((n, K), np.uint32), np.empty((n, K), np.float32)
        arguments = (self.handle, ctypes.byref(rows), ctypes.c_size_t(K), None)
        arguments += (ctypes.c_void_p(ids.ctypes.data), ctypes.c_void_p(distances.ctypes.data), None)
        search = self.library.annulus_search

        def call():
            self.checked(search(*arguments))
            return ids, distances  # which live as long as the call, as `queries` must

        return call


def searches(figures, library, base):
    queries = np.ascontiguousarray(base[-1000:])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rows.index"
        annulus.NNDescentIndex(base[:-1000], threads=1).save(path)
        index, by_c = annulus.open(path, mapped=True), CIndex(library, path)
        alone = [queries[i : i + 1] for i in range(len(queries))]
        alone_by_c = [by_c.searcher(query) for query in alone]
        batch_by_c = by_c.searcher(queries)
        if not np.array_equal(index.search(queries, K).ids, batch_by_c()[0]):
            raise RuntimeError("the two sides do not find the same")
        for what, calls in (
            ("a batch of 1,000", {"annulus": lambda: index.search(queries, K), "the C interface": batch_by_c}),
            (
                "1,000 queries, each alone",
                {
                    "annulus": lambda: [index.search(query, K) for query in alone],
                    "the C interface": lambda: [call() for call in alone_by_c],
                },
            ),
        ):
            in_turns(calls, 1)
            figures.add(what, in_turns(calls, 21)[0])


def imports(figures):
    times = {}
    for module in ("annulus", "pynndescent"):
        code = f"import time, numpy; a = time.perf_counter(); import {module}; print(time.perf_counter() - a)"
        taken = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(6)]
        times[module] = statistics.median(taken[1:])
    figures.add("import, numpy being there", times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--records", metavar="FOLDER", help="adds the rows to the records there")
    arguments = parser.parse_args()
    figures = Figures("python/overhead")
    searches(figures, arguments.library.resolve(), np.load(arguments.data).astype(np.float32))
    imports(figures)
    if arguments.records:
        figures.write(arguments.records, "bench/python/overhead.py --library LIBRARY --data BASE")
