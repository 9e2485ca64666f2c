"""annulus.nanopq beside nanopq's documentation, nanopq itself, files of golden values, faiss and numpy."""

import copy
import pathlib
import pickle

import numpy as np
import pytest

from annulus import nanopq
from annulus.nanopq import OPQ, PQ, DistanceTable

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data" / "pq"
PQS = ("pq_m4_ks256_l2", "pq_m8_ks16_l2", "pq_m4_ks10_dot", "pq_m2_ks512_l2")
OPQS = ("opq_m8_ks16", "opq_m4_ks256_parametric")


def random_rows(n, dim, seed=123):
    return np.random.default_rng(seed).random((n, dim), dtype=np.float32)


def golden(name):
    return np.load(GOLDEN / f"{name}.npy")


def golden_quantizer(name):
    """Of the golden codewords."""
    codewords = golden(f"{name}_codewords")
    kind = OPQ if name.startswith("opq") else PQ
    quantizer = kind(*codewords.shape[:2], metric="dot" if "dot" in name else "l2", verbose=False)
    if kind is PQ:
        quantizer.codewords = codewords
    else:
        quantizer.pq.codewords, quantizer.R = codewords, golden(f"{name}_R")
    return quantizer


def relative_error(rows, decoded):
    return float(((rows - decoded) ** 2).sum() / (rows**2).sum())


def nearest_by_numpy(rows, codewords):
    """Codes, by the definition, in double precision, and the squared distances of all codewords."""
    parts = rows.reshape(len(rows), len(codewords), -1).astype(np.float64)
    squares = ((parts[:, :, None, :] - codewords[None].astype(np.float64)) ** 2).sum(axis=3)
    return squares.argmin(axis=2), squares


def assert_nearest(codes, rows, codewords):
    """That codes are of nearest codewords, ties within the rounding of floats aside."""
    expected, squares = nearest_by_numpy(rows, codewords)
    chosen = np.take_along_axis(squares, codes[..., None].astype(np.int64), axis=2)[..., 0]
    least = np.take_along_axis(squares, expected[..., None], axis=2)[..., 0]
    np.testing.assert_allclose(chosen, least, rtol=1e-4, atol=1e-6)
    assert (codes == expected).mean() > 0.999


# nanopq's tutorial, as a program.


def test_a_first_search_as_in_the_readme():
    trained_on, base, query = random_rows(2000, 128, 1), random_rows(3000, 128, 2), random_rows(1, 128, 3)[0]
    pq = nanopq.PQ(M=8)
    pq.fit(trained_on)
    codes = pq.encode(base)
    assert codes.shape == (3000, 8) and codes.dtype == np.uint8
    distances = pq.dtable(query).adist(codes)
    assert distances.shape == (3000,) and distances.dtype == np.float32


def test_the_tutorial_by_keywords():
    trained_on, base, query = random_rows(2000, 12, 1), random_rows(3000, 12, 2), random_rows(1, 12, 3)[0]
    pq = nanopq.PQ(M=4, Ks=256, verbose=True).fit(vecs=trained_on, iter=20, seed=123)
    codes = pq.encode(vecs=base)
    table = pq.dtable(query=query)
    assert table.dtable.shape == (4, 256)
    distances = table.adist(codes=codes)
    exact = ((base - query) ** 2).sum(axis=1)
    assert np.corrcoef(distances, exact)[0, 1] > 0.95
    assert exact[np.argmin(distances)] <= np.sort(exact)[20]
    assert relative_error(base, pq.decode(codes=codes)) < 0.05

    opq = nanopq.OPQ(M=4).fit(vecs=trained_on, pq_iter=20, rotation_iter=10, seed=123)
    distances = opq.dtable(query=query).adist(codes=opq.encode(vecs=base))
    assert exact[np.argmin(distances)] <= np.sort(exact)[20]


