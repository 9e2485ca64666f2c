"""Metrics of the caller's, progress, and Ctrl-C."""

import ctypes
import os
import signal
import threading
import time
import warnings

import numpy
import pytest
from reference import check_nearest

import annulus

SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_float, ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_float), ctypes.c_size_t, ctypes.c_void_p
)


def manhattan(x, y):
    assert isinstance(x, numpy.ndarray) and x.dtype == numpy.float32 and x.shape == y.shape
    return numpy.abs(x - y).sum()


def of_python():
    return manhattan


def of_ctypes():
    return SIGNATURE(lambda x, y, dim, user: sum(abs(x[i] - y[i]) for i in range(dim)))


def of_njit():
    numba = pytest.importorskip("numba")

    @numba.njit
    def metric(x, y):
        return numpy.abs(x - y).sum()

    return metric


def of_cfunc():
    numba = pytest.importorskip("numba")
    row = numba.types.CPointer(numba.types.float32)

    @numba.cfunc(numba.types.float32(row, row, numba.types.uintp, numba.types.voidptr))
    def metric(x, y, dim, user):
        total = 0.0
        for i in range(dim):
            total += abs(x[i] - y[i])
        return total

    return metric


@pytest.mark.filterwarnings("ignore::annulus.SlowMetricWarning")
@pytest.mark.parametrize("make", [of_python, of_ctypes, of_njit, of_cfunc])
def test_metrics_of_the_callers(rows, make):
    metric = make()
    check_nearest(annulus.knn(rows, rows[:4], 5, metric=metric), rows, rows[:4], "manhattan")
    check_nearest(annulus.FlatIndex(rows, metric=metric).search(rows[:4], 5), rows, rows[:4], "manhattan")
    index = annulus.NNDescentIndex(rows[:80], metric=metric, n_neighbors=20)
    assert (index.search(rows[:20], 1).ids[:, 0] == numpy.arange(20)).all()
    graph = annulus.build_knn_graph(rows[:80], 5, metric=metric)
    exact = annulus.knn(rows[:80], rows[:80], 6, metric="manhattan")
    assert annulus.recall(graph, annulus.Neighbors(exact.ids[:, 1:], exact.distances[:, 1:])) > 0.9


@pytest.mark.parametrize("make", [of_ctypes, of_njit, of_cfunc])
def test_addresses_of_metrics(rows, make):
    metric = make()
    address = annulus.metric_address(metric)
    assert annulus.metric_address(address) == address and annulus.metric_address(metric) == address
    check_nearest(annulus.knn(rows, rows[:3], 4, metric=address), rows, rows[:3], "manhattan")
    with pytest.raises(TypeError, match="no address"):
        annulus.metric_address(manhattan)


