"""annulus.pynndescent: what pynndescent's users write, side by side with pynndescent where it is installed."""

import inspect
import pickle
import warnings

import numpy as np
import pytest

import annulus
from annulus.pynndescent import NNDescent
from brute_force import blobs, nearest, recall
from reference import has_rows, has_storage

scipy_sparse = pytest.importorskip("scipy.sparse")


# --- signatures


@pytest.fixture(scope="module")
def reference():
    return pytest.importorskip("pynndescent")


@pytest.mark.parametrize("name", ["__init__", "prepare", "query", "query_indices", "update", "compress_index"])
def test_signatures_are_those_of_the_reference(reference, name):
    ours, theirs = getattr(NNDescent, name), getattr(reference.NNDescent, name)
    assert inspect.signature(ours) == inspect.signature(theirs)


def test_the_transformer_has_the_parameters_of_the_reference(reference):
    from annulus.pynndescent import PyNNDescentTransformer

    for name in ("__init__", "transform", "fit_transform"):
        ours, theirs = getattr(PyNNDescentTransformer, name), getattr(reference.PyNNDescentTransformer, name)
        assert inspect.signature(ours) == inspect.signature(theirs)


# --- as the documentation of the reference uses it


def test_how_to_use_it():
    data = blobs(2000, 20)
    index = NNDescent(data)
    index.prepare()
    indices, distances = index.query(data[:100] + 0.01, k=5)
    assert indices.shape == distances.shape == (100, 5)
    assert (indices[:, 0] == np.arange(100)).mean() > 0.9


def test_the_graph_of_a_training_set_and_queries_of_a_test_set():
    train, test = blobs(3000, 25)[:2700], blobs(3000, 25)[2700:]
    index = NNDescent(train, n_neighbors=15, metric="euclidean")
    graph_indices, graph_distances = index.neighbor_graph
    assert graph_indices.shape == graph_distances.shape == (2700, 15)
    indices, distances = index.query(test, k=15, epsilon=0.2)
    assert recall(distances, nearest(train, test, 15)[1]) > 0.97


def test_a_metric_written_with_numba_and_its_arguments():
    numba = pytest.importorskip("numba")

    @numba.njit(fastmath=True)
    def scaled_manhattan(x, y, scale):
        result = 0.0
        for i in range(x.shape[0]):
            result += abs(x[i] - y[i])
        return scale * result

    data = blobs(1500, 8)
    index = NNDescent(data, metric=scaled_manhattan, metric_kwds={"scale": 2.0}, n_neighbors=10)
    _, expected = nearest(data, data, 10, "cityblock")
    indices, distances = index.neighbor_graph
    assert recall(distances, 2 * expected) > 0.97
    found, distances = index.query(data[:50], k=3)
    assert (found[:, 0] == np.arange(50)).mean() > 0.95
    np.testing.assert_allclose(distances[:, 1], 2 * expected[:50, 1], rtol=1e-4, atol=1e-5)


# --- the graph


def test_each_row_comes_first_in_its_list():
    data = blobs(500, 10)
    indices, distances = NNDescent(data, n_neighbors=12).neighbor_graph
    assert indices.dtype == np.int32 and distances.dtype == np.float32
    assert (indices[:, 0] == np.arange(500)).all() and (distances[:, 0] == 0).all()
    assert (np.diff(distances, axis=1) >= 0).all()
    assert all(len(set(row)) == 12 for row in indices)


def test_equal_rows_come_first_in_their_own_lists_too():
    data = np.repeat(blobs(60, 4), 8, axis=0)
    indices, distances = NNDescent(data, n_neighbors=5).neighbor_graph
    assert (indices[:, 0] == np.arange(480)).all()
    assert (distances == 0).all()


DISTRIBUTIONS = "hellinger jensen_shannon symmetric_kl wasserstein_1d circular_kantorovich braycurtis".split()
VALUES = "euclidean manhattan chebyshev canberra cosine correlation inner_product".split()
SETS = "jaccard dice matching hamming kulsinski rogerstanimoto russellrao sokalsneath sokalmichener yule".split()


def rows_for(metric, n, d):
    rng = np.random.default_rng(3)
    if metric in SETS:
        centres = rng.random((12, d)) < 0.4
        return (centres[rng.integers(12, size=n)] ^ (rng.random((n, d)) < 0.1)).astype(np.float32)
    rows = blobs(n, d)
    return np.abs(rows) + np.float32(0.01) if metric in DISTRIBUTIONS else rows


