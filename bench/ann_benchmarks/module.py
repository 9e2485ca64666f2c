"""annulus in ann-benchmarks: this folder goes to ann_benchmarks/algorithms/annulus."""

import annulus
import numpy as np

from ..base.module import BaseANN

METRICS = {"euclidean": "euclidean", "angular": "cosine", "hamming": "bit_hamming", "jaccard": "jaccard"}


class Annulus(BaseANN):
    """One of annulus's indexes.

    Args:
        metric: as the harness names it.
        dimension: of the rows; of sets, one more than the greatest member.
        kind: the class of the index: "NNDescentIndex", "FlatIndex", "LSHIndex", "RaBitQIndex", ...
        build: its parameters, by name.

    Query arguments are parameters of its search, by name.
    """

    def __init__(self, metric, dimension, kind, build):
        self._metric, self._dimension = METRICS[metric], dimension
        self._kind, self._build, self._search = kind, dict(build), {}
        self._index = None

    def fit(self, X):
        self._index = getattr(annulus, self._kind)(self._rows(X), metric=self._metric, **self._build)

    def set_query_arguments(self, search):
        self._search = dict(search)

    def query(self, v, n):
        found = self._index.search(self._rows([v]), n, threads=1, **self._search).ids[0]
        return found[found >= 0]

    def batch_query(self, X, n):
        self.res = self._index.search(self._rows(X), n, threads=0, **self._search).ids

    def get_batch_results(self):
        return [found[found >= 0] for found in self.res]

    def get_memory_usage(self):
        """In kB, of the index and its rows, without what building it left behind in the process."""
        return 0 if self._index is None else self._index.memory_bytes / 1024

    def _rows(self, X):
        """Sets come as arrays of members, bits as arrays of bools; all else becomes float32."""
        if self._metric == "jaccard":
            return annulus.sets(X, self._dimension)
        X = np.asarray(X)
        return X if X.dtype == np.bool_ else np.ascontiguousarray(X, dtype=np.float32)

    def __str__(self):
        parameters = ", ".join(f"{name}={value}" for name, value in {**self._build, **self._search}.items())
        return f"annulus.{self._kind}({parameters})"