def test_a_metric_of_python_warns_at_its_caller(rows):
    for call in (
        lambda: annulus.knn(rows[:9], rows[:3], 2, metric=manhattan),
        lambda: annulus.NNDescentIndex(rows[:9], n_neighbors=3, metric=manhattan),
        lambda: annulus.build_knn_graph(rows[:9], 3, metric=manhattan),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        assert [one.category for one in caught] == [annulus.SlowMetricWarning]
        assert caught[0].filename == __file__


@pytest.mark.filterwarnings("ignore::annulus.SlowMetricWarning")
def test_exceptions_of_metrics_pass_through(rows):
    def fails(x, y):
        raise KeyError("mine")

    def returns_text(x, y):
        return "near"

    for call in (
        lambda metric: annulus.knn(rows, rows, 3, metric=metric),
        lambda metric: annulus.NNDescentIndex(rows, metric=metric),
        lambda metric: annulus.build_knn_graph(rows, 5, metric=metric),
    ):
        with pytest.raises(KeyError, match="mine"):
            call(fails)
        with pytest.raises(TypeError):
            call(returns_text)
    calls = [0]

    def fails_later(x, y):
        calls[0] += 1
        if calls[0] > limit[0]:
            raise KeyError("later")
        return float(numpy.abs(x - y).sum())

    limit = [10**9]
    index = annulus.NNDescentIndex(rows, metric=fails_later, n_neighbors=5)
    limit[0] = calls[0] + 5
    with pytest.raises(KeyError, match="later"):
        index.search(rows[:50], 3)
    limit[0] = 10**9
    assert index.search(rows[:2], 1).ids[:, 0].tolist() == [0, 1]


@pytest.mark.filterwarnings("ignore::annulus.SlowMetricWarning")
def test_changes_that_a_metric_ends_leave_the_index_as_it_was(rows):
    calls_left = [10**9]

    def metric(x, y):
        calls_left[0] -= 1
        if calls_left[0] < 0:
            raise KeyError("mine")
        return float(numpy.abs(x - y).sum())

    index = annulus.NNDescentIndex(rows[:100], metric=metric, n_neighbors=8)
    before = index.search(rows[100:120], 5, beam=50)
    for n_calls in (0, 5, 50, 200):
        for change in (lambda: index.insert(rows[100:110]), lambda: index.update(3, rows[100])):
            calls_left[0] = n_calls
            with pytest.raises(KeyError, match="mine"):
                change()
            calls_left[0] = 10**9
            assert len(index) == 100 and (index.search(rows[100:120], 5, beam=50).ids == before.ids).all()


@pytest.mark.filterwarnings("ignore::annulus.SlowMetricWarning")
def test_exceptions_of_a_metric_end_the_call_that_they_come_from(rows):
    this_thread = threading.local()

    def metric(x, y):
        if getattr(this_thread, "fails", False):
            raise KeyError("mine")
        return float(numpy.abs(x - y).sum())

    index = annulus.FlatIndex(rows[:40], metric=metric)
    expected = index.search(rows[:20], 3)
    wrong = []

    def search(fails, n):
        this_thread.fails = fails
        for _ in range(n):
            try:
                if not (index.search(rows[:20], 3).ids == expected.ids).all() or fails:
                    wrong.append("a result")
            except BaseException as error:
                if not fails or not isinstance(error, KeyError):
                    wrong.append(error)

    threads = [threading.Thread(target=search, args=args) for args in ((False, 20), (True, 200), (True, 200))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_callbacks_read_the_index_and_cannot_change_it(rows):
    index = annulus.NNDescentIndex(rows, n_neighbors=10)

    def reads(i):
        return index.search(rows[i], 1).ids[0] == i and len(index) == 200 and index.memory_bytes > 0

    assert (index.search(rows[:5], 1, filter=reads).ids[:, 0] == numpy.arange(5)).all()
    for change in (lambda: index.insert(rows[:1]), lambda: index.erase(3), index.consolidate):
        with pytest.raises(RuntimeError, match="cannot be changed by what one of its own calls calls back"):
            index.search(rows[:5], 1, filter=lambda i: change() or True)
    many = numpy.tile(rows, (200, 1))
    with pytest.raises(RuntimeError, match="cannot be changed"):
        index.search(many, 10, beam=200, progress=lambda *report: index.insert(rows[:1]))
    assert len(index) == 200


@pytest.mark.filterwarnings("ignore::annulus.SlowMetricWarning")
def test_metrics_cannot_read_an_index_that_is_being_changed(rows):
    held = []

    def metric(x, y):
        for index in held:
            index.search(rows[0], 1)
        return float(numpy.abs(x - y).sum())

    held.append(annulus.NNDescentIndex(rows[:50], n_neighbors=5, metric=metric))
    with pytest.raises(RuntimeError, match="is being changed"):
        held[0].insert(rows[60])
    assert len(held[0]) == 50


def test_ctrl_c_ends_waiting_for_another_call(random):
    data = random.normal(size=(5000, 64)).astype(numpy.float32)
    index = annulus.NNDescentIndex(data, n_neighbors=15)
    stop = []

    def until_told(stage, fraction, whole):
        if stop:
            raise StopIteration

    def search():
        with pytest.raises(StopIteration):
            index.search(numpy.tile(data, (400, 1)), 50, beam=1000, threads=1, progress=until_told)

    thread = threading.Thread(target=search)
    thread.start()
    try:
        time.sleep(0.2)
        assert _interrupted(lambda: index.insert(data[:2])) < 2
    finally:
        stop.append(True)
        thread.join()


def test_what_is_no_metric(rows):
    with pytest.raises(TypeError, match="neither a name nor a function"):
        annulus.knn(rows, rows, 1, metric=["cosine"])
    for address in (0, 1, numpy.int64(2), -1, 2**64, SIGNATURE()):
        with pytest.raises(ValueError, match="metric: .* is the address of no function"):
            annulus.knn(rows, rows, 1, metric=address)


def test_functions_of_c_that_say_that_they_are_no_metrics(rows):
    number, row = ctypes.c_float, ctypes.POINTER(ctypes.c_float)
    functions = [
        ctypes.CFUNCTYPE(ctypes.c_double, row, row, ctypes.c_size_t, ctypes.c_void_p)(lambda x, y, dim, user: 0.0),
        ctypes.CFUNCTYPE(number, row, row)(lambda x, y: 0.0),
    ]
    try:
        from numba import cfunc, types
    except ImportError:
        pass
    else:
        for signature in (
            types.float64(types.CPointer(types.float32), types.CPointer(types.float32), types.uintp, types.voidptr),
            types.float32(types.CPointer(types.float64), types.CPointer(types.float64), types.uintp, types.voidptr),
        ):
            functions.append(cfunc(signature)(lambda x, y, dim, user: 0.0))
        functions.append(cfunc(types.float32(types.float32, types.float32))(lambda x, y: x + y))
    for function in functions:
        with pytest.raises(TypeError, match="metric: .* must be float f"):
            annulus.knn(rows, rows, 1, metric=function)


def test_progress_is_reported(random):
    data = random.normal(size=(20000, 32)).astype(numpy.float32)
    reports = []
    annulus.NNDescentIndex(data, n_neighbors=20, progress=lambda *report: reports.append(report))
    assert reports
    stages, fractions, wholes = zip(*reports)
    assert all(isinstance(stage, str) and stage for stage in stages)
    assert all(0 <= share <= 1 for share in fractions + wholes)
    assert list(wholes) == sorted(wholes)


def test_progress_draws_a_bar(random, capsys):
    pytest.importorskip("tqdm")
    data = random.normal(size=(20000, 32)).astype(numpy.float32)
    annulus.build_knn_graph(data, 20, progress=True)
    assert "%" in capsys.readouterr().err
    annulus.build_knn_graph(data[:100], 5, progress=False)
    assert capsys.readouterr().err == ""


def test_exceptions_of_progress_end_the_call(random):
    data = random.normal(size=(20000, 32)).astype(numpy.float32)

    def stop(stage, fraction, whole):
        raise StopIteration("enough")

    start = time.monotonic()
    with pytest.raises(StopIteration, match="enough"):
        annulus.build_knn_graph(data, 30, progress=stop)
    assert time.monotonic() - start < 10
    with pytest.raises(TypeError, match="progress"):
        annulus.build_knn_graph(data, 30, progress=3)


def _interrupted(call, after=0.3):
    """How long `call` went on after Ctrl-C."""
    sent = []

    def interrupt():
        time.sleep(after)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
            # Only where the call was quicker than the signal.
            thread.join()
            time.sleep(1)
            pytest.fail("the call ended before it was interrupted")
        return time.monotonic() - sent[0]
    finally:
        thread.join()


def test_ctrl_c_ends_long_calls(random):
    data = random.normal(size=(60000, 64)).astype(numpy.float32)
    assert _interrupted(lambda: annulus.NNDescentIndex(data, n_neighbors=50)) < 2
    assert _interrupted(lambda: annulus.build_knn_graph(data, 50)) < 2
    assert _interrupted(lambda: annulus.knn(data, data, 30, threads=1)) < 2
    assert _interrupted(lambda: annulus.knn(data, data, 30, metric="canberra", threads=1)) < 2


def test_ctrl_c_ends_batches_of_searches(random):
    data = random.normal(size=(5000, 64)).astype(numpy.float32)
    index = annulus.NNDescentIndex(data, n_neighbors=15)
    queries = numpy.tile(data, (40, 1))
    assert _interrupted(lambda: index.search(queries, 50, beam=1000, threads=1)) < 2
    reports = []
    index.search(queries[:40000], 10, beam=200, progress=lambda *report: reports.append(report))
    assert reports and reports[0][0] == "searching"


@pytest.mark.filterwarnings("ignore::annulus.SlowMetricWarning")
def test_ctrl_c_ends_metrics_of_python(random):
    data = random.normal(size=(3000, 16)).astype(numpy.float32)
    assert _interrupted(lambda: annulus.knn(data, data, 5, metric=lambda x, y: float(x @ y))) < 2


def test_other_threads_run_during_a_call(random):
    data = random.normal(size=(30000, 64)).astype(numpy.float32)
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.01)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    annulus.knn(data, data[:8000], 10, metric="manhattan", threads=1)
    taken = time.monotonic() - start
    done.set()
    thread.join()
    assert len(ticks) > taken / 0.01 / 4


def test_cycles_through_metrics_are_collected(rows):
    import gc
    import weakref

    class Owner:
        pass

    def metric_of(owner):
        return SIGNATURE(lambda x, y, dim, user: 0.0 if owner is None else abs(x[0] - y[0]))

    owner = Owner()
    owner.index = annulus.FlatIndex(rows[:5], metric=metric_of(owner))
    alive = weakref.ref(owner)
    del owner
    gc.collect()
    assert alive() is None
