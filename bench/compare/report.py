"""Tables and plots of the records. Also by itself: report.py FOLDER."""

import json
import pathlib
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)


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


def write(out):
    """Prints the tables, and writes them and the plots beside the records."""
    out = pathlib.Path(out)
    lines = [line for path in sorted(out.glob("results-*.jsonl")) for line in path.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    text = tables(records)
    (out / "tables.md").write_text(text)
    print(text)
    for (comparison, threads), group in grouped(records, table_of).items():
        plot_ratios(group, out, comparison, threads)
        if comparison == "knn":
            plot_recall(group, out, threads)


if __name__ == "__main__":
    write(sys.argv[1])
