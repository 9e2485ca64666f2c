#!/usr/bin/env python3
r"""Writes bench/RESULTS.md from the text in bench/results/*.md and the figures in bench/records/*.jsonl.

    results.py write    writes RESULTS.md
    results.py check    fails if RESULTS.md is not what `write` would write, or a record is not sound
    results.py add      adds records from the JSON output of a Google Benchmark program, and writes RESULTS.md

`run.py --records bench/records` adds the rows of its tables to the records. For a program of Google Benchmark:

    bench_kernels --benchmark_out=out.json
    results.py add --from out.json --table kernels/rows --figure bytes_per_second \
        --pattern '(?P<kernel>\w+<\w+>)/d:(?P<d>\d+)/(?P<column>.*)' --rename 'bytes:24576=L1 (24 KB)'

A line `{{table: knn/search}}` in the text stands for the records of knn.jsonl whose table is "search". A record:

    {"table": "search", "row": {"data": "sift-128", "k": "10"}, "values": {"time": "172 ms"},
     "date": "2026-11-21", "commit": "7883944", "cpu": "AMD EPYC", "command": "run.py --only knn", "note": "optional"}

Of records with the same "row" of one table the newest is shown, in the place of the first. Standard library only.
"""

import argparse
import difflib
import json
import pathlib
import re
import sys

from google_benchmark import read_rows
from provenance import provenance
from tables import markdown

BENCH = pathlib.Path(__file__).resolve().parent.parent
SHARED = ("date", "commit", "cpu", "command", "note")
HEADER = "<!-- Written by bench/compare/results.py from bench/results and bench/records. Change those. -->\n\n"


