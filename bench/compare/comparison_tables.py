"""Tables of exact search, graphs, codecs, metrics and files, from the measurements that run.py writes."""

from tables import (
    Table,
    disturbance,
    factor,
    frontier,
    grouped,
    megabytes,
    place_of,
    set_of,
    short_time,
    speed_at,
    table_of,
    times,
)

LEVELS = (0.95, 0.99)  # recall that graphs are compared at
PEER_LEVELS = (0.95, 0.99, 0.999)
METRIC_LEVEL = 0.95


def table(name, title, group, threads):
    return Table(place_of(name, threads), f"{title}, threads: {threads}", note=disturbance(group, threads))


def case_of(record):
    if record["comparison"] == "approx_min_k":
        return {"rows": f"{record['rows']:,} x {record['n']:,}", "order": record["order"], "k": str(record["k"])}
    return {"data": set_of(record), "k": str(record["k"])}


def against(ours, rivals):
    """A percentage is of the speed of a yardstick; 2x is a peer that takes twice as long."""
    cells = {}
    for r in sorted(rivals, key=lambda r: r["role"] != "yardstick"):
        ratio = r["ratio"][ours["contender"]]
        is_yardstick = r["role"] == "yardstick"
        column = f"of {r['contender']}" if is_yardstick else f"{r['contender']} takes"
        cells[column] = f"{100 * ratio:.0f} %" if is_yardstick else times(ratio)
    return cells


def exact_tables(records):
    """A row a method of ours and case, and how the others compare with it."""
    result = []
    for (comparison, threads), group in grouped(records, table_of).items():
        name = {"knn": "knn/search", "approx_min_k": "top_k/python"}[comparison]
        result.append(table(name, comparison, group, threads))
        for case in grouped(group, lambda r: tuple(case_of(r).items())).values():
            rivals = [r for r in case if r["role"] != "ours"]
            for r in (r for r in case if r["role"] == "ours"):
                values = {"time": short_time(r["seconds"]["median"])}
                values["GFLOP/s"] = f"{r['gflops']:.0f}" if "gflops" in r else None
                values["recall"] = f"{r['recall']:.3f}"
                result[-1].add(case_of(r) | {"method": r["contender"]}, values | against(r, rivals))
    return result


def range_of(ratios):
    ratios = sorted({f"{ratio:.1f}x" for ratio in ratios}, key=lambda text: float(text[:-1]))
    return ratios[0] if len(ratios) == 1 else f"{ratios[0]} to {ratios[-1]}"


def graph_builds(records, threads):
    title = f"k-NN graph of {records[0]['n_neighbors']} neighbours"
    result = table("graphs/build", title, records, threads)
    for group in grouped(records, set_of).values():
        ours = [r["seconds"]["median"] for r in group if r["role"] == "ours"]
        for r in group:
            own = r["seconds"]["median"]
            values = {"time": short_time(own)}
            values["of annulus"] = range_of([own / o for o in ours]) if r["role"] == "peer" else None
            values["first time"] = short_time(r["cold_seconds"]) if "cold_seconds" in r else None
            values |= {"recall": f"{r['recall']:.4f}", "MB at most": megabytes(r["peak_bytes"])}
            result.add({"data": set_of(r), "method": r["contender"]}, values)
    return result


def graph_searches(builds, searches, threads):
    """A row an index. The factors are of the speed of the best peer at the same recall."""
    result = table("graphs/search", "graph indexes", builds, threads)
    points_of = grouped(searches, set_of)
    for name, group in grouped(builds, set_of).items():
        by_method = grouped(points_of[name], lambda p: p["method"])
        speeds = {level: {m: speed_at(level, points) for m, points in by_method.items()} for level in LEVELS}
        peers = [r["contender"] for r in group if r["role"] == "peer"]
        for r in group:
            values = {"build": short_time(r["seconds"]["median"]), "MB at most": megabytes(r["peak_bytes"])}
            values["MB kept"] = megabytes(r["bytes"])
            for level in LEVELS:
                speed = speeds[level].get(r["contender"])
                best = max((speeds[level].get(p) or 0 for p in peers), default=0)
                values[f"queries/s at {level}"] = f"{speed:,.0f}" if speed else None
                values[f"of best peer at {level}"] = factor(speed / best if speed and best else None)
            result.add({"data": name, "method": r["contender"]}, values)
    return result


def tables_by_threads(records, *makers):
    """For each number of threads the tables that makers, (function, kind of record, ...), make of records of their kinds,
    where there are records of the first of these."""
    result = []
    for threads, group in grouped(records, lambda r: r["threads"]).items():
        by_kind = grouped(group, lambda r: r["comparison"])
        for make, *kinds in makers:
            if by_kind[kinds[0]]:
                made = make(*(by_kind[kind] for kind in kinds), threads)
                result += made if isinstance(made, list) else [made]
    return result


