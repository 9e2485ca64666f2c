"""Lists of neighbours as the sparse matrices that scikit-learn's estimators take."""

from __future__ import annotations

import numpy as np


def with_self_first(ids, distances):
    """Lists of other rows, each with the row itself before them, at distance 0."""
    own = np.arange(len(ids), dtype=ids.dtype)[:, None]
    return np.hstack([own, ids]), np.hstack([np.zeros((len(ids), 1), distances.dtype), distances])


def to_csr(ids, values, n_columns):
    """A CSR matrix whose row i has values[i] in the columns ids[i], in their order; ids of -1 are left out."""
    from scipy.sparse import csr_matrix

    is_there = ids >= 0
    indptr = np.concatenate([[0], np.cumsum(is_there.sum(axis=1))])
    if not is_there.all():
        ids, values = ids[is_there], values[is_there]
    return csr_matrix((values.ravel(), ids.ravel(), indptr), shape=(len(indptr) - 1, n_columns))
