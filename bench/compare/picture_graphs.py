"""Pictures of graph searches and builds, as data. Standard library only."""

from cells import SETS, factors, machine_of, number, rows, runs, seconds, short_set, span
from picture_data import PICTURES, axis, bars, dots, is_ours, lines, listed, method_of, picture

AT = (0.95, 0.99, 0.999)


def speeds(record):
    """(recall, queries a second) for each recall that is reached: elsewhere a cell has the best recall in brackets."""
    for recall in AT:
        cell = record["values"].get(f"at {recall}", record["values"].get(f"queries/s at {recall}", "("))
        if not cell.startswith("("):
            yield recall, number(cell)


def best(run, ours):
    """The fastest queries a second at each recall of those methods of a run that are ours, or are not."""
    result = {}
    for record in run:
        if is_ours(record["row"]["method"]) == ours:
            for recall, speed in speeds(record):
                result[recall] = max(speed, result.get(recall, 0))
    return result


def ratios(run):
    """Of the best of annulus to the best of the others by recall; recalls that only one side reaches are left out."""
    own, other = best(run, True), best(run, False)
    return {recall: own[recall] / other[recall] for recall in AT if recall in own and recall in other}


def only_others(run):
    return [recall for recall in AT if recall in best(run, False) and recall not in best(run, True)]


def told(run):
    """In words: "by AVX2 1.4 times at .95 and 1.3 times at .99"."""
    parts = [f"{ratio:.2f} times at {recall:.3g}".replace(" 0.", " .") for recall, ratio in ratios(run).items()]
    missing = [f"; only others reach {recall:.3g}".replace(" 0.", " .") for recall in only_others(run)]
    busy = ", busy," if run[0].get("note") else ""
    return f"by {machine_of(run[0])} on {run[0]['date'][:10]}{busy} {listed(parts)}{''.join(missing)}"


def graph_runs(tables, data):
    found = [
        run
        for name in ("peer-searches-avx2", "peer-searches")
        for run in runs(tables, f"graphs/{name}", data=data, k="10")
    ]
    return found + runs(tables, "graphs/search", data=data)


def recall_picture(data):
    def build(tables):
        panels = []
        for run in graph_runs(tables, SETS[data]):
            series = [(method_of(r), list(speeds(r))) for r in run]
            busy = ", busy machine" if run[0].get("note") else ""
            title = f"{machine_of(run[0])}, {run[0]['date'][:10]}{busy}"
            panels.append(lines(title, axis("recall of 10", "recall"), axis("queries a second", "log"), series))
        heard = "; ".join(told(run) for run in graph_runs(tables, SETS[data]))
        alt = (
            f"Recall of 10 neighbours against queries a second of one thread on {data}, by run: the fastest index of "
            f"annulus has, of the queries a second of the fastest other library, {heard}."
        )
        return {"title": f"Graph search on {data}: recall against speed", "alt": alt, "panels": panels}

    return build


for set_name in SETS:
    PICTURES[f"recall-{set_name}"] = recall_picture(set_name)


@picture("memory-speed")
def memory_and_speed(tables):
    """Of the run with the most methods, an index with the faster of its searches, by estimates or not."""
    panels, heard = [], []
    for name, data in SETS.items():
        kept = {
            r["row"]["method"]: number(r["values"]["MB kept"])
            for r in runs(tables, "graphs/peer-indexes-avx2", data=data)[0]
        }
        points = {}
        for r in runs(tables, "graphs/peer-searches-avx2", data=data, k="10")[0]:
            index, speed = r["row"]["method"].removesuffix(", by estimates"), dict(speeds(r)).get(0.99)
            if speed and index in kept:
                points[index] = [max([(kept[index], speed), *points.get(index, [])])]
        x, y = axis("MB kept", "log"), axis("queries a second at .99", "log")
        panels.append(lines(name, x, y, points.items(), joined=False))
        by_speed = sorted(points, key=lambda method: points[method][0][1])
        heard.append(f"{by_speed[-1]} on {name}")
    alt = (
        "Memory that a graph index keeps against its queries a second at a recall of .99: the fastest are "
        f"{listed(heard)}, and indexes over float rows of hnswlib, faiss and SVS keep less than those with codes."
    )
    return {
        "title": "Graph indexes: memory against speed at a recall of .99 (AVX2; blue: annulus)",
        "labelled": True,
        "alt": alt,
        "panels": panels,
    }


