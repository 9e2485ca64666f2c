"""Tables and plots of hash tables."""

import matplotlib.pyplot as plt
import numpy as np

from report import frontier, grouped, print_table, save

# What floky 0.2.2 (lsh-rs) has on the same data by the same protocol, means of 10 seeds: n_projections ->
# tables -> recall, candidates, us a query; and probes a table, of 5 -> the same.
FLOKY_TABLES = {
    15: {
        5: (0.562, 165, 111),
        10: (0.703, 268, 171),
        15: (0.806, 369, 223),
        20: (0.865, 455, 290),
        50: (0.947, 807, 570),
        100: (0.980, 1200, 1148),
    },
    30: {
        5: (0.235, 17, 20),
        10: (0.319, 26, 31),
        15: (0.373, 34, 46),
        20: (0.427, 42, 62),
        50: (0.585, 74, 134),
        100: (0.720, 110, 276),
    },
}
FLOKY_PROBES = {
    15: {
        10: (0.913, 651, 444),
        15: (0.936, 764, 567),
        20: (0.946, 860, 717),
        50: (0.970, 1202, 1447),
        100: (0.981, 1516, 2608),
    },
    30: {
        10: (0.508, 59, 95),
        15: (0.552, 69, 109),
        20: (0.582, 78, 134),
        50: (0.673, 110, 276),
        100: (0.752, 143, 486),
    },
}


def us_a_query(record):
    return 1e6 * record["seconds"]["median"] / record["n_queries"]


def floky_of(record):
    """Its cell for a record of ours, None for `exact`."""
    if "n_tables" not in record:
        return None
    if record["probes_a_table"]:
        return FLOKY_PROBES[record["n_projections"]][record["probes_a_table"]]
    return FLOKY_TABLES[record["n_projections"]][record["n_tables"]]


def notebook_table(records):
    header = ["K", "cell", "recall (sd)", "candidates", "us", "floky: recall", "candidates", "us"]
    header += ["one heap: found in candidates", "as many probes in each table"]
    rows = []
    for r in records:
        reference = floky_of(r)
        sd = f" ({r['recall_sd']:.3f})" if "recall_sd" in r else ""
        row = [str(r["n_projections"]), r["contender"], f"{r['recall']:.3f}{sd}"]
        row += [f"{r['candidates']:.0f}" if "candidates" in r else "", f"{us_a_query(r):.1f}"]
        row += [f"{reference[0]:.3f}", f"{reference[1]}", f"{reference[2]}"] if reference else [""] * 3
        for key in ("found", "found_evenly"):
            row.append(f"{r[key]:.3f} in {r[key + '_of']:.0f}" if key in r else "")
        rows.append(row)
    return print_table("the notebook's protocol, processor time of one thread", header, rows)


def build_table(records):
    header = ["K", "L", "build", "matrix product", "ratio", "bytes a row and table"]
    rows = []
    for group in grouped(records, lambda r: (r["n_projections"], r["n_tables"])).values():
        ours = next(r for r in group if r["role"] == "ours")
        product = next(r for r in group if r["role"] != "ours")
        row = [str(ours["n_projections"]), str(ours["n_tables"])]
        row += [f"{1e3 * r['seconds']['median']:.1f} ms" for r in (ours, product)]
        row += [f"{1 / product['ratio']['annulus']:.2f}", f"{ours['bytes_a_row_and_table']:.1f}"]
        rows.append(row)
    return print_table("builds beside a matrix product of the projections, processor time of one thread", header, rows)


def target_table(records):
    header = ["data", "index", "k", "target", "recall", "error", "probes", "candidates", "us"]
    header += ["least fixed probes for the target: candidates", "us", "ratio"]
    header += ["for the recall: candidates", "us", "ratio"]
    rows = []
    for r in records:
        error = np.hypot(r["error_by_seeds"], r["error_by_queries"])
        row = [r["dataset"], r["contender"], str(r["k"]), f"{r['target']:g}", f"{r['recall']:.4f}", f"{error:.4f}"]
        row += [f"{r['probes']:.0f}", f"{r['candidates']:.0f}", f"{us_a_query(r):.0f}"]
        for goal in ("for_target", "for_recall"):
            if goal in r:
                of = r[goal]
                row.append(f"{of['candidates']:.0f} by {of['probes']:.0f}")
                row += [f"{1e6 * of['seconds'] / r['n_queries']:.0f}", f"{of['ratio']:.2f}"]
            else:
                row += [""] * 3
        rows.append(row)
    return print_table("recall_target, means over seeds, processor time of one thread", header, rows)


