"""Indexes and functions against brute force."""

import threading

import numpy
import pytest
from reference import check_nearest, has_storage

import annulus


def test_named_tuples_of_arrays_that_own_their_memory(rows):
    found = annulus.knn(rows, rows[:3], 2)
    ids, distances = found
    assert ids is found.ids and distances is found.distances
    assert ids.dtype == numpy.int32 and distances.dtype == numpy.float32
    assert ids.flags.owndata and distances.flags.owndata and ids.flags.writeable
    assert memoryview(distances).shape == (3, 2)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "manhattan", "chebyshev", "cosine", "inner_product"])
def test_exact_search(rows, metric):
    check_nearest(annulus.knn(rows, rows[:20], 7, metric=metric), rows, rows[:20], metric)
    index = annulus.FlatIndex(rows, metric=metric)
    check_nearest(index.search(rows[:20], 7), rows, rows[:20], metric)
    assert index.metric == metric and index.kind == "flat" and len(index) == index.size == 200 and index.dim == 16


def test_parameters_of_metrics(rows):
    by_p = annulus.knn(rows, rows[:5], 4, metric="minkowski", p=3)
    exact = (numpy.abs(rows[:5, None] - rows[None]).astype(float) ** 3).sum(-1) ** (1 / 3)
    numpy.testing.assert_allclose(by_p.distances, numpy.sort(exact, axis=1)[:, :4], rtol=1e-4, atol=1e-6)
    variance = rows.var(axis=0)
    found = annulus.knn(rows, rows[:5], 4, metric="seuclidean", variance=variance)
    exact = numpy.sqrt(((rows[:5, None] - rows[None]).astype(float) ** 2 / variance).sum(-1))
    numpy.testing.assert_allclose(found.distances, numpy.sort(exact, axis=1)[:, :4], rtol=1e-4, atol=1e-3)
    vinv = numpy.linalg.inv(numpy.cov(rows.T))
    found = annulus.FlatIndex(rows, metric="mahalanobis", vinv=vinv).search(rows[:5], 4)
    difference = (rows[:5, None] - rows[None]).astype(float)
    exact = numpy.sqrt(numpy.maximum(numpy.einsum("ijk,kl,ijl->ij", difference, vinv, difference), 0))
    numpy.testing.assert_allclose(found.distances, numpy.sort(exact, axis=1)[:, :4], rtol=1e-3, atol=2e-3)


def test_results_of_few_rows_are_padded(rows):
    check_nearest(annulus.knn(rows[:3], rows[:5], 6), rows[:3], rows[:5])
    check_nearest(annulus.NNDescentIndex(rows[:3], n_neighbors=2).search(rows[:5], 6), rows[:3], rows[:5])


def _indexes(rows):
    yield annulus.FlatIndex(rows), 1.0
    yield annulus.NNDescentIndex(rows, n_neighbors=15), 0.9
    yield annulus.LSHIndex(rows, family="p_stable_l2", n_projections=4, n_tables=20), 0.5
    yield annulus.PQIndex(rows, m=8, ks=64), 0.5
    yield annulus.OPQIndex(rows, m=8, ks=64), 0.5
    yield annulus.FastScanIndex(rows, m=8, ks=16), 0.4
    yield annulus.RaBitQIndex(rows, bits=4), 0.5
    if has_storage("sq8"):
        yield annulus.NNDescentIndex(rows, n_neighbors=15, storage="sq8"), 0.9


def test_every_kind_searches_and_describes_itself(rows):
    exact = annulus.knn(rows, rows[:40], 5)
    for index, least in _indexes(rows):
        found = index.search(rows[:40], 5)
        assert annulus.recall_by_id(found, exact) >= least, index
        assert type(index).__name__ in repr(index) and "200 x 16" in repr(index)
        assert index.size == 200 and index.dim == 16 and index.memory_bytes > 0
        assert index.info("kind") == index.kind and index.info("nothing") is None
        assert index.search(rows[5], 5).ids.shape == (5,)


def test_threads_and_batches_do_not_change_answers(rows):
    for index, _ in _indexes(rows):
        one = index.search(rows, 5, threads=1)
        two = index.search(rows, 5, threads=2)
        assert (one.ids == two.ids).all() and (one.distances == two.distances).all()
        assert (index.search(rows[7], 5).ids == one.ids[7]).all()


