"""The search of one rank's index, whose answer does not depend on which rows other ranks have."""

import numpy

from . import _lists

# Searches compare something else than these metrics' distances, as squares of euclidean distances: of rows at one
# distance, rounded, some may be nearer by what is compared.
_COMPARED_OTHERWISE = frozenset(
    "euclidean minkowski seuclidean wminkowski mahalanobis dot true_angular haversine hellinger wasserstein_1d".split()
)


def search_shard(index, queries, k, **params):
    """(ids, distances) of the k nearest rows, as index.search finds them; of exact ones by distance and id.

    Where more than k rows are no further than the k-th, index.search returns those nearer by what it compares. These
    depend on the other rows that it has; the ones of lowest ids do not. So exact searches ask for a row more than
    k, and where it ties with the k-th for twice as many, until the tie ends.
    """
    if not _hides_ties(index, params.get("recall_target")):
        return index.search(queries, k, **params)
    rows = numpy.atleast_2d(queries)
    ids, distances = numpy.full((len(rows), k), -1, dtype=numpy.int64), numpy.full((len(rows), k), numpy.inf, "f4")
    open_rows, width = numpy.arange(len(rows)), k + 1
    while len(open_rows):
        found = index.search(rows[open_rows], width, **params)
        is_open = (found.ids[:, -1] >= 0) & (found.distances[:, -1] == found.distances[:, k - 1])
        lists = _lists.packed(found.ids, found.distances, k)
        ids[open_rows], distances[open_rows] = _lists.unpacked(lists)
        open_rows, width = open_rows[is_open], 2 * width
    return (ids, distances) if queries.ndim == 2 else (ids[0], distances[0])


def _hides_ties(index, recall_target):
    return (
        index.kind == "flat"
        and recall_target in (None, 1)
        and (index.metric in _COMPARED_OTHERWISE or index.metric == "user" or index.info("rows").endswith("float64"))
    )
