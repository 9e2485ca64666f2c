"""approx_min_k and approx_max_k of operands that the module does not read as they are."""

import numpy

from . import _core
from ._convert import as_array
from ._results import TopK


def general(operand, k, dimension, recall_target, size_override, aggregate, threads, largest):
    """The reduced dimension last, of a type that the module reads."""
    function = _core.approx_max_k if largest else _core.approx_min_k
    array = as_array(operand, "operand")
    if array.ndim == 0:
        raise ValueError("operand: is one number; must have at least one dimension")
    if not -array.ndim <= dimension < array.ndim:
        raise ValueError(f"reduction_dimension = {dimension}: must be in [{-array.ndim}, {array.ndim})")
    dtype = array.dtype.newbyteorder("=")
    last = numpy.ascontiguousarray(numpy.moveaxis(array, dimension, -1))
    if dtype.name in ("int16", "uint16", "bfloat16", "bool"):
        last = last.astype(numpy.float32)
    elif dtype.name in ("int32", "uint32"):
        last = last.astype(numpy.float64)
    elif dtype.name in ("float32", "float64", "float16", "uint8", "int8"):
        last = numpy.require(last, dtype, ["C_CONTIGUOUS", "ALIGNED"])
    else:
        raise TypeError(f"operand: an array of {dtype}; must be floats, or integers of at most 32 bits")
    values, indices = function(last, k, -1, recall_target, size_override, aggregate, threads=threads)
    values, indices = numpy.moveaxis(values, -1, dimension), numpy.moveaxis(indices, -1, dimension)
    return TopK(numpy.ascontiguousarray(values, dtype=dtype), numpy.ascontiguousarray(indices))
