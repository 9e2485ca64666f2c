"""annulus in big-ann-benchmarks, the track of sparse rows: by a graph, or exactly where `build` is {"exact": true}."""

import annulus
import scipy.sparse
from benchmark.datasets import DATASETS

from neurips23.ood.annulus.module import Annulus


class SparseAnnulus(Annulus):
    _exact_rows = None

    def track(self):
        return "sparse"

    def fit(self, dataset):
        if self._is_exact():
            self._exact_rows = self._rows(DATASETS[dataset]())
        else:
            super().fit(dataset)

    def load_index(self, dataset):
        return not self._is_exact() and super().load_index(dataset)

    def query(self, X, k):
        if self._is_exact():
            self.res = annulus.knn(self._exact_rows, X, k, metric=self._metric).ids
        else:
            super().query(X, k)

    def get_memory_usage(self):
        if not self._is_exact():
            return super().get_memory_usage()
        rows = self._exact_rows
        return 0 if rows is None else (rows.data.nbytes + rows.indices.nbytes + rows.indptr.nbytes) / 1024

    def _rows(self, dataset):
        return scipy.sparse.vstack(list(dataset.get_dataset_iterator(100_000)), format="csr")  # all at once is refused

    def _is_exact(self):
        return self._build.get("exact", False)
