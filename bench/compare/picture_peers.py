"""Pictures of exact search, codes, hash tables, top-k, metrics and drop-ins, as data. Standard library only."""

import re

from cells import SETS, factors, number, rows, seconds, short_set, span
from picture_data import axis, dots, lines, listed, picture

TAKES = axis("time, annulus = 1", "log", one=True)


def takes(found):
    """By peer what it takes in each record, of columns such as "faiss takes"."""
    columns = dict.fromkeys(c for r in found for c in r["values"] if c.endswith(" takes"))
    names = {"faiss.IndexFlat": "faiss IndexFlat", "sklearn brute": "scikit-learn"}
    return [
        (names.get(c.removesuffix(" takes"), c.removesuffix(" takes")), [number(r["values"].get(c)) for r in found])
        for c in columns
    ]


def all_of(series):
    return [value for _, values in series for value in values if value]


def losses(names, series):
    lost = [f"{peer} of {name}" for peer, values in series for name, value in zip(names, values) if value and value < 1]
    return f"; less than annulus: {listed(lost)}" if lost else "; none takes less than annulus"


@picture("exact-knn")
def exact_knn(tables):
    panels, series = [], []
    for method, title in (
        ("annulus", "exact"),
        ("annulus, recall_target 0.95", "recall_target 0.95 beside exact peers"),
    ):
        found = [r for r in rows(tables, "knn/search") if r["row"]["method"] == method]
        names = [f"{short_set(r['row']['data'])}, k = {r['row']['k']}" for r in found]
        panels.append(dots(title, TAKES, names, takes(found)))
        series += takes(found)
    plain = rows(tables, "knn/further", what="built for plain x86-64 (SSE2), sift-128, k = 10")[0]["values"]["figure"]
    alt = (
        f"Exact search of 1,000 queries: faiss takes {span(all_of(series[0:1]))} times as long as annulus, "
        f"scikit-learn {span(all_of(series[1:2]))} times; not drawn is a build for plain x86-64, which at {plain} is "
        "slower than faiss."
    )
    return {"title": "Exact search, one thread, AVX-512", "alt": alt, "panels": panels}


@picture("metrics")
def metrics(tables):
    found = rows(tables, "metrics/search")
    names = [r["row"]["metric"] + (" of sets" if "sets" in r["row"]["data"] else "") for r in found]
    sparse = rows(tables, "metrics/sparse")
    of_sparse = [r["row"]["metric"] for r in sparse]
    dense_series, sparse_series = takes(found), takes(sparse)
    lost = losses(names, dense_series)
    alt = (
        f"Exact search under {len(names)} metrics of dense, binary and packed rows and {len(of_sparse)} of sparse "
        f"rows: the times of scipy and pynndescent, that of annulus being 1, are {span(all_of(dense_series))} and, of "
        f"sparse rows, {span(all_of(sparse_series))}{lost}."
    )
    panels = [
        dots("dense, binary and packed rows", TAKES, names, dense_series),
        dots("sparse rows", TAKES, of_sparse, sparse_series),
    ]
    return {"title": "Exact search by metric, one thread, AVX-512", "alt": alt, "panels": panels}


def codec_name(record):
    return f"{short_set(record['row']['data'])}, {record['row']['codec']}"


@picture("codec-times")
def codec_times(tables):
    panels, ranges = [], []
    names = [codec_name(r) for r in rows(tables, "quantization/train")]
    for table, title in (("train", "training"), ("encode", "encoding"), ("adist", "dtable and adist")):
        by_name = {codec_name(r): r for r in rows(tables, f"quantization/{table}")}
        series = takes([by_name.get(name, {"values": {}}) for name in names])
        panels.append(dots(title, TAKES, names, series))
        ranges += [f"{title} by {peer} {span(all_of([(peer, values)]))} times" for peer, values in series]
    alt = f"Times of product quantisers as multiples of that of annulus: {listed(ranges)} as long."
    return {"title": "Product quantisers: fit, encode, dtable; one thread, AVX-512", "alt": alt, "panels": panels}


@picture("codec-errors")
def codec_errors(tables):
    found = rows(tables, "quantization/train")
    names = [codec_name(r) for r in found]
    own = [number(r["values"]["error of annulus"]) for r in found]
    series = [
        (peer, [number(r["values"][f"error of {peer}"]) / e for r, e in zip(found, own)])
        for peer in ("faiss", "nanopq")
    ]
    worst = min(value for _, values in series for value in values)
    alt = (
        f"Squared errors of codes as multiples of that of annulus: within {100 * (1 - worst):.1f} % below it and, of "
        f"OPQ by faiss, up to {max(map(max, (values for _, values in series))):.2g} times it."
    )
    x = axis("squared error, annulus = 1", one=True)
    return {"title": "Product quantisers: error of codes", "alt": alt, "panels": [dots("", x, names, series)]}