def exact_others(data, k, metric):
    found = annulus.knn(data, data, k + 1, metric)
    is_other = found.ids != np.arange(len(data))[:, None]
    is_other[is_other.all(axis=1), -1] = False
    return found.distances[is_other].reshape(-1, k)


@pytest.mark.parametrize("metric", VALUES + DISTRIBUTIONS + SETS)
def test_graphs_and_queries_find_what_exact_search_finds(metric):
    data = rows_for(metric, 1200, 24)
    index = NNDescent(data[:1100], metric=metric, n_neighbors=11)
    indices, distances = index.neighbor_graph
    assert recall(distances[:, 1:], exact_others(data[:1100], 10, metric)) > 0.95
    _, found = index.query(data[1100:], k=10, epsilon=0.2)
    assert recall(found, annulus.knn(data[:1100], data[1100:], 10, metric).distances) > 0.93


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan", "correlation", "hellinger", "jaccard", "dot"])
def test_distances_are_those_of_the_reference(reference, metric):
    data = rows_for(metric, 400, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = reference.NNDescent(data, metric=metric, n_neighbors=8, random_state=1)
    ours = NNDescent(data, metric=metric, n_neighbors=8, random_state=1)
    expected, found = theirs.neighbor_graph[1], ours.neighbor_graph[1]
    is_same = np.isclose(found, expected, rtol=1e-3, atol=1e-4)
    assert is_same.mean() > 0.97
    assert (found.sum(axis=1) <= expected.sum(axis=1) * (1 + 1e-3) + 1e-3).mean() > 0.97


@pytest.mark.parametrize(
    "metric, keywords, exact",
    [
        ("minkowski", {"p": 3}, {"p": 3}),
        ("seuclidean", {"sigma": np.linspace(1, 3, 6)}, {"variance": np.linspace(1, 3, 6)}),
        ("wminkowski", {"w": np.linspace(1, 2, 6), "p": 3}, {"w": np.linspace(1, 2, 6), "p": 3}),
        ("mahalanobis", {"vinv": np.diag(np.linspace(1, 2, 6))}, {"vinv": np.diag(np.linspace(1, 2, 6))}),
        ("mahalanobis", {"anything": np.eye(6)}, {"vinv": np.eye(6)}),  # by position
    ],
)
def test_keywords_of_metrics(metric, keywords, exact):
    data = blobs(600, 6)
    _, distances = NNDescent(data, metric=metric, metric_kwds=keywords, n_neighbors=8).neighbor_graph
    assert recall(distances, annulus.knn(data, data, 8, metric, **exact).distances) > 0.97


@pytest.mark.skipif(not has_rows("uint8"), reason="built without bits")
def test_packed_bits():
    rng = np.random.default_rng(0)
    centres = rng.integers(256, size=(20, 16), dtype=np.uint8)
    data = centres[rng.integers(20, size=1500)] ^ np.packbits(rng.random((1500, 128)) < 0.05, axis=1)
    index = NNDescent(data, metric="bit_hamming", n_neighbors=10)
    bits = np.unpackbits(data, axis=1).astype(np.float32)
    _, expected = nearest(bits, bits, 10, "cityblock")
    assert recall(index.neighbor_graph[1], expected) > 0.95
    assert (index.query(data[:40], k=1)[0][:, 0] == np.arange(40)).mean() > 0.9


@pytest.mark.skipif(not has_rows("sparse_float32"), reason="built without sparse rows")
def test_sparse_rows_are_found_as_dense_ones():
    sparse = scipy_sparse.random(1500, 200, density=0.1, format="csr", random_state=4, dtype=np.float64)
    index = NNDescent(sparse, metric="cosine", n_neighbors=10)
    dense = sparse.toarray()
    assert recall(index.neighbor_graph[1], nearest(dense, dense, 10, "cosine")[1]) > 0.9
    indices, distances = index.query(sparse[:30], k=5)
    assert (indices[:, 0] == np.arange(30)).mean() > 0.9


@pytest.mark.parametrize("as_given", [np.asfortranarray, lambda x: x.astype(np.float64), lambda x: x.tolist()])
def test_data_of_other_kinds_give_the_same_graph(as_given):
    data = blobs(300, 7)
    expected = NNDescent(data, n_neighbors=6).neighbor_graph[0]
    assert (NNDescent(as_given(data), n_neighbors=6).neighbor_graph[0] == expected).all()


def test_the_same_seed_gives_the_same_graph_for_any_number_of_threads():
    data = blobs(3000, 30)
    graphs = [NNDescent(data, random_state=7, n_jobs=jobs).neighbor_graph[0] for jobs in (1, 2, -1)]
    assert (graphs[0] == graphs[1]).all() and (graphs[0] == graphs[2]).all()


def test_seeds_come_from_all_kinds_of_generators():
    data = blobs(300, 5)
    for state in (3, np.random.RandomState(3), np.random.default_rng(3), np.random, None):
        NNDescent(data, random_state=state)
    with pytest.raises(ValueError, match="random_state"):
        NNDescent(data, random_state="three")


def test_too_few_rows_pad_the_lists():
    with pytest.warns(UserWarning, match="n_neighbors = 10"):
        index = NNDescent(blobs(4, 3), n_neighbors=10)
    indices, distances = index.neighbor_graph
    assert (indices[:, 4:] == -1).all() and np.isinf(distances[:, 4:]).all()
    assert sorted(indices[0, :4]) == [0, 1, 2, 3]


@pytest.mark.parametrize("arguments", [dict(tree_init=False), dict(n_trees=0), dict(n_trees=1, leaf_size=20)])
def test_searches_do_not_suffer_from_a_graph_without_trees(arguments):
    data = blobs(2100, 20)
    index = NNDescent(data[:2000], n_neighbors=15, **arguments)
    assert recall(index.neighbor_graph[1], nearest(data[:2000], data[:2000], 15)[1]) > 0.9
    assert recall(index.query(data[2000:], k=10)[1], nearest(data[:2000], data[2000:], 10)[1]) > 0.95


# --- queries


def test_epsilon_trades_time_for_recall():
    data = np.random.default_rng(1).standard_normal((6000, 40)).astype(np.float32)
    index = NNDescent(data[:5800], n_neighbors=15)
    _, exact = nearest(data[:5800], data[5800:], 10)
    found = [recall(index.query(data[5800:], k=10, epsilon=e)[1], exact) for e in (0.0, 0.1, 0.3)]
    assert found[0] <= found[1] <= found[2] and found[2] > found[0]


def test_only_indices():
    data = blobs(800, 10)
    index = NNDescent(data)
    indices, _ = index.query(data[:20], k=4)
    assert (index.query(data[:20], k=4, return_distances=False) == indices).all()
    assert (index.query_indices(data[:20], k=4) == indices).all()


@pytest.mark.parametrize("quantization", ["int8", "uint8", "uint4", "binary"])
def test_quantizations_rank_exactly_in_the_end(quantization):
    if "int8" in quantization and not has_storage("sq8"):
        pytest.skip("built without sq8")
    data = blobs(2500, 32)
    index = NNDescent(data[:2400], metric="cosine", quantization=quantization)
    _, exact = nearest(data[:2400], data[2400:], 10, "cosine")
    assert recall(index.query(data[2400:], k=10, candidate_width=80)[1], exact) > 0.97
    with pytest.raises(ValueError, match="candidate_width"):
        index.query(data[2400:], k=10, candidate_width=5)


# --- changes


@pytest.mark.parametrize("is_prepared", [False, True])
def test_update_appends_and_replaces(is_prepared):
    data, fresh, updated = np.split(blobs(2300, 12), [2000, 2200])
    index = NNDescent(data.copy(), n_neighbors=10)
    if is_prepared:
        index.prepare()
    index.update(xs_fresh=fresh, xs_updated=updated, updated_indices=range(100))
    rows = np.vstack([updated, data[100:], fresh])
    indices, distances = index.query(rows, k=1)
    assert (indices[:, 0] == np.arange(2200)).mean() > 0.97
    indices, distances = index.neighbor_graph
    assert indices.shape == (2200, 10) and (indices[:, 0] == np.arange(2200)).all()
    assert recall(distances, nearest(rows, rows, 10)[1]) > 0.95


def test_update_leaves_the_data_of_the_caller_alone():
    data = blobs(300, 4)
    before = data.copy()
    NNDescent(data).update(xs_updated=data[:3] + 1, updated_indices=[5, 6, 7])
    assert (data == before).all()


@pytest.mark.skipif(not has_rows("sparse_float32"), reason="built without sparse rows")
def test_update_of_sparse_rows():
    sparse = scipy_sparse.random(700, 60, density=0.2, format="csr", random_state=2, dtype=np.float32)
    index = NNDescent(sparse[:600], metric="cosine", n_neighbors=8)
    index.update(xs_fresh=sparse[600:])
    indices, _ = index.query(sparse[600:], k=1)
    assert (indices[:, 0] == np.arange(600, 700)).mean() > 0.9


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(xs_updated=np.zeros((2, 3))), "updated_indices"),
        (dict(xs_updated=np.zeros((2, 3)), updated_indices=[1]), "as many"),
        (dict(xs_updated=np.zeros((2, 3)), updated_indices=["a", "b"]), "integers"),
        (dict(xs_updated=np.zeros((1, 3)), updated_indices=[40]), "40"),
        (dict(xs_updated=np.full((1, 3), np.nan), updated_indices=[4]), "xs_updated contains NaN"),
        (dict(xs_fresh=np.full((1, 3), np.inf)), "xs_fresh contains NaN or infinity"),
        (dict(xs_fresh=np.zeros((2, 4))), "xs_fresh has 4 features: must have 3"),
    ],
)
@pytest.mark.parametrize("is_prepared", [False, True])
def test_update_refuses(arguments, words, is_prepared):
    data = blobs(40, 3)
    index = NNDescent(data)
    if is_prepared:
        index.prepare()
    with pytest.raises(ValueError, match=words):
        index.update(**arguments)
    assert len(index.neighbor_graph[0]) == 40
    assert (index.query(data, k=1)[0][:, 0] == np.arange(40)).all()


