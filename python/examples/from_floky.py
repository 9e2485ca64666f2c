# %% [markdown]
# # Hash tables by floky's names
# `annulus.floky` takes the place of floky, lsh-rs for Python: near rows share buckets, and those are ranked exactly.

# %%
import pathlib
import tempfile

import numpy as np

from annulus.floky import L2, SRP, stats

rng = np.random.default_rng(1)
centres = rng.standard_normal((500, 32))


def rows_of(n):
    return (centres[rng.integers(500, size=n)] + 0.2 * rng.standard_normal((n, 32))).astype(np.float32)


rows, queries = rows_of(20_000), rows_of(100)

# %% [markdown]
# By the cosine: `distances` are similarities, greatest first, as in floky.

# %%
lsh = SRP(n_projections=12, n_hash_tables=20, seed=1, log=False)
lsh.fit(rows)
result = lsh.predict(queries, top_k=5)[0]
print("ids", result.index, "similarities", result.distances.round(3), "of", result.n_collisions, "that collide")
lsh.describe()

# %% [markdown]
# By the Euclidean distance: rows are divided by the distance that is looked for, so that r = 4 suits them.

# %%
second = np.array([np.partition(np.linalg.norm(rows - query, axis=1), 1)[1] for query in queries])
scale = second.mean()
print(f"a row at that distance shares a hash value with probability {stats.collision_prob_l2(4, 1):.3f}")
tables = L2(n_projections=15, n_hash_tables=5, r=4.0, seed=1, log=False)
tables.fit(rows / scale)


def recall():
    found = tables.predict(queries / scale, only_index=True, top_k=1)
    distances = [f.distances[0] * scale if len(f.index) > 0 else np.inf for f in found]
    return np.mean(distances <= second * 1.001), np.mean([f.n_collisions for f in found])


# %% [markdown]
# Probes of the likeliest other buckets find more in the same tables.

# %%
for budget in (0, 5, 20):
    tables.multi_probe(budget)
    print(f"budget {budget}: recall {recall()[0]:.2f}, {recall()[1]:.0f} rows compared")

# %% [markdown]
# Rows come, move and go; tables are saved.

# %%
tables.store_vec(queries[0] / scale)
tables.update(3, queries[1] / scale)
tables.delete(7)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "tables.lsh"
    tables.save(path)
    again = L2.load(path)
print(again, again.predict(queries[0] / scale, top_k=1)[0].index)
assert again.predict(queries[0] / scale, top_k=1)[0].index[0] == 20_000
