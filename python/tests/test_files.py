"""Files, pickles and copies."""

import copy
import os
import pickle

import numpy
import pytest
from test_search import _indexes

import annulus


def _same(one, other, rows):
    a, b = one.search(rows[:20], 5), other.search(rows[:20], 5)
    assert type(one) is type(other) and repr(one) == repr(other)
    assert (a.ids == b.ids).all() and (a.distances == b.distances).all()


def test_every_kind_is_opened_as_its_class(rows, tmp_path):
    for i, (index, _) in enumerate(_indexes(rows)):
        path = tmp_path / f"{i}.index"
        index.save(path)
        _same(annulus.open(path), index, rows)
        _same(annulus.open(str(path)), index, rows)
        mapped = annulus.open(os.fsencode(path), mapped=True)
        mapped.verify()
        _same(mapped, index, rows)


def test_every_kind_is_pickled_and_copied(rows):
    for index, _ in _indexes(rows):
        index.note = {"kept": [1]}
        for protocol in (2, 4, 5):
            again = pickle.loads(pickle.dumps(index, protocol))
            _same(again, index, rows)
            assert again.note == {"kept": [1]}
        _same(copy.copy(index), index, rows)
        _same(copy.deepcopy(index), index, rows)


def test_pickles_may_leave_their_bytes_outside(rows):
    index = annulus.FlatIndex(rows)
    buffers = []
    small = pickle.dumps(index, 5, buffer_callback=buffers.append)
    assert len(small) < 1000 and len(buffers) == 1
    _same(pickle.loads(small, buffers=buffers), index, rows)


def test_methods_are_pickled_with_their_index(rows):
    search = pickle.loads(pickle.dumps(annulus.FlatIndex(rows).search))
    assert (search(rows[:20], 1).ids[:, 0] == numpy.arange(20)).all()


def test_deep_copies_share_nothing_but_the_metric(rows):
    from test_callbacks import of_ctypes

    index = annulus.FlatIndex(rows, metric=of_ctypes())  # which cannot be copied
    index.notes, index.me = [1], index
    other = copy.deepcopy(index)
    other.notes.append(2)
    assert index.notes == [1] and other.me is other and copy.copy(index).notes is index.notes
    _same(other, index, rows[:3])


def test_copies_change_alone(rows):
    index = annulus.NNDescentIndex(rows[:100], n_neighbors=10)
    other = copy.copy(index)
    other.insert(rows[100:])
    assert len(index) == 100 and len(other) == 200


def test_metrics_of_the_callers_are_given_again(rows, tmp_path):
    from test_callbacks import of_njit

    metric = of_njit()
    index = annulus.NNDescentIndex(rows, metric=metric, n_neighbors=10)
    index.save(tmp_path / "index")
    _same(annulus.open(tmp_path / "index", metric=metric), index, rows)
    _same(copy.copy(index), index, rows)
    assert index.metric == "user"
    with pytest.raises(ValueError, match="metric"):
        annulus.open(tmp_path / "index")


def _python_metric(x, y):
    return float(numpy.abs(x - y).sum())


@pytest.mark.filterwarnings("ignore::annulus.SlowMetricWarning")
def test_metrics_of_python_are_pickled_by_name(rows):
    index = annulus.NNDescentIndex(rows[:50], metric=_python_metric, n_neighbors=10)
    _same(pickle.loads(pickle.dumps(index)), index, rows)


def test_files_that_are_damaged_or_missing(rows, tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        annulus.open(tmp_path / "none.index")
    assert "none.index" in str(missing.value)
    (tmp_path / "text").write_text("no index")
    with pytest.raises(annulus.FormatError, match="text"):
        annulus.open(tmp_path / "text")
    assert issubclass(annulus.FormatError, ValueError)
    path = tmp_path / "index"
    annulus.FlatIndex(rows).save(path)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(annulus.FormatError):
        annulus.open(path)
    with pytest.raises(OSError):
        annulus.FlatIndex(rows).save(tmp_path / "no folder" / "index")
    with pytest.raises(TypeError):
        annulus.open(3.5)


def test_damaged_files_whose_bytes_are_no_text(rows, tmp_path):
    path = tmp_path / "index"
    annulus.NNDescentIndex(rows, n_neighbors=10).save(path)
    content = path.read_bytes()
    header = content.index(b'"metric"')
    path.write_bytes(content[:header] + b"\xff\xfe" + content[header + 2 :])
    for mapped in (False, True):
        with pytest.raises(annulus.FormatError):
            annulus.open(path, mapped=mapped)
    missing = os.fsencode(tmp_path) + b"/\xff.index"
    with pytest.raises(FileNotFoundError, match=r"\\xff"):
        annulus.open(missing)


def test_names_of_metrics_are_those_of_the_file(rows, tmp_path):
    annulus.FlatIndex(rows).save(tmp_path / "index")
    with pytest.raises(TypeError, match="'cosine' is a name, which the file holds"):
        annulus.open(tmp_path / "index", metric="cosine")


def test_names_that_are_no_ascii(rows, tmp_path):
    path = tmp_path / "né 漢.index"
    annulus.FlatIndex(rows).save(path)
    _same(annulus.open(path), annulus.FlatIndex(rows), rows)
