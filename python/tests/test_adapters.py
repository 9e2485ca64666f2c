"""The harness adapters in bench/, in folders laid out as those of ann-benchmarks and big-ann-benchmarks."""

import importlib
import itertools
import json
import pathlib
import shutil
import sys

import numpy as np
import pytest

import annulus
from reference import has_rows, has_storage

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"

BASE_ANN = """
class BaseANN:
    def done(self): pass
    def get_memory_usage(self): raise NotImplementedError
    def get_additional(self): return {}
    def batch_query(self, X, n): self.res = [self.query(x, n) for x in X]
    def get_batch_results(self): return self.res
    def get_results(self): return self.res
    def __str__(self): return self.name
"""


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """A function that imports a module of the folder, and forgets it afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("ann_benchmarks", "benchmark", "neurips23"):
            del sys.modules[name]


def blobs(n, dim, seed=1):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((40, dim))
    return (centres[rng.integers(40, size=n)] + 0.3 * rng.standard_normal((n, dim))).astype(np.float32)


# ann-benchmarks.


@pytest.fixture
def algorithms(tmp_path, imported):
    """Its folder of algorithms, with ours in it."""
    folder = tmp_path / "ann_benchmarks" / "algorithms"
    for package in (folder.parent, folder, folder / "base", folder / "annulus"):
        write(package / "__init__.py")
    write(folder / "base" / "module.py", BASE_ANN)
    shutil.copy(BENCH / "ann_benchmarks" / "module.py", folder / "annulus")
    return folder


def definitions(point_type, metric, dimension):
    """(name, arguments, query arguments) of config.yml, combined as the harness combines them."""
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load((BENCH / "ann_benchmarks" / "config.yml").read_text())

    def combined(args):
        return [list(x) for x in itertools.product(*(a if isinstance(a, list) else [a] for a in args))]

    for algorithm in config[point_type][metric]:
        assert {"constructor", "module", "docker_tag", "name", "base_args"} <= set(algorithm)
        for group in algorithm["run_groups"].values():
            base = [{"@metric": metric, "@dimension": dimension}[arg] for arg in algorithm["base_args"]]
            queries = combined(group["query_args"]) if "query_args" in group else [[]]
            for args in combined(group["args"]):
                yield algorithm["name"], base + args, queries


def write_hdf5(path, rows, queries, metric):
    h5py = pytest.importorskip("h5py")
    truth = annulus.knn(rows, queries, 10, metric={"angular": "cosine"}.get(metric, metric))
    with h5py.File(path, "w") as file:
        file.attrs.update({"distance": metric, "dimension": rows.shape[1], "point_type": "float", "type": "dense"})
        file["train"], file["test"] = rows, queries
        file["neighbors"], file["distances"] = truth


@pytest.mark.parametrize("metric", ["euclidean", "angular"])
def test_every_configuration_of_floats_runs(algorithms, imported, tmp_path, metric):
    h5py = pytest.importorskip("h5py")
    write_hdf5(tmp_path / "data.hdf5", blobs(1200, 20), blobs(25, 20, seed=2), metric)
    with h5py.File(tmp_path / "data.hdf5") as file:
        rows, queries, truth = file["train"][:], file["test"][:], file["neighbors"][:]
    constructor = imported("ann_benchmarks.algorithms.annulus.module").Annulus
    names = set()
    for name, arguments, query_groups in definitions("float", metric, 20):
        if not has_storage(arguments[-1].get("storage", "full_precision")):
            continue
        algorithm = constructor(*json.loads(json.dumps(arguments)))
        before = algorithm.get_memory_usage()
        algorithm.fit(rows)
        assert algorithm.get_memory_usage() > before
        shares = []
        for group in query_groups:
            if group:
                algorithm.set_query_arguments(*group)
            assert str(algorithm) not in names
            names.add(str(algorithm))
            single = [algorithm.query(query, 10) for query in queries]
            algorithm.batch_query(queries, 10)
            for one, batch, near in zip(single, algorithm.get_batch_results(), truth):
                assert len(set(one)) == len(one) <= 10
                np.testing.assert_array_equal(one, batch)
            shares.append(np.mean([len(set(one) & set(near)) / 10 for one, near in zip(single, truth)]))
        assert shares[-1] > 0.97 and shares[0] <= shares[-1] + 0.02
        assert algorithm.get_additional() == {}
        algorithm.done()


@pytest.mark.skipif(not has_rows("uint8"), reason="built without bits")
def test_bits_run(algorithms, imported):
    rng = np.random.default_rng(3)
    rows = rng.random((800, 60)) < 0.5
    queries = rows[:20] ^ (rng.random((20, 60)) < 0.05)
    constructor = imported("ann_benchmarks.algorithms.annulus.module").Annulus
    for _, arguments, query_groups in definitions("bit", "hamming", 60):
        algorithm = constructor(*arguments)
        algorithm.fit(rows)
        algorithm.set_query_arguments(*query_groups[-1])
        assert np.mean([algorithm.query(query, 5)[0] == i for i, query in enumerate(queries)]) > 0.95


@pytest.mark.skipif(not has_rows("sparse_float32"), reason="built without sparse rows")
def test_sets_run(algorithms, imported):
    rng = np.random.default_rng(4)
    rows = [np.sort(rng.choice(200, size=rng.integers(5, 30), replace=False)) for _ in range(800)]
    constructor = imported("ann_benchmarks.algorithms.annulus.module").Annulus
    for _, arguments, query_groups in definitions("bit", "jaccard", 200):
        algorithm = constructor(*arguments)
        algorithm.fit(rows)
        algorithm.set_query_arguments(*query_groups[-1])
        assert np.mean([algorithm.query(rows[i], 5)[0] == i for i in range(20)]) > 0.95


# big-ann-benchmarks.

DATASETS = """
import numpy as np

