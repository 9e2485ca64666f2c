"""scikit-learn's metrics as this library's, and what rows may lose before they are rounded to float32."""

from __future__ import annotations

import functools

import numpy as np

# Distances that are the same when all rows are moved by the same vector.
_TRANSLATION_INVARIANT = frozenset(
    "euclidean l2 sqeuclidean seuclidean manhattan l1 cityblock chebyshev minkowski wminkowski mahalanobis".split()
)


def native_metric(metric, p, metric_params, X):
    """scikit-learn's metric with its parameters as this library's: (metric, parameters)."""
    params = dict(metric_params or {})
    if callable(metric):
        return functools.partial(metric, **params) if params else metric, {}
    if metric in ("precomputed", "nan_euclidean"):
        raise ValueError(f"metric = {metric!r}: use sklearn.neighbors, annulus searches rows of numbers")
    if metric in ("minkowski", "p"):
        return _minkowski(params.pop("p", p), **params)
    if metric == "infinity":
        return "chebyshev", params
    if metric == "seuclidean":
        return metric, {"variance": params["V"] if "V" in params else np.var(_dense(X), axis=0, ddof=1)}
    if metric == "mahalanobis":
        vinv = params["VI"] if "VI" in params else np.linalg.inv(params.get("V", np.cov(_dense(X).T)))
        return metric, {"vinv": vinv}
    return metric, params


def _minkowski(p, w=None):
    if not p >= 1:
        raise ValueError(f"p = {p}: must be at least 1")
    if w is not None:
        return "wminkowski", {"w": w, "p": p}
    simpler = {1: "manhattan", 2: "euclidean", np.inf: "chebyshev"}
    return (simpler[p], {}) if p in simpler else ("minkowski", {"p": p})


def _dense(X):
    return X.toarray() if hasattr(X, "toarray") else X


def offset_of(X, metric):
    """What is subtracted from all rows of float64, lest coordinates far from 0 lose their digits; None: nothing is.

    Coordinates whose mean is within 16 standard deviations of 0 stay as they are, and small integers remain exact.
    """
    if hasattr(X, "tocsr") or X.dtype != np.float64 or metric not in _TRANSLATION_INVARIANT:
        return None
    mean = X.mean(axis=0)
    offset = np.where(np.abs(mean) > 16 * X.std(axis=0), np.round(mean), 0)
    return offset if offset.any() else None
