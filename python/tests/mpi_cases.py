"""What test_mpi.py runs on several ranks: mpirun -n N python mpi_cases.py FOLDER. Prints the names of cases that pass.

A case is a function of the communicator and an empty folder. A rank on which one fails ends them all.
"""

import copy
import functools
import json
import os
import pathlib
import sys
import traceback

import numpy
from mpi4py import MPI

import annulus
from annulus.mpi import ShardedIndex
from annulus.mpi._global_ids import GlobalIds
from annulus.mpi._manifest import canonical, checksum_of
from reference import has_rows

CASES = []


def case(function):
    CASES.append(function)
    return function


def random_rows(n, dim=16, seed=7):
    return numpy.random.default_rng(seed).normal(size=(n, dim)).astype(numpy.float32)


def divided(n, comm):
    """Which of n rows each rank has, as a slice: rank 1 none, where there are more ranks than two."""
    ends = numpy.linspace(0, n, comm.size + 1).astype(int)
    if comm.size > 2:
        ends[1] = ends[2]
    return slice(ends[comm.rank], ends[comm.rank + 1])


def sharded(comm, rows, kind="flat", metric=None, **params):
    return ShardedIndex(comm, rows[divided(rows.shape[0], comm)], kind, metric, threads=1, **params)


def same(found, expected):
    """Of whatever types the ids are."""
    assert found.ids.dtype == numpy.int64 and found.distances.dtype == numpy.float32
    assert found.ids.shape == expected.ids.shape, found
    assert (found.ids == expected.ids).all() and (found.distances == expected.distances).all(), (found, expected)


def raises(comm, cls, words, call):
    """call() raises the same on every rank."""
    try:
        call()
    except BaseException as error:
        found = type(error), str(error)
    else:
        found = None
    everywhere = comm.allgather(found)
    assert len(set(everywhere)) == 1, everywhere
    assert found is not None and found[0] is cls and words in found[1], found


def merged_by_hand(comm, index, queries, k, **params):
    """The k nearest of what the ranks find, by distance and id, on every rank."""
    ids, distances = index.shard.search(queries, k, **params)
    ids = numpy.array([[index.ids[i] if i >= 0 else 2**60 for i in row] for row in ids.tolist()])
    ids, distances = (numpy.concatenate(comm.allgather(part), axis=1) for part in (ids, distances))
    order = numpy.lexsort((ids, distances))[:, :k]
    ids, distances = (numpy.take_along_axis(part, order, axis=1) for part in (ids, distances))
    return annulus.Neighbors(numpy.where(ids == 2**60, -1, ids), distances)


@case
def exact_search_is_that_of_one_index(comm, folder):
    rows, queries = random_rows(300), random_rows(40, seed=8)
    with_ties = numpy.random.default_rng(9).integers(0, 3, size=(300, 4)).astype(numpy.float32)
    for data, asked, metric in [
        (rows, queries, "euclidean"),
        (rows, queries, "cosine"),
        (rows, queries, "inner_product"),
        (with_ties, with_ties[:40], "sqeuclidean"),
        (with_ties, with_ties[:40], "manhattan"),
        (rows[:3], queries, "euclidean"),
        (rows[:0], queries, "euclidean"),
    ]:
        index = sharded(comm, data, metric=metric)
        assert index.size == len(index) == len(data) and index.sizes.sum() == len(data)
        found = index.search(asked if comm.rank == 0 else None, 12)
        if comm.rank == 0:
            same(found, annulus.FlatIndex(data, metric).search(asked, 12))
        else:
            assert found is None


@case
def rows_at_one_distance_after_rounding(comm, folder):
    # Squares of distances from 0 are whole numbers about 9,000,000, of which some neighbours have one root in float32.
    random = numpy.random.default_rng(2)
    rows = random.integers(0, 1500, size=(20_000, 3))
    rest = 9_000_000 + random.integers(0, 9, size=len(rows)) - (rows**2).sum(axis=1)
    last = numpy.sqrt(rest).astype(int)
    rows = numpy.column_stack((rows, last))[last**2 > rest - 60].astype(numpy.float32)
    k = len(rows) // 3
    ids, distances = annulus.FlatIndex(rows).search(rows[0] * 0, len(rows))
    order = numpy.lexsort((ids, distances))
    assert len(rows) > 50 and (order[:k] != numpy.arange(k)).any()
    for queries in (rows[0] * 0, rows[:3] * 0):
        found = sharded(comm, rows).search(queries, k)
        if comm.rank == 0:
            assert (found.ids == ids[order[:k]]).all() and (found.distances == distances[order[:k]]).all()


