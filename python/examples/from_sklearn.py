# %% [markdown]
# # Graphs of neighbours for scikit-learn's estimators
#
# `annulus.sklearn.KNeighborsTransformer` takes the place of scikit-learn's in a pipeline.

# %%
import time

import numpy as np
from sklearn.cluster import SpectralClustering
from sklearn.datasets import load_digits, make_blobs
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from annulus.sklearn import KNeighborsTransformer, NearestNeighbors

X, y = load_digits(return_X_y=True)

# %% [markdown]
# ## Classification
#
# The neighbours are searched for once, however many values of `n_neighbors` are tried.

# %%
graph = KNeighborsTransformer(n_neighbors=20)
train, test = graph.fit_transform(X[:1500]), graph.transform(X[1500:])
for k in (5, 10, 20):
    model = KNeighborsClassifier(n_neighbors=k, metric="precomputed").fit(train, y[:1500])
    print(f"{k} neighbours: accuracy {model.score(test, y[1500:]):.3f}")

# %% [markdown]
# ## t-SNE

# %%
tsne = TSNE(metric="precomputed", init="random", perplexity=10, max_iter=250, random_state=0)
embedded = make_pipeline(KNeighborsTransformer(n_neighbors=31), tsne).fit_transform(X[:300])
print("t-SNE:", embedded.shape)

# %% [markdown]
# ## Clustering

# %%
points, groups = make_blobs(1000, centers=5, random_state=3)
spectral = SpectralClustering(n_clusters=5, affinity="precomputed_nearest_neighbors", n_neighbors=10, random_state=0)
labels = make_pipeline(KNeighborsTransformer(n_neighbors=10), spectral).fit_predict(points)
print(f"spectral clustering: {adjusted_rand_score(groups, labels):.2f} of 1")

# %% [markdown]
# ## Many rows
#
# Small data are searched exactly. Above some 10,000 rows a graph takes over, which finds the share `recall` of the
# neighbours: 0.99, if nothing else is asked for.

# %%
rng = np.random.default_rng(0)
centres = rng.standard_normal((200, 64)) * 2
many = (centres[rng.integers(200, size=20_000)] + rng.standard_normal((20_000, 64))).astype(np.float32)
start = time.perf_counter()
graph = KNeighborsTransformer(n_neighbors=10).fit_transform(many)
print(f"{graph.nnz} distances in {time.perf_counter() - start:.2f} s")

near = NearestNeighbors(n_neighbors=3).fit(many)
distances, ids = near.kneighbors(many[:5])
assert (ids[:, 0] == np.arange(5)).all()
