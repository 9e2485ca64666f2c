"""annulus.pynndescent, annulus.sklearn and annulus.lax beside the packages that they stand in for.

    taskset -c 1 python bench/python/graphs.py --data DIR [--records bench/records] [nndescent] [transformer] [top_k]

DIR holds images-784-fashion-mnist and text-384-debian, as bench/compare reads them. One process, one thread; each side
is warmed up (compiled) first, then measured in turns. Prints medians and how many times as long the other takes.
"""

import argparse
import os
import pathlib

os.environ.update({name: "1" for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")})
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np

from turns import Figures, in_turns, timed  # which adds the folder of datasets to the path

import annulus
from datasets import from_folder


def recall(distances, exact):
    return float((distances <= exact[:, -1:] * (1 + 1e-5) + 1e-6).mean())


def nndescent(figures, folder, rounds):
    import pynndescent

    from annulus.pynndescent import NNDescent

    for name, metric in (("images-784-fashion-mnist", "euclidean"), ("text-384-debian", "cosine")):
        data = from_folder(folder / name)[0]
        base, queries = data.base.astype(np.float32), data.queries[:1000].astype(np.float32)
        pynndescent.NNDescent(base[:5000], metric=metric, n_jobs=1, random_state=1).query(queries)  # compiles

        graphs = {
            "annulus": lambda: NNDescent(base, metric=metric, n_jobs=1, random_state=1),
            "pynndescent": lambda: pynndescent.NNDescent(base, metric=metric, n_jobs=1, random_state=1),
        }
        times, built = in_turns(graphs, rounds)
        sample = np.random.default_rng(0).choice(len(base), 1000, replace=False)
        exact = annulus.knn(base, base[sample], 30, metric, threads=1).distances
        quality = {side: f"recall {recall(i.neighbor_graph[1][sample], exact):.4f}" for side, i in built.items()}
        figures.add(f"{name}: NNDescent", times, quality)

        prepared = {side: timed(index.prepare)[0] for side, index in built.items()}
        figures.add(f"{name}: prepare", prepared)
        figures.add(f"{name}: both", {side: times[side] + prepared[side] for side in times})

        exact = annulus.knn(base, queries, 10, metric, threads=1).distances
        for epsilon in (0.0, 0.1, 0.2, 0.3):
            searches = {side: (lambda i=index: i.query(queries, 10, epsilon)) for side, index in built.items()}
            for search in searches.values():
                search()
            times_of, found = in_turns(searches, 9)
            quality = {side: f"recall {recall(f[1], exact):.4f}" for side, f in found.items()}
            figures.add(f"{name}: 1,000 queries, {epsilon}", times_of, quality)


def transformer(figures, folder, rounds):
    from sklearn.base import clone
    from sklearn.neighbors import KNeighborsTransformer as Reference
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    from annulus.sklearn import KNeighborsTransformer

    base = from_folder(folder / "text-384-debian")[0].base
    for k in (5, 15):
        calls = {
            "annulus": make_pipeline(Normalizer(), KNeighborsTransformer(n_neighbors=k, n_jobs=1)),
            "scikit-learn, brute force": make_pipeline(
                Normalizer(), Reference(n_neighbors=k, algorithm="brute", n_jobs=1)
            ),
        }
        times, found = in_turns({side: (lambda p=p: clone(p).fit_transform(base)) for side, p in calls.items()}, rounds)
        distances = {side: graph.data.reshape(len(base), -1) for side, graph in found.items()}
        exact = distances["scikit-learn, brute force"]
        quality = {side: f"recall {recall(d[:, 1:], exact[:, 1:] + 1e-4):.4f}" for side, d in distances.items()}
        figures.add(f"text-384-debian: pipeline, k = {k}", times, quality)


def top_k(figures, folder, rounds):
    import jax

    from annulus.lax import approx_min_k

    x = np.random.default_rng(0).standard_normal(10**6).astype(np.float32)
    on_device = jax.numpy.asarray(x)
    compiled = jax.jit(lambda operand: jax.lax.approx_min_k(operand, 10))

    def by_argpartition():
        nearest = np.argpartition(x, 10)[:10]
        return nearest[np.argsort(x[nearest])]

    others = {
        "numpy.argpartition": by_argpartition,
        "jax.lax.approx_min_k": lambda: jax.block_until_ready(compiled(on_device)),
    }
    for name, other in others.items():
        calls = {"annulus": lambda: approx_min_k(x, 10), name: other}
        for call in calls.values():
            call()
        times, _ = in_turns(calls, rounds, at_a_time=9)  # the operand in the caches, as behind what computed it
        figures.add("approx_min_k, n = 1e6, k = 10", times)
    small = np.zeros(16, np.float32)
    for _ in range(2):
        seconds, _ = timed(lambda: [approx_min_k(small, 1) for _ in range(100_000)])
    figures.add("approx_min_k, n = 16, k = 1", {"annulus": seconds / 100_000})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["nndescent", "transformer", "top_k"])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", metavar="FOLDER", help="adds the rows to the records there")
    arguments = parser.parse_args()
    for name in arguments.what:
        figures = Figures(f"python/{name}")
        globals()[name](figures, arguments.data, arguments.rounds)
        if arguments.records:
            figures.write(arguments.records, f"bench/python/graphs.py --data DIR {name}")