def graph_tables(records):
    searches = (graph_searches, "index build", "graph search")
    return tables_by_threads(records, (graph_builds, "graph build"), searches)


def peer_graph_indexes(builds):
    """A row an index. Ours say what they take; of peers that is the size of their files."""
    note = disturbance(builds, builds[0]["threads"])
    result = Table("graphs/peer-indexes", "indexes beside those over codes", note=note)
    for r in builds:
        seconds = r["seconds"]["median"]
        values = {"build": short_time(seconds), "of one core": short_time(seconds * r["cores"])}
        values |= {"MB at most": megabytes(r["peak_bytes"]), "MB kept": megabytes(r["bytes"])}
        values["MB by its own account"] = megabytes(r["own_bytes"]) if r["own_bytes"] else None
        result.add({"data": set_of(r), "method": r["contender"]}, values)
    return result


def peer_graph_searches(searches):
    """A row an index and k. Where a recall is not reached, the best in brackets."""
    note = disturbance(searches, 1)
    result = Table("graphs/peer-searches", "queries/s of one thread, beside indexes over codes", note=note)
    for (name, k), group in grouped(searches, lambda r: (set_of(r), r["k"])).items():
        by_method = grouped(group, lambda r: r["method"])
        speeds = {level: {m: speed_at(level, points) for m, points in by_method.items()} for level in PEER_LEVELS}
        peers = {r["method"] for r in group if r["role"] == "peer"}
        for method, points in by_method.items():
            values = {}
            for level in PEER_LEVELS:
                speed = speeds[level][method]
                values[f"at {level}"] = f"{speed:,.0f}" if speed else f"({frontier(points)[-1][0]:.4f})"
                best = max((speeds[level][p] or 0 for p in peers), default=0)
                ours = points[0]["role"] == "ours"
                values[f"of best peer at {level}"] = factor(speed / best if ours and speed and best else None)
            result.add({"data": name, "k": str(k), "method": method}, values)
    return result


def peer_graph_threads(records):
    """A row an index of ours: how much faster two threads answer."""
    had = max(r["cores"] for r in records)
    note = f"NOT TO BE TRUSTED: two threads had {had:.2f} cores" if had < 1.8 else ""
    result = Table("graphs/peer-threads", "queries/s of one thread and two", note=note)
    for (name, method), group in grouped(records, lambda r: (set_of(r), r["method"])).items():
        one, two = sorted(group, key=lambda r: r["query_threads"])
        speeds = [r["n_queries"] / r["seconds"]["median"] for r in (one, two)]
        values = {"one": f"{speeds[0]:,.0f}", "two": f"{speeds[1]:,.0f}", "two of one": factor(speeds[1] / speeds[0])}
        result.add({"data": name, "k": str(one["k"]), "method": method}, values | {"cores": f"{two['cores']:.2f}"})
    return result


def peer_graph_tables(records):
    groups = grouped(records, lambda r: r["comparison"])
    makers = {"build": peer_graph_indexes, "search": peer_graph_searches, "threads": peer_graph_threads}
    made = {f"peer graph {kind}": make for kind, make in makers.items()}
    return [make(groups[kind]) for kind, make in made.items() if groups[kind]]


def codec_times(by_name, comparison):
    """Ours, a vector unless it is training, and how many times as long each peer takes."""
    ours = by_name["annulus"]
    cells = {"annulus": short_time(ours["seconds"]["median"] / (1 if comparison == "codec train" else ours["n"]))}
    for name, r in by_name.items():
        if r["role"] == "peer":
            whole = 10 if "a tenth" in name else 1  # of the vectors, where the peer is slow
            cells[f"{name.partition(',')[0]} takes"] = times(whole * r["ratio"]["annulus"])
    return cells


def training(by_name):
    errors = {f"error of {name}": f"{r['mean_squared_error']:.5g}" for name, r in by_name.items()}
    return codec_times(by_name, "codec train") | errors


def scanning(by_name):
    """Nanoseconds a code and query of each of our ways, and in brackets what faiss takes beside it."""
    peer, refined = (r for r in by_name.values() if r["role"] == "peer")
    cells = {}
    for name, r in by_name.items():
        if r["role"] == "ours":
            peers = [peer, refined] if "re-ranked" in name else [peer]
            ratios = "; ".join(times(p["ratio"][name]) for p in peers)
            own = r["seconds"]["median"] * 1e9 / (r["n"] * r["n_queries"])
            cells[name.removeprefix("annulus, ")] = f"{own:.3g} ({ratios})"
    for name, r in (("annulus", by_name["annulus, tables of floats"]), ("faiss", peer)):
        cells[f"nearest in 1 / 10 / 100 of {name}"] = " / ".join(f"{share:.3f}" for share in r["found"])
    return cells