@case
def one_query_none_and_other_roots(comm, folder):
    rows, queries = random_rows(100), random_rows(4, seed=8)
    index, whole = sharded(comm, rows), annulus.FlatIndex(rows)
    for root in range(comm.size):
        for asked in (queries[0], queries[:0], queries[:1], queries[0].tolist()):
            found = index.search(asked if comm.rank == root else None, 3, root=root)
            if comm.rank == root:
                same(found, whole.search(asked, 3))
    raises(comm, ValueError, "root = 9", lambda: index.search(queries, root=9))
    if comm.size > 1:
        words = f"root = {comm.size - 1}: must be the same on all ranks; another one has 0"
        raises(comm, ValueError, words, lambda: index.search(queries, root=comm.rank))
        raises(comm, ValueError, words, lambda: index.insert(queries, root=comm.rank))


@case
def scattered_queries(comm, folder):
    rows = random_rows(200)
    index, whole = sharded(comm, rows), annulus.FlatIndex(rows)
    asked = random_rows(3 * comm.rank, seed=comm.rank)  # none on rank 0
    same(index.search(asked, 5, scattered=True), whole.search(asked, 5))
    same(index.search(rows[comm.rank], 5, scattered=True), whole.search(rows[comm.rank], 5))


@case
def every_kind_merges_what_its_ranks_find(comm, folder):
    rows, queries = random_rows(1200), random_rows(30, seed=8)
    mine = numpy.linspace(0, 1200, comm.size + 1).astype(int)
    mine = slice(mine[comm.rank], mine[comm.rank + 1])
    for kind, params in [
        ("flat", {}),
        ("nndescent", {"n_neighbors": 10}),
        ("lsh", {"metric": "cosine"}),
        ("pq", {"m": 4, "ks": 16}),
        ("fast_scan", {"m": 4}),
        ("rabitq", {}),
    ]:
        index = ShardedIndex(comm, rows[mine], kind, threads=1, **params)
        assert index.kind == kind and index.dim == 16 and f"over {comm.size} rank" in repr(index)
        assert index.info("rows") == "rows of float32" and index.memory_bytes() >= index.shard.memory_bytes
        found, expected = index.search(queries, 7), merged_by_hand(comm, index, queries, 7)
        if comm.rank == 0:
            same(found, expected)


def rows_are_found(comm, rows, queries, metric):
    index = ShardedIndex(comm, rows, "nndescent", metric, n_neighbors=10, threads=1)
    found, expected = index.search(queries, 5), merged_by_hand(comm, index, queries, 5)
    if comm.rank == 0:
        same(found, expected)
    return index


@case
def rows_of_every_sort(comm, folder):
    """Of those that the build has."""
    bits = numpy.random.default_rng(3).random((120, 40)) < 0.3
    mine = divided(120, comm)
    if has_rows("uint8"):
        rows_are_found(comm, bits[mine], bits[:9], "bit_hamming")
    if not has_rows("sparse_float32"):
        return
    from scipy.sparse import csr_array

    sparse = csr_array(numpy.where(bits, 1, 0).astype(numpy.float32))
    rows_are_found(comm, sparse[mine], sparse[:9], "cosine")
    sets = [set(numpy.flatnonzero(row).tolist()) for row in bits]
    index = rows_are_found(comm, annulus.sets(sets[mine], 40), sets[:9], "jaccard")
    raises(comm, TypeError, "rank 0: queries: annulus.Rows", lambda: index.search(annulus.sets(sets[:9], 40)))


@case
def searches_in_flight(comm, folder):
    rows, queries = random_rows(200), random_rows(60, seed=8)
    index, whole = sharded(comm, rows), annulus.FlatIndex(rows)
    requests = [index.search_async(queries[i : i + 20], 5, root=i % comm.size) for i in (0, 20, 40)]
    for i, request in zip((0, 20, 40), requests, strict=True):
        found = request.get()
        assert request.get() is found
        if comm.rank == i % comm.size:
            same(found, whole.search(queries[i : i + 20], 5))
    failed, fine = index.search_async(queries[:, :3]), index.search_async(queries, 2)
    for _ in range(2):
        raises(comm, ValueError, "rank 0: ", failed.get)
    fine.get()


