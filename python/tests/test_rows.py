"""Rows of every kind are read as numpy reads them."""

import numpy
import pytest
from reference import check_nearest, has_rows, need_rows

import annulus

DTYPES = ["float32", "float64", "float16", "uint8", "int8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dense_rows_of_each_type(random, dtype):
    need_rows(dtype)
    data = (random.normal(size=(150, 12)) * 20 + 40).astype(dtype)
    queries = data[:9]
    check_nearest(annulus.knn(data, queries, 5), data, queries, tolerance=1e-3)
    check_nearest(annulus.FlatIndex(data).search(queries, 5), data, queries, tolerance=1e-3)


def test_bfloat16_of_ml_dtypes(random):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    need_rows("bfloat16")
    data = random.normal(size=(50, 8)).astype(ml_dtypes.bfloat16)
    check_nearest(annulus.knn(data, data[:3], 4), data.astype(float), data[:3].astype(float), tolerance=1e-2)


LAYOUTS = {
    "C order": lambda a: a,
    "Fortran order": numpy.asfortranarray,
    "every second row": lambda a: numpy.repeat(a, 2, axis=0)[::2],
    "every third column": lambda a: numpy.repeat(a, 3, axis=1)[:, ::3],
    "rows reversed": lambda a: a[::-1].copy()[::-1],
    "columns reversed": lambda a: a[:, ::-1].copy()[:, ::-1],
    "both reversed": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "part of a wider array": lambda a: numpy.hstack([a, a])[:, : a.shape[1]],
    "transposed": lambda a: a.T.copy().T,
    "read-only": lambda a: (lambda b: (b.setflags(write=False), b)[1])(a.copy()),
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "not aligned": lambda a: numpy.frombuffer(b"x" + a.tobytes(), dtype=numpy.uint8)[1:].view(a.dtype).reshape(a.shape),
    "field of a record": lambda a: numpy.rec.fromarrays([a.astype(numpy.int8), a])["f1"],
    "memoryview": memoryview,
    "list": lambda a: a.tolist(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_memory_do_not_matter(rows, layout):
    changed = LAYOUTS[layout](rows)
    expected = annulus.knn(rows, rows[:7], 6)
    if layout != "list":  # of Python's floats, which are float64
        found = annulus.knn(changed, rows[:7], 6)
        assert (found.ids == expected.ids).all() and (found.distances == expected.distances).all()
    index = annulus.FlatIndex(rows)
    found = index.search(changed, 6)
    assert (found.ids[:7] == expected.ids).all() and (found.distances[:7] == expected.distances).all()


def test_a_broadcast_row(rows):
    queries = numpy.broadcast_to(rows[3], (5, rows.shape[1]))
    assert (annulus.knn(rows, queries, 1).ids == 3).all()


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "int32", "uint8", "bool"])
def test_queries_take_the_type_of_the_data(rows, dtype):
    queries = (rows[:5] * 3).astype(dtype)
    check_nearest(annulus.knn(rows, queries, 4), rows, queries.astype(numpy.float32))


def test_one_query_of_one_dimension(rows):
    index = annulus.FlatIndex(rows)
    for found in (annulus.knn(rows, rows[11], 4), index.search(rows[11], 4), index.search(rows[11].tolist(), 4)):
        assert found.ids.shape == found.distances.shape == (4,)
        assert found.ids[0] == 11
    strided = numpy.repeat(rows[11], 2)[::2]
    assert index.search(strided, 4).ids[0] == 11


def test_arrays_of_bools_are_bytes_where_the_metric_compares_numbers(random):
    need_rows("uint8")
    data = random.random((80, 21)) < 0.3
    check_nearest(annulus.knn(data, data[:5], 4, metric="jaccard"), data, data[:5], "jaccard")


def test_arrays_of_bools_are_packed_where_the_metric_compares_bits(random):
    need_rows("uint8")
    data = random.random((80, 21)) < 0.5
    for queries in (data[:5], data[3]):
        found = annulus.knn(data, queries, 4, metric="bit_hamming")
        check_nearest(found, data, queries, "bit_hamming")
    packed = annulus.bits(numpy.packbits(data, axis=1, bitorder="little"), 21)
    assert packed.shape == (80, 21) and len(packed) == 80
    same = annulus.knn(packed, packed, 4, metric="bit_hamming")
    check_nearest(same, data, data, "bit_hamming")
    index = annulus.NNDescentIndex(data, metric="bit_hamming", n_neighbors=15)
    assert index.dim == 21 and index.info("rows") == "rows of bits"
    check_nearest(index.search(data[:5], 1), data, data[:5], "bit_hamming")


def test_bits_of_sizes_that_do_not_fit_are_refused():
    packed = numpy.zeros((3, 2), dtype=numpy.uint8)
    assert annulus.bits(packed).shape == (3, 16)
    for n_bits in (8, 17):
        with pytest.raises(ValueError, match=f"n_bits = {n_bits}"):
            annulus.bits(packed, n_bits)
    with pytest.raises(TypeError, match="uint8"):
        annulus.bits(packed.astype(numpy.int64))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("index_dtype", ["int32", "int64"])
@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_array", "coo_array"])
def test_sparse_matrices(random, kind, index_dtype, dtype):
    sparse = pytest.importorskip("scipy.sparse")
    need_rows(f"sparse_{dtype}")
    dense = random.random((60, 30)).astype(dtype) * (random.random((60, 30)) < 0.2)
    matrix = getattr(sparse, kind)(dense)
    if kind.startswith("csr"):
        matrix.indptr, matrix.indices = matrix.indptr.astype(index_dtype), matrix.indices.astype(index_dtype)
    for metric in ("euclidean", "manhattan"):
        check_nearest(annulus.knn(matrix, matrix, 5, metric=metric), dense, dense, metric)
    index = annulus.NNDescentIndex(matrix, n_neighbors=20)
    check_nearest(index.search(matrix.tocsr()[:4], 1), dense, dense[:4])


def test_sparse_rows_that_are_not_in_order_or_repeat(random):
    sparse = pytest.importorskip("scipy.sparse")
    need_rows("sparse_float32")
    indptr, indices = numpy.array([0, 3, 5]), numpy.array([4, 1, 4, 3, 0])
    matrix = sparse.csr_matrix((numpy.arange(1, 6, dtype=numpy.float32), indices, indptr), shape=(2, 6))
    dense = matrix.toarray()
    check_nearest(annulus.knn(matrix, matrix, 2), dense, dense)
    assert (matrix.indices == indices).all()  # which is left as it was


def _with(matrix, **arrays):
    """A copy of a matrix, some arrays of which are others: scipy does not look at them again."""
    changed = matrix.copy()
    for name, array in arrays.items():
        setattr(changed, name, numpy.asarray(array, getattr(matrix, name).dtype))
    return changed


def test_sparse_matrices_whose_arrays_do_not_fit_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    need_rows("sparse_float32")
    matrix = sparse.csr_array(numpy.eye(4, 6, dtype=numpy.float32) + 1)
    for damaged in (
        _with(matrix, indptr=[0, 6, 12, 18, 1000]),
        _with(matrix, indptr=[0, 6, -5, 18, 24]),
        _with(matrix, indptr=[0, 18, 12, 18, 24]),
        _with(matrix, indptr=[3, 6, 12, 18, 24]),
        _with(matrix, indptr=[0, 6, 12]),
        _with(matrix, indices=matrix.indices[:5]),
        _with(matrix, data=matrix.data[:5]),
    ):
        for call in (lambda: annulus.knn(damaged, matrix, 1), lambda: annulus.knn(matrix, damaged, 1)):
            with pytest.raises(ValueError, match="indptr must have 5 numbers that ascend"):
                call()
    for indices in ([-1] * 24, [6] * 24):
        with pytest.raises(ValueError, match="must ascend and stay below dim = 6"):
            annulus.knn(_with(matrix, indices=indices), matrix, 1)
    spare = _with(matrix, indices=[*matrix.indices, 99], data=[*matrix.data, 9])  # behind the last row
    assert (annulus.knn(spare, spare, 1).ids[:, 0] == numpy.arange(4)).all()


def test_sparse_rows_that_are_none_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    need_rows("sparse_float32")
    matrix = sparse.csr_array(numpy.eye(4, dtype=numpy.float32))
    with pytest.raises(TypeError, match="data: a sparse matrix of complex64"):
        annulus.knn(matrix.astype(numpy.complex64), matrix, 1)
    if hasattr(sparse.coo_array(numpy.ones(4)), "ndim") and sparse.coo_array(numpy.ones(4)).ndim == 1:
        with pytest.raises(ValueError, match="queries: a sparse array of shape .4,.; must have two dimensions"):
            annulus.knn(matrix, sparse.coo_array(numpy.ones(4)), 1)


def test_sparse_queries_take_the_type_of_the_data(random):
    sparse = pytest.importorskip("scipy.sparse")
    need_rows("sparse_float32")
    dense = random.random((40, 20)).astype(numpy.float32) * (random.random((40, 20)) < 0.3)
    for dtype in ("float64", "int64", "bool"):
        queries = (dense * 5).astype(dtype)
        check_nearest(annulus.knn(sparse.csr_array(dense), sparse.csr_array(queries), 3), dense, queries)


def test_batches_of_sparse_queries_go_in_pieces(random):
    sparse = pytest.importorskip("scipy.sparse")
    need_rows("sparse_float32")
    dense = random.random((3000, 12)).astype(numpy.float32) * (random.random((3000, 12)) < 0.5)
    matrix = sparse.csr_array(dense)
    index = annulus.NNDescentIndex(matrix, n_neighbors=10)
    whole = index.search(matrix, 3)
    for begin in (0, 511, 512, 2990):
        part = index.search(matrix[begin : begin + 5], 3)
        assert (part.ids == whole.ids[begin : begin + 5]).all()


def test_lists_of_sets(random):
    pytest.importorskip("scipy")
    need_rows("sparse_float32")
    sets = [set(random.integers(0, 40, size=random.integers(0, 12)).tolist()) for _ in range(50)]
    dense = numpy.zeros((50, 40))
    for i, members in enumerate(sets):
        dense[i, list(members)] = 1
    check_nearest(annulus.knn(sets, sets[:6], 5, metric="jaccard"), dense, dense[:6], "jaccard")
    prepared = annulus.sets([list(members) for members in sets], 45)
    assert prepared.shape == (50, 45)
    index = annulus.NNDescentIndex(prepared, metric="jaccard", n_neighbors=10)
    check_nearest(index.search(sets[:6], 1), dense, dense[:6], "jaccard")
    with pytest.raises(ValueError, match="45 is a member; it must be below dim = 45"):
        index.search([{45}], 1)
    with pytest.raises(ValueError, match="from 0 on"):
        annulus.sets([{-1}])
    for huge in (2**31 - 1, 2**31, 2**70, -(2**70)):
        with pytest.raises(ValueError, match=f"{huge} is a member; members must be"):
            annulus.sets([{1, huge}])
    for no_integer in (1.5, "a", None):
        for call in (lambda rows: annulus.sets(rows), lambda rows: index.search(rows, 1)):
            with pytest.raises(TypeError, match="integer"):
                call([{no_integer}])


def test_arrays_whose_numbers_are_masked_are_refused(rows):
    masked = numpy.ma.masked_array(rows, mask=rows > 2)
    assert masked.mask.any()
    for call in (
        lambda: annulus.knn(masked, rows, 1),
        lambda: annulus.FlatIndex(rows).search(masked, 1),
        lambda: annulus.PQ(4, 16).fit(masked),
        lambda: annulus.approx_min_k(masked, 1),
    ):
        with pytest.raises(TypeError, match="masked; fill them first"):
            call()
    nothing_masked = numpy.ma.masked_array(rows)
    assert (annulus.knn(nothing_masked, nothing_masked, 1).ids[:, 0] == numpy.arange(200)).all()


def test_classes_derived_from_arrays(rows, tmp_path):
    numpy.save(tmp_path / "rows.npy", rows)
    for array in (numpy.load(tmp_path / "rows.npy", mmap_mode="r"), rows.view(numpy.recarray)):
        assert (annulus.knn(array, array[:3], 1).ids[:, 0] == numpy.arange(3)).all()


def test_tensors_of_torch(rows):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(rows.copy())
    expected = annulus.knn(rows, rows[:5], 3)
    for data in (tensor, tensor.T.contiguous().T, tensor.requires_grad_()):
        assert (annulus.knn(data, rows[:5], 3).ids == expected.ids).all()
    index = annulus.FlatIndex(tensor)
    assert (index.search(tensor[:5].double(), 3).ids == expected.ids).all()
    assert index.search(tensor[4], 3).ids[0] == 4
    assert (index.search(tensor[:5].bfloat16(), 1).ids == expected.ids[:, :1]).all()


def test_tensors_elsewhere_than_in_memory_of_the_cpu(rows):
    class OnGpu:
        shape, dtype = (3, 16), numpy.dtype("float32")

        def __dlpack__(self, **_):
            raise BufferError("on a GPU")

        def __dlpack_device__(self):
            return (2, 0)

    with pytest.raises(TypeError, match="data: is not in memory of the CPU"):
        annulus.knn(OnGpu(), rows, 1)


def test_arrays_of_jax(rows):
    jax = pytest.importorskip("jax")
    expected = annulus.knn(rows, rows[:5], 3)
    assert (annulus.knn(jax.numpy.asarray(rows), jax.numpy.asarray(rows[:5]), 3).ids == expected.ids).all()


def test_memory_of_rows_is_not_copied_nor_kept(rows):
    import sys

    data = rows.copy()
    before = sys.getrefcount(data)
    annulus.knn(data, rows[:3], 2)
    annulus.FlatIndex(data).search(data[0], 2)
    assert sys.getrefcount(data) == before


@pytest.mark.parametrize(
    "data, error, words",
    [
        (numpy.zeros(4, numpy.float32), ValueError, "two dimensions"),
        (numpy.zeros((2, 3, 4), numpy.float32), ValueError, "two dimensions"),
        (numpy.zeros((3, 4), complex), TypeError, "complex128"),
        (numpy.zeros((3, 4), numpy.int64), TypeError, "astype"),
        (numpy.array([["a"]]), TypeError, "must be float32"),
        ("text", TypeError, "data"),
        (None, TypeError, "data"),
        ([[1.0, 2.0], [3.0]], (TypeError, ValueError), None),
        (numpy.full((3, 16), numpy.nan, numpy.float32), ValueError, "row 0"),
    ],
)
def test_rows_that_are_none_are_refused_in_words(data, error, words):
    with pytest.raises(error, match=words):
        annulus.FlatIndex(data)


def test_rows_that_the_build_lacks(rows):
    if has_rows("float64"):
        pytest.skip("built with rows of float64")
    with pytest.raises(ValueError, match="float64.*built without"):
        annulus.knn(rows.astype(numpy.float64), rows, 1)


def test_empty_rows():
    found = annulus.knn(numpy.zeros((3, 4), numpy.float32), numpy.zeros((0, 4), numpy.float32), 2)
    assert found.ids.shape == (0, 2)
