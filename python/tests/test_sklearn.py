"""annulus.sklearn: scikit-learn's own checks, its documentation's examples, and what stands on k-NN graphs."""

import inspect
import pickle

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

import sklearn.neighbors
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import annulus
from annulus.pynndescent import NNDescent, PyNNDescentTransformer
from annulus.sklearn import KNeighborsTransformer, NearestNeighbors
from brute_force import blobs, nearest, recall
from reference import need_rows


@parametrize_with_checks(
    [
        KNeighborsTransformer(),
        KNeighborsTransformer(mode="connectivity"),
        KNeighborsTransformer(algorithm="nndescent"),
        NearestNeighbors(),
        PyNNDescentTransformer(n_neighbors=5),
    ]
)
def test_checks_of_scikit_learn(estimator, check):
    if "sparse" in check.func.__name__:  # which no check is spared where the build takes such rows
        need_rows("sparse_float32")
    check(estimator)


@pytest.mark.parametrize("name", ["KNeighborsTransformer", "NearestNeighbors"])
def test_parameters_are_those_of_scikit_learn_and_two_more(name):
    ours = inspect.signature(globals()[name]).parameters
    theirs = inspect.signature(getattr(sklearn.neighbors, name)).parameters
    assert {key: p for key, p in ours.items() if key not in ("recall", "random_state")} == dict(theirs)


@pytest.mark.parametrize("name", ["kneighbors", "kneighbors_graph", "radius_neighbors", "radius_neighbors_graph"])
def test_methods_take_what_scikit_learns_take(name):
    ours, theirs = getattr(NearestNeighbors, name), getattr(sklearn.neighbors.NearestNeighbors, name)
    assert inspect.signature(ours) == inspect.signature(theirs)


# --- the examples of scikit-learn's documentation


