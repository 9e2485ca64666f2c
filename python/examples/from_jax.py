# %% [markdown]
# # The k least and the k greatest numbers
#
# `annulus.lax` has jax's `approx_min_k` and `approx_max_k` for arrays in memory. The answers are exact.

# %%
import timeit

import numpy as np

from annulus.lax import approx_max_k, approx_min_k

rng = np.random.default_rng(0)
scores = rng.standard_normal(1_000_000).astype(np.float32)

# %%
values, positions = approx_max_k(scores, k=10)
assert (scores[positions] == values).all() and values[0] == scores.max()

ours = min(timeit.repeat(lambda: approx_max_k(scores, 10), number=10)) / 10
numpys = min(timeit.repeat(lambda: np.argpartition(scores, -10)[-10:], number=1))
print(f"10 of a million: {ours * 1e6:.0f} us; numpy.argpartition {numpys * 1e6:.0f} us")

# %% [markdown]
# ## Nearest rows from a matrix of products
#
# As in jax's documentation: half the squared norm less the product ranks rows by their distance.

# %%
queries, rows = rng.random((50, 64), np.float32), rng.random((1024, 64), np.float32)
half_norms = (rows**2).sum(axis=1) / 2
_, nearest = approx_min_k(half_norms - queries @ rows.T, k=10)
print(nearest[0])

# %% [markdown]
# ## Any axis

# %%
values, positions = approx_min_k(rng.random((5, 300, 4)), k=3, reduction_dimension=1)
assert values.shape == positions.shape == (5, 3, 4)
