"""Product quantizers against the formula."""

import pickle

import numpy
import pytest

import annulus


@pytest.fixture
def pq(rows):
    return annulus.PQ(4, ks=16).fit(rows, iter=5)


def _sub_distances(codewords, vectors):
    """n x m x ks."""
    m, ks, ds = codewords.shape
    parts = vectors.reshape(len(vectors), m, 1, ds).astype(float)
    return ((parts - codewords[None].astype(float)) ** 2).sum(-1)


def test_codes_are_the_nearest_codewords(pq, rows):
    codes = pq.encode(rows)
    assert codes.dtype == pq.code_dtype == numpy.uint8 and codes.shape == (200, 4)
    assert pq.codewords.shape == (4, 16, 4) and pq.dim == 16 and pq.ds == 4 and pq.rotation is None
    exact = _sub_distances(pq.codewords, rows)
    chosen = numpy.take_along_axis(exact, codes[:, :, None].astype(int), axis=2)[:, :, 0]
    numpy.testing.assert_allclose(chosen, exact.min(axis=2), rtol=1e-4, atol=1e-5)
    assert (pq.encode(rows[3]) == codes[3]).all()
    assert (pq.encode(rows.astype(numpy.float64)) == codes).all()


def test_decoded_vectors_are_codewords(pq, rows):
    codes = pq.encode(rows)
    decoded = pq.decode(codes)
    words = numpy.stack([pq.codewords[i][codes[:, i]] for i in range(4)], axis=1).reshape(200, 16)
    numpy.testing.assert_array_equal(decoded, words)
    numpy.testing.assert_array_equal(pq.decode(codes[5]), words[5])
    numpy.testing.assert_array_equal(pq.decode(codes.astype(numpy.int64)[::-1]), words[::-1])


def test_tables(pq, rows):
    tables = pq.tables(rows[:6])
    numpy.testing.assert_allclose(tables, _sub_distances(pq.codewords, rows[:6]), rtol=1e-4, atol=1e-5)
    codes = pq.encode(rows)
    table = pq.dtable(rows[2])
    numpy.testing.assert_array_equal(table.table, tables[2])
    distances = table.adist(codes)
    numpy.testing.assert_allclose(distances, ((pq.decode(codes) - rows[2]) ** 2).sum(1), rtol=1e-4, atol=1e-4)
    numpy.testing.assert_array_equal(table.adist(codes[::2]), distances[::2])
    with pytest.raises(ValueError, match="2 rows"):
        pq.dtable(rows[:2])


@pytest.mark.parametrize("ks, dtype", [(2, "uint8"), (256, "uint8"), (257, "uint16"), (1000, "uint16")])
def test_types_of_codes(random, ks, dtype):
    vectors = random.normal(size=(1500, 8)).astype(numpy.float32)
    pq = annulus.PQ(2, ks).fit(vectors, iter=2)
    codes = pq.encode(vectors)
    assert codes.dtype == pq.code_dtype == dtype and codes.max() < ks
    assert pq.decode(codes).shape == vectors.shape


def test_given_codewords_give_the_same_codes(pq, rows):
    other = annulus.PQ.of(pq.codewords)
    assert (other.encode(rows) == pq.encode(rows)).all() and other.m == 4 and other.ks == 16
    again = pickle.loads(pickle.dumps(pq))
    assert (again.encode(rows) == pq.encode(rows)).all() and repr(again) == repr(pq)


def test_rotations(rows):
    opq = annulus.OPQ(4, ks=16).fit(rows, rotation_iter=3)
    rotation = opq.rotation
    numpy.testing.assert_allclose(rotation @ rotation.T, numpy.eye(16), atol=1e-4)
    exact = _sub_distances(opq.codewords, rows @ rotation)
    codes = opq.encode(rows)
    chosen = numpy.take_along_axis(exact, codes[:, :, None].astype(int), axis=2)[:, :, 0]
    numpy.testing.assert_allclose(chosen, exact.min(axis=2), rtol=1e-3, atol=1e-3)
    numpy.testing.assert_allclose(opq.decode(codes), annulus.PQ.of(opq.codewords).decode(codes) @ rotation.T, atol=1e-4)
    other = annulus.OPQ.of(opq.codewords, rotation)
    assert (other.encode(rows) == codes).all()
    assert (pickle.loads(pickle.dumps(opq)).encode(rows) == codes).all()


def test_products(rows):
    pq = annulus.PQ(4, 16, metric="inner_product").fit(rows)
    codes = pq.encode(rows)
    numpy.testing.assert_allclose(pq.dtable(rows[0]).adist(codes), pq.decode(codes) @ rows[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda pq, rows: annulus.PQ(4).encode(rows), ValueError, "call fit"),
        (lambda pq, rows: annulus.PQ(5, 16).fit(rows), ValueError, "m"),
        (lambda pq, rows: annulus.PQ(4, 1000).fit(rows), ValueError, "ks|rows"),
        (lambda pq, rows: annulus.PQ(4, 16, metric="manhattan").fit(rows), ValueError, "metric"),
        (lambda pq, rows: annulus.PQ(4, 16).fit(rows, init="best"), ValueError, "init"),
        (lambda pq, rows: pq.encode(rows[:, :8]), ValueError, "8"),
        (lambda pq, rows: pq.decode(numpy.full((2, 4), 16, numpy.uint8)), ValueError, "16"),
        (lambda pq, rows: pq.decode(numpy.full((2, 4), -1)), ValueError, "-1"),
        (lambda pq, rows: pq.decode(numpy.zeros((2, 3), numpy.uint8)), ValueError, "n x 4"),
        (lambda pq, rows: pq.decode(numpy.zeros((2, 4))), TypeError, "integers"),
        (lambda pq, rows: annulus.PQ.of(numpy.zeros((4, 4))), ValueError, "m x ks x ds"),
        (lambda pq, rows: annulus.OPQ.of(pq.codewords, numpy.eye(3)), ValueError, "16 x 16"),
    ],
)
def test_arguments_that_do_not_fit(pq, rows, call, error, words):
    with pytest.raises(error, match=words):
        call(pq, rows)
