"""Nearest neighbours: exact search, k-NN graphs, graph, hash and code indexes, approximate top-k, product quantizers.

    import annulus
    found = annulus.knn(data, queries, 10, metric="cosine")          # .ids int32, .distances float32: n x 10
    index = annulus.NNDescentIndex(data, metric="cosine", storage="sq8")
    ids, distances = index.search(queries, 10, beam=100)
    index.save("words.index"); same = annulus.open("words.index")

``annulus.metrics`` is a tuple of the names of all metrics.

Rows are numpy arrays of float32, float64, float16, uint8 or int8 with any strides, arrays of bools, scipy's CSR
matrices, lists of sets, and tensors of torch or jax in the memory of the CPU; none is copied where the library reads
it as it is.
Long calls release the GIL and end at Ctrl-C; ``progress=True`` draws a bar (tqdm).
"""

from ._codec import OPQ, PQ, DistanceTable
from ._convert import bits, sets
from ._core import Rows, approx_max_k, approx_min_k, instruction_set, metrics
from ._core import version as _version
from ._errors import FormatError
from ._functions import build_knn_graph, knn, recall, recall_by_id
from ._index import (
    FastScanIndex,
    FlatIndex,
    Index,
    LSHIndex,
    NNDescentIndex,
    OPQIndex,
    PQIndex,
    RaBitQIndex,
    open,
)
from ._metric import SlowMetricWarning, metric_address
from ._results import NeighborLists, Neighbors, TopK, Tuned

__version__ = _version()

__all__ = [
    "DistanceTable",
    "FastScanIndex",
    "FlatIndex",
    "FormatError",
    "Index",
    "LSHIndex",
    "NNDescentIndex",
    "NeighborLists",
    "Neighbors",
    "OPQ",
    "OPQIndex",
    "PQ",
    "PQIndex",
    "RaBitQIndex",
    "Rows",
    "SlowMetricWarning",
    "TopK",
    "Tuned",
    "approx_max_k",
    "approx_min_k",
    "bits",
    "build_knn_graph",
    "instruction_set",
    "knn",
    "metric_address",
    "metrics",
    "open",
    "recall",
    "recall_by_id",
    "sets",
]