@case
def a_late_rank(comm, folder):
    if comm.size == 1:
        return
    index, queries = sharded(comm, random_rows(200)), random_rows(5, seed=8)
    late = comm.size - 1
    if comm.rank == late:
        comm.recv(source=0)  # until rank 0 has lost patience
    request = index.search_async(queries, 4)
    if comm.rank == 0:
        for _ in range(2):
            try:
                request.get(timeout=0.01)
            except TimeoutError as error:
                assert "timeout = 0.01" in str(error)
            else:
                raise AssertionError("has not waited for the late rank")
        comm.send(None, dest=late)
    for timeout in (float("nan"), -1):
        raises(comm, ValueError, "must be None or at least 0 seconds", functools.partial(request.get, timeout))
    found = request.get(timeout=60)
    if comm.rank == 0:
        same(found, annulus.FlatIndex(random_rows(200)).search(queries, 4))


@case
def radius_search(comm, folder):
    rows = random_rows(300, 3)
    index = sharded(comm, rows, "nndescent", n_neighbors=10)
    distances = numpy.sqrt(((rows[:20, None].astype(float) - rows) ** 2).sum(-1))
    found = index.radius_search(rows[:20], 0.8, epsilon=1.0)
    if comm.rank == 0:
        assert found.ids.dtype == numpy.int64 and len(found.indptr) == 21
        for i in range(20):
            mine = slice(found.indptr[i], found.indptr[i + 1])
            assert set(found.ids[mine].tolist()) == set(numpy.flatnonzero(distances[i] <= 0.8).tolist())
            assert (numpy.diff(found.distances[mine]) >= 0).all()
    else:
        assert found is None
    mine = index.radius_search(rows[: comm.rank], 0.8, scattered=True)
    assert len(mine.indptr) == comm.rank + 1
    raises(comm, ValueError, "rank 0: ", lambda: index.radius_search(rows[:, :2], 0.8))
    raises(comm, ValueError, "kind = flat", lambda: sharded(comm, rows).radius_search(rows, 0.8))


@case
def filters_are_of_global_ids(comm, folder):
    rows, queries = random_rows(200), random_rows(10, seed=8)
    index = sharded(comm, rows)
    bools = numpy.arange(200) % 7 == 3
    expected = annulus.FlatIndex(rows).search(queries, 5, filter=bools)
    for allowed in (bools, numpy.flatnonzero(bools), set(range(3, 200, 7)), range(3, 200, 7), lambda id: id % 7 == 3):
        found = index.search(queries, 5, filter=allowed)
        if comm.rank == 0:
            same(found, expected)
    found = index.search(queries, 5, filter=[])
    if comm.rank == 0:
        assert (found.ids == -1).all() and numpy.isposinf(found.distances).all()
    raises(comm, ValueError, "one for each of the 200 ids", lambda: index.search(queries, filter=bools[:9]))


class Odd(Exception):
    """An exception that is made of two arguments."""

    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


@case
def what_one_rank_raises_all_raise(comm, folder):
    rows, last = random_rows(200), comm.size - 1
    index = sharded(comm, rows)

    def fails(error, id):
        if comm.rank == last:
            raise error
        return True

    for error, cls, words in [
        (ValueError("too odd"), ValueError, f"rank {last}: too odd"),
        (ZeroDivisionError("by 0"), ZeroDivisionError, f"rank {last}: by 0"),
        (KeyboardInterrupt(), KeyboardInterrupt, f"rank {last}: "),
        (FileNotFoundError(2, "gone", "rows.npy"), FileNotFoundError, f"rank {last}: gone: 'rows.npy'"),
        (Odd(1, 2), RuntimeError, f"rank {last}: Odd: 1 and 2"),
    ]:
        raises(comm, cls, words, lambda: index.search(rows, 3, filter=functools.partial(fails, error)))
    same_k = 5 if comm.rank < last or comm.size == 1 else 6
    if comm.size > 1:
        raises(comm, ValueError, f"rank {last}: k = 6: must be", lambda: index.search(rows, same_k))
    raises(comm, ValueError, "rank 0: k = 0", lambda: index.search(rows, 0))
    raises(comm, TypeError, "rank 0: ", lambda: index.search(rows, 2.5))
    raises(comm, TypeError, "rank 0: queries: ", lambda: index.search(None))
    raises(comm, ValueError, "rank 0: ", lambda: index.search(rows, 3, beam=4))
    with_nan = rows.copy()
    with_nan[-1, 3] = numpy.nan
    raises(comm, ValueError, f"rank {last}: ", lambda: sharded(comm, with_nan, "nndescent"))
    raises(comm, ValueError, "kind = 'flit'", lambda: ShardedIndex(comm, rows, "flit"))
    raises(comm, TypeError, "rank 0: index: ", lambda: ShardedIndex.of(comm, rows))
    raises(comm, TypeError, "comm: ", lambda: ShardedIndex(None, rows))
    if comm.size > 1:
        odd = rows if comm.rank < last else rows[:, :3]
        raises(comm, ValueError, f"rank {last}: has a FlatIndex", lambda: ShardedIndex(comm, odd, "flat"))
    found = index.search(rows[:1], 1)  # nothing is left over from all that
    if comm.rank == 0:
        assert found.ids.tolist() == [[0]]


