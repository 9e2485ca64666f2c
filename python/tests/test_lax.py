"""annulus.lax: jax.lax.approx_min_k and approx_max_k, beside jax's where it is installed."""

import inspect

import numpy as np
import pytest

from annulus.lax import approx_max_k, approx_min_k


@pytest.fixture(scope="module")
def lax():
    return pytest.importorskip("jax").lax


@pytest.mark.parametrize("name", ["approx_min_k", "approx_max_k"])
def test_signatures_are_those_of_jax(lax, name):
    ours = inspect.signature(globals()[name]).parameters.values()
    theirs = inspect.signature(getattr(lax, name)).parameters.values()
    assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in theirs]


def test_the_greatest_inner_products_as_in_the_documentation_of_jax():
    rng = np.random.default_rng(0)
    queries, rows = rng.random((50, 64), np.float32), rng.random((1024, 64), np.float32)
    products, ids = approx_max_k(queries @ rows.T, k=10)
    assert products.shape == ids.shape == (50, 10) and ids.dtype == np.int32
    np.testing.assert_array_equal(products, np.sort(queries @ rows.T, axis=1)[:, :-11:-1])


def test_the_nearest_rows_as_in_the_documentation_of_jax():
    rng = np.random.default_rng(0)
    queries, rows = rng.random((50, 64), np.float32), rng.random((1024, 64), np.float32)
    half_norms = (rows**2).sum(axis=1) / 2
    _, ids = approx_min_k(half_norms - queries @ rows.T, k=10)
    exact = ((queries[:, None] - rows) ** 2).sum(axis=2).argsort(axis=1)[:, :10]
    assert (np.sort(ids) == np.sort(exact)).mean() > 0.99


@pytest.mark.parametrize("shape", [(700,), (3, 500), (4, 90, 5), (2, 3, 4, 60)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_any_axis_as_numpy_sorts_it(shape, dtype):
    x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    for axis in range(-len(shape), len(shape)):
        k = min(5, shape[axis])
        for found, order in ((approx_min_k, x), (approx_max_k, -x)):
            values, positions = found(x, k, reduction_dimension=axis)
            expected = np.take(np.argsort(order, axis=axis, kind="stable"), np.arange(k), axis=axis)
            assert values.dtype == dtype and positions.dtype == np.int32
            np.testing.assert_array_equal(values, np.take_along_axis(x, expected, axis=axis))
            np.testing.assert_array_equal(np.take_along_axis(x, positions, axis=axis), values)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", ["approx_min_k", "approx_max_k"])
def test_shapes_and_values_are_those_of_jax(lax, name, axis):
    x = np.random.default_rng(2).standard_normal((40, 30)).astype(np.float32)
    ours = globals()[name](x, 4, reduction_dimension=axis, recall_target=1.0)
    theirs = getattr(lax, name)(x, 4, reduction_dimension=axis, recall_target=1.0)
    for found, expected in zip(ours, theirs):
        assert found.shape == expected.shape and found.dtype == expected.dtype
        np.testing.assert_array_equal(found, np.asarray(expected))


def test_arrays_of_jax_and_torch_are_read_where_they_are():
    x = np.random.default_rng(3).standard_normal((6, 200)).astype(np.float32)
    expected = approx_min_k(x, 7)
    for package, convert in (("jax", lambda m: m.numpy.asarray(x)), ("torch", lambda m: m.from_numpy(x))):
        module = pytest.importorskip(package)
        values, positions = approx_min_k(convert(module), 7)
        assert isinstance(values, np.ndarray) and isinstance(positions, np.ndarray)
        np.testing.assert_array_equal(values, expected[0])
        np.testing.assert_array_equal(positions, expected[1])


def test_strided_operands():
    x = np.random.default_rng(4).standard_normal((50, 80)).astype(np.float32)
    np.testing.assert_array_equal(approx_min_k(x.T, 3)[0], approx_min_k(x.T.copy(), 3)[0])
    np.testing.assert_array_equal(approx_min_k(x[::2, ::-3], 3)[0], approx_min_k(x[::2, ::-3].copy(), 3)[0])


def test_without_aggregation_at_least_k_are_returned():
    x = np.random.default_rng(5).standard_normal((3, 1000)).astype(np.float32)
    values, positions = approx_min_k(x, 10, aggregate_to_topk=False)
    assert values.shape == positions.shape and values.shape[0] == 3 and values.shape[1] >= 10
    np.testing.assert_array_equal(np.sort(values, axis=1)[:, :10], np.sort(x, axis=1)[:, :10])


def test_an_override_of_the_size_is_taken():
    x = np.arange(100, dtype=np.float32)
    assert approx_max_k(x, 3, reduction_input_size_override=100_000)[1].tolist() == [99, 98, 97]


@pytest.mark.parametrize(
    "operand, arguments, error",
    [
        (np.zeros(5, np.float32), dict(k=0), ValueError),
        (np.zeros(5, np.float32), dict(k=6), ValueError),
        (np.zeros(5, np.int32), dict(k=2), ValueError),
        (np.float32(1), dict(k=1), TypeError),
        ([1.0, 2.0], dict(k=1), TypeError),
    ],
)
def test_what_jax_refuses(lax, operand, arguments, error):
    with pytest.raises(error):
        lax.approx_min_k(operand, **arguments)
    with pytest.raises(error):
        approx_min_k(operand, **arguments)


@pytest.mark.parametrize("arguments", [dict(reduction_dimension=1), dict(recall_target=0.0), dict(recall_target=1.5)])
def test_what_has_no_meaning(arguments):
    with pytest.raises((ValueError, IndexError)):
        approx_min_k(np.zeros(5, np.float32), 2, **arguments)
