"""The tables of docs/performance.md: rows (labels, values) of the records. Standard library only.

A factor is the time of a peer, that of annulus being 1: below 1 annulus is slower.
"""

import re

from cells import SETS, factors, machine_of, number, rows, seconds, short_set, span
from performance import table
from picture_graphs import AT, best, graph_runs, ratios
from picture_peers import takes


def ranges(what, series, names):
    """A row a peer: its factors from the least to the greatest, and where it is least."""
    for peer, values in series:
        known = [(value, name) for value, name in zip(values, names) if value]
        if known:
            yield {"what": what, "beside": peer}, {"times as long": span([v for v, _ in known]), "least": min(known)[1]}


@table()
def machines(tables):
    known = {}
    for records in tables.values():
        for r in records:
            known.setdefault(machine_of(r), set()).add(r["cpu"])
    for name, cpus in sorted(known.items()):
        yield {"in tables": name}, {"processor": "; ".join(sorted(cpus))}


@table("knn/search", "knn/search-2-threads", "knn/further")
def exact(tables):
    for k in ("10", "100", "1000"):
        found = [r for r in rows(tables, "knn/search", k=k) if r["row"]["method"] == "annulus"]
        yield from ranges(f"{k} nearest", takes(found), [short_set(r["row"]["data"]) for r in found])
    found = [r for r in rows(tables, "knn/search-2-threads") if r["row"]["method"] == "annulus"]
    yield from ranges(
        "two threads", takes(found), [f"{short_set(r['row']['data'])}, k = {r['row']['k']}" for r in found]
    )
    busy = rows(tables, "knn/further")[0]
    yield (
        {"what": "words of very different norms, busy machine", "beside": "faiss IndexFlat"},
        {"times as long": f"{factors(busy['values']['figure'])[0]:g}", "least": "20,000 words, k = 10"},
    )


@table("knn/search", "knn/further")
def instruction_sets(tables):
    first = rows(tables, "knn/search")[0]
    yield {"build": "AVX-512 VNNI, sift-128, k = 10"}, {"speed": f"{first['values']['GFLOP/s']} GFLOP/s"}
    for r in rows(tables, "knn/further")[2:]:
        yield {"build": r["row"]["what"].removeprefix("built for ")}, {"speed": r["values"]["figure"]}


@table("instruction_sets/builds")
def plain_builds(tables):
    for r in rows(tables, "instruction_sets/builds"):
        yield (
            {"what": r["row"]["what"]},
            {"x86-64-v3": r["values"]["x86-64-v3"], "x86-64 takes": f"{r['values']['ratio']}x"},
        )


@table("graphs/peer-searches-avx2", "graphs/peer-searches", "graphs/search")
def graph_search(tables):
    for name, data in SETS.items():
        for run in graph_runs(tables, data):
            own, other, ratio = best(run, True), best(run, False), ratios(run)
            peers = dict.fromkeys(r["row"]["method"].split(",")[0].split(" ")[0] for r in run)
            busy = ", busy" if run[0].get("note") else ""
            values = {}
            for at in AT:
                reached = at in ratio
                values[f"at {at}"] = (
                    f"{ratio[at]:.2f}"
                    if reached
                    else "others only"
                    if at in other
                    else "annulus only"
                    if at in own
                    else ""
                )
            yield (
                {
                    "data": name,
                    "run": f"{machine_of(run[0])}, {run[0]['date'][:10]}{busy}",
                    "beside": ", ".join(p for p in peers if p != "annulus"),
                },
                values,
            )


@table("graphs/search-ratios")
def beside_float_rows(tables):
    for r in rows(tables, "graphs/search-ratios"):
        yield (
            {"data": short_set(r["row"]["data"]), "method": r["row"]["method"]},
            {c: v.removesuffix("x") for c, v in r["values"].items()},
        )


@table("graphs/build")
def knn_graph(tables):
    for r in rows(tables, "graphs/build"):
        yield (
            {"data": short_set(r["row"]["data"]), "method": r["row"]["method"]},
            {c: r["values"].get(c) for c in ("time", "recall", "MB at most", "first time")},
        )


@table("situations/insertion")
def insertion(tables):
    for r in rows(tables, "situations/insertion", inserted="100,000"):
        yield {"method": r["row"]["method"], "threads": r["row"]["threads"]}, r["values"]


@table("situations/filtered", "situations/filtered-further")
def filtered(tables):
    for r in rows(tables, "situations/filtered"):
        own, other = (number(r["values"][c]) for c in ("annulus, bitset", "hnswlib"))
        cells = {c: r["values"][c] for c in ("annulus, bitset", "hnswlib", "usearch")}
        yield {"rows that pass": r["row"]["rows that pass"]}, cells | {"times hnswlib's": span([own / other])}


@table("situations/behind", "situations/drawn")
def recall_losses(tables):
    for r in rows(tables, "situations/behind"):
        if r["values"].get("annulus") not in (None, "1.000"):
            yield (
                {"what": r["row"]["what"]},
                {
                    "annulus": r["values"]["annulus"],
                    "others": r["values"].get("the better peer", r["values"].get("hnswlib")),
                },
            )
    for r in rows(tables, "situations/drawn"):
        if r["values"].get("recall of those that missed"):
            yield (
                {"what": f"drawn situations that missed .97: {r['row']['drawn']}"},
                {"annulus": r["values"]["recall of those that missed"]},
            )


