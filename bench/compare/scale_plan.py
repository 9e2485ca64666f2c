#!/usr/bin/env python3
"""Adds what bench_scale_plan has written into docs/scale.md to the records, and writes RESULTS.md.

    bench_scale_plan --write docs/scale.md && bench/compare/scale_plan.py

`--commit`: of the library that was measured, if that is not the one checked out. Standard library only.
"""

import argparse
import json
import re

import results
from provenance import commit, cpu_model

PAGE = results.BENCH.parent / "docs/scale.md"
RECORDS = results.BENCH / "records/scale.jsonl"


def tables_of(text):
    """Its tables in order, each a list of rows without the header, by the header."""
    for lines in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        header, _, *rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines.splitlines())
        yield header, rows


def records_of(text):
    """As (table, row, values). Columns are taken by their places, as some share a name."""
    tables = list(tables_of(text))
    kinds = [column for column in tables[0][0] if column]  # the columns of what is measured have no names
    builds = [rows for header, rows in tables if "GB sent" in header]
    searches = [rows for header, rows in tables if "queries/s" in header]
    (tree,) = (rows for header, rows in tables if "formula, ms" in header)
    for kind, build, search in zip(kinds, builds, searches, strict=True):
        for (n, ranks, hours, _, graph_hours, _, sent, _), searched in zip(build, search, strict=True):
            values = {"core hours, indexes of all ranks": hours, "k-NN graph of all": graph_hours, "GB sent for it": sent}
            values |= dict(zip(("queries a second", "one, us", "1,000, ms", "bytes a query"), searched[3:]))
            yield "plan", {"rows": kind, "n": n, "ranks": ranks}, values
    for ranks, formula, simulated, off, late_formula, late_simulated, late_off, scattered in tree:
        values = {"formula, ms": formula, "simulated": simulated, "formula is off by": off}
        values |= {"with stragglers": late_formula, "simulated so": late_simulated, "off by": late_off}
        yield "tree", {"ranks": ranks}, values | {"answers scattered": scattered}
    for k, measured, model, off in re.findall(r"for k = (\d+) ([\d.]+) ms, where \S+ C are ([\d.]+) \((.*?)\)", text):
        yield "merge", {"k": k}, {"measured": f"{measured} ms", "by the formula": f"{model} ms", "formula is off by": off}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default=commit())
    given = parser.parse_args()
    text = re.search(r"<!-- scale_plan: begin -->\n(.*?)<!-- scale_plan: end -->", PAGE.read_text(), re.S)[1]
    command, date = re.match(r"By `(.*?)`, (\d{4}-\d\d-\d\d),", text).groups()
    shared = {"date": date, "commit": given.commit, "cpu": cpu_model(), "command": command}
    records = [{"table": table, "row": row, "values": values} | shared for table, row, values in records_of(text)]
    with RECORDS.open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    results.write(results.BENCH)


if __name__ == "__main__":
    main()
