"""Plots of hash tables."""

import matplotlib.pyplot as plt

from lsh_tables import FLOKY_PROBES, FLOKY_TABLES, us_a_query
from plots import save
from tables import frontier, grouped


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