def test_update_says_that_it_ignores_indices_alone():
    with pytest.warns(UserWarning, match="ignored"):
        NNDescent(blobs(40, 3)).update(updated_indices=[1])


# --- compressing, pickling


def test_a_compressed_index_answers_but_has_no_graph():
    data = blobs(1000, 10)
    index = NNDescent(data)
    expected = index.query(data[:20], k=5)[0]
    index.compress_index()
    with pytest.warns(UserWarning, match="compressed"):
        assert index.neighbor_graph is None
    assert (index.query(data[:20], k=5)[0] == expected).all()


@pytest.mark.parametrize("is_compressed", [False, True])
def test_pickled_indexes_answer_alike(is_compressed):
    data = blobs(1000, 10)
    index = NNDescent(data, metric="cosine")
    graph = index.neighbor_graph
    if is_compressed:
        index.compress_index()
    again = pickle.loads(pickle.dumps(index))
    for ours, theirs in zip(index.query(data[:20], k=5), again.query(data[:20], k=5)):
        np.testing.assert_array_equal(ours, theirs)
    if not is_compressed:
        np.testing.assert_array_equal(graph[0], again.neighbor_graph[0])


def test_initial_graph_is_where_the_descent_starts():
    data = blobs(500, 8)
    exact = annulus.knn(data, data, 10)
    found = NNDescent(data, n_neighbors=10, init_graph=exact.ids, init_dist=exact.distances, n_iters=1).neighbor_graph
    assert annulus.recall(annulus.Neighbors(*found), exact) == 1


