# %% [markdown]
# # Product quantisation by nanopq's names
# `annulus.nanopq` takes nanopq's place: vectors become a few bytes each, and distances to them are looked up.

# %%
import pickle

import numpy as np

from annulus import nanopq

rng = np.random.default_rng(1)
centres = rng.standard_normal((200, 64))


def vectors(n):
    return (centres[rng.integers(200, size=n)] + 0.5 * rng.standard_normal((n, 64))).astype(np.float32)


train, base, query = vectors(5000), vectors(20_000), vectors(1)[0]

# %% [markdown]
# Eight sub-vectors of eight dimensions, each the number of one of 256 codewords: 8 bytes in place of 256.

# %%
pq = nanopq.PQ(M=8, Ks=256, verbose=False).fit(train, iter=20, seed=123)
codes = pq.encode(base)
print(codes.shape, codes.dtype, pq.codewords.shape)

# %% [markdown]
# A query's table holds its distances to all codewords; a code's distance is the sum of M entries of it.

# %%
table = pq.dtable(query)
estimates = table.adist(codes)
exact = ((base - query) ** 2).sum(axis=1)
print("nearest by codes:", estimates.argmin(), "exactly:", exact.argmin())
print(f"estimates and distances correlate by {np.corrcoef(estimates, exact)[0, 1]:.3f}")
assert exact[estimates.argmin()] <= np.sort(exact)[50]

# %% [markdown]
# A rotation learned for the data loses less.

# %%
opq = nanopq.OPQ(M=8, verbose=False).fit(train, parametric_init=True, rotation_iter=5)
for name, quantizer in (("PQ", pq), ("OPQ", opq)):
    lost = ((base - quantizer.decode(quantizer.encode(base))) ** 2).sum() / (base**2).sum()
    print(f"{name} loses {lost:.3f} of the squared length")

# %% [markdown]
# Quantisers are pickled, compared, and exchanged with faiss.

# %%
assert pickle.loads(pickle.dumps(pq)) == pq
try:
    import faiss  # noqa: F401
except ImportError:
    print("faiss is not installed")
else:
    index = nanopq.nanopq_to_faiss(opq)
    index.add(base)
    back, stored = nanopq.faiss_to_nanopq(index)
    print("codes that faiss makes alike:", f"{(stored == opq.encode(base)).all(axis=1).mean():.4f}")
