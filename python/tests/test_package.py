"""The package as such."""

import inspect
import pathlib
import re
import subprocess
import sys

import pytest

import annulus


def test_version_is_that_of_the_library():
    assert re.fullmatch(r"\d+\.\d+\.\d+", annulus.__version__)
    assert annulus.instruction_set()


def test_metrics_have_names():
    assert len(annulus.metrics) == len(set(annulus.metrics)) >= 37
    assert {"euclidean", "cosine", "bit_hamming", "jaccard"} <= set(annulus.metrics)


def test_all_that_is_public_is_documented():
    for name in annulus.__all__:
        thing = getattr(annulus, name)
        if name == "metrics":
            continue
        assert thing.__doc__, name
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                if callable(value) and not member.startswith("_"):
                    assert value.__doc__, f"{name}.{member}"
    for member in dir(annulus.Index):
        if not member.startswith("_"):
            assert getattr(annulus.Index, member).__doc__, member


def test_import_is_quick_and_loads_numpy_alone():
    code = (
        "import sys, time; import numpy; a = time.perf_counter(); import annulus; b = time.perf_counter();"
        "heavy = {'scipy', 'sklearn', 'tqdm', 'numba', 'torch', 'jax', 'faiss', 'matplotlib', 'mpi4py'} & set(sys.modules);"
        "print(b - a, sorted(heavy))"
    )
    best = 1.0
    for _ in range(3):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        taken, heavy = run.stdout.split(" ", 1)
        assert heavy.strip() == "[]"
        best = min(best, float(taken))
    assert best < 0.15


def test_stubs_tell_the_types():
    stub = pathlib.Path(annulus._core.__file__).with_name("_core.pyi")
    if not stub.exists():
        pytest.skip("built without stubs")
    text = stub.read_text()
    assert "class Index" in text and "def approx_min_k" in text
    assert pathlib.Path(annulus.__file__).with_name("py.typed").exists()
