# %% [markdown]
# # NNDescent without waiting for a compiler
#
# `annulus.pynndescent` has the names, parameters and results of pynndescent. One import changes.

# %%
import time

import numpy as np

from annulus.pynndescent import NNDescent

rng = np.random.default_rng(0)
centres = rng.standard_normal((200, 50)) * 2
data = (centres[rng.integers(200, size=20_000)] + rng.standard_normal((20_000, 50))).astype(np.float32)
queries = data[:500] + 0.1 * rng.standard_normal((500, 50)).astype(np.float32)

# %% [markdown]
# ## The graph of the data

# %%
start = time.perf_counter()
index = NNDescent(data, metric="cosine", n_neighbors=15)
indices, distances = index.neighbor_graph
print(f"a graph of {indices.shape[1]} neighbours of {len(indices)} rows in {time.perf_counter() - start:.2f} s")
assert (indices[:, 0] == np.arange(len(data))).all()  # each row comes first in its own list

# %% [markdown]
# ## Queries
#
# The first one prepares the index. A greater epsilon is more accurate and slower.

# %%
index.prepare()
for epsilon in (0.0, 0.1, 0.3):
    start = time.perf_counter()
    found, distances = index.query(queries, k=10, epsilon=epsilon)
    took = time.perf_counter() - start
    share = (found[:, 0] == np.arange(500)).mean()
    print(f"epsilon {epsilon}: {len(queries) / took:.0f} queries a second, {share:.3f} found")

# %% [markdown]
# ## Changes
#
# New rows are appended, and old ones replaced, without building anything anew.

# %%
index.update(xs_fresh=queries, xs_updated=data[:2] + 10, updated_indices=[0, 1])
found, _ = index.query(queries, k=1)
assert (found[:, 0] == np.arange(20_000, 20_500)).mean() > 0.95

# %% [markdown]
# ## UMAP
#
# `umap.UMAP(precomputed_knn=index.neighbor_graph)` takes the graph. To have UMAP build and search by annulus, for new
# rows as well, tell it so before it fits:
#
#     import umap
#     umap.umap_.NNDescent = annulus.pynndescent.NNDescent

# %% [markdown]
# ## A metric of one's own
#
# A function that numba compiled is called at full speed. Any other is called by the interpreter, slowly.

# %%
try:
    import numba
except ImportError:
    print("numba is not installed")
else:

    @numba.njit(fastmath=True)
    def weighted_manhattan(x, y, weight):
        result = 0.0
        for i in range(x.shape[0]):
            result += weight * abs(x[i] - y[i])
        return result

    start = time.perf_counter()
    mine = NNDescent(data[:5000], metric=weighted_manhattan, metric_kwds={"weight": 2.0})
    print(f"a graph by weighted_manhattan in {time.perf_counter() - start:.2f} s")
