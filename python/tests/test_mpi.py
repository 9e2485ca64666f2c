"""Indexes over ranks of MPI: the cases of mpi_cases.py, on 1 to 4 ranks of this machine, and the example."""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parent
CASES = re.findall(r"@case\ndef (\w+)", (TESTS / "mpi_cases.py").read_text())

pytest.importorskip("mpi4py")
pytest.importorskip("xxhash")
if shutil.which("mpirun") is None:
    pytest.skip("mpirun is not installed", allow_module_level=True)


def run(n_ranks, *arguments):
    """A script on ranks of this machine, of which there may be more than cores."""
    environment = {  # Open MPI 4 and 5; MPICH has no such limits
        **os.environ,
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    command = ["mpirun", "-n", str(n_ranks), sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


@functools.cache
def run_of_cases(n_ranks):
    """All cases run at once, as starting ranks takes longer than the cases do."""
    with tempfile.TemporaryDirectory() as folder:
        return run(n_ranks, TESTS / "mpi_cases.py", folder)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("n_ranks", [1, 2, 3, 4])
def test_on_ranks(n_ranks, name):
    done = run_of_cases(n_ranks)
    passed = dict(re.findall(r"^passed (\w+) (\d+)$", done.stdout, re.MULTILINE))
    if n_ranks > 1 and set(passed.values()) == {"1"}:
        pytest.skip("mpirun is of another MPI than mpi4py's")
    assert passed.get(name) == str(n_ranks), done.stdout + done.stderr
    if name == CASES[-1]:
        assert done.returncode == 0, done.stderr


def test_the_example_of_the_page_runs(tmp_path, monkeypatch):
    page = TESTS.parents[1] / "docs/python.md"
    if not page.exists():
        pytest.skip("a source distribution has no documentation")
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL) if "mpi4py" in block]
    names = """import numpy
data = numpy.random.default_rng(1).normal(size=(2_000, 64)).astype(numpy.float32)
queries, rows = data[:20], data[20:30]
"""
    monkeypatch.chdir(tmp_path)
    done = run(2, "-c", names + block)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("n_ranks", [1, 3])
def test_the_example_runs(n_ranks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(n_ranks, TESTS.parent / "examples/over_ranks_mpi.py")
    assert done.returncode == 0, done.stderr
    assert "recall" in done.stdout