def test_a_quantizer_goes_through_a_pickle(tmp_path):
    pq = PQ(M=4, Ks=10).fit(random_rows(100, 12))
    path = tmp_path / "pq.pkl"
    path.write_bytes(pickle.dumps(pq))
    read = pickle.loads(path.read_bytes())
    assert read == pq
    np.testing.assert_array_equal(read.encode(random_rows(50, 12)), pq.encode(random_rows(50, 12)))
    assert pickle.loads(pickle.dumps(PQ(M=4))) == PQ(M=4)


# Facts that nanopq's own tests hold.


@pytest.mark.parametrize("Ks, dtype", [(256, np.uint8), (257, np.uint16), (2**16, np.uint16), (2**16 + 1, np.uint32)])
def test_codes_are_the_smallest_integers(Ks, dtype):
    assert PQ(M=4, Ks=Ks).code_dtype is dtype


def test_fit_sets_shapes_and_repeats_itself():
    rows = random_rows(100, 12)
    pq = PQ(M=4, Ks=10).fit(rows)
    assert pq.Ds == 3 and pq.codewords.shape == (4, 10, 3) and pq.codewords.dtype == np.float32
    np.testing.assert_array_equal(pq.codewords, PQ(M=4, Ks=10).fit(rows).codewords)
    assert not np.array_equal(pq.codewords, PQ(M=4, Ks=10).fit(rows, seed=124).codewords)


@pytest.mark.parametrize("kind", [PQ, OPQ])
def test_equality_is_of_parameters_and_codewords(kind):
    rows = random_rows(100, 12)
    one, two, other = kind(M=4, Ks=10), kind(M=4, Ks=10), kind(M=4, Ks=20)
    assert one == two and one == copy.deepcopy(one) and one != other and one != "pq"
    assert kind(M=4, metric="dot") != kind(M=4) and kind(M=4, verbose=False) != kind(M=4)
    one.fit(rows)
    assert one != two
    two.fit(rows), other.fit(rows)
    assert one == two and one == copy.deepcopy(one) and one != other


def test_little_is_lost():
    rows = random_rows(100, 12)
    pq = PQ(M=4, Ks=10).fit(rows)
    assert relative_error(rows, pq.decode(pq.encode(rows))) < 0.1


def test_a_row_finds_itself():
    rows = random_rows(100, 12)
    pq = PQ(M=4, Ks=10).fit(rows)
    table = pq.dtable(rows[13])
    distances = table.adist(pq.encode(rows))
    assert table.dtable.shape == (4, 10) and distances.argmin() == 13


def test_products_have_hardly_any_bias():
    rows = random_rows(100, 12)
    pq = PQ(M=4, Ks=10, metric="dot").fit(rows)
    products = pq.dtable(rows[13]).adist(pq.encode(rows))
    assert abs(np.mean(rows @ rows[13] - products)) < 1e-6
    table = np.einsum("mkd,md->mk", pq.codewords, rows[13].reshape(4, 3))
    np.testing.assert_allclose(pq.dtable(rows[13]).dtable, table, rtol=1e-5, atol=1e-6)


def test_opq_turns_by_an_orthogonal_matrix():
    rows = random_rows(100, 12)
    opq = OPQ(M=4, Ks=10).fit(rows)
    assert opq.R.shape == (12, 12) and opq.R.dtype == np.float32
    np.testing.assert_allclose(opq.R @ opq.R.T, np.eye(12), atol=1e-4)
    assert opq.rotate(rows[0]).shape == (12,) and opq.rotate(rows[:3]).shape == (3, 12)
    np.testing.assert_allclose(opq.rotate(rows[:3]), rows[:3] @ opq.R, atol=1e-6)
    assert (opq.M, opq.Ks, opq.Ds, opq.verbose) == (4, 10, 3, True) and opq.code_dtype is np.uint8
    assert opq.codewords is opq.pq.codewords


def correlated_rows(n, dim, seed=5):
    rng = np.random.default_rng(seed)
    spread = 0.8 ** np.arange(dim)
    turned = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    return (rng.standard_normal((n, dim)) * spread @ turned).astype(np.float32)


