"""The example scripts run from a folder of their own, in a fresh interpreter."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"


@pytest.mark.parametrize("name, needs", [("pynndescent", "numpy"), ("sklearn", "sklearn"), ("lax", "numpy")])
def test_the_example_runs(name, needs, tmp_path):
    pytest.importorskip(needs)
    # not as a script: its folder holds sklearn.py, which would hide scikit-learn
    code = f"import runpy; runpy.run_path({str(EXAMPLES / (name + '.py'))!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
