"""Plots of top-k, exact and graph searches."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)
import numpy as np  # noqa: E402

from tables import frontier, grouped, set_of, table_of  # noqa: E402


def save(figure, out, name):
    for suffix in ("png", "svg"):
        figure.savefig(out / f"{name}.{suffix}", dpi=120)
    plt.close(figure)


def case_of(record):
    if record["comparison"] == "approx_min_k":
        return f"n = {record['n']:,}, k = {record['k']}, {record['order']}"
    return f"{set_of(record)}, k = {record['k']}"


def plot_ratios(records, out, comparison, threads):
    """Bars to the right of 1: a peer that takes longer than our fastest method of at least its recall."""
    bars = []
    for case, group in grouped(records, case_of).items():
        ours = [r for r in group if r["role"] == "ours"]
        for peer in (r for r in group if r["role"] == "peer"):
            fair = [o for o in ours if o["recall"] >= peer["recall"] - 1e-3]
            if fair:
                bars.append((f"{peer['contender']}: {case}", max(peer["ratio"][o["contender"]] for o in fair)))
    if not bars:
        return
    names, ratios = zip(*reversed(bars))
    figure, axes = plt.subplots(figsize=(10, 1.5 + 0.22 * len(bars)), layout="constrained")
    axes.barh(names, ratios, color=["tab:blue" if r >= 1 else "tab:red" for r in ratios])
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel(f"time / time of annulus, threads: {threads}")
    axes.tick_params(axis="y", labelsize=7)
    save(figure, out, f"ratios-{comparison}-{threads}")


def plot_top_k(records, out, threads):
    """Time of a row by its length, for each k."""
    by_k = grouped([r for r in records if r["order"] == "random"], lambda r: r["k"])
    figure, axes = plt.subplots(1, len(by_k), figsize=(4.5 * len(by_k), 4), squeeze=False, layout="constrained")
    for axis, (k, of_k) in zip(axes[0], by_k.items()):
        for contender, points in grouped(of_k, lambda r: r["contender"]).items():
            line = {"ours": "o-", "yardstick": "k:"}.get(points[0]["role"], "s--")
            times = [1e6 * p["seconds"]["median"] / p["rows"] for p in points]
            axis.plot([p["n"] for p in points], times, line, markersize=4, label=contender)
        axis.set(title=f"k = {k}", xlabel="elements of a row", xscale="log", yscale="log")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("us a row")
    figure.suptitle(f"the k smallest of rows in random order, threads: {threads}")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    save(figure, out, f"top_k-{threads}")


def plot_recall(records, out, threads):
    for (dataset, metric), group in grouped(records, lambda r: (r["dataset"], r["metric"])).items():
        by_k = grouped([r for r in group if r["role"] != "yardstick"], lambda r: r["k"])
        figure, axes = plt.subplots(1, len(by_k), figsize=(4.5 * len(by_k), 4), squeeze=False, layout="constrained")
        for axis, (k, points) in zip(axes[0], by_k.items()):
            for p in points:
                qps = p["n_queries"] / p["seconds"]["median"]
                axis.plot(p["recall"], qps, "o" if p["role"] == "ours" else "s", label=p["contender"])
            lowest = min(0.95, min(p["recall"] for p in points))
            axis.set(title=f"k = {k}", xlabel=f"recall@{k}", xlim=(lowest - 0.01, 1.005), ylim=(0, None))
        axes[0][0].set_ylabel("queries a second")
        figure.suptitle(f"{dataset} ({metric}), threads: {threads}")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
        save(figure, out, f"recall-{dataset}-{metric}-{threads}")


def plot_searches(records, out):
    """Recall against speed."""

    def name_of(record):
        of_peers = f"-peers-k{record['k']}" if record["comparison"] == "peer graph search" else ""
        return f"graph-{record['dataset']}-{record['metric']}{of_peers}"

    for name, group in grouped(records, name_of).items():
        figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
        for method, points in grouped(group, lambda r: r["method"]).items():
            ours = points[0]["role"] == "ours"
            axes.plot(*zip(*frontier(points)), "o-" if ours else "s--", markersize=4, label=method)
        axes.set(title=f"{set_of(group[0])}, one thread", xlabel=f"recall@{group[0]['k']}", ylabel="queries a second")
        # Logarithmic in what is missing to 1 (and a little), as nearly all of interest lies beyond 0.95.
        to_axis, from_axis = lambda x: -np.log(1.0005 - np.minimum(x, 1)), lambda y: 1.0005 - np.exp(-y)
        axes.set_xscale("function", functions=(to_axis, from_axis))
        axes.set(xlim=(0.7, 1), xticks=[0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999], yscale="log")
        axes.grid(alpha=0.3, which="both")
        axes.legend(fontsize=8)
        save(figure, out, name)


def plot(exact, graph_searches, out):
    for (comparison, threads), group in grouped(exact, table_of).items():
        plot_ratios(group, out, comparison, threads)
        plot_of = plot_recall if comparison == "knn" else plot_top_k
        plot_of(group, out, threads)
    plot_searches(graph_searches, out)
