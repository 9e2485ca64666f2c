"""The examples of the documentation run."""

import pathlib
import re

import numpy
import pytest
from reference import has_storage

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/python.md"


def test_examples_of_the_page(tmp_path, monkeypatch):
    pytest.importorskip("scipy")
    pytest.importorskip("numba")
    if not PAGE.exists():
        pytest.skip("a source distribution has no documentation")
    if not has_storage("sq8"):
        pytest.skip("built without sq8")
    monkeypatch.chdir(tmp_path)
    random = numpy.random.default_rng(1)
    names = {"queries": random.normal(size=(20, 64)).astype(numpy.float32), "allowed": numpy.arange(10_000) % 3 == 0}
    names["rows"], names["row"] = names["queries"], names["queries"][0]
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        if "mpi4py" in block:  # test_mpi.py
            continue
        exec(compile(block, str(PAGE), "exec"), names)