class Dataset:
    def __init__(self, name, rows, queries, distance, tags=None, query_tags=None):
        self.name, self.rows, self.queries, self._distance = name, rows, queries, distance
        self.tags, self.query_tags, self.nb, self.d = tags, query_tags, rows.shape[0], rows.shape[1]
    def get_dataset(self): return self.rows
    def get_dataset_iterator(self, bs): return (self.rows[i : i + bs] for i in range(0, self.nb, bs))
    def get_queries(self): return self.queries
    def get_dataset_metadata(self): return self.tags
    def get_queries_metadata(self): return self.query_tags
    def search_type(self): return "knn" if self.tags is None else "knn_filtered"
    def distance(self): return self._distance
    def short_name(self): return self.name

DATASETS = {}
"""


@pytest.fixture
def big_ann(tmp_path, imported):
    """(its table of data sets, the class Dataset)."""
    for package in ("benchmark", "benchmark/algorithms", "neurips23"):
        write(tmp_path / package / "__init__.py")
    write(tmp_path / "benchmark" / "algorithms" / "base.py", BASE_ANN)
    write(tmp_path / "benchmark" / "datasets.py", DATASETS)
    for track, name in (("filter", "BaseFilterANN"), ("ood", "BaseOODANN"), ("sparse", "BaseSparseANN")):
        base = f"class {name}(BaseANN):\n    def track(self): return '{track}'\n"
        write(tmp_path / "neurips23" / track / "base.py", "from benchmark.algorithms.base import BaseANN\n" + base)
        shutil.copytree(BENCH / "big_ann" / track / "annulus", tmp_path / "neurips23" / track / "annulus")
    datasets = imported("benchmark.datasets")
    return datasets.DATASETS, datasets.Dataset


def big_ann_definitions(track, dataset, metric):
    """(class, arguments, query arguments) of a track's config.yaml, read as the harness reads it."""
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load((BENCH / "big_ann" / track / "annulus" / "config.yaml").read_text())
    algorithm = config[dataset]["annulus"]
    assert algorithm["docker-tag"] == f"neurips23-{track}-annulus"
    kind = getattr(importlib.import_module(algorithm["module"]), algorithm["constructor"])
    for group in algorithm["run-groups"].values():
        for build in json.loads(group["args"]):
            yield kind, [metric, build], json.loads(group["query-args"])


def share_found(ids, truth):
    return np.mean([len(set(found) & set(near)) / len(near) for found, near in zip(ids, truth)])


def test_the_ood_track(big_ann):
    datasets, Dataset = big_ann
    rows, queries = blobs(1500, 20), blobs(30, 20, seed=2)
    datasets["random-xs"] = lambda: Dataset("random-xs", rows, queries, "euclidean")
    truth = annulus.knn(rows, queries, 10).ids
    for kind, arguments, query_groups in big_ann_definitions("ood", "random-xs", "euclidean"):
        algorithm = kind(*arguments)
        assert algorithm.track() == "ood" and not algorithm.load_index("random-xs")
        algorithm.fit("random-xs")
        algorithm.set_query_arguments(query_groups[-1])
        algorithm.query(queries, 10)
        assert algorithm.get_results().shape == (30, 10) and share_found(algorithm.get_results(), truth) > 0.95
        again = kind(*arguments)
        assert again.load_index("random-xs") and again.get_memory_usage() > 0
        again.set_query_arguments(query_groups[-1])
        again.query(queries, 10)
        np.testing.assert_array_equal(again.get_results(), algorithm.get_results())
        folder, prefix, parts = again.index_files_to_store("random-xs")
        assert all(pathlib.Path(folder, prefix + part).exists() for part in parts)
        assert "beam" in str(again)


