"""pynndescent's metrics and their keywords as this library's."""

from __future__ import annotations

# The parameters of a metric by their names here, in pynndescent's order; it reads keywords by position alone.
_PARAMETERS = {
    "minkowski": ("p",),
    "wasserstein_1d": ("p",),
    "circular_kantorovich": ("p",),
    "seuclidean": ("variance",),
    "wminkowski": ("w", "p"),
    "mahalanobis": ("vinv",),
    "kantorovich": ("cost",),
    "sinkhorn": ("cost", "regularization"),
}
_SYNONYMS = {
    "wasserstein-1d": "wasserstein_1d",
    "kantorovich-1d": "wasserstein_1d",
    "kantorovich_1d": "wasserstein_1d",
    "circular_wasserstein": "circular_kantorovich",
    "wasserstein": "kantorovich",
    "standardised_euclidean": "seuclidean",
    "weighted_minkowski": "wminkowski",
    "direct_cosine": "cosine",
    "dot": "cosine",  # pynndescent normalises the rows first
}
_PARAMETER_SYNONYMS = {"sigma": "variance", "V": "variance", "VI": "vinv"}


def named_metric(metric: str, keywords: dict) -> tuple[str, dict]:
    """pynndescent's `metric` with `metric_kwds` as this library's metric and its parameters."""
    if not isinstance(metric, str):
        raise ValueError(f"metric = {metric!r}: must be a name or a callable")
    name = metric.removeprefix("proxy_")
    name = _SYNONYMS.get(name, name)
    values = {_PARAMETER_SYNONYMS.get(key, key): value for key, value in keywords.items() if key != "max_iter"}
    names = _PARAMETERS.get(name, ())
    if not set(values) <= set(names):
        if len(values) > len(names):
            raise ValueError(f"metric_kwds = {sorted(keywords)}: metric {metric!r} takes {list(names) or 'none'}")
        values = dict(zip(names, values.values()))
    return name, values


def callable_metric(metric, keywords: dict):
    """A callable of two rows and the values of `keywords` as one of two rows; of a numba function a numba function."""
    values = tuple(keywords.values())
    if not values:
        return metric
    if hasattr(metric, "py_func"):
        from numba import njit

        return njit(lambda x, y: metric(x, y, *values))
    return lambda x, y: metric(x, y, *values)