def test_a_rotation_lowers_the_error_and_so_does_a_parametric_start():
    rows = correlated_rows(3000, 32)
    error = {}
    for name, quantizer in (
        ("plain", PQ(M=8, Ks=16, verbose=False).fit(rows)),
        ("opq", OPQ(M=8, Ks=16, verbose=False).fit(rows)),
        ("parametric", OPQ(M=8, Ks=16, verbose=False).fit(rows, parametric_init=True, rotation_iter=1)),
        ("axes", OPQ(M=8, Ks=16, verbose=False).fit(rows, parametric_init=False, rotation_iter=1)),
    ):
        error[name] = relative_error(rows, quantizer.decode(quantizer.encode(rows)))
    assert error["opq"] < error["plain"] and error["parametric"] < error["axes"]


# Golden values of nanopq 0.2.2.


@pytest.mark.parametrize("name", PQS + OPQS)
def test_codes_tables_and_distances_are_those_of_golden_codewords(name):
    quantizer, rows, queries = golden_quantizer(name), golden("vectors"), golden("queries")
    codes = quantizer.encode(rows)
    assert codes.dtype == golden(f"{name}_codes").dtype
    assert (codes == golden(f"{name}_codes")).all(axis=1).mean() >= (0.999 if "opq" in name else 1)
    np.testing.assert_allclose(quantizer.decode(golden(f"{name}_codes")), golden(f"{name}_decoded"), atol=1e-3)
    table = quantizer.dtable(queries[0])
    largest = np.abs(table.dtable).max()
    np.testing.assert_allclose(table.dtable, golden(f"{name}_dtable0"), rtol=1e-4, atol=1e-5 * largest)
    np.testing.assert_allclose(
        table.adist(golden(f"{name}_codes")), golden(f"{name}_adist0"), rtol=1e-4, atol=1e-5 * largest
    )


@pytest.mark.parametrize("name", PQS + OPQS)
def test_training_loses_no_more_than_nanopq(name):
    rows, codewords = golden("vectors"), golden(f"{name}_codewords")
    kind = OPQ if name.startswith("opq") else PQ
    how = {"parametric_init": "parametric" in name} if kind is OPQ else {}
    quantizer = kind(*codewords.shape[:2], verbose=False).fit(rows, **how)
    ours = relative_error(rows, quantizer.decode(quantizer.encode(rows)))
    theirs = relative_error(rows, golden(f"{name}_decoded"))
    assert ours <= 1.02 * theirs


# Beside nanopq itself.


@pytest.fixture(scope="module")
def reference():
    return pytest.importorskip("nanopq")


@pytest.mark.parametrize("metric", ["l2", "dot"])
@pytest.mark.parametrize("n, dim, M, Ks", [(600, 12, 4, 10), (800, 64, 8, 256), (700, 6, 6, 300), (500, 16, 1, 2)])
def test_results_are_nanopqs_for_its_codewords(reference, metric, n, dim, M, Ks):
    rows, query = random_rows(n, dim, 1), random_rows(1, dim, 2)[0]
    theirs = reference.PQ(M, Ks, metric, verbose=False).fit(rows, iter=5)
    ours = PQ(M, Ks, metric, verbose=False)
    ours.codewords = theirs.codewords
    codes = ours.encode(rows)
    np.testing.assert_array_equal(codes, theirs.encode(rows))
    assert codes.dtype == theirs.code_dtype
    np.testing.assert_array_equal(ours.decode(codes), theirs.decode(codes))
    np.testing.assert_allclose(ours.dtable(query).dtable, theirs.dtable(query).dtable, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.dtable(query).adist(codes), theirs.dtable(query).adist(codes), rtol=1e-4, atol=1e-4)
    # A table of nanopq's is read too, with codes of any integers.
    table = theirs.dtable(query).dtable
    np.testing.assert_allclose(
        DistanceTable(table, metric).adist(codes.astype(np.int64)), theirs.dtable(query).adist(codes), rtol=1e-5
    )


