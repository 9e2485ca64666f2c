"""Metrics that are functions: of C by their address, compiled by numba, or of Python."""

import numbers
import os
import sys
import warnings

import numpy


class SlowMetricWarning(UserWarning):
    """A metric is a function of Python, which is called for each pair of rows that are compared, on one thread."""


_LEAST_ADDRESS = 4096  # no function lies in the first page of memory: smaller numbers are mistakes


def address_of(function, name):
    """The address of a function of C: of an integer, a numba cfunc or a ctypes function pointer; else None."""
    if isinstance(function, numbers.Integral) and not isinstance(function, bool):
        address = int(function)
    elif isinstance(getattr(function, "address", None), int):
        address = function.address
    elif hasattr(function, "argtypes") and hasattr(function, "restype"):
        import ctypes

        address = ctypes.cast(function, ctypes.c_void_p).value or 0
    else:
        return None
    if not _LEAST_ADDRESS <= address < 2**64:
        raise ValueError(f"{name}: {address} is the address of no function")
    return address


def _check_signature(metric):
    """Raises TypeError for a function of C that says that it is no metric; an address says nothing."""
    numba_says, ctypes_says = getattr(metric, "_sig", None), getattr(metric, "argtypes", None)
    if numba_says is not None:
        from numba import types

        fits = numba_says.return_type == types.float32 and len(numba_says.args) == 4
        fits = fits and all(row == types.CPointer(types.float32) for row in numba_says.args[:2])
    elif ctypes_says is not None:
        from ctypes import c_float

        fits = metric.restype is c_float and len(ctypes_says) == 4
    else:
        return
    if not fits:
        raise TypeError(f"metric: {metric!r} must be float f(const float* x, const float* y, size_t dim, void* user)")


def metric_address(metric) -> int:
    """The address of a metric, ``float f(const float* x, const float* y, size_t dim, void* user)``.

    Parameters
    ----------
    metric : int, numba or ctypes function
        An address; a numba cfunc of signature ``float32(CPointer(float32), CPointer(float32), uintp, voidptr)``; a
        function of numba.njit of two rows, which is compiled to one; or a ctypes function pointer.

    Returns
    -------
    int
        Of code that lives as long as `metric` does.

    Raises
    ------
    TypeError
        For others.
    ValueError
        For an integer that is no address.
    """
    address, _ = _compiled(metric)
    if address is None:
        possible = "a cfunc or njit function of numba, a function pointer of ctypes, or an integer"
        raise TypeError(f"metric: {metric!r} has no address: give {possible}")
    return address


def _compiled(metric):
    """The address of a metric, or None, and what keeps its code."""
    address = address_of(metric, "metric")
    if address is not None:
        _check_signature(metric)
    elif hasattr(metric, "py_func") and hasattr(metric, "targetoptions"):
        function = _cfunc_of(metric)
        return function.address, function
    return address, metric


def _cfunc_of(dispatcher):
    """A numba cfunc that calls a function of numba.njit of two rows; compiled once, and kept by the function."""
    found = getattr(dispatcher, "_annulus_cfunc", None)
    if found is None:
        from numba import carray, cfunc, types

        row = types.CPointer(types.float32)

        @cfunc(types.float32(row, row, types.uintp, types.voidptr), nogil=True)
        def metric(x, y, dim, user):
            return dispatcher(carray(x, dim), carray(y, dim))

        found = dispatcher._annulus_cfunc = metric
    return found


def _level_of_caller():
    """The stacklevel, for who calls this, of the first frame outside of the package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename).startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level


_PACKAGE = os.path.dirname(__file__)


def resolve(metric):
    """(address, what keeps its code), or a function of two buffers of float32 for what has no address."""
    address, owner = _compiled(metric)
    if address is not None:
        return address, owner
    if not callable(metric):
        raise TypeError(
            f"metric: {metric!r} is neither a name nor a function of two rows; annulus.metrics has the names"
        )
    warnings.warn(
        "a metric in Python is called for each pair of rows that are compared, on one thread; compiled by numba.njit "
        "it runs at full speed",
        SlowMetricWarning,
        stacklevel=_level_of_caller(),
    )
    frombuffer, float32 = numpy.frombuffer, numpy.float32
    return lambda x, y: metric(frombuffer(x, float32), frombuffer(y, float32))
