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


def test_what_is_no_metric(rows):
    with pytest.raises(TypeError, match="neither a name nor a function"):
        annulus.knn(rows, rows, 1, metric=["cosine"])


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