def test_the_nearest_of_three_samples():
    found = NearestNeighbors(n_neighbors=1).fit([[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [1.0, 1.0, 0.5]])
    distances, ids = found.kneighbors([[1.0, 1.0, 1.0]])
    assert distances.tolist() == [[0.5]] and ids.tolist() == [[2]]


def test_samples_within_a_radius():
    near = NearestNeighbors(radius=1.6).fit([[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [1.0, 1.0, 0.5]])
    distances, ids = near.radius_neighbors([[1.0, 1.0, 1.0]])
    assert ids[0].tolist() == [2, 1]
    np.testing.assert_allclose(distances[0], [0.5, 1.5])


def test_the_graph_of_three_samples():
    X = [[0], [3], [1]]
    graph = NearestNeighbors(n_neighbors=2).fit(X).kneighbors_graph(X)
    assert graph.toarray().tolist() == [[1, 0, 1], [0, 1, 1], [1, 0, 1]]


def test_the_radius_graph_of_three_samples():
    X = [[0], [3], [1]]
    graph = NearestNeighbors(radius=1.5).fit(X).radius_neighbors_graph(X)
    assert graph.toarray().tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_a_transformer_of_the_wine_data():
    from sklearn.datasets import load_wine

    X = load_wine(return_X_y=True)[0]
    graph = KNeighborsTransformer(n_neighbors=5, mode="distance").fit_transform(X)
    assert graph.shape == (178, 178) and graph.nnz == 178 * 6


# --- beside scikit-learn


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", ["minkowski", "cosine", "manhattan", "chebyshev", "correlation", "seuclidean"])
def test_graphs_are_those_of_scikit_learn(metric, dtype, mode):
    X = blobs(400, 9).astype(dtype)
    options = dict(mode=mode, metric=metric, metric_params={"V": np.ones(9)} if metric == "seuclidean" else None)
    ours = KNeighborsTransformer(**options).fit(X[:350])
    theirs = sklearn.neighbors.KNeighborsTransformer(algorithm="brute", **options).fit(X[:350])
    for rows in (X[:350], X[350:]):
        found, expected = ours.transform(rows), theirs.transform(rows)
        np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-4, atol=2e-4)
        assert found.indptr.tolist() == expected.indptr.tolist()
    trained = KNeighborsTransformer(**options).fit_transform(X[:350])
    np.testing.assert_allclose(trained.toarray(), theirs.transform(X[:350]).toarray(), rtol=1e-4, atol=2e-4)
    assert trained.dtype == (dtype if mode == "distance" else trained.dtype)


@pytest.mark.parametrize(
    "metric, p, params",
    [("minkowski", 1, None), ("minkowski", 3, None), ("minkowski", np.inf, None), ("minkowski", 3, {"w": [1, 2, 3]}),
     ("mahalanobis", 2, None), ("haversine", 2, None), ("braycurtis", 2, None), ("canberra", 2, None)],
)
def test_metrics_with_parameters_are_those_of_scikit_learn(metric, p, params):
    X = np.abs(blobs(200, 2 if metric == "haversine" else 3)) / 3
    keywords = {}
    if metric == "mahalanobis":
        keywords = {"VI": np.linalg.inv(np.cov(X.T))}
    ours = NearestNeighbors(metric=metric, p=p, metric_params=params).fit(X)
    theirs = sklearn.neighbors.NearestNeighbors(
        metric=metric, p=p, metric_params=params or keywords or None, algorithm="brute"
    ).fit(X)
    np.testing.assert_allclose(ours.kneighbors()[0], theirs.kneighbors()[0], rtol=1e-4, atol=1e-5)


def test_callables_are_called_with_their_parameters():
    def scaled(x, y, scale):
        return float(scale * np.abs(x - y).sum())

    X = blobs(60, 3)
    with pytest.warns(annulus.SlowMetricWarning):
        ours = NearestNeighbors(metric=scaled, metric_params={"scale": 3.0}).fit(X).kneighbors()[0]
    np.testing.assert_allclose(ours, 3 * nearest(X, X, 6, "cityblock")[1][:, 1:], rtol=1e-4)


def test_sparse_data():
    need_rows("sparse_float32")
    from scipy.sparse import random

    X = random(300, 80, density=0.2, format="csr", random_state=1)
    ours = NearestNeighbors(metric="cosine").fit(X)
    theirs = sklearn.neighbors.NearestNeighbors(metric="cosine", algorithm="brute").fit(X)
    np.testing.assert_allclose(ours.kneighbors()[0], theirs.kneighbors()[0], atol=1e-5)
    np.testing.assert_allclose(ours.kneighbors(X[:9])[0], theirs.kneighbors(X[:9])[0], atol=1e-5)


def test_coordinates_far_from_zero_keep_their_differences():
    X = 1.6e9 + np.random.default_rng(0).uniform(0, 50, (300, 2))
    ours, theirs = NearestNeighbors().fit(X), sklearn.neighbors.NearestNeighbors().fit(X)
    np.testing.assert_allclose(ours.kneighbors()[0], theirs.kneighbors()[0], rtol=1e-3)
    np.testing.assert_allclose(ours.kneighbors(X[:9] + 1)[0], theirs.kneighbors(X[:9] + 1)[0], rtol=1e-3)


@pytest.mark.parametrize("radius", [0.5, 2.5, 100.0])
def test_all_within_a_radius_are_those_of_scikit_learn(radius):
    X = blobs(300, 3)
    ours = NearestNeighbors(radius=radius).fit(X)
    theirs = sklearn.neighbors.NearestNeighbors(radius=radius).fit(X)
    for queries in (None, X[:20] + 0.1):
        found, expected = ours.radius_neighbors(queries), theirs.radius_neighbors(queries, sort_results=True)
        assert [set(row) for row in found[1]] == [set(row) for row in expected[1]]
        np.testing.assert_allclose(np.concatenate(found[0]), np.concatenate(expected[0]), rtol=1e-4, atol=1e-5)
    graph = ours.radius_neighbors_graph(mode="distance")
    np.testing.assert_allclose(graph.toarray(), theirs.radius_neighbors_graph(mode="distance").toarray(), rtol=1e-4)


# --- large data: by graphs


@pytest.fixture(scope="module")
def many():
    return blobs(21_000, 16)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
def test_graphs_of_many_rows_reach_the_recall(many, mode):
    X, queries = many[:20_500], many[20_500:]
    transformer = KNeighborsTransformer(mode=mode, n_neighbors=10)
    graph = transformer.fit_transform(X)
    k = 11 if mode == "distance" else 10
    assert graph.shape == (20_500, 20_500) and graph.nnz == k * 20_500 and graph.dtype == np.float32
    ids = graph.indices.reshape(-1, k)
    assert (ids[:, 0] == np.arange(20_500)).all()
    sample = np.arange(0, 20_500, 97)
    exact_ids, exact = nearest(X, X[sample], k)
    found = np.linalg.norm((X[ids[sample]] - X[sample, None]).astype(np.float64), axis=2)
    assert recall(np.sort(found, axis=1), exact) > 0.985
    answers = transformer.transform(queries)
    found = np.linalg.norm((X[answers.indices.reshape(-1, k)] - queries[:, None]).astype(np.float64), axis=2)
    assert recall(np.sort(found, axis=1), nearest(X, queries, k)[1]) > 0.98


def test_all_within_a_radius_by_a_graph(many):
    ours = NearestNeighbors(radius=3.0, algorithm="nndescent").fit(many)
    found = ours.radius_neighbors(many[:50])[1]
    theirs = sklearn.neighbors.NearestNeighbors(radius=3.0, algorithm="brute").fit(many)
    expected = theirs.radius_neighbors(many[:50])[1]
    common = sum(len(set(a) & set(b)) for a, b in zip(found, expected))
    assert common > 0.97 * sum(map(len, expected))


def test_pickled_estimators_answer_alike(many):
    exact, graphs = NearestNeighbors(algorithm="brute"), NearestNeighbors(algorithm="nndescent")
    for estimator in (exact, graphs, KNeighborsTransformer(), PyNNDescentTransformer()):
        estimator.fit(many[:3000])
        again = pickle.loads(pickle.dumps(estimator))
        ask = "kneighbors_graph" if isinstance(estimator, NearestNeighbors) else "transform"
        assert (getattr(estimator, ask)(many[:30]) != getattr(again, ask)(many[:30])).nnz == 0


# --- arguments


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(metric="precomputed"), "sklearn.neighbors"),
        (dict(metric="euclidian"), "euclidean"),
        (dict(metric="minkowski", p=0.5), "p = 0.5"),
        (dict(algorithm="quick"), "algorithm"),
        (dict(recall=0), "recall"),
        (dict(n_neighbors=0), "n_neighbors"),
        (dict(n_neighbors=60), "n_neighbors <= n_samples_fit"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, words):
    X = blobs(50, 3)
    with pytest.raises(ValueError, match=words):
        NearestNeighbors(**arguments).fit(X).kneighbors(X)


