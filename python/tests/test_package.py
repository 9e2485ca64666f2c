"""The package as such."""

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


def test_import_loads_numpy_alone():
    code = (
        "import sys, annulus;"
        "print({'scipy', 'sklearn', 'tqdm', 'numba', 'torch', 'jax', 'faiss', 'matplotlib', 'mpi4py'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_stubs_tell_the_types():
    stub = pathlib.Path(annulus._core.__file__).with_name("_core.pyi")
    if not stub.exists():
        pytest.skip("built without stubs")
    text = stub.read_text()
    assert "class Index" in text and "def approx_min_k" in text
    assert pathlib.Path(annulus.__file__).with_name("py.typed").exists()