@case
def changes_beside_a_model(comm, folder):
    random = numpy.random.default_rng(5)
    start = random_rows(60, 8)
    for kind in ("nndescent", "lsh"):
        params = {"n_neighbors": 10} if kind == "nndescent" else {"metric": "euclidean", "width": 100.0}
        index = sharded(comm, start, kind, **params)
        model = dict(enumerate(start))
        n_ids = len(start)
        for step in range(60):
            what = random.integers(4)
            if what < 2:
                rows = random.normal(size=(random.integers(1, 4), 8)).astype(numpy.float32)
                fewest = int(numpy.argmin(index.sizes))
                before = index.sizes
                assert index.insert(rows if comm.rank == step % comm.size else None, root=step % comm.size) == n_ids
                assert (index.sizes - before).tolist() == [len(rows) * (r == fewest) for r in range(comm.size)]
                model.update(enumerate(rows, n_ids))
                n_ids += len(rows)
            else:
                id = int(random.choice(list(model)))
                row = random.normal(size=8).astype(numpy.float32)
                if what == 2:
                    index.erase(id)
                    del model[id]
                    raises(comm, ValueError, f"id = {id}: is not in the index", lambda: index.erase(id))
                else:
                    index.update(id, row if comm.rank == 0 else None)
                    model[id] = row
            if step == 40:
                index.consolidate()
            assert index.size == len(model)
        ids, rows = numpy.array(sorted(model)), numpy.array([model[id] for id in sorted(model)])
        found = index.search(rows, 5, **({"beam": 500} if kind == "nndescent" else {}))
        if comm.rank == 0:
            exact = annulus.knn(rows, rows, 5)
            assert annulus.recall(found, exact) == 1.0 and (ids[exact.ids] == found.ids).mean() > 0.99
        for id in (-1, n_ids, 2**40):
            raises(comm, ValueError, f"id = {id}: is not in the index", lambda: index.erase(id))
            raises(comm, ValueError, f"id = {id}: is not in the index", lambda: index.update(id, rows[0]))
        raises(comm, TypeError, "", lambda: index.erase(1.5))
        if comm.size > 1:
            raises(comm, ValueError, "rank 1: id = ", lambda: index.erase(int(ids[min(comm.rank, 1)])))
        raises(comm, ValueError, "rank", lambda: index.insert(rows[:, :3]))
        raises(comm, TypeError, "rank 0: rows: ", lambda: index.insert(None))
        assert index.size == len(model)
    flat = sharded(comm, start)
    assert flat.insert(start[:2]) == 60 and flat.size == 62
    found = flat.search(start[:2], 2)
    if comm.rank == 0:
        assert found.ids.tolist() == [[0, 60], [1, 61]]
    raises(comm, ValueError, "has no erase", lambda: flat.erase(3))
    raises(comm, ValueError, "has no insert", lambda: sharded(comm, start, "rabitq").insert(start))


@case
def of_indexes_that_have_changed(comm, folder):
    rows = random_rows(50)
    mine = annulus.NNDescentIndex(rows, n_neighbors=10, threads=1)
    mine.erase(49)
    mine.erase(7)
    index = ShardedIndex.of(comm, mine)
    assert index.shard is mine and index.size == 48 * comm.size
    assert index.ids.tolist() == list(range(50 * comm.rank, 50 * comm.rank + 50))
    found = index.search(rows[:1], comm.size)
    if comm.rank == 0:
        assert found.ids.tolist() == [list(range(0, 50 * comm.size, 50))]
    raises(comm, ValueError, "id = 7: is not in the index", lambda: index.erase(7))
    assert index.insert(rows[7]) == 50 * comm.size


