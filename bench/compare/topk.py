"""approx_min_k beside the ways to the k smallest that Python programs have."""

import functools
import importlib.util

import annulus_compare
import faiss
import jax
import numpy as np

from measure import Contender, race

CACHE_BYTES = 68_000_000  # long rows take turns over at least this much, so that neither caches nor predictors know them
FLOATS_OF_ROWS = 400_000  # of the rows of a matrix: scores that were computed a moment ago lie in a cache
SLOWEST_FLOATS = 1_000_000  # beyond, jax takes minutes


def fresh_operands(n, order):
    """Matrices of rows of n floats."""
    n_rows = max(1, FLOATS_OF_ROWS // n)
    n_operands = 2 if n_rows > 1 else max(2, CACHE_BYTES // (4 * n))
    rng = np.random.default_rng(2)
    operands = [rng.random((n_rows, n), dtype=np.float32) for _ in range(n_operands)]
    if order != "random":
        for x in operands:
            x.sort()
    return [x[:, ::-1].copy() for x in operands] if order == "descending" else operands


def argpartition(x, k):
    found = np.argpartition(x, k - 1)[:, :k]
    values = np.take_along_axis(x, found, 1)
    best = np.argsort(values)
    return np.take_along_axis(values, best, 1), np.take_along_axis(found, best, 1)


@functools.partial(jax.jit, static_argnums=1)
def jax_approx_min_k(x, k):
    return jax.lax.approx_min_k(x, k)


@functools.partial(jax.jit, static_argnums=1)
def jax_top_k(x, k):
    values, indices = jax.lax.top_k(-x, k)
    return -values, indices


def faiss_heap(x, k):
    values, ids = np.empty((len(x), k), np.float32), np.empty((len(x), k), np.int64)
    heap = faiss.float_maxheap_array_t()
    heap.nh, heap.k = len(x), k
    heap.val, heap.ids = faiss.swig_ptr(values), faiss.swig_ptr(ids)
    heap.heapify()
    heap.addn(x.shape[1], faiss.swig_ptr(x), 0, 0, len(x))
    heap.reorder()
    return values, ids


def torch_contender(over, operands, k, threads):
    """Where PyTorch is installed: its wheels are too large to ask for."""
    if importlib.util.find_spec("torch") is None:
        return []
    import torch

    torch.set_num_threads(threads)
    tensors = [torch.from_numpy(x) for x in operands]
    return [Contender("torch.topk", over(tensors, lambda x: torch.topk(x, k, largest=False)))]


def contenders(operands, k, threads):
    def over(inputs, f):
        return lambda i: f(inputs[i % len(inputs)])

    faiss.omp_set_num_threads(threads)
    result = [
        Contender("annulus", over(operands, lambda x: annulus_compare.approx_min_k(x, k, threads=threads)), "ours"),
        Contender("plain minimum", over(operands, lambda x: annulus_compare.plain_min(x.ravel(), threads)), "yardstick"),
        Contender("numpy.argpartition", over(operands, lambda x: argpartition(x, k))),
        Contender("faiss's heap", over(operands, lambda x: faiss_heap(x, k))),
        *torch_contender(over, operands, k, threads),
    ]
    if operands[0].size <= SLOWEST_FLOATS:
        on_device = [jax.device_put(x) for x in operands]
        for name, f in {"jax.lax.approx_min_k": jax_approx_min_k, "jax.lax.top_k": jax_top_k}.items():
            result.append(Contender(name, over(on_device, lambda x, f=f: jax.block_until_ready(f(x, k)))))
    return result


def recalls(x, k, racers):
    """The share of results not beyond the true k-th value, so that ties count."""
    kth = np.partition(x, k - 1)[:, k - 1 : k]
    of_values = lambda c: float(np.mean(np.asarray(c.call(0)[0]) <= kth))  # noqa: E731
    return {c.name: {"recall": of_values(c)} for c in racers if c.role != "yardstick"}


def check_ours(x, k, threads, records, what):
    values, indices = annulus_compare.approx_min_k(x, k, threads=threads)
    records.check(np.array_equal(values, np.sort(np.partition(x, k - 1)[:, :k])), f"{what}: the values")
    records.check(np.array_equal(np.take_along_axis(x, indices, 1), values), f"{what}: values at the indices")


def run(options, records):
    for n in [1_000, 10_000, 100_000, 1_000_000] + ([] if options.quick else [64_000_000]):
        for order in ["random"] if n < 1_000_000 else ["random", "descending"]:
            operands = fresh_operands(n, order)
            for k in [10, 100, 1000]:
                if k == n:
                    continue
                case = {"comparison": "approx_min_k", "rows": len(operands[0]), "n": n, "k": k, "order": order}
                what = f"approx_min_k {len(operands[0])} x {n} k={k} {order}"
                print(what, flush=True)
                check_ours(operands[0], k, options.threads, records, what)
                racers = contenders(operands, k, options.threads)
                timing = race(racers, rounds=9 if options.quick else 25)
                records.add(case, racers, timing, recalls(operands[0], k, racers))