# --- errors


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(metric="euclidian"), "euclidean"),
        (dict(n_jobs=0), "n_jobs"),
        (dict(search_tree_leaf_budget=0), "search_tree_leaf_budget"),
        (dict(diversify_method="none"), "diversify_method"),
        (dict(quantization="int4"), "quantization"),
        (dict(n_neighbors=0), "n_neighbors"),
        (dict(metric=None), "metric = None: must be a name or a callable"),
        (dict(metric_kwds={"p": 2}), "metric_kwds"),
        (dict(init_graph=np.zeros((3, 2), int)), "init_graph"),
        (dict(init_graph=np.zeros((50, 2), int), init_dist=np.zeros((50, 3))), "init_dist"),
        (dict(metric=lambda x, y: 0.0, bit_metric=True), "bit_metric"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, words):
    with pytest.raises(ValueError, match=words):
        NNDescent(blobs(50, 3), **arguments)


def test_rows_with_nan_are_named():
    data = blobs(50, 3).copy()
    data[17, 2] = np.nan
    with pytest.raises(ValueError, match="17"):
        NNDescent(data)


def test_queries_of_another_width_are_refused():
    index = NNDescent(blobs(50, 3))
    with pytest.raises(ValueError):
        index.query(np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError):
        index.query(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="pre_normalized"):
        index.query(np.zeros((1, 3), np.float32), pre_normalized=True)


def test_n_search_trees_warns_as_in_the_reference():
    with pytest.warns(FutureWarning, match="n_search_trees"):
        NNDescent(blobs(50, 3), n_search_trees=2)
