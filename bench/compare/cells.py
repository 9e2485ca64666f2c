"""Figures of bench/records for pictures and pages: the rows of a table by their labels, and cells as numbers.

Standard library only, as tests use it too.
"""

import re

from results import newest
from tables import grouped

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
SETS = {
    "sift-128": "sift-128-caltech101 (sqeuclidean)",
    "fashion-mnist": "images-784-fashion-mnist (sqeuclidean)",
    "text-384": "text-384-debian (cosine)",
    "manifold-960": "manifold-960 (sqeuclidean)",
    "heavy-tails-32": "heavy-tails-32 (sqeuclidean)",
}


def number(cell):
    """The first number of a cell: of "39,633", "3.6x" and ".211 (27x)"; None where there is none, and for None."""
    match = re.search(r"[\d,]*\.?\d+(e[+-]?\d+)?", cell or "")
    return float(match[0].replace(",", "")) if match else None


def factors(cell):
    """All numbers of a cell that an x follows: 27 of ".211 (27x)"."""
    return [number(text) for text in re.findall(r"[\d.]+(?:e[+-]?\d+)?x", cell or "")]


def seconds(cell):
    """Of "172 ms"; None for other cells."""
    match = re.match(r"([\d.,]+) (ns|us|ms|s)\b", cell or "")
    return number(match[1]) * UNITS[match[2]] if match else None


def short_set(data):
    """ "sift-128" of "sift-128-caltech101 (sqeuclidean)"."""
    name = data.split(" ")[0].replace("images-784-", "")
    return re.sub(r"-(caltech101|debian)$", "", name)


def machine_of(record):
    return re.search(r"(AVX-512|AVX2)", record["cpu"])[1]


def rows(tables, place, **labels):
    """The newest records of a table that have these labels ("k" for any column named k)."""
    return [r for r in newest(tables[place]) if all(r["row"].get(key) == value for key, value in labels.items())]


def runs(tables, place, **labels):
    """The records of a table that have these labels by run, also those that newer ones replaced: a run with more rows
    comes first, then the newer. Only figures of one run can be compared."""
    chosen = [r for r in tables[place] if all(r["row"].get(key) == value for key, value in labels.items())]
    by_run = grouped(chosen, lambda r: (r["date"], r["commit"], r["cpu"], r["command"]))
    return [newest(run) for _, run in sorted(by_run.items(), key=lambda item: (len(item[1]), item[0]), reverse=True)]


def span(values, digits=2):
    """ "3.0 to 3.6" of the least and the greatest, one of them where both look alike."""
    least, most = (f"{value:.{digits}g}" if value < 100 else f"{value:,.0f}" for value in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"