@picture("build-time")
def build_times(tables):
    panels, ranks = [], []
    for name, data in SETS.items():
        run = runs(tables, "graphs/peer-indexes-avx2", data=data)[0]
        times = [
            (method_of(r), seconds(r["values"]["of one core"]))
            for r in run
            if not r["row"]["method"].endswith(("no rows", "half"))
        ]
        panels.append(bars(f"{name}, AVX2, {run[0]['date'][:10]}", axis("s of processor time"), times))
        own = min(time for method, time in times if is_ours(method))
        faster = [method for method, time in times if not is_ours(method) and time < own]
        ranks += [f"{listed(faster)} on {name}"] if faster else []
    for name in ("sift-128", "fashion-mnist", "text-384"):
        run = runs(tables, "graphs/search", data=SETS[name])[0]
        times = [(method_of(r), seconds(r["values"]["build"])) for r in run]
        panels.append(bars(f"{name}, AVX-512, {run[0]['date'][:10]}", axis("s"), times))
    lost = f", but for {listed(ranks)}" if ranks else ""
    alt = (
        "Time to build a graph index by library, one bar a method, five sets by AVX2 and three by AVX-512: annulus "
        f"builds in the least time on each{lost}; SVS takes longest."
    )
    return {"title": "Building a graph index", "alt": alt, "panels": panels}


@picture("knn-graph")
def knn_graphs(tables):
    build = rows(tables, "graphs/build")
    names = list(dict.fromkeys(short_set(r["row"]["data"]) for r in build))
    methods = list(dict.fromkeys(method_of(r) for r in build))

    def of(method, cell):
        found = {short_set(r["row"]["data"]): cell(r["values"]) for r in build if method_of(r) == method}
        return [found.get(name) for name in names]

    time = [(m, of(m, lambda v: seconds(v["time"]))) for m in methods]
    memory = [(m, of(m, lambda v: number(v["MB at most"]))) for m in methods]
    takes = [factor for r in build for factor in factors(r["values"].get("of annulus"))]
    alt = (
        f"Time and most memory of a graph of 30 neighbours: pynndescent takes {span(takes)} times as long as annulus "
        "at about the same recall, and more memory, on fashion-mnist's float rows hardly more."
    )
    panels = [dots("time", axis("s", "log"), names, time), dots("memory", axis("MB at most", "log"), names, memory)]
    return {"title": "k-NN graphs of 30 neighbours, one thread, AVX-512", "alt": alt, "panels": panels}


@picture("metric-graphs")
def metric_graphs(tables):
    found = rows(tables, "metrics/graphs")
    names = [f"{short_set(r['row']['data'])}, {r['row']['data'].split('(')[1][:-1]}" for r in found[::2]]
    cells = ((seconds, "build", "build, s"), (number, "queries/s at 0.95", "queries a second at .95"))
    panels = [
        dots(
            label,
            axis(label, "log"),
            names,
            [(r["row"]["method"], [of(q["values"][column]) for q in found[i::2]]) for i, r in enumerate(found[:2])],
        )
        for of, column, label in cells
    ]
    slower = [number(q["values"]["build"]) / number(p["values"]["build"]) for p, q in zip(found[::2], found[1::2])]
    faster = [p / q for p, q in zip(*(panels[1]["series"][i]["values"] for i in (0, 1)))]
    alt = (
        f"Graph indexes of bits, sets, correlation and Hellinger's distance: pynndescent takes {span(slower)} times as "
        f"long to build, and annulus answers {span(faster)} times its queries a second at a recall of .95, least under "
        "hellinger."
    )
    return {"title": "Graph indexes under other metrics, one thread, AVX-512", "alt": alt, "panels": panels}


@picture("growth")
def growth(tables):
    found = rows(tables, "graphs/growth")
    sizes = [number(r["row"]["n"]) for r in found]

    def line(column, of):
        return list(zip(sizes, (of(r["values"][column]) for r in found)))

    x = axis("rows", "log")
    panels = [
        lines(
            "building",
            x,
            axis("s of processor time", "log"),
            [("k-NN graph", line("k-NN graph", seconds)), ("whole index", line("whole index", seconds))],
        ),
        lines("one query", x, axis("us of processor time", zero=True), [("annulus, sq8", line("us a query", number))]),
        lines("one query", x, axis("distances", zero=True), [("annulus, sq8", line("distances a query", number))]),
    ]
    first, last = found[0]["values"], found[-1]["values"]
    alt = (
        f"Growth from {found[0]['row']['n']} to {found[-1]['row']['n']} rows: an index takes {first['whole index']} "
        f"and {last['whole index']} to build, slightly more than in proportion, and a query {first['us a query']} and "
        f"{last['us a query']} us at a recall of about .98."
    )
    return {"title": "Growth with the number of rows", "alt": alt, "panels": panels}


@picture("filtered")
def filtered(tables):
    found = rows(tables, "situations/filtered")
    names = [r["row"]["rows that pass"] for r in found]
    methods = list(found[0]["values"])
    series = [
        (
            m.replace("annulus, bitset", "annulus, float").replace(", bitset", ""),
            [number(r["values"][m]) for r in found],
        )
        for m in methods
    ]
    worst = min(found, key=lambda r: number(r["values"]["annulus, uint8, bitset"]))
    alt = (
        "Queries a second of filtered searches by which rows pass: with a bitset annulus is ahead of hnswlib and "
        f"usearch in each row, and all are slowest where {worst['row']['rows that pass']} pass."
    )
    return {
        "title": "Filtered search of sift-128, k = 10, recall .95 or more, AVX2",
        "alt": alt,
        "panels": [dots("rows that pass", axis("queries a second", "log"), names, series)],
    }