def listed(comm, folder):
    comm.Barrier()
    names = sorted(os.listdir(folder))
    comm.Barrier()
    return names


@case
def save_and_open(comm, folder):
    rows, queries = random_rows(200), random_rows(10, seed=8)
    path = os.path.join(folder, "né.index")
    for kind, params in [("flat", {}), ("nndescent", {"n_neighbors": 10}), ("lsh", {"metric": "cosine"})]:
        index = sharded(comm, rows, kind, **params)
        for i in range(comm.size):  # so that ids are in several runs
            index.insert(random_rows(3, seed=i))
        if kind != "flat":
            index.erase(3)
        index.save(path)
        names = listed(comm, folder)
        assert len(names) == 2 * comm.size + 1 and all(
            name.startswith("né.index") for name in names
        )  # none of older saves
        opened = [ShardedIndex.open(comm, path, mapped=mapped) for mapped in (False, True)]
        for other in opened:
            assert repr(other) == repr(index) and (other.ids == index.ids).all() and other.kind == kind
            found, expected = other.search(queries, 6), index.search(queries, 6)
            if comm.rank == 0:
                same(found, expected)
        assert opened[0].insert(rows[:2]) == 200 + 3 * comm.size


def rows_of_both_languages():
    """Ten rows and one that was inserted, of which tests/mpi/dynamic_index.cpp makes the same."""
    i, j = numpy.ogrid[:11, :4]
    return ((7 * i + 3 * j * j + i * j) % 13).astype(numpy.float32)


@case
def shards_that_cpp_has_saved_on_two_ranks(comm, folder):
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/data/shards/cpp.shards"
    pair = comm.Split(0 if comm.rank < 2 else MPI.UNDEFINED)
    if pair == MPI.COMM_NULL:
        return
    if pair.size == 2 and path.exists():  # a source distribution has no such data
        index, rows = ShardedIndex.open(pair, path), rows_of_both_languages()
        assert index.kind == "flat" and index.n_ids == 11 and index.sizes.tolist() == [6, 5]
        found = index.search(rows, 5)
        if pair.rank == 0:
            same(found, annulus.FlatIndex(rows).search(rows, 5))
    pair.Free()


def spoiled(comm, path, file, content):
    """What opening raises while a file has other content; then it has the old one again."""
    with open(file, "rb") as opened:
        old = opened.read()
    comm.Barrier()
    if comm.rank == 0:
        if content is None:
            os.remove(file)
        else:
            with open(file, "wb") as opened:
                opened.write(content(bytearray(old)))
    comm.Barrier()
    try:
        return raised(lambda: ShardedIndex.open(comm, path))
    finally:
        comm.Barrier()
        if comm.rank == 0:
            with open(file, "wb") as opened:
                opened.write(old)
        comm.Barrier()


def raised(call):
    try:
        call()
    except Exception as error:
        return error
    return None


def signed(manifest, name, value):
    """A manifest with another value and a checksum that is right."""
    shards = json.loads(manifest)["shards"]
    shards[name] = value
    return json.dumps({"checksum": checksum_of(canonical(shards)), "shards": shards}).encode()


