"""Exact neighbours by numpy, and what of the library a build has."""

import functools

import numpy
import pytest

import annulus


def distances(data, queries, metric):
    """m x n distances in float64."""
    a, b = numpy.asarray(queries, dtype=numpy.float64)[:, None], numpy.asarray(data, dtype=numpy.float64)[None]
    if metric == "euclidean":
        return numpy.sqrt(((a - b) ** 2).sum(-1))
    if metric == "sqeuclidean":
        return ((a - b) ** 2).sum(-1)
    if metric == "manhattan":
        return numpy.abs(a - b).sum(-1)
    if metric == "chebyshev":
        return numpy.abs(a - b).max(-1)
    if metric == "cosine":
        return 1 - (a * b).sum(-1) / numpy.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    if metric == "inner_product":
        return -(a * b).sum(-1)
    if metric == "bit_hamming":
        return (a != b).sum(-1).astype(float)
    if metric == "jaccard":
        either, both = ((a != 0) | (b != 0)).sum(-1), ((a != 0) & (b != 0)).sum(-1)
        return numpy.where(either == 0, 0, 1 - both / numpy.maximum(either, 1))
    raise ValueError(metric)


def check_nearest(found, data, queries, metric="euclidean", tolerance=1e-4):
    """Holds where `found` are the nearest rows of each query, whichever of tied rows they are."""
    ids, given = numpy.atleast_2d(found.ids), numpy.atleast_2d(found.distances)
    exact = distances(data, numpy.atleast_2d(queries), metric)
    k = min(ids.shape[1], exact.shape[1])
    numpy.testing.assert_allclose(given[:, :k], numpy.sort(exact, axis=1)[:, :k], rtol=tolerance, atol=tolerance)
    numpy.testing.assert_allclose(
        numpy.take_along_axis(exact, ids[:, :k].astype(numpy.int64), axis=1),
        given[:, :k],
        rtol=tolerance,
        atol=tolerance,
    )
    assert all(len(set(row)) == k for row in ids[:, :k].tolist())
    assert (ids[:, k:] == -1).all() and numpy.isposinf(given[:, k:]).all()


@functools.cache
def has_rows(name):
    """Whether this build takes rows of a type, as "float64" or "sparse_float32"."""
    rows = numpy.ones((2, 8))
    if name.startswith("sparse"):
        sparse = pytest.importorskip("scipy.sparse")
        rows = sparse.csr_matrix(rows.astype(name.removeprefix("sparse_")))
    elif name == "bfloat16":
        rows = rows.astype(pytest.importorskip("ml_dtypes").bfloat16)
    else:
        rows = rows.astype(name)
    try:
        annulus.knn(rows, rows, 1)
    except ValueError as error:
        assert "built without" in str(error), error
        return False
    return True


def need_rows(name):
    if not has_rows(name):
        pytest.skip(f"built without rows of {name}")


@functools.cache
def has_storage(name):
    try:
        annulus.NNDescentIndex(numpy.random.default_rng(0).normal(size=(64, 16)).astype(numpy.float32), storage=name)
    except ValueError as error:
        assert "built without" in str(error), error
        return False
    return True
