"""The example scripts run, each in a fresh interpreter and from another folder."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"


@pytest.mark.parametrize(
    "name, needs", [("from_pynndescent", "numpy"), ("from_sklearn", "sklearn"), ("from_jax", "numpy")]
)
def test_the_example_runs(name, needs, tmp_path):
    pytest.importorskip(needs)
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
