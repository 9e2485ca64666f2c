"""Contenders that take turns: recall and queries a second of each width of search."""

import time
from dataclasses import dataclass

import numpy as np

import annulus


@dataclass
class Point:
    """One contender at one width."""

    name: str
    build_seconds: float
    width: float
    recall: float
    queries_per_second: float


def race(contenders, rows, queries, k, metric, threads=1, rounds=3):
    """The points of all contenders. Recall is by distance, so that rows equally far count alike."""
    farthest = annulus.knn(rows, queries, k, metric=metric, threads=threads).distances[:, -1]
    runs = []
    for contender in contenders:
        print(f"building {contender.name} ...", flush=True)
        started = time.perf_counter()
        search = contender.build(rows, metric, threads)
        seconds = time.perf_counter() - started
        for width in contender.widths:
            found = search(queries, k, width)  # a first call may compile or allocate
            runs.append((contender.name, seconds, width, search, recall(rows, queries, found, farthest, metric)))
    times = np.empty((rounds, len(runs)))
    for row in times:
        for i, (_, _, width, search, _) in enumerate(runs):
            started = time.perf_counter()
            search(queries, k, width)
            row[i] = time.perf_counter() - started
    speeds = len(queries) / np.median(times, axis=0)
    return [Point(name, built, width, share, speed) for (name, built, width, _, share), speed in zip(runs, speeds)]


def recall(rows, queries, ids, farthest, metric):
    """The share of the ids that are no farther than the exact k-th neighbour, within rounding."""
    limit = farthest + 1e-4 * np.abs(farthest) + 1e-6
    distances = np.stack([distances_to(q, rows[np.maximum(of_q, 0)], metric) for q, of_q in zip(queries, ids)])
    return float(((distances <= limit[:, None]) & (ids >= 0)).mean())


def distances_to(query, rows, metric):
    """As annulus's metrics of these names."""
    if metric == "euclidean":
        return np.linalg.norm(rows - query, axis=1)
    products = rows @ query
    if metric == "inner_product":
        return -products
    return 1 - products / np.maximum(np.linalg.norm(rows, axis=1) * np.linalg.norm(query), np.finfo(np.float32).tiny)


def frontier(points):
    """Those that no other point of the contender beats in both, by recall."""
    best, kept = 0, []
    for point in sorted(points, key=lambda p: (-p.recall, -p.queries_per_second)):
        if point.queries_per_second > best:
            best = point.queries_per_second
            kept.append(point)
    return kept[::-1]


def speed_at(points, target):
    """Queries a second at a recall, interpolated; None where no width gets there."""
    above = [p for p in points if p.recall >= target]
    if not above:
        return None
    best = max(above, key=lambda p: p.queries_per_second)
    below = [p for p in points if p.recall < target and p.queries_per_second > best.queries_per_second]
    if not below:
        return best.queries_per_second
    near = max(below, key=lambda p: p.recall)
    share = (best.recall - target) / (best.recall - near.recall)
    return best.queries_per_second + share * (near.queries_per_second - best.queries_per_second)


def by_name(points):
    groups = {}
    for point in points:
        groups.setdefault(point.name, []).append(point)
    return groups


TARGETS = (0.9, 0.95, 0.99)


def table(points):
    """A line for each contender: build time, and queries a second at three recalls, or its best recall in brackets."""
    lines = [f"{'':28}{'build':>10}" + "".join(f"{f'at {target}':>14}" for target in TARGETS)]
    for name, group in by_name(points).items():
        cells = [speed_at(group, target) for target in TARGETS]
        best = f"({max(p.recall for p in group):.3f})"
        shown = "".join(f"{best if cell is None else f'{cell:,.0f}':>14}" for cell in cells)
        lines.append(f"{name:28}{group[0].build_seconds:>8.2f} s{shown}")
    return "\n".join(lines)