@picture("codec-scans")
def codec_scans(tables):
    found = rows(tables, "quantization/scan")
    names = [codec_name(r) for r in found]
    columns = ("tables of bytes", "bytes, then floats", "re-ranked", "tables of floats")
    series = [(c, [factors(r["values"][c])[0] for r in found]) for c in columns]
    panels = [dots(title, TAKES, names, [("faiss", values)]) for title, values in series]
    lost = [name for name, value in zip(names, series[-1][1]) if value < 1]
    alt = (
        f"Searches of all codes: faiss takes {span(series[0][1])} times as long as annulus by tables of bytes, and by "
        f"tables of floats {span(series[-1][1])} times: annulus loses by tables of floats of 4-bit codes "
        f"({listed(lost)})."
    )
    return {"title": "Product quantisers: searching codes, one thread, AVX-512", "alt": alt, "panels": panels}


@picture("memory-recall")
def memory_and_recall(tables):
    found = rows(tables, "quantization/scan")

    def bytes_of(record):
        m, bits = re.fullmatch(r"O?PQ(\d+)x(\d)", record["row"]["codec"]).groups()
        return int(m) * int(bits) // 8

    found.sort(key=lambda r: (list(SETS.values()).index(r["row"]["data"]), bytes_of(r)))
    names = [f"{short_set(r['row']['data'])}, {bytes_of(r)} bytes, {r['row']['codec']}" for r in found]
    panels = []
    for i, label in enumerate(("first", "among 10", "among 100")):
        series = [
            (side, [number(r["values"][f"nearest in 1 / 10 / 100 of {side}"].split("/")[i]) for r in found])
            for side in ("annulus", "faiss")
        ]
        panels.append(dots(f"nearest row is {label}", axis("share of queries"), names, series))
    first = {side["name"]: side["values"] for side in panels[0]["series"]}
    behind = [
        f"{name} ({own:.3g}, faiss {other:.3g})"
        for name, own, other in zip(names, first["annulus"], first["faiss"])
        if own < other
    ]
    alt = (
        "Share of queries whose nearest row comes first, among 10 and among 100 by the estimates of codes of 8 to 56 "
        f"bytes, about equal for annulus and faiss but by OPQ; faiss finds more in first place by {listed(behind)}."
    )
    return {"title": "Codes: memory against recall", "alt": alt, "panels": panels}


def short_codes(method):
    """ "faiss, PQ16x4" of "faiss.IndexPQFastScan, PQ16x4"."""
    return re.sub("PQFastScan, |FastScan| a query", "", method.replace("faiss.Index", "faiss, "))


@picture("flat-codes")
def flat_codes(tables):
    panels, own = [], []
    for name, data in list(SETS.items())[:3]:
        found = rows(tables, "quantization/flat-codes", data=data)
        series = [(short_codes(r["row"]["method"]), number(r["values"]["queries/s"])) for r in found]
        panels.append({"kind": "bars", "title": name, "x": axis("queries a second"), "bars": [list(s) for s in series]})
        own.append([number(r["values"].get("of faiss's best")) for r in found if r["values"].get("of faiss's best")])
    alt = (
        "Queries a second of scans of codes, the best ranked by the rows for a recall of .95: the best of annulus has "
        f"{listed([f'{max(values):.2g}' for values in own])} times faiss's best on {listed(list(SETS)[:3])}, and its "
        f"longest codes {listed([f'{min(values):.2g}' for values in own])} times."
    )
    return {"title": "Flat indexes of codes at a recall of .95, one thread, AVX2", "alt": alt, "panels": panels}


@picture("lsh-libraries")
def lsh_libraries(tables):
    panels = []
    since = rows(tables, "lsh/libraries-further", what="annulus exact on orb-256bit since, a query of a batch")[0][
        "values"
    ]["figure"]
    for data in dict.fromkeys(r["row"]["data"] for r in rows(tables, "lsh/libraries")):
        for column, title in (("us, batch", "a batch"), ("us, singly", "one at a time")):
            points = {}
            for r in rows(tables, "lsh/libraries", data=data):
                kind = re.sub(r" (K=|b=|l=|\d).*", "", r["row"]["method"])
                time = number(r["values"][column])
                if (data, kind, title) == ("orb-256bit-caltech101", "annulus exact", "a batch"):
                    time = number(since)
                points.setdefault(kind, []).append((number(r["values"]["recall"]), time))
            x, y = axis("recall of 10"), axis("us a query", "log")
            panels.append(lines(f"{short_set(data)}, {title}", x, y, points.items(), joined=False))
    alt = (
        "Recall against the time of a query for hash tables and others, in batches and one at a time: in a batch "
        "exact search takes less than hash tables on sift-128, text-384 and bits, one at a time more on sift-128 and "
        "text-384, where faiss's sign bits with exact ranking take the least; on sets tables take less than the exact "
        "product in a batch, and only at a low recall one at a time."
    )
    title = "Hash tables beside other libraries, one thread, AVX-512 (blue: annulus)"
    return {"title": title, "labelled": True, "alt": alt, "panels": panels}


