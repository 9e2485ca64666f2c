import numpy
import pytest


@pytest.fixture
def random():
    return numpy.random.default_rng(7)


@pytest.fixture
def rows(random):
    """200 x 16 floats."""
    return random.normal(size=(200, 16)).astype(numpy.float32)
