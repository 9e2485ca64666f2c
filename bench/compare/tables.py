"""Tables of measurements: what they have in common. Standard library only, as tests and results.py use it too."""

import math
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Table:
    """Rows are (labels, values): two dicts of strings by column. The labels name a row, the values are its figures.

    `place` is the table's name in bench/records, as "knn/search"; without one the table is only printed. Of a sweep
    only the rows that the records already name are recorded, as the others are many.
    """

    place: str
    title: str
    rows: list = field(default_factory=list)
    is_sweep: bool = False
    note: str = ""  # about the run: that it was disturbed

    def add(self, labels, values):
        """Columns without a value may be None, and are left out."""
        self.rows.append((labels, {column: value for column, value in values.items() if value is not None}))

    def text(self):
        note = f" ({self.note})" if self.note else ""
        return f"{self.title}{note}\n\n{markdown(self.rows, padded=True)}"


def markdown(rows, padded=False):
    """A column for each label and value that any row has. A label that repeats that of the row above is left out."""
    labels = list(dict.fromkeys(column for row in rows for column in row[0]))
    columns = list(dict.fromkeys(column for row in rows for column in row[1]))
    lines = [[*labels, *columns]]
    above = ()
    for names, values in rows:
        own = [names.get(label, "") for label in labels]
        same = next((i for i, (a, b) in enumerate(zip(own, above)) if a != b), 0)
        same = min(same, len(own) - 1)  # the last label always stands
        lines.append([""] * same + own[same:] + [values.get(column, "") for column in columns])
        above = own
    widths = [max(map(len, column)) if padded else 3 for column in zip(*lines)]
    lines.insert(1, ["-" * width for width in widths])
    if padded:
        lines = [[cell.ljust(width) for cell, width in zip(line, widths)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def place_of(name, threads):
    """Of the table for that many threads."""
    return name if threads == 1 else f"{name}-{threads}-threads"


def grouped(records, key):
    groups = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return groups


def table_of(record):
    return record["comparison"], record["threads"]


def set_of(record):
    return f"{record['dataset']} ({record['metric']})"


def disturbance(records, threads):
    """A warning where other programs had the core."""
    shares = sorted(r["cores"] for r in records)
    share = shares[len(shares) // 2]
    disturbed = threads == 1 and share < 0.9
    return f"NOT TO BE TRUSTED: only {100 * share:.0f} % of the core was ours" if disturbed else ""


def short_time(seconds):
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def megabytes(n):
    return f"{n / 1e6:.0f}"


def factor(x):
    return None if x is None else f"{x:.2f}x"


def times(ratio):
    return f"{ratio:.3g}x"


def frontier(points):
    """(recall, queries a second) of the points that no other beats in both, by falling speed."""
    best, result = -1.0, []
    for point in sorted(((p["recall"], p["n_queries"] / p["seconds"]["median"]) for p in points), key=lambda p: -p[1]):
        if point[0] > best:
            best = point[0]
            result.append(point)
    return result


def speed_at(recall, points):
    """Queries a second, between the two points around this recall; None where the sweep does not get there.

    A sweep that begins beyond it has no slower point to draw a line from: its quickest counts as it is.
    """
    line = frontier(points)
    for i, (reached, speed) in enumerate(line):
        if reached >= recall:
            if i == 0:
                return speed
            below, faster = line[i - 1]
            share = (recall - below) / (reached - below)
            return math.exp((1 - share) * math.log(faster) + share * math.log(speed))
    return None