@picture("lsh-notebook")
def lsh_notebook(tables):
    found = rows(tables, "lsh/notebook")
    panels = []
    for column, label in (("candidates", "candidates a query"), ("us", "us a query")):
        series = {}
        for r in found:
            kind = "probes" if "T =" in r["row"]["tables, probes"] else "tables"
            for side, suffix in (("annulus", ""), ("floky", " of floky")):
                point = (number(r["values"][column + suffix]), number(r["values"]["recall" + suffix]))
                series.setdefault(f"{side}, K = {r['row']['K']}, {kind}", []).append(point)
        panels.append(lines("", axis(label, "log"), axis("recall of the nearest"), series.items()))
    alt = (
        "Hash tables over colour histograms: annulus and floky find the same recall by the same candidates, and "
        "annulus takes a fourth to a twentieth of the time that floky took on another machine."
    )
    return {"title": "Hash tables: the notebook's protocol", "alt": alt, "panels": panels}


@picture("top-k-sizes")
def top_k_sizes(tables):
    panels = []
    columns = ("plain minimum", "approx_min_k", "std::nth_element and sort", "std::partial_sort")
    for k in ("10", "100", "1000"):
        found = rows(tables, "top_k/sizes", k=k)
        minimum = {r["row"]["n"]: r["values"]["plain minimum"] for r in rows(tables, "top_k/sizes", k="1")}
        series = {}
        for r in found:
            values = r["values"] | {"plain minimum": minimum[r["row"]["n"]]}
            for c in columns:
                if c in values:
                    name = c.replace("approx_min_k", "annulus, approx_min_k")
                    series.setdefault(name, []).append((number(r["row"]["n"]), 1e6 * seconds(values[c])))
        panels.append(lines(f"k = {k}", axis("elements", "log"), axis("us", "log"), series.items()))
    alt = (
        "Time of the k smallest by the number of elements: approx_min_k takes less than std::nth_element and "
        "std::partial_sort, and more than a plain minimum, which finds one element, the most at k = 1000; of 64 million "
        "elements it takes as long."
    )
    return {"title": "Top-k of floats, one thread, AVX-512", "alt": alt, "panels": panels}


@picture("top-k-peers")
def top_k_peers(tables):
    found = rows(tables, "top_k/python")
    names = [
        f"{r['row']['rows']}, k = {r['row']['k']}" + (", descending" if r["row"]["order"] != "random" else "")
        for r in found
    ]
    series = takes(found)
    least = min(all_of(series))
    alt = (
        f"The k smallest of rows, called from Python: others take {span(all_of(series))} times as long as annulus, "
        f"least ({least:.3g} times) numpy.argpartition in a descending order of a million at k = 1000, most "
        "jax.lax.approx_min_k."
    )
    return {"title": "Top-k from Python, one thread, AVX-512", "alt": alt, "panels": [dots("", TAKES, names, series)]}


@picture("top-k-plan")
def top_k_plan(tables):
    panels = []
    for n in ("10000", "1000000"):
        series = {}
        for r in rows(tables, "top_k/bins", n=n):
            point = (number(r["values"]["expected recall"]), number(r["values"]["measured recall"]))
            series.setdefault(f"k = {r['row']['k']}", []).append(point)
        panels.append(
            lines(
                f"{int(n):,} elements",
                axis("expected by the plan"),
                axis("measured"),
                series.items(),
                joined=False,
                diagonal=True,
            )
        )
    gaps = [
        number(r["values"]["measured recall"]) - number(r["values"]["expected recall"])
        for r in rows(tables, "top_k/bins")
    ]
    alt = (
        "The recall that a plan of bins expects against that over 200 arrays in random order: the dots lie on the "
        f"diagonal, from {-min(gaps):.4f} below to {max(gaps):.4f} above."
    )
    return {"title": "Bins of approximate top-k: expected and measured recall", "alt": alt, "panels": panels}


@picture("python-dropins")
def python_dropins(tables):
    series, names = {}, []
    found = [
        r
        for table in ("nndescent", "transformer", "top_k", "nanopq", "overhead")
        for r in rows(tables, f"python/{table}")
    ]
    for r in (r for r in found if r["values"].get("the other")):
        name = re.sub("images-784-|-debian", "", r["row"]["what"])
        of = re.findall(r"recall ([\d.]+)", f"{r['values']['annulus']} {r['values']['the other']}")
        names.append(f"{name} (recall {of[0]}, {of[1]})" if len(of) == 2 else name)
        series.setdefault(r["row"]["beside"], {})[len(names) - 1] = factors(r["values"]["the other"])[0]
    values = [(peer, [own.get(i) for i in range(len(names))]) for peer, own in series.items()]
    lost = [f"{names[i]} ({peer})" for peer, own in values for i, value in enumerate(own) if value and value < 1]
    alt = (
        f"Times of what the Python package stands in for are {span(all_of(values))} times those of annulus, which "
        f"takes longer by {listed(lost)}."
    )
    return {"title": "Python drop-ins, one thread, AVX2", "alt": alt, "panels": [dots("", TAKES, names, values)]}
