"""What metrics of the caller cost: exact search by functions of numba and of Python, beside the same function in C.

    taskset -c 1 python bench/python/callbacks.py [--records bench/records]

All compute the sum of absolute differences of 20,000 rows and 100 queries of 64 floats. C's is compiled by cc at -O3
-march=native -ffast-math, numba's with fastmath, so that both may add in any order.
"""

import argparse
import ctypes
import pathlib
import subprocess
import tempfile
import warnings

import numba
import numpy as np

from turns import Figures, in_turns

import annulus

K, N_PYTHON_QUERIES = 10, 1
SOURCE = """#include <math.h>
#include <stddef.h>
float metric(const float* x, const float* y, size_t dim, void* user) {
  float sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += fabsf(x[i] - y[i]);
  return sum;
}
"""


@numba.njit(fastmath=True)
def of_numba(x, y):
    total = np.float32(0)
    for i in range(x.shape[0]):
        total += abs(x[i] - y[i])
    return total


def of_python(x, y):
    return float(np.abs(x - y).sum())


def of_c(folder):
    source, library = pathlib.Path(folder) / "metric.c", pathlib.Path(folder) / "metric.so"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", source, "-o", library], check=True)
    floats = ctypes.POINTER(ctypes.c_float)
    kind = ctypes.CFUNCTYPE(ctypes.c_float, floats, floats, ctypes.c_size_t, ctypes.c_void_p)
    return kind(("metric", ctypes.CDLL(str(library))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", metavar="FOLDER", help="adds the rows to the records there")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", annulus.SlowMetricWarning)
    random = np.random.default_rng(1)
    data, queries = (random.normal(size=(n, 64)).astype(np.float32) for n in (20_000, 100))
    figures = Figures("python/callbacks")

    def search(metric, n_queries=len(queries)):
        return lambda: annulus.knn(data, queries[:n_queries], K, metric=metric, threads=1)

    with tempfile.TemporaryDirectory() as folder:
        in_c = of_c(folder)
        expected = search("manhattan")().ids
        for what, metric in (("a function of numba.njit", of_numba), ("the library's own metric", "manhattan")):
            calls = {"annulus": search(metric), "the same in C, by address": search(in_c)}
            in_turns(calls, 1)
            times, found = in_turns(calls, 11)
            if any((each.ids != expected).mean() > 0.001 for each in found.values()):
                raise RuntimeError("the metrics do not find the same")
            figures.add(what, times)
        calls = {"annulus": search(of_python, N_PYTHON_QUERIES), "the same in C, by address": search(in_c, N_PYTHON_QUERIES)}
        figures.add(f"a function of Python, {N_PYTHON_QUERIES} query", in_turns(calls, 5)[0])
    if arguments.records:
        figures.write(arguments.records, "bench/python/callbacks.py")
