"""approx_min_k beside the ways to the k smallest that Python programs have."""

import functools

import annulus_compare
import jax
import numpy as np

from measure import Contender, race

RECALL_TARGET = 0.95
CACHE_BYTES = 68_000_000  # inputs take turns over at least this much, so that neither caches nor predictors know them


def fresh_arrays(n, order):
    n_arrays = max(2, CACHE_BYTES // (4 * n))
    if order == "random":
        rng = np.random.default_rng(2)
        return [rng.random(n, dtype=np.float32) for _ in range(n_arrays)]
    ends = (0, 1) if order == "ascending" else (1, 0)
    return [np.linspace(*ends, n, dtype=np.float32) for _ in range(n_arrays)]


def argpartition(x, k):
    found = np.argpartition(x, k)[:k]
    found = found[np.argsort(x[found])]
    return x[found], found


@functools.partial(jax.jit, static_argnums=1)
def jax_approx_min_k(x, k):
    return jax.lax.approx_min_k(x, k, recall_target=RECALL_TARGET)


@functools.partial(jax.jit, static_argnums=1)
def jax_top_k(x, k):
    values, indices = jax.lax.top_k(-x, k)
    return -values, indices


def contenders(arrays, k, order, threads):
    def over(inputs, f):
        return lambda i: f(inputs[i % len(inputs)])

    def ours(recall_target):
        return over(arrays, lambda x: annulus_compare.approx_min_k(x, k, recall_target, threads))

    result = [
        Contender("annulus", ours(1.0), "ours"),
        Contender(f"annulus, recall_target {RECALL_TARGET}", ours(RECALL_TARGET), "ours"),
        Contender("plain minimum", over(arrays, lambda x: annulus_compare.plain_min(x, threads)), "yardstick"),
    ]
    if order == "random":
        result.append(Contender("numpy.argpartition", over(arrays, lambda x: argpartition(x, k))))
    if order == "random" and arrays[0].size <= 1_000_000:  # beyond, jax takes minutes
        on_device = [jax.device_put(a) for a in arrays]
        for name, f in {"jax.lax.approx_min_k": jax_approx_min_k, "jax.lax.top_k": jax_top_k}.items():
            result.append(Contender(name, over(on_device, lambda x, f=f: jax.block_until_ready(f(x, k)))))
    return result


def recalls(arrays, k, racers):
    """The share of results not beyond the true k-th value, so that ties count."""
    found = {c.name: [] for c in racers if c.role != "yardstick"}
    for i, x in enumerate(arrays):
        kth = np.partition(x, k - 1)[k - 1]
        for c in racers:
            if c.name in found:
                found[c.name].append(float(np.mean(np.asarray(c.call(i)[0]) <= kth)))
    return {name: {"recall": float(np.mean(shares))} for name, shares in found.items()}


def check_ours(x, k, threads, records, what):
    """Exact where exact was asked for, and the values are those at the indices."""
    values, indices = annulus_compare.approx_min_k(x, k, 1.0, threads)
    records.check(np.array_equal(values, np.sort(np.partition(x, k - 1)[:k])), f"{what}: the exact values")
    records.check(np.array_equal(x[indices], values), f"{what}: values at the indices")
    values, indices = annulus_compare.approx_min_k(x, k, RECALL_TARGET, threads)
    records.check(np.array_equal(x[indices], values), f"{what}: values at the indices, approximate")
    records.check(np.unique(indices).size == k, f"{what}: no index twice")
    records.check(values[0] == x.min(), f"{what}: the smallest is among them")


def run(options, records):
    for n in [1_000_000] if options.quick else [1_000_000, 64_000_000]:
        for order in ["random", "ascending", "descending"]:
            arrays = fresh_arrays(n, order)
            for k in [10, 100, 1000]:
                case = {"comparison": "approx_min_k", "n": n, "k": k, "order": order}
                what = f"approx_min_k n={n} k={k} {order}"
                print(what, flush=True)
                check_ours(arrays[0], k, options.threads, records, what)
                racers = contenders(arrays, k, order, options.threads)
                timing = race(racers, rounds=9 if options.quick else 25)
                sample = arrays[: 1 if n > 1_000_000 else 8]
                records.add(case, racers, timing, recalls(sample, k, racers))