@table("top_k/sizes")
def top_k_minimum(tables):
    minimum = {r["row"]["n"]: seconds(r["values"]["plain minimum"]) for r in rows(tables, "top_k/sizes", k="1")}
    for n in ("1000", "10000", "100000", "1000000"):
        found = {r["row"]["k"]: r["values"] for r in rows(tables, "top_k/sizes", n=n)}
        yield (
            {"elements": f"{int(n):,}"},
            {f"k = {k}": span([seconds(found[k]["approx_min_k"]) / minimum[n]]) for k in ("10", "100", "1000")},
        )


@table("top_k/sizes")
def top_k_standard(tables):
    for column in ("std::nth_element and sort", "std::partial_sort"):
        found = [r["values"] for r in rows(tables, "top_k/sizes")]
        ratio = [
            (seconds(v[column]) / seconds(v["approx_min_k"]), f"n = {int(r['row']['n']):,}, k = {r['row']['k']}")
            for r, v in zip(rows(tables, "top_k/sizes"), found)
            if column in v
        ]
        yield from ranges("from C++", [(column, [value for value, _ in ratio])], [name for _, name in ratio])


@table("top_k/python")
def top_k_python(tables):
    for order in ("random", "descending"):
        found = rows(tables, "top_k/python", order=order)
        yield from ranges(
            f"from Python, {order} order", takes(found), [f"{r['row']['rows']}, k = {r['row']['k']}" for r in found]
        )


@table("metrics/search", "metrics/sparse")
def metric_times(tables):
    for name, what in (("search", "dense, binary and packed rows"), ("sparse", "sparse rows")):
        found = rows(tables, f"metrics/{name}")
        yield from ranges(what, takes(found), [r["row"]["metric"] for r in found])


@table("metrics/graphs")
def metric_graphs(tables):
    for r in rows(tables, "metrics/graphs"):
        yield {"data": r["row"]["data"], "method": r["row"]["method"]}, r["values"]


@table("quantization/train", "quantization/encode", "quantization/adist", "quantization/scan")
def codes(tables):
    name = lambda r: f"{short_set(r['row']['data'])}, {r['row']['codec']}"  # noqa: E731
    for place, what in (
        ("train", "training"),
        ("encode", "encoding"),
        ("adist", "the distances of one query to all codes"),
    ):
        found = rows(tables, f"quantization/{place}")
        for kind, own in (
            ("PQ", [r for r in found if r["row"]["codec"][0] == "P"]),
            ("OPQ", [r for r in found if r["row"]["codec"][0] == "O"]),
        ):
            yield from ranges(f"{what}, {kind}", takes(own), list(map(name, own)))
    found = rows(tables, "quantization/scan")
    for bits in ("8", "4"):
        own = [r for r in found if r["row"]["codec"].endswith(f"x{bits}")]
        for column in ("tables of bytes", "re-ranked", "tables of floats"):
            series = [("faiss", [min(factors(r["values"][column])) for r in own])]
            yield from ranges(f"searching {bits}-bit codes: {column}", series, list(map(name, own)))


@table("quantization/flat-codes")
def flat_codes(tables):
    for data in list(SETS.values())[:3]:
        found = rows(tables, "quantization/flat-codes", data=data)
        by_speed = sorted(found, key=lambda r: -number(r["values"]["queries/s"]))
        own, other = (next(r for r in by_speed if r["row"]["method"].startswith(side)) for side in ("annulus", "faiss"))
        yield (
            {"data": short_set(data)},
            {
                "fastest of annulus": f"{own['row']['method']}, {own['values']['queries/s']} queries/s",
                "of faiss": f"{other['row']['method']}, {other['values']['queries/s']} queries/s",
                "ratio": own["values"]["of faiss's best"],
            },
        )


@table("lsh/gains", "lsh/planted")
def hashing(tables):
    for r in rows(tables, "lsh/gains"):
        yield {"what": r["row"]["what"]}, {"figure": r["values"]["figure"]}
    for r in rows(tables, "lsh/planted"):
        yield (
            {
                "what": f"planted neighbours, {r['row']['index']}, {r['row']['tables']} tables, recall "
                f"{r['values']['recall']}: exact search takes"
            },
            {"figure": r["values"]["exact takes"]},
        )


@table("python/nndescent", "python/transformer", "python/top_k", "python/nanopq", "python/overhead")
def python(tables):
    for place in ("nndescent", "transformer", "top_k", "nanopq", "overhead"):
        found = [r for r in rows(tables, f"python/{place}") if r["values"].get("the other")]
        by_call = {}
        for r in found:
            call = re.sub(r"^[\w-]+: |^\d+ x \d+: |, .*", "", r["row"]["what"])
            by_call.setdefault((call, r["row"]["beside"]), []).append(r)
        for (call, peer), own in by_call.items():
            yield from ranges(
                call,
                [(peer, [factors(r["values"]["the other"])[0] for r in own])],
                [re.sub("images-784-", "", r["row"]["what"]) for r in own],
            )


@table("files/index")
def files(tables):
    for r in rows(tables, "files/index"):
        yield r["row"], r["values"]


@table("scale/diskann")
def disk(tables):
    for r in rows(tables, "scale/diskann"):
        yield r["row"], {c: r["values"][c] for c in ("recall", "queries a second", "median", "bytes a query")}


@table("dynamic/searches", "dynamic/plain")
def dynamic(tables):
    for place, column, what in (
        ("searches", "ratio", "annulus::dynamic, of the templates' time"),
        ("plain", "ratio", "templates built for plain x86-64, of annulus::dynamic's time"),
    ):
        found = rows(tables, f"dynamic/{place}")
        values = [(number(r["values"][column]), r["row"]["what"]) for r in found]
        yield {"what": what}, {"from": "{:g} ({})".format(*min(values)), "to": "{:g} ({})".format(*max(values))}
