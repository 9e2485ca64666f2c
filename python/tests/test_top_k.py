"""approx_min_k and approx_max_k against numpy's sort."""

import numpy
import pytest

import annulus


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "uint8", "int8", "int16", "int32", "uint32", "bool"]
)
@pytest.mark.parametrize(
    "shape, axis",
    [
        ((40,), -1),
        ((6, 40), -1),
        ((6, 40), 1),
        ((40, 6), 0),
        ((2, 3, 40), 2),
        ((2, 40, 3), 1),
        ((40, 2, 3), -3),
        ((2, 3, 4, 40), -1),
    ],
)
def test_axes_and_types(random, dtype, shape, axis):
    operand = (random.normal(size=shape) * 50).astype(dtype)
    for function, sign in ((annulus.approx_min_k, 1), (annulus.approx_max_k, -1)):
        values, indices = function(operand, 5, reduction_dimension=axis, recall_target=1.0)
        expected = list(shape)
        expected[axis] = 5
        assert values.dtype == operand.dtype and indices.dtype == numpy.int32
        assert values.shape == indices.shape == tuple(expected)
        as_float = operand.astype(float)
        numpy.testing.assert_array_equal(
            values.astype(float), sign * numpy.take(numpy.sort(sign * as_float, axis=axis), range(5), axis=axis)
        )
        numpy.testing.assert_array_equal(numpy.take_along_axis(operand, indices.astype(int), axis), values)


def test_recall_target(random):
    operand = random.normal(size=(20, 100000)).astype(numpy.float32)
    values, indices = annulus.approx_max_k(operand, 20, recall_target=0.9)
    exact = numpy.sort(operand, axis=1)[:, -20:]
    assert numpy.mean([numpy.isin(a, b).mean() for a, b in zip(exact, values)]) > 0.85
    assert (numpy.diff(values, axis=1) <= 0).all()


def test_memory_is_read_as_it_lies(random):
    operand = random.normal(size=(50, 6)).astype(numpy.float32)
    expected = annulus.approx_min_k(operand.T.copy(), 3)
    for same in (
        operand.T,
        numpy.repeat(operand.T, 2, axis=1)[:, ::2],
        operand[::-1].copy()[::-1].T,
        operand.T.tolist(),
    ):
        found = annulus.approx_min_k(same, 3)
        assert (found.values == expected.values).all() and (found.indices == expected.indices).all()


def test_tensors(random):
    torch = pytest.importorskip("torch")
    operand = random.normal(size=(5, 60)).astype(numpy.float32)
    found = annulus.approx_max_k(torch.from_numpy(operand), 4)
    assert (found.indices == annulus.approx_max_k(operand, 4).indices).all()


def test_tensors_that_numpy_does_not_read(random):
    torch = pytest.importorskip("torch")
    operand = torch.from_numpy(random.normal(size=(5, 60)).astype(numpy.float32))
    expected = annulus.approx_max_k(operand, 4)
    assert (annulus.approx_max_k(operand.clone().requires_grad_(), 4).values == expected.values).all()
    halves = operand.bfloat16()
    assert (annulus.approx_max_k(halves, 4).values == annulus.approx_max_k(halves.float(), 4).values).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int8"])
def test_buffers_that_are_no_arrays(random, dtype):
    operand = (random.normal(size=(5, 60)) * 20).astype(dtype)
    found, expected = annulus.approx_min_k(memoryview(operand), 4), annulus.approx_min_k(operand, 4)
    assert found.values.dtype == operand.dtype and (found.values == expected.values).all()


def test_arguments_by_place_as_in_jax(random):
    operand = random.normal(size=(5, 60)).astype(numpy.float32)
    found = annulus.approx_min_k(operand, 4, -1, 0.99, 120, True)
    assert found.values.shape == (5, 4) and found.indices.flags.owndata


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda x: annulus.approx_min_k(x, 61), ValueError, "k"),
        (lambda x: annulus.approx_min_k(x, 0), ValueError, "k"),
        (lambda x: annulus.approx_min_k(x, -2), ValueError, "k = -2"),
        (lambda x: annulus.approx_min_k(x, 3, reduction_dimension=2), ValueError, "reduction_dimension = 2"),
        (lambda x: annulus.approx_min_k(x, 3, recall_target=0.0), ValueError, "recall_target"),
        (
            lambda x: annulus.approx_min_k(x, 3, reduction_input_size_override=7),
            ValueError,
            "reduction_input_size_override",
        ),
        (lambda x: annulus.approx_min_k(x.astype(complex), 3), TypeError, "complex"),
        (lambda x: annulus.approx_min_k(numpy.float32(3), 1), ValueError, "one number"),
    ],
)
def test_arguments_that_do_not_fit(random, call, error, words):
    with pytest.raises(error, match=words):
        call(random.normal(size=(5, 60)).astype(numpy.float32))
