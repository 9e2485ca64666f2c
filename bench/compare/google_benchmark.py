"""Rows of a table from the JSON output of Google Benchmark. Standard library only."""

import json
import pathlib
import re

from tables import short_time

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
NO_FIGURES = {"family_index", "per_family_instance_index", "repetitions", "repetition_index", "threads", "iterations"}
NO_FIGURES |= {"real_time", "cpu_time"}


def short_number(x):
    """To four digits; rates with a prefix."""
    for prefix, scale in ((" G", 1e9), (" M", 1e6)):
        if abs(x) >= scale:
            return f"{x / scale:.4g}{prefix}"
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.4g}"


def figures(benchmark):
    """Processor time, and the counters."""
    cells = {"time": short_time(benchmark["cpu_time"] * UNITS[benchmark["time_unit"]])}
    for key, value in benchmark.items():
        if isinstance(value, (int, float)) and key not in NO_FIGURES:
            cells[key] = f"{value / 2**30:.3g} GiB/s" if key == "bytes_per_second" else short_number(value)
    return cells


def read_rows(path, pattern, figure=None, renamed=None):
    """Rows (labels, values) of the benchmarks whose whole name matches, the date, and the program's name.

    Of repetitions the medians count, where they are given.
    """
    output = json.loads(pathlib.Path(path).read_text())
    benchmarks = [b for b in output["benchmarks"] if not b.get("error_occurred")]
    medians = [b for b in benchmarks if b.get("aggregate_name") == "median"]
    rows = {}
    for benchmark in medians or benchmarks:
        match = re.fullmatch(pattern, benchmark.get("run_name", benchmark["name"]))
        if match is None:
            continue
        labels = {key: (renamed or {}).get(text, text) for key, text in match.groupdict().items()}
        own = figures(benchmark)
        if "column" in labels:
            column = labels.pop("column")
            own = {column: own[figure or "time"]}
        elif figure:
            own = {figure: own[figure]}
        own = {(renamed or {}).get(column, column): text for column, text in own.items()}
        rows.setdefault(tuple(labels.items()), {}).update(own)
    if not rows:
        raise SystemExit(f"{path}: no benchmark's name is matched by {pattern}")
    context = output["context"]
    program = pathlib.Path(context["executable"]).name
    return [(dict(labels), values) for labels, values in rows.items()], context["date"], program
