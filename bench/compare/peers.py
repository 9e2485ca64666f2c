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

from report import disturbance, grouped, print_table, speed_at

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
    methods = list(dict.fromkeys(r["method"] for r in records))
    texts = []
    for width, group in grouped(records, lambda r: r["width"]).items():
        rows = []
        for (situation, question), cells in grouped(group, lambda r: (r["situation"], r["question"])).items():
            by_method = {r["method"]: f"{r['recall']:.3f}" for r in cells}
            rows.append([situation, question, *(by_method.get(method, "") for method in methods)])
        what = f"beam, ef, expansion {width}" if width else "each library's default width"
        texts.append(print_table(f"situations: recall, {what}", ["situation", "found", *methods], rows))
    return texts


def memory_table(records):
    rows = [[r["situation"], r["method"], f"{r['steps']:,}", f"{r['grown_bytes'] / 1e6:.2f}"] for r in records]
    return print_table("situations: memory", ["situation", "method", "steps", "MB grown by"], rows)


def filtered_table(records):
    """A row what passes, a column a method: queries a second at the level, or the most that it finds."""
    methods = list(dict.fromkeys(r["method"] for r in records))
    rows = []
    for (dataset, passing), group in grouped(records, lambda r: (r["dataset"], r["passing"])).items():
        row = [dataset, passing]
        for method in methods:
            points = [r | {"seconds": {"median": r["cpu_seconds"]}} for r in group if r["method"] == method]
            speed = speed_at(LEVEL, points)
            best = max((p["recall"] for p in points), default=None)
            row.append(f"{speed:,.0f}" if speed else "" if best is None else f"recall {best:.3f}")
        rows.append(row)
    title = f"filtered search: queries a second at recall@{records[0]['k']} = {LEVEL}, processor time of one thread"
    return print_table(title, ["data", "rows that pass", *methods], rows)


def insertion_table(records):
    """By the clock, and by processor time, which others on the machine do not lengthen."""
    header = ["data", "method", "rows there", "inserted", "threads", "rows/s", "rows/s of a core", "cores"]
    rows = []
    for r in records:
        speed = r["inserted"] / r["wall_seconds"]
        row = [r["dataset"], r["method"], f"{r['n']:,}" if r["n"] else "none: a build", f"{r['inserted']:,}"]
        row += [str(r["workers"]), f"{speed:,.0f}", f"{speed / r['cores']:,.0f}", f"{r['cores']:.2f}"]
        rows.append([*row, f"{r['recall']:.4f}"])
    on_one = [r for r in records if r["workers"] == 1]
    return print_table(f"insertion{disturbance(on_one, 1)}", [*header, "recall@10, width 64"], rows)


def tables(records):
    groups = grouped(records, lambda r: r["comparison"])
    texts = situation_tables(groups["situation"])
    for kind, table in zip(COMPARISONS[1:], (memory_table, filtered_table, insertion_table)):
        if groups[kind]:
            texts.append(table(groups[kind]))
    return "\n".join(texts)
