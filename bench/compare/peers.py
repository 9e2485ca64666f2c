"""annulus, hnswlib and usearch on data as it comes, under filters and while rows are inserted.

All is measured by the program annulus_peers (peers/), as a filter of hnswlib or usearch in Python is a call into the
interpreter for every row met. Here its lines become records, and records tables:

    run.py --threads all --only situations filtered insertion --data FOLDER

The target bench_compare fetches the headers of hnswlib and usearch; ANNULUS_HNSWLIB_INCLUDE_DIR and
ANNULUS_USEARCH_INCLUDE_DIR may name others. Without them there is no such program, and the rest runs as ever.
"""

import json
import pathlib
import subprocess

from tables import Table, disturbance, frontier, grouped, speed_at

DATASETS = ("sift-128-caltech101",)  # unless others are named
COMPARISONS = ("situation", "situation memory", "filtered search", "insertion")
LEVEL = 0.95


def run_program(program, arguments, options, records):
    command = [program, *arguments] + (["--quick"] if options.quick else [])
    print(" ".join(map(str, arguments)), flush=True)
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    for line in lines:
        records.write(json.loads(line))


def folders(part, options):
    """Of the data sets to run this part on, which are under the Euclidean distance."""
    for folder in sorted(pathlib.Path(options.data).iterdir()) if options.data else []:
        if options.wants(part, folder.name) and folder.name in (*DATASETS, *options.only):
            yield folder


def run(options, records):
    import annulus_compare  # not needed for tables

    program = pathlib.Path(annulus_compare.__file__).with_name("annulus_peers")
    if not program.exists():
        print("peers: not built, as the headers of hnswlib and usearch were not found", flush=True)
        return
    if options.wants("situations"):
        run_program(program, ["situations"], options, records)
    for part in ("filtered", "insertion"):
        for folder in folders(part, options):
            run_program(program, [part, folder], options, records)


def situation_tables(records):
    """A row a question, a column a library: recall by distance. One table a width of the search."""
    result = []
    for width, group in grouped(records, lambda r: r["width"]).items():
        what = f"beam, ef, expansion {width}" if width else "each library's default width"
        result.append(Table("", f"situations: recall, {what}"))
        for (situation, question), cells in grouped(group, lambda r: (r["situation"], r["question"])).items():
            values = {r["method"]: f"{r['recall']:.3f}" for r in cells}
            result[-1].add({"situation": situation, "found": question}, values)
    return result


def memory_table(records):
    result = Table("", "situations: memory")
    for r in records:
        values = {"steps": f"{r['steps']:,}", "MB grown by": f"{r['grown_bytes'] / 1e6:.2f}"}
        result.add({"situation": r["situation"], "method": r["method"]}, values)
    return result


def filtered_cell(records):
    """The speed at the level; with the recall where the narrowest search is beyond it, and alone where none is."""
    points = [r | {"seconds": {"median": r["cpu_seconds"]}} for r in records]
    speed = speed_at(LEVEL, points)
    line = frontier(points)
    if speed is None:
        return f"recall {line[-1][0]:.3f}"
    return f"{speed:,.0f} ({line[0][0]:.3f})" if line[0][0] >= LEVEL else f"{speed:,.0f}"


def filtered_table(records):
    """A row what passes, a column a method."""
    title = f"filtered search: queries a second at recall@{records[0]['k']} = {LEVEL}, processor time of one thread"
    result = Table("situations/filtered", title)
    for (dataset, passing), group in grouped(records, lambda r: (r["dataset"], r["passing"])).items():
        cells = {method: filtered_cell(own) for method, own in grouped(group, lambda r: r["method"]).items()}
        result.add({"data": dataset, "rows that pass": passing}, cells)
    return result


def insertion_table(records):
    """By the clock, and by processor time, which others on the machine do not lengthen. Recall is at width 64."""
    on_one = [r for r in records if r["workers"] == 1]
    result = Table("situations/insertion", "insertion", note=disturbance(on_one, 1))
    for r in records:
        speed = r["inserted"] / r["wall_seconds"]
        labels = {"data": r["dataset"], "method": r["method"]}
        labels |= {"rows there": f"{r['n']:,}" if r["n"] else "none: a build"}
        labels |= {"inserted": f"{r['inserted']:,}", "threads": str(r["workers"])}
        values = {"rows/s": f"{speed:,.0f}", "rows/s of a core": f"{speed / r['cores']:,.0f}"}
        result.add(labels, values | {"cores": f"{r['cores']:.2f}", "recall@10": f"{r['recall']:.4f}"})
    return result


def peer_tables(records):
    groups = grouped(records, lambda r: r["comparison"])
    result = situation_tables(groups["situation"])
    for kind, table in zip(COMPARISONS[1:], (memory_table, filtered_table, insertion_table)):
        if groups[kind]:
            result.append(table(groups[kind]))
    return result
