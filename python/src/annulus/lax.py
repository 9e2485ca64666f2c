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
    """The k greatest numbers along an axis, as ``jax.lax.approx_max_k``.

    Parameters
    ----------
    operand : array of floats
        Of any shape but that of one number.
    k : int
        1 to the size of the axis.
    reduction_dimension : int, default -1
        The axis.
    recall_target, reduction_input_size_override
        Change nothing in memory: all k are found.
    aggregate_to_topk : bool, default True
        False may return more than k, in no order.

    Returns
    -------
    TopK
        values, greatest first, and indices int32, their positions along the axis; the axis has k items.

    Raises
    ------
    ValueError
        For k out of range, and operands that are not floats.
    TypeError
        For one number.
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
    """The k least numbers along an axis, as ``jax.lax.approx_min_k``.

    Parameters
    ----------
    operand, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk
        As of `approx_max_k`.

    Returns
    -------
    TopK
        values, least first, and indices int32, their positions along the axis.

    Raises
    ------
    ValueError, TypeError
        As `approx_max_k`.
    """
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
