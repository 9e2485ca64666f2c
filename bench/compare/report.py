"""Tables and plots of the records. Also by itself: report.py FOLDER."""

import json
import math
import pathlib
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)
import numpy as np  # noqa: E402

GRAPH_COMPARISONS = ("graph build", "index build", "graph search")
CODEC_COMPARISONS = ("codec train", "codec encode", "codec scan", "codec adist")
LSH_COMPARISONS = ("lsh notebook", "lsh build", "lsh target", "lsh search")
FILE_COMPARISONS = ("file read", "file map and use")
METRIC_COMPARISONS = ("metric knn", "metric graph build", "metric graph search")


def grouped(records, key):
    groups = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return groups


def case_of(record):
    if record["comparison"] == "approx_min_k":
        return f"n = {record['n']:,}, k = {record['k']}, {record['order']}"
    return f"{record['dataset']} ({record['metric']}), k = {record['k']}"


def table_of(record):
    return record["comparison"], record["threads"]


def short_time(seconds):
    for unit, scale in (("s", 1), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def cells(ours, rivals, columns):
    """One row: a method of ours in one case, and how the others compare with it."""
    by_name = {r["contender"]: r for r in rivals}
    row = [case_of(ours), ours["contender"], short_time(ours["seconds"]["median"])]
    row += [f"{ours['gflops']:.0f}"] if "gflops" in ours else []
    row += [f"{ours['recall']:.3f}"]
    for name in columns:
        ratio = by_name[name]["ratio"][ours["contender"]] if name in by_name else None
        is_yardstick = name in by_name and by_name[name]["role"] == "yardstick"
        row.append("" if ratio is None else f"{100 * ratio:.0f} %" if is_yardstick else f"{ratio:.3g}x")
    return row


def print_table(title, header, rows):
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |" for row in [header, *rows]]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return f"{title}\n\n" + "\n".join(lines) + "\n"


def disturbance(records, threads):
    """A warning where other programs had the core."""
    shares = sorted(r["cores"] for r in records)
    share = shares[len(shares) // 2]
    disturbed = threads == 1 and share < 0.9
    return f" (NOT TO BE TRUSTED: only {100 * share:.0f} % of the core was ours)" if disturbed else ""


def megabytes(n):
    return f"{n / 1e6:.0f}"


def factor(x):
    return "" if x is None else f"{x:.2f}x"


def set_of(record):
    return f"{record['dataset']} ({record['metric']})"


def graph_builds(records, threads):
    header = ["data", "method", "time", "first time", "graph recall", "MB at most"]
    rows = []
    for r in records:
        first = short_time(r["cold_seconds"]) if "cold_seconds" in r else ""
        time = short_time(r["seconds"]["median"])
        rows.append([set_of(r), r["contender"], time, first, f"{r['recall']:.4f}", megabytes(r["peak_bytes"])])
    warning = disturbance(records, threads)
    title = f"k-NN graph of {records[0]['n_neighbors']} neighbours, threads: {threads}{warning}"
    return print_table(title, header, rows)


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


def graph_searches(builds, searches, threads):
    """A row an index. The factors are of the speed of the best peer at the same recall."""
    levels = (0.95, 0.99)
    header = ["data", "method", "build", "MB at most", "MB kept"]
    header += [f"{what} at {level}" for level in levels for what in ("queries/s", "of best peer")]
    rows = []
    points_of = grouped(searches, set_of)
    for name, group in grouped(builds, set_of).items():
        by_method = grouped(points_of[name], lambda p: p["method"])
        speeds = {level: {m: speed_at(level, points) for m, points in by_method.items()} for level in levels}
        peers = [r["contender"] for r in group if r["role"] == "peer"]
        for r in group:
            row = [name, r["contender"], short_time(r["seconds"]["median"])]
            row += [megabytes(r["peak_bytes"]), megabytes(r["bytes"])]
            for level in levels:
                speed = speeds[level].get(r["contender"])
                best = max((speeds[level].get(p) or 0 for p in peers), default=0)
                row += [f"{speed:,.0f}" if speed else "", factor(speed / best if speed and best else None)]
            rows.append(row)
    return print_table(f"graph indexes, threads: {threads}{disturbance(builds, threads)}", header, rows)


def graph_tables(records):
    texts = []
    for threads, group in grouped(records, lambda r: r["threads"]).items():
        by_kind = grouped(group, lambda r: r["comparison"])
        if by_kind["graph build"]:
            texts.append(graph_builds(by_kind["graph build"], threads))
        if by_kind["index build"]:
            texts.append(graph_searches(by_kind["index build"], by_kind["graph search"], threads))
    return "\n".join(texts)


def tables(records):
    """A table a comparison: a percentage is of the speed of a yardstick, 2x a peer twice as slow."""
    texts = []
    for (comparison, threads), group in grouped(records, table_of).items():
        rivals = [r for r in group if r["role"] != "ours"]
        columns = list(dict.fromkeys(r["contender"] for r in sorted(rivals, key=lambda r: r["role"] != "yardstick")))
        header = ["case", "method", "time"] + (["GFLOP/s"] if comparison == "knn" else []) + ["recall"] + columns
        rows = []
        for case in grouped(group, case_of).values():
            rows += [cells(r, [o for o in case if o["role"] != "ours"], columns) for r in case if r["role"] == "ours"]
        texts.append(print_table(f"{comparison}, threads: {threads}{disturbance(group, threads)}", header, rows))
    return "\n".join(texts)


def save(figure, out, name):
    for suffix in ("png", "svg"):
        figure.savefig(out / f"{name}.{suffix}", dpi=120)
    plt.close(figure)


def codec_table(records, comparison, threads):
    """A row a contender, with its time as a factor of that of the quickest of ours that does the same."""
    work = {"codec train": None, "codec encode": "n", "codec scan": "n", "codec adist": "n"}[comparison]
    header = ["data", "codec", "method", "time" if work is None else "ns a vector"]
    header += {
        "codec train": ["of annulus", "mean squared error"],
        "codec encode": ["of annulus"],
        "codec scan": ["of annulus", "bytes", "nearest in 1", "in 10", "in 100"],
        "codec adist": ["of annulus"],
    }[comparison]
    rows = []
    for r in records:
        seconds = r["seconds"]["median"]
        row = [set_of(r), r["codec"], r["contender"]]
        if work is None:
            row.append(short_time(seconds))
        else:
            vectors = r["n"] * (r["n_queries"] if comparison == "codec scan" else 1)
            share = 0.1 if "a tenth" in r["contender"] else 1
            row.append(f"{seconds * 1e9 / vectors / share:.3g}")
        row.append(" / ".join(f"{ratio:.3g}x" for ratio in r["ratio"].values()) if r["role"] == "peer" else "")
        if comparison == "codec train":
            row.append(f"{r['mean_squared_error']:.5g}")
        if comparison == "codec scan":
            row += [f"{r['code_bytes']:g}"] + [f"{share:.3f}" for share in r["found"]]
        rows.append(row)
    return print_table(f"{comparison}, threads: {threads}{disturbance(records, threads)}", header, rows)


def codec_tables(records):
    groups = grouped(records, table_of)
    return "\n".join(codec_table(group, *key) for key, group in sorted(groups.items()))


def metric_searches(records, threads):
    """A row a metric: how much longer each peer takes than we do."""
    header = ["metric", "data", "n", "d", "queries", "ns a pair", "scipy", "pynndescent"]
    rows = []
    for case in grouped(records, lambda r: (r["metric"], r["dataset"])).values():
        by_name = {r["contender"]: r for r in case}
        r = by_name["annulus"]
        pairs = r["n"] * r["n_queries"]
        row = [r["metric"], r["dataset"], f"{r['n']:,}", f"{r['d']:,}", f"{r['n_queries']:,}"]
        row.append(f"{r['seconds']['median'] * 1e9 / pairs:.3g}")
        row += [factor(by_name[n]["ratio"]["annulus"]) if n in by_name else "" for n in ("scipy", "pynndescent")]
        rows.append(row)
    return print_table(f"exact search by metric, threads: {threads}{disturbance(records, threads)}", header, rows)


def metric_graphs(builds, searches, threads):
    """A row an index. The factors are of pynndescent's time, and of its speed at the same recall."""
    level = 0.95
    header = ["data", "method", "build", "of peer", "MB at most", f"queries/s at {level}", "of peer"]
    rows = []
    points_of = grouped(searches, set_of)
    for name, group in grouped(builds, set_of).items():
        by_method = grouped(points_of[name], lambda p: p["method"])
        speeds = {method: speed_at(level, points) for method, points in by_method.items()}
        peer = next(r for r in group if r["role"] == "peer")
        for r in group:
            seconds, speed, reached = r["seconds"]["median"], speeds.get(r["contender"]), speeds.get(peer["contender"])
            row = [name, r["contender"], short_time(seconds), factor(peer["seconds"]["median"] / seconds)]
            row += [megabytes(r["peak_bytes"]), f"{speed:,.0f}" if speed else ""]
            rows.append([*row, factor(speed / reached if speed and reached else None)])
    return print_table(f"graph indexes by metric, threads: {threads}{disturbance(builds, threads)}", header, rows)


def metric_tables(records):
    texts = []
    for threads, group in grouped(records, lambda r: r["threads"]).items():
        by_kind = grouped(group, lambda r: r["comparison"])
        if by_kind["metric knn"]:
            texts.append(metric_searches(by_kind["metric knn"], threads))
        if by_kind["metric graph build"]:
            texts.append(metric_graphs(by_kind["metric graph build"], by_kind["metric graph search"], threads))
    return "\n".join(texts)


def file_tables(records):
    texts = []
    for (comparison, threads), group in grouped(records, table_of).items():
        rows = []
        for r in group:
            seconds = r["seconds"]["median"]
            rows.append([r["file"], r["contender"], short_time(seconds), f"{r['bytes'] / seconds / 1e9:.3g}"])
        title = f"{comparison}, threads: {threads}{disturbance(group, threads)}"
        texts.append(print_table(title, ["file", "method", "time", "GB/s"], rows))
    return "\n".join(texts)


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
    for (dataset, metric), group in grouped(records, lambda r: (r["dataset"], r["metric"])).items():
        figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
        for method, points in grouped(group, lambda r: r["method"]).items():
            ours = points[0]["role"] == "ours"
            axes.plot(*zip(*frontier(points)), "o-" if ours else "s--", markersize=4, label=method)
        axes.set(title=f"{dataset} ({metric}), one thread", xlabel=f"recall@{group[0]['k']}", ylabel="queries a second")
        # Logarithmic in what is missing to 1 (and a little), as nearly all of interest lies beyond 0.95.
        to_axis, from_axis = lambda x: -np.log(1.0005 - np.minimum(x, 1)), lambda y: 1.0005 - np.exp(-y)
        axes.set_xscale("function", functions=(to_axis, from_axis))
        axes.set(xlim=(0.7, 1), xticks=[0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999], yscale="log")
        axes.grid(alpha=0.3, which="both")
        axes.legend(fontsize=8)
        save(figure, out, f"graph-{dataset}-{metric}")


def write(out):
    """Prints the tables, and writes them and the plots beside the records."""
    import lsh_plots  # which uses functions of this module
    import peers

    out = pathlib.Path(out)
    lines = [line for path in sorted(out.glob("results-*.jsonl")) for line in path.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    of_graphs = [r for r in records if r["comparison"] in GRAPH_COMPARISONS]
    of_codecs = [r for r in records if r["comparison"] in CODEC_COMPARISONS]
    of_tables = [r for r in records if r["comparison"] in LSH_COMPARISONS]
    of_metrics = [r for r in records if r["comparison"] in METRIC_COMPARISONS]
    of_files = [r for r in records if r["comparison"] in FILE_COMPARISONS]
    of_peers = [r for r in records if r["comparison"] in peers.COMPARISONS]
    known = GRAPH_COMPARISONS + CODEC_COMPARISONS + LSH_COMPARISONS + METRIC_COMPARISONS + FILE_COMPARISONS
    known += peers.COMPARISONS
    records = [r for r in records if r["comparison"] not in known]
    parts = (tables(records), graph_tables(of_graphs), codec_tables(of_codecs), lsh_plots.tables(of_tables))
    parts = (*parts, metric_tables(of_metrics), file_tables(of_files), peers.tables(of_peers))
    text = "\n".join(part for part in parts if part)
    (out / "tables.md").write_text(text)
    print(text)
    for (comparison, threads), group in grouped(records, table_of).items():
        plot_ratios(group, out, comparison, threads)
        if comparison == "knn":
            plot_recall(group, out, threads)
    plot_searches([r for r in (*of_graphs, *of_metrics) if r["comparison"].endswith("graph search")], out)
    lsh_plots.plot(of_tables, out)


if __name__ == "__main__":
    write(sys.argv[1])