def test_long_batches_of_graphs_go_in_pieces(random):
    data = random.normal(size=(4000, 8)).astype(numpy.float32)
    index = annulus.NNDescentIndex(data, n_neighbors=10)
    whole = index.search(data, 3)
    assert (whole.ids[:, 0] == numpy.arange(4000)).mean() > 0.99
    for begin in (0, 511, 512, 3990):
        assert (index.search(data[begin : begin + 10], 3).ids == whole.ids[begin : begin + 10]).all()
    strided = numpy.repeat(data, 2, axis=1)[::-1, ::2]
    assert (index.search(strided, 3).ids == whole.ids[::-1]).all()


def test_searches_of_threads_of_python(rows):
    index = annulus.NNDescentIndex(rows, n_neighbors=15)
    expected = index.search(rows, 5)
    results = [None] * 8

    def run(i):
        for _ in range(20):
            results[i] = index.search(rows, 5, threads=1)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert all((found.ids == expected.ids).all() for found in results)


def test_changes_beside_searches_wait(rows):
    index = annulus.NNDescentIndex(rows[:100], n_neighbors=15)
    done = threading.Event()
    failures = []

    def search():
        while not done.is_set():
            found = index.search(rows[:10], 3)
            if not (found.ids >= 0).all():
                failures.append(found)

    threads = [threading.Thread(target=search) for _ in range(3)]
    [thread.start() for thread in threads]
    for row in rows[100:150]:
        index.insert(row)
    for i in range(100, 120):
        index.erase(i)
    done.set()
    [thread.join() for thread in threads]
    assert not failures and len(index) == 130


FILTERS = {
    "bools": lambda allowed: allowed,
    "ids": numpy.flatnonzero,
    "list": lambda allowed: numpy.flatnonzero(allowed).tolist(),
    "set": lambda allowed: set(numpy.flatnonzero(allowed).tolist()),
    "function": lambda allowed: lambda i: allowed[i],
}


@pytest.mark.parametrize("kind", FILTERS)
def test_filters(rows, random, kind):
    allowed = random.random(200) < 0.3
    passing = numpy.flatnonzero(allowed)
    given = FILTERS[kind](allowed)
    expected = annulus.knn(rows[allowed], rows[:30], 5)
    flat = annulus.FlatIndex(rows)
    for found in (annulus.knn(rows, rows[:30], 5, filter=given), flat.search(rows[:30], 5, filter=given)):
        assert (found.ids == passing[expected.ids]).all()
    graph = annulus.NNDescentIndex(rows, n_neighbors=15).search(rows[:30], 5, filter=given)
    assert allowed[graph.ids[graph.ids >= 0]].all()


def test_filters_of_ctypes(rows):
    import ctypes

    allow = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)(lambda user, i: i % 2)
    assert (annulus.FlatIndex(rows).search(rows, 5, filter=allow).ids % 2 == 1).all()


def test_filters_that_do_not_fit(rows):
    index = annulus.FlatIndex(rows)
    assert (index.search(rows[:2], 3, filter=[]).ids == -1).all()
    with pytest.raises(ValueError, match="199 bools; must have one for each of the 200"):
        index.search(rows[:2], 3, filter=numpy.ones(199, bool))
    for number in (5, numpy.int64(5), True):
        with pytest.raises(TypeError, match="filter: .* must be ids, a bool for each row, or a function"):
            index.search(rows[:2], 3, filter=number)
    with pytest.raises(ValueError, match="id -4"):
        index.search(rows[:2], 3, filter=[-4])
    with pytest.raises(TypeError, match="float64"):
        index.search(rows[:2], 3, filter=[0.5])
    with pytest.raises(ZeroDivisionError):
        index.search(rows[:2], 3, filter=lambda i: 1 / 0)


def test_names_that_c_would_read_otherwise_are_refused(rows):
    for metric in ("cosine\0", "\ud800"):
        for call in (
            lambda: annulus.knn(rows, rows, 1, metric=metric),
            lambda: annulus.FlatIndex(rows, metric=metric),
            lambda: annulus.NNDescentIndex(rows, storage=metric),
        ):
            with pytest.raises(ValueError, match="has a zero in its text|surrogates not allowed"):
                call()


def test_ids_that_are_none(rows):
    index = annulus.NNDescentIndex(rows, n_neighbors=10)
    for number in (-1, 200, 2**32 - 1, 2**40):
        for call in (lambda: index.erase(number), lambda: index.update(number, rows[0])):
            with pytest.raises(ValueError, match=f"id = {number}: is not in the index"):
                call()
    index.erase(numpy.int32(3))
    index.update(numpy.int64(4), rows[3])
    assert index.search(rows[3], 1).ids[0] == 4


def test_the_kind_of_a_class_is_no_parameter(rows):
    for cls in (annulus.FlatIndex, annulus.NNDescentIndex):
        with pytest.raises(TypeError, match="unexpected keyword argument 'kind'"):
            cls(rows, kind="lsh")