@case
def files_that_are_damaged(comm, folder):
    index = sharded(comm, random_rows(200), "nndescent", n_neighbors=10)
    path = os.path.join(folder, "index")
    index.save(path)
    last = comm.size - 1

    def file_of(rank, ending):
        return os.path.join(folder, [name for name in listed(comm, folder) if name.endswith(f".{rank}.{ending}")][0])

    def changed(at):
        def change(content):
            content[at] ^= 1
            return content

        return change

    for file in (file_of(last, "index"), file_of(last, "ids")):
        for change in (
            changed(-1),
            changed(20),
            changed(3),
            lambda old: old[:-1],
            lambda old: b"",
            lambda old: old[:5],
        ):
            error = spoiled(comm, path, file, change)
            assert type(error) is annulus.FormatError and f"rank {last}: {file}: " in str(error), error
        error = spoiled(comm, path, file, None)
        assert type(error) is FileNotFoundError and f"rank {last}: " in str(error), error
        if comm.size > 1:
            with open(file_of(0, file.rsplit(".")[-1]), "rb") as other:
                content = other.read()
            error = spoiled(comm, path, file, lambda old, content=content: content)
            assert type(error) is annulus.FormatError and f"rank {last}: {file}: " in str(error), error

    for content in (b"", b"{}", b"[1]", b"\xff", b"[" * 100_000, b'{"checksum": 3, "shards": 3}'):
        error = spoiled(comm, path, path, lambda old, content=content: content)
        assert type(error) is annulus.FormatError and f"rank 0: {path}: " in str(error), error
    with open(path, "rb") as file:
        manifest = file.read()
    for at in range(0, len(manifest), 17):
        error = spoiled(comm, path, path, changed(at))
        assert type(error) is annulus.FormatError or manifest[at : at + 1].isspace(), (at, error)
    for name, value in [
        ("tag", "../" * 5 + "a"),
        ("n_ids", -1),
        ("n_ids", 1.5),
        ("n_ids", 100),
        ("kind", "flat_index"),
    ]:
        error = spoiled(comm, path, path, lambda old, name=name, value=value: signed(old, name, value))
        assert type(error) is annulus.FormatError, (name, value, error)
    error = spoiled(comm, path, path, lambda old: signed(old, "format_version", 99))
    assert type(error) is annulus.FormatError and "format version 99" in str(error), error
    if comm.size > 1:
        fewer = comm.Split(comm.rank < last)
        if comm.rank < last:
            raises(fewer, ValueError, f"has the shards of {comm.size}", lambda: ShardedIndex.open(fewer, path))
        fewer.Free()
    assert ShardedIndex.open(comm, path).size == 200
    raises(comm, FileNotFoundError, "rank 0: ", lambda: ShardedIndex.open(comm, path + "no"))


class CannotSave:
    """An index that cannot be saved."""

    def __init__(self, index):
        self._index = index

    def save(self, path):
        raise OSError(28, "No space left on device", path)

    def __getattr__(self, name):
        return getattr(self._index, name)


@case
def a_save_that_fails_leaves_the_old_one(comm, folder):
    index, path = sharded(comm, random_rows(60)), os.path.join(folder, "index")
    index.save(path)
    before = listed(comm, folder)
    failing = copy.copy(index)
    failing.insert(random_rows(3))
    if comm.rank == comm.size - 1:
        failing._index = CannotSave(failing._index)
    raises(comm, OSError, f"rank {comm.size - 1}: No space left", lambda: failing.save(path))
    assert listed(comm, folder) == before
    assert ShardedIndex.open(comm, path).size == 60
    raises(comm, FileNotFoundError, "rank", lambda: index.save(os.path.join(folder, "no folder", "index")))
    os.makedirs(os.path.join(folder, "taken"), exist_ok=True)
    raises(comm, IsADirectoryError, "rank 0: ", lambda: index.save(os.path.join(folder, "taken")))
    assert listed(comm, folder) == [*before, "taken"]


@case
def ids_in_runs(comm, folder):
    ids = GlobalIds()
    assert len(ids) == 0 and ids.runs == [] and ids.local([3]).tolist() == [-1]
    model = []
    for first, count in [(4, 3), (7, 2), (20, 0), (30, 1), (40, 5)]:
        ids.append(first, count)
        model += range(first, first + count)
    assert ids.runs == [(0, 4, 5), (5, 30, 1), (6, 40, 5)] and ids.end == 45 and len(ids) == len(model)
    assert ids.of(numpy.arange(len(model))).tolist() == model
    expected = [model.index(id) if id in model else -1 for id in range(-1, 60)]
    assert ids.local(numpy.arange(-1, 60)).tolist() == expected
    assert GlobalIds(ids.runs).runs == ids.runs


def main(folder):
    comm = MPI.COMM_WORLD
    for function in CASES:
        own = os.path.join(folder, function.__name__)
        if comm.rank == 0:
            os.mkdir(own)
        comm.Barrier()
        try:
            function(comm, own)
        except BaseException:
            print(f"{function.__name__} fails on rank {comm.rank}:", file=sys.stderr)
            traceback.print_exc()
            sys.stderr.flush()
            comm.Abort(1)
        comm.Barrier()
        if comm.rank == 0:
            print(f"passed {function.__name__} {comm.size}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
