"""annulus in big-ann-benchmarks, the track of filters: a query's rows must have one or two tags.

Where few rows have them, these are compared with the query; else a graph over all rows is searched with a filter.
"""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import annulus
import numpy as np
from benchmark.datasets import DATASETS

from neurips23.ood.annulus.module import Annulus


class FilterAnnulus(Annulus):
    """`build` and query arguments are those of the graph, but for the query argument `exact_below`: the number of rows
    with the tags up to which these are compared, 30,000 by default."""

    _exact_below = 30_000
    _base = _rows_of_tag = None

    def track(self):
        return "filter"

    def fit(self, dataset):
        super().fit(dataset)
        self._load(dataset)

    def load_index(self, dataset):
        if not super().load_index(dataset):
            return False
        self._load(dataset)
        return True

    def set_query_arguments(self, search):
        search = dict(search)
        self._exact_below = search.pop("exact_below", FilterAnnulus._exact_below)
        super().set_query_arguments(search)

    def filtered_query(self, X, filter, k):
        """X is (n, dim); `filter` a CSR matrix whose row i has the tags of query i."""
        self.res = np.full((len(X), k), -1, np.int32)
        with ThreadPoolExecutor(cpu_count()) as pool:  # annulus lets other threads run while it searches
            list(pool.map(lambda group: self._search_group(X, *group, k), queries_by_tags(filter).items()))

    def _search_group(self, X, tags, queries, k):
        allowed = self._rows_with(tags)
        if len(allowed) == 0:
            return
        if len(allowed) < self._exact_below:
            found = annulus.knn(self._base[allowed], X[queries], k, metric=self._metric, threads=1).ids
            self.res[queries] = np.where(found >= 0, allowed[found], -1)
        else:
            self.res[queries] = self._index.search(X[queries], k, filter=allowed, threads=1, **self._search).ids

    def _rows_with(self, tags):
        """The ids of the rows that have all of the tags, ascending."""
        lists = sorted((row_of(self._rows_of_tag, tag) for tag in tags), key=len)
        allowed = lists[0]
        for ids in lists[1:]:
            allowed = np.intersect1d(allowed, ids, assume_unique=True)
        return allowed

    def _load(self, dataset):
        dataset = DATASETS[dataset]()
        self._base = dataset.get_dataset()
        if dataset.search_type() == "knn_filtered":
            self._rows_of_tag = dataset.get_dataset_metadata().T.tocsr()
            self._rows_of_tag.sort_indices()

    def __str__(self):
        return super().__str__().removesuffix(")") + f", exact_below={self._exact_below})"


def row_of(matrix, i):
    return matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]]


def queries_by_tags(filter):
    """The numbers of the queries that have the same tags, by these."""
    groups = defaultdict(list)
    for query in range(filter.shape[0]):
        groups[tuple(row_of(filter, query))].append(query)
    return groups