def test_graphs(rows):
    graph = annulus.build_knn_graph(rows, 10)
    exact = annulus.knn(rows, rows, 11)
    assert (graph.ids != numpy.arange(200)[:, None]).all()
    assert annulus.recall(graph, annulus.Neighbors(exact.ids[:, 1:], exact.distances[:, 1:])) > 0.95
    same = annulus.build_knn_graph(rows, 10, threads=2)
    assert (graph.ids == same.ids).all() and (graph.distances == same.distances).all()
    with_self = annulus.build_knn_graph(rows, 10, include_self=True)
    assert (with_self.ids[:, 0] == numpy.arange(200)).all() and (with_self.distances[:, 0] == 0).all()
    of_index = annulus.NNDescentIndex(rows, n_neighbors=10).graph()
    assert of_index.ids.shape == (200, 10) and (of_index.ids == graph.ids).all()
    padded = annulus.build_knn_graph(rows[:4], 10)
    assert (padded.ids[:, 3:] == -1).all() and numpy.isinf(padded.distances[:, 3:]).all()


def test_graphs_from_graphs(rows):
    graph = annulus.build_knn_graph(rows, 10)
    again = annulus.build_knn_graph(rows, 10, initial=graph.ids, n_iters=1)
    assert annulus.recall(again, graph) == 1
    holes = numpy.where(numpy.arange(10) % 2, graph.ids, -1)
    assert annulus.recall(annulus.build_knn_graph(rows, 10, initial=holes.astype(numpy.int64)), graph) == 1
    index = annulus.NNDescentIndex(rows, initial=graph.ids, n_iters=1, max_candidates=16)
    assert annulus.recall(index.search(rows, 5), annulus.knn(rows, rows, 5)) > 0.99
    for wrong, error, words in (
        (graph.ids[:-1], ValueError, "for each of the 200 rows"),
        (numpy.full((200, 1), 200), ValueError, "initial id"),
        (graph.ids - 2, ValueError, "initial"),
        (graph.distances, TypeError, "integers"),
        (graph.ids[0], TypeError, "integers"),
        ([[None]], TypeError, "integers"),
    ):
        with pytest.raises(error, match=words):
            annulus.build_knn_graph(rows, 10, initial=wrong)


def test_graphs_as_csr(rows):
    pytest.importorskip("scipy")
    graph = annulus.build_knn_graph(rows, 10)
    matrix = annulus.build_knn_graph(rows, 10, format="csr")
    assert matrix.shape == (200, 200) and matrix.nnz == 2000
    assert (matrix.indices.reshape(200, 10) == graph.ids).all()
    assert annulus.build_knn_graph(rows[:4], 10, format="csr").nnz == 12
    with pytest.raises(ValueError, match="format"):
        annulus.build_knn_graph(rows, 10, format="coo")


def test_recall(rows):
    exact = annulus.knn(rows, rows[:10], 5)
    assert annulus.recall(exact, exact) == annulus.recall_by_id(exact, exact, 3) == 1
    ids, distances = exact.ids.copy(), exact.distances.copy()
    ids[0, 4], distances[0, 4] = 199 if ids[0, 4] != 199 else 198, 1e9
    assert annulus.recall((ids, distances), exact) == pytest.approx(49 / 50)
    assert annulus.recall_by_id((ids, distances), exact) == pytest.approx(49 / 50)
    ids[1], distances[1] = -1, numpy.inf
    assert annulus.recall((ids, distances), exact) == pytest.approx(44 / 50)
    tied = annulus.Neighbors(numpy.array([[1, 2]]), numpy.array([[1.0, 1.0]], numpy.float32))
    other = annulus.Neighbors(numpy.array([[3, 1]]), numpy.array([[1.0, 1.0]], numpy.float32))
    assert annulus.recall(other, tied) == 1 and annulus.recall_by_id(other, tied) == 0.5
    with pytest.raises(ValueError, match="k = 6"):
        annulus.recall(exact, exact, 6)


def test_radius_search(rows):
    index = annulus.NNDescentIndex(rows, n_neighbors=20)
    exact = numpy.sqrt(((rows[:20, None] - rows[None]) ** 2).sum(-1))
    found = index.radius_search(rows[:20], 4.5, epsilon=1.0)
    assert found.indptr.dtype == numpy.int64 and found.ids.dtype == numpy.int32 and len(found.indptr) == 21
    hits = sum(
        len(set(found.ids[a:b]) & set(numpy.flatnonzero(exact[i] <= 4.5)))
        for i, (a, b) in enumerate(zip(found.indptr[:-1], found.indptr[1:]))
    )
    assert hits == len(found.ids) > 0.9 * (exact <= 4.5).sum()
    with pytest.raises(ValueError, match="radius_search"):
        annulus.FlatIndex(rows).radius_search(rows, 1.0)


