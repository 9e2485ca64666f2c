"""What arguments that other packages give names to mean here: threads and seeds; and how indexes are built for them."""

from __future__ import annotations

import os

import numpy as np

# Metrics that are inner products of rows, or of rewritten ones: their graphs can be searched over codes.
PRODUCT_METRICS = frozenset(
    "euclidean l2 sqeuclidean seuclidean standardised_euclidean mahalanobis cosine inner_product dot correlation "
    "true_angular spearmanr haversine hellinger".split()
)


def threads_of(n_jobs: int | None) -> int:
    """The number of threads for `n_jobs`: None and -1 are all cores (0, natively), -2 all but one, and so on."""
    if n_jobs is None or n_jobs == -1:
        return 0
    if n_jobs == 0:
        raise ValueError("n_jobs = 0: must be None, a positive number of threads, or -1 for all cores")
    if n_jobs < 0:
        return max(1, (os.cpu_count() or 1) + 1 + n_jobs)
    return int(n_jobs)


def seed_of(random_state) -> int | None:
    """The seed for a `random_state`: an int, a numpy RandomState or Generator, numpy.random itself, or None.

    None is the default seed, so results are the same from run to run.
    """
    if random_state is None:
        return None
    if isinstance(random_state, (int, np.integer)):
        if random_state < 0:
            raise ValueError(f"random_state = {random_state}: must be at least 0")
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if hasattr(random_state, "randint"):
        return int(random_state.randint(2**31 - 1))
    raise ValueError(f"random_state = {random_state!r}: must be an int, a RandomState, a Generator or None")


def index_parameters(metric, data) -> dict:
    """How an index over `data` is built that shall search quickly and be built quickly.

    Codes of a bit for each edge over codes of 8 bits, where metric and rows have them. One round of the descent takes
    2/3 of the time of all; at the same recall searches take a few percent longer.
    """
    is_float = isinstance(data, np.ndarray) and data.dtype.kind == "f"
    storage = "rabitq+sq8" if is_float and metric in PRODUCT_METRICS else "full_precision"
    return {"storage": storage, "n_iters": 1, "max_candidates": 48}


def given(**parameters) -> dict:
    """The parameters that are not None: the others take the library's defaults."""
    return {name: value for name, value in parameters.items() if value is not None}