def read_tables(records):
    """By place (section/table) the records of all sections, in the order of the files."""
    result = {}
    for path in sorted(records.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise SystemExit(f"{path.name}, line {number}: {error}") from None
            fault = fault_of(record)
            if fault:
                raise SystemExit(f"{path.name}, line {number}: {fault}")
            result.setdefault(f"{path.stem}/{record['table']}", []).append(record)
    return result


def fault_of(record):
    """What is wrong with a record, None where nothing is."""
    if not isinstance(record, dict):
        return "a record is an object"
    for key in ("table", "date", "commit", "cpu", "command"):
        if not isinstance(record.get(key), str):
            return f'"{key}" is missing or not a string'
    for key in ("row", "values"):
        cells = record.get(key)
        if not isinstance(cells, dict) or not cells or not all(isinstance(cell, str) for cell in cells.values()):
            return f'"{key}" is not an object of strings by column'
    unknown = set(record) - {"table", "row", "values", *SHARED}
    return f"unknown keys {sorted(unknown)}" if unknown else None


def labels_of(record):
    return tuple(record["row"].items())


def newest(records):
    """One record a row, of one date the later line; in the order of the file, but rows that share labels together."""
    chosen, first_seen = {}, {}
    for labels in map(labels_of, records):
        for i in range(1, len(labels) + 1):
            first_seen.setdefault(labels[:i], len(first_seen))
    for record in sorted(records, key=lambda r: r["date"]):
        chosen[labels_of(record)] = record
    in_order = sorted(chosen, key=lambda row: [first_seen[row[:i]] for i in range(1, len(row) + 1)])
    return [chosen[row] for row in in_order]


def run_of(record):
    """What is said of a row below its table."""
    command = f": `{record['command']}`" if record["command"] else ""
    note = f"; {record['note']}" if record.get("note") else ""
    return f"{record['date'][:10]}, commit {record['commit']}, {record['cpu']}{note}{command}"


def render_table(records):
    """The table, and when, where and of what its rows were measured: once if they share it, else by a column."""
    shown = newest(records)
    columns = dict.fromkeys(column for r in records for column in r["values"])
    columns = [column for column in columns if any(column in r["values"] for r in shown)]
    rows = [(r["row"], {column: r["values"].get(column, "") for column in columns}) for r in shown]
    runs = list(dict.fromkeys(map(run_of, shown)))
    if len(runs) == 1:
        return f"{markdown(rows)}\nMeasured {runs[0]}\n"
    rows = [(row, values | {"run": str(1 + runs.index(run_of(r)))}) for (row, values), r in zip(rows, shown)]
    listed = "\n".join(f"- Run {i}: {run}" for i, run in enumerate(runs, 1))
    return f"{markdown(rows)}\n{listed}\n"


def render(bench):
    tables = read_tables(bench / "records")
    text = HEADER + "\n".join(path.read_text() for path in sorted((bench / "results").glob("*.md")))
    places = re.findall(r"^\{\{table: (\S+)\}\}$", text, re.MULTILINE)
    for place in places:
        if place not in tables:
            raise SystemExit(f"bench/results names the table {place}, of which bench/records has no row")
    for place in tables:
        if places.count(place) != 1:
            raise SystemExit(f"bench/results names the table {place} {places.count(place)} times, not once")
    return re.sub(r"^\{\{table: (\S+)\}\}\n", lambda m: render_table(tables[m[1]]), text, flags=re.MULTILINE)


def write(bench):
    (bench / "RESULTS.md").write_text(render(bench))


def check(bench):
    expected, found = render(bench).splitlines(), (bench / "RESULTS.md").read_text().splitlines()
    lines = list(difflib.unified_diff(found, expected, "RESULTS.md", "as written from the records", lineterm=""))
    if lines:
        print("\n".join([*lines, "RESULTS.md is out of date: run bench/compare/results.py write"]))
    return 1 if lines else 0


def append(folder, place, rows, shared):
    """Adds rows, which are (labels, values), to the table at that place; `shared` is common to them."""
    section, _, table = place.partition("/")
    with open(pathlib.Path(folder) / f"{section}.jsonl", "a") as file:
        for labels, values in rows:
            record = {"table": table, "row": labels, "values": values} | shared
            if fault_of(record):
                raise ValueError(f"{place} {labels}: {fault_of(record)}")
            file.write(json.dumps(record) + "\n")


def append_tables(folder, tables, shared):
    """Adds what a run of run.py measured. Of sweeps only the rows that are there are measured anew."""
    known = {place: {labels_of(r) for r in records} for place, records in read_tables(pathlib.Path(folder)).items()}
    for table in (t for t in tables if t.place):
        here = known.get(table.place, set())
        rows = [row for row in table.rows if not table.is_sweep or tuple(row[0].items()) in here]
        append(folder, table.place, rows, shared | ({"note": table.note} if table.note else {}))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", type=pathlib.Path, default=BENCH, help="the folder bench (default: %(default)s)")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("write")
    commands.add_parser("check")
    add = commands.add_parser("add", help="records from the output of PROGRAM --benchmark_out=FILE")
    add.add_argument("--from", dest="source", required=True, metavar="FILE", help="JSON of Google Benchmark")
    add.add_argument("--table", required=True, help="section and name, as kernels/rows")
    add.add_argument(
        "--pattern",
        default=r"(?P<benchmark>.*)",
        help="of the names of benchmarks to take: named groups are labels; a group called column names the column that "
        "the figure goes to, so that several benchmarks make one row (default: %(default)s)",
    )
    add.add_argument("--figure", help="time, or the name of a counter (default: time for a column, else all)")
    add.add_argument("--rename", nargs="+", default=[], metavar="OLD=NEW", help="of labels and columns")
    add.add_argument("--note", help="anything that a reader must know of the run")
    return parser.parse_args()


def main():
    options = parse()
    if options.what == "check":
        return check(options.bench)
    if options.what == "add":
        renamed = dict(text.split("=", 1) for text in options.rename)
        rows, date, program = read_rows(options.source, options.pattern, options.figure, renamed)
        shared = provenance(program) | {"date": date} | ({"note": options.note} if options.note else {})
        append(options.bench / "records", options.table, rows, shared)
    return write(options.bench)


if __name__ == "__main__":
    sys.exit(main())
