"""jax.lax.approx_min_k and approx_max_k for arrays in memory: numpy's, or whatever has DLPack.

Signatures, shapes, dtypes and errors are jax's. The answers are exact, whatever `recall_target` is, and numpy arrays:

    values, positions = annulus.lax.approx_min_k(distances, k=10)

They are no part of what jax.jit compiles: a traced array has no memory to read.
"""

import numpy

import annulus

__all__ = ["approx_max_k", "approx_min_k"]


def approx_max_k(
    operand,
    k,
    reduction_dimension=-1,
    recall_target=0.95,
    reduction_input_size_override=-1,
    aggregate_to_topk=True,
):
    """The k greatest numbers along an axis, greatest first, and their positions there (int32).

    operand : floats of any shape; the axis `reduction_dimension` of the results has k items.
    recall_target, reduction_input_size_override : change nothing in memory: all k are found.
    aggregate_to_topk : False may return more than k, in no order.

    ValueError for k that is no size within the axis, and for operands that are not floats; TypeError for one number.
    """
    if type(operand) is not numpy.ndarray or operand.dtype.kind != "f" or not operand.ndim:
        _check(operand)
    return annulus.approx_max_k(
        operand, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk
    )


def approx_min_k(
    operand,
    k,
    reduction_dimension=-1,
    recall_target=0.95,
    reduction_input_size_override=-1,
    aggregate_to_topk=True,
):
    """The k least numbers along an axis, least first, and their positions there, as `approx_max_k`."""
    if type(operand) is not numpy.ndarray or operand.dtype.kind != "f" or not operand.ndim:
        _check(operand)
    return annulus.approx_min_k(
        operand, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk
    )


def _check(operand):
    """Raises what jax raises for operands that it refuses."""
    if not hasattr(operand, "dtype"):
        raise TypeError(f"operand is a {type(operand).__name__}: must be an array")
    if not operand.ndim:
        raise TypeError("operand is one number: must have at least one dimension")
    if "float" not in str(operand.dtype):
        raise ValueError(f"operand is of {operand.dtype}: must be a floating type")