def test_the_rotation_is_nanopqs_for_its_matrix(reference):
    rows, query = correlated_rows(800, 32), correlated_rows(1, 32, 9)[0]
    theirs = reference.OPQ(8, 32, verbose=False).fit(rows, rotation_iter=3)
    ours = OPQ(8, 32, verbose=False)
    ours.pq.codewords, ours.R = theirs.codewords, theirs.R
    codes = theirs.encode(rows)
    assert (ours.encode(rows) == codes).mean() > 0.999
    np.testing.assert_allclose(ours.decode(codes), theirs.decode(codes), atol=1e-5)
    np.testing.assert_allclose(ours.dtable(query).adist(codes), theirs.dtable(query).adist(codes), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dim, M", [(12, 4), (32, 8), (10, 1), (6, 6)])
def test_the_eigenvalue_allocation_is_nanopqs(reference, dim, M):
    rows = correlated_rows(2000, dim)
    ours, theirs = (kind(M, verbose=False).eigenvalue_allocation(rows) for kind in (OPQ, reference.OPQ))
    assert ours.dtype == theirs.dtype == np.float32
    # The same axes in the same order, in either direction.
    np.testing.assert_allclose(np.abs((ours * theirs).sum(axis=0)), 1, atol=1e-3)


@pytest.mark.parametrize("minit", ["points", "++", "random"])
def test_each_start_trains_as_well_as_nanopq(reference, minit):
    rows = random_rows(3000, 16, 4)
    errors = []
    for kind in (PQ, reference.PQ):
        quantizer = kind(4, 32, verbose=False).fit(rows, minit=minit)
        errors.append(relative_error(rows, quantizer.decode(quantizer.encode(rows))))
    assert errors[0] <= 1.02 * errors[1]


def test_a_rotation_trains_as_well_as_nanopq(reference):
    rows = correlated_rows(3000, 32)
    for parametric in (False, True):
        errors = []
        for kind in (OPQ, reference.OPQ):
            quantizer = kind(8, 16, verbose=False).fit(rows, parametric_init=parametric)
            errors.append(relative_error(rows, quantizer.decode(quantizer.encode(rows))))
        assert errors[0] <= 1.02 * errors[1]


def test_signatures_are_nanopqs(reference):
    import inspect

    for ours, theirs in ((PQ, reference.PQ), (OPQ, reference.OPQ), (DistanceTable, reference.DistanceTable)):
        for name in [n for n in dir(theirs) if n == "__init__" or not n.startswith("_")]:
            mine, other = getattr(ours, name), getattr(theirs, name)
            if not callable(other):
                assert isinstance(mine, property) == isinstance(other, property)
                continue
            expected = [(p.name, p.default) for p in inspect.signature(other).parameters.values()]
            assert [(p.name, p.default) for p in inspect.signature(mine).parameters.values()] == expected, name
    assert set(reference.__all__) <= set(nanopq.__all__)


# faiss.


@pytest.fixture(scope="module")
def faiss():
    return pytest.importorskip("faiss")


@pytest.mark.parametrize("metric", ["l2", "dot"])
@pytest.mark.parametrize("kind", [PQ, OPQ])
@pytest.mark.parametrize("Ks", [16, 256, 1024])
def test_faiss_finds_the_same(faiss, kind, metric, Ks):
    trained_on, base, queries = correlated_rows(2000, 32), correlated_rows(1500, 32, 6), correlated_rows(40, 32, 7)
    ours = kind(M=4, Ks=Ks, metric=metric, verbose=False).fit(trained_on)
    index = nanopq.nanopq_to_faiss(ours)
    index.add(base)
    codes = ours.encode(base)
    back, stored = nanopq.faiss_to_nanopq(index)
    assert back.metric == metric and (back.M, back.Ks, back.Ds) == (4, Ks, 8)
    assert stored.dtype == ours.code_dtype and stored.shape == codes.shape
    assert (stored == codes).all(axis=1).mean() > 0.995
    np.testing.assert_array_equal(back.codewords, ours.codewords)
    expected = index.search(queries, 10)[0]
    found = np.stack([back.dtable(q).adist(stored) for q in queries])
    found = np.sort(found if metric == "l2" else -found, axis=1)[:, :10]
    np.testing.assert_allclose(found if metric == "l2" else -found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("bits", [4, 8, 10, 12, 16])
def test_codes_of_any_bits_are_unpacked(faiss, bits):
    index = faiss.IndexPQ(12, 4, bits)
    codewords = np.random.default_rng(1).standard_normal(4 * 2**bits * 3).astype(np.float32)
    faiss.copy_array_to_vector(codewords, index.pq.centroids)
    index.is_trained = True
    rows = correlated_rows(300, 12)
    index.add(rows)
    ours, codes = nanopq.faiss_to_nanopq(index)
    assert codes.shape == (300, 4) and codes.dtype == ours.code_dtype
    np.testing.assert_allclose(ours.decode(codes), index.reconstruct_n(0, 300), atol=1e-6)
    assert (ours.encode(rows) == codes).mean() > 0.999


def test_rotations_of_faiss_are_multiplied(faiss):
    rows = correlated_rows(2000, 32)
    index = faiss.IndexPreTransform(faiss.OPQMatrix(32, 4), faiss.IndexPQ(32, 4, 6))
    index.prepend_transform(faiss.RandomRotationMatrix(32, 32))
    index.train(rows)
    index.add(rows)
    ours, codes = nanopq.faiss_to_nanopq(index)
    assert isinstance(ours, OPQ) and index.chain.size() == 2
    np.testing.assert_allclose(ours.decode(codes), index.reconstruct_n(0, len(rows)), atol=1e-4)
    assert (ours.encode(rows) == codes).all(axis=1).mean() > 0.99


@pytest.mark.parametrize("name", ["ixpq_m8_b8_l2", "ixpq_m8_b4_l2", "ixpq_m4_b10_l2", "ixpq_m8_b8_ip"])
def test_golden_files_of_faiss_are_read(faiss, name):
    ours, codes = nanopq.faiss_to_nanopq(faiss.read_index(str(GOLDEN / f"{name}.faiss")))
    expected = golden(f"{name}_reconstructed")
    np.testing.assert_allclose(ours.decode(codes)[: len(expected)], expected, atol=1e-4)
    assert ours.metric == ("dot" if name.endswith("ip") else "l2")


def test_what_faiss_does_not_have_is_refused_in_words(faiss):
    rows = random_rows(300, 12)
    for wrong, words in (
        (lambda: nanopq.nanopq_to_faiss(PQ(M=4)), "fit"),
        (lambda: nanopq.nanopq_to_faiss(OPQ(M=4)), "fit"),
        (lambda: nanopq.nanopq_to_faiss("pq"), "must be a PQ"),
        (lambda: nanopq.nanopq_to_faiss(PQ(M=4, Ks=10).fit(rows)), "codewords only"),
        (lambda: nanopq.faiss_to_nanopq(faiss.IndexFlatL2(12)), "IndexFlatL2"),
        (lambda: nanopq.faiss_to_nanopq(faiss.IndexPQ(12, 4, 4)), "trained"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
    whitened = faiss.IndexPreTransform(faiss.PCAMatrix(12, 12), faiss.IndexPQ(12, 4, 4))
    whitened.train(rows)
    with pytest.raises(ValueError, match="PCAMatrix"):
        nanopq.faiss_to_nanopq(whitened)


# Properties.


@pytest.mark.parametrize("M, Ks, dim", [(1, 1, 3), (4, 3, 8), (8, 256, 40), (5, 700, 5), (2, 33, 64)])
def test_codes_are_of_nearest_codewords(M, Ks, dim):
    rows = correlated_rows(1200, dim)
    pq = PQ(M, Ks, verbose=False).fit(rows, iter=3)
    assert_nearest(pq.encode(rows), rows, pq.codewords)
    np.testing.assert_array_equal(
        pq.decode(pq.encode(rows)), np.concatenate([pq.codewords[m][pq.encode(rows)[:, m]] for m in range(M)], axis=1)
    )


def test_adist_is_the_distance_to_what_is_decoded():
    rows, query = correlated_rows(900, 24), correlated_rows(1, 24, 8)[0]
    pq = PQ(6, 64, verbose=False).fit(rows)
    codes = pq.encode(rows)
    expected = ((pq.decode(codes).astype(np.float64) - query) ** 2).sum(axis=1)
    np.testing.assert_allclose(pq.dtable(query).adist(codes), expected, rtol=1e-4, atol=1e-5)


def test_more_rounds_and_more_codewords_lose_less():
    rows = random_rows(4000, 16)
    errors = []
    for Ks, iter in ((16, 1), (16, 20), (64, 20)):
        pq = PQ(4, Ks, verbose=False).fit(rows, iter=iter)
        errors.append(relative_error(rows, pq.decode(pq.encode(rows))))
    assert errors[0] > errors[1] > errors[2]


def test_any_memory_layout_will_do():
    rows = correlated_rows(600, 24)
    pq = PQ(4, 16, verbose=False).fit(np.asfortranarray(rows))
    np.testing.assert_array_equal(pq.codewords, PQ(4, 16, verbose=False).fit(rows).codewords)
    codes = pq.encode(rows)
    np.testing.assert_array_equal(pq.encode(rows[::3]), codes[::3])
    np.testing.assert_array_equal(pq.decode(codes[::2]), pq.decode(codes)[::2])
    table = pq.dtable(rows[:, ::-1][0])
    np.testing.assert_array_equal(table.adist(np.asfortranarray(codes)), table.adist(codes))
    assert pq.encode(rows[:0]).shape == (0, 4) and table.adist(codes[:0]).shape == (0,)


def test_assigned_codewords_replace_the_old():
    rows = correlated_rows(600, 24)
    pq = PQ(4, 16, verbose=False).fit(rows)
    other = PQ(4, 16, verbose=False).fit(rows, seed=7)
    before = pq.encode(rows)
    with pytest.raises(ValueError):
        pq.codewords[0] = 0
    pq.codewords = other.codewords
    np.testing.assert_array_equal(pq.encode(rows), other.encode(rows))
    assert not np.array_equal(pq.encode(rows), before)
    pq.codewords = None
    assert pq.Ds is None


def test_without_a_seed_each_call_draws_anew():
    rows = random_rows(400, 8)
    one, two = (PQ(2, 8, verbose=False).fit(rows, seed=None, iter=1) for _ in range(2))
    assert not np.array_equal(one.codewords, two.codewords)


def test_numpys_random_state_is_left_alone():
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    PQ(2, 8, verbose=False).fit(random_rows(400, 8))
    assert np.random.random() == expected


def test_opq_keeps_its_metric_and_takes_no_rotation_rounds():
    rows, query = correlated_rows(900, 32), correlated_rows(1, 32, 8)[0]
    opq = OPQ(8, 16, metric="dot", verbose=False).fit(rows, rotation_iter=0)
    assert opq.metric == opq.pq.metric == "dot"
    codes = opq.encode(rows)
    np.testing.assert_allclose(opq.dtable(query).adist(codes), opq.decode(codes) @ query, rtol=1e-3, atol=1e-4)


def test_verbose_says_what_is_done(capsys):
    rows = random_rows(300, 12)
    PQ(4, 10, verbose=False).fit(rows).encode(rows)
    OPQ(4, 10, verbose=False).fit(rows)
    assert capsys.readouterr().out == ""
    PQ(4, 10).fit(rows, iter=7, seed=9).encode(rows)
    OPQ(4, 10).fit(rows)
    out = capsys.readouterr().out
    for words in ("M: 4", "Ks: 10", "metric: l2", "uint8", "iter: 7", "seed: 9", "Encoding", "Reconstruction error"):
        assert words in out


@pytest.mark.parametrize("error", [ValueError, AssertionError])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda rows: PQ(M=0),
        lambda rows: PQ(M=4, Ks=0),
        lambda rows: PQ(M=4, Ks=2**32 + 1),
        lambda rows: PQ(M=4, metric="cosine"),
        lambda rows: OPQ(M=4, metric="cosine"),
        lambda rows: PQ(M=4, Ks=100).fit(rows),  # as many codewords as rows
        lambda rows: PQ(M=5, Ks=10).fit(rows),
        lambda rows: PQ(M=4, Ks=10).fit(rows.astype(np.float64)),
        lambda rows: PQ(M=4, Ks=10).fit(rows[0]),
        lambda rows: PQ(M=4, Ks=10).fit(rows, minit="matrix"),
        lambda rows: PQ(M=4, Ks=10).fit(rows, minit="none"),
        lambda rows: PQ(M=4, Ks=10).fit(rows, iter=0),
        lambda rows: OPQ(M=5, Ks=10).fit(rows),
        lambda rows: OPQ(M=4, Ks=10).fit(rows.astype(np.float64)),
        lambda rows: OPQ(M=4, Ks=10).fit(rows, rotation_iter=-1),
        lambda rows: OPQ(M=5).eigenvalue_allocation(rows),
        lambda rows: PQ(M=4, Ks=10).encode(rows),
        lambda rows: PQ(M=4, Ks=10).decode(np.zeros((1, 4), np.uint8)),
        lambda rows: PQ(M=4, Ks=10).dtable(rows[0]),
        lambda rows: OPQ(M=4, Ks=10).encode(rows),
        lambda rows: OPQ(M=4, Ks=10).rotate(rows),
        lambda rows: PQ(M=4, Ks=10).fit(rows).encode(rows[:, :8]),
        lambda rows: PQ(M=4, Ks=10).fit(rows).encode(rows.astype(np.float64)),
        lambda rows: PQ(M=4, Ks=10).fit(rows).decode(np.zeros((1, 4), np.int64)),
        lambda rows: PQ(M=4, Ks=10).fit(rows).decode(np.zeros((1, 3), np.uint8)),
        lambda rows: PQ(M=4, Ks=10).fit(rows).dtable(rows[:1]),
        lambda rows: PQ(M=4, Ks=10).fit(rows).dtable(rows[0, :8]),
        lambda rows: PQ(M=4, Ks=10).fit(rows).dtable(rows[0]).adist(np.zeros((1, 3), np.uint8)),
        lambda rows: PQ(M=4, Ks=10).fit(rows).dtable(rows[0]).adist(np.zeros((1, 4), np.float32)),
        lambda rows: PQ(M=4, Ks=10).fit(rows).dtable(rows[0]).adist(np.full((1, 4), 10, np.int32)),
        lambda rows: DistanceTable(np.zeros((4, 10))),
        lambda rows: DistanceTable(np.zeros((4, 10), np.float32), metric="cosine"),
        lambda rows: setattr(PQ(M=4, Ks=10), "codewords", np.zeros((4, 9, 3))),
    ],
)
def test_what_nanopq_asserts_is_an_error(wrong, error):
    with pytest.raises(error):
        wrong(random_rows(100, 12))


def test_codes_out_of_range_and_nan_are_errors_in_words():
    rows = random_rows(100, 12)
    pq = PQ(M=4, Ks=10, verbose=False).fit(rows)
    for wrong in (
        lambda: pq.decode(np.full((1, 4), 10, np.uint8)),
        lambda: pq.dtable(rows[0]).adist(np.full((1, 4), 10, np.uint8)),
        lambda: pq.encode(np.full((1, 12), np.nan, np.float32)),
        lambda: PQ(M=4, Ks=10, verbose=False).fit(np.vstack([rows, np.full((1, 12), np.inf, np.float32)])),
    ):
        with pytest.raises(ValueError):
            wrong()
