"""Fills in the tables of docs/performance.md, each below a line <!-- records: NAME --> that names it.

Standard library only.
"""

import re

from cells import machine_of, runs
from results import newest
from tables import markdown

TABLES = {}


def table(*places):
    """Registers a function from tables of records to rows (labels, values), made of the records of these places."""

    def register(function):
        TABLES[function.__name__] = (function, places)
        return function

    return register


def run_of(record):
    command = f": `{record['command']}`" if record["command"] else ""
    note = f"; {record['note']}" if record.get("note") else ""
    return f"{record['date'][:10]}, {machine_of(record)}, commit {record['commit']}{note}{command}"


def sources(tables, places):
    """Where, when and by which command the records were measured: a line a run."""
    lines = {}
    for place in places:
        every_run = place.startswith("graphs/peer-searches") or place == "graphs/search"  # as graph_search does
        shown = [r for run in runs(tables, place) for r in run] if every_run else newest(tables[place])
        for r in shown:
            lines.setdefault(run_of(r), {})[place] = None
    return "\n".join(f"- `{'`, `'.join(own)}`: {run}" for run, own in lines.items())


def block(name, tables):
    function, places = TABLES[name]
    made = [(labels, {c: v for c, v in values.items() if v is not None}) for labels, values in function(tables)]
    return f"{markdown(made)}" + (f"\nRecords:\n\n{sources(tables, places)}\n" if places else "")


def filled(text, tables):
    """The page with its tables as the records have them."""
    made = r"(<!-- records: (\w+) -->\n).*?(<!-- end -->)"
    return re.sub(made, lambda m: f"{m[1]}\n{block(m[2], tables)}\n{m[3]}", text, flags=re.DOTALL)