def test_hash_tables(rows):
    index = annulus.LSHIndex(rows, family="cross_polytope", n_projections=6, n_tables=10)
    assert index.metric == "cosine"
    found = index.candidates(rows[:5])
    assert all(i in found.ids[found.indptr[i] : found.indptr[i + 1]] for i in range(5))
    assert (found.distances >= 1).all()
    check_nearest(index.search(rows[:5], 4, recall_target=1.0), rows, rows[:5], "cosine")


def test_changes(rows):
    for index in (annulus.NNDescentIndex(rows[:100], n_neighbors=20), annulus.LSHIndex(rows[:100], n_projections=4)):
        assert index.insert(rows[100:150]) == 100 and len(index) == 150
        assert index.insert(rows[150].astype(numpy.float64)) == 150
        assert index.search(rows[120], 1).ids[0] == 120
        index.erase(120)
        assert 120 not in index.search(rows[120], 10).ids
        index.update(3, rows[160])
        assert index.search(rows[160], 1).ids[0] == 3
        index.consolidate()
        assert len(index) == 150
        with pytest.raises(ValueError, match="120"):
            index.erase(120)
    flat = annulus.FlatIndex(rows[:100])
    flat.insert(rows[100:])
    check_nearest(flat.search(rows[:10], 3), rows, rows[:10])
    with pytest.raises(ValueError, match="has no erase, which these have: nndescent, lsh"):
        flat.erase(3)


def test_tuning(rows):
    index = annulus.NNDescentIndex(rows, n_neighbors=15)
    tuned = index.tune(0.9, k=5, n_queries=50)
    assert tuned.reached and tuned.recall >= 0.9
    exact = annulus.knn(rows, rows[:50], 5)
    assert annulus.recall(index.search(rows[:50], 5, **tuned.params), exact) > 0.8
    assert index.tune(0.9, queries=rows[:20]).reached


def test_options_of_every_type(rows):
    a = annulus.NNDescentIndex(
        rows, n_neighbors=numpy.int64(12), delta=numpy.float32(0.001), tree_init=numpy.True_, seed=3
    )
    b = annulus.NNDescentIndex(rows, n_neighbors=12, delta=0.001, seed=3)
    assert (a.search(rows, 5).ids == b.search(rows, 5).ids).all()
    with pytest.raises(ValueError, match="n_neighbors.*2.5.*integer"):
        annulus.NNDescentIndex(rows, n_neighbors=2.5)
    with pytest.raises(ValueError, match="did you mean cosine"):
        annulus.NNDescentIndex(rows, metric="cosin")
    with pytest.raises(ValueError, match="did you mean variance"):
        annulus.NNDescentIndex(rows, metric="seuclidean", variance=numpy.ones(16), varianc=[1.0])
    with pytest.raises(TypeError, match="p: "):
        annulus.knn(rows, rows, 1, metric="minkowski", p=1j)


def test_searches_that_do_not_fit(rows):
    index = annulus.FlatIndex(rows)
    for call, words in [
        (lambda: index.search(rows, 0), "k"),
        (lambda: index.search(rows, -1), "k = -1"),
        (lambda: index.search(rows[:, :5], 3), "= 5"),
        (lambda: index.search(rows, 3, beam=10), "a search of flat has no such parameter"),
        (lambda: index.search(rows, 3, recall_target=0), "recall_target"),
        (lambda: index.search(rows, 3, recall_target=1.5), "recall_target"),
        (lambda: index.search(rows, 3, threads=-1), "threads"),
        (lambda: annulus.RaBitQIndex(rows).search(rows, 3, k_factor=0), "k_factor"),
        (lambda: annulus.knn(rows, rows[:, :5], 3), "query dimension = 5"),
        (lambda: annulus.build_knn_graph(rows, 0), "n_neighbors"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
    for k in (1.5, "3", None):
        with pytest.raises(TypeError):
            index.search(rows, k)
        with pytest.raises(TypeError):
            annulus.knn(rows, rows, k)
    for params in ({"k_factor": 2.5}, {"recall_target": "all"}, {"threads": 0.5}, {"filter": 3.5}):
        with pytest.raises(TypeError):
            index.search(rows, 3, **params)
    assert index.search(rows, numpy.int64(3), threads=numpy.int32(1)).ids.shape == (200, 3)
