"""The Python of each page of the documentation runs: its blocks, in order, are one script."""

import pathlib
import sys

import pytest
from reference import has_storage

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/docs"))
snippets = pytest.importorskip("snippets", reason="a source distribution has no documentation")

# A block that imports one of these where it is not installed is left out.
OPTIONAL = {"faiss", "floky", "hnswlib", "jax", "nanopq", "numba", "pynndescent", "scipy", "sklearn", "torch", "umap"}
PAGES = snippets.blocks_by_page(ROOT, "python")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    for block in PAGES[page]:
        if "mpi4py" in block.text:  # of several ranks: test_mpi.py
            continue
        text = "\n" * (block.line - 1) + block.text
        if not has_storage("sq8"):  # a build for tests has fewer storages
            text = text.replace('"sq8"', '"rabitq+sq8"')
        try:
            exec(compile(text, str(page), "exec"), names)
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL:
                raise
