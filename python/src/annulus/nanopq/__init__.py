"""nanopq's classes and functions by annulus: change `import nanopq` to `from annulus import nanopq`.

Names, arguments, shapes, dtypes and the meaning of results are those of nanopq 0.2.2, and so are the codes for the same
codewords. Codewords of `fit` differ from nanopq's, as the random numbers do; their error is no greater. All cores work,
and results do not depend on their number.
"""

from .convert_faiss import faiss_to_nanopq, nanopq_to_faiss
from .opq import OPQ
from .pq import PQ, DistanceTable, NanopqError

__all__ = ["PQ", "OPQ", "DistanceTable", "NanopqError", "nanopq_to_faiss", "faiss_to_nanopq"]
