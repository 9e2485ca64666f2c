"""annulus in big-ann-benchmarks, the track of out-of-distribution queries; the other tracks build on it."""

import os

import annulus
from benchmark.datasets import DATASETS

from neurips23.ood.base import BaseOODANN

METRICS = {"euclidean": "euclidean", "ip": "inner_product", "angular": "cosine"}


class Annulus(BaseOODANN):
    """A graph; `build` has the parameters of annulus.NNDescentIndex, query arguments are those of its search."""

    def __init__(self, metric, build):
        self._metric = METRICS[metric]
        self._build, self._search = dict(build), {}
        self._index = self.res = None

    def fit(self, dataset):
        rows = self._rows(DATASETS[dataset]())
        self._index = annulus.NNDescentIndex(rows, metric=self._metric, **self._build)
        os.makedirs(self._folder(dataset), exist_ok=True)
        self._index.save(self._file(dataset))

    def load_index(self, dataset):
        if not os.path.exists(self._file(dataset)):
            return False
        self._index = annulus.open(self._file(dataset))
        return True

    def index_files_to_store(self, dataset):
        return [self._folder(dataset), "graph", [".annulus"]]

    def set_query_arguments(self, search):
        self._search = dict(search)

    def query(self, X, k):
        self.res = self._index.search(X, k, **self._search).ids

    def get_memory_usage(self):
        """In kB, of the index and its rows, without what building it left behind in the process."""
        return 0 if self._index is None else self._index.memory_bytes / 1024

    def _rows(self, dataset):
        return dataset.get_dataset()

    def _folder(self, dataset):
        parameters = "_".join(f"{name}-{value}" for name, value in sorted(self._build.items())) or "default"
        return os.path.join("data", "indices", self.track(), "annulus", DATASETS[dataset]().short_name(), parameters)

    def _file(self, dataset):
        return os.path.join(self._folder(dataset), "graph.annulus")

    def __str__(self):
        parameters = ", ".join(f"{name}={value}" for name, value in {**self._build, **self._search}.items())
        return f"annulus({parameters})"
