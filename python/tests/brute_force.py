"""Test data and exact neighbours by numpy and scipy."""

import numpy as np


def blobs(n, d, seed=0):
    """Groups of float32 rows that overlap."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(4, n // 150), d)) * 2
    return (centres[rng.integers(len(centres), size=n)] + rng.standard_normal((n, d))).astype(np.float32)


def nearest(data, queries, k, metric="euclidean", **keywords):
    """The k nearest rows of each query in double precision: (ids, distances)."""
    from scipy.spatial.distance import cdist

    distances = cdist(np.asarray(queries, np.float64), np.asarray(data, np.float64), metric, **keywords)
    ids = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return ids, np.take_along_axis(distances, ids, axis=1)


def recall(found, exact):
    """The share of distances that are no greater than the greatest exact one, row by row."""
    assert found.shape == exact.shape
    limit = exact[:, -1:]
    return (found <= limit + 1e-4 * np.abs(limit) + 1e-6).mean()