def codec_tables(records):
    """A row a codec of a data set."""
    result = []
    for (comparison, threads), group in sorted(grouped(records, table_of).items()):
        name = "quantization/" + comparison.removeprefix("codec ")
        result.append(table(name, comparison, group, threads))
        for (data, codec), case in grouped(group, lambda r: (set_of(r), r["codec"])).items():
            by_name = {r["contender"]: r for r in case}
            values = {"codec train": training, "codec scan": scanning}.get(comparison)
            values = values(by_name) if values else codec_times(by_name, comparison)
            result[-1].add({"data": data, "codec": codec}, values)
    return result


def flat_code_tables(records):
    """A row a side, and how many times as fast it is as the quickest peer."""
    result = []
    for threads, group in grouped(records, lambda r: r["threads"]).items():
        result.append(table("quantization/flat-codes", "searches of all codes to a recall of .95", group, threads))
        for data, case in grouped(group, set_of).items():
            quickest = min((r["seconds"]["median"] for r in case if r["role"] == "peer"), default=None)
            for r in case:
                seconds = r["seconds"]["median"]
                values = {"k_factor": str(r["k_factor"]), "recall": f"{r['recall']:.3f}"}
                values["queries/s"] = f"{r['n_queries'] / seconds:,.0f}"
                values["of faiss's best"] = factor(quickest / seconds if r["role"] == "ours" and quickest else None)
                result[-1].add({"data": data, "method": r["contender"]}, values)
    return result


def metric_searches(records, threads):
    """A row a metric: how much longer each peer takes than we do."""
    dense = table("metrics/search", "exact search by metric", records, threads)
    sparse = table("metrics/sparse", "exact search of sparse rows by metric", records, threads)
    for case in grouped(records, lambda r: (r["metric"], r["dataset"])).values():
        by_name = {r["contender"]: r for r in case}
        r = by_name["annulus"]
        values = {"n": f"{r['n']:,}", "d": f"{r['d']:,}", "queries": f"{r['n_queries']:,}"}
        values["ns a pair"] = f"{r['seconds']['median'] * 1e9 / (r['n'] * r['n_queries']):.3g}"
        for name in ("scipy", "pynndescent", "faiss"):
            values[f"{name} takes"] = factor(by_name[name]["ratio"]["annulus"]) if name in by_name else None
        labels = {"metric": r["metric"]} if r["dataset"] == "sparse" else {"metric": r["metric"], "data": r["dataset"]}
        (sparse if r["dataset"] == "sparse" else dense).add(labels, values)
    return [t for t in (dense, sparse) if t.rows]


def metric_graphs(builds, searches, threads):
    """A row an index. In brackets how many times as long the peer takes, and as slow it is at the same recall."""
    result = table("metrics/graphs", "graph indexes by metric", builds, threads)
    points_of = grouped(searches, set_of)
    for name, group in grouped(builds, set_of).items():
        by_method = grouped(points_of[name], lambda p: p["method"])
        speeds = {method: speed_at(METRIC_LEVEL, points) for method, points in by_method.items()}
        ours = next(r for r in group if r["role"] == "ours")
        for r in group:
            is_peer = r["role"] == "peer"
            seconds, speed, our_speed = r["seconds"]["median"], speeds.get(r["contender"]), speeds.get("annulus")
            ratio = f" ({seconds / ours['seconds']['median']:.1f}x)" if is_peer else ""
            slower = f" ({our_speed / speed:.1f}x slower)" if is_peer and speed and our_speed else ""
            values = {"build": short_time(seconds) + ratio, "MB at most": megabytes(r["peak_bytes"])}
            values[f"queries/s at {METRIC_LEVEL}"] = f"{speed:,.0f}{slower}" if speed else None
            result.add({"data": name, "method": r["contender"]}, values)
    return result


def metric_tables(records):
    graphs = (metric_graphs, "metric graph build", "metric graph search")
    return tables_by_threads(records, (metric_searches, "metric knn"), graphs)


def file_tables(records):
    """A row a reader, and the GB/s of ours, numpy's and a copy in memory."""
    result = table("files/data", "data files, GB/s", records, records[0]["threads"])
    for case in grouped(records, lambda r: (r["comparison"], r["file"])).values():
        by_role = {r["role"]: r for r in case}
        names = {"ours": "annulus", "peer": "numpy", "yardstick": "memcpy"}
        speeds = {role: r["bytes"] / r["seconds"]["median"] / 1e9 for role, r in by_role.items()}
        values = {names[role]: f"{speed:.3g}" for role, speed in speeds.items()}
        peer = by_role["peer"]["contender"].removeprefix("numpy.")
        result.add({"reader": by_role["ours"]["contender"], "of numpy": peer}, values)
    return [result]