def search_table(records):
    header = ["data", "method", "parameters", "recall", "us, batch", "us, singly", "candidates", "of rows"]
    header += ["build", "MB"]
    rows = []
    for r in records:
        candidates = r.get("candidates")
        row = [r["dataset"], r["method"], " ".join(f"{key}={value}" for key, value in r["parameters"].items())]
        row += [f"{r['recall']:.4f}", f"{us_a_query(r):.1f}"]
        row.append(f"{1e6 * r['single_seconds']:.1f}" if "single_seconds" in r else "")
        row.append("" if candidates is None else f"{candidates:.0f}")
        row.append("" if candidates is None else f"{100 * candidates / r['n']:.2g} %")
        row.append(f"{r['build_seconds']:.2f} s" if r["build_seconds"] else "")
        row.append(f"{r['bytes'] / 1e6:.0f}" if r["bytes"] else "")
        rows.append(row)
    return print_table(f"searches for {records[0]['k']}, processor time of one thread", header, rows)


def tables(records):
    kinds = {
        "lsh notebook": notebook_table,
        "lsh build": build_table,
        "lsh target": target_table,
        "lsh search": search_table,
    }
    groups = grouped(records, lambda r: r["comparison"])
    return "\n".join(kinds[kind](group) for kind, group in groups.items())


def plot_against(records, reference, x_of, what, name, out):
    """Recall, and time, against a number of tables or probes."""
    xs = [x_of(r) for r in records]
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.errorbar(xs, [r["recall"] for r in records], [r["recall_sd"] for r in records], fmt="o-", label="recall")
    axes.plot(reference.keys(), [cell[0] for cell in reference.values()], "s--", label="recall, floky")
    axes.set(xlabel=what, ylabel="recall of the nearest", ylim=(0, 1))
    times = axes.twinx()
    times.plot(xs, [us_a_query(r) for r in records], "o-", color="tab:red", label="time")
    times.plot(reference.keys(), [cell[2] for cell in reference.values()], "s--", color="tab:pink", label="time, floky")
    times.set(ylabel="us a query", yscale="log")
    lines = [handle for part in (axes, times) for handle in part.get_legend_handles_labels()[0]]
    axes.legend(lines, [line.get_label() for line in lines], loc="lower right", fontsize=8)
    axes.set_title(f"K = {records[0]['n_projections']}")
    save(figure, out, name)


def plot_candidates(by_tables, by_probes, n_projections, out):
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for label, group in (("tables", by_tables), ("probes of 5 tables", by_probes)):
        axes.plot([r["candidates"] for r in group], [r["recall"] for r in group], "o-", label=label)
    for label, cells in (("tables", FLOKY_TABLES), ("probes", FLOKY_PROBES)):
        points = cells[n_projections].values()
        axes.plot([cell[1] for cell in points], [cell[0] for cell in points], "s--", label=f"{label}, floky")
    axes.set(xlabel="candidates a query", ylabel="recall of the nearest", title=f"K = {n_projections}", ylim=(0, 1))
    axes.legend(fontsize=8)
    save(figure, out, f"lsh-notebook-candidates-{n_projections}")


def plot_notebook(records, out):
    for n_projections, group in grouped(records, lambda r: r["n_projections"]).items():
        cells = [r for r in group if "n_tables" in r]
        by_tables = [r for r in cells if r["n_probes"] == 0]
        # Own buckets come on top of floky's probes.
        by_probes = [r for r in cells if r["n_probes"] == 5 * (r["probes_a_table"] + 1) and r["probes_a_table"]]
        name = "lsh-notebook-{}-" + str(n_projections)
        reference = FLOKY_TABLES[n_projections]
        plot_against(by_tables, reference, lambda r: r["n_tables"], "tables", name.format("tables"), out)
        reference, what = FLOKY_PROBES[n_projections], "probes a table, of 5"
        plot_against(by_probes, reference, lambda r: r["probes_a_table"], what, name.format("probes"), out)
        plot_candidates(by_tables, by_probes, n_projections, out)


def plot_searches(records, out):
    for dataset, group in grouped(records, lambda r: r["dataset"]).items():
        figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
        for method, points in grouped(group, lambda r: r["method"]).items():
            style = {"ours": "o-", "peer": "s--", "yardstick": "k*"}[points[0]["role"]]
            axes.plot(*zip(*frontier(points)), style, markersize=4, label=method)
        axes.set(title=f"{dataset}, one thread", xlabel=f"recall@{group[0]['k']}", ylabel="queries a second")
        axes.set_yscale("log")
        axes.grid(alpha=0.3, which="both")
        axes.legend(fontsize=7)
        save(figure, out, f"lsh-{dataset}")


def plot(records, out):
    plot_notebook([r for r in records if r["comparison"] == "lsh notebook"], out)
    plot_searches([r for r in records if r["comparison"] == "lsh search"], out)
