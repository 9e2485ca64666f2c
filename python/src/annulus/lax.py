"""jax.lax.approx_min_k and approx_max_k for arrays in memory: numpy, or whatever has DLPack.

The signatures, shapes and dtypes are jax's. The answers are exact, whatever `recall_target` is, and are numpy arrays:

    values, positions = annulus.lax.approx_min_k(distances, k=10)

Not within jax.jit: a traced array has no memory to read.
"""

from annulus import approx_max_k, approx_min_k

__all__ = ["approx_max_k", "approx_min_k"]