def test_cloned_with_all_parameters():
    transformer = KNeighborsTransformer(mode="connectivity", n_neighbors=7, recall=0.9, random_state=3)
    assert clone(transformer).get_params() == transformer.get_params()


def test_names_of_columns():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(blobs(30, 2), columns=["x", "y"])
    transformer = KNeighborsTransformer().fit(X)
    assert transformer.feature_names_in_.tolist() == ["x", "y"]
    assert transformer.get_feature_names_out()[0] == "kneighborstransformer0"


# --- what stands on such graphs

TRANSFORMERS = [KNeighborsTransformer, PyNNDescentTransformer]


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_classification_in_a_pipeline(transformer):
    X, y = load_digits(return_X_y=True)
    model = make_pipeline(
        transformer(n_neighbors=10), sklearn.neighbors.KNeighborsClassifier(n_neighbors=10, metric="precomputed")
    )
    assert model.fit(X[:1500], y[:1500]).score(X[1500:], y[1500:]) > 0.93
    model.set_params(**{f"{transformer.__name__.lower()}__n_neighbors": 15})
    assert model.fit(X[:1500], y[:1500]).score(X[1500:], y[1500:]) > 0.93


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_isomap_as_in_the_documentation(transformer):
    from sklearn.manifold import Isomap

    X = load_digits().data[:500]
    embedded = make_pipeline(
        transformer(n_neighbors=20), Isomap(n_neighbors=20, metric="precomputed")
    ).fit_transform(X)
    assert embedded.shape == (500, 2) and np.isfinite(embedded).all()


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_tsne(transformer):
    from sklearn.manifold import TSNE

    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    embedded = make_pipeline(
        transformer(n_neighbors=30),
        TSNE(metric="precomputed", init="random", perplexity=8, max_iter=250, random_state=0),
    ).fit_transform(X)
    neighbours = nearest(embedded, embedded, 2)[0][:, 1]
    assert (y[neighbours] == y).mean() > 0.9


@pytest.mark.parametrize("transformer", TRANSFORMERS)
def test_spectral_clustering(transformer):
    from sklearn.cluster import SpectralClustering
    from sklearn.metrics import adjusted_rand_score

    X, y = make_blobs(500, centers=4, cluster_std=1.0, random_state=3)
    model = make_pipeline(
        transformer(n_neighbors=12),
        SpectralClustering(n_clusters=4, affinity="precomputed_nearest_neighbors", n_neighbors=10, random_state=0),
    )
    assert adjusted_rand_score(y, model.fit_predict(X)) > 0.9