@pytest.mark.skipif(not has_rows("sparse_float32"), reason="built without sparse rows")
def test_the_sparse_track(big_ann):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    datasets, Dataset = big_ann
    rows = scipy_sparse.random(900, 300, 0.05, "csr", dtype=np.float32, random_state=1)
    queries = scipy_sparse.random(20, 300, 0.05, "csr", dtype=np.float32, random_state=2)
    datasets["sparse-small"] = lambda: Dataset("sparse-small", rows, queries, "ip")
    products = (queries @ rows.T).toarray()
    tenth = np.sort(products, axis=1)[:, -10]
    for kind, arguments, query_groups in big_ann_definitions("sparse", "sparse-small", "ip"):
        algorithm = kind(*arguments)
        assert algorithm.track() == "sparse"
        if not algorithm.load_index("sparse-small"):
            algorithm.fit("sparse-small")
        algorithm.set_query_arguments(query_groups[-1])
        algorithm.query(queries, 10)
        found = np.take_along_axis(products, algorithm.get_results().astype(np.int64), axis=1)
        share = (found >= tenth[:, None] - 1e-6).mean()
        assert share == 1 if arguments[1].get("exact") else share > 0.8
        assert algorithm.get_memory_usage() > 0


def tagged(n, n_tags, seed):
    """Tags of rows: the first is common, the last rare."""
    scipy_sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(seed)
    has = rng.random((n, n_tags)) < np.geomspace(0.6, 0.01, n_tags)
    return scipy_sparse.csr_matrix(has.astype(np.float32))


def test_the_filter_track(big_ann):
    scipy_sparse = pytest.importorskip("scipy.sparse")
    datasets, Dataset = big_ann
    rows, queries = blobs(2000, 16), blobs(40, 16, seed=2)
    tags = tagged(2000, 12, 3)
    rng = np.random.default_rng(5)
    wanted = np.zeros((40, 12), np.float32)
    for of_query in wanted:
        of_query[rng.choice(8, size=rng.integers(1, 3), replace=False)] = 1
    wanted[0] = [1] * 12  # of which there is no row
    wanted = scipy_sparse.csr_matrix(wanted)
    datasets["random-filter-s"] = lambda: Dataset("random-filter-s", rows, queries, "euclidean", tags, wanted)
    allowed = (tags @ wanted.T).toarray() == wanted.sum(axis=1).A1
    for kind, arguments, query_groups in big_ann_definitions("filter", "random-filter-s", "euclidean"):
        algorithm = kind(*arguments)
        algorithm.fit("random-filter-s")
        assert algorithm.track() == "filter"
        by_graph, exactly = {"beam": 200, "exact_below": 0}, {"exact_below": 10_000}
        for search, least in ((by_graph, 0.9), (exactly, 1.0), *((group, 0.5) for group in query_groups)):
            algorithm.set_query_arguments(search)
            algorithm.filtered_query(queries, wanted, 10)
            shares = []
            for i, found in enumerate(algorithm.get_results()):
                found = found[found >= 0]
                assert allowed[found, i].all()
                distances = np.where(allowed[:, i], np.linalg.norm(rows - queries[i], axis=1), np.inf)
                near = np.argsort(distances)[: min(10, allowed[:, i].sum())]
                shares.append(len(set(found) & set(near)) / len(near) if len(near) else 1)
            assert np.mean(shares) >= least - 1e-9
            assert (algorithm.get_results()[0] == -1).all()
        again = kind(*arguments)
        assert again.load_index("random-filter-s")


def test_every_dataset_is_configured_soundly(big_ann):
    yaml = pytest.importorskip("yaml")
    for track in ("filter", "ood", "sparse"):
        config = yaml.safe_load((BENCH / "big_ann" / track / "annulus" / "config.yaml").read_text())
        for dataset in config:
            for kind, (metric, build), query_groups in big_ann_definitions(track, dataset, "euclidean"):
                algorithm = kind(metric, build)
                for query_group in query_groups:
                    algorithm.set_query_arguments(query_group)