def test_dbscan_on_the_radius_graph():
    from sklearn.cluster import DBSCAN

    X, _ = make_blobs(400, centers=3, cluster_std=0.6, random_state=1)
    graph = NearestNeighbors(radius=0.8).fit(X).radius_neighbors_graph(X, mode="distance")
    expected = DBSCAN(eps=0.8, min_samples=5).fit_predict(X)
    assert (DBSCAN(eps=0.8, min_samples=5, metric="precomputed").fit_predict(graph) == expected).all()


def connected(graph):
    """The graph with both directions of each edge and without zeros on the diagonal, in one component."""
    graph = graph.maximum(graph.T).tocsr()
    graph.setdiag(0)
    graph.eliminate_zeros()
    return graph


def test_hdbscan_of_scikit_learn():
    from sklearn.cluster import HDBSCAN
    from sklearn.metrics import adjusted_rand_score

    X, y = make_blobs(300, centers=3, cluster_std=0.7, random_state=2)
    graph = connected(KNeighborsTransformer(n_neighbors=299).fit_transform(X))
    labels = HDBSCAN(metric="precomputed", min_cluster_size=20, copy=True).fit_predict(graph)
    assert adjusted_rand_score(y, labels) > 0.9


def test_the_package_hdbscan():
    hdbscan = pytest.importorskip("hdbscan")
    from sklearn.metrics import adjusted_rand_score

    X, y = make_blobs(300, centers=3, cluster_std=0.7, random_state=2)
    graph = connected(KNeighborsTransformer(n_neighbors=150).fit_transform(X))
    model = hdbscan.HDBSCAN(metric="precomputed", min_cluster_size=20, max_dist=100.0)
    assert adjusted_rand_score(y, model.fit_predict(graph.astype(np.float64))) > 0.9


# --- UMAP


@pytest.fixture(scope="module")
def umap():
    return pytest.importorskip("umap")


def is_grouped_by(y, embedded):
    return (y[nearest(embedded, embedded, 2)[0][:, 1]] == y).mean() > 0.93


def test_umap_from_a_precomputed_graph(umap):
    X, y = load_digits(return_X_y=True)
    indices, distances = NNDescent(X, n_neighbors=15).neighbor_graph
    model = umap.UMAP(n_neighbors=15, precomputed_knn=(indices, distances), n_epochs=150, random_state=0)
    assert is_grouped_by(y, model.fit_transform(X))


def test_umap_as_the_end_of_a_pipeline(umap):
    from sklearn.preprocessing import FunctionTransformer

    X, y = load_digits(return_X_y=True)
    # UMAP refuses directed graphs.
    united = FunctionTransformer(lambda graph: graph.maximum(graph.T), accept_sparse=True)
    model = umap.UMAP(metric="precomputed", n_neighbors=15, n_epochs=150, random_state=0)
    embedded = make_pipeline(KNeighborsTransformer(n_neighbors=15), united, model).fit_transform(X)
    assert is_grouped_by(y, embedded)


def test_umap_whose_nndescent_is_this_one(umap, monkeypatch):
    """New rows too: fit builds the graph and transform queries the index."""
    import umap.umap_

    monkeypatch.setattr(umap.umap_, "NNDescent", NNDescent)
    X, y = blobs(5000, 20), np.arange(5000)
    model = umap.UMAP(n_neighbors=10, n_epochs=20, random_state=0).fit(X[:4500])
    assert isinstance(model._knn_search_index, NNDescent)
    assert model.transform(X[4500:]).shape == (500, 2)
    model.update(X[4500:])
    assert model.embedding_.shape == (5000, 2)


# --- scanpy


def test_used_as_scanpy_uses_a_transformer():
    """sc.pp.neighbors(adata, transformer=...) clones, sets n_neighbors and reads the matrix by rows."""
    X = load_iris().data
    transformer = clone(KNeighborsTransformer()).set_params(n_neighbors=14)
    distances = transformer.fit_transform(X)
    assert distances.format == "csr" and (np.diff(distances.indptr) == 15).all()
    distances.setdiag(0)
    distances.eliminate_zeros()
    assert (np.diff(distances.indptr) <= 14).all()


def test_scanpy_itself():
    scanpy = pytest.importorskip("scanpy")
    anndata = pytest.importorskip("anndata")
    adata = anndata.AnnData(load_iris().data)
    scanpy.pp.neighbors(adata, n_neighbors=15, transformer=KNeighborsTransformer(n_neighbors=15), use_rep="X")
    assert adata.obsp["distances"].shape == (150, 150)
